package native

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"columnvault/internal/column"
	"columnvault/internal/store"
	"columnvault/internal/store/storetest"
)

// sealedColumn makes a column of 20,000 numbers that compress well.
func sealedColumn(t *testing.T) (*storetest.Counter, []int64) {
	s := storetest.NewCounter(storetest.NewMemory())
	model := make([]int64, 20_000)
	for i := range model {
		model[i] = int64(i) * 10
	}
	change(t, s, 16<<10, Zstd, func(tx store.Tx, c *Column) error { return c.Append(t.Context(), tx, numbers(model...)) })
	return s, model
}

// at reads one element in a snapshot of its own, with a cache.
func at(ctx context.Context, s store.Store, cache *Cache, i int64) (value int64, err error) {
	err = storetest.Read(ctx, s, func(r store.Reader) error {
		c, err := open(ctx, r)
		if err != nil {
			return err
		}
		c.cache = cache
		var e column.Elements
		if _, err = c.Read(ctx, r, &e, i, i+1, column.NoLimit); err == nil {
			value = number(e.Data, 8)
		}
		return err
	})
	return value, err
}

// TestFramesAreKept reads elements of frames that are decoded, for which nothing is
// read, and what has changed since, and keeps few frames if few may be kept.
func TestFramesAreKept(t *testing.T) {
	ctx := t.Context()
	s, model := sealedColumn(t)
	look := func(cache *Cache, i int64) (bytes int64) {
		t.Helper()
		counts, err := s.During(func() error {
			got, err := at(ctx, s, cache, i)
			if got != model[i] {
				t.Errorf("element %d is %d, want %d", i, got, model[i])
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return counts.BytesRead
	}
	var cache Cache
	if look(&cache, 5000) == 0 {
		t.Error("a frame was known before it was read")
	}
	if n := look(&cache, 5001); n > 0 {
		t.Errorf("%d bytes are read for an element of a frame that is decoded", n)
	}
	model[5001] = -7
	change(t, s, 0, Zstd, func(tx store.Tx, c *Column) error { return c.Overwrite(ctx, tx, 5001, numbers(-7)) })
	look(&cache, 5001)
	few := Cache{FrameBytes: 40 << 10}
	for i := int64(0); i < int64(len(model)); i += 500 {
		look(&few, i)
		if few.frames.bytes > few.FrameBytes || len(few.frames.ring) != len(few.frames.known) {
			t.Fatalf("%d bytes are kept, in %d and %d frames", few.frames.bytes, len(few.frames.ring), len(few.frames.known))
		}
	}
	if few.frames.bytes < few.FrameBytes/2 {
		t.Errorf("only %d bytes are kept", few.frames.bytes)
	}
	none := Cache{FrameBytes: 1}
	look(&none, 0)
	look(&none, 1)
}

// TestFramesAreShared reads elements in many goroutines that share few frames.
func TestFramesAreShared(t *testing.T) {
	s, model := sealedColumn(t)
	cache := Cache{FrameBytes: 60 << 10}
	var group sync.WaitGroup
	for g := range 4 {
		group.Go(func() {
			random := rand.New(rand.NewPCG(uint64(g), 0))
			for range 300 {
				i := random.Int64N(int64(len(model)))
				if got, err := at(t.Context(), s, &cache, i); got != model[i] || err != nil {
					t.Errorf("element %d is %d, want %d, %v", i, got, model[i], err)
					return
				}
			}
		})
	}
	group.Wait()
}

// TestCompactCompresses edits compressed runs, which leaves some that are not, and
// has Compact compress these. What cannot be compressed it leaves alone.
func TestCompactCompresses(t *testing.T) {
	ctx := t.Context()
	s, model := sealedColumn(t)
	noise := make([]int64, 10_000)
	for i := range noise {
		noise[i] = rand.Int64()
	}
	change(t, s, 0, Zstd, func(tx store.Tx, c *Column) error { return c.Append(ctx, tx, numbers(noise...)) })
	model = append(model, noise...)
	for i := 1000; i < 20_000; i += 1500 {
		model = slices.Insert(model, i, 1)
		change(t, s, 0, Zstd, func(tx store.Tx, c *Column) error { return c.Insert(ctx, tx, int64(i), numbers(1)) })
	}
	raw := func(c *Column) (n int64) {
		for k := range c.count() - 1 {
			if x := c.run(k); x.codec == Raw && x.end() < 20_000 {
				n += x.rows
			}
		}
		return n
	}
	change(t, s, 0, Zstd, func(tx store.Tx, c *Column) error {
		parts, err := c.Waste(ctx, tx)
		if err == nil && raw(c) == 0 {
			t.Error("the edits have left nothing to compress")
		}
		for _, w := range parts {
			if err == nil {
				_, err = c.Compact(ctx, tx, w)
			}
		}
		if n := raw(c); n > 0 {
			t.Errorf("%d elements are not compressed", n)
		}
		want(ctx, t, tx, c, model)
		return err
	})
	change(t, s, 0, Zstd, func(tx store.Tx, c *Column) error {
		if parts, err := c.Waste(ctx, tx); len(parts) > 0 || err != nil {
			t.Errorf("after Compact there is waste: %v, %v", parts, err)
		}
		return nil
	})
}

// TestCompactCompressesTheLast: the last run, which appends leave as it is, is
// compressed once it is worth that, and only then.
func TestCompactCompressesTheLast(t *testing.T) {
	ctx := t.Context()
	for _, n := range []int{leastSealed/8 - 1, 3 * leastSealed / 8} {
		s := storetest.NewCounter(storetest.NewMemory())
		values := make([]int64, n)
		for i := range values {
			values[i] = int64(i / 3)
		}
		change(t, s, 64<<10, Zstd, func(tx store.Tx, c *Column) error { return c.Append(ctx, tx, numbers(values...)) })
		change(t, s, 64<<10, Zstd, func(tx store.Tx, c *Column) error {
			parts, err := c.Waste(ctx, tx)
			for _, w := range parts {
				if err == nil {
					_, err = c.Compact(ctx, tx, w)
				}
			}
			if codec := c.run(c.count() - 1).codec; (codec == Zstd) != (n*8 > leastSealed) {
				t.Errorf("the last run of %d numbers has codec %d", n, codec)
			}
			want(ctx, t, tx, c, values)
			return err
		})
	}
}
