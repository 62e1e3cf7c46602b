package columnvault_test

import (
	"math"
	"slices"
	"testing"

	"columnvault"
	"columnvault/dtype"
)

// What test_columnar of KohakuVault 0.8.6 requires. Its vaults in memory are
// files here, because a vault in memory is refused.

func TestColumnarBasic(t *testing.T) {
	ctx := t.Context()
	c := create(t, open(t), "values", dtype.Int64)
	wantColumn(t, c)
	must(t, c.Append(ctx, 10))
	must(t, c.Append(ctx, 20))
	must(t, c.Append(ctx, 30))
	wantLen(t, c, 3)
	wantAt(t, c, 0, 10)
	wantAt(t, c, 1, 20)
	wantAt(t, c, 2, 30)
	wantAt(t, c, -1, 30)
	wantAt(t, c, -2, 20)
}

func TestColumnarTypes(t *testing.T) {
	v := open(t)
	t.Run("i64", func(t *testing.T) {
		c := create(t, v, "ints", dtype.Int64, 42, -100, math.MinInt64, math.MaxInt64)
		wantColumn(t, c, 42, -100, math.MinInt64, math.MaxInt64)
	})
	t.Run("f64", func(t *testing.T) {
		c := create(t, v, "floats", dtype.Float64, 3.14, -2.5e300, math.Inf(1), math.SmallestNonzeroFloat64)
		wantColumn(t, c, 3.14, -2.5e300, math.Inf(1), math.SmallestNonzeroFloat64)
	})
	t.Run("bytes:10", func(t *testing.T) { // comes back padded
		c := create(t, v, "bytes", dtype.FixedBytes(10), []byte("hello"), []byte("0123456789"), nil)
		wantColumn(t, c, []byte("hello\x00\x00\x00\x00\x00"), []byte("0123456789"), make([]byte, 10))
	})
}

func TestColumnarIteration(t *testing.T) {
	c := create(t, open(t), "squares", dtype.Int64)
	appendEach(t, c, sequence(10, func(i int) int64 { return int64(i * i) }))
	wantValues(t, "squares", collect(t, c.Values(t.Context())), []int64{0, 1, 4, 9, 16, 25, 36, 49, 64, 81})
}

func TestColumnarSetItem(t *testing.T) {
	ctx := t.Context()
	c := create(t, open(t), "values", dtype.Int64, 1, 2, 3)
	must(t, c.Set(ctx, 0, 100))
	wantColumn(t, c, 100, 2, 3)
	must(t, c.Set(ctx, 1, 200))
	wantColumn(t, c, 100, 200, 3)
	must(t, c.Set(ctx, -1, 300))
	wantColumn(t, c, 100, 200, 300)
}

func TestColumnarDelItem(t *testing.T) {
	ctx := t.Context()
	c := create(t, open(t), "values", dtype.Int64, 10, 20, 30, 40)
	must(t, c.Delete(ctx, 1, 2))
	wantColumn(t, c, 10, 30, 40)
	must(t, c.Delete(ctx, -1, end))
	wantColumn(t, c, 10, 30)
}

func TestColumnarInsert(t *testing.T) {
	ctx := t.Context()
	c := create(t, open(t), "values", dtype.Int64, 10, 30)
	must(t, c.Insert(ctx, 0, 5))
	wantColumn(t, c, 5, 10, 30)
	must(t, c.Insert(ctx, 2, 20))
	wantColumn(t, c, 5, 10, 20, 30)
	must(t, c.Insert(ctx, 4, 40)) // at the length: the same as appending
	wantColumn(t, c, 5, 10, 20, 30, 40)
}

func TestColumnarExtend(t *testing.T) {
	ctx := t.Context()
	c := create(t, open(t), "values", dtype.Int64)
	must(t, c.Append(ctx, 1, 2, 3))
	must(t, c.Append(ctx, 4, 5))
	wantColumn(t, c, 1, 2, 3, 4, 5)
	must(t, c.AppendSeq(ctx, slices.Values([]int64{6, 7, 8})))
	must(t, c.Append(ctx))
	must(t, c.AppendSeq(ctx, slices.Values([]int64{})))
	wantColumn(t, c, 1, 2, 3, 4, 5, 6, 7, 8)
}

