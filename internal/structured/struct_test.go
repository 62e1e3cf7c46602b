package structured

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type Point struct{ X, Y int }

type Base struct {
	ID   int    `json:"id"`
	Kind string `json:"kind"`
}

type hidden struct{ Seen bool }

type tree struct {
	Value    int              `json:"value"`
	Children []tree           `json:"children,omitempty"`
	Parent   *tree            `json:"parent,omitempty"`
	ByName   map[string]*tree `json:"by_name,omitempty"`
}

type left struct{ Both, L int }
type right struct{ Both, R int }

// The fields that are stored, and under which names, are those of
// encoding/json.
func TestStructsLikeJSON(t *testing.T) {
	type Renamed struct {
		Point `json:"at"`
		B     string `json:"b"`
		Plain int
		Skip  int `json:"-"`
		lower int
		Any   any      `json:"any"`
		PtrTo **string `json:"ptr"`
	}
	type Promoted struct {
		Base
		hidden
		Kind int `json:"kind"` // hides Base.Kind
	}
	type PointerPromoted struct {
		*Base
		Own int
	}
	type Ambiguous struct {
		left
		right
	}
	type Tagged struct {
		left
		Other int `json:"Both"`
	}
	type Omit struct {
		B bool           `json:"b,omitempty"`
		I int            `json:"i,omitempty"`
		F float64        `json:"f,omitempty"`
		S string         `json:"s,omitempty"`
		L []int          `json:"l,omitempty"`
		M map[string]int `json:"m,omitempty"`
		P *int           `json:"p,omitempty"`
		A any            `json:"a,omitempty"`
		Z [0]int         `json:"z,omitempty"`
		N Point          `json:"n,omitempty"`
	}
	type Recursive struct {
		*Recursive
		N int
	}
	type myInt int
	type Named struct {
		*Point `json:"p"`
	}
	s := "text"
	ps := &s
	n := 0
	for _, v := range []any{
		Renamed{Point{1, 2}, "b", 3, 4, 5, []any{1.5, nil}, &ps},
		Renamed{lower: 1},
		Promoted{Base{1, "x"}, hidden{true}, 9},
		PointerPromoted{&Base{1, "x"}, 2},
		PointerPromoted{nil, 2},
		Ambiguous{left{1, 2}, right{3, 4}},
		Tagged{left{1, 2}, 3},
		Omit{},
		Omit{true, 1, 0.5, "s", []int{0}, map[string]int{"": 0}, &n, 0, [0]int{}, Point{}},
		Omit{L: []int{}, M: map[string]int{}, A: ""},
		tree{Value: 1, Children: []tree{{Value: 2}, {Value: 3, Parent: &tree{}}}, ByName: map[string]*tree{"x": {}, "": nil}},
		Recursive{&Recursive{nil, 1}, 2},
		Named{&Point{1, 2}},
		struct {
			myInt
			Point
		}{1, Point{2, 3}},
	} {
		var want any
		text, err := json.Marshal(v)
		if err == nil {
			err = json.Unmarshal(text, &want)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range formats {
			b, err := encode(f, v)
			if err != nil {
				t.Errorf("%v: %+v: %v", f, v, err)
				continue
			}
			got, err := decode[any](f, b)
			if diff := cmp.Diff(want, asJSON(t, got)); diff != "" || err != nil {
				t.Errorf("%v: %T %s (%v):\n%s", f, v, text, err, diff)
			}

			// Both read the same back into the type.
			wantBack := reflect.New(reflect.TypeOf(v))
			if err := json.Unmarshal(text, wantBack.Interface()); err != nil {
				t.Fatal(err)
			}
			gotBack := reflect.New(reflect.TypeOf(v))
			c, err := coderOf(f.wire(), gotBack.Type().Elem())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.decode(b, 0, gotBack.Elem(), room{}); err != nil {
				t.Errorf("%v: %T %s: %v", f, v, text, err)
			}
			if want, got := toJSON(t, wantBack.Interface()), toJSON(t, gotBack.Interface()); got != want {
				t.Errorf("%v: %T reads back as %s, want %s", f, v, got, want)
			}
		}
	}
}

func toJSON(t *testing.T, v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTags(t *testing.T) {
	type both struct {
		A int `msgpack:"m" cbor:"c" json:"j"`
		B int `msgpack:"-" json:"b"`
		D int `msgpack:"-," cbor:"-"`
		C int `cbor:",omitempty" json:"c2"`
	}
	for f, want := range map[Format]any{
		MsgPack: map[string]any{"m": int64(1), "c2": int64(0), "-": int64(4)},
		CBOR:    map[string]any{"c": int64(1), "b": int64(2)},
	} {
		b, err := encode(f, both{1, 2, 4, 0})
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := decode[any](f, b); !cmp.Equal(got, want) {
			t.Errorf("%v: %v, want %v", f, got, want)
		}
	}
}

// Reading sets the whole target: unknown fields are skipped, missing ones and
// null are zero, of equal keys the last counts, keys are case-sensitive and may
// come in any order.
func TestDecodeIntoStruct(t *testing.T) {
	type target struct {
		A int            `json:"a"`
		B []int          `json:"b"`
		C *Point         `json:"c"`
		D map[string]int `json:"d"`
		E [2]int         `json:"e"`
		F Point          `json:"f"`
	}
	old := func() target {
		return target{9, []int{9, 9}, &Point{9, 9}, map[string]int{"old": 9}, [2]int{9, 9}, Point{9, 9}}
	}
	for _, test := range []struct {
		in   any
		want target
	}{
		{map[string]any{}, target{}},
		{nil, target{}},
		{map[string]any{"a": nil, "b": nil, "c": nil, "d": nil, "e": nil, "f": nil}, target{}},
		{map[string]any{"a": 1, "x": []any{map[string]any{"deep": []any{1}}}, "A": 7}, target{A: 1}},
		{map[string]any{"b": []any{1}, "c": map[string]any{"X": 1}, "d": map[string]any{"n": 1}, "e": []any{1, 2}, "f": map[string]any{"Y": 2}},
			target{B: []int{1}, C: &Point{X: 1}, D: map[string]int{"n": 1}, E: [2]int{1, 2}, F: Point{Y: 2}}},
	} {
		for _, f := range formats {
			src, err := encode(f, test.in)
			if err != nil {
				t.Fatal(err)
			}
			c, err := New[target](f)
			if err != nil {
				t.Fatal(err)
			}
			before := old()
			v := before
			if err := c.Decode(src, &v); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(test.want, v); diff != "" {
				t.Errorf("%v: %v:\n%s", f, test.in, diff)
			}
			if diff := cmp.Diff(old(), before); diff != "" {
				t.Errorf("%v: the memory of the old value was written to:\n%s", f, diff)
			}
		}
	}
	// Keys out of order, one of them twice: f = {X: 1}, a = 1, f = {Y: 2}.
	got, err := decode[target](MsgPack, unhex(t, "83 a166 81a15801 a16101 a166 81a15902"))
	if diff := cmp.Diff(target{A: 1, F: Point{Y: 2}}, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestDecodeIntoTypes(t *testing.T) {
	type named string
	type pointer *Point
	check := func(in, want any) {
		t.Helper()
		for _, f := range formats {
			src, err := encode(f, in)
			if err != nil {
				t.Fatal(err)
			}
			target := reflect.New(reflect.TypeOf(want))
			c, err := coderOf(f.wire(), target.Type().Elem())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.decode(src, 0, target.Elem(), room{}); err != nil {
				t.Errorf("%v: %v into %T: %v", f, in, want, err)
			}
			if diff := cmp.Diff(want, target.Elem().Interface()); diff != "" {
				t.Errorf("%v: %v into %T:\n%s", f, in, want, diff)
			}
		}
	}
	check(200, uint8(200))
	check(-128, int8(-128))
	check(5.0, 5) // an integral float into an integer
	check(-5.0, int8(-5))
	check(0x1p63, uint64(1<<63))
	check(math.Copysign(0, -1), 0)
	check(int64(1<<53+1), float64(1<<53)) // rounds
	check(-3, float32(-3))
	check(0.1, float32(0.1))
	check("x", named("x"))
	check(nil, named(""))
	check(map[string]any{"X": 1}, pointer(&Point{X: 1}))
	check(nil, pointer(nil))
	check(nil, 0)
	check(nil, 0.0)
	check(nil, false)
	check(nil, json.Number(""))
	check(7, json.Number("7"))
	check(-7, json.Number("-7"))
	check(7.0, json.Number("7.0"))
	check(1e300, json.Number("1e+300"))
	check([]any{1, nil}, []int{1, 0})
	check([]any{}, []int{})
	check(map[string]any{"a": 1}, map[named]uint{"a": 1})
	check([]any{[]any{1, "a"}}, [][]any{{int64(1), "a"}})

	for _, f := range formats {
		nan := unhex(t, map[Format]string{MsgPack: "cb7ff8000000000000", CBOR: "f97e00"}[f])
		if got, err := decode[float64](f, nan); !math.IsNaN(got) || err != nil {
			t.Errorf("%v: NaN into a float64: %v, %v", f, got, err)
		}
		if got, err := decode[json.Number](f, nan); err == nil {
			t.Errorf("%v: NaN into a json.Number: %v", f, got)
		}
	}
}

func TestDecodeMismatch(t *testing.T) {
	type target struct {
		I    int8               `json:"i"`
		U    uint8              `json:"u"`
		U64  uint64             `json:"u64"`
		I64  int64              `json:"i64"`
		F    float32            `json:"f"`
		S    string             `json:"s"`
		B    bool               `json:"b"`
		L    []int              `json:"l"`
		A    [2]int             `json:"a"`
		M    map[string]int     `json:"m"`
		P    *Point             `json:"p"`
		E    error              `json:"e"`
		N    json.Number        `json:"n"`
		Deep map[string][]Point `json:"deep"`
	}
	for _, test := range []struct {
		in   map[string]any
		want string
	}{
		{map[string]any{"i": 128}, "i: 128 is outside the range of a Go int8"},
		{map[string]any{"i": -129}, "i: -129 is outside the range of a Go int8"},
		{map[string]any{"i": 1.5}, "i: found a float, which a Go int8 cannot hold"},
		{map[string]any{"i": "1"}, "i: found text, which a Go int8 cannot hold"},
		{map[string]any{"i": true}, "i: found a boolean, which a Go int8 cannot hold"},
		{map[string]any{"u": -1}, "u: -1 is outside the range of a Go uint8"},
		{map[string]any{"u": 256}, "u: 256 is outside the range of a Go uint8"},
		{map[string]any{"u": "x"}, "u: found text"},
		{map[string]any{"u64": 0x1p64}, "u64: found a float"},
		{map[string]any{"i64": uint64(1 << 63)}, "i64: 9223372036854775808 is outside the range of a Go int64"},
		{map[string]any{"i64": -0x1p64}, "i64: found a float"},
		{map[string]any{"f": 1e300}, "f: 1e+300 is outside the range of a Go float32"},
		{map[string]any{"f": "1"}, "f: found text"},
		{map[string]any{"f": false}, "f: found a boolean"},
		{map[string]any{"s": 1}, "s: found an integer"},
		{map[string]any{"b": 1}, "b: found an integer"},
		{map[string]any{"l": "x"}, "l: found text"},
		{map[string]any{"l": []any{1, "x"}}, "l[1]: found text"},
		{map[string]any{"a": []any{1}}, "a: an array of 1 elements, which is too short"},
		{map[string]any{"a": []any{1, 2, 3}}, "a: an array with more elements"},
		{map[string]any{"m": []any{}}, "m: found an array"},
		{map[string]any{"m": map[string]any{"x": nil, "y": "z"}}, "m.y: found text"},
		{map[string]any{"p": 1}, "p: found an integer"},
		{map[string]any{"e": "x"}, "e: found text"},
		{map[string]any{"n": "x"}, "n: found text"},
		{map[string]any{"deep": map[string]any{"k": []any{nil, map[string]any{"X": -0.5}}}}, "deep.k[1].X: found a float"},
		{map[string]any{"deep": map[string]any{strings.Repeat("é", 50): 1}}, "deep." + strings.Repeat("é", 20) + "...: found an integer"},
	} {
		for _, f := range formats {
			src, err := encode(f, test.in)
			if err != nil {
				t.Fatal(err)
			}
			got, err := decode[target](f, src)
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("%v: %v: error %v, want %s", f, test.in, err, test.want)
			}
			if !cmp.Equal(got, target{}) {
				t.Errorf("%v: %v: the target is not zero after the error", f, test.in)
			}
		}
	}
}
