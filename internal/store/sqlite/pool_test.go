package sqlite

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"columnvault/internal/store"
)

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

// TestStaleIndex: a file with the ending -shm beside a database that has no
// write-ahead log means nothing. A reader that trusted it would rest in its
// snapshot, and keep other programs from writing.
func TestStaleIndex(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.db")
	s := openStoreAt(t, path, Options{})
	check(t, appendRow(t.Context(), s, "a"))
	shm, err := os.ReadFile(path + "-shm")
	check(t, err)
	check(t, s.Close())
	db, err := sqlite3.Open(path)
	check(t, err)
	defer db.Close()
	check(t, db.Exec(`PRAGMA journal_mode = DELETE`))
	check(t, os.WriteFile(path+"-shm", shm, 0o600))
	s = openStoreAt(t, path, Options{ReadOnly: true})
	for range 2 {
		check(t, readRow(t.Context(), s))
		check(t, db.Exec(`UPDATE col_meta SET length = length + 1`))
	}
}
