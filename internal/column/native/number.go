package native

import (
	"context"
	"math"

	"columnvault/internal/column"

	"columnvault/internal/store"
)

// makeGap makes room for the numbers of n runs in the place of those from a to b,
// or before run a where b is the run before. Mostly there is some; where edits at
// one place have used it up, runs beside it are stored anew under other numbers,
// as few as give each of them room again.
func (c *Column) makeGap(ctx context.Context, tx store.Tx, a, b, n int) error {
	more := n - (b - a + 1)
	last, after := c.neighbors(a, b)
	if b >= a {
		last = c.run(b).number
	}
	switch {
	case more <= 0:
		return nil
	case after == math.MaxInt64 && last > math.MaxInt64/2, last == math.MinInt64 && after < math.MinInt64/2:
		return corrupt("the numbers of runs are used up between %d and %d", last, after)
	case after == math.MaxInt64, last == math.MinInt64, (after-last)/int64(more+1) >= 1:
		return nil
	}
	const roomy = 1 << 16
	low, high := a, b
	for width := 8; ; width *= 2 {
		low, high = max(0, a-width), min(c.count()-1, b+width)
		before, after := c.neighbors(low, high)
		size := int64(high - low + 1 + more)
		if before == math.MinInt64 || after == math.MaxInt64 || (after-before)/(size+1) >= roomy {
			return c.renumber(ctx, tx, low, high, b, more, before, after)
		}
	}
}

// renumber gives the runs from low to high numbers between the two, at equal
// distances, and leaves room for more runs after run b.
func (c *Column) renumber(ctx context.Context, tx store.Tx, low, high, b, more int, before, after int64) error {
	size := int64(high - low + 1 + more)
	step := int64(stride)
	start := before
	switch {
	case before == math.MinInt64 && after == math.MaxInt64:
		start = -step
	case before == math.MinInt64:
		start = after - (size+1)*step
	case after != math.MaxInt64:
		step = (after - before) / (size + 1)
	}
	numbers := make([]int64, high-low+1)
	for k := range numbers {
		at := int64(k) + 1
		if low+k > b {
			at += int64(more)
		}
		numbers[k] = start + at*step
	}
	if start < math.MinInt64/2 || numbers[len(numbers)-1] > math.MaxInt64/2 {
		return corrupt("the numbers of runs are used up at %d", c.run(high).number)
	}
	for k := range numbers { // first those that go down, then those that go up, so that none meets another
		if x := c.run(low + k); numbers[k] < x.number {
			if err := c.move(ctx, tx, x, numbers[k]); err != nil {
				return err
			}
		}
	}
	for k := len(numbers) - 1; k >= 0; k-- {
		if x := c.run(low + k); numbers[k] > x.number {
			if err := c.move(ctx, tx, x, numbers[k]); err != nil {
				return err
			}
		}
	}
	c.restructure()
	return nil
}

// move stores a run under another number.
func (c *Column) move(ctx context.Context, tx store.Tx, x *run, number int64) error {
	if err := column.Holds(ctx, tx, c.row.ID, x.number, x.capacity); err != nil {
		return err
	}
	c.codec.reset()
	data := make([]byte, x.capacity)
	if err := tx.ReadAt(ctx, c.row.ID, []store.Span{{Chunk: x.number, Data: data}}); err != nil {
		return err
	}
	if err := tx.DropChunks(ctx, c.row.ID, x.number, x.number+1); err != nil {
		return err
	}
	x.number = number
	if x == &c.last {
		c.lastChanged = false
	}
	return tx.PutChunk(ctx, c.row.ID, store.Chunk{Number: number, Capacity: x.capacity, Used: x.rows, Meta: x.encode(&c.tail, c.size)}, data)
}
