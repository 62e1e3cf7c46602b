package main

import (
	"context"
	"database/sql"
	"path/filepath"
	"time"

	"columnvault"
	"columnvault/dtype"
	"columnvault/query"
	"columnvault/scan"
)

// ctx is that of all calls: nothing here is canceled but by the end of a process.
var ctx = context.Background()

func vaultPeers() []Peer {
	const kept = "survives the end of the process; a power failure may undo the last commits, and leaves the file whole"
	return []Peer{{
		Name: "columnvault", Class: Durable, Durability: kept, Holds: true,
		Import: vaultImport, Export: vaultExport,
		Open: func(dir string) (Store, error) { return openVault(dir, nil) },
	}, {
		Name: "columnvault, native", Class: Durable, Durability: kept, Remark: "columns of the native layout",
		Open: func(dir string) (Store, error) {
			return openVault(dir, &columnvault.Options{Layout: columnvault.Native})
		},
	}, {
		Name: "columnvault, FullSync", Class: Durable, Synced: true, OnlySynced: true,
		Durability: "survives power failure",
		Open:       func(dir string) (Store, error) { return openVault(dir, &columnvault.Options{FullSync: true}) },
	}}
}

type vault struct{ v *columnvault.Vault }

func openVault(dir string, o *columnvault.Options) (Store, error) {
	v, err := columnvault.Open(context.Background(), filepath.Join(dir, "vault.db"), o)
	return vault{v}, err
}

func (s vault) Close() error { return s.v.Close() }

func (s vault) List(kind Kind) (any, error) {
	switch kind {
	case Ints:
		c, err := columnvault.Ensure(ctx, s.v, "x", dtype.Int64, nil)
		return vaultNumbers[int64]{vaultColumn[int64]{s.v, c}}, err
	case Floats:
		c, err := columnvault.Ensure(ctx, s.v, "x", dtype.Float64, nil)
		return vaultNumbers[float64]{vaultColumn[float64]{s.v, c}}, err
	case Bytes:
		c, err := columnvault.Ensure(ctx, s.v, "x", dtype.Bytes, nil)
		return vaultColumn[[]byte]{s.v, c}, err
	case Strings:
		c, err := columnvault.Ensure(ctx, s.v, "x", dtype.String, nil)
		return vaultColumn[string]{s.v, c}, err
	case Records:
		c, err := columnvault.Ensure(ctx, s.v, "x", dtype.MsgPack[Record](), nil)
		return vaultColumn[Record]{s.v, c}, err
	case Rows:
		t, err := columnvault.EnsureTable[Record](ctx, s.v, "rows", nil)
		return vaultTable{s.v, t}, err
	}
	return nil, errDash
}

type vaultColumn[T any] struct {
	v *columnvault.Vault
	c *columnvault.Column[T]
}

func (l vaultColumn[T]) Len() (int, error)            { return l.c.Len(ctx) }
func (l vaultColumn[T]) Append(values []T) error      { return l.c.Append(ctx, values...) }
func (l vaultColumn[T]) AppendOne(v T) error          { return l.c.Append(ctx, v) }
func (l vaultColumn[T]) At(i int) (T, error)          { return l.c.At(ctx, i) }
func (l vaultColumn[T]) Set(i int, v T) error         { return l.c.Set(ctx, i, v) }
func (l vaultColumn[T]) Insert(i int, v T) error      { return l.c.Insert(ctx, i, v) }
func (l vaultColumn[T]) Delete(i int) error           { return l.c.Delete(ctx, i, i+1) }
func (l vaultColumn[T]) Slice(into []T, at int) error { return l.read(into, at) }
func (l vaultColumn[T]) Read(into []T) error          { return l.read(into, 0) }

func (l vaultColumn[T]) read(into []T, at int) error {
	n, err := l.c.Read(ctx, into, at)
	return whole(n, len(into), err)
}

func (l vaultColumn[T]) AppendEach(values []T, held func()) error {
	if err := l.c.EnableCache(ctx, nil); err != nil {
		return err
	}
	for _, v := range values {
		if err := l.c.Append(ctx, v); err != nil {
			return err
		}
	}
	held()
	return l.c.DisableCache(ctx)
}

