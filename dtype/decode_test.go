package dtype

import (
	"errors"
	"math"
	"strings"
	"testing"
	"unsafe"
)

// decodeError wants Decode and DecodeAll of typ to refuse the element src,
// which comes second in the batch.
func decodeError[T any](t *testing.T, typ Type[T], good, src, want string) {
	t.Helper()
	v, err := typ.Decode([]byte(src))
	if errors.As(err, new(*ElementError)) {
		t.Errorf("%v: the error about a single element has a position: %v", typ, err)
	}
	if !errors.Is(err, ErrData) || !strings.Contains(err.Error(), want) {
		t.Errorf("%v: %q decodes to %v, %v; want an error about %q", typ, src, v, err, want)
	}
	if typ.Size() > 0 && len(src) < typ.Size() {
		return // no element of a batch is short
	}
	var bad *ElementError
	err = typ.DecodeAll(make([]T, 2), []byte(good+src), []int{len(good), len(good) + len(src)})
	if !errors.Is(err, ErrData) || !errors.As(err, &bad) || bad.Index != 1 {
		t.Errorf("%v: batch with %q: %v", typ, src, err)
	}
}

func TestDecodeErrors(t *testing.T) {
	decodeError(t, Int64, "", "1234567", "7 bytes, but an element of i64 has 8")
	decodeError(t, Float16, "", "1", "has 2")
	decodeError(t, Bool, "\x01", "\x02", "0 or 1, not 2")
	decodeError(t, Bool, "", "", "has 1")
	decodeError(t, String, "a", "\xff", "UTF-8")
	decodeError(t, String, "a", strings.Repeat("é", 30)+"\xff", "...")
	decodeError(t, FixedText(4, UTF8), "abcd", "a\xff\x00\x00", "UTF-8")
	decodeError(t, FixedText(4, UTF8), "", "abc", "3 bytes")
	decodeError(t, Text(ASCII), "a", "ab\x80", "0x80 at 2")
	decodeError(t, Text(UTF16LE), "a\x00", "a\x00\x3d\xd8", "surrogate 0xd83d at byte 2")
	decodeError(t, Text(UTF16LE), "a\x00", "\x3d\xd8a\x00", "surrogate")
	decodeError(t, Text(UTF16BE), "\x00a", "\xde\x00\xd8\x3d", "surrogate 0xde00 at byte 0")
	decodeError(t, FixedBytes(4), "", "abc", "3 bytes")
	decodeError(t, MsgPack[int8](), "\x01", "\xcc\x80", "128 is outside the range of a Go int8")
	decodeError(t, CBOR[record](), "\xf6", "\xa1\x62id\x61x", "id: found text")
	decodeError(t, FixedMsgPack[int](4), "", "123", "3 bytes")
	decodeError(t, FixedMsgPack[int](2), "\x01\x00", "\xa1a", "text")

	fixed := Vector[float32](1)
	decodeError(t, fixed, "", "\x01123", "4 bytes")
	decodeError(t, fixed, "\x011234", "\x021234", "a vector of f64 in a column of vec:f32")
	decodeError(t, fixed, "\x011234", "\x0b1234", "unknown element type 11")
	decodeError(t, fixed, "\x011234", "\x001234", "unknown element type 0")
	one := "\x01\x01\x01\x00\x00\x001234"
	decodeError(t, Vector[float32](), one, "\x01\x00"+"1234", "read the column as tensors")
	for _, bad := range []struct{ src, want string }{
		{"", "no header"}, {"\x01", "no header"},
		{"\x02" + one[1:], "a vector of f64"},
		{"\x01\x02\x01\x00\x00\x00\x00", "5 bytes where 2 dimensions"},
		{one[:len(one)-1], "3 bytes of elements for a vector of shape [1]"},
		{one + "x", "5 bytes of elements"},
		{"\x01\x00123", "3 bytes of elements for a vector of shape []"},
		{"\x01\x02\xff\xff\xff\xff\xff\xff\xff\xff" + "1234", "a vector"},
		{"\x01\x04\x00\x00\x00\x80\x00\x00\x00\x80\x04\x00\x00\x00\x01\x00\x00\x00", "a vector"}, // the product is 0 in 64 bits
		{"\x01\x01\x00\x00\x00\x40", "multiply to more than 134217728"},                          // 4 times 2^30
		{"\x01\x02\xff\xff\xff\x7f\x00\x00\x00\x00", "multiply to more than 134217728"},          // lists of nothing
		{"\x01\x02\x00\x00\x00\x00\x01\x00\x00\x08", "multiply to more than 134217728"},
	} {
		decodeError(t, Tensors[float32](), one, bad.src, bad.want)
		decodeError(t, Vector[float32](), one, bad.src, bad.want)
	}
	got, err := Tensors[float32]().Decode([]byte("\x01\x02\x00\x00\x00\x00\x00\x00\x00\x08"))
	if err != nil || len(got.Data) != 0 || got.Shape[1] != MaxSize {
		t.Errorf("an empty tensor: %v, %v", got, err)
	}
}

