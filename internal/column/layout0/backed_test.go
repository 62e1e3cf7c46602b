package layout0

import (
	"context"
	"iter"
	"testing"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

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
		chunkSize = 8 << 10
		chunks    = 2000
		from, to  = chunks / 2 * chunkSize, chunks/2*chunkSize + trusted + chunkSize
	)
	ctx := t.Context()
	engines(t, func(t *testing.T, s store.Store) {
		var listed int
		err := s.Update(ctx, func(tx store.Tx) error {
			row, err := FixedRow("n", "u8", 1, Bounds{Min: chunkSize, Max: chunkSize}, s.Caps())
			if err != nil {
				return err
			}
			if row, err = tx.CreateColumn(ctx, row); err != nil {
				return err
			}
			c, err := OpenFixed(row, s.Caps().Window)
			if err != nil {
				return err
			}
			if err := c.Append(ctx, tx, column.Elements{Data: make([]byte, chunks*chunkSize)}); err != nil {
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
