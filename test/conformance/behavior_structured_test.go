package conformance_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/engine"
	"columnvault/internal/vaulttest"
)

// What test_structured_columns of KohakuVault 0.8.6 requires. Whatever JSON can
// say is read back as the Go values that package dtype lists for any.

// visit is a Go type for such values.
type visit struct {
	ID   int64          `json:"id"`
	Name string         `json:"name,omitempty"`
	Tags []string       `json:"tags,omitempty"`
	Data map[string]int `json:"data,omitempty"`
}

func TestStructuredMsgPack(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	column := func(t *testing.T, name string, values ...any) *columnvault.Column[any] {
		return vaulttest.Create(t, v, name, dtype.MsgPack[any](), values...)
	}
	users := vaulttest.Sequence(100, func(i int) any {
		return map[string]any{"id": int64(i), "name": fmt.Sprint("user", i)}
	})
	t.Run("simple dicts", func(t *testing.T) {
		c := column(t, "simple")
		vaulttest.AppendEach(t, c, users[:3])
		vaulttest.WantColumn(t, c, users[:3]...)
		vaulttest.WantAt(t, c, -1, users[2])
	})
	t.Run("nested structures", func(t *testing.T) {
		nested := any(map[string]any{
			"user": map[string]any{"name": "Alice", "address": map[string]any{"city": "東京", "zip": int64(-1)}},
			"tags": []any{"a", []any{int64(1), []any{2.5}}, map[string]any{"deep": nil}},
		})
		vaulttest.WantColumn(t, column(t, "nested", nested), nested)
	})
	t.Run("extend of 100", func(t *testing.T) {
		c := column(t, "extend")
		vaulttest.Must(t, c.Append(ctx, users...))
		vaulttest.WantColumn(t, c, users...)
	})
	t.Run("mixed", func(t *testing.T) {
		mixed := []any{map[string]any{"a": int64(1)}, []any{int64(1), "two", 3.0}, int64(42), nil, true, "text", -0.5}
		vaulttest.WantColumn(t, column(t, "mixed", mixed...), mixed...)
	})
	t.Run("iteration", func(t *testing.T) {
		c := column(t, "iteration", users...)
		vaulttest.WantValues(t, "values", vaulttest.Collect(t, c.Values(ctx)), users)
	})
	t.Run("clear", func(t *testing.T) {
		c := column(t, "clear", users...)
		vaulttest.Must(t, c.Clear(ctx))
		vaulttest.WantColumn(t, c)
		vaulttest.Must(t, c.Append(ctx, users[7]))
		vaulttest.WantColumn(t, c, users[7])
	})
	vaulttest.WantSound(t, v)
}

// TestStructuredGoTypes has no counterpart: the same column read as a Go
// struct and as what it says without one.
func TestStructuredGoTypes(t *testing.T) {
	v := vaulttest.OpenAt(t, filepath.Join(t.TempDir(), "types.db"), &columnvault.Options{ReadBytes: 1})
	// Loops read into memory that they have used before, one element at a
	// time with such a buffer: what one element leaves out must not show the
	// values of the one before.
	visits := []visit{
		{ID: 1, Name: "first", Tags: []string{"a", "b"}, Data: map[string]int{"x": 1, "y": 2}},
		{ID: 2},
		{ID: 3, Tags: []string{"c"}, Data: map[string]int{"z": 3}},
	}
	vaulttest.Create(t, v, "visits", dtype.MsgPack[visit](), visits...)
	vaulttest.WantColumn(t, vaulttest.Lookup(t, v, "visits", dtype.MsgPack[visit]()), visits...)
	vaulttest.WantColumn(t, vaulttest.Lookup(t, v, "visits", dtype.MsgPack[map[string]any]()),
		map[string]any{"id": int64(1), "name": "first", "tags": []any{"a", "b"}, "data": map[string]any{"x": int64(1), "y": int64(2)}},
		map[string]any{"id": int64(2)},
		map[string]any{"id": int64(3), "tags": []any{"c"}, "data": map[string]any{"z": int64(3)}},
	)
	into := []visit{{ID: 9, Name: "stale"}, {ID: 9, Name: "stale"}}
	n, err := vaulttest.Lookup(t, v, "visits", dtype.MsgPack[visit]()).Read(t.Context(), into, 1)
	vaulttest.Must(t, err)
	vaulttest.WantValues(t, "Read", into[:n], visits[1:])
}

