package layout1

import (
	"context"
	"errors"
	"fmt"
	"math"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// Fixed is a column whose elements have one size. Block k holds the elements
// from k*per on; all blocks have one capacity.
type Fixed struct {
	readOnly
	id     store.ColumnID
	form   *Form
	length int64
	// size is that of an element as it is stored, per the number of elements in
	// a block.
	size, per int64
	// spans and raw are reused from call to call.
	spans []store.Span
	raw   []byte
}

var _ column.Walked = (*Fixed)(nil)

// capacity is that of the blocks of a column, in bytes, for elements of size
// bytes.
func capacity(size, blockBytes int64) int64 { return max(size, blockBytes/size*size) }

// OpenFixed opens the column of this catalog row. Without a form, elements are
// read as they are stored.
func OpenFixed(row store.Row, form *Form) (*Fixed, error) {
	switch {
	case row.ElemSize < 1 || row.MaxChunk < 1:
		return nil, fmt.Errorf("%w: elements of %d bytes in blocks of %d", store.ErrCorrupt, row.ElemSize, row.MaxChunk)
	case form != nil && row.ElemSize != form.Stored:
		return nil, fmt.Errorf("%w: elements of %d bytes, where the dtype has %d", store.ErrCorrupt, row.ElemSize, form.Stored)
	case row.Length < 0 || row.Length > maxPosition/row.ElemSize:
		return nil, fmt.Errorf("%w: a length of %d elements of %d bytes is impossible", store.ErrCorrupt, row.Length, row.ElemSize)
	}
	return &Fixed{id: row.ID, form: form, length: row.Length, size: row.ElemSize, per: capacity(row.ElemSize, row.MaxChunk) / row.ElemSize}, nil
}

func (c *Fixed) Len() int64 { return c.length }

func (c *Fixed) Size() int {
	if c.form != nil {
		return int(c.form.Size)
	}
	return int(c.size)
}

// blocks is the number of blocks that the length needs.
func (c *Fixed) blocks() int64 {
	n := c.length / c.per
	if c.length%c.per > 0 {
		n++
	}
	return n
}

// rows is how many elements lie in a block.
func (c *Fixed) rows(number int64) int64 { return min(c.per, c.length-number*c.per) }

func (c *Fixed) Backed(ctx context.Context, r store.Reader, i, j int64) error {
	if err := column.CheckRange(i, j, c.length); err != nil || (j-i)*c.size <= trusted {
		return err
	}
	next, end := i/c.per, (j-1)/c.per+1
	for chunk, err := range r.Chunks(ctx, c.id, next, end) {
		if err != nil {
			return err
		}
		if chunk.Number != next {
			break
		}
		if err := column.Holds(ctx, r, c.id, next, min(c.per, j-next*c.per)*c.size); err != nil {
			return err
		}
		next++
	}
	if next < end {
		return fmt.Errorf("%w: block %d of the %d elements from %d to %d is missing", store.ErrCorrupt, next, j-i, i, j)
	}
	return nil
}

func (c *Fixed) Read(ctx context.Context, r store.Reader, e *column.Elements, i, j, limit int64) (int64, error) {
	if err := column.CheckRange(i, j, c.length); err != nil {
		return i, err
	}
	j = i + min(j-i, max(1, limit/c.size))
	if c.form != nil || !e.Has((j-i)*c.size) {
		if err := c.Backed(ctx, r, i, j); err != nil {
			return i, err
		}
	}
	p := c.room(e, j-i)
	c.spans = c.spans[:0]
	for at := i; at < j; {
		number, from := at/c.per, at%c.per
		n := min(j-at, c.per-from)
		c.spans = append(c.spans, store.Span{Chunk: number, Offset: from * c.size, Data: p[:n*c.size]})
		p, at = p[n*c.size:], at+n
	}
	return j, c.fill(ctx, r, e)
}

// room is memory for n elements as they are stored: that of e, if they are read
// so, and our own otherwise.
func (c *Fixed) room(e *column.Elements, n int64) []byte {
	if c.form == nil {
		return e.Extend(n * c.size)
	}
	if int64(cap(c.raw)) < n*c.size {
		c.raw = make([]byte, n*c.size)
	}
	c.raw = c.raw[:n*c.size]
	return c.raw
}

// fill reads the spans, and gives e what is in our own memory then.
func (c *Fixed) fill(ctx context.Context, r store.Reader, e *column.Elements) error {
	if len(c.spans) == 0 {
		return nil
	}
	err := r.ReadAt(ctx, c.id, c.spans)
	if err == nil && c.form != nil {
		err = c.form.read(e, c.raw, c.size, nil)
	}
	return err
}

func (c *Fixed) Before(_ context.Context, _ store.Reader, j, limit int64) (int64, error) {
	return max(0, j-max(1, limit/c.size)), column.CheckRange(j, j, c.length)
}

func (c *Fixed) Gather(ctx context.Context, r store.Reader, e *column.Elements, at []int64) error {
	for _, i := range at {
		if err := column.CheckRange(i, i+1, c.length); err != nil {
			return err
		}
		if err := c.Backed(ctx, r, i, i+1); err != nil {
			return err
		}
	}
	p := c.room(e, int64(len(at)))
	c.spans = c.spans[:0]
	for _, i := range at {
		c.spans = append(c.spans, store.Span{Chunk: i / c.per, Offset: i % c.per * c.size, Data: p[:c.size]})
		p = p[c.size:]
	}
	return c.fill(ctx, r, e)
}

func (c *Fixed) Stat(ctx context.Context, r store.Reader) (column.Stat, error) {
	return column.StatFixed(ctx, r, c.id, c.length, c.size)
}

// Check looks whether the column keeps the rules of the format. It asks every
// block how many bytes it has.
func (c *Fixed) Check(ctx context.Context, r store.Reader, found column.Report) error {
	next := int64(0)
	for chunk, err := range r.Chunks(ctx, c.id, math.MinInt64, math.MaxInt64) {
		if err != nil {
			return err
		}
		if chunk.Number < 0 || chunk.Number >= c.blocks() {
			found.Hazard(column.Problem{Kind: column.ProblemStray, Chunk: chunk.Number, Bytes: chunk.Capacity}, "no element lies in block %d", chunk.Number)
			continue
		}
		c.checkMissing(found, next, chunk.Number)
		next = chunk.Number + 1
		if err := c.checkBlock(ctx, r, found, chunk); err != nil {
			return err
		}
	}
	c.checkMissing(found, next, c.blocks())
	return nil
}

// checkMissing reports the blocks from up to, not including, to.
func (c *Fixed) checkMissing(found column.Report, from, to int64) {
	if from >= to {
		return
	}
	p := column.Problem{Kind: column.ProblemMissing, Chunk: from, From: from * c.per, To: min(to*c.per, c.length)}
	p.Bytes = (p.To - p.From) * c.size
	found.Damage(p, "blocks are missing from number %d on: %d, with %d elements", from, to-from, p.To-p.From)
}

func (c *Fixed) checkBlock(ctx context.Context, r store.Reader, found column.Report, chunk store.Chunk) error {
	rows := c.rows(chunk.Number)
	p := column.Problem{Chunk: chunk.Number, From: chunk.Number * c.per, To: chunk.Number*c.per + rows, Bytes: rows * c.size}
	short := p
	short.Kind = column.ProblemShort
	err := column.Holds(ctx, r, c.id, chunk.Number, rows*c.size)
	if errors.Is(err, store.ErrCorrupt) {
		found.Damage(short, "block %d has fewer than the %d bytes in which elements lie", chunk.Number, rows*c.size)
		return nil
	}
	if err != nil {
		return err
	}
	p.From, p.To = 0, 0
	b, err := blockOf(chunk, false)
	if err != nil {
		p.Kind = column.ProblemUsed
		found.Hazard(p, "%v", err)
		return nil
	}
	if b.First != chunk.Number*c.per || b.Rows != rows || b.used != rows*c.size {
		p.Kind = column.ProblemUsed
		found.Hazard(p, "block %d says that it has %d elements from %d on, of %d bytes, where the length leaves %d from %d on, of %d: 1.1.0 may refuse to read them",
			chunk.Number, b.Rows, b.First, b.used, rows, chunk.Number*c.per, rows*c.size)
	}
	p.Kind = column.ProblemSize
	if b.Room != c.per || b.payload != c.per*c.size {
		found.Hazard(p, "block %d has room for %d elements in %d bytes; the rule is %d in %d", chunk.Number, b.Room, b.payload, c.per, c.per*c.size)
		return nil
	}
	err = column.Holds(ctx, r, c.id, chunk.Number, b.payload)
	if errors.Is(err, store.ErrCorrupt) {
		found.Hazard(p, "block %d is shorter than its capacity of %d: 1.1.0 cannot append to it", chunk.Number, b.payload)
		return nil
	}
	return err
}

func (c *Fixed) Stretch(ctx context.Context, r store.Reader, i int64) (end int64, why, err error) {
	number := i / c.per
	end = number*c.per + c.rows(number)
	_, err = r.Chunk(ctx, c.id, number)
	switch {
	case errors.Is(err, store.ErrNotFound):
		for chunk, err := range r.Chunks(ctx, c.id, number, c.blocks()) {
			if err != nil && !errors.Is(err, store.ErrCorrupt) {
				return 0, nil, err
			}
			if err == nil {
				return chunk.Number * c.per, fmt.Errorf("%w: block %d is missing", store.ErrCorrupt, number), nil
			}
			break
		}
		return c.length, fmt.Errorf("%w: block %d and all after it are missing", store.ErrCorrupt, number), nil
	case errors.Is(err, store.ErrCorrupt):
		return end, nil, nil // it may be listed badly and be there all the same
	case err != nil:
		return 0, nil, err
	}
	have, err := column.Stored(ctx, r, c.id, number, (end-number*c.per)*c.size)
	if err != nil {
		return 0, nil, err
	}
	if have /= c.size; number*c.per+have <= i {
		return end, fmt.Errorf("%w: block %d has only %d elements", store.ErrCorrupt, number, have), nil
	}
	return number*c.per + have, nil, nil
}

// Walk implements column.Column.
func (c *Fixed) Walk(ctx context.Context, r store.Reader, limit int64, found func(int64, *column.Elements) error, lost func(int64, int64, error) error) error {
	return column.Walk(ctx, r, c, limit, found, lost)
}

// Extent implements column.Column.
func (c *Fixed) Extent(ctx context.Context, r store.Reader) (int64, error) {
	last := int64(-1)
	for chunk, err := range r.Chunks(ctx, c.id, 0, c.blocks()) {
		if err != nil {
			return 0, err
		}
		last = chunk.Number
	}
	if last < 0 {
		return 0, nil
	}
	have, err := column.Stored(ctx, r, c.id, last, c.rows(last)*c.size)
	return last*c.per + have/c.size, err
}

// Ahead implements [column.Column]: Spans reads by itself.
func (c *Fixed) Ahead(int64, int64) store.ColumnSpans { return store.ColumnSpans{} }

func (c *Fixed) Spans(ctx context.Context, r store.Reader, b *column.Elements, i, j, limit int64) (int64, store.ColumnSpans, error) {
	next, err := c.Read(ctx, r, b, i, j, limit)
	return next, store.ColumnSpans{}, err
}
