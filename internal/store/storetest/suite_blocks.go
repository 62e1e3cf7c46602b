package storetest

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"testing"

	"columnvault/internal/store"
)

// testBlocks has columns of LayoutV1, whose chunks have a Meta that engines may
// take apart, and bytes that they may keep in two places.
func testBlocks(t *testing.T, s store.Store) {
	ctx := t.Context()
	create := func(name string, size int64) (col store.Row) {
		t.Helper()
		update(t, s, func(tx store.Tx) (err error) {
			col, err = tx.CreateColumn(ctx, store.Row{Name: name, DType: "bytes", ElemSize: size, MinChunk: 100, MaxChunk: 100, Layout: store.LayoutV1, Attrs: "time=us"})
			return err
		})
		if rows, err := snapshot(t, s).Lookup(ctx, name); len(rows) != 1 || rows[0] != col || err != nil {
			t.Errorf("Lookup finds %+v, %v, want %+v", rows, err, col)
		}
		return col
	}
	block := store.Block{First: 7, Rows: 2, Room: 3}
	for _, size := range []int64{4, 0} {
		col := create(fmt.Sprint("of size ", size), size)
		total := int64(12) // the bytes, and the table of offsets after them
		if size == 0 {
			total += block.Offsets()
		}
		data := make([]byte, total)
		for i := range data {
			data[i] = byte(100 + i)
		}
		put := store.Chunk{Number: 5, Capacity: total, Used: 8, Meta: block.Meta()}
		other := store.Chunk{Number: -2, Capacity: total, Meta: store.Block{Rows: 1, Room: 3}.Meta()}
		update(t, s, func(tx store.Tx) error {
			for range 2 { // once to create it, and once in its place
				if err := tx.PutChunk(ctx, col.ID, put, data); err != nil {
					return err
				}
			}
			if err := tx.PutChunk(ctx, col.ID, other, nil); err != nil {
				return err
			}
			wantChunks(t, tx, col.ID, math.MinInt64, math.MaxInt64, other, put)
			return tx.SetLength(ctx, col.ID, 9)
		})
		snap := snapshot(t, s)
		wantChunks(t, snap, col.ID, math.MinInt64, math.MaxInt64, other, put)
		if last, err := snap.LastChunk(ctx, col.ID); !sameChunk(last, put) || err != nil {
			t.Errorf("LastChunk: %+v, %v", last, err)
		}
		wantBytes(t, snap, col.ID, 5, string(data[:12]))
		for _, at := range [][2]int64{{3, 9}, {12, total}, {12, 12}, {total, total}, {0, 0}, {total - 1, total}} {
			p, err := read(ctx, snap, col.ID, 5, at[0], int(at[1]-at[0]))
			if !bytes.Equal(p, data[at[0]:at[1]]) || err != nil {
				t.Errorf("bytes %v of a block: % x, %v", at, p, err)
			}
		}
		_, err := read(ctx, snap, col.ID, 5, total, 1)
		wantErr(t, "bytes after a block", err, store.ErrCorrupt)
		if rows, err := snap.LookupID(ctx, col.ID); len(rows) != 1 || rows[0].Length != 9 || err != nil {
			t.Errorf("LookupID: %+v, %v", rows, err)
		}

		set := put
		set.Used, set.Meta = 9, store.Block{First: 8, Rows: 3, Room: 3}.Meta()
		update(t, s, func(tx store.Tx) error {
			if err := tx.SetChunk(ctx, col.ID, set); err != nil {
				return err
			}
			return tx.WriteAt(ctx, col.ID, []store.Span{{Chunk: 5, Offset: 1, Data: []byte("XY")}, {Chunk: 5, Offset: total - 2, Data: []byte("Z")}})
		})
		wantChunks(t, snap, col.ID, 0, math.MaxInt64, put)
		wantBytes(t, snap, col.ID, 5, string(data[:12]))
		snap.Close()
		snap = snapshot(t, s)
		wantChunks(t, snap, col.ID, 0, math.MaxInt64, set)
		copy(data[1:], "XY")
		data[total-2] = 'Z'
		wantBytes(t, snap, col.ID, 5, string(data[:12]))
		if p, err := read(ctx, snap, col.ID, 5, total-3, 3); !bytes.Equal(p, data[total-3:]) || err != nil {
			t.Errorf("the last bytes of a block: % x, %v", p, err)
		}
		snap.Close()

		wantFailure(t, s, "a block without numbers", store.ErrCorrupt, func(ctx context.Context, tx store.Tx) error {
			return tx.PutChunk(ctx, col.ID, store.Chunk{Number: 9, Capacity: 100}, nil)
		})
		update(t, s, func(tx store.Tx) error { return tx.DropChunks(ctx, col.ID, -2, 5) })
		wantChunks(t, snapshot(t, s), col.ID, math.MinInt64, math.MaxInt64, set)
		update(t, s, func(tx store.Tx) error { return tx.DropColumn(ctx, col.ID) })
		wantChunks(t, snapshot(t, s), col.ID, math.MinInt64, math.MaxInt64)
		if again := create(fmt.Sprint("of size ", size), size); again.ID == col.ID {
			t.Error("the ID of a dropped column is given again")
		}
	}
	for _, full := range []bool{false, true} {
		if found, err := snapshot(t, s).Verify(ctx, full); len(found) > 0 || err != nil {
			t.Errorf("Verify finds %v, %v", found, err)
		}
	}
	wantFailure(t, s, "blocks of several sizes", store.ErrInvalidArgument, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.CreateColumn(ctx, store.Row{Name: "c", DType: "i64", ElemSize: 8, MinChunk: 8, MaxChunk: 16, Layout: store.LayoutV1})
		return err
	})
}

