package columnvault

import (
	"context"
	"fmt"

	"columnvault/internal/column"
	"columnvault/internal/position"
)

// Index returns the position of the first element that equals value, or
// [ErrNotFound]. Equal means equal bytes in the file, but that the floating-point
// zeros are equal and no NaN equals anything. The search reads the column.
func (c *Column[T]) Index(ctx context.Context, value T) (int, error) {
	forms, err := c.t.Match(value)
	if err != nil {
		return -1, c.fail("index", err)
	}
	at := int64(-1)
	err = c.read(ctx, "index", func(o *opened) error {
		at, err = o.find(ctx, forms)
		return err
	})
	return int(at), err
}

// Within returns the first stretch of the elements from position i on, and before
// j, of which some may be from low to high, both included: it ends where next is
// wanted, and is empty at j if there are no more. A [Native] column knows the
// smallest and the largest of each some ten thousand numbers, times or texts, and
// passes over those without reading them; of other columns, and of values without
// an order, it is everything from i to j. Bounds are as in [Column.Slice].
func (c *Column[T]) Within(ctx context.Context, i, j int, low, high T) (from, to int, err error) {
	err = c.read(ctx, "within", func(o *opened) error {
		first, end := position.Range(i, j, o.Len())
		from, to = int(first), int(end)
		least, err := c.t.Append(nil, low)
		if err != nil {
			return nil // no element has such a value, and what is near it may be wanted
		}
		most, err := c.t.Append(nil, high)
		if err != nil || first == end {
			return nil
		}
		first, end, err = column.Within(ctx, o.tx.r, o.Column, first, end, least, most)
		from, to = int(first), int(end)
		return err
	})
	return from, to, err
}

// Contains tells whether an element equals value, as [Column.Index] does.
func (c *Column[T]) Contains(ctx context.Context, value T) (bool, error) {
	n, err := c.count(ctx, "contains", value, 1)
	return n > 0, err
}

// Count returns how many elements equal value, as [Column.Index] does.
func (c *Column[T]) Count(ctx context.Context, value T) (int, error) {
	return c.count(ctx, "count", value, column.NoLimit)
}

// count stops when it has found limit elements.
func (c *Column[T]) count(ctx context.Context, op string, value T, limit int64) (n int, err error) {
	forms, err := c.t.Match(value)
	if err != nil {
		return 0, c.fail(op, err)
	}
	err = c.read(ctx, op, func(o *opened) error {
		n = 0
		for _, err := range column.Find(ctx, o.tx.r, o.Column, forms, o.tx.v.buffer) {
			if err != nil {
				return err
			}
			if n++; int64(n) >= limit {
				break
			}
		}
		return nil
	})
	return n, err
}

// find returns the first element that has one of these stored forms.
func (o *opened) find(ctx context.Context, forms [][]byte) (int64, error) {
	for at, err := range column.Find(ctx, o.tx.r, o.Column, forms, o.tx.v.buffer) {
		return at, err
	}
	return -1, fmt.Errorf("%w: no element has this value", ErrNotFound)
}
