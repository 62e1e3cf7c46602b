package sqlite

import (
	"context"
	"fmt"
	"iter"
	"sync"

	"github.com/ncruces/go-sqlite3"

	"columnvault/internal/store"
)

// reader reads inside one transaction of one connection. Snapshots and
// transactions are made of it.
type reader struct {
	// mu is held while a method runs: a snapshot can be ended from outside.
	mu sync.Mutex
	c  *conn
	// ended says why the transaction is over.
	ended error
}

// enter is the first thing that every method does. Without an error, leave
// has to follow.
func (r *reader) enter(ctx context.Context) error {
	r.mu.Lock()
	err := r.check(ctx)
	if err != nil {
		r.mu.Unlock()
	}
	return err
}

func (r *reader) leave() { r.mu.Unlock() }

// check tells why nothing more may be done.
func (r *reader) check(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if r.ended != nil {
		return r.ended
	}
	if r.c.broken != nil {
		return r.c.broken
	}
	if r.c.db.GetAutocommit() {
		// A full disk, say: what follows would be committed piece by piece.
		return fmt.Errorf("%w: SQLite has rolled the transaction back", store.ErrUnavailable)
	}
	return nil
}

// newReader makes a reader of the transaction that c has just started.
func newReader(c *conn, write bool) reader {
	c.blobs.write = write
	return reader{c: c}
}

func (r *reader) Orphans(ctx context.Context) (int64, error) {
	if err := r.enter(ctx); err != nil {
		return 0, err
	}
	defer r.leave()
	n, err := r.c.integer(`SELECT count(*) FROM col_chunks WHERE col_id NOT IN (SELECT col_id FROM col_meta)`)
	if noTable(err) {
		return 0, nil
	}
	return n, err
}

const chunkColumns = `chunk_idx, actual_size, bytes_used, rowid`

// scanChunk reads a row of chunkColumns. The rowid is kept for the handles.
func (r *reader) scanChunk(id store.ColumnID, st *sqlite3.Stmt) store.Chunk {
	chunk := store.Chunk{Number: st.ColumnInt64(0), Capacity: st.ColumnInt64(1), Used: st.ColumnInt64(2)}
	r.c.blobs.rowids[place{id, chunk.Number}] = st.ColumnInt64(3)
	return chunk
}

func (r *reader) Chunk(ctx context.Context, id store.ColumnID, number int64) (store.Chunk, error) {
	if err := r.enter(ctx); err != nil {
		return store.Chunk{}, err
	}
	defer r.leave()
	// A range of one number, because for an equation SQLite prefers the
	// primary key, and with that the walk along the chunk.
	return r.oneChunk(id, `SELECT `+chunkColumns+` FROM col_chunks WHERE col_id = ? AND chunk_idx BETWEEN ? AND ?`,
		rowOf(id), number, number)
}

func (r *reader) LastChunk(ctx context.Context, id store.ColumnID) (store.Chunk, error) {
	if err := r.enter(ctx); err != nil {
		return store.Chunk{}, err
	}
	defer r.leave()
	if last, ok := r.c.lasts[id]; ok {
		return last, nil
	}
	last, err := r.oneChunk(id, `SELECT `+chunkColumns+` FROM col_chunks WHERE col_id = ? ORDER BY chunk_idx DESC LIMIT 1`, rowOf(id))
	if err == nil {
		r.c.lasts[id] = last
	}
	return last, err
}

func (r *reader) oneChunk(id store.ColumnID, sql string, args ...any) (chunk store.Chunk, err error) {
	found := false
	err = r.c.query(sql, func(st *sqlite3.Stmt) { chunk, found = r.scanChunk(id, st), true }, args...)
	if err == nil && !found {
		err = fmt.Errorf("%w: no such chunk", store.ErrNotFound)
	}
	return chunk, err
}

func (r *reader) Chunks(ctx context.Context, id store.ColumnID, from, to int64) iter.Seq2[store.Chunk, error] {
	return func(yield func(store.Chunk, error) bool) {
		all, err := r.someChunks(ctx, id, from, to)
		if err != nil {
			yield(store.Chunk{}, err)
			return
		}
		for _, chunk := range all {
			if !yield(chunk, nil) {
				return
			}
		}
	}
}

// someChunks collects before anything is yielded, so that the loop's body may
// use the reader.
func (r *reader) someChunks(ctx context.Context, id store.ColumnID, from, to int64) (some []store.Chunk, err error) {
	if err := r.enter(ctx); err != nil {
		return nil, err
	}
	defer r.leave()
	err = r.c.query(`SELECT `+chunkColumns+` FROM col_chunks WHERE col_id = ? AND chunk_idx >= ? AND chunk_idx < ? ORDER BY chunk_idx`,
		func(st *sqlite3.Stmt) { some = append(some, r.scanChunk(id, st)) }, rowOf(id), from, to)
	return some, err
}

func (r *reader) ReadAt(ctx context.Context, id store.ColumnID, spans []store.Span) error {
	if err := r.enter(ctx); err != nil {
		return err
	}
	defer r.leave()
	for i, s := range spans {
		if i > 0 {
			if err := r.check(ctx); err != nil {
				return err
			}
		}
		if err := r.c.blobs.read(id, s); err != nil {
			return err
		}
	}
	return nil
}
