package conformance_test

import (
	"math"
	"slices"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/engine"
	"columnvault/internal/vaulttest"
)

// What test_columnar of KohakuVault 0.8.6 requires. Its vaults in memory are
// files here, because a vault in memory is refused.

func TestColumnarBasic(t *testing.T) {
	ctx := t.Context()
	c := vaulttest.Create(t, vaulttest.Open(t), "values", dtype.Int64)
	vaulttest.WantColumn(t, c)
	vaulttest.Must(t, c.Append(ctx, 10))
	vaulttest.Must(t, c.Append(ctx, 20))
	vaulttest.Must(t, c.Append(ctx, 30))
	vaulttest.WantLen(t, c, 3)
	vaulttest.WantAt(t, c, 0, 10)
	vaulttest.WantAt(t, c, 1, 20)
	vaulttest.WantAt(t, c, 2, 30)
	vaulttest.WantAt(t, c, -1, 30)
	vaulttest.WantAt(t, c, -2, 20)
}

func TestColumnarTypes(t *testing.T) {
	v := vaulttest.Open(t)
	t.Run("i64", func(t *testing.T) {
		c := vaulttest.Create(t, v, "ints", dtype.Int64, 42, -100, math.MinInt64, math.MaxInt64)
		vaulttest.WantColumn(t, c, 42, -100, math.MinInt64, math.MaxInt64)
	})
	t.Run("f64", func(t *testing.T) {
		c := vaulttest.Create(t, v, "floats", dtype.Float64, 3.14, -2.5e300, math.Inf(1), math.SmallestNonzeroFloat64)
		vaulttest.WantColumn(t, c, 3.14, -2.5e300, math.Inf(1), math.SmallestNonzeroFloat64)
	})
	t.Run("bytes:10", func(t *testing.T) { // comes back padded
		c := vaulttest.Create(t, v, "bytes", dtype.FixedBytes(10), []byte("hello"), []byte("0123456789"), nil)
		vaulttest.WantColumn(t, c, []byte("hello\x00\x00\x00\x00\x00"), []byte("0123456789"), make([]byte, 10))
	})
}

func TestColumnarIteration(t *testing.T) {
	c := vaulttest.Create(t, vaulttest.Open(t), "squares", dtype.Int64)
	vaulttest.AppendEach(t, c, vaulttest.Sequence(10, func(i int) int64 { return int64(i * i) }))
	vaulttest.WantValues(t, "squares", vaulttest.Collect(t, c.Values(t.Context())), []int64{0, 1, 4, 9, 16, 25, 36, 49, 64, 81})
}

func TestColumnarSetItem(t *testing.T) {
	ctx := t.Context()
	c := vaulttest.Create(t, vaulttest.Open(t), "values", dtype.Int64, 1, 2, 3)
	vaulttest.Must(t, c.Set(ctx, 0, 100))
	vaulttest.WantColumn(t, c, 100, 2, 3)
	vaulttest.Must(t, c.Set(ctx, 1, 200))
	vaulttest.WantColumn(t, c, 100, 200, 3)
	vaulttest.Must(t, c.Set(ctx, -1, 300))
	vaulttest.WantColumn(t, c, 100, 200, 300)
}

func TestColumnarDelItem(t *testing.T) {
	ctx := t.Context()
	c := vaulttest.Create(t, vaulttest.Open(t), "values", dtype.Int64, 10, 20, 30, 40)
	vaulttest.Must(t, c.Delete(ctx, 1, 2))
	vaulttest.WantColumn(t, c, 10, 30, 40)
	vaulttest.Must(t, c.Delete(ctx, -1, columnvault.End))
	vaulttest.WantColumn(t, c, 10, 30)
}

func TestColumnarInsert(t *testing.T) {
	ctx := t.Context()
	c := vaulttest.Create(t, vaulttest.Open(t), "values", dtype.Int64, 10, 30)
	vaulttest.Must(t, c.Insert(ctx, 0, 5))
	vaulttest.WantColumn(t, c, 5, 10, 30)
	vaulttest.Must(t, c.Insert(ctx, 2, 20))
	vaulttest.WantColumn(t, c, 5, 10, 20, 30)
	vaulttest.Must(t, c.Insert(ctx, 4, 40)) // at the length: the same as appending
	vaulttest.WantColumn(t, c, 5, 10, 20, 30, 40)
}

func TestColumnarExtend(t *testing.T) {
	ctx := t.Context()
	c := vaulttest.Create(t, vaulttest.Open(t), "values", dtype.Int64)
	vaulttest.Must(t, c.Append(ctx, 1, 2, 3))
	vaulttest.Must(t, c.Append(ctx, 4, 5))
	vaulttest.WantColumn(t, c, 1, 2, 3, 4, 5)
	vaulttest.Must(t, c.AppendSeq(ctx, slices.Values([]int64{6, 7, 8})))
	vaulttest.Must(t, c.Append(ctx))
	vaulttest.Must(t, c.AppendSeq(ctx, slices.Values([]int64{})))
	vaulttest.WantColumn(t, c, 1, 2, 3, 4, 5, 6, 7, 8)
}

