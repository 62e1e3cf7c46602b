package sqlite

import (
	"context"
	"path/filepath"
	"testing"

	"columnvault/internal/store"
)

// openStore opens a store in a new file. Its janitor comes only when it is
// called.
func openStore(t *testing.T, opts Options) *Store {
	t.Helper()
	return openStoreAt(t, filepath.Join(t.TempDir(), "vault.db"), opts)
}

func openStoreAt(t *testing.T, path string, opts Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), path, opts)
	check(t, err)
	s.mu.Lock()
	s.janitor = true
	s.mu.Unlock()
	t.Cleanup(func() { s.Close() })
	return s
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func appendRow(ctx context.Context, s *Store, name string) error {
	return s.Update(ctx, func(tx store.Tx) error {
		_, err := tx.CreateColumn(ctx, store.Row{Name: name, DType: "i64", ElemSize: 8, MinChunk: 64, MaxChunk: 64})
		return err
	})
}

func readRow(ctx context.Context, s *Store) error {
	snap, err := s.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer snap.Close()
	_, err = snap.Columns(ctx)
	return err
}
