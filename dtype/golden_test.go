package dtype

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// goldenCase is something that the Python package (KohakuVault 0.8.6) did.
type goldenCase struct {
	Op       string  // pack, unpack or parse
	DType    string  `json:"dtype"`
	Repr     *string `json:"python_value_repr"`
	JSON     any     `json:"json_value"`
	Hex      *string // the packed bytes
	Error    string
	Note     string
	Unpacked string `json:"unpacked_repr"` // what unpack makes of Hex
	ElemSize int    `json:"elem_size"`
	Varsize  bool   `json:"is_varsize"`
}

func (c goldenCase) name() string {
	what := c.Note
	if what == "" && c.Repr != nil {
		what = *c.Repr
	}
	return strings.TrimSpace(c.Op + " " + c.DType + " " + what)
}

// value is the Python value of the case in Go.
func (c goldenCase) value(t *testing.T) any {
	if strings.Contains(*c.Repr, "...<repr of") { // cut short
		return fromJSON(c.JSON)
	}
	v := parsePython(t, *c.Repr)
	if a, ok := v.(pyArray); ok {
		return a.slice()
	}
	return v
}

// differences lists, with the reason, every case in which we do the opposite of the Python package: refuse what it takes
// or take what it refuses.
var differences = map[string][]string{
	"refused, because Python stores null in place of the number": {
		"pack msgpack inf", "pack msgpack -inf", "pack msgpack nan", "pack msgpack [nan]", "pack msgpack {'n': nan}",
		"pack cbor inf", "pack cbor -inf", "pack cbor nan", "pack cbor [nan]", "pack cbor {'n': nan}",
	},
	"refused, because Python stores another number": {
		"pack vec:u8 [256]", "pack vec:u8 [-1]", "pack vec:u8 [1.9]", "pack vec:i64 [9223372036854775808]", "pack vec:i32 [1.9]",
		"pack vec:f32 [1e+40]",
	},
	"refused, because nil is not a number: Python stores NaN":                {"pack vec:f32 None"},
	"refused, because nothing could read it again, Python's reader included": {"pack cbor 301 nested lists"},
	"refused, because the type byte contradicts the dtype: Python believes the byte, and the elements of a column would differ in type": {
		"unpack vec:f32 element byte says f64", "unpack vec:f32:2 type byte differs from dtype: trusted",
	},
	"taken, because they are ordinary Go values and not numpy's": {
		"pack msgpack np.int64(3)", "pack msgpack np.array([1, 2], dtype='int64')",
		"pack cbor np.int64(3)", "pack cbor np.array([1, 2], dtype='int64')",
	},
	"taken, because version 1 has these dtypes": {"parse i32", "parse f32", "parse bool"},
}

