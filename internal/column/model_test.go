package column_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"columnvault/internal/column"
	"columnvault/internal/column/layout0"
	"columnvault/internal/column/native"
	"columnvault/internal/store"
	"columnvault/internal/store/sqlite"
	"columnvault/internal/store/storetest"
)

// engines runs a test on every engine.
func engines(t *testing.T, test func(t *testing.T, s store.Store)) {
	t.Run("memory", func(t *testing.T) { test(t, storetest.Rerun(storetest.NewMemory())) })
	t.Run("sqlite", func(t *testing.T) {
		s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		test(t, s)
	})
}

// shape is a kind of column: the size of its elements, 0 for varying ones, and
// the bounds of its chunks.
type shape struct {
	size, min, max int64
	// native is the layout of our own, of runs of max bytes, and codec how full
	// ones are stored.
	native bool
	codec  native.Codec
}

var shapes = []shape{
	{size: 8, min: 16, max: 512}, {size: 8, min: 104, max: 1000}, {size: 1, min: 16, max: 1024}, {size: 12, min: 16, max: 4096},
	{size: 10, min: 16, max: 1024}, {size: 13, min: 1, max: 13}, {size: 8, min: 131072, max: 1 << 20},
	{min: 16, max: 24}, {min: 16, max: 512 / 12 * 12}, {min: 1, max: 120}, {min: 16, max: 4096 / 12 * 12}, {min: 12, max: 12},
	{size: 8, max: 512, native: true}, {size: 8, max: 1000, native: true, codec: native.Zstd}, {size: 1, max: 1024, native: true},
	{size: 12, max: 4096, native: true}, {size: 13, max: 16, native: true}, {size: 300, max: 1000, native: true}, {size: 4, max: 2000, native: true, codec: native.Zstd},
	{max: 24, native: true}, {max: 120, native: true}, {max: 504, native: true}, {max: 4096, native: true}, {max: 1000, native: true, codec: native.Zstd},
}

// create makes an empty column.
func (s shape) create(ctx context.Context, st store.Store, name string) error {
	return st.Update(ctx, func(tx store.Tx) error {
		if s.native {
			row, err := native.Row(name, "bytes", s.size, s.max, st.Caps())
			if err != nil {
				return err
			}
			if row, err = tx.CreateColumn(ctx, row); err != nil {
				return err
			}
			return native.Start(ctx, tx, row, s.codec)
		}
		bounds := layout0.Bounds{Min: s.min, Max: s.max}
		if s.size > 0 {
			row, err := layout0.FixedRow(name, "bytes", s.size, bounds, st.Caps())
			if err != nil {
				return err
			}
			_, err = tx.CreateColumn(ctx, row)
			return err
		}
		data, index, err := layout0.VarSizeRows(name+"_data", name+"_idx", "bytes", bounds, st.Caps())
		if err != nil {
			return err
		}
		_, err = tx.CreateColumn(ctx, data)
		_, err2 := tx.CreateColumn(ctx, index)
		return errors.Join(err, err2)
	})
}

// open opens the column as it is in r.
func (s shape) open(ctx context.Context, r store.Reader, name string) (column.Column, error) {
	rows, err := r.Lookup(ctx, name, name+"_data", name+"_idx")
	if err != nil {
		return nil, err
	}
	if s.native {
		row := rows[0]
		last, err := r.LastChunk(ctx, row.ID)
		if err != nil {
			return nil, err
		}
		return native.Open(row, &last, native.Options{Window: 500, Order: column.Bytes, Cache: &directories})
	}
	slices.SortFunc(rows, func(a, b store.Row) int { return int(a.ID - b.ID) })
	if s.size > 0 {
		return layout0.OpenFixed(rows[0], 500)
	}
	return layout0.OpenVarSize(rows[0], rows[1], 500)
}

// directories are those of all columns, on one engine after the other.
var directories native.Cache

