package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// cacheScope is what a *Vault and a *Column have in common.
type cacheScope interface {
	EnableCache(ctx context.Context, o *columnvault.CacheOptions) error
	DisableCache(ctx context.Context) error
	Cached(ctx context.Context, o *columnvault.CacheOptions, fn func() error) error
}

// TestColumnCache is the suite of that name of KohakuVault, line by line. In
// each case the elements are wanted on disk, and not only in the vault that
// wrote them.
func TestColumnCache(t *testing.T) {
	ctx := t.Context()
	// Both kinds of context must do more than the original's: while the
	// function runs, what is held is visible here and bounded.
	for _, scope := range []string{"vault", "column"} {
		cached := func(p vaulttest.Pair, c cacheScope, o *columnvault.CacheOptions, fn func() error) error {
			if scope == "vault" {
				c = p.V
			}
			return c.Cached(ctx, o, fn)
		}
		t.Run(scope+" cache context, fixed", func(t *testing.T) {
			p := vaulttest.OpenPair(t, nil)
			c := vaulttest.Create(t, p.V, "values", dtype.Int64)
			vaulttest.Must(t, cached(p, c, vaulttest.CacheOf(1024, 512), func() error {
				for i := range 100 {
					vaulttest.Must(t, c.Append(ctx, int64(i)))
					vaulttest.WantLen(t, c, i+1)
					if held := 8 * (i + 1 - vaulttest.LenOnDisk(t, p, "values")); held > 512 {
						t.Fatalf("%d bytes are held, and the threshold is 512", held)
					}
				}
				if n := vaulttest.LenOnDisk(t, p, "values"); n == 0 || n == 100 {
					t.Errorf("%d of 100 elements are on disk, want some by the threshold and the rest held", n)
				}
				return nil
			}))
			vaulttest.WantOnDisk(t, p, c, dtype.Int64, vaulttest.Span(0, 100)...)
			vaulttest.WantSound(t, p.V)
		})
		t.Run(scope+" cache context, varsize", func(t *testing.T) {
			p := vaulttest.OpenPair(t, nil)
			c := vaulttest.Create(t, p.V, "texts", dtype.String)
			vaulttest.Must(t, cached(p, c, vaulttest.CacheOf(1024, 512), func() error {
				vaulttest.AppendEach(t, c, vaulttest.Texts(100))
				if n := vaulttest.LenOnDisk(t, p, "texts"); n == 0 || n == 100 {
					t.Errorf("%d of 100 elements are on disk, want some by the threshold and the rest held", n)
				}
				return nil
			}))
			vaulttest.WantOnDisk(t, p, c, dtype.String, vaulttest.Texts(100)...)
			vaulttest.WantSound(t, p.V)
		})
		t.Run(scope+" cache context, an error still flushes", func(t *testing.T) {
			p := vaulttest.OpenPair(t, nil)
			c := vaulttest.Create(t, p.V, "values", dtype.Int64)
			err := cached(p, c, nil, func() error {
				vaulttest.AppendEach(t, c, vaulttest.Span(0, 10))
				return vaulttest.ErrOwn
			})
			if !errors.Is(err, vaulttest.ErrOwn) {
				t.Errorf("Cached returns %v, want the error of its function", err)
			}
			vaulttest.WantOnDisk(t, p, c, dtype.Int64, vaulttest.Span(0, 10)...)
		})
		t.Run(scope+" cache context, a panic still flushes", func(t *testing.T) {
			p := vaulttest.OpenPair(t, nil)
			c := vaulttest.Create(t, p.V, "values", dtype.Int64)
			func() {
				defer func() {
					if r := recover(); r != vaulttest.ErrOwn {
						t.Errorf("Cached lets the panic %v through, want that of its function", r)
					}
				}()
				cached(p, c, nil, func() error {
					vaulttest.AppendEach(t, c, vaulttest.Span(0, 10))
					panic(vaulttest.ErrOwn)
				})
			}()
			vaulttest.WantOnDisk(t, p, c, dtype.Int64, vaulttest.Span(0, 10)...)
			vaulttest.Must(t, c.Append(ctx, 10)) // the cache is off again
			vaulttest.WantOnDisk(t, p, c, dtype.Int64, vaulttest.Span(0, 11)...)
		})
		t.Run(scope+" cache context, nested", func(t *testing.T) {
			p := vaulttest.OpenPair(t, nil)
			c := vaulttest.Create(t, p.V, "values", dtype.Int64)
			vaulttest.Must(t, cached(p, c, nil, func() error {
				vaulttest.Must(t, c.Append(ctx, vaulttest.Span(0, 5)...))
				vaulttest.Must(t, cached(p, c, nil, func() error { return c.Append(ctx, vaulttest.Span(5, 15)...) }))
				if n := vaulttest.LenOnDisk(t, p, "values"); n != 15 {
					t.Errorf("%d elements are on disk after the inner context, want 15", n)
				}
				vaulttest.Must(t, c.Append(ctx, vaulttest.Span(15, 20)...))
				if n := vaulttest.LenOnDisk(t, p, "values"); n != 15 {
					t.Errorf("the inner context has ended the cache of the outer: %d elements are on disk", n)
				}
				return nil
			}))
			vaulttest.WantOnDisk(t, p, c, dtype.Int64, vaulttest.Span(0, 20)...)
		})
	}

	t.Run("vault cache, three columns of different kinds", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		numbers, texts, docs := vaulttest.Create(t, p.V, "numbers", dtype.Float64), vaulttest.Create(t, p.V, "texts", dtype.String), vaulttest.Create(t, p.V, "docs", dtype.MsgPack[map[string]int]())
		doc := func(i int) map[string]int { return map[string]int{"id": i, "square": i * i} }
		vaulttest.Must(t, p.V.Cached(ctx, vaulttest.CacheOf(2048, 1024), func() error {
			for i := range 50 {
				vaulttest.Must(t, numbers.Append(ctx, float64(i)/2))
				vaulttest.Must(t, texts.Append(ctx, fmt.Sprint("text ", i)))
				vaulttest.Must(t, docs.Append(ctx, doc(i)))
			}
			return nil
		}))
		vaulttest.WantOnDisk(t, p, numbers, dtype.Float64, vaulttest.Sequence(50, func(i int) float64 { return float64(i) / 2 })...)
		vaulttest.WantOnDisk(t, p, texts, dtype.String, vaulttest.Sequence(50, func(i int) string { return fmt.Sprint("text ", i) })...)
		vaulttest.WantOnDisk(t, p, docs, dtype.MsgPack[map[string]int](), vaulttest.Sequence(50, doc)...)
		vaulttest.WantSound(t, p.V)
	})
	t.Run("manual enable, flush, more, flush, disable", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		c := vaulttest.Create(t, p.V, "values", dtype.Int64)
		vaulttest.Must(t, c.EnableCache(ctx, nil))
		vaulttest.AppendEach(t, c, vaulttest.Span(0, 10))
		vaulttest.WantOnDisk(t, p, c, dtype.Int64)
		wantFlushed(t, p.V, 10)
		vaulttest.WantOnDisk(t, p, c, dtype.Int64, vaulttest.Span(0, 10)...)
		vaulttest.AppendEach(t, c, vaulttest.Span(10, 15))
		wantFlushed(t, p.V, 5)
		vaulttest.Must(t, c.DisableCache(ctx))
		vaulttest.WantOnDisk(t, p, c, dtype.Int64, vaulttest.Span(0, 15)...)
	})
	t.Run("five rounds of append and flush", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		c := vaulttest.Create(t, p.V, "values", dtype.Int64)
		vaulttest.Must(t, c.EnableCache(ctx, nil))
		for round := range 5 {
			vaulttest.AppendEach(t, c, vaulttest.Span(10*round, 10*round+10))
			wantFlushed(t, p.V, 10)
			vaulttest.WantOnDisk(t, p, c, dtype.Int64, vaulttest.Span(0, 10*round+10)...)
		}
	})
	t.Run("automatic flush at the threshold", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		c := vaulttest.Create(t, p.V, "values", dtype.Int64)
		vaulttest.Must(t, c.EnableCache(ctx, vaulttest.CacheOf(1000, 80)))
		vaulttest.AppendEach(t, c, vaulttest.Span(0, 9))
		vaulttest.WantOnDisk(t, p, c, dtype.Int64) // 72 bytes
		vaulttest.AppendEach(t, c, vaulttest.Span(9, 11))
		if n := vaulttest.LenOnDisk(t, p, "values"); n < 10 {
			t.Errorf("%d elements are on disk, want the 10 that make 80 bytes", n)
		}
		vaulttest.WantColumn(t, c, vaulttest.Span(0, 11)...)
	})
	t.Run("an element larger than the cap stays in order", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		c := vaulttest.Create(t, p.V, "texts", dtype.String)
		vaulttest.Must(t, c.EnableCache(ctx, vaulttest.CacheOf(100, 100)))
		large := strings.Repeat("large", 100)
		vaulttest.Must(t, c.Append(ctx, large))
		vaulttest.WantOnDisk(t, p, c, dtype.String, large) // at once
		vaulttest.Must(t, c.Append(ctx, "small"))
		vaulttest.WantOnDisk(t, p, c, dtype.String, large)
		vaulttest.Must(t, c.Append(ctx, large, "with it"))
		vaulttest.Must(t, c.Append(ctx, "last"))
		vaulttest.WantColumn(t, c, large, "small", large, "with it", "last")
		vaulttest.WantOnDisk(t, p, c, dtype.String, large, "small", large, "with it")
		vaulttest.Must(t, c.DisableCache(ctx))
		vaulttest.WantOnDisk(t, p, c, dtype.String, large, "small", large, "with it", "last")
		vaulttest.WantSound(t, p.V)
	})
	t.Run("flush daemon, two columns", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		a, b := vaulttest.Create(t, p.V, "a", dtype.Int64), vaulttest.Create(t, p.V, "b", dtype.String)
		vaulttest.Must(t, p.V.EnableCache(ctx, &columnvault.CacheOptions{FlushInterval: 5 * time.Millisecond}))
		for i := range 20 {
			vaulttest.Must(t, a.Append(ctx, int64(i)))
			vaulttest.Must(t, b.Append(ctx, fmt.Sprint(i)))
			time.Sleep(time.Millisecond) // some of the time the daemon comes between
		}
		vaulttest.Eventually(t, "everything is written", func() bool { return vaulttest.LenOnDisk(t, p, "a")+vaulttest.LenOnDisk(t, p, "b") == 40 })
		vaulttest.WantOnDisk(t, p, a, dtype.Int64, vaulttest.Span(0, 20)...)
		vaulttest.WantOnDisk(t, p, b, dtype.String, vaulttest.Sequence(20, func(i int) string { return fmt.Sprint(i) })...)
	})
	t.Run("clear after cached appends", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		c := vaulttest.Create(t, p.V, "values", dtype.Int64, 1, 2)
		vaulttest.Must(t, c.EnableCache(ctx, nil))
		vaulttest.Must(t, c.Append(ctx, 3))
		vaulttest.Must(t, c.Clear(ctx))
		vaulttest.WantColumn(t, c)
		vaulttest.Must(t, c.DisableCache(ctx))
		vaulttest.WantOnDisk(t, p, c, dtype.Int64)
	})
	t.Run("drop with rows pending", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		c, other := vaulttest.Create(t, p.V, "values", dtype.Int64, 1, 2), vaulttest.Create(t, p.V, "other", dtype.Int64)
		vaulttest.Must(t, p.V.EnableCache(ctx, nil))
		vaulttest.Must(t, c.Append(ctx, 3))
		vaulttest.Must(t, other.Append(ctx, 4))
		vaulttest.Must(t, p.V.Drop(ctx, "values"))
		vaulttest.Must(t, p.V.DisableCache(ctx))
		vaulttest.WantOnDisk(t, p, other, dtype.Int64, 4)
		vaulttest.WantNames(t, p.Other, "other")
		c = vaulttest.Create(t, p.V, "values", dtype.Int64) // and nothing of it comes back
		vaulttest.WantOnDisk(t, p, c, dtype.Int64)
	})
	t.Run("1000 appends with and without the cache", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		with, without := vaulttest.Create(t, p.V, "with", dtype.Int64), vaulttest.Create(t, p.V, "without", dtype.Int64)
		vaulttest.Must(t, with.Cached(ctx, nil, func() error { vaulttest.AppendEach(t, with, vaulttest.Span(0, 1000)); return nil }))
		vaulttest.AppendEach(t, without, vaulttest.Span(0, 1000))
		vaulttest.WantOnDisk(t, p, with, dtype.Int64, vaulttest.Span(0, 1000)...)
		vaulttest.WantOnDisk(t, p, without, dtype.Int64, vaulttest.Span(0, 1000)...)
	})
	t.Run("msgpack", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		want := vaulttest.Sequence(30, func(i int) any {
			return map[string]any{"id": int64(i), "list": []any{nil, true, "text", 0.5}}
		})
		c := vaulttest.Create(t, p.V, "docs", dtype.MsgPack[any]())
		vaulttest.Must(t, c.Cached(ctx, vaulttest.CacheOf(500, 200), func() error { vaulttest.AppendEach(t, c, want); return nil }))
		vaulttest.WantOnDisk(t, p, c, dtype.MsgPack[any](), want...)
	})
	t.Run("flushing an empty cache returns 0", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		c := vaulttest.Create(t, p.V, "values", dtype.Int64)
		wantFlushed(t, p.V, 0)
		vaulttest.Must(t, c.EnableCache(ctx, nil))
		wantFlushed(t, p.V, 0)
		vaulttest.Must(t, c.Append(ctx)) // nothing
		wantFlushed(t, p.V, 0)
		vaulttest.Must(t, c.Append(ctx, 1))
		wantFlushed(t, p.V, 1)
		wantFlushed(t, p.V, 0)
	})
	t.Run("disable without enable", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		c := vaulttest.Create(t, p.V, "values", dtype.Int64, 1)
		vaulttest.Must(t, c.DisableCache(ctx))
		vaulttest.Must(t, p.V.DisableCache(ctx))
		vaulttest.Must(t, c.Append(ctx, 2))
		vaulttest.WantOnDisk(t, p, c, dtype.Int64, 1, 2)
	})
	t.Run("three cycles of enable, flush, disable", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		c := vaulttest.Create(t, p.V, "values", dtype.Int64)
		for cycle := range 3 {
			vaulttest.Must(t, c.EnableCache(ctx, nil))
			vaulttest.Must(t, c.Append(ctx, int64(2*cycle)))
			wantFlushed(t, p.V, 1)
			vaulttest.Must(t, c.Append(ctx, int64(2*cycle+1)))
			vaulttest.Must(t, c.DisableCache(ctx))
			vaulttest.WantOnDisk(t, p, c, dtype.Int64, vaulttest.Span(0, 2*cycle+2)...)
		}
	})
	t.Run("extend of 1000 varsize", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		c := vaulttest.Create(t, p.V, "texts", dtype.String)
		vaulttest.Must(t, c.Cached(ctx, nil, func() error { return c.Append(ctx, vaulttest.Texts(1000)...) }))
		vaulttest.WantOnDisk(t, p, c, dtype.String, vaulttest.Texts(1000)...)
	})
	t.Run("fixed and varsize together", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		numbers, texts := vaulttest.Create(t, p.V, "numbers", dtype.Int64), vaulttest.Create(t, p.V, "texts", dtype.Bytes)
		vaulttest.Must(t, p.V.EnableCache(ctx, vaulttest.CacheOf(400, 200)))
		for i := range 60 {
			vaulttest.Must(t, numbers.Append(ctx, int64(i)))
			vaulttest.Must(t, texts.Append(ctx, []byte(fmt.Sprint(i))))
		}
		vaulttest.Must(t, p.V.Close())
		vaulttest.WantOnDisk(t, p, numbers, dtype.Int64, vaulttest.Span(0, 60)...)
		vaulttest.WantOnDisk(t, p, texts, dtype.Bytes, vaulttest.Sequence(60, func(i int) []byte { return []byte(fmt.Sprint(i)) })...)
	})
}

