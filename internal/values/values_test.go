package values

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"pgregory.net/rapid"

	"columnvault/dtype"
)

// dtypes has one of every kind, and of every way in which one may be stored.
var dtypes = []string{
	"bool", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f16", "f32", "f64",
	"str", "str:64", "str:utf16le", "str:64:utf16be", "str:ascii", "str:latin1", "bytes", "bytes:8",
	"msgpack", "msgpack:4096", "cbor", "cbor:4096",
	"vec:i8", "vec:u8", "vec:i64", "vec:u64", "vec:f32", "vec:f64",
	"vec:u8:3", "vec:i16:2:2", "vec:u32:1", "vec:f32:3", "vec:f64:2:1:2",
}

// TestPrintEmptyVector checks that few stored bytes are printed as few lists.
func TestPrintEmptyVector(t *testing.T) {
	spec := dtype.Spec{Kind: dtype.KindVector, Elem: dtype.KindFloat32}
	p := NewPrinter(spec, dtype.Meaning{})
	for _, c := range []struct {
		shape []int
		want  string
	}{
		{[]int{0}, "[]"},
		{[]int{0, 1 << 24}, `{"shape":[0,16777216]}`},
		{[]int{2, 0, 3}, `{"shape":[2,0,3]}`},
		{[]int{2, 2, 0}, "[[[],[]],[[],[]]]"},
		{[]int{maxLists - 1, 0}, "[" + strings.Repeat(",[]", maxLists-1)[1:] + "]"},
		{[]int{maxLists, 0}, `{"shape":[65536,0]}`},
		{[]int{1 << 12, 1 << 12, 0}, `{"shape":[4096,4096,0]}`},
		{[]int{dtype.MaxSize, 0, 1}, `{"shape":[134217728,0,1]}`},
	} {
		got := p.Append(nil, dtype.Tensor[float32]{Shape: c.shape})
		if string(got) != c.want {
			t.Errorf("%v: got %d bytes, %.60s; want %.60s", c.shape, len(got), got, c.want)
		}
		v, err := NewParser(spec, dtype.Meaning{}).Parse(got)
		if back, ok := v.(dtype.Tensor[float32]); !ok || !slices.Equal(back.Shape, c.shape) || len(back.Data) != 0 {
			t.Errorf("%.60s: got %v, %v", got, v, err)
		}
	}
	for _, text := range []string{`{"shape":[1]}`, `{"shape":[]}`, `{"shape":[-1,0]}`, `{"shape":[4294967296,0]}`, `{"shape":[134217728,2,0]}`,
		`{"shape":[0],"x":1}`, `{"shape":[0]} 1`, `{"shape":"0"}`, `{"shape":[0]`, "{"} {
		if v, err := NewParser(spec, dtype.Meaning{}).Parse([]byte(text)); err == nil {
			t.Errorf("%s is read as %v", text, v)
		}
	}
}

