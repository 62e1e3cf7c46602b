package sqlite

import (
	"errors"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/ncruces/go-sqlite3"

	"columnvault/internal/report"
	"columnvault/internal/store"
)

var _ store.Meter = (*Store)(nil)

// counters are what a store counts. Whoever has the turn adds to most of them;
// what a reader adds to, once a snapshot, Store.mu guards already.
type counters struct {
	commits, rollbacks, unknown atomic.Int64
	logPages, logBytes          atomic.Int64
	checkpoints, moved          atomic.Int64
	behindUsers, behindOthers   atomic.Int64
	failed                      atomic.Int64
	waitTurn, waitLock          atomic.Int64
	snapshots, ended            int64 // under Store.mu
}

// Stats implements store.Meter.
func (s *Store) Stats() store.Stats {
	n := &s.counters
	st := store.Stats{
		Commits:                 n.commits.Load(),
		Rollbacks:               n.rollbacks.Load(),
		Unknown:                 n.unknown.Load(),
		LogPages:                n.logPages.Load(),
		LogBytes:                n.logBytes.Load(),
		Checkpoints:             n.checkpoints.Load(),
		CheckpointPages:         n.moved.Load(),
		CheckpointsBehindUsers:  n.behindUsers.Load(),
		CheckpointsBehindOthers: n.behindOthers.Load(),
		CheckpointsFailed:       n.failed.Load(),
		WaitTurn:                time.Duration(n.waitTurn.Load()),
		WaitLock:                time.Duration(n.waitLock.Load()),
	}
	if info, err := os.Stat(s.path + "-wal"); err == nil {
		st.LogSize = info.Size()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st.Snapshots, st.SnapshotsEnded, st.SnapshotsOpen = n.snapshots, n.ended, int64(len(s.open))
	st.OldestSnapshot = s.oldest()
	return st
}

// oldest is the age of the oldest snapshot that is open. The caller has s.mu.
func (s *Store) oldest() (age time.Duration) {
	for snap := range s.open {
		age = max(age, time.Since(snap.born))
	}
	return age
}

// countPages adds what the writer has written to the log since the last time.
func (s *Store) countPages(c *conn) {
	pages, err := c.pagesWritten()
	if err == nil && pages > 0 {
		s.counters.logPages.Add(pages)
		s.counters.logBytes.Add(pages * (c.pageSize + frameHeader))
	}
}

// frameHeader is what the log has in front of each page, in bytes.
const frameHeader = 24

// pagesWritten returns how many pages the connection has written since it was
// asked the last time.
func (c *conn) pagesWritten() (n int64, err error) {
	if c.broken != nil {
		return 0, c.broken
	}
	defer c.guard(&err, catchFaults())
	pages, _, err := c.db.Status(sqlite3.DBSTATUS_CACHE_WRITE, true)
	return int64(pages), err
}

// countEnd counts how a transaction ended, and what it wrote.
func (s *Store) countEnd(t *tx, err error) {
	n := &s.counters
	switch {
	case t.committed:
		n.commits.Add(1)
	case errors.Is(err, store.ErrUnknownCommit):
		n.unknown.Add(1)
		s.opts.Log.Tell(slog.LevelError, report.CommitUnknown, slog.Any("error", err))
	default:
		n.rollbacks.Add(1)
	}
	s.countPages(t.c)
}

// countCheckpoint counts the outcome of an attempt to shorten the log.
func (s *Store) countCheckpoint(done store.Checkpoint, err error) {
	n := &s.counters
	n.checkpoints.Add(1)
	switch {
	case err != nil && !errors.Is(err, store.ErrBusy):
		n.failed.Add(1)
		err = s.explain(err)
		s.opts.Log.TellOnce(slog.LevelError, report.CheckpointFailed, err.Error(), slog.Any("error", err))
	case done.Log < 0:
		n.behindOthers.Add(1)
	case err != nil || done.Moved < done.Log:
		n.behindUsers.Add(1)
	}
}