func TestStructuredCBOR(t *testing.T) {
	v := vaulttest.Open(t)
	t.Run("basic", func(t *testing.T) {
		values := []any{map[string]any{"sensor": "temp", "value": 23.5}, map[string]any{"list": []any{int64(1), nil, false}}}
		c := vaulttest.Create(t, v, "basic", dtype.CBOR[any]())
		vaulttest.AppendEach(t, c, values)
		vaulttest.WantColumn(t, c, values...)
	})
	t.Run("extend of 50", func(t *testing.T) {
		values := vaulttest.Sequence(50, func(i int) any { return map[string]any{"i": int64(i), "square": float64(i*i) + 0.25} })
		vaulttest.WantColumn(t, vaulttest.Create(t, v, "extend", dtype.CBOR[any](), values...), values...)
	})
}

func TestStructuredText(t *testing.T) {
	v := vaulttest.Open(t)
	world := []string{"Hello", "こんにちは世界", "你好", "🎉🚀", "naïve café", ""}
	for _, test := range []struct {
		name   string
		typ    dtype.Type[string]
		values []string
	}{
		{"utf8", dtype.String, world},
		{"utf8 extend of 100", dtype.Text(dtype.UTF8), vaulttest.Sequence(100, func(i int) string { return fmt.Sprintf("string %d 文字", i) })},
		{"ascii", dtype.Text(dtype.ASCII), []string{"plain", "text", "~!@#"}},
		{"utf16le", dtype.Text(dtype.UTF16LE), world},
		{"utf16be", dtype.Text(dtype.UTF16BE), world},
		{"latin1", dtype.Text(dtype.Latin1), []string{"café", "naïve", "ÿ"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			vaulttest.WantColumn(t, vaulttest.Create(t, v, test.name, test.typ, test.values...), test.values...)
		})
	}
	t.Run("ascii refuses CJK", func(t *testing.T) {
		c := vaulttest.Create(t, v, "strict", dtype.Text(dtype.ASCII), "plain")
		err := c.Append(t.Context(), "fine", "日本")
		vaulttest.WantErrText(t, "Append", err, columnvault.ErrInvalidArgument, "non-ASCII", "value 1")
		vaulttest.WantColumn(t, c, "plain") // nothing of the call was written
	})
}

func TestStructuredColumnsSideBySide(t *testing.T) {
	v := vaulttest.Open(t)
	ids := vaulttest.Create(t, v, "ids", dtype.Int64)
	names := vaulttest.Create(t, v, "names", dtype.String)
	metas := vaulttest.Create(t, v, "metas", dtype.MsgPack[visit]())
	blobs := vaulttest.Create(t, v, "blobs", dtype.CBOR[[]int64]())
	for i := range 10 {
		vaulttest.Must(t, ids.Append(t.Context(), int64(i)))
		vaulttest.Must(t, names.Append(t.Context(), fmt.Sprint("name", i)))
		vaulttest.Must(t, metas.Append(t.Context(), visit{ID: int64(i)}))
		vaulttest.Must(t, blobs.Append(t.Context(), []int64{int64(i), int64(-i)}))
	}
	vaulttest.WantColumn(t, ids, vaulttest.Span(0, 10)...)
	vaulttest.WantColumn(t, names, vaulttest.Sequence(10, func(i int) string { return fmt.Sprint("name", i) })...)
	vaulttest.WantColumn(t, metas, vaulttest.Sequence(10, func(i int) visit { return visit{ID: int64(i)} })...)
	vaulttest.WantColumn(t, blobs, vaulttest.Sequence(10, func(i int) []int64 { return []int64{int64(i), int64(-i)} })...)
}

func TestStructuredPersistence(t *testing.T) {
	path := filepath.Join(t.TempDir(), "persistent.db")
	visits := vaulttest.Sequence(20, func(i int) visit { return visit{ID: int64(i), Name: strings.Repeat("n", i)} })
	texts := []string{"first", "zweite", "третья", "四番目"}
	v := vaulttest.OpenAt(t, path, nil)
	vaulttest.Create(t, v, "visits", dtype.MsgPack[visit](), visits...)
	vaulttest.Create(t, v, "texts", dtype.String, texts...)
	vaulttest.Must(t, v.Close())
	v = vaulttest.OpenAt(t, path, nil)
	vaulttest.WantColumn(t, vaulttest.Lookup(t, v, "visits", dtype.MsgPack[visit]()), visits...)
	vaulttest.WantColumn(t, vaulttest.Lookup(t, v, "texts", dtype.String), texts...)
}

