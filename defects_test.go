package columnvault_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"columnvault"
	"columnvault/dtype"
)

// What went wrong in KohakuVault 0.8.6, each in a test that it does not here.
// The numbers are those of the list of defects.

// TestDefect04: deleting a variable-size column returned false and left its
// two rows and all its chunks.
func TestDefect04(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	v := openAt(t, path, nil)
	createWith(t, v, "texts", dtype.Bytes, varChunks, sized(500, 100)...)
	must(t, v.Drop(t.Context(), "texts"))
	wantNames(t, v)
	wantValues(t, "rows of columns", querySQL(t, path, `SELECT name FROM col_meta`), nil)
	wantValues(t, "chunks", querySQL(t, path, `SELECT chunk_idx FROM col_chunks`), nil)
	c := create(t, v, "texts", dtype.Bytes)
	wantColumn(t, c)
	must(t, c.Append(t.Context(), []byte("new")))
	wantColumn(t, c, []byte("new"))
	wantSound(t, v)
}

// TestDefect04b: a fixed column went together with its chunks only because
// foreign keys were on. They go without them as well, and chunks that somebody
// else has left behind do not become those of a new column.
func TestDefect04b(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	v := openAt(t, path, nil)
	createWith(t, v, "ints", dtype.Int64, fixedChunks, sequence(1000, identity)...)
	must(t, v.Drop(t.Context(), "ints"))
	wantValues(t, "chunks", querySQL(t, path, `SELECT chunk_idx FROM col_chunks`), nil)

	createWith(t, v, "ints", dtype.Int64, fixedChunks, sequence(1000, identity)...)
	must(t, v.Close())
	execSQL(t, path, `PRAGMA foreign_keys = OFF`, `DELETE FROM col_meta`)
	v = openAt(t, path, nil)
	c := create(t, v, "heir", dtype.Int64)
	wantChunks(t, c, 0)
	must(t, c.Append(t.Context(), 7))
	wantColumn(t, c, 7)
	wantSound(t, v)
}

// TestDefect06: a slice update over two chunks ran over a neighbour when the
// share of one chunk grew, though the sum of all sizes did not.
func TestDefect06(t *testing.T) {
	ctx := t.Context()
	v := open(t)
	// Three elements of 60 bytes fill a chunk: the second chunk begins with 3.
	want := sized(6, 60)
	c := createWith(t, v, "values", dtype.Bytes, chunks(180, 180), want...)
	wantChunks(t, c, 2)
	want[2], want[3] = []byte{}, someBytes(99, 110)
	must(t, c.SetSlice(ctx, 2, 4, want[2:4]))
	wantColumn(t, c, want...)
	wantSound(t, v)
}

// TestDefect07: once the last chunk was full, appends grew it past the maximum
// and wrote all of it anew each time.
func TestDefect07(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	v := openAt(t, path, nil)
	const largest = 10_080
	c := createWith(t, v, "values", dtype.Bytes, chunks(1008, largest))
	// written is how many bytes 50 appends of 1000 bytes bring into the
	// write-ahead log.
	written := func() int64 {
		before := fileSize(t, path+"-wal")
		appendEach(t, c, sized(50, 1000))
		return fileSize(t, path+"-wal") - before
	}
	first := written()
	for n := 100; n <= 500; n += 50 {
		if later := written(); later > first+first/2 {
			t.Errorf("50 appends to %d elements write %d bytes, the first 50 wrote %d", n-50, later, first)
		}
		s := wantChunks(t, c, n/10)
		if s.Live != int64(n)*1000 || s.Capacity != int64(n/10)*largest {
			t.Errorf("the chunks of %d elements are not full: %+v", n, s)
		}
	}
	wantValues(t, "sizes of chunks", querySQL(t, path, `SELECT DISTINCT actual_size, length(data)
		FROM col_chunks JOIN col_meta USING (col_id) WHERE name = 'values_data'`), []string{"10080 10080"})
	wantSound(t, v)
}

func fileSize(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	must(t, err)
	return info.Size()
}

