//go:build linux || darwin

package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"columnvault/internal/store"
)

// snatch are the ways in which other programs take the files of a vault away.
var snatch = map[string]func(t *testing.T, path string){
	"database deleted":    func(t *testing.T, path string) { check(t, os.Remove(path)) },
	"database moved away": func(t *testing.T, path string) { check(t, os.Rename(path, path+".old")) },
	"all moved away": func(t *testing.T, path string) {
		for _, suffix := range []string{"", "-wal", "-shm"} {
			check(t, os.Rename(path+suffix, path+".old"+suffix))
		}
	},
	"all deleted": func(t *testing.T, path string) {
		for _, suffix := range []string{"", "-wal", "-shm"} {
			check(t, os.Remove(path+suffix))
		}
	},
	"replaced by a backup": func(t *testing.T, path string) {
		backup := filepath.Join(t.TempDir(), "backup.db")
		s, err := Open(t.Context(), backup, Options{})
		check(t, err)
		check(t, appendRow(t.Context(), s, "backup"))
		check(t, s.Close())
		check(t, os.Rename(backup, path))
	},
	"log deleted":    func(t *testing.T, path string) { check(t, os.Remove(path+"-wal")) },
	"log moved away": func(t *testing.T, path string) { check(t, os.Rename(path+"-wal", path+".old")) },
	"index deleted":  func(t *testing.T, path string) { check(t, os.Remove(path+"-shm")) },
	"index cut":      func(t *testing.T, path string) { check(t, os.Truncate(path+"-shm", 0)) },
}

func wantReplaced(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, store.ErrReplaced) {
		t.Errorf("%s: %v", what, err)
	}
}

// snatched opens a store in which a reader rests, and takes its files away.
func snatched(t *testing.T, take func(t *testing.T, path string)) *Store {
	s := openStore(t, Options{})
	check(t, appendRow(t.Context(), s, "a"))
	check(t, readRow(t.Context(), s))
	take(t, s.path)
	return s
}

func TestWriteToFilesTakenAway(t *testing.T) {
	for name, take := range snatch {
		t.Run(name, func(t *testing.T) {
			s := snatched(t, take)
			wantReplaced(t, "a write", appendRow(t.Context(), s, "b"))
			wantReplaced(t, "the next write", appendRow(t.Context(), s, "c"))
			wantReplaced(t, "a read after that", readRow(t.Context(), s))
			wantReplaced(t, "Close", s.Close())
			if err := s.Close(); !errors.Is(err, store.ErrClosed) {
				t.Errorf("the second Close: %v", err)
			}
		})
	}
}

// TestFilesTakenAwayInAWrite: what is committed to files that have lost their
// names is not reported as done.
func TestFilesTakenAwayInAWrite(t *testing.T) {
	for name, take := range snatch {
		t.Run(name, func(t *testing.T) {
			s := snatched(t, func(*testing.T, string) {})
			err := s.Update(t.Context(), func(tx store.Tx) error {
				tx.OnCommit(func() { t.Error("the caller was told that the commit is done") })
				take(t, s.path)
				_, err := tx.CreateColumn(t.Context(), store.Row{Name: "b", DType: "i64", ElemSize: 8, MinChunk: 64, MaxChunk: 64})
				return err
			})
			wantReplaced(t, "the write", err)
		})
	}
}

// TestReadOfFilesTakenAway: a resting snapshot is used until the janitor has
// come, and no longer.
func TestReadOfFilesTakenAway(t *testing.T) {
	for name, take := range snatch {
		t.Run(name, func(t *testing.T) {
			s := snatched(t, take)
			if err := readRow(t.Context(), s); err != nil && !errors.Is(err, store.ErrReplaced) {
				t.Errorf("a read at once: %v", err)
			}
			s.clean()
			wantReplaced(t, "a read after the janitor", readRow(t.Context(), s))
			wantReplaced(t, "Close", s.Close())
		})
	}
}

// TestFreshSnapshotOfAnotherFile: a connection opened after the file was
// replaced does not read the other one.
func TestFreshSnapshotOfAnotherFile(t *testing.T) {
	s := openStore(t, Options{})
	check(t, appendRow(t.Context(), s, "a"))
	snatch["replaced by a backup"](t, s.path)
	wantReplaced(t, "the first read", readRow(t.Context(), s))
}

// TestLostStoreLeavesTheSuccessorAlone: the files that have taken the place of
// ours stay as they are, the log too.
func TestLostStoreLeavesTheSuccessorAlone(t *testing.T) {
	s := snatched(t, snatch["all deleted"])
	next, err := Open(t.Context(), s.path, Options{})
	check(t, err)
	check(t, appendRow(t.Context(), next, "successor"))
	wantReplaced(t, "a write to the old file", appendRow(t.Context(), s, "b"))
	wantReplaced(t, "Close of the old file", s.Close())
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if _, err := os.Stat(s.path + suffix); err != nil {
			t.Errorf("a file of the successor: %v", err)
		}
	}
	check(t, appendRow(t.Context(), next, "another"))
	check(t, next.Close())
	again, err := Open(t.Context(), s.path, Options{})
	check(t, err)
	defer again.Close()
	snap, err := again.Snapshot(t.Context())
	check(t, err)
	defer snap.Close()
	if rows, err := snap.Columns(t.Context()); err != nil || len(rows) != 2 {
		t.Errorf("the successor holds %v, %v", rows, err)
	}
}

// TestCutIndexInATransaction: a memory fault inside SQLite is an error, and the
// process goes on.
func TestCutIndexInATransaction(t *testing.T) {
	s := openStore(t, Options{})
	check(t, appendRow(t.Context(), s, "a"))
	snap, err := s.Snapshot(t.Context())
	check(t, err)
	check(t, os.Truncate(s.path+"-shm", 0))
	if _, err := snap.Columns(t.Context()); err != nil && !errors.Is(err, store.ErrReplaced) {
		t.Errorf("a read in an open snapshot: %v", err)
	}
	check(t, snap.Close())
	wantReplaced(t, "a write", appendRow(t.Context(), s, "b"))
}
