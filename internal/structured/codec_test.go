package structured

import (
	"encoding/hex"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var formats = []Format{MsgPack, CBOR}

// encode stores v as a T.
func encode[T any](f Format, v T) ([]byte, error) {
	c, err := New[T](f)
	if err != nil {
		return nil, err
	}
	return c.Append(nil, &v)
}

// decode reads src as a T.
func decode[T any](f Format, src []byte) (v T, err error) {
	c, err := New[T](f)
	if err != nil {
		return v, err
	}
	err = c.Decode(src, &v)
	return v, err
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The bytes of both formats at every edge where the form of a number or length
// changes, and what they read back as.
func TestBytes(t *testing.T) {
	text := func(n int) string { return strings.Repeat("x", n) }
	list := func(n int) []any { return make([]any, n) }
	for _, test := range []struct {
		value         any
		msgpack, cbor string // prefixes for long values
	}{
		{nil, "c0", "f6"},
		{true, "c3", "f5"},
		{false, "c2", "f4"},
		{int64(0), "00", "00"},
		{int64(23), "17", "17"},
		{int64(24), "18", "1818"},
		{int64(127), "7f", "187f"},
		{int64(128), "cc80", "1880"},
		{int64(255), "ccff", "18ff"},
		{int64(256), "cd0100", "190100"},
		{int64(65535), "cdffff", "19ffff"},
		{int64(65536), "ce00010000", "1a00010000"},
		{int64(math.MaxUint32), "ceffffffff", "1affffffff"},
		{int64(math.MaxUint32 + 1), "cf0000000100000000", "1b0000000100000000"},
		{int64(math.MaxInt64), "cf7fffffffffffffff", "1b7fffffffffffffff"},
		{uint64(math.MaxInt64 + 1), "cf8000000000000000", "1b8000000000000000"},
		{uint64(math.MaxUint64), "cfffffffffffffffff", "1bffffffffffffffff"},
		{int64(-1), "ff", "20"},
		{int64(-24), "e8", "37"},
		{int64(-25), "e7", "3818"},
		{int64(-32), "e0", "381f"},
		{int64(-33), "d0df", "3820"},
		{int64(-128), "d080", "387f"},
		{int64(-129), "d1ff7f", "3880"},
		{int64(-32768), "d18000", "397fff"},
		{int64(-32769), "d2ffff7fff", "398000"},
		{int64(math.MinInt32), "d280000000", "3a7fffffff"},
		{int64(math.MinInt32 - 1), "d3ffffffff7fffffff", "3a80000000"},
		{int64(math.MinInt64), "d38000000000000000", "3b7fffffffffffffff"},
		{0.0, "cb0000000000000000", "f90000"},
		{math.Copysign(0, -1), "cb8000000000000000", "f98000"},
		{1.5, "cb3ff8000000000000", "f93e00"},
		{65504.0, "cb40effc0000000000", "f97bff"},
		{65505.0, "cb40effc2000000000", "fa477fe100"},
		{0x1p-24, "cb3e70000000000000", "f90001"},
		{0x1p-25, "cb3e60000000000000", "fa33000000"},
		{math.MaxFloat32, "cb47efffffe0000000", "fa7f7fffff"},
		{0.1, "cb3fb999999999999a", "fb3fb999999999999a"},
		{math.MaxFloat64, "cb7fefffffffffffff", "fb7fefffffffffffff"},
		{"", "a0", "60"},
		{text(23), "b7", "77"},
		{text(24), "b8", "7818"},
		{text(31), "bf", "781f"},
		{text(32), "d920", "7820"},
		{text(255), "d9ff", "78ff"},
		{text(256), "da0100", "790100"},
		{text(65536), "db00010000", "7a00010000"},
		{list(15), "9f", "8f"},
		{list(16), "dc0010", "90"},
		{list(24), "dc0018", "9818"},
		{list(65536), "dd00010000", "9a00010000"},
		{map[string]any{"b": nil, "Z": nil, "é": nil, "a": nil, "aa": nil},
			"85 a15ac0 a161c0 a26161c0 a162c0 a2c3a9c0", "a5 615af6 6161f6 626161f6 6162f6 62c3a9f6"},
	} {
		for f, want := range map[Format]string{MsgPack: test.msgpack, CBOR: test.cbor} {
			got, err := encode(f, test.value)
			if err != nil {
				t.Errorf("%v: %.40v: %v", f, test.value, err)
				continue
			}
			if !strings.HasPrefix(hex.EncodeToString(got), strings.ReplaceAll(want, " ", "")) {
				t.Errorf("%v: %.40v is %.40x, want %s", f, test.value, got, want)
			}
			back, err := decode[any](f, got)
			if diff := cmp.Diff(test.value, back); diff != "" || err != nil {
				t.Errorf("%v: %.40v reads back (%v):\n%s", f, test.value, err, diff)
			}
		}
	}
}

// Every Go type that can be stored, with the JSON that says what is stored.
func TestGoTypes(t *testing.T) {
	type name string
	type level int8
	n := 5
	pn := &n
	for _, test := range []struct {
		value any
		json  string
	}{
		{int8(-5), `-5`}, {int16(-5), `-5`}, {int32(-5), `-5`}, {-5, `-5`}, {level(3), `3`},
		{uint8(5), `5`}, {uint16(5), `5`}, {uint32(5), `5`}, {uint(5), `5`}, {uintptr(5), `5`},
		{float32(0.5), `0.5`}, {name("x"), `"x"`}, {&pn, `5`}, {(*int)(nil), `null`},
		{[]int(nil), `null`}, {[]int{}, `[]`}, {[]level{1, 2}, `[1,2]`}, {[2]bool{true}, `[true,false]`},
		{map[string]int(nil), `null`}, {map[name]float64{"b": 1, "a": 2}, `{"a":2,"b":1}`},
		{map[string]map[string][]int{"x": {"y": {1}}}, `{"x":{"y":[1]}}`},
		{[]map[string]any{{"b": 1, "a": []any{nil}}}, `[{"a":[null],"b":1}]`},
		{[]any(nil), `null`}, {map[string]any(nil), `null`},
		{json.Number("12"), `12`}, {json.Number("-12"), `-12`}, {json.Number("18446744073709551615"), `18446744073709551615`},
		{json.Number("1.50"), `1.5`}, {json.Number("1e3"), `1000`}, {json.Number(""), `0`},
		{[]json.Number{"1"}, `[1]`}, {struct{}{}, `{}`},
		{[]error{nil}, `[null]`}, {[]interface{ Error() string }{level2(7)}, `[7]`},
	} {
		for _, f := range formats {
			got, err := encode(f, test.value)
			if err != nil {
				t.Errorf("%v: %#v: %v", f, test.value, err)
				continue
			}
			var want any
			if err := json.Unmarshal([]byte(test.json), &want); err != nil {
				t.Fatal(err)
			}
			back, err := decode[any](f, got)
			if diff := cmp.Diff(want, asJSON(t, back)); diff != "" || err != nil {
				t.Errorf("%v: %#v (%v):\n%s", f, test.value, err, diff)
			}
		}
	}
}

type level2 int

func (level2) Error() string { return "" }

// asJSON sends x through encoding/json, after which all its numbers are
// float64.
func asJSON(t testing.TB, x any) (y any) {
	t.Helper()
	text, err := json.Marshal(x)
	if err == nil {
		err = json.Unmarshal(text, &y)
	}
	if err != nil {
		t.Fatal(err)
	}
	return y
}

// A value that ends too early is an error wherever it is cut, and never a
// panic.
func TestTruncated(t *testing.T) {
	value := map[string]any{"a": []any{int64(1000), 0.1, "text", nil, true}, "b": map[string]any{"c": strings.Repeat("x", 300)}}
	type typed struct {
		A []any             `json:"a"`
		B map[string]string `json:"b"`
	}
	for _, f := range formats {
		full, err := encode(f, value)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := decode[any](f, append(full, 0, 0)); err != nil || !cmp.Equal(got, any(value)) {
			t.Errorf("%v: with padding: %v", f, err)
		}
		for n := range full {
			if got, err := decode[any](f, full[:n]); err == nil || got != nil {
				t.Errorf("%v: %d of %d bytes decode to %v", f, n, len(full), got)
			}
			if _, err := decode[typed](f, full[:n]); err == nil {
				t.Errorf("%v: %d of %d bytes decode into a struct", f, n, len(full))
			}
			if _, err := decode[struct{}](f, full[:n]); err == nil {
				t.Errorf("%v: %d of %d bytes decode with all fields unknown", f, n, len(full))
			}
		}
	}
}

// What other programs may have written, and what Python makes of it.
func TestForeignBytes(t *testing.T) {
	for _, test := range []struct {
		f    Format
		hex  string
		want any
	}{
		{MsgPack, "ca3fc00000", 1.5},
		{MsgPack, "d005", int64(5)}, // signed although positive
		{MsgPack, "d3ffffffffffffffff", int64(-1)},
		{MsgPack, "ce00000005", int64(5)}, // longer than needed
		{MsgPack, "cb7ff8000000000000", nil},
		{MsgPack, "cbfff0000000000000", nil},
		{MsgPack, "82a16101a16102", map[string]any{"a": int64(2)}},
		{CBOR, "f7", nil},
		{CBOR, "f97e00", nil},
		{CBOR, "f97c00", nil},
		{CBOR, "fa7f800000", nil},
		{CBOR, "1817", int64(23)},
		{CBOR, "9f01 9f02ff ff", []any{int64(1), []any{int64(2)}}},
		{CBOR, "bf6161 01ff", map[string]any{"a": int64(1)}},
		{CBOR, "7f 6161 60 6162 ff", "ab"},
		{CBOR, "bf 7f6161ff 01 ff", map[string]any{"a": int64(1)}},
		{CBOR, "c24101", int64(1)},
		{CBOR, "c240", int64(0)},
		{CBOR, "c24a0000ffffffffffffffff", uint64(math.MaxUint64)},
		{CBOR, "c34101", int64(-2)},
		{CBOR, "c3487fffffffffffffff", int64(math.MinInt64)},
		{CBOR, "a2616101616102", map[string]any{"a": int64(2)}},
	} {
		got, err := decode[any](test.f, unhex(t, test.hex))
		if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
			t.Errorf("%v %s: %v\n%s", test.f, test.hex, err, diff)
		}
	}
}

func TestForeignBytesRefused(t *testing.T) {
	for _, test := range []struct {
		f         Format
		hex, want string
	}{
		{MsgPack, "c4026162", "bin"},
		{MsgPack, "d40161", "extension"},
		{MsgPack, "d6ff00000000", "extension"},
		{MsgPack, "c70501", "extension"},
		{MsgPack, "c1", "0xc1"},
		{MsgPack, "a1ff", "UTF-8"},
		{MsgPack, "8101a161", "key"},
		{MsgPack, "81c0a161", "key"},
		{MsgPack, "81a1ff01", "UTF-8"},
		{MsgPack, "81a16191c1", "a[0]"},
		{MsgPack, "ddffffffff", "ends"},
		{MsgPack, "dfffffffff", "ends"},
		{MsgPack, "dbffffffff", "ends"},
		{CBOR, "426162", "byte string"},
		{CBOR, "5f4161ff", "meaning"},
		{CBOR, "c11a514b67b0", "tag 1"},
		{CBOR, "d9d9f701", "tag 55799"},
		{CBOR, "c249ffffffffffffffffff", "2^64-1"},
		{CBOR, "c3488000000000000000", "2^64-1"},
		{CBOR, "c201", "without a byte string"},
		{CBOR, "c25f4101ff", "meaning"},
		{CBOR, "c25bffffffffffffffff", "ends"},
		{CBOR, "c2", "ends"},
		{CBOR, "c259", "ends"},
		{CBOR, "3bffffffffffffffff", "2^64-1"},
		{CBOR, "a10161", "key"},
		{CBOR, "f818", "simple value"},
		{CBOR, "e0", "simple value"},
		{CBOR, "ff", "break"},
		{CBOR, "1c", "meaning"},
		{CBOR, "3f", "meaning"},
		{CBOR, "61ff", "UTF-8"},
		{CBOR, "7f01ff", "other than text"},
		{CBOR, "7f7fffff", "other than text"},
		{CBOR, "7f1cff", "meaning"},
		{CBOR, "7f61ffff", "UTF-8"},
		{CBOR, "7f6161", "ends"},
		{CBOR, "9f", "ends"},
		{CBOR, "bf6161", "ends"},
		{CBOR, "9bffffffffffffffff", "ends"},
		{CBOR, "bb7fffffffffffffff", "ends"},
	} {
		src := unhex(t, test.hex)
		if got, err := decode[any](test.f, src); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v %s decodes to %v, error %v, want one about %q", test.f, test.hex, got, err, test.want)
		}
		// The same value is refused where nobody looks at it: in an unknown
		// field.
		object := append(unhex(t, map[Format]string{MsgPack: "81a161", CBOR: "a16161"}[test.f]), src...)
		if _, err := decode[struct{}](test.f, object); err == nil {
			t.Errorf("%v %s is accepted in an unknown field", test.f, test.hex)
		}
	}
}
