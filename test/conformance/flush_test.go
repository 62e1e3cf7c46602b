package conformance_test

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
	"columnvault/internal/vaulttest"
)

// flushAll flushes, however many elements there are.
func flushAll(t *testing.T, v *columnvault.Vault) {
	t.Helper()
	_, err := v.Flush(t.Context())
	vaulttest.Must(t, err)
}

// TestCacheFlushIsWhole: a flush that fails in the middle leaves nothing on
// disk, of no column, and everything in hand.
func TestCacheFlushIsWhole(t *testing.T) {
	vaulttest.WithTriggers(t)
	p, c, beside := pendingPair(t, nil)
	db := vaulttest.RawConn(t, p.Path)
	vaulttest.ExecRaw(t, db, `CREATE TRIGGER crash BEFORE UPDATE OF length ON col_meta WHEN new.name = 'beside_idx' BEGIN SELECT RAISE(ABORT, 'crash'); END`)
	for range 2 {
		n, err := p.V.Flush(t.Context())
		vaulttest.WantErr(t, "Flush", err, columnvault.ErrUnavailable)
		if n != 0 {
			t.Errorf("the flush that failed reports %d elements", n)
		}
		vaulttest.WantOnDisk(t, p, c, dtype.Int64, 0, 1, 2)
		vaulttest.WantOnDisk(t, p, beside, dtype.String)
		vaulttest.WantColumn(t, c, vaulttest.Span(0, 5)...)
		vaulttest.WantColumn(t, beside, "a", "b")
	}
	vaulttest.ExecRaw(t, db, `DROP TRIGGER crash`)
	wantFlushed(t, p.V, 4)
	vaulttest.WantOnDisk(t, p, c, dtype.Int64, vaulttest.Span(0, 5)...)
	vaulttest.WantOnDisk(t, p, beside, dtype.String, "a", "b")
	vaulttest.WantSound(t, p.V)
}

// TestFlushThatFailsLosesNothing: as long as nothing can be written, everything
// that has to flush says so, and not one element is lost, doubled or moved.
func TestFlushThatFailsLosesNothing(t *testing.T) {
	ctx := t.Context()
	failures := map[string]step{
		"Flush":                func(s scene) error { return vaulttest.ErrOf(s.v.Flush(s.ctx)) },
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
			p, c, beside := pendingPair(t, vaulttest.Impatient())
			vaulttest.Must(t, p.V.EnableCache(ctx, vaulttest.CacheOf(512, 512)))
			vaulttest.Must(t, c.Append(ctx, 5))
			release := vaulttest.BlockWriters(t, p.Path)
			vaulttest.WantErrText(t, name, do(scene{ctx, p.V, c}), columnvault.ErrBusy, "after")
			vaulttest.WantColumn(t, c, vaulttest.Span(0, 6)...)
			vaulttest.WantColumn(t, beside, "a", "b")
			vaulttest.WantOnDisk(t, p, c, dtype.Int64, vaulttest.Span(0, 5)...)
			release()
			vaulttest.Must(t, c.Append(ctx, 6))
			vaulttest.Must(t, p.V.Close())
			vaulttest.WantOnDisk(t, p, c, dtype.Int64, vaulttest.Span(0, 7)...)
			vaulttest.WantSound(t, p.Other)
		})
	}
}

// TestFlushThatFailsInCachedLosesNothing: what is left when Cached cannot flush
// at its end is kept, and its error joins that of the function.
func TestFlushThatFailsInCachedLosesNothing(t *testing.T) {
	ctx := t.Context()
	p := vaulttest.OpenPair(t, vaulttest.Impatient())
	c := vaulttest.Create(t, p.V, "values", dtype.Int64)
	var release func()
	err := c.Cached(ctx, nil, func() error {
		vaulttest.Must(t, c.Append(ctx, 1, 2))
		release = vaulttest.BlockWriters(t, p.Path)
		return vaulttest.ErrOwn
	})
	if !errors.Is(err, vaulttest.ErrOwn) {
		t.Errorf("Cached returns %v, want the error of its function in it", err)
	}
	vaulttest.WantErr(t, "Cached", err, columnvault.ErrBusy)
	vaulttest.WantColumn(t, c, 1, 2)
	vaulttest.WantErr(t, "Append, the cache being off", c.Append(ctx, 3), columnvault.ErrBusy)
	release()
	vaulttest.Must(t, c.Append(ctx, 3))
	vaulttest.WantOnDisk(t, p, c, dtype.Int64, 1, 2, 3)
}

