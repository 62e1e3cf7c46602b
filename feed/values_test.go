package feed_test

import (
	"encoding/hex"
	"fmt"
	"math"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/iceberg-go/table"

	"columnvault/dtype"
	"columnvault/internal/formattest"
	"columnvault/internal/structured"
	"columnvault/internal/vaulttest"
)

// kind is a column of the specimen, and what the table says of it.
type kind struct {
	formattest.Column
	ice      string
	required bool
}

// kinds are of all dtypes. Their values are those of formattest, but for what
// Iceberg has no room for: such values have a test of their own.
func kinds() []kind {
	types := map[string]string{
		"bool": "boolean", "i8": "int", "i16": "int", "i32": "int", "i64": "long", "u8": "int", "u16": "int", "u32": "long", "u64": "long",
		"f16": "float", "f32": "float", "f64": "double", "bytes": "binary", "bytes3": "fixed[3]",
		"vec": "list<float>", "vec2": "list<int>", "vecu8": "list<int>", "free": "struct<shape: list<int>, values: list<double>>",
		"time s": "timestamptz", "time ms": "timestamptz", "time us": "timestamptz", "time ns": "timestamptz", "date": "date",
	}
	optional := map[string]bool{"doc": true, "cbor": true, "msgpack9": true, "time ns": true}
	var list []kind
	for _, c := range formattest.Columns() {
		name := c.Name
		k := kind{c, "string", !optional[name]}
		if name[len(name)-1] == '?' {
			name, k.required = name[:len(name)-1], false
		}
		if types[name] != "" {
			k.ice = types[name]
		}
		value := k.Value
		switch name {
		case "u64":
			k.Value = func(i int) any { return uint64(i) << 40 }
		case "time s":
			k.Value = func(i int) any { return int64(i)*86399 - 7_000_000_000 }
		case "time ms":
			k.Value = func(i int) any { return int64(i)*86399_001 - 7_000_000_000 }
		case "time us":
			k.Value = func(i int) any { return int64(i)*86399_000_001 - 7_000_000_000 }
		case "date":
			k.Value = func(i int) any {
				if value(i) == nil {
					return nil
				}
				return value(i).(int64) % 2_000_000
			}
		}
		list = append(list, k)
	}
	return list
}

func columnsOf(list []kind) []formattest.Column {
	columns := make([]formattest.Column, len(list))
	for i, k := range list {
		columns[i] = k.Column
	}
	return columns
}

// plain is a value as all readers of the tests show it: null, an integer or a
// bool, "f" and the bits of a float64, "b" and bytes, "s" and text, or a list.
// Times are microseconds.
func (k kind) plain(i int) any {
	v := k.Value(i)
	n, isInt := v.(int64)
	switch k.Meaning {
	case "time=s":
		return n * 1e6
	case "time=ms":
		return n * 1e3
	case "time=ns null":
		if isInt {
			return int64(math.Floor(float64(n) / 1000))
		}
	}
	if raw, isBytes := v.([]byte); isBytes && k.ice != "binary" && k.ice != "fixed[3]" {
		return plainList(raw)
	}
	if k.Type == "msgpack" || k.Type == "cbor" || k.Type == "msgpack:9" {
		if v == nil {
			return nil
		}
		text, err := structured.AppendJSON(nil, v)
		if err != nil {
			panic(err)
		}
		return "s" + string(text)
	}
	return plain(v)
}

func plain(v any) any {
	switch v := v.(type) {
	case nil, bool:
		return v
	case int8, int16, int32, int64, uint8, uint16, uint32, uint64:
		return v
	case float32:
		return plain(float64(v))
	case float64:
		return fmt.Sprintf("f%016x", math.Float64bits(v))
	case string:
		return "s" + v
	case []byte:
		return "b" + hex.EncodeToString(v)
	case []float32:
		return plainList(v)
	case []int16:
		return plainList(v)
	case []int:
		return plainList(v)
	case []float64:
		return plainList(v)
	case dtype.Tensor[float64]:
		return []any{plainList(v.Shape), plainList(v.Data)}
	case int:
		return int64(v)
	}
	panic(fmt.Sprintf("a %T", v))
}

func plainList[T any](list []T) []any {
	all := make([]any, len(list))
	for i, v := range list {
		all[i] = plain(v)
	}
	return all
}

// scanned reads a table by the library's own scanner: each column's values.
func scanned(t *testing.T, tbl *table.Table, o ...table.ScanOption) map[string][]any {
	t.Helper()
	all, err := tbl.Scan(o...).ToArrowTable(t.Context())
	vaulttest.Must(t, err)
	defer all.Release()
	columns := map[string][]any{}
	for i := range int(all.NumCols()) {
		name := all.Schema().Field(i).Name
		columns[name] = nil
		for _, chunk := range all.Column(i).Data().Chunks() {
			for row := range chunk.Len() {
				columns[name] = append(columns[name], fromArrow(chunk, row))
			}
		}
	}
	return columns
}

func fromArrow(a arrow.Array, i int) any {
	if a.IsNull(i) {
		return nil
	}
	switch a := a.(type) {
	case *array.Boolean:
		return a.Value(i)
	case *array.Int32:
		return a.Value(i)
	case *array.Int64:
		return a.Value(i)
	case *array.Date32:
		return int64(a.Value(i))
	case *array.Timestamp:
		return int64(a.Value(i))
	case *array.Float32:
		return plain(a.Value(i))
	case *array.Float64:
		return plain(a.Value(i))
	case *array.String:
		return plain(a.Value(i))
	case *array.LargeString:
		return plain(a.Value(i))
	case *array.Binary:
		return plain(a.Value(i))
	case *array.LargeBinary:
		return plain(a.Value(i))
	case *array.FixedSizeBinary:
		return plain(a.Value(i))
	case array.ListLike:
		list := []any{}
		from, to := a.ValueOffsets(i)
		for j := from; j < to; j++ {
			list = append(list, fromArrow(a.ListValues(), int(j)))
		}
		return list
	case *array.Struct:
		list := []any{}
		for j := range a.NumField() {
			list = append(list, fromArrow(a.Field(j), i))
		}
		return list
	}
	panic(fmt.Sprintf("a %T", a))
}
