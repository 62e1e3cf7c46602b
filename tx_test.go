package columnvault_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"columnvault"
	"columnvault/dtype"
)

// second is the error of a call that gives a value too.
func second[T any](_ T, err error) error { return err }

// openTwo opens a file twice.
func openTwo(t *testing.T) (one, two *columnvault.Vault) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.db")
	return openAt(t, path, nil), openAt(t, path, nil)
}

func TestViewIsOneMoment(t *testing.T) {
	ctx := t.Context()
	v, other := openTwo(t)
	ints := create(t, v, "ints", dtype.Int64, 1, 2, 3)
	texts := create(t, v, "texts", dtype.String, "a", "b")
	otherInts, otherTexts := lookup(t, other, "ints", dtype.Int64), lookup(t, other, "texts", dtype.String)

	must(t, v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		asBefore := func() {
			t.Helper()
			wantColumn(t, ints.In(tx), 1, 2, 3)
			wantColumn(t, texts.In(tx), "a", "b") // not read before the first change
			wantNames(t, tx, "ints", "texts")
		}
		must(t, otherInts.Append(t.Context(), 4))
		must(t, otherTexts.Set(t.Context(), 0, "changed"))
		asBefore()
		must(t, other.Drop(t.Context(), "texts"))
		create(t, other, "new", dtype.Int64)
		asBefore()
		_, err := tx.Column(ctx, "new")
		wantErr(t, "a column that is newer than the View", err, columnvault.ErrNotFound)
		return nil
	}))
	wantColumn(t, ints, 1, 2, 3, 4)
	wantNames(t, v, "ints", "new")
}

// TestViewPassesOn: what its function returns, or panics with, comes out of a
// View, and the snapshot is given back.
func TestViewPassesOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	v := openAt(t, path, nil)
	c := create(t, v, "values", dtype.Int64, 1)
	if err := v.View(t.Context(), func(context.Context, *columnvault.Tx) error { return errRollback }); err != errRollback {
		t.Errorf("View returns %v, want what its function returned", err)
	}
	func() {
		defer func() {
			if r := recover(); r != errPanic {
				t.Errorf("View lets the panic %v through, want that of its function", r)
			}
		}()
		v.View(t.Context(), func(context.Context, *columnvault.Tx) error { panic(errPanic) })
		t.Error("View returns")
	}()
	must(t, c.Append(t.Context(), 2))
	wantNoSnapshot(t, path)
}

// wantNoSnapshot requires that no snapshot of an earlier state stays open: it
// would keep the write-ahead log from being emptied. SQLite waits for those
// that go by themselves.
func wantNoSnapshot(t *testing.T, path string) {
	t.Helper()
	wantValues(t, "checkpoint (busy, pages left, pages moved)", querySQL(t, path, `PRAGMA wal_checkpoint(TRUNCATE)`), []string{"0 0 0"})
}

func TestUpdateIsAtomic(t *testing.T) {
	ctx := t.Context()
	v, other := openTwo(t)
	ints := createWith(t, v, "ints", dtype.Int64, fixedChunks, 1, 2)
	texts := createWith(t, v, "texts", dtype.String, smallVarChunks, "a")
	otherInts, otherTexts := lookup(t, other, "ints", dtype.Int64), lookup(t, other, "texts", dtype.String)

	must(t, v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		must(t, ints.In(tx).Append(ctx, 3, 4))
		must(t, texts.In(tx).Insert(ctx, 0, "b"))
		must(t, ints.In(tx).Delete(ctx, 0, 1))
		// The function sees what it has done, nobody else does.
		wantColumn(t, ints.In(tx), 2, 3, 4)
		wantColumn(t, texts.In(tx), "b", "a")
		wantColumn(t, otherInts, 1, 2)
		wantColumn(t, otherTexts, "a")
		return nil
	}))
	wantColumn(t, otherInts, 2, 3, 4)
	wantColumn(t, otherTexts, "b", "a")
	wantSound(t, v)
}

// txFunc is the function of an Update or a View.
type txFunc = func(ctx context.Context, tx *columnvault.Tx) error

