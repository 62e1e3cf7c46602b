package conformance_test

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
	"columnvault/internal/vaulttest"
)

// TestEverythingAtOnce lets everything happen at once in one vault, mostly for
// the race detector: cached and uncached appends, batches, transactions, sets,
// reads, iterations, a flushing ticker, holds, checkpoints, and another vault
// beside it. What was acknowledged is there at the end, once, and in order.
func TestEverythingAtOnce(t *testing.T) {
	const writers, each = 4, 150
	ctx := t.Context()
	p := vaulttest.OpenPair(t, vaulttest.Patient())
	shared := vaulttest.Create(t, p.V, "shared", dtype.Int64)
	vaulttest.Create(t, p.V, "direct", dtype.Int64)
	direct := vaulttest.Lookup(t, p.Other, "direct", dtype.Int64) // the other vault has no cache
	marks := vaulttest.Create(t, p.V, "marks", dtype.Int64, make([]int64, writers)...)
	texts := vaulttest.CreateWith(t, p.V, "texts", dtype.String, vaulttest.Chunks(16, 600))
	failed := atomic.Bool{}
	report := func(what string, err error) {
		if err != nil && failed.CompareAndSwap(false, true) {
			t.Errorf("%s: %v", what, err)
		}
	}
	vaulttest.Must(t, p.V.EnableCache(ctx, &columnvault.CacheOptions{
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
					return p.V.Batch(ctx, func(b *columnvault.Batch) error {
						return errors.Join(texts.AppendTo(b, fmt.Sprintf("%0*d", i%60, n)), p.V.KV().PutTo(b, fmt.Append(nil, n), []byte("value")))
					})
				}))
				if i%10 == 0 {
					report("update", again(func() error {
						return p.V.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
							return errors.Join(marks.In(tx).Set(ctx, w, int64(i)), p.V.KV().In(tx).Put(ctx, fmt.Append(nil, "mark ", w), nil))
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
			return vaulttest.LoopErr(texts.Values(ctx))
		},
		"pairs": func() error { return vaulttest.LoopErr(p.V.KV().Keys(ctx, columnvault.Prefix("1"))) },
		"view": func() error {
			return p.V.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
				a, err := texts.In(tx).Len(ctx)
				if err != nil {
					return err
				}
				b, err := p.V.KV().In(tx).Len(ctx)
				if b -= writers; a < b || a > b+writers { // the marks come first
					err = fmt.Errorf("%d texts beside %d pairs", a, b)
				}
				return err
			})
		},
		"flush": func() error { return again(func() error { return vaulttest.ErrOf(p.V.Flush(ctx)) }) },
		"hold": func() error {
			release := p.V.PauseFlush()
			time.Sleep(50 * time.Microsecond)
			release()
			return nil
		},
		"checkpoint": func() error { return vaulttest.ErrOf(p.V.Checkpoint(ctx, columnvault.CheckpointPassive)) },
		"columns":    func() error { return vaulttest.ErrOf(p.Other.Columns(ctx)) },
		"replace": func() error {
			return again(func() error {
				return p.V.EnableCache(ctx, &columnvault.CacheOptions{CapBytes: 3000, FlushInterval: time.Millisecond})
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
	vaulttest.Must(t, p.V.Close())
	p.V = vaulttest.OpenAt(t, p.Path, nil)
	wantWriters(t, vaulttest.Lookup(t, p.V, "shared", dtype.Int64), writers, each)
	vaulttest.WantColumn(t, vaulttest.Lookup(t, p.V, "direct", dtype.Int64), vaulttest.Span(0, each)...)
	vaulttest.WantColumn(t, vaulttest.Lookup(t, p.V, "marks", dtype.Int64), each-10, each-10, each-10, each-10)
	vaulttest.WantLen(t, vaulttest.Lookup(t, p.V, "texts", dtype.String), writers*each)
	if n, err := p.V.KV().Len(ctx); n != writers*each+writers || err != nil {
		t.Errorf("%d pairs, %v", n, err)
	}
	vaulttest.WantSound(t, p.V)
}

// TestCloseBesideReadersAndWriters: Close in the midst of everything leaves no
// open file, no log, and all that was acknowledged.
func TestCloseBesideReadersAndWriters(t *testing.T) {
	ctx := t.Context()
	for range 10 {
		path := filepath.Join(t.TempDir(), "test.db")
		v, err := columnvault.Open(t.Context(), path, nil)
		vaulttest.Must(t, err)
		c := vaulttest.Create(t, v, "values", dtype.Int64)
		vaulttest.Must(t, c.EnableCache(ctx, &columnvault.CacheOptions{FlushInterval: time.Millisecond}))
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
			use(func() error { return vaulttest.ErrOf(c.Slice(ctx, -1000, columnvault.End)) })
			use(func() error {
				err := c.Append(ctx, 7)
				if err == nil {
					acknowledged.Add(1)
				}
				return err
			})
		}
		time.Sleep(5 * time.Millisecond)
		vaulttest.Must(t, v.Close())
		users.Wait()
		if files, err := filepath.Glob(path + "*"); len(files) != 1 || err != nil {
			t.Errorf("Close leaves %v, %v", files, err)
		}
		vaulttest.WantLen(t, vaulttest.Lookup(t, vaulttest.OpenAt(t, path, nil), "values", dtype.Int64), int(acknowledged.Load()))
	}
}

// TestVacuumBesideAnOpenVault: another program may rewrite the file between two
// calls.
func TestVacuumBesideAnOpenVault(t *testing.T) {
	ctx := t.Context()
	p := vaulttest.OpenPair(t, nil)
	a, b := vaulttest.CreateWith(t, p.V, "a", dtype.Int64, vaulttest.Chunks(64, 64)), vaulttest.CreateWith(t, p.V, "b", dtype.String, vaulttest.Chunks(60, 60))
	db := vaulttest.RawConn(t, p.Path)
	all := vaulttest.Texts(100)
	from := 0
	for i, text := range all {
		vaulttest.Must(t, a.Append(ctx, int64(i)))
		vaulttest.Must(t, b.Append(ctx, text))
		if i%20 == 10 {
			vaulttest.Must(t, a.Delete(ctx, 0, 10))
			vaulttest.Must(t, b.Delete(ctx, 0, 10))
			from += 10
			vaulttest.WantSlice(t, a, columnvault.Begin, columnvault.End, vaulttest.Span(from, i+1)...) // and rest in that snapshot
			vaulttest.ExecRaw(t, db, `VACUUM`)
		}
		vaulttest.WantSlice(t, a, columnvault.Begin, columnvault.End, vaulttest.Span(from, i+1)...)
		vaulttest.WantSlice(t, b, columnvault.Begin, columnvault.End, all[from:i+1]...)
	}
	vaulttest.WantSound(t, p.V)
}