// encode makes a batch of elements.
func (s shape) encode(values []string) (b column.Elements) {
	for _, v := range values {
		b.Data = append(b.Data, v...)
		if s.size == 0 {
			b.Ends = append(b.Ends, len(b.Data))
		}
	}
	return b
}

// decode is the reverse of encode.
func (s shape) decode(b column.Elements) (values []string) {
	if s.size > 0 {
		for p := range slices.Chunk(b.Data, int(s.size)) {
			values = append(values, string(p))
		}
		return values
	}
	start := 0
	for _, end := range b.Ends {
		values = append(values, string(b.Data[start:end]))
		start = end
	}
	return values
}

// counts are the numbers of elements worth trying: few, and around what fits
// into one, two or three chunks.
func (s shape) counts() *rapid.Generator[int] {
	per := int(s.max / 8)
	if s.size > 0 {
		per = int(max(1, s.max/s.size))
	}
	counts := []int{0, 1, 2, 3}
	for _, n := range []int{per - 1, per, per + 1, 2*per - 1, 2 * per, 2*per + 1, 3*per + 2} {
		if n > 3 && n < 2000 {
			counts = append(counts, n)
		}
	}
	return rapid.SampledFrom(counts)
}

// lengths are the sizes of elements worth trying.
func (s shape) lengths() *rapid.Generator[int] {
	if s.size > 0 {
		return rapid.Just(int(s.size))
	}
	small := rapid.IntRange(0, 20)
	m := int(s.max)
	return rapid.OneOf(small, small, small, rapid.SampledFrom([]int{0, m/2 - 1, m / 2, m/2 + 1, m - 1, m, m + 1, 2*m + 1}))
}

func TestModel(t *testing.T) {
	engines(t, func(t *testing.T, s store.Store) {
		round := 0
		rapid.Check(t, func(rt *rapid.T) {
			round++
			shape := rapid.SampledFrom(shapes).Draw(rt, "shape")
			m := &model{ctx: t.Context(), s: s, name: fmt.Sprint("column ", round), shape: shape,
				count: shape.counts(), length: shape.lengths()}
			if err := shape.create(m.ctx, s, m.name); err != nil {
				rt.Fatal(err)
			}
			rt.Repeat(map[string]func(*rapid.T){
				"append":    m.append,
				"insert":    m.insert,
				"overwrite": m.overwrite,
				"set":       m.set,
				"scatter":   m.scatter,
				"delete":    m.delete,
				"clear":     m.clear,
				"compact":   m.compact,
				"gather":    m.gather,
				"reverse":   m.reverse,
				"find":      m.find,
				"steps":     m.steps,
				"windows":   m.windows,
				"":          m.check,
			})
		})
	})
}

// model is a column and what it should hold.
type model struct {
	ctx    context.Context
	s      store.Store
	name   string
	shape  shape
	count  *rapid.Generator[int]
	length *rapid.Generator[int]
	values []string
	next   uint64
}

// fresh makes n elements of a few sizes in turn that can be told from all
// others, as far as their size allows.
func (m *model) fresh(rt *rapid.T, n int) []string {
	values := make([]string, n)
	lengths := rapid.SliceOfN(m.length, 1, 6).Draw(rt, "lengths")
	for i := range values {
		m.next++
		length := lengths[i%len(lengths)]
		var p []byte
		for len(p) < length {
			p = binary.LittleEndian.AppendUint64(p, m.next)
		}
		values[i] = string(p[:length])
	}
	return values
}

// change runs operations in one transaction.
func (m *model) change(rt *rapid.T, fn func(tx store.Tx, c column.Column) error) {
	rt.Helper()
	err := m.s.Update(m.ctx, func(tx store.Tx) error {
		c, err := m.shape.open(m.ctx, tx, m.name)
		if err != nil {
			return err
		}
		return fn(tx, c)
	})
	if err != nil {
		rt.Fatal(err)
	}
}

