package dtype

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/x448/float16"
)

// Float16 is the dtype f16: IEEE 754 half precision, with 11 significant bits
// and at most 65504. A value with more bits is rounded to the nearest that f16
// has, so another one is read than was written. A finite value that rounds to
// infinity is an [ErrValue].
var Float16 Type[float32] = half{newBase(Spec{Kind: KindFloat16})}

type half struct{ *base }

func (half) Append(dst []byte, v float32) ([]byte, error) {
	h := float16.Fromfloat32(v)
	if h.IsInf(0) && !math.IsInf(float64(v), 0) {
		return dst, fmt.Errorf("%w: %v overflows f16, which ends at 65504", ErrValue, v)
	}
	return binary.LittleEndian.AppendUint16(dst, h.Bits()), nil
}

func (t half) AppendAll(dst []byte, ends []int, vs []float32) ([]byte, []int, error) {
	return appendEach(t, dst, ends, vs)
}

func (t half) Decode(src []byte) (float32, error) {
	src, err := t.element(src)
	if err != nil {
		return 0, err
	}
	return float16.Frombits(binary.LittleEndian.Uint16(src)).Float32(), nil
}

func (t half) DecodeAll(dst []float32, data []byte, ends []int) error {
	return decodeEach(t, dst, data, ends)
}

// Bytes returns nil, because a value has two bytes in the file and four in
// memory.
func (half) Bytes([]float32) []byte { return nil }

func (t half) Match(v float32) ([][]byte, error) {
	if v != v {
		return nil, nil
	}
	match, err := matchOne(t, v)
	const sign = 0x80
	if err == nil && match[0][0] == 0 && match[0][1]&^sign == 0 {
		match = append(match, []byte{0, match[0][1] ^ sign})
	}
	return match, err
}

// roundToOdd narrows f so that rounding the result to half precision gives what
// rounding f itself would: a value between two float32 becomes the one whose
// last bit is set, and so stays off the middle between two halves.
func roundToOdd(f float64) float32 {
	narrow := float32(f)
	if float64(narrow) == f || f != f {
		return narrow
	}
	bits := math.Float32bits(narrow)
	if math.Abs(float64(narrow)) > math.Abs(f) {
		bits-- // the next one towards zero
	}
	return math.Float32frombits(bits | 1)
}
