package layout0

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// compact gives back all that the column wastes, each part in a transaction of
// its own, and returns how many bytes it has written.
func (l *list) compact() (written int64) {
	l.t.Helper()
	var found []column.Waste
	l.change(func(tx store.Tx, c *VarSize) (err error) {
		found, err = c.Waste(l.t.Context(), tx)
		return err
	})
	for _, w := range found {
		l.change(func(tx store.Tx, c *VarSize) error {
			n, err := c.Compact(l.t.Context(), tx, w)
			written += n
			return err
		})
		l.want() // each leaves a whole and valid column
	}
	return written
}

// wantCompact requires that the column takes little more than its elements, and
// that there is nothing left to do.
func (l *list) wantCompact() {
	l.t.Helper()
	l.change(func(tx store.Tx, c *VarSize) error {
		data, err := c.Stat(l.t.Context(), tx)
		if err != nil {
			return err
		}
		index, err := c.index.Stat(l.t.Context(), tx)
		if need, has := data.LiveBytes+index.LiveBytes, data.Capacity+index.Capacity; has > need+need/20+64<<10 {
			l.t.Errorf("%d elements of %d bytes take %d in chunks", data.Elements, need, has)
		}
		if most := 2 + 5*data.LiveBytes/c.bounds.Max + data.Elements/(crowd/2); data.Chunks > most {
			l.t.Errorf("%d bytes of %d elements take %d chunks", data.LiveBytes, data.Elements, data.Chunks)
		}
		found, e := c.Waste(l.t.Context(), tx)
		if len(found) > 0 || e != nil {
			l.t.Errorf("there is still waste: %v, %v", found, e)
		}
		return err
	})
	l.want()
}