// TestDefect08: updates addressed the index by the maximum of the data chunks.
// Where that was no multiple of 12, updates behind the first chunk of the
// index destroyed the entries of others.
func TestDefect08(t *testing.T) {
	ctx := t.Context()
	for _, largest := range []int{120, 121, 125, 131} { // ten entries a chunk of the index
		t.Run(fmt.Sprint(largest), func(t *testing.T) {
			v := open(t)
			want := sized(35, 3)
			c := createWith(t, v, "values", dtype.Bytes, chunks(12, largest), want...)
			for i := range want {
				want[i] = someBytes(100+i, i%9)
				must(t, c.Set(ctx, i, want[i]))
				wantColumn(t, c, want...)
			}
			wantSound(t, v)
		})
	}
	t.Run("maxima that differ", func(t *testing.T) { // as in every column that the original has made
		path := filepath.Join(t.TempDir(), "test.db")
		v := openAt(t, path, nil)
		createWith(t, v, "values", dtype.Bytes, chunks(12, 120))
		must(t, v.Close())
		execSQL(t, path, `UPDATE col_meta SET max_chunk_bytes = 125 WHERE name = 'values_data'`)
		c := lookup(t, openAt(t, path, nil), "values", dtype.Bytes)
		want := sized(35, 3)
		must(t, c.Append(ctx, want...))
		for i := range want {
			want[i] = someBytes(100+i, i%9)
			must(t, c.Set(ctx, i, want[i]))
		}
		wantColumn(t, c, want...)
	})
	t.Run("as it was", func(t *testing.T) {
		if testing.Short() {
			t.Skip("1,450,000 elements")
		}
		const n, at = 1_450_000, 1_400_000
		v := open(t)
		c := createWith(t, v, "values", dtype.Bytes, chunks(128<<10, 16777212))
		must(t, c.AppendSeq(ctx, func(yield func([]byte) bool) {
			for i := range n {
				if !yield([]byte{byte(i)}) {
					return
				}
			}
		}))
		boundary := 16777212 / 12
		for _, i := range []int{boundary - 1, boundary, at} {
			must(t, c.Set(ctx, i, []byte("Z")))
			must(t, c.Set(ctx, i, []byte("longer")))
			wantSlice(t, c, i, i+1, []byte("longer"))
		}
		next := 0
		for value, err := range c.Values(ctx) {
			must(t, err)
			want := []byte{byte(next)}
			if next == boundary-1 || next == boundary || next == at {
				want = []byte("longer")
			}
			if !bytes.Equal(value, want) {
				t.Fatalf("the value at %d is %q, want %q", next, value, want)
			}
			next++
		}
		if next != n {
			t.Errorf("%d values, want %d", next, n)
		}
		wantSound(t, v)
	})
}

// TestDefect09: after clear, or many deletes, of a column of more than one
// chunk no append worked any more, for ever.
func TestDefect09(t *testing.T) {
	ctx := t.Context()
	v := open(t)
	t.Run("clear", func(t *testing.T) {
		c := createWith(t, v, "cleared", dtype.Int64, fixedChunks, sequence(1000, identity)...)
		must(t, c.Clear(ctx))
		wantChunks(t, c, 0)
		must(t, c.Append(ctx, 1, 2))
		wantColumn(t, c, 1, 2)
	})
	t.Run("clear varsize", func(t *testing.T) {
		c := createWith(t, v, "cleared varsize", dtype.Bytes, smallVarChunks, sized(1000, 20)...)
		must(t, c.Clear(ctx))
		wantChunks(t, c, 0)
		must(t, c.Append(ctx, []byte("new")))
		wantColumn(t, c, []byte("new"))
	})
	t.Run("many deletes", func(t *testing.T) {
		c := createWith(t, v, "deleted", dtype.Int64, fixedChunks, sequence(400, identity)...)
		for range 390 {
			must(t, c.Delete(ctx, -1, end))
		}
		wantChunks(t, c, 1)
		must(t, c.Append(ctx, 10, 11))
		wantColumn(t, c, sequence(12, identity)...)
	})
	wantSound(t, v)
	// Columns that the original has left in this state can be used again.
	t.Run("as the original left it", func(t *testing.T) {
		v := openAt(t, copyFixture(t, "v0", "fixed_chunks.db"), nil)
		for _, name := range []string{"cleared many", "stale tail"} {
			if !slices.Contains(problems(t, v), name) {
				t.Errorf("the fixture %q is not broken", name)
			}
			c := lookup(t, v, name, dtype.Int64)
			old, err := c.Slice(ctx, begin, end)
			must(t, err)
			must(t, c.Append(ctx, 1, 2, 3))
			wantColumn(t, c, append(old, 1, 2, 3)...)
			if slices.Contains(problems(t, v), name) {
				t.Errorf("%q is still broken after an append", name)
			}
		}
	})
}

