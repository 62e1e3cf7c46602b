package sqlite

import (
	"testing"

	"columnvault/internal/store"
)

// TestHandles: a snapshot keeps a handle at each of many chunks, a writing
// transaction, whose statements walk over all of them, at few.
func TestHandles(t *testing.T) {
	const chunks = 1500
	ctx, s := t.Context(), openStore(t, Options{})
	var id store.ColumnID
	readAll := func(r store.Reader) error {
		for i := range int64(chunks) {
			if err := r.ReadAt(ctx, id, []store.Span{{Chunk: i, Data: make([]byte, 8)}}); err != nil {
				return err
			}
		}
		return nil
	}
	check(t, s.Update(ctx, func(tx store.Tx) error {
		row, err := tx.CreateColumn(ctx, store.Row{Name: "n", DType: "i64", ElemSize: 8, MinChunk: 64, MaxChunk: 64})
		if err != nil {
			return err
		}
		id = row.ID
		for i := range int64(chunks) {
			if err := tx.PutChunk(ctx, id, store.Chunk{Number: i, Capacity: 64, Used: 64}, make([]byte, 64)); err != nil {
				return err
			}
		}
		if err := readAll(tx); err != nil {
			return err
		}
		if n := len(s.writer.blobs.ring); n != writeBlobs {
			t.Errorf("%d handles in a writing transaction, want %d", n, writeBlobs)
		}
		return nil
	}))
	snap, err := s.Snapshot(ctx)
	check(t, err)
	defer snap.Close()
	check(t, readAll(snap))
	if n := len(snap.(*snapshot).c.blobs.ring); n != chunks {
		t.Errorf("%d handles in a snapshot, want %d", n, chunks)
	}
}
