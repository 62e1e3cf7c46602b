package layout0

import (
	"math"
	"testing"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// TestFirstChunkIsBounded appends to columns whose rows ask for first chunks
// of a size that nobody has.
func TestFirstChunkIsBounded(t *testing.T) {
	engines(t, func(t *testing.T, s store.Store) {
		for _, least := range []int64{5 << 20, 1 << 40, 1 << 62} {
			capacity := func(append func(tx store.Tx, data, index store.Row) error) (total int64) {
				t.Helper()
				err := s.Update(t.Context(), func(tx store.Tx) error {
					var rows [2]store.Row
					for i, size := range []int64{1, EntrySize} {
						row := store.Row{Name: "x" + string(rune('0'+i)), DType: "bytes", ElemSize: size, MinChunk: least, MaxChunk: math.MaxInt64}
						var err error
						if rows[i], err = tx.CreateColumn(t.Context(), row); err != nil {
							return err
						}
					}
					if err := append(tx, rows[0], rows[1]); err != nil {
						return err
					}
					total = 0
					for _, row := range rows {
						for chunk, err := range tx.Chunks(t.Context(), row.ID, math.MinInt64, math.MaxInt64) {
							if err != nil {
								return err
							}
							total += chunk.Capacity
						}
						if err := tx.DropColumn(t.Context(), row.ID); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				return total
			}
			fixed := capacity(func(tx store.Tx, data, _ store.Row) error {
				c, err := OpenFixed(data, s.Caps().Window)
				if err != nil {
					return err
				}
				return c.Append(t.Context(), tx, column.Elements{Data: []byte("x")})
			})
			varying := capacity(func(tx store.Tx, data, index store.Row) error {
				c, err := OpenVarSize(data, index, s.Caps().Window)
				if err != nil {
					return err
				}
				return c.Append(t.Context(), tx, encode([]string{"x"}))
			})
			if most := int64(4 << 20); fixed > most || varying > 2*most {
				t.Errorf("a minimum of %d: one element of one byte takes %d bytes, or %d where it may vary", least, fixed, varying)
			}
		}
	})
}
