package feed

import (
	"fmt"
	"math"

	"columnvault/dtype"
	"columnvault/exchange"
)

type integer interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64
}

// wider turns integers into others that hold them all. The functions that turn
// say how many they did before one that they cannot.
func wider[A, B integer](dst []B, src []A) (int, error) {
	for i, n := range src {
		dst[i] = B(n)
	}
	return len(src), nil
}

func signed(dst []int64, src []uint64) (int, error) {
	for i, n := range src {
		if dst[i] = int64(n); dst[i] < 0 {
			return i, fmt.Errorf("%w: %d has no form in Iceberg, whose integers end at 2^63", dtype.ErrValue, n)
		}
	}
	return len(src), nil
}

// times turns times into those of a finer unit.
func times(factor int64) func(dst, src []int64) (int, error) {
	return func(dst, src []int64) (int, error) {
		for i, n := range src {
			if n > math.MaxInt64/factor || n < math.MinInt64/factor {
				return i, fmt.Errorf("%w: the time %d is out of range in microseconds", dtype.ErrValue, n)
			}
			dst[i] = n * factor
		}
		return len(src), nil
	}
}

// microseconds turns times in nanoseconds.
func microseconds(floor bool) func(dst, src []int64) (int, error) {
	return func(dst, src []int64) (int, error) {
		for i, n := range src {
			dst[i] = n / 1000
			if n%1000 == 0 {
				continue
			}
			if !floor {
				return i, fmt.Errorf("%w: the time %d ns is no whole number of microseconds", dtype.ErrValue, n)
			}
			if n < 0 {
				dst[i]--
			}
		}
		return len(src), nil
	}
}

// each turns numbers. A missing one counts as 0.
func each[A, B integer](turn func([]B, []A) (int, error)) func(exchange.Column) (exchange.Column, int, error) {
	out := &exchange.Vector[B]{}
	return func(c exchange.Column) (exchange.Column, int, error) {
		v := c.(*exchange.Vector[A])
		for i, missing := range v.Missing {
			if missing {
				v.Values[i] = 0
			}
		}
		out.Values = sized(out.Values, len(v.Values))
		out.Missing = v.Missing
		n, err := turn(out.Values, v.Values)
		return out, n, err
	}
}

// sized returns a slice of a length, in the memory of another if it is enough.
func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// vectors turns the numbers of vectors: all of one length, or tensors.
func vectors[A, B interface {
	integer
	dtype.Element
}](fixed bool, turn func([]B, []A) (int, error)) func(exchange.Column) (exchange.Column, int, error) {
	var memory []B
	take := func(src []A) ([]B, error) {
		if cap(memory)-len(memory) < len(src) {
			memory = make([]B, 0, max(len(src), 64<<10)) // what was given before stays as it is
		}
		dst := memory[len(memory) : len(memory)+len(src)]
		memory = memory[:len(memory)+len(src)]
		_, err := turn(dst, src)
		return dst, err
	}
	if fixed {
		out := &exchange.Vector[[]B]{}
		return func(c exchange.Column) (exchange.Column, int, error) {
			v := c.(*exchange.Vector[[]A])
			out.Values, memory = sized(out.Values, len(v.Values)), memory[:0]
			for i, src := range v.Values {
				var err error
				if out.Values[i], err = take(src); err != nil {
					return out, i, err
				}
			}
			return out, len(v.Values), nil
		}
	}
	out := &exchange.Vector[dtype.Tensor[B]]{}
	return func(c exchange.Column) (exchange.Column, int, error) {
		v := c.(*exchange.Vector[dtype.Tensor[A]])
		out.Values, memory = sized(out.Values, len(v.Values)), memory[:0]
		for i, src := range v.Values {
			data, err := take(src.Data)
			if err != nil {
				return out, i, err
			}
			out.Values[i] = dtype.Tensor[B]{Shape: src.Shape, Data: data}
		}
		return out, len(v.Values), nil
	}
}