// TestCacheTimerFails: the error of a flush that a timer has started reaches
// the hook and, once, the next append. The flush is tried again.
func TestCacheTimerFails(t *testing.T) {
	ctx := t.Context()
	p := vaulttest.OpenPair(t, vaulttest.Impatient())
	c := vaulttest.Create(t, p.V, "values", dtype.Int64)
	told := make(chan error, 100)
	o := vaulttest.CacheOf(0, 0)
	o.FlushInterval, o.OnError = time.Millisecond, func(err error) { told <- err }
	vaulttest.Must(t, c.EnableCache(ctx, o))
	release := vaulttest.BlockWriters(t, p.Path)
	vaulttest.Must(t, c.Append(ctx, 1))
	for range 2 { // again and again
		select {
		case err := <-told:
			vaulttest.WantErr(t, "the hook", err, columnvault.ErrBusy)
		case <-vaulttest.Soon(t).Done():
			t.Fatal("the hook is not told")
		}
	}
	vaulttest.WantErrText(t, "the next append", c.Append(ctx, 99), columnvault.ErrBusy, "earlier flush")
	vaulttest.WantColumn(t, c, 1)
	release()
	vaulttest.Eventually(t, "the flush is tried again", func() bool { return vaulttest.LenOnDisk(t, p, "values") == 1 })
	if err := c.Append(ctx, 2); err != nil {
		vaulttest.WantErrText(t, "an append is told at most once more", err, columnvault.ErrBusy)
		vaulttest.Must(t, c.Append(ctx, 2))
	}
	flushAll(t, p.V)
	vaulttest.WantOnDisk(t, p, c, dtype.Int64, 1, 2)
}

// TestCacheTimerFailureIsOver: an append is not told that elements are still
// held, by an error of the past, when they have been written since.
func TestCacheTimerFailureIsOver(t *testing.T) {
	ctx := t.Context()
	p := vaulttest.OpenPair(t, vaulttest.Impatient())
	c := vaulttest.Create(t, p.V, "values", dtype.Int64)
	told := make(chan error, 100)
	o := vaulttest.CacheOf(0, 0)
	o.FlushInterval, o.OnError = time.Millisecond, func(err error) { told <- err }
	vaulttest.Must(t, c.EnableCache(ctx, o))
	release := vaulttest.BlockWriters(t, p.Path)
	vaulttest.Must(t, c.Append(ctx, 1))
	<-told
	release()
	flushAll(t, p.V)
	if err := c.Append(ctx, 2); err != nil && strings.Contains(err.Error(), "still held") {
		t.Errorf("the elements are on disk, and an append says: %v", err)
	}
}

