package layout0

import (
	"fmt"
	"runtime"
	"slices"
	"testing"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// numbered makes n elements of size bytes.
func numbered(n, size int) []string {
	values := make([]string, n)
	for i := range values {
		values[i] = fmt.Sprintf("%*d", size, i)
	}
	return values
}

// TestReadsAreAsLargeAsTheWindow reads a whole column piece by piece.
func TestReadsAreAsLargeAsTheWindow(t *testing.T) {
	ctx := t.Context()
	l := newList(t, openSQLite(t))
	l.insert(0, numbered(100_000, 100)...)
	for _, window := range []int64{l.s.Caps().Window, 64 << 10} {
		calls, n := l.count(func(tx store.Tx, c *VarSize) error {
			c.window = window / EntrySize
			for i := int64(0); i < c.Len(); {
				var b column.Elements
				next, err := c.Read(ctx, tx, &b, i, c.Len(), window)
				if err != nil {
					return err
				}
				if got := decode(b); !slices.Equal(got, l.values[i:next]) {
					return fmt.Errorf("elements %d to %d are wrong", i, next)
				}
				i = next
			}
			return nil
		})
		bytes := int64(len(l.values)) * (100 + EntrySize)
		if most := int(bytes/window)*9/8 + 6; calls > most || n.BytesRead > bytes {
			t.Errorf("%d bytes in windows of %d: %d calls, want at most %d: %v", bytes, window, calls, most, n)
		}
	}
}

// TestReadsTakeLittleMemory reads short texts: what is taken beside their bytes is
// bounded, and does not grow step by step.
func TestReadsTakeLittleMemory(t *testing.T) {
	ctx := t.Context()
	l := newList(t, openSQLite(t))
	const size, most = 16, 5 << 19
	l.insert(0, numbered(200_000, size)...)
	l.count(func(tx store.Tx, c *VarSize) error {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var ends []int
		for i := int64(0); i < c.Len(); {
			b := column.Elements{Ends: ends[:0]}
			next, err := c.Read(ctx, tx, &b, i, c.Len(), 1<<20)
			if err != nil {
				return err
			}
			i, ends = next, b.Ends
		}
		runtime.ReadMemStats(&after)
		if taken := int64(after.TotalAlloc-before.TotalAlloc) - c.Len()*size; taken > most {
			t.Errorf("reading %d texts takes %d bytes beside theirs, want at most %d", c.Len(), taken, most)
		}
		return nil
	})
}

// TestStretches: elements that follow each other are one stretch, whatever call
// adds them, and those without bytes are in none.
func TestStretches(t *testing.T) {
	var entries []byte
	for _, e := range []entry{{0, 0, 4}, {0, 4, 4}, {9, 7, 7}, {0, 4, 10}, {0, 12, 14}, {64, 0, 5}} {
		entries = e.Append(entries)
	}
	for first := range len(entries)/EntrySize + 1 {
		b := column.Elements{Data: make([]byte, 3)}
		var s stretches
		for _, part := range []entryList{entries[:first*EntrySize], entries[first*EntrySize:]} {
			if n, err := s.add(&b, part, 17, false); n != part.Len() || err != nil {
				t.Fatal(n, err)
			}
		}
		want := []stretch{{entry{0, 0, 10}, 3}, {entry{0, 12, 14}, 4}, {entry{64, 0, 5}, 5}}
		if !slices.Equal(s.list, want) || s.total != 17 || s.count != 6 || !slices.Equal(b.Ends, []int{7, 7, 7, 13, 15, 20}) {
			t.Errorf("%d and then the others: %+v, with the ends %v", first, s, b.Ends)
		}
	}
	for limit, want := range map[int64]int{0: 0, 3: 0, 4: 3, 9: 3, 10: 4, 16: 5} {
		var s stretches
		if n, err := s.add(&column.Elements{}, entries, limit, false); n != want || err != nil {
			t.Errorf("within %d bytes: %d, %v, want %d", limit, n, err, want)
		}
	}
}

// TestReadsBetweenChanges changes a column while it is read piece by piece in
// the same transaction.
func TestReadsBetweenChanges(t *testing.T) {
	ctx := t.Context()
	changes := map[string]func(l *list, tx store.Tx, c *VarSize, i int64) error{
		"append": func(l *list, tx store.Tx, c *VarSize, _ int64) error {
			l.values = append(l.values, "new")
			return c.Append(ctx, tx, encode([]string{"new"}))
		},
		"insert": func(l *list, tx store.Tx, c *VarSize, i int64) error {
			l.values = slices.Insert(l.values, int(i), "new")
			return c.Insert(ctx, tx, i, encode([]string{"new"}))
		},
		"overwrite": func(l *list, tx store.Tx, c *VarSize, i int64) error {
			l.values[i] = "something longer"
			return c.Overwrite(ctx, tx, i, encode(l.values[i:i+1]))
		},
		"delete": func(l *list, tx store.Tx, c *VarSize, i int64) error {
			l.values = slices.Delete(l.values, int(i), int(i)+1)
			return c.Delete(ctx, tx, i, i+1)
		},
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			engines(t, func(t *testing.T, s store.Store) {
				l := newList(t, s)
				l.insert(0, numbered(5000, 8)...)
				before := slices.Clone(l.values)
				l.change(func(tx store.Tx, c *VarSize) error {
					l.values = slices.Clone(before)
					for i := int64(0); i < 4000; {
						var b column.Elements
						next, err := c.Read(ctx, tx, &b, i, c.Len(), 1000)
						if err != nil {
							return err
						}
						if got := decode(b); !slices.Equal(got, l.values[i:next]) {
							return fmt.Errorf("elements %d to %d are %q", i, next, got)
						}
						if err := change(l, tx, c, next+3); err != nil {
							return err
						}
						i = next
					}
					return nil
				})
				l.want()
			})
		})
	}
}
