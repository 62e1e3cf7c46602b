package sqlite

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"

	"github.com/ncruces/go-sqlite3"

	"columnvault/internal/store"
)

const (
	// smallRead is the size in bytes up to which a read uses a handle that
	// stays at its chunk. Each such handle owns a buffer of what it read last.
	smallRead = 8 << 10
	// blobPiece is the most that is moved at once: both copies of it, the
	// engine's and the caller's, then stay in the processor's cache.
	blobPiece = 128 << 10
	// fewBlobs and manyBlobs bound the small handles that a transaction keeps
	// open: few where statements run between the reads, because each of them
	// walks along all handles, and else many.
	fewBlobs, manyBlobs = 128, 4096
	// handleMemory is what a small handle takes beside its buffer, in bytes, and
	// blobMemory what all of them may take where there are more than fewBlobs.
	handleMemory, blobMemory = 2600, 16 << 20
)

// place is a chunk of a column, or what of it is in another field than the rest.
type place struct {
	id     store.ColumnID
	number int64
	rest   bool
}

// bytesRow is the row of the bytes of a chunk, and how many of these are in the
// first field, wholeRow for all.
type bytesRow struct{ row, first int64 }

const wholeRow = math.MaxInt64

// scanBytesRow reads it from two columns of a statement.
func scanBytesRow(st *sqlite3.Stmt, column int) bytesRow {
	r := bytesRow{st.ColumnInt64(column), wholeRow}
	if st.ColumnType(column+1) != sqlite3.NULL {
		r.first = st.ColumnInt64(column + 1)
	}
	return r
}

// blob is a BLOB handle that stands at a chunk. It can be moved to others whose
// bytes are in the same field.
type blob struct {
	*sqlite3.Blob
	field bytesField
	at    place
	// buffer is the size in bytes of the buffer of a small handle.
	buffer int
}

// blobs are the BLOB handles that a transaction keeps open. Positioning one
// costs a walk along the chunk's pages, reading through one that is already
// there costs next to nothing. Short ranges get a handle per chunk, so that
// random access over many chunks walks once per chunk; long ranges share one
// handle, which moves from chunk to chunk, because a handle holds a buffer as
// large as its largest read.
//
// One handle more pays if a chunk is visited again, and costs if statements
// run, as they do for a transaction that goes from column to column. So beyond
// fewBlobs another one is opened only if no statement has run since the last
// time that there was none at a chunk.
type blobs struct {
	c     *conn
	write bool
	small map[place]*blob
	// ring holds the small handles in the order of opening; victim is the one
	// to move next when there are as many as may be.
	ring   []*blob
	victim int
	// memory is what the small handles take, in bytes.
	memory int
	// missed is the count of statements when a handle was last missing.
	missed uint64
	large  *blob
	rowids map[place]bytesRow
	// value is the handle at a value of a key-value table.
	value *value
}

func newBlobs(c *conn) *blobs {
	return &blobs{c: c, small: map[place]*blob{}, rowids: map[place]bytesRow{}}
}

// at returns a handle at the chunk for moving n bytes.
func (b *blobs) at(p place, n int) (*blob, error) {
	if n > smallRead {
		if b.large == nil {
			h, err := b.openAt(p)
			b.large = h
			return h, err
		}
		return b.large, b.move(b.large, p)
	}
	if h := b.small[p]; h != nil {
		if fits, err := b.lend(h, n); fits || err != nil {
			return h, err
		}
	}
	if !b.another(n) {
		h := b.ring[b.victim]
		if fits, err := b.lend(h, n); err != nil {
			return nil, err
		} else if fits {
			b.victim = (b.victim + 1) % len(b.ring)
			delete(b.small, h.at)
			if err := b.move(h, p); err != nil {
				return nil, err
			}
			b.small[p] = h
			return h, nil
		}
	}
	h, err := b.openAt(p)
	if err != nil {
		return nil, err
	}
	h.buffer = n
	b.memory += handleMemory + n
	b.small[p] = h
	b.ring = append(b.ring, h)
	return h, nil
}

