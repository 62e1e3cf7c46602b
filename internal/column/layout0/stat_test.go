package layout0

import (
	"testing"

	"columnvault/internal/store"
)

// TestStatOfMissingChunks measures a column that has lost chunks.
func TestStatOfMissingChunks(t *testing.T) {
	engines(t, func(t *testing.T, s store.Store) {
		err := s.Update(t.Context(), func(tx store.Tx) error {
			row, err := FixedRow("n", "i64", 8, Bounds{Min: 80, Max: 80}, s.Caps())
			if err != nil {
				return err
			}
			if row, err = tx.CreateColumn(t.Context(), row); err != nil {
				return err
			}
			if err := tx.SetLength(t.Context(), row.ID, 25); err != nil {
				return err
			}
			if err := tx.PutChunk(t.Context(), row.ID, store.Chunk{Number: 1, Capacity: 80}, nil); err != nil {
				return err
			}
			row.Length = 25
			c, err := OpenFixed(row, s.Caps().Window)
			if err != nil {
				return err
			}
			stat, err := c.Stat(t.Context(), tx)
			if stat.LiveBytes != 200 || stat.Capacity != 80 || stat.DeadBytes != 0 {
				t.Errorf("%+v, want 200 bytes that live, none dead and a capacity of 80", stat)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
