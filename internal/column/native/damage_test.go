package native

import (
	"context"
	"errors"
	"testing"

	"columnvault/internal/column"
	"columnvault/internal/store"
	"columnvault/internal/store/storetest"
)

// FuzzDamage gives a column runs of arbitrary content and Meta. Whatever is done
// with it, nothing may panic or take memory or time without bound, and errors must
// say that the file is corrupt.
func FuzzDamage(f *testing.F) {
	text := run{rows: 2, meta: meta{bytes: 9}}
	tail := run{rows: 2, meta: meta{tail: 2, long: true}}
	packed := run{rows: 3, meta: meta{codec: Zstd, bytes: 24}}
	skipped := run{rows: 1, meta: meta{skip: 2, bytes: 1 << 30}}
	offsets := []byte("abcdefghi\x09\x00\x00\x00\x03\x00\x00\x00")
	c := &Column{size: 8, seal: Zstd}
	sealed := c.sealed(&column.Elements{Data: make([]byte, 800)})
	f.Add(offsets, text.encode(nil, 0), int64(0), int64(0), int64(2), int64(1))
	f.Add(offsets, text.encode(nil, 0), int64(2), int64(0), int64(2), int64(1))
	f.Add(offsets, skipped.encode(nil, 0), int64(2), int64(0), int64(1), int64(1))
	f.Add(offsets, tail.encode(&column.Elements{Data: []byte("abc"), Ends: []int{1, 3}}, 0), int64(0), int64(0), int64(2), int64(0))
	f.Add([]byte("abcdefghijklmnopqrstuvwx"), (&run{rows: 3}).encode(nil, 8), int64(3), int64(8), int64(3), int64(4))
	f.Add(sealed, packed.encode(nil, 8), int64(3), int64(8), int64(3), int64(0))
	f.Add(sealed, (&run{meta: meta{codec: Zstd, bytes: 800}}).encode(nil, 8), int64(100), int64(8), int64(100), int64(150))
	f.Add([]byte("\x01\x00\x00\x00\x01\x00\x00\x0000000000"), []byte("\x01\x01\x0000\x00\x00\x0000\x00\x00\x00\x00\x00\x000000000000000000"), int64(1), int64(50), int64(3), int64(-52)) // ends of what has one size
	f.Add([]byte("abcdefgh"), []byte("x"), int64(1<<50), int64(1<<40), int64(1<<60), int64(7))
	f.Fuzz(func(t *testing.T, data, about []byte, before, size, rows, i int64) {
		if len(data) > 1<<13 || len(about) > store.MaxMeta || size < 0 {
			return // what is to be tried is damage, not size
		}
		readRun(t, store.Chunk{Number: 7, Capacity: int64(len(data)), Used: rows, Meta: about}, data, size)
		ctx := t.Context()
		s := storetest.NewMemory()
		err := s.Update(ctx, func(tx store.Tx) error {
			row, err := tx.CreateColumn(ctx, store.Row{Name: "x", DType: "bytes", ElemSize: size, MaxChunk: 256, Layout: store.LayoutNative})
			if err != nil {
				return err
			}
			for _, number := range []int64{-3, 7} {
				chunk := store.Chunk{Number: number, Capacity: int64(len(data)), Used: rows, Meta: about}
				if err := tx.PutChunk(ctx, row.ID, chunk, data); err != nil {
					return err
				}
			}
			return tx.SetLength(ctx, row.ID, before)
		})
		if err != nil {
			t.Fatal(err)
		}
		err = storetest.Read(ctx, s, func(r store.Reader) error {
			c, err := open(ctx, r)
			if err != nil {
				return err
			}
			return readAll(ctx, t, r, c, i)
		})
		if err != nil && !errors.Is(err, store.ErrCorrupt) {
			t.Fatal(err)
		}
		for _, change := range changes {
			err := s.Update(ctx, func(tx store.Tx) error {
				c, err := open(ctx, tx)
				if err != nil {
					return err
				}
				return change(ctx, tx, c, max(0, min(i, c.Len())))
			})
			if err != nil && !errors.Is(err, store.ErrCorrupt) && !errors.Is(err, store.ErrInvalidArgument) {
				t.Fatal(err)
			}
		}
	})
}

// readRun reads what can be read of a run without a store.
func readRun(t *testing.T, chunk store.Chunk, data []byte, size int64) {
	x, err := RunOf(chunk, size)
	if err != nil {
		return
	}
	tail := x.Tail()
	if n := tail.Count(int(size)); int64(n) > x.Rows()-x.Stored() {
		t.Errorf("%d elements lie beside a run of %d, %d of them stored", n, x.Rows(), x.Stored())
	}
	if x.Codec() == Raw {
		if from, to := x.EndsAt(0, x.Skip()+x.Stored()); size == 0 && (from < 0 || to > chunk.Capacity) {
			t.Errorf("ends from %d to %d of %d bytes", from, to, chunk.Capacity)
		}
		return
	}
	f, err := x.Frames(int64(len(data)), func(p []byte, offset int64) error {
		if offset < 0 || offset+int64(len(p)) > int64(len(data)) {
			t.Errorf("%d bytes at %d are read of %d", len(p), offset, len(data))
		}
		copy(p, data[offset:])
		return nil
	})
	for k := int64(0); err == nil && k < 4; k++ {
		if p, bad := f.Elements(nil, k); bad == nil && int64(len(p)) > f.Step() {
			t.Errorf("frame %d has %d bytes", k, len(p))
		} else if bad != nil && !errors.Is(bad, store.ErrCorrupt) {
			t.Error(bad)
		}
		p, bad := f.Ends(nil, k)
		if n := len(x.ParseEnds(nil, p)); bad == nil && n > EndsInFrame {
			t.Errorf("frame %d has %d ends", k, n)
		}
	}
	if err != nil && !errors.Is(err, store.ErrCorrupt) {
		t.Error(err)
	}
}

