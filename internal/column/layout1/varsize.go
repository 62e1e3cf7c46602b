package layout1

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// VarSize is a column whose elements vary in size. A block begins with the bytes
// of its elements and ends in a table of offsets: where each begins, and where
// the last ends. The block of an element is the one with the largest First that
// is not past it.
type VarSize struct {
	readOnly
	id     store.ColumnID
	form   *Form
	length int64
	// window is the number of offsets that are read at once.
	window int64
	// at is the block that was used last, if it has elements.
	at block
	// all are the blocks with elements in the order of these, once somebody
	// needed that.
	all []block
	// offs, bytes and raw are reused from call to call.
	offs  []int64
	bytes []byte
	raw   []byte
}

var _ column.Walked = (*VarSize)(nil)

// OpenVarSize opens the column of this catalog row. Where there is much to read,
// it takes window bytes at once. Without a form, elements are read as they are
// stored.
func OpenVarSize(row store.Row, form *Form, window int64) (*VarSize, error) {
	switch {
	case row.ElemSize != 0 || row.MaxChunk < 1 || form != nil && form.Stored != 0:
		return nil, fmt.Errorf("%w: elements of %d bytes in blocks of %d", store.ErrCorrupt, row.ElemSize, row.MaxChunk)
	case row.Length < 0 || row.Length > maxPosition:
		return nil, fmt.Errorf("%w: a length of %d elements is impossible", store.ErrCorrupt, row.Length)
	}
	return &VarSize{id: row.ID, form: form, length: row.Length, window: max(1, window/offsetSize)}, nil
}

func (c *VarSize) Len() int64 { return c.length }

func (c *VarSize) Size() int { return 0 }

// find is the block that element i lies in. KohakuVault numbers blocks in the
// order of their elements, mostly without gaps; where that leads nowhere, all
// blocks are looked at.
func (c *VarSize) find(ctx context.Context, r store.Reader, i int64) (*block, error) {
	if c.at.has(i) {
		return &c.at, nil
	}
	if c.all == nil {
		if err := c.search(ctx, r, i); err != nil || c.at.has(i) {
			return &c.at, err
		}
		if err := c.load(ctx, r); err != nil {
			return nil, err
		}
	}
	k := c.after(i)
	if k == 0 || !c.all[k-1].has(i) {
		return nil, fmt.Errorf("%w: no block has element %d", store.ErrCorrupt, i)
	}
	c.at = c.all[k-1]
	return &c.at, nil
}

// after is the number of blocks, in the order of elements, that begin at or
// before element i.
func (c *VarSize) after(i int64) int {
	k, _ := slices.BinarySearchFunc(c.all, i, func(b block, i int64) int {
		if b.First <= i {
			return -1
		}
		return 1
	})
	return k
}

// search leaves the block of element i in c.at if the numbers of blocks lead to
// it.
func (c *VarSize) search(ctx context.Context, r store.Reader, i int64) error {
	low, high, try := int64(0), int64(0), c.at.number+1
	if c.at.Rows == 0 || i != c.at.end() {
		last, err := r.LastChunk(ctx, c.id)
		if errors.Is(err, store.ErrNotFound) || last.Number < 0 {
			return nil
		}
		if err != nil {
			return err
		}
		high = last.Number
		try = int64(float64(high) * float64(i) / float64(max(1, c.length)))
	} else {
		low, high = try, try
	}
	for low <= high {
		try = min(max(try, low), high)
		chunk, err := r.Chunk(ctx, c.id, try)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		b, err := blockOf(chunk, true)
		switch {
		case err != nil || b.Rows == 0:
			return nil
		case b.has(i):
			c.at = b
			return nil
		case i < b.First:
			high = try - 1
		default:
			low = try + 1
		}
		try = low + (high-low)/2
	}
	return nil
}

