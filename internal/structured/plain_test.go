package structured

import (
	"bytes"
	"fmt"
	"math"
	"reflect"
	"testing"
)

// every has a plain field of each kind, and what is around them.
type every struct {
	B    bool
	I    int
	I8   int8
	I16  int16
	I32  int32
	I64  int64
	U    uint
	U8   uint8
	U16  uint16
	U32  uint32
	U64  uint64
	P    uintptr
	F32  float32
	F64  float64
	S    string
	Omit int32 `msgpack:"omit,omitempty" cbor:"omit,omitempty"`
	Inner
	*Pointed
	List []Inner
	Ptr  *int16
	Any  any
	Map  map[string]Inner
}

type Inner struct {
	Text  string
	Small int8
	Ratio float32
}

type Pointed struct{ Deep uint16 }

// byReflection compiles the coder of a type as if it had no plain fields.
func byReflection(t testing.TB, f Format, typ reflect.Type) TypeCodec {
	t.Helper()
	comp := compiler{w: f.wire(), coders: map[reflect.Type]*forward{}}
	c, err := comp.compile(typ)
	if err != nil {
		t.Fatal(err)
	}
	for _, made := range comp.coders {
		if s, ok := made.coder.(*structCoder); ok {
			for i := range s.fields {
				s.fields[i].plain = reflect.Invalid
			}
		}
	}
	return TypeCodec{&compiled{c, comp.width}}
}

// everyValues are at the edges of the kinds, and beyond what can be stored.
func everyValues() []every {
	n, ptr := int16(-300), &Pointed{65535}
	return []every{
		{},
		{true, math.MinInt, math.MinInt8, math.MinInt16, math.MinInt32, math.MinInt64, 0, 0, 0, 0, 0, 0, -0.5, -1e300, "a", 1,
			Inner{"é", -1, 0.1}, ptr, []Inner{{"x", 1, 2}, {}}, &n, Inner{"dynamic", 5, 1}, map[string]Inner{"k": {"v", 3, 4}}},
		{false, math.MaxInt, 127, math.MaxInt16, math.MaxInt32, math.MaxInt64, math.MaxUint, 255, 65535, math.MaxUint32, math.MaxUint64, 9,
			math.MaxFloat32, math.SmallestNonzeroFloat64, string(bytes.Repeat([]byte("long"), 20_000)), 0, Inner{}, nil, []Inner{}, nil, nil, nil},
		{I: -32, I8: -33, I16: 128, I32: 65536, I64: -129, U: 127, U8: 128, U16: 256, U32: 1 << 16, U64: 1 << 32, F64: 1.5, F32: 65504, S: string(make([]byte, 300))},
		{F64: math.NaN()}, {F32: float32(math.Inf(1))}, {S: "\xff"}, {Inner: Inner{Text: "\xc0"}},
	}
}

// TestPlainFields: what goes by offsets gives the bytes, the values and the errors
// that reflection gives.
func TestPlainFields(t *testing.T) {
	for _, f := range []Format{MsgPack, CBOR} {
		for i, v := range everyValues() {
			agree(t, f, v, fmt.Sprint("value ", i))
		}
	}
}

func agree(t *testing.T, f Format, v every, what string) {
	t.Helper()
	fast, err := Of(f, reflect.TypeFor[every]())
	if err != nil {
		t.Fatal(err)
	}
	slow := byReflection(t, f, reflect.TypeFor[every]())
	for name, rv := range map[string]reflect.Value{"in place": reflect.ValueOf(&v).Elem(), "a copy": reflect.ValueOf(v)} {
		got, err := fast.Append([]byte("before"), rv)
		want, wantErr := slow.Append([]byte("before"), rv)
		if !bytes.Equal(got, want) || fmt.Sprint(err) != fmt.Sprint(wantErr) {
			t.Fatalf("%v, %s, %s: %x, %v, by reflection %x, %v", f, what, name, got, err, want, wantErr)
		}
		if err == nil {
			agreeOn(t, f, got[len("before"):], fast, slow)
		}
	}
}