// testNamesakes has columns of one name in two layouts.
func testNamesakes(t *testing.T, s store.Store) {
	ctx := t.Context()
	add := func(ctx context.Context, tx store.Tx, layout store.Layout) (store.Row, error) {
		return tx.CreateColumn(ctx, store.Row{Name: "a", DType: "i64", ElemSize: 8, MinChunk: 64, MaxChunk: 64, Layout: layout})
	}
	for _, order := range [][2]store.Layout{{store.LayoutV0, store.LayoutV1}, {store.LayoutV1, store.LayoutV0}} {
		var ids [2]store.ColumnID
		update(t, s, func(tx store.Tx) error {
			for _, layout := range order {
				row, err := add(ctx, tx, layout)
				if err != nil {
					return err
				}
				ids[layout] = row.ID
			}
			return nil
		})
		for _, layout := range []store.Layout{store.LayoutV0, store.LayoutV1, store.LayoutNative} {
			wantFailure(t, s, fmt.Sprint("another one of layout ", layout), store.ErrExists, func(ctx context.Context, tx store.Tx) error {
				_, err := add(ctx, tx, layout)
				return err
			})
		}
		for layout, id := range ids {
			snap := snapshot(t, s)
			if rows, err := snap.Lookup(ctx, "a", "b"); len(rows) != 1 || rows[0].ID != id || err != nil {
				t.Errorf("Lookup finds %+v, %v, want the column of layout %d", rows, err, layout)
			}
			if all, err := snap.Columns(ctx); len(all) != 2-layout || err != nil {
				t.Errorf("columns: %+v, %v", all, err)
			}
			snap.Close()
			update(t, s, func(tx store.Tx) error { return tx.DropColumn(ctx, id) })
		}
	}
	createNative(t, s, "a")
	for _, layout := range []store.Layout{store.LayoutV0, store.LayoutV1} {
		wantFailure(t, s, fmt.Sprint("one of layout ", layout, " beside a native one"), store.ErrExists, func(ctx context.Context, tx store.Tx) error {
			_, err := add(ctx, tx, layout)
			return err
		})
	}
}
