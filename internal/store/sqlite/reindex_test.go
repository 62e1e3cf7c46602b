package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"columnvault/internal/store"
)

// brokenIndex opens a file in which SQLite cannot follow the index over the names
// of columns.
func brokenIndex(t *testing.T) *Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "vault.db")
	s := openStoreAt(t, path, Options{})
	check(t, appendRow(t.Context(), s, "a"))
	root := int64(0)
	check(t, s.inSnapshot(t.Context(), func(r *reader) (err error) {
		root, err = r.c.integer(`SELECT rootpage FROM sqlite_schema WHERE name = 'col_meta_name_idx'`)
		return err
	}))
	check(t, s.Close())
	data, err := os.ReadFile(path)
	check(t, err)
	data[(root-1)*defaultPageSize] = 99
	check(t, os.WriteFile(path, data, 0o600))
	return openStoreAt(t, path, Options{})
}

func findings(t *testing.T, s *Store) (found []store.Finding) {
	t.Helper()
	check(t, s.inSnapshot(t.Context(), func(r *reader) (err error) {
		found, err = r.verify(t.Context(), true)
		return err
	}))
	return found
}

// TestExchangeIndex: an index whose pages are lost is made anew, and nothing of
// it is left in the file; where there is no room for that nothing is changed.
func TestExchangeIndex(t *testing.T) {
	s := brokenIndex(t)
	again := func(ctx context.Context) error {
		return s.Update(ctx, func(tx store.Tx) error { return tx.Reindex(ctx, "col_meta_name_idx") })
	}
	s.space = func(string) (uint64, bool, bool) { return 1 << 10, true, true }
	if err := again(t.Context()); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("without space: %v", err)
	}
	s.space = freeSpace
	ctx, cancel := context.WithCancel(t.Context())
	err := s.Update(ctx, func(tx store.Tx) error {
		cancel()
		return tx.Reindex(ctx, "col_meta_name_idx")
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("with a ctx that is done: %v", err)
	}
	if len(findings(t, s)) == 0 {
		t.Error("nothing is wrong before the repair")
	}
	check(t, again(t.Context()))
	for _, f := range findings(t, s) {
		t.Errorf("after the repair: %+v", f)
	}
	check(t, appendRow(t.Context(), s, "b"))
	// The connection is as careful as before.
	check(t, s.Update(t.Context(), func(w store.Tx) error {
		if err := w.(*tx).c.exec(`DELETE FROM sqlite_schema`); err == nil {
			t.Error("the schema can be written to as a table")
		}
		return nil
	}))
}
