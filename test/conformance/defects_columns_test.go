package conformance_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// What went wrong in KohakuVault 0.8.6, each in a test that it does not here.
// The comment of a test says what happened there.

// TestDropVarSizeLeavesNothing: deleting a variable-size column returned false
// and left its two rows and all its chunks.
func TestDropVarSizeLeavesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	v := vaulttest.OpenAt(t, path, nil)
	vaulttest.CreateWith(t, v, "texts", dtype.Bytes, varChunks, vaulttest.Blobs(500, 100)...)
	vaulttest.Must(t, v.Drop(t.Context(), "texts"))
	vaulttest.WantNames(t, v)
	vaulttest.WantValues(t, "rows of columns", vaulttest.QuerySQL(t, path, `SELECT name FROM col_meta`), nil)
	vaulttest.WantValues(t, "chunks", vaulttest.QuerySQL(t, path, `SELECT chunk_idx FROM col_chunks`), nil)
	c := vaulttest.Create(t, v, "texts", dtype.Bytes)
	vaulttest.WantColumn(t, c)
	vaulttest.Must(t, c.Append(t.Context(), []byte("new")))
	vaulttest.WantColumn(t, c, []byte("new"))
	vaulttest.WantSound(t, v)
}

// TestDropNeedsNoForeignKeys: a fixed column went together with its chunks only
// because foreign keys were on. They go without them as well, and chunks that
// somebody else has left do not become those of a new column, and stay where
// they are until somebody asks for them.
func TestDropNeedsNoForeignKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	v := vaulttest.OpenAt(t, path, nil)
	vaulttest.CreateWith(t, v, "ints", dtype.Int64, fixedChunks, vaulttest.Span(0, 1000)...)
	vaulttest.Must(t, v.Drop(t.Context(), "ints"))
	vaulttest.WantValues(t, "chunks", vaulttest.QuerySQL(t, path, `SELECT chunk_idx FROM col_chunks`), nil)

	vaulttest.CreateWith(t, v, "ints", dtype.Int64, fixedChunks, vaulttest.Span(0, 1000)...)
	vaulttest.Must(t, v.Close())
	vaulttest.ExecSQL(t, path, `PRAGMA foreign_keys = OFF`, `DELETE FROM col_meta`)
	v = vaulttest.OpenAt(t, path, nil)
	c := vaulttest.Create(t, v, "heir", dtype.Int64)
	vaulttest.WantChunks(t, c, 0)
	vaulttest.Must(t, c.Append(t.Context(), 7))
	vaulttest.WantColumn(t, c, 7)
	for _, f := range vaulttest.Found(t, v, columnvault.CheckOptions{}) {
		if f.Kind != columnvault.FindingOrphan || f.Bytes != 8192 {
			t.Errorf("check: %+v", f)
		}
	}
}

// TestSetSliceOverTwoChunksLeavesNeighbors: a slice update over two chunks ran
// over a neighbor when the share of one chunk grew, though the sum of all sizes
// did not.
func TestSetSliceOverTwoChunksLeavesNeighbors(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	// Three elements of 60 bytes fill a chunk: the second chunk begins with 3.
	want := vaulttest.Blobs(6, 60)
	c := vaulttest.CreateWith(t, v, "values", dtype.Bytes, vaulttest.Chunks(180, 180), want...)
	vaulttest.WantChunks(t, c, 2)
	want[2], want[3] = []byte{}, vaulttest.Bytes(99, 110)
	vaulttest.Must(t, c.SetSlice(ctx, 2, 4, want[2:4]))
	vaulttest.WantColumn(t, c, want...)
	vaulttest.WantSound(t, v)
}