// TestCacheOfAColumnThatIsGone: elements of a column that has gone from under its cache
// are reported by name until they are given up, and keep nothing else from being
// written.
func TestCacheOfAColumnThatIsGone(t *testing.T) {
	ctx := t.Context()
	for name, test := range map[string]struct {
		change func(t *testing.T, other *columnvault.Vault)
		want   error // of the column that has the name now
	}{
		"dropped": {func(t *testing.T, other *columnvault.Vault) { vaulttest.Must(t, other.Drop(ctx, "values")) }, columnvault.ErrNotFound},
		"recreated with another dtype": {func(t *testing.T, other *columnvault.Vault) {
			vaulttest.Must(t, other.Drop(ctx, "values"))
			vaulttest.Create(t, other, "values", dtype.Float64, 0.5)
		}, columnvault.ErrDType},
		"recreated as text": {func(t *testing.T, other *columnvault.Vault) {
			vaulttest.Must(t, other.Drop(ctx, "values"))
			vaulttest.Create(t, other, "values", dtype.String, "text")
		}, columnvault.ErrDType},
	} {
		t.Run(name, func(t *testing.T) {
			p, c, beside := pendingPair(t, nil)
			test.change(t, p.Other)
			vaulttest.Must(t, beside.Set(ctx, 0, "x")) // not cached
			vaulttest.WantOnDisk(t, p, beside, dtype.String, "x", "b")
			for range 2 {
				vaulttest.Must(t, beside.Append(ctx, "c"))
				_, err := p.V.Flush(ctx)
				vaulttest.WantErrText(t, "Flush", err, columnvault.ErrNotFound, `"values"`, "2 elements", "DiscardPending")
				vaulttest.WantErr(t, "Close", p.V.Close(), columnvault.ErrNotFound)
				_, err = c.Len(ctx)
				vaulttest.WantErr(t, "Len", err, test.want)
				_, err = c.At(ctx, 0)
				vaulttest.WantErr(t, "At", err, test.want)
			}
			vaulttest.WantOnDisk(t, p, beside, dtype.String, "x", "b", "c", "c")
			vaulttest.WantErr(t, "Append to what is gone", c.Append(ctx, 5), test.want)
			if n := p.V.DiscardPending("values", "another"); n != 2 {
				t.Errorf("DiscardPending gives up %d elements, want 2", n)
			}
			if n := c.DiscardPending(); n != 0 {
				t.Errorf("a second one gives up %d elements", n)
			}
			vaulttest.WantErr(t, "Append to what is gone", c.Append(ctx, 5), test.want)
			vaulttest.Must(t, p.V.Close())
			vaulttest.WantSound(t, p.Other)
		})
	}
	t.Run("renamed", func(t *testing.T) {
		p, c, _ := pendingPair(t, nil)
		vaulttest.Must(t, p.Other.Rename(ctx, "values", "renamed"))
		renamed := vaulttest.Lookup(t, p.V, "renamed", dtype.Int64)
		vaulttest.WantColumn(t, renamed, 0, 1, 2, 3, 4)
		_, err := c.Len(ctx)
		vaulttest.WantErr(t, "Len by the old name", err, columnvault.ErrNotFound)
		wantFlushed(t, p.V, 4)
		vaulttest.WantOnDisk(t, p, renamed, dtype.Int64, 0, 1, 2, 3, 4)
		vaulttest.WantErr(t, "Append by the old name", c.Append(ctx, 5), columnvault.ErrNotFound)
		vaulttest.Must(t, p.V.Close())
	})
	t.Run("recreated with the same dtype", func(t *testing.T) {
		p, c, _ := pendingPair(t, nil)
		vaulttest.Must(t, p.Other.Drop(ctx, "values"))
		vaulttest.Create(t, p.Other, "values", dtype.Int64, 7)
		vaulttest.WantColumn(t, c, 7)
		_, err := p.V.Flush(ctx)
		vaulttest.WantErr(t, "Flush", err, columnvault.ErrNotFound)
		vaulttest.Must(t, c.Append(ctx, 8)) // is for the new one
		vaulttest.WantColumn(t, c, 7, 8)
		_, err = p.V.Flush(ctx)
		vaulttest.WantErr(t, "Flush", err, columnvault.ErrNotFound)
		vaulttest.WantOnDisk(t, p, c, dtype.Int64, 7, 8)
		if n := p.V.DiscardPending(); n != 2 {
			t.Errorf("DiscardPending gives up %d elements, want 2", n)
		}
		wantFlushed(t, p.V, 0)
	})
	t.Run("before anything is pending", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		c := vaulttest.Create(t, p.V, "values", dtype.Int64)
		vaulttest.Must(t, c.EnableCache(ctx, nil))
		vaulttest.Must(t, p.Other.Drop(ctx, "values"))
		vaulttest.WantErr(t, "Append to what is gone", c.Append(ctx, 1), columnvault.ErrNotFound)
		vaulttest.Create(t, p.Other, "values", dtype.Float64)
		vaulttest.WantErr(t, "Append to what is another", c.Append(ctx, 1), columnvault.ErrDType)
		wantFlushed(t, p.V, 0)
	})
}