// TestUpdateUndone: in all these cases an Update leaves everything as it was,
// and the vault goes on working.
func TestUpdateUndone(t *testing.T) {
	for _, test := range []struct {
		name string
		want error
		// run makes an Update with change in it that does not succeed.
		run func(ctx context.Context, v *columnvault.Vault, change txFunc) error
	}{
		{"error", errRollback, func(ctx context.Context, v *columnvault.Vault, change txFunc) error {
			return v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
				return errors.Join(change(ctx, tx), errRollback)
			})
		}},
		{"error of an operation", columnvault.ErrNotFound, func(ctx context.Context, v *columnvault.Vault, change txFunc) error {
			return v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
				return errors.Join(change(ctx, tx), tx.Drop(ctx, "not there"))
			})
		}},
		{"panic", errPanic, func(ctx context.Context, v *columnvault.Vault, change txFunc) (err error) {
			defer func() {
				if recover() == errPanic {
					err = errPanic
				}
			}()
			return v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
				if err := change(ctx, tx); err != nil {
					return err
				}
				panic(errPanic)
			})
		}},
		{"cancelled", context.Canceled, func(ctx context.Context, v *columnvault.Vault, change txFunc) error {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			return v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
				defer cancel()
				return change(ctx, tx)
			})
		}},
		{"cancelled from the start", context.Canceled, func(ctx context.Context, v *columnvault.Vault, change txFunc) error {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return v.Update(ctx, change)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx := t.Context()
			v := open(t)
			ints := createWith(t, v, "ints", dtype.Int64, fixedChunks, sequence(200, identity)...)
			texts := createWith(t, v, "texts", dtype.String, smallVarChunks, "a", "b", "c")
			change := func(ctx context.Context, tx *columnvault.Tx) error {
				i, s := ints.In(tx), texts.In(tx)
				return errors.Join(i.Append(ctx, sequence(500, identity)...), i.Set(ctx, 0, 99), i.Reverse(ctx), i.Delete(ctx, 3, 20),
					second(s.Pop(ctx, 0)), s.Append(ctx, "x", "y"), s.Insert(ctx, 1, "inserted"), s.SetSlice(ctx, 0, 2, []string{"much longer than before", ""}))
			}

			if err := test.run(ctx, v, change); !errors.Is(err, test.want) {
				t.Errorf("Update: got error %v, want one that is %v", err, test.want)
			}
			wantColumn(t, ints, sequence(200, identity)...)
			wantColumn(t, texts, "a", "b", "c")
			wantSound(t, v)

			must(t, v.Update(ctx, change))
			wantLen(t, ints, 683)
			wantColumn(t, texts, "much longer than before", "", "c", "x", "y")
			wantSound(t, v)
		})
	}
}

// TestUpdateForgivesRefusals: an operation that was refused before it wrote
// anything does not spoil the rest, when the function goes on.
func TestUpdateForgivesRefusals(t *testing.T) {
	v := open(t)
	c := create(t, v, "values", dtype.Int64, 1, 2)
	must(t, v.Update(t.Context(), func(ctx context.Context, tx *columnvault.Tx) error {
		must(t, c.In(tx).Append(ctx, 3))
		wantErr(t, "Set", c.In(tx).Set(ctx, 10, 0), columnvault.ErrOutOfRange)
		wantErr(t, "SetSlice", c.In(tx).SetSlice(ctx, 0, 2, nil), columnvault.ErrInvalidArgument)
		_, err := columnvault.Create(ctx, tx, "values", dtype.String, nil)
		wantErr(t, "Create", err, columnvault.ErrExists)
		must(t, c.In(tx).Append(ctx, 4))
		return nil
	}))
	wantColumn(t, c, 1, 2, 3, 4)
}

// TestUpdateSpoiltByHalf: an operation that failed when it had begun to write
// undoes the whole Update, even where the function ignores the error.
func TestUpdateSpoiltByHalf(t *testing.T) {
	withTriggers(t)
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "test.db")
	v := openAt(t, path, nil)
	createWith(t, v, "ints", dtype.Int64, fixedChunks, 1, 2, 3)
	create(t, v, "other", dtype.Int64, 7)
	must(t, v.Close())
	execSQL(t, path, `CREATE TRIGGER crash BEFORE INSERT ON col_chunks WHEN NEW.chunk_idx = 2 BEGIN SELECT RAISE(ABORT, 'crash'); END`)

	v = openAt(t, path, nil)
	ints, other := lookup(t, v, "ints", dtype.Int64), lookup(t, v, "other", dtype.Int64)
	err := v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		must(t, other.In(tx).Append(ctx, 8))
		wantErr(t, "Append", ints.In(tx).Append(ctx, sequence(500, identity)...), columnvault.ErrUnavailable)
		return nil
	})
	wantErrText(t, "Update", err, columnvault.ErrUnavailable, "crash")
	wantColumn(t, ints, 1, 2, 3)
	wantColumn(t, other, 7)
	wantSound(t, v)
}