// TestAppendsToFullChunksStayCheap: once the last chunk was full, appends grew
// it past the maximum and wrote all of it anew each time.
func TestAppendsToFullChunksStayCheap(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	v := vaulttest.OpenAt(t, path, nil)
	const largest = 10_080
	c := vaulttest.CreateWith(t, v, "values", dtype.Bytes, vaulttest.Chunks(1008, largest))
	// written is how many bytes 50 appends of 1000 bytes bring into the
	// write-ahead log.
	written := func() int64 {
		before := fileSize(t, path+"-wal")
		vaulttest.AppendEach(t, c, vaulttest.Blobs(50, 1000))
		return fileSize(t, path+"-wal") - before
	}
	first := written()
	for n := 100; n <= 500; n += 50 {
		if later := written(); later > first+first/2 {
			t.Errorf("50 appends to %d elements write %d bytes, the first 50 wrote %d", n-50, later, first)
		}
		s := vaulttest.WantChunks(t, c, n/10)
		if s.Live != int64(n)*1000 || s.Capacity != int64(n/10)*largest {
			t.Errorf("the chunks of %d elements are not full: %+v", n, s)
		}
	}
	vaulttest.WantValues(t, "sizes of chunks", vaulttest.QuerySQL(t, path, `SELECT DISTINCT actual_size, length(data)
		FROM col_chunks JOIN col_meta USING (col_id) WHERE name = 'values_data'`), []string{"10080 10080"})
	vaulttest.WantSound(t, v)
}

func fileSize(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	vaulttest.Must(t, err)
	return info.Size()
}

