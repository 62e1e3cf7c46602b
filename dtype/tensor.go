package dtype

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// Tensor is an array of numbers of any shape. Data holds its elements in C
// order: the last dimension varies fastest. The length of Data is the product
// of Shape, which is 1 if Shape is empty. There are at most 255 dimensions, and
// those other than 0 multiply to at most [MaxSize].
type Tensor[E Element] struct {
	Shape []int
	Data  []E
}

// Tensors is the dtype vec:E, with arrays of E that each have a shape of their
// own. Decoded tensors have memory of their own. A Tensor whose Data does not
// fit its Shape is an [ErrValue].
func Tensors[E Element]() Type[Tensor[E]] {
	return tensors[E]{newBase(Spec{Kind: KindVector, Elem: kindOf[E]()})}
}

type tensors[E Element] struct{ *base }

func (t tensors[E]) Append(dst []byte, v Tensor[E]) ([]byte, error) {
	return appendTensor(dst, t.spec.Elem, v.Shape, v.Data)
}

func (t tensors[E]) AppendAll(dst []byte, ends []int, vs []Tensor[E]) ([]byte, []int, error) {
	return appendEach(t, dst, ends, vs)
}

func (t tensors[E]) Decode(src []byte) (Tensor[E], error) { return readTensor[E](src, t.spec.Elem) }

func (t tensors[E]) DecodeAll(dst []Tensor[E], data []byte, ends []int) error {
	return decodeEach(t, dst, data, ends)
}

// Bytes returns nil, because tensors point to memory elsewhere.
func (tensors[E]) Bytes([]Tensor[E]) []byte { return nil }

func (t tensors[E]) Match(v Tensor[E]) ([][]byte, error) { return matchOne(t, v) }

// maxRank is the largest number of dimensions, which is stored in one byte.
const maxRank = math.MaxUint8

// appendTensor appends a vector with its shape: a type byte, the number of
// dimensions, each of them in 32 bits, and the elements.
func appendTensor[E Element](dst []byte, elem Kind, shape []int, data []E) ([]byte, error) {
	if len(shape) > maxRank {
		return dst, fmt.Errorf("%w: %d dimensions, of which a vector has at most %d", ErrValue, len(shape), maxRank)
	}
	for _, d := range shape {
		if d < 0 || int64(d) > math.MaxUint32 {
			return dst, fmt.Errorf("%w: dimension %d of a vector is outside 0 .. 2^32-1", ErrValue, d)
		}
	}
	n := volume(shape)
	if n > MaxSize {
		return dst, fmt.Errorf("%w: the dimensions %v multiply to more than %d, the most that a vector can have",
			ErrValue, slices.Clone(shape), MaxSize) // a clone, so that shape itself can stay on the stack
	}
	if n != len(data) {
		return dst, fmt.Errorf("%w: shape %v does not have %d elements", ErrValue, slices.Clone(shape), len(data))
	}
	dst = append(dst, elem.code(), byte(len(shape)))
	for _, d := range shape {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(d))
	}
	return appendNumbers(dst, data), nil
}

// readTensor reads what appendTensor writes.
func readTensor[E Element](src []byte, elem Kind) (Tensor[E], error) {
	if err := verifyTensor(src, elem); err != nil {
		return Tensor[E]{}, err
	}
	shape := make([]int, src[1])
	src = src[2:]
	for i := range shape {
		shape[i] = int(binary.LittleEndian.Uint32(src[4*i:]))
	}
	data := make([]E, volume(shape))
	readNumbers(data, src[4*len(shape):])
	return Tensor[E]{shape, data}, nil
}

// verifyTensor tells why src is not a vector with its shape.
func verifyTensor(src []byte, elem Kind) error {
	if len(src) < 2 {
		return fmt.Errorf("%w: a vector of %d bytes has no header", ErrData, len(src))
	}
	if err := checkCode(src[0], elem); err != nil {
		return err
	}
	rank := int(src[1])
	src = src[2:]
	if len(src) < 4*rank {
		return fmt.Errorf("%w: %d bytes where %d dimensions of a vector should be", ErrData, len(src), rank)
	}
	var few [8]int
	shape := few[:0]
	for i := range rank {
		shape = append(shape, int(binary.LittleEndian.Uint32(src[4*i:])))
	}
	src = src[4*rank:]
	n := volume(shape)
	if n > MaxSize {
		return fmt.Errorf("%w: the dimensions %v of a vector multiply to more than %d", ErrData, slices.Clone(shape), MaxSize)
	}
	if len(src) != n*elem.width() {
		return fmt.Errorf("%w: %d bytes of elements for a vector of shape %v", ErrData, len(src), slices.Clone(shape))
	}
	return nil
}
