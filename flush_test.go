package columnvault_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"columnvault"
	"columnvault/dtype"
)

// flushAll flushes, however many elements there are.
func flushAll(t *testing.T, v *columnvault.Vault) {
	t.Helper()
	_, err := v.Flush(t.Context())
	must(t, err)
}

// TestCacheFlushIsWhole: a flush that fails in the middle leaves nothing on
// disk, of no column, and everything in hand.
func TestCacheFlushIsWhole(t *testing.T) {
	withTriggers(t)
	p, c, beside := pendingPair(t, nil)
	db := rawConn(t, p.path)
	execRaw(t, db, `CREATE TRIGGER crash BEFORE UPDATE OF length ON col_meta WHEN new.name = 'beside_idx' BEGIN SELECT RAISE(ABORT, 'crash'); END`)
	for range 2 {
		n, err := p.v.Flush(t.Context())
		wantErr(t, "Flush", err, columnvault.ErrUnavailable)
		if n != 0 {
			t.Errorf("the flush that failed reports %d elements", n)
		}
		onDisk(t, p, c, dtype.Int64, 0, 1, 2)
		onDisk(t, p, beside, dtype.String)
		wantColumn(t, c, span(0, 5)...)
		wantColumn(t, beside, "a", "b")
	}
	execRaw(t, db, `DROP TRIGGER crash`)
	wantFlushed(t, p.v, 4)
	onDisk(t, p, c, dtype.Int64, span(0, 5)...)
	onDisk(t, p, beside, dtype.String, "a", "b")
	wantSound(t, p.v)
}

// TestCacheFlushFails: as long as nothing can be written, everything that has
// to flush says so, and not one element is lost, doubled or moved.
func TestCacheFlushFails(t *testing.T) {
	ctx := t.Context()
	failures := map[string]step{
		"Flush":                func(s scene) error { return lastOf(s.v.Flush(s.ctx)) },
		"EnableCache":          func(s scene) error { return s.v.EnableCache(s.ctx, nil) },
		"Column.EnableCache":   func(s scene) error { return s.c.EnableCache(s.ctx, nil) },
		"DisableCache":         func(s scene) error { return s.v.DisableCache(s.ctx) },
		"Cached":               func(s scene) error { return s.v.Cached(s.ctx, nil, nil) },
		"Close":                func(s scene) error { return s.v.Close() },
		"Append above the cap": func(s scene) error { return s.c.Append(s.ctx, make([]int64, 100)...) },
		"Append at the cap":    func(s scene) error { return s.c.Append(s.ctx, make([]int64, 64)...) },
		"Batch": func(s scene) error {
			return s.v.Batch(s.ctx, func(b *columnvault.Batch) error { return s.c.AppendTo(b, make([]int64, 100)...) })
		},
	}
	for name, op := range uncached {
		failures[name] = op.do
	}
	for name, do := range failures {
		t.Run(name, func(t *testing.T) {
			p, c, beside := pendingPair(t, impatient)
			must(t, p.v.EnableCache(ctx, cacheOf(512, 512)))
			must(t, c.Append(ctx, 5))
			release := blockWriters(t, p.path)
			wantErrText(t, name, do(scene{ctx, p.v, c}), columnvault.ErrBusy, "after")
			wantColumn(t, c, span(0, 6)...)
			wantColumn(t, beside, "a", "b")
			onDisk(t, p, c, dtype.Int64, span(0, 5)...)
			release()
			must(t, c.Append(ctx, 6))
			must(t, p.v.Close())
			onDisk(t, p, c, dtype.Int64, span(0, 7)...)
			wantSound(t, p.other)
		})
	}
}

// TestCacheFlushFailsInFn: what is left when Cached cannot flush at its end is
// kept, and its error joins that of the function.
func TestCacheFlushFailsInFn(t *testing.T) {
	ctx := t.Context()
	p := openPair(t, impatient)
	c := create(t, p.v, "values", dtype.Int64)
	var release func()
	err := c.Cached(ctx, nil, func() error {
		must(t, c.Append(ctx, 1, 2))
		release = blockWriters(t, p.path)
		return errOwn
	})
	if !errors.Is(err, errOwn) {
		t.Errorf("Cached returns %v, want the error of its function in it", err)
	}
	wantErr(t, "Cached", err, columnvault.ErrBusy)
	wantColumn(t, c, 1, 2)
	wantErr(t, "Append, the cache being off", c.Append(ctx, 3), columnvault.ErrBusy)
	release()
	must(t, c.Append(ctx, 3))
	onDisk(t, p, c, dtype.Int64, 1, 2, 3)
}

