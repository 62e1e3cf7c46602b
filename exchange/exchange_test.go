package exchange_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/exchange/csv"
	"columnvault/exchange/jsonl"
)

func open(t *testing.T) *columnvault.Vault {
	t.Helper()
	v, err := columnvault.Open(t.Context(), filepath.Join(t.TempDir(), "x.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	return v
}

func importCSV(v *columnvault.Vault, text string, o *exchange.ImportOptions) (*exchange.Result, error) {
	return exchange.Import(context.Background(), v, csv.NewReader(strings.NewReader(text), nil), o)
}

func export(t *testing.T, v *columnvault.Vault, sink func(*bytes.Buffer) exchange.Sink, names ...string) string {
	t.Helper()
	var out bytes.Buffer
	if _, err := exchange.Export(context.Background(), v, names, sink(&out), nil); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func asCSV(w *bytes.Buffer) exchange.Sink   { return csv.NewWriter(w, nil) }
func asJSONL(w *bytes.Buffer) exchange.Sink { return jsonl.NewWriter(w) }

// rowsOf are values of every dtype and meaning; nil is a missing one.
var rowsOf = []struct {
	spec, meaning string
	values        []any
}{
	{"bool", "", []any{true, false, true}},
	{"bool", "null", []any{true, nil, false}},
	{"i8", "null", []any{int8(-127), nil, int8(127)}},
	{"i16", "", []any{int16(math.MinInt16), int16(0), int16(1)}},
	{"i32", "null", []any{nil, int32(0), int32(1)}},
	{"i64", "", []any{int64(math.MinInt64), int64(math.MaxInt64), int64(0)}},
	{"i64", "null", []any{int64(-math.MaxInt64), nil, int64(0)}},
	{"u8", "null", []any{uint8(254), nil, uint8(0)}},
	{"u16", "", []any{uint16(math.MaxUint16), uint16(7), uint16(0)}},
	{"u32", "null", []any{uint32(1), nil, uint32(0)}},
	{"u64", "", []any{uint64(math.MaxUint64), uint64(7), uint64(0)}},
	{"f16", "", []any{float32(0.5), float32(-65504), float32(0)}},
	{"f32", "null", []any{float32(0.1), nil, float32(math.MaxFloat32)}},
	{"f64", "", []any{0.1, math.Inf(-1), 1e300}},
	{"f64", "null", []any{0.1, nil, -5e-324}},
	{"str", "", []any{"", "NA", " a,\"b\"\r\nc\u2028"}},
	{"str", "null", []any{"", nil, "null"}},
	{"str:latin1", "", []any{"é", "", "-"}},
	{"str:6", "", []any{"é", "", "abcdef"}},
	{"bytes", "", []any{[]byte{}, []byte{0, 255}, []byte("NA")}},
	{"bytes:2", "", []any{[]byte{0, 0}, []byte{0, 255}, []byte("NA")}},
	{"vec:f32:2", "", []any{[]float32{1, 2}, []float32{0.5, -1}, []float32{0, 0}}},
	{"vec:u8:2:1", "", []any{[]uint8{1, 2}, []uint8{0, 255}, []uint8{0, 0}}},
	{"vec:i16", "", []any{[]int16{}, []int16{1}, []int16{1, 2, 3}}},
	{"msgpack", "", []any{map[string]any{"a": []any{int64(1), 1.5, nil, "x"}}, nil, "null"}},
	{"cbor", "null", []any{int64(1), nil, true}},
	{"i64", "date", []any{int64(0), int64(-1), int64(20000)}},
	{"i64", "date null", []any{int64(0), nil, int64(2932896)}},
	{"i64", "time=us zone=Europe/Berlin", []any{int64(0), int64(-1), int64(1_700_000_000_123_456)}},
	{"i64", "time=ns null", []any{int64(9_000_000_000_123_456_789), nil, int64(-1)}},
	{"i64", "time=s", []any{int64(0), int64(-62167219200), int64(253402300799)}},
}

// TestRoundTrip exports columns of every dtype and imports them again, into new
// columns of named types and into existing ones.
func TestRoundTrip(t *testing.T) {
	ctx := context.Background()
	v := open(t)
	types := map[string]exchange.Field{}
	var names []string
	for i, c := range rowsOf {
		spec, err := dtype.ParseSpec(c.spec)
		if err != nil {
			t.Fatal(err)
		}
		meaning, err := dtype.ParseMeaning(c.meaning)
		if err != nil {
			t.Fatal(err)
		}
		plain := meaning
		plain.Time, plain.Date, plain.Zone = 0, false, ""
		name := fmt.Sprintf("c%02d", i)
		if _, err := columnvault.Create(ctx, v, name, meaning.Type(spec), nil); err != nil {
			t.Fatal(err)
		}
		var stored []any = c.values
		if meaning.Time != 0 || meaning.Date {
			if _, err := v.Retype(ctx, name, plain, nil); err != nil {
				t.Fatal(err)
			}
		}
		col, err := v.Column(ctx, name)
		if err == nil {
			err = col.Append(ctx, stored...)
		}
		if err == nil && plain != meaning {
			_, err = v.Retype(ctx, name, meaning, nil)
		}
		if err != nil {
			t.Fatalf("%s %s: %v", c.spec, c.meaning, err)
		}
		names = append(names, name)
		types[name] = exchange.Field{Type: spec, Meaning: meaning}
	}
	want := export(t, v, asJSONL, names...)
	if n := strings.Count(want, "\n"); n != 3 {
		t.Fatalf("%d lines", n)
	}
	for format, text := range map[string]string{"csv": export(t, v, asCSV, names...), "jsonl": want} {
		source := func() exchange.Source {
			if format == "csv" {
				return csv.NewReader(strings.NewReader(text), nil)
			}
			return jsonl.NewReader(strings.NewReader(text), nil)
		}
		other := open(t)
		r, err := exchange.Import(ctx, other, source(), &exchange.ImportOptions{Types: types})
		if err != nil || r.Rows != 3 {
			t.Fatalf("%s: %+v, %v", format, r, err)
		}
		if got := export(t, other, asJSONL, names...); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", format, got, want)
		}
		if _, err := exchange.Import(ctx, other, source(), &exchange.ImportOptions{Append: true}); err != nil {
			t.Fatalf("%s: %v", format, err)
		}
		if got := export(t, other, asJSONL, names...); got != want+want {
			t.Errorf("%s, appended: got\n%s", format, got)
		}
		for i, c := range r.Columns {
			if c.Len != 3 || c.Type.String() != types[names[i]].Type.String() {
				t.Errorf("%s: %+v", format, c)
			}
		}
	}
}

// TestLate imports files of which only rows after the first block tell the
// types and the gaps.
func TestLate(t *testing.T) {
	ctx := context.Background()
	const n = 300_000
	many := "i,f,s,ok\n" + strings.Repeat("1,2.5,x,true\n", n)
	types := map[string]exchange.Field{"ok": {Type: dtype.Bool.Spec()}}
	v := open(t)
	r, err := importCSV(v, many+"2.5,x,,true\n,,,\n", &exchange.ImportOptions{Types: types})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range r.Columns {
		got = append(got, c.Field.String())
		if c.Len != n+2 {
			t.Errorf("%s has %d elements", c.Name, c.Len)
		}
	}
	if want := "f64 null, str:utf8 null, str:utf8 null, bool null"; strings.Join(got, ", ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
	f, err := columnvault.Lookup(ctx, v, "f", dtype.Nullable(dtype.String))
	if err != nil {
		t.Fatal(err)
	}
	last, err := f.Slice(ctx, -3, columnvault.End)
	if err != nil || fmt.Sprint(last) != "[{2.5 true} {x true} { false}]" {
		t.Errorf("got %v, %v", last, err)
	}
	// What stands for a missing value cannot be one.
	for _, text := range []string{"i\n-9223372036854775808\n\n", "i\n-9223372036854775808\n" + strings.Repeat("1\n", 600_000) + "\n"} {
		if _, err := importCSV(open(t), text, nil); err == nil || !strings.Contains(err.Error(), "missing") {
			t.Errorf("%.40q: got %v", text, err)
		}
	}
	if _, err := importCSV(open(t), "ok\ntrue\nfalse\n", &exchange.ImportOptions{Types: types}); err != nil {
		t.Error(err)
	}
}

// TestFailedImport checks that nothing is left of an import that fails, and
// which kind of error it is.
func TestFailedImport(t *testing.T) {
	v := open(t)
	if _, err := importCSV(v, "a,b\n1,x\n", nil); err != nil {
		t.Fatal(err)
	}
	var names *exchange.NamesError
	var gaps *exchange.GapsError
	var fill *exchange.FillError
	var untyped *exchange.UntypedError
	long := "c\n" + strings.Repeat("1\n", 600_000)
	for _, c := range []struct {
		text string
		o    exchange.ImportOptions
		as   any
		kind error
	}{
		{"a\n1\n", exchange.ImportOptions{}, &names, columnvault.ErrExists},
		{"z\n1\n", exchange.ImportOptions{Append: true}, &names, columnvault.ErrNotFound},
		{"a\n1\n\n", exchange.ImportOptions{Append: true, Only: true}, &gaps, columnvault.ErrInvalidArgument},
		{"a\n1\n", exchange.ImportOptions{Append: true}, &gaps, columnvault.ErrInvalidArgument},
		{"c\n1\n\n", exchange.ImportOptions{Fill: map[string]string{"c": "x"}}, &fill, columnvault.ErrInvalidArgument},
		{"c\n", exchange.ImportOptions{}, &untyped, columnvault.ErrInvalidArgument},
		{long + "1,2\n", exchange.ImportOptions{}, nil, csv.ErrRagged},
		{"c\n1\n", exchange.ImportOptions{Only: true}, nil, columnvault.ErrInvalidArgument},
	} {
		_, err := importCSV(v, c.text, &c.o)
		if err == nil || c.as != nil && !errors.As(err, c.as) || !errors.Is(err, c.kind) {
			t.Errorf("%.20q %+v: got %v", c.text, c.o, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	_, err := exchange.Import(ctx, v, csv.NewReader(strings.NewReader(long), nil), &exchange.ImportOptions{
		Progress: func(done, total int64) { cancel() },
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if got := export(t, v, asCSV); got != "a,b\n1,x\n" {
		t.Errorf("left behind: %s", got)
	}
}

func TestWide(t *testing.T) {
	const width = 3000
	var text strings.Builder
	for row := range 4 {
		for i := range width {
			if i > 0 {
				text.WriteByte(',')
			}
			if row == 0 {
				fmt.Fprintf(&text, "c%04d", i)
			} else {
				fmt.Fprint(&text, i*row)
			}
		}
		text.WriteByte('\n')
	}
	v := open(t)
	if _, err := importCSV(v, text.String(), nil); err != nil {
		t.Fatal(err)
	}
	if got := export(t, v, asCSV); got != text.String() {
		t.Errorf("%d bytes, want %d", len(got), text.Len())
	}
}
