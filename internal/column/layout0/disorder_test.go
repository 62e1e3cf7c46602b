package layout0

import (
	"slices"
	"testing"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// TestAppendToDisorder appends to columns whose entries have been exchanged:
// Check calls that damage, but all elements can be read, and must stay so.
func TestAppendToDisorder(t *testing.T) {
	ctx := t.Context()
	exchanges := map[string]func(entries []entry){
		"last and first": func(e []entry) { e[0], e[len(e)-1] = e[len(e)-1], e[0] },
		"last two":       func(e []entry) { e[len(e)-2], e[len(e)-1] = e[len(e)-1], e[len(e)-2] },
		"first of three": func(e []entry) { slices.Reverse(e[len(e)-3:]); slices.Reverse(e[len(e)-2:]) },
		"all":            func(e []entry) { slices.Reverse(e) },
		"empty last":     func(e []entry) { e[0], e[len(e)-1] = e[len(e)-1], entry{Chunk: e[0].Chunk} },
		"last within it": func(e []entry) { e[len(e)-1].Start -= 5; e[len(e)-1].End -= 5 },
	}
	for name, exchange := range exchanges {
		for _, n := range []int{3, 500} {
			t.Run(name, func(t *testing.T) {
				engines(t, func(t *testing.T, s store.Store) {
					l := newList(t, s)
					l.insert(0, numbered(n, 10)...)
					l.change(func(tx store.Tx, c *VarSize) error {
						old, err := c.entries(ctx, tx, 0, c.Len())
						if err != nil {
							return err
						}
						changed := make([]entry, old.Len())
						for k := range changed {
							changed[k] = old.At(k)
						}
						exchange(changed)
						var p []byte
						for _, e := range changed {
							p = e.Append(p)
						}
						return c.index.Overwrite(ctx, tx, 0, column.Elements{Data: p})
					})
					read := func() (all []string) {
						l.change(func(tx store.Tx, c *VarSize) error {
							var b column.Elements
							_, err := c.Read(ctx, tx, &b, 0, c.Len(), column.NoLimit)
							all = decode(b)
							return err
						})
						return all
					}
					want := append(read(), "XXXXXXXXXX", "YYYYYYYYYY")
					for _, value := range want[n:] {
						l.change(func(tx store.Tx, c *VarSize) error { return c.Append(ctx, tx, encode([]string{value})) })
					}
					if got := read(); !slices.Equal(got, want) {
						t.Errorf("after the append there are\n%q\nwant\n%q", got[max(0, n-5):], want[max(0, n-5):])
					}
				})
			})
		}
	}
}
