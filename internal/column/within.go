package column

import (
	"context"

	"columnvault/internal/store"
)

// Bounded is a column that knows, of some of its elements, between which values
// they are.
type Bounded interface {
	Column
	// Within is the first stretch of the elements from i on, and before j, of which
	// some may be from low to high, both included. It is empty, at j, if there is
	// none.
	Within(ctx context.Context, r store.Reader, i, j int64, low, high []byte) (from, to int64, err error)
}

// Within is the method of that name where the column has it, and everything where
// it has not.
func Within(ctx context.Context, r store.Reader, c Column, i, j int64, low, high []byte) (from, to int64, err error) {
	if err := CheckRange(i, j, c.Len()); err != nil {
		return i, j, err
	}
	if t, ok := c.(*tailed); ok {
		if i >= t.stored {
			return i, j, nil
		}
		from, to, err = Within(ctx, r, t.Column, i, min(j, t.stored), low, high)
		if err == nil && from == to && j > t.stored {
			from, to = t.stored, j
		}
		return from, to, err
	}
	if b, ok := c.(Bounded); ok {
		return b.Within(ctx, r, i, j, low, high)
	}
	return i, j, nil
}
