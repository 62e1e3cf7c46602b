package interop

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"columnvault"
	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/exchange/arrow"
	"columnvault/exchange/npy"
	"columnvault/exchange/parquet"
	"columnvault/internal/formattest"
	"columnvault/internal/vaulttest"
)

// seen is what a program has in a column of a file.
type seen struct {
	Type   string `json:"type"`
	Values []any  `json:"values"`
}

// formats runs formats.py. Without a Python that has the programs, the test is
// skipped.
func formats(t *testing.T, verb, program, path string) map[string]seen {
	t.Helper()
	python := os.Getenv("COLUMNVAULT_PYTHON_FORMATS")
	if python == "" {
		t.Skip("COLUMNVAULT_PYTHON_FORMATS does not name a Python that has duckdb, numpy and pyarrow; see doc.go")
	}
	cmd := exec.Command(python, "formats.py", verb, program, path)
	var failed bytes.Buffer
	cmd.Stderr = &failed
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("formats.py %s %s: %v\n%s", verb, program, err, failed.Bytes())
	}
	columns := map[string]seen{}
	vaulttest.Must(t, json.Unmarshal(out, &columns))
	return columns
}

// exportTo writes the columns of a vault to a file.
func exportTo(t *testing.T, v *columnvault.Vault, path string, sink func(io.Writer) exchange.Sink) {
	t.Helper()
	f, err := os.Create(path)
	vaulttest.Must(t, err)
	_, err = exchange.Export(t.Context(), v, nil, sink(f), nil)
	vaulttest.Must(t, err)
	vaulttest.Must(t, f.Close())
}

// wantAs checks that what a program has seen, or has written, is what a vault
// holds.
func wantAs(t *testing.T, program string, file map[string]seen, v *columnvault.Vault) {
	t.Helper()
	for name, list := range formattest.Stored(t, v) {
		column, ok := file[name]
		if !ok {
			t.Errorf("%s: there is no column %s", program, name)
			continue
		}
		if len(column.Values) != len(list) {
			t.Errorf("%s: column %s has %d values, want %d", program, name, len(column.Values), len(list))
			continue
		}
		for i := range list {
			if !matches(column.Values[i], list[i]) {
				t.Errorf("%s: column %s (%s), row %d: %#v, and in the vault %#v", program, name, column.Type, i, column.Values[i], list[i])
				break
			}
		}
	}
}

// matches tells whether a value as formats.py prints it is one of a vault.
func matches(printed, v any) bool {
	switch v := v.(type) {
	case nil:
		return printed == nil
	case bool, string:
		return printed == v
	case float32:
		return matches(printed, float64(v))
	case float64:
		text, ok := printed.(string)
		f, err := strconv.ParseFloat(text, 64)
		return ok && err == nil && (math.Float64bits(f) == math.Float64bits(v) || f != f && v != v)
	case []byte:
		if _, ok := printed.([]any); ok { // a vector of u8
			break
		}
		return printed == "base64 "+base64.StdEncoding.EncodeToString(v)
	case time.Time:
		return printed == v.Format(time.DateOnly)
	case map[string]any:
		group, ok := printed.(map[string]any)
		if !ok || len(group) != len(v) {
			return pairsMatch(printed, v)
		}
		for key, inner := range v {
			if other, ok := group[key]; !ok || !matches(other, inner) {
				return false
			}
		}
		return true
	}
	r := reflect.ValueOf(v)
	switch {
	case r.CanInt():
		return printed == strconv.FormatInt(r.Int(), 10)
	case r.CanUint():
		return printed == strconv.FormatUint(r.Uint(), 10)
	case r.Kind() == reflect.Struct: // an array with its shape, or of one dimension
		shape, data := r.FieldByName("Shape"), r.FieldByName("Data")
		if group, ok := printed.(map[string]any); ok {
			return matches(group["shape"], shape.Interface()) && matches(group["values"], data.Interface())
		}
		return shape.Len() == 1 && matches(printed, data.Interface())
	}
	list, ok := printed.([]any)
	if !ok || len(list) != r.Len() {
		return false
	}
	for i := range list {
		if !matches(list[i], r.Index(i).Interface()) {
			return false
		}
	}
	return true
}

