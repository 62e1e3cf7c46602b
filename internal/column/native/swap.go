package native

import (
	"context"
	"slices"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

const (
	// leastShare is the share of a full run that is moved at least where one is
	// split, so that edits at many places do not leave tiny runs.
	leastShare = 8
	// runShare is the share of a full run whose bytes cost as much to write as
	// there being one run more.
	runShare = 16
)

// swapAt is swap for elements from i up to j, which lie in one run.
func (c *Column) swapAt(ctx context.Context, tx store.Tx, i, j int64, e column.Elements) error {
	if err := c.own(ctx, tx); err != nil {
		return err
	}
	k, err := c.place(ctx, tx, i)
	if err != nil {
		return err
	}
	first := c.run(k).first
	return c.swap(ctx, tx, k, i-first, j-first, e)
}

// swap puts elements in the place of those from number i up to j of run k, of a
// directory that is owned. Where there is room, the elements on one side move up
// or down. Otherwise, or if those are many, the run is split: the shorter side
// gets a run of its own, with room for more, and the other one stays where it is.
func (c *Column) swap(ctx context.Context, tx store.Tx, k int, i, j int64, e column.Elements) error {
	x := c.run(k)
	front, gone, back, err := c.sides(ctx, tx, x, i, j)
	if err != nil {
		return err
	}
	split := max(c.row.MaxChunk/leastShare, min(front, back))*5/4 + c.row.MaxChunk/runShare
	more := int64(e.Count(int(c.size))) - (j - i)
	switch ahead := c.size > 0 && x.codec == Raw && x.skip >= more; {
	case ahead && front <= min(back, split):
		return c.shiftFront(ctx, tx, x, i, more, &e)
	case back <= split && c.fits(x, c.sizeOf(&e)-gone, more):
		return c.shiftBack(ctx, tx, x, i, j, &e)
	case ahead && front <= split:
		return c.shiftFront(ctx, tx, x, i, more, &e)
	}
	return c.split(ctx, tx, k, i, j, e, front <= back, x.rows*(c.row.MaxChunk/leastShare)/max(1, front+back))
}

// sides is how many bytes the elements of a run take that are before number i,
// those up to j, and those after them.
func (c *Column) sides(ctx context.Context, r store.Reader, x *run, i, j int64) (front, gone, back int64, err error) {
	if c.size > 0 {
		return i * c.size, (j - i) * c.size, (x.rows - j) * c.size, nil
	}
	var at [4]int64
	for q, k := range []int64{0, i, j, x.rows} {
		if at[q], err = c.start(ctx, r, x, k); err != nil {
			return 0, 0, 0, err
		}
	}
	return at[1] - at[0] + i*endSize, at[2] - at[1] + (j-i)*endSize, at[3] - at[2] + (x.rows-j)*endSize, nil
}

// start is where element k of a run begins.
func (c *Column) start(ctx context.Context, r store.Reader, x *run, k int64) (int64, error) {
	offs, err := c.offsets(ctx, r, x, k, k)
	if err != nil {
		return 0, err
	}
	return offs[0], nil
}

// hasRoom tells whether a run takes more elements after those that it has.
func (c *Column) hasRoom(x *run, e *column.Elements) bool {
	return c.fits(x, c.sizeOf(e), int64(e.Count(int(c.size))))
}

// fits tells whether a run has room for more elements, or fewer, of so many bytes.
func (c *Column) fits(x *run, bytes, rows int64) bool {
	return x.codec == Raw && x.tail == 0 && x.need(c.size)+bytes <= x.capacity && (c.size > 0 || x.rows+rows <= maxRunRows)
}

// shiftFront moves the elements before number i of a run down to make room for
// more elements, or up if these are less than none.
func (c *Column) shiftFront(ctx context.Context, tx store.Tx, x *run, i, more int64, e *column.Elements) error {
	var all column.Elements
	if err := c.elements(ctx, tx, x, 0, i, &all); err != nil {
		return err
	}
	join(&all, e)
	if err := c.writeAt(ctx, tx, x, -more, &all); err != nil {
		return err
	}
	x.widen(c.order, e, c.size)
	x.skip -= more
	x.rows += more
	x.incompressible = false
	return c.edited(ctx, tx, x)
}

// shiftBack writes elements from number i of a run on, and those that are from j
// on after them.
func (c *Column) shiftBack(ctx context.Context, tx store.Tx, x *run, i, j int64, e *column.Elements) error {
	all := column.Elements{Data: slices.Clone(e.Data), Ends: slices.Clone(e.Ends)}
	var moved column.Elements
	if err := c.elements(ctx, tx, x, j, x.rows, &moved); err != nil {
		return err
	}
	join(&all, &moved)
	start := int64(0)
	if c.size == 0 {
		var err error
		if start, err = c.start(ctx, tx, x, i); err != nil {
			return err
		}
	}
	if err := c.writeAt(ctx, tx, x, i, &all); err != nil {
		return err
	}
	x.widen(c.order, e, c.size)
	x.rows = i + int64(all.Count(int(c.size)))
	x.incompressible = false
	if c.size == 0 {
		x.bytes = start + int64(len(all.Data))
	}
	return c.edited(ctx, tx, x)
}

// split puts elements in the place of those from number i up to j of run k. Those
// on one side, least of them at least, get a run of their own, those on the other
// stay where they are unless they are fewer than that.
func (c *Column) split(ctx context.Context, tx store.Tx, k int, i, j int64, e column.Elements, front bool, least int64) error {
	x := c.run(k)
	from, to := int64(0), x.rows // these move
	if front {
		if at := max(j, least); at < x.rows-least {
			to = at
		}
	} else if at := min(i, x.rows-least); at > least {
		from = at
	}
	var all column.Elements
	if err := c.elements(ctx, tx, x, from, i, &all); err != nil {
		return err
	}
	join(&all, &e)
	if err := c.elements(ctx, tx, x, j, to, &all); err != nil {
		return err
	}
	a, b := k, k
	switch {
	case from > 0:
		if err := c.keepFirst(ctx, tx, x, from); err != nil {
			return err
		}
		a++
	case to < x.rows:
		if err := c.keepLast(ctx, tx, x, x.rows-to); err != nil {
			return err
		}
		b--
	}
	return c.replace(ctx, tx, a, b, all, false)
}

// keepFirst removes all but the first n elements of a run.
func (c *Column) keepFirst(ctx context.Context, tx store.Tx, x *run, n int64) (err error) {
	if n == x.rows {
		return nil
	}
	if c.size == 0 && x.codec == Raw {
		if x.bytes, err = c.start(ctx, tx, x, n); err != nil {
			return err
		}
	}
	x.rows = n
	return c.touch(ctx, tx, x)
}

// keepLast removes all but the last n elements of a run.
func (c *Column) keepLast(ctx context.Context, tx store.Tx, x *run, n int64) error {
	if n == x.rows {
		return nil
	}
	x.skip += x.rows - n
	x.rows = n
	return c.touch(ctx, tx, x)
}
