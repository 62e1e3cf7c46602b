package layout0

import (
	"fmt"
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