func TestNested(t *testing.T) {
	v, other := open(t), open(t)
	c := create(t, v, "values", dtype.Int64, 1)
	elsewhere := create(t, other, "values", dtype.Int64, 2)
	// inside is what must hold in the function of an Update or a View.
	inside := func(ctx context.Context, tx *columnvault.Tx) error {
		_, err := c.At(ctx, 0)
		wantErr(t, "At", err, columnvault.ErrNested)
		wantErr(t, "Append", c.Append(ctx, 2), columnvault.ErrNested)
		wantErr(t, "Values", loopErr(c.Values(ctx)), columnvault.ErrNested)
		_, err = v.Columns(ctx)
		wantErr(t, "Columns", err, columnvault.ErrNested)
		wantErr(t, "Check", loopErr(v.Check(ctx)), columnvault.ErrNested)
		_, err = columnvault.Create(ctx, v, "new", dtype.Int64, nil)
		wantErr(t, "Create", err, columnvault.ErrNested)
		never := func(context.Context, *columnvault.Tx) error { t.Error("a nested function runs"); return nil }
		wantErr(t, "Update", v.Update(ctx, never), columnvault.ErrNested)
		wantErr(t, "View", v.View(ctx, never), columnvault.ErrNested)

		var e *columnvault.Error
		if errors.As(err, &e); e == nil || e.Hint() == "" {
			t.Errorf("the error %v has no hint", err)
		}
		// The mark counts through In(tx), with any ctx, and for this vault only.
		wantAt(t, c.In(tx), 0, 1)
		if _, err := c.In(tx).At(context.WithoutCancel(ctx), 0); err != nil {
			t.Error(err)
		}
		if value, err := elsewhere.At(ctx, 0); value != 2 || err != nil {
			t.Errorf("the other vault gives %d, %v", value, err)
		}
		return elsewhere.Append(ctx, 3)
	}
	t.Run("Update", func(t *testing.T) { must(t, v.Update(t.Context(), inside)) })
	t.Run("View", func(t *testing.T) { must(t, v.View(t.Context(), inside)) })
	wantColumn(t, c, 1)
	wantColumn(t, elsewhere, 2, 3, 3)
}

// TestNestedTwoVaults: a transaction of another vault in between does not hide
// the mark of the outer one.
func TestNestedTwoVaults(t *testing.T) {
	v := openAt(t, filepath.Join(t.TempDir(), "test.db"), &columnvault.Options{BusyTimeout: time.Millisecond})
	other := open(t)
	c := create(t, v, "values", dtype.Int64, 1)
	must(t, v.Update(t.Context(), func(ctx context.Context, tx *columnvault.Tx) error {
		return other.Update(ctx, func(ctx context.Context, _ *columnvault.Tx) error {
			wantErr(t, "Append", c.Append(ctx, 2), columnvault.ErrNested)
			return nil
		})
	}))
}

// TestOutsideOfUpdate: without the mark an operation waits for the transaction
// that it is called in, until its patience ends. The error says so.
func TestOutsideOfUpdate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	v := openAt(t, path, &columnvault.Options{BusyTimeout: time.Millisecond})
	c := create(t, v, "values", dtype.Int64, 1)
	outer := t.Context()
	must(t, v.Update(outer, func(ctx context.Context, tx *columnvault.Tx) error {
		err := c.Append(outer, 2)
		wantErrText(t, "Append", err, columnvault.ErrBusy, "pass on the ctx that its function received")
		var e *columnvault.Error
		if errors.As(err, &e); e == nil || e.Hint() == "" {
			t.Errorf("the error %v has no hint", err)
		}
		wantAt(t, c, 0, 1) // readers wait for nobody
		return c.In(tx).Append(ctx, 3)
	}))
	wantColumn(t, c, 1, 3)

	// The same from another handle, as from another process.
	other := openAt(t, path, &columnvault.Options{BusyTimeout: time.Millisecond})
	must(t, v.Update(outer, func(ctx context.Context, tx *columnvault.Tx) error {
		wantErr(t, "Append", lookup(t, other, "values", dtype.Int64).Append(outer, 2), columnvault.ErrBusy)
		return nil
	}))
	wantColumn(t, c, 1, 3)
}