// TestCacheDiscardDuringFlush: giving up elements while a flush of them is
// under way harms neither. Each is written once or not at all.
func TestCacheDiscardDuringFlush(t *testing.T) {
	ctx := t.Context()
	p := vaulttest.OpenPair(t, vaulttest.Patient())
	c := vaulttest.Create(t, p.V, "values", dtype.Int64)
	vaulttest.Must(t, c.EnableCache(ctx, vaulttest.CacheOf(1<<20, 8)))
	release := vaulttest.BlockWriters(t, p.Path)
	vaulttest.Must(t, c.Append(ctx, 1))
	var flush sync.WaitGroup
	flush.Go(func() {
		if _, err := p.V.Flush(ctx); err != nil {
			t.Error(err)
		}
	})
	appendDuringFlush(t, c, 2)
	c.DiscardPending() // of 1, 2, or both, or nothing
	vaulttest.Must(t, c.Append(ctx, 3))
	release()
	flush.Wait()
	got, err := c.Slice(ctx, columnvault.Begin, columnvault.End)
	vaulttest.Must(t, err)
	if s := fmt.Sprint(got); !slices.Contains([]string{"[3]", "[1 3]", "[1 2 3]"}, s) {
		t.Errorf("after Discard the column has %v", s)
	}
	flushAll(t, p.V)
	vaulttest.WantOnDisk(t, p, c, dtype.Int64, got...)
	vaulttest.WantSound(t, p.V)
}

// appendDuringFlush appends to a column whose cache is over its threshold,
// once a flush that cannot go on is under way: only then does it not have to
// flush itself.
func appendDuringFlush(t *testing.T, c *columnvault.Column[int64], value int64) {
	t.Helper()
	vaulttest.Eventually(t, "an append goes beside the flush", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		return c.Append(ctx, value) == nil
	})
}