// Ends and data that do not go together are an error, not a panic.
func TestDecodeAllBounds(t *testing.T) {
	for _, test := range []struct {
		n    int
		data string
		ends []int
		want int // index of the bad element, or -1 if there is none in particular
	}{
		{2, "ab", []int{1}, -1},
		{1, "ab", nil, -1},
		{2, "ab", []int{1, 3}, 1},
		{2, "ab", []int{2, 1}, 1},
		{1, "ab", []int{-1}, 0},
		{2, "ab", []int{math.MaxInt, math.MinInt}, 0},
	} {
		for _, err := range []error{
			String.DecodeAll(make([]string, test.n), []byte(test.data), test.ends),
			MsgPack[any]().DecodeAll(make([]any, test.n), []byte(test.data), test.ends),
			Bytes.DecodeAll(make([][]byte, test.n), []byte(test.data), test.ends),
			FixedBytes(0).DecodeAll(make([][]byte, test.n), []byte(test.data), test.ends),
		} {
			index := -1
			var bad *ElementError
			if errors.As(err, &bad) {
				index = bad.Index
			}
			if !errors.Is(err, ErrData) || index != test.want {
				t.Errorf("%+v: %v", test, err)
			}
		}
	}
	for _, err := range []error{
		Int64.DecodeAll(make([]int64, 2), make([]byte, 15), nil),
		Bool.DecodeAll(make([]bool, 2), make([]byte, 1), nil),
		FixedText(3, UTF8).DecodeAll(make([]string, 2), make([]byte, 5), nil),
		Vector[int8](2).DecodeAll(make([][]int8, 2), make([]byte, 5), nil),
		Vector[int8](2).DecodeFlat(make([]int8, 4), make([]byte, 5)),
		Vector[int8](2).DecodeFlat(make([]int8, 3), make([]byte, 9)),
		Vector[int8]().DecodeFlat(make([]int8, 3), make([]byte, 9)),
		Vector[int8](0).DecodeFlat(make([]int8, 3), make([]byte, 9)),
	} {
		if !errors.Is(err, ErrData) && !errors.Is(err, ErrSyntax) {
			t.Errorf("error %v", err)
		}
	}
	if b, err := Vector[int8](2).AppendFlat([]byte("x"), make([]int8, 3)); !errors.Is(err, ErrValue) || len(b) != 1 {
		t.Errorf("%x, %v", b, err)
	}
	if b, err := Vector[int8]().AppendFlat([]byte("x"), make([]int8, 3)); !errors.Is(err, ErrValue) || len(b) != 1 {
		t.Errorf("%x, %v", b, err)
	}
}

// A character belongs to one element, though the bytes of all are looked at together.
func TestCharactersAreNotShared(t *testing.T) {
	for _, test := range []struct {
		data string
		ends []int
		want int // index of the bad element, or -1 if there is none
	}{
		{"aé", []int{1, 3}, -1},
		{"aé", []int{0, 3}, -1},
		{"aé", []int{2, 3}, 0},
		{"aé", []int{1, 2}, 1},
		{"aé\xff", []int{1, 3}, -1},
		{"a\xff\xffa", []int{1, 2, 4}, 1},
	} {
		texts := make([]string, len(test.ends))
		err := String.DecodeAll(texts, []byte(test.data), test.ends)
		index := -1
		var bad *ElementError
		if errors.As(err, &bad) {
			index = bad.Index
		}
		if index != test.want || err == nil && strings.Join(texts, "") != test.data[:test.ends[len(texts)-1]] {
			t.Errorf("%+v: %q, %v", test, texts, err)
		}
	}
}

// Text and bytes lie in the memory that was decoded, and nothing that is
// appended to them overwrites what follows.
func TestAliasing(t *testing.T) {
	src := []byte("abcdef")
	s, err := String.Decode(src)
	if err != nil || unsafe.StringData(s) != &src[0] {
		t.Errorf("%q does not lie in the source (%v)", s, err)
	}
	parts := make([][]byte, 2)
	if err := Bytes.DecodeAll(parts, src, []int{2, 4}); err != nil || &parts[1][0] != &src[2] {
		t.Errorf("%q does not lie in the source (%v)", parts, err)
	}
	_ = append(parts[0], 'X')
	if b, err := FixedBytes(3).Decode(src); err != nil || cap(b) != 3 {
		t.Errorf("%q has capacity %d (%v)", b, cap(b), err)
	}
	if b, err := Bytes.Decode(src[:3]); err != nil || cap(b) != 3 {
		t.Errorf("%q has capacity %d (%v)", b, cap(b), err)
	}
	rows := make([][]uint8, 2)
	if err := Vector[uint8](2).DecodeAll(rows, []byte("\x05ab\x05cd"), nil); err != nil {
		t.Fatal(err)
	}
	_ = append(rows[0], 'X')
	if string(src) != "abcdef" || string(rows[1]) != "cd" {
		t.Errorf("append wrote over a neighbour: %q %q", src, rows)
	}
}

func TestFixedIgnoresTheRest(t *testing.T) {
	if v, err := Int16.Decode([]byte{1, 0, 9}); v != 1 || err != nil {
		t.Error(v, err)
	}
	if v, err := FixedText(2, UTF8).Decode([]byte("abc")); v != "ab" || err != nil {
		t.Error(v, err)
	}
	if v, err := Vector[int8](1).Decode([]byte{9, 1, 9}); len(v) != 1 || v[0] != 1 || err != nil {
		t.Error(v, err)
	}
	if v, err := FixedCBOR[int](2).Decode([]byte{1, 9, 9}); v != 1 || err != nil {
		t.Error(v, err)
	}
}