// TestSetPastTheFirstIndexChunk: updates addressed the index by the maximum of
// the data chunks. Where that was no multiple of 12, updates past the first
// chunk of the index destroyed the entries of others.
func TestSetPastTheFirstIndexChunk(t *testing.T) {
	ctx := t.Context()
	for _, largest := range []int{120, 121, 125, 131} { // ten entries a chunk of the index
		t.Run(fmt.Sprint(largest), func(t *testing.T) {
			v := vaulttest.Open(t)
			want := vaulttest.Blobs(35, 3)
			c := vaulttest.CreateWith(t, v, "values", dtype.Bytes, vaulttest.Chunks(12, largest), want...)
			for i := range want {
				want[i] = vaulttest.Bytes(100+i, i%9)
				vaulttest.Must(t, c.Set(ctx, i, want[i]))
				vaulttest.WantColumn(t, c, want...)
			}
			vaulttest.WantSound(t, v)
		})
	}
	t.Run("maxima that differ", func(t *testing.T) { // as in every column that the original has made
		path := filepath.Join(t.TempDir(), "test.db")
		v := vaulttest.OpenAt(t, path, nil)
		vaulttest.CreateWith(t, v, "values", dtype.Bytes, vaulttest.Chunks(12, 120))
		vaulttest.Must(t, v.Close())
		vaulttest.ExecSQL(t, path, `UPDATE col_meta SET max_chunk_bytes = 125 WHERE name = 'values_data'`)
		c := vaulttest.Lookup(t, vaulttest.OpenAt(t, path, nil), "values", dtype.Bytes)
		want := vaulttest.Blobs(35, 3)
		vaulttest.Must(t, c.Append(ctx, want...))
		for i := range want {
			want[i] = vaulttest.Bytes(100+i, i%9)
			vaulttest.Must(t, c.Set(ctx, i, want[i]))
		}
		vaulttest.WantColumn(t, c, want...)
	})
	t.Run("as it was", func(t *testing.T) {
		if testing.Short() {
			t.Skip("1,450,000 elements")
		}
		const n, at = 1_450_000, 1_400_000
		v := vaulttest.Open(t)
		c := vaulttest.CreateWith(t, v, "values", dtype.Bytes, vaulttest.Chunks(128<<10, 16777212))
		vaulttest.Must(t, c.AppendSeq(ctx, func(yield func([]byte) bool) {
			for i := range n {
				if !yield([]byte{byte(i)}) {
					return
				}
			}
		}))
		boundary := 16777212 / 12
		for _, i := range []int{boundary - 1, boundary, at} {
			vaulttest.Must(t, c.Set(ctx, i, []byte("Z")))
			vaulttest.Must(t, c.Set(ctx, i, []byte("longer")))
			vaulttest.WantSlice(t, c, i, i+1, []byte("longer"))
		}
		next := 0
		for value, err := range c.Values(ctx) {
			vaulttest.Must(t, err)
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
		vaulttest.WantSound(t, v)
	})
}

// TestAppendAfterClear: after clear, or many deletes, of a column of more than
// one chunk no append ever worked again.
func TestAppendAfterClear(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	t.Run("clear", func(t *testing.T) {
		c := vaulttest.CreateWith(t, v, "cleared", dtype.Int64, fixedChunks, vaulttest.Span(0, 1000)...)
		vaulttest.Must(t, c.Clear(ctx))
		vaulttest.WantChunks(t, c, 0)
		vaulttest.Must(t, c.Append(ctx, 1, 2))
		vaulttest.WantColumn(t, c, 1, 2)
	})
	t.Run("clear varsize", func(t *testing.T) {
		c := vaulttest.CreateWith(t, v, "cleared varsize", dtype.Bytes, smallVarChunks, vaulttest.Blobs(1000, 20)...)
		vaulttest.Must(t, c.Clear(ctx))
		vaulttest.WantChunks(t, c, 0)
		vaulttest.Must(t, c.Append(ctx, []byte("new")))
		vaulttest.WantColumn(t, c, []byte("new"))
	})
	t.Run("many deletes", func(t *testing.T) {
		c := vaulttest.CreateWith(t, v, "deleted", dtype.Int64, fixedChunks, vaulttest.Span(0, 400)...)
		for range 390 {
			vaulttest.Must(t, c.Delete(ctx, -1, columnvault.End))
		}
		vaulttest.WantChunks(t, c, 1)
		vaulttest.Must(t, c.Append(ctx, 10, 11))
		vaulttest.WantColumn(t, c, vaulttest.Span(0, 12)...)
	})
	vaulttest.WantSound(t, v)
	// Columns that the original has left in this state can be used again.
	t.Run("as the original left it", func(t *testing.T) {
		v := vaulttest.OpenAt(t, vaulttest.CopyGolden(t, "v0", "fixed_chunks.db"), nil)
		for _, name := range []string{"cleared many", "stale tail"} {
			if !slices.Contains(problems(t, v), name) {
				t.Errorf("the fixture %q is not broken", name)
			}
			c := vaulttest.Lookup(t, v, name, dtype.Int64)
			old, err := c.Slice(ctx, columnvault.Begin, columnvault.End)
			vaulttest.Must(t, err)
			vaulttest.Must(t, c.Append(ctx, 1, 2, 3))
			vaulttest.WantColumn(t, c, append(old, 1, 2, 3)...)
			if slices.Contains(problems(t, v), name) {
				t.Errorf("%q is still broken after an append", name)
			}
		}
	})
}

// problems is the columns in which Check finds something.
func problems(t *testing.T, v *columnvault.Vault) (names []string) {
	t.Helper()
	for _, f := range vaulttest.Found(t, v, columnvault.CheckOptions{}) {
		names = append(names, f.Column)
	}
	return names
}

// TestElementsLargerThanAnyChunk: extend with an element larger than the
// maximum of a chunk failed and left a chunk that says it uses more bytes than
// it has.
func TestElementsLargerThanAnyChunk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	v := vaulttest.OpenAt(t, path, nil)
	c := vaulttest.CreateWith(t, v, "values", dtype.Bytes, vaulttest.Chunks(16, 504))
	want := [][]byte{vaulttest.Bytes(0, 10), vaulttest.Bytes(1, 2000), vaulttest.Bytes(2, 10), vaulttest.Bytes(3, 504), vaulttest.Bytes(4, 505), vaulttest.Bytes(5, 5)}
	vaulttest.Must(t, c.Append(t.Context(), want...))
	vaulttest.WantColumn(t, c, want...)
	vaulttest.AppendEach(t, c, want)
	vaulttest.WantColumn(t, c, slices.Concat(want, want)...)
	vaulttest.WantValues(t, "chunks that use more than they have",
		vaulttest.QuerySQL(t, path, `SELECT chunk_idx FROM col_chunks WHERE bytes_used > actual_size`), nil)
	vaulttest.WantSound(t, v)
}

