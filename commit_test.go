package columnvault

import (
	"context"
	"errors"
	"sync"
	"testing"

	"columnvault/dtype"
	"columnvault/internal/store"
	"columnvault/internal/store/storetest"
)

// hooked is a store whose Update can be replaced.
type hooked struct {
	store.Store
	update func(ctx context.Context, fn func(store.Tx) error) error
}

func (s *hooked) Update(ctx context.Context, fn func(store.Tx) error) error {
	if s.update != nil {
		return s.update(ctx, fn)
	}
	return s.Store.Update(ctx, fn)
}

// TestPanicInAGroup: a panic of the one that writes for several leaves nobody
// waiting, and others go on.
func TestPanicInAGroup(t *testing.T) {
	ctx := t.Context()
	s := &hooked{Store: storetest.NewMemory()}
	v := newVault("memory", s, &Options{})
	c, err := Create(ctx, v, "values", dtype.Int64, nil)
	check(t, err)
	s.update = func(context.Context, func(store.Tx) error) error { panic("a bug in the engine") }
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic does not come through")
			}
		}()
		c.Append(ctx, 1)
	}()
	s.update = nil
	check(t, c.Append(ctx, 2))
	check(t, c.Insert(ctx, 0, 3))
}

// TestUnknownOutcomeOfAGroup: appends that shared a commit with an unknown
// outcome are not written again.
func TestUnknownOutcomeOfAGroup(t *testing.T) {
	ctx := t.Context()
	s := &hooked{Store: storetest.NewMemory()}
	v := newVault("memory", s, &Options{})
	c, err := Create(ctx, v, "values", dtype.Int64, nil)
	check(t, err)
	s.update = func(ctx context.Context, fn func(store.Tx) error) error {
		return errors.Join(s.Store.Update(ctx, fn), ErrUnknownCommit)
	}
	v.group.led = true // so that they come into one group
	var all, queued sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		queued.Add(1)
		all.Go(func() {
			queued.Done()
			errs[i] = c.Append(ctx, int64(i))
		})
	}
	queued.Wait()
	for {
		v.group.mu.Lock()
		n := len(v.group.queue)
		v.group.mu.Unlock()
		if n == len(errs) {
			break
		}
	}
	v.group.passOn(len(errs))
	all.Wait()
	for i, err := range errs {
		if !errors.Is(err, ErrUnknownCommit) {
			t.Errorf("append %d: %v", i, err)
		}
	}
	s.update = nil
	if n, err := c.Len(ctx); n != len(errs) || err != nil {
		t.Errorf("%d elements, %v, want %d", n, err, len(errs))
	}
}
