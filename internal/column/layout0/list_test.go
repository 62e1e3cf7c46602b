package layout0

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"columnvault/internal/column"
	"columnvault/internal/store"
	"columnvault/internal/store/sqlite"
	"columnvault/internal/store/storetest"
)

// engines runs a test on every engine.
func engines(t *testing.T, test func(t *testing.T, s store.Store)) {
	t.Run("memory", func(t *testing.T) { test(t, storetest.NewMemory()) })
	t.Run("sqlite", func(t *testing.T) { test(t, openSQLite(t)) })
}

// openSQLite opens an empty engine that runs every transaction once, so that
// calls can be counted.
func openSQLite(t *testing.T) store.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// createVarSize makes an empty variable-size column called x.
func createVarSize(t *testing.T, s store.Store, b Bounds) {
	t.Helper()
	err := s.Update(t.Context(), func(tx store.Tx) error {
		data, index, err := VarSizeRows("x_data", "x_idx", "bytes", b, s.Caps())
		if err != nil {
			return err
		}
		if _, err := tx.CreateColumn(t.Context(), data); err != nil {
			return err
		}
		_, err = tx.CreateColumn(t.Context(), index)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// openVarSize opens the variable-size column called x.
func openVarSize(ctx context.Context, r store.Reader, window int64) (*VarSize, error) {
	rows, err := r.Lookup(ctx, "x_data", "x_idx")
	if err != nil {
		return nil, err
	}
	data, index := rows[0], rows[1]
	if data.Name != "x_data" { // rows come in any order
		data, index = index, data
	}
	return OpenVarSize(data, index, window)
}

// encode makes elements of strings.
func encode(values []string) (b column.Elements) {
	for _, v := range values {
		b.Data = append(b.Data, v...)
		b.Ends = append(b.Ends, len(b.Data))
	}
	return b
}

// decode is the reverse of encode.
func decode(b column.Elements) []string {
	values := make([]string, len(b.Ends))
	for k := range values {
		values[k] = string(b.At(0, k))
	}
	return values
}

// list is a column beside the slice that it should equal.
type list struct {
	t      *testing.T
	s      store.Store
	values []string
}

// newList makes an empty variable-size column.
func newList(t *testing.T, s store.Store) *list {
	t.Helper()
	return newListOf(t, s, Bounds{Min: 4096, Max: 524280})
}

// newListOf makes an empty variable-size column with these chunks.
func newListOf(t *testing.T, s store.Store, b Bounds) *list {
	t.Helper()
	createVarSize(t, s, b)
	return &list{t: t, s: s}
}

// change runs an operation in a transaction.
func (l *list) change(fn func(tx store.Tx, c *VarSize) error) {
	l.t.Helper()
	err := l.s.Update(l.t.Context(), func(tx store.Tx) error {
		c, err := openVarSize(l.t.Context(), tx, l.s.Caps().Window)
		if err != nil {
			return err
		}
		return fn(tx, c)
	})
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *list) insert(i int, values ...string) {
	l.t.Helper()
	l.change(func(tx store.Tx, c *VarSize) error {
		return c.Insert(l.t.Context(), tx, int64(i), encode(values))
	})
	l.values = slices.Insert(l.values, i, values...)
}

func (l *list) set(i int, values ...string) {
	l.t.Helper()
	l.change(func(tx store.Tx, c *VarSize) error {
		return c.Overwrite(l.t.Context(), tx, int64(i), encode(values))
	})
	copy(l.values[i:], values)
}

func (l *list) delete(i, j int) {
	l.t.Helper()
	l.change(func(tx store.Tx, c *VarSize) error { return c.Delete(l.t.Context(), tx, int64(i), int64(j)) })
	l.values = slices.Delete(l.values, i, j)
}

// count is change, and counts the calls that fn makes.
func (l *list) count(fn func(tx store.Tx, c *VarSize) error) (calls int, counts storetest.Counts) {
	l.t.Helper()
	counter := storetest.NewCounter(l.s)
	own := *l
	own.s = counter
	counts, _ = counter.During(func() error { own.change(fn); return nil })
	return counts.Total() - counts.Calls["Update"] - counts.Calls["Lookup"], counts
}

// want compares everything, and returns how many elements each chunk holds.
func (l *list) want() map[int32]int {
	l.t.Helper()
	elements := map[int32]int{}
	l.change(func(tx store.Tx, c *VarSize) error {
		var b column.Elements
		next, err := c.Read(l.t.Context(), tx, &b, 0, c.Len(), column.NoLimit)
		if err != nil {
			return err
		}
		if got := decode(b); next != c.Len() || !slices.Equal(got, l.values) {
			l.t.Fatalf("%d of %d elements are not the %d that they should be", next, c.Len(), len(l.values))
		}
		err = c.Check(l.t.Context(), tx, func(p column.Problem) { l.t.Errorf("check: %s", p.Text) })
		clear(elements)
		scan := c.eachEntry(l.t.Context(), tx, func(_ int64, e entry) { elements[e.Chunk]++ })
		return errors.Join(err, scan, checkRuns(l.t.Context(), c, tx))
	})
	return elements
}

// checkRuns holds our own writer to more than the format asks for: the
// elements of a chunk are neighbors, but for strays between them, and unless
// there is only one, its extent says that there are no others.
func checkRuns(ctx context.Context, c *VarSize, r store.Reader) error {
	type stretch struct {
		extent
		from, to int64
		elements int
	}
	chunks := map[int32]*stretch{}
	all := map[int64]int32{} // the chunk of each element
	err := c.eachEntry(ctx, r, func(i int64, e entry) {
		x := chunks[e.Chunk]
		if x == nil {
			x = &stretch{extent: extent{start: -1}, from: i}
			chunks[e.Chunk] = x
		}
		x.add(e)
		x.to = i + 1
		x.elements++
		all[i] = e.Chunk
	})
	errs := []error{err}
	for number, x := range chunks {
		strays := 0
		for i := x.from; i < x.to; i++ {
			if other := chunks[all[i]]; all[i] != number {
				strays++
				if other.elements > 1 {
					errs = append(errs, fmt.Errorf("element %d lies between others of chunk %d and not alone in chunk %d", i, number, all[i]))
				}
			}
		}
		chunk, err := r.Chunk(ctx, c.id, int64(number))
		if err != nil {
			errs = append(errs, err)
		} else if x.elements > 1 && strays == 0 && !x.fills(chunk.Used, x.from == 0, x.to == c.Len()) {
			errs = append(errs, fmt.Errorf("elements %d to %d lie in bytes %d to %d of the %d of chunk %d, perhaps with others", x.from, x.to, x.start, x.end, chunk.Used, number))
		}
	}
	return errors.Join(errs...)
}
