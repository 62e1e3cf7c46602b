package scan

import (
	"cmp"
	"context"
	"math"
	"reflect"

	"columnvault"
)

// MinMax returns the smallest and the largest element, or
// [columnvault.ErrNotFound] if there are none. Text is compared by its bytes. Of a
// native column it reads the runs in which the [columnvault.Bounds] say that they
// may be: two where nothing has been edited, and all at worst.
func MinMax[T cmp.Ordered](ctx context.Context, s Source[T]) (low, high T, err error) {
	var e extent[T]
	err = s.reader.view(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		e, err = extentOf(ctx, s.in(tx), false, math.MaxInt)
		return err
	})
	if err == nil && !e.any {
		err = s.none("minmax")
	}
	return e.low, e.high, err
}

// Count returns how many elements are there: neither missing nor NaN. It does not
// read those of which the [columnvault.Bounds] say that.
func Count[T any](ctx context.Context, s Source[T]) (n int, err error) {
	err = s.reader.view(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		s := s.in(tx)
		from, to, err := s.span(ctx)
		if err != nil {
			return err
		}
		n = 0
		whole := func(b columnvault.Bounds) { n += b.To - b.From }
		return s.unknown(ctx, from, to, s.reader.complete, whole, func(b block[T]) error {
			n += countPresent(b.present())
			return nil
		})
	})
	return n, err
}

// countPresent counts what is not NaN.
func countPresent[T any](values []T) int {
	n := len(values)
	switch values := any(values).(type) {
	case []float64:
		n -= countNaN(values)
	case []float32:
		n -= countNaN(values)
	}
	return n
}

// countNaN counts NaNs without a branch.
func countNaN[T float32 | float64](values []T) (n int) {
	for _, v := range values {
		n += one(v != v)
	}
	return n
}

// extremes are the smallest and the largest of values.
type extremes[T cmp.Ordered] struct {
	low, high T
	any       bool // there were values that are not NaN
	float     bool
}

func newExtremes[T cmp.Ordered]() extremes[T] {
	kind := reflect.TypeFor[T]().Kind()
	return extremes[T]{float: kind == reflect.Float32 || kind == reflect.Float64}
}

// add takes values into account.
func (e *extremes[T]) add(values []T) {
	for !e.any && len(values) > 0 {
		if v := values[0]; v == v {
			e.low, e.high, e.any = v, v, true
		}
		values = values[1:]
	}
	switch {
	case e.float:
		e.addFloats(values)
	case reflect.TypeFor[T]().Kind() == reflect.String:
		for _, v := range values {
			e.low, e.high = min(e.low, v), max(e.high, v)
		}
	default:
		e.addIntegers(values)
	}
}

// merge takes other extremes into account.
func (e *extremes[T]) merge(o extremes[T]) {
	if o.any {
		e.add([]T{o.low, o.high})
	}
}

// addFloats skips NaN, which compares as false with everything. That a value is
// the new extreme is rare, so a branch costs less here than min, which would
// have to look for NaN.
func (e *extremes[T]) addFloats(values []T) {
	low, high := e.low, e.high
	for _, v := range values {
		if v < low {
			low = v
		}
		if v > high {
			high = v
		}
	}
	e.low, e.high = low, high
}

// addIntegers has no branches, and four pairs that do not wait for each other.
func (e *extremes[T]) addIntegers(v []T) {
	low0, low1, low2, low3 := e.low, e.low, e.low, e.low
	high0, high1, high2, high3 := e.high, e.high, e.high, e.high
	for len(v) >= 4 {
		low0, high0 = min(low0, v[0]), max(high0, v[0])
		low1, high1 = min(low1, v[1]), max(high1, v[1])
		low2, high2 = min(low2, v[2]), max(high2, v[2])
		low3, high3 = min(low3, v[3]), max(high3, v[3])
		v = v[4:]
	}
	for _, v := range v {
		low0, high0 = min(low0, v), max(high0, v)
	}
	e.low = min(low0, low1, low2, low3)
	e.high = max(high0, high1, high2, high3)
}
