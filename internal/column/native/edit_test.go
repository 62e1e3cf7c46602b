package native

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
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

// TestEditsMoveLittle edits columns at random places, and counts the bytes that an
// edit reads and writes: much less than a run has, however full the runs are. What
// room is left in the runs Compact gives back.
func TestEditsMoveLittle(t *testing.T) {
	const runBytes, n = 64 << 10, 50_000
	random := rand.New(rand.NewPCG(1, 2))
	element := func(size int64) column.Elements {
		if size > 0 {
			return numbers(random.Int64())
		}
		e := column.Elements{Data: make([]byte, 100+random.IntN(20))}
		e.Ends = []int{len(e.Data)}
		return e
	}
	for name, edit := range map[string]func(tx store.Tx, c *Column, i int64) error{
		"overwrite": func(tx store.Tx, c *Column, i int64) error {
			return c.Overwrite(t.Context(), tx, i, element(c.size))
		},
		"insert": func(tx store.Tx, c *Column, i int64) error { return c.Insert(t.Context(), tx, i, element(c.size)) },
		"delete": func(tx store.Tx, c *Column, i int64) error { return c.Delete(t.Context(), tx, i, i+1) },
	} {
		for _, size := range []int64{0, 8} {
			t.Run(fmt.Sprintf("%s %d", name, size), func(t *testing.T) {
				ctx := t.Context()
				s := storetest.NewCounter(storetest.NewMemory())
				in := func(fn func(tx store.Tx, c *Column) error) storetest.Counts {
					t.Helper()
					counts, err := s.During(func() error {
						return s.Update(ctx, func(tx store.Tx) error {
							c, err := open(ctx, tx)
							if err == nil {
								err = fn(tx, c)
							}
							return err
						})
					})
					if err != nil {
						t.Fatal(err)
					}
					return counts
				}
				err := s.Update(ctx, func(tx store.Tx) error {
					row, err := Row("x", "bytes", size, runBytes, s.Caps())
					if err != nil {
						return err
					}
					if row, err = tx.CreateColumn(ctx, row); err != nil {
						return err
					}
					return Start(ctx, tx, row, Raw)
				})
				if err != nil {
					t.Fatal(err)
				}
				in(func(tx store.Tx, c *Column) error {
					var e column.Elements
					for range n {
						more := element(size)
						join(&e, &more)
					}
					return c.Append(ctx, tx, e)
				})
				const edits = 300
				moved := int64(0)
				for range edits {
					counts := in(func(tx store.Tx, c *Column) error { return edit(tx, c, random.Int64N(c.Len())) })
					moved += max(counts.BytesRead, counts.BytesWritten)
				}
				if moved > edits*runBytes*2/5 {
					t.Errorf("an edit moves %d bytes", moved/edits)
				}
				in(func(tx store.Tx, c *Column) error {
					parts, err := c.Waste(ctx, tx)
					for _, w := range parts {
						if err == nil {
							_, err = c.Compact(ctx, tx, w)
						}
					}
					if err != nil {
						return err
					}
					stat, err := c.Stat(ctx, tx)
					if live := stat.LiveBytes + (8-size)/2*c.Len(); stat.Capacity > live*21/20 {
						t.Errorf("after Compact the column has %d bytes for %d", stat.Capacity, live)
					}
					return err
				})
			})
		}
	}
}
