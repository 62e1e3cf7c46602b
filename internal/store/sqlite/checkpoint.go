package sqlite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/ncruces/go-sqlite3"

	"columnvault/internal/report"
	"columnvault/internal/store"
)

var _ store.File = (*Store)(nil)

// Checkpoint implements store.File. When ctx ends it returns at once, and SQLite
// moves what it has begun with; until then nobody else can write.
func (s *Store) Checkpoint(ctx context.Context, mode store.CheckpointMode) (store.Checkpoint, error) {
	if s.opts.ReadOnly {
		return store.Checkpoint{}, fmt.Errorf("%w: the vault was opened for reading only", store.ErrReadOnly)
	}
	if _, known := checkpointModes[mode]; !known {
		return store.Checkpoint{}, fmt.Errorf("%w: there is no mode %d of checkpoints", store.ErrInvalidArgument, mode)
	}
	if err := ctx.Err(); err != nil {
		return store.Checkpoint{}, err
	}
	start := time.Now()
	if err := s.takeTurn(ctx); err != nil {
		return store.Checkpoint{}, err
	}
	var done store.Checkpoint
	err := detached(ctx, func() (err error) {
		defer func() { s.turn <- struct{}{} }()
		done, err = s.checkpointNow(ctx, mode, start)
		return err
	}, func(error) {})
	if err != nil && ctx.Err() != nil {
		return store.Checkpoint{}, err // done may be about to change
	}
	return done, s.explain(err)
}

// checkpointNow is Checkpoint for whoever has the turn.
func (s *Store) checkpointNow(ctx context.Context, mode store.CheckpointMode, start time.Time) (done store.Checkpoint, err error) {
	c, err := s.writerConn(ctx)
	if err != nil {
		return done, err
	}
	s.awaitBehind(ctx, s.opts.BusyTimeout)
	err = s.patiently(ctx, start, func() (err error) {
		s.endIdle() // our own resting readers must not be in the way
		done, err = s.checkpoint(c, mode)
		if mode == store.CheckpointPassive && errors.Is(err, store.ErrBusy) {
			return nil // it does what it can
		}
		return err
	})
	s.countCheckpoint(done, err)
	if errors.Is(err, store.ErrBusy) {
		done.Busy, err = true, nil
	}
	return done, err
}

var checkpointModes = map[store.CheckpointMode]sqlite3.CheckpointMode{
	store.CheckpointPassive:  sqlite3.CHECKPOINT_PASSIVE,
	store.CheckpointFull:     sqlite3.CHECKPOINT_FULL,
	store.CheckpointRestart:  sqlite3.CHECKPOINT_RESTART,
	store.CheckpointTruncate: sqlite3.CHECKPOINT_TRUNCATE,
}

// checkpoint is conn.checkpoint, and counts what was moved. A log that was cut
// has no pages any more.
func (s *Store) checkpoint(c *conn, mode store.CheckpointMode) (store.Checkpoint, error) {
	s.log.Lock()
	begun, before := s.log.begun, s.log.moved
	s.log.Unlock()
	done, err := c.checkpoint(mode)
	moved := int64(done.Moved)
	if err == nil && done.Log == 0 {
		moved = int64(c.logPages)
	}
	s.log.Lock()
	defer s.log.Unlock()
	if s.log.begun == begun {
		before, s.log.moved = s.log.moved, max(s.log.moved, moved)
	}
	if moved > before {
		s.counters.moved.Add(moved - before)
	}
	return done, err
}

// logBegins is called when the log has begun anew.
func (s *Store) logBegins() {
	s.log.Lock()
	defer s.log.Unlock()
	s.log.begun++
	s.log.moved = 0
}

// checkpoint moves the write-ahead log into the file, as far as that goes
// without waiting.
func (c *conn) checkpoint(mode store.CheckpointMode) (done store.Checkpoint, err error) {
	defer c.guard(&err, catchFaults())
	if c.broken != nil {
		return done, c.broken
	}
	done.Log, done.Moved, err = c.db.WALCheckpoint("main", checkpointModes[mode])
	return done, wrap(err)
}

