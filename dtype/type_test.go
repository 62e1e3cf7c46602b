package dtype

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

type record struct {
	ID   int64    `json:"id"`
	F    float64  `json:"f"`
	Name string   `json:"name"`
	OK   bool     `json:"ok"`
	Tags []string `json:"tags"`
}

// equal compares values that may hold NaN or empty slices, with cmp only where
// it has to: it takes time exponential in the depth of lists inside lists.
func equal(a, b any) bool {
	return reflect.DeepEqual(a, b) || cmp.Equal(a, b, cmpopts.EquateNaNs(), cmpopts.EquateEmpty())
}

// checkType draws lists of values and wants every method of the type, and of
// its dynamic form, to agree about them.
func checkType[T any](t *testing.T, typ Type[T], gen *rapid.Generator[T]) {
	t.Helper()
	checkDrawn(t, typ, func(t *rapid.T) T { return gen.Draw(t, "value") })
}

// checkDrawn is checkType of values that a function draws. A generator of lists
// of them, or of values that hold others, would be compiled for every type.
func checkDrawn[T any](t *testing.T, typ Type[T], draw func(t *rapid.T) T) {
	t.Helper()
	t.Run(typ.String(), rapid.MakeCheck(func(t *rapid.T) {
		checkValues(t, typ, drawList(t, rapid.IntRange(0, 30).Draw(t, "values"), draw))
	}))
}

func drawList[T any](t *rapid.T, n int, draw func(t *rapid.T) T) []T {
	list := make([]T, n)
	for i := range list {
		list[i] = draw(t)
	}
	return list
}

func checkValues[T any](t rapid.TB, typ Type[T], vs []T) { checkList(t, typ, &list[T]{typ, vs}) }

// list is values of one type.
type list[T any] struct {
	t  Type[T]
	vs []T
}

// values is a list, to those who do not know its type.
type values interface {
	len() int
	at(i int) any
	all() any
	appendOne(dst []byte, i int) ([]byte, error)
	appendAll(dst []byte, ends []int) ([]byte, []int, error)
	decode(src []byte) (any, error)
	decodeAll(data []byte, ends []int) (any, error)
	match(i int) ([][]byte, error)
	bytes() []byte
	fromBytes(data []byte) any
}

func (l *list[T]) len() int { return len(l.vs) }

func (l *list[T]) at(i int) any { return l.vs[i] }

func (l *list[T]) all() any { return l.vs }

func (l *list[T]) appendOne(dst []byte, i int) ([]byte, error) { return l.t.Append(dst, l.vs[i]) }

func (l *list[T]) appendAll(dst []byte, ends []int) ([]byte, []int, error) {
	return l.t.AppendAll(dst, ends, l.vs)
}

func (l *list[T]) decode(src []byte) (any, error) { return l.t.Decode(src) }

func (l *list[T]) decodeAll(data []byte, ends []int) (any, error) {
	back := make([]T, len(l.vs))
	err := l.t.DecodeAll(back, data, ends)
	return back, err
}

func (l *list[T]) match(i int) ([][]byte, error) { return l.t.Match(l.vs[i]) }

func (l *list[T]) bytes() []byte { return l.t.Bytes(l.vs) }

func (l *list[T]) fromBytes(data []byte) any {
	copied := make([]T, len(l.vs))
	copy(l.t.Bytes(copied), data)
	return copied
}

