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
	// lengths holds the columns whose length has changed. The rows are
	// written when somebody needs them, at the latest before the commit, so
	// that a thousand appends change the row once.
	lengths map[store.ColumnID]int64
	// aborted is why the transaction must not be committed.
	aborted  error
	onCommit []func()
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
	start := time.Now()
	if err := s.takeTurn(ctx); err != nil {
		return err
	}
	defer func() { s.turn <- struct{}{} }()
	c, err := s.writerConn(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if c.broken != nil || c.swollen {
			s.discard(c)
			s.writer = nil
		}
	}()
	if err := s.patiently(ctx, start, func() error { return c.run(`BEGIN IMMEDIATE`) }); err != nil {
		return err
	}
	t := &tx{reader: newReader(c, true), lengths: map[store.ColumnID]int64{}}
	// Whatever happens in fn, a panic too, the transaction is over after this.
	defer t.rollback()
	if err := s.look(c, writerLooks); err != nil {
		return err
	}
	if err := c.refresh(); err != nil {
		return err
	}
	if err := fn(t); err != nil {
		return err
	}
	if err := t.commit(ctx); err != nil {
		return err
	}
	if err := s.look(c, 0); err != nil {
		return err
	}
	for _, fn := range t.onCommit {
		fn()
	}
	s.keepLogShort(ctx, c)
	return nil
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
	if err := t.blobs.close(); err != nil {
		return err
	}
	if err := t.writeLengths(); err != nil {
		return err
	}
	if err := t.c.run(`COMMIT`); err != nil {
		return err
	}
	t.ended = store.ErrClosed
	return nil
}

