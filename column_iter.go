package columnvault

import (
	"context"
	"errors"
	"iter"
	"math"
	"slices"

	"columnvault/internal/catalog"
	"columnvault/internal/column"
	"columnvault/internal/position"
)

// Values iterates over all elements in order. The loop sees one snapshot, and
// gives it back when it ends, early or not. An error ends the loop; it comes
// with a zero value.
//
// Inside a [Vault.Update] the loop ends with [ErrConcurrentChange] if its body
// changes the column.
func (c *Column[T]) Values(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) { c.forward(ctx, yield) }
}

func (c *Column[T]) forward(ctx context.Context, yield func(T, error) bool) {
	err := c.h.loop(ctx, "values", func(o *opened) error {
		var buf []T
		for at := int64(0); at < o.Len(); at += int64(len(buf)) {
			var err error
			if buf, err = c.window(ctx, o, buf[:0], at, o.Len()); err == nil {
				err = each(o, buf, yield)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	fails(err, yield)
}

// Backward iterates over all elements from the last to the first, as
// [Column.Values] does from the first to the last.
func (c *Column[T]) Backward(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) { c.backward(ctx, yield) }
}

func (c *Column[T]) backward(ctx context.Context, yield func(T, error) bool) {
	err := c.h.loop(ctx, "backward", func(o *opened) error {
		var buf []T
		for end := o.Len(); end > 0; end -= int64(len(buf)) {
			from, err := o.Before(ctx, o.tx.r, end, o.tx.v.buffer)
			if err != nil {
				return err
			}
			buf = longer(buf[:0], int(end-from))
			if err = c.fill(ctx, o, buf, from); err == nil {
				slices.Reverse(buf)
				err = each(o, buf, yield)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	fails(err, yield)
}

// Run is a run of neighboring elements.
type Run[T any] struct {
	Start  int // position of the first
	Values []T
}

// Runs iterates over all elements in order, in runs of about
// [Options.ReadBytes]. The slices belong to the caller, so each run takes new
// memory; [Column.RunsInto] uses the same memory again. Otherwise it is like
// [Column.Values].
func (c *Column[T]) Runs(ctx context.Context) iter.Seq2[Run[T], error] {
	return func(yield func(Run[T], error) bool) { c.runs(ctx, nil, math.MaxInt, false, Begin, End, yield) }
}

// RunsInto iterates over the elements from position i up to j, as [Column.Slice]
// takes them, in runs that lie in buf: each run overwrites the one before. It
// allocates nothing for numbers, which makes it the fastest way through a
// column. A run is never longer than buf, nor takes much more than
// [Options.ReadBytes]. If buf is empty, the loop makes one. Otherwise it is like
// [Column.Values].
func (c *Column[T]) RunsInto(ctx context.Context, buf []T, i, j int) iter.Seq2[Run[T], error] {
	return func(yield func(Run[T], error) bool) {
		most := len(buf)
		if most == 0 {
			most = runLen
		}
		c.runs(ctx, buf, most, true, i, j, yield)
	}
}

// runLen is how many elements a run has at most where nobody says how many.
const runLen = 1 << 15

// runs iterates over runs of at most so many elements. They lie in buf, or, if
// again is not set, in new memory each.
func (c *Column[T]) runs(ctx context.Context, buf []T, most int, again bool, i, j int, yield func(Run[T], error) bool) {
	err := c.h.loop(ctx, "runs", func(o *opened) error {
		changes := o.changes
		at, to := position.Range(i, j, o.Len())
		for at < to {
			values, err := c.window(ctx, o, buf[:0], at, at+min(to-at, int64(most)))
			if err == nil {
				err = o.after(yield(Run[T]{Start: int(at), Values: values}, nil), changes)
			}
			if err != nil {
				return err
			}
			at += int64(len(values))
			if again {
				buf = values
			}
		}
		return nil
	})
	fails(err, yield)
}

// Bounds are what a column knows of some neighboring elements without reading
// them.
type Bounds struct {
	// From is the position of the first element, To that after the last.
	From, To int
	// Known says that no element has a [Column.Key] below Low or above High.
	// There need not be one that has either: after edits, bounds may be wider
	// than the elements are.
	Known     bool
	Low, High uint64
}

// Bounds iterates over what the column knows of the elements from position i up
// to j, as [Column.Slice] takes them: stretch by stretch, in order and without
// gaps. A [Native] column knows bounds of each some thousand numbers, times or
// texts, unless NaN is among them; those of missing elements are in them as the
// value that stands for missing ([dtype.Nullable]). All other elements are one
// stretch of which nothing is known, and so is what caches hold.
//
// Nothing is read for it, and the bounds are what the file says; a full
// [Vault.Check] looks whether that is so. Otherwise it is like [Column.Values].
//
//go:noinline
func (c *untyped) Bounds(ctx context.Context, i, j int) iter.Seq2[Bounds, error] {
	return func(yield func(Bounds, error) bool) { c.h.bounds(ctx, i, j, yield) }
}

func (c *handle) bounds(ctx context.Context, i, j int, yield func(Bounds, error) bool) {
	err := c.loop(ctx, "bounds", func(o *opened) error {
		from, to := position.Range(i, j, o.Len())
		changes := o.changes
		for b, err := range column.BoundsOf(ctx, o.tx.r, o.Column, from, to) {
			if err == nil {
				err = o.after(yield(Bounds{int(b.From), int(b.To), b.Known, b.Low, b.High}, nil), changes)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	fails(err, yield)
}

// Key returns a number that is not smaller for a value that is not smaller, to be
// compared with [Bounds], and whether the value has one. Different numbers and
// times have different keys, but that both zeros of floats have one; the key of
// text and bytes is their first eight bytes. NaN has none, and neither have values
// that the column cannot hold, or those without an order.
func (c *Column[T]) Key(value T) (key uint64, ok bool) {
	p, err := c.t.Append(nil, value)
	return c.h.key(p, err)
}

// key is Key of the stored form of a value, if it has one.
func (c *handle) key(p []byte, err error) (key uint64, ok bool) {
	if err != nil {
		return 0, false
	}
	return catalog.OrderOf(c.dtype).Key(p)
}

// Within returns the first stretch of the elements from position i on, and before
// j, of which some may be from low to high, both included, by their [Column.Bounds]:
// it ends where next is wanted, and is empty at j if there are no more. It is
// everything from i to j in a column without bounds. i and j are as in [Column.Slice].
func (c *Column[T]) Within(ctx context.Context, i, j int, low, high T) (from, to int, err error) {
	least, ok := c.Key(low)
	if !ok {
		least = 0
	}
	most, ok := c.Key(high)
	if !ok {
		most = math.MaxUint64
	}
	return c.h.within(ctx, i, j, least, most)
}

// within is Within for keys.
func (c *handle) within(ctx context.Context, i, j int, low, high uint64) (from, to int, err error) {
	err = c.read(ctx, "within", func(o *opened) error {
		first, end := position.Range(i, j, o.Len())
		first, end, err := column.Within(ctx, o.tx.r, o.Column, first, end, low, high)
		from, to = int(first), int(end)
		return err
	})
	return from, to, err
}

// errStop ends a loop because its body has.
var errStop = errors.New("the loop has ended")

// loop runs the inside of an iterator.
func (c *handle) loop(ctx context.Context, op string, run func(o *opened) error) error {
	err := c.view(ctx, op, run)
	if errors.Is(err, errStop) {
		return nil
	}
	return err
}

// fails ends a loop with its error, if it has one.
func fails[Y any](err error, yield func(Y, error) bool) {
	if err != nil {
		var none Y
		yield(none, err)
	}
}

// each hands values to the body of the loop.
func each[T any](o *opened, values []T, yield func(T, error) bool) error {
	changes := o.changes
	for _, value := range values {
		if err := o.after(yield(value, nil), changes); err != nil {
			return err
		}
	}
	return nil
}

// after is why a loop ends after its body has run, which tells whether it wants
// more: the column had had so many changes before.
func (o *opened) after(more bool, changes int) error {
	switch {
	case !more:
		return errStop
	case o.changes != changes:
		return ErrConcurrentChange
	}
	return nil
}
