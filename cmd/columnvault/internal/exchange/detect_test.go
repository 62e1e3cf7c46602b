package exchange

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func TestCSVTypes(t *testing.T) {
	for _, c := range []struct{ values, want string }{
		{"1 -2 0", "i64"},
		{"9223372036854775807 -9223372036854775808", "i64"},
		{"9223372036854775808", "str"},
		{"007", "str"},
		{"+1", "str"},
		{"-01", "str"},
		{"1 NA", "i64"},
		{"1.5 2", "f64"},
		{".5 5. -.5", "f64"},
		{"1e5 1E-5", "f64"},
		{"-0", "f64"},
		{"01.5", "str"},
		{"1e999", "str"},
		{"0x10", "str"},
		{"1_000.5", "str"},
		{"1 NaN", "f64"},
		{"NaN inf -Infinity", "f64"},
		{"9007199254740992 0.5", "f64"},
		{"9007199254740993", "i64"},
		{"9007199254740993 0.5", "str"},
		{"9007199254740993 NaN", "str"},
		{"1 x", "str"},
		{"1.2.3", "str"},
		{". - e5 1e", "str"},
		{"2012-01-01", "str"},
		{"true", "str"},
		{"NA", "f64"},
		{`"1" "2"`, "i64"},
		{`"1" ""`, "i64"},
		{`"" "NA"`, "str"},
		{`"" NA`, "f64"},
	} {
		in, err := newCSVReader(strings.NewReader("c\n" + strings.ReplaceAll(c.values, " ", "\n")))
		if err != nil {
			t.Fatal(err)
		}
		columns, _, err := Detect(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := columns[0].DType; got != c.want {
			t.Errorf("%s: got %s, want %s", c.values, got, c.want)
		}
	}
}

func TestJSONTypes(t *testing.T) {
	for _, c := range []struct{ values, want string }{
		{`1 -2`, "i64"},
		{`1 null`, "i64"},
		{`1 2.5`, "f64"},
		{`1.0`, "f64"},
		{`-0`, "f64"},
		{`1e400`, "msgpack"},
		{`1 "NaN" "-Infinity"`, "f64"},
		{`"NaN"`, "f64"},
		{`"-Infinity" "NaN" null "Infinity"`, "f64"},
		{`1 "nan" "-INF"`, "f64"},
		{`"nan"`, "str"},
		{`"NaN" "inf"`, "str"},
		{`"NaN" "x"`, "str"},
		{`"a" ""`, "str"},
		{`"a" 1`, "msgpack"},
		{`true`, "msgpack"},
		{`null`, "msgpack"},
		{`[1]`, "msgpack"},
		{`{"a":1}`, "msgpack"},
		{`18446744073709551615`, "msgpack"},
		{`9007199254740993`, "i64"},
		{`9007199254740993 0.5`, "msgpack"},
		{`{"$base64":true,"encoded":"aGk="}`, "bytes"},
		{`{"$base64":true,"encoded":"aGk="} 1`, "msgpack"},
		{`{"$base64":true,"encoded":"!"}`, "msgpack"},
	} {
		text := `{"c":` + strings.ReplaceAll(c.values, " ", "}\n{\"c\":") + "}"
		in := newJSONReader(strings.NewReader(text), "")
		columns, _, err := Detect(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := columns[0].DType; got != c.want {
			t.Errorf("%s: got %s, want %s", c.values, got, c.want)
		}
	}
}

func TestAbsences(t *testing.T) {
	in := newJSONReader(strings.NewReader("\n{\"a\":1}\n{\"b\":null}\n{\"c\":1,\"b\":2}\n"), "")
	columns, rows, err := Detect(in)
	if err != nil || rows != 3 {
		t.Fatal(rows, err)
	}
	for i, want := range []Absences{{2, 3}, {2, 2}, {2, 2}} {
		if got := columns[i].Absent; got != want {
			t.Errorf("%s: got %+v, want %+v", columns[i].Name, got, want)
		}
	}
	a, b := Absences{1, 5}, Absences{2, 3}
	if got := (Absences{3, 3}); a.Plus(b) != got || b.Plus(a) != got || got.Plus(Absences{}) != got || (Absences{}).Plus(got) != got {
		t.Error("Absences do not add up")
	}
}

// FuzzRecords feeds anything to both readers, as import does.
func FuzzRecords(f *testing.F) {
	for _, seed := range []string{
		"a,b\n1,2\n", "a\n\"x\"\"y\nz\"\r\n\n", "a,b\n\"1\",\"\n", "{\"a\":[1,{\"b\":\"]\\\"\"}],\"c\" : -1.5e3 }\n", "[1]\nnull\n\"\\u00e9\"",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		open := func(in Reader, err error) {
			if err != nil {
				return
			}
			first, rows, err := Detect(in)
			if err != nil {
				return
			}
			for _, c := range first {
				in.dtypeOf(c.shape)
			}
			if err := in.Rewind(strings.NewReader(text)); err != nil {
				t.Fatal(err)
			}
			for range rows {
				if _, err := in.Next(); err != nil {
					t.Fatalf("the second pass: %v", err)
				}
			}
			if _, err := in.Next(); !errors.Is(err, io.EOF) {
				t.Fatalf("the second pass is longer: %v", err)
			}
		}
		csv, err := newCSVReader(strings.NewReader(text))
		open(csv, err)
		open(newJSONReader(strings.NewReader(text), ""), nil)
		open(newJSONReader(strings.NewReader(text), "x"), nil)
	})
}