// load looks at all blocks. Those that say impossible things are left out.
func (c *VarSize) load(ctx context.Context, r store.Reader) error {
	all := []block{}
	for chunk, err := range r.Chunks(ctx, c.id, math.MinInt64, math.MaxInt64) {
		if err != nil {
			return err
		}
		if b, err := blockOf(chunk, true); err == nil && b.Rows > 0 {
			all = append(all, b)
		}
	}
	slices.SortStableFunc(all, func(a, b block) int { return cmp.Compare(a.First, b.First) })
	c.all = all
	return nil
}

// offsets reads where the elements from i up to j of a block begin, and where
// the last of them ends. The result is good until the next call.
func (c *VarSize) offsets(ctx context.Context, r store.Reader, b *block, i, j int64) ([]int64, error) {
	n := j - i + 1
	c.bytes = slices.Grow(c.bytes[:0], int(n*offsetSize))[:n*offsetSize]
	span := [1]store.Span{{Chunk: b.number, Offset: b.payload + (i-b.First)*offsetSize, Data: c.bytes}}
	if err := r.ReadAt(ctx, c.id, span[:]); err != nil {
		return nil, err
	}
	c.offs = slices.Grow(c.offs[:0], int(n))[:n]
	last := int64(0)
	for k := range c.offs {
		at := binary.LittleEndian.Uint64(c.bytes[k*offsetSize:])
		if at > uint64(max(0, b.payload)) || int64(at) < last {
			return nil, fmt.Errorf("%w: the offset %d of element %d of block %d, after %d, leads nowhere in %d bytes", store.ErrCorrupt, at, i+int64(k), b.number, last, b.payload)
		}
		last = int64(at)
		c.offs[k] = last
	}
	return c.offs, nil
}

func (c *VarSize) Backed(ctx context.Context, r store.Reader, i, j int64) error {
	if err := column.CheckRange(i, j, c.length); err != nil || j-i <= trusted/(2*offsetSize) {
		return err
	}
	if c.all == nil {
		if err := c.load(ctx, r); err != nil {
			return err
		}
	}
	for next := i; next < j; {
		b, err := c.find(ctx, r, next)
		if err == nil {
			err = column.Holds(ctx, r, c.id, b.number, b.payload+(b.Rows+1)*offsetSize)
		}
		if err != nil {
			return err
		}
		next = b.end()
	}
	return nil
}

// maxRead is the number of elements that are read at once where that is limited
// at all: those without bytes take memory too.
const maxRead = 1 << 20

func (c *VarSize) Read(ctx context.Context, r store.Reader, e *column.Elements, i, j, limit int64) (int64, error) {
	if err := column.CheckRange(i, j, c.length); err != nil {
		return i, err
	}
	if limit != column.NoLimit {
		j = min(j, i+maxRead)
	}
	for next := i; next < j; {
		b, err := c.find(ctx, r, next)
		if err != nil {
			return i, err
		}
		to := min(j, b.end(), next+c.window)
		offs, err := c.offsets(ctx, r, b, next, to)
		if err != nil {
			return i, err
		}
		n := column.Fitting(offs, limit, next == i)
		if n > 0 {
			if err := c.payload(ctx, r, e, b, offs[:n+1]); err != nil {
				return i, err
			}
		}
		limit -= offs[n] - offs[0]
		if next += int64(n); next < to {
			return next, nil
		}
	}
	return j, nil
}

// payload reads the elements between the offsets of a block.
func (c *VarSize) payload(ctx context.Context, r store.Reader, e *column.Elements, b *block, offs []int64) error {
	first, end := offs[0], offs[len(offs)-1]
	if end-first > trusted {
		if err := column.Holds(ctx, r, c.id, b.number, end); err != nil {
			return err
		}
	}
	var p []byte
	if c.form == nil {
		old := len(e.Data)
		p = e.Extend(end - first)
		e.Ends = slices.Grow(e.Ends, len(offs)-1)
		for _, at := range offs[1:] {
			e.Ends = append(e.Ends, old+int(at-first))
		}
	} else {
		c.raw = slices.Grow(c.raw[:0], int(end-first))[:end-first]
		p = c.raw
	}
	if len(p) > 0 {
		span := [1]store.Span{{Chunk: b.number, Offset: first, Data: p}}
		if err := r.ReadAt(ctx, c.id, span[:]); err != nil {
			return err
		}
	}
	if c.form == nil {
		return nil
	}
	ends := offs[1:]
	for k := range ends {
		ends[k] -= first
	}
	err := c.form.read(e, p, 0, ends)
	for k := range ends {
		ends[k] += first
	}
	return err
}