func TestGolden(t *testing.T) {
	file, err := os.ReadFile("../testdata/packer_golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct{ Cases []goldenCase }
	decoder := json.NewDecoder(bytes.NewReader(file))
	decoder.UseNumber()
	if err := decoder.Decode(&golden); err != nil {
		t.Fatal(err)
	}
	if len(golden.Cases) != 525 {
		t.Fatalf("%d cases", len(golden.Cases))
	}

	opposite := make(map[string]string)
	for reason, names := range differences {
		for _, name := range names {
			opposite[name] = reason
		}
	}
	for _, c := range golden.Cases {
		var err error
		switch c.Op {
		case "pack":
			err = checkPack(t, c)
		case "unpack":
			err = checkUnpack(t, c)
		case "parse":
			err = checkParse(t, c)
		}
		reason, differs := opposite[c.name()]
		delete(opposite, c.name())
		if (err == nil) == (c.Error == "") == differs {
			t.Errorf("%s: our error %v, Python's %q; expected to differ: %t %s", c.name(), err, c.Error, differs, reason)
		}
	}
	for name := range opposite {
		t.Errorf("%s is listed as a difference but is no case", name)
	}
}

// checkPack returns the error of Append. If both sides succeed it compares what they write and read.
func checkPack(t *testing.T, c goldenCase) error {
	typ, err := Parse(c.DType)
	if err != nil {
		return err
	}
	value := c.value(t)
	b, err := typ.Append(nil, value)
	if err != nil {
		if !errors.Is(err, ErrValue) {
			t.Errorf("%s: %v is not an ErrValue", c.name(), err)
		}
		return err
	}
	if c.Error != "" {
		return nil
	}
	if got := hex.EncodeToString(b); got != *c.Hex {
		t.Errorf("%s: stored as %s, want %s", c.name(), got, *c.Hex)
	}
	back, err := typ.Decode(b)
	if err != nil {
		t.Errorf("%s: %x does not decode: %v", c.name(), b, err)
	}
	want := value
	if !strings.Contains(c.Unpacked, "...<repr of") {
		want = parsePython(t, c.Unpacked)
	}
	checkEqual(t, c, want, back)
	return nil
}

func checkUnpack(t *testing.T, c goldenCase) error {
	typ, err := Parse(c.DType)
	if err != nil {
		t.Fatal(err)
	}
	b, err := hex.DecodeString(*c.Hex)
	if err != nil {
		t.Fatal(err)
	}
	got, err := typ.Decode(b)
	if err != nil {
		if !errors.Is(err, ErrData) {
			t.Errorf("%s: %v is not an ErrData", c.name(), err)
		}
		return err
	}
	if c.Error == "" {
		checkEqual(t, c, parsePython(t, *c.Repr), got)
	}
	return nil
}

func checkParse(t *testing.T, c goldenCase) error {
	spec, err := ParseSpec(c.DType)
	if err != nil {
		if !errors.Is(err, ErrSyntax) {
			t.Errorf("%s: %v is not an ErrSyntax", c.name(), err)
		}
		return err
	}
	if c.Error == "" && (spec.ElemSize() != c.ElemSize || (spec.ElemSize() == 0) != c.Varsize) {
		t.Errorf("%s: size %d; want %d, of variable size: %t", c.name(), spec.ElemSize(), c.ElemSize, c.Varsize)
	}
	again, err := ParseSpec(spec.String())
	if err != nil || again.String() != spec.String() || again.ElemSize() != spec.ElemSize() {
		t.Errorf("%s: %v reads back as %v, %v", c.name(), spec, again, err)
	}
	return nil
}

// checkEqual compares what Python read with what we read.
func checkEqual(t *testing.T, c goldenCase, want, got any) {
	t.Helper()
	if a, ok := want.(pyArray); ok {
		shape, data := a.flat()
		want = data
		if v := reflect.ValueOf(got); v.Kind() == reflect.Struct { // a Tensor
			gotShape := v.FieldByName("Shape").Interface().([]int)
			if len(gotShape) == 0 {
				gotShape = []int{1} // Python reads a single number as an array of one
			}
			if !cmp.Equal(shape, gotShape) {
				t.Errorf("%s: shape %v, want %v", c.name(), gotShape, shape)
			}
			got = v.FieldByName("Data").Interface()
		}
	}
	if n, ok := want.(json.Number); ok { // above the range of int64
		got, want = json.Number(toString(t, got)), n
	}
	sameFloat := cmp.Comparer(func(a, b float64) bool {
		return math.Float64bits(a) == math.Float64bits(b) || math.IsNaN(a) && math.IsNaN(b)
	})
	if c.Note == "128 nested lists" || c.Note == "301 nested lists" { // for which cmp takes for ever
		if !reflect.DeepEqual(want, got) {
			t.Errorf("%s reads back otherwise", c.name())
		}
		return
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), sameFloat, cmp.Comparer(func(a, b float32) bool {
		return math.Float32bits(a) == math.Float32bits(b)
	})); diff != "" {
		t.Errorf("%s:\n%s", c.name(), diff)
	}
}

func toString(t *testing.T, v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