// TestColumnarExtendRefuses: a value that does not fit is named, and keeps the
// whole call from happening.
func TestColumnarExtendRefuses(t *testing.T) {
	ctx := t.Context()
	c := vaulttest.Create(t, vaulttest.Open(t), "values", dtype.FixedBytes(2), []byte("ok"))
	values := [][]byte{[]byte("a"), []byte("bb"), []byte("ccc"), []byte("d")}
	vaulttest.WantErrText(t, "Append", c.Append(ctx, values...), columnvault.ErrInvalidArgument, "value 2")
	vaulttest.WantErrText(t, "AppendSeq", c.AppendSeq(ctx, slices.Values(values)), columnvault.ErrInvalidArgument, "value 2")
	vaulttest.WantErrText(t, "Insert", c.Insert(ctx, 0, values...), columnvault.ErrInvalidArgument, "value 2")
	vaulttest.WantColumn(t, c, []byte("ok"))
}

// TestColumnarClear is a single chunk, as in the original; a longer column
// could not be appended to any more there, see TestAppendAfterClear.
func TestColumnarClear(t *testing.T) {
	ctx := t.Context()
	c := vaulttest.Create(t, vaulttest.Open(t), "values", dtype.Int64, 1, 2, 3)
	vaulttest.Must(t, c.Clear(ctx))
	vaulttest.WantColumn(t, c)
	vaulttest.Must(t, c.Append(ctx, 100))
	vaulttest.WantColumn(t, c, 100)
}

// TestColumnarEnsure: the original returns the very same object. Handles hold
// no state here, so what counts is that both see the same elements.
func TestColumnarEnsure(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	first, err := columnvault.Ensure(ctx, v, "values", dtype.Int64, nil)
	vaulttest.Must(t, err)
	vaulttest.Must(t, first.Append(ctx, 42))
	second, err := columnvault.Ensure(ctx, v, "values", dtype.Int64, nil)
	vaulttest.Must(t, err)
	vaulttest.WantColumn(t, second, 42)
	vaulttest.Must(t, second.Append(ctx, 43))
	vaulttest.WantColumn(t, first, 42, 43)
	vaulttest.WantNames(t, v, "values")
}

// TestColumnarListColumns: a variable-size column is one entry here, with its
// own name and length, and not the two rows that it takes in the file.
func TestColumnarListColumns(t *testing.T) {
	v := vaulttest.Open(t)
	vaulttest.WantNames(t, v)
	vaulttest.Create(t, v, "ints", dtype.Int64, 1, 2, 3)
	vaulttest.Create(t, v, "floats", dtype.Float64)
	vaulttest.Create(t, v, "texts", dtype.String, "a", "b")
	infos, err := v.Columns(t.Context())
	vaulttest.Must(t, err)
	for i := range infos {
		infos[i].Layout -= int(engine.Layout) // whichever it is
	}
	vaulttest.WantValues(t, "columns", infos, []columnvault.ColumnInfo{
		{Name: "ints", DType: "i64", Len: 3},
		{Name: "floats", DType: "f64", Len: 0},
		{Name: "texts", DType: "str:utf8", Len: 2, VarSize: true},
	})
}

// TestColumnarDeleteColumn: where the original returns true and then false,
// Drop succeeds and then gives ErrNotFound.
func TestColumnarDeleteColumn(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	c := vaulttest.Create(t, v, "values", dtype.Int64, 1)
	vaulttest.Must(t, v.Drop(ctx, "values"))
	vaulttest.WantErr(t, "second Drop", v.Drop(ctx, "values"), columnvault.ErrNotFound)
	_, err := c.At(ctx, 0)
	vaulttest.WantErr(t, "At of a dropped column", err, columnvault.ErrNotFound)
	_, err = v.Column(ctx, "values")
	vaulttest.WantErr(t, "Column of a dropped column", err, columnvault.ErrNotFound)
}

// TestColumnarSharedDatabase: columns and a key-value table share a file that
// the original wrote. The columns change, the table keeps every byte.
func TestColumnarSharedDatabase(t *testing.T) {
	ctx := t.Context()
	const table = `SELECT hex(key), hex(value) FROM kv ORDER BY key`
	path := vaulttest.CopyGolden(t, "v0", "shared_with_kv.db")
	before := vaulttest.QuerySQL(t, path, table)
	if len(before) == 0 {
		t.Fatal("the fixture has no keys")
	}

	v := vaulttest.OpenAt(t, path, nil)
	ids, titles := vaulttest.Lookup(t, v, "ids", dtype.Int64), vaulttest.Lookup(t, v, "titles", dtype.String)
	vaulttest.WantColumn(t, ids, 1, 2, 3)
	vaulttest.WantColumn(t, titles, "a", "b", "c")
	vaulttest.Must(t, ids.Append(ctx, 4))
	vaulttest.Must(t, titles.Append(ctx, "d"))
	vaulttest.Must(t, v.Close())

	v = vaulttest.OpenAt(t, path, nil)
	vaulttest.WantColumn(t, vaulttest.Lookup(t, v, "ids", dtype.Int64), 1, 2, 3, 4)
	vaulttest.WantColumn(t, vaulttest.Lookup(t, v, "titles", dtype.String), "a", "b", "c", "d")
	vaulttest.WantValues(t, "key-value table", vaulttest.QuerySQL(t, path, table), before)
}

