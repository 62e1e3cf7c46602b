package conformance_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
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

// TestGroupOfRows: rows that many goroutines append are whole, on disk when the
// call returns, and those of a goroutine in their order.
func TestGroupOfRows(t *testing.T) {
	const writers, each = 8, 40
	ctx := t.Context()
	p := vaulttest.OpenPair(t, nil)
	type entry struct {
		N    int
		Text string
		Half sql.Null[int]
	}
	newEntry := func(n int) entry {
		e := entry{N: n, Text: fmt.Sprint(n)}
		if n%2 == 0 {
			e.Half = sql.Null[int]{V: n / 2, Valid: true}
		}
		return e
	}
	table, beside := ensure[entry](t, p.V, nil), ensure[entry](t, p.Other, nil)
	numbers, err := columnvault.Lookup(ctx, p.V, "trips.N", dtype.Int64)
	vaulttest.Must(t, err)
	var done sync.WaitGroup
	for w := range writers {
		done.Go(func() {
			for i := range each {
				n := w*each + i
				var err error
				if n%3 > 0 {
					err = table.Append(ctx, newEntry(n))
				} else {
					err = p.V.Batch(ctx, func(b *columnvault.Batch) error { return table.AppendTo(b, newEntry(n)) })
				}
				if err != nil {
					t.Error(err)
					return
				}
				if i%10 == 0 {
					rows, err := beside.Slice(ctx, columnvault.Begin, columnvault.End)
					if !slices.Contains(rows, newEntry(n)) || err != nil {
						t.Errorf("row %d is acknowledged and not on disk: %v", n, err)
					}
				}
			}
		})
	}
	done.Wait()
	wantWriters(t, numbers, writers, each)
	for row, err := range table.Values(ctx) {
		vaulttest.Must(t, err)
		if want := newEntry(row.N); row != want {
			t.Errorf("row %+v, want %+v", row, want)
		}
	}
	vaulttest.WantSound(t, p.V)
}

// TestGroupErrorsOfRows: what is wrong with the rows of one call fails no other
// of the same group, and none of them is written.
func TestGroupErrorsOfRows(t *testing.T) {
	ctx := t.Context()
	for range 10 { // which one leads is a matter of luck
		p := vaulttest.OpenPair(t, vaulttest.Patient())
		in := func(name string) *columnvault.Table[tripLess] {
			table, err := columnvault.EnsureTable[tripLess](ctx, p.V, name, nil)
			vaulttest.Must(t, err)
			vaulttest.Must(t, table.Append(ctx, tripLess{0, "first"}))
			return table
		}
		good, changed, uneven, damaged := in("good"), in("changed"), in("uneven"), in("damaged")
		vaulttest.Must(t, vaulttest.ErrOf(columnvault.Create(ctx, p.Other, "changed.More", dtype.Int64, nil)))
		ids, err := columnvault.Lookup(ctx, p.Other, "uneven.ID", dtype.Int64)
		vaulttest.Must(t, err)
		vaulttest.Must(t, ids.Append(ctx, 1))
		// Its numbers can be written, and its texts cannot.
		vaulttest.ExecRaw(t, vaulttest.RawConn(t, p.Path), `DELETE FROM col_chunks WHERE col_id = (SELECT col_id FROM col_meta WHERE name = 'damaged.Name_idx')`)
		canceled, cancel := context.WithCancel(ctx)
		cancel()
		row := tripLess{1, "second"}
		errs := together(t, p.V,
			func() error { return good.Append(ctx, row) },
			func() error { return changed.Append(ctx, row) },
			func() error { return uneven.Append(ctx, row) },
			func() error { return damaged.Append(ctx, row) },
			func() error { return good.Append(canceled, row) },
			func() error {
				return p.V.Batch(ctx, func(b *columnvault.Batch) error {
					return errors.Join(good.AppendTo(b, row), damaged.AppendTo(b, row))
				})
			},
			func() error { return good.Append(ctx, row) })
		for i, want := range []error{nil, columnvault.ErrTableChanged, columnvault.ErrUneven, columnvault.ErrCorrupt, context.Canceled, columnvault.ErrCorrupt, nil} {
			if !errors.Is(errs[i], want) {
				t.Errorf("call %d gives %v, want %v", i, errs[i], want)
			}
		}
		wantRows(t, good, []tripLess{{0, "first"}, row, row})
		for _, name := range []string{"changed.ID", "damaged.ID"} {
			c, err := columnvault.Lookup(ctx, p.Other, name, dtype.Int64)
			vaulttest.Must(t, err)
			vaulttest.WantLen(t, c, 1)
		}
	}
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