// TestCacheTimerFails: the error of a flush that a timer has started reaches
// the hook and, once, the next append. The flush is tried again.
func TestCacheTimerFails(t *testing.T) {
	ctx := t.Context()
	p := openPair(t, impatient)
	c := create(t, p.v, "values", dtype.Int64)
	told := make(chan error, 100)
	o := cacheOf(0, 0)
	o.FlushInterval, o.OnError = time.Millisecond, func(err error) { told <- err }
	must(t, c.EnableCache(ctx, o))
	release := blockWriters(t, p.path)
	must(t, c.Append(ctx, 1))
	for range 2 { // again and again
		select {
		case err := <-told:
			wantErr(t, "the hook", err, columnvault.ErrBusy)
		case <-soon(t).Done():
			t.Fatal("the hook is not told")
		}
	}
	wantErrText(t, "the next append", c.Append(ctx, 99), columnvault.ErrBusy, "earlier flush")
	wantColumn(t, c, 1)
	release()
	eventually(t, "the flush is tried again", func() bool { return lenOnDisk(t, p, "values") == 1 })
	if err := c.Append(ctx, 2); err != nil {
		wantErrText(t, "an append is told at most once more", err, columnvault.ErrBusy)
		must(t, c.Append(ctx, 2))
	}
	flushAll(t, p.v)
	onDisk(t, p, c, dtype.Int64, 1, 2)
}

// TestCacheTimerFailureIsOver: an append is not told that elements are still
// held, by an error of the past, when they have been written since.
func TestCacheTimerFailureIsOver(t *testing.T) {
	ctx := t.Context()
	p := openPair(t, impatient)
	c := create(t, p.v, "values", dtype.Int64)
	told := make(chan error, 100)
	o := cacheOf(0, 0)
	o.FlushInterval, o.OnError = time.Millisecond, func(err error) { told <- err }
	must(t, c.EnableCache(ctx, o))
	release := blockWriters(t, p.path)
	must(t, c.Append(ctx, 1))
	<-told
	release()
	flushAll(t, p.v)
	if err := c.Append(ctx, 2); err != nil && strings.Contains(err.Error(), "still held") {
		t.Errorf("the elements are on disk, and an append says: %v", err)
	}
}

