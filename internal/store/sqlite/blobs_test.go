package sqlite

import (
	"fmt"
	"testing"

	"columnvault/internal/store"
)

// chunkedStore has columns of so many chunks each, and their numbers.
func chunkedStore(t *testing.T, columns, chunks int) (*Store, []store.ColumnID) {
	t.Helper()
	ctx, s := t.Context(), openStore(t, Options{})
	var ids []store.ColumnID
	check(t, s.Update(ctx, func(tx store.Tx) error {
		for i := range columns {
			col, err := tx.CreateColumn(ctx, store.Row{Name: fmt.Sprint("c", i), DType: "i64", ElemSize: 8, MinChunk: 64, MaxChunk: 64})
			if err != nil {
				return err
			}
			ids = append(ids, col.ID)
			for number := range int64(chunks) {
				if err := tx.PutChunk(ctx, col.ID, store.Chunk{Number: number, Capacity: 8}, make([]byte, 8)); err != nil {
					return err
				}
			}
		}
		return nil
	}))
	return s, ids
}

// inBoth calls fn with a snapshot and with a transaction.
func inBoth(t *testing.T, s *Store, fn func(r store.Reader, b *blobs)) {
	t.Helper()
	snap, err := s.Snapshot(t.Context())
	check(t, err)
	defer snap.Close()
	fn(snap, snap.(*snapshot).c.blobs)
	check(t, s.Update(t.Context(), func(w store.Tx) error {
		fn(w, w.(*tx).c.blobs)
		return nil
	}))
}

// TestHandlesOfManyChunks: random reads in many chunks end up with a handle at
// each of them, so that none has to be moved any more.
func TestHandlesOfManyChunks(t *testing.T) {
	const chunks = 3 * fewBlobs
	s, ids := chunkedStore(t, 1, chunks)
	inBoth(t, s, func(r store.Reader, b *blobs) {
		for i := range int64(5 * chunks) {
			check(t, r.ReadAt(t.Context(), ids[0], []store.Span{{Chunk: i * 7 % chunks, Data: make([]byte, 8)}}))
		}
		if n := len(b.small); n != chunks {
			t.Errorf("%d chunks have a handle, not %d", n, chunks)
		}
	})
}

// TestHandlesOfManyColumns: a transaction that goes from column to column, with
// a statement for each, keeps few handles open, because each of the statements
// walks along all of them.
func TestHandlesOfManyColumns(t *testing.T) {
	const columns = 2 * fewBlobs
	s, ids := chunkedStore(t, columns, 1)
	inBoth(t, s, func(r store.Reader, b *blobs) {
		for i, id := range ids {
			_, err := r.Lookup(t.Context(), fmt.Sprint("c", i))
			check(t, err)
			check(t, r.ReadAt(t.Context(), id, []store.Span{{Data: make([]byte, 8)}}))
		}
		if n := len(b.ring); n != fewBlobs {
			t.Errorf("%d handles are open, not %d", n, fewBlobs)
		}
	})
}

// TestHandlesTakeLittleMemory: the buffers of handles at many chunks stay
// bounded, however large the reads get.
func TestHandlesTakeLittleMemory(t *testing.T) {
	const chunks = 4000
	ctx, s := t.Context(), openStore(t, Options{})
	check(t, appendRow(ctx, s, "a"))
	check(t, s.Update(ctx, func(tx store.Tx) error {
		for number := range int64(chunks) {
			if err := tx.PutChunk(ctx, 1, store.Chunk{Number: number, Capacity: smallRead}, nil); err != nil {
				return err
			}
		}
		return nil
	}))
	inBoth(t, s, func(r store.Reader, b *blobs) {
		for pass, size := range []int{8, 8, smallRead, smallRead, 8} {
			for i := range int64(chunks) {
				check(t, r.ReadAt(ctx, 1, []store.Span{{Chunk: i * 7 % chunks, Data: make([]byte, size)}}))
			}
			memory := 0
			for _, h := range b.ring {
				memory += handleMemory + h.buffer
			}
			if memory != b.memory || memory > blobMemory || pass > 0 && len(b.ring) <= fewBlobs {
				t.Errorf("after reads of %d bytes %d handles take %d bytes, by their sum %d", size, len(b.ring), b.memory, memory)
			}
		}
	})
}