// open opens the column named x.
func open(ctx context.Context, r store.Reader) (*Column, error) {
	rows, err := r.Lookup(ctx, "x")
	if err != nil {
		return nil, err
	}
	row := rows[0]
	last, err := r.LastChunk(ctx, row.ID)
	if err != nil {
		return nil, err
	}
	return Open(row, &last, Options{Window: 64 << 10, Order: column.Signed})
}

// changes are edits of a column at a place.
var changes = []func(ctx context.Context, tx store.Tx, c *Column, i int64) error{
	func(ctx context.Context, tx store.Tx, c *Column, i int64) error { return c.Append(ctx, tx, some(c)) },
	func(ctx context.Context, tx store.Tx, c *Column, i int64) error { return c.Insert(ctx, tx, i, some(c)) },
	func(ctx context.Context, tx store.Tx, c *Column, i int64) error {
		return c.Overwrite(ctx, tx, i, some(c))
	},
	func(ctx context.Context, tx store.Tx, c *Column, i int64) error {
		_, err := c.Compact(ctx, tx, column.Waste{From: i, To: min(c.Len(), i+1000)})
		return err
	},
	func(ctx context.Context, tx store.Tx, c *Column, i int64) error { return c.Delete(ctx, tx, i, c.Len()) },
}

// some is an element.
func some(c *Column) column.Elements {
	if c.size > 0 {
		return column.Elements{Data: make([]byte, min(c.size, 1<<20))}
	}
	return column.Elements{Data: []byte("word"), Ends: []int{4}}
}

// readAll reads the column by each way there is. Only an error that does not say
// that it is corrupt counts.
func readAll(ctx context.Context, t *testing.T, r store.Reader, c *Column, i int64) error {
	n := c.Len()
	i = max(0, min(i, n))
	j := i + min(n-i, 3)
	var e column.Elements
	var failed error
	for _, read := range []func() error{
		func() error { _, err := c.Read(ctx, r, &e, i, j, 1<<20); return err },
		func() error { _, err := c.Read(ctx, r, &e, i, n, 1<<16); return err },
		func() error { _, err := c.Before(ctx, r, j, 1<<16); return err },
		func() error { return c.Backed(ctx, r, 0, n) },
		func() error { _, err := c.Stat(ctx, r); return err },
		func() error { _, err := c.Extent(ctx, r); return err },
		func() error { _, err := c.Waste(ctx, r); return err },
		func() error { return c.Check(ctx, r, func(column.Problem) {}) },
	} {
		if err := read(); err != nil && !errors.Is(err, store.ErrCorrupt) {
			failed = errors.Join(failed, err)
		}
	}
	next, steps := int64(0), 0
	pass := func(from, to int64) error {
		if from != next || to <= from {
			t.Errorf("Walk goes from %d to %d, after %d", from, to, next)
		}
		next = to
		if steps++; steps > 100 {
			return errEnough
		}
		return nil
	}
	err := c.Walk(ctx, r, 1<<16, func(i int64, e *column.Elements) error {
		return pass(i, i+int64(e.Count(c.Size())))
	}, func(i, j int64, why error) error { return errors.Join(pass(i, j)) })
	if err == nil && next != n {
		t.Errorf("Walk ends at %d of %d", next, n)
	}
	if errors.Is(err, store.ErrCorrupt) || errors.Is(err, errEnough) {
		err = nil
	}
	return errors.Join(failed, err)
}

var errEnough = errors.New("enough")

// FuzzFrame turns numbers into frames and back, and reads frames of anybody.
func FuzzFrame(f *testing.F) {
	var c coder
	for _, width := range []int{0, 1, 2, 4, 8} {
		f.Add(c.encode(nil, []byte("0123456789abcdef0123456789abcdef"), width), width, 32)
	}
	f.Add([]byte{formNarrow}, 8, 8)
	f.Add([]byte{formDelta, 1, 2}, 4, 7)
	f.Fuzz(func(t *testing.T, p []byte, width, size int) {
		if width < 0 || width > 8 || width&(width-1) != 0 || size < 0 || size > frameBytes || len(p) > frameBytes {
			return
		}
		var c coder
		if err := c.decode(make([]byte, size), p, width); err != nil && !errors.Is(err, store.ErrCorrupt) {
			t.Fatal(err)
		}
		raw := p
		if width > 0 {
			raw = p[:len(p)/width*width]
		}
		if len(raw) == 0 {
			return
		}
		got := make([]byte, len(raw))
		if err := c.decode(got, c.encode(nil, raw, width), width); err != nil || string(got) != string(raw) {
			t.Fatalf("width %d: %x became %x, %v", width, raw, got, err)
		}
	})
}