// TestVectorsOfAnotherShapeAreRefused: extend with vectors of another shape cut
// their numbers askew.
func TestVectorsOfAnotherShapeAreRefused(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	c := vaulttest.Create(t, v, "vectors", dtype.Type[[]float32](dtype.Vector[float32](3)), []float32{1, 2, 3})
	err := c.Append(ctx, []float32{4, 5, 6}, []float32{1, 2, 3, 4}, []float32{5, 6, 7, 8})
	vaulttest.WantErrText(t, "Append", err, columnvault.ErrInvalidArgument, "value 1")
	vaulttest.WantErr(t, "Append of six fours", c.Append(ctx, make([]float32, 4), make([]float32, 4), make([]float32, 4)), columnvault.ErrInvalidArgument)
	vaulttest.WantErr(t, "Set", c.Set(ctx, 0, []float32{1, 2}), columnvault.ErrInvalidArgument)
	vaulttest.WantErr(t, "AppendFlat", columnvault.AppendFlat(ctx, c, make([]float32, 8)), columnvault.ErrInvalidArgument)
	dynamic, err := v.Column(ctx, "vectors")
	vaulttest.Must(t, err)
	err = dynamic.Append(ctx, []float32{1, 2, 3, 4}, []any{5, 6, 7, 8})
	vaulttest.WantErr(t, "Append to the dynamic column", err, columnvault.ErrInvalidArgument)
	vaulttest.WantColumn(t, c, []float32{1, 2, 3})
}

// TestSmallAppendsFillOneChunk: extend never filled the last chunk, so that 200
// extends of 10 bytes made 201 chunks and 30 MB of file.
func TestSmallAppendsFillOneChunk(t *testing.T) {
	v := vaulttest.Open(t)
	c := vaulttest.Create(t, v, "values", dtype.Bytes)
	want := vaulttest.Blobs(200, 10)
	vaulttest.AppendEach(t, c, want)
	if s := vaulttest.WantChunks(t, c, 1); s.Live != 2000 || s.Capacity > 4096 {
		t.Errorf("2000 bytes take a chunk of %d: %+v", s.Capacity, s)
	}
	vaulttest.WantColumn(t, c, want...)
	vaulttest.WantSound(t, v)
}

// TestDeleteSlicesAndInsertVarSize: slices could not be deleted, and nothing
// could be inserted into variable-size columns.
func TestDeleteSlicesAndInsertVarSize(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	ints := vaulttest.Span(0, 1000)
	fixed := vaulttest.CreateWith(t, v, "fixed", dtype.Int64, fixedChunks, ints...)
	texts := vaulttest.Blobs(200, 30)
	varsize := vaulttest.CreateWith(t, v, "varsize", dtype.Bytes, smallVarChunks, texts...)

	vaulttest.Must(t, fixed.Delete(ctx, 100, -100))
	vaulttest.WantColumn(t, fixed, slices.Delete(ints, 100, 900)...)
	vaulttest.Must(t, varsize.Delete(ctx, 10, 150))
	texts = slices.Delete(texts, 10, 150)
	vaulttest.WantColumn(t, varsize, texts...)

	added := [][]byte{vaulttest.Bytes(1000, 5), {}, vaulttest.Bytes(1002, 100)}
	for _, i := range []int{30, 0, 7} {
		vaulttest.Must(t, varsize.Insert(ctx, i, added...))
		texts = slices.Insert(texts, i, added...)
		vaulttest.WantColumn(t, varsize, texts...)
	}
	vaulttest.WantSound(t, v)
}

// TestSetThatOverfillsAChunk: an update that brought what lies in a chunk to
// between 1.5 and 2 times the maximum destroyed all of it.
func TestSetThatOverfillsAChunk(t *testing.T) {
	for _, size := range []int{500, 750, 1000, 1020} { // 1475 to 1995 bytes in the chunk, of 1020
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			v := vaulttest.Open(t)
			want := vaulttest.Blobs(40, 25)
			c := vaulttest.CreateWith(t, v, "values", dtype.Bytes, vaulttest.Chunks(16, 1020), want...)
			vaulttest.WantChunks(t, c, 1)
			want[20] = vaulttest.Bytes(99, size)
			vaulttest.Must(t, c.Set(t.Context(), 20, want[20]))
			vaulttest.WantColumn(t, c, want...)
			vaulttest.WantSound(t, v)
		})
	}
}