func TestEndedTransaction(t *testing.T) {
	v := open(t)
	c := create(t, v, "values", dtype.Int64, 1)
	check := func(ctx context.Context, t *testing.T, tx *columnvault.Tx) {
		part := c.In(tx)
		_, err := part.At(t.Context(), 0)
		wantErr(t, "At", err, columnvault.ErrClosed)
		_, err = tx.Columns(t.Context())
		wantErr(t, "Columns", err, columnvault.ErrClosed)
		_, err = columnvault.Lookup(t.Context(), tx, "values", dtype.Int64)
		wantErr(t, "Lookup", err, columnvault.ErrClosed)
		wantErr(t, "Values", loopErr(part.Values(t.Context())), columnvault.ErrClosed)
		// The ctx has lost its meaning, and is as good as any.
		value, err := c.At(ctx, 0)
		if value != 1 || err != nil {
			t.Errorf("At with the ctx of the transaction: %d, %v", value, err)
		}
	}
	var kept *columnvault.Tx
	var marked context.Context
	keep := func(ctx context.Context, tx *columnvault.Tx) error { kept, marked = tx, ctx; return nil }
	t.Run("Update", func(t *testing.T) {
		must(t, v.Update(t.Context(), keep))
		check(marked, t, kept)
		wantErr(t, "Append", c.In(kept).Append(t.Context(), 2), columnvault.ErrClosed)
		wantErr(t, "Drop", kept.Drop(t.Context(), "values"), columnvault.ErrClosed)
	})
	t.Run("View", func(t *testing.T) {
		must(t, v.View(t.Context(), keep))
		check(marked, t, kept)
	})
	wantColumn(t, c, 1)
}

// writes is every operation that writes.
func writes(ctx context.Context, ints *columnvault.Column[int64], vectors *columnvault.Column[[]float32], in scope) map[string]error {
	errs := map[string]error{
		"Append":     ints.Append(ctx, 1),
		"AppendSeq":  ints.AppendSeq(ctx, slices.Values([]int64{1})),
		"AppendFlat": columnvault.AppendFlat(ctx, vectors, []float32{1, 2}),
		"Insert":     ints.Insert(ctx, 0, 1),
		"Set":        ints.Set(ctx, 0, 1),
		"SetSlice":   ints.SetSlice(ctx, 0, 1, []int64{1}),
		"Delete":     ints.Delete(ctx, 0, 1),
		"Truncate":   ints.Truncate(ctx, 0),
		"Clear":      ints.Clear(ctx),
		"Remove":     ints.Remove(ctx, 3),
		"Reverse":    ints.Reverse(ctx),
		"Rename":     in.Rename(ctx, "ints", "renamed"),
		"Drop":       in.Drop(ctx, "ints"),
	}
	_, errs["Pop"] = ints.Pop(ctx, 0)
	_, errs["Create"] = columnvault.Create(ctx, in, "new", dtype.Int64, nil)
	_, errs["Ensure"] = columnvault.Ensure(ctx, in, "new", dtype.Int64, nil)
	return errs
}

// TestReadOnly: a View and a vault opened for reading refuse every write, and
// let everything be read.
func TestReadOnly(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "test.db")
	v := openAt(t, path, nil)
	create(t, v, "ints", dtype.Int64, 3, 1, 2)
	create(t, v, "vectors", dtype.Type[[]float32](dtype.Vector[float32](2)), []float32{1, 2})
	check := func(t *testing.T, v *columnvault.Vault, in scope) {
		ints, err := columnvault.Ensure(ctx, in, "ints", dtype.Int64, nil)
		must(t, err)
		vectors := lookup(t, in, "vectors", dtype.Type[[]float32](dtype.Vector[float32](2)))
		for name, err := range writes(ctx, ints, vectors, in) {
			wantErr(t, name, err, columnvault.ErrReadOnly)
		}
		wantColumn(t, ints, 3, 1, 2)
		wantColumn(t, vectors, []float32{1, 2})
		wantNames(t, in, "ints", "vectors")
	}
	t.Run("View", func(t *testing.T) {
		must(t, v.View(ctx, func(_ context.Context, tx *columnvault.Tx) error { check(t, v, tx); return nil }))
	})
	t.Run("vault", func(t *testing.T) {
		reader := openAt(t, path, &columnvault.Options{ReadOnly: true})
		check(t, reader, reader)
		err := reader.Update(ctx, func(context.Context, *columnvault.Tx) error { t.Error("the function runs"); return nil })
		wantErr(t, "Update", err, columnvault.ErrReadOnly)
	})
	wantColumn(t, lookup(t, v, "ints", dtype.Int64), 3, 1, 2)
}

