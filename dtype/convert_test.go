package dtype

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
)

// What the dynamic form takes for each dtype, and what it reads back.
func TestDynamicValues(t *testing.T) {
	type myInt int16
	type myUint uint
	type myFloat float32
	type myBool bool
	type myString string
	type myBytes []byte
	for _, test := range []struct {
		dtype    string
		in, want any
	}{
		{"bool", true, true}, {"bool", myBool(true), true},
		{"i8", -128, int8(-128)}, {"i8", int64(127), int8(127)}, {"i8", uint64(127), int8(127)}, {"i8", json.Number("-128"), int8(-128)},
		{"i8", true, int8(1)}, {"i8", myBool(false), int8(0)}, {"i16", myInt(-5), int16(-5)}, {"i32", myUint(5), int32(5)}, {"i32", uintptr(5), int32(5)},
		{"i64", uint64(math.MaxInt64), int64(math.MaxInt64)}, {"i64", json.Number("-9223372036854775808"), int64(math.MinInt64)}, {"i64", int8(-1), int64(-1)},
		{"u8", 255, uint8(255)}, {"u16", json.Number("65535"), uint16(65535)}, {"u32", int64(math.MaxUint32), uint32(math.MaxUint32)},
		{"u64", uint64(math.MaxUint64), uint64(math.MaxUint64)}, {"u64", json.Number("18446744073709551615"), uint64(math.MaxUint64)},
		{"f32", 0.1, float32(0.1)}, {"f32", 1 << 24, float32(1 << 24)}, {"f32", uint64(math.MaxUint64), float32(1 << 64)}, {"f32", json.Number("0.5"), float32(0.5)},
		{"f32", math.Inf(1), float32(math.Inf(1))}, {"f32", math.MaxFloat32, float32(math.MaxFloat32)}, {"f32", true, float32(1)},
		{"f64", 1, 1.0}, {"f64", float32(0.5), 0.5}, {"f64", myFloat(0.5), 0.5}, {"f64", json.Number("1e400"[:3]), 1e4}, {"f64", json.Number("18446744073709551616"), 0x1p64},
		{"f64", int64(math.MinInt64), -0x1p63},
		{"f16", 0.1, float32(0.099975586)}, {"f16", 2049, float32(2048)}, {"f16", json.Number("0.5"), float32(0.5)},
		{"str", "é", "é"}, {"str", myString("x"), "x"}, {"str:4", "ab", "ab"},
		{"bytes", []byte("x"), []byte("x")}, {"bytes", myBytes("x"), []byte("x")}, {"bytes", [2]byte{1, 2}, []byte{1, 2}}, {"bytes", []int{0, 255}, []byte{0, 255}},
		{"bytes", []any{1, json.Number("2"), uint8(3)}, []byte{1, 2, 3}}, {"bytes:4", []byte{1}, []byte{1, 0, 0, 0}},
		{"msgpack", map[string]any{"a": []int{1}}, map[string]any{"a": []any{int64(1)}}}, {"cbor", struct{ A float32 }{0.5}, map[string]any{"A": 0.5}},
		{"cbor", nil, nil}, {"msgpack:9", uint64(math.MaxUint64), uint64(math.MaxUint64)},

		{"vec:f32:2", []float32{1, 2}, []float32{1, 2}}, {"vec:f32:2", []float64{1, 0.1}, []float32{1, 0.1}}, {"vec:f32:2", [2]int{1, 2}, []float32{1, 2}},
		{"vec:f32:2", []any{1, json.Number("2.5")}, []float32{1, 2.5}}, {"vec:f32:2", Tensor[float32]{[]int{2}, []float32{1, 2}}, []float32{1, 2}},
		{"vec:i8:2", []any{1.0, true}, []int8{1, 1}}, {"vec:i8:2", []float64{-128, 127}, []int8{-128, 127}}, {"vec:u64:1", []float64{0x1p63}, []uint64{1 << 63}},
		{"vec:u64:1", []any{json.Number("1e19")}, []uint64{1e19}},
		{"vec:i16:2:2", []int16{1, 2, 3, 4}, []int16{1, 2, 3, 4}}, {"vec:i16:2:2", [][]int16{{1, 2}, {3, 4}}, []int16{1, 2, 3, 4}},
		{"vec:i16:2:2", []any{[]any{1, 2}, [2]int8{3, 4}}, []int16{1, 2, 3, 4}}, {"vec:i16:1:1:1", [][][]int64{{{9}}}, []int16{9}},
		{"vec:u8", []byte{1, 2}, Tensor[uint8]{[]int{2}, []uint8{1, 2}}}, {"vec:u8", [][]byte{{1, 2}, {3, 4}}, Tensor[uint8]{[]int{2, 2}, []uint8{1, 2, 3, 4}}},
		{"vec:u8", 5, Tensor[uint8]{[]int{}, []uint8{5}}}, {"vec:u8", []any{}, Tensor[uint8]{[]int{0}, []uint8{}}}, {"vec:u8", [][]int{{}, {}}, Tensor[uint8]{[]int{2, 0}, []uint8{}}},
		{"vec:u8", Tensor[uint8]{[]int{0, 3}, nil}, Tensor[uint8]{[]int{0, 3}, []uint8{}}}, {"vec:u8", Tensor[uint8]{nil, []uint8{1}}, Tensor[uint8]{[]int{}, []uint8{1}}},
	} {
		typ, err := Parse(test.dtype)
		if err != nil {
			t.Fatal(err)
		}
		b, err := typ.Append(nil, test.in)
		if err != nil {
			t.Errorf("%s: %#v: %v", test.dtype, test.in, err)
			continue
		}
		if got, err := typ.Decode(b); err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %#v reads back as %#v (%v), want %#v", test.dtype, test.in, got, err, test.want)
		}
	}
}

