package columnvault_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"columnvault"
	"columnvault/dtype"
)

// TestStress lets everything happen at once in one vault, mostly for the race
// detector: cached and uncached appends, batches, transactions, sets, reads,
// iterations, a flushing ticker, holds, checkpoints, and another vault beside
// it. What was acknowledged is there at the end, once, and in order.
func TestStress(t *testing.T) {
	const writers, each = 4, 150
	ctx := t.Context()
	p := openPair(t, patient)
	shared := create(t, p.v, "shared", dtype.Int64)
	create(t, p.v, "direct", dtype.Int64)
	direct := lookup(t, p.other, "direct", dtype.Int64) // the other vault has no cache
	marks := create(t, p.v, "marks", dtype.Int64, make([]int64, writers)...)
	texts := createWith(t, p.v, "texts", dtype.String, chunks(16, 600))
	failed := atomic.Bool{}
	report := func(what string, err error) {
		if err != nil && failed.CompareAndSwap(false, true) {
			t.Errorf("%s: %v", what, err)
		}
	}
	must(t, p.v.EnableCache(ctx, &columnvault.CacheOptions{
		CapBytes: 4000, FlushThreshold: 800, FlushInterval: time.Millisecond,
		OnError: func(err error) { report("the ticker", err) },
	}))
	// An append that meets a hold when the cache is full is tried again.
	again := func(call func() error) error {
		for {
			err := call()
			if !errors.Is(err, columnvault.ErrCacheFull) && !errors.Is(err, columnvault.ErrFlushPaused) {
				return err
			}
			time.Sleep(100 * time.Microsecond)
		}
	}

	var writing, beside sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for i := range each {
				n := int64(w*each + i)
				report("append", again(func() error { return shared.Append(ctx, n) }))
				report("batch", again(func() error {
					return p.v.Batch(ctx, func(b *columnvault.Batch) error {
						return errors.Join(texts.AppendTo(b, fmt.Sprintf("%0*d", i%60, n)), p.v.KV().PutTo(b, fmt.Append(nil, n), []byte("value")))
					})
				}))
				if i%10 == 0 {
					report("update", again(func() error {
						return p.v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
							return errors.Join(marks.In(tx).Set(ctx, w, int64(i)), p.v.KV().In(tx).Put(ctx, fmt.Append(nil, "mark ", w), nil))
						})
					}))
				}
			}
		})
	}
	writing.Go(func() {
		for i := range each {
			report("append beside", direct.Append(ctx, int64(i)))
		}
	})
	stop := make(chan struct{})
	for what, do := range map[string]func() error{
		"read": func() error {
			n, err := shared.Len(ctx)
			if err != nil || n == 0 {
				return err
			}
			_, err = shared.Slice(ctx, n/2, n)
			return err
		},
		"iterate": func() error {
			for range texts.Backward(ctx) {
				break
			}
			return loopErr(texts.Values(ctx))
		},
		"pairs": func() error { return loopErr(p.v.KV().Keys(ctx, columnvault.Prefix("1"))) },
		"view": func() error {
			return p.v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
				a, err := texts.In(tx).Len(ctx)
				if err != nil {
					return err
				}
				b, err := p.v.KV().In(tx).Len(ctx)
				if b -= writers; a < b || a > b+writers { // the marks come first
					err = fmt.Errorf("%d texts beside %d pairs", a, b)
				}
				return err
			})
		},
		"flush": func() error { return again(func() error { return lastOf(p.v.Flush(ctx)) }) },
		"hold": func() error {
			release := p.v.PauseFlush()
			time.Sleep(50 * time.Microsecond)
			release()
			return nil
		},
		"checkpoint": func() error { return lastOf(p.v.Checkpoint(ctx, columnvault.CheckpointPassive)) },
		"columns":    func() error { return lastOf(p.other.Columns(ctx)) },
		"replace": func() error {
			return again(func() error {
				return p.v.EnableCache(ctx, &columnvault.CacheOptions{CapBytes: 3000, FlushInterval: time.Millisecond})
			})
		},
	} {
		beside.Go(func() {
			for {
				report(what, do())
				select {
				case <-stop:
					return
				case <-time.After(time.Millisecond):
				}
			}
		})
	}
	writing.Wait()
	close(stop)
	beside.Wait()
	must(t, p.v.Close())
	p.v = openAt(t, p.path, nil)
	wantWriters(t, lookup(t, p.v, "shared", dtype.Int64), writers, each)
	wantColumn(t, lookup(t, p.v, "direct", dtype.Int64), span(0, each)...)
	wantColumn(t, lookup(t, p.v, "marks", dtype.Int64), each-10, each-10, each-10, each-10)
	wantLen(t, lookup(t, p.v, "texts", dtype.String), writers*each)
	if n, err := p.v.KV().Len(ctx); n != writers*each+writers || err != nil {
		t.Errorf("%d pairs, %v", n, err)
	}
	wantSound(t, p.v)
}

// TestCloseBesideReadersAndWriters: Close in the midst of everything leaves no
// open file, no log, and all that was acknowledged.
func TestCloseBesideReadersAndWriters(t *testing.T) {
	ctx := t.Context()
	for range 10 {
		path := filepath.Join(t.TempDir(), "test.db")
		v, err := columnvault.Open(path, nil)
		must(t, err)
		c := create(t, v, "values", dtype.Int64)
		must(t, c.EnableCache(ctx, &columnvault.CacheOptions{FlushInterval: time.Millisecond}))
		var users sync.WaitGroup
		var acknowledged atomic.Int64
		use := func(do func() error) {
			users.Go(func() {
				for {
					if err := do(); err != nil {
						if !errors.Is(err, columnvault.ErrClosed) {
							t.Error(err)
						}
						return
					}
				}
			})
		}
		for range 4 {
			use(func() error { return lastOf(c.Slice(ctx, -1000, end)) })
			use(func() error {
				err := c.Append(ctx, 7)
				if err == nil {
					acknowledged.Add(1)
				}
				return err
			})
		}
		time.Sleep(5 * time.Millisecond)
		must(t, v.Close())
		users.Wait()
		if files, err := filepath.Glob(path + "*"); len(files) != 1 || err != nil {
			t.Errorf("Close leaves %v, %v", files, err)
		}
		wantLen(t, lookup(t, openAt(t, path, nil), "values", dtype.Int64), int(acknowledged.Load()))
	}
}

// TestVacuumBeside: another program may rewrite the file between two calls.
func TestVacuumBeside(t *testing.T) {
	ctx := t.Context()
	p := openPair(t, nil)
	a, b := createWith(t, p.v, "a", dtype.Int64, chunks(64, 64)), createWith(t, p.v, "b", dtype.String, chunks(60, 60))
	db := rawConn(t, p.path)
	all := messages(100)
	from := 0
	for i, text := range all {
		must(t, a.Append(ctx, int64(i)))
		must(t, b.Append(ctx, text))
		if i%20 == 10 {
			must(t, a.Delete(ctx, 0, 10))
			must(t, b.Delete(ctx, 0, 10))
			from += 10
			wantSlice(t, a, begin, end, span(from, i+1)...) // and rest in that snapshot
			execRaw(t, db, `VACUUM`)
		}
		wantSlice(t, a, begin, end, span(from, i+1)...)
		wantSlice(t, b, begin, end, all[from:i+1]...)
	}
	wantSound(t, p.v)
}