// another tells whether another small handle may be opened, to move n bytes.
func (b *blobs) another(n int) bool {
	most := fewBlobs
	if b.missed == b.c.statements {
		most = manyBlobs
	}
	b.missed = b.c.statements
	return len(b.ring) < most && (len(b.ring) < fewBlobs || b.memory+handleMemory+n <= blobMemory)
}

// lend makes a small handle fit to move n bytes. If the buffers of all get too
// large, it closes all handles instead.
func (b *blobs) lend(h *blob, n int) (fits bool, err error) {
	grown := max(0, n-h.buffer)
	if grown > 0 && len(b.ring) > fewBlobs && b.memory+grown > blobMemory {
		return false, b.closeSmall()
	}
	h.buffer += grown
	b.memory += grown
	return true, nil
}

func (b *blobs) openAt(p place) (*blob, error) {
	row, err := b.rowid(p)
	if err != nil {
		return nil, err
	}
	field := fieldOf(p)
	h, err := b.c.db.OpenBlob("main", field.table, field.column, row.row, b.write)
	if err != nil {
		return nil, wrap(err)
	}
	return &blob{Blob: h, field: field, at: p}, nil
}

// fieldOf is where the bytes of a place are.
func fieldOf(p place) bytesField {
	if p.rest {
		return chunksOf(p.id).rest
	}
	return chunksOf(p.id).data
}

// move stands the handle at another chunk. After a failure the handle is
// nowhere, so the next use moves it again.
func (b *blobs) move(h *blob, p place) error {
	if h.at == p {
		return nil
	}
	h.at = place{}
	row, err := b.rowid(p)
	if err != nil {
		return err
	}
	if h.field != fieldOf(p) {
		return b.exchange(h, p)
	}
	if err := h.Reopen(row.row); err != nil {
		return wrap(err)
	}
	h.at = p
	return nil
}

// exchange is move to a chunk in another field.
func (b *blobs) exchange(h *blob, p place) error {
	other, err := b.openAt(p)
	if err != nil {
		return err
	}
	err = h.Close()
	other.buffer = h.buffer
	*h = *other
	return wrap(err)
}

// rowid is the row of the bytes of a chunk.
func (b *blobs) rowid(p place) (bytesRow, error) {
	p.rest = false
	if row, ok := b.rowids[p]; ok {
		return row, nil
	}
	t, err := b.c.chunksOf(p.id)
	if t == nil {
		return bytesRow{}, cmp.Or(err, fmt.Errorf("%w: a column of layout %d has no chunks here", store.ErrCorrupt, layoutOf(p.id)))
	}
	found := false
	var row bytesRow
	err = b.c.query(t.row, func(st *sqlite3.Stmt) { row, found = scanBytesRow(st, 0), true }, rowOf(p.id), p.number)
	if err == nil && !found {
		err = fmt.Errorf("%w: chunk %d does not exist", store.ErrCorrupt, p.number)
	}
	if err == nil {
		b.keepRow(p, row)
	}
	return row, err
}

// maxRows bounds the chunks of which it is remembered where their bytes are.
const maxRows = 1 << 16

// keepRow remembers the row of the bytes of a chunk.
func (b *blobs) keepRow(p place, row bytesRow) {
	if len(b.rowids) >= maxRows {
		clear(b.rowids)
	}
	b.rowids[p] = row
}

// find says in which field the bytes of a span are, and where in it.
func (b *blobs) find(id store.ColumnID, s store.Span) (place, int64, error) {
	p := place{id: id, number: s.Chunk}
	if t := chunksOf(id); t == nil || t.rest == (bytesField{}) {
		return p, s.Offset, nil
	}
	row, err := b.rowid(p)
	if err != nil || s.Offset < row.first && int64(len(s.Data)) <= row.first-s.Offset || s.Offset == row.first && len(s.Data) == 0 {
		return p, s.Offset, err
	}
	p.rest = true
	return p, s.Offset - row.first, nil
}

