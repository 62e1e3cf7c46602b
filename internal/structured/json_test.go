package structured

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The text that values are stored as, and that they are read back from.
func TestJSONText(t *testing.T) {
	type inner struct {
		N    int    `json:"n" msgpack:"other"`
		Skip string `json:"-"`
	}
	for want, v := range map[string]any{
		`null`:                 nil,
		`true`:                 true,
		`-5`:                   int64(-5),
		`18446744073709551615`: uint64(math.MaxUint64),
		`-9223372036854775808`: int64(math.MinInt64),
		`65504.0`:              65504.0,
		`0.0`:                  0.0,
		`-0.0`:                 math.Copysign(0, -1),
		`0.00001`:              1e-5,
		`1e-06`:                1e-6,
		`1000000000000000.0`:   1e15,
		`1e+16`:                1e16,
		`5e-324`:               5e-324,
		`"é<日😀\u0001\u001f\n\r\t\"\\/` + "\x7f\"": "é<日😀\x01\x1f\n\r\t\"\\/\x7f",
		`""`:                         "",
		`[]`:                         []any{},
		`{}`:                         map[string]any{},
		`{"Z":[{}],"a":1,"aa":null}`: map[string]any{"aa": nil, "a": int64(1), "Z": []any{map[string]any{}}},
	} {
		got, err := AppendJSON([]byte("x"), v)
		if err != nil || string(got) != "x"+want {
			t.Errorf("%#v is stored as %s, %v; want %s", v, got, err, want)
		}
		var back any
		if err := DecodeJSON([]byte(want), &back); err != nil || !same(back, v) {
			t.Errorf("%s is read as %#v, %v", want, back, err)
		}
	}
	if got, err := AppendJSON(nil, inner{5, "x"}); string(got) != `{"n":5}` {
		t.Errorf("a struct is stored as %s, %v", got, err)
	}
	var back map[string][]inner
	if err := DecodeJSON([]byte(` { "a" : [ {"x":[{"y":null}],"n": 1 } , { "\u006e" :2} ] } `), &back); err != nil || !reflect.DeepEqual(back, map[string][]inner{"a": {{N: 1}, {N: 2}}}) {
		t.Errorf("structs are read as %v, %v", back, err)
	}
}

// same compares floats by their bits.
func same(a, b any) bool {
	if x, ok := a.(float64); ok {
		y, ok := b.(float64)
		return ok && math.Float64bits(x) == math.Float64bits(y)
	}
	return reflect.DeepEqual(a, b)
}

// What other programs write, Python first of all.
func TestJSONForeign(t *testing.T) {
	for text, want := range map[string]any{
		`[1.0, NaN, Infinity, -Infinity]`:  "[1 NaN +Inf -Inf]",
		`"\ud83d\ude00\u00e9\u0000\b\f\/"`: "😀é\x00\b\f/",
		`"\uD83D\uDE00 \uffff"`:            "😀 \uffff",
		` {"a": 1, "a": 2} `:               "map[a:2]",
		"\t[\r\n]":                         "[]",
		`-0`:                               "0",
		`0.1e1`:                            "1",
		`1E+2`:                             "100",
		`1e-999`:                           "0",
		`18446744073709551615`:             "18446744073709551615",
	} {
		var got any
		if err := DecodeJSON([]byte(text), &got); err != nil || fmt.Sprint(got) != want {
			t.Errorf("%s is read as %v, %v; want %v", text, got, err, want)
		}
	}
	var floats []float64
	if err := DecodeJSON([]byte(`[NaN, 5]`), &floats); err != nil || !math.IsNaN(floats[0]) || floats[1] != 5 {
		t.Errorf("%v, %v", floats, err)
	}
}

func TestJSONRefused(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	if err := DecodeJSON([]byte(deep(900)), new(any)); err != nil {
		t.Error(err)
	}
	for text, want := range map[string]string{
		`18446744073709551616`:              "takes more than 64 bits",
		`[1,-9223372036854775809]`:          "at byte 3, -9223372036854775809 takes more than 64 bits",
		"1" + strings.Repeat("0", 1000):     "1000000000000000000000000000000000000000 takes",
		`1e999`:                             "beyond a float64",
		`"x\ud800y"`:                        `\ud800 is half of a surrogate pair`,
		`"\udc00"`:                          "half",
		`"\ud800\u0041"`:                    "half",
		`"\ud800\ud800"`:                    "half",
		`"\ud83d\n"`:                        "half",
		deep(901):                           "inside each other",
		strings.Repeat(`{"a":`, 901) + "0]": "inside each other",
	} {
		var got any
		if err := DecodeJSON([]byte(text), &got); !errors.Is(err, ErrJSONRange) || !strings.Contains(err.Error(), want) || len(err.Error()) > 200 {
			t.Errorf("%.50s is read as %v, %v; want an error about %s", text, got, err, want)
		}
	}
	for _, text := range []string{
		``, ` `, `1 2`, `[1`, `[1,]`, `[,1]`, `[`, `]`, `{`, `{}}`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{1:2}`, `{"a" 1}`, `{,}`, `[}`, `[1}`, `{"a":1]`,
		`nul`, `True`, `nan`, `-NaN`, `+1`, `01`, `-`, `-a`, `1.`, `.5`, `1e`, `1e+`, `0x10`, `1_0`, `'a'`,
		`"`, `"a`, `"\`, `"\x"`, `"\u12"`, `"\u12g4"`, "\"\n\"", "\"\x00\"", "\"\xff\"", "\ufeff1", "\xff", "1\x00", `/* c */ 1`,
	} {
		var got any
		if err := DecodeJSON([]byte(text), &got); !errors.Is(err, ErrJSON) || got != nil {
			t.Errorf("%q is read as %v, %v", text, got, err)
		}
	}
	for want, v := range map[string]any{
		"NaN":               math.NaN(),
		"infinities":        []any{math.Inf(1)},
		"a: []uint8: bytes": map[string]any{"a": []byte("x")},
		"UTF-8":             "a\xff",
		"time.Time":         time.Time{},
		"keys":              map[int]int{},
		"inside":            nestedList(901),
		"json.Number ":      json.Number("1e999"),
	} {
		if got, err := AppendJSON([]byte("x"), v); string(got) != "x" || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20v is stored as %.40q, %v; want an error about %s", v, got, err, want)
		}
	}
	var n int8
	for _, text := range []string{`300`, `"1"`, `1.5`, `[]`} {
		if err := DecodeJSON([]byte(text), &n); err == nil || errors.Is(err, ErrJSON) || errors.Is(err, ErrJSONRange) {
			t.Errorf("%s is read as %v, %v", text, n, err)
		}
	}
	if err := DecodeJSON([]byte(`1`), new(chan int)); err == nil || !strings.Contains(err.Error(), "chan int") {
		t.Error(err)
	}
}

