package column

import (
	"context"

	"columnvault/internal/store"
)

// Reverse reverses the order of the elements: windows of at most limit bytes
// from both ends change places.
func Reverse(ctx context.Context, tx store.Tx, c Column, limit int64) (err error) {
	defer AbortOn(tx, &err)
	for low, high := int64(0), c.Len(); high-low > 1; {
		var front, back Elements
		n, err := c.Read(ctx, tx, &front, low, low+(high-low)/2, limit)
		if err != nil {
			return err
		}
		from, err := c.Before(ctx, tx, high, limit)
		if err != nil {
			return err
		}
		n = min(n-low, high-from)
		front = front.first(c.Size(), n)
		if _, err := c.Read(ctx, tx, &back, high-n, high, NoLimit); err != nil {
			return err
		}
		if err := c.Overwrite(ctx, tx, low, back.reversed(c.Size())); err != nil {
			return err
		}
		if err := c.Overwrite(ctx, tx, high-n, front.reversed(c.Size())); err != nil {
			return err
		}
		low, high = low+n, high-n
	}
	return nil
}

// first is the first n elements.
func (b Elements) first(size int, n int64) Elements {
	if size > 0 {
		return Elements{Data: b.Data[:n*int64(size)]}
	}
	return b.Part(0, int(n))
}

// reversed is the elements in reversed order.
func (b Elements) reversed(size int) (r Elements) {
	r.Data = make([]byte, 0, len(b.Data))
	for k := b.Count(size) - 1; k >= 0; k-- {
		r.Data = append(r.Data, b.At(size, k)...)
		if size == 0 {
			r.Ends = append(r.Ends, len(r.Data))
		}
	}
	return r
}
