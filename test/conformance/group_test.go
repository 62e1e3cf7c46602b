package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// wantWriters requires that a column holds the numbers from 0 to each-1 of
// every writer, w*each+i, each once and those of a writer in order.
func wantWriters(t *testing.T, c *columnvault.Column[int64], writers, each int) {
	t.Helper()
	got, err := c.Slice(t.Context(), columnvault.Begin, columnvault.End)
	vaulttest.Must(t, err)
	if len(got) != writers*each {
		t.Errorf("%d elements, want %d", len(got), writers*each)
	}
	next := make([]int, writers)
	for _, n := range got {
		w, i := int(n)/each, int(n)%each
		if w >= writers || i != next[w] {
			t.Fatalf("element %d of writer %d follows %d of them", i, w, next[w])
		}
		next[w]++
	}
}

// TestGroupIsDurable: appends that share a transaction return when their own
// elements are on disk, each once and in order.
func TestGroupIsDurable(t *testing.T) {
	const writers, each = 8, 60
	ctx := t.Context()
	p := vaulttest.OpenPair(t, nil)
	c, texts := vaulttest.Create(t, p.V, "values", dtype.Int64), vaulttest.Create(t, p.V, "texts", dtype.String)
	beside := vaulttest.Lookup(t, p.Other, "values", dtype.Int64)
	var done sync.WaitGroup
	for w := range writers {
		done.Go(func() {
			for i := range each {
				n := int64(w*each + i)
				if err := c.Append(ctx, n); err != nil {
					t.Error(err)
					return
				}
				if i%10 == 0 { // looking costs time
					if has, err := beside.Contains(ctx, n); !has || err != nil {
						t.Errorf("%d is acknowledged and not on disk: %v", n, err)
					}
				}
				if err := texts.Append(ctx, fmt.Sprint(n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done.Wait()
	wantWriters(t, c, writers, each)
	vaulttest.WantLen(t, texts, writers*each)
	vaulttest.WantSound(t, p.V)
}

// together runs several calls while the only writer is busy, so that they come
// into one group, and returns their errors.
func together(t *testing.T, v *columnvault.Vault, calls ...func() error) []error {
	t.Helper()
	errs := make([]error, len(calls))
	var done, begun sync.WaitGroup
	vaulttest.Must(t, v.Update(t.Context(), func(context.Context, *columnvault.Tx) error {
		for i, call := range calls {
			begun.Add(1)
			done.Go(func() { begun.Done(); errs[i] = call() })
		}
		begun.Wait()
		return nil
	}))
	done.Wait()
	return errs
}

// TestGroupErrorsAreOnesOwn: what is wrong with one append fails no other of
// the same group.
func TestGroupErrorsAreOnesOwn(t *testing.T) {
	ctx := t.Context()
	for range 20 { // which one leads is a matter of luck
		p := vaulttest.OpenPair(t, vaulttest.Patient())
		good, gone := vaulttest.Create(t, p.V, "good", dtype.Int64), vaulttest.Create(t, p.V, "gone", dtype.Int64)
		text := vaulttest.Create(t, p.V, "text", dtype.FixedText(2, dtype.ASCII))
		damaged := vaulttest.CreateWith(t, p.V, "damaged", dtype.String, vaulttest.Chunks(24, 24), "one", "two", "three")
		vaulttest.Must(t, p.Other.Drop(ctx, "gone"))
		vaulttest.ExecRaw(t, vaulttest.RawConn(t, p.Path), `UPDATE col_meta SET length = 1000000 WHERE name = 'damaged_idx'`)
		canceled, cancel := context.WithCancel(ctx)
		cancel()
		errs := together(t, p.V,
			func() error { return good.Append(ctx, 1) },
			func() error { return gone.Append(ctx, 2) },
			func() error { return text.Append(ctx, "too long") },
			func() error { return damaged.Append(ctx, "four") },
			func() error { return good.Append(canceled, 4) },
			func() error { return text.Append(ctx, "ok") },
			func() error { return good.Append(ctx, 1) })
		for i, want := range []error{nil, columnvault.ErrNotFound, columnvault.ErrInvalidArgument, columnvault.ErrCorrupt, context.Canceled, nil, nil} {
			if !errors.Is(errs[i], want) {
				t.Errorf("call %d gives %v, want %v", i, errs[i], want)
			}
		}
		vaulttest.WantOnDisk(t, p, good, dtype.Int64, 1, 1)
		vaulttest.WantOnDisk(t, p, text, dtype.FixedText(2, dtype.ASCII), "ok")
	}
}

// TestGroupCanceled: a call that no longer wants to wait leaves the queue, and
// writes nothing.
func TestGroupCanceled(t *testing.T) {
	p := vaulttest.OpenPair(t, vaulttest.Patient())
	c := vaulttest.Create(t, p.V, "values", dtype.Int64)
	release := vaulttest.BlockWriters(t, p.Path)
	var leader sync.WaitGroup
	leader.Go(func() {
		if err := c.Append(t.Context(), 1); err != nil {
			t.Error(err)
		}
	})
	for range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		var follower sync.WaitGroup
		follower.Go(func() {
			if err := c.Append(ctx, 2); !errors.Is(err, context.Canceled) {
				t.Errorf("a canceled append gives %v", err)
			}
		})
		cancel()
		follower.Wait()
	}
	release()
	leader.Wait()
	vaulttest.WantOnDisk(t, p, c, dtype.Int64, 1)
}

// TestGroupTellsEverybodyOfALock: when the file stays locked, everybody is
// told.
func TestGroupTellsEverybodyOfALock(t *testing.T) {
	p := vaulttest.OpenPair(t, vaulttest.Impatient())
	c := vaulttest.Create(t, p.V, "values", dtype.Int64)
	release := vaulttest.BlockWriters(t, p.Path)
	var done sync.WaitGroup
	for i := range 5 {
		done.Go(func() {
			if err := c.Append(t.Context(), int64(i)); !errors.Is(err, columnvault.ErrBusy) {
				t.Errorf("append to a locked file: %v", err)
			}
		})
	}
	done.Wait()
	release()
	vaulttest.Must(t, c.Append(t.Context(), 9))
	vaulttest.WantOnDisk(t, p, c, dtype.Int64, 9)
}

// TestGroupWaitsForALockTogether: calls that wait in a row for a locked file
// are told when they have waited, and not one after the other.
func TestGroupWaitsForALockTogether(t *testing.T) {
	const timeout = 200 * time.Millisecond
	p := vaulttest.OpenPair(t, &columnvault.Options{BusyTimeout: timeout})
	c := vaulttest.Create(t, p.V, "values", dtype.Int64)
	release := vaulttest.BlockWriters(t, p.Path)
	defer release()
	start := time.Now()
	var done sync.WaitGroup
	for range 50 {
		done.Go(func() {
			if err := c.Append(t.Context(), 1); !errors.Is(err, columnvault.ErrBusy) {
				t.Errorf("append to a locked file: %v", err)
			}
		})
	}
	done.Wait()
	if waited := time.Since(start); waited > 25*timeout { // one after the other would be 50
		t.Errorf("50 appends waited %v", waited)
	}
}