func checkList(t rapid.TB, typ interface {
	Spec() Spec
	Meaning() Meaning
	Size() int
}, vs values) {
	prefix := []byte("prefix")
	all, ends, err := vs.appendAll(slices.Clone(prefix), []int{-1})
	if err != nil {
		t.Fatal(err)
	}
	one := slices.Clone(prefix)
	wantEnds := []int{-1}
	for i := range vs.len() {
		v, start := vs.at(i), len(one)
		if one, err = vs.appendOne(one, i); err != nil {
			t.Fatal(err)
		}
		if typ.Size() == 0 {
			wantEnds = append(wantEnds, len(one))
		} else if len(one)-start != typ.Size() {
			t.Fatalf("%v took %d bytes", v, len(one)-start)
		}
		back, err := vs.decode(one[start:])
		if err != nil || !equal(v, back) {
			t.Fatalf("%v reads back as %v (%v)", v, back, err)
		}
		match, err := vs.match(i)
		if err != nil {
			t.Fatal(err)
		}
		found := slices.ContainsFunc(match, func(b []byte) bool { return bytes.Equal(b, one[start:]) })
		isNaN := reflect.TypeOf(v) != nil && !reflect.DeepEqual(v, v) && reflect.TypeOf(v).Kind() <= reflect.Float64
		if equalsNothing := isNaN || isMissing(v); found == equalsNothing {
			t.Fatalf("Match(%v) is %x, Append %x", v, match, one[start:])
		}
	}
	if !bytes.Equal(all, one) || !slices.Equal(ends, wantEnds) {
		t.Fatalf("AppendAll: %x %v\nAppend:    %x %v", all, ends, one, wantEnds)
	}

	// Batches without the prefix.
	data, ends, err := vs.appendAll(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if back, err := vs.decodeAll(data, ends); err != nil || !equal(vs.all(), back) {
		t.Fatalf("%v reads back as %v (%v)", vs.all(), back, err)
	}
	if b := vs.bytes(); b != nil {
		if !bytes.Equal(b, data) {
			t.Fatalf("Bytes: %x, want %x", b, data)
		}
		if copied := vs.fromBytes(data); !equal(vs.all(), copied) {
			t.Fatalf("%v copied into Bytes is %v", vs.all(), copied)
		}
	}

	// The dynamic form stores the same bytes for the same values, and reads
	// back what it takes again.
	dynamic := typ.Meaning().Type(typ.Spec())
	boxed := make([]any, vs.len())
	for i := range boxed {
		v := vs.at(i)
		boxed[i] = v
		if null := reflect.ValueOf(v); typ.Meaning().Null && null.Kind() == reflect.Struct {
			if boxed[i] = null.FieldByName("V").Interface(); isMissing(v) {
				boxed[i] = nil
			}
		}
	}
	dynData, dynEnds, err := dynamic.AppendAll(nil, nil, boxed)
	if err != nil || !bytes.Equal(dynData, data) || !slices.Equal(dynEnds, ends) {
		t.Fatalf("dynamic: %x %v (%v), want %x %v", dynData, dynEnds, err, data, ends)
	}
	if err := dynamic.DecodeAll(boxed, data, ends); err != nil {
		t.Fatal(err)
	}
	if again, _, err := dynamic.AppendAll(nil, nil, boxed); err != nil || !bytes.Equal(again, data) {
		t.Fatalf("dynamic values %v are stored as %x (%v), want %x", boxed, again, err, data)
	}
	for i := range boxed {
		src := data
		if typ.Size() > 0 {
			src = data[i*typ.Size():]
		} else {
			src = data[append([]int{0}, ends...)[i]:ends[i]]
		}
		if v, err := dynamic.Decode(src); err != nil || !equal(v, boxed[i]) {
			t.Fatalf("dynamic: element %d is %v alone and %v in a batch (%v)", i, v, boxed[i], err)
		}
	}
}

// isMissing tells whether v is an sql.Null without a value.
func isMissing(v any) bool {
	null := reflect.ValueOf(v)
	return null.Kind() == reflect.Struct && strings.HasPrefix(null.Type().Name(), "Null[") && !null.FieldByName("Valid").Bool()
}

// genText draws text of the characters that an encoding has; without padding it
// may end in NUL.
func genText(e Encoding, longest int) *rapid.Generator[string] {
	last := map[Encoding]rune{ASCII: 0x7f, Latin1: 0xff}[e]
	if last == 0 {
		return rapid.StringOfN(rapid.OneOf(rapid.Rune(), rapid.SampledFrom([]rune{0, 0xffff, 0x10000, 0x10ffff, 0xfeff})), 0, -1, longest)
	}
	return rapid.StringOfN(rapid.Int32Range(0, last), 0, -1, longest)
}

func TestRoundTrip(t *testing.T) {
	checkType(t, Bool, rapid.Bool())
	checkType(t, Int8, rapid.Int8())
	checkType(t, Int16, rapid.Int16())
	checkType(t, Int32, rapid.Int32())
	checkType(t, Int64, rapid.Int64())
	checkType(t, Uint8, rapid.Uint8())
	checkType(t, Uint16, rapid.Uint16())
	checkType(t, Uint32, rapid.Uint32())
	checkType(t, Uint64, rapid.Uint64())
	checkType(t, Float32, rapid.OneOf(rapid.Float32(), rapid.SampledFrom([]float32{0, float32(math.Copysign(0, -1)), float32(math.NaN())})))
	checkType(t, Float64, rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{0, math.Copysign(0, -1), math.NaN(), math.Inf(1)})))
	checkType(t, Float16, rapid.Map(rapid.Uint16(), halfOf))

	for e := UTF8; e <= Latin1; e++ {
		checkType(t, Text(e), genText(e, 40))
		trimmed := rapid.Map(genText(e, 10), func(s string) string { return strings.TrimRight(s, "\x00") })
		checkType(t, FixedText(20, e), trimmed)
	}
	checkType(t, FixedText(0, UTF8), rapid.Just(""))
	checkType(t, Bytes, rapid.SliceOf(rapid.Byte()))
	checkType(t, FixedBytes(5), rapid.SliceOfN(rapid.Byte(), 5, 5))
	checkType(t, FixedBytes(0), rapid.Just([]byte{}))

	records := rapid.Custom(func(t *rapid.T) record {
		return record{rapid.Int64().Draw(t, "id"), rapid.Float64Range(-1e300, 1e300).Draw(t, "f"), rapid.String().Draw(t, "name"),
			rapid.Bool().Draw(t, "ok"), rapid.SliceOfN(rapid.String(), 0, 3).Draw(t, "tags")}
	})
	short := records.Filter(func(r record) bool { return len(r.Name) < 50 && len(strings.Join(r.Tags, "")) < 50 })
	checkType(t, MsgPack[record](), records)
	checkType(t, CBOR[record](), records)
	checkType(t, FixedMsgPack[record](200), short)
	checkType(t, FixedCBOR[record](200), short)
	checkType(t, MsgPack[any](), rapid.OneOf(rapid.Int64().AsAny(), rapid.String().AsAny(), rapid.Just[any](nil), rapid.Just[any]([]any{map[string]any{}})))
	checkType(t, CBOR[map[string]int](), rapid.MapOf(rapid.String(), rapid.Int()))

	checkVector(t, rapid.Int8())
	checkVector(t, rapid.Int16())
	checkVector(t, rapid.Int32())
	checkVector(t, rapid.Int64())
	checkVector(t, rapid.Uint8())
	checkVector(t, rapid.Uint16())
	checkVector(t, rapid.Uint32())
	checkVector(t, rapid.Uint64())
	checkVector(t, rapid.Float32())
	checkVector(t, rapid.Float64())
}

