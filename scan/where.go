package scan

import (
	"cmp"
	"context"
	"math"

	"columnvault"
	"columnvault/dtype"
)

// Condition tells which elements are wanted. None holds for NaN, but perhaps
// [That].
type Condition[T cmp.Ordered] struct {
	low, high T // both included
	holds     func(T) bool
}

// Between holds for elements from low to high, both included.
func Between[T cmp.Ordered](low, high T) Condition[T] { return Condition[T]{low: low, high: high} }

// Equal holds for elements that equal v.
func Equal[T cmp.Ordered](v T) Condition[T] { return Between(v, v) }

// AtLeast holds for v and what is larger.
func AtLeast[T dtype.Element](v T) Condition[T] { return Between(v, largest[T]()) }

// AtMost holds for v and what is smaller.
func AtMost[T dtype.Element](v T) Condition[T] { return Between(smallest[T](), v) }

// Above holds for what is larger than v.
func Above[T dtype.Element](v T) Condition[T] {
	if v == largest[T]() {
		return That(func(T) bool { return false })
	}
	return AtLeast(next(v, largest[T]()))
}

// Below holds for what is smaller than v.
func Below[T dtype.Element](v T) Condition[T] {
	if v == smallest[T]() {
		return That(func(T) bool { return false })
	}
	return AtMost(next(v, smallest[T]()))
}

// That holds for the elements for which f returns true. It is slower than the
// other conditions. f is called while a transaction is open, and must not use
// the vault.
func That[T cmp.Ordered](f func(T) bool) Condition[T] { return Condition[T]{holds: f} }

// next returns the neighbor of v toward a bound that v is not.
func next[T dtype.Element](v, toward T) T {
	switch any(v).(type) {
	case float32:
		return T(math.Nextafter32(float32(v), float32(toward)))
	case float64:
		return T(math.Nextafter(float64(v), float64(toward)))
	}
	if toward > v {
		return v + 1
	}
	return v - 1
}

// each is that of the source, but that it may leave out elements for which the
// condition does not hold, and call whole, if that is not nil, where it holds for
// all.
func (c Condition[T]) each(ctx context.Context, s Source[T], whole func(b columnvault.Bounds), fn func(b block[T]) error) error {
	if c.holds != nil {
		return s.each(ctx, fn)
	}
	return interval[T]{low: c.low, high: c.high}.each(ctx, s, whole, fn)
}

// Where returns the positions in the column of the elements for which the
// condition holds, in order. They take 8 bytes each: slice the source where
// there may be too many.
func Where[T cmp.Ordered](ctx context.Context, s Source[T], c Condition[T]) ([]int, error) {
	var found []int
	hits := make([]int, blockLen)
	whole := func(b columnvault.Bounds) {
		for at := b.From; at < b.To; at++ {
			found = append(found, at)
		}
	}
	err := c.each(ctx, s, whole, func(b block[T]) error {
		hits = sized(hits, len(b.values))
		found = append(found, hits[:c.find(hits, b)]...)
		return nil
	})
	return found, err
}

// Filter returns the elements for which the condition holds, in order.
func Filter[T cmp.Ordered](ctx context.Context, s Source[T], c Condition[T]) ([]T, error) {
	var found []T
	hits := make([]int, blockLen)
	err := c.each(ctx, s, nil, func(b block[T]) error {
		hits = sized(hits, len(b.values))
		for _, at := range hits[:c.find(hits, b)] {
			found = append(found, b.values[at-b.start])
		}
		return nil
	})
	return found, err
}

// CountRange returns how many elements are at least from and less than to.
func CountRange[T cmp.Ordered](ctx context.Context, s Source[T], from, to T) (n int, err error) {
	whole := func(b columnvault.Bounds) { n += b.To - b.From }
	err = interval[T]{from, to, true}.each(ctx, s, whole, func(b block[T]) error {
		for _, v := range b.present() {
			n += one(v >= from) & one(v < to)
		}
		return nil
	})
	return n, err
}

// CountWhere returns for how many elements the condition holds, and takes no
// memory for them.
func CountWhere[T cmp.Ordered](ctx context.Context, s Source[T], c Condition[T]) (n int, err error) {
	whole := func(b columnvault.Bounds) { n += b.To - b.From }
	err = c.each(ctx, s, whole, func(b block[T]) error {
		n += c.count(b.present())
		return nil
	})
	return n, err
}

// count returns for how many values the condition holds.
func (c Condition[T]) count(values []T) (n int) {
	if c.holds != nil {
		for _, v := range values {
			n += one(c.holds(v))
		}
		return n
	}
	for _, v := range values {
		n += one(v >= c.low) & one(v <= c.high)
	}
	return n
}

// find puts the positions of elements for which the condition holds into hits,
// which has room for all, and returns how many there are. It has no branches:
// each position is written, and kept if the next is written behind it.
func (c Condition[T]) find(hits []int, b block[T]) (n int) {
	hits = hits[:len(b.values)]
	switch {
	case c.holds != nil:
		for i, v := range b.values {
			if (b.valid == nil || b.valid[i]) && c.holds(v) {
				hits[n] = b.start + i
				n++
			}
		}
	case b.valid != nil:
		for i, v := range b.values {
			hits[n] = b.start + i
			n += one(v >= c.low) & one(v <= c.high) & one(b.valid[i])
		}
	default:
		for i, v := range b.values {
			hits[n] = b.start + i
			n += one(v >= c.low) & one(v <= c.high)
		}
	}
	return n
}
