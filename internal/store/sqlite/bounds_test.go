package sqlite

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"columnvault/internal/store"
)

// TestWhatAConnectionRemembersIsBounded uses more tables, columns and chunks
// than a connection remembers.
func TestWhatAConnectionRemembersIsBounded(t *testing.T) {
	ctx := t.Context()
	s, err := Open(ctx, filepath.Join(t.TempDir(), "a.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	key := []byte("key")
	err = s.Update(ctx, func(tx store.Tx) error {
		col, err := tx.CreateColumn(ctx, store.Row{Name: "a", DType: "i64", ElemSize: 8, MinChunk: 64, MaxChunk: 1024})
		if err != nil {
			return err
		}
		// A length that is not yet written must not be forgotten with the row.
		if err := tx.SetLength(ctx, col.ID, 5); err != nil {
			return err
		}
		for i := range 2 * maxCatalog {
			if _, err := tx.Lookup(ctx, fmt.Sprint("absent ", i)); err != nil {
				return err
			}
		}
		rows, err := tx.Lookup(ctx, "a")
		if len(rows) != 1 || rows[0].Length != 5 || err != nil {
			t.Errorf("the column: %+v, %v, want a length of 5", rows, err)
		}
		for i := range maxStmts {
			table := fmt.Sprint("table ", i)
			if _, err := tx.Get(ctx, table, key); !errors.Is(err, store.ErrNotFound) {
				return err
			}
			if i%4 > 0 {
				continue
			}
			if err := tx.Put(ctx, table, key, fmt.Append(nil, i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	snap, err := s.Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	for i := 0; i < maxStmts; i += 4 {
		table := fmt.Sprint("table ", i)
		if got, err := snap.Get(ctx, table, key); string(got) != fmt.Sprint(i) || err != nil {
			t.Fatalf("the value in %q: %q, %v", table, got, err)
		}
		if n, err := snap.Count(ctx, table); n != 1 || err != nil {
			t.Fatalf("the keys in %q: %d, %v", table, n, err)
		}
		for p, err := range snap.Scan(ctx, table, store.KeyRange{}) {
			if string(p.Key) != "key" || err != nil {
				t.Fatalf("the pairs in %q: %q, %v", table, p.Key, err)
			}
		}
		if n, err := snap.Size(ctx, table, key); n == 0 || err != nil {
			t.Fatalf("the size in %q: %d, %v", table, n, err)
		}
	}
	for i := range int64(3 * maxRows) {
		s.writer.blobs.keepRow(place{id: 1, number: i}, bytesRow{i, wholeRow})
		s.writer.keepLast(store.ColumnID(i), store.Chunk{})
	}
	for _, c := range []*conn{s.writer, snap.(*snapshot).c} {
		for what, n := range map[string][2]int{
			"statements":   {len(c.stmts), maxStmts},
			"texts":        {len(c.kvTexts), maxStmts},
			"names":        {len(c.catalog.names), maxCatalog + 3},
			"columns":      {len(c.catalog.ids), maxCatalog + 3},
			"rows":         {len(c.blobs.rowids), maxRows},
			"last chunks":  {len(c.lasts), maxLasts},
			"some at all?": {0, len(c.stmts) - 1},
		} {
			if n[0] > n[1] {
				t.Errorf("%s: %d are remembered, and the bound is %d", what, n[0], n[1])
			}
		}
	}
}
