package values

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"columnvault/dtype"
	"columnvault/internal/excerpt"
)

// TestShowKey checks that what is printed for a key is the key of no other, on
// the command line and in JSON.
func TestShowKey(t *testing.T) {
	text := rapid.Custom(func(t *rapid.T) []byte { return []byte(rapid.String().Draw(t, "text")) })
	nested := rapid.Custom(func(t *rapid.T) []byte { return AppendBytes(nil, text.Draw(t, "nested")) })
	keys := rapid.OneOf(text, rapid.SliceOf(rapid.Byte()), nested, rapid.Just([]byte(`{"$base64":true,"encoded":"!"}`)))
	rapid.Check(t, func(t *rapid.T) {
		key := keys.Draw(t, "key")
		shown := ShowKey(key)
		if back, err := ParseKey(shown); err != nil || !bytes.Equal(back, key) {
			t.Fatalf("%q is shown as %s, which is the key %q (%v)", key, shown, back, err)
		}
		if excerpt.Printable(shown) != shown || strings.TrimSpace(shown) != shown || shown == "" {
			t.Fatalf("%q is shown as %q", key, shown)
		}
		var s string
		back, isBytes, err := DecodeBytes(AppendKey(nil, key))
		if !isBytes {
			err = json.Unmarshal(AppendKey(nil, key), &s)
			back = []byte(s)
		}
		if err != nil || !bytes.Equal(back, key) {
			t.Fatalf("%q is %s in JSON, which is the key %q (%v)", key, AppendKey(nil, key), back, err)
		}
	})
}

func TestParseStored(t *testing.T) {
	for text, want := range map[string]any{
		"5": int64(5), " -5 ": int64(-5), "-0": int64(0), "9223372036854775808": uint64(1 << 63),
		"5.0": 5.0, "-2.5": -2.5, "1e3": 1000.0, "-0.0": math.Copysign(0, -1),
		"Infinity": math.Inf(1), "-inf": math.Inf(-1), `"Infinity"`: "Infinity", "infinite": "infinite",
		"": "", "hello": "hello", " two  words": " two  words", `"5"`: "5", `"é\n"`: "é\n", "007": "007",
		"true": true, "null": nil, "[]": []any{}, "{}": map[string]any{},
		`{"$base64":true,"encoded":"AP8="}`:       []byte{0, 255},
		`{"$base64":true,"encoded":""}`:           []byte{},
		`{"$base64":false,"encoded":"AP8="}`:      map[string]any{"$base64": false, "encoded": "AP8="},
		`{"$base64":true,"encoded":"!","size":1}`: map[string]any{"$base64": true, "encoded": "!", "size": json.Number("1")},
	} {
		got, err := ParseStored([]byte(text))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %T %v (%v), want %T %v", text, got, got, err, want, want)
		}
	}
	if f, err := ParseStored([]byte(" nan")); err != nil || f.(float64) == f.(float64) {
		t.Errorf("NaN: got %v, %v", f, err)
	}
	for _, text := range []string{"18446744073709551616", "-9223372036854775809", "1e400", `{"a"`, `"a`, "\xff", `{"$base64":true,"encoded":"!"}`} {
		if got, err := ParseStored([]byte(text)); err == nil {
			t.Errorf("%q: got %v and no error", text, got)
		}
	}
}

// TestPrintTensors prints tensors of every element type that GetValue returns.
func TestPrintTensors(t *testing.T) {
	for name, want := range map[string]string{
		"i8": "[-1,2]", "i16": "[-1,2]", "i32": "[-1,2]", "i64": "[-1,2]",
		"u8": "[1,2]", "u16": "[1,2]", "u32": "[1,2]", "u64": "[1,2]",
		"f32": "[0.1,2.0]", "f64": `[0.1,"NaN"]`,
	} {
		spec, err := dtype.ParseSpec("vec:" + name)
		if err != nil {
			t.Fatal(err)
		}
		v, err := NewParser(spec, dtype.Meaning{}).Parse([]byte(want))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(AppendStored(nil, v)); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}
