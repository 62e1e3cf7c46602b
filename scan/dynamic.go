package scan

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"columnvault"
	"columnvault/dtype"
)

// Float64s returns the source of a column of numbers whose type is only known
// from the file, as floats: integers beyond 2^53 are rounded. Times and dates
// are the numbers that are stored. Other columns are a [columnvault.ErrDType].
//
// A column whose type is known is better opened with [columnvault.Lookup]; one
// that was opened by its name alone, and of which the type has been looked at,
// with [columnvault.As].
func Float64s(c *columnvault.Column[any]) (Source[float64], error) {
	n, err := numbersOf(c)
	if err != nil {
		return Source[float64]{}, err
	}
	return n.floats(c), nil
}

// DescribeAny is [Describe] for the elements from i up to j of a column whose
// type is only known from the file. The elements in the description are of the
// Go type of the numbers: of times and dates they are the numbers that are
// stored. A column of other elements is a [columnvault.ErrDType].
func DescribeAny(ctx context.Context, c *columnvault.Column[any], i, j int) (Description[any], error) {
	n, err := numbersOf(c)
	if err != nil {
		return Description[any]{}, err
	}
	return n.describe(ctx, c, i, j)
}

// SumAny is [Sum] for the elements from i up to j of a column whose type is only
// known from the file: an int64 or uint64, or a float64 of floats. A column of
// other elements, or of times or dates, is a [columnvault.ErrDType].
func SumAny(ctx context.Context, c *columnvault.Column[any], i, j int) (any, error) {
	n, err := numbersOf(c)
	if m := c.Meaning(); err == nil && m.IsTime() {
		err = errNoNumbers(c)
	}
	if err != nil {
		return nil, err
	}
	return n.sum(ctx, c, i, j)
}

// MinMaxAny is [MinMax] for the elements from i up to j of a column of numbers or
// text whose type is only known from the file; elements are of the types that
// [DescribeAny] has, and both are nil if there are none. It reads at most so many
// elements, and ok is false if these do not tell: a column whose
// [columnvault.Column.Bounds] are known needs some thousand however long it is,
// and others all. A column of other elements is a [columnvault.ErrDType].
func MinMaxAny(ctx context.Context, c *columnvault.Column[any], i, j, most int) (low, high any, ok bool, err error) {
	spec, err := dtype.ParseSpec(c.DType())
	if err == nil && spec.Kind == dtype.KindText {
		t := dtype.Text(spec.Encoding)
		if spec.Sized {
			t = dtype.FixedText(spec.Size, spec.Encoding)
		}
		return minMaxAny(ctx, sourceOf(c, t).Slice(i, j), most)
	}
	n, err := numbersOf(c)
	if err != nil {
		return nil, nil, false, err
	}
	return n.minMax(ctx, c, i, j, most)
}

func minMaxAny[T cmp.Ordered](ctx context.Context, s Source[T], most int) (low, high any, ok bool, err error) {
	var e extent[T]
	err = s.reader.view(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		e, err = extentOf(ctx, s.in(tx), false, most)
		return err
	})
	switch {
	case errors.Is(err, errMost):
		return nil, nil, false, nil
	case err != nil || !e.any:
		return nil, nil, err == nil, err
	}
	return e.low, e.high, true, nil
}

// sourceOf is the source of a column of this type, whose elements may be missing.
func sourceOf[T any](c *columnvault.Column[any], t dtype.Type[T]) Source[T] {
	if c.Meaning().Null {
		return OfNull(columnvault.As(c, dtype.Nullable(t)))
	}
	return Of(columnvault.As(c, t))
}

// numbersOf returns the numbers of a column.
func numbersOf(c *columnvault.Column[any]) (dynamic, error) {
	spec, err := dtype.ParseSpec(c.DType())
	if n := kinds[spec.Kind]; err == nil && n != nil {
		return n, nil
	}
	return nil, errNoNumbers(c)
}

func errNoNumbers(c *columnvault.Column[any]) error {
	err := fmt.Errorf("%w: the column is of %s, not of numbers", columnvault.ErrDType, c.DType())
	return &columnvault.Error{Op: "scan", Column: c.Name(), Index: -1, Err: err}
}

// kinds are the dtypes of numbers.
var kinds = map[dtype.Kind]dynamic{
	dtype.KindInt8:    signed[int8]{numbers[int8]{dtype.Int8}},
	dtype.KindInt16:   signed[int16]{numbers[int16]{dtype.Int16}},
	dtype.KindInt32:   signed[int32]{numbers[int32]{dtype.Int32}},
	dtype.KindInt64:   signed[int64]{numbers[int64]{dtype.Int64}},
	dtype.KindUint8:   numbers[uint8]{dtype.Uint8},
	dtype.KindUint16:  numbers[uint16]{dtype.Uint16},
	dtype.KindUint32:  numbers[uint32]{dtype.Uint32},
	dtype.KindUint64:  numbers[uint64]{dtype.Uint64},
	dtype.KindFloat16: numbers[float32]{dtype.Float16},
	dtype.KindFloat32: numbers[float32]{dtype.Float32},
	dtype.KindFloat64: numbers[float64]{dtype.Float64},
}

// dynamic is a type of numbers that is hidden.
type dynamic interface {
	floats(c *columnvault.Column[any]) Source[float64]
	describe(ctx context.Context, c *columnvault.Column[any], i, j int) (Description[any], error)
	sum(ctx context.Context, c *columnvault.Column[any], i, j int) (any, error)
	minMax(ctx context.Context, c *columnvault.Column[any], i, j, most int) (low, high any, ok bool, err error)
}

type numbers[T dtype.Element] struct{ t dtype.Type[T] }

func (n numbers[T]) source(c *columnvault.Column[any]) Source[T] { return sourceOf(c, n.t) }

func (n numbers[T]) floats(c *columnvault.Column[any]) Source[float64] {
	return Map(n.source(c), func(v T) float64 { return float64(v) })
}

func (n numbers[T]) describe(ctx context.Context, c *columnvault.Column[any], i, j int) (Description[any], error) {
	d, err := Describe(ctx, n.source(c).Slice(i, j))
	all := Description[any]{Len: d.Len, Missing: d.Missing, NaN: d.NaN, Count: d.Count}
	if d.Count > 0 {
		all.Min, all.Quarter, all.Median, all.ThreeQuarters, all.Max, all.Mean = d.Min, d.Quarter, d.Median, d.ThreeQuarters, d.Max, d.Mean
	}
	return all, err
}

func (n numbers[T]) minMax(ctx context.Context, c *columnvault.Column[any], i, j, most int) (low, high any, ok bool, err error) {
	return minMaxAny(ctx, n.source(c).Slice(i, j), most)
}

func (n numbers[T]) sum(ctx context.Context, c *columnvault.Column[any], i, j int) (any, error) {
	if isFloat[T]() {
		return Sum[float64](ctx, n.source(c).Slice(i, j))
	}
	return Sum[uint64](ctx, n.source(c).Slice(i, j))
}

// signed are numbers whose sum is an int64.
type signed[T dtype.Element] struct{ numbers[T] }

func (n signed[T]) sum(ctx context.Context, c *columnvault.Column[any], i, j int) (any, error) {
	return Sum[int64](ctx, n.source(c).Slice(i, j))
}
