package columnvault

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"columnvault/dtype"
	"columnvault/internal/column"
	"columnvault/internal/excerpt"
	"columnvault/internal/position"
)

// At returns the element at position i.
func (c *Column[T]) At(ctx context.Context, i int) (value T, err error) {
	data, at, err := c.h.at(ctx, i)
	if err != nil {
		return value, err
	}
	value, err = c.t.Decode(data)
	return value, c.h.failAt("at", at, err)
}

// at reads the stored form of an element, whose absolute position it returns too.
func (c *handle) at(ctx context.Context, i int) (data []byte, at int64, err error) {
	err = c.read(ctx, "at", func(o *opened) error {
		data, at, err = c.element(ctx, "at", o, i)
		return err
	})
	return data, at, err
}

// element is at in a transaction.
func (c *handle) element(ctx context.Context, op string, o *opened, i int) (data []byte, at int64, err error) {
	if at, err = resolve(i, o.Len()); err != nil {
		return nil, 0, c.failAt(op, int64(i), err)
	}
	o.one = column.Elements{Ends: o.one.Ends[:0]} // the value may lie in the data
	_, err = o.Read(ctx, o.tx.r, &o.one, at, at+1, column.NoLimit)
	return o.one.Data, at, err
}

// Slice returns the elements from i up to, not including, j: Python's c[i:j].
func (c *Column[T]) Slice(ctx context.Context, i, j int) (values []T, err error) {
	err = c.h.read(ctx, "slice", func(o *opened) error {
		from, to := position.Range(i, j, o.Len())
		values, err = c.slice(ctx, o, from, to)
		return err
	})
	return values, err
}

func (c *Column[T]) slice(ctx context.Context, o *opened, from, to int64) ([]T, error) {
	if err := o.Backed(ctx, o.tx.r, from, to); err != nil {
		return nil, err
	}
	values := make([]T, to-from)
	if err := c.fill(ctx, o, values, from); err != nil {
		return nil, err
	}
	return values, nil
}

// fill fills values with the elements from i on. There are as many.
func (c *Column[T]) fill(ctx context.Context, o *opened, values []T, i int64) error {
	if raw := c.t.Bytes(values); raw != nil {
		return o.straight(ctx, raw, i, len(values))
	}
	for len(values) > 0 {
		b, n, err := c.h.encoded(ctx, o, i, i+int64(len(values)))
		if err == nil {
			err = c.h.placed("read", c.t.DecodeAll(values[:n], b.Data, b.Ends), i, nil)
		}
		if err != nil {
			return err
		}
		values, i = values[n:], i+int64(n)
	}
	return nil
}

// straight reads numbers into the memory of a slice. They come in one call,
// however many they are, so that an engine that is far away is asked once.
func (o *opened) straight(ctx context.Context, raw []byte, i int64, n int) (err error) {
	b := column.Elements{Data: raw[:0]}
	for j := i + int64(n); i < j && err == nil; {
		i, err = o.Read(ctx, o.tx.r, &b, i, j, column.NoLimit)
	}
	return err
}

// window appends the elements from i on, up to j, to values: as many as one
// buffer holds, and at least one. Numbers are read straight into the slice.
func (c *Column[T]) window(ctx context.Context, o *opened, values []T, i, j int64) ([]T, error) {
	old := len(values)
	if size := int64(c.h.form.Size()); size > 0 {
		values = longer(values, int(min(j-i, max(1, o.tx.v.buffer/size))))
		return values, c.fill(ctx, o, values[old:], i)
	}
	b, n, err := c.h.encoded(ctx, o, i, j)
	if err != nil {
		return values, err
	}
	values = longer(values, n)
	return values, c.h.placed("read", c.t.DecodeAll(values[old:], b.Data, b.Ends), i, nil)
}

// longer makes room for n more values at the end.
//
//go:noinline
func longer[T any](values []T, n int) []T { return slices.Grow(values, n)[:len(values)+n] }

