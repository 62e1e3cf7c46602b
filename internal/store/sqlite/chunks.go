package sqlite

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"math"

	"github.com/ncruces/go-sqlite3"

	"columnvault/internal/store"
)

// chunkTable is where the chunks of a layout are. The statements of all
// layouts have the same arguments, and select the same: number, capacity, used
// bytes, the row of the bytes and how many of them are in the first field, then
// what is beside the bytes if the layout has that.
type chunkTable struct {
	// data is where the bytes are, and rest where those are that are not there.
	data, rest bytesField
	// one, last and some select chunks by column and numbers, row the row of a
	// chunk's bytes, and how many are in the first field.
	one, last, some, row string
	// orphans selects the numbers of columns that have chunks and do not exist,
	// and how many chunks and bytes that are.
	orphans string
}

// bytesField is a field of a table in which bytes of chunks are.
type bytesField struct{ table, column string }

// newChunkTable makes the statements. row is the fields with the row of the
// bytes and their number in the first field, NULL for all; number is that with
// the number.
func newChunkTable(fields, table, number, row, meta string, data bytesField, orphans string) *chunkTable {
	fields += `, ` + row + meta
	where := ` FROM ` + table + ` WHERE col_id = ?`
	return &chunkTable{
		data: data,
		// A range of one number, because for an equation SQLite prefers the
		// primary key of layout 0 to our index, and then has to walk along the
		// chunk.
		one:     `SELECT ` + fields + where + ` AND ` + number + ` BETWEEN ? AND ?`,
		last:    `SELECT ` + fields + where + ` ORDER BY ` + number + ` DESC LIMIT 1`,
		some:    `SELECT ` + fields + where + ` AND ` + number + ` >= ? AND ` + number + ` < ? ORDER BY ` + number + fmt.Sprintf(` LIMIT %d`, chunkRows),
		row:     `SELECT ` + row + where + ` AND ` + number + ` = ?`,
		orphans: orphans,
	}
}

// chunks0 is the table of layout 0. The others are blocks and nativeChunks.
var chunks0 = newChunkTable(`chunk_idx, actual_size, bytes_used`, `col_chunks`, `chunk_idx`, `rowid, NULL`, ``, bytesField{`col_chunks`, `data`},
	orphansOf(`col_id, count(*), sum(actual_size)`, `col_chunks`, `col_meta`))

// orphansOf is the statement that looks for chunks of no column.
func orphansOf(fields, chunks, columns string) string {
	return fmt.Sprintf(`SELECT %s FROM %s WHERE col_id NOT IN (SELECT col_id FROM %s) GROUP BY col_id ORDER BY col_id LIMIT %d`, fields, chunks, columns, maxFindings)
}

// chunksOf is the table of a column's chunks, nil for an ID that no column has.
func chunksOf(id store.ColumnID) *chunkTable {
	switch layoutOf(id) {
	case store.LayoutV0:
		return chunks0
	case store.LayoutV1:
		return blocks
	case store.LayoutNative:
		return nativeChunks
	}
	return nil
}

// Chunk implements store.Reader.
func (r *reader) Chunk(ctx context.Context, id store.ColumnID, number int64) (store.Chunk, error) {
	if err := r.enter(ctx); err != nil {
		return store.Chunk{}, err
	}
	defer r.leave()
	t, err := r.c.chunksOf(id)
	if t == nil {
		return store.Chunk{}, cmp.Or(err, errNoChunk)
	}
	return r.c.oneChunk(id, t.one, rowOf(id), number, number)
}

var errNoChunk = fmt.Errorf("%w: no such chunk", store.ErrNotFound)

// LastChunk implements store.Reader.
func (r *reader) LastChunk(ctx context.Context, id store.ColumnID) (store.Chunk, error) {
	if err := r.enter(ctx); err != nil {
		return store.Chunk{}, err
	}
	defer r.leave()
	if last, ok := r.c.lasts[id]; ok {
		return last, nil
	}
	t, err := r.c.chunksOf(id)
	if t == nil {
		return store.Chunk{}, cmp.Or(err, errNoChunk)
	}
	last, err := r.c.oneChunk(id, t.last, rowOf(id))
	if err == nil {
		r.c.keepLast(id, last)
	}
	return last, err
}

// maxLasts bounds the columns whose last chunk a connection remembers.
const maxLasts = 5000

