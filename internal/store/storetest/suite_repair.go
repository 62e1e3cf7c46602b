package storetest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"

	"columnvault/internal/store"
)

// testRepair corrects a row of the catalog, whose other fields stay.
func testRepair(t *testing.T, s store.Store) {
	ctx := t.Context()
	for _, col := range []store.Row{create(t, s, "a"), createNative(t, s, "b")} {
		if rows, err := snapshot(t, s).Lookup(ctx, col.Name); len(rows) != 1 || err != nil { // and it is remembered
			t.Errorf("%+v, %v", rows, err)
		}
		want := col
		want.ElemSize, want.Length, want.MinChunk, want.MaxChunk = 3, 7, 30, 3000
		update(t, s, func(tx store.Tx) error {
			changed := want
			changed.DType = "another"
			if err := errors.Join(tx.SetLength(ctx, col.ID, 5), tx.SetColumn(ctx, changed)); err != nil {
				return err
			}
			if rows, err := tx.Lookup(ctx, col.Name); len(rows) != 1 || rows[0] != want {
				t.Errorf("in the transaction: %+v, %v; want %+v", rows, err, want)
			}
			return nil
		})
		if rows, err := snapshot(t, s).LookupID(ctx, col.ID); len(rows) != 1 || rows[0] != want {
			t.Errorf("%+v, %v; want %+v", rows, err, want)
		}
		missing := want
		missing.ID += 1 << 20
		wantFailure(t, s, "SetColumn of a column that does not exist", store.ErrNotFound, func(ctx context.Context, tx store.Tx) error {
			return tx.SetColumn(ctx, missing)
		})
	}
}

// testLeftOut leaves out large values of pairs.
func testLeftOut(t *testing.T, s store.Store) {
	ctx := t.Context()
	large := bytes.Repeat([]byte("x"), 1000)
	update(t, s, func(tx store.Tx) error {
		return errors.Join(
			tx.Put(ctx, "kv", []byte("a"), nil),
			tx.Put(ctx, "kv", []byte("b"), large),
			tx.Put(ctx, "kv", []byte("c"), large[:999]),
			tx.Put(ctx, table, []byte("a"), nil))
	})
	snap := snapshot(t, s)
	var sizes []int
	for p, err := range snap.Scan(ctx, "kv", store.KeyRange{MaxValue: 999}) {
		if err != nil {
			t.Fatal(err)
		}
		size := len(p.Value)
		if p.Value == nil {
			size = -1
		}
		sizes = append(sizes, size)
	}
	if !slices.Equal(sizes, []int{0, -1, 999}) {
		t.Errorf("values of at most 999 bytes have %v", sizes)
	}
}