// TestCancelled: a ctx that has ended ends every operation, and changes
// nothing.
func TestCancelled(t *testing.T) {
	v := open(t)
	ints := create(t, v, "ints", dtype.Int64, 3, 1, 2)
	vectors := create(t, v, "vectors", dtype.Type[[]float32](dtype.Vector[float32](2)))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, err := range writes(ctx, ints, vectors, v) {
		wantErr(t, name, err, context.Canceled)
	}
	_, err := ints.At(ctx, 0)
	wantErr(t, "At", err, context.Canceled)
	_, err = ints.Slice(ctx, 0, 1)
	wantErr(t, "Slice", err, context.Canceled)
	_, err = v.Columns(ctx)
	wantErr(t, "Columns", err, context.Canceled)
	wantErr(t, "Values", loopErr(ints.Values(ctx)), context.Canceled)
	never := func(context.Context, *columnvault.Tx) error { t.Error("the function of a View runs"); return nil }
	wantErr(t, "View", v.View(ctx, never), context.Canceled)
	wantColumn(t, ints, 3, 1, 2)
	wantNames(t, v, "ints", "vectors")
}

// TestCancelledLoop: a loop ends with the error of its ctx.
func TestCancelledLoop(t *testing.T) {
	v := openAt(t, filepath.Join(t.TempDir(), "test.db"), &columnvault.Options{ReadBytes: 80}) // ten elements
	c := create(t, v, "values", dtype.Int64, sequence(100, identity)...)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var err error
	n := 0
	for _, err = range c.Values(ctx) {
		if err == nil {
			n++
			cancel()
		}
	}
	wantErr(t, "Values", err, context.Canceled)
	if n == 0 || n > 10 {
		t.Errorf("%d elements before the end, want no more than the buffer holds", n)
	}
}

// TestWaitEndsWithCtx: who waits for another writer stops when ctx ends, long
// before BusyTimeout.
func TestWaitEndsWithCtx(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	patient := &columnvault.Options{BusyTimeout: time.Minute}
	v, other := openAt(t, path, patient), openAt(t, path, patient)
	c := create(t, v, "values", dtype.Int64, 1)
	must(t, v.Update(t.Context(), func(context.Context, *columnvault.Tx) error {
		for _, waiting := range []*columnvault.Vault{v, other} { // in this process, and as in another
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			err := lookup(t, waiting, "values", dtype.Int64).Append(ctx, 2)
			cancel()
			wantErr(t, "Append", err, context.DeadlineExceeded)
		}
		return nil
	}))
	wantColumn(t, c, 1)
}

// loops is loopOver for every way to iterate, by name.
func loops(ctx context.Context, c *columnvault.Column[int64]) map[string]func(body func(n int) bool) error {
	return map[string]func(body func(n int) bool) error{
		"Values":   func(body func(n int) bool) error { return loopOver(c.Values(ctx), body) },
		"Backward": func(body func(n int) bool) error { return loopOver(c.Backward(ctx), body) },
		"Chunks":   func(body func(n int) bool) error { return loopOver(c.Runs(ctx), body) },
	}
}

// TestLoopGivesSnapshotBack: loops that end early, or in a panic, leave no
// snapshot open.
func TestLoopGivesSnapshotBack(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "test.db")
	v := openAt(t, path, &columnvault.Options{ReadBytes: 80})
	c := create(t, v, "values", dtype.Int64, sequence(100, identity)...)
	for range 20 {
		for name, run := range loops(ctx, c) {
			seen := 0
			must(t, run(func(n int) bool { seen++; return n < 2 }))
			if seen != 3 {
				t.Errorf("%s: the body runs %d times, want 3", name, seen)
			}
		}
		func() {
			defer func() {
				if recover() != errPanic {
					t.Error("the panic in the body of a loop does not come out")
				}
			}()
			for range c.Values(ctx) {
				panic(errPanic)
			}
		}()
	}
	must(t, c.Append(ctx, 100))
	wantNoSnapshot(t, path)
	must(t, v.Close())
}