// keepLogShort moves a long log into the file after a commit. That is done,
// whatever becomes of this: what stands in the way now, a reader or a full
// disk, may be gone the next time.
//
// The commit does not wait for that until the log has got too long. SQLite
// begins the log anew when all of it has been moved and nobody reads from it.
// Beside writers and readers that come and go without a pause there is no such
// moment by itself, so a log that has got too long is drained. Most of it has
// been moved by then. A backup of this process stays in its snapshot until it
// is done, and is not waited for. What drains the log is returned, for whoever
// has the turn, because SQLite does not end it with ctx.
func (s *Store) keepLogShort(ctx context.Context, c *conn) (drain func()) {
	if c.logPages < c.checkpointAt {
		return nil
	}
	if c.logPages < 2*checkpointPages || s.copying.Load() > 0 {
		c.checkpointAt = c.logPages + checkpointPages/4 // in case that something is in the way
		s.moveBehind()
		return nil
	}
	c.checkpointAt = c.logPages + max(checkpointPages, c.logPages/4)
	return func() {
		done, err := s.drain(ctx, c)
		s.countCheckpoint(done, err)
		if errors.Is(err, store.ErrBusy) {
			s.reportLong(c, done)
		}
	}
}

// reportLong tells that others keep the log long, once for every size that is
// twice as large as the last.
func (s *Store) reportLong(c *conn, done store.Checkpoint) {
	size := int64(c.logPages) * (c.pageSize + frameHeader)
	if size < s.longLog {
		return
	}
	for s.longLog <= size {
		s.longLog *= 2
	}
	s.mu.Lock()
	open, oldest := len(s.open), s.oldest()
	s.mu.Unlock()
	s.opts.Log.Tell(slog.LevelWarn, report.LogLong, slog.Int64("bytes", size), slog.Int("pages_not_moved", done.Log-done.Moved),
		slog.Int("snapshots_open", open), slog.Duration("oldest_snapshot", oldest))
}

// drain waits for readers to leave a log that has got too long. The longer it
// is, the longer that may take: drainTime, and four times as long for every
// further checkpointPages. Nobody who waits for the turn meanwhile shall fail
// for that, so it is never longer than BusyTimeout.
func (s *Store) drain(ctx context.Context, c *conn) (store.Checkpoint, error) {
	mode := store.CheckpointRestart
	if int64(c.logPages)*c.pageSize > walLimit {
		// Else the next commit would cut the log, and pay for it.
		mode = store.CheckpointTruncate
	}
	longest := s.opts.BusyTimeout / 2
	wait := drainTime
	for n := c.logPages/checkpointPages - 2; n > 0 && wait < longest; n-- {
		wait *= 4
	}
	waited := s.awaitBehind(ctx, longest)
	return s.drainFor(ctx, c, mode, min(wait, longest-waited))
}

// cutLog empties the log and cuts it to length 0, if readers let that happen
// soon.
func (s *Store) cutLog(ctx context.Context) error {
	if err := s.takeTurn(ctx); err != nil {
		return err
	}
	return detached(ctx, func() error {
		defer func() { s.turn <- struct{}{} }()
		c, err := s.writerConn(ctx)
		if err == nil {
			s.awaitBehind(ctx, s.opts.BusyTimeout/2)
			s.countCheckpoint(s.drainFor(ctx, c, store.CheckpointTruncate, min(drainTime, s.opts.BusyTimeout/2)))
		}
		return err
	}, func(error) {})
}

// drainFor waits for readers to leave the log, with the turn, so that nothing
// is added to it. First those leave that began before the last commit, and the
// last page can be moved; from then on new readers do not need the log, and
// those that came in between are all that is waited for. So the wait is that
// for two readers at most, however many there are.
func (s *Store) drainFor(ctx context.Context, c *conn, mode store.CheckpointMode, wait time.Duration) (store.Checkpoint, error) {
	s.draining.Store(true)
	defer s.draining.Store(false)
	s.endIdle()
	delay := 100 * time.Microsecond
	for start := time.Now(); ; delay = min(2*delay, 5*time.Millisecond) {
		done, err := s.checkpoint(c, mode)
		if !errors.Is(err, store.ErrBusy) {
			return done, err
		}
		waited := time.Since(start)
		if moved := done.Moved == done.Log; waited >= 2*wait || waited >= wait && !moved {
			return done, err
		}
		select {
		case <-ctx.Done():
			return done, err
		case <-time.After(delay):
		}
		s.endIdle()
	}
}

// endIdle ends the snapshots in which connections rest.
func (s *Store) endIdle() { s.endSnapshots(s.takeAllIdle(), busyReaders) }

// Sizes implements store.File.
func (s *Store) Sizes(ctx context.Context) (store.Sizes, error) {
	p, err := s.pages(ctx)
	if err != nil {
		return store.Sizes{}, err
	}
	info, err := os.Stat(s.path)
	if err != nil {
		return store.Sizes{}, unavailable(err)
	}
	sizes := store.Sizes{Main: info.Size(), Free: p.free * p.size}
	if wal, err := os.Stat(s.path + "-wal"); err == nil {
		sizes.Log = wal.Size()
	}
	return sizes, nil
}
