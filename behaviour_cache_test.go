package columnvault_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"columnvault"
	"columnvault/dtype"
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
		cached := func(p pair, c cacheScope, o *columnvault.CacheOptions, fn func() error) error {
			if scope == "vault" {
				c = p.v
			}
			return c.Cached(ctx, o, fn)
		}
		t.Run(scope+" cache context, fixed", func(t *testing.T) {
			p := openPair(t, nil)
			c := create(t, p.v, "values", dtype.Int64)
			must(t, cached(p, c, cacheOf(1024, 512), func() error {
				for i := range 100 {
					must(t, c.Append(ctx, int64(i)))
					wantLen(t, c, i+1)
					if held := 8 * (i + 1 - lenOnDisk(t, p, "values")); held > 512 {
						t.Fatalf("%d bytes are held, and the threshold is 512", held)
					}
				}
				if n := lenOnDisk(t, p, "values"); n == 0 || n == 100 {
					t.Errorf("%d of 100 elements are on disk, want some by the threshold and the rest held", n)
				}
				return nil
			}))
			onDisk(t, p, c, dtype.Int64, span(0, 100)...)
			wantSound(t, p.v)
		})
		t.Run(scope+" cache context, varsize", func(t *testing.T) {
			p := openPair(t, nil)
			c := create(t, p.v, "texts", dtype.String)
			must(t, cached(p, c, cacheOf(1024, 512), func() error {
				appendEach(t, c, messages(100))
				if n := lenOnDisk(t, p, "texts"); n == 0 || n == 100 {
					t.Errorf("%d of 100 elements are on disk, want some by the threshold and the rest held", n)
				}
				return nil
			}))
			onDisk(t, p, c, dtype.String, messages(100)...)
			wantSound(t, p.v)
		})
		t.Run(scope+" cache context, an error still flushes", func(t *testing.T) {
			p := openPair(t, nil)
			c := create(t, p.v, "values", dtype.Int64)
			err := cached(p, c, nil, func() error {
				appendEach(t, c, span(0, 10))
				return errOwn
			})
			if !errors.Is(err, errOwn) {
				t.Errorf("Cached returns %v, want the error of its function", err)
			}
			onDisk(t, p, c, dtype.Int64, span(0, 10)...)
		})
		t.Run(scope+" cache context, a panic still flushes", func(t *testing.T) {
			p := openPair(t, nil)
			c := create(t, p.v, "values", dtype.Int64)
			func() {
				defer func() {
					if r := recover(); r != errOwn {
						t.Errorf("Cached lets the panic %v through, want that of its function", r)
					}
				}()
				cached(p, c, nil, func() error {
					appendEach(t, c, span(0, 10))
					panic(errOwn)
				})
			}()
			onDisk(t, p, c, dtype.Int64, span(0, 10)...)
			must(t, c.Append(ctx, 10)) // the cache is off again
			onDisk(t, p, c, dtype.Int64, span(0, 11)...)
		})
		t.Run(scope+" cache context, nested", func(t *testing.T) {
			p := openPair(t, nil)
			c := create(t, p.v, "values", dtype.Int64)
			must(t, cached(p, c, nil, func() error {
				must(t, c.Append(ctx, span(0, 5)...))
				must(t, cached(p, c, nil, func() error { return c.Append(ctx, span(5, 15)...) }))
				if n := lenOnDisk(t, p, "values"); n != 15 {
					t.Errorf("%d elements are on disk after the inner context, want 15", n)
				}
				must(t, c.Append(ctx, span(15, 20)...))
				if n := lenOnDisk(t, p, "values"); n != 15 {
					t.Errorf("the inner context has ended the cache of the outer: %d elements are on disk", n)
				}
				return nil
			}))
			onDisk(t, p, c, dtype.Int64, span(0, 20)...)
		})
	}

	t.Run("vault cache, three columns of different kinds", func(t *testing.T) {
		p := openPair(t, nil)
		numbers, texts, docs := create(t, p.v, "numbers", dtype.Float64), create(t, p.v, "texts", dtype.String), create(t, p.v, "docs", dtype.MsgPack[map[string]int]())
		doc := func(i int) map[string]int { return map[string]int{"id": i, "square": i * i} }
		must(t, p.v.Cached(ctx, cacheOf(2048, 1024), func() error {
			for i := range 50 {
				must(t, numbers.Append(ctx, float64(i)/2))
				must(t, texts.Append(ctx, fmt.Sprint("text ", i)))
				must(t, docs.Append(ctx, doc(i)))
			}
			return nil
		}))
		onDisk(t, p, numbers, dtype.Float64, sequence(50, func(i int) float64 { return float64(i) / 2 })...)
		onDisk(t, p, texts, dtype.String, sequence(50, func(i int) string { return fmt.Sprint("text ", i) })...)
		onDisk(t, p, docs, dtype.MsgPack[map[string]int](), sequence(50, doc)...)
		wantSound(t, p.v)
	})
	t.Run("manual enable, flush, more, flush, disable", func(t *testing.T) {
		p := openPair(t, nil)
		c := create(t, p.v, "values", dtype.Int64)
		must(t, c.EnableCache(ctx, nil))
		appendEach(t, c, span(0, 10))
		onDisk(t, p, c, dtype.Int64)
		wantFlushed(t, p.v, 10)
		onDisk(t, p, c, dtype.Int64, span(0, 10)...)
		appendEach(t, c, span(10, 15))
		wantFlushed(t, p.v, 5)
		must(t, c.DisableCache(ctx))
		onDisk(t, p, c, dtype.Int64, span(0, 15)...)
	})
	t.Run("five rounds of append and flush", func(t *testing.T) {
		p := openPair(t, nil)
		c := create(t, p.v, "values", dtype.Int64)
		must(t, c.EnableCache(ctx, nil))
		for round := range 5 {
			appendEach(t, c, span(10*round, 10*round+10))
			wantFlushed(t, p.v, 10)
			onDisk(t, p, c, dtype.Int64, span(0, 10*round+10)...)
		}
	})
	t.Run("automatic flush at the threshold", func(t *testing.T) {
		p := openPair(t, nil)
		c := create(t, p.v, "values", dtype.Int64)
		must(t, c.EnableCache(ctx, cacheOf(1000, 80)))
		appendEach(t, c, span(0, 9))
		onDisk(t, p, c, dtype.Int64) // 72 bytes
		appendEach(t, c, span(9, 11))
		if n := lenOnDisk(t, p, "values"); n < 10 {
			t.Errorf("%d elements are on disk, want the 10 that make 80 bytes", n)
		}
		wantColumn(t, c, span(0, 11)...)
	})
	t.Run("an element larger than the cap stays in order", func(t *testing.T) {
		p := openPair(t, nil)
		c := create(t, p.v, "texts", dtype.String)
		must(t, c.EnableCache(ctx, cacheOf(100, 100)))
		large := strings.Repeat("large", 100)
		must(t, c.Append(ctx, large))
		onDisk(t, p, c, dtype.String, large) // at once
		must(t, c.Append(ctx, "small"))
		onDisk(t, p, c, dtype.String, large)
		must(t, c.Append(ctx, large, "with it"))
		must(t, c.Append(ctx, "last"))
		wantColumn(t, c, large, "small", large, "with it", "last")
		onDisk(t, p, c, dtype.String, large, "small", large, "with it")
		must(t, c.DisableCache(ctx))
		onDisk(t, p, c, dtype.String, large, "small", large, "with it", "last")
		wantSound(t, p.v)
	})
	t.Run("flush daemon, two columns", func(t *testing.T) {
		p := openPair(t, nil)
		a, b := create(t, p.v, "a", dtype.Int64), create(t, p.v, "b", dtype.String)
		must(t, p.v.EnableCache(ctx, &columnvault.CacheOptions{FlushInterval: 5 * time.Millisecond}))
		for i := range 20 {
			must(t, a.Append(ctx, int64(i)))
			must(t, b.Append(ctx, fmt.Sprint(i)))
			time.Sleep(time.Millisecond) // some of the time the daemon comes between
		}
		eventually(t, "everything is written", func() bool { return lenOnDisk(t, p, "a")+lenOnDisk(t, p, "b") == 40 })
		onDisk(t, p, a, dtype.Int64, span(0, 20)...)
		onDisk(t, p, b, dtype.String, sequence(20, func(i int) string { return fmt.Sprint(i) })...)
	})
	t.Run("clear after cached appends", func(t *testing.T) {
		p := openPair(t, nil)
		c := create(t, p.v, "values", dtype.Int64, 1, 2)
		must(t, c.EnableCache(ctx, nil))
		must(t, c.Append(ctx, 3))
		must(t, c.Clear(ctx))
		wantColumn(t, c)
		must(t, c.DisableCache(ctx))
		onDisk(t, p, c, dtype.Int64)
	})
	t.Run("drop with rows pending", func(t *testing.T) {
		p := openPair(t, nil)
		c, other := create(t, p.v, "values", dtype.Int64, 1, 2), create(t, p.v, "other", dtype.Int64)
		must(t, p.v.EnableCache(ctx, nil))
		must(t, c.Append(ctx, 3))
		must(t, other.Append(ctx, 4))
		must(t, p.v.Drop(ctx, "values"))
		must(t, p.v.DisableCache(ctx))
		onDisk(t, p, other, dtype.Int64, 4)
		wantNames(t, p.other, "other")
		c = create(t, p.v, "values", dtype.Int64) // and nothing of it comes back
		onDisk(t, p, c, dtype.Int64)
	})
	t.Run("1000 appends with and without the cache", func(t *testing.T) {
		p := openPair(t, nil)
		with, without := create(t, p.v, "with", dtype.Int64), create(t, p.v, "without", dtype.Int64)
		must(t, with.Cached(ctx, nil, func() error { appendEach(t, with, span(0, 1000)); return nil }))
		appendEach(t, without, span(0, 1000))
		onDisk(t, p, with, dtype.Int64, span(0, 1000)...)
		onDisk(t, p, without, dtype.Int64, span(0, 1000)...)
	})
	t.Run("msgpack", func(t *testing.T) {
		p := openPair(t, nil)
		want := sequence(30, func(i int) any {
			return map[string]any{"id": int64(i), "list": []any{nil, true, "text", 0.5}}
		})
		c := create(t, p.v, "docs", dtype.MsgPack[any]())
		must(t, c.Cached(ctx, cacheOf(500, 200), func() error { appendEach(t, c, want); return nil }))
		onDisk(t, p, c, dtype.MsgPack[any](), want...)
	})
	t.Run("flushing an empty cache returns 0", func(t *testing.T) {
		p := openPair(t, nil)
		c := create(t, p.v, "values", dtype.Int64)
		wantFlushed(t, p.v, 0)
		must(t, c.EnableCache(ctx, nil))
		wantFlushed(t, p.v, 0)
		must(t, c.Append(ctx)) // nothing
		wantFlushed(t, p.v, 0)
		must(t, c.Append(ctx, 1))
		wantFlushed(t, p.v, 1)
		wantFlushed(t, p.v, 0)
	})
	t.Run("disable without enable", func(t *testing.T) {
		p := openPair(t, nil)
		c := create(t, p.v, "values", dtype.Int64, 1)
		must(t, c.DisableCache(ctx))
		must(t, p.v.DisableCache(ctx))
		must(t, c.Append(ctx, 2))
		onDisk(t, p, c, dtype.Int64, 1, 2)
	})
	t.Run("three cycles of enable, flush, disable", func(t *testing.T) {
		p := openPair(t, nil)
		c := create(t, p.v, "values", dtype.Int64)
		for cycle := range 3 {
			must(t, c.EnableCache(ctx, nil))
			must(t, c.Append(ctx, int64(2*cycle)))
			wantFlushed(t, p.v, 1)
			must(t, c.Append(ctx, int64(2*cycle+1)))
			must(t, c.DisableCache(ctx))
			onDisk(t, p, c, dtype.Int64, span(0, 2*cycle+2)...)
		}
	})
	t.Run("extend of 1000 varsize", func(t *testing.T) {
		p := openPair(t, nil)
		c := create(t, p.v, "texts", dtype.String)
		must(t, c.Cached(ctx, nil, func() error { return c.Append(ctx, messages(1000)...) }))
		onDisk(t, p, c, dtype.String, messages(1000)...)
	})
	t.Run("fixed and varsize together", func(t *testing.T) {
		p := openPair(t, nil)
		numbers, texts := create(t, p.v, "numbers", dtype.Int64), create(t, p.v, "texts", dtype.Bytes)
		must(t, p.v.EnableCache(ctx, cacheOf(400, 200)))
		for i := range 60 {
			must(t, numbers.Append(ctx, int64(i)))
			must(t, texts.Append(ctx, []byte(fmt.Sprint(i))))
		}
		must(t, p.v.Close())
		onDisk(t, p, numbers, dtype.Int64, span(0, 60)...)
		onDisk(t, p, texts, dtype.Bytes, sequence(60, func(i int) []byte { return []byte(fmt.Sprint(i)) })...)
	})
}