// TestPrintParse checks that what is printed for any stored value is JSON, and
// parses to the same stored value.
func TestPrintParse(t *testing.T) {
	meanings := []dtype.Meaning{{}, {Null: true}, {Date: true}, {Date: true, Null: true}, {Time: dtype.Second, Null: true},
		{Time: dtype.Millisecond, Zone: "Europe/Berlin"}, {Time: dtype.Microsecond, Zone: "Asia/Kolkata"}, {Time: dtype.Nanosecond}}
	for _, name := range dtypes {
		spec, err := dtype.ParseSpec(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range meanings {
			if m.Check(spec) == nil {
				t.Run(strings.TrimSpace(name+" "+m.String()), func(t *testing.T) { testPrintParse(t, spec, m) })
			}
		}
	}
}

func testPrintParse(t *testing.T, spec dtype.Spec, m dtype.Meaning) {
	plain, typ, printer, parser, value := spec.Type(), m.Type(spec), NewPrinter(spec, m), NewParser(spec, m), genValue(spec)
	rapid.Check(t, func(t *rapid.T) {
		stored, err := plain.Append(nil, value.Draw(t, "value"))
		if err != nil {
			t.Skip(err) // too long, or not of the encoding
		}
		v, err := typ.Decode(stored)
		if err != nil && m.Date {
			t.Skip(err) // more days than a date can hold
		}
		if err != nil {
			t.Fatal(err)
		}
		text := printer.Append(nil, v)
		if !json.Valid(text) {
			t.Fatalf("%s is not JSON", text)
		}
		back, err := parser.Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		again, err := typ.Append(nil, back)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		// There are many NaNs, and one way to write them.
		nan := (IsFloat(spec.Kind) || spec.Kind == dtype.KindVector) && (bytes.Contains(text, []byte("NaN")) || v == nil)
		if !bytes.Equal(stored, again) && !nan {
			t.Fatalf("%s is stored as %x, and was %x", text, again, stored)
		}
	})
}

// TestPrintTimeOfLongAgo has an instant at which Berlin was 53 minutes and 28
// seconds ahead of UTC, which RFC 3339 cannot write.
func TestPrintTimeOfLongAgo(t *testing.T) {
	spec, m := dtype.Int64.Spec(), dtype.Meaning{Time: dtype.Second, Zone: "Europe/Berlin"}
	long := time.Date(1850, 1, 1, 0, 0, 0, 0, time.UTC)
	v, err := m.Type(spec).Decode(binary.LittleEndian.AppendUint64(nil, uint64(long.Unix())))
	if err != nil {
		t.Fatal(err)
	}
	text := NewPrinter(spec, m).Append(nil, v)
	back, err := NewParser(spec, m).Parse(text)
	if err != nil || !back.(time.Time).Equal(long) {
		t.Errorf("%v is printed as %s, which is read as %v, %v", v, text, back, err)
	}
}

// genValue generates values for a dtype.
func genValue(spec dtype.Spec) *rapid.Generator[any] {
	switch spec.Kind {
	case dtype.KindBool:
		return rapid.Bool().AsAny()
	case dtype.KindText:
		return rapid.String().AsAny()
	case dtype.KindBytes:
		return rapid.SliceOfN(rapid.Byte(), 0, 8).AsAny()
	case dtype.KindMsgPack, dtype.KindCBOR:
		return genAny(3)
	case dtype.KindVector:
		return genVector(spec)
	}
	return genNumber(spec.Kind)
}

func genNumber(k dtype.Kind) *rapid.Generator[any] {
	switch k {
	case dtype.KindInt8:
		return rapid.Int8().AsAny()
	case dtype.KindInt16:
		return rapid.Int16().AsAny()
	case dtype.KindInt32:
		return rapid.Int32().AsAny()
	case dtype.KindInt64:
		return rapid.Int64().AsAny()
	case dtype.KindUint8:
		return rapid.Uint8().AsAny()
	case dtype.KindUint16:
		return rapid.Uint16().AsAny()
	case dtype.KindUint32:
		return rapid.Uint32().AsAny()
	case dtype.KindUint64:
		return rapid.Uint64().AsAny()
	case dtype.KindFloat16:
		return rapid.Float32Range(-65504, 65504).AsAny()
	case dtype.KindFloat32:
		return rapid.OneOf(rapid.Float32().AsAny(), rapid.SampledFrom(special).AsAny())
	}
	return rapid.OneOf(rapid.Float64().AsAny(), rapid.SampledFrom(special).AsAny())
}

var special = []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, math.Copysign(0, -1), 1, 1e16}

// genVector generates lists nested in the shape of the dtype, or in any.
func genVector(spec dtype.Spec) *rapid.Generator[any] {
	return rapid.Custom(func(t *rapid.T) any {
		dims := spec.Dims
		if len(dims) == 0 {
			dims = rapid.SliceOfN(rapid.IntRange(0, 3), 0, 3).Draw(t, "shape")
		}
		var build func(dims []int) any
		build = func(dims []int) any {
			if len(dims) == 0 {
				return genNumber(spec.Elem).Draw(t, "element")
			}
			list := make([]any, dims[0])
			for i := range list {
				list[i] = build(dims[1:])
			}
			return list
		}
		return build(dims)
	})
}

// genAny generates values of the JSON model.
func genAny(depth int) *rapid.Generator[any] {
	leaves := []*rapid.Generator[any]{
		rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.Int64().AsAny(), rapid.Uint64().AsAny(),
		rapid.Float64().AsAny(), rapid.String().AsAny(), rapid.SampledFrom([]string{"NaN", "5", `"`, "[", "é\x00"}).AsAny(),
	}
	if depth > 0 {
		inner := rapid.Deferred(func() *rapid.Generator[any] { return genAny(depth - 1) })
		leaves = append(leaves, rapid.SliceOfN(inner, 0, 3).AsAny(), rapid.MapOfN(rapid.String(), inner, 0, 3).AsAny())
	}
	return rapid.OneOf(leaves...)
}

