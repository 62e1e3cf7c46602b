package exchange_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"

	"strings"
	"testing"
	"time"
	"unicode"

	"pgregory.net/rapid"

	"columnvault"
	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/exchange/csv"
	"columnvault/exchange/jsonl"
)

// stored are the values that a property test puts into columns of a type: as
// they are stored, so that times are numbers.
type stored struct {
	spec, meaning string
	values        *rapid.Generator[any]
}

func boxed[T any](g *rapid.Generator[T]) *rapid.Generator[any] {
	return rapid.Map(g, func(v T) any { return v })
}

// floats are all of them, with the special ones often.
func floats[F float32 | float64](g *rapid.Generator[F], special ...F) *rapid.Generator[any] {
	special = append(special, 0, F(math.Copysign(0, -1)), 1, -1, 1e15, 1e16, 123456.75, F(math.Inf(1)), F(math.Inf(-1)), F(math.NaN()))
	return boxed(rapid.OneOf(g, rapid.SampledFrom(special)))
}

// integers are all above the lowest and below the highest, one of which stands
// for a missing value.
func integers[I int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64](least, most I) *rapid.Generator[any] {
	span := uint64(most) - uint64(least)
	return boxed(rapid.OneOf(rapid.SampledFrom([]I{least + 1, 0, 1, most - 1}),
		rapid.Map(rapid.Uint64Range(1, span-1), func(n uint64) I { return I(uint64(least) + n) })))
}

// tricky is text that formats could take for something else.
var tricky = []string{"", " ", "  a", "a\t", "NA", "N/A", "null", "None", "NaN", "-", "nan", "Infinity", "-inf", "0", "007", "-1.5", "1e3",
	"true", "2024-02-29", "2024-02-29T12:00:00Z", "\"", "\"\"", "\"NaN\"", "a\"b", "a,b", "a;b|c\td", "a\nb", "a\r\nb", "\r", "\n", "\\", "\\N",
	"\\u0000", "\x01\x1f\x7f", "\ufeff", "\u00a0x\u00a0", "\u2028", "é😀", "#", "{}", "[1]", `{"$base64":true,"encoded":"AP8="}`, "'", "=1+1"}

func texts() *rapid.Generator[string] {
	return rapid.OneOf(rapid.SampledFrom(tricky), rapid.StringN(0, 12, -1),
		rapid.Map(rapid.SliceOfN(rapid.SampledFrom(tricky), 2, 3), func(parts []string) string { return strings.Join(parts, "") }))
}

// model is values of the JSON model.
func model(depth int) *rapid.Generator[any] {
	g := []*rapid.Generator[any]{rapid.Just[any](nil), boxed(rapid.Bool()), boxed(rapid.Int64()),
		boxed(rapid.Uint64Range(1<<63, math.MaxUint64)), boxed(rapid.Float64Range(-1e300, 1e300)), boxed(texts())}
	if depth > 0 {
		g = append(g, boxed(rapid.SliceOfN(model(depth-1), 0, 3)), boxed(rapid.MapOfN(texts(), model(depth-1), 0, 3)))
	}
	return rapid.OneOf(g...)
}

func tensors() *rapid.Generator[any] {
	return rapid.Custom(func(t *rapid.T) any {
		shape := rapid.SliceOfN(rapid.IntRange(0, 3), 0, 4).Draw(t, "shape")
		n := 1
		for _, d := range shape {
			n *= d
		}
		return dtype.Tensor[int16]{Shape: shape, Data: rapid.SliceOfN(rapid.Int16(), n, n).Draw(t, "data")}
	})
}

var halves = rapid.Map(rapid.Uint16(), func(bits uint16) float32 {
	f, err := dtype.Float16.Decode([]byte{byte(bits), byte(bits >> 8)})
	if err != nil {
		panic(err)
	}
	return f
})

