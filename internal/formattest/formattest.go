// Package formattest is what the tests of the formats share: a vault that has
// every dtype, and whether two vaults hold the same.
package formattest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"testing"
	"time"

	"columnvault"
	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/exchange/jsonl"
	"columnvault/internal/structured"
	"columnvault/internal/vaulttest"
)

// Column is a column of the specimen: a dtype, a meaning, and a value for each
// row, nil where it is missing.
type Column struct {
	Name    string
	Type    string
	Meaning string
	Value   func(i int) any
}

// Columns are of all dtypes, with values at the ends of their ranges.
func Columns() []Column {
	number := func(list ...any) func(int) any { return func(i int) any { return list[i%len(list)] } }
	gaps := func(f func(int) any) func(int) any {
		return func(i int) any {
			if i%3 == 1 {
				return nil
			}
			return f(i)
		}
	}
	texts := func(i int) any { return []string{"", "a", "Größe 東京", "\"x\",\n"}[i%4] + fmt.Sprint(i/4) }
	docs := func(i int) any {
		return []any{map[string]any{"b": int64(i), "a": []any{1.5, "x", nil, true}}, int64(i), "text", 2.0, uint64(math.MaxUint64), nil, []any{}}[i%7]
	}
	i64s := number(int64(0), int64(-1), int64(math.MaxInt64), int64(math.MinInt64+1), int64(1)<<53+1)
	f64s := number(0.0, math.Copysign(0, -1), 1.5, math.MaxFloat64, math.Inf(1), math.Inf(-1), 5e-324)
	moments := func(i int) any { return int64(i)*86399*1_000_003 - 7_000_000_000 }
	return []Column{
		{"bool", "bool", "", func(i int) any { return i%3 == 0 }},
		{"bool?", "bool", "null", gaps(func(i int) any { return i%2 == 0 })},
		{"i8", "i8", "", number(int8(-128), int8(127), int8(0))},
		{"i16", "i16", "", number(int16(-32768), int16(32767))},
		{"i32", "i32", "", number(int32(math.MinInt32), int32(math.MaxInt32))},
		{"i64", "i64", "", i64s},
		{"i64?", "i64", "null", gaps(i64s)},
		{"u8", "u8", "", number(uint8(0), uint8(255))},
		{"u16", "u16", "", number(uint16(0), uint16(65535))},
		{"u32", "u32", "", number(uint32(0), uint32(math.MaxUint32))},
		{"u64", "u64", "", number(uint64(0), uint64(math.MaxUint64))},
		{"u8?", "u8", "null", gaps(number(uint8(0), uint8(254)))},
		{"f16", "f16", "", number(float32(0), float32(65504), float32(-0.5))},
		{"f32", "f32", "", number(float32(1.5), float32(math.Inf(1)), float32(-1e-45))},
		{"f64", "f64", "", f64s},
		{"f64?", "f64", "null", gaps(f64s)},
		{"f16?", "f16", "null", gaps(number(float32(2), float32(-3)))},
		{"str", "str:utf8", "", texts},
		{"str?", "str:utf8", "null", gaps(texts)},
		{"utf16", "str:utf16le", "", texts},
		{"latin", "str:12:latin1", "", number("é", "ab", "")},
		{"bytes", "bytes", "", func(i int) any { return []byte(fmt.Sprintf("\x00\xff%d", i))[:i%4] }},
		{"bytes3", "bytes:3", "", func(i int) any { return []byte{byte(i), 0, 255} }},
		{"doc", "msgpack", "", docs},
		{"cbor", "cbor", "", docs},
		{"msgpack9", "msgpack:9", "", func(i int) any { return int64(i) }},
		{"vec", "vec:f32:3", "", func(i int) any { return []float32{float32(i), 0.5, -1} }},
		{"vec2", "vec:i16:2:2", "", func(i int) any { return []int16{int16(i), 2, -3, 4} }},
		{"vecu8", "vec:u8:1", "", func(i int) any { return []uint8{uint8(i)} }},
		{"free", "vec:f64", "", func(i int) any {
			return []dtype.Tensor[float64]{{Shape: []int{0}, Data: []float64{}}, {Shape: []int{2}, Data: []float64{1, 2}},
				{Shape: []int{2, 1}, Data: []float64{3, float64(i)}}}[i%3]
		}},
		{"time s", "i64", "time=s", moments},
		{"time ms", "i64", "time=ms", moments},
		{"time us", "i64", "time=us zone=Europe/Berlin", moments},
		{"time ns", "i64", "time=ns null", gaps(moments)},
		{"date", "i64", "date", func(i int) any { return int64(i*97 - 800) }},
		{"date?", "i64", "date null", gaps(func(i int) any { return int64(i) })},
	}
}