// TestPauseFlushKeepsBackWhatIsHeld: a pause keeps everything back that needs what is held, and
// lets the rest go on.
func TestPauseFlushKeepsBackWhatIsHeld(t *testing.T) {
	ctx := t.Context()
	held := map[string]step{
		"Flush":                func(s scene) error { return vaulttest.ErrOf(s.v.Flush(s.ctx)) },
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
			vaulttest.Must(t, p.V.EnableCache(ctx, vaulttest.CacheOf(512, 512)))
			vaulttest.Must(t, c.Append(ctx, 5))
			vaulttest.Must(t, beside.Append(ctx, "c"))
			release := p.V.PauseFlush()
			want := columnvault.ErrFlushPaused
			if slices.Contains([]string{"Create", "Ensure", "Rename another", "Drop another"}, name) {
				want = nil
			}
			vaulttest.WantErr(t, name, do(scene{ctx, p.V, c}), want)
			vaulttest.WantColumn(t, c, vaulttest.Span(0, 6)...)
			vaulttest.WantColumn(t, beside, "a", "b", "c")
			vaulttest.WantOnDisk(t, p, c, dtype.Int64, vaulttest.Span(0, 5)...)
			vaulttest.WantOnDisk(t, p, beside, dtype.String, "a", "b")
			release()
			vaulttest.Must(t, p.V.Close())
			vaulttest.WantOnDisk(t, p, c, dtype.Int64, vaulttest.Span(0, 6)...)
			vaulttest.WantOnDisk(t, p, beside, dtype.String, "a", "b", "c")
		})
	}
	t.Run("an uncached column", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		c, beside := vaulttest.Create(t, p.V, "values", dtype.Int64), vaulttest.Create(t, p.V, "beside", dtype.Int64)
		vaulttest.Must(t, c.EnableCache(ctx, nil))
		vaulttest.Must(t, c.Append(ctx, 1))
		resume := p.V.PauseFlush()
		vaulttest.Must(t, beside.Append(ctx, 2))
		vaulttest.Must(t, p.V.KV().Put(ctx, []byte("key"), nil))
		vaulttest.WantOnDisk(t, p, beside, dtype.Int64, 2)
		vaulttest.WantOnDisk(t, p, c, dtype.Int64)
		resume()
		wantFlushed(t, p.V, 1)
	})
	t.Run("threshold and cap", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		c := vaulttest.Create(t, p.V, "values", dtype.Int64)
		vaulttest.Must(t, c.EnableCache(ctx, vaulttest.CacheOf(80, 16)))
		release := p.V.PauseFlush()
		vaulttest.AppendEach(t, c, vaulttest.Span(0, 10)) // five times the threshold
		vaulttest.WantOnDisk(t, p, c, dtype.Int64)
		vaulttest.WantErr(t, "Append to the full cache", c.Append(ctx, 10), columnvault.ErrCacheFull)
		vaulttest.WantColumn(t, c, vaulttest.Span(0, 10)...)
		release()
		vaulttest.Must(t, c.Append(ctx, 10))
		vaulttest.WantOnDisk(t, p, c, dtype.Int64, vaulttest.Span(0, 10)...)
		vaulttest.WantColumn(t, c, vaulttest.Span(0, 11)...)
	})
	t.Run("nested, and released twice", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		c := vaulttest.Create(t, p.V, "values", dtype.Int64)
		vaulttest.Must(t, c.EnableCache(ctx, nil))
		outer := p.V.PauseFlush()
		inner := p.V.PauseFlush()
		vaulttest.Must(t, c.Append(ctx, 1))
		inner()
		inner()
		_, err := p.V.Flush(ctx)
		vaulttest.WantErr(t, "Flush with one hold left", err, columnvault.ErrFlushPaused)
		outer()
		wantFlushed(t, p.V, 1)
		outer()
		again := p.V.PauseFlush() // the calls too many have not left it below 0
		vaulttest.Must(t, c.Append(ctx, 2))
		_, err = p.V.Flush(ctx)
		vaulttest.WantErr(t, "Flush under a new hold", err, columnvault.ErrFlushPaused)
		again()
	})
	t.Run("nothing pending", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		c := vaulttest.Create(t, p.V, "values", dtype.Int64, 1)
		defer p.V.PauseFlush()()
		wantFlushed(t, p.V, 0)
		vaulttest.Must(t, c.Append(ctx, 2)) // not cached
		vaulttest.Must(t, c.Set(ctx, 0, 3))
		vaulttest.WantOnDisk(t, p, c, dtype.Int64, 3, 2)
	})
}

// TestPauseFlushStopsTheTimer: lock_cache holds the daemon. A timer that finds
// a hold waits for its end: nothing has failed, so neither the hook nor an
// append is told of an error, and afterwards both columns are written.
func TestPauseFlushStopsTheTimer(t *testing.T) {
	ctx := t.Context()
	p := vaulttest.OpenPair(t, nil)
	a, b := vaulttest.Create(t, p.V, "a", dtype.Int64), vaulttest.Create(t, p.V, "b", dtype.Int64)
	vaulttest.Must(t, p.V.EnableCache(ctx, &columnvault.CacheOptions{
		FlushInterval: time.Millisecond,
		OnError:       func(err error) { t.Errorf("the hook is told %v", err) },
	}))
	release := p.V.PauseFlush()
	for i := range 20 {
		if err := errors.Join(a.Append(ctx, int64(i)), b.Append(ctx, int64(i))); err != nil {
			t.Errorf("an append under a hold: %v", err)
		}
		time.Sleep(2 * time.Millisecond) // the timer comes
		if n := vaulttest.LenOnDisk(t, p, "a") + vaulttest.LenOnDisk(t, p, "b"); n > 0 {
			t.Fatalf("%d elements are written under a hold", n)
		}
	}
	release()
	vaulttest.Eventually(t, "everything is written", func() bool { return vaulttest.LenOnDisk(t, p, "a")+vaulttest.LenOnDisk(t, p, "b") == 40 })
}