// pairsMatch compares a map that is printed as pairs.
func pairsMatch(printed any, v map[string]any) bool {
	pairs, ok := printed.([]any)
	if !ok || len(pairs) != len(v) {
		return false
	}
	for _, p := range pairs {
		pair, ok := p.([]any)
		if !ok || len(pair) != 2 {
			return false
		}
		inner, ok := v[pair[0].(string)]
		if !ok || !matches(pair[1], inner) {
			return false
		}
	}
	return true
}

// textColumns are those of the specimen as other programs see them: values of
// msgpack and cbor are text there.
func textColumns(t *testing.T) []formattest.Column {
	columns := formattest.Columns()
	for i, c := range columns {
		value := c.Value
		if strings.HasPrefix(c.Type, "msgpack") || c.Type == "cbor" {
			columns[i].Type, columns[i].Meaning = "str", "null"
			columns[i].Value = func(row int) any {
				if value(row) == nil {
					return nil
				}
				return formattest.JSON(t, value(row))
			}
		}
	}
	return columns
}

func asText(t *testing.T, rows int) *columnvault.Vault {
	t.Helper()
	return formattest.Specimen(t, textColumns(t), rows)
}

// asParquet has milliseconds in place of seconds, too.
func asParquet(t *testing.T, rows int) *columnvault.Vault {
	t.Helper()
	columns := textColumns(t)
	for i, c := range columns {
		if value := c.Value; c.Meaning == "time=s" {
			columns[i].Meaning = "time=ms"
			columns[i].Value = func(row int) any { return value(row).(int64) * 1000 }
		}
	}
	return formattest.Specimen(t, columns, rows)
}

// TestParquetIsReadByOthers has pyarrow and DuckDB read a file of all dtypes.
func TestParquetIsReadByOthers(t *testing.T) {
	const rows = 40
	v := formattest.Specimen(t, formattest.Columns(), rows)
	other := asParquet(t, rows)
	for _, o := range []*parquet.WriterOptions{nil, {Plain: true, GroupRows: 7}} {
		path := filepath.Join(t.TempDir(), "a.parquet")
		exportTo(t, v, path, func(w io.Writer) exchange.Sink { return parquet.NewWriter(w, o) })
		byArrow := formats(t, "read", "pyarrow", path)
		wantAs(t, "pyarrow", byArrow, other)
		byDuckDB := formats(t, "read", "duckdb", path)
		wantAs(t, "DuckDB", byDuckDB, other)
		wantTypes(t, byArrow, byDuckDB)
	}
}

// wantTypes checks the types that pyarrow and DuckDB see.
func wantTypes(t *testing.T, byArrow, byDuckDB map[string]seen) {
	t.Helper()
	for name, want := range map[string][2]string{
		"bool": {"bool", "BOOLEAN"}, "bool?": {"bool", "BOOLEAN"}, "i8": {"int8", "TINYINT"}, "i16": {"int16", "SMALLINT"},
		"i32": {"int32", "INTEGER"}, "i64": {"int64", "BIGINT"}, "u8": {"uint8", "UTINYINT"}, "u16": {"uint16", "USMALLINT"},
		"u32": {"uint32", "UINTEGER"}, "u64": {"uint64", "UBIGINT"}, "f16": {"halffloat", "FLOAT"}, "f32": {"float", "FLOAT"},
		"f64": {"double", "DOUBLE"}, "f64?": {"double", "DOUBLE"}, "str": {"string", "VARCHAR"}, "utf16": {"string", "VARCHAR"},
		"bytes": {"binary", "BLOB"}, "bytes3": {"fixed_size_binary[3]", "BLOB"}, "doc": {"string", "JSON"},
		"vec": {"list<element: float not null>", "FLOAT[]"}, "vec2": {"list<element: int16 not null>", "SMALLINT[]"},
		"time s": {"timestamp[ms, tz=UTC]", "TIMESTAMP WITH TIME ZONE"}, "time us": {"timestamp[us, tz=UTC]", "TIMESTAMP WITH TIME ZONE"},
		"date": {"date32[day]", "DATE"},
	} {
		if got := [2]string{byArrow[name].Type, byDuckDB[name].Type}; got != want {
			t.Errorf("column %s is seen as %q, want %q", name, got, want)
		}
	}
}