// Only are the columns of the specimen that keep says yes to.
func Only(keep func(s dtype.Spec, m dtype.Meaning) bool) []Column {
	var some []Column
	for _, c := range Columns() {
		if s, m := c.parse(); keep(s, m) {
			some = append(some, c)
		}
	}
	return some
}

func (c Column) parse() (dtype.Spec, dtype.Meaning) {
	s, err := dtype.ParseSpec(c.Type)
	if err != nil {
		panic(err)
	}
	m, err := dtype.ParseMeaning(c.Meaning)
	if err != nil {
		panic(err)
	}
	return s, m
}

// source gives rows of columns.
type source struct {
	columns []Column
	rows    int
	done    int
}

// Source is the specimen as a source of so many rows.
func Source(columns []Column, rows int) exchange.Source { return &source{columns, rows, 0} }

func (s *source) Begin(context.Context, map[string]exchange.Field) ([]exchange.Field, error) {
	s.done = 0
	var fields []exchange.Field
	for _, c := range s.columns {
		spec, m := c.parse()
		fields = append(fields, exchange.Field{Name: c.Name, Type: spec, Meaning: m})
	}
	return fields, nil
}

func (s *source) Next(_ context.Context, b *exchange.Batch) error {
	if s.done == s.rows {
		return io.EOF
	}
	n := min(1000, s.rows-s.done)
	for i, c := range s.columns {
		for row := s.done; row < s.done+n; row++ {
			v := c.Value(row)
			if v == nil && c.Meaning != "" {
				b.Columns[i].AddMissing()
			} else if err := b.Columns[i].AddAny(v); err != nil {
				return err
			}
		}
	}
	b.Rows = n
	s.done += n
	return nil
}

func (s *source) Progress() (done, total int64) { return int64(s.done), int64(s.rows) }

// open returns a new vault.
func open(t testing.TB) *columnvault.Vault {
	t.Helper()
	v, err := columnvault.Open(t.Context(), filepath.Join(t.TempDir(), "vault.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	})
	return v
}

// Specimen returns a vault of so many rows of columns.
func Specimen(t testing.TB, columns []Column, rows int) *columnvault.Vault {
	t.Helper()
	v := open(t)
	if _, err := exchange.Import(t.Context(), v, Source(columns, rows), nil); err != nil {
		t.Fatal(err)
	}
	return v
}

// Import imports a source into a new vault.
func Import(t testing.TB, src exchange.Source, o *exchange.ImportOptions) *columnvault.Vault {
	t.Helper()
	v := open(t)
	if _, err := exchange.Import(t.Context(), v, src, o); err != nil {
		t.Fatal(err)
	}
	return v
}

// WantSame checks that two vaults have the same columns and values.
func WantSame(t testing.TB, got, want *columnvault.Vault) {
	t.Helper()
	a, b := Values(t, got), Values(t, want)
	if len(a) != len(b) {
		t.Errorf("there are %d columns, want %d", len(a), len(b))
	}
	for name, list := range b {
		if len(a[name]) != len(list) {
			t.Errorf("%s has %d rows, want %d", name, len(a[name])-1, len(list)-1)
			continue
		}
		for i := range list {
			if !equal(a[name][i], list[i]) {
				t.Errorf("%s: row %d is %#v, want %#v", name, i-1, a[name][i], list[i])
				break
			}
		}
	}
}

// equal compares values; zeros of different sign differ.
func equal(a, b any) bool {
	if x, ok := a.(float64); ok {
		y, ok := b.(float64)
		return ok && math.Float64bits(x) == math.Float64bits(y)
	}
	return reflect.DeepEqual(a, b)
}

// Values returns the columns of a vault: first what the column is, then the
// values in their dynamic form.
func Values(t testing.TB, v *columnvault.Vault) map[string][]any {
	t.Helper()
	ctx := t.Context()
	infos, err := v.Columns(ctx)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]any{}
	for _, info := range infos {
		spec, err := dtype.ParseSpec(info.DType)
		if err != nil {
			t.Fatal(err)
		}
		list := []any{spec.String() + " " + info.Meaning.String()}
		column := vaulttest.Lookup(t, v, info.Name, info.Meaning.Type(spec))
		for value, err := range column.Values(ctx) {
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, value)
		}
		all[info.Name] = list
	}
	return all
}

