package kvcodec

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"columnvault/dtype"
	"columnvault/internal/store"
)

// KohakuVault takes packed vectors of eight bytes for numbers, and shorter ones
// for text or bytes. Slices of that size are stored as msgpack, and tensors are
// refused; all longer ones are packed.
func TestShortVectors(t *testing.T) {
	shortVectors[int8](t)
	shortVectors[int16](t)
	shortVectors[int32](t)
	shortVectors[int64](t)
	shortVectors[uint16](t)
	shortVectors[uint32](t)
	shortVectors[uint64](t)
	shortVectors[float32](t)
	shortVectors[float64](t)
	shortTensors[uint8](t) // a slice of these is bytes
}

func shortVectors[E dtype.Element](t *testing.T) {
	t.Helper()
	for n := range 9 {
		v := make([]E, n)
		for i := range v {
			v[i] = E(65 + i)
		}
		stored, err := Append(nil, v)
		if err != nil {
			t.Errorf("%T of %d elements: %v", v, n, err)
			continue
		}
		want := Packed
		if 6+n*reflect.TypeFor[E]().Bits()/8 <= 8 {
			want = MsgPack
		}
		if e, _, _ := Parse(stored); e != want {
			t.Errorf("%T of %d elements is stored as %v, want %v", v, n, e, want)
		}
		if got, err := Decode[[]E](stored); err != nil || !reflect.DeepEqual(got, v) {
			t.Errorf("%v is read as %v, %v", v, got, err)
		}
	}
	shortTensors[E](t)
}

func shortTensors[E dtype.Element](t *testing.T) {
	t.Helper()
	for _, shape := range [][]int{{}, {0}, {1}, {2}, {3}, {8}, {0, 0}, {1, 1}, {2, 3}} {
		n := 1
		for _, d := range shape {
			n *= d
		}
		v := dtype.Tensor[E]{Shape: shape, Data: make([]E, n)}
		stored, err := Append(nil, v)
		if size := 2 + 4*len(shape) + n*reflect.TypeFor[E]().Bits()/8; size <= 8 {
			if !errors.Is(err, store.ErrInvalidArgument) || !strings.Contains(err.Error(), "PutValueAs with EncodingPacked") {
				t.Errorf("%T of shape %v is stored as %q, %v", v, shape, stored, err)
			}
			stored, err = AppendAs(nil, Packed, v)
		}
		if e, _, _ := Parse(stored); e != Packed || err != nil {
			t.Errorf("%T of shape %v is stored as %v, %v", v, shape, e, err)
		}
		if got, err := Decode[dtype.Tensor[E]](stored); err != nil || !reflect.DeepEqual(got, v) {
			t.Errorf("%v is read as %v, %v", v, got, err)
		}
	}
}