// append appends twice, so that what the column remembers in a transaction is
// tried.
func (m *model) append(rt *rapid.T) {
	first, second := m.fresh(rt, m.count.Draw(rt, "n")), m.fresh(rt, m.count.Draw(rt, "m"))
	m.change(rt, func(tx store.Tx, c column.Column) error {
		if err := c.Append(m.ctx, tx, m.shape.encode(first)); err != nil {
			return err
		}
		return c.Append(m.ctx, tx, m.shape.encode(second))
	})
	m.values = slices.Concat(m.values, first, second)
}

func (m *model) insert(rt *rapid.T) {
	i := rapid.IntRange(0, len(m.values)).Draw(rt, "i")
	values := m.fresh(rt, m.count.Draw(rt, "n"))
	m.change(rt, func(tx store.Tx, c column.Column) error {
		return c.Insert(m.ctx, tx, int64(i), m.shape.encode(values))
	})
	m.values = slices.Insert(m.values, i, values...)
}

func (m *model) overwrite(rt *rapid.T) {
	i := rapid.IntRange(0, len(m.values)).Draw(rt, "i")
	m.replace(rt, i, rapid.IntRange(0, len(m.values)-i).Draw(rt, "n"))
}

func (m *model) set(rt *rapid.T) {
	if len(m.values) > 0 {
		m.replace(rt, rapid.IntRange(0, len(m.values)-1).Draw(rt, "i"), 1)
	}
}

func (m *model) replace(rt *rapid.T, i, n int) {
	values := m.fresh(rt, n)
	m.change(rt, func(tx store.Tx, c column.Column) error {
		return c.Overwrite(m.ctx, tx, int64(i), m.shape.encode(values))
	})
	copy(m.values[i:], values)
}

func (m *model) delete(rt *rapid.T) {
	i := rapid.IntRange(0, len(m.values)).Draw(rt, "i")
	m.remove(rt, i, rapid.IntRange(i, len(m.values)).Draw(rt, "j"))
}

func (m *model) clear(rt *rapid.T) { m.remove(rt, 0, len(m.values)) }

func (m *model) remove(rt *rapid.T, i, j int) {
	m.change(rt, func(tx store.Tx, c column.Column) error {
		return c.Delete(m.ctx, tx, int64(i), int64(j))
	})
	m.values = slices.Delete(m.values, i, j)
}

// compact stores any part anew, as if others had changed the column since its
// waste was found.
func (m *model) compact(rt *rapid.T) {
	w := column.Waste{
		From:  rapid.Int64Range(0, int64(len(m.values))+1).Draw(rt, "from"),
		Index: m.shape.size == 0 && rapid.Bool().Draw(rt, "index"),
	}
	w.To = rapid.Int64Range(w.From, int64(len(m.values))+2).Draw(rt, "to")
	w.Chunks = rapid.SliceOfN(rapid.Int64Range(0, 40), 0, 3).Draw(rt, "chunks")
	m.change(rt, func(tx store.Tx, c column.Column) error {
		_, err := c.Compact(m.ctx, tx, w)
		return err
	})
}

func (m *model) reverse(rt *rapid.T) {
	limit := rapid.Int64Range(1, 3*m.shape.max).Draw(rt, "limit")
	m.change(rt, func(tx store.Tx, c column.Column) error { return column.Reverse(m.ctx, tx, c, limit) })
	slices.Reverse(m.values)
}

func (m *model) find(rt *rapid.T) {
	if len(m.values) == 0 {
		return
	}
	limit := rapid.Int64Range(1, 3*m.shape.max).Draw(rt, "limit")
	picked := rapid.SliceOfN(rapid.SampledFrom(m.values), 0, 2).Draw(rt, "values")
	var forms [][]byte
	for _, v := range picked {
		forms = append(forms, []byte(v))
	}
	var want []string
	for i, v := range m.values {
		if slices.Contains(picked, v) {
			want = append(want, m.values[i])
		}
	}
	m.read(rt, want, func(r store.Reader, c column.Column, b *column.Elements) error {
		for i, err := range column.Find(m.ctx, r, c, forms, limit) {
			if err != nil {
				return err
			}
			if _, err := c.Read(m.ctx, r, b, i, i+1, column.NoLimit); err != nil {
				return err
			}
		}
		return nil
	})
}

