package native

import (
	"context"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// Waste implements column.Column: neighbors that hold much less than they take.
func (c *Column) Waste(ctx context.Context, r store.Reader) ([]column.Waste, error) {
	if err := c.load(ctx, r); err != nil {
		return nil, err
	}
	if c.dir.damage != nil {
		return nil, c.dir.damage
	}
	var found []column.Waste
	total := int64(0)
	part := column.Waste{}
	end := func() {
		if part.To > part.From {
			found = append(found, part)
		}
		part = column.Waste{}
	}
	sealed := c.sealedShare()
	for k := range c.count() {
		x := c.run(k)
		need := c.needed(x, k < c.count()-1, sealed)
		if waste := x.capacity - need; !column.Wasteful(waste, need) || x.rows == 0 {
			end()
		} else {
			total += waste
			if part.To == 0 {
				part.From = x.first
			}
			part.To = x.end()
			part.Bytes += need
		}
		if part.Bytes >= column.WasteBytes {
			end()
		}
	}
	end()
	if !column.Worthwhile(total) {
		return nil, nil
	}
	return found, nil
}

// leastSealed is the number of bytes from which on Compact compresses the last run,
// after which another then begins.
const leastSealed = 16 << 10

// sealedShare is what compressed runs of the column take of the bytes in them, and
// half for a column that has none: a run in which that is not so is marked when it
// is tried.
func (c *Column) sealedShare() float64 {
	var taken, held int64
	for k := range c.count() {
		if x := c.run(k); x.codec != Raw {
			taken, held = taken+x.capacity, held+c.share(x, x.rows)
		}
	}
	if held == 0 {
		return 0.5
	}
	return float64(taken) / float64(held)
}

// needed is about how many bytes the elements of a run take once they are stored
// anew, where those that are compressed take such a share.
func (c *Column) needed(x *run, followed bool, sealed float64) int64 {
	n := c.share(x, x.rows)
	switch {
	case x.codec == Raw && c.seal != Raw && !x.incompressible && (followed || n > leastSealed):
		return int64(float64(n) * sealed)
	case x.codec == Raw:
		return n
	case c.size > 0:
		return x.capacity * (x.rows * c.size) / max(1, x.bytes)
	}
	return x.capacity * x.rows / max(1, x.skip+x.rows)
}

// Compact implements column.Column. It fills whole runs, and compresses them if
// the column is to be.
func (c *Column) Compact(ctx context.Context, tx store.Tx, w column.Waste) (written int64, err error) {
	from, to := max(0, min(w.From, c.Len())), min(w.To, c.Len())
	if from >= to {
		return 0, nil
	}
	defer column.AbortOn(tx, &err)
	if err := c.begin(ctx, tx, to); err != nil {
		return 0, err
	}
	if err := c.own(ctx, tx); err != nil {
		return 0, err
	}
	a, err := c.place(ctx, tx, from)
	if err != nil {
		return 0, err
	}
	b := a
	var all column.Elements
	for ; b < c.count() && c.run(b).first < to; b++ {
		x := c.run(b)
		if b > a && c.sizeOf(&all) > 2*column.WasteBytes {
			break
		}
		if err := c.elements(ctx, tx, x, 0, x.rows, &all); err != nil {
			return 0, err
		}
	}
	if err := c.replace(ctx, tx, a, b-1, all, true); err != nil {
		return 0, err
	}
	return c.sizeOf(&all), c.settle(ctx, tx)
}