// TestParquetOfOthers reads what pyarrow and DuckDB have written, in several
// encodings and compressions.
func TestParquetOfOthers(t *testing.T) {
	for _, program := range []string{
		"pyarrow", "pyarrow v2", "pyarrow plain", "pyarrow delta", "pyarrow int96",
		"duckdb COMPRESSION zstd", "duckdb COMPRESSION lz4_raw", "duckdb COMPRESSION gzip", "duckdb PARQUET_VERSION v2",
	} {
		path := filepath.Join(t.TempDir(), "a.parquet")
		written := formats(t, "write", program, path)
		v := formattest.Import(t, fileReader(t, path), nil)
		wantAs(t, program, written, v)
		infos, err := v.Columns(t.Context())
		vaulttest.Must(t, err)
		if len(infos) < 2 {
			t.Errorf("%s: there are %d columns", program, len(infos))
		}
		for _, info := range infos {
			if want, ok := parquetTypes[info.Name]; ok && program != "pyarrow int96" && info.DType+" "+info.Meaning.String() != want {
				t.Errorf("%s: column %s is %s %v, want %s", program, info.Name, info.DType, info.Meaning, want)
			}
		}
	}
}

// TestArrowIsReadByOthers has pyarrow read a file and a stream of all dtypes.
func TestArrowIsReadByOthers(t *testing.T) {
	const rows = 40
	v := formattest.Specimen(t, formattest.Columns(), rows)
	other := asText(t, rows)
	for program, o := range map[string]*arrow.WriterOptions{"arrow": nil, "stream": {Stream: true}} {
		path := filepath.Join(t.TempDir(), "a.arrow")
		exportTo(t, v, path, func(w io.Writer) exchange.Sink { return arrow.NewWriter(w, o) })
		read := formats(t, "read", program, path)
		wantAs(t, program, read, other)
		for name, want := range map[string]string{
			"bool": "bool", "i8": "int8", "u64": "uint64", "f16": "halffloat", "f32": "float", "f64?": "double", "str": "string",
			"latin": "string", "bytes": "binary", "bytes3": "fixed_size_binary[3]", "doc": "string", "vec": "fixed_size_list<item: float not null>[3]",
			"time s": "timestamp[s, tz=UTC]", "time us": "timestamp[us, tz=Europe/Berlin]", "date?": "date32[day]",
		} {
			if got := read[name].Type; got != want {
				t.Errorf("%s: column %s is seen as %s, want %s", program, name, got, want)
			}
		}
	}
}

// TestArrowOfOthers reads what pyarrow has written.
func TestArrowOfOthers(t *testing.T) {
	for _, program := range []string{"arrow", "arrow zstd", "arrow lz4", "stream", "stream lz4", "arrow views"} {
		path := filepath.Join(t.TempDir(), "a.arrow")
		written := formats(t, "write", program, path)
		f, size := opened(t, path)
		v := formattest.Import(t, arrow.NewReader(f, size, nil), nil)
		wantAs(t, program, written, v)
		infos, err := v.Columns(t.Context())
		vaulttest.Must(t, err)
		if len(infos) != len(written) {
			t.Errorf("%s: there are %d columns, want %d", program, len(infos), len(written))
		}
	}
}