// wantFlushed flushes and requires the number of elements that were written.
func wantFlushed(t tester, v *columnvault.Vault, want int) {
	t.Helper()
	n, err := v.Flush(t.Context())
	must(t, err)
	if n != want {
		t.Errorf("Flush writes %d elements, want %d", n, want)
	}
}

// TestCacheAdvanced is what the suite of that name of KohakuVault requires, as
// far as it concerns columns and is not in TestColumnCache.
func TestCacheAdvanced(t *testing.T) {
	ctx := t.Context()
	t.Run("overflow of the cap flushes first", func(t *testing.T) {
		p := openPair(t, nil)
		c := create(t, p.v, "values", dtype.Int64)
		must(t, c.EnableCache(ctx, cacheOf(80, 80)))
		must(t, c.Append(ctx, span(0, 6)...))
		onDisk(t, p, c, dtype.Int64)
		must(t, c.Append(ctx, span(6, 12)...)) // both do not fit
		onDisk(t, p, c, dtype.Int64, span(0, 6)...)
		wantColumn(t, c, span(0, 12)...)
	})
	t.Run("without automatic flush the data is kept and disable writes it", func(t *testing.T) {
		p := openPair(t, nil)
		c := create(t, p.v, "values", dtype.Int64)
		must(t, c.EnableCache(ctx, cacheOf(8000, 8000)))
		appendEach(t, c, span(0, 1000))
		onDisk(t, p, c, dtype.Int64)
		must(t, c.DisableCache(ctx))
		onDisk(t, p, c, dtype.Int64, span(0, 1000)...)
	})
	t.Run("manual flush in the context", func(t *testing.T) {
		p := openPair(t, nil)
		c := create(t, p.v, "values", dtype.Int64)
		must(t, p.v.Cached(ctx, nil, func() error {
			must(t, c.Append(ctx, 1, 2))
			wantFlushed(t, p.v, 2)
			onDisk(t, p, c, dtype.Int64, 1, 2)
			return c.Append(ctx, 3)
		}))
		onDisk(t, p, c, dtype.Int64, 1, 2, 3)
	})
	t.Run("the daemon goes on flushing", func(t *testing.T) {
		p := openPair(t, nil)
		c := create(t, p.v, "values", dtype.Int64)
		must(t, c.EnableCache(ctx, &columnvault.CacheOptions{FlushInterval: time.Millisecond}))
		for i := range 5 {
			must(t, c.Append(ctx, int64(i)))
			eventually(t, "the element is written", func() bool { return lenOnDisk(t, p, "values") == i+1 })
		}
		onDisk(t, p, c, dtype.Int64, span(0, 5)...)
	})
	t.Run("large and small mixed", func(t *testing.T) {
		p := openPair(t, nil)
		c := create(t, p.v, "values", dtype.Bytes)
		must(t, c.EnableCache(ctx, cacheOf(200, 100)))
		want := sequence(60, func(i int) []byte { return make([]byte, []int{3, 0, 300, 90, 200, 191, 192, 193}[i%8]) })
		for i := range want {
			must(t, c.Append(ctx, want[i]))
			wantColumn(t, c, want[:i+1]...)
		}
		must(t, c.DisableCache(ctx))
		onDisk(t, p, c, dtype.Bytes, want...)
		wantSound(t, p.v)
	})
	t.Run("the daemon stops on disable and on close", func(t *testing.T) {
		for _, stop := range []string{"disable", "close"} {
			p := openPair(t, nil)
			c := create(t, p.v, "values", dtype.Int64)
			must(t, c.EnableCache(ctx, &columnvault.CacheOptions{
				FlushInterval: time.Millisecond,
				OnError:       func(err error) { t.Errorf("after %s the hook is told %v", stop, err) },
			}))
			must(t, c.Append(ctx, 1))
			if stop == "close" {
				must(t, p.v.Close())
			} else {
				must(t, c.DisableCache(ctx))
				must(t, p.other.Drop(ctx, "values"))
			}
			time.Sleep(20 * time.Millisecond) // time for a daemon to fail
		}
	})
	t.Run("no interval, no daemon", func(t *testing.T) {
		p := openPair(t, nil)
		c := create(t, p.v, "values", dtype.Int64)
		must(t, c.EnableCache(ctx, nil))
		must(t, c.Append(ctx, 1))
		time.Sleep(20 * time.Millisecond) // time for a daemon to write
		onDisk(t, p, c, dtype.Int64)
	})
}
