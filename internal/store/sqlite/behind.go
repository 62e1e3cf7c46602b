package sqlite

import (
	"context"
	"time"

	"columnvault/internal/store"
)

// A checkpoint flushes the disk twice, which takes as long as hundreds of
// commits. So the log is moved behind the commits that make it long: on a
// connection of its own, by a goroutine that ends when that is done. What comes
// in between stays in the log for the next time, or until the log is drained;
// see keepLogShort.

// moveBehind begins to move the log, unless that is under way.
func (s *Store) moveBehind() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.behind != nil || s.closing.Err() != nil {
		return
	}
	done := make(chan struct{})
	s.behind = done
	s.busy.Go(func() {
		defer func() {
			s.mu.Lock()
			s.behind = nil
			s.mu.Unlock()
			close(done)
		}()
		if done, err := s.moveOnce(); s.closing.Err() == nil {
			s.countCheckpoint(done, err)
		}
	})
}

// moveOnce moves as much of the log as goes without waiting, on a connection
// that nobody else uses meanwhile. It is one of those for readers, and becomes
// that again.
func (s *Store) moveOnce() (done store.Checkpoint, err error) {
	s.endIdle() // our own resting readers must not be in the way
	c, err := s.takeIdle()
	if err == nil && c == nil {
		c, err = s.openReader(s.closing)
	}
	if err != nil {
		return done, err
	}
	if err = c.endSnapshot(); err == nil {
		err = c.refresh() // makes SQLite open the files
	}
	if err == nil {
		err = c.hold()
	}
	if err == nil {
		err = s.look(c, 0)
	}
	if err != nil {
		s.discard(c)
		return done, err
	}
	done, err = s.checkpoint(c, store.CheckpointPassive)
	if c.broken != nil || !s.keep(c, busyReaders) {
		s.discard(c)
	}
	return done, err
}

// awaitBehind waits until nobody moves the log behind commits, but not longer
// than so long, and returns how long it took.
func (s *Store) awaitBehind(ctx context.Context, longest time.Duration) time.Duration {
	s.mu.Lock()
	done := s.behind
	s.mu.Unlock()
	if done == nil {
		return 0
	}
	start := time.Now()
	timeout := time.NewTimer(longest)
	defer timeout.Stop()
	select {
	case <-done:
	case <-ctx.Done():
	case <-s.closing.Done():
	case <-timeout.C:
	}
	return time.Since(start)
}
