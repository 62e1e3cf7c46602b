package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/ncruces/go-sqlite3"

	"columnvault/internal/store"
)

// snapshot is a reading transaction. It implements store.Snapshot.
type snapshot struct {
	reader
	s *Store
}

var _ store.Snapshot = (*snapshot)(nil)

// Snapshot implements store.Store.
func (s *Store) Snapshot(ctx context.Context) (store.Snapshot, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var c *conn
	err := s.patiently(ctx, func() (err error) {
		c, err = s.acquire(ctx)
		if err == nil {
			err = begin(c)
		}
		if err != nil {
			s.release(c, err)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	snap := &snapshot{reader: newReader(c, false), s: s}
	if !s.register(snap) {
		snap.end(store.ErrClosed)
		return nil, store.ErrClosed
	}
	return snap, nil
}

// register makes the snapshot known to Close, unless that has begun.
func (s *Store) register(snap *snapshot) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.Err() != nil {
		return false
	}
	s.open[snap] = struct{}{}
	return true
}

// begin starts a reading transaction and makes SQLite choose its snapshot now
// and not at the first read.
func begin(c *conn) error {
	if err := c.run(`BEGIN`); err != nil {
		return err
	}
	return c.refresh()
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
	if snap.ended != nil {
		return
	}
	snap.ended = why
	snap.s.release(snap.c, snap.blobs.close())
}

// acquire takes an idle connection or opens one: readers never wait.
func (s *Store) acquire(ctx context.Context) (*conn, error) {
	if s.mode == modeImmutable {
		if err := s.checkImmutable(); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	if n := len(s.idle); n > 0 {
		c := s.idle[n-1]
		s.idle = s.idle[:n-1]
		s.mu.Unlock()
		return c, nil
	}
	s.mu.Unlock()
	if s.closing.Err() != nil {
		return nil, store.ErrClosed
	}
	return s.openReader(ctx)
}

// checkImmutable makes up for what SQLite does not do for a file that is said
// not to change: it looks whether the file has changed all the same.
func (s *Store) checkImmutable() error {
	info, err := os.Stat(s.path)
	if err != nil {
		return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	}
	if hasWAL(s.path) {
		return fmt.Errorf("%w: another program has begun to write to the file", store.ErrNeedsRecovery)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen != nil && (s.seen.Size() != info.Size() || !s.seen.ModTime().Equal(info.ModTime())) {
		for _, c := range s.idle {
			c.close() // it would go on with the pages it has cached
		}
		s.idle = nil
	}
	s.seen = info
	return nil
}

// release ends what the connection is in and keeps it for the next reader. A
// connection that failed is not used again.
func (s *Store) release(c *conn, failed error) {
	if c == nil {
		return
	}
	if failed == nil && c.broken == nil && !c.db.GetAutocommit() {
		failed = c.run(`COMMIT`)
	}
	if failed == nil && c.broken == nil && s.keep(c) {
		return
	}
	c.close()
}

// keep puts the connection among the idle ones if there is room.
func (s *Store) keep(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.Err() != nil || len(s.idle) >= idleReaders {
		return false
	}
	s.idle = append(s.idle, c)
	return true
}

// Close implements store.Store. It waits for the running transaction, ends
// snapshots, and moves what the write-ahead log holds into the file, as far as
// that goes without waiting for other processes.
func (s *Store) Close() error {
	s.mu.Lock()
	closed := s.closing.Err() != nil
	s.shut()
	open, idle := s.open, s.idle
	s.open, s.idle = map[*snapshot]struct{}{}, nil
	s.mu.Unlock()
	if closed {
		return store.ErrClosed
	}
	for snap := range open {
		snap.end(store.ErrClosed)
	}
	for _, c := range idle {
		c.close()
	}
	<-s.turn
	if s.writer == nil {
		return nil
	}
	// SQLite does all of this by itself for the last connection to a file.
	err := s.writer.checkpoint(sqlite3.CHECKPOINT_PASSIVE)
	if e := s.writer.checkpoint(sqlite3.CHECKPOINT_TRUNCATE); err == nil {
		err = e
	}
	s.writer.close()
	return err
}

// checkpoint moves the write-ahead log into the file. That others are in the
// way is not an error.
func (c *conn) checkpoint(mode sqlite3.CheckpointMode) (err error) {
	defer c.guard(&err)
	if c.broken != nil {
		return nil
	}
	_, _, err = c.db.WALCheckpoint("main", mode)
	if err = wrap(err); errors.Is(err, store.ErrBusy) {
		return nil
	}
	return err
}
