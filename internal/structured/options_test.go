package structured

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
)

type evenZero int

func (n evenZero) IsZero() bool { return n%2 == 0 }

type pointerZero struct{ N int }

func (p *pointerZero) IsZero() bool { return p.N == 7 }

type zeroes struct {
	A int             `json:"a,omitzero"`
	B [2]int          `json:"b,omitzero"`
	C struct{ X int } `json:"c,omitzero"`
	D evenZero        `json:"d,omitzero"`
	E pointerZero     `json:"e,omitzero"`
	F *pointerZero    `json:"f,omitzero"`
	G zeroer          `json:"g,omitzero"`
	H []int           `json:"h,omitzero"`
	I []int           `json:"i,omitempty,omitzero"`
	J any             `json:"j,omitzero"`
}

// omitzero leaves out what encoding/json leaves out.
func TestOmitZero(t *testing.T) {
	for _, v := range []zeroes{
		{},
		{A: 1, B: [2]int{0, 1}, C: struct{ X int }{1}, D: 1, E: pointerZero{1}, F: &pointerZero{1}, G: evenZero(1), H: []int{}, I: []int{}, J: 0},
		{D: 2, E: pointerZero{7}, F: &pointerZero{7}, G: evenZero(2), H: []int{1}, I: []int{1}, J: (*int)(nil)},
		{G: (*pointerZero)(nil)},
	} {
		wantFields(t, v, v)
		wantFields(t, map[string]zeroes{"not addressable": v}, map[string]zeroes{"not addressable": v})
	}
}

// wantFields requires that v is stored, in every format, as what encoding/json
// makes of it.
func wantFields[T any](t *testing.T, v T, like any) {
	t.Helper()
	text, err := json.Marshal(like)
	if err != nil {
		t.Fatal(err)
	}
	var want any
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	for _, f := range formats {
		src, err := encode(f, v)
		if err != nil {
			t.Errorf("%v: %+v: %v", f, v, err)
			continue
		}
		got, err := decode[any](f, src)
		if err != nil || !reflect.DeepEqual(asJSON(t, got), want) {
			t.Errorf("%v: %+v is stored as %v, %v; want %v", f, v, got, err, want)
		}
	}
	ours, err := AppendJSON(nil, v)
	var got any
	if err == nil {
		err = json.Unmarshal(ours, &got)
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v is stored as %s, %v; want %s", v, ours, err, text)
	}
}

type quotedFields struct {
	I int64       `json:"i,string"`
	U *uint8      `json:"u,string"`
	F float64     `json:"f,string"`
	B bool        `json:"b,string"`
	S string      `json:"s,string"`
	N json.Number `json:"n,string"`
	P *string     `json:"p,omitempty,string"`
	//lint:ignore SA5008 the option does not concern this field
	L []int `json:"l,string"`
	//lint:ignore SA5008 nor this one
	PP **int `json:"pp,string"`
}

// The option "string" stores scalars as JSON inside text, as encoding/json does.
// Only floats are written otherwise: 1.0, not 1.
func TestQuoted(t *testing.T) {
	n, s := uint8(200), "in \"text\""
	for _, v := range []quotedFields{
		{F: 0.5, N: "0"},
		{I: math.MinInt64, U: &n, F: -2.5, B: true, S: "é\n\"", N: "12", P: &s, L: []int{1}},
		{I: 5, F: 1e300, S: "x", N: "-1.5"},
	} {
		wantFields(t, v, v)
		for _, f := range formats {
			src, err := encode(f, v)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := decode[quotedFields](f, src); err != nil || !reflect.DeepEqual(got, v) {
				t.Errorf("%v: %+v reads back as %+v, %v", f, v, got, err)
			}
		}
	}
	type float struct {
		F float64 `json:"f,string"`
	}
	negative := float{math.Copysign(0, -1)}
	if text, err := AppendJSON(nil, negative); string(text) != `{"f":"-0.0"}` {
		t.Errorf("%s, %v", text, err)
	} else if err := DecodeJSON(text, &negative); err != nil || !math.Signbit(negative.F) {
		t.Errorf("%s is read as %v, %v", text, negative, err)
	}
	nulls := map[string]any{"i": nil, "u": nil, "s": "null", "pp": nil}
	for want, in := range map[string]map[string]any{
		"": nulls,
		"i: found an integer where the tag option": {"i": 5},
		"i: found text, which a Go int64":          {"i": `"5"`},
		"i: bad JSON":                              {"i": ""},
		"u: 256 is outside":                        {"u": "256"},
		"s: bad JSON":                              {"s": "x"},
		"i: JSON that no Go value holds":           {"i": "18446744073709551616"},
	} {
		for _, f := range formats {
			src, err := encode(f, in)
			if err != nil {
				t.Fatal(err)
			}
			got, err := decode[quotedFields](f, src)
			if want == "" && (err != nil || !reflect.DeepEqual(got, quotedFields{})) {
				t.Errorf("%v: %v is read as %+v, %v", f, in, got, err)
			}
			if want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
				t.Errorf("%v: %v is read as %+v, %v; want %s", f, in, got, err, want)
			}
		}
	}
	checkRefused(t, quotedFields{F: math.NaN()}, "f: NaN")
	checkRefused(t, quotedFields{S: "\xff"}, "s: ", "UTF-8")
}