// TestNamesAreUsedOnce: a name could be used twice, by a fixed and a
// variable-size column, and the first could not be reached any more.
func TestNamesAreUsedOnce(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	fixed := vaulttest.Create(t, v, "a", dtype.Int64, 1, 2, 3)
	_, err := columnvault.Create(ctx, v, "a", dtype.Bytes, nil)
	vaulttest.WantErrText(t, "variable-size over fixed", err, columnvault.ErrExists, "i64", "3 elements")
	varsize := vaulttest.Create(t, v, "b", dtype.String, "x")
	_, err = columnvault.Create(ctx, v, "b", dtype.Int64, nil)
	vaulttest.WantErrText(t, "fixed over variable-size", err, columnvault.ErrExists, "str:utf8", "1 elements")
	vaulttest.WantNames(t, v, "a", "b")
	vaulttest.WantColumn(t, fixed, 1, 2, 3)
	vaulttest.WantColumn(t, varsize, "x")
}

// TestHalfOfAColumnCanBeCompleted: a crash while a variable-size column was
// created left half of it, which could neither be opened nor created.
func TestHalfOfAColumnCanBeCompleted(t *testing.T) {
	ctx := t.Context()
	const (
		row       = `INSERT INTO col_meta (name, dtype, elem_size, length, chunk_bytes, min_chunk_bytes, max_chunk_bytes) VALUES `
		dataHalf  = row + `('x_data', 'str', 1, 0, 131072, 131072, 16777216)`
		indexHalf = row + `('x_idx', 'adaptive_idx', 12, 0, 131076, 131076, 16777212)`
	)
	// half is a vault with such a column between two others.
	half := func(t *testing.T, sql string) *columnvault.Vault {
		path := filepath.Join(t.TempDir(), "test.db")
		v := vaulttest.OpenAt(t, path, nil)
		vaulttest.Create(t, v, "before", dtype.Int64, 1)
		vaulttest.Must(t, v.Close())
		vaulttest.ExecSQL(t, path, sql)
		v = vaulttest.OpenAt(t, path, nil)
		vaulttest.Create(t, v, "after", dtype.String, "a")
		return v
	}
	// whole requires that the column works and that the vault is sound.
	whole := func(t *testing.T, v *columnvault.Vault, c *columnvault.Column[string]) {
		vaulttest.WantColumn(t, c)
		vaulttest.Must(t, c.Append(ctx, "one", "two"))
		vaulttest.WantColumn(t, c, "one", "two")
		infos, err := v.Columns(ctx)
		vaulttest.Must(t, err)
		for _, info := range infos {
			if info.Incomplete || len(infos) != 3 {
				t.Errorf("listed: %+v", infos)
			}
		}
		vaulttest.WantSound(t, v)
	}
	t.Run("listed", func(t *testing.T) {
		v := half(t, dataHalf)
		infos, err := v.Columns(ctx)
		vaulttest.Must(t, err)
		if len(infos) != 3 || infos[1].Name != "x" || infos[1].DType != "str" || infos[1].Len != 0 || !infos[1].Incomplete {
			t.Errorf("listed: %+v", infos)
		}
		_, err = v.Column(ctx, "x")
		vaulttest.WantErrText(t, "Column", err, columnvault.ErrNotFound, "half", "same dtype")
		_, err = columnvault.Lookup(ctx, v, "x", dtype.String)
		vaulttest.WantErr(t, "Lookup", err, columnvault.ErrNotFound)
		vaulttest.WantValues(t, "problems", problems(t, v), []string{"x"})
	})
	t.Run("completed by Create", func(t *testing.T) {
		v := half(t, dataHalf)
		c, err := columnvault.Create(ctx, v, "x", dtype.String, nil)
		vaulttest.Must(t, err)
		whole(t, v, c)
	})
	t.Run("completed by Ensure", func(t *testing.T) {
		v := half(t, dataHalf)
		c, err := columnvault.Ensure(ctx, v, "x", dtype.String, nil)
		vaulttest.Must(t, err)
		whole(t, v, c)
	})
	t.Run("other dtype", func(t *testing.T) {
		v := half(t, dataHalf)
		_, err := columnvault.Create(ctx, v, "x", dtype.Bytes, nil)
		vaulttest.WantErrText(t, "Create variable-size", err, columnvault.ErrExists, "half", "dtype str")
		_, err = columnvault.Create(ctx, v, "x", dtype.Int64, nil)
		vaulttest.WantErrText(t, "Create fixed", err, columnvault.ErrExists, "half", "dtype str")
		_, err = columnvault.Ensure(ctx, v, "x", dtype.Bytes, nil)
		vaulttest.WantErr(t, "Ensure", err, columnvault.ErrExists)
		vaulttest.WantNames(t, v, "before", "x", "after")
	})
	t.Run("dropped", func(t *testing.T) {
		v := half(t, dataHalf)
		vaulttest.Must(t, v.Drop(ctx, "x"))
		vaulttest.WantNames(t, v, "before", "after")
		vaulttest.WantColumn(t, vaulttest.Create(t, v, "x", dtype.Int64, 5), 5)
		vaulttest.WantSound(t, v)
	})
	t.Run("renamed", func(t *testing.T) {
		v := half(t, dataHalf)
		vaulttest.Must(t, v.Rename(ctx, "x", "y"))
		vaulttest.WantNames(t, v, "before", "y", "after")
		vaulttest.WantColumn(t, vaulttest.Create(t, v, "y", dtype.String, "s"), "s")
	})
	// The other half alone says nothing of the dtype.
	t.Run("index only", func(t *testing.T) {
		v := half(t, indexHalf)
		infos, err := v.Columns(ctx)
		vaulttest.Must(t, err)
		if len(infos) != 3 || infos[1].Name != "x" || !infos[1].Incomplete {
			t.Errorf("listed: %+v", infos)
		}
		_, err = v.Column(ctx, "x")
		vaulttest.WantErr(t, "Column", err, columnvault.ErrNotFound)
		c, err := columnvault.Create(ctx, v, "x", dtype.String, nil)
		vaulttest.Must(t, err)
		vaulttest.WantColumn(t, c)
		vaulttest.Must(t, c.Append(ctx, "one"))
		vaulttest.WantColumn(t, c, "one")
		vaulttest.WantSound(t, v)
	})
	t.Run("index only dropped", func(t *testing.T) {
		v := half(t, indexHalf)
		vaulttest.Must(t, v.Drop(ctx, "x"))
		vaulttest.WantNames(t, v, "before", "after")
		vaulttest.WantSound(t, v)
	})
}