// keepLast remembers the last chunk of a column.
func (c *conn) keepLast(id store.ColumnID, last store.Chunk) {
	if len(c.lasts) >= maxLasts {
		clear(c.lasts)
	}
	c.lasts[id] = last
}

// scanChunk reads a row of a chunkTable. The row of the bytes is kept for the
// handles.
func (c *conn) scanChunk(id store.ColumnID, st *sqlite3.Stmt) store.Chunk {
	chunk := store.Chunk{Number: st.ColumnInt64(0), Capacity: st.ColumnInt64(1), Used: st.ColumnInt64(2)}
	c.blobs.keepRow(place{id: id, number: chunk.Number}, scanBytesRow(st, 3))
	switch layoutOf(id) {
	case store.LayoutV1:
		chunk.Meta = store.Block{First: st.ColumnInt64(5), Rows: st.ColumnInt64(6), Room: st.ColumnInt64(7)}.Meta()
	case store.LayoutNative:
		chunk.Meta = bytes.Clone(st.ColumnRawBlob(5))
	}
	return chunk
}

func (c *conn) oneChunk(id store.ColumnID, sql string, args ...any) (chunk store.Chunk, err error) {
	found := false
	err = c.query(sql, func(st *sqlite3.Stmt) { chunk, found = c.scanChunk(id, st), true }, args...)
	if err == nil && !found {
		err = errNoChunk
	}
	return chunk, err
}

// chunkRows is how many chunks are read at once.
const chunkRows = 1024

// Chunks implements store.Reader.
func (r *reader) Chunks(ctx context.Context, id store.ColumnID, from, to int64) iter.Seq2[store.Chunk, error] {
	return func(yield func(store.Chunk, error) bool) {
		for {
			some, err := r.someChunks(ctx, id, from, to)
			if err != nil {
				yield(store.Chunk{}, err)
				return
			}
			for _, chunk := range some {
				if !yield(chunk, nil) {
					return
				}
			}
			if len(some) < chunkRows {
				return
			}
			from = some[len(some)-1].Number + 1
		}
	}
}

// someChunks collects the first chunks of a range before anything is yielded,
// so that the loop's body may use the reader.
func (r *reader) someChunks(ctx context.Context, id store.ColumnID, from, to int64) (some []store.Chunk, err error) {
	if err := r.enter(ctx); err != nil {
		return nil, err
	}
	defer r.leave()
	t, err := r.c.chunksOf(id)
	if t == nil {
		return nil, err
	}
	err = r.c.within(ctx, func() error {
		return r.c.query(t.some, func(st *sqlite3.Stmt) { some = append(some, r.c.scanChunk(id, st)) }, rowOf(id), from, to)
	})
	return some, err
}

// startWrite begins a change to the chunks or the row of a column.
func (t *tx) startWrite(ctx context.Context, id store.ColumnID) error {
	if err := t.check(ctx); err != nil {
		return err
	}
	switch {
	case layoutOf(id) < 0:
		return fmt.Errorf("%w: the file gives the column a number that no program gives", store.ErrCorrupt)
	}
	_, err := t.c.chunksOf(id)
	return err
}

// PutChunk implements store.Tx.
func (t *tx) PutChunk(ctx context.Context, id store.ColumnID, c store.Chunk, data []byte) error {
	if err := t.startWrite(ctx, id); err != nil {
		return err
	}
	if int64(len(data)) > c.Capacity || c.Capacity > maxChunk {
		return fmt.Errorf("%w: %d bytes for a chunk of %d, in an engine that takes %d", store.ErrTooLarge, len(data), c.Capacity, maxChunk)
	}
	if err := checkMeta(id, c.Meta); err != nil {
		return err
	}
	if err := t.c.blobs.close(); err != nil {
		return err
	}
	if c.Capacity >= bigRow {
		t.c.swollen = true
	}
	if int64(len(data)) < c.Capacity {
		data = t.c.pad(data, int(c.Capacity))
	}
	err := t.putChunk(id, c, data)
	if last, ok := t.c.lasts[id]; err == nil && ok && c.Number >= last.Number {
		c.Meta = bytes.Clone(c.Meta)
		t.c.keepLast(id, c)
	}
	return err
}

// maxPadded is the size in bytes up to which the memory of pad is kept.
const maxPadded = 1 << 20