// agreeOn compares what the two coders read.
func agreeOn(t *testing.T, f Format, src []byte, fast, slow TypeCodec) {
	t.Helper()
	before := every{B: true, I: 1, S: "before", Pointed: &Pointed{1}, Any: 1, List: []Inner{{}}, Inner: Inner{Text: "before"}} // nothing of that may remain
	got, want := before, before
	err := fast.Decode(src, reflect.ValueOf(&got).Elem())
	wantErr := slow.Decode(src, reflect.ValueOf(&want).Elem())
	if fmt.Sprint(err) != fmt.Sprint(wantErr) {
		t.Fatalf("%v %x: %v, by reflection %v", f, src, err, wantErr)
	}
	if err == nil && !reflect.DeepEqual(got, want) && fmt.Sprintf("%v", got) != fmt.Sprintf("%v", want) { // a NaN does not equal itself
		t.Fatalf("%v %x: %+v, by reflection %+v", f, src, got, want)
	}
	if err == nil {
		a, err := fast.Append(nil, reflect.ValueOf(&got).Elem())
		b, wantErr := slow.Append(nil, reflect.ValueOf(&want).Elem())
		if !bytes.Equal(a, b) || fmt.Sprint(err) != fmt.Sprint(wantErr) {
			t.Fatalf("%v %x: stored again as %x, %v, by reflection %x, %v", f, src, a, err, b, wantErr)
		}
	}
}

// TestPlainDecodeOfAnything reads each kind of item into each kind of field.
func TestPlainDecodeOfAnything(t *testing.T) {
	for _, f := range []Format{MsgPack, CBOR} {
		fast, err := Of(f, reflect.TypeFor[every]())
		if err != nil {
			t.Fatal(err)
		}
		slow := byReflection(t, f, reflect.TypeFor[every]())
		fields := reflect.TypeFor[every]()
		for i := range fields.NumField() {
			for first := range 256 {
				for _, rest := range []string{"", "\x00", "\x7f\x80\x01\xff\x00\x00\x00\x00\x01", "\xff\xff\xff\xff\xff\xff\xff\xff", "\x00\x03abc", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"} {
					src := f.wire().appendMap(nil, 1)
					name := fields.Field(i).Name
					src = append(f.wire().appendText(src, len(name)), name...)
					src = append(append(src, byte(first)), rest...)
					agreeOn(t, f, src, fast, slow)
				}
			}
		}
	}
}

// FuzzPlainFields reads any bytes both ways.
func FuzzPlainFields(f *testing.F) {
	for _, format := range []Format{MsgPack, CBOR} {
		c, err := New[every](format)
		if err != nil {
			f.Fatal(err)
		}
		for _, v := range everyValues()[:4] {
			if src, err := c.Append(nil, &v); err == nil && len(src) < 4096 {
				f.Add(src, format == CBOR)
			}
		}
	}
	f.Fuzz(func(t *testing.T, src []byte, cbor bool) {
		format := MsgPack
		if cbor {
			format = CBOR
		}
		fast, err := Of(format, reflect.TypeFor[every]())
		if err != nil {
			t.Fatal(err)
		}
		agreeOn(t, format, src, fast, byReflection(t, format, reflect.TypeFor[every]()))
	})
}

// TestPlainFieldsTakeNoMemory: neither way, whatever the kind.
func TestPlainFieldsTakeNoMemory(t *testing.T) {
	type plain struct {
		B   bool
		I   int8
		U   uint64
		F   float32
		S   string
		Sub Inner
	}
	for _, f := range []Format{MsgPack, CBOR} {
		c, err := New[plain](f)
		if err != nil {
			t.Fatal(err)
		}
		v := plain{true, -7, 1 << 40, 0.1, "text", Inner{"more", 1, 2}}
		dst := make([]byte, 0, 1024)
		if n := testing.AllocsPerRun(100, func() { dst, err = c.Append(dst[:0], &v) }); n > 0 || err != nil {
			t.Errorf("%v: %v allocations to store a struct, %v", f, n, err)
		}
		if n := testing.AllocsPerRun(100, func() { err = c.Decode(dst, &v) }); n > 0 || err != nil {
			t.Errorf("%v: %v allocations to read a struct, %v", f, n, err)
		}
	}
}