func checkVector[E Element](t *testing.T, gen *rapid.Generator[E]) {
	row := func(t *rapid.T, n int) []E {
		return drawList(t, n, func(t *rapid.T) E { return gen.Draw(t, "element") })
	}
	six := func(t *rapid.T) []E { return row(t, 6) }
	fixed := Vector[E](2, 3)
	checkDrawn(t, fixed, six)
	checkDrawn(t, Vector[E](), func(t *rapid.T) []E { return row(t, rapid.IntRange(0, 9).Draw(t, "length")) })
	checkDrawn(t, Tensors[E](), func(t *rapid.T) Tensor[E] {
		shape := rapid.SliceOfN(rapid.IntRange(0, 4), 0, 4).Draw(t, "shape")
		return Tensor[E]{shape, row(t, volume(shape))}
	})
	t.Run(fixed.String()+" flat", rapid.MakeCheck(func(t *rapid.T) {
		rows := drawList(t, rapid.IntRange(0, 5).Draw(t, "rows"), six)
		want, _, err := fixed.AppendAll(nil, nil, rows)
		if err != nil {
			t.Fatal(err)
		}
		flat := slices.Concat(rows...)
		got, err := fixed.AppendFlat(nil, flat)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("AppendFlat: %x (%v), want %x", got, err, want)
		}
		back := make([]E, len(flat))
		if err := fixed.DecodeFlat(back, got); err != nil || !equal(back, flat) {
			t.Fatalf("DecodeFlat: %v (%v), want %v", back, err, flat)
		}
	}))
}