// TestColumnarExtendRefuses: a value that does not fit is named, and keeps the
// whole call from happening.
func TestColumnarExtendRefuses(t *testing.T) {
	ctx := t.Context()
	c := create(t, open(t), "values", dtype.FixedBytes(2), []byte("ok"))
	values := [][]byte{[]byte("a"), []byte("bb"), []byte("ccc"), []byte("d")}
	wantErrText(t, "Append", c.Append(ctx, values...), columnvault.ErrInvalidArgument, "value 2")
	wantErrText(t, "AppendSeq", c.AppendSeq(ctx, slices.Values(values)), columnvault.ErrInvalidArgument, "value 2")
	wantErrText(t, "Insert", c.Insert(ctx, 0, values...), columnvault.ErrInvalidArgument, "value 2")
	wantColumn(t, c, []byte("ok"))
}

// TestColumnarClear is a single chunk, as in the original; a longer column
// could not be appended to any more there, see TestDefect09.
func TestColumnarClear(t *testing.T) {
	ctx := t.Context()
	c := create(t, open(t), "values", dtype.Int64, 1, 2, 3)
	must(t, c.Clear(ctx))
	wantColumn(t, c)
	must(t, c.Append(ctx, 100))
	wantColumn(t, c, 100)
}

// TestColumnarEnsure: the original returns the very same object. Handles hold
// no state here, so what counts is that both see the same elements.
func TestColumnarEnsure(t *testing.T) {
	ctx := t.Context()
	v := open(t)
	first, err := columnvault.Ensure(ctx, v, "values", dtype.Int64, nil)
	must(t, err)
	must(t, first.Append(ctx, 42))
	second, err := columnvault.Ensure(ctx, v, "values", dtype.Int64, nil)
	must(t, err)
	wantColumn(t, second, 42)
	must(t, second.Append(ctx, 43))
	wantColumn(t, first, 42, 43)
	wantNames(t, v, "values")
}

// TestColumnarListColumns: a variable-size column is one entry here, with its
// own name and length, and not the two rows that it takes in the file.
func TestColumnarListColumns(t *testing.T) {
	v := open(t)
	wantNames(t, v)
	create(t, v, "ints", dtype.Int64, 1, 2, 3)
	create(t, v, "floats", dtype.Float64)
	create(t, v, "texts", dtype.String, "a", "b")
	infos, err := v.Columns(t.Context())
	must(t, err)
	wantValues(t, "columns", infos, []columnvault.ColumnInfo{
		{Name: "ints", DType: "i64", Len: 3},
		{Name: "floats", DType: "f64", Len: 0},
		{Name: "texts", DType: "str:utf8", Len: 2, VarSize: true},
	})
}

// TestColumnarDeleteColumn: where the original returns true and then false,
// Drop succeeds and then gives ErrNotFound.
func TestColumnarDeleteColumn(t *testing.T) {
	ctx := t.Context()
	v := open(t)
	c := create(t, v, "values", dtype.Int64, 1)
	must(t, v.Drop(ctx, "values"))
	wantErr(t, "second Drop", v.Drop(ctx, "values"), columnvault.ErrNotFound)
	_, err := c.At(ctx, 0)
	wantErr(t, "At of a dropped column", err, columnvault.ErrNotFound)
	_, err = v.Column(ctx, "values")
	wantErr(t, "Column of a dropped column", err, columnvault.ErrNotFound)
}

// TestColumnarSharedDatabase: columns and a key-value table share a file that
// the original wrote. The columns change, the table keeps every byte.
func TestColumnarSharedDatabase(t *testing.T) {
	ctx := t.Context()
	const table = `SELECT hex(key), hex(value) FROM kv ORDER BY key`
	path := copyFixture(t, "v0", "shared_with_kv.db")
	before := querySQL(t, path, table)
	if len(before) == 0 {
		t.Fatal("the fixture has no keys")
	}

	v := openAt(t, path, nil)
	ids, titles := lookup(t, v, "ids", dtype.Int64), lookup(t, v, "titles", dtype.String)
	wantColumn(t, ids, 1, 2, 3)
	wantColumn(t, titles, "a", "b", "c")
	must(t, ids.Append(ctx, 4))
	must(t, titles.Append(ctx, "d"))
	must(t, v.Close())

	v = openAt(t, path, nil)
	wantColumn(t, lookup(t, v, "ids", dtype.Int64), 1, 2, 3, 4)
	wantColumn(t, lookup(t, v, "titles", dtype.String), "a", "b", "c", "d")
	wantValues(t, "key-value table", querySQL(t, path, table), before)
}

