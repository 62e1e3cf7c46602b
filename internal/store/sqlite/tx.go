package sqlite

import (
	"context"
	"fmt"
	"time"

	"columnvault/internal/store"
)

// tx is the one writing transaction. It implements store.Tx.
type tx struct {
	reader
	// aborted is why the transaction must not be committed.
	aborted error
	// onCommit seldom has more than one, for which there is memory here.
	onCommit []func()
	one      [1]func()
	// committed says that it was.
	committed bool
	// rebuild says that pages were left that nothing uses and nothing can free.
	rebuild bool
	s       *Store
}

var _ store.Tx = (*tx)(nil)

// Update implements store.Store. The function runs once: a writer in SQLite
// has the file to itself.
func (s *Store) Update(ctx context.Context, fn func(store.Tx) error) (err error) {
	if s.opts.ReadOnly {
		return fmt.Errorf("%w: the vault was opened for reading only", store.ErrReadOnly)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	defer func() { err = s.explain(err) }()
	start := time.Now()
	return s.inTurn(ctx, func() (*conn, error) { return s.updateNow(ctx, start, fn) })
}

// inTurn calls commit for whoever has the turn, and keeps the log short behind
// what it has committed on the connection that it returns.
func (s *Store) inTurn(ctx context.Context, commit func() (*conn, error)) error {
	if err := s.takeTurn(ctx); err != nil {
		return err
	}
	committed := false
	defer func() {
		if !committed {
			s.endTurn()
		}
	}()
	c, err := commit()
	if err == nil {
		committed = true
		s.endCommit(ctx, c)
	}
	return err
}

// updateNow is Update for whoever has the turn, without what keeps the log short.
func (s *Store) updateNow(ctx context.Context, start time.Time, fn func(store.Tx) error) (c *conn, err error) {
	if c, err = s.writerConn(ctx); err != nil {
		return nil, err
	}
	if err := s.lock(ctx, c, start); err != nil {
		return nil, err
	}
	c.changed = false
	t := &tx{reader: newReader(c, true), s: s}
	t.onCommit = t.one[:0]
	defer func() { s.countEnd(t, err) }()
	// Whatever happens in fn, a panic too, the transaction is over after this.
	defer t.rollback()
	if err := s.look(c, writerLooks); err != nil {
		return nil, err
	}
	if err := c.refresh(); err != nil {
		return nil, err
	}
	if err := fn(t); err != nil {
		return nil, err
	}
	if err := t.commit(ctx); err != nil {
		return nil, err
	}
	if err := s.look(c, 0); err != nil {
		return nil, err
	}
	for _, fn := range t.onCommit {
		fn()
	}
	if t.rebuild {
		s.rebuild(ctx, c)
	}
	return c, nil
}

// endCommit gives the turn back after a commit, and drains a log that has got too
// long before. What was committed is, also if ctx ends meanwhile: then that goes
// on without the caller.
func (s *Store) endCommit(ctx context.Context, c *conn) {
	var drain func()
	if c.broken == nil {
		drain = s.keepLogShort(ctx, c)
	}
	if drain == nil {
		s.endTurn()
		return
	}
	_ = detached(ctx, func() error {
		defer s.endTurn()
		drain()
		return nil
	}, func(error) {})
}

// endTurn gives the turn back, without a connection that must not be used again.
func (s *Store) endTurn() {
	if c := s.writer; c != nil && (c.broken != nil || c.swollen) {
		s.discard(c)
		s.writer = nil
	}
	s.turn <- struct{}{}
}

// lock begins the transaction, which keeps the writers of other processes out.
func (s *Store) lock(ctx context.Context, c *conn, start time.Time) error {
	var waits time.Time
	err := s.patiently(ctx, start, func() error {
		err := c.run(`BEGIN IMMEDIATE`)
		if err != nil && waits.IsZero() {
			waits = time.Now()
		}
		return err
	})
	if !waits.IsZero() {
		s.counters.waitLock.Add(int64(time.Since(waits)))
	}
	return err
}

// writerConn returns the writing connection to whoever has the turn.
func (s *Store) writerConn(ctx context.Context) (_ *conn, err error) {
	if err := s.whole(); err != nil {
		return nil, err
	}
	if s.writer == nil {
		s.writer, err = s.openWriter(ctx)
	}
	return s.writer, err
}

// takeTurn waits until no other goroutine writes.
func (s *Store) takeTurn(ctx context.Context) error {
	select {
	case <-s.turn:
	default:
		if err := s.waitTurn(ctx); err != nil {
			return err
		}
	}
	if s.closing.Err() != nil {
		s.turn <- struct{}{}
		return store.ErrClosed
	}
	return nil
}

func (s *Store) waitTurn(ctx context.Context) error {
	timeout := time.NewTimer(s.opts.BusyTimeout)
	defer timeout.Stop()
	defer func(start time.Time) { s.counters.waitTurn.Add(int64(time.Since(start))) }(time.Now())
	select {
	case <-s.turn:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-s.closing.Done():
		return store.ErrClosed
	case <-timeout.C:
		return fmt.Errorf("%w after %v: another transaction of this process has not ended; if it waits for this one, pass on the ctx that its function received",
			store.ErrBusy, s.opts.BusyTimeout)
	}
}

func (t *tx) commit(ctx context.Context) error {
	if t.aborted != nil {
		return t.aborted
	}
	if err := t.check(ctx); err != nil {
		return err
	}
	if err := t.c.blobs.close(); err != nil {
		return err
	}
	if err := t.writeLengths(); err != nil {
		return err
	}
	if err := t.c.commit(); err != nil {
		if t.c.broken != nil { // nobody knows where in it the engine stopped
			return fmt.Errorf("%w: %w", store.ErrUnknownCommit, err)
		}
		return err
	}
	t.ended, t.committed = store.ErrClosed, true
	return nil
}

// rollback ends a transaction that was not committed.
func (t *tx) rollback() {
	if t.ended != nil {
		return
	}
	t.ended = store.ErrClosed
	t.c.version = 0
	t.c.catalog.schema = noSchema // it may be of one that never came to be
	if t.c.broken != nil {
		return
	}
	err := t.c.blobs.close()
	if !t.c.db.GetAutocommit() { // some errors roll back by themselves
		if e := t.c.run(`ROLLBACK`); err == nil {
			err = e
		}
	}
	if err != nil && t.c.broken == nil {
		t.c.broken = err
	}
}

// OnCommit implements store.Tx.
func (t *tx) OnCommit(fn func()) { t.onCommit = append(t.onCommit, fn) }

// Abort implements store.Tx.
func (t *tx) Abort(cause error) {
	if t.aborted == nil {
		t.aborted = cause
	}
}
