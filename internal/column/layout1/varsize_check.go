package layout1

import (
	"context"
	"errors"
	"math"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// Stat reads all offsets.
func (c *VarSize) Stat(ctx context.Context, r store.Reader) (column.Stat, error) {
	s := column.Stat{Elements: c.length, Smallest: math.MaxInt64}
	for chunk, err := range r.Chunks(ctx, c.id, math.MinInt64, math.MaxInt64) {
		if err != nil {
			return column.Stat{}, err
		}
		b, err := blockOf(chunk, true)
		if err != nil {
			return column.Stat{}, err
		}
		s.Chunks++
		s.Capacity += b.payload
		live := int64(0)
		for i := b.First; i < b.end(); {
			j := min(b.end(), i+c.window)
			offs, err := c.offsets(ctx, r, &b, i, j)
			if err != nil {
				return column.Stat{}, err
			}
			for k, end := range offs[1:] {
				n := end - offs[k]
				live += n
				s.Smallest, s.Largest = min(s.Smallest, n), max(s.Largest, n)
			}
			i = j
		}
		s.LiveBytes += live
		s.Slack += max(0, b.payload-live)
	}
	if s.Smallest > s.Largest {
		s.Smallest = 0
	}
	s.DeadBytes = max(0, s.Capacity-s.LiveBytes)
	return s, nil
}

// Check looks whether the column keeps the rules of the format. It reads all
// offsets, and asks every block how many bytes it has.
func (c *VarSize) Check(ctx context.Context, r store.Reader, found column.Report) error {
	if err := c.load(ctx, r); err != nil {
		return err
	}
	next, number := int64(0), int64(math.MinInt64)
	for k := range c.all {
		b := &c.all[k]
		p := column.Problem{Chunk: b.number, From: b.First, To: b.end(), Bytes: max(0, b.used)}
		if b.First >= c.length {
			p.Kind, p.From, p.To = column.ProblemStray, 0, 0
			found.Hazard(p, "block %d begins at element %d of %d", b.number, b.First, c.length)
			continue
		}
		p.To = min(p.To, c.length)
		c.checkMissing(found, next, b.First)
		if b.First < next {
			p.Kind = column.ProblemOrder
			found.Damage(p, "block %d begins at element %d, before the end %d of another", b.number, b.First, next)
		}
		if b.number < number {
			p.Kind = column.ProblemOrder
			found.Hazard(p, "block %d has a lower number than the one before it", b.number)
		}
		next, number = max(next, b.end()), max(number, b.number)
		if err := c.checkBlock(ctx, r, found, b, p); err != nil {
			return err
		}
	}
	c.checkMissing(found, next, c.length)
	if next > c.length {
		found.Hazard(column.Problem{Kind: column.ProblemUsed, Chunk: number}, "the blocks have %d elements, and the column %d", next, c.length)
	}
	return c.checkEmpty(ctx, r, found)
}

// checkEmpty reports blocks in which nothing lies, or nothing that is possible.
func (c *VarSize) checkEmpty(ctx context.Context, r store.Reader, found column.Report) error {
	for chunk, err := range r.Chunks(ctx, c.id, math.MinInt64, math.MaxInt64) {
		if err != nil {
			return err
		}
		p := column.Problem{Kind: column.ProblemStray, Chunk: chunk.Number, Bytes: chunk.Capacity}
		if b, err := blockOf(chunk, true); err != nil {
			found.Hazard(p, "%v", err)
		} else if b.Rows == 0 {
			found.Hazard(p, "no element lies in block %d", chunk.Number)
		}
	}
	return nil
}

func (c *VarSize) checkMissing(found column.Report, from, to int64) {
	if to = min(to, c.length); from < to {
		found.Damage(column.Problem{Kind: column.ProblemMissing, From: from, To: to}, "no block has the elements from %d to %d", from, to-1)
	}
}

// checkBlock looks at the numbers, the offsets and the size of a block.
func (c *VarSize) checkBlock(ctx context.Context, r store.Reader, found column.Report, b *block, p column.Problem) error {
	last := int64(0)
	for i := b.First; i < b.end(); {
		j := min(b.end(), i+c.window)
		offs, err := c.offsets(ctx, r, b, i, j)
		if errors.Is(err, store.ErrCorrupt) {
			p.Kind, p.From = column.ProblemEntry, i
			found.Damage(p, "the offsets of block %d cannot be used from element %d on: %v", b.number, i, err)
			return nil
		}
		if err != nil {
			return err
		}
		if i == b.First && offs[0] != 0 {
			p.Kind = column.ProblemUsed
			found.Hazard(p, "the first element of block %d begins at %d and not at 0", b.number, offs[0])
		}
		i, last = j, offs[len(offs)-1]
	}
	err := column.Holds(ctx, r, c.id, b.number, last)
	if errors.Is(err, store.ErrCorrupt) {
		p.Kind = column.ProblemShort
		found.Damage(p, "block %d has fewer than the %d bytes in which elements lie", b.number, last)
		return nil
	}
	if err != nil {
		return err
	}
	p.From, p.To = 0, 0
	if b.used != last {
		p.Kind = column.ProblemUsed
		found.Hazard(p, "block %d says that %d bytes are used, and its elements have %d", b.number, b.used, last)
	}
	p.Kind = column.ProblemSize
	if b.Room < b.Rows {
		found.Hazard(p, "block %d has %d elements and room for %d", b.number, b.Rows, b.Room)
		return nil
	}
	for _, n := range []int64{b.payload, b.payload + b.Offsets()} {
		err := column.Holds(ctx, r, c.id, b.number, n)
		if errors.Is(err, store.ErrCorrupt) {
			found.Hazard(p, "block %d is shorter than its capacity of %d bytes and %d elements: 1.1.0 cannot append to it", b.number, b.payload, b.Room)
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}