func TestDynamicValuesRefused(t *testing.T) {
	cyclic := []any{nil}
	cyclic[0] = cyclic
	many := make([]any, 20000)
	many[0] = make([]int, 20000)
	for _, test := range []struct {
		dtype string
		in    any
		want  string
	}{
		{"bool", 1, "a Go int where a bool column"}, {"bool", nil, "<nil>"}, {"bool", "true", "string"},
		{"i8", 128, "128 is outside the range of i8"}, {"i8", -129, "-129"}, {"i8", uint64(1 << 63), "9223372036854775808"}, {"i64", uint64(1 << 63), "9223372036854775808"},
		{"i8", 1.0, "the float 1 where i8 takes integers"}, {"i8", float32(1), "takes integers"}, {"i8", "1", "a Go string"}, {"i8", nil, "nil where a number"},
		{"i8", []int{1}, "a Go []int"}, {"i8", json.Number("1.5"), `"1.5" is not an integer`}, {"i8", json.Number("1e999"), "is not a number"}, {"i8", json.Number("x"), `"x" is not a number`},
		{"u8", -1, "-1"}, {"u64", -1, "-1"}, {"u64", json.Number("-1"), "-1"}, {"u64", json.Number("18446744073709551616"), "range of u64"}, {"i64", json.Number(""), "not a number"},
		{"f32", 1e40, "1e+40 is outside the range of f32"}, {"f64", json.Number("1e999"), "not a number"}, {"f64", json.Number("NaN"), "not a number"}, {"f64", json.Number("0x1p3"), "not a number"},
		{"f64", json.Number("inf"), "not a number"}, {"f64", "1", "a Go string"}, {"f64", 1i, "complex128"}, {"f64", nil, "nil"}, {"f64", new(float64), "*float64"},
		{"f16", 65520.0, "overflows f16"}, {"f16", "x", "a Go string"}, {"f16", math.MaxFloat64, "overflows f16"},
		{"str", []byte("x"), "convert it to a string"}, {"str", 5, "a Go int"}, {"str", json.Number("5"), "json.Number"}, {"str", nil, "<nil>"}, {"str", "\xff", "valid UTF-8"},
		{"str:4", "héllo", `"héllo" needs 6 bytes but str:4:utf8 holds 4`}, {"str:4:utf16le", "abc", "needs 6 bytes"}, {"str:0", "a", "needs 1 bytes but str:0:utf8 holds 0"},
		{"str:ascii", "naïve", "'ï'"}, {"str:latin1", "10€", "'€'"}, {"str:utf16le", "a\xed\xa0\x80", "valid UTF-8"},
		{"str:4", strings.Repeat("ä", 30), `ä"... needs 60 bytes`},
		{"bytes", "x", "convert it to []byte"}, {"bytes", 5, "a Go int"}, {"bytes", nil, "<nil>"}, {"bytes", []int{256}, "256"}, {"bytes", []any{-1}, "-1"}, {"bytes", []any{1.0}, "integers"},
		{"bytes", []any{nil}, "nil"}, {"bytes", []any{[]any{1}}, "[]interface"}, {"bytes", map[string]int{}, "map"}, {"bytes:2", []byte("abc"), "the value needs 3 bytes but bytes:2 holds 2"},
		{"msgpack", math.NaN(), "NaN"}, {"cbor", []any{[]byte("x")}, "[0]: "}, {"msgpack", []byte("x"), "base64"}, {"msgpack:2", "ab", "needs 3 bytes but msgpack:2 holds 2"}, {"msgpack:0", nil, "needs 1 bytes"},

		{"vec:f32:2", []float32{1}, "a row of 1 elements, but vec:f32:2 has 2"}, {"vec:f32:2", []any{1}, "shape [1] where vec:f32:2 has [2]"}, {"vec:f32:2", nil, "nil"}, {"vec:f32:2", "ab", "a Go string"},
		{"vec:f32:2", 1, "shape []"}, {"vec:f32:2", [][]int{{1, 2}}, "shape [1 2]"}, {"vec:i16:2:2", []any{1, 2, 3, 4}, "shape [4]"}, {"vec:i16:2:2", []int{1, 2, 3, 4}, "shape [4]"},
		{"vec:i16:2:2", Tensor[int16]{[]int{4}, []int16{1, 2, 3, 4}}, "shape [4]"}, {"vec:i16:2", Tensor[int16]{[]int{2}, []int16{1}}, "a row of 1"}, {"vec:i16:2", Tensor[int8]{[]int{3}, []int8{1, 2, 3}}, "shape [3]"},
		{"vec:i8", []any{1, "x"}, "a Go string"}, {"vec:i8", []any{1, nil}, "nil where"}, {"vec:i8", []any{1, []any{1}}, "a Go []interface"}, {"vec:i8", []any{[]any{1}, 1}, "different lengths or depths"},
		{"vec:i8", []any{[]any{1}, []any{1, 2}}, "different lengths"}, {"vec:i8", []any{[]any{}, []any{1}}, "different lengths"}, {"vec:i8", []any{nil, []any{1}}, "nil"},
		{"vec:u8", []any{256}, "256"}, {"vec:u8", []any{-1}, "-1"}, {"vec:u8", []float64{1.5}, "1.5 is not an integer"}, {"vec:i64", []float64{0x1p63}, "outside"}, {"vec:i64", []float64{math.NaN()}, "NaN"},
		{"vec:u64", []float64{0x1p64}, "outside"}, {"vec:i64", []float64{math.Inf(-1)}, "-Inf"}, {"vec:f32", []float64{1e40}, "1e+40"}, {"vec:f32", []complex64{1}, "complex64"}, {"vec:f32", map[string]int{}, "map"},
		{"vec:i8", cyclic, "deeper than the 255"}, {"vec:i8", many, "more elements than 134217728"},
		{"vec:i8", Tensor[int8]{[]int{2}, []int8{1}}, "shape [2] does not have 1 elements"}, {"vec:i8", Tensor[int8]{[]int{-1}, nil}, "dimension -1"}, {"vec:i8", Tensor[int8]{make([]int, 256), nil}, "256 dimensions"},
		{"vec:i8", Tensor[int8]{[]int{math.MaxInt32, math.MaxInt32}, nil}, "multiply to more than 134217728"},
		{"vec:i8", Tensor[int8]{[]int{MaxSize + 1, 0}, nil}, "multiply to more than 134217728"}, {"vec:i8", Tensor[int8]{[]int{1 << 14, 0, 1<<13 + 1}, nil}, "multiply to more than 134217728"},
	} {
		typ, err := Parse(test.dtype)
		if err != nil {
			t.Fatal(err)
		}
		b, err := typ.Append([]byte("x"), test.in)
		if !errors.Is(err, ErrValue) || len(b) != 1 || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %T: %q, %v; want an error about %s", test.dtype, test.in, b, err, test.want)
		}
	}
}