// TestCacheColumnGone: a column that has gone from under its cache keeps
// everything from being flushed, by name, until its elements are given up.
func TestCacheColumnGone(t *testing.T) {
	ctx := t.Context()
	for name, test := range map[string]struct {
		change func(t *testing.T, other *columnvault.Vault)
		want   error
	}{
		"dropped": {func(t *testing.T, other *columnvault.Vault) { must(t, other.Drop(ctx, "values")) }, columnvault.ErrNotFound},
		"renamed": {func(t *testing.T, other *columnvault.Vault) { must(t, other.Rename(ctx, "values", "renamed")) }, columnvault.ErrNotFound},
		"recreated with another dtype": {func(t *testing.T, other *columnvault.Vault) {
			must(t, other.Drop(ctx, "values"))
			create(t, other, "values", dtype.Float64, 0.5)
		}, columnvault.ErrDType},
		"recreated as text": {func(t *testing.T, other *columnvault.Vault) {
			must(t, other.Drop(ctx, "values"))
			create(t, other, "values", dtype.String, "text")
		}, columnvault.ErrDType},
	} {
		t.Run(name, func(t *testing.T) {
			p, c, beside := pendingPair(t, nil)
			test.change(t, p.other)
			for range 2 {
				_, err := p.v.Flush(ctx)
				wantErrText(t, "Flush", err, test.want, `"values"`, "Discard")
				wantErr(t, "an uncached write to another column", beside.Set(ctx, 0, "x"), test.want)
				wantErr(t, "Close", p.v.Close(), test.want)
				_, err = c.Len(ctx)
				wantErr(t, "Len", err, test.want)
				_, err = c.At(ctx, 0)
				wantErr(t, "At of an element on disk", err, test.want)
				_, err = c.At(ctx, 4)
				wantErr(t, "At of a pending element", err, test.want)
				wantColumn(t, beside, "a", "b")
				onDisk(t, p, beside, dtype.String)
			}
			if n := c.DiscardPending(); n != 2 {
				t.Errorf("Discard gives up %d elements, want 2", n)
			}
			if n := c.DiscardPending(); n != 0 {
				t.Errorf("a second Discard gives up %d elements", n)
			}
			wantFlushed(t, p.v, 2)
			onDisk(t, p, beside, dtype.String, "a", "b")
			wantErr(t, "Append to what is gone", c.Append(ctx, 5), test.want)
			must(t, beside.Append(ctx, "c"))
			must(t, p.v.Close())
			onDisk(t, p, beside, dtype.String, "a", "b", "c")
			wantSound(t, p.other)
		})
	}
	t.Run("recreated with the same dtype", func(t *testing.T) {
		p, c, _ := pendingPair(t, nil)
		must(t, p.other.Drop(ctx, "values"))
		create(t, p.other, "values", dtype.Int64, 7)
		wantColumn(t, c, 7, 3, 4)
		flushAll(t, p.v)
		onDisk(t, p, c, dtype.Int64, 7, 3, 4)
	})
	t.Run("before anything is pending", func(t *testing.T) {
		p := openPair(t, nil)
		c := create(t, p.v, "values", dtype.Int64)
		must(t, c.EnableCache(ctx, nil))
		must(t, p.other.Drop(ctx, "values"))
		wantErr(t, "Append to what is gone", c.Append(ctx, 1), columnvault.ErrNotFound)
		create(t, p.other, "values", dtype.Float64)
		wantErr(t, "Append to what is another", c.Append(ctx, 1), columnvault.ErrDType)
		wantFlushed(t, p.v, 0)
	})
}

// TestCacheDiscardDuringFlush: giving up elements while a flush of them is
// under way harms neither. Each is written once or not at all.
func TestCacheDiscardDuringFlush(t *testing.T) {
	ctx := t.Context()
	p := openPair(t, patient)
	c := create(t, p.v, "values", dtype.Int64)
	must(t, c.EnableCache(ctx, cacheOf(1<<20, 8)))
	release := blockWriters(t, p.path)
	must(t, c.Append(ctx, 1))
	var flush sync.WaitGroup
	flush.Go(func() {
		if _, err := p.v.Flush(ctx); err != nil {
			t.Error(err)
		}
	})
	appendDuringFlush(t, c, 2)
	c.DiscardPending() // of 1, 2, or both, or nothing
	must(t, c.Append(ctx, 3))
	release()
	flush.Wait()
	got, err := c.Slice(ctx, begin, end)
	must(t, err)
	if s := fmt.Sprint(got); !slices.Contains([]string{"[3]", "[1 3]", "[1 2 3]"}, s) {
		t.Errorf("after Discard the column has %v", s)
	}
	flushAll(t, p.v)
	onDisk(t, p, c, dtype.Int64, got...)
	wantSound(t, p.v)
}

// appendDuringFlush appends to a column whose cache is over its threshold,
// once a flush that cannot go on is under way: only then does it not have to
// flush itself.
func appendDuringFlush(t *testing.T, c *columnvault.Column[int64], value int64) {
	t.Helper()
	eventually(t, "an append goes beside the flush", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		return c.Append(ctx, value) == nil
	})
}