// generated are the types of the property tests.
var generated = []stored{
	{"bool", "", boxed(rapid.Bool())},
	{"i8", "", integers[int8](math.MinInt8, math.MaxInt8)},
	{"i16", "", integers[int16](math.MinInt16, math.MaxInt16)},
	{"i32", "", integers[int32](math.MinInt32, math.MaxInt32)},
	{"i64", "", integers[int64](math.MinInt64, math.MaxInt64)},
	{"u8", "", integers[uint8](0, math.MaxUint8)},
	{"u16", "", integers[uint16](0, math.MaxUint16)},
	{"u32", "", integers[uint32](0, math.MaxUint32)},
	{"u64", "", integers[uint64](0, math.MaxUint64)},
	{"f16", "", boxed(halves)},
	{"f32", "", floats(rapid.Float32(), math.MaxFloat32, math.SmallestNonzeroFloat32)},
	{"f64", "", floats(rapid.Float64(), math.MaxFloat64, math.SmallestNonzeroFloat64)},
	{"i64", "time=s", integers[int64](math.MinInt64, math.MaxInt64)},
	{"i64", "time=ms", boxed(rapid.Int64Range(-1e14, 1e15))},
	{"i64", "time=us", boxed(rapid.Int64Range(-1e17, 1e18))},
	{"i64", "time=us zone=Europe/Berlin", boxed(rapid.Int64Range(-62167219200e6, 253402300799e6))},
	{"i64", "time=ns zone=America/St_Johns", integers[int64](math.MinInt64, math.MaxInt64)},
	{"i64", "date", boxed(rapid.Int64Range(-1e6, 1e7))},
	{"str:utf8", "", boxed(texts())},
	{"str:utf16le", "", boxed(texts())},
	{"str:latin1", "", boxed(rapid.StringOf(rapid.RuneFrom(nil, latin)))},
	{"str:120", "", boxed(rapid.Map(texts(), func(s string) string { return strings.TrimRight(s, "\x00") }))},
	{"bytes", "", boxed(rapid.SliceOfN(rapid.Byte(), 0, 8))},
	{"bytes:3", "", boxed(rapid.SliceOfN(rapid.Byte(), 3, 3))},
	{"vec:f32:2", "", boxed(rapid.SliceOfN(rapid.Float32(), 2, 2))},
	{"vec:i16", "", tensors()},
	{"msgpack", "", model(2)},
	{"cbor", "", model(2)},
}

// latin is the characters of Latin-1 that a file of text can have anywhere.
var latin = &unicode.RangeTable{R16: []unicode.Range16{{Lo: 0x20, Hi: 0x7e, Stride: 1}, {Lo: 0xa0, Hi: 0xff, Stride: 1}}, LatinOffset: 2}

// field returns the type and the meaning.
func (s stored) field(t *rapid.T, name string, null bool) exchange.Field {
	spec, err := dtype.ParseSpec(s.spec)
	if err != nil {
		t.Fatal(err)
	}
	m, err := dtype.ParseMeaning(s.meaning)
	if err != nil {
		t.Fatal(err)
	}
	m.Null = null
	if null && m.Check(spec) != nil {
		m.Null = false
	}
	return exchange.Field{Name: name, Type: spec, Meaning: m}
}

