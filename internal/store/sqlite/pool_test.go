package sqlite

import (
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
	s.janitor = true
	t.Cleanup(func() { s.Close() })
	return s
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestBusyReadersKeepTheirConnections(t *testing.T) {
	defer func(n int) { busyReaders = n }(busyReaders)
	busyReaders = idleReaders + 2
	s := openStore(t, Options{})
	read := func() {
		var open []store.Snapshot
		for range busyReaders + 1 {
			snap, err := s.Snapshot(t.Context())
			check(t, err)
			open = append(open, snap)
		}
		for _, snap := range open {
			check(t, snap.Close())
		}
	}
	idle := func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.idle)
	}
	read()
	if n := idle(); n != busyReaders {
		t.Errorf("after a burst of readers %d connections are kept, not %d", n, busyReaders)
	}
	s.clean()
	s.clean()
	if n := idle(); n != idleReaders {
		t.Errorf("when nobody has read since, %d connections are kept, not %d", n, idleReaders)
	}
}
