package jsonl

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"columnvault/exchange"
)

func detect(text string, o *Options) (*exchange.Result, error) {
	return exchange.Detect(context.Background(), NewReader(strings.NewReader(text), o), nil)
}

func TestTypes(t *testing.T) {
	for _, c := range []struct{ values, want string }{
		{`1 -2`, "i64"},
		{`1 null`, "i64 null"},
		{`1 2.5`, "f64"},
		{`1.0`, "f64"},
		{`-0`, "f64"},
		{`1 "NaN" "-Infinity"`, "f64"},
		{`"NaN"`, "f64"},
		{`"-Infinity" "NaN" null "Infinity"`, "f64 null"},
		{`1 "nan" "-INF"`, "f64"},
		{`"nan"`, "str:utf8"},
		{`"NaN" "inf"`, "str:utf8"},
		{`"NaN" "x"`, "str:utf8"},
		{`"a" ""`, "str:utf8"},
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
		{`"2024-01-01" "2024-02-29"`, "i64 date"},
		{`"2024-01-01" "2024-02-30"`, "str:utf8"},
		{`"2024-01-01" 1`, "msgpack"},
		{`"2024-01-01T00:00:00Z" null`, "i64 time=us null"},
		{`"NaN" "2024-01-01"`, "str:utf8"},
	} {
		list := strings.Split(c.values, " ")
		line := func(v string) string { return `{"c":` + v + "}\n" }
		near := ""
		for _, v := range list {
			near += line(v)
		}
		far := strings.Repeat(line(list[0]), 1100<<10/len(line(list[0]))) + near
		for _, text := range []string{near, far} {
			r, err := detect(text, nil)
			if err != nil {
				t.Fatal(err)
			}
			f := r.Columns[0].Field
			if f.Type.Kind.String() == "msgpack" {
				f.Meaning.Null = false
			}
			if f.String() != c.want {
				t.Errorf("%s (%d bytes): got %v, want %s", c.values, len(text), f, c.want)
			}
		}
	}
}

// TestLateKeys reads keys that come late, in another order, or not at all.
func TestLateKeys(t *testing.T) {
	text := strings.Repeat("{\"a\":1}\n", 200_000) + "\n{\"b\":\"x\",\"a\":2}\n{}\n"
	r, err := detect(text, nil)
	if err != nil || r.Rows != 200_002 || len(r.Columns) != 2 || r.Columns[0].Missing != 1 || r.Columns[1].Missing != 200_001 {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		text, want string
		o          Options
	}{
		{"{\"a\":1}\n[1]\n", "line 2: the line is a list and not an object", Options{}},
		{"{\"a\":1}\n\n{\"a\":2\n", "line 3: the line is not JSON: unexpected end of JSON input", Options{}},
		{"{\"a\":1,\"a\":2}\n", `line 1: the object has two keys "a"`, Options{}},
		{"{\"\":1}\n", "line 1: the object has an empty key, which cannot name a column", Options{}},
		{"\"\xff\"\n", "line 1: the line is not UTF-8 text", Options{Into: "x"}},
		{strings.Repeat("[", 20000) + strings.Repeat("]", 20000), "line 1: the line is not JSON: invalid character '[' exceeded max depth", Options{Into: "x"}},
		{"{\"a\":\"" + strings.Repeat("x", 3<<20) + "\"}", "line 1: the line is longer than 2097152 bytes", Options{MaxRecord: 2 << 20}},
	} {
		if _, err := detect(c.text, &c.o); err == nil || err.Error() != c.want {
			t.Errorf("%.40q: got %v, want %s", c.text, err, c.want)
		}
	}
	if _, err := detect("{\"a\":1e400}\n", nil); err == nil || !strings.Contains(err.Error(), "line 1, column \"a\": ") {
		t.Errorf("a number that nothing holds: %v", err)
	}
	if _, err := detect("1\n", nil); !errors.Is(err, ErrNotObject) {
		t.Errorf("got %v", err)
	}
}

// FuzzScanner compares the scanner with encoding/json.
func FuzzScanner(f *testing.F) {
	for _, seed := range []string{`{"a":[1,{"b":"]\""}],"c" : -1.5e3 }`, `[1,]`, `"\u00e9\x"`, `01`, `1.`, `-`, `nul`, `{"a"}`, " [ ] "} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s := scanner{text: text}
		s.space()
		ok := s.value(0)
		s.space()
		if got := ok && s.pos == len(text); got != json.Valid(text) {
			t.Errorf("%q: got %v", text, got)
		}
	})
}

// FuzzReader reads anything, and what was read can be written and read again.
func FuzzReader(f *testing.F) {
	for _, seed := range []string{"{\"a\":[1,{\"b\":\"]\\\"\"}],\"c\" : -1.5e3 }\n", "[1]\nnull\n\"\\u00e9\"", "{}\n{\"a\":1}\n{\"b\":\"2024-01-01\"}"} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, text string, into bool) {
		o := &Options{}
		if into {
			o.Into = "x"
		}
		ctx := context.Background()
		r := NewReader(strings.NewReader(text), o)
		fields, err := r.Begin(ctx, nil)
		if err != nil || len(fields) == 0 || fields[0].Type.Kind == 0 {
			return
		}
		b := exchange.NewBatch(fields)
		if err := r.Next(ctx, b); err != nil {
			return
		}
		var out bytes.Buffer
		w := NewWriter(&out)
		if err := errors.Join(w.Begin(ctx, fields), w.Write(ctx, b), w.End(ctx)); err != nil {
			t.Fatal(err)
		}
		as := map[string]exchange.Field{}
		for _, f := range fields {
			as[f.Name] = f
		}
		again := NewReader(bytes.NewReader(out.Bytes()), nil)
		if _, err := again.Begin(ctx, as); err != nil {
			t.Fatalf("%q: %v", out.Bytes(), err)
		}
		rows := exchange.NewBatch(fields)
		if err := again.Next(ctx, rows); err != nil && !errors.Is(err, io.EOF) || rows.Rows != b.Rows {
			t.Fatalf("%q: %d rows, and then %d, %v", out.Bytes(), b.Rows, rows.Rows, err)
		}
	})
}
