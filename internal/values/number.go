package values

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"columnvault/dtype"
)

// numeric is a kind of numbers whose Go type is hidden, for all that commands
// do with numbers.
type numeric interface {
	// parse reads a number. It returns one of the Go type.
	parse(text []byte) (any, error)
	// append prints a number of the Go type.
	append(dst []byte, v any) []byte
	// parseVector reads nested lists of numbers. It returns a dtype.Tensor.
	parseVector(text []byte) (any, error)
	// isTensor tells whether v is a dtype.Tensor of these numbers.
	isTensor(v any) bool
	// flat returns the elements of a dtype.Tensor of these numbers.
	flat(v any) any
	// appendVector prints what a vector column of this kind returns.
	appendVector(dst []byte, v any, dims []int) []byte
}

// numbers are the numeric kinds.
var numbers = map[dtype.Kind]numeric{
	dtype.KindInt8:    signed(dtype.Int8),
	dtype.KindInt16:   signed(dtype.Int16),
	dtype.KindInt32:   signed(dtype.Int32),
	dtype.KindInt64:   signed(dtype.Int64),
	dtype.KindUint8:   unsigned(dtype.Uint8),
	dtype.KindUint16:  unsigned(dtype.Uint16),
	dtype.KindUint32:  unsigned(dtype.Uint32),
	dtype.KindUint64:  unsigned(dtype.Uint64),
	dtype.KindFloat16: half(),
	dtype.KindFloat32: floating(dtype.Float32),
	dtype.KindFloat64: floating(dtype.Float64),
}

// IsNumber tells whether the elements of a column of this kind are numbers.
func IsNumber(k dtype.Kind) bool { return numbers[k] != nil }

// NumbersOf returns how numbers of a kind are read and printed, whose Go type
// is T.
func NumbersOf[T dtype.Element](k dtype.Kind) (read func(text []byte) (T, error), format func(dst []byte, v T) []byte) {
	n := numbers[k].(interface{ typed() number[T] }).typed()
	return n.read, n.format
}

// number is numeric with its Go type.
type number[T dtype.Element] struct {
	t      dtype.Type[T]
	read   func(text []byte) (T, error)
	format func(dst []byte, v T) []byte
}

func signed[T int8 | int16 | int32 | int64](t dtype.Type[T]) number[T] {
	bits := 8 * t.Size()
	return number[T]{
		t: t,
		read: func(text []byte) (T, error) {
			if n, ok := ShortInt(text); ok && int64(T(n)) == n {
				return T(n), nil
			}
			n, err := strconv.ParseInt(string(text), 10, bits)
			if err != nil {
				return 0, numberError(t.String(), "an integer", text, err)
			}
			return T(n), nil
		},
		format: func(dst []byte, v T) []byte { return AppendInt(dst, int64(v)) },
	}
}

func unsigned[T uint8 | uint16 | uint32 | uint64](t dtype.Type[T]) number[T] {
	bits := 8 * t.Size()
	return number[T]{
		t: t,
		read: func(text []byte) (T, error) {
			if n, ok := ShortInt(text); ok && n >= 0 && uint64(T(n)) == uint64(n) && text[0] != '-' {
				return T(n), nil
			}
			n, err := strconv.ParseUint(string(text), 10, bits)
			if err != nil && len(text) > 1 && text[0] == '-' && len(bytes.Trim(text[1:], "0123456789")) == 0 {
				err = strconv.ErrRange // for ParseUint a minus is a syntax error
			}
			if err != nil {
				return 0, numberError(t.String(), "an integer", text, err)
			}
			return T(n), nil
		},
		format: func(dst []byte, v T) []byte { return appendUint(dst, uint64(v)) },
	}
}

// AppendInt prints a number in digits.
func AppendInt(dst []byte, n int64) []byte {
	if n < 0 {
		return appendUint(append(dst, '-'), -uint64(n))
	}
	return appendUint(dst, uint64(n))
}

// appendUint prints numbers of up to four digits, which most are, in half the
// time that package strconv takes.
func appendUint(dst []byte, n uint64) []byte {
	switch {
	case n < 10:
		return append(dst, '0'+byte(n))
	case n < 100:
		return appendTwo(dst, int(n))
	case n < 1000:
		return append(dst, '0'+byte(n/100), '0'+byte(n/10%10), '0'+byte(n%10))
	case n < 10_000:
		return appendTwo(appendTwo(dst, int(n/100)), int(n%100))
	}
	return strconv.AppendUint(dst, n, 10)
}

func floating[T float32 | float64](t dtype.Type[T]) number[T] {
	bits := 8 * t.Size()
	return number[T]{
		t: t,
		read: func(text []byte) (T, error) {
			f, err := ParseFloat(text, bits)
			if err != nil {
				return 0, numberError(t.String(), "a number", text, err)
			}
			return T(f), nil
		},
		format: func(dst []byte, v T) []byte { return AppendFloat(dst, float64(v), bits) },
	}
}

func (n number[T]) parse(text []byte) (any, error) { return n.read(text) }

func (n number[T]) append(dst []byte, v any) []byte { return n.format(dst, v.(T)) }

func (n number[T]) typed() number[T] { return n }

// ShortInt reads digits after an optional minus, if they are so few that their
// number needs no check. Most integers are.
func ShortInt(text []byte) (n int64, ok bool) {
	digits := text
	if len(text) > 0 && text[0] == '-' {
		digits = text[1:]
	}
	if len(digits) == 0 || len(digits) > 18 {
		return 0, false
	}
	for _, c := range digits {
		if c -= '0'; c > 9 {
			return 0, false
		}
		n = 10*n + int64(c)
	}
	if len(digits) < len(text) {
		n = -n
	}
	return n, true
}

// numberError is that of text which strconv could not read as what the dtype
// needs.
func numberError(dtype, what string, text []byte, err error) error {
	if errors.Is(err, strconv.ErrRange) {
		return fmt.Errorf("%s is outside the range of %s", Excerpt(text), dtype)
	}
	return fmt.Errorf("%s is not %s, as %s needs", Excerpt(text), what, dtype)
}
