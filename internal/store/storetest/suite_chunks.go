package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"columnvault/internal/store"
)

// createNative makes a native column in a transaction of its own.
func createNative(t *testing.T, s store.Store, name string) (col store.Row) {
	t.Helper()
	update(t, s, func(tx store.Tx) (err error) {
		col, err = tx.CreateColumn(t.Context(), store.Row{Name: name, DType: "i64", ElemSize: 8, MinChunk: 64, MaxChunk: 1024, Layout: store.LayoutNative})
		return err
	})
	return col
}

// sameChunk compares chunks. No Meta is the same as empty Meta.
func sameChunk(a, b store.Chunk) bool {
	return a.Number == b.Number && a.Capacity == b.Capacity && a.Used == b.Used && bytes.Equal(a.Meta, b.Meta)
}

// wantChunks compares the chunks of a range of numbers.
func wantChunks(t *testing.T, r store.Reader, id store.ColumnID, from, to int64, want ...store.Chunk) {
	t.Helper()
	var got []store.Chunk
	for c, err := range r.Chunks(t.Context(), id, from, to) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, c)
	}
	if !slices.EqualFunc(got, want, sameChunk) {
		t.Errorf("chunks %d to %d: %+v, want %+v", from, to, got, want)
	}
}

// wantBytes compares the first bytes of a chunk.
func wantBytes(t *testing.T, r store.Reader, id store.ColumnID, number int64, want string) {
	t.Helper()
	got, err := read(t.Context(), r, id, number, 0, len(want))
	if string(got) != want || err != nil {
		t.Errorf("chunk %d: %q, %v, want %q", number, got, err, want)
	}
}

// wantFailure makes a change that must fail, either at once or by the end of
// the transaction.
func wantFailure(t *testing.T, s store.Store, what string, want error, change func(ctx context.Context, tx store.Tx) error) {
	t.Helper()
	err := s.Update(t.Context(), func(tx store.Tx) error { return change(t.Context(), tx) })
	wantErr(t, what, err, want)
}

