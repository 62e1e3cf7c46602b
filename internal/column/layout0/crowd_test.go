package layout0

import (
	"errors"
	"strings"
	"testing"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// TestCrowd lets elements without bytes, of which any number fits, come from
// everywhere: no chunk may get too many.
func TestCrowd(t *testing.T) {
	engines(t, func(t *testing.T, s store.Store) {
		l := newList(t, s)
		most := func(what string, limit int) {
			t.Helper()
			for chunk, n := range l.want() {
				if n > limit {
					t.Errorf("after %s, chunk %d has %d elements, above %d", what, chunk, n, limit)
				}
			}
		}
		l.insert(0, make([]string, 3*crowd)...)
		most("a long append", crowd)
		for range 5 {
			l.insert(len(l.values), make([]string, crowd-1)...)
		}
		most("short appends", 2*crowd)
		for range 5 {
			l.insert(crowd/2, make([]string, crowd/2)...)
		}
		l.insert(1, make([]string, 3*crowd)...)
		most("inserts", 3*crowd)
		for i := 0; i < len(l.values); i += crowd / 2 {
			l.set(i, "now there is something")
		}
		most("sets", crowd)
		l.insert(0, "first")
		most("an insert of one", crowd)
	})
}

// TestRunOfOthers takes a chunk with more elements than ours get, as other
// writers make them.
func TestRunOfOthers(t *testing.T) {
	for name, touch := range map[string]func(l *list){
		"append": func(l *list) { l.insert(len(l.values), "more") },
		"insert": func(l *list) { l.insert(5, "more") },
		"set":    func(l *list) { l.set(2*crowd, "longer than before") },
	} {
		t.Run(name, func(t *testing.T) {
			engines(t, func(t *testing.T, s store.Store) {
				l := newList(t, s)
				l.values = make([]string, 5*crowd)
				l.values[7], l.values[4*crowd] = "seven", "far"
				l.change(func(tx store.Tx, c *VarSize) error {
					b := encode(l.values)
					entries := appendEntries(nil, 3, 0, b, 0, len(b.Ends))
					return errors.Join(
						tx.PutChunk(t.Context(), c.id, store.Chunk{Number: 3, Capacity: 4096, Used: int64(len(b.Data))}, b.Data),
						c.index.Append(t.Context(), tx, column.Elements{Data: entries}))
				})
				touch(l)
				if elements := l.want(); len(elements) < 2 {
					t.Errorf("all elements are still in %v", elements)
				}
			})
		})
	}
}

// TestEmptyBeforeLarge inserts empty elements where there is no chunk for them
// to share.
func TestEmptyBeforeLarge(t *testing.T) {
	engines(t, func(t *testing.T, s store.Store) {
		l := newList(t, s)
		l.insert(0, strings.Repeat("x", 600_000))
		l.insert(0, make([]string, 1000)...)
		if elements := l.want(); len(elements) > 3 {
			t.Errorf("1001 elements take %d chunks", len(elements))
		}
	})
}

// TestWindowsOfEmptyElements reads windows that are full to the byte, beside
// more empty elements than are looked up at once.
func TestWindowsOfEmptyElements(t *testing.T) {
	engines(t, func(t *testing.T, s store.Store) {
		l := newList(t, s)
		n := int64(2*s.Caps().Window/EntrySize + 10)
		values := make([]string, n)
		values[0] = strings.Repeat("x", 100)
		values[n-1] = strings.Repeat("y", 1000)
		l.insert(0, values...)
		l.change(func(tx store.Tx, c *VarSize) error {
			for _, w := range []struct{ from, to, limit, end int64 }{
				{0, n, 100, n - 1},
				{0, n, 500, n - 1},
				{0, n, 99, 1},
				{1, n, 1, n - 1},
				{n - 1, n, 1, n},
				{0, n, 1100, n},
			} {
				var b column.Elements
				end, err := c.Read(t.Context(), tx, &b, w.from, w.to, w.limit)
				if err != nil || end != w.end || int64(len(b.Ends)) != end-w.from {
					t.Errorf("a window of %d from %d has %d elements and ends at %d, want %d: %v", w.limit, w.from, len(b.Ends), end, w.end, err)
				}
			}
			for _, w := range []struct{ to, limit, start int64 }{{n - 1, 100, 0}, {n - 1, 99, 1}, {n, 1099, 1}, {n, 1, n - 1}} {
				start, err := c.Before(t.Context(), tx, w.to, w.limit)
				if err != nil || start != w.start {
					t.Errorf("the window of %d before %d starts at %d, want %d: %v", w.limit, w.to, start, w.start, err)
				}
			}
			return nil
		})
	})
}
