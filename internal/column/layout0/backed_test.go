package layout0

import (
	"context"
	"errors"
	"iter"
	"testing"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

const chunkSize = 8 << 10

// bytesColumn makes a column of n bytes in small chunks.
func bytesColumn(ctx context.Context, s store.Store, tx store.Tx, n int) (*Fixed, error) {
	row, err := FixedRow("n", "u8", 1, Bounds{Min: chunkSize, Max: chunkSize}, s.Caps())
	if err != nil {
		return nil, err
	}
	if row, err = tx.CreateColumn(ctx, row); err != nil {
		return nil, err
	}
	c, err := OpenFixed(row, s.Caps().Window)
	if err != nil {
		return nil, err
	}
	return c, c.Append(ctx, tx, column.Elements{Data: make([]byte, n)})
}

// lister counts the chunks that are listed.
type lister struct {
	store.Reader
	listed *int
}

func (l lister) Chunks(ctx context.Context, id store.ColumnID, from, to int64) iter.Seq2[store.Chunk, error] {
	return func(yield func(store.Chunk, error) bool) {
		for chunk, err := range l.Reader.Chunks(ctx, id, from, to) {
			*l.listed++
			if !yield(chunk, err) {
				return
			}
		}
	}
}

// TestBackedListsItsChunksOnly reads so much from the middle of a column that
// its chunks are looked at first, and counts them.
func TestBackedListsItsChunksOnly(t *testing.T) {
	const (
		chunks   = 2000
		from, to = chunks / 2 * chunkSize, chunks/2*chunkSize + trusted + chunkSize
	)
	ctx := t.Context()
	engines(t, func(t *testing.T, s store.Store) {
		var listed int
		err := s.Update(ctx, func(tx store.Tx) error {
			c, err := bytesColumn(ctx, s, tx, chunks*chunkSize)
			if err != nil {
				return err
			}
			listed = 0
			return c.Backed(ctx, lister{tx, &listed}, from, to)
		})
		if want := (to - from) / chunkSize; err != nil || listed != want {
			t.Errorf("%d bytes in %d of %d chunks: %d are listed, %v", to-from, want, chunks, listed, err)
		}
	})
}

// voucher is an engine that vouches for its chunks, and counts the spans that are
// read.
type voucher struct {
	store.Reader
	read *int
}

func (voucher) Vouched() {}

func (v voucher) ReadAt(ctx context.Context, id store.ColumnID, spans []store.Span) error {
	*v.read += len(spans)
	return v.Reader.ReadAt(ctx, id, spans)
}

// TestBackedByAnEngineThatVouches: its chunks are not read, and are still refused
// where they say themselves that they are too short.
func TestBackedByAnEngineThatVouches(t *testing.T) {
	const size = trusted + chunkSize
	ctx := t.Context()
	engines(t, func(t *testing.T, s store.Store) {
		err := s.Update(ctx, func(tx store.Tx) error {
			c, err := bytesColumn(ctx, s, tx, size)
			if err != nil {
				return err
			}
			read := 0
			r := voucher{tx, &read}
			if err := c.Backed(ctx, r, 0, size); err != nil || read > 0 {
				t.Errorf("%d spans are read, %v", read, err)
			}
			short := store.Chunk{Number: 1, Capacity: chunkSize - 1}
			if err := tx.PutChunk(ctx, c.id, short, make([]byte, short.Capacity)); err != nil {
				return err
			}
			if err := c.Backed(ctx, r, 0, size); !errors.Is(err, store.ErrCorrupt) {
				t.Errorf("a chunk of %d bytes, not %d: %v", short.Capacity, chunkSize, err)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}
