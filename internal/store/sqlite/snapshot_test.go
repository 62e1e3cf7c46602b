package sqlite

import (
	"errors"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"columnvault/internal/store"
)

// TestOldSnapshotWithoutStamp: where it is not known whether a snapshot is the
// newest, an old one is ended when somebody writes, and not before.
func TestOldSnapshotWithoutStamp(t *testing.T) {
	ctx := t.Context()
	s := openStore(t, Options{MaxSnapshotAge: time.Nanosecond})
	check(t, appendRow(ctx, s, "a"))
	opened, err := s.Snapshot(ctx)
	check(t, err)
	defer opened.Close()
	snap := opened.(*snapshot)
	snap.c.stamped = false // as it is where the index of the log cannot be read
	for range 3 {
		snap.endIfOld(s.opts.MaxSnapshotAge)
	}
	if _, err := snap.Columns(ctx); err != nil {
		t.Errorf("nobody has written: %v", err)
	}
	check(t, appendRow(ctx, s, "b"))
	snap.endIfOld(s.opts.MaxSnapshotAge)
	if _, err := snap.Columns(ctx); !errors.Is(err, store.ErrSnapshotTooOld) {
		t.Errorf("somebody has written: %v", err)
	}
}

// TestSibling: a sibling is of the same state, and there is none once somebody
// has written.
func TestSibling(t *testing.T) {
	ctx := t.Context()
	s := openStore(t, Options{})
	check(t, appendRow(ctx, s, "a"))
	snap, err := s.Snapshot(ctx)
	check(t, err)
	defer snap.Close()
	sibling, err := snap.(store.Sibling).Sibling(ctx)
	check(t, err)
	if sibling == nil {
		t.Fatal("there is no sibling")
	}
	check(t, appendRow(ctx, s, "b"))
	for name, r := range map[string]store.Snapshot{"the snapshot": snap, "the sibling": sibling} {
		if rows, err := r.Columns(ctx); len(rows) != 1 || err != nil {
			t.Errorf("%s has %v, %v", name, rows, err)
		}
	}
	check(t, sibling.Close())
	if sibling, err = snap.(store.Sibling).Sibling(ctx); sibling != nil || err != nil {
		t.Errorf("after a write there is a sibling (%v)", err)
	}
}

// TestCloseWaitsForReaders: a snapshot that another goroutine is about to give
// back is closed before Close returns, and not beside it: of two connections that
// are closed at once, neither would take the log with it.
func TestCloseWaitsForReaders(t *testing.T) {
	s := openStore(t, Options{})
	opened, err := s.Snapshot(t.Context())
	check(t, err)
	snap := opened.(*snapshot)
	snap.mu.Lock()
	given := make(chan error, 1)
	go func() { given <- snap.Close() }()
	for known := true; known; {
		s.mu.Lock()
		_, known = s.open[snap]
		s.mu.Unlock()
		runtime.Gosched()
	}
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	<-s.closing.Done()
	select {
	case <-closed:
		t.Error("Close has returned, and a connection is open")
		closed <- nil
	case <-time.After(20 * time.Millisecond):
	}
	snap.mu.Unlock()
	check(t, <-given)
	check(t, <-closed)
	if files, err := filepath.Glob(s.path + "-*"); len(files) > 0 || err != nil {
		t.Errorf("Close leaves %v, %v", files, err)
	}
}