// Batches cost no allocation per value, and single numbers none at all.
func TestAllocations(t *testing.T) {
	const n = 1000
	check := func(name string, allowed float64, f func()) {
		t.Helper()
		if got := testing.AllocsPerRun(10, f); got > allowed {
			t.Errorf("%s: %v allocations, want at most %v", name, got, allowed)
		}
	}
	buf, ends := make([]byte, 0, 100*n), make([]int, 0, n)
	check("Append of a number", 0, func() { buf, _ = Int64.Append(buf[:0], 5) })
	check("Decode of a number", 0, func() { _, _ = Float64.Decode(buf[:8]) })

	words := make([]string, n)
	records := make([]record, n)
	rows := make([][]int16, n)
	for i := range n {
		words[i] = "word"
		records[i] = record{ID: 1000, Name: "name"}
		rows[i] = []int16{1, 2, 3}
	}
	checkBatch(check, String, words, buf, ends)
	checkBatch(check, FixedText(9, ASCII), words, buf, ends)
	checkBatch(check, MsgPack[record](), records, buf, ends)
	checkBatch(check, CBOR[record](), records, buf, ends)
	checkBatch(check, Vector[int16](3), rows, buf, ends)
	varied := Vector[int16]()
	check("AppendAll of rows of any length", 1, func() { _, _, _ = varied.AppendAll(buf, ends, rows) })
}

func checkBatch[T any](check func(string, float64, func()), typ Type[T], vs []T, buf []byte, ends []int) {
	check("AppendAll of "+typ.String(), 1, func() { _, _, _ = typ.AppendAll(buf, ends, vs) })
	data, all, _ := typ.AppendAll(nil, nil, vs)
	dst := make([]T, len(vs))
	check("DecodeAll of "+typ.String(), 1, func() { _ = typ.DecodeAll(dst, data, all) })
}

// On machines whose numbers lie the other way round, bytes are swapped one
// number at a time. The answer is the same.
func TestBigEndianMachine(t *testing.T) {
	want, _, err := Int32.AppendAll(nil, nil, []int32{1, -2})
	if err != nil {
		t.Fatal(err)
	}
	littleEndian = !littleEndian
	defer func() { littleEndian = !littleEndian }()

	got, _, err := Int32.AppendAll(nil, nil, []int32{0x01000000, ^0x01000000}) // 1 and -2 in the other order
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%x (%v), want %x", got, err, want)
	}
	back := make([]int32, 2)
	if err := Int32.DecodeAll(back, want, nil); err != nil || !slices.Equal(back, []int32{0x01000000, ^0x01000000}) {
		t.Errorf("%x (%v)", back, err)
	}
	if b := Int32.Bytes(back); littleEndian == false && b != nil {
		t.Errorf("Bytes is %x", b)
	}
	checkValues(t, Float64, []float64{0, 1.5, math.Inf(-1)})
	checkValues(t, Vector[uint16](2), [][]uint16{{1, 2}, {3, 4}})
	checkValues(t, Tensors[float32](), []Tensor[float32]{{[]int{1, 2}, []float32{1, 2}}})
}