func TestColumnarLargeData(t *testing.T) {
	c := create(t, open(t), "values", dtype.Int64)
	appendEach(t, c, sequence(10_000, func(i int) int64 { return int64(i) }))
	wantLen(t, c, 10_000)
	wantAt(t, c, 0, 0)
	wantAt(t, c, 5_000, 5_000)
	wantAt(t, c, -1, 9_999)
	next := int64(0)
	for value, err := range c.Values(t.Context()) {
		must(t, err)
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
	c := create(t, open(t), "values", dtype.Int64, 1, 2, 3)
	for _, i := range []int{10, -10, 3, -4, begin, end} {
		_, err := c.At(ctx, i)
		wantErr(t, "At", err, columnvault.ErrOutOfRange)
		wantIndex(t, err, i)
		wantErr(t, "Set", c.Set(ctx, i, 0), columnvault.ErrOutOfRange)
		_, err = c.Pop(ctx, i)
		wantErr(t, "Pop", err, columnvault.ErrOutOfRange)
	}
	wantColumn(t, c, 1, 2, 3)
}

func TestColumnarColumnNotFound(t *testing.T) {
	ctx := t.Context()
	v := open(t)
	_, err := v.Column(ctx, "nonexistent")
	wantErr(t, "Column", err, columnvault.ErrNotFound)
	_, err = columnvault.Lookup(ctx, v, "nonexistent", dtype.Int64)
	wantErrText(t, "Lookup", err, columnvault.ErrNotFound, "nonexistent")
}

// TestColumnarVarSize is the lines varsize_bytes_*.
func TestColumnarVarSize(t *testing.T) {
	ctx := t.Context()
	v := open(t)
	values := [][]byte{[]byte("short"), []byte("a much longer value than the first"), []byte("x"), []byte("\x00\xff\x00")}
	t.Run("basic", func(t *testing.T) {
		c := create(t, v, "basic", dtype.Bytes)
		appendEach(t, c, values)
		wantColumn(t, c, values...)
	})
	t.Run("extend", func(t *testing.T) {
		c := create(t, v, "extend", dtype.Bytes)
		must(t, c.Append(ctx, values...))
		wantColumn(t, c, values...)
	})
	t.Run("iteration", func(t *testing.T) {
		c := create(t, v, "iteration", dtype.Bytes, values...)
		wantValues(t, "values", collect(t, c.Values(ctx)), values)
	})
	t.Run("negative_indexing", func(t *testing.T) {
		c := create(t, v, "negative", dtype.Bytes, values...)
		wantAt(t, c, -1, values[3])
		wantAt(t, c, -2, values[2])
		wantAt(t, c, -3, values[1])
	})
	t.Run("clear", func(t *testing.T) {
		c := create(t, v, "clear", dtype.Bytes, values...)
		must(t, c.Clear(ctx))
		wantColumn(t, c)
		must(t, c.Append(ctx, []byte("new")))
		wantColumn(t, c, []byte("new"))
	})
	t.Run("empty_strings", func(t *testing.T) {
		c := create(t, v, "empty", dtype.Bytes)
		appendEach(t, c, [][]byte{{}, []byte("middle"), {}})
		wantColumn(t, c, []byte{}, []byte("middle"), []byte{})
	})
	wantSound(t, v)
}

func TestColumnarVarSizeAgainstFixedSize(t *testing.T) {
	v := open(t)
	fixed := create(t, v, "fixed", dtype.FixedBytes(10), []byte("hi"))
	varsize := create(t, v, "varsize", dtype.Bytes, []byte("hi"))
	wantColumn(t, fixed, []byte("hi\x00\x00\x00\x00\x00\x00\x00\x00"))
	wantColumn(t, varsize, []byte("hi"))
}
