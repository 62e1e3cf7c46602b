package storetest

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"columnvault/internal/store"
)

func testSpans(t *testing.T, s store.Store) {
	ctx := t.Context()
	col := create(t, s, "a")
	// More chunks than an engine may keep handles for, and ranges around every
	// size at which an engine may change its ways.
	const chunks, size = 300, 1000
	big := bytes.Repeat([]byte("0123456789abcdef"), 40_000)
	update(t, s, func(tx store.Tx) error {
		for i := range int64(chunks) {
			if err := tx.PutChunk(ctx, col.ID, store.Chunk{Number: i, Capacity: size}, nil); err != nil {
				return err
			}
		}
		return tx.PutChunk(ctx, col.ID, store.Chunk{Number: chunks, Capacity: int64(len(big))}, nil)
	})
	text := func(i int) []byte { return fmt.Appendf(nil, "chunk %d", i) }
	update(t, s, func(tx store.Tx) error {
		var spans []store.Span
		for i := range chunks {
			spans = append(spans, store.Span{Chunk: int64(i), Offset: int64(i), Data: text(i)})
		}
		if err := tx.WriteAt(ctx, col.ID, spans); err != nil {
			return err
		}
		if err := tx.WriteAt(ctx, col.ID, []store.Span{{Chunk: chunks, Data: big}}); err != nil {
			return err
		}
		return check(ctx, t, tx, col.ID, text, chunks, big)
	})
	if err := check(ctx, t, snapshot(t, s), col.ID, text, chunks, big); err != nil {
		t.Error(err)
	}
	snap := snapshot(t, s)
	for _, bad := range []store.Span{
		{Chunk: 0, Offset: size, Data: make([]byte, 1)},
		{Chunk: 0, Offset: -1, Data: make([]byte, 1)},
		{Chunk: 0, Offset: 1 << 40, Data: make([]byte, 1)},
		{Chunk: chunks + 1, Data: make([]byte, 1)},
		{Chunk: -1, Data: make([]byte, 1)},
	} {
		err := snap.ReadAt(ctx, col.ID, []store.Span{bad})
		wantErr(t, fmt.Sprintf("read of %d+%d in chunk %d", bad.Offset, len(bad.Data), bad.Chunk), err, store.ErrCorrupt)
	}
	// A failed read must not spoil the next.
	if err := check(ctx, t, snap, col.ID, text, chunks, big); err != nil {
		t.Error(err)
	}
}

// testSpansOfColumns reads ranges of several columns in one call.
func testSpansOfColumns(t *testing.T, s store.Store) {
	ctx := t.Context()
	a, b := create(t, s, "a"), create(t, s, "b")
	read := func(r store.Reader) (got string, err error) {
		p := make([]byte, 10)
		err = r.ReadAll(ctx, []store.ColumnSpans{
			{Column: b.ID, Spans: []store.Span{{Chunk: 0, Offset: 1, Data: p[:3]}}},
			{Column: a.ID},
			{Column: a.ID, Spans: []store.Span{{Chunk: 1, Data: p[3:5]}, {Chunk: 0, Offset: 4, Data: p[5:6]}}},
			{Column: b.ID, Spans: []store.Span{{Chunk: 0, Data: p[6:10]}}},
		})
		return string(p), err
	}
	const want = "xyzcde" + "wxyz"
	update(t, s, func(tx store.Tx) error {
		for _, put := range []struct {
			id     store.ColumnID
			number int64
			data   string
		}{{a.ID, 0, "....e"}, {a.ID, 1, "cd"}, {b.ID, 0, "wxyz"}} {
			if err := tx.PutChunk(ctx, put.id, store.Chunk{Number: put.number, Capacity: 5}, []byte(put.data)); err != nil {
				return err
			}
		}
		got, err := read(tx)
		if got != want {
			t.Errorf("in the transaction: %q", got)
		}
		return err
	})
	snap := snapshot(t, s)
	if got, err := read(snap); got != want || err != nil {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	err := snap.ReadAll(ctx, []store.ColumnSpans{{Column: a.ID, Spans: []store.Span{{Data: make([]byte, 5)}}}, {Column: b.ID, Spans: []store.Span{{Chunk: 1}}}})
	wantErr(t, "a chunk that is missing", err, store.ErrCorrupt)
	ended, cancel := context.WithCancel(ctx)
	cancel()
	wantErr(t, "a ctx that has ended", snap.ReadAll(ended, []store.ColumnSpans{{Column: a.ID}}), context.Canceled)
}

func check(ctx context.Context, t *testing.T, r store.Reader, id store.ColumnID, text func(int) []byte, chunks int, big []byte) error {
	t.Helper()
	var spans []store.Span
	for i := range chunks {
		spans = append(spans, store.Span{Chunk: int64(i), Offset: int64(i), Data: make([]byte, len(text(i)))})
	}
	if err := r.ReadAt(ctx, id, spans); err != nil {
		return err
	}
	for i, s := range spans {
		if !bytes.Equal(s.Data, text(i)) {
			t.Fatalf("chunk %d: %q", i, s.Data)
		}
	}
	for _, n := range []int{1, 4 << 10, 16<<10 - 1, 16 << 10, 16<<10 + 1, 128<<10 - 1, 128 << 10, 128<<10 + 1, len(big)} {
		offset := len(big) - n
		p, err := read(ctx, r, id, int64(chunks), int64(offset), n)
		if err != nil {
			return err
		}
		if !bytes.Equal(p, big[offset:]) {
			t.Fatalf("%d bytes at %d differ", n, offset)
		}
	}
	return nil
}
