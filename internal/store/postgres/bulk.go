package postgres

import (
	"context"
	"encoding/binary"
	"io"
	"maps"
	"slices"

	"columnvault/internal/store"
)

// bulk is from how many bytes of new chunks on COPY is worth its trip.
const bulk = 1 << 20

// sendFresh sends chunks that did not exist before by COPY, if they are many.
// They are then no part of the writes any more.
func (t *tx) sendFresh(ctx context.Context) error {
	if t.writes.bytes < bulk {
		return nil
	}
	fresh, size := t.writes.fresh()
	if size < bulk {
		return nil
	}
	// The locks come first, and what was dropped goes.
	if err := t.ask(ctx, &trip{}); err != nil {
		return err
	}
	if _, err := t.c.pg.PgConn().CopyFrom(ctx, fresh, `COPY columnvault_chunks (col_id, chunk_idx, capacity, used, meta, data) FROM STDIN (FORMAT binary)`); err != nil {
		if ctx.Err() != nil {
			t.c.broken = true
		}
		return t.fail(ctx, err)
	}
	return nil
}

// fresh takes the chunks out that are new to their columns, whose revision still
// rises with the other writes.
func (w *writes) fresh() (rows *copyRows, size int) {
	rows = &copyRows{}
	for _, id := range slices.Sorted(maps.Keys(w.columns)) {
		c := w.columns[id]
		for _, number := range slices.Sorted(maps.Keys(c.chunks)) {
			if chunk := c.chunks[number]; chunk.fresh {
				rows.ids, rows.chunks = append(rows.ids, id), append(rows.chunks, chunk)
				size += len(chunk.data)
			}
		}
	}
	if size < bulk {
		return rows, size
	}
	for i, id := range rows.ids {
		delete(w.columns[id].chunks, rows.chunks[i].chunk.Number)
	}
	return rows, size
}

// copyRows is chunks in the binary format of COPY. It implements io.Reader.
type copyRows struct {
	ids    []store.ColumnID
	chunks []*chunkWrite
	// head is what comes next, and data what comes after it.
	head, data []byte
	next       int
}

func (r *copyRows) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if len(r.head)+len(r.data) == 0 && !r.row() {
			if n == 0 {
				return 0, io.EOF
			}
			return n, nil
		}
		k := copy(p[n:], r.head)
		r.head, n = r.head[k:], n+k
		if len(r.head) == 0 {
			k = copy(p[n:], r.data)
			r.data, n = r.data[k:], n+k
		}
	}
	return n, nil
}

// row begins with the next row, or with what comes after the last.
func (r *copyRows) row() bool {
	i := r.next
	r.next++
	switch {
	case i == 0:
		r.head = append([]byte("PGCOPY\n\xff\r\n\x00"), make([]byte, 8)...)
	case i <= len(r.ids):
		w := r.chunks[i-1]
		h := binary.BigEndian.AppendUint16(nil, 6)
		for _, number := range []int64{int64(r.ids[i-1]), w.chunk.Number, w.chunk.Capacity, w.chunk.Used} {
			h = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(h, 8), uint64(number))
		}
		h = append(binary.BigEndian.AppendUint32(h, uint32(len(w.chunk.Meta))), w.chunk.Meta...)
		r.head, r.data = binary.BigEndian.AppendUint32(h, uint32(len(w.data))), w.data
	case i == len(r.ids)+1:
		r.head = []byte{0xff, 0xff}
	default:
		return false
	}
	return true
}