func testChunks(t *testing.T, s store.Store) {
	ctx := t.Context()
	col := create(t, s, "a")
	put := func(tx store.Tx, c store.Chunk, data string) {
		t.Helper()
		if err := tx.PutChunk(ctx, col.ID, c, []byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	update(t, s, func(tx store.Tx) error {
		_, err := tx.LastChunk(ctx, col.ID)
		wantErr(t, "last of no chunks", err, store.ErrNotFound)
		put(tx, store.Chunk{Number: 0, Capacity: 16}, "0123")
		put(tx, store.Chunk{Number: 7, Capacity: 4, Used: 3}, "abc")
		put(tx, store.Chunk{Number: 40, Capacity: 1, Used: 1}, "z")
		return nil
	})
	update(t, s, func(tx store.Tx) error {
		put(tx, store.Chunk{Number: 0, Capacity: 32}, "0123456789abcdef0")
		if err := tx.SetChunk(ctx, col.ID, store.Chunk{Number: 7, Used: 4}); err != nil {
			t.Fatal(err)
		}
		last, err := tx.LastChunk(ctx, col.ID)
		if want := (store.Chunk{Number: 40, Capacity: 1, Used: 1}); !sameChunk(last, want) || err != nil {
			t.Errorf("LastChunk: %+v, %v", last, err)
		}
		err = tx.PutChunk(ctx, col.ID, store.Chunk{Number: 50, Capacity: 2}, []byte("too long"))
		wantErr(t, "more data than capacity", err, store.ErrTooLarge)
		return nil
	})
	snap := snapshot(t, s)
	want := []store.Chunk{{Number: 0, Capacity: 32}, {Number: 7, Capacity: 4, Used: 4}, {Number: 40, Capacity: 1, Used: 1}}
	wantChunks(t, snap, col.ID, math.MinInt64, math.MaxInt64, want...)
	for range snap.Chunks(ctx, col.ID, 0, 8) {
		break // an early end must do no harm
	}
	if c, err := snap.Chunk(ctx, col.ID, 7); !sameChunk(c, want[1]) || err != nil {
		t.Errorf("Chunk(7): %+v, %v", c, err)
	}
	_, err := snap.Chunk(ctx, col.ID, 8)
	wantErr(t, "Chunk(8)", err, store.ErrNotFound)
	p, err := read(ctx, snap, col.ID, 0, 0, 32)
	if wantBytes := append([]byte("0123456789abcdef0"), make([]byte, 15)...); !bytes.Equal(p, wantBytes) || err != nil {
		t.Errorf("chunk 0: %q, %v", p, err)
	}
	snap.Close()

	update(t, s, func(tx store.Tx) error { return tx.DropChunks(ctx, col.ID, 1, 40) })
	last, err := snapshot(t, s).Chunk(ctx, col.ID, 40)
	if !sameChunk(last, want[2]) || err != nil {
		t.Errorf("chunk at the end of a dropped range: %+v, %v", last, err)
	}
	_, err = snapshot(t, s).Chunk(ctx, col.ID, 7)
	wantErr(t, "dropped chunk", err, store.ErrNotFound)

	// A new column must not inherit the chunks of a dropped one.
	update(t, s, func(tx store.Tx) error { return tx.DropColumn(ctx, col.ID) })
	again := create(t, s, "a")
	_, err = snapshot(t, s).LastChunk(ctx, again.ID)
	wantErr(t, "chunk of a new column", err, store.ErrNotFound)
}

// testNumbers has chunks with numbers from one end of the range to the other.
func testNumbers(t *testing.T, s store.Store) {
	ctx := t.Context()
	numbers := []int64{math.MinInt64, -1 << 40, -1, 0, 1, 1 << 31, 1 << 40, 1 << 62, math.MaxInt64 - 1}
	for _, col := range []store.Row{create(t, s, "a"), createNative(t, s, "b")} {
		var all []store.Chunk
		update(t, s, func(tx store.Tx) error {
			all = nil
			for i, n := range numbers {
				c := store.Chunk{Number: n, Capacity: 8}
				all = append(all, c)
				if err := tx.PutChunk(ctx, col.ID, c, []byte{byte('a' + i)}); err != nil {
					return err
				}
				if last, err := tx.LastChunk(ctx, col.ID); !sameChunk(last, c) || err != nil {
					t.Errorf("LastChunk: %+v, %v", last, err)
				}
			}
			return nil
		})
		snap := snapshot(t, s)
		wantChunks(t, snap, col.ID, math.MinInt64, math.MaxInt64, all...)
		wantChunks(t, snap, col.ID, 0, 1<<40, all[3:6]...)
		wantChunks(t, snap, col.ID, -1<<40, 0, all[1:3]...)
		wantChunks(t, snap, col.ID, 2, 1<<31)
		wantChunks(t, snap, col.ID, 1, 1)
		wantChunks(t, snap, col.ID, 5, -5)
		for i, n := range numbers {
			wantBytes(t, snap, col.ID, n, string(rune('a'+i)))
		}
		snap.Close()
		update(t, s, func(tx store.Tx) error { return tx.DropChunks(ctx, col.ID, 1, math.MaxInt64) })
		wantChunks(t, snapshot(t, s), col.ID, math.MinInt64, math.MaxInt64, all[:4]...)
	}
}

// testManyChunks has more chunks than an engine may list at once, with gaps.
func testManyChunks(t *testing.T, s store.Store) {
	const chunks = 5000
	for _, col := range []store.Row{create(t, s, "a"), createNative(t, s, "b")} {
		update(t, s, func(tx store.Tx) error {
			for i := range int64(chunks) {
				if err := tx.PutChunk(t.Context(), col.ID, store.Chunk{Number: 3 * i, Capacity: 1 + i%9}, nil); err != nil {
					return err
				}
			}
			return nil
		})
		snap := snapshot(t, s)
		for _, r := range [][2]int64{{0, math.MaxInt64}, {4, 3*1024 + 4}, {4, 3*1024 + 5}, {7, 10_000}} {
			next := (r[0] + 2) / 3 * 3
			for c, err := range snap.Chunks(t.Context(), col.ID, r[0], r[1]) {
				if c.Number != next || c.Capacity != 1+next/3%9 || err != nil {
					t.Fatalf("%+v, %v, want chunk %d", c, err, next)
				}
				// The loop's body may use the reader.
				if _, err := snap.Chunk(t.Context(), col.ID, next); err != nil {
					t.Fatal(err)
				}
				next += 3
			}
			if end := min(r[1], 3*chunks); next < end || next >= end+3 {
				t.Errorf("the chunks %v end before %d", r, next)
			}
		}
	}
}

func testMeta(t *testing.T, s store.Store) {
	ctx := t.Context()
	col := createNative(t, s, "a")
	most := bytes.Repeat([]byte{0, 0xff}, store.MaxMeta/2)
	put := []store.Chunk{
		{Number: 1 << 16, Capacity: 8, Used: 3, Meta: []byte("of the first")},
		{Number: 2 << 16, Capacity: 100_000},
		{Number: 3 << 16, Capacity: 8, Meta: most},
	}
	update(t, s, func(tx store.Tx) error {
		for i, c := range put {
			c.Meta = bytes.Clone(c.Meta)
			if err := tx.PutChunk(ctx, col.ID, c, fmt.Appendf(nil, "bytes %d", i)); err != nil {
				return err
			}
			clear(c.Meta) // the engine has no claim to it
		}
		wantChunks(t, tx, col.ID, 0, math.MaxInt64, put...)
		return nil
	})
	old := snapshot(t, s)
	wantChunks(t, old, col.ID, 0, math.MaxInt64, put...)

	// Meta changes alone, beside writes to the bytes, and back to nothing.
	set := slices.Clone(put)
	set[0].Meta, set[0].Used = []byte("else"), 7
	set[1].Meta = most
	set[2].Meta = nil
	update(t, s, func(tx store.Tx) error {
		if _, err := tx.LastChunk(ctx, col.ID); err != nil { // which an engine may remember
			return err
		}
		for _, c := range set {
			if err := tx.WriteAt(ctx, col.ID, []store.Span{{Chunk: c.Number, Data: []byte("B")}}); err != nil {
				return err
			}
			c.Capacity = 0 // which is not looked at
			if err := tx.SetChunk(ctx, col.ID, c); err != nil {
				return err
			}
			if err := tx.WriteAt(ctx, col.ID, []store.Span{{Chunk: c.Number, Offset: 1, Data: []byte("Y")}}); err != nil {
				return err
			}
		}
		if last, err := tx.LastChunk(ctx, col.ID); !sameChunk(last, set[2]) || err != nil {
			t.Errorf("LastChunk after SetChunk: %+v, %v", last, err)
		}
		return nil
	})
	snap := snapshot(t, s)
	wantChunks(t, snap, col.ID, 0, math.MaxInt64, set...)
	wantChunks(t, old, col.ID, 0, math.MaxInt64, put...)
	for i, c := range set {
		wantBytes(t, snap, col.ID, c.Number, fmt.Sprintf("BYtes %d", i))
		wantBytes(t, old, col.ID, c.Number, fmt.Sprintf("bytes %d", i))
	}
	if last, err := snap.LastChunk(ctx, col.ID); !sameChunk(last, set[2]) || err != nil {
		t.Errorf("LastChunk: %+v, %v", last, err)
	}

	tooMuch := make([]byte, store.MaxMeta+1)
	wantFailure(t, s, "PutChunk with too much Meta", store.ErrTooLarge, func(ctx context.Context, tx store.Tx) error {
		return tx.PutChunk(ctx, col.ID, store.Chunk{Number: 1, Capacity: 1, Meta: tooMuch}, nil)
	})
	wantFailure(t, s, "SetChunk with too much Meta", store.ErrTooLarge, func(ctx context.Context, tx store.Tx) error {
		return tx.SetChunk(ctx, col.ID, store.Chunk{Number: 1 << 16, Meta: tooMuch})
	})
	wantChunks(t, snapshot(t, s), col.ID, 0, math.MaxInt64, set...)
}

// testLayouts has columns of both layouts side by side.
func testLayouts(t *testing.T, s store.Store) {
	ctx := t.Context()
	a, b := create(t, s, "a"), createNative(t, s, "b")
	if a.ID == b.ID || a.Layout != store.LayoutV0 || b.Layout != store.LayoutNative {
		t.Errorf("two columns: %+v and %+v", a, b)
	}
	for _, layout := range []store.Layout{store.LayoutV0, store.LayoutNative} {
		for _, name := range []string{"a", "b"} {
			wantFailure(t, s, "a name taken in a layout", store.ErrExists, func(ctx context.Context, tx store.Tx) error {
				_, err := tx.CreateColumn(ctx, store.Row{Name: name, DType: "i64", ElemSize: 8, MinChunk: 8, MaxChunk: 8, Layout: layout})
				return err
			})
		}
	}
	wantFailure(t, s, "a new name taken in another layout", store.ErrExists, func(ctx context.Context, tx store.Tx) error {
		return tx.RenameColumn(ctx, a.ID, "b")
	})
	wantFailure(t, s, "Meta in layout 0", errors.ErrUnsupported, func(ctx context.Context, tx store.Tx) error {
		return tx.PutChunk(ctx, a.ID, store.Chunk{Capacity: 8, Meta: []byte("x")}, nil)
	})

	wantFailure(t, s, "SetChunk with Meta in layout 0", errors.ErrUnsupported, func(ctx context.Context, tx store.Tx) error {
		if err := tx.PutChunk(ctx, a.ID, store.Chunk{Capacity: 8}, nil); err != nil {
			return err
		}
		return tx.SetChunk(ctx, a.ID, store.Chunk{Meta: []byte("x")})
	})

	// The chunks of both have the same numbers, and ranges of all sizes change
	// from one column to the other.
	sizes := []int{1, 4000, 9000, 40_000}
	update(t, s, func(tx store.Tx) error {
		for _, col := range []store.Row{a, b} {
			for n := range int64(20) {
				if err := tx.PutChunk(ctx, col.ID, store.Chunk{Number: n, Capacity: 50_000}, nil); err != nil {
					return err
				}
			}
			if err := tx.SetLength(ctx, col.ID, int64(col.Layout)+5); err != nil {
				return err
			}
		}
		for n := range int64(20) {
			for _, col := range []store.Row{a, b} {
				for i, size := range sizes {
					data := bytes.Repeat([]byte{byte(n) + 100*byte(col.Layout)}, size)
					if err := tx.WriteAt(ctx, col.ID, []store.Span{{Chunk: n, Offset: int64(i), Data: data}}); err != nil {
						return err
					}
				}
			}
		}
		return tx.SetChunk(ctx, a.ID, store.Chunk{Number: 4, Used: 9})
	})
	snap := snapshot(t, s)
	for n := range int64(20) {
		for _, col := range []store.Row{a, b} {
			for _, size := range sizes {
				p, err := read(ctx, snap, col.ID, n, 0, size)
				if want := bytes.Repeat([]byte{byte(n) + 100*byte(col.Layout)}, size); !bytes.Equal(p, want) || err != nil {
					t.Fatalf("%d bytes of chunk %d in layout %d differ: %v", size, n, col.Layout, err)
				}
			}
		}
	}
	if c, err := snap.Chunk(ctx, b.ID, 4); c.Used != 0 || err != nil {
		t.Errorf("the chunk of the other column: %+v, %v", c, err)
	}
	rows, err := snap.LookupID(ctx, b.ID, a.ID)
	if len(rows) != 2 || rows[0].Length+rows[1].Length != 5+5+int64(store.LayoutNative) || err != nil {
		t.Errorf("rows: %+v, %v", rows, err)
	}
	snap.Close()

	update(t, s, func(tx store.Tx) error { return tx.DropColumn(ctx, b.ID) })
	snap = snapshot(t, s)
	if all, err := snap.Columns(ctx); len(all) != 1 || all[0].ID != a.ID || err != nil {
		t.Errorf("columns after a drop: %+v, %v", all, err)
	}
	wantChunks(t, snap, b.ID, math.MinInt64, math.MaxInt64)
	for _, full := range []bool{false, true} {
		if found, err := snap.Verify(ctx, full); len(found) > 0 || err != nil {
			t.Errorf("Verify finds %v, %v", found, err)
		}
	}
}

// testMissing writes to what is not there.
func testMissing(t *testing.T, s store.Store) {
	for _, col := range []store.Row{create(t, s, "a"), createNative(t, s, "b")} {
		update(t, s, func(tx store.Tx) error {
			return tx.PutChunk(t.Context(), col.ID, store.Chunk{Number: 0, Capacity: 4}, []byte("abcd"))
		})
		for what, span := range map[string]store.Span{
			"a patch of a missing chunk": {Chunk: 1, Data: []byte("x")},
			"a patch past the end":       {Chunk: 0, Offset: 3, Data: []byte("xy")},
			"a patch before the start":   {Chunk: 0, Offset: -1, Data: []byte("x")},
		} {
			wantFailure(t, s, what, store.ErrCorrupt, func(ctx context.Context, tx store.Tx) error {
				return tx.WriteAt(ctx, col.ID, []store.Span{{Chunk: 0, Data: []byte("good")}, span})
			})
		}
		wantFailure(t, s, "SetChunk of a missing chunk", store.ErrCorrupt, func(ctx context.Context, tx store.Tx) error {
			return tx.SetChunk(ctx, col.ID, store.Chunk{Number: 1, Used: 1})
		})
		wantFailure(t, s, "a patch of a chunk that was just dropped", store.ErrCorrupt, func(ctx context.Context, tx store.Tx) error {
			if err := tx.WriteAt(ctx, col.ID, []store.Span{{Chunk: 0, Data: []byte("x")}}); err != nil {
				return err
			}
			if err := tx.DropChunks(ctx, col.ID, 0, 1); err != nil {
				return err
			}
			return tx.WriteAt(ctx, col.ID, []store.Span{{Chunk: 0, Data: []byte("x")}})
		})
		wantBytes(t, snapshot(t, s), col.ID, 0, "abcd")
	}
}

func testEmptySpans(t *testing.T, s store.Store) {
	ctx := t.Context()
	for _, col := range []store.Row{create(t, s, "a"), createNative(t, s, "b")} {
		update(t, s, func(tx store.Tx) error {
			return errors.Join(
				tx.PutChunk(ctx, col.ID, store.Chunk{Number: 0, Capacity: 4}, []byte("abcd")),
				tx.PutChunk(ctx, col.ID, store.Chunk{Number: 1, Capacity: 0}, nil),
				tx.WriteAt(ctx, col.ID, nil),
				tx.WriteAt(ctx, col.ID, []store.Span{{Chunk: 0, Offset: 4}, {Chunk: 0, Data: []byte{}}, {Chunk: 0, Offset: 1, Data: []byte("B")}}),
				tx.WriteAt(ctx, col.ID, []store.Span{{Chunk: 1}}))
		})
		snap := snapshot(t, s)
		if err := snap.ReadAt(ctx, col.ID, []store.Span{{Chunk: 0, Offset: 4}, {Chunk: 1, Data: []byte{}}}); err != nil {
			t.Errorf("empty spans: %v", err)
		}
		wantBytes(t, snap, col.ID, 0, "aBcd")
		wantChunks(t, snap, col.ID, 0, 9, store.Chunk{Number: 0, Capacity: 4}, store.Chunk{Number: 1})
	}
}

// testClearing empties columns and fills them again: nothing that an engine
// remembers of the old chunks may count.
func testClearing(t *testing.T, s store.Store) {
	ctx := t.Context()
	all := func(tx store.Tx, id store.ColumnID) error {
		return errors.Join(tx.DropChunks(ctx, id, math.MinInt64, math.MaxInt64), tx.SetLength(ctx, id, 0))
	}
	// fill uses what an engine remembers before it appends.
	fill := func(tx store.Tx, id store.ColumnID, text string) error {
		_, err := tx.LastChunk(ctx, id)
		wantErr(t, "LastChunk of an empty column", err, store.ErrNotFound)
		if err := tx.PutChunk(ctx, id, store.Chunk{Number: 0, Capacity: 16}, []byte(text)); err != nil {
			return err
		}
		if last, err := tx.LastChunk(ctx, id); last.Number != 0 || last.Capacity != 16 || err != nil {
			t.Errorf("LastChunk: %+v, %v", last, err)
		}
		return errors.Join(
			tx.WriteAt(ctx, id, []store.Span{{Chunk: 0, Offset: int64(len(text)), Data: []byte("!")}}),
			tx.SetLength(ctx, id, int64(len(text))+1))
	}
	wantText := func(id store.ColumnID, text string) {
		t.Helper()
		snap := snapshot(t, s)
		defer snap.Close()
		rows, err := snap.LookupID(ctx, id)
		if len(rows) != 1 || rows[0].Length != int64(len(text)) || err != nil {
			t.Errorf("the row: %+v, %v, want a length of %d", rows, err, len(text))
		}
		wantBytes(t, snap, id, 0, text)
		wantChunks(t, snap, id, math.MinInt64, math.MaxInt64, store.Chunk{Number: 0, Capacity: 16})
	}
	for _, col := range []store.Row{create(t, s, "a"), createNative(t, s, "b")} {
		update(t, s, func(tx store.Tx) error {
			if err := fill(tx, col.ID, "first"); err != nil {
				return err
			}
			return tx.PutChunk(ctx, col.ID, store.Chunk{Number: 16, Capacity: 9}, []byte("second"))
		})
		update(t, s, func(tx store.Tx) error { return all(tx, col.ID) })
		update(t, s, func(tx store.Tx) error { return fill(tx, col.ID, "in two") })
		wantText(col.ID, "in two!")
		update(t, s, func(tx store.Tx) error {
			if err := all(tx, col.ID); err != nil {
				return err
			}
			return fill(tx, col.ID, "in one")
		})
		wantText(col.ID, "in one!")
	}
}
