package layout0

import (
	"errors"
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

// TestElementsOverEachOther: an index of a few bytes that stands for a chunk
// again and again is not read into memory that nobody has. Single elements can
// be read, as often as they are asked for.
func TestElementsOverEachOther(t *testing.T) {
	engines(t, func(t *testing.T, s store.Store) {
		ctx := t.Context()
		const size, count = 64 << 10, 1000
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(s.Update(ctx, func(tx store.Tx) error {
			data, err := tx.CreateColumn(ctx, store.Row{Name: "x_data", DType: "bytes", ElemSize: 1, MinChunk: 12, MaxChunk: size})
			must(err)
			index, err := tx.CreateColumn(ctx, store.Row{Name: "x_idx", DType: "adaptive_idx", ElemSize: EntrySize, MinChunk: 12, MaxChunk: size})
			must(err)
			c, err := OpenVarSize(data, index, s.Caps().Window)
			must(err)
			for range 2 {
				must(c.Append(ctx, tx, column.Elements{Data: make([]byte, size), Ends: []int{size}}))
			}
			var entries []byte
			for i := range count - 2 { // in turn, so that they are no stretch
				entries = entry{Chunk: int32(i % 2 * stride), End: size}.Append(entries)
			}
			index.Length = 2
			f, err := OpenFixed(index, s.Caps().Window)
			must(err)
			must(f.Append(ctx, tx, column.Elements{Data: entries}))
			index.Length = count
			c, err = OpenVarSize(data, index, s.Caps().Window)
			must(err)
			var e column.Elements
			if _, err := c.Read(ctx, tx, &e, 0, count, column.NoLimit); !errors.Is(err, store.ErrCorrupt) || cap(e.Data) > 16<<20 {
				t.Errorf("all elements: %v; memory for %d bytes is taken", err, cap(e.Data))
			}
			e.Reset()
			if err := c.Gather(ctx, tx, &e, make([]int64, 100)); err != nil || len(e.Data) != 100*size {
				t.Errorf("an element a hundred times: %d bytes, %v", len(e.Data), err)
			}
			e.Reset()
			if n, err := c.Read(ctx, tx, &e, 500, 501, column.NoLimit); n != 501 || err != nil {
				t.Errorf("one element: %d, %v", n, err)
			}
			return nil
		}))
	})
}