// TestCacheHold: a hold keeps everything back that would flush.
func TestCacheHold(t *testing.T) {
	ctx := t.Context()
	held := map[string]step{
		"Flush":                func(s scene) error { return lastOf(s.v.Flush(s.ctx)) },
		"EnableCache":          func(s scene) error { return s.v.EnableCache(s.ctx, nil) },
		"Column.EnableCache":   func(s scene) error { return s.c.EnableCache(s.ctx, nil) },
		"Cached":               func(s scene) error { return s.v.Cached(s.ctx, nil, nil) },
		"DisableCache":         func(s scene) error { return s.v.DisableCache(s.ctx) },
		"Close":                func(s scene) error { return s.v.Close() },
		"Append above the cap": func(s scene) error { return s.c.Append(s.ctx, make([]int64, 100)...) },
	}
	for name, op := range uncached {
		held[name] = op.do
	}
	for name, do := range held {
		t.Run(name, func(t *testing.T) {
			p, c, beside := pendingPair(t, nil)
			must(t, p.v.EnableCache(ctx, cacheOf(512, 512)))
			must(t, c.Append(ctx, 5))
			must(t, beside.Append(ctx, "c"))
			release := p.v.PauseFlush()
			wantErr(t, name, do(scene{ctx, p.v, c}), columnvault.ErrFlushPaused)
			wantColumn(t, c, span(0, 6)...)
			wantColumn(t, beside, "a", "b", "c")
			onDisk(t, p, c, dtype.Int64, span(0, 5)...)
			onDisk(t, p, beside, dtype.String, "a", "b")
			release()
			must(t, p.v.Close())
			onDisk(t, p, c, dtype.Int64, span(0, 6)...)
			onDisk(t, p, beside, dtype.String, "a", "b", "c")
		})
	}
	t.Run("threshold and cap", func(t *testing.T) {
		p := openPair(t, nil)
		c := create(t, p.v, "values", dtype.Int64)
		must(t, c.EnableCache(ctx, cacheOf(80, 16)))
		release := p.v.PauseFlush()
		appendEach(t, c, span(0, 10)) // five times the threshold
		onDisk(t, p, c, dtype.Int64)
		wantErr(t, "Append to the full cache", c.Append(ctx, 10), columnvault.ErrCacheFull)
		wantColumn(t, c, span(0, 10)...)
		release()
		must(t, c.Append(ctx, 10))
		onDisk(t, p, c, dtype.Int64, span(0, 10)...)
		wantColumn(t, c, span(0, 11)...)
	})
	t.Run("nested, and released twice", func(t *testing.T) {
		p := openPair(t, nil)
		c := create(t, p.v, "values", dtype.Int64)
		must(t, c.EnableCache(ctx, nil))
		outer := p.v.PauseFlush()
		inner := p.v.PauseFlush()
		must(t, c.Append(ctx, 1))
		inner()
		inner()
		_, err := p.v.Flush(ctx)
		wantErr(t, "Flush with one hold left", err, columnvault.ErrFlushPaused)
		outer()
		wantFlushed(t, p.v, 1)
		outer()
		again := p.v.PauseFlush() // the calls too many have not left it below 0
		must(t, c.Append(ctx, 2))
		_, err = p.v.Flush(ctx)
		wantErr(t, "Flush under a new hold", err, columnvault.ErrFlushPaused)
		again()
	})
	t.Run("nothing pending", func(t *testing.T) {
		p := openPair(t, nil)
		c := create(t, p.v, "values", dtype.Int64, 1)
		defer p.v.PauseFlush()()
		wantFlushed(t, p.v, 0)
		must(t, c.Append(ctx, 2)) // not cached
		must(t, c.Set(ctx, 0, 3))
		onDisk(t, p, c, dtype.Int64, 3, 2)
	})
}

// TestCacheHoldAndTimer: lock_cache holds the daemon. A timer that finds a hold
// waits for its end: nothing has failed, so neither the hook nor an append is
// told of an error, and afterwards both columns are written.
func TestCacheHoldAndTimer(t *testing.T) {
	ctx := t.Context()
	p := openPair(t, nil)
	a, b := create(t, p.v, "a", dtype.Int64), create(t, p.v, "b", dtype.Int64)
	must(t, p.v.EnableCache(ctx, &columnvault.CacheOptions{
		FlushInterval: time.Millisecond,
		OnError:       func(err error) { t.Errorf("the hook is told %v", err) },
	}))
	release := p.v.PauseFlush()
	for i := range 20 {
		if err := errors.Join(a.Append(ctx, int64(i)), b.Append(ctx, int64(i))); err != nil {
			t.Errorf("an append under a hold: %v", err)
		}
		time.Sleep(2 * time.Millisecond) // the timer comes
		if n := lenOnDisk(t, p, "a") + lenOnDisk(t, p, "b"); n > 0 {
			t.Fatalf("%d elements are written under a hold", n)
		}
	}
	release()
	eventually(t, "everything is written", func() bool { return lenOnDisk(t, p, "a")+lenOnDisk(t, p, "b") == 40 })
}