// TestNoRowWaitsLongerThanTheInterval: no element waits longer than its cache
// allows, whatever else is pending and whatever happens meanwhile.
func TestNoRowWaitsLongerThanTheInterval(t *testing.T) {
	ctx := t.Context()
	quick := &columnvault.CacheOptions{FlushInterval: time.Millisecond}
	t.Run("after a cache without interval", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		slow, fast := vaulttest.Create(t, p.V, "slow", dtype.Int64), vaulttest.Create(t, p.V, "fast", dtype.Int64)
		vaulttest.Must(t, slow.EnableCache(ctx, nil))
		vaulttest.Must(t, fast.EnableCache(ctx, quick))
		vaulttest.Must(t, slow.Append(ctx, 1))
		vaulttest.Must(t, fast.Append(ctx, 2))
		vaulttest.Eventually(t, "the element of the cache with an interval is written", func() bool { return vaulttest.LenOnDisk(t, p, "fast") == 1 })
	})
	t.Run("after a cache with a long interval", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		slow, fast := vaulttest.Create(t, p.V, "slow", dtype.Int64), vaulttest.Create(t, p.V, "fast", dtype.Int64)
		vaulttest.Must(t, slow.EnableCache(ctx, &columnvault.CacheOptions{FlushInterval: time.Hour}))
		vaulttest.Must(t, fast.EnableCache(ctx, quick))
		vaulttest.Must(t, slow.Append(ctx, 1))
		vaulttest.Must(t, fast.Append(ctx, 2))
		vaulttest.Eventually(t, "the element of the cache with the short interval is written", func() bool { return vaulttest.LenOnDisk(t, p, "fast") == 1 })
	})
	t.Run("appended during a flush", func(t *testing.T) {
		p := vaulttest.OpenPair(t, vaulttest.Patient())
		c := vaulttest.Create(t, p.V, "values", dtype.Int64)
		vaulttest.Must(t, c.EnableCache(ctx, &columnvault.CacheOptions{CapBytes: 1 << 20, FlushThreshold: 8, FlushInterval: time.Millisecond}))
		release := vaulttest.BlockWriters(t, p.Path)
		vaulttest.Must(t, c.Append(ctx, 1)) // the timer begins to flush it and has to wait
		appendDuringFlush(t, c, 2)
		release()
		vaulttest.Eventually(t, "both elements are written", func() bool { return vaulttest.LenOnDisk(t, p, "values") == 2 })
	})
}

