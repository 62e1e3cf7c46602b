package kvcodec

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"columnvault/internal/store"
)

// jsonText is a stored value of JSON.
func jsonText(text string) []byte { return append(appendHeader(nil, JSON), text...) }

// Floats stay floats in JSON, with the sign of zero, and what JSON has no form
// for is refused instead of replaced.
func TestJSONKeepsValues(t *testing.T) {
	for _, v := range []any{65504.0, 0.0, math.Copysign(0, -1), 1e300, float64(1 << 53), int64(65504), uint64(math.MaxUint64), "é\x00😀",
		map[string]any{"a": []any{1.0, int64(1), nil, true}}} {
		stored, err := AppendAs(nil, JSON, v)
		if err != nil {
			t.Errorf("%v: %v", v, err)
			continue
		}
		got, err := Decode[any](stored)
		if f, ok := v.(float64); ok && err == nil {
			if g, ok := got.(float64); !ok || math.Float64bits(f) != math.Float64bits(g) {
				t.Errorf("%v is stored as %s and read as %T %v", v, stored[HeaderSize:], got, got)
			}
		} else if err != nil || !reflect.DeepEqual(got, v) {
			t.Errorf("%v is stored as %s and read as %#v, %v", v, stored[HeaderSize:], got, err)
		}
	}
	for want, v := range map[string]any{
		"bytes":    map[string]any{"a": []byte("q")},
		"UTF-8":    []any{"a\xffb"},
		"[]uint8":  []byte("q"),
		"NaN":      math.NaN(),
		"not JSON": json.RawMessage("{"),
		"is not":   json.RawMessage("\"\xff\""),
	} {
		if stored, err := AppendAs(nil, JSON, v); !errors.Is(err, store.ErrInvalidArgument) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v is stored as %q, %v; want an error about %s", v, stored, err, want)
		}
	}
}

// What Python's json writes is read as what Python reads, or refused as
// something that is not supported. Nothing becomes another value.
func TestJSONOfPython(t *testing.T) {
	got, err := Decode[any](jsonText(`[1.0, NaN, Infinity, -Infinity]`))
	if list, ok := got.([]any); !ok || err != nil || !math.IsNaN(list[1].(float64)) || list[2] != math.Inf(1) || list[3] != math.Inf(-1) {
		t.Errorf("NaN and the infinities are read as %v, %v", got, err)
	}
	if got, err := Decode[struct{ Loss float32 }](jsonText(`{"Loss": NaN}`)); err != nil || !math.IsNaN(float64(got.Loss)) {
		t.Errorf("NaN in a struct is read as %v, %v", got, err)
	}
	for text, want := range map[string]string{
		`[18446744073709551616, 1]`: "18446744073709551616 takes more than 64 bits",
		`-9223372036854775809`:      "takes more than 64 bits",
		`{"a": "x\ud800y"}`:         `\ud800 is half of a surrogate pair`,
		`1e400`:                     "beyond a float64",
	} {
		got, err := Decode[any](jsonText(text))
		if !errors.Is(err, ErrUnsupportedEncoding) || !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), want) || got != nil {
			t.Errorf("%s is read as %v, %v; want an error about %s", text, got, err, want)
		}
		if got, err := Decode[json.RawMessage](jsonText(text)); string(got) != text || err != nil {
			t.Errorf("%s: the text is %s, %v", text, got, err)
		}
	}
}

// A json.RawMessage is JSON text, which encoding/json can make and read by its
// own rules.
func TestJSONRawMessage(t *testing.T) {
	const text = `{ "b": 1e2, "a": 123456789012345678901234567890 }`
	stored, err := AppendAs(nil, JSON, json.RawMessage(text))
	if err != nil || string(stored[HeaderSize:]) != text {
		t.Errorf("the text is stored as %q, %v", stored, err)
	}
	if got, err := Decode[json.RawMessage](stored); string(got) != text || err != nil {
		t.Errorf("the text is read as %s, %v", got, err)
	}
}

// A json.Number is a number in every encoding, as it is in columns.
func TestJSONNumber(t *testing.T) {
	for _, test := range []struct {
		n    json.Number
		want any
		e    Encoding
	}{
		{"5", int64(5), Packed}, {"-5", int64(-5), Packed}, {"1000000000000", int64(1e12), MsgPack},
		{"18446744073709551615", uint64(math.MaxUint64), MsgPack}, {"1.5", 1.5, Packed}, {"1e3", 1000.0, Packed}, {"0.0", 0.0, MsgPack},
	} {
		stored, err := Append(nil, test.n)
		if e, _, _ := Parse(stored); err != nil || e != test.e {
			t.Errorf("%s is stored as %v, %v; want %v", test.n, e, err, test.e)
		}
		if got, err := Decode[any](stored); err != nil || got != test.want {
			t.Errorf("%s is read as %#v, %v; want %#v", test.n, got, err, test.want)
		}
		for _, e := range []Encoding{test.e, JSON, MsgPack, CBOR} {
			stored, err := AppendAs(nil, e, test.n)
			if err != nil {
				t.Errorf("%s in %v: %v", test.n, e, err)
			}
			if got, err := Decode[any](stored); err != nil || got != test.want {
				t.Errorf("%s in %v is read as %#v, %v; want %#v", test.n, e, got, err, test.want)
			}
			again, err := Decode[json.Number](stored)
			if err != nil {
				t.Errorf("%s in %v: %v", test.n, e, err)
			}
			if v, err := plainNumber(again); v != test.want || err != nil {
				t.Errorf("%s in %v is read as the number %s", test.n, e, again)
			}
		}
	}
	for _, n := range []json.Number{"1e400", "18446744073709551616", "x", "NaN"} {
		for _, e := range []Encoding{Packed, JSON, MsgPack, CBOR} {
			if stored, err := AppendAs(nil, e, n); err == nil {
				t.Errorf("%s is stored as %q", n, stored)
			}
		}
		if stored, err := Append(nil, n); err == nil {
			t.Errorf("%s is stored as %q", n, stored)
		}
	}
	if stored, err := AppendAs(nil, Text, json.Number("5")); !errors.Is(err, store.ErrInvalidArgument) {
		t.Errorf("as text, a number is stored as %q, %v", stored, err)
	}
	for _, v := range []any{"5", []byte("5"), true, nil, []float32{1}} {
		stored, err := Append(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := Decode[json.Number](stored); v != nil && (!errors.Is(err, store.ErrInvalidArgument) || n != "") {
			t.Errorf("%#v is read as the number %q, %v", v, n, err)
		}
	}
	if n, err := Decode[json.Number](append(appendHeader(nil, Packed), "12345678"...)); n == "12345678" {
		t.Errorf("eight bytes are read as the number %q, %v", n, err)
	}
}