// pad returns the data with zeros after it, in memory that the next call uses
// again.
func (c *conn) pad(data []byte, n int) []byte {
	padded := c.padded
	if n > cap(padded) {
		padded = make([]byte, n)
		if n <= maxPadded {
			c.padded = padded
		}
	}
	padded = padded[:n]
	clear(padded[copy(padded, data):])
	return padded
}

func (t *tx) putChunk(id store.ColumnID, c store.Chunk, data []byte) error {
	switch layoutOf(id) {
	case store.LayoutV1:
		return t.putBlock(id, c, data)
	case store.LayoutNative:
		return t.putNative(id, c, data)
	}
	return t.c.run(`INSERT INTO col_chunks (col_id, chunk_idx, data, actual_size, bytes_used) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (col_id, chunk_idx) DO UPDATE SET data = excluded.data, actual_size = excluded.actual_size, bytes_used = excluded.bytes_used`,
		rowOf(id), c.Number, blobArg(data), c.Capacity, c.Used)
}

// checkMeta refuses what cannot be stored beside a chunk: the rows of layout 0
// are KohakuVault's.
func checkMeta(id store.ColumnID, meta []byte) error {
	switch {
	case len(meta) > store.MaxMeta:
		return fmt.Errorf("%w: Meta of %d bytes, and the limit is %d", store.ErrTooLarge, len(meta), store.MaxMeta)
	case len(meta) > 0 && layoutOf(id) == store.LayoutV0:
		return fmt.Errorf("%w: the chunks of layout 0 carry no Meta", errors.ErrUnsupported)
	}
	return nil
}

// SetChunk implements store.Tx.
func (t *tx) SetChunk(ctx context.Context, id store.ColumnID, c store.Chunk) error {
	if err := t.startWrite(ctx, id); err != nil {
		return err
	}
	if err := checkMeta(id, c.Meta); err != nil {
		return err
	}
	err := t.setChunk(id, c)
	if err == nil && t.c.db.Changes() == 0 {
		err = fmt.Errorf("%w: chunk %d does not exist", store.ErrCorrupt, c.Number)
	}
	if last, ok := t.c.lasts[id]; err == nil && ok && c.Number == last.Number {
		last.Used, last.Meta = c.Used, bytes.Clone(c.Meta)
		t.c.keepLast(id, last)
	}
	return err
}

func (t *tx) setChunk(id store.ColumnID, c store.Chunk) error {
	switch layoutOf(id) {
	case store.LayoutV1:
		return t.setBlock(id, c)
	case store.LayoutNative:
		return t.setNative(id, c)
	}
	if err := t.c.blobs.close(); err != nil {
		return err
	}
	return t.c.run(`UPDATE col_chunks SET bytes_used = ? WHERE col_id = ? AND chunk_idx = ?`, c.Used, rowOf(id), c.Number)
}

// WriteAt implements store.Tx.
func (t *tx) WriteAt(ctx context.Context, id store.ColumnID, spans []store.Span) error {
	for _, s := range spans {
		if err := t.startWrite(ctx, id); err != nil {
			return err
		}
		if err := t.c.blobs.writeTo(id, s); err != nil {
			return err
		}
	}
	return nil
}

// DropChunks implements store.Tx.
func (t *tx) DropChunks(ctx context.Context, id store.ColumnID, from, to int64) error {
	if err := t.startWrite(ctx, id); err != nil {
		return err
	}
	if err := t.c.blobs.forget(); err != nil {
		return err
	}
	delete(t.c.lasts, id)
	return t.within(ctx, func() error {
		switch layoutOf(id) {
		case store.LayoutV1:
			return t.dropBlocks(id, from, to)
		case store.LayoutNative:
			return t.dropNative(id, from, to)
		}
		return t.c.run(`DELETE FROM col_chunks WHERE col_id = ? AND chunk_idx >= ? AND chunk_idx < ?`, rowOf(id), from, to)
	})
}

// dropAll removes the chunks of a column, whatever their numbers.
func (t *tx) dropAll(ctx context.Context, id store.ColumnID) error {
	delete(t.c.lasts, id)
	if err := t.c.blobs.forget(); err != nil {
		return err
	}
	return t.within(ctx, func() error {
		switch layoutOf(id) {
		case store.LayoutV1:
			return t.dropBlocks(id, math.MinInt64, math.MaxInt64)
		case store.LayoutNative:
			return t.dropNative(id, math.MinInt64, math.MaxInt64)
		}
		return t.c.run(`DELETE FROM col_chunks WHERE col_id = ?`, rowOf(id))
	})
}