func TestColumnarLargeData(t *testing.T) {
	c := vaulttest.Create(t, vaulttest.Open(t), "values", dtype.Int64)
	vaulttest.AppendEach(t, c, vaulttest.Sequence(10_000, func(i int) int64 { return int64(i) }))
	vaulttest.WantLen(t, c, 10_000)
	vaulttest.WantAt(t, c, 0, 0)
	vaulttest.WantAt(t, c, 5_000, 5_000)
	vaulttest.WantAt(t, c, -1, 9_999)
	next := int64(0)
	for value, err := range c.Values(t.Context()) {
		vaulttest.Must(t, err)
		if value != next {
			t.Fatalf("the value at %d is %d", next, value)
		}
		if next++; next == 100 {
			break
		}
	}
	if next != 100 {
		t.Errorf("the loop gave %d values, want 100", next)
	}
}

func TestColumnarOutOfBounds(t *testing.T) {
	ctx := t.Context()
	c := vaulttest.Create(t, vaulttest.Open(t), "values", dtype.Int64, 1, 2, 3)
	for _, i := range []int{10, -10, 3, -4, columnvault.Begin, columnvault.End} {
		_, err := c.At(ctx, i)
		vaulttest.WantErr(t, "At", err, columnvault.ErrOutOfRange)
		vaulttest.WantIndex(t, err, i)
		vaulttest.WantErr(t, "Set", c.Set(ctx, i, 0), columnvault.ErrOutOfRange)
		_, err = c.Pop(ctx, i)
		vaulttest.WantErr(t, "Pop", err, columnvault.ErrOutOfRange)
	}
	vaulttest.WantColumn(t, c, 1, 2, 3)
}

func TestColumnarColumnNotFound(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	_, err := v.Column(ctx, "nonexistent")
	vaulttest.WantErr(t, "Column", err, columnvault.ErrNotFound)
	_, err = columnvault.Lookup(ctx, v, "nonexistent", dtype.Int64)
	vaulttest.WantErrText(t, "Lookup", err, columnvault.ErrNotFound, "nonexistent")
}

// TestColumnarVarSize is the lines varsize_bytes_*.
func TestColumnarVarSize(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	values := [][]byte{[]byte("short"), []byte("a much longer value than the first"), []byte("x"), []byte("\x00\xff\x00")}
	t.Run("basic", func(t *testing.T) {
		c := vaulttest.Create(t, v, "basic", dtype.Bytes)
		vaulttest.AppendEach(t, c, values)
		vaulttest.WantColumn(t, c, values...)
	})
	t.Run("extend", func(t *testing.T) {
		c := vaulttest.Create(t, v, "extend", dtype.Bytes)
		vaulttest.Must(t, c.Append(ctx, values...))
		vaulttest.WantColumn(t, c, values...)
	})
	t.Run("iteration", func(t *testing.T) {
		c := vaulttest.Create(t, v, "iteration", dtype.Bytes, values...)
		vaulttest.WantValues(t, "values", vaulttest.Collect(t, c.Values(ctx)), values)
	})
	t.Run("negative_indexing", func(t *testing.T) {
		c := vaulttest.Create(t, v, "negative", dtype.Bytes, values...)
		vaulttest.WantAt(t, c, -1, values[3])
		vaulttest.WantAt(t, c, -2, values[2])
		vaulttest.WantAt(t, c, -3, values[1])
	})
	t.Run("clear", func(t *testing.T) {
		c := vaulttest.Create(t, v, "clear", dtype.Bytes, values...)
		vaulttest.Must(t, c.Clear(ctx))
		vaulttest.WantColumn(t, c)
		vaulttest.Must(t, c.Append(ctx, []byte("new")))
		vaulttest.WantColumn(t, c, []byte("new"))
	})
	t.Run("empty_strings", func(t *testing.T) {
		c := vaulttest.Create(t, v, "empty", dtype.Bytes)
		vaulttest.AppendEach(t, c, [][]byte{{}, []byte("middle"), {}})
		vaulttest.WantColumn(t, c, []byte{}, []byte("middle"), []byte{})
	})
	vaulttest.WantSound(t, v)
}

func TestColumnarVarSizeAgainstFixedSize(t *testing.T) {
	v := vaulttest.Open(t)
	fixed := vaulttest.Create(t, v, "fixed", dtype.FixedBytes(10), []byte("hi"))
	varsize := vaulttest.Create(t, v, "varsize", dtype.Bytes, []byte("hi"))
	vaulttest.WantColumn(t, fixed, []byte("hi\x00\x00\x00\x00\x00\x00\x00\x00"))
	vaulttest.WantColumn(t, varsize, []byte("hi"))
}