// rollback ends a transaction that was not committed.
func (t *tx) rollback() {
	if t.ended != nil {
		return
	}
	t.ended = store.ErrClosed
	t.c.version = 0
	if t.c.broken != nil {
		return
	}
	err := t.blobs.close()
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

func (t *tx) writeLengths() error {
	for id, length := range t.lengths {
		if err := t.c.run(`UPDATE col_meta SET length = ? WHERE col_id = ?`, length, int64(id)); err != nil {
			return err
		}
	}
	for _, col := range t.catalog {
		if col == nil {
			continue
		}
		if length, ok := t.lengths[col.ID]; ok {
			col.Length = length
		}
	}
	clear(t.lengths)
	return nil
}

// Lookup implements store.Reader.
func (t *tx) Lookup(ctx context.Context, names ...string) ([]store.Row, error) {
	found, err := t.reader.Lookup(ctx, names...)
	for i, col := range found {
		if length, ok := t.lengths[col.ID]; ok {
			found[i].Length = length
		}
	}
	return found, err
}

// Columns implements store.Reader.
func (t *tx) Columns(ctx context.Context) ([]store.Row, error) {
	if err := t.change(ctx); err != nil {
		return nil, err
	}
	return t.reader.Columns(ctx)
}

// change brings the catalogue on disk up to date before something reads or
// changes it as a whole.
func (t *tx) change(ctx context.Context) error {
	if err := t.check(ctx); err != nil {
		return err
	}
	defer clear(t.catalog)
	return t.writeLengths()
}

func (t *tx) CreateColumn(ctx context.Context, col store.Row) (store.Row, error) {
	if err := t.change(ctx); err != nil {
		return col, err
	}
	err := t.c.run(`INSERT INTO col_meta (name, dtype, elem_size, length, chunk_bytes, min_chunk_bytes, max_chunk_bytes)
		VALUES (?, ?, ?, 0, ?, ?, ?)`, col.Name, col.DType, col.ElemSize, col.MinChunk, col.MinChunk, col.MaxChunk)
	if err != nil {
		return col, err
	}
	col.ID, col.Length = store.ColumnID(t.c.db.LastInsertRowID()), 0
	// A writer without foreign keys may have left chunks of a column that had
	// the same number; they must not become ours.
	err = t.dropAll(ctx, col.ID)
	if err != nil {
		t.Abort(err)
	}
	return col, err
}

func (t *tx) RenameColumn(ctx context.Context, id store.ColumnID, name string) error {
	if err := t.change(ctx); err != nil {
		return err
	}
	return t.c.run(`UPDATE col_meta SET name = ? WHERE col_id = ?`, name, int64(id))
}

func (t *tx) DropColumn(ctx context.Context, id store.ColumnID) error {
	delete(t.lengths, id)
	if err := t.change(ctx); err != nil {
		return err
	}
	if err := t.dropAll(ctx, id); err != nil {
		return err
	}
	err := t.c.run(`DELETE FROM col_meta WHERE col_id = ?`, int64(id))
	if err != nil {
		t.Abort(err)
	}
	return err
}

func (t *tx) dropAll(ctx context.Context, id store.ColumnID) error {
	delete(t.c.lasts, id)
	if err := t.blobs.forget(); err != nil {
		return err
	}
	return t.within(ctx, func() error { return t.c.run(`DELETE FROM col_chunks WHERE col_id = ?`, int64(id)) })
}

func (t *tx) Lock(ctx context.Context, id store.ColumnID) (int64, error) {
	if err := t.check(ctx); err != nil {
		return 0, err
	}
	if length, ok := t.lengths[id]; ok {
		return length, nil
	}
	// The transaction is the only one that writes, so what it has looked up is
	// fresh.
	for _, col := range t.catalog {
		if col != nil && col.ID == id && col.Layout == 0 {
			return col.Length, nil
		}
	}
	return t.c.integer(`SELECT length FROM col_meta WHERE col_id = ?`, int64(id))
}

func (t *tx) SetLength(ctx context.Context, id store.ColumnID, length int64) error {
	if err := t.check(ctx); err != nil {
		return err
	}
	t.lengths[id] = length
	return nil
}

func (t *tx) PutChunk(ctx context.Context, id store.ColumnID, c store.Chunk, data []byte) error {
	if err := t.check(ctx); err != nil {
		return err
	}
	if int64(len(data)) > c.Capacity || c.Capacity > maxChunk {
		return fmt.Errorf("%w: %d bytes for a chunk of %d, in an engine that takes %d", store.ErrTooLarge, len(data), c.Capacity, maxChunk)
	}
	if err := t.blobs.close(); err != nil {
		return err
	}
	if c.Capacity >= bigRow {
		t.c.swollen = true
	}
	if int64(len(data)) < c.Capacity {
		padded := make([]byte, c.Capacity)
		copy(padded, data)
		data = padded
	}
	if last, ok := t.c.lasts[id]; ok && c.Number >= last.Number {
		t.c.lasts[id] = c
	}
	return t.c.run(`INSERT INTO col_chunks (col_id, chunk_idx, data, actual_size, bytes_used) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (col_id, chunk_idx) DO UPDATE SET data = excluded.data, actual_size = excluded.actual_size, bytes_used = excluded.bytes_used`,
		int64(id), c.Number, data, c.Capacity, c.Used)
}

func (t *tx) SetUsed(ctx context.Context, id store.ColumnID, number, used int64) error {
	if err := t.check(ctx); err != nil {
		return err
	}
	if err := t.blobs.close(); err != nil {
		return err
	}
	if last, ok := t.c.lasts[id]; ok && number == last.Number {
		last.Used = used
		t.c.lasts[id] = last
	}
	return t.c.run(`UPDATE col_chunks SET bytes_used = ? WHERE col_id = ? AND chunk_idx = ?`, used, int64(id), number)
}

func (t *tx) WriteAt(ctx context.Context, id store.ColumnID, spans []store.Span) error {
	for _, s := range spans {
		if err := t.check(ctx); err != nil {
			return err
		}
		if err := t.blobs.writeTo(id, s); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) DropChunks(ctx context.Context, id store.ColumnID, from, to int64) error {
	if err := t.check(ctx); err != nil {
		return err
	}
	if err := t.blobs.forget(); err != nil {
		return err
	}
	delete(t.c.lasts, id)
	return t.within(ctx, func() error {
		return t.c.run(`DELETE FROM col_chunks WHERE col_id = ? AND chunk_idx >= ? AND chunk_idx < ?`, int64(id), from, to)
	})
}