// encoded reads the stored forms of the elements from i on, up to j: as many as
// one buffer holds, and at least one.
func (c *handle) encoded(ctx context.Context, o *opened, i, j int64) (b column.Elements, n int, err error) {
	b.Ends = o.one.Ends[:0]
	own := c.form.Spec().Kind <= dtype.KindFloat64 // the values lie in no memory of the data
	if own {
		b.Data = o.tx.scratch[:0]
	}
	next, err := o.Read(ctx, o.tx.r, &b, i, j, o.tx.v.buffer)
	o.one.Ends = b.Ends
	if own {
		o.tx.scratch = b.Data
	}
	return b, int(next - i), err
}

// placed is the error of decoding elements, with the position in the column of
// the one that it is about: they begin at first, or have those positions.
func (c *handle) placed(op string, err error, first int64, at []int64) error {
	if err == nil {
		return nil // errors.As takes memory
	}
	var bad *dtype.ElementError
	switch {
	case !errors.As(err, &bad):
		return err
	case at != nil:
		first = at[bad.Index]
	default:
		first += int64(bad.Index)
	}
	return c.failAt(op, first, bad.Err)
}

// Read fills into with the elements from position at on, and returns how many
// there were: fewer than len(into) only at the end of the column. Numbers are
// read straight into the memory of the slice.
func (c *Column[T]) Read(ctx context.Context, into []T, at int) (n int, err error) {
	err = c.h.read(ctx, "read", func(o *opened) error {
		from := position.Clamp(at, o.Len())
		values := into[:min(int64(len(into)), o.Len()-from)]
		n = len(values)
		return c.fill(ctx, o, values, from)
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// SliceStep returns every step-th element from i toward j: Python's
// c[i:j:step]. A negative step goes backwards, from i down to, not including,
// j: SliceStep(ctx, [End], [Begin], -1) is the whole column reversed.
func (c *Column[T]) SliceStep(ctx context.Context, i, j, step int) (values []T, err error) {
	if step == 0 {
		return nil, c.h.fail("slice", fmt.Errorf("%w: a step of 0", ErrInvalidArgument))
	}
	err = c.h.read(ctx, "slice", func(o *opened) error {
		first, count := position.Slice{Start: i, Stop: j, Step: step}.Positions(o.Len())
		values, err = c.sliceStep(ctx, o, first, count, int64(step))
		return err
	})
	return values, err
}

// sparse is the step from which on elements are picked one by one instead of
// being cut out of what lies between them.
const sparse = 64

func (c *Column[T]) sliceStep(ctx context.Context, o *opened, first, count, step int64) (values []T, err error) {
	if step == 1 {
		return c.slice(ctx, o, first, first+count)
	}
	values = make([]T, 0, min(count, 1<<20))
	if step >= sparse || step <= -sparse {
		for k := int64(0); k < count && err == nil; k = int64(len(values)) {
			values, err = c.gather(ctx, o, values, steps(first+k*step, min(count-k, 4096), step))
		}
		return values, err
	}
	// What is cut out is always in ascending order.
	low, high := first, first+(count-1)*step
	if step < 0 {
		low, high = high, low
	}
	var buf []T
	for at, next := low, low; at <= high && count > 0; at += int64(len(buf)) {
		if buf, err = c.window(ctx, o, buf[:0], at, high+1); err != nil {
			return nil, err
		}
		for ; next < at+int64(len(buf)); next += max(step, -step) {
			values = append(values, buf[next-at])
		}
	}
	if step < 0 {
		slices.Reverse(values)
	}
	return values, nil
}

// steps are so many positions.
func steps(first, count, step int64) []int64 {
	at := make([]int64, count)
	for k := range at {
		at[k] = first + int64(k)*step
	}
	return at
}

// Take returns the elements at these positions, in this order; a position may
// come more than once.
func (c *Column[T]) Take(ctx context.Context, positions []int) (values []T, err error) {
	err = c.h.read(ctx, "take", func(o *opened) error {
		at, err := c.h.resolveAll("take", positions, o.Len())
		if err != nil {
			return err
		}
		values, err = c.gather(ctx, o, make([]T, 0, len(at)), at)
		return err
	})
	return values, err
}

// gather appends the elements at absolute positions.
func (c *Column[T]) gather(ctx context.Context, o *opened, values []T, at []int64) ([]T, error) {
	var b column.Elements
	if err := o.Gather(ctx, o.tx.r, &b, at); err != nil {
		return nil, err
	}
	old := len(values)
	values = longer(values, len(at))
	return values, c.h.placed("take", c.t.DecodeAll(values[old:], b.Data, b.Ends), 0, at)
}

// Begin and End stand for the missing bounds of a slice: Slice(ctx, Begin, 10)
// is Python's [:10], and Slice(ctx, -100, End) is [-100:].
const (
	Begin = math.MinInt
	End   = math.MaxInt
)

// resolveAll makes positions in a column of n elements absolute.
func (c *handle) resolveAll(op string, positions []int, n int64) ([]int64, error) {
	at := make([]int64, len(positions))
	for k, i := range positions {
		var err error
		if at[k], err = resolve(i, n); err != nil {
			return nil, c.failAt(op, int64(i), err)
		}
	}
	return at, nil
}

// resolve makes a position absolute. Negative ones count from the end.
func resolve(i int, n int64) (int64, error) {
	at, ok := position.At(i, n)
	if !ok {
		return 0, fmt.Errorf("%w: the column has %d elements", ErrOutOfRange, n)
	}
	return at, nil
}

// Index returns the position of the first element that equals value, or
// [ErrNotFound]. Equal means equal bytes in the file, but that the floating-point
// zeros are equal and no NaN equals anything. The search reads the column.
func (c *Column[T]) Index(ctx context.Context, value T) (int, error) {
	forms, err := c.t.Match(value)
	return c.h.index(ctx, forms, err)
}

// index is Index of the stored forms of a value, if it has any.
//
//go:noinline
func (c *handle) index(ctx context.Context, forms [][]byte, err error) (int, error) {
	if err != nil {
		return -1, c.fail("index", err)
	}
	at := int64(-1)
	err = c.read(ctx, "index", func(o *opened) (err error) {
		at, err = o.find(ctx, forms)
		return err
	})
	return int(at), err
}

// Contains tells whether an element equals value, as [Column.Index] does.
func (c *Column[T]) Contains(ctx context.Context, value T) (bool, error) {
	forms, err := c.t.Match(value)
	n, err := c.h.count(ctx, "contains", forms, err, 1)
	return n > 0, err
}

// Count returns how many elements equal value, as [Column.Index] does.
func (c *Column[T]) Count(ctx context.Context, value T) (int, error) {
	forms, err := c.t.Match(value)
	return c.h.count(ctx, "count", forms, err, column.NoLimit)
}

// count is Count of the stored forms of a value, if it has any. It stops when it
// has found limit elements.
//
//go:noinline
func (c *handle) count(ctx context.Context, op string, forms [][]byte, err error, limit int64) (n int, _ error) {
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

// flat returns the vector type of the column, whose rows must have one length.
func flat[E dtype.Element](c *Column[[]E]) (dtype.VectorType[E], error) {
	t, ok := c.t.(dtype.VectorType[E])
	if !ok || t.RowLen() == 0 {
		return t, fmt.Errorf("%w: the rows of %s do not all have the same length", ErrInvalidArgument, excerpt.Line(c.h.dtype, excerpt.Name))
	}
	return t, nil
}

// ReadFlat reads the rows of a column of fixed vectors, from position at on,
// back to back into one slice: as many as fit in into and are there. It returns
// their number, and allocates nothing for a row.
func ReadFlat[E dtype.Element](ctx context.Context, c *Column[[]E], into []E, at int) (rows int, err error) {
	t, err := flat(c)
	if err != nil {
		return 0, c.h.fail("read", err)
	}
	err = c.h.read(ctx, "read", func(o *opened) error {
		from := position.Clamp(at, o.Len())
		to := from + min(int64(len(into)/t.RowLen()), o.Len()-from)
		rows = 0
		b := column.Elements{Data: o.tx.scratch[:0]}
		for i := from; i < to; {
			b.Reset()
			next, err := o.Read(ctx, o.tx.r, &b, i, to, o.tx.v.buffer)
			o.tx.scratch = b.Data
			if err != nil {
				return err
			}
			n := int(next - i)
			if err := t.DecodeFlat(into[rows*t.RowLen():(rows+n)*t.RowLen()], b.Data); err != nil {
				return err
			}
			rows, i = rows+n, next
		}
		return nil
	})
	return rows, err
}
