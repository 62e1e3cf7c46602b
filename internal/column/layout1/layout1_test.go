package layout1

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"columnvault/internal/column"
	"columnvault/internal/store"
	"columnvault/internal/store/sqlite"
	"columnvault/internal/store/storetest"
)

// engines runs a test on every engine.
func engines(t *testing.T, test func(t *testing.T, s store.Store)) {
	t.Run("memory", func(t *testing.T) { test(t, storetest.Rerun(storetest.NewMemory())) })
	t.Run("sqlite", func(t *testing.T) {
		s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		test(t, s)
	})
}

// doubled is a form in which every byte is stored once and read twice, the first
// time after a zero where elements have one size.
func doubled(size int64) *Form {
	front := []byte(nil)
	if size > 0 {
		front = []byte{0}
	}
	f := &Form{
		Read: func(dst, stored []byte) ([]byte, error) {
			return append(append(append(dst, front...), stored...), stored...), nil
		},
		Store: func(dst, element []byte) []byte {
			element = element[len(front):]
			return append(dst, element[:len(element)/2]...)
		},
	}
	if size > 0 {
		f.Size, f.Stored = 2*size+1, size
	}
	return f
}

// write makes a column of elements as they are stored, in the place of another.
func write(tb rapid.TB, s store.Store, form *Form, size, blockBytes int64, stored [][]byte) {
	tb.Helper()
	ctx := context.Background()
	err := s.Update(ctx, func(tx store.Tx) error {
		old, err := tx.Lookup(ctx, "x")
		if err != nil {
			return err
		}
		if len(old) > 0 {
			if err := tx.DropColumn(ctx, old[0].ID); err != nil {
				return err
			}
		}
		row := Row("x", "bytes", size)
		row.MinChunk, row.MaxChunk = blockBytes, blockBytes
		if row, err = tx.CreateColumn(ctx, row); err != nil {
			return err
		}
		w := NewWriter(row, form)
		for some := range slices.Chunk(stored, 7) {
			if err := w.Append(ctx, tx, elementsOf(form, size, some)); err != nil {
				return err
			}
		}
		return w.Close(ctx, tx)
	})
	if err != nil {
		tb.Fatal(err)
	}
}

// elementsOf is elements as they are read.
func elementsOf(form *Form, size int64, stored [][]byte) (e column.Elements) {
	for _, p := range stored {
		if form == nil {
			e.Data = append(e.Data, p...)
		} else {
			e.Data, _ = form.Read(e.Data, p)
		}
		if size == 0 {
			e.Ends = append(e.Ends, len(e.Data))
		}
	}
	return e
}

// open opens the column that write has made.
func open(ctx context.Context, r store.Reader, form *Form, window int64) (column.Column, error) {
	rows, err := r.Lookup(ctx, "x")
	if err != nil || len(rows) != 1 {
		return nil, fmt.Errorf("%d rows: %w", len(rows), err)
	}
	if rows[0].ElemSize == 0 {
		return OpenVarSize(rows[0], form, window)
	}
	return OpenFixed(rows[0], form)
}