// TestCacheNeverExceedsItsCap: a cache never holds more than its cap, also when
// nothing can be written.
func TestCacheNeverExceedsItsCap(t *testing.T) {
	ctx := t.Context()
	p := vaulttest.OpenPair(t, vaulttest.Impatient())
	c, beside := vaulttest.Create(t, p.V, "values", dtype.Int64), vaulttest.Create(t, p.V, "beside", dtype.String)
	const most = 256
	vaulttest.Must(t, p.V.EnableCache(ctx, vaulttest.CacheOf(most, 64)))
	numbers, texts := 0, 0
	held := func() int { // in the measure of CapBytes: a text of 4 bytes takes 12
		return 8*(numbers-vaulttest.LenOnDisk(t, p, "values")) + 12*(texts-vaulttest.LenOnDisk(t, p, "beside"))
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
	release := vaulttest.BlockWriters(t, p.Path)
	fill(true)
	release()
	fill(false)
	unhold := p.V.PauseFlush()
	fill(true)
	unhold()
	fill(false)
	vaulttest.Must(t, p.V.Close())
	vaulttest.WantOnDisk(t, p, c, dtype.Int64, make([]int64, numbers)...)
	vaulttest.WantOnDisk(t, p, beside, dtype.String, vaulttest.Sequence(texts, func(int) string { return "text" })...)
}

// TestWaitForAFlushEndsWithBusyTimeout: a call that waits for a transaction
// that wrote pending elements first gives up after BusyTimeout, as every wait
// for a writer does.
func TestWaitForAFlushEndsWithBusyTimeout(t *testing.T) {
	for name, do := range map[string]step{
		"Set":   func(s scene) error { return s.c.Set(s.ctx, 0, 9) },
		"Flush": func(s scene) error { return vaulttest.ErrOf(s.v.Flush(s.ctx)) },
		"Append that is not cached": func(s scene) error {
			c, err := columnvault.Lookup(s.ctx, s.v, "uncached", dtype.Int64)
			return errors.Join(err, c.Append(s.ctx, 1))
		},
	} {
		t.Run(name, func(t *testing.T) {
			v := vaulttest.OpenAt(t, filepath.Join(t.TempDir(), "test.db"), vaulttest.Impatient())
			c := vaulttest.Create(t, v, "values", dtype.Int64, 1)
			vaulttest.Create(t, v, "uncached", dtype.Int64)
			vaulttest.Must(t, c.EnableCache(t.Context(), nil))
			vaulttest.Must(t, c.Append(t.Context(), 2))
			vaulttest.Must(t, v.Update(t.Context(), func(context.Context, *columnvault.Tx) error {
				vaulttest.WantErrText(t, name, do(scene{vaulttest.Soon(t), v, c}), columnvault.ErrBusy, "after")
				return nil
			}))
			vaulttest.WantColumn(t, c, 1, 2)
		})
	}
}

// TestCloseWritesWhatWasAcknowledged: what Append has acknowledged is written;
// after Close nothing is acknowledged.
func TestCloseWritesWhatWasAcknowledged(t *testing.T) {
	ctx := t.Context()
	for name, last := range map[string][]int64{"one": {1}, "none": {}, "more than the cap": {1, 2, 3}} {
		t.Run("after an append of "+name, func(t *testing.T) {
			p := vaulttest.OpenPair(t, nil)
			c := vaulttest.Create(t, p.V, "values", dtype.Int64)
			vaulttest.Must(t, p.V.EnableCache(ctx, vaulttest.CacheOf(16, 16)))
			vaulttest.Must(t, c.Append(ctx, last...))
			vaulttest.Must(t, p.V.Close())
			vaulttest.WantErr(t, "Append to a closed vault", c.Append(ctx, 9), columnvault.ErrClosed)
			err := p.V.Batch(ctx, func(b *columnvault.Batch) error { return c.AppendTo(b, 9) })
			vaulttest.WantErr(t, "Batch on a closed vault", err, columnvault.ErrClosed)
			vaulttest.WantOnDisk(t, p, c, dtype.Int64, last...)
		})
	}
	t.Run("concurrently", func(t *testing.T) {
		for range 20 {
			p := vaulttest.OpenPair(t, nil)
			c := vaulttest.Create(t, p.V, "values", dtype.Int64)
			vaulttest.Must(t, p.V.EnableCache(ctx, nil))
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
			vaulttest.Must(t, p.V.Close())
			appends.Wait()
			vaulttest.WantOnDisk(t, p, c, dtype.Int64, vaulttest.Span(0, acknowledged)...)
		}
	})
}

// TestCloseThatGivesUpChangesNothing: a Close that cannot wait for a
// transaction leaves the vault as it was, caches included.
func TestCloseThatGivesUpChangesNothing(t *testing.T) {
	ctx := t.Context()
	p := vaulttest.OpenPair(t, vaulttest.Impatient())
	c := vaulttest.Create(t, p.V, "values", dtype.Int64, 1)
	for _, cached := range []bool{false, true} {
		if cached {
			vaulttest.Must(t, p.V.EnableCache(ctx, nil))
		}
		vaulttest.Must(t, p.V.Update(ctx, func(context.Context, *columnvault.Tx) error {
			vaulttest.WantErr(t, "Close during a transaction", p.V.Close(), columnvault.ErrBusy)
			return nil
		}))
		vaulttest.Must(t, c.Set(ctx, 0, 2))
		vaulttest.Must(t, c.Append(ctx, 3))
	}
	vaulttest.Must(t, p.V.Close())
	vaulttest.WantOnDisk(t, p, c, dtype.Int64, 2, 3, 3)
}
