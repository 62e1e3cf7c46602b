package csv_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"columnvault/dtype"
	"columnvault/exchange"
	excsv "columnvault/exchange/csv"
)

// read reads all rows of a text, as they are printed, with a dash for what is
// missing, and the types.
func read(t interface{ Helper() }, text string, o *excsv.Options, as map[string]exchange.Field) (rows, types []string, err error) {
	t.Helper()
	result, err := exchange.Detect(context.Background(), excsv.NewReader(strings.NewReader(text), o), &exchange.DetectOptions{
		Types: as,
		Seen: func(b *exchange.Batch) {
			for row := range b.Rows {
				var cells []string
				for _, c := range b.Columns {
					cell := "-"
					if v := c.At(row); v != nil {
						cell = fmt.Sprint(v)
					}
					cells = append(cells, cell)
				}
				rows = append(rows, strings.Join(cells, "|"))
			}
		},
	})
	if err != nil {
		return nil, nil, err
	}
	for _, c := range result.Columns {
		types = append(types, c.Field.String())
	}
	return rows, types, nil
}

// texts asks for text in all columns of one letter.
func texts() map[string]exchange.Field {
	as := map[string]exchange.Field{}
	for c := 'a'; c <= 'e'; c++ {
		as[string(c)] = exchange.Field{Type: dtype.String.Spec()}
	}
	return as
}

// TestRoundTrip writes any text as CSV, which encoding/csv must understand, and
// reads it back.
func TestRoundTrip(t *testing.T) {
	ctx := context.Background()
	cell := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.SampledFrom([]rune("a,\"\r\n NA-"))), rapid.SampledFrom(excsv.Nulls()))
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(1, 4).Draw(t, "width")
		var fields []exchange.Field
		for i := range width {
			fields = append(fields, exchange.Field{Name: string(rune('a' + i)), Type: dtype.String.Spec()})
		}
		table := rapid.SliceOfN(rapid.SliceOfN(cell, width, width), 1, 5).Draw(t, "table")
		gaps := rapid.SliceOfN(rapid.Bool(), width*len(table), width*len(table)).Draw(t, "gaps")
		b := exchange.NewBatch(fields)
		for i, row := range table {
			for j, s := range row {
				if v := b.Columns[j].(*exchange.Vector[string]); gaps[i*width+j] {
					v.AddMissing()
				} else {
					v.Add(s)
				}
			}
			b.Rows++
		}
		var text bytes.Buffer
		w := excsv.NewWriter(&text, nil)
		if err := errors.Join(w.Begin(ctx, fields), w.Write(ctx, b), w.End(ctx)); err != nil {
			t.Fatal(err)
		}
		r := excsv.NewReader(bytes.NewReader(text.Bytes()), &excsv.Options{Delimiter: ','})
		if _, err := r.Begin(ctx, texts()); err != nil {
			t.Fatalf("%q: %v", text.Bytes(), err)
		}
		got := exchange.NewBatch(fields)
		if err := r.Next(ctx, got); err != nil || got.Rows != len(table) {
			t.Fatalf("%q: %d rows, %v", text.Bytes(), got.Rows, err)
		}
		std, err := csv.NewReader(bytes.NewReader(text.Bytes())).ReadAll()
		if width > 1 && (err != nil || len(std) != len(table)+1) { // encoding/csv drops empty lines
			t.Fatalf("%q: encoding/csv has %d records, %v", text.Bytes(), len(std), err)
		}
		for i, row := range table {
			for j, want := range row {
				c := got.Columns[j].(*exchange.Vector[string])
				if c.IsMissing(i) != gaps[i*width+j] || !c.IsMissing(i) && c.Values[i] != want {
					t.Fatalf("%q: row %d, column %d is %q (missing: %v), want %q (%v)", text.Bytes(), i, j, c.Values[i], c.IsMissing(i), want, gaps[i*width+j])
				}
				if want := strings.ReplaceAll(want, "\r\n", "\n"); width > 1 && !c.IsMissing(i) && std[i+1][j] != want {
					t.Fatalf("%q: encoding/csv has %q, want %q", text.Bytes(), std[i+1][j], want)
				}
			}
		}
	})
}