func TestMatch(t *testing.T) {
	check := func(got [][]byte, err error, want ...string) {
		t.Helper()
		var texts []string
		for _, b := range got {
			texts = append(texts, string(b))
		}
		if err != nil || !slices.Equal(texts, want) {
			t.Errorf("%q (%v), want %q", texts, err, want)
		}
	}
	match := func(dtype string, v any) ([][]byte, error) {
		typ, err := Parse(dtype)
		if err != nil {
			t.Fatal(err)
		}
		return typ.Match(v)
	}
	run := func(dtype string, v any, want ...string) {
		t.Helper()
		got, err := match(dtype, v)
		check(got, err, want...)
	}
	run("f64", math.NaN())
	run("f32", math.NaN())
	run("f16", math.NaN())
	run("f64", 0, "\x00\x00\x00\x00\x00\x00\x00\x00", "\x00\x00\x00\x00\x00\x00\x00\x80")
	run("f32", math.Copysign(0, -1), "\x00\x00\x00\x80", "\x00\x00\x00\x00")
	run("f16", 0, "\x00\x00", "\x00\x80")
	run("f16", math.Copysign(1e-9, -1), "\x00\x80", "\x00\x00")
	run("f16", 1.0001, "\x00\x3c") // rounded, as it would be stored
	run("i32", 0, "\x00\x00\x00\x00")
	run("u8", true, "\x01")
	run("bool", true, "\x01")
	run("str:4", "ab", "ab\x00\x00")
	run("bytes:3", []byte{1}, "\x01\x00\x00")
	run("msgpack", map[string]int{"b": 1, "a": 2}, "\x82\xa1a\x02\xa1b\x01")
	run("vec:u8:2", []int{1, 2}, "\x05\x01\x02")
	for _, dtype := range []string{"i32", "f64", "f16", "str", "vec:u8:2", "cbor"} {
		if got, err := match(dtype, make(chan int)); !errors.Is(err, ErrValue) {
			t.Errorf("%s: Match of a channel: %x, %v", dtype, got, err)
		}
	}
	if got, err := Float16.Match(1e6); !errors.Is(err, ErrValue) {
		t.Errorf("%x, %v", got, err)
	}
}

// A constructor with a bad argument makes a type that says so everywhere.
func TestBadArguments(t *testing.T) {
	checkBad(t, FixedBytes(-1), nil, ErrSyntax)
	checkBad(t, FixedBytes(MaxSize+1), nil, ErrSyntax)
	checkBad(t, FixedText(-1, UTF8), "", ErrSyntax)
	checkBad(t, Text(Latin1+1), "", ErrSyntax)
	checkBad(t, FixedMsgPack[int](-1), 0, ErrSyntax)
	checkBad(t, FixedCBOR[int](-1), 0, ErrSyntax)
	checkBad(t, MsgPack[chan int](), nil, ErrValue)
	checkBad(t, FixedMsgPack[chan int](-1), nil, ErrSyntax)
	checkBad(t, CBOR[[]byte](), nil, ErrValue)
	checkBad(t, Structured[int]{}, 0, ErrSyntax)
	checkBad(t, Vector[int8](0), nil, ErrSyntax)
	checkBad(t, Vector[int8](2, -1), nil, ErrSyntax)
	checkBad(t, Vector[int8](math.MaxInt, math.MaxInt), nil, ErrSyntax)
	checkBad(t, Vector[int8](MaxSize), nil, ErrSyntax) // the type byte is too much
	checkBad(t, VectorType[int8]{}, nil, ErrSyntax)
	for _, spec := range []Spec{
		{}, {Kind: 200}, {Kind: KindInt64, Sized: true, Size: 3}, {Kind: KindFloat16, Sized: true}, {Kind: KindBool, Sized: true},
		{Kind: KindVector}, {Kind: KindVector, Elem: KindBool}, {Kind: KindVector, Elem: KindFloat16}, {Kind: KindVector, Elem: KindInt8, Sized: true},
		{Kind: KindVector, Elem: 200}, {Kind: KindText, Encoding: 9}, {Kind: KindBytes, Size: 3}, {Kind: KindMsgPack, Sized: true, Size: -1},
		{Kind: KindVector, Elem: KindInt8, Dims: []int{2, 0}},
	} {
		checkBad(t, spec.Type(), nil, ErrSyntax)
		if _, err := ParseSpec(spec.String()); err == nil && spec.Size == 0 && !spec.Sized {
			t.Errorf("%#v is invalid but %s parses", spec, spec)
		}
	}
	if err := MsgPack[chan int]().Err(); !strings.Contains(err.Error(), "msgpack cannot hold the Go type chan int") {
		t.Error(err)
	}
}

