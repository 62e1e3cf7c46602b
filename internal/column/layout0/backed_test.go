package layout0

import (
	"testing"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

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
		n := &calls{}
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
			*n = calls{}
			return c.Backed(ctx, counted{tx, n}, from, to)
		})
		if most := (to - from) / chunkSize; err != nil || n.listed > most {
			t.Errorf("%d bytes in %d of %d chunks: %v, %v", to-from, most, chunks, n, err)
		}
	})
}
