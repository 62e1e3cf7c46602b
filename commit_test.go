package columnvault

import (
	"context"
	"errors"
	"runtime"
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
	one := func() error { return c.Append(ctx, 1) }
	for i, err := range inOneGroup(v, one, one, one, one) {
		if !errors.Is(err, ErrUnknownCommit) {
			t.Errorf("append %d: %v", i, err)
		}
	}
	s.update = nil
	if n, err := c.Len(ctx); n != 4 || err != nil {
		t.Errorf("%d elements, %v, want 4", n, err)
	}
}

// inOneGroup makes the appends come into one group, and returns their errors.
func inOneGroup(v *Vault, appends ...func() error) []error {
	v.group.led = true
	errs := make([]error, len(appends))
	var all sync.WaitGroup
	for i, do := range appends {
		all.Go(func() { errs[i] = do() })
	}
	for queued := 0; queued < len(appends); runtime.Gosched() {
		v.group.mu.Lock()
		queued = len(v.group.queue)
		v.group.mu.Unlock()
	}
	v.group.passOn(len(appends))
	all.Wait()
	return errs
}

// TestRowsShareACommit: rows of a table and batches come into the group of
// single appends, and all are one transaction.
func TestRowsShareACommit(t *testing.T) {
	ctx := t.Context()
	counter := storetest.NewCounter(storetest.NewMemory())
	v := newVault("memory", counter, &Options{})
	c, err := Create(ctx, v, "values", dtype.Int64, nil)
	check(t, err)
	type pair struct {
		A int
		B string
	}
	table, err := EnsureTable[pair](ctx, v, "pairs", nil)
	check(t, err)
	row := func() error { return table.Append(ctx, pair{1, "one"}) }
	count, err := counter.During(func() error {
		return errors.Join(inOneGroup(v, row, row, func() error { return c.Append(ctx, 1) }, row, func() error {
			return v.Batch(ctx, func(b *Batch) error {
				return errors.Join(c.AppendTo(b, 2), table.AppendTo(b, pair{2, "two"}), v.KV().PutTo(b, Key("k"), nil))
			})
		})...)
	})
	check(t, err)
	if n := count.Calls["Update"]; n != 1 {
		t.Errorf("%d transactions, want 1", n)
	}
	if n, err := table.Len(ctx); n != 4 || err != nil {
		t.Errorf("%d rows, %v, want 4", n, err)
	}
	if n, err := c.Len(ctx); n != 2 || err != nil {
		t.Errorf("%d values, %v, want 2", n, err)
	}
}
