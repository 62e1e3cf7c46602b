package scan

import (
	"context"
	"fmt"
	"math"
	"math/bits"

	"columnvault"
	"columnvault/dtype"
)

// Total is what sums are returned as.
type Total interface{ int64 | uint64 | float64 }

// Sum returns the sum of numbers, 0 if there are none:
//
//	total, err := scan.Sum[int64](ctx, scan.Of(trips))
//
// Integers are added exactly, and the result is rounded if a float64 is wanted.
// A result that an int64 or uint64 cannot hold is a [columnvault.ErrOutOfRange].
// Floats are added pairwise, which keeps rounding errors small, and only to a
// float64: another Total is a [columnvault.ErrInvalidArgument].
func Sum[S Total, T dtype.Element](ctx context.Context, s Source[T]) (S, error) {
	if isFloat[T]() && !isFloat64[S]() {
		return 0, s.fail("sum", -1, errTotal)
	}
	a, err := added(ctx, s)
	if err != nil {
		return 0, err
	}
	total, ok := totalOf[S](&a)
	if !ok {
		return 0, s.fail("sum", -1, fmt.Errorf("%w: the sum is about %.6g, which %T does not hold", columnvault.ErrOutOfRange, a.sum(), total))
	}
	return total, nil
}

var errTotal = fmt.Errorf("%w: a sum of floats is a float64", columnvault.ErrInvalidArgument)

// Mean returns the arithmetic mean of numbers, or [columnvault.ErrNotFound] if
// there are none.
func Mean[T dtype.Element](ctx context.Context, s Source[T]) (float64, error) {
	a, err := added(ctx, s)
	if err == nil && a.count == 0 {
		err = s.none("mean")
	}
	if err != nil {
		return 0, err
	}
	return a.sum() / float64(a.count), nil
}

// added adds all elements.
func added[T dtype.Element](ctx context.Context, s Source[T]) (all adder[T], err error) {
	parts, err := collect(ctx, s, func(a *adder[T], b block[T]) { a.add(b.present()) })
	for i := range parts {
		all.merge(&parts[i])
	}
	return all, err
}

// none is the error of a result that needs at least one value.
func (s Source[T]) none(op string) error {
	return s.fail(op, -1, fmt.Errorf("%w: there are no values", columnvault.ErrNotFound))
}

// adder adds numbers: integers in 128 bits, floats pairwise.
type adder[T dtype.Element] struct {
	count  int    // of numbers that are not NaN
	lo, hi uint64 // the sum of integers in two's complement
	// sums are those of 1, 2, 4 ... stretches of floats. sums[i] counts if bit
	// i of stretches is set.
	sums      [64]float64
	stretches uint64
}

func isFloat[T dtype.Element]() bool { return T(1)/2 != 0 }

func isFloat64[S Total]() bool { return S(1)/2 != 0 }

// stretch is how many floats are added before sums are added in pairs.
const stretch = 128

// add adds values, of which there must not be more than 2^31.
func (a *adder[T]) add(values []T) {
	a.count += len(values)
	if !isFloat[T]() {
		a.addIntegers(values)
		return
	}
	for len(values) > 0 {
		n := min(stretch, len(values))
		sum := sumFloats(values[:n])
		if sum != sum {
			var nan int
			sum, nan = sumNumbers(values[:n])
			a.count -= nan
		}
		a.push(sum)
		values = values[n:]
	}
}

// addIntegers adds the halves of integers apart, which cannot overflow.
func (a *adder[T]) addIntegers(values []T) {
	var low uint64
	var high int64
	if minus := T(0) - 1; minus < 0 {
		for _, v := range values {
			low += uint64(uint32(int64(v)))
			high += int64(v) >> 32
		}
	} else {
		for _, v := range values {
			low += uint64(uint32(uint64(v)))
			high += int64(uint64(v) >> 32)
		}
	}
	var carry uint64
	a.lo, carry = bits.Add64(a.lo, low, 0)
	a.hi += carry
	a.lo, carry = bits.Add64(a.lo, uint64(high)<<32, 0)
	a.hi += uint64(high>>32) + carry
}

// merge adds the numbers of another adder.
func (a *adder[T]) merge(b *adder[T]) {
	a.count += b.count
	if isFloat[T]() {
		a.push(b.sum())
		return
	}
	var carry uint64
	a.lo, carry = bits.Add64(a.lo, b.lo, 0)
	a.hi += b.hi + carry
}

// push adds the sum of a stretch.
func (a *adder[T]) push(sum float64) {
	level := bits.TrailingZeros64(^a.stretches)
	for i := range level {
		sum += a.sums[i]
	}
	a.sums[level] = sum
	a.stretches++
}

// sumFloats adds floats in eight sums, so that an addition need not wait for the
// one before.
func sumFloats[T dtype.Element](v []T) float64 {
	var s0, s1, s2, s3, s4, s5, s6, s7 float64
	for len(v) >= 8 {
		s0 += float64(v[0])
		s1 += float64(v[1])
		s2 += float64(v[2])
		s3 += float64(v[3])
		s4 += float64(v[4])
		s5 += float64(v[5])
		s6 += float64(v[6])
		s7 += float64(v[7])
		v = v[8:]
	}
	for _, v := range v {
		s0 += float64(v)
	}
	return ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))
}

// sumNumbers is sumFloats without NaN, of which it returns the number.
func sumNumbers[T dtype.Element](values []T) (sum float64, nan int) {
	for _, v := range values {
		if v != v {
			nan++
			continue
		}
		sum += float64(v)
	}
	return sum, nan
}

// sum returns the sum, rounded.
func (a *adder[T]) sum() float64 {
	if isFloat[T]() {
		total := 0.0
		for i, sum := range a.sums {
			if a.stretches>>i&1 != 0 {
				total += sum
			}
		}
		return total
	}
	lo, hi, sign := a.lo, a.hi, 1.0
	if int64(hi) < 0 {
		lo, hi, sign = -lo, ^hi, -1
		if lo == 0 {
			hi++
		}
	}
	return sign * (float64(hi)*(1<<64) + float64(lo))
}

// totalOf returns the sum if S can hold it. Floats need a float64.
func totalOf[S Total, T dtype.Element](a *adder[T]) (S, bool) {
	var total S
	switch p := any(&total).(type) {
	case *int64:
		*p = int64(a.lo)
		return total, a.hi == uint64(int64(a.lo)>>63)
	case *uint64:
		*p = a.lo
		return total, a.hi == 0
	case *float64:
		*p = a.sum()
	}
	return total, true
}

// largest and smallest are the bounds of T, infinities for floats.
func largest[T dtype.Element]() T {
	var v T
	switch p := any(&v).(type) {
	case *int8:
		*p = math.MaxInt8
	case *int16:
		*p = math.MaxInt16
	case *int32:
		*p = math.MaxInt32
	case *int64:
		*p = math.MaxInt64
	case *float32:
		*p = float32(math.Inf(1))
	case *float64:
		*p = math.Inf(1)
	default:
		v-- // unsigned
	}
	return v
}

func smallest[T dtype.Element]() T {
	if isFloat[T]() {
		return -largest[T]()
	}
	return largest[T]() + 1
}