func TestRecords(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"a,b\n1,2", "1|2"},
		{"a,b\r\n1,2\r\n", "1|2"},
		{"a,b\r1,2\r3,4", "1|2;3|4"},
		{"\ufeffa,b\n\"1\",2\n\n3,4\n", "1|2;3|4"},
		{"a\n1\n\n2\n", "1;-;2"},
		{"a,b\n,NA\n\"\",\"NA\"\n", "-|-;|NA"},
		{"a,b\n x ,\" y \"\n", " x | y "},
		{"a,b\n\"1\n2\",\"3\r\n\"\"4\"\"\"\n", "1\n2|3\r\n\"4\""},
		{"a,b\n5\" pipe,6\"\"\n", `5" pipe|6""`},
		{"a,b\n\"1\"\r\n\"2\",\"3\"\r", "1|-;2|3"},
	} {
		rows, _, err := read(t, c.text, &excsv.Options{Ragged: excsv.RaggedFill}, texts())
		if got := strings.Join(rows, ";"); err != nil || got != c.want {
			t.Errorf("%q: got %q, %v; want %q", c.text, got, err, c.want)
		}
	}
}

func TestTypes(t *testing.T) {
	for _, c := range []struct{ values, want string }{
		{"1 -2 0", "i64"},
		{"9223372036854775807 -9223372036854775808", "i64"},
		{"9223372036854775808", "str:utf8"},
		{"007", "str:utf8"},
		{"+1", "str:utf8"},
		{"-01", "str:utf8"},
		{"1 NA", "i64 null"},
		{"1.5 2", "f64"},
		{".5 5. -.5", "f64"},
		{"1e5 1E-5", "f64"},
		{"-0", "f64"},
		{"01.5", "str:utf8"},
		{"1e999", "str:utf8"},
		{"0x10", "str:utf8"},
		{"1_000.5", "str:utf8"},
		{"1 nan", "f64"},
		{"nan inf -Infinity", "f64"},
		{"1.5 NaN", "f64 null"},
		{"9007199254740992 0.5", "f64"},
		{"9007199254740993", "i64"},
		{"9007199254740993 0.5", "str:utf8"},
		{"9007199254740993 nan", "str:utf8"},
		{"1 x", "str:utf8"},
		{"1.2.3", "str:utf8"},
		{". - e5 1e", "str:utf8 null"},
		{"true", "str:utf8"},
		{"NA", "f64 null"},
		{`"1" "2"`, "i64"},
		{`"1" ""`, "i64 null"},
		{`"" "NA"`, "str:utf8"},
		{`"" NA`, "f64 null"},
		{"2012-01-01 2012-12-31", "i64 date"},
		{"2012-01-01 NA", "i64 date null"},
		{"2012-01-01 1", "str:utf8"},
		{"2012-1-1", "str:utf8"},
		{"2012-02-30", "str:utf8"},
		{"2012-01-01T00:00", "i64 time=us"},
		{"2012-01-01T00:00:00Z 2012-01-01T00:00:00.5+01:00", "i64 time=us"},
		{"2012-01-01T00:00:00 2012-01-01T00:00:00Z", "str:utf8"},
		{"2012-01-01T00:00:00 2012-01-01", "str:utf8"},
		{"2012-01-01T00:00:00.1234567", "i64 time=ns"},
		{"2012-01-01T00:00:00.1234567 1012-01-01T00:00:00", "str:utf8"},
		{"2012-01-01T24:00:00", "str:utf8"},
		{"20120101T000000Z", "str:utf8"},
	} {
		list := strings.Split(c.values, " ")
		for k, order := range [][]string{list, {list[len(list)-1], strings.Join(list[:len(list)-1], "\n")}} {
			text := strings.TrimRight("c\n"+strings.Join(order, "\n"), "\n")
			_, types, err := read(t, text, nil, nil)
			if err != nil || types[0] != c.want {
				t.Errorf("%q: got %s, %v; want %s", text, types, err, c.want)
			}
			if k == 0 && len(list) > 1 {
				continue
			}
			// The same, when all but the first value come after the first block.
			first, rest, _ := strings.Cut(text[2:], "\n")
			far := "c\n" + strings.Repeat(first+"\n", 1100<<10/(len(first)+1)) + rest
			_, types, err = read(t, far, nil, nil)
			if err != nil || types[0] != c.want {
				t.Errorf("%q, far: got %s, %v; want %s", text, types, err, c.want)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		text, want string
		o          excsv.Options
	}{
		{"", "the file is empty; its first line should name the columns", excsv.Options{}},
		{"", "the file is empty", excsv.Options{NoHeader: true}},
		{"a,b\n1,2\n\n3\n", "line 4: the record has 1 field, and the header 2", excsv.Options{}},
		{"a,b\n\"1\n\n2\",2\n3\n", "line 5: the record has 1 field, and the header 2", excsv.Options{}},
		{"a,b\n1,\"2\n3\n4", "line 2: a quoted field does not end", excsv.Options{}},
		{"a,b\n\"1\"2,3\n", "line 2: field 1 goes on after its closing quote", excsv.Options{}},
		{"a\n\xff\n", "line 2: the record is not UTF-8 text", excsv.Options{}},
		{"\xff,b\n1,2\n", "line 1: the record is not UTF-8 text", excsv.Options{}},
		{"a\n" + strings.Repeat("x", 3<<20), "line 2: the record is longer than 2097152 bytes", excsv.Options{MaxRecord: 2 << 20}},
		{"a\n\"" + strings.Repeat("x\n", 3<<20), "line 2: a quoted field does not end within 2097152 bytes", excsv.Options{MaxRecord: 2 << 20}},
	} {
		_, _, err := read(t, c.text, &c.o, nil)
		if err == nil || err.Error() != c.want {
			t.Errorf("%.40q: got %v, want %s", c.text, err, c.want)
		}
	}
	if _, _, err := read(t, "a,b\n1\n", nil, nil); !errors.Is(err, excsv.ErrRagged) {
		t.Errorf("got %v", err)
	}
}

// endless is a line without an end.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	e.read += len(p)
	return len(p), nil
}

// TestLongLine checks that a line is not read whole if it is too long.
func TestLongLine(t *testing.T) {
	for _, begin := range []string{"a\n", "a\n\"", ""} {
		e := &endless{}
		r := excsv.NewReader(io.MultiReader(strings.NewReader(begin), e), &excsv.Options{MaxRecord: 4 << 20})
		_, err := exchange.Detect(context.Background(), r, nil)
		if err == nil || !strings.Contains(err.Error(), "4194304 bytes") || e.read > 6<<20 {
			t.Errorf("%q: got %v after %d bytes", begin, err, e.read)
		}
	}
}

func TestDelimiters(t *testing.T) {
	for text, want := range map[string]byte{
		"a;b\n1,5;2\n":                    ';',
		"a\tb\n1;2\t3\n":                  '\t',
		"a|b|c\n1|2;3|4\n":                '|',
		"a,b\n1;2,3;4\n":                  ',',
		"a\n1\n":                          ',',
		"x;y,z\n1;2,3\n":                  ',', // both would do
		"\"a;b;c\",d\n1,2\n":              ',',
		"a,b,c\n1,2,3\n4,5\n6,7,8\n1;2\n": ',',
	} {
		r := excsv.NewReader(strings.NewReader(text), nil)
		if _, err := r.Begin(context.Background(), nil); err != nil || r.Delimiter() != want {
			t.Errorf("%q: got %q, %v; want %q", text, r.Delimiter(), err, want)
		}
	}
}

// TestPieces reads a text that arrives in pieces of any size.
func TestPieces(t *testing.T) {
	const text = "a,b\r\n\"1\r\n\"\"2\",é\r\n3,\"4\"\r\n\"5\",6"
	for size := 1; size < len(text); size++ {
		for _, e := range []dtype.Encoding{dtype.UTF8, dtype.UTF16LE, dtype.UTF16BE} {
			encoded, err := dtype.Text(e).Append(nil, text)
			if err != nil {
				t.Fatal(err)
			}
			r := excsv.NewReader(&pieces{encoded, size}, &excsv.Options{Encoding: e})
			var got []string
			_, err = exchange.Detect(context.Background(), r, &exchange.DetectOptions{Types: texts(), Seen: func(b *exchange.Batch) {
				for _, c := range b.Columns {
					got = append(got, c.(*exchange.Vector[string]).Values...)
				}
			}})
			if want := "[1\r\n\"2 3 5 é 4 6]"; err != nil || fmt.Sprint(got) != want {
				t.Fatalf("%v in pieces of %d: got %q, %v", e, size, got, err)
			}
		}
	}
}

type pieces struct {
	rest []byte
	size int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), p.size)], p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// FuzzReader reads anything. What it has read can be written and read again, as
