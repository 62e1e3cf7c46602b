package native

import (
	"context"
	"math"
	"slices"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

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
	if k := b + 1; size < c.row.MaxChunk/4 && k < c.count() && c.run(k).tail == 0 && c.share(c.run(k), c.run(k).rows) <= c.row.MaxChunk/4 {
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

// replace puts runs with these elements in the place of those from a to b, or
// before run a where b is the run before: full ones and a rest, or equally full
// ones with room for more.
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
	if a > len(c.dir.runs) { // they come after the last
		c.last.long = false
		if err := c.setChunk(ctx, tx, &c.last); err != nil {
			return err
		}
		c.dir.runs = append(c.dir.runs, c.last)
	}
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
		if c.size > 0 && !full {
			x.skip = (x.capacity/c.size - n) / 2 // some of the room is in front
		}
		save := c.store
		if full {
			save = c.storeSealed
		}
		if err := save(ctx, tx, &x, part); err != nil {
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

// neighbors are the numbers of the runs beside those from a to b.
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
	all := make([]int64, 0, n)
	for k := a; k <= b && len(all) < n; k++ {
		all = append(all, c.run(k).number)
	}
	more := int64(n - len(all))
	if more == 0 {
		return all
	}
	last, after := c.neighbors(a, b)
	if b >= a {
		last = all[len(all)-1]
	}
	step := int64(stride)
	switch {
	case after == math.MaxInt64:
	case last == math.MinInt64:
		last = after - (more+1)*step
	default:
		step = min(step, (after-last)/(more+1))
	}
	for k := range more {
		all = append(all, last+(k+1)*step)
	}
	return all
}