// TestCompactVarSize makes waste of each kind.
func TestCompactVarSize(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	texts := func(n, most int) []string {
		values := make([]string, n)
		for i := range values {
			values[i] = strings.Repeat(fmt.Sprint(i%10), random.IntN(most))
		}
		return values
	}
	for name, waste := range map[string]func(l *list){
		"slack at the end": func(l *list) { l.insert(0, texts(3000, 60)...) },
		"holes": func(l *list) {
			l.insert(0, texts(30_000, 200)...)
			for range 200 {
				i := random.IntN(len(l.values) - 100)
				l.delete(i, i+100)
			}
		},
		"little is left in each chunk": func(l *list) {
			for range 20 {
				l.insert(len(l.values), texts(600, 2000)...)
				if n := len(l.values); n > 600 {
					l.delete(n-600, n-8)
				}
			}
		},
		"elements that became shorter": func(l *list) {
			l.insert(0, texts(2000, 3000)...)
			l.set(0, texts(2000, 20)...)
		},
		"elements that grew in the middle": func(l *list) {
			l.insert(0, texts(9000, 100)...)
			for i := 0; i < len(l.values); i += 90 {
				l.set(i, strings.Repeat("grown", 500))
			}
		},
		"an element above the maximum": func(l *list) {
			l.insert(0, texts(4000, 300)...)
			l.insert(2000, strings.Repeat("large", 200_000))
			l.set(2000, strings.Repeat("large", 150_000))
			l.delete(0, 1500)
		},
		"elements without bytes": func(l *list) {
			l.insert(0, make([]string, 3*crowd)...)
			l.insert(crowd, texts(2000, 400)...)
			l.delete(crowd+10, crowd+1900)
			l.delete(0, 2*crowd)
		},
		"nothing": func(l *list) {},
		"all gone": func(l *list) {
			l.insert(0, texts(2000, 400)...)
			l.delete(0, 2000)
		},
		"a chunk of nobody": func(l *list) {
			l.insert(0, texts(4000, 300)...)
			l.change(func(tx store.Tx, c *VarSize) error {
				return tx.PutChunk(l.t.Context(), c.id, store.Chunk{Number: 7, Capacity: 100_000, Used: 50}, nil)
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			engines(t, func(t *testing.T, s store.Store) {
				l := newList(t, s)
				waste(l)
				l.compact()
				l.wantCompact()
				if n := l.compact(); n != 0 {
					t.Errorf("the second time %d bytes were written", n)
				}
				// It goes on as before.
				l.insert(len(l.values), texts(300, 300)...)
				l.insert(len(l.values)/2, texts(300, 300)...)
				l.want()
			})
		})
	}
}

// TestCompactMovesLittle counts what is written where one chunk of many wastes
// space.
func TestCompactMovesLittle(t *testing.T) {
	l := newList(t, openSQLite(t))
	l.insert(0, slices.Repeat([]string{strings.Repeat("x", 5000)}, 2000)...)
	l.compact()
	l.delete(1000, 1060)
	live := int64(0)
	l.change(func(tx store.Tx, c *VarSize) error {
		found, err := c.Waste(t.Context(), tx)
		for _, w := range found {
			live += w.Bytes
		}
		return err
	})
	if written := l.compact(); written != live || written > 2*524280 {
		t.Errorf("%d bytes were written, of the %d that were found", written, live)
	}
	l.wantCompact()
}

// TestCompactSharedChunk has two stretches of elements in one chunk, with
// others between them, as others may write it.
func TestCompactSharedChunk(t *testing.T) {
	engines(t, func(t *testing.T, s store.Store) {
		l := newList(t, s)
		l.values = []string{"a", "b", "c"}
		l.change(func(tx store.Tx, c *VarSize) error {
			for _, number := range []int64{3, 5} {
				if err := tx.PutChunk(t.Context(), c.id, store.Chunk{Number: number, Capacity: 50_000, Used: 9}, []byte("a.c......b")); err != nil {
					return err
				}
			}
			entries := entry{3, 0, 1}.Append(nil)
			entries = entry{5, 9, 10}.Append(entries)
			entries = entry{3, 2, 3}.Append(entries)
			return c.index.Append(t.Context(), tx, column.Elements{Data: entries})
		})
		l.change(func(tx store.Tx, c *VarSize) error { // the first alone must not take the chunk away
			_, err := c.Compact(t.Context(), tx, column.Waste{From: 0, To: 1})
			return err
		})
		l.change(func(tx store.Tx, c *VarSize) error {
			_, err := c.Compact(t.Context(), tx, column.Waste{From: 0, To: 3})
			return err
		})
		if chunks := l.want(); len(chunks) != 1 {
			t.Errorf("the elements lie in the chunks %v", chunks)
		}
	})
}

// TestCompactFixed keeps all chunks but the last as they have to be.
func TestCompactFixed(t *testing.T) {
	engines(t, func(t *testing.T, s store.Store) {
		var row store.Row
		var data []byte
		change := func(fn func(ctx context.Context, tx store.Tx, c *Fixed) error) {
			t.Helper()
			err := s.Update(t.Context(), func(tx store.Tx) error {
				rows, err := tx.Lookup(t.Context(), "x")
				if err != nil {
					return err
				}
				row = rows[0]
				c, err := OpenFixed(row, 1<<20)
				if err != nil {
					return err
				}
				return fn(t.Context(), tx, c)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Update(t.Context(), func(tx store.Tx) error {
			r, err := FixedRow("x", "i64", 8, Bounds{Min: 4096, Max: 1 << 20}, s.Caps())
			if err == nil {
				_, err = tx.CreateColumn(t.Context(), r)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		for i := range 3<<20 + 600_000 {
			data = append(data, byte(i*7))
		}
		change(func(ctx context.Context, tx store.Tx, c *Fixed) error {
			if err := c.Append(ctx, tx, column.Elements{Data: data}); err != nil {
				return err
			}
			// As 0.8.6 leaves them when a column becomes shorter.
			for _, number := range []int64{4, 5, 9} {
				if err := tx.PutChunk(ctx, c.id, store.Chunk{Number: number, Capacity: 1 << 20}, nil); err != nil {
					return err
				}
			}
			return nil
		})
		for _, want := range []int64{600_000, 0} {
			written := int64(0)
			change(func(ctx context.Context, tx store.Tx, c *Fixed) error {
				found, err := c.Waste(ctx, tx)
				for _, w := range found {
					n, e := c.Compact(ctx, tx, w)
					written += n
					if e != nil {
						return e
					}
				}
				return err
			})
			if written != want {
				t.Errorf("%d bytes were written, want %d", written, want)
			}
		}
		change(func(ctx context.Context, tx store.Tx, c *Fixed) error {
			var b column.Elements
			if _, err := c.Read(ctx, tx, &b, 0, c.Len(), column.NoLimit); err != nil {
				return err
			}
			if !slices.Equal(b.Data, data) {
				t.Error("the column holds something else")
			}
			err := c.Check(ctx, tx, func(p column.Problem) { t.Errorf("check: %s", p.Text) })
			stat, e := c.Stat(ctx, tx)
			if stat.Capacity != int64(len(data)) || stat.Chunks != 4 {
				t.Errorf("%+v for %d bytes", stat, len(data))
			}
			if err == nil {
				err = e
			}
			if err == nil {
				err = c.Append(ctx, tx, column.Elements{Data: data[:600_000]})
			}
			return err
		})
	})
}
