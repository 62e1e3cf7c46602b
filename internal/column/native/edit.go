package native

import (
	"context"
	"math"
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
		done, err := c.insertInto(ctx, tx, i, &part)
		if err == nil && !done {
			err = c.splice(ctx, tx, i, i, part)
		}
		if err != nil {
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

// insertInto puts elements where only a few others have to move for them, and
// tells whether there is such a place: at the end of the run before, or inside of
// one that has room.
func (c *Column) insertInto(ctx context.Context, tx store.Tx, i int64, e *column.Elements) (done bool, err error) {
	k, err := c.place(ctx, tx, i)
	if err != nil {
		return false, err
	}
	x := c.run(k)
	at := i - x.first
	if at == 0 && k > 0 {
		x = c.run(k - 1)
		at = x.rows
	}
	grown := *x
	rows := int64(e.Count(int(c.size)))
	grown.rows += rows
	if c.size == 0 {
		grown.bytes += int64(len(e.Data))
	}
	if x.codec != Raw || x.tail > 0 || grown.rows > maxRunRows && c.size == 0 {
		return false, nil
	}
	front := c.size > 0 && at < x.rows/2 && x.skip >= rows // what is before moves down
	if front {
		grown.skip -= rows
	}
	if grown.need(c.size) > x.capacity {
		return false, nil
	}
	var moved column.Elements
	switch {
	case front:
		err = c.elements(ctx, tx, x, 0, at, &moved)
		at = -rows
	default:
		err = c.elements(ctx, tx, x, at, x.rows, &moved)
	}
	if err != nil {
		return false, err
	}
	all := column.Elements{Data: slices.Concat(e.Data, moved.Data)}
	if front {
		all.Data = slices.Concat(moved.Data, e.Data)
	} else {
		all.Ends = slices.Clone(e.Ends)
		for _, end := range moved.Ends {
			all.Ends = append(all.Ends, len(e.Data)+end)
		}
	}
	if err := c.writeAt(ctx, tx, x, at, &all); err != nil {
		return false, err
	}
	grown.widen2(x, c.order, e, c.size)
	*x = grown
	return true, c.edited(ctx, tx, x)
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
			if err = c.own(ctx, tx); err == nil {
				err = c.splice(ctx, tx, i, i+some, part)
			}
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
	sparse := c.share(x, front)+c.share(y, back) <= c.row.MaxChunk/2
	switch {
	case front > 0 && back > 0 && (a == b || sparse):
		err = c.splice(ctx, tx, i, j, column.Elements{})
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
		y := c.run(b)
		if dead := y.rows - back; dead > 0 {
			y.skip += dead
			y.rows = back
			if err := c.touch(ctx, tx, y); err != nil {
				return err
			}
		}
		b--
	}
	if front > 0 {
		x := c.run(a)
		if front < x.rows {
			if c.size == 0 && x.codec == Raw {
				offs, err := c.offsets(ctx, tx, x, front, front)
				if err != nil {
					return err
				}
				x.bytes = offs[0]
			}
			x.rows = front
			if err := c.touch(ctx, tx, x); err != nil {
				return err
			}
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

// splice puts elements in the place of those from i up to j, and writes the runs
// at both ends anew. The directory is owned, and nothing lies in the tail.
func (c *Column) splice(ctx context.Context, tx store.Tx, i, j int64, e column.Elements) error {
	a, err := c.place(ctx, tx, i)
	if err != nil {
		return err
	}
	b := a
	if j > i {
		if b, err = c.place(ctx, tx, j-1); err != nil {
			return err
		}
	}
	x, y := c.run(a), c.run(b)
	var all column.Elements
	front := i - x.first
	back := y.rows - (j - y.first)
	if front > 0 {
		if err := c.elements(ctx, tx, x, 0, front, &all); err != nil {
			return err
		}
	}
	join(&all, &e)
	if back > 0 {
		if err := c.elements(ctx, tx, y, y.rows-back, y.rows, &all); err != nil {
			return err
		}
	}
	// A run that is left with little takes a small neighbor in.
	size := c.sizeOf(&all)
	if k := b + 1; size < c.row.MaxChunk/4 && k < c.count() && c.run(k).tail == 0 && c.share(c.run(k), c.run(k).rows) <= c.row.MaxChunk/2 {
		z := c.run(k)
		if err := c.elements(ctx, tx, z, 0, z.rows, &all); err != nil {
			return err
		}
		b = k
	}
	return c.replace(ctx, tx, a, b, all, false)
}

// sizeOf is how many bytes elements take in a run.
func (c *Column) sizeOf(e *column.Elements) int64 {
	return int64(len(e.Data)) + int64(len(e.Ends))*endSize
}

// replace puts runs with these elements in the place of those from a to b: full
// ones and a rest, or equally full ones with room for more.
func (c *Column) replace(ctx context.Context, tx store.Tx, a, b int, e column.Elements, full bool) error {
	counts := c.pack(&e, full)
	if len(counts) == 0 {
		return c.drop(ctx, tx, a, b)
	}
	if err := c.makeGap(ctx, tx, a, b, len(counts)); err != nil {
		return err
	}
	numbers := c.numbers(a, b, len(counts))
	if from := b - a + 1; from > len(counts) {
		if err := tx.DropChunks(ctx, c.row.ID, c.run(a+len(counts)).number, c.run(b).number+1); err != nil {
			return err
		}
	}
	c.restructure()
	atEnd := b == c.count()-1
	made := make([]run, len(counts))
	done := int64(0)
	for k, n := range counts {
		part := c.cut(&e, done, done+n)
		done += n
		x := run{number: numbers[k], meta: meta{seal: c.seal}}
		x.widen(c.order, &part, c.size)
		x.rows = n
		if c.size == 0 {
			x.bytes = int64(len(part.Data))
		}
		x.capacity = c.roomy(x.need(c.size), full)
		if err := c.store(ctx, tx, &x, part); err != nil {
			return err
		}
		made[k] = x
	}
	if !atEnd {
		c.dir.runs = slices.Replace(c.dir.runs, a, b+1, made...)
	} else {
		c.dir.runs = append(c.dir.runs[:a], made[:len(made)-1]...)
		c.last, c.tail = made[len(made)-1], column.Elements{}
		c.exists, c.lastChanged = true, false
	}
	c.number()
	return nil
}

// roomy is the capacity of a run that needs so many bytes.
func (c *Column) roomy(need int64, full bool) int64 {
	n := need + need/4
	if full {
		n = need
	}
	if n > c.row.MaxChunk-c.row.MaxChunk/64 {
		n = c.row.MaxChunk
	}
	return max(n, need)
}

// pack shares elements out to runs, and returns how many each gets.
func (c *Column) pack(e *column.Elements, full bool) (counts []int64) {
	n := int64(e.Count(int(c.size)))
	if n == 0 {
		return nil
	}
	size := c.sizeOf(e)
	runs := max(1, (size+c.row.MaxChunk-1)/c.row.MaxChunk)
	if c.size > 0 {
		per := max(1, c.row.MaxChunk/c.size)
		runs = (n + per - 1) / per
		for k := range runs {
			from, to := n*k/runs, n*(k+1)/runs
			if full {
				from, to = k*per, min(n, (k+1)*per)
			}
			counts = append(counts, to-from)
		}
		return counts
	}
	target := (size + runs - 1) / runs
	if full {
		target = c.row.MaxChunk
	}
	at, have, rows := 0, int64(0), int64(0)
	for k := range e.Ends {
		bytes := int64(e.Size(k)) + endSize
		if rows > 0 && (have >= target || have+bytes > c.row.MaxChunk || rows >= maxRunRows) {
			counts = append(counts, rows)
			at, have, rows = k, 0, 0
		}
		have += bytes
		rows++
	}
	return append(counts, int64(len(e.Ends)-at))
}

// before and after are the numbers of the runs beside those from a to b.
func (c *Column) neighbors(a, b int) (before, after int64) {
	before, after = math.MinInt64, math.MaxInt64
	if a > 0 {
		before = c.run(a - 1).number
	}
	if b+1 < c.count() {
		after = c.run(b + 1).number
	}
	return before, after
}

// numbers are those of n runs that take the place of the runs from a to b, which
// keep theirs as far as they go.
func (c *Column) numbers(a, b, n int) []int64 {
	old := b - a + 1
	all := make([]int64, 0, n)
	for k := a; k <= b && len(all) < n; k++ {
		all = append(all, c.run(k).number)
	}
	more := int64(n - old)
	if more <= 0 {
		return all
	}
	last := all[old-1]
	_, after := c.neighbors(a, b)
	step := int64(stride)
	if after != math.MaxInt64 {
		step = min(step, (after-last)/(more+1))
	}
	for k := range more {
		all = append(all, last+(k+1)*step)
	}
	return all
}