// read fills the span from its chunk.
func (b *blobs) read(ctx context.Context, id store.ColumnID, s store.Span) (err error) {
	defer b.c.guard(&err, catchFaults())
	if err := b.c.readsElements(len(s.Data)); err != nil {
		return err
	}
	p, offset, err := b.find(id, s)
	if err != nil {
		return err
	}
	if done, err := b.readDirect(ctx, p, s.Data, offset); done || err != nil {
		return err
	}
	h, err := b.at(p, len(s.Data))
	if err != nil {
		return err
	}
	if err := b.c.readBlob(ctx, h.Blob, s.Data, offset); err != nil {
		return fmt.Errorf("chunk %d: %w", s.Chunk, err)
	}
	return nil
}

// writeTo fills the chunk from the span.
func (b *blobs) writeTo(id store.ColumnID, s store.Span) (err error) {
	defer b.c.guard(&err, catchFaults())
	p, offset, err := b.find(id, s)
	if err != nil {
		return err
	}
	h, err := b.at(p, len(s.Data))
	if err != nil {
		return err
	}
	if err := b.c.writeBlob(h.Blob, s.Data, offset); err != nil {
		return fmt.Errorf("chunk %d: %w", s.Chunk, err)
	}
	return nil
}

// readBlob fills p from a BLOB, in pieces, until the ctx is done.
func (c *conn) readBlob(ctx context.Context, h *sqlite3.Blob, p []byte, offset int64) (err error) {
	defer c.guard(&err, catchFaults())
	if err := seek(h, len(p), offset); err != nil {
		return err
	}
	for len(p) > 0 {
		n, err := h.Read(p[:min(len(p), blobPiece)])
		if err != nil && err != io.EOF {
			return wrap(err)
		}
		if p = p[n:]; len(p) > 0 && ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// writeBlob writes p into a BLOB, in pieces.
func (c *conn) writeBlob(h *sqlite3.Blob, p []byte, offset int64) (err error) {
	defer c.guard(&err, catchFaults())
	if err := seek(h, len(p), offset); err != nil {
		return err
	}
	c.changed = true
	for len(p) > 0 {
		n, err := h.Write(p[:min(len(p), blobPiece)])
		if err != nil {
			return wrap(err)
		}
		p = p[n:]
	}
	return nil
}

// seek checks that the BLOB has n bytes at the offset and goes there.
func seek(h *sqlite3.Blob, n int, offset int64) error {
	if size := h.Size(); offset < 0 || offset > size || int64(n) > size-offset {
		return fmt.Errorf("%w: there are %d bytes, not %d at %d", store.ErrCorrupt, size, n, offset)
	}
	_, err := h.Seek(offset, io.SeekStart)
	return err
}

// close closes every handle: before a commit, which an open writing handle
// would keep from happening, and before a statement changes rows under them.
func (b *blobs) close() (err error) {
	if len(b.ring) == 0 && b.large == nil && b.value == nil {
		return nil
	}
	err = b.closeValue()
	if b.large != nil {
		if e := b.c.closing(b.large.Close); err == nil {
			err = e
		}
		b.large = nil
	}
	if e := b.closeSmall(); err == nil {
		err = e
	}
	return wrap(err)
}

func (b *blobs) closeSmall() (err error) {
	for _, h := range b.ring {
		if e := b.c.closing(h.Close); err == nil {
			err = e
		}
	}
	b.ring, b.victim, b.memory = b.ring[:0], 0, 0
	clear(b.small)
	return wrap(err)
}

// forget closes the handles and drops what is known of rows.
func (b *blobs) forget() error {
	clear(b.rowids)
	return b.close()
}
