package layout0

import (
	"testing"

	"columnvault/internal/store"
)

// TestEditsAskOnce counts the calls of edits of a long column: nothing is
// looked up or read twice. Most of what is left are moves of the index, which
// take a read and a write a window.
func TestEditsAskOnce(t *testing.T) {
	const n = 20_000
	long := string(make([]byte, 150))
	overwrite := func(i int64, values ...string) func(l *list, tx store.Tx, c *VarSize) error {
		return func(l *list, tx store.Tx, c *VarSize) error {
			return c.Overwrite(l.t.Context(), tx, i, encode(values))
		}
	}
	insert := func(i int64, values ...string) func(l *list, tx store.Tx, c *VarSize) error {
		return func(l *list, tx store.Tx, c *VarSize) error {
			return c.Insert(l.t.Context(), tx, i, encode(values))
		}
	}
	remove := func(i, j int64) func(l *list, tx store.Tx, c *VarSize) error {
		return func(l *list, tx store.Tx, c *VarSize) error { return c.Delete(l.t.Context(), tx, i, j) }
	}
	for _, test := range []struct {
		what string
		edit func(l *list, tx store.Tx, c *VarSize) error
		most int // calls
	}{
		// index, chunk, data
		{"overwrite, as long", overwrite(7000, numbered(1, 100)...), 3},
		{"overwrite a thousand", overwrite(7000, numbered(1000, 100)...), 3},
		// the same and the index
		{"overwrite, shorter", overwrite(7000, "short"), 4},
		// index, chunk, run, data, chunk, index
		{"overwrite, longer", overwrite(7000, long), 6},
		// index, chunk, run, data, numbers, 2 chunks, drop, index
		{"overwrite and split", overwrite(7000, long+long+long), 9},
		// index, chunk, run, data, numbers, 2 chunks, drop, index; moving the
		// index takes 5
		{"insert and split", insert(7000, long), 14},
		// ends of the data and of the index, index, data, index, length
		{"append", insert(n, "short"), 6},
		// index; moving it takes 4
		{"delete", remove(7000, 7001), 5},
		// index, chunks, drop, 2 for the elements at both ends; moving the index
		// takes 4
		{"delete chunks", remove(4000, 16_000), 9},
	} {
		l := newList(t, openSQLite(t))
		l.insert(0, numbered(n, 100)...)
		if calls, counts := l.count(func(tx store.Tx, c *VarSize) error { return test.edit(l, tx, c) }); calls > test.most {
			t.Errorf("%s: %d calls, want at most %d: %v", test.what, calls, test.most, counts)
		}
	}
}