// TestLoopIsOneMoment: a loop outside of a transaction sees what was there
// when it began, whatever its body changes.
func TestLoopIsOneMoment(t *testing.T) {
	ctx := t.Context()
	v := openAt(t, filepath.Join(t.TempDir(), "test.db"), &columnvault.Options{ReadBytes: 80})
	for _, name := range []string{"Values", "Backward", "Chunks"} {
		c := create(t, v, name, dtype.Int64, sequence(100, identity)...)
		seen := 0
		must(t, loops(ctx, c)[name](func(int) bool {
			seen++
			must(t, c.Append(ctx, 1))
			must(t, c.Set(ctx, 50, -1))
			return true
		}))
		if want := map[string]int{"Values": 100, "Backward": 100, "Chunks": 10}[name]; seen != want {
			t.Errorf("%s: the body runs %d times, want %d", name, seen, want)
		}
		wantLen(t, c, 100+seen)
	}
	c := create(t, v, "seen", dtype.Int64, sequence(100, identity)...)
	next := int64(0)
	for value, err := range c.Values(ctx) {
		must(t, err)
		if value != next {
			t.Fatalf("the value at %d is %d", next, value)
		}
		next++
		must(t, c.Clear(ctx))
	}
	if next != 100 {
		t.Errorf("%d values, want those of the beginning", next)
	}
}

// TestClosedVault: Close ends what is open, and nothing works after it.
func TestClosedVault(t *testing.T) {
	ctx := t.Context()
	opened := func(t *testing.T) (*columnvault.Vault, *columnvault.Column[int64]) {
		v := openAt(t, filepath.Join(t.TempDir(), "test.db"), &columnvault.Options{ReadBytes: 80})
		return v, create(t, v, "values", dtype.Int64, sequence(100, identity)...)
	}
	t.Run("loop", func(t *testing.T) {
		v, c := opened(t)
		err := loops(ctx, c)["Values"](func(n int) bool {
			if n == 0 {
				must(t, v.Close())
			}
			return true
		})
		wantErr(t, "Values", err, columnvault.ErrClosed)
	})
	t.Run("View", func(t *testing.T) {
		v, c := opened(t)
		err := v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			wantAt(t, c.In(tx), 0, 0)
			must(t, v.Close())
			return second(c.In(tx).At(ctx, 0))
		})
		wantErr(t, "At in the View", err, columnvault.ErrClosed)
	})
	t.Run("afterwards", func(t *testing.T) {
		v, c := opened(t)
		must(t, v.Close())
		never := func(context.Context, *columnvault.Tx) error { t.Error("a function runs"); return nil }
		wantErr(t, "At", second(c.At(ctx, 0)), columnvault.ErrClosed)
		wantErr(t, "Append", c.Append(ctx, 1), columnvault.ErrClosed)
		wantErr(t, "Columns", second(v.Columns(ctx)), columnvault.ErrClosed)
		wantErr(t, "View", v.View(ctx, never), columnvault.ErrClosed)
		wantErr(t, "Update", v.Update(ctx, never), columnvault.ErrClosed)
		wantErr(t, "Close", v.Close(), columnvault.ErrClosed)
	})
}