// Stored returns the columns of a vault as other programs have them: times are
// the numbers that are stored, and dates times.
func Stored(t testing.TB, v *columnvault.Vault) map[string][]any {
	t.Helper()
	ctx := t.Context()
	infos, err := v.Columns(ctx)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]any{}
	for _, info := range infos {
		spec, err := dtype.ParseSpec(info.DType)
		if err != nil {
			t.Fatal(err)
		}
		list := []any{}
		column := vaulttest.Lookup(t, v, info.Name, info.Meaning.Type(spec))
		for value, err := range column.Values(ctx) {
			if err != nil {
				t.Fatal(err)
			}
			if at, ok := value.(time.Time); ok && info.Meaning.Time != 0 {
				stored, err := info.Meaning.Type(spec).Append(nil, at)
				if err != nil {
					t.Fatal(err)
				}
				value = int64(binary.LittleEndian.Uint64(stored))
			}
			list = append(list, value)
		}
		all[info.Name] = list
	}
	return all
}

// JSON returns a value as JSON text.
func JSON(t testing.TB, v any) string {
	t.Helper()
	text, err := structured.AppendJSON(nil, v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// WantRows checks that a source has the rows that a file of JSON lines has, which
// is written if it is not there.
func WantRows(t *testing.T, src exchange.Source, path string) {
	t.Helper()
	var b bytes.Buffer
	v := Import(t, src, nil)
	if _, err := exchange.Export(t.Context(), v, nil, jsonl.NewWriter(&b), nil); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = os.WriteFile(path, b.Bytes(), 0o666)
		t.Logf("%s is new: look at it", path)
		want = b.Bytes()
	}
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("the rows are\n%swant\n%s", b.Bytes(), want)
	}
}

// Read reads any bytes as a file: it must neither panic nor take memory without
// bounds. So many rows are enough.
func Read(ctx context.Context, src exchange.Source) error {
	ctx, enough := context.WithCancel(ctx)
	defer enough()
	rows := 0
	_, err := exchange.Detect(ctx, src, &exchange.DetectOptions{Seen: func(b *exchange.Batch) {
		if rows += b.Rows; rows > 1<<20 {
			enough()
		}
	}})
	return err
}

// Torment reads a file cut off at many places, and with changed bytes. Cut off it
// must be refused, unless it is one of streams.
func Torment(t *testing.T, file []byte, stream bool, open func(b []byte) exchange.Source) {
	t.Helper()
	step := max(1, len(file)/100)
	for n := 0; n < len(file); n += step {
		if err := Read(t.Context(), open(file[:n])); err == nil && !stream {
			t.Errorf("of %d bytes %d are enough", len(file), n)
		}
	}
	var before, after runtime.MemStats
	for i := 0; i < len(file); i += step {
		for _, c := range []byte{0, 0xff, file[i] ^ 1, file[i] ^ 0x80} {
			changed := bytes.Clone(file)
			changed[i] = c
			runtime.ReadMemStats(&before)
			err := Read(t.Context(), open(changed))
			runtime.ReadMemStats(&after)
			if took := after.TotalAlloc - before.TotalAlloc; took > 600<<20 {
				t.Errorf("byte %d as %d takes %d MiB (%v)", i, c, took>>20, err)
			}
		}
	}
}