// Hold makes AppendOne hold its value in a cache.
func (l vaultColumn[T]) Hold(atMost time.Duration) error {
	return l.c.EnableCache(ctx, &columnvault.CacheOptions{FlushInterval: atMost})
}

func (l vaultColumn[T]) Runs(fn func([]T)) error {
	for run, err := range l.c.RunsInto(ctx, nil, 0, columnvault.End) {
		if err != nil {
			return err
		}
		fn(run.Values)
	}
	return nil
}

func (l vaultColumn[T]) View(fn func(Reader[T]) error) error {
	return l.v.View(ctx, func(_ context.Context, tx *columnvault.Tx) error {
		return fn(vaultColumn[T]{l.v, l.c.In(tx)})
	})
}

func (l vaultColumn[T]) SetMany(at []int, values []T) error {
	return l.c.SetEach(ctx, at, values)
}

// vaultNumbers is a column over which scan computes.
type vaultNumbers[T dtype.Element] struct{ vaultColumn[T] }

func (l vaultNumbers[T]) Sum() (float64, error) { return scan.Sum[float64](ctx, scan.Of(l.c)) }

func (l vaultNumbers[T]) MinMax() (low, high T, err error) { return scan.MinMax(ctx, scan.Of(l.c)) }

func (l vaultNumbers[T]) CountAtLeast(v T) (int, error) {
	return scan.CountWhere(ctx, scan.Of(l.c), scan.AtLeast(v))
}

// vaultTable is a table of a column for each field.
type vaultTable struct {
	v *columnvault.Vault
	t *columnvault.Table[Record]
}

func (l vaultTable) Len() (int, error)                 { return l.t.Len(ctx) }
func (l vaultTable) Append(values []Record) error      { return l.t.Append(ctx, values...) }
func (l vaultTable) AppendOne(v Record) error          { return l.t.Append(ctx, v) }
func (l vaultTable) At(i int) (Record, error)          { return l.t.At(ctx, i) }
func (l vaultTable) Set(i int, v Record) error         { return l.t.Set(ctx, i, v) }
func (l vaultTable) Insert(i int, v Record) error      { return l.t.Insert(ctx, i, v) }
func (l vaultTable) Delete(i int) error                { return l.t.Delete(ctx, i, i+1) }
func (l vaultTable) Slice(into []Record, at int) error { return l.read(into, at) }
func (l vaultTable) Read(into []Record) error          { return l.read(into, 0) }

func (l vaultTable) read(into []Record, at int) error {
	n, err := l.t.Read(ctx, into, at)
	return whole(n, len(into), err)
}

func (l vaultTable) AppendEach(values []Record, held func()) error {
	if err := l.t.EnableCache(ctx, nil); err != nil {
		return err
	}
	for _, v := range values {
		if err := l.t.Append(ctx, v); err != nil {
			return err
		}
	}
	held()
	return l.t.DisableCache(ctx)
}

func (l vaultTable) Runs(fn func([]Record)) error {
	var one [1]Record
	for row, err := range l.t.Values(ctx) {
		if err != nil {
			return err
		}
		one[0] = row
		fn(one[:])
	}
	return nil
}

func (l vaultTable) View(fn func(Reader[Record]) error) error {
	return l.v.View(ctx, func(_ context.Context, tx *columnvault.Tx) error {
		return fn(vaultTable{l.v, l.t.In(tx)})
	})
}

func (l vaultTable) SetMany(at []int, values []Record) error {
	return l.t.SetEach(ctx, at, values)
}

func (l vaultTable) Ask(text string) (int, error) {
	db, err := query.Open(ctx, l.v, nil)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	return countRows(db, text)
}

// countRows runs a query and reads all that comes.
func countRows(db *sql.DB, text string) (n int, err error) {
	found, err := db.QueryContext(ctx, text)
	if err != nil {
		return 0, err
	}
	defer found.Close()
	for found.Next() {
		n++
	}
	return n, found.Err()
}