// TestLoopConcurrentChange: inside an Update a loop sees the changes of its
// body, and so ends when the body changes the column that it is about.
func TestLoopConcurrentChange(t *testing.T) {
	v := openAt(t, filepath.Join(t.TempDir(), "test.db"), &columnvault.Options{ReadBytes: 80})
	c := create(t, v, "values", dtype.Int64, sequence(100, identity)...)
	other := create(t, v, "other", dtype.Int64, 7)
	changes := map[string]txFunc{
		"Append": func(ctx context.Context, tx *columnvault.Tx) error { return c.In(tx).Append(ctx, 1) },
		"Set":    func(ctx context.Context, tx *columnvault.Tx) error { return c.In(tx).Set(ctx, 0, 1) },
		"Pop":    func(ctx context.Context, tx *columnvault.Tx) error { return second(c.In(tx).Pop(ctx, 0)) },
		"Clear":  func(ctx context.Context, tx *columnvault.Tx) error { return c.In(tx).Clear(ctx) },
		"Drop":   func(ctx context.Context, tx *columnvault.Tx) error { return tx.Drop(ctx, "values") },
		"Rename": func(ctx context.Context, tx *columnvault.Tx) error { return tx.Rename(ctx, "values", "renamed") },
		"through another handle": func(ctx context.Context, tx *columnvault.Tx) error {
			dynamic, err := tx.Column(ctx, "values")
			return errors.Join(err, dynamic.Append(ctx, 1))
		},
	}
	harmless := map[string]txFunc{
		"reading it":      func(ctx context.Context, tx *columnvault.Tx) error { return second(c.In(tx).At(ctx, -1)) },
		"reading another": func(ctx context.Context, tx *columnvault.Tx) error { return second(other.In(tx).At(ctx, 0)) },
		"writing another": func(ctx context.Context, tx *columnvault.Tx) error { return other.In(tx).Append(ctx, 1) },
		"ensuring another": func(ctx context.Context, tx *columnvault.Tx) error {
			return second(columnvault.Ensure(ctx, tx, "other", dtype.Int64, nil))
		},
		"creating another": func(ctx context.Context, tx *columnvault.Tx) error {
			return second(columnvault.Ensure(ctx, tx, "new", dtype.Int64, nil))
		},
		"a loop inside": func(ctx context.Context, tx *columnvault.Tx) error {
			for _, err := range c.In(tx).Backward(ctx) {
				return err
			}
			return errors.New("the inner loop does not run")
		},
	}
	run := func(t *testing.T, loop string, change txFunc) (seen int, err error) {
		result := v.Update(t.Context(), func(ctx context.Context, tx *columnvault.Tx) error {
			err = loops(ctx, c.In(tx))[loop](func(int) bool {
				seen++
				must(t, change(ctx, tx))
				return seen < 200 // a loop that follows its own appends would never end
			})
			return errRollback
		})
		if result != errRollback {
			t.Errorf("Update: %v", result)
		}
		return seen, err
	}
	for _, loop := range []string{"Values", "Backward", "Chunks"} {
		for name, change := range changes {
			t.Run(loop+"/"+name, func(t *testing.T) {
				seen, err := run(t, loop, change)
				wantErr(t, loop, err, columnvault.ErrConcurrentChange)
				if seen != 1 {
					t.Errorf("the body runs %d times, want once", seen)
				}
			})
		}
		for name, change := range harmless {
			t.Run(loop+"/"+name, func(t *testing.T) {
				seen, err := run(t, loop, change)
				if want := map[string]int{"Values": 100, "Backward": 100, "Chunks": 10}[loop]; seen != want || err != nil {
					t.Errorf("the body runs %d times and the loop ends with %v, want %d times", seen, err, want)
				}
			})
		}
	}
}

// TestTwoVaults: what one handle has committed, another on the same file sees
// at once, and appends of both follow each other.
func TestTwoVaults(t *testing.T) {
	ctx := t.Context()
	one, two := openTwo(t)
	ints := createWith(t, one, "ints", dtype.Int64, fixedChunks)
	texts := createWith(t, one, "texts", dtype.String, smallVarChunks)
	wantNames(t, two, "ints", "texts")
	var wantInts []int64
	var wantTexts []string
	for i := range 300 {
		v := []*columnvault.Vault{one, two}[i%2]
		other := []*columnvault.Vault{two, one}[i%2]
		must(t, lookup(t, v, "ints", dtype.Int64).Append(ctx, int64(i)))
		must(t, lookup(t, v, "texts", dtype.String).Append(ctx, fmt.Sprint("text ", i)))
		wantInts, wantTexts = append(wantInts, int64(i)), append(wantTexts, fmt.Sprint("text ", i))
		wantAt(t, lookup(t, other, "ints", dtype.Int64), -1, int64(i))
		wantAt(t, lookup(t, other, "texts", dtype.String), -1, fmt.Sprint("text ", i))
	}
	wantColumn(t, ints, wantInts...)
	wantColumn(t, texts, wantTexts...)
	must(t, two.Drop(ctx, "texts"))
	wantErr(t, "a column that the other has dropped", texts.Append(ctx, "x"), columnvault.ErrNotFound)
	wantSound(t, one)
	wantSound(t, two)
}

