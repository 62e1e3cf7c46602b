package storetest

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"

	"columnvault/internal/store"
)

// checkKV is check for the methods on pairs.
func (t *memoryTx) checkKV(ctx context.Context, table string) error {
	if err := store.CheckTable(table); err != nil {
		return err
	}
	return t.check(ctx)
}

func (t *memoryTx) Tables(ctx context.Context) (tables []store.Table, err error) {
	for _, name := range slices.Sorted(maps.Keys(t.state.tables)) {
		tables = append(tables, store.Table{Name: name, Kind: store.TablePlain})
	}
	return tables, t.check(ctx)
}

func (t *memoryTx) Table(ctx context.Context, table string) (store.Table, error) {
	found := store.Table{Name: table}
	if t.state.tables[table] != nil {
		found.Kind = store.TablePlain
	}
	return found, t.checkKV(ctx, table)
}

func (t *memoryTx) Get(ctx context.Context, table string, key []byte) ([]byte, error) {
	if err := t.checkKV(ctx, table); err != nil {
		return nil, err
	}
	value, ok := t.state.tables[table][string(key)]
	if !ok {
		return nil, store.ErrNotFound
	}
	return append([]byte{}, value...), nil
}

func (t *memoryTx) Size(ctx context.Context, table string, key []byte) (int64, error) {
	value, err := t.Get(ctx, table, key)
	return int64(len(value)), err
}

func (t *memoryTx) GetAt(ctx context.Context, table string, key, p []byte, offset int64) error {
	value, err := t.Get(ctx, table, key)
	if err != nil {
		return err
	}
	if offset < 0 || offset > int64(len(value))-int64(len(p)) {
		return fmt.Errorf("%w: no bytes %d+%d in a value of %d", store.ErrCorrupt, offset, len(p), len(value))
	}
	copy(p, value[offset:])
	return nil
}

func (t *memoryTx) Count(ctx context.Context, table string) (int64, error) {
	return int64(len(t.state.tables[table])), t.checkKV(ctx, table)
}

func (t *memoryTx) Scan(ctx context.Context, table string, r store.KeyRange) iter.Seq2[store.Pair, error] {
	return func(yield func(store.Pair, error) bool) {
		if err := t.checkKV(ctx, table); err != nil {
			yield(store.Pair{}, err)
			return
		}
		keys := slices.Sorted(maps.Keys(t.state.tables[table]))
		if r.Reverse {
			slices.Reverse(keys)
		}
		for _, k := range keys {
			key := []byte(k)
			if r.From != nil && bytes.Compare(key, r.From) < 0 || r.To != nil && bytes.Compare(key, r.To) >= 0 {
				continue
			}
			p := store.Pair{Key: key}
			if !r.KeysOnly {
				p.Value, _ = t.Get(ctx, table, key)
				if r.MaxValue > 0 && int64(len(p.Value)) > r.MaxValue {
					p.Value = nil
				}
			}
			if err := t.check(ctx); err != nil {
				yield(store.Pair{}, err)
				return
			}
			if !yield(p, nil) {
				return
			}
		}
	}
}

func (t *memoryTx) CreateTable(ctx context.Context, table string, _ int64) error {
	if err := t.checkKV(ctx, table); err != nil {
		return err
	}
	if t.state.tables[table] == nil {
		t.state.tables[table] = map[string][]byte{}
	}
	return nil
}

func (t *memoryTx) Put(ctx context.Context, table string, key, value []byte) error {
	if err := t.checkKV(ctx, table); err != nil {
		return err
	}
	if t.state.tables[table] == nil {
		t.state.tables[table] = map[string][]byte{}
	}
	t.state.tables[table][string(key)] = bytes.Clone(value)
	return nil
}

func (t *memoryTx) PutZero(ctx context.Context, table string, key []byte, size int64) error {
	if size < 0 || size > 64<<20 {
		return store.ErrTooLarge
	}
	return t.Put(ctx, table, key, make([]byte, size))
}

func (t *memoryTx) PutAt(ctx context.Context, table string, key, p []byte, offset int64) error {
	value, err := t.Get(ctx, table, key)
	if err != nil {
		return err
	}
	if offset < 0 || offset > int64(len(value))-int64(len(p)) {
		return fmt.Errorf("%w: no bytes %d+%d in a value of %d", store.ErrCorrupt, offset, len(p), len(value))
	}
	copy(value[offset:], p)
	return t.Put(ctx, table, key, value)
}

func (t *memoryTx) Delete(ctx context.Context, table string, key []byte) (bool, error) {
	_, ok := t.state.tables[table][string(key)]
	delete(t.state.tables[table], string(key))
	return ok, t.checkKV(ctx, table)
}

func (t *memoryTx) Clear(ctx context.Context, table string) error {
	delete(t.state.tables, table)
	return t.checkKV(ctx, table)
}