func (c *VarSize) Before(ctx context.Context, r store.Reader, j, limit int64) (int64, error) {
	if err := column.CheckRange(j, j, c.length); err != nil {
		return j, err
	}
	size, least := int64(0), max(0, j-maxRead)
	for i := j; i > least; {
		b, err := c.find(ctx, r, i-1)
		if err != nil {
			return j, err
		}
		offs, err := c.offsets(ctx, r, b, max(b.First, least, i-c.window), i)
		if err != nil {
			return j, err
		}
		for k := len(offs) - 1; k > 0; k-- {
			size += offs[k] - offs[k-1]
			if size > limit && i < j {
				return i, nil
			}
			i--
		}
	}
	return least, nil
}

func (c *VarSize) Gather(ctx context.Context, r store.Reader, e *column.Elements, at []int64) error {
	for _, i := range at {
		if err := column.CheckRange(i, i+1, c.length); err != nil {
			return err
		}
		b, err := c.find(ctx, r, i)
		if err != nil {
			return err
		}
		offs, err := c.offsets(ctx, r, b, i, i+1)
		if err == nil {
			err = c.payload(ctx, r, e, b, offs)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *VarSize) Stretch(ctx context.Context, r store.Reader, i int64) (end int64, why, err error) {
	b, err := c.find(ctx, r, i)
	switch {
	case err == nil:
		return c.listed(ctx, r, b, i)
	case !errors.Is(err, store.ErrCorrupt) || c.all == nil:
		return 0, nil, err
	}
	end = c.length
	if k := c.after(i); k < len(c.all) {
		end = min(end, c.all[k].First)
	}
	return end, err, nil
}

// listed is Stretch for an element that a block should have: as far as its
// offsets go.
func (c *VarSize) listed(ctx context.Context, r store.Reader, b *block, i int64) (end int64, why, err error) {
	have, err := column.Stored(ctx, r, c.id, b.number, b.payload+(b.Rows+1)*offsetSize)
	if err != nil {
		return 0, nil, err
	}
	end = min(b.end(), c.length)
	rows := (have-b.payload)/offsetSize - 1
	if b.First+rows <= i {
		return end, fmt.Errorf("%w: block %d has offsets of only %d elements", store.ErrCorrupt, b.number, max(0, rows)), nil
	}
	return min(end, b.First+rows), nil, nil
}

// Walk implements column.Column.
func (c *VarSize) Walk(ctx context.Context, r store.Reader, limit int64, found func(int64, *column.Elements) error, lost func(int64, int64, error) error) error {
	return column.Walk(ctx, r, c, limit, found, lost)
}

// Extent implements column.Column.
func (c *VarSize) Extent(ctx context.Context, r store.Reader) (n int64, err error) {
	if err := c.load(ctx, r); err != nil {
		return 0, err
	}
	for _, b := range c.all {
		n = max(n, min(b.end(), c.length))
	}
	return n, nil
}

// Ahead implements [column.Column]: Spans reads by itself.
func (c *VarSize) Ahead(int64, int64) store.ColumnSpans { return store.ColumnSpans{} }

func (c *VarSize) Spans(ctx context.Context, r store.Reader, b *column.Elements, i, j, limit int64) (int64, store.ColumnSpans, error) {
	next, err := c.Read(ctx, r, b, i, j, limit)
	return next, store.ColumnSpans{}, err
}