// TestTwoVaultsRecreate: when one handle drops a column and creates it anew,
// the other follows with its next operation.
func TestTwoVaultsRecreate(t *testing.T) {
	ctx := t.Context()
	one, two := openTwo(t)
	create(t, one, "values", dtype.Int64, -1)
	ones, twos := lookup(t, one, "values", dtype.Int64), lookup(t, two, "values", dtype.Int64)
	for round := range int64(5) {
		must(t, ones.Append(ctx, round))
		must(t, twos.Append(ctx, round))
		must(t, one.Drop(ctx, "values"))
		wantErr(t, "Append to what is gone", twos.Append(ctx, 1), columnvault.ErrNotFound)
		create(t, one, "in the place of it", dtype.String, "x") // may get the number of the old column
		create(t, one, "values", dtype.Int64, round)
		must(t, twos.Append(ctx, round+100))
		wantColumn(t, ones, round, round+100)
		wantColumn(t, twos, round, round+100)
		must(t, two.Drop(ctx, "in the place of it"))
	}
	wantSound(t, one)
}

// TestUpdateIsTheOnlyWriter: goroutines on two handles count up one number,
// each reading and writing it in an Update.
func TestUpdateIsTheOnlyWriter(t *testing.T) {
	const workers, rounds = 4, 20
	path := filepath.Join(t.TempDir(), "test.db")
	patient := &columnvault.Options{BusyTimeout: time.Minute}
	vaults := []*columnvault.Vault{openAt(t, path, patient), openAt(t, path, patient)}
	create(t, vaults[0], "count", dtype.Int64, 0)
	var group sync.WaitGroup
	for w := range workers {
		v := vaults[w%2]
		c := lookup(t, v, "count", dtype.Int64)
		group.Go(func() {
			for range rounds {
				err := v.Update(t.Context(), func(ctx context.Context, tx *columnvault.Tx) error {
					count, err := c.In(tx).At(ctx, 0)
					return errors.Join(err, c.In(tx).Set(ctx, 0, count+1))
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	wantColumn(t, lookup(t, vaults[0], "count", dtype.Int64), workers*rounds)
}

// TestViewNeverSeesHalf: while one goroutine appends to two columns in every
// Update, others never see one ahead of the other.
func TestViewNeverSeesHalf(t *testing.T) {
	const rounds = 100
	v, other := openTwo(t)
	ints, texts := create(t, v, "ints", dtype.Int64), create(t, v, "texts", dtype.String)
	var group sync.WaitGroup
	group.Go(func() {
		for i := range int64(rounds) {
			err := v.Update(t.Context(), func(ctx context.Context, tx *columnvault.Tx) error {
				return errors.Join(ints.In(tx).Append(ctx, i), texts.In(tx).Append(ctx, fmt.Sprint(i)))
			})
			if err != nil {
				t.Error(err)
			}
		}
	})
	read := func(v *columnvault.Vault, ints *columnvault.Column[int64], texts *columnvault.Column[string]) {
		for seen := 0; seen < rounds && !t.Failed(); {
			err := v.View(t.Context(), func(ctx context.Context, tx *columnvault.Tx) error {
				numbers, err := ints.In(tx).Slice(ctx, begin, end)
				words, err2 := texts.In(tx).Slice(ctx, begin, end)
				if len(numbers) != len(words) || len(numbers) < seen {
					t.Errorf("a View sees %d and %d elements, after %d", len(numbers), len(words), seen)
				}
				seen = len(numbers)
				for i := range min(len(numbers), len(words)) {
					if numbers[i] != int64(i) || words[i] != fmt.Sprint(i) {
						t.Errorf("a View sees %d and %q at %d", numbers[i], words[i], i)
					}
				}
				return errors.Join(err, err2)
			})
			if err != nil {
				t.Error(err)
			}
		}
	}
	otherInts, otherTexts := lookup(t, other, "ints", dtype.Int64), lookup(t, other, "texts", dtype.String)
	group.Go(func() { read(v, ints, texts) })
	group.Go(func() { read(v, ints, texts) })
	group.Go(func() { read(other, otherInts, otherTexts) })
	group.Wait()
}
