package sqlite

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"columnvault/internal/report"
	"columnvault/internal/store"
)

// snapshot is a reading transaction. It implements store.Snapshot.
type snapshot struct {
	reader
	s    *Store
	born time.Time
}

var _ store.Snapshot = (*snapshot)(nil)

// Snapshot implements store.Store.
func (s *Store) Snapshot(ctx context.Context) (store.Snapshot, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var c *conn
	now := time.Now()
	err := s.patiently(ctx, now, func() (err error) {
		c, err = s.acquire(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	snap := &snapshot{reader: newReader(c, false), s: s, born: now}
	if !s.register(snap) {
		snap.end(store.ErrClosed)
		return nil, store.ErrClosed
	}
	return snap, nil
}

var _ store.Sibling = (*snapshot)(nil)

// Sibling implements store.Sibling. Two connections are in the same snapshot if
// the index of the log was the same when they began.
func (snap *snapshot) Sibling(ctx context.Context) (store.Snapshot, error) {
	if err := snap.enter(ctx); err != nil {
		return nil, err
	}
	stamp, known := snap.c.stamp, snap.c.stamped
	snap.leave()
	if !known && snap.s.mode != modeImmutable {
		return nil, nil
	}
	other, err := snap.s.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	if c := other.(*snapshot).c; c.stamp != stamp || c.stamped != known {
		return nil, other.Close()
	}
	return other, nil
}

// Read implements store.Store.
func (s *Store) Read(ctx context.Context) (store.Snapshot, error) { return s.Snapshot(ctx) }

// register makes the snapshot known to Close and to the janitor, unless Close
// has begun.
func (s *Store) register(snap *snapshot) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.Err() != nil {
		return false
	}
	s.open[snap] = struct{}{}
	s.counters.snapshots++
	s.wakeJanitor()
	return true
}

// Close implements store.Snapshot.
func (snap *snapshot) Close() error {
	snap.s.mu.Lock()
	delete(snap.s.open, snap)
	snap.s.mu.Unlock()
	snap.end(store.ErrClosed)
	return nil
}

// end gives the connection back; whoever uses the snapshot later gets why.
func (snap *snapshot) end(why error) {
	snap.mu.Lock()
	defer snap.mu.Unlock()
	if snap.ended == nil {
		snap.ended = why
		snap.s.release(snap.c)
	}
}

// outdated tells whether somebody has written since the snapshot began. If that
// is not known, it is whether somebody has since the first time that this was
// asked. A database with a journal instead of a log cannot be written to as long
// as the snapshot is open, so others may be waiting.
func (snap *snapshot) outdated() bool {
	c := snap.c
	switch {
	case c.stamped:
		return !c.current()
	case c.path == "":
		return false // nobody writes
	case !c.wal:
		return true
	}
	version, err := snap.s.version()
	if err != nil {
		return false
	}
	if c.aged == 0 {
		c.aged = version
	}
	return version != c.aged
}

// Version implements store.File.
func (s *Store) Version(ctx context.Context) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	lost := s.lost
	s.mu.Unlock()
	if lost == nil && s.mode == modeImmutable {
		lost = s.checkImmutable()
	}
	if lost != nil {
		return 0, lost
	}
	return s.version()
}

// version returns a number above 0 that changes whenever somebody writes. It
// asks a connection that has no other use, because SQLite counts what happens
// while a connection looks away.
func (s *Store) version() (int64, error) {
	s.watch.Lock()
	defer s.watch.Unlock()
	if s.closing.Err() != nil {
		return 0, store.ErrClosed
	}
	if s.watch.c == nil {
		c, err := s.openReader(s.closing)
		if err != nil {
			return 0, err
		}
		s.watch.c = c
	}
	c := s.watch.c
	err := c.refresh()
	if err != nil {
		s.watch.c = nil
		s.discard(c)
	}
	return c.version, err
}

// endIfOld ends a snapshot that has been open for too long, if it keeps what
// others have written since in the write-ahead log.
func (snap *snapshot) endIfOld(age time.Duration) {
	if age < 0 || time.Since(snap.born) < age {
		return
	}
	snap.mu.Lock()
	old := snap.ended == nil && snap.outdated()
	snap.mu.Unlock()
	if !old {
		return
	}
	snap.s.mu.Lock()
	snap.s.counters.ended++
	snap.s.mu.Unlock()
	snap.end(fmt.Errorf("%w: it was open for more than %v while others wrote", store.ErrSnapshotTooOld, age))
	snap.s.opts.Log.Tell(slog.LevelWarn, report.SnapshotEnded, slog.Duration("age", time.Since(snap.born)), slog.Duration("limit", age))
}