// TestCacheInterval: no element waits longer than its cache allows, whatever
// else is pending and whatever happens meanwhile.
func TestCacheInterval(t *testing.T) {
	ctx := t.Context()
	quick := &columnvault.CacheOptions{FlushInterval: time.Millisecond}
	t.Run("behind a cache without interval", func(t *testing.T) {
		p := openPair(t, nil)
		slow, fast := create(t, p.v, "slow", dtype.Int64), create(t, p.v, "fast", dtype.Int64)
		must(t, slow.EnableCache(ctx, nil))
		must(t, fast.EnableCache(ctx, quick))
		must(t, slow.Append(ctx, 1))
		must(t, fast.Append(ctx, 2))
		eventually(t, "the element of the cache with an interval is written", func() bool { return lenOnDisk(t, p, "fast") == 1 })
	})
	t.Run("behind a cache with a long interval", func(t *testing.T) {
		p := openPair(t, nil)
		slow, fast := create(t, p.v, "slow", dtype.Int64), create(t, p.v, "fast", dtype.Int64)
		must(t, slow.EnableCache(ctx, &columnvault.CacheOptions{FlushInterval: time.Hour}))
		must(t, fast.EnableCache(ctx, quick))
		must(t, slow.Append(ctx, 1))
		must(t, fast.Append(ctx, 2))
		eventually(t, "the element of the cache with the short interval is written", func() bool { return lenOnDisk(t, p, "fast") == 1 })
	})
	t.Run("appended during a flush", func(t *testing.T) {
		p := openPair(t, patient)
		c := create(t, p.v, "values", dtype.Int64)
		must(t, c.EnableCache(ctx, &columnvault.CacheOptions{CapBytes: 1 << 20, FlushThreshold: 8, FlushInterval: time.Millisecond}))
		release := blockWriters(t, p.path)
		must(t, c.Append(ctx, 1)) // the timer begins to flush it and has to wait
		appendDuringFlush(t, c, 2)
		release()
		eventually(t, "both elements are written", func() bool { return lenOnDisk(t, p, "values") == 2 })
	})
}

// TestCacheBounded: a cache never holds more than its cap, also when nothing
// can be written.
func TestCacheBounded(t *testing.T) {
	ctx := t.Context()
	p := openPair(t, impatient)
	c, beside := create(t, p.v, "values", dtype.Int64), create(t, p.v, "beside", dtype.String)
	const most = 256
	must(t, p.v.EnableCache(ctx, cacheOf(most, 64)))
	numbers, texts := 0, 0
	held := func() int { // in the measure of CapBytes: a text of 4 bytes takes 12
		return 8*(numbers-lenOnDisk(t, p, "values")) + 12*(texts-lenOnDisk(t, p, "beside"))
	}
	fill := func(wantRefusal bool) {
		refused := false
		for i := range 60 {
			errNumbers, errTexts := c.Append(ctx, make([]int64, 1+i%5)...), beside.Append(ctx, "text")
			if errNumbers == nil {
				numbers += 1 + i%5
			}
			if errTexts == nil {
				texts++
			}
			refused = refused || errNumbers != nil && errTexts != nil
			if held() > most {
				t.Fatalf("%d bytes are held", held())
			}
		}
		if refused != wantRefusal {
			t.Errorf("appends are refused: %v, want %v", refused, wantRefusal)
		}
	}
	fill(false)
	release := blockWriters(t, p.path)
	fill(true)
	release()
	fill(false)
	unhold := p.v.PauseFlush()
	fill(true)
	unhold()
	fill(false)
	must(t, p.v.Close())
	onDisk(t, p, c, dtype.Int64, make([]int64, numbers)...)
	onDisk(t, p, beside, dtype.String, sequence(texts, func(int) string { return "text" })...)
}

