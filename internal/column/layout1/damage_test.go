package layout1

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"testing"

	"columnvault/internal/column"
	"columnvault/internal/store"
	"columnvault/internal/store/storetest"
)

// FuzzDamage gives a column blocks of arbitrary content and numbers. Whatever is
// read of it, nothing may panic or take memory or time without bound, and errors
// must say that the file is corrupt.
func FuzzDamage(f *testing.F) {
	offsets := func(at ...uint64) (p []byte) {
		p = append(p, "abcdefghi"...)
		for _, n := range at {
			p = binary.LittleEndian.AppendUint64(p, n)
		}
		return p
	}
	f.Add(offsets(0, 3, 9), int64(2), int64(0), int64(0), int64(2), int64(2), int64(9), int64(100), int64(1))
	f.Add(offsets(0, 3, 9), int64(1<<60), int64(0), int64(0), int64(2), int64(2), int64(9), int64(100), int64(1))
	f.Add(offsets(0, 3, 9), int64(2), int64(0), int64(0), int64(1<<60), int64(1<<60), int64(9), int64(100), int64(1))
	f.Add(offsets(0, 3, math.MaxUint64), int64(2), int64(0), int64(0), int64(2), int64(2), int64(9), int64(100), int64(1))
	f.Add(offsets(9, 3, 0), int64(2), int64(0), int64(7), int64(2), int64(2), int64(9), int64(100), int64(1))
	f.Add(offsets(0, 3), int64(5), int64(8), int64(-3), int64(-2), int64(-1), int64(-9), int64(8), int64(4))
	f.Add([]byte("abcdefghijklmnopqrstuvwx"), int64(3), int64(8), int64(0), int64(3), int64(3), int64(24), int64(24), int64(0))
	f.Add([]byte("abcdefgh"), int64(1<<50), int64(8), int64(0), int64(3), int64(3), int64(24), int64(1<<62), int64(1<<49))
	f.Add([]byte("abcdefgh"), int64(1<<50), int64(1<<40), int64(0), int64(3), int64(3), int64(24), int64(1), int64(0))
	f.Fuzz(func(t *testing.T, data []byte, length, size, first, rows, room, used, blockBytes, i int64) {
		if len(data) > 1<<12 || size < 0 {
			return // what is to be tried is damage, not size
		}
		ctx := t.Context()
		s := storetest.NewMemory()
		var row store.Row
		err := s.Update(ctx, func(tx store.Tx) (err error) {
			row, err = tx.CreateColumn(ctx, store.Row{Name: "x", DType: "bytes", ElemSize: size, MinChunk: blockBytes, MaxChunk: blockBytes, Layout: store.LayoutV1})
			if err != nil {
				return err
			}
			meta := store.Block{First: first, Rows: rows, Room: room}.Meta()
			return errors.Join(
				tx.PutChunk(ctx, row.ID, store.Chunk{Number: 0, Capacity: int64(len(data)), Used: used, Meta: meta}, data),
				tx.PutChunk(ctx, row.ID, store.Chunk{Number: 3, Capacity: int64(len(data)), Used: used, Meta: meta}, data),
				tx.SetLength(ctx, row.ID, length))
		})
		if err != nil {
			t.Fatal(err)
		}
		err = storetest.Read(ctx, s, func(r store.Reader) error {
			c, err := open(ctx, r, nil, 64<<10)
			if err != nil {
				return err
			}
			return readAll(ctx, t, r, c, i)
		})
		if err != nil && !errors.Is(err, store.ErrCorrupt) {
			t.Fatal(err)
		}
	})
}

// readAll reads the column by each way there is. Only an error that does not say
// that it is corrupt counts.
func readAll(ctx context.Context, t *testing.T, r store.Reader, c column.Column, i int64) error {
	n := c.Len()
	i = max(0, min(i, n))
	j := i + min(n-i, 3)
	var e column.Elements
	var failed error
	for _, read := range []func() error{
		func() error { _, err := c.Read(ctx, r, &e, i, j, column.NoLimit); return err },
		func() error { _, err := c.Read(ctx, r, &e, i, n, 1<<16); return err },
		func() error { _, err := c.Before(ctx, r, j, 1<<16); return err },
		func() error { return c.Backed(ctx, r, 0, n) },
		func() error { _, err := c.Stat(ctx, r); return err },
		func() error { _, err := c.Extent(ctx, r); return err },
		func() error { return c.Check(ctx, r, func(column.Problem) {}) },
		func() error {
			if i == n {
				return nil
			}
			return c.Gather(ctx, r, &e, []int64{i, n - 1, i})
		},
	} {
		if err := read(); err != nil && !errors.Is(err, store.ErrCorrupt) {
			failed = errors.Join(failed, err)
		}
	}
	// What Walk finds and loses must be all there is, in order.
	next := int64(0)
	pass := func(from, to int64) {
		if from != next || to <= from {
			t.Errorf("Walk goes from %d to %d, after %d", from, to, next)
		}
		next = to
	}
	err := c.Walk(ctx, r, 1<<16, func(i int64, e *column.Elements) error {
		pass(i, i+int64(e.Count(c.Size())))
		return nil
	}, func(i, j int64, why error) error {
		pass(i, j)
		if !errors.Is(why, store.ErrCorrupt) {
			return why
		}
		return nil
	})
	if err == nil && next != n {
		t.Errorf("Walk ends at %d of %d", next, n)
	}
	if errors.Is(err, store.ErrCorrupt) {
		err = nil
	}
	return errors.Join(failed, err)
}
