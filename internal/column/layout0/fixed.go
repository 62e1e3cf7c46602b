package layout0

import (
	"context"
	"fmt"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// Fixed is a column whose elements have one size. The position of an element
// is arithmetic; see grid.
type Fixed struct {
	id     store.ColumnID
	at     grid
	length int64
	// window is the number of bytes that a move takes at once.
	window int64
	// last is the chunk that appends go to, once known in this transaction.
	last *store.Chunk
	// spans is reused from call to call. It seldom has more than one, for which
	// there is memory here.
	spans []store.Span
	one   [1]store.Span
}

// OpenFixed opens the column of this catalog row. Where there is much to move,
// it takes window bytes at once.
func OpenFixed(row store.Row, window int64) (*Fixed, error) {
	at, err := newGrid(row.ElemSize, Bounds{Min: row.MinChunk, Max: row.MaxChunk})
	if err == nil {
		err = at.checkLength(row.Length)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", store.ErrCorrupt, err)
	}
	c := &Fixed{id: row.ID, at: at, length: row.Length, window: max(1, window)}
	c.spans = c.one[:0]
	return c, nil
}

func (c *Fixed) Len() int64 { return c.length }

func (c *Fixed) Size() int { return int(c.at.Size) }

func (c *Fixed) Backed(ctx context.Context, r store.Reader, i, j int64) error {
	if err := column.CheckRange(i, j, c.length); err != nil || (j-i)*c.at.Size <= trusted {
		return err
	}
	return c.backed(ctx, r, i, j)
}

// backed asks every chunk of the elements from i up to j for its last byte,
// unless the engine vouches for it.
func (c *Fixed) backed(ctx context.Context, r store.Reader, i, j int64) error {
	end := j * c.at.Size
	_, vouched := r.(store.Vouched)
	next, _ := c.at.locate(i * c.at.Size)
	c.spans = c.spans[:0]
	var last [1]byte
	for chunk, err := range r.Chunks(ctx, c.id, next, c.at.chunks(j)) {
		if err != nil {
			return err
		}
		if chunk.Number != next {
			break
		}
		if need := min(c.at.Max, end-next*c.at.Max); !vouched || chunk.Capacity < need {
			c.spans = append(c.spans, store.Span{Chunk: next, Offset: need - 1, Data: last[:]})
		}
		next++
	}
	if next < c.at.chunks(j) {
		return fmt.Errorf("%w: chunk %d of the %d elements from %d to %d is missing", store.ErrCorrupt, next, j-i, i, j)
	}
	return r.ReadAt(ctx, c.id, c.spans)
}

func (c *Fixed) readBytes(ctx context.Context, r store.Reader, p []byte, pos int64) error {
	if len(p) == 0 {
		return nil
	}
	return r.ReadAt(ctx, c.id, c.split(p, pos))
}

// split cuts the bytes at pos along the chunks. The result is good until the
// next call.
func (c *Fixed) split(p []byte, pos int64) []store.Span {
	c.spans = c.spans[:0]
	c.addSpans(p, pos)
	return c.spans
}

// addSpans adds what split cuts to the spans.
func (c *Fixed) addSpans(p []byte, pos int64) {
	for piece := range c.at.pieces(pos, int64(len(p))) {
		c.spans = append(c.spans, store.Span{Chunk: piece.Chunk, Offset: piece.Offset, Data: p[:piece.Len]})
		p = p[piece.Len:]
	}
}

func (c *Fixed) Read(ctx context.Context, r store.Reader, b *column.Elements, i, j, limit int64) (int64, error) {
	next, of, err := c.Spans(ctx, r, b, i, j, limit)
	if err != nil || len(of.Spans) == 0 {
		return next, err
	}
	return next, r.ReadAt(ctx, c.id, of.Spans)
}

// Ahead has nothing to look at.
func (c *Fixed) Ahead(int64, int64) store.ColumnSpans { return store.ColumnSpans{} }

func (c *Fixed) Spans(ctx context.Context, r store.Reader, b *column.Elements, i, j, limit int64) (int64, store.ColumnSpans, error) {
	if err := column.CheckRange(i, j, c.length); err != nil {
		return i, store.ColumnSpans{}, err
	}
	j = i + min(j-i, max(1, limit/c.at.Size))
	if !b.Has((j - i) * c.at.Size) {
		if err := c.Backed(ctx, r, i, j); err != nil {
			return i, store.ColumnSpans{}, err
		}
	}
	p := b.Extend((j - i) * c.at.Size)
	return j, store.ColumnSpans{Column: c.id, Spans: c.split(p, i*c.at.Size)}, nil
}

func (c *Fixed) Before(_ context.Context, _ store.Reader, j, limit int64) (int64, error) {
	return max(0, j-max(1, limit/c.at.Size)), column.CheckRange(j, j, c.length)
}

func (c *Fixed) Gather(ctx context.Context, r store.Reader, b *column.Elements, at []int64) error {
	for _, i := range at {
		if err := column.CheckRange(i, i+1, c.length); err != nil {
			return err
		}
	}
	p := b.Extend(int64(len(at)) * c.at.Size)
	c.spans = c.spans[:0]
	for _, i := range at {
		chunk, offset := c.at.locate(i * c.at.Size)
		c.spans = append(c.spans, store.Span{Chunk: chunk, Offset: offset, Data: p[:c.at.Size]})
		p = p[c.at.Size:]
	}
	return r.ReadAt(ctx, c.id, c.spans)
}

func (c *Fixed) Stat(ctx context.Context, r store.Reader) (column.Stat, error) {
	return column.StatFixed(ctx, r, c.id, c.length, c.at.Size)
}
