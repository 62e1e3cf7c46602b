package dtype

import (
	"encoding/binary"
	"errors"
	"math"
	"testing"

	"github.com/x448/float16"
)

func halfOf(bits uint16) float32 { return float16.Frombits(bits).Float32() }

// Every one of the 65536 patterns reads and writes back the same, but for NaNs,
// which stay NaN.
func TestHalfPatterns(t *testing.T) {
	for bits := range 1 << 16 {
		src := binary.LittleEndian.AppendUint16(nil, uint16(bits))
		v, err := Float16.Decode(src)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Float16.Append(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		if v == v && string(back) != string(src) || v != v && halfOf(binary.LittleEndian.Uint16(back)) == 0 {
			t.Errorf("%#04x is %v and written as %x", bits, v, back)
		}
		if want := halfValue(uint16(bits)); v != want && v == v {
			t.Errorf("%#04x is %v, want %v", bits, v, want)
		}
	}
}

// halfValue is the value of a pattern by the definition of the format; NaN is
// reported as infinity.
func halfValue(bits uint16) float32 {
	sign := 1 - 2*float64(bits>>15)
	exponent, fraction := int(bits>>10&31), float64(bits&1023)
	switch exponent {
	case 0:
		return float32(sign * math.Ldexp(fraction, -24))
	case 31:
		return float32(math.Inf(int(sign)))
	}
	return float32(sign * math.Ldexp(1024+fraction, exponent-25))
}

func TestHalfRounding(t *testing.T) {
	dynamic := Spec{Kind: KindFloat16}.Type()
	for _, test := range []struct {
		in   float64
		want float32
	}{
		{1 + 0x1p-11, 1},                     // halfway: to even
		{1 + 0x3p-11, 1 + 0x1p-9},            // halfway: to even, upwards
		{1 + 0x1p-11 + 0x1p-40, 1 + 0x1p-10}, // above halfway, which a float32 cannot tell
		{1 + 0x3p-11 - 0x1p-40, 1 + 0x1p-10}, // below halfway, likewise
		{-1 - 0x1p-11 - 0x1p-40, -1 - 0x1p-10},
		{0x1p-25, 0}, {0x1p-25 + 0x1p-60, 0x1p-24}, {1e-300, 0},
		{65504, 65504}, {65519.999999999, 65504},
		{math.Inf(1), float32(math.Inf(1))},
	} {
		b, err := dynamic.Append(nil, test.in)
		if err != nil {
			t.Fatal(err)
		}
		if got := halfOf(binary.LittleEndian.Uint16(b)); got != test.want {
			t.Errorf("%v is rounded to %v, want %v", test.in, got, test.want)
		}
	}
	for _, in := range []float64{65520, -65520, 1e10, 1e300, -math.MaxFloat64} {
		if b, err := dynamic.Append(nil, in); !errors.Is(err, ErrValue) {
			t.Errorf("%v is stored as %x (%v)", in, b, err)
		}
	}
	if _, err := Float16.Append(nil, 65519); err != nil {
		t.Error(err)
	}
}
