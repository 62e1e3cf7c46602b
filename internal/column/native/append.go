package native

import (
	"context"
	"encoding/binary"
	"math/bits"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// Ending has nothing that is worth a trip of its own.
func (c *Column) Ending() store.ColumnSpans { return store.ColumnSpans{} }

// Append implements column.Column.
func (c *Column) Append(ctx context.Context, tx store.Tx, e column.Elements) (err error) {
	n := int64(e.Count(int(c.size)))
	if n == 0 {
		return nil
	}
	if n > maxLength-c.Len() {
		return corrupt("%d elements more than %d", n, c.Len())
	}
	if err := c.sound(); err != nil {
		return err
	}
	defer column.AbortOn(tx, &err)
	if c.toTail(&e) {
		c.lastChanged = true
		return c.settle(ctx, tx)
	}
	if err := c.extend(ctx, tx, e); err != nil {
		return err
	}
	return c.settle(ctx, tx)
}

// sound says why nothing can be added after the last run.
func (c *Column) sound() error {
	switch {
	case !c.exists && c.base() > 0:
		return corrupt("there is no run, and %d elements should be before the last", c.base())
	case c.last.codec == broken:
		return errBroken(&c.last)
	}
	return nil
}

// toTail adds elements to the Meta of the last run, if they are few and have room
// there. The first elements of a column go to the bytes.
func (c *Column) toTail(e *column.Elements) bool {
	n := e.Count(int(c.size))
	size := len(c.tail.Data) + len(e.Data) + lenSize*(len(c.tail.Ends)+len(e.Ends))
	if !c.exists || c.last.rows == 0 || headSize+size > tailed || len(e.Data) > maxTailed*n {
		return false
	}
	for k := range e.Ends {
		if e.Size(k) > maxTailed {
			return false
		}
	}
	c.last.widen(c.order, e, c.size)
	old := len(c.tail.Data)
	c.tail.Data = append(c.tail.Data, e.Data...)
	for _, end := range e.Ends {
		c.tail.Ends = append(c.tail.Ends, old+end)
	}
	c.last.rows += int64(n)
	c.last.tail += int64(n)
	c.last.long = true
	return true
}

// joined is how many bytes are put together with those of the tail, to be
// written at once.
const joined = 64 << 10

// flush moves the elements of the tail to the bytes.
func (c *Column) flush(ctx context.Context, tx store.Tx) error {
	if c.last.tail == 0 {
		return nil
	}
	return c.extend(ctx, tx, column.Elements{})
}

// extend adds the elements of the tail, and then those of e, to the bytes of the
// last run, and of others after it.
func (c *Column) extend(ctx context.Context, tx store.Tx, e column.Elements) error {
	parts := []column.Elements{e}
	if c.last.tail > 0 {
		t := c.tail
		if len(e.Data)+lenSize*len(e.Ends) <= joined {
			old := len(t.Data)
			t.Data = append(t.Data, e.Data...)
			for _, end := range e.Ends {
				t.Ends = append(t.Ends, old+end)
			}
			parts = []column.Elements{t}
		} else {
			parts = []column.Elements{t, e}
		}
		c.last.rows -= c.last.tail
		c.last.tail, c.tail = 0, column.Elements{}
		c.lastChanged = true
	}
	for _, part := range parts {
		for n := int64(part.Count(int(c.size))); n > 0; {
			fits := c.room(&part, n)
			if fits == 0 {
				if err := c.turn(ctx, tx); err != nil {
					return err
				}
				continue
			}
			some := c.cut(&part, 0, fits)
			more := n > fits
			if err := c.put(ctx, tx, some, more); err != nil {
				return err
			}
			part = c.cut(&part, fits, n)
			n -= fits
		}
	}
	return nil
}

// cut is the elements from i up to j.
func (c *Column) cut(e *column.Elements, i, j int64) column.Elements {
	if c.size > 0 {
		return column.Elements{Data: e.Data[i*c.size : j*c.size]}
	}
	return e.Part(int(i), int(j))
}

// room is how many of the n elements the last run can still take.
func (c *Column) room(e *column.Elements, n int64) int64 {
	x := &c.last
	if x.codec != Raw {
		return 0
	}
	have := x.stored()
	if c.size > 0 {
		return min(n, max(0, c.row.MaxChunk/c.size-have, 1-have))
	}
	if have == 0 {
		return max(1, c.fitting(e, 0, 0))
	}
	return c.fitting(e, c.live(x), have)
}

// live is how many bytes the elements of a run in which elements vary in size
// take, at most: those of elements that do not count are not known.
func (c *Column) live(x *run) int64 { return x.bytes }

// maxRunRows is the number of elements after which a run takes no more.
const maxRunRows = 1 << 16

// fitting is how many elements go into a run beside so many bytes of others.
func (c *Column) fitting(e *column.Elements, bytes, rows int64) int64 {
	n := int64(0)
	for _, end := range e.Ends {
		if rows+n >= maxRunRows || bytes+int64(end)+(rows+n+1)*endSize > c.row.MaxChunk {
			break
		}
		n++
	}
	return n
}

// put adds elements that have room to the last run. More says that others follow.
func (c *Column) put(ctx context.Context, tx store.Tx, e column.Elements, more bool) error {
	x := &c.last
	rows := int64(e.Count(int(c.size)))
	grown := *x
	grown.widen(c.order, &e, c.size)
	grown.rows += rows
	grown.incompressible = false
	if c.size == 0 {
		grown.bytes += int64(len(e.Data))
	}
	need := grown.need(c.size)
	if need <= x.capacity && c.exists {
		if err := c.writeAt(ctx, tx, x, x.stored(), &e); err != nil {
			return err
		}
		*x = grown
		c.lastChanged = true
		return nil
	}
	if x.stored() > 0 {
		// The elements that there are come along to a larger chunk, and those
		// that do not count do not.
		var whole column.Elements
		if err := c.elements(ctx, tx, x, 0, x.stored(), &whole); err != nil {
			return err
		}
		join(&whole, &e)
		e = whole
	}
	grown.skip = 0
	if c.size == 0 {
		grown.bytes = int64(len(e.Data))
	}
	need = grown.need(c.size)
	grown.capacity = c.capacity(need)
	if more {
		grown.capacity = max(need, c.row.MaxChunk)
	}
	if err := c.store(ctx, tx, &grown, e); err != nil {
		return err
	}
	*x = grown
	c.exists, c.lastChanged = true, false
	return nil
}

// join adds elements after others.
func join(e, more *column.Elements) {
	old := len(e.Data)
	e.Data = append(e.Data, more.Data...)
	for _, end := range more.Ends {
		e.Ends = append(e.Ends, old+end)
	}
}

// firstCapacity is the capacity in bytes with which a run begins.
const firstCapacity = 4 << 10

// capacity is that of a run that has so many bytes and will get more: a power of
// two, until it is a full run.
func (c *Column) capacity(need int64) int64 {
	n := max(int64(1)<<bits.Len64(uint64(max(need, 1)-1)), firstCapacity)
	if n > c.row.MaxChunk/2 {
		n = c.row.MaxChunk
	}
	return max(n, need)
}

// elements appends the elements from i up to j of a run to e.
func (c *Column) elements(ctx context.Context, r store.Reader, x *run, i, j int64, e *column.Elements) error {
	if c.size > 0 && i < j {
		c.spans = c.spans[:0]
		if err := c.holds(ctx, r, x); err != nil {
			return err
		}
		if err := c.fixed(ctx, r, x, i, e.Extend((j-i)*c.size)); err != nil {
			return err
		}
		return r.ReadAt(ctx, c.row.ID, c.spans)
	}
	for i < j {
		to := j
		if i < x.stored() {
			to = min(to, x.stored())
		}
		if err := c.holds(ctx, r, x); err != nil {
			return err
		}
		offs, err := c.offsets(ctx, r, x, i, to)
		if err != nil {
			return err
		}
		if err := c.payload(ctx, r, e, x, i, offs); err != nil {
			return err
		}
		i = to
	}
	return nil
}

// store puts a raw run into a chunk, with all its elements.
func (c *Column) store(ctx context.Context, tx store.Tx, x *run, e column.Elements) error {
	c.codec.reset()
	data := e.Data
	if c.size == 0 || x.skip > 0 {
		if int64(cap(c.image)) < x.capacity {
			c.image = make([]byte, x.capacity)
		}
		data = c.image[:x.capacity]
		start := x.skip * c.size
		clear(data[:start])
		clear(data[start+int64(copy(data[start:], e.Data)) : x.capacity-int64(len(e.Ends))*endSize])
		putEnds(data, e.Ends, 0)
	}
	return tx.PutChunk(ctx, c.row.ID, store.Chunk{Number: x.number, Capacity: x.capacity, Used: x.rows, Meta: x.encode(&c.tail, c.size)}, data)
}

// putEnds writes ends to the end of p, the first of them last.
func putEnds(p []byte, ends []int, shift int) {
	for k, end := range ends {
		binary.LittleEndian.PutUint32(p[len(p)-(k+1)*endSize:], uint32(end+shift))
	}
}

// writeAt writes elements that have room into a raw run, from element k on.
func (c *Column) writeAt(ctx context.Context, tx store.Tx, x *run, k int64, e *column.Elements) error {
	if c.size > 0 {
		c.spans = append(c.spans[:0], store.Span{Chunk: x.number, Offset: (x.skip + k) * c.size, Data: e.Data})
		return tx.WriteAt(ctx, c.row.ID, c.spans)
	}
	offs, err := c.offsets(ctx, tx, x, k, k)
	if err != nil {
		return err
	}
	start := offs[0]
	ends := make([]byte, len(e.Ends)*endSize)
	putEnds(ends, e.Ends, int(start))
	c.spans = append(c.spans[:0], store.Span{Chunk: x.number, Offset: x.capacity - (x.skip+k)*endSize - int64(len(ends)), Data: ends})
	if len(e.Data) > 0 {
		c.spans = append(c.spans, store.Span{Chunk: x.number, Offset: start, Data: e.Data})
	}
	return tx.WriteAt(ctx, c.row.ID, c.spans)
}

// turn ends the last run, and begins another after it.
func (c *Column) turn(ctx context.Context, tx store.Tx) error {
	if c.dir == nil {
		c.dir = c.cache.get(c.row.ID, c.row.MinChunk)
	}
	if c.dir != nil && c.dir.damage != nil {
		c.dir = nil // what is wrong before is not in the way
	}
	if c.dir != nil {
		if err := c.own(ctx, tx); err != nil {
			return err
		}
	}
	c.restructure()
	x := &c.last
	if x.long {
		x.long, c.lastChanged = false, true
	}
	if err := c.sealLast(ctx, tx); err != nil {
		return err
	}
	if c.lastChanged {
		if err := c.setChunk(ctx, tx, x); err != nil {
			return err
		}
	}
	if c.dir != nil {
		c.dir.runs = append(c.dir.runs, *x)
	}
	if x.number > 1<<62 {
		return corrupt("the numbers of runs are used up at %d", x.number)
	}
	c.last = run{number: x.number + stride, first: x.end(), meta: meta{seal: c.seal}}
	c.exists, c.lastChanged = false, false
	return nil
}