// TestModel compares columns of all kinds, in blocks of all sizes, with slices.
func TestModel(t *testing.T) {
	engines(t, func(t *testing.T, s store.Store) {
		rapid.Check(t, func(t *rapid.T) {
			size := rapid.SampledFrom([]int64{0, 0, 0, 1, 3, 8}).Draw(t, "size")
			blockBytes := rapid.SampledFrom([]int64{1, 16, 33, 100, 4096}).Draw(t, "block")
			least, most := int(size), int(size)
			if size == 0 {
				most = 40
			}
			stored := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), least, most), 0, 60).Draw(t, "elements")
			var form *Form
			if rapid.Bool().Draw(t, "form") {
				form = doubled(size)
			}
			write(t, s, form, size, blockBytes, stored)
			window := rapid.SampledFrom([]int64{1, 24, 1 << 20}).Draw(t, "window")
			err := storetest.Read(context.Background(), s, func(r store.Reader) error {
				c, err := open(context.Background(), r, form, window)
				if err != nil {
					return err
				}
				if c.Len() != int64(len(stored)) {
					t.Fatalf("%d elements, want %d", c.Len(), len(stored))
				}
				for range 8 {
					compareReads(t, r, c, form, size, stored)
				}
				compareWhole(t, r, c, form, size, stored)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	})
}

// compareReads reads at a place by each way there is.
func compareReads(t *rapid.T, r store.Reader, c column.Column, form *Form, size int64, stored [][]byte) {
	ctx := context.Background()
	i := rapid.IntRange(0, len(stored)).Draw(t, "i")
	j := rapid.IntRange(i, len(stored)).Draw(t, "j")
	limit := rapid.SampledFrom([]int64{0, 1, 20, 100, column.NoLimit}).Draw(t, "limit")
	same := func(what string, got column.Elements, want [][]byte) {
		w := elementsOf(form, size, want)
		if !bytes.Equal(got.Data, w.Data) || !slices.Equal(got.Ends, w.Ends) {
			t.Fatalf("%s %d to %d within %d: %v, want %v", what, i, j, limit, got, w)
		}
	}
	if err := c.Backed(ctx, r, int64(i), int64(j)); err != nil {
		t.Fatal(err)
	}
	var got column.Elements
	next, err := c.Read(ctx, r, &got, int64(i), int64(j), limit)
	if err != nil || next < int64(i) || next > int64(j) || next == int64(i) && i < j {
		t.Fatalf("Read from %d to %d within %d ends at %d: %v", i, j, limit, next, err)
	}
	same("Read", got, stored[i:next])
	sum := func(part [][]byte) (n int64) {
		for _, p := range part {
			n += int64(len(p))
		}
		return n
	}
	if sum(stored[i:next]) > limit && next > int64(i)+1 || next < int64(j) && sum(stored[i:next+1]) <= limit {
		t.Fatalf("Read from %d to %d within %d ends at %d", i, j, limit, next)
	}
	from, err := c.Before(ctx, r, int64(j), limit)
	if err != nil || from < 0 || from > int64(j) || from == int64(j) && j > 0 {
		t.Fatalf("Before %d within %d: %d, %v", j, limit, from, err)
	}
	if sum(stored[from:j]) > limit && from < int64(j)-1 || from > 0 && sum(stored[from-1:j]) <= limit {
		t.Fatalf("Before %d within %d is %d", j, limit, from)
	}
	if len(stored) == 0 {
		return
	}
	at := rapid.SliceOfN(rapid.Int64Range(0, int64(len(stored))-1), 0, 9).Draw(t, "at")
	var want [][]byte
	for _, k := range at {
		want = append(want, stored[k])
	}
	got.Reset()
	if err := c.Gather(ctx, r, &got, at); err != nil {
		t.Fatal(err)
	}
	same("Gather", got, want)
}

// compareWhole looks at what is said of the column as a whole.
func compareWhole(t *rapid.T, r store.Reader, c column.Column, form *Form, size int64, stored [][]byte) {
	ctx := context.Background()
	if err := c.Check(ctx, r, func(p column.Problem) { t.Fatalf("Check finds %+v", p) }); err != nil {
		t.Fatal(err)
	}
	stat, err := c.Stat(ctx, r)
	want := column.Stat{Elements: int64(len(stored)), Smallest: math.MaxInt64}
	for _, p := range stored {
		n := int64(len(p))
		want.LiveBytes += n
		want.Smallest, want.Largest = min(want.Smallest, n), max(want.Largest, n)
	}
	if len(stored) == 0 {
		want.Smallest = 0
	}
	want.Capacity, want.Chunks = stat.Capacity, stat.Chunks
	want.DeadBytes, want.Slack = stat.Capacity-want.LiveBytes, stat.Capacity-want.LiveBytes
	if stat != want || err != nil {
		t.Fatalf("Stat: %+v, want %+v, %v", stat, want, err)
	}
	if n, err := c.Extent(ctx, r); n != c.Len() || err != nil {
		t.Fatalf("Extent: %d of %d, %v", n, c.Len(), err)
	}
	var all column.Elements
	err = c.Walk(ctx, r, 50, func(i int64, e *column.Elements) error {
		for k := range e.Count(c.Size()) {
			all.Data = append(all.Data, e.At(c.Size(), k)...)
			if size == 0 {
				all.Ends = append(all.Ends, len(all.Data))
			}
		}
		return nil
	}, func(i, j int64, why error) error { return why })
	w := elementsOf(form, size, stored)
	if !bytes.Equal(all.Data, w.Data) || !slices.Equal(all.Ends, w.Ends) || err != nil {
		t.Fatalf("Walk: %v, want %v, %v", all, w, err)
	}
}

// TestBlocksOfKohakuVault has blocks as 1.1.0 fills them: with room for an
// element for every 16 bytes, and an element above the size of blocks alone.
func TestBlocksOfKohakuVault(t *testing.T) {
	stored := [][]byte{make([]byte, 60), make([]byte, 30), make([]byte, 20), make([]byte, 300), {1}, {2}, {3}, {4}, {5}, {6}, {7}}
	engines(t, func(t *testing.T, s store.Store) {
		write(t, s, nil, 0, 100, stored)
		var got []string
		err := storetest.Read(t.Context(), s, func(r store.Reader) error {
			got = nil
			rows, err := r.Lookup(t.Context(), "x")
			if err != nil {
				return err
			}
			for c, err := range r.Chunks(t.Context(), rows[0].ID, math.MinInt64, math.MaxInt64) {
				b, e := blockOf(c, true)
				if err = errors.Join(err, e); err != nil {
					return err
				}
				got = append(got, fmt.Sprint(b.number, b.First, b.Rows, b.Room, b.used, b.payload))
			}
			return nil
		})
		want := []string{"0 0 2 6 90 100", "1 2 1 6 20 100", "2 3 1 1 300 300", "3 4 6 6 6 100", "4 10 1 6 1 100"}
		if !slices.Equal(got, want) || err != nil {
			t.Errorf("blocks %q, want %q, %v", got, want, err)
		}
	})
}

// TestDisorder has blocks whose numbers have gaps and say nothing about the
// order of their elements, and under-filled ones.
func TestDisorder(t *testing.T) {
	engines(t, func(t *testing.T, s store.Store) {
		ctx := t.Context()
		err := s.Update(ctx, func(tx store.Tx) error {
			row, err := tx.CreateColumn(ctx, Row("x", "bytes", 0))
			if err != nil {
				return err
			}
			for k, number := range []int64{40, 41, 3, 77, -5} {
				b := store.Block{First: int64(2 * k), Rows: 2, Room: 3}
				data := append([]byte{byte('a' + 2*k), byte('b' + 2*k), 0}, make([]byte, 8)...)
				data = append(data, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
				c := store.Chunk{Number: number, Capacity: int64(len(data)), Used: 2, Meta: b.Meta()}
				if err := tx.PutChunk(ctx, row.ID, c, data); err != nil {
					return err
				}
			}
			return tx.SetLength(ctx, row.ID, 10)
		})
		if err != nil {
			t.Fatal(err)
		}
		err = storetest.Read(ctx, s, func(r store.Reader) error {
			for i := range int64(10) {
				c, err := open(ctx, r, nil, 1<<20)
				if err != nil {
					return err
				}
				var e column.Elements
				if _, err := c.Read(ctx, r, &e, i, 10, column.NoLimit); string(e.Data) != "abcdefghij"[i:] || err != nil {
					t.Errorf("from %d on: %q, %v", i, e.Data, err)
				}
			}
			c, err := open(ctx, r, nil, 1<<20)
			if err != nil {
				return err
			}
			return c.Check(ctx, r, func(p column.Problem) {
				if p.Damage {
					t.Errorf("found %+v", p)
				}
			})
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
