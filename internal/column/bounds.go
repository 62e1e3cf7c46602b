package column

import (
	"context"
	"iter"

	"columnvault/internal/store"
)

// Bounds are what a column knows of the elements from position From up to To
// without reading them.
type Bounds struct {
	From, To int64
	// Known says that all of them have keys, and none has one below Low or above
	// High. An element need not have one that equals either.
	Known     bool
	Low, High uint64
}

// Touches tells whether an element may have a key from low to high.
func (b *Bounds) Touches(low, high uint64) bool {
	return !b.Known || b.High >= low && b.Low <= high
}

// Bounded is a column that knows bounds of some of its elements.
type Bounded interface {
	Column
	// Bounds iterates over what is known of the elements from i up to j, stretch
	// by stretch, in order and without gaps.
	Bounds(ctx context.Context, r store.Reader, i, j int64) iter.Seq2[Bounds, error]
}

// BoundsOf is Bounds of a column that may know none.
func BoundsOf(ctx context.Context, r store.Reader, c Column, i, j int64) iter.Seq2[Bounds, error] {
	err := CheckRange(i, j, c.Len())
	if b, ok := c.(Bounded); ok && err == nil {
		return b.Bounds(ctx, r, i, j) // an iterator around it would cost as much again
	}
	return func(yield func(Bounds, error) bool) {
		if err != nil {
			yield(Bounds{}, err)
			return
		}
		known := j // up to where the column may know something
		if t, ok := c.(*tailed); ok {
			c, known = t.Column, min(j, t.stored)
		}
		if b, ok := c.(Bounded); ok && i < known {
			for stretch, err := range b.Bounds(ctx, r, i, known) {
				if !yield(stretch, err) || err != nil {
					return
				}
			}
			i = known
		}
		if i < j {
			yield(Bounds{From: i, To: j}, nil)
		}
	}
}

// Within is the first stretch of the elements from i on, and before j, of which
// some may have a key from low to high: one or several neighboring stretches of
// BoundsOf. It is empty, at j, if there is none.
func Within(ctx context.Context, r store.Reader, c Column, i, j int64, low, high uint64) (from, to int64, err error) {
	from, to = j, j
	for b, err := range BoundsOf(ctx, r, c, i, j) {
		switch {
		case err != nil:
			return i, j, err
		case b.Touches(low, high):
			from = min(from, b.From)
		case from < j:
			return from, b.From, nil
		}
	}
	return from, to, nil
}