// problems is the columns in which Check finds something.
func problems(t *testing.T, v *columnvault.Vault) (names []string) {
	t.Helper()
	for p, err := range v.Check(t.Context()) {
		must(t, err)
		names = append(names, p.Column)
	}
	return names
}

// TestDefect10: extend with an element larger than the maximum of a chunk
// failed and left a chunk that says it uses more bytes than it has.
func TestDefect10(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	v := openAt(t, path, nil)
	c := createWith(t, v, "values", dtype.Bytes, chunks(16, 504))
	want := [][]byte{someBytes(0, 10), someBytes(1, 2000), someBytes(2, 10), someBytes(3, 504), someBytes(4, 505), someBytes(5, 5)}
	must(t, c.Append(t.Context(), want...))
	wantColumn(t, c, want...)
	appendEach(t, c, want)
	wantColumn(t, c, slices.Concat(want, want)...)
	wantValues(t, "chunks that use more than they have",
		querySQL(t, path, `SELECT chunk_idx FROM col_chunks WHERE bytes_used > actual_size`), nil)
	wantSound(t, v)
}

// TestDefect14: extend with vectors of another shape cut their numbers askew.
func TestDefect14(t *testing.T) {
	ctx := t.Context()
	v := open(t)
	c := create(t, v, "vectors", dtype.Type[[]float32](dtype.Vector[float32](3)), []float32{1, 2, 3})
	err := c.Append(ctx, []float32{4, 5, 6}, []float32{1, 2, 3, 4}, []float32{5, 6, 7, 8})
	wantErrText(t, "Append", err, columnvault.ErrInvalidArgument, "value 1")
	wantErr(t, "Append of six fours", c.Append(ctx, make([]float32, 4), make([]float32, 4), make([]float32, 4)), columnvault.ErrInvalidArgument)
	wantErr(t, "Set", c.Set(ctx, 0, []float32{1, 2}), columnvault.ErrInvalidArgument)
	wantErr(t, "AppendFlat", columnvault.AppendFlat(ctx, c, make([]float32, 8)), columnvault.ErrInvalidArgument)
	dynamic, err := v.Column(ctx, "vectors")
	must(t, err)
	err = dynamic.Append(ctx, []float32{1, 2, 3, 4}, []any{5, 6, 7, 8})
	wantErr(t, "Append to the dynamic column", err, columnvault.ErrInvalidArgument)
	wantColumn(t, c, []float32{1, 2, 3})
}

// TestDefect20: extend never filled the last chunk, so that 200 extends of 10
// bytes made 201 chunks and 30 MB of file.
func TestDefect20(t *testing.T) {
	v := open(t)
	c := create(t, v, "values", dtype.Bytes)
	want := sized(200, 10)
	appendEach(t, c, want)
	if s := wantChunks(t, c, 1); s.Live != 2000 || s.Capacity > 4096 {
		t.Errorf("2000 bytes take a chunk of %d: %+v", s.Capacity, s)
	}
	wantColumn(t, c, want...)
	wantSound(t, v)
}

// TestDefect21: slices could not be deleted, and nothing could be inserted
// into variable-size columns.
func TestDefect21(t *testing.T) {
	ctx := t.Context()
	v := open(t)
	ints := sequence(1000, identity)
	fixed := createWith(t, v, "fixed", dtype.Int64, fixedChunks, ints...)
	texts := sized(200, 30)
	varsize := createWith(t, v, "varsize", dtype.Bytes, smallVarChunks, texts...)

	must(t, fixed.Delete(ctx, 100, -100))
	wantColumn(t, fixed, slices.Delete(ints, 100, 900)...)
	must(t, varsize.Delete(ctx, 10, 150))
	texts = slices.Delete(texts, 10, 150)
	wantColumn(t, varsize, texts...)

	added := [][]byte{someBytes(1000, 5), {}, someBytes(1002, 100)}
	for _, i := range []int{30, 0, 7} {
		must(t, varsize.Insert(ctx, i, added...))
		texts = slices.Insert(texts, i, added...)
		wantColumn(t, varsize, texts...)
	}
	wantSound(t, v)
}