func TestEncodings(t *testing.T) {
	for _, test := range []struct {
		dtype, in, stored string
	}{
		{"str:utf16le", "a😀", "a\x00\x3d\xd8\x00\xde"},
		{"str:utf16be", "a😀", "\x00a\xd8\x3d\xde\x00"},
		{"str:utf16le", "\ufeff\ufffd\uffff", "\xff\xfe\xfd\xff\xff\xff"},
		{"str:utf16be", "\U0010ffff\x00", "\xdb\xff\xdf\xff\x00\x00"},
		{"str:latin1", "aÿ\x00", "a\xff\x00"},
		{"str:ascii", "a\x7f\x00", "a\x7f\x00"},
		{"str:7:utf16le", "abc", "a\x00b\x00c\x00\x00"},
		{"str:8:utf16be", "\x00Ā", "\x00\x00\x01\x00\x00\x00\x00\x00"}, // U+0100: its last byte is no padding
		{"str:4", "\x00a", "\x00a\x00\x00"},
	} {
		typ, err := Parse(test.dtype)
		if err != nil {
			t.Fatal(err)
		}
		b, err := typ.Append(nil, test.in)
		if err != nil || string(b) != test.stored {
			t.Errorf("%s: %q is %q (%v), want %q", test.dtype, test.in, b, err, test.stored)
		}
		if got, err := typ.Decode(b); err != nil || got != test.in {
			t.Errorf("%s: %q reads back as %q (%v)", test.dtype, test.in, got, err)
		}
	}
}