type celsius float64

func (c celsius) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%v °C", float64(c)), nil }

type shy struct{ A int }

func (s *shy) UnmarshalJSON([]byte) error { return nil }

// Methods that encoding/json would call are not ignored in JSON, but in the
// other formats.
func TestJSONMethods(t *testing.T) {
	for want, v := range map[string]any{
		"celsius has the method MarshalText": []celsius{1},
		"shy has the method UnmarshalJSON":   map[string]any{"a": shy{}},
		"structured.shy has":                 (*shy)(nil),
		"json.RawMessage":                    map[string]json.RawMessage{},
		"big.Int":                            *big.NewInt(1),
		"netip.Addr":                         netip.Addr{},
	} {
		if got, err := AppendJSON(nil, v); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%T is stored as %s, %v; want an error about %s", v, got, err, want)
		}
	}
	if err := DecodeJSON([]byte(`{}`), new(shy)); err == nil || !strings.Contains(err.Error(), "UnmarshalJSON") {
		t.Error(err)
	}
	if _, err := encode(MsgPack, []any{celsius(1), shy{}}); err != nil {
		t.Error(err)
	}
	if got, err := AppendJSON(nil, []any{time.Second, celsiusless(1)}); string(got) != `[1000000000,1.0]` {
		t.Errorf("%s, %v", got, err)
	}
}

type celsiusless celsius // has no methods

func nestedList(n int) any {
	var v any
	for range n {
		v = []any{v}
	}
	return v
}

// encoding/json reads what is written here, and what it writes is read here.
func TestJSONAgainstLibrary(t *testing.T) {
	t.Run("", rapid.MakeCheck(func(t *rapid.T) {
		v := genValue().Draw(t, "value")
		ours, err := AppendJSON(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		var back, theirs any
		if err := DecodeJSON(ours, &back); err != nil || !reflect.DeepEqual(back, v) {
			t.Fatalf("%s is read as %#v, %v", ours, back, err)
		}
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		// encoding/json writes large floats as integers, which may be too large.
		if err := DecodeJSON(text, &theirs); err != nil && !errors.Is(err, ErrJSONRange) {
			t.Fatalf("%s: %v", text, err)
		}
		if a, b := unmarshal(t, ours), unmarshal(t, text); !reflect.DeepEqual(a, b) {
			t.Fatalf("%s is read otherwise by encoding/json, which writes %s", ours, text)
		}
	}))
}

func unmarshal(t *rapid.T, text []byte) (v any) {
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// FuzzJSON: what is read here is read by encoding/json too, but for Python's
// words, and what is not read is refused for a reason.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{`{"a":[1,-2.5e3,"x\u00e9\ud83d\ude00",null,true,false]}`, `[NaN,Infinity,-Infinity]`, `"\ud800"`, `1e999`, `123456789012345678901234567890`, "[[[[", `{"id":1,"tags":["a"]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var got any
		err := DecodeJSON(text, &got)
		var typed event
		_ = DecodeJSON(text, &typed) // must not panic
		switch {
		case errors.Is(err, ErrJSON):
			// encoding/json takes bytes that are not UTF-8.
			if json.Valid(text) && strings.ToValidUTF8(string(text), "") == string(text) {
				t.Fatalf("%q is JSON: %v", text, err)
			}
			return
		case err != nil && !errors.Is(err, ErrJSONRange):
			t.Fatal(err)
		case err != nil:
			return
		}
		if words := strings.Contains(string(text), "NaN") || strings.Contains(string(text), "Infinity"); !words && !json.Valid(text) {
			t.Fatalf("%q is read as %#v", text, got)
		}
		again, err := AppendJSON(nil, got)
		if errors.Is(err, errFloat) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		var twice any
		if err := DecodeJSON(again, &twice); err != nil || !reflect.DeepEqual(got, twice) {
			t.Fatalf("%q is read as %#v, stored as %q and read as %#v, %v", text, got, again, twice, err)
		}
	})
}
