package values

import (
	"bytes"
	"errors"
	"math"
	"strconv"
	"strings"

	"columnvault/dtype"
)

// IsFloat tells whether numbers of the kind can be NaN.
func IsFloat(k dtype.Kind) bool {
	return k == dtype.KindFloat16 || k == dtype.KindFloat32 || k == dtype.KindFloat64
}

// floatWords are the floats that are not written as numbers.
var floatWords = []struct {
	word  string
	value float64
}{
	{"nan", math.NaN()},
	{"infinity", math.Inf(1)}, {"inf", math.Inf(1)},
	{"-infinity", math.Inf(-1)}, {"-inf", math.Inf(-1)},
}

// FloatWord reads NaN and the infinities, with or without quotes.
func FloatWord(text []byte) (f float64, ok bool) {
	if len(text) > len(`"-infinity"`) {
		return 0, false
	}
	if n := len(text); n >= 2 && text[0] == '"' && text[n-1] == '"' {
		text = text[1 : n-1]
	}
	for _, w := range floatWords {
		if strings.EqualFold(string(text), w.word) {
			return w.value, true
		}
	}
	return 0, false
}

// ParseFloat reads decimal numbers, NaN and the infinities.
func ParseFloat(text []byte, bits int) (float64, error) {
	if bits == 64 {
		if f, ok := ShortFloat(text); ok {
			return f, nil
		}
	}
	if f, ok := FloatWord(text); ok {
		return f, nil
	}
	if !isDecimal(text) { // Go has hexadecimal ones
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseFloat(string(text), bits)
}

// isDecimal tells whether text has no other characters than decimal numbers.
func isDecimal(text []byte) bool {
	for _, c := range text {
		if c-'0' > 9 && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E' {
			return false
		}
	}
	return true
}

// powers are the powers of ten that f64 holds exactly.
var powers = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// ShortFloat reads digits with an optional minus and point, if they are at most
// 15. Then f64 holds the digits as an integer exactly, and the power of ten by
// which it is divided: the division rounds once, to what strconv returns.
func ShortFloat(text []byte) (f float64, ok bool) {
	digits := text
	if len(text) > 0 && text[0] == '-' {
		digits = text[1:]
	}
	if len(digits) == 0 || len(digits) > 16 {
		return 0, false
	}
	n, point := uint64(0), -1
	for i, c := range digits {
		if d := c - '0'; d <= 9 {
			n = 10*n + uint64(d)
			continue
		}
		if c != '.' || point >= 0 {
			return 0, false
		}
		point = i
	}
	places := 0
	if point >= 0 {
		places = len(digits) - point - 1
	}
	if count := len(digits); point >= 0 && count == 1 || point < 0 && count > 15 {
		return 0, false
	}
	f = float64(n) / powers[places]
	if len(digits) < len(text) {
		f = -f
	}
	return f, true
}

// Fraction reads decimal numbers that have a point between digits and no
// exponent: those that are no integers, and in JSON too.
func Fraction(text []byte) (f float64, ok bool) {
	point := bytes.IndexByte(text, '.')
	if point < 1 || point == len(text)-1 || text[point-1] == '-' {
		return 0, false
	}
	for i, c := range text {
		if c-'0' > 9 && i != point && (i > 0 || c != '-') {
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(string(text), 64)
	return f, err == nil
}

// AppendFloat prints the shortest decimal that reads back as f and shows that
// it is a float.
func AppendFloat(dst []byte, f float64, bits int) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(dst, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(dst, `"-Infinity"`...)
	}
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-5 || abs >= 1e16) {
		format = 'e'
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, format, -1, bits)
	if bytes.IndexByte(dst[start:], '.') < 0 && format == 'f' {
		dst = append(dst, ".0"...)
	}
	return dst
}

// halves are f16, whose Go type is float32: what fits into that may not fit
// into the column. No vector has them.
type halves struct{ number[float32] }

func (halves) isTensor(any) bool { return false }

func half() halves {
	n := floating(dtype.Float32)
	n.t = dtype.Float16
	n.read = func(text []byte) (float32, error) {
		f, err := ParseFloat(text, 32)
		if err != nil {
			return 0, numberError(dtype.Float16.String(), "a number", text, err)
		}
		if _, err := dtype.Float16.Append(nil, float32(f)); err != nil {
			return 0, errors.New(Reason(err))
		}
		return float32(f), nil
	}
	n.format = func(dst []byte, v float32) []byte {
		// The fewest digits that make the same f16: strconv knows no such size.
		short := float64(v)
		for digits := 1; digits < 5; digits++ {
			text := strconv.FormatFloat(float64(v), 'e', digits-1, 32)
			if f, err := n.read([]byte(text)); err == nil && sameHalf(f, v) {
				short = float64(f)
				break
			}
		}
		return AppendFloat(dst, short, 32)
	}
	return halves{n}
}

// sameHalf tells whether two numbers make the same f16.
func sameHalf(a, b float32) bool {
	x, errX := dtype.Float16.Append(nil, a)
	y, errY := dtype.Float16.Append(nil, b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
