package dtype

import (
	"encoding/binary"
	"fmt"
	"slices"
	"unsafe"
)

// Element is the Go types of numbers and of the elements of vectors.
type Element interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32 | float64
}

// The numeric types. NaNs keep their bits.
var (
	Int8    Type[int8]    = newNumber[int8]()
	Int16   Type[int16]   = newNumber[int16]()
	Int32   Type[int32]   = newNumber[int32]()
	Int64   Type[int64]   = newNumber[int64]()
	Uint8   Type[uint8]   = newNumber[uint8]()
	Uint16  Type[uint16]  = newNumber[uint16]()
	Uint32  Type[uint32]  = newNumber[uint32]()
	Uint64  Type[uint64]  = newNumber[uint64]()
	Float32 Type[float32] = newNumber[float32]()
	Float64 Type[float64] = newNumber[float64]()
)

// number is the types of numbers whose memory is, on little-endian machines, their stored form.
type number[E Element] struct{ *base }

func newNumber[E Element]() number[E] {
	return number[E]{newBase(Spec{Kind: kindOf[E]()})}
}

func (t number[E]) Append(dst []byte, v E) ([]byte, error) {
	return appendNumbers(dst, []E{v}), nil
}

func (t number[E]) AppendAll(dst []byte, ends []int, vs []E) ([]byte, []int, error) {
	return appendNumbers(dst, vs), ends, nil
}

func (t number[E]) Decode(src []byte) (E, error) {
	var v [1]E
	src, err := t.element(src)
	if err == nil {
		readNumbers(v[:], src)
	}
	return v[0], err
}

func (t number[E]) DecodeAll(dst []E, data []byte, _ []int) error {
	if len(data)/t.size < len(dst) {
		return fmt.Errorf("%w: %d bytes hold fewer than %d elements of %s", ErrData, len(data), len(dst), t.spec.shown())
	}
	readNumbers(dst, data)
	return nil
}

func (t number[E]) Bytes(vs []E) []byte {
	if !littleEndian {
		return nil
	}
	return memory(vs)
}

func (t number[E]) Match(v E) ([][]byte, error) {
	if v != v {
		return nil, nil
	}
	match := [][]byte{appendNumbers(nil, []E{v})}
	if v == 0 {
		if other := appendNumbers(nil, []E{-v}); !slices.Equal(other, match[0]) {
			match = append(match, other)
		}
	}
	return match, nil
}

// littleEndian: numbers lie in memory as they are stored. A variable only for tests of the other case.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// memory returns the bytes of the memory of vs.
func memory[E Element](vs []E) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(vs))), len(vs)*int(unsafe.Sizeof(*new(E))))
}

// appendNumbers appends the stored form of vs.
func appendNumbers[E Element](dst []byte, vs []E) []byte {
	start := len(dst)
	dst = append(dst, memory(vs)...)
	if !littleEndian {
		swapBytes(dst[start:], int(unsafe.Sizeof(*new(E))))
	}
	return dst
}

// readNumbers sets dst to the numbers stored in src, which has enough bytes for all of them.
func readNumbers[E Element](dst []E, src []byte) {
	b := memory(dst)
	copy(b, src)
	if !littleEndian {
		swapBytes(b, int(unsafe.Sizeof(*new(E))))
	}
}

// swapBytes turns round every number of width bytes in b.
func swapBytes(b []byte, width int) {
	for ; len(b) > 0; b = b[width:] {
		slices.Reverse(b[:width])
	}
}
