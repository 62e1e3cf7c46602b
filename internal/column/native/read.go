package native

import (
	"context"
	"encoding/binary"
	"slices"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// maxRead is the number of elements that are read at once where that is limited
// at all: those without bytes take memory too.
const maxRead = 1 << 20

// Backed implements column.Column.
func (c *Column) Backed(ctx context.Context, r store.Reader, i, j int64) error {
	if err := column.CheckRange(i, j, c.Len()); err != nil || (j-i)*max(c.size, endSize) <= trusted {
		return err
	}
	var ends []store.Span // of which nothing is read, in one call
	for i < j {
		x, err := c.find(ctx, r, i)
		if err != nil {
			return err
		}
		end, err := c.endOf(x)
		if err != nil {
			return err
		}
		if end.Offset > 0 {
			ends = append(ends, end)
		}
		i = x.end()
	}
	return r.ReadAt(ctx, c.row.ID, ends)
}

// holds reports ErrCorrupt if a run has fewer bytes than it says.
func (c *Column) holds(ctx context.Context, r store.Reader, x *run) error {
	end, err := c.endOf(x)
	if err != nil || end.Offset == 0 {
		return err
	}
	return r.ReadAt(ctx, c.row.ID, []store.Span{end})
}

// endOf is an empty span behind the bytes that a run needs.
func (c *Column) endOf(x *run) (store.Span, error) {
	end := store.Span{Chunk: x.number, Offset: x.capacity}
	switch {
	case x.codec == broken:
		return end, errBroken(x)
	case x.stored() == 0:
		end.Offset = 0
	case x.codec == Raw && c.size > 0:
		end.Offset = x.need(c.size)
	}
	return end, nil
}

func errBroken(x *run) error {
	return corrupt("run %d says impossible things of itself", x.number)
}

// Read implements column.Column.
func (c *Column) Read(ctx context.Context, r store.Reader, e *column.Elements, i, j, limit int64) (int64, error) {
	next, of, err := c.Spans(ctx, r, e, i, j, limit)
	if err != nil || len(of.Spans) == 0 {
		return next, err
	}
	return next, r.ReadAt(ctx, c.row.ID, of.Spans)
}

// Ahead has nothing that is worth a trip of its own.
func (c *Column) Ahead(int64, int64) store.ColumnSpans { return store.ColumnSpans{} }

// Spans implements column.Column.
func (c *Column) Spans(ctx context.Context, r store.Reader, e *column.Elements, i, j, limit int64) (int64, store.ColumnSpans, error) {
	if err := column.CheckRange(i, j, c.Len()); err != nil {
		return i, store.ColumnSpans{}, err
	}
	c.spans = c.spans[:0]
	if c.size == 0 {
		next, err := c.readVarying(ctx, r, e, i, j, limit)
		return next, store.ColumnSpans{}, err
	}
	j = i + min(j-i, max(1, limit/c.size))
	if !e.Has((j - i) * c.size) {
		if err := c.Backed(ctx, r, i, j); err != nil {
			return i, store.ColumnSpans{}, err
		}
	}
	p := e.Extend((j - i) * c.size)
	for at := i; at < j; {
		x, err := c.find(ctx, r, at)
		if err != nil {
			return i, store.ColumnSpans{}, err
		}
		n := min(j, x.end()) - at
		if err := c.fixed(ctx, r, x, at-x.first, p[:n*c.size]); err != nil {
			return i, store.ColumnSpans{}, err
		}
		p, at = p[n*c.size:], at+n
	}
	return j, store.ColumnSpans{Column: c.row.ID, Spans: c.spans}, nil
}

// fixed fills p with elements from k on of a run, or adds what has to be read for
// that to the spans.
func (c *Column) fixed(ctx context.Context, r store.Reader, x *run, k int64, p []byte) error {
	if rest := x.stored() - k; rest > 0 {
		part := p[:min(int64(len(p)), rest*c.size)]
		if x.codec != Raw {
			if err := c.fill(ctx, r, x, (x.skip+k)*c.size, part); err != nil {
				return err
			}
		} else {
			c.spans = append(c.spans, store.Span{Chunk: x.number, Offset: (x.skip + k) * c.size, Data: part})
		}
		p, k = p[len(part):], x.stored()
	}
	if len(p) > 0 {
		copy(p, c.tail.Data[(k-x.stored())*c.size:])
	}
	return nil
}

// readVarying is Read of elements that vary in size.
func (c *Column) readVarying(ctx context.Context, r store.Reader, e *column.Elements, i, j, limit int64) (int64, error) {
	if limit != column.NoLimit {
		j = min(j, i+maxRead)
	}
	for next := i; next < j; {
		x, err := c.find(ctx, r, next)
		if err != nil {
			return i, err
		}
		k := next - x.first
		to := min(j, x.end(), next+max(1, c.window/endSize))
		if k < x.stored() {
			to = min(to, x.first+x.stored())
		}
		offs, err := c.offsets(ctx, r, x, k, to-x.first)
		if err != nil {
			return i, err
		}
		n := column.Fitting(offs, limit, next == i)
		if next == i {
			makeRoom(e, offs, j-i, limit)
		}
		if n > 0 {
			if err := c.payload(ctx, r, e, x, k, offs[:n+1]); err != nil {
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

// makeRoom takes memory for so many elements, if those between the offsets, which
// come first, are like the others. Otherwise it would be taken run by run, and
// copied each time.
func makeRoom(e *column.Elements, offs []int64, elements, limit int64) {
	n := int64(len(offs) - 1)
	if elements <= n {
		return
	}
	bytes := offs[n] - offs[0]
	most := max(0, min(limit, trusted))
	if bytes > most/elements*n {
		elements = most / max(1, bytes/n)
	}
	elements = min(elements, trusted/8)
	e.Room(min(most, bytes/n*elements+elements))
	e.Ends = slices.Grow(e.Ends, int(elements))
}

// offsets is where the elements from k up to n of a run begin, and where the last
// of them ends. They lie all in the bytes or all in the tail. The result is good
// until the next call.
func (c *Column) offsets(ctx context.Context, r store.Reader, x *run, k, n int64) ([]int64, error) {
	c.offs = slices.Grow(c.offs[:0], int(n-k+1))[:n-k+1]
	if at := k - x.stored(); n > x.stored() {
		for q := range c.offs {
			c.offs[q] = 0
			if at+int64(q) > 0 {
				c.offs[q] = int64(c.tail.Ends[at+int64(q)-1])
			}
		}
		return c.offs, nil
	}
	from, to := x.skip+k-1, x.skip+n // of the ends that are needed
	c.offs[0] = 0
	into := c.offs
	if from < 0 {
		from, into = 0, c.offs[1:]
	}
	c.bytes = slices.Grow(c.bytes[:0], int((to-from)*endSize))[:(to-from)*endSize]
	if err := c.readEnds(ctx, r, x, from, c.bytes); err != nil {
		return nil, err
	}
	last := int64(0)
	for q := range into {
		end := int64(binary.LittleEndian.Uint32(c.bytes[q*endSize:]))
		if end < last || end > x.bytes {
			return nil, corrupt("element %d of run %d ends at %d, after one that ends at %d, in %d bytes", from+int64(q), x.number, end, last, x.bytes)
		}
		into[q], last = end, end
	}
	return c.offs, nil
}

// readEnds fills p with ends of elements, from that of element from on, in their
// order. In the file they lie in the reversed one, from the end of the chunk.
func (c *Column) readEnds(ctx context.Context, r store.Reader, x *run, from int64, p []byte) error {
	switch x.codec {
	case broken:
		return errBroken(x)
	case Raw:
		span := [1]store.Span{{Chunk: x.number, Offset: x.capacity - from*endSize - int64(len(p)), Data: p}}
		if err := r.ReadAt(ctx, c.row.ID, span[:]); err != nil {
			return err
		}
		reverseEnds(p)
		return nil
	}
	return c.fillEnds(ctx, r, x, from, p)
}

// reverseEnds turns the order of ends around.
func reverseEnds(p []byte) {
	for low, high := 0, len(p)-endSize; low < high; low, high = low+endSize, high-endSize {
		a, b := p[low:low+endSize], p[high:high+endSize]
		x, y := binary.LittleEndian.Uint32(a), binary.LittleEndian.Uint32(b)
		binary.LittleEndian.PutUint32(a, y)
		binary.LittleEndian.PutUint32(b, x)
	}
}

// payload reads the elements from k on of a run, which lie between the offsets.
func (c *Column) payload(ctx context.Context, r store.Reader, e *column.Elements, x *run, k int64, offs []int64) error {
	first, end := offs[0], offs[len(offs)-1]
	if end-first > trusted {
		if err := c.holds(ctx, r, x); err != nil {
			return err
		}
	}
	old := len(e.Data)
	p := e.Extend(end - first)
	e.Ends = slices.Grow(e.Ends, len(offs)-1)
	for _, at := range offs[1:] {
		e.Ends = append(e.Ends, old+int(at-first))
	}
	switch {
	case len(p) == 0:
		return nil
	case k >= x.stored():
		copy(p, c.tail.Data[first:end])
		return nil
	case x.codec == Raw:
		span := [1]store.Span{{Chunk: x.number, Offset: first, Data: p}}
		return r.ReadAt(ctx, c.row.ID, span[:])
	}
	return c.fill(ctx, r, x, first, p)
}

// Before implements column.Column.
func (c *Column) Before(ctx context.Context, r store.Reader, j, limit int64) (int64, error) {
	if err := column.CheckRange(j, j, c.Len()); err != nil {
		return j, err
	}
	if c.size > 0 {
		return max(0, j-max(1, limit/c.size)), nil
	}
	size, least := int64(0), max(0, j-maxRead)
	for i := j; i > least; {
		x, err := c.find(ctx, r, i-1)
		if err != nil {
			return j, err
		}
		n := i - x.first
		k := max(0, least-x.first, n-c.window/endSize)
		if n > x.stored() {
			k = max(k, x.stored())
		}
		offs, err := c.offsets(ctx, r, x, k, n)
		if err != nil {
			return j, err
		}
		for q := len(offs) - 1; q > 0; q-- {
			size += offs[q] - offs[q-1]
			if size > limit && i < j {
				return i, nil
			}
			i--
		}
	}
	return least, nil
}

// Gather implements column.Column.
func (c *Column) Gather(ctx context.Context, r store.Reader, e *column.Elements, at []int64) error {
	for _, i := range at {
		if err := column.CheckRange(i, i+1, c.Len()); err != nil {
			return err
		}
	}
	if c.size == 0 {
		for _, i := range at {
			if _, err := c.readVarying(ctx, r, e, i, i+1, column.NoLimit); err != nil {
				return err
			}
		}
		return nil
	}
	p := e.Extend(int64(len(at)) * c.size)
	c.spans = c.spans[:0]
	for _, i := range at {
		x, err := c.find(ctx, r, i)
		if err != nil {
			return err
		}
		if err := c.fixed(ctx, r, x, i-x.first, p[:c.size]); err != nil {
			return err
		}
		p = p[c.size:]
	}
	if len(c.spans) == 0 {
		return nil
	}
	return r.ReadAt(ctx, c.row.ID, c.spans)
}
