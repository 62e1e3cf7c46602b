package salvage_test

import (
	"bytes"
	"columnvault/internal/store/storetest"
	"context"
	"database/sql"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/catalog"
	"columnvault/internal/column"
	"columnvault/internal/store"
	"columnvault/internal/store/sqlite"
	"columnvault/internal/vaulttest"
)

// contents are all elements and pairs of a vault as they are stored.
type contents struct {
	columns map[string][][]byte
	dtypes  map[string]string
	tables  map[string]map[string][]byte
}

// tables are the names of the tables of pairs in the vaults of these tests.
var tables = []string{"kv", "more", "empty"}

// contentsOf reads a vault whole, through the engine.
func contentsOf(t testing.TB, path string, tables ...string) contents {
	t.Helper()
	ctx := context.Background()
	s, err := sqlite.Open(ctx, path, sqlite.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c := contents{map[string][][]byte{}, map[string]string{}, map[string]map[string][]byte{}}
	err = storetest.Read(ctx, s, func(r store.Reader) error {
		entries, err := catalog.List(ctx, r)
		if err != nil {
			return err
		}
		for _, e := range entries {
			c.columns[e.Name] = [][]byte{}
			c.dtypes[e.Name] = e.DType + " " + string(e.Attrs())
			col, err := e.Open(s.Caps())
			if err != nil {
				return err
			}
			var all column.Elements
			for i := int64(0); i < col.Len(); {
				if i, err = col.Read(ctx, r, &all, i, col.Len(), column.NoLimit); err != nil {
					return fmt.Errorf("%s: %w", e.Name, err)
				}
			}
			for k := range all.Count(col.Size()) {
				c.columns[e.Name] = append(c.columns[e.Name], all.At(col.Size(), k))
			}
		}
		for _, table := range tables {
			pairs := map[string][]byte{}
			for p, err := range r.Scan(ctx, table, store.KeyRange{}) {
				if err != nil {
					return err
				}
				pairs[string(p.Key)] = p.Value
			}
			c.tables[table] = pairs
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// build makes a vault with columns of all kinds and tables of pairs.
func build(t testing.TB, pageSize int) string {
	t.Helper()
	return buildWith(t, pageSize, columnvault.ColumnOptions{MinChunk: 64})
}

// buildWith is build with columns that are stored so.
func buildWith(t testing.TB, pageSize int, o columnvault.ColumnOptions) string {
	t.Helper()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "whole.db")
	v, err := columnvault.Open(t.Context(), path, &columnvault.Options{PageSize: pageSize})
	must(t, err)
	defer func() { must(t, v.Close()) }()
	r := rand.New(rand.NewPCG(7, uint64(pageSize)))
	chunks := func(n int) *columnvault.ColumnOptions {
		o := o
		o.MaxChunk = n
		return &o
	}
	must(t, v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		add(t, tx, "i64", dtype.Int64, chunks(5000), vaulttest.Span(1_000_000, 1_005_000))
		add(t, tx, "large", dtype.Float64, chunks(100_000), vaulttest.Sequence(20_000, func(i int) float64 { return math.Sqrt(float64(i + 2)) }))
		add(t, tx, "bool", dtype.Bool, chunks(0), vaulttest.Sequence(100, func(i int) bool { return i%3 == 0 }))
		add(t, tx, "fixed text", dtype.FixedText(20, dtype.UTF8), chunks(2000), vaulttest.Sequence(500, func(i int) string { return fmt.Sprint("text ", i) }))
		add(t, tx, "vec", dtype.Vector[float32](16), chunks(4000), vaulttest.Sequence(400, func(i int) []float32 {
			return vaulttest.Sequence(16, func(k int) float32 { return float32(i*16 + k) })
		}))
		add(t, tx, "empty", dtype.Int32, chunks(0), nil)
		add(t, tx, "times", dtype.Nullable(dtype.Timestamp(dtype.Microsecond, "Europe/Berlin")), chunks(4000),
			vaulttest.Sequence(1500, func(i int) sql.Null[time.Time] {
				return sql.Null[time.Time]{V: time.UnixMicro(int64(i)), Valid: i%5 > 0}
			}))
		add(t, tx, "text", dtype.Text(dtype.UTF8), chunks(6000), vaulttest.Sequence(3000, func(i int) string { return strings.Repeat(fmt.Sprint(i, " "), 1+i%9) }))
		add(t, tx, "bytes", dtype.Bytes, chunks(60_000), vaulttest.Sequence(300, func(i int) []byte { return vaulttest.Bytes(i, r.IntN(3000)) }))
		add(t, tx, "any", dtype.MsgPack[any](), chunks(3000), vaulttest.Sequence(500, func(i int) any { return map[string]any{"i": int64(i), "s": strings.Repeat("x", i%40)} }))
		add(t, tx, "tensors", dtype.Tensors[int16](), chunks(3000), vaulttest.Sequence(200, func(i int) dtype.Tensor[int16] {
			return dtype.Tensor[int16]{Shape: []int{i % 7}, Data: make([]int16, i%7)}
		}))
		for i := range 600 {
			value := vaulttest.Bytes(i, 1+r.IntN(200))
			if i%50 == 0 {
				value = vaulttest.Bytes(i, 20_000)
			}
			must(t, v.KV().In(tx).Put(ctx, fmt.Appendf(nil, "key %d", i*7919%600), value))
		}
		must(t, v.KVTable("more").In(tx).Put(ctx, []byte{}, []byte("of the empty key")))
		must(t, v.KVTable("more").In(tx).Put(ctx, bytes.Repeat([]byte("long key "), 1000), []byte{}))
		for i := range 100 {
			must(t, v.KVTable("more").In(tx).Put(ctx, vaulttest.Key(i), []byte{0x89, 0x4b, byte(i)}))
		}
		return v.KV().In(tx).PutValue(ctx, []byte("value"), map[string]any{"a": int64(1)})
	}))
	// Pages that were used before.
	_, err = v.KV().Delete(ctx, []byte("key 250"))
	must(t, err)
	return path
}

func add[T any](t testing.TB, in columnvault.Scope, name string, typ dtype.Type[T], o *columnvault.ColumnOptions, values []T) {
	t.Helper()
	c, err := columnvault.Create(context.Background(), in, name, typ, o)
	must(t, err)
	must(t, c.Append(context.Background(), values...))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
