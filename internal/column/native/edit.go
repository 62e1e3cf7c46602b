package native

import (
	"context"
	"slices"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// pieceBytes is how many bytes of new elements are put between others at once.
const pieceBytes = 4 << 20

// begin is the first part of an edit of elements before position j.
func (c *Column) begin(ctx context.Context, tx store.Tx, j int64) error {
	if err := c.sound(); err != nil {
		return err
	}
	if j > c.last.first {
		return c.flush(ctx, tx)
	}
	return nil
}

// Insert implements column.Column.
func (c *Column) Insert(ctx context.Context, tx store.Tx, i int64, e column.Elements) (err error) {
	if err := column.CheckRange(i, i, c.Len()); err != nil {
		return err
	}
	n := int64(e.Count(int(c.size)))
	if i == c.Len() || n == 0 {
		return c.Append(ctx, tx, e)
	}
	defer column.AbortOn(tx, &err)
	if err := c.begin(ctx, tx, i+1); err != nil {
		return err
	}
	if err := c.own(ctx, tx); err != nil {
		return err
	}
	for n > 0 {
		some := n
		if c.size > 0 {
			some = min(n, max(1, pieceBytes/c.size))
		} else {
			some = int64(within(&e, pieceBytes))
		}
		part := c.cut(&e, 0, some)
		k, err := c.place(ctx, tx, i)
		if err != nil {
			return err
		}
		at := i - c.run(k).first
		if before := k - 1; at == 0 && k > 0 && c.hasRoom(c.run(before), &part) {
			k, at = before, c.run(before).rows
		}
		if err := c.swap(ctx, tx, k, at, at, part); err != nil {
			return err
		}
		e = c.cut(&e, some, n)
		i, n = i+some, n-some
	}
	return c.settle(ctx, tx)
}

// within is how many elements, one at least, have no more than so many bytes.
func within(e *column.Elements, bytes int) int {
	n, _ := slices.BinarySearch(e.Ends, bytes+1)
	return max(1, n)
}

// edited tells the file of a run that has changed, and makes positions right.
func (c *Column) edited(ctx context.Context, tx store.Tx, x *run) error {
	c.number()
	if x == &c.last {
		c.lastChanged = true
		return nil
	}
	c.restructure()
	return c.setChunk(ctx, tx, x)
}

// number makes the positions of runs right, of a directory that is owned.
func (c *Column) number() {
	first := int64(0)
	for k := range c.dir.runs {
		c.dir.runs[k].first = first
		first += c.dir.runs[k].rows
	}
	if first != c.last.first {
		c.restructure()
	}
	c.last.first = first
	c.at = 0
}

// Overwrite implements column.Column.
func (c *Column) Overwrite(ctx context.Context, tx store.Tx, i int64, e column.Elements) (err error) {
	n := int64(e.Count(int(c.size)))
	if err := column.CheckRange(i, i+n, c.Len()); err != nil || n == 0 {
		return err
	}
	defer column.AbortOn(tx, &err)
	if err := c.begin(ctx, tx, i+n); err != nil {
		return err
	}
	for n > 0 {
		x, err := c.find(ctx, tx, i)
		if err != nil {
			return err
		}
		some := min(n, x.end()-i)
		part := c.cut(&e, 0, some)
		same, err := c.sameSizes(ctx, tx, x, i-x.first, &part)
		if err != nil {
			return err
		}
		switch {
		case same:
			err = c.overwrite(ctx, tx, x, i-x.first, &part)
		default:
			err = c.swapAt(ctx, tx, i, i+some, part)
		}
		if err != nil {
			return err
		}
		e = c.cut(&e, some, n)
		i, n = i+some, n-some
	}
	return c.settle(ctx, tx)
}

// sameSizes tells whether elements can take the place of those from k on of a
// run without any other moving.
func (c *Column) sameSizes(ctx context.Context, tx store.Tx, x *run, k int64, e *column.Elements) (bool, error) {
	if x.codec != Raw {
		return false, nil
	}
	if c.size > 0 {
		return true, nil
	}
	offs, err := c.offsets(ctx, tx, x, k, k+int64(len(e.Ends)))
	if err != nil {
		return false, err
	}
	for q, end := range e.Ends {
		if offs[q+1]-offs[0] != int64(end) {
			return false, nil
		}
	}
	return true, nil
}

// overwrite is Overwrite within a raw run, of elements of the same sizes.
func (c *Column) overwrite(ctx context.Context, tx store.Tx, x *run, k int64, e *column.Elements) error {
	grown := *x
	if grown.widen(c.order, e, c.size) {
		if x == &c.last {
			*x = grown
			c.lastChanged = true
		} else {
			if err := c.own(ctx, tx); err != nil {
				return err
			}
			at, err := c.place(ctx, tx, x.first)
			if err != nil {
				return err
			}
			x = c.run(at)
			x.meta = grown.meta
			if err := c.edited(ctx, tx, x); err != nil {
				return err
			}
		}
	}
	if c.size > 0 {
		return c.writeAt(ctx, tx, x, k, e)
	}
	if len(e.Data) == 0 {
		return nil
	}
	c.spans = append(c.spans[:0], store.Span{Chunk: x.number, Offset: c.offs[0], Data: e.Data})
	return tx.WriteAt(ctx, c.row.ID, c.spans)
}

// Delete implements column.Column.
func (c *Column) Delete(ctx context.Context, tx store.Tx, i, j int64) (err error) {
	if err := column.CheckRange(i, j, c.Len()); err != nil || i == j {
		return err
	}
	defer column.AbortOn(tx, &err)
	if err := c.begin(ctx, tx, j); err != nil {
		return err
	}
	if err := c.own(ctx, tx); err != nil {
		return err
	}
	a, err := c.place(ctx, tx, i)
	if err != nil {
		return err
	}
	b, err := c.place(ctx, tx, j-1)
	if err != nil {
		return err
	}
	x, y := c.run(a), c.run(b)
	front, back := i-x.first, y.end()-j
	left := c.share(x, front) + c.share(y, back)
	inside := front > 0 && back > 0
	switch {
	case inside && (a < b && left <= c.row.MaxChunk/2 || left <= c.row.MaxChunk/leastShare):
		err = c.splice(ctx, tx, i, j, column.Elements{})
	case inside && a == b:
		err = c.swap(ctx, tx, a, front, x.rows-back, column.Elements{})
	default:
		err = c.trim(ctx, tx, a, b, front, back)
	}
	if err != nil {
		return err
	}
	return c.settle(ctx, tx)
}

// share is about how many bytes so many elements of a run take.
func (c *Column) share(x *run, rows int64) int64 {
	if c.size > 0 {
		return rows * c.size
	}
	return (x.bytes/max(1, x.skip+x.stored()) + endSize) * rows
}

// trim keeps the first elements of run a and the last of run b, and nothing that
// is between them. These are different runs, unless nothing is kept of one side.
func (c *Column) trim(ctx context.Context, tx store.Tx, a, b int, front, back int64) error {
	if back > 0 {
		if err := c.keepLast(ctx, tx, c.run(b), back); err != nil {
			return err
		}
		b--
	}
	if front > 0 {
		if err := c.keepFirst(ctx, tx, c.run(a), front); err != nil {
			return err
		}
		a++
	}
	return c.drop(ctx, tx, a, b)
}

// touch tells the file of a run that has changed.
func (c *Column) touch(ctx context.Context, tx store.Tx, x *run) error {
	if x == &c.last {
		c.lastChanged = true
		return nil
	}
	return c.setChunk(ctx, tx, x)
}

// drop removes the runs from a to b, and numbers those that stay. One of them
// always stays, be it empty.
func (c *Column) drop(ctx context.Context, tx store.Tx, a, b int) error {
	n := c.count()
	if a == 0 && b == n-1 {
		x := c.run(0)
		x.rows, x.tail, x.skip, x.bytes = 0, 0, 0, 0
		x.bounded, x.lo, x.hi, x.codec = false, 0, 0, Raw
		x.capacity = 0
		if err := c.store(ctx, tx, x, column.Elements{}); err != nil {
			return err
		}
		a++
	}
	if a <= b {
		c.restructure()
		c.codec.reset()
		if err := tx.DropChunks(ctx, c.row.ID, c.run(a).number, c.run(b).number+1); err != nil {
			return err
		}
		if b == n-1 {
			c.last, c.tail = c.dir.runs[a-1], column.Elements{}
			c.lastChanged = false
			c.dir.runs = c.dir.runs[:a-1]
		} else {
			c.dir.runs = slices.Delete(c.dir.runs, a, b+1)
		}
	}
	if a < n-1 || a <= b {
		c.restructure()
	}
	c.number()
	return nil
}