// TestEnsureRefusesAnotherDType: ensure with another dtype silently gave the
// old column.
func TestEnsureRefusesAnotherDType(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	c := vaulttest.Create(t, v, "values", dtype.Int64, 1, 2)
	_, err := columnvault.Ensure(ctx, v, "values", dtype.Float64, nil)
	vaulttest.WantErrText(t, "fixed", err, columnvault.ErrDType, "i64", "f64")
	_, err = columnvault.Ensure(ctx, v, "values", dtype.String, nil)
	vaulttest.WantErrText(t, "variable-size", err, columnvault.ErrDType, "i64", "str:utf8")
	_, err = columnvault.Ensure(ctx, v, "values", dtype.Uint64, nil)
	vaulttest.WantErr(t, "of the same size", err, columnvault.ErrDType)
	vaulttest.WantColumn(t, c, 1, 2)
}

// TestLengthThatIsNoNumberIsDamage: a length that is not a number is damage,
// not an empty column to write over.
func TestLengthThatIsNoNumberIsDamage(t *testing.T) {
	ctx := t.Context()
	p := vaulttest.OpenPair(t, nil)
	c := vaulttest.Create(t, p.V, "texts", dtype.String, "a", "b")
	db := vaulttest.RawConn(t, p.Path)
	for _, length := range []string{`'abc'`, `x'00'`, `1.5`, `-1`} {
		vaulttest.ExecRaw(t, db, `UPDATE col_meta SET length = `+length+` WHERE name = 'texts_idx'`)
		vaulttest.WantErr(t, length, c.Append(ctx, "c"), columnvault.ErrCorrupt)
		_, err := c.Len(ctx)
		vaulttest.WantErr(t, length, err, columnvault.ErrCorrupt)
		if infos, err := p.V.Columns(ctx); len(infos) != 1 || infos[0].Len != 0 || err != nil {
			t.Errorf("with the length %s, Columns gives %+v, %v", length, infos, err)
		}
	}
	vaulttest.ExecRaw(t, db, `UPDATE col_meta SET length = 2 WHERE name = 'texts_idx'`)
	vaulttest.WantColumn(t, c, "a", "b")
}