// wantFlushed flushes and requires the number of elements that were written.
func wantFlushed(t vaulttest.TB, v *columnvault.Vault, want int) {
	t.Helper()
	n, err := v.Flush(t.Context())
	vaulttest.Must(t, err)
	if n != want {
		t.Errorf("Flush writes %d elements, want %d", n, want)
	}
}

// TestCacheAdvanced is what the suite of that name of KohakuVault requires, as
// far as it concerns columns and is not in TestColumnCache.
func TestCacheAdvanced(t *testing.T) {
	ctx := t.Context()
	t.Run("overflow of the cap flushes first", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		c := vaulttest.Create(t, p.V, "values", dtype.Int64)
		vaulttest.Must(t, c.EnableCache(ctx, vaulttest.CacheOf(80, 80)))
		vaulttest.Must(t, c.Append(ctx, vaulttest.Span(0, 6)...))
		vaulttest.WantOnDisk(t, p, c, dtype.Int64)
		vaulttest.Must(t, c.Append(ctx, vaulttest.Span(6, 12)...)) // both do not fit
		vaulttest.WantOnDisk(t, p, c, dtype.Int64, vaulttest.Span(0, 6)...)
		vaulttest.WantColumn(t, c, vaulttest.Span(0, 12)...)
	})
	t.Run("without automatic flush the data is kept and disable writes it", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		c := vaulttest.Create(t, p.V, "values", dtype.Int64)
		vaulttest.Must(t, c.EnableCache(ctx, vaulttest.CacheOf(8000, 8000)))
		vaulttest.AppendEach(t, c, vaulttest.Span(0, 1000))
		vaulttest.WantOnDisk(t, p, c, dtype.Int64)
		vaulttest.Must(t, c.DisableCache(ctx))
		vaulttest.WantOnDisk(t, p, c, dtype.Int64, vaulttest.Span(0, 1000)...)
	})
	t.Run("manual flush in the context", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		c := vaulttest.Create(t, p.V, "values", dtype.Int64)
		vaulttest.Must(t, p.V.Cached(ctx, nil, func() error {
			vaulttest.Must(t, c.Append(ctx, 1, 2))
			wantFlushed(t, p.V, 2)
			vaulttest.WantOnDisk(t, p, c, dtype.Int64, 1, 2)
			return c.Append(ctx, 3)
		}))
		vaulttest.WantOnDisk(t, p, c, dtype.Int64, 1, 2, 3)
	})
	t.Run("the daemon goes on flushing", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		c := vaulttest.Create(t, p.V, "values", dtype.Int64)
		vaulttest.Must(t, c.EnableCache(ctx, &columnvault.CacheOptions{FlushInterval: time.Millisecond}))
		for i := range 5 {
			vaulttest.Must(t, c.Append(ctx, int64(i)))
			vaulttest.Eventually(t, "the element is written", func() bool { return vaulttest.LenOnDisk(t, p, "values") == i+1 })
		}
		vaulttest.WantOnDisk(t, p, c, dtype.Int64, vaulttest.Span(0, 5)...)
	})
	t.Run("large and small mixed", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		c := vaulttest.Create(t, p.V, "values", dtype.Bytes)
		vaulttest.Must(t, c.EnableCache(ctx, vaulttest.CacheOf(200, 100)))
		want := vaulttest.Sequence(60, func(i int) []byte { return make([]byte, []int{3, 0, 300, 90, 200, 191, 192, 193}[i%8]) })
		for i := range want {
			vaulttest.Must(t, c.Append(ctx, want[i]))
			vaulttest.WantColumn(t, c, want[:i+1]...)
		}
		vaulttest.Must(t, c.DisableCache(ctx))
		vaulttest.WantOnDisk(t, p, c, dtype.Bytes, want...)
		vaulttest.WantSound(t, p.V)
	})
	t.Run("the daemon stops on disable and on close", func(t *testing.T) {
		for _, stop := range []string{"disable", "close"} {
			p := vaulttest.OpenPair(t, nil)
			c := vaulttest.Create(t, p.V, "values", dtype.Int64)
			vaulttest.Must(t, c.EnableCache(ctx, &columnvault.CacheOptions{
				FlushInterval: time.Millisecond,
				OnError:       func(err error) { t.Errorf("after %s the hook is told %v", stop, err) },
			}))
			vaulttest.Must(t, c.Append(ctx, 1))
			if stop == "close" {
				vaulttest.Must(t, p.V.Close())
			} else {
				vaulttest.Must(t, c.DisableCache(ctx))
				vaulttest.Must(t, p.Other.Drop(ctx, "values"))
			}
			time.Sleep(20 * time.Millisecond) // time for a daemon to fail
		}
	})
	t.Run("no interval, no daemon", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		c := vaulttest.Create(t, p.V, "values", dtype.Int64)
		vaulttest.Must(t, c.EnableCache(ctx, nil))
		vaulttest.Must(t, c.Append(ctx, 1))
		time.Sleep(20 * time.Millisecond) // time for a daemon to write
		vaulttest.WantOnDisk(t, p, c, dtype.Int64)
	})
}
