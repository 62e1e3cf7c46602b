package layout0

import (
	"slices"
	"testing"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// TestEndingIsForgotten: what was read for an append that did not come counts no
// more when the column has changed.
func TestEndingIsForgotten(t *testing.T) {
	ctx := t.Context()
	engines(t, func(t *testing.T, s store.Store) {
		l := newList(t, s)
		l.insert(0, "one", "two", "three")
		ask := func(tx store.Tx, c *VarSize) error {
			of := c.Ending()
			if len(of.Spans) == 0 {
				t.Error("Ending asks for nothing")
			}
			return tx.ReadAll(ctx, []store.ColumnSpans{of})
		}
		l.values = []string{"one", "two", "a longer one", "four"}
		l.change(func(tx store.Tx, c *VarSize) error {
			if err := ask(tx, c); err != nil {
				return err
			}
			if err := c.Overwrite(ctx, tx, 2, encode([]string{"a longer one"})); err != nil {
				return err
			}
			return c.Append(ctx, tx, encode([]string{"four"}))
		})
		// An append of nothing in between changes nothing.
		l.values = append(l.values, "five")
		l.change(func(tx store.Tx, c *VarSize) error {
			if err := ask(tx, c); err != nil {
				return err
			}
			if err := c.Append(ctx, tx, column.Elements{}); err != nil {
				return err
			}
			return c.Append(ctx, tx, encode([]string{"five"}))
		})
		l.change(func(tx store.Tx, c *VarSize) error {
			var b column.Elements
			_, err := c.Read(ctx, tx, &b, 0, c.Len(), column.NoLimit)
			if got := decode(b); !slices.Equal(got, l.values) {
				t.Errorf("the column holds %q, want %q", got, l.values)
			}
			return err
		})
	})
}
