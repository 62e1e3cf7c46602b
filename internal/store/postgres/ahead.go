package postgres

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/jackc/pgx/v5"

	"columnvault/internal/store"
)

const (
	// firstAhead is how many chunks are read ahead first. Each time that the reader
	// comes to them they become twice as many, up to those of a window.
	firstAhead = 4
	// mostAhead is of how many columns a snapshot has chunks ahead. Together they
	// take some windows, because each has its share of one when it reads.
	mostAhead = 16
)

// ahead is what a snapshot has read of a column beyond what it was asked for. Who
// reads one chunk after the other in small parts, as scans and compressed columns
// do, would otherwise wait for the server each time.
type ahead struct {
	// last is the highest chunk of the read before.
	last int64
	// count is how many chunks to read ahead.
	count int64
	// chunks are in order.
	chunks []aheadChunk
}

type aheadChunk struct {
	number, capacity int64
	data             []byte
}

// ReadAt implements store.Reader.
func (r *snapshot) ReadAt(ctx context.Context, id store.ColumnID, spans []store.Span) error {
	return r.ReadAll(ctx, []store.ColumnSpans{{Column: id, Spans: spans}})
}

// ReadAll implements store.Reader. All that a snapshot reads shows one state, so
// what was read ahead is what the server would answer now.
func (r *snapshot) ReadAll(ctx context.Context, columns []store.ColumnSpans) error {
	var t trip
	var left []store.ColumnSpans
	for _, c := range columns {
		if err := r.column(ctx, c.Column); err != nil {
			return err
		}
		if len(c.Spans) == 0 {
			continue
		}
		a := r.ahead[c.Column]
		if a == nil {
			a = r.track(c.Column)
		}
		before, first, size := a.follow(c.Spans)
		if c.Spans = a.take(c.Spans); len(c.Spans) > 0 {
			left = append(left, c)
			if before < first && size < window {
				r.addAhead(&t, a, c.Column, before, first)
			}
		}
	}
	err := r.readSpans(ctx, &t, left)
	if err != nil {
		r.ahead = nil // of which some may be of a trip that was not compared
	}
	return err
}

// track begins to note how a column is read.
func (r *snapshot) track(id store.ColumnID) *ahead {
	if r.ahead == nil || len(r.ahead) == mostAhead {
		r.ahead = map[store.ColumnID]*ahead{}
	}
	a := &ahead{last: math.MaxInt64, count: firstAhead}
	r.ahead[id] = a
	return a
}

// follow takes note of a read, and returns the highest chunk of the one before it,
// its own first and its size in bytes.
func (a *ahead) follow(spans []store.Span) (before, first int64, size int) {
	before, first = a.last, spans[0].Chunk
	a.last = first
	for _, s := range spans {
		first, a.last, size = min(first, s.Chunk), max(a.last, s.Chunk), size+len(s.Data)
	}
	return before, first, size
}

// take fills the spans that lie in chunks that were read ahead, and returns the
// others.
func (a *ahead) take(spans []store.Span) []store.Span {
	if len(a.chunks) == 0 {
		return spans
	}
	var left []store.Span
	for _, s := range spans {
		k, ok := slices.BinarySearchFunc(a.chunks, s.Chunk, func(c aheadChunk, number int64) int { return cmp.Compare(c.number, number) })
		if !ok || checkSpan(s) != nil || s.Offset+int64(len(s.Data)) > a.chunks[k].capacity {
			left = append(left, s)
			continue
		}
		data := a.chunks[k].data
		clear(s.Data[copy(s.Data, data[min(s.Offset, int64(len(data))):]):])
	}
	return left
}

// addAhead adds the statement that reads the chunks of a column which come after
// those that are read now, from the first on, if these come after what was read
// before: the server looks whether there is a chunk between the two.
func (r *snapshot) addAhead(t *trip, a *ahead, id store.ColumnID, before, first int64) {
	size := r.rows[id].row.MaxChunk
	most := window / int64(len(r.ahead)) / max(size, 4<<10)
	if size == 0 || most == 0 || r.s.apart { // a router might bring all chunks to take the first of them
		return
	}
	count := min(a.count, most)
	a.count = firstAhead
	t.add(func(rows pgx.Rows) error {
		var c aheadChunk
		var data pgxRaw
		if err := rows.Scan(&c.number, &c.capacity, &data); err != nil {
			return err
		}
		k := len(a.chunks)
		if k > 0 && c.number <= a.chunks[k-1].number {
			return nil // the column was asked for twice at once
		}
		a.count = 2 * count
		if k < cap(a.chunks) {
			c.data = a.chunks[:k+1][k].data[:0] // the memory of one that was there before
		}
		c.data = append(c.data, data...)
		a.chunks = append(a.chunks, c)
		return nil
	}, `SELECT chunk_idx, capacity, data FROM columnvault_chunks WHERE col_id = $1 AND chunk_idx > $2 AND capacity <= $3
		AND NOT EXISTS (SELECT FROM columnvault_chunks WHERE col_id = $1 AND chunk_idx > $4 AND chunk_idx < $5)
		ORDER BY chunk_idx LIMIT $6`, int64(id), a.last, size, before, first, count)
	a.chunks = a.chunks[:0]
}