// TestCacheBusyWait: who waits for a transaction that wrote pending elements
// first gives up after BusyTimeout, like everybody who waits for a writer.
func TestCacheBusyWait(t *testing.T) {
	for name, do := range map[string]step{
		"Set":   func(s scene) error { return s.c.Set(s.ctx, 0, 9) },
		"Flush": func(s scene) error { return lastOf(s.v.Flush(s.ctx)) },
		"Append that is not cached": func(s scene) error {
			c, err := columnvault.Lookup(s.ctx, s.v, "uncached", dtype.Int64)
			return errors.Join(err, c.Append(s.ctx, 1))
		},
	} {
		t.Run(name, func(t *testing.T) {
			v := openAt(t, filepath.Join(t.TempDir(), "test.db"), impatient)
			c := create(t, v, "values", dtype.Int64, 1)
			create(t, v, "uncached", dtype.Int64)
			must(t, c.EnableCache(t.Context(), nil))
			must(t, c.Append(t.Context(), 2))
			must(t, v.Update(t.Context(), func(context.Context, *columnvault.Tx) error {
				wantErrText(t, name, do(scene{soon(t), v, c}), columnvault.ErrBusy, "after")
				return nil
			}))
			wantColumn(t, c, 1, 2)
		})
	}
}

// TestCacheClosed: what Append has acknowledged is written; after Close nothing
// is acknowledged.
func TestCacheClosed(t *testing.T) {
	ctx := t.Context()
	for name, last := range map[string][]int64{"one": {1}, "none": {}, "more than the cap": {1, 2, 3}} {
		t.Run("after an append of "+name, func(t *testing.T) {
			p := openPair(t, nil)
			c := create(t, p.v, "values", dtype.Int64)
			must(t, p.v.EnableCache(ctx, cacheOf(16, 16)))
			must(t, c.Append(ctx, last...))
			must(t, p.v.Close())
			wantErr(t, "Append to a closed vault", c.Append(ctx, 9), columnvault.ErrClosed)
			err := p.v.Batch(ctx, func(b *columnvault.Batch) error { return c.AppendTo(b, 9) })
			wantErr(t, "Batch on a closed vault", err, columnvault.ErrClosed)
			onDisk(t, p, c, dtype.Int64, last...)
		})
	}
	t.Run("concurrently", func(t *testing.T) {
		for range 20 {
			p := openPair(t, nil)
			c := create(t, p.v, "values", dtype.Int64)
			must(t, p.v.EnableCache(ctx, nil))
			acknowledged := 0
			var appends sync.WaitGroup
			started := make(chan struct{})
			appends.Go(func() {
				for c.Append(ctx, int64(acknowledged)) == nil {
					if acknowledged++; acknowledged == 1 {
						close(started)
					}
					if acknowledged == 1_000_000 {
						t.Error("appends to a closed vault are acknowledged")
						return
					}
				}
			})
			<-started
			must(t, p.v.Close())
			appends.Wait()
			onDisk(t, p, c, dtype.Int64, span(0, acknowledged)...)
		}
	})
}

// TestCacheCloseInVain: a Close that cannot wait for a transaction leaves the
// vault as it was, caches included.
func TestCacheCloseInVain(t *testing.T) {
	ctx := t.Context()
	p := openPair(t, impatient)
	c := create(t, p.v, "values", dtype.Int64, 1)
	for _, cached := range []bool{false, true} {
		if cached {
			must(t, p.v.EnableCache(ctx, nil))
		}
		must(t, p.v.Update(ctx, func(context.Context, *columnvault.Tx) error {
			wantErr(t, "Close during a transaction", p.v.Close(), columnvault.ErrBusy)
			return nil
		}))
		must(t, c.Set(ctx, 0, 2))
		must(t, c.Append(ctx, 3))
	}
	must(t, p.v.Close())
	onDisk(t, p, c, dtype.Int64, 2, 3, 3)
}