func TestAppendFloat(t *testing.T) {
	for _, c := range []struct {
		f    float64
		bits int
		want string
	}{
		{0, 64, "0.0"}, {math.Copysign(0, -1), 64, "-0.0"}, {1, 64, "1.0"}, {0.1, 64, "0.1"},
		{float64(float32(0.1)), 32, "0.1"}, {1e15, 64, "1000000000000000.0"}, {1e16, 64, "1e+16"},
		{1e-5, 64, "0.00001"}, {1e-6, 64, "1e-06"}, {-1.5e300, 64, "-1.5e+300"},
		{math.NaN(), 64, `"NaN"`}, {math.Inf(1), 64, `"Infinity"`}, {math.Inf(-1), 64, `"-Infinity"`},
	} {
		if got := string(AppendFloat(nil, c.f, c.bits)); got != c.want {
			t.Errorf("%v: got %s, want %s", c.f, got, c.want)
		}
	}
}

// TestHalf prints every f16 and parses it.
func TestHalf(t *testing.T) {
	n := numbers[dtype.KindFloat16]
	for bits := range 1 << 16 {
		stored := []byte{byte(bits), byte(bits >> 8)}
		v, err := dtype.Float16.Decode(stored)
		if err != nil {
			t.Fatal(err)
		}
		text := n.append(nil, v)
		back, err := n.parse(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		again, err := dtype.Float16.Append(nil, back.(float32))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if !bytes.Equal(stored, again) && v == v {
			t.Fatalf("%s is stored as %x, and was %x", text, again, stored)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct{ dtype, text, want string }{
		{"i64", "", `"" is not an integer, as i64 needs`},
		{"i64", "1e3", `1e3 is not an integer, as i64 needs`},
		{"i64", `"5"`, `"5" is not an integer, as i64 needs`},
		{"u16", "-1", `-1 is outside the range of u16`},
		{"u16", "-", `"-" is not an integer, as u16 needs`},
		{"f64", "1e999", `1e999 is outside the range of f64`},
		{"f64", "1_0", `"1_0" is not a number, as f64 needs`},
		{"f64", "nano", `"nano" is not a number, as f64 needs`},
		{"bool", "2", `2 is neither true nor false, as bool needs`},
		{"str", "null", `null is null, and the column holds text`},
		{"str", `{"a":1}`, `{"a":1} is an object, and the column holds text`},
		{"str", `"a" "b"`, `"a" "b" is not JSON: invalid character '"' after top-level value`},
		{"str", "\xff", `the value is not UTF-8 text`},
		{"str", `"\ud83d x"`, `"\ud83d x" has half of a surrogate pair, which no text can hold`},
		{"msgpack", `["\ude00"]`, `["\ude00"] has half of a surrogate pair, which no text can hold`},
		{"str:ascii", "é", `'é'`},
		{"bytes", `{"encoded":"aGk="}`, `{"encoded":"aGk="} is not bytes`},
		{"bytes", `{"$base64":true,"encoded":"aGk=","x":1}`, ` is not bytes`},
		{"bytes", `{"$base64":true}`, `{"$base64":true} is not bytes`},
		{"bytes:2", `{"$base64":true,"encoded":"YWJj"}`, `bytes:2 holds 2`},
		{"vec:f32", "[1,2", `[1,2 is not a vector: a comma or a bracket is missing`},
		{"vec:f32", "[1,]", `[1,] is not a vector: "" is not a number, as f32 needs`},
		{"vec:f32", "[1] 2", `[1] 2 is not a vector: there is text after its end`},
		{"vec:f32", "[1 2]", `[1 2] is not a vector: a comma or a bracket is missing`},
		{"vec:f32", "[[],1]", `its lists differ in length or depth`},
		{"vec:f32", "[1,[]]", `its lists differ in length or depth`},
		{"vec:f32", "[[1],[]]", `its lists differ in length or depth`},
		{"vec:f32", strings.Repeat("[", 300), `it has more than 255 dimensions`},
		{"msgpack", "[1", `[1 is not JSON: unexpected end of JSON input`},
	} {
		spec, err := dtype.ParseSpec(c.dtype)
		if err != nil {
			t.Fatal(err)
		}
		if v, err := NewParser(spec, dtype.Meaning{}).Parse([]byte(c.text)); err == nil {
			t.Errorf("%s %s: got %v", c.dtype, c.text, v)
		} else if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: got %v, want %s", c.dtype, c.text, err, c.want)
		}
	}
}

// TestHalfPair compares with encoding/json, which puts U+FFFD in place of half
// of a pair.
func TestHalfPair(t *testing.T) {
	part := rapid.SampledFrom([]string{`\ud83d`, `\ude00`, `\u0041`, `\\`, `\"`, `u`, `d83d`, `\uDBFF`, `\n`, "é"})
	rapid.Check(t, func(t *rapid.T) {
		text := `"` + strings.Join(rapid.SliceOfN(part, 0, 6).Draw(t, "parts"), "") + `"`
		var s string
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			t.Fatal(err)
		}
		if want := strings.ContainsRune(s, '\ufffd'); halfPair([]byte(text)) != want {
			t.Fatalf("%s: want %v", text, want)
		}
	})
}

func TestAppendString(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		var back string
		if err := json.Unmarshal(AppendString(nil, s), &back); err != nil || back != s {
			t.Fatalf("%q: got %q, %v", s, back, err)
		}
	})
}