// columns of the same types.
func FuzzReader(f *testing.F) {
	for _, seed := range []string{"a,b\n1,2\n", "a\n\"x\"\"y\nz\"\r\n\n", "a,b\n\"1\",\"\n", "\xff\xfea\x00\n\x001\x00", "a;a\n2024-01-01;-\n", "#x\na|b\n1|nan"} {
		f.Add(seed, byte(0))
	}
	f.Fuzz(func(t *testing.T, text string, flags byte) {
		o := &excsv.Options{NoHeader: flags&1 != 0, Ragged: excsv.Ragged(flags >> 1 & 3 % 3), Skip: int(flags >> 3 & 1), MaxRecord: 1 << 20}
		if flags&16 != 0 {
			o.Comment = "#"
		}
		ctx := context.Background()
		var out bytes.Buffer
		r := excsv.NewReader(strings.NewReader(text), o)
		var fields []exchange.Field
		want := 0
		for attempt := 0; ; attempt++ {
			var err error
			if fields, err = r.Begin(ctx, nil); err != nil {
				return
			}
			out.Reset()
			want = 0
			w := excsv.NewWriter(&out, nil)
			if err := w.Begin(ctx, fields); err != nil {
				t.Fatal(err)
			}
			b := exchange.NewBatch(fields)
			for err == nil {
				b.Reset()
				if err = r.Next(ctx, b); err == nil {
					want += b.Rows
					if err := w.Write(ctx, b); err != nil {
						t.Fatal(err)
					}
				}
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if !errors.Is(err, exchange.ErrRetype) {
				return
			}
			if attempt > 1 {
				t.Fatal("the types change again")
			}
		}
		as := map[string]exchange.Field{}
		for _, f := range fields {
			if f.Type.Kind == 0 {
				return
			}
			as[f.Name] = f
		}
		again := excsv.NewReader(bytes.NewReader(out.Bytes()), &excsv.Options{Delimiter: ','})
		if _, err := again.Begin(ctx, as); err != nil {
			t.Fatalf("%q: %v", out.Bytes(), err)
		}
		rows := 0
		for b := exchange.NewBatch(fields); ; b.Reset() {
			err := again.Next(ctx, b)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%q: %v", out.Bytes(), err)
			}
			rows += b.Rows
		}
		if rows != want {
			t.Fatalf("%q: %d rows, and then %d", out.Bytes(), want, rows)
		}
	})
}

// TestDelimiterBesideQuotes: delimiters in quotes and lines of one character
// mislead nobody.
func TestDelimiterBesideQuotes(t *testing.T) {
	for text, want := range map[string]byte{
		"A;\"a,b\"\n\"{\"\"x\"\":1,2}\";false\n":  ';', // a comma would end the first field within quotes
		"A;\"a,b\"\n":                             ';',
		"#\n\na\tb\n":                             ',', // the header has no tab
		"size;what\n1,5;5\" pipe\n2,5;6\" pipe\n": ';',
		"a|b\n1|2\n\"x\ny\"|" + strings.Repeat("z", 300_000) + "\n": '|',
	} {
		r := excsv.NewReader(strings.NewReader(text), nil)
		if _, err := r.Begin(t.Context(), nil); err != nil || r.Delimiter() != want {
			t.Errorf("%.40q: got %q, want %q (%v)", text, r.Delimiter(), want, err)
		}
	}
}
