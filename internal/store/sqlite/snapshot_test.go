package sqlite

import (
	"errors"
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
