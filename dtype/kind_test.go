package dtype

import (
	"errors"
	"testing"
	"time"
)

type named []float32

func TestElementKind(t *testing.T) {
	for _, test := range []struct {
		v    any
		want Kind
	}{
		{[]int8{}, KindInt8}, {[]int16{}, KindInt16}, {[]int32{}, KindInt32}, {[]int64{}, KindInt64},
		{[]uint8{}, KindUint8}, {[]uint16{}, KindUint16}, {[]uint32{}, KindUint32}, {[]uint64{}, KindUint64},
		{[]float32(nil), KindFloat32}, {[]float64{}, KindFloat64}, {named{}, KindFloat32},
		{Tensor[int8]{}, KindInt8}, {Tensor[uint64]{}, KindUint64}, {Tensor[float64]{}, KindFloat64},
		{nil, 0}, {5, 0}, {[]int{}, 0}, {[]bool{}, 0}, {[]string{}, 0}, {[]any{}, 0}, {[2]int8{}, 0}, {[][]int8{}, 0},
		{[]time.Duration{}, 0}, {struct{ Data []int8 }{}, 0}, {&Tensor[int8]{}, 0}, {(*Tensor[int8])(nil), 0},
		{struct{ Tensor[int8] }{}, 0}, {struct{ *Tensor[int8] }{}, 0},
	} {
		if got, ok := ElementKind(test.v); got != test.want || ok != (test.want != 0) {
			t.Errorf("%T has elements of kind %v, want %v", test.v, got, test.want)
		}
	}
}

// Only a Tensor itself is a tensor: a pointer may be nil, and a struct around
// one may hold more.
func TestNotTensors(t *testing.T) {
	typ, err := Parse("vec:f32")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{(*Tensor[int8])(nil), &Tensor[int8]{}, struct{ *Tensor[int8] }{}, struct {
		Tensor[int8]
		Name string
	}{}} {
		if b, err := typ.Append(nil, v); !errors.Is(err, ErrValue) {
			t.Errorf("%T is stored as %x, %v", v, b, err)
		}
	}
}

// Every number kind of vectors is in the table once, with all its parts.
func TestKinds(t *testing.T) {
	codes := map[byte]Kind{}
	for k, info := range kinds {
		if (info.elements != nil) != (info.code != 0) || (info.elements != nil) != (info.long != "") {
			t.Errorf("%v is only half in the table", Kind(k))
		}
		if info.elements == nil {
			continue
		}
		if other := codes[info.code]; other != 0 {
			t.Errorf("%v and %v have the code %d", Kind(k), other, info.code)
		}
		codes[info.code] = Kind(k)
		if typ := info.elements.goType(); int(typ.Size()) != info.width || typ.String() != info.long || goKinds[typ.Kind()] != Kind(k) {
			t.Errorf("%v is %v in Go, has %d bytes and the name %s", Kind(k), typ, info.width, info.long)
		}
		if got, ok := VectorElem([]byte{info.code}); got != Kind(k) || !ok {
			t.Errorf("the code %d is that of %v", info.code, got)
		}
	}
	if len(codes) != 10 {
		t.Errorf("there are %d kinds", len(codes))
	}
}
