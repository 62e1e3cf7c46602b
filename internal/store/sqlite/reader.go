package sqlite

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"

	"github.com/ncruces/go-sqlite3"

	"columnvault/internal/store"
)

// reader reads inside one transaction of one connection. Snapshots and
// transactions are made of it.
type reader struct {
	// mu is held while a method runs: a snapshot can be ended from outside.
	mu    sync.Mutex
	c     *conn
	blobs *blobs
	// catalog holds the rows looked up so far by name, nil for a name that
	// does not exist. Nobody but this transaction can change them.
	catalog map[string]*store.Row
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
	return reader{c: c, blobs: c.blobs, catalog: c.catalog}
}

const catalogColumns = `col_id, name, dtype, elem_size, length, min_chunk_bytes, max_chunk_bytes`

func scanColumn(st *sqlite3.Stmt) store.Row {
	return store.Row{
		ID:       store.ColumnID(st.ColumnInt64(0)),
		Name:     st.ColumnText(1),
		DType:    st.ColumnText(2),
		ElemSize: scanNumber(st, 3),
		Length:   scanNumber(st, 4),
		MinChunk: scanNumber(st, 5),
		MaxChunk: scanNumber(st, 6),
	}
}

// scanNumber returns -1, which no column can have, for what is not an integer.
func scanNumber(st *sqlite3.Stmt, column int) int64 {
	if st.ColumnType(column) != sqlite3.INTEGER {
		return -1
	}
	return st.ColumnInt64(column)
}

// laterColumns lists the columns of the later generation of the format.
const laterColumns = `SELECT col_id, name, dtype, elem_size, length, block_bytes, block_bytes FROM kvault_col_columns`

func (r *reader) Lookup(ctx context.Context, names ...string) ([]store.Row, error) {
	if err := r.enter(ctx); err != nil {
		return nil, err
	}
	defer r.leave()
	if err := r.load(names); err != nil {
		return nil, err
	}
	var found []store.Row
	for _, name := range names {
		if col := r.catalog[name]; col != nil {
			found = append(found, *col)
		}
	}
	return found, nil
}

// maxCatalog bounds the names that a connection remembers.
const maxCatalog = 5000

// load brings the rows of these names into the catalogue.
func (r *reader) load(names []string) error {
	if len(r.catalog) > maxCatalog {
		clear(r.catalog)
	}
	var missing []string
	for _, name := range names {
		if _, known := r.catalog[name]; !known {
			missing = append(missing, name)
		}
	}
	for some := range slices.Chunk(missing, 3) {
		if err := r.loadThree(some); err != nil {
			return err
		}
		for _, name := range some {
			if _, known := r.catalog[name]; !known {
				r.catalog[name] = nil
			}
		}
	}
	return nil
}

// loadThree looks up to three names up at once: those of a column.
func (r *reader) loadThree(names []string) error {
	args := []any{names[0], names[len(names)/2], names[len(names)-1]}
	err := r.c.query(`SELECT `+catalogColumns+` FROM col_meta WHERE name IN (?, ?, ?)`, func(st *sqlite3.Stmt) {
		col := scanColumn(st)
		r.catalog[col.Name] = &col
	}, args...)
	if err != nil && !noTable(err) || r.c.noLater {
		return err
	}
	err = r.c.query(laterColumns+` WHERE name IN (?, ?, ?)`, func(st *sqlite3.Stmt) {
		col := scanColumn(st)
		col.Layout = 1
		if r.catalog[col.Name] == nil {
			r.catalog[col.Name] = &col
		}
	}, args...)
	if noTable(err) {
		r.c.noLater = true
		return nil
	}
	return err
}

func (r *reader) Columns(ctx context.Context) ([]store.Row, error) {
	if err := r.enter(ctx); err != nil {
		return nil, err
	}
	defer r.leave()
	var all []store.Row
	err := r.c.within(ctx, func() (err error) {
		all, err = r.columns()
		return err
	})
	return all, err
}

func (r *reader) columns() (all []store.Row, err error) {
	err = r.c.query(`SELECT `+catalogColumns+` FROM col_meta ORDER BY col_id`,
		func(st *sqlite3.Stmt) { all = append(all, scanColumn(st)) })
	if err != nil && !noTable(err) {
		return nil, err
	}
	err = r.c.query(laterColumns+` ORDER BY col_id`, func(st *sqlite3.Stmt) {
		col := scanColumn(st)
		col.Layout = 1
		all = append(all, col)
	})
	if err != nil && !noTable(err) {
		return nil, err
	}
	return all, nil
}

const chunkColumns = `chunk_idx, actual_size, bytes_used, rowid`

// scanChunk reads a row of chunkColumns. The rowid is kept for the handles.
func (r *reader) scanChunk(id store.ColumnID, st *sqlite3.Stmt) store.Chunk {
	chunk := store.Chunk{Number: st.ColumnInt64(0), Capacity: st.ColumnInt64(1), Used: st.ColumnInt64(2)}
	r.blobs.rowids[place{id, chunk.Number}] = st.ColumnInt64(3)
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
		int64(id), number, number)
}

func (r *reader) LastChunk(ctx context.Context, id store.ColumnID) (store.Chunk, error) {
	if err := r.enter(ctx); err != nil {
		return store.Chunk{}, err
	}
	defer r.leave()
	if last, ok := r.c.lasts[id]; ok {
		return last, nil
	}
	last, err := r.oneChunk(id, `SELECT `+chunkColumns+` FROM col_chunks WHERE col_id = ? ORDER BY chunk_idx DESC LIMIT 1`, int64(id))
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

func (r *reader) Chunks(ctx context.Context, id store.ColumnID) iter.Seq2[store.Chunk, error] {
	return func(yield func(store.Chunk, error) bool) {
		all, err := r.allChunks(ctx, id)
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

// allChunks collects before anything is yielded, so that the loop's body may
// use the reader.
func (r *reader) allChunks(ctx context.Context, id store.ColumnID) (all []store.Chunk, err error) {
	if err := r.enter(ctx); err != nil {
		return nil, err
	}
	defer r.leave()
	err = r.c.within(ctx, func() error {
		return r.c.query(`SELECT `+chunkColumns+` FROM col_chunks WHERE col_id = ? ORDER BY chunk_idx`,
			func(st *sqlite3.Stmt) { all = append(all, r.scanChunk(id, st)) }, int64(id))
	})
	return all, err
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
		if err := r.blobs.read(id, s); err != nil {
			return err
		}
	}
	return nil
}