func TestExcerpt(t *testing.T) {
	for text, want := range map[string]string{
		"word":                   `"word"`,
		"12":                     "12",
		`"text"`:                 `"text"`,
		"\x1b[31m":               `"\x1b[31m"`,
		strings.Repeat("é", 100): strconv.Quote(strings.Repeat("é", 59) + "…"),
	} {
		if got := Excerpt([]byte(text)); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

// TestISOPrintsAsTime: times and dates are printed without package time as it
// would.
func TestISOPrintsAsTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := dtype.Meaning{Time: rapid.SampledFrom([]dtype.Unit{dtype.Second, dtype.Millisecond, dtype.Microsecond, dtype.Nanosecond}).Draw(t, "unit")}
		per := perSecond[m.Time]
		n := rapid.OneOf(rapid.Int64Range(firstSecond-1, lastSecond+1), rapid.SampledFrom([]int64{firstSecond, lastSecond, 0, -1})).Draw(t, "seconds")
		if m.Time == dtype.Nanosecond {
			n %= 9_000_000_000
		}
		n = n*per + rapid.Int64Range(0, per-1).Draw(t, "part")
		f := NewMoment(m)
		at, err := f.Time(n)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := string(f.AppendStored(nil, n)), string(f.append(nil, at)); got != want {
			t.Errorf("%d %v: got %s, want %s", n, m, got, want)
		}
		days := rapid.Int64Range(firstSecond/86400-1, lastSecond/86400+1).Draw(t, "days")
		f = NewMoment(dtype.Meaning{Date: true})
		if at, err = f.Time(days); err != nil {
			t.Fatal(err)
		}
		if got, want := string(f.AppendStored(nil, days)), string(f.append(nil, at)); got != want {
			t.Errorf("%d days: got %s, want %s", days, got, want)
		}
	})
	f, buf := NewMoment(dtype.Meaning{Time: dtype.Microsecond}), make([]byte, 0, 64)
	if n := testing.AllocsPerRun(10, func() { buf = f.AppendBare(buf[:0], 1_700_000_000_123_456) }); n > 0 {
		t.Errorf("%v allocations to print a time", n)
	}
}

// TestAppendInt: integers are printed as package strconv does it.
func TestAppendInt(t *testing.T) {
	for _, n := range []int64{0, 1, 9, 10, 99, 100, 101, 999, 1000, 1001, 9999, 10_000, 123_456_789, math.MaxInt64, math.MinInt64} {
		for _, n := range []int64{n, -n} {
			if got := string(AppendInt([]byte("x"), n)); got != "x"+strconv.FormatInt(n, 10) {
				t.Errorf("%d is printed as %s", n, got)
			}
		}
	}
	for n := range uint64(20_000) {
		if got := string(appendUint(nil, n)); got != strconv.FormatUint(n, 10) {
			t.Errorf("%d is printed as %s", n, got)
		}
	}
}