// fill makes columns of a vault, and appends to them what is stored.
func fill(t *rapid.T, v *columnvault.Vault, fields []exchange.Field, rows [][]any) {
	err := v.Update(context.Background(), func(ctx context.Context, tx *columnvault.Tx) error {
		for i, f := range fields {
			col, err := columnvault.Create(ctx, tx, f.Name, f.Meaning.Type(f.Type), nil)
			if err == nil && f.Meaning.IsTime() {
				err = fillTimes(ctx, tx, f, rows[i])
			} else if err == nil {
				err = col.Append(ctx, rows[i]...)
			}
			if err != nil {
				return fmt.Errorf("%v: %w", f, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// fillTimes appends the numbers that are stored for times.
func fillTimes(ctx context.Context, tx *columnvault.Tx, f exchange.Field, list []any) error {
	if !f.Meaning.Null {
		col, err := columnvault.Lookup(ctx, tx, f.Name, dtype.Int64)
		for _, n := range list {
			if err == nil {
				err = col.Append(ctx, n.(int64))
			}
		}
		return err
	}
	col, err := columnvault.Lookup(ctx, tx, f.Name, dtype.Nullable(dtype.Int64))
	for _, v := range list {
		n, ok := v.(int64)
		if err == nil {
			err = col.Append(ctx, sql.Null[int64]{V: n, Valid: ok})
		}
	}
	return err
}

// clear drops all columns.
func clear(t *rapid.T, v *columnvault.Vault) {
	err := v.Update(context.Background(), func(ctx context.Context, tx *columnvault.Tx) error {
		infos, err := tx.Columns(ctx)
		for _, info := range infos {
			err = errors.Join(err, tx.Drop(ctx, info.Name))
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// contents shows the type, the meaning and all values of a column.
func contents(t *rapid.T, v *columnvault.Vault, name string) string {
	ctx := context.Background()
	col, err := v.Column(ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	list, err := col.Slice(ctx, columnvault.Begin, columnvault.End)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range list {
		if at, ok := v.(time.Time); ok {
			list[i] = fmt.Sprintf("%d.%09d", at.Unix(), at.Nanosecond())
		}
	}
	return fmt.Sprintf("%s %s %#v", col.DType(), col.Meaning(), list)
}

// formats are those that the property tests write and read.
var formats = []struct {
	name   string
	sink   func(*bytes.Buffer) exchange.Sink
	source func([]byte) exchange.Source
}{
	{"csv", asCSV, func(b []byte) exchange.Source { return csv.NewReader(bytes.NewReader(b), nil) }},
	{"csv with semicolons", func(w *bytes.Buffer) exchange.Sink { return csv.NewWriter(w, &csv.WriterOptions{Delimiter: ';'}) },
		func(b []byte) exchange.Source { return csv.NewReader(bytes.NewReader(b), nil) }},
	{"jsonl", asJSONL, func(b []byte) exchange.Source { return jsonl.NewReader(bytes.NewReader(b), nil) }},
}

// turn exports columns and imports them again, in each format, and requires that
// they are the same.
func turn(t *rapid.T, v *columnvault.Vault, fields []exchange.Field, rows [][]any, types map[string]exchange.Field, skip string) {
	ctx := context.Background()
	defer clear(t, v)
	fill(t, v, fields, rows)
	var names, want []string
	for _, f := range fields {
		names = append(names, f.Name)
		want = append(want, contents(t, v, f.Name))
	}
	for _, f := range formats {
		if f.name == skip {
			continue
		}
		var text bytes.Buffer
		if _, err := exchange.Export(ctx, v, names, f.sink(&text), nil); err != nil {
			t.Fatal(err)
		}
		prefix := f.name + " "
		if _, err := exchange.Import(ctx, v, f.source(text.Bytes()), &exchange.ImportOptions{Types: types, Prefix: prefix}); err != nil {
			t.Fatalf("%s: %v\n%q", f.name, err, text.String())
		}
		for i, name := range names {
			if got := contents(t, v, prefix+name); got != want[i] {
				t.Fatalf("%s: column %q is\n%s\nand was\n%s\nin\n%q", f.name, name, got, want[i], text.String())
			}
		}
	}
}

// isValue tells whether a nullable column takes v as a value.
func isValue(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case string:
		return v != "\x00"
	case float32:
		return v == v
	case float64:
		return v == v
	}
	return true
}

// draw draws the values of a column.
func (s stored) draw(t *rapid.T, rows int, null bool) []any {
	g := s.values
	if null {
		g = rapid.OneOf(rapid.Just[any](nil), g.Filter(isValue))
	}
	return rapid.SliceOfN(g, rows, rows).Draw(t, "values")
}

// TestTurns: columns of any types, with any values and names, come back from
// every format as they were, if their types are named.
func TestTurns(t *testing.T) {
	v := open(t)
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(texts().Filter(func(s string) bool { return s != "" && !strings.Contains(s, "\x00") }), 1, 4, rapid.ID[string]).Draw(t, "names")
		n := rapid.IntRange(0, 6).Draw(t, "rows")
		var fields []exchange.Field
		var rows [][]any
		types := map[string]exchange.Field{}
		for _, name := range names {
			s := rapid.SampledFrom(generated).Draw(t, "type")
			f := s.field(t, name, rapid.Bool().Draw(t, "null"))
			fields, rows, types[name] = append(fields, f), append(rows, s.draw(t, n, f.Meaning.Null)), f
		}
		skip := ""
		if n == 0 {
			skip = "jsonl" // without lines there are no keys
		}
		turn(t, v, fields, rows, types, skip)
	})
}

// TestTurnsFound: the types that import finds by itself are those that were
// exported, as far as docs/import.md says so.
func TestTurnsFound(t *testing.T) {
	found := []stored{
		{"i64", "", integers[int64](math.MinInt64, math.MaxInt64)},
		{"f64", "", floats(rapid.Float64())},
		{"str:utf8", "", boxed(texts())},
		{"i64", "date", boxed(rapid.Int64Range(-719528, 2932896))},
		{"i64", "time=us", boxed(rapid.Int64Range(-62167219200e6, 253402300799e6))},
	}
	v := open(t)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(t, "rows")
		var fields []exchange.Field
		var rows [][]any
		for i := range rapid.IntRange(1, 4).Draw(t, "columns") {
			s := rapid.SampledFrom(found).Draw(t, "type")
			null := rapid.Bool().Draw(t, "null")
			list := s.draw(t, n, null)
			first := map[string]any{"i64": int64(1), "f64": 1.5, "str:utf8": "text"}[s.spec] // there is one
			list = append(list, first)
			f := s.field(t, fmt.Sprintf("c%d", i), null)
			if null {
				list = append(list, nil)
			} else if s.spec == "f64" { // NaN is found as a missing value
				for k, v := range list {
					if !isValue(v) {
						list[k] = 2.5
					}
				}
			}
			fields, rows = append(fields, f), append(rows, list)
		}
		for i := range rows { // of one length
			for len(rows[i]) < n+2 {
				rows[i] = append(rows[i], rows[i][n])
			}
		}
		turn(t, v, fields, rows, nil, "")
	})
}