// read compares what fn reads with what is wanted.
func (m *model) read(rt *rapid.T, want []string, fn func(r store.Reader, c column.Column, b *column.Elements) error) {
	rt.Helper()
	snap, err := m.s.Snapshot(m.ctx)
	if err != nil {
		rt.Fatal(err)
	}
	defer snap.Close()
	c, err := m.shape.open(m.ctx, snap, m.name)
	if err != nil {
		rt.Fatal(err)
	}
	var b column.Elements
	if err := fn(snap, c, &b); err != nil {
		rt.Fatal(err)
	}
	if got := m.shape.decode(b); !slices.Equal(got, want) {
		rt.Fatalf("read %d elements\n%q\nwant %d\n%q", len(got), got, len(want), want)
	}
}

func (m *model) gather(rt *rapid.T) {
	if len(m.values) == 0 {
		return
	}
	at := rapid.SliceOfN(rapid.Int64Range(0, int64(len(m.values)-1)), 0, 20).Draw(rt, "at")
	var want []string
	for _, i := range at {
		want = append(want, m.values[i])
	}
	m.read(rt, want, func(r store.Reader, c column.Column, b *column.Elements) error { return c.Gather(m.ctx, r, b, at) })
}

// windows reads everything piece by piece, forwards and backwards.
func (m *model) windows(rt *rapid.T) {
	limit := rapid.Int64Range(1, 3*m.shape.max).Draw(rt, "limit")
	m.read(rt, m.values, func(r store.Reader, c column.Column, b *column.Elements) error {
		for i := int64(0); i < c.Len(); {
			before := len(b.Data)
			next, err := c.Read(m.ctx, r, b, i, c.Len(), limit)
			if err != nil {
				return err
			}
			if n := int64(len(b.Data) - before); next == i || n > limit && next > i+1 {
				return fmt.Errorf("a window of %d from %d to %d has %d bytes", limit, i, next, n)
			}
			i = next
		}
		return nil
	})
	m.read(rt, m.values, func(r store.Reader, c column.Column, b *column.Elements) error {
		var windows [][]string
		for j := c.Len(); j > 0; {
			i, err := c.Before(m.ctx, r, j, limit)
			if err != nil {
				return err
			}
			var w column.Elements
			next, err := c.Read(m.ctx, r, &w, i, j, limit)
			if err != nil {
				return err
			}
			if next != j || i == j {
				return fmt.Errorf("a window of %d before %d starts at %d and ends at %d", limit, j, i, next)
			}
			windows = append(windows, m.shape.decode(w))
			j = i
		}
		slices.Reverse(windows)
		*b = m.shape.encode(slices.Concat(windows...))
		return nil
	})
}

// steps reads everything as several columns are read together. Now and then
// what was to be read first is not read.
func (m *model) steps(rt *rapid.T) {
	limit := rapid.Int64Range(1, 3*m.shape.max).Draw(rt, "limit")
	unread := rapid.Int64Range(1, 5).Draw(rt, "unread")
	fill := func(r store.Reader, s store.ColumnSpans) error { return r.ReadAll(m.ctx, []store.ColumnSpans{s}) }
	m.read(rt, m.values, func(r store.Reader, c column.Column, b *column.Elements) error {
		for i, n := int64(0), int64(0); i < c.Len(); n++ {
			ahead := c.Ahead(i, c.Len())
			if n%unread == 0 {
				var err error
				if i, err = c.Read(m.ctx, r, b, i, c.Len(), limit); err != nil {
					return err
				}
				continue
			}
			if err := fill(r, ahead); err != nil {
				return err
			}
			var part column.Elements
			next, spans, err := c.Spans(m.ctx, r, &part, i, c.Len(), limit)
			if err == nil {
				err = fill(r, spans)
			}
			if err != nil {
				return err
			}
			if n := int64(len(part.Data)); next == i || n > limit && next > i+1 {
				return fmt.Errorf("a step of %d from %d to %d has %d bytes", limit, i, next, n)
			}
			*b = m.shape.encode(append(m.shape.decode(*b), m.shape.decode(part)...))
			i = next
		}
		return nil
	})
}