// A tensor of other numbers is converted as a slice of them is.
func TestTensorConversions(t *testing.T) {
	for _, test := range []struct {
		dtype     string
		list, out any // stored alike
		want      string
	}{
		{"vec:f32:4", []int32{1, 2, 3, 4}, Tensor[int32]{[]int{4}, []int32{1, 2, 3, 4}}, ""},
		{"vec:f32:4", []float64{1, 2.5, 3, 4}, Tensor[float64]{[]int{4}, []float64{1, 2.5, 3, 4}}, ""},
		{"vec:f32:2:2", [][]int8{{1, 2}, {3, 4}}, Tensor[int8]{[]int{2, 2}, []int8{1, 2, 3, 4}}, ""},
		{"vec:u8", []any{}, Tensor[float32]{[]int{0}, nil}, ""},
		{"vec:u8", [][]uint64{{1}, {2}}, Tensor[uint64]{[]int{2, 1}, []uint64{1, 2}}, ""},
		{"vec:i16", 5, Tensor[float64]{nil, []float64{5}}, ""},
		{"vec:u8:2", []int{1, 256}, Tensor[int16]{[]int{2}, []int16{1, 256}}, "256 is outside the range of u8"},
		{"vec:i8:1", []float64{1.5}, Tensor[float64]{[]int{1}, []float64{1.5}}, "1.5 is not an integer"},
		{"vec:f32:4", []int32{1}, Tensor[int32]{[]int{1}, []int32{1}}, "shape [1] where vec:f32:4 has [4]"},
		{"vec:f32:4", nil, Tensor[int32]{[]int{4}, []int32{1}}, "a row of 1 elements"},
		{"vec:f32", nil, Tensor[int32]{[]int{4}, []int32{1}}, "shape [4] does not have 1 elements"},
		{"vec:f32", nil, Tensor[int32]{[]int{-4}, []int32{1}}, "dimension -4"},
	} {
		typ, err := Parse(test.dtype)
		if err != nil {
			t.Fatal(err)
		}
		got, err := typ.Append(nil, test.out)
		if test.want != "" {
			if !errors.Is(err, ErrValue) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s of %v: %x, %v; want an error about %s", test.dtype, test.out, got, err, test.want)
			}
			continue
		}
		want, listErr := typ.Append(nil, test.list)
		if err != nil || listErr != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %v is %x (%v), %v is %x (%v)", test.dtype, test.out, got, err, test.list, want, listErr)
		}
	}
}