func checkBad[T any](t *testing.T, typ Type[T], v T, want error) {
	t.Helper()
	buf, ends := []byte("x"), []int{1}
	b1, err1 := typ.Append(buf, v)
	b2, e2, err2 := typ.AppendAll(buf, ends, []T{v})
	_, _, err3 := typ.AppendAll(buf, ends, nil)
	_, err4 := typ.Decode(buf)
	err5 := typ.DecodeAll([]T{v}, buf, ends)
	err6 := typ.DecodeAll(nil, nil, nil)
	_, err7 := typ.Match(v)
	for i, err := range []error{typ.Err(), err1, err2, err3, err4, err5, err6, err7} {
		if !errors.Is(err, want) || err.Error() != typ.Err().Error() {
			t.Errorf("%v: error %d is %v, want %v", typ, i, err, typ.Err())
		}
	}
	if len(b1) != 1 || len(b2) != 1 || len(e2) != 1 {
		t.Errorf("%v: bytes were appended", typ)
	}
	if typ.Size() != 0 || typ.Bytes(nil) != nil {
		t.Errorf("%v: size %d", typ, typ.Size())
	}
}

// A bad element leaves the caller's slices as they were and says where it is.
func TestElementErrors(t *testing.T) {
	checkElement(t, String, []string{"a", "\xff"}, ErrValue)
	checkElement(t, FixedText(2, UTF8), []string{"ab", "abc"}, ErrValue)
	checkElement(t, Float16, []float32{1, 1e6}, ErrValue)
	checkElement(t, FixedBytes(1), [][]byte{{1}, {1, 2}}, ErrValue)
	checkElement(t, MsgPack[float64](), []float64{1, math.NaN()}, ErrValue)
	checkElement(t, FixedCBOR[[]int](4), [][]int{{1}, {1, 2, 3, 4}}, ErrValue)
	checkElement(t, Vector[int8](2), [][]int8{{1, 2}, {1, 2, 3}}, ErrValue)
	checkElement(t, Tensors[int8](), []Tensor[int8]{{[]int{1}, []int8{1}}, {[]int{2}, []int8{1}}}, ErrValue)
	for _, dtype := range []string{"i8", "f64", "f16", "str", "bytes", "bool", "vec:u8:2", "vec:u8"} {
		good := map[string]any{"str": "x", "bytes": []byte{1}, "bool": true, "vec:u8:2": []int{1, 2}, "vec:u8": []int{1}}[dtype]
		if good == nil {
			good = 1
		}
		typ, err := Parse(dtype)
		if err != nil {
			t.Fatal(err)
		}
		checkElement(t, typ, []any{good, make(chan int)}, ErrValue)
	}
}

func checkElement[T any](t *testing.T, typ Type[T], vs []T, want error) {
	t.Helper()
	b, ends, err := typ.AppendAll([]byte("x"), []int{1}, vs)
	var bad *ElementError
	if !errors.Is(err, want) || !errors.As(err, &bad) || bad.Index != 1 || len(b) != 1 || len(ends) != 1 {
		t.Errorf("%v: %x %v %v", typ, b, ends, err)
	}
	if !strings.HasPrefix(err.Error(), "element 1: dtype: bad value: ") {
		t.Error(err)
	}
	if b, err := typ.Append([]byte("x"), vs[1]); len(b) != 1 || !errors.Is(err, want) {
		t.Errorf("%v: %x %v", typ, b, err)
	}
}