func (m *model) check(rt *rapid.T) {
	limit := int64(rapid.SampledFrom([]int{1, 10, 100, 1 << 20}).Draw(rt, "bytes of a walk"))
	m.read(rt, m.values, func(r store.Reader, c column.Column, b *column.Elements) error {
		at := int64(0)
		return c.Walk(m.ctx, r, limit, func(i int64, e *column.Elements) error {
			if i != at {
				rt.Errorf("the walk goes from %d to %d", at, i)
			}
			at += int64(e.Count(c.Size()))
			for k := range e.Count(c.Size()) {
				copy(b.Extend(int64(len(e.At(c.Size(), k)))), e.At(c.Size(), k))
				if c.Size() == 0 {
					b.Ends = append(b.Ends, len(b.Data))
				}
			}
			return nil
		}, func(i, j int64, why error) error { return why })
	})
	i := rapid.IntRange(0, len(m.values)).Draw(rt, "from")
	j := rapid.IntRange(i, len(m.values)).Draw(rt, "to")
	m.read(rt, m.values[i:j], func(r store.Reader, c column.Column, b *column.Elements) error {
		_, err := c.Read(m.ctx, r, b, int64(i), int64(j), column.NoLimit)
		return err
	})
	m.read(rt, m.values, func(r store.Reader, c column.Column, b *column.Elements) error {
		if err := c.Check(m.ctx, r, func(p column.Problem) { rt.Errorf("check: %s", p.Text) }); err != nil {
			return err
		}
		if extent, err := c.Extent(m.ctx, r); extent != c.Len() || err != nil {
			rt.Errorf("there are bytes for %d of %d elements, %v", extent, c.Len(), err)
		}
		stat, err := c.Stat(m.ctx, r)
		if err != nil {
			return err
		}
		live := int64(0)
		for _, v := range m.values {
			live += int64(len(v))
		}
		if stat.Elements != int64(len(m.values)) || stat.LiveBytes != live || m.shape.codec == native.Raw && stat.Capacity != stat.LiveBytes+stat.DeadBytes {
			rt.Errorf("stat: %+v, want %d elements in %d bytes", stat, len(m.values), live)
		}
		if err := m.checkRuns(r); err != nil {
			return err
		}
		_, err = c.Read(m.ctx, r, b, 0, c.Len(), column.NoLimit)
		return err
	})
}

// checkRuns holds our own writer to more than the format asks for: the
// elements of a chunk are neighbors.
func (m *model) checkRuns(r store.Reader) error {
	rows, err := r.Lookup(m.ctx, m.name+"_idx")
	if err != nil || len(rows) == 0 {
		return err
	}
	index, err := layout0.OpenFixed(rows[0], 500)
	if err != nil {
		return err
	}
	var entries column.Elements
	if _, err := index.Read(m.ctx, r, &entries, 0, index.Len(), column.NoLimit); err != nil {
		return err
	}
	seen, last := map[uint32]bool{}, uint32(math.MaxUint32)
	for i := range entries.Count(index.Size()) {
		chunk := binary.LittleEndian.Uint32(entries.At(index.Size(), i))
		if chunk != last && seen[chunk] {
			return fmt.Errorf("element %d comes back to chunk %d", i, chunk)
		}
		seen[chunk], last = true, chunk
	}
	return nil
}
