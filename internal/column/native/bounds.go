package native

import (
	"context"
	"iter"
	"sort"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// Bounds implements column.Bounded: a stretch is what of a run is in the range.
func (c *Column) Bounds(ctx context.Context, r store.Reader, i, j int64) iter.Seq2[column.Bounds, error] {
	return func(yield func(column.Bounds, error) bool) {
		if err := c.load(ctx, r); err != nil {
			yield(column.Bounds{}, err)
			return
		}
		k := sort.Search(c.count(), func(k int) bool { return c.run(k).end() > i })
		for ; i < j; k++ {
			b := column.Bounds{From: i, To: j} // where there is no run, reading says why
			if k < c.count() {
				if x := c.run(k); x.first > i {
					b.To = min(j, x.first)
					k-- // comes next
				} else {
					b = column.Bounds{From: i, To: min(j, x.end()), Known: x.bounded && c.order != column.Unordered, Low: x.lo, High: x.hi}
				}
			}
			if b.From < b.To && !yield(b, nil) {
				return
			}
			i = b.To
		}
	}
}

// widen makes the bounds of a run hold for more elements, or for none if these
// have no keys. It tells whether that has changed them.
func (x *run) widen(o column.Order, e *column.Elements, size int64) (changed bool) {
	fresh := x.rows == 0
	if !x.bounded && !fresh || e.Count(int(size)) == 0 {
		return false
	}
	lo, hi, ok := o.Range(e, int(size))
	before := x.meta
	switch {
	case !ok:
		x.bounded, x.lo, x.hi = false, 0, 0
	case fresh:
		x.bounded, x.lo, x.hi = true, lo, hi
	default:
		x.lo, x.hi = min(x.lo, lo), max(x.hi, hi)
	}
	return x.meta != before
}
