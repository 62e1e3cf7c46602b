package layout0

import (
	"fmt"
	"slices"
	"testing"

	"columnvault/internal/store"
)

// TestBordersOfChunks takes elements away at the ends of chunks, and counts
// what later changes of the same chunks read: never the whole index, to find
// out whether the chunk holds others.
func TestBordersOfChunks(t *testing.T) {
	const (
		elements = 60_000
		size     = 25
		per      = 23_988 / size // elements in a chunk
		i        = 30 * per      // the first of a chunk
	)
	long := fmt.Sprintf("%*d", size+10, 0)
	ctx := t.Context()
	for name, cut := range map[string]func(l *list){
		"delete first":          func(l *list) { l.delete(i, i+1) },
		"delete last":           func(l *list) { l.delete(i-1, i) },
		"delete one by one":     func(l *list) { l.delete(i-1, i); l.delete(i-1, i); l.delete(i-2, i-1) },
		"delete across":         func(l *list) { l.delete(i-per/2, i+per/2) },
		"delete chunks":         func(l *list) { l.delete(i-3*per+2, i+per/2) },
		"delete chunk by chunk": func(l *list) { l.delete(i-per/2, i+per/2); l.delete(i-per/2, i+per/2); l.delete(i-per/2, i+3*per) },
		"delete empty ones":     func(l *list) { l.set(i, ""); l.set(i-2, ""); l.delete(i-1, i); l.delete(i-2, i-1) },
		"shrink last":           func(l *list) { l.set(i-1, "x") },
		"empty last":            func(l *list) { l.set(i-1, "") },
		"shrink many":           func(l *list) { l.set(i-3*per, slices.Repeat([]string{"shorter"}, 4*per)...) },
		"shrink, grow and pack": func(l *list) { l.set(i-3, "", "longer than it was before, but", "x") },
		"append one by one": func(l *list) {
			for k := range 2 * per {
				l.insert(len(l.values), fmt.Sprintf("%*d", k%50, k))
			}
		},
		"shrink and delete last": func(l *list) { l.set(i-1, "x"); l.delete(i-1, i) },
	} {
		t.Run(name, func(t *testing.T) {
			l := newListOf(t, openSQLite(t), Bounds{Min: 4096, Max: 23_988})
			l.insert(0, numbered(elements, size)...)
			cut(l)
			for _, at := range []int{i - per/2 - 1, i - 3, i + 3} {
				_, n := l.count(func(tx store.Tx, c *VarSize) error {
					return c.Overwrite(ctx, tx, int64(at), encode([]string{long}))
				})
				l.values[at] = long
				if most := int64(100_000); n.BytesRead > most {
					t.Errorf("a growing Set at %d reads %d bytes, want at most %d: %v", at, n.BytesRead, most, n)
				}
			}
			at := len(l.values) - 3*per
			for range 3 { // border by border
				_, n := l.count(func(tx store.Tx, c *VarSize) error { return c.Delete(ctx, tx, int64(at), int64(at)+per/2) })
				l.values = slices.Delete(l.values, at, at+per/2)
				if most := int64(100_000); n.BytesRead > most {
					t.Errorf("a Delete near the end reads %d bytes, want at most %d: %v", n.BytesRead, most, n)
				}
			}
			l.want()
		})
	}
}