// TestDefect22: an update that brought what lies in a chunk to between 1.5
// and 2 times the maximum destroyed all of it.
func TestDefect22(t *testing.T) {
	for _, size := range []int{500, 750, 1000, 1020} { // 1475 to 1995 bytes in the chunk, of 1020
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			v := open(t)
			want := sized(40, 25)
			c := createWith(t, v, "values", dtype.Bytes, chunks(16, 1020), want...)
			wantChunks(t, c, 1)
			want[20] = someBytes(99, size)
			must(t, c.Set(t.Context(), 20, want[20]))
			wantColumn(t, c, want...)
			wantSound(t, v)
		})
	}
}

// TestDefect23: a name could be used twice, by a fixed and a variable-size
// column, and the first could not be reached any more.
func TestDefect23(t *testing.T) {
	ctx := t.Context()
	v := open(t)
	fixed := create(t, v, "a", dtype.Int64, 1, 2, 3)
	_, err := columnvault.Create(ctx, v, "a", dtype.Bytes, nil)
	wantErrText(t, "variable-size over fixed", err, columnvault.ErrExists, "i64", "3 elements")
	varsize := create(t, v, "b", dtype.String, "x")
	_, err = columnvault.Create(ctx, v, "b", dtype.Int64, nil)
	wantErrText(t, "fixed over variable-size", err, columnvault.ErrExists, "str:utf8", "1 elements")
	wantNames(t, v, "a", "b")
	wantColumn(t, fixed, 1, 2, 3)
	wantColumn(t, varsize, "x")
}

// TestDefect24: a crash while a variable-size column was created left half of
// it, which could neither be opened nor created.
func TestDefect24(t *testing.T) {
	ctx := t.Context()
	const (
		row       = `INSERT INTO col_meta (name, dtype, elem_size, length, chunk_bytes, min_chunk_bytes, max_chunk_bytes) VALUES `
		dataHalf  = row + `('x_data', 'str', 1, 0, 131072, 131072, 16777216)`
		indexHalf = row + `('x_idx', 'adaptive_idx', 12, 0, 131076, 131076, 16777212)`
	)
	// half is a vault with such a column between two others.
	half := func(t *testing.T, sql string) *columnvault.Vault {
		path := filepath.Join(t.TempDir(), "test.db")
		v := openAt(t, path, nil)
		create(t, v, "before", dtype.Int64, 1)
		must(t, v.Close())
		execSQL(t, path, sql)
		v = openAt(t, path, nil)
		create(t, v, "after", dtype.String, "a")
		return v
	}
	// whole requires that the column works and that the vault is sound.
	whole := func(t *testing.T, v *columnvault.Vault, c *columnvault.Column[string]) {
		wantColumn(t, c)
		must(t, c.Append(ctx, "one", "two"))
		wantColumn(t, c, "one", "two")
		infos, err := v.Columns(ctx)
		must(t, err)
		for _, info := range infos {
			if info.Incomplete || len(infos) != 3 {
				t.Errorf("listed: %+v", infos)
			}
		}
		wantSound(t, v)
	}
	t.Run("listed", func(t *testing.T) {
		v := half(t, dataHalf)
		infos, err := v.Columns(ctx)
		must(t, err)
		if len(infos) != 3 || infos[1].Name != "x" || infos[1].DType != "str" || infos[1].Len != 0 || !infos[1].Incomplete {
			t.Errorf("listed: %+v", infos)
		}
		_, err = v.Column(ctx, "x")
		wantErrText(t, "Column", err, columnvault.ErrNotFound, "half", "same dtype")
		_, err = columnvault.Lookup(ctx, v, "x", dtype.String)
		wantErr(t, "Lookup", err, columnvault.ErrNotFound)
		wantValues(t, "problems", problems(t, v), []string{"x"})
	})
	t.Run("completed by Create", func(t *testing.T) {
		v := half(t, dataHalf)
		c, err := columnvault.Create(ctx, v, "x", dtype.String, nil)
		must(t, err)
		whole(t, v, c)
	})
	t.Run("completed by Ensure", func(t *testing.T) {
		v := half(t, dataHalf)
		c, err := columnvault.Ensure(ctx, v, "x", dtype.String, nil)
		must(t, err)
		whole(t, v, c)
	})
	t.Run("other dtype", func(t *testing.T) {
		v := half(t, dataHalf)
		_, err := columnvault.Create(ctx, v, "x", dtype.Bytes, nil)
		wantErrText(t, "Create variable-size", err, columnvault.ErrExists, "half", "dtype str")
		_, err = columnvault.Create(ctx, v, "x", dtype.Int64, nil)
		wantErrText(t, "Create fixed", err, columnvault.ErrExists, "half", "dtype str")
		_, err = columnvault.Ensure(ctx, v, "x", dtype.Bytes, nil)
		wantErr(t, "Ensure", err, columnvault.ErrExists)
		wantNames(t, v, "before", "x", "after")
	})
	t.Run("dropped", func(t *testing.T) {
		v := half(t, dataHalf)
		must(t, v.Drop(ctx, "x"))
		wantNames(t, v, "before", "after")
		wantColumn(t, create(t, v, "x", dtype.Int64, 5), 5)
		wantSound(t, v)
	})
	t.Run("renamed", func(t *testing.T) {
		v := half(t, dataHalf)
		must(t, v.Rename(ctx, "x", "y"))
		wantNames(t, v, "before", "y", "after")
		wantColumn(t, create(t, v, "y", dtype.String, "s"), "s")
	})
	// The other half alone says nothing of the dtype.
	t.Run("index only", func(t *testing.T) {
		v := half(t, indexHalf)
		infos, err := v.Columns(ctx)
		must(t, err)
		if len(infos) != 3 || infos[1].Name != "x" || !infos[1].Incomplete {
			t.Errorf("listed: %+v", infos)
		}
		_, err = v.Column(ctx, "x")
		wantErr(t, "Column", err, columnvault.ErrNotFound)
		c, err := columnvault.Create(ctx, v, "x", dtype.String, nil)
		must(t, err)
		wantColumn(t, c)
		must(t, c.Append(ctx, "one"))
		wantColumn(t, c, "one")
		wantSound(t, v)
	})
	t.Run("index only dropped", func(t *testing.T) {
		v := half(t, indexHalf)
		must(t, v.Drop(ctx, "x"))
		wantNames(t, v, "before", "after")
		wantSound(t, v)
	})
}

