package native

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"
	"testing"

	"columnvault/internal/column"
	"columnvault/internal/store"
	"columnvault/internal/store/storetest"
)

// change runs fn on a column of i64 in runs of runBytes, which it makes if there
// is none.
func change(t *testing.T, s store.Store, runBytes int64, seal Codec, fn func(tx store.Tx, c *Column) error) {
	t.Helper()
	ctx := t.Context()
	err := s.Update(ctx, func(tx store.Tx) error {
		if rows, err := tx.Lookup(ctx, "x"); err != nil || len(rows) == 0 {
			row, err := Row("x", "i64", 8, runBytes, s.Caps())
			if err != nil {
				return err
			}
			if row, err = tx.CreateColumn(ctx, row); err != nil {
				return err
			}
			if err := Start(ctx, tx, row, seal); err != nil {
				return err
			}
		}
		c, err := open(ctx, tx)
		if err != nil {
			return err
		}
		return fn(tx, c)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func numbers(values ...int64) (e column.Elements) {
	for _, v := range values {
		e.Data = binary.LittleEndian.AppendUint64(e.Data, uint64(v))
	}
	return e
}

// want compares the column with what it should hold.
func want(ctx context.Context, t *testing.T, r store.Reader, c *Column, values []int64) {
	t.Helper()
	var e column.Elements
	if _, err := c.Read(ctx, r, &e, 0, c.Len(), column.NoLimit); err != nil || !bytes.Equal(e.Data, numbers(values...).Data) {
		t.Fatalf("the column has %d elements, want %d, or other ones; %v", len(e.Data)/8, len(values), err)
	}
	if err := c.Check(ctx, r, func(p column.Problem) { t.Errorf("check: %s", p.Text) }); err != nil {
		t.Fatal(err)
	}
}

// TestGapIsUsedUp splits runs at one place until no number is left between two of
// them: some then get others.
func TestGapIsUsedUp(t *testing.T) {
	s := storetest.NewMemory()
	var model []int64
	change(t, s, 16, Raw, func(tx store.Tx, c *Column) error {
		for v := range int64(20) {
			model = append(model, v)
			if err := c.Append(t.Context(), tx, numbers(v)); err != nil {
				return err
			}
		}
		for v := range int64(300) {
			i := 5 + v%2
			model = slices.Insert(model, int(i), 1000+v)
			if err := c.Insert(t.Context(), tx, i, numbers(1000+v)); err != nil {
				return err
			}
		}
		want(t.Context(), t, tx, c, model)
		return nil
	})
	change(t, s, 16, Raw, func(tx store.Tx, c *Column) error {
		want(t.Context(), t, tx, c, model)
		return nil
	})
}

// TestSealedIsReadAnew changes compressed runs after they have been read in the
// same transaction.
func TestSealedIsReadAnew(t *testing.T) {
	s := storetest.NewMemory()
	model := make([]int64, 1000)
	change(t, s, 800, Zstd, func(tx store.Tx, c *Column) error {
		if err := c.Append(t.Context(), tx, numbers(model...)); err != nil {
			return err
		}
		if err := c.load(t.Context(), tx); err != nil || c.run(0).codec != Zstd {
			t.Error("the first run is not compressed")
		}
		for i := range model {
			want(t.Context(), t, tx, c, model)
			if i%37 > 0 {
				continue
			}
			model[i] = 1
			if err := c.Overwrite(t.Context(), tx, int64(i), numbers(1)); err != nil {
				return err
			}
		}
		want(t.Context(), t, tx, c, model)
		return nil
	})
}

// TestAppendChangesOneRow counts the calls of an append that is a transaction of
// its own.
func TestAppendChangesOneRow(t *testing.T) {
	ctx := t.Context()
	s := storetest.NewMemory()
	change(t, s, 8000, Raw, func(tx store.Tx, c *Column) error { return c.Append(ctx, tx, numbers(make([]int64, 5000)...)) })
	before := int64(-1)
	for range 50 {
		change(t, s, 8000, Raw, func(tx store.Tx, c *Column) error {
			if before >= 0 && c.row.MinChunk != before {
				t.Error("an append has changed the structure")
			}
			before = c.row.MinChunk
			if err := c.Append(ctx, tx, numbers(7)); err != nil {
				return err
			}
			if c.dir != nil || c.row.MinChunk != before {
				t.Error("an append needs the directory, or changes the structure")
			}
			return nil
		})
	}
}
