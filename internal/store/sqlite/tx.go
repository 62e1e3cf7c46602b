package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"columnvault/internal/store"
)

// tx is the one writing transaction. It implements store.Tx.
type tx struct {
	reader
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
			c.close()
			s.writer = nil
		}
	}()
	if err := s.patiently(ctx, start, func() error { return c.run(`BEGIN IMMEDIATE`) }); err != nil {
		return err
	}
	t := &tx{reader: newReader(c, true)}
	// Whatever happens in fn, a panic too, the transaction is over after this.
	defer t.rollback()
	if err := c.refresh(); err != nil {
		return err
	}
	if err := fn(t); err != nil {
		return err
	}
	if err := t.commit(ctx); err != nil {
		return err
	}
	for _, fn := range t.onCommit {
		fn()
	}
	s.keepLogShort(c)
	return nil
}

// writerConn returns the writing connection to whoever has the turn.
func (s *Store) writerConn(ctx context.Context) (_ *conn, err error) {
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
	if err := t.c.blobs.close(); err != nil {
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

// writeLengths writes the lengths that have been set.
func (t *tx) writeLengths() error {
	for id, length := range t.c.catalog.lengths {
		if err := t.c.run(`UPDATE col_meta SET length = ? WHERE col_id = ?`, length, rowOf(id)); err != nil {
			return err
		}
	}
	clear(t.c.catalog.lengths)
	return nil
}

// Columns implements store.Reader.
func (t *tx) Columns(ctx context.Context) ([]store.Row, error) {
	if err := t.check(ctx); err != nil {
		return nil, err
	}
	if err := t.writeLengths(); err != nil {
		return nil, err
	}
	return t.reader.Columns(ctx)
}

func (t *tx) CreateColumn(ctx context.Context, col store.Row) (store.Row, error) {
	if err := t.check(ctx); err != nil {
		return col, err
	}
	if col.Layout != store.LayoutV0 {
		return col, fmt.Errorf("%w: this engine creates no columns of layout %d", errors.ErrUnsupported, col.Layout)
	}
	if err := t.checkFree(ctx, col.Name); err != nil {
		return col, err
	}
	err := t.c.run(`INSERT INTO col_meta (name, dtype, elem_size, length, chunk_bytes, min_chunk_bytes, max_chunk_bytes)
		VALUES (?, ?, ?, 0, ?, ?, ?)`, col.Name, col.DType, col.ElemSize, col.MinChunk, col.MinChunk, col.MaxChunk)
	if err != nil {
		return col, err
	}
	col.ID, col.Length = idOf(col.Layout, t.c.db.LastInsertRowID()), 0
	t.c.catalog.forget(col.ID, col.Name)
	// A writer without foreign keys may have left chunks of a column that had
	// the same number; they must not become ours.
	err = t.dropAll(col.ID)
	if err != nil {
		t.Abort(err)
	}
	return col, err
}

// checkFree reports that a column has the name, in whatever layout.
func (t *tx) checkFree(ctx context.Context, name string) error {
	found, err := t.Lookup(ctx, name)
	if err == nil && len(found) > 0 {
		err = fmt.Errorf("%w: a column of layout %d has the name %q", store.ErrExists, found[0].Layout, name)
	}
	return err
}

func (t *tx) RenameColumn(ctx context.Context, id store.ColumnID, name string) error {
	if err := t.checkFree(ctx, name); err != nil {
		return err
	}
	t.c.catalog.forget(id, name)
	return t.c.run(`UPDATE col_meta SET name = ? WHERE col_id = ?`, name, rowOf(id))
}

func (t *tx) DropColumn(ctx context.Context, id store.ColumnID) error {
	if err := t.check(ctx); err != nil {
		return err
	}
	if row := t.c.catalog.ids[id]; row != nil {
		t.c.catalog.forget(id, row.Name)
	}
	delete(t.c.catalog.lengths, id)
	if err := t.dropAll(id); err != nil {
		return err
	}
	err := t.c.run(`DELETE FROM col_meta WHERE col_id = ?`, rowOf(id))
	if err != nil {
		t.Abort(err)
	}
	return err
}

func (t *tx) dropAll(id store.ColumnID) error {
	delete(t.c.lasts, id)
	if err := t.c.blobs.forget(); err != nil {
		return err
	}
	return t.c.run(`DELETE FROM col_chunks WHERE col_id = ?`, rowOf(id))
}

func (t *tx) SetLength(ctx context.Context, id store.ColumnID, length int64) error {
	if err := t.check(ctx); err != nil {
		return err
	}
	t.c.catalog.lengths[id] = length
	if row := t.c.catalog.ids[id]; row != nil {
		row.Length = length
	}
	return nil
}

func (t *tx) PutChunk(ctx context.Context, id store.ColumnID, c store.Chunk, data []byte) error {
	if err := t.check(ctx); err != nil {
		return err
	}
	if int64(len(data)) > c.Capacity || c.Capacity > maxChunk {
		return fmt.Errorf("%w: %d bytes for a chunk of %d, in an engine that takes %d", store.ErrTooLarge, len(data), c.Capacity, maxChunk)
	}
	if len(c.Meta) > 0 {
		return errNoMeta
	}
	if err := t.c.blobs.close(); err != nil {
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
		rowOf(id), c.Number, data, c.Capacity, c.Used)
}

// errNoMeta: the rows of layout 0 are KohakuVault's, and have no place for it.
var errNoMeta = fmt.Errorf("%w: the chunks of layout 0 carry no Meta", errors.ErrUnsupported)

func (t *tx) SetChunk(ctx context.Context, id store.ColumnID, c store.Chunk) error {
	if err := t.check(ctx); err != nil {
		return err
	}
	if len(c.Meta) > 0 {
		return errNoMeta
	}
	if err := t.c.blobs.close(); err != nil {
		return err
	}
	if last, ok := t.c.lasts[id]; ok && c.Number == last.Number {
		last.Used = c.Used
		t.c.lasts[id] = last
	}
	err := t.c.run(`UPDATE col_chunks SET bytes_used = ? WHERE col_id = ? AND chunk_idx = ?`, c.Used, rowOf(id), c.Number)
	if err == nil && t.c.db.Changes() == 0 {
		err = fmt.Errorf("%w: chunk %d does not exist", store.ErrCorrupt, c.Number)
	}
	return err
}

func (t *tx) WriteAt(ctx context.Context, id store.ColumnID, spans []store.Span) error {
	for _, s := range spans {
		if err := t.check(ctx); err != nil {
			return err
		}
		if err := t.c.blobs.writeTo(id, s); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) DropChunks(ctx context.Context, id store.ColumnID, from, to int64) error {
	if err := t.check(ctx); err != nil {
		return err
	}
	if err := t.c.blobs.forget(); err != nil {
		return err
	}
	delete(t.c.lasts, id)
	return t.c.run(`DELETE FROM col_chunks WHERE col_id = ? AND chunk_idx >= ? AND chunk_idx < ?`, rowOf(id), from, to)
}