// TestDefect25: ensure with another dtype silently gave the old column.
func TestDefect25(t *testing.T) {
	ctx := t.Context()
	v := open(t)
	c := create(t, v, "values", dtype.Int64, 1, 2)
	_, err := columnvault.Ensure(ctx, v, "values", dtype.Float64, nil)
	wantErrText(t, "fixed", err, columnvault.ErrDType, "i64", "f64")
	_, err = columnvault.Ensure(ctx, v, "values", dtype.String, nil)
	wantErrText(t, "variable-size", err, columnvault.ErrDType, "i64", "str:utf8")
	_, err = columnvault.Ensure(ctx, v, "values", dtype.Uint64, nil)
	wantErr(t, "of the same size", err, columnvault.ErrDType)
	wantColumn(t, c, 1, 2)
}

// TestLengthThatIsNone: a length that is not a number is damage, not an empty
// column to write over.
func TestLengthThatIsNone(t *testing.T) {
	ctx := t.Context()
	p := openPair(t, nil)
	c := create(t, p.v, "texts", dtype.String, "a", "b")
	db := rawConn(t, p.path)
	for _, length := range []string{`'abc'`, `x'00'`, `1.5`, `-1`} {
		execRaw(t, db, `UPDATE col_meta SET length = `+length+` WHERE name = 'texts_idx'`)
		wantErr(t, length, c.Append(ctx, "c"), columnvault.ErrCorrupt)
		_, err := c.Len(ctx)
		wantErr(t, length, err, columnvault.ErrCorrupt)
		if infos, err := p.v.Columns(ctx); len(infos) != 1 || infos[0].Len != 0 || err != nil {
			t.Errorf("with the length %s, Columns gives %+v, %v", length, infos, err)
		}
	}
	execRaw(t, db, `UPDATE col_meta SET length = 2 WHERE name = 'texts_idx'`)
	wantColumn(t, c, "a", "b")
}