// TestNumPy has numpy map files into memory, and reads what it has saved.
func TestNumPy(t *testing.T) {
	columns := formattest.Only(func(s dtype.Spec, m dtype.Meaning) bool {
		vector := s.Kind == dtype.KindVector && len(s.Dims) > 0
		return !m.IsTime() && !m.Null && (vector || s.Kind >= dtype.KindBool && s.Kind <= dtype.KindFloat64)
	})
	v := formattest.Specimen(t, columns, 40)
	types := map[string]string{"bool": "|b1 (40,)", "i8": "|i1 (40,)", "i64": "<i8 (40,)", "f16": "<f2 (40,)", "vec": "<f4 (40, 3)", "vec2": "<i2 (40, 2, 2)"}
	for _, c := range columns {
		path := filepath.Join(t.TempDir(), "a.npy")
		f, err := os.Create(path)
		vaulttest.Must(t, err)
		_, err = exchange.Export(t.Context(), v, []string{c.Name}, npy.NewWriter(f), nil)
		vaulttest.Must(t, err)
		vaulttest.Must(t, f.Close())
		read := formats(t, "read", "numpy", path)["array"]
		if want, ok := types[c.Name]; ok && read.Type != want {
			t.Errorf("column %s is seen as %s, want %s", c.Name, read.Type, want)
		}
		for i, want := range formattest.Stored(t, v)[c.Name] {
			if got := read.Values[i]; !matches(got, want) {
				t.Errorf("column %s, row %d is seen as %v, want %v", c.Name, i, got, want)
				break
			}
		}
		saved := filepath.Join(t.TempDir(), "b.npy")
		written := formats(t, "write", "numpy "+path, saved)
		in, size := opened(t, saved)
		wantAs(t, "numpy", written, formattest.Import(t, npy.NewReader(in, size, nil), nil))
	}
}

var parquetTypes = map[string]string{
	"bool": "bool null", "i8": "i8 null", "i16": "i16 ", "u64": "u64 null", "f32": "f32 null", "text": "str:utf8 null", "large": "str:utf8 ",
	"words": "str:utf8 null", "bytes": "bytes ", "date": "i64 date null", "at": "i64 time=us null", "naive": "i64 time=us null",
	"decimal": "str:utf8 null", "vec": "vec:f32:2 ", "lists": "vec:i64 ", "gappy": "msgpack ", "struct": "msgpack ", "map": "msgpack ",
}

func fileReader(t *testing.T, path string) *parquet.Reader {
	t.Helper()
	f, size := opened(t, path)
	return parquet.NewReader(f, size, nil)
}

// opened opens a file for the test.
func opened(t *testing.T, path string) (*os.File, int64) {
	t.Helper()
	f, err := os.Open(path)
	vaulttest.Must(t, err)
	t.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	vaulttest.Must(t, err)
	return f, info.Size()
}

// TestParquetStatistics has pyarrow read the bounds of columns.
func TestParquetStatistics(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.parquet")
	v := formattest.Specimen(t, formattest.Columns(), 40)
	exportTo(t, v, path, func(w io.Writer) exchange.Sink { return parquet.NewWriter(w, nil) })
	stats := formats(t, "read", "statistics", path)
	for name, want := range map[string][]any{
		"i8": {"-128", "127", "0"}, "u64": {"0", "18446744073709551615", "0"}, "f64": {"-inf", "inf", "0"}, "date": {"1967-10-24", "1978-03-03", "0"},
		"bool?": {false, true, "13"}, "str": {"\"x\",\n0", "a9", "0"},
	} {
		if got := stats[name].Values; !reflect.DeepEqual(got, want) {
			t.Errorf("column %s has bounds and missing values %v, want %v", name, got, want)
		}
		if stats[name].Type != "ZSTD True True" {
			t.Errorf("column %s: compression and indexes are %s", name, stats[name].Type)
		}
	}
}