func TestStructuredEdges(t *testing.T) {
	v := vaulttest.Open(t)
	row := any(vaulttest.Sequence(100, func(i int) any { return int64(i) }))
	large := map[string]any{}
	for i := range 50 {
		large[fmt.Sprint("key", i)] = row
	}
	for name, value := range map[string]any{
		"empty dict":               map[string]any{},
		"empty list":               []any{},
		"empty string":             "",
		"one object of 50 x 100":   large,
		"nothing":                  nil,
		"the largest unsigned int": uint64(1<<64 - 1),
	} {
		t.Run(name, func(t *testing.T) {
			vaulttest.WantColumn(t, vaulttest.Create(t, v, name+" msgpack", dtype.MsgPack[any](), value), value)
			vaulttest.WantColumn(t, vaulttest.Create(t, v, name+" cbor", dtype.CBOR[any](), value), value)
		})
	}
	t.Run("empty text", func(t *testing.T) {
		vaulttest.WantColumn(t, vaulttest.Create(t, v, "text", dtype.String, "", "", ""), "", "", "")
	})
}

func TestStructuredDTypes(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	for _, test := range []struct {
		dtype, canonical string
		varSize          bool
		size             int // of an element, where all have the same
		value            any
	}{
		{"i64", "i64", false, 8, int64(1)},
		{"f64", "f64", false, 8, 1.5},
		{"bytes:128", "bytes:128", false, 128, make([]byte, 128)},
		{"str:32", "str:32:utf8", false, 32, "text"},
		{"bytes", "bytes", true, 0, []byte("b")},
		{"str:utf8", "str:utf8", true, 0, "text"},
		{"msgpack", "msgpack", true, 0, "text"},
		{"cbor", "cbor", true, 0, "text"},
	} {
		t.Run(test.dtype, func(t *testing.T) {
			typ, err := dtype.Parse(test.dtype)
			vaulttest.Must(t, err)
			c := vaulttest.Create(t, v, test.dtype, typ, test.value)
			vaulttest.WantColumn(t, c, test.value)
			infos, err := v.Columns(ctx)
			vaulttest.Must(t, err)
			last := infos[len(infos)-1]
			if want := (columnvault.ColumnInfo{Name: test.dtype, DType: test.canonical, Len: 1, VarSize: test.varSize, Layout: int(engine.Layout)}); last != want {
				t.Errorf("listed: %+v, want %+v", last, want)
			}
			s, err := c.Stat(ctx)
			vaulttest.Must(t, err)
			if test.size != 0 && s.Largest != int64(test.size) {
				t.Errorf("an element has %d bytes, want %d", s.Largest, test.size)
			}
		})
	}
}

func TestStructuredInvalidDType(t *testing.T) {
	v := vaulttest.Open(t)
	if _, err := dtype.Parse("invalid_type"); !errors.Is(err, dtype.ErrSyntax) {
		t.Errorf("Parse: got error %v, want one that is %v", err, dtype.ErrSyntax)
	}
	refuse(t, v, "size", dtype.FixedBytes(-1))
	refuse(t, v, "text", dtype.FixedText(-1, dtype.UTF8))
	refuse(t, v, "encoding", dtype.Text(dtype.Encoding(99)))
	refuse(t, v, "dimension", dtype.Type[[]float32](dtype.Vector[float32](3, 0)))
	refuse(t, v, "go type", dtype.Type[chan int](dtype.MsgPack[chan int]()))
	vaulttest.WantNames(t, v) // none was created
}

// refuse requires that no column is created or opened with a type that was
// made with a bad argument.
func refuse[T any](t *testing.T, v *columnvault.Vault, name string, typ dtype.Type[T]) {
	t.Helper()
	_, err := columnvault.Create(t.Context(), v, name, typ, nil)
	vaulttest.WantErr(t, "Create of "+name, err, columnvault.ErrInvalidArgument)
	_, err = columnvault.Ensure(t.Context(), v, name, typ, nil)
	vaulttest.WantErr(t, "Ensure of "+name, err, columnvault.ErrInvalidArgument)
}
