package conformance_test

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
	"columnvault/internal/vaulttest"
)

// errPanic is what functions given to an Update or a View panic with.
var errPanic = errors.New("the panic of a function")

// openTwo opens a file twice.
func openTwo(t *testing.T) (one, two *columnvault.Vault) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.db")
	return vaulttest.OpenAt(t, path, nil), vaulttest.OpenAt(t, path, nil)
}

func TestViewIsOneMoment(t *testing.T) {
	ctx := t.Context()
	v, other := openTwo(t)
	ints := vaulttest.Create(t, v, "ints", dtype.Int64, 1, 2, 3)
	texts := vaulttest.Create(t, v, "texts", dtype.String, "a", "b")
	otherInts, otherTexts := vaulttest.Lookup(t, other, "ints", dtype.Int64), vaulttest.Lookup(t, other, "texts", dtype.String)

	vaulttest.Must(t, v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		asBefore := func() {
			t.Helper()
			vaulttest.WantColumn(t, ints.In(tx), 1, 2, 3)
			vaulttest.WantColumn(t, texts.In(tx), "a", "b") // not read before the first change
			vaulttest.WantNames(t, tx, "ints", "texts")
		}
		vaulttest.Must(t, otherInts.Append(t.Context(), 4))
		vaulttest.Must(t, otherTexts.Set(t.Context(), 0, "changed"))
		asBefore()
		vaulttest.Must(t, other.Drop(t.Context(), "texts"))
		vaulttest.Create(t, other, "new", dtype.Int64)
		asBefore()
		_, err := tx.Column(ctx, "new")
		vaulttest.WantErr(t, "a column that is newer than the View", err, columnvault.ErrNotFound)
		return nil
	}))
	vaulttest.WantColumn(t, ints, 1, 2, 3, 4)
	vaulttest.WantNames(t, v, "ints", "new")
}

// TestViewReturnsWhatItsFunctionDoes: what its function returns, or panics
// with, comes out of a View, and the snapshot is given back.
func TestViewReturnsWhatItsFunctionDoes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	v := vaulttest.OpenAt(t, path, nil)
	c := vaulttest.Create(t, v, "values", dtype.Int64, 1)
	if err := v.View(t.Context(), func(context.Context, *columnvault.Tx) error { return vaulttest.ErrOwn }); err != vaulttest.ErrOwn {
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
	vaulttest.Must(t, c.Append(t.Context(), 2))
	wantNoSnapshot(t, path)
}

// wantNoSnapshot requires that no snapshot of an earlier state stays open: it
// would keep the write-ahead log from being emptied. SQLite waits for those
// that go by themselves.
func wantNoSnapshot(t *testing.T, path string) {
	t.Helper()
	vaulttest.WantValues(t, "checkpoint (busy, pages left, pages moved)", vaulttest.QuerySQL(t, path, `PRAGMA wal_checkpoint(TRUNCATE)`), []string{"0 0 0"})
}

func TestUpdateIsAtomic(t *testing.T) {
	ctx := t.Context()
	v, other := openTwo(t)
	ints := vaulttest.CreateWith(t, v, "ints", dtype.Int64, fixedChunks, 1, 2)
	texts := vaulttest.CreateWith(t, v, "texts", dtype.String, smallVarChunks, "a")
	otherInts, otherTexts := vaulttest.Lookup(t, other, "ints", dtype.Int64), vaulttest.Lookup(t, other, "texts", dtype.String)

	vaulttest.Must(t, v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		vaulttest.Must(t, ints.In(tx).Append(ctx, 3, 4))
		vaulttest.Must(t, texts.In(tx).Insert(ctx, 0, "b"))
		vaulttest.Must(t, ints.In(tx).Delete(ctx, 0, 1))
		// The function sees what it has done, nobody else does.
		vaulttest.WantColumn(t, ints.In(tx), 2, 3, 4)
		vaulttest.WantColumn(t, texts.In(tx), "b", "a")
		vaulttest.WantColumn(t, otherInts, 1, 2)
		vaulttest.WantColumn(t, otherTexts, "a")
		return nil
	}))
	vaulttest.WantColumn(t, otherInts, 2, 3, 4)
	vaulttest.WantColumn(t, otherTexts, "b", "a")
	vaulttest.WantSound(t, v)
}

// txFunc is the function of an Update or a View.
type txFunc = func(ctx context.Context, tx *columnvault.Tx) error

// TestFailedUpdateChangesNothing: in all these cases an Update leaves
// everything as it was, and the vault goes on working.
func TestFailedUpdateChangesNothing(t *testing.T) {
	for _, test := range []struct {
		name string
		want error
		// run makes an Update with change in it that does not succeed.
		run func(ctx context.Context, v *columnvault.Vault, change txFunc) error
	}{
		{"error", vaulttest.ErrOwn, func(ctx context.Context, v *columnvault.Vault, change txFunc) error {
			return v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
				return errors.Join(change(ctx, tx), vaulttest.ErrOwn)
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
		{"canceled", context.Canceled, func(ctx context.Context, v *columnvault.Vault, change txFunc) error {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			return v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
				defer cancel()
				return change(ctx, tx)
			})
		}},
		{"canceled from the start", context.Canceled, func(ctx context.Context, v *columnvault.Vault, change txFunc) error {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return v.Update(ctx, change)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx := t.Context()
			v := vaulttest.Open(t)
			ints := vaulttest.CreateWith(t, v, "ints", dtype.Int64, fixedChunks, vaulttest.Span(0, 200)...)
			texts := vaulttest.CreateWith(t, v, "texts", dtype.String, smallVarChunks, "a", "b", "c")
			change := func(ctx context.Context, tx *columnvault.Tx) error {
				i, s := ints.In(tx), texts.In(tx)
				return errors.Join(i.Append(ctx, vaulttest.Span(0, 500)...), i.Set(ctx, 0, 99), i.Reverse(ctx), i.Delete(ctx, 3, 20),
					vaulttest.ErrOf(s.Pop(ctx, 0)), s.Append(ctx, "x", "y"), s.Insert(ctx, 1, "inserted"), s.SetSlice(ctx, 0, 2, []string{"much longer than before", ""}))
			}

			if err := test.run(ctx, v, change); !errors.Is(err, test.want) {
				t.Errorf("Update: got error %v, want one that is %v", err, test.want)
			}
			vaulttest.WantColumn(t, ints, vaulttest.Span(0, 200)...)
			vaulttest.WantColumn(t, texts, "a", "b", "c")
			vaulttest.WantSound(t, v)

			vaulttest.Must(t, v.Update(ctx, change))
			vaulttest.WantLen(t, ints, 683)
			vaulttest.WantColumn(t, texts, "much longer than before", "", "c", "x", "y")
			vaulttest.WantSound(t, v)
		})
	}
}

// TestUpdateForgivesRefusals: an operation that was refused before it wrote
// anything does not spoil the rest, when the function goes on.
func TestUpdateForgivesRefusals(t *testing.T) {
	v := vaulttest.Open(t)
	c := vaulttest.Create(t, v, "values", dtype.Int64, 1, 2)
	vaulttest.Must(t, v.Update(t.Context(), func(ctx context.Context, tx *columnvault.Tx) error {
		vaulttest.Must(t, c.In(tx).Append(ctx, 3))
		vaulttest.WantErr(t, "Set", c.In(tx).Set(ctx, 10, 0), columnvault.ErrOutOfRange)
		vaulttest.WantErr(t, "SetSlice", c.In(tx).SetSlice(ctx, 0, 2, nil), columnvault.ErrInvalidArgument)
		_, err := columnvault.Create(ctx, tx, "values", dtype.String, nil)
		vaulttest.WantErr(t, "Create", err, columnvault.ErrExists)
		vaulttest.Must(t, c.In(tx).Append(ctx, 4))
		return nil
	}))
	vaulttest.WantColumn(t, c, 1, 2, 3, 4)
}

// TestHalfAnOperationUndoesTheUpdate: an operation that failed when it had
// begun to write undoes the whole Update, even where the function ignores the
// error.
func TestHalfAnOperationUndoesTheUpdate(t *testing.T) {
	vaulttest.WithTriggers(t)
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "test.db")
	v := vaulttest.OpenAt(t, path, nil)
	vaulttest.CreateWith(t, v, "ints", dtype.Int64, fixedChunks, 1, 2, 3)
	vaulttest.Create(t, v, "other", dtype.Int64, 7)
	vaulttest.Must(t, v.Close())
	vaulttest.ExecSQL(t, path, `CREATE TRIGGER crash BEFORE INSERT ON col_chunks WHEN NEW.chunk_idx = 2 BEGIN SELECT RAISE(ABORT, 'crash'); END`)

	v = vaulttest.OpenAt(t, path, nil)
	ints, other := vaulttest.Lookup(t, v, "ints", dtype.Int64), vaulttest.Lookup(t, v, "other", dtype.Int64)
	err := v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		vaulttest.Must(t, other.In(tx).Append(ctx, 8))
		vaulttest.WantErr(t, "Append", ints.In(tx).Append(ctx, vaulttest.Span(0, 500)...), columnvault.ErrUnavailable)
		return nil
	})
	vaulttest.WantErrText(t, "Update", err, columnvault.ErrUnavailable, "crash")
	vaulttest.WantColumn(t, ints, 1, 2, 3)
	vaulttest.WantColumn(t, other, 7)
	vaulttest.WantSound(t, v)
}

func TestNestedTransactionsFail(t *testing.T) {
	v, other := vaulttest.Open(t), vaulttest.Open(t)
	c := vaulttest.Create(t, v, "values", dtype.Int64, 1)
	elsewhere := vaulttest.Create(t, other, "values", dtype.Int64, 2)
	// inside is what must hold in the function of an Update or a View.
	inside := func(ctx context.Context, tx *columnvault.Tx) error {
		_, err := c.At(ctx, 0)
		vaulttest.WantErr(t, "At", err, columnvault.ErrNested)
		vaulttest.WantErr(t, "Append", c.Append(ctx, 2), columnvault.ErrNested)
		vaulttest.WantErr(t, "Values", vaulttest.LoopErr(c.Values(ctx)), columnvault.ErrNested)
		_, err = v.Columns(ctx)
		vaulttest.WantErr(t, "Columns", err, columnvault.ErrNested)
		vaulttest.WantErr(t, "Check", vaulttest.LoopErr(v.Check(ctx, columnvault.CheckOptions{})), columnvault.ErrNested)
		_, err = columnvault.Create(ctx, v, "new", dtype.Int64, nil)
		vaulttest.WantErr(t, "Create", err, columnvault.ErrNested)
		never := func(context.Context, *columnvault.Tx) error { t.Error("a nested function runs"); return nil }
		vaulttest.WantErr(t, "Update", v.Update(ctx, never), columnvault.ErrNested)
		vaulttest.WantErr(t, "View", v.View(ctx, never), columnvault.ErrNested)

		var e *columnvault.Error
		if errors.As(err, &e); e == nil || e.Hint() == "" {
			t.Errorf("the error %v has no hint", err)
		}
		// The mark counts through In(tx), with any ctx, and for this vault only.
		vaulttest.WantAt(t, c.In(tx), 0, 1)
		if _, err := c.In(tx).At(context.WithoutCancel(ctx), 0); err != nil {
			t.Error(err)
		}
		if value, err := elsewhere.At(ctx, 0); value != 2 || err != nil {
			t.Errorf("the other vault gives %d, %v", value, err)
		}
		return elsewhere.Append(ctx, 3)
	}
	t.Run("Update", func(t *testing.T) { vaulttest.Must(t, v.Update(t.Context(), inside)) })
	t.Run("View", func(t *testing.T) { vaulttest.Must(t, v.View(t.Context(), inside)) })
	vaulttest.WantColumn(t, c, 1)
	vaulttest.WantColumn(t, elsewhere, 2, 3, 3)
}

// TestNestedTwoVaults: a transaction of another vault in between does not hide
// the mark of the outer one.
func TestNestedTwoVaults(t *testing.T) {
	v := vaulttest.OpenAt(t, filepath.Join(t.TempDir(), "test.db"), &columnvault.Options{BusyTimeout: time.Millisecond})
	other := vaulttest.Open(t)
	c := vaulttest.Create(t, v, "values", dtype.Int64, 1)
	vaulttest.Must(t, v.Update(t.Context(), func(ctx context.Context, tx *columnvault.Tx) error {
		return other.Update(ctx, func(ctx context.Context, _ *columnvault.Tx) error {
			vaulttest.WantErr(t, "Append", c.Append(ctx, 2), columnvault.ErrNested)
			return nil
		})
	}))
}

// TestUnmarkedCallInsideUpdateSaysSo: without the mark an operation waits for
// the transaction that it is called in, until its patience ends. The error says
// so.
func TestUnmarkedCallInsideUpdateSaysSo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	v := vaulttest.OpenAt(t, path, &columnvault.Options{BusyTimeout: time.Millisecond})
	c := vaulttest.Create(t, v, "values", dtype.Int64, 1)
	outer := t.Context()
	vaulttest.Must(t, v.Update(outer, func(ctx context.Context, tx *columnvault.Tx) error {
		err := c.Append(outer, 2)
		vaulttest.WantErrText(t, "Append", err, columnvault.ErrBusy, "pass on the ctx that its function received")
		var e *columnvault.Error
		if errors.As(err, &e); e == nil || e.Hint() == "" {
			t.Errorf("the error %v has no hint", err)
		}
		vaulttest.WantAt(t, c, 0, 1) // readers wait for nobody
		return c.In(tx).Append(ctx, 3)
	}))
	vaulttest.WantColumn(t, c, 1, 3)

	// The same from another handle, as from another process.
	other := vaulttest.OpenAt(t, path, &columnvault.Options{BusyTimeout: time.Millisecond})
	vaulttest.Must(t, v.Update(outer, func(ctx context.Context, tx *columnvault.Tx) error {
		vaulttest.WantErr(t, "Append", vaulttest.Lookup(t, other, "values", dtype.Int64).Append(outer, 2), columnvault.ErrBusy)
		return nil
	}))
	vaulttest.WantColumn(t, c, 1, 3)
}

func TestEndedTransactionIsRefused(t *testing.T) {
	v := vaulttest.Open(t)
	c := vaulttest.Create(t, v, "values", dtype.Int64, 1)
	check := func(ctx context.Context, t *testing.T, tx *columnvault.Tx) {
		part := c.In(tx)
		_, err := part.At(t.Context(), 0)
		vaulttest.WantErr(t, "At", err, columnvault.ErrClosed)
		_, err = tx.Columns(t.Context())
		vaulttest.WantErr(t, "Columns", err, columnvault.ErrClosed)
		_, err = columnvault.Lookup(t.Context(), tx, "values", dtype.Int64)
		vaulttest.WantErr(t, "Lookup", err, columnvault.ErrClosed)
		vaulttest.WantErr(t, "Values", vaulttest.LoopErr(part.Values(t.Context())), columnvault.ErrClosed)
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
		vaulttest.Must(t, v.Update(t.Context(), keep))
		check(marked, t, kept)
		vaulttest.WantErr(t, "Append", c.In(kept).Append(t.Context(), 2), columnvault.ErrClosed)
		vaulttest.WantErr(t, "Drop", kept.Drop(t.Context(), "values"), columnvault.ErrClosed)
	})
	t.Run("View", func(t *testing.T) {
		vaulttest.Must(t, v.View(t.Context(), keep))
		check(marked, t, kept)
	})
	vaulttest.WantColumn(t, c, 1)
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
		"SetEach":    ints.SetEach(ctx, []int{0}, []int64{1}),
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

// TestReadOnlyRefusesWrites: a View and a vault opened for reading refuse every
// write, and let everything be read.
func TestReadOnlyRefusesWrites(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "test.db")
	v := vaulttest.OpenAt(t, path, nil)
	vaulttest.Create(t, v, "ints", dtype.Int64, 3, 1, 2)
	vaulttest.Create(t, v, "vectors", dtype.Type[[]float32](dtype.Vector[float32](2)), []float32{1, 2})
	check := func(t *testing.T, v *columnvault.Vault, in scope) {
		ints, err := columnvault.Ensure(ctx, in, "ints", dtype.Int64, nil)
		vaulttest.Must(t, err)
		vectors := vaulttest.Lookup(t, in, "vectors", dtype.Type[[]float32](dtype.Vector[float32](2)))
		for name, err := range writes(ctx, ints, vectors, in) {
			vaulttest.WantErr(t, name, err, columnvault.ErrReadOnly)
		}
		vaulttest.WantColumn(t, ints, 3, 1, 2)
		vaulttest.WantColumn(t, vectors, []float32{1, 2})
		vaulttest.WantNames(t, in, "ints", "vectors")
	}
	t.Run("View", func(t *testing.T) {
		vaulttest.Must(t, v.View(ctx, func(_ context.Context, tx *columnvault.Tx) error { check(t, v, tx); return nil }))
	})
	t.Run("vault", func(t *testing.T) {
		reader := vaulttest.OpenAt(t, path, &columnvault.Options{ReadOnly: true})
		check(t, reader, reader)
		err := reader.Update(ctx, func(context.Context, *columnvault.Tx) error { t.Error("the function runs"); return nil })
		vaulttest.WantErr(t, "Update", err, columnvault.ErrReadOnly)
	})
	vaulttest.WantColumn(t, vaulttest.Lookup(t, v, "ints", dtype.Int64), 3, 1, 2)
}

// TestCanceledCallsChangeNothing: a ctx that has ended ends every operation,
// and changes nothing.
func TestCanceledCallsChangeNothing(t *testing.T) {
	v := vaulttest.Open(t)
	ints := vaulttest.Create(t, v, "ints", dtype.Int64, 3, 1, 2)
	vectors := vaulttest.Create(t, v, "vectors", dtype.Type[[]float32](dtype.Vector[float32](2)))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, err := range writes(ctx, ints, vectors, v) {
		vaulttest.WantErr(t, name, err, context.Canceled)
	}
	_, err := ints.At(ctx, 0)
	vaulttest.WantErr(t, "At", err, context.Canceled)
	_, err = ints.Slice(ctx, 0, 1)
	vaulttest.WantErr(t, "Slice", err, context.Canceled)
	_, err = v.Columns(ctx)
	vaulttest.WantErr(t, "Columns", err, context.Canceled)
	vaulttest.WantErr(t, "Values", vaulttest.LoopErr(ints.Values(ctx)), context.Canceled)
	never := func(context.Context, *columnvault.Tx) error { t.Error("the function of a View runs"); return nil }
	vaulttest.WantErr(t, "View", v.View(ctx, never), context.Canceled)
	vaulttest.WantColumn(t, ints, 3, 1, 2)
	vaulttest.WantNames(t, v, "ints", "vectors")
}

// TestCanceledLoopEnds: a loop ends with the error of its ctx.
func TestCanceledLoopEnds(t *testing.T) {
	v := vaulttest.OpenAt(t, filepath.Join(t.TempDir(), "test.db"), &columnvault.Options{ReadBytes: 80}) // ten elements
	c := vaulttest.Create(t, v, "values", dtype.Int64, vaulttest.Span(0, 100)...)
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
	vaulttest.WantErr(t, "Values", err, context.Canceled)
	if n == 0 || n > 10 {
		t.Errorf("%d elements before the end, want no more than the buffer holds", n)
	}
}

// TestWaitEndsWithCtx: a wait for another writer ends when ctx ends, long
// before BusyTimeout.
func TestWaitEndsWithCtx(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	patient := &columnvault.Options{BusyTimeout: time.Minute}
	v, other := vaulttest.OpenAt(t, path, patient), vaulttest.OpenAt(t, path, patient)
	c := vaulttest.Create(t, v, "values", dtype.Int64, 1)
	vaulttest.Must(t, v.Update(t.Context(), func(context.Context, *columnvault.Tx) error {
		for _, waiting := range []*columnvault.Vault{v, other} { // in this process, and as in another
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			err := vaulttest.Lookup(t, waiting, "values", dtype.Int64).Append(ctx, 2)
			cancel()
			vaulttest.WantErr(t, "Append", err, context.DeadlineExceeded)
		}
		return nil
	}))
	vaulttest.WantColumn(t, c, 1)
}

// loops is loopOver for every way to iterate, by name.
func loops(ctx context.Context, c *columnvault.Column[int64]) map[string]func(body func(n int) bool) error {
	return map[string]func(body func(n int) bool) error{
		"Values":   func(body func(n int) bool) error { return vaulttest.LoopOver(c.Values(ctx), body) },
		"Backward": func(body func(n int) bool) error { return vaulttest.LoopOver(c.Backward(ctx), body) },
		"Chunks":   func(body func(n int) bool) error { return vaulttest.LoopOver(c.Runs(ctx), body) },
	}
}

// TestLoopGivesSnapshotBack: loops that end early, or in a panic, leave no
// snapshot open.
func TestLoopGivesSnapshotBack(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "test.db")
	v := vaulttest.OpenAt(t, path, &columnvault.Options{ReadBytes: 80})
	c := vaulttest.Create(t, v, "values", dtype.Int64, vaulttest.Span(0, 100)...)
	for range 20 {
		for name, run := range loops(ctx, c) {
			seen := 0
			vaulttest.Must(t, run(func(n int) bool { seen++; return n < 2 }))
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
	vaulttest.Must(t, c.Append(ctx, 100))
	wantNoSnapshot(t, path)
	vaulttest.Must(t, v.Close())
}

// TestLoopIsOneMoment: a loop outside of a transaction sees what was there
// when it began, whatever its body changes.
func TestLoopIsOneMoment(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.OpenAt(t, filepath.Join(t.TempDir(), "test.db"), &columnvault.Options{ReadBytes: 80})
	for _, name := range []string{"Values", "Backward", "Chunks"} {
		c := vaulttest.Create(t, v, name, dtype.Int64, vaulttest.Span(0, 100)...)
		seen := 0
		vaulttest.Must(t, loops(ctx, c)[name](func(int) bool {
			seen++
			vaulttest.Must(t, c.Append(ctx, 1))
			vaulttest.Must(t, c.Set(ctx, 50, -1))
			return true
		}))
		if want := map[string]int{"Values": 100, "Backward": 100, "Chunks": 10}[name]; seen != want {
			t.Errorf("%s: the body runs %d times, want %d", name, seen, want)
		}
		vaulttest.WantLen(t, c, 100+seen)
	}
	c := vaulttest.Create(t, v, "seen", dtype.Int64, vaulttest.Span(0, 100)...)
	next := int64(0)
	for value, err := range c.Values(ctx) {
		vaulttest.Must(t, err)
		if value != next {
			t.Fatalf("the value at %d is %d", next, value)
		}
		next++
		vaulttest.Must(t, c.Clear(ctx))
	}
	if next != 100 {
		t.Errorf("%d values, want those of the beginning", next)
	}
}

// TestClosedVaultRefusesEverything: Close ends what is open, and nothing works
// after it.
func TestClosedVaultRefusesEverything(t *testing.T) {
	ctx := t.Context()
	opened := func(t *testing.T) (*columnvault.Vault, *columnvault.Column[int64]) {
		v := vaulttest.OpenAt(t, filepath.Join(t.TempDir(), "test.db"), &columnvault.Options{ReadBytes: 80})
		return v, vaulttest.Create(t, v, "values", dtype.Int64, vaulttest.Span(0, 100)...)
	}
	t.Run("loop", func(t *testing.T) {
		v, c := opened(t)
		err := loops(ctx, c)["Values"](func(n int) bool {
			if n == 0 {
				vaulttest.Must(t, v.Close())
			}
			return true
		})
		vaulttest.WantErr(t, "Values", err, columnvault.ErrClosed)
	})
	t.Run("View", func(t *testing.T) {
		v, c := opened(t)
		err := v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			vaulttest.WantAt(t, c.In(tx), 0, 0)
			vaulttest.Must(t, v.Close())
			return vaulttest.ErrOf(c.In(tx).At(ctx, 0))
		})
		vaulttest.WantErr(t, "At in the View", err, columnvault.ErrClosed)
	})
	t.Run("afterwards", func(t *testing.T) {
		v, c := opened(t)
		vaulttest.Must(t, v.Close())
		never := func(context.Context, *columnvault.Tx) error { t.Error("a function runs"); return nil }
		vaulttest.WantErr(t, "At", vaulttest.ErrOf(c.At(ctx, 0)), columnvault.ErrClosed)
		vaulttest.WantErr(t, "Append", c.Append(ctx, 1), columnvault.ErrClosed)
		vaulttest.WantErr(t, "Columns", vaulttest.ErrOf(v.Columns(ctx)), columnvault.ErrClosed)
		vaulttest.WantErr(t, "View", v.View(ctx, never), columnvault.ErrClosed)
		vaulttest.WantErr(t, "Update", v.Update(ctx, never), columnvault.ErrClosed)
		vaulttest.WantErr(t, "Close", v.Close(), columnvault.ErrClosed)
	})
}

// TestLoopSeesChangesOfItsBody: inside an Update a loop sees the changes of its
// body, and so ends when the body changes the column that it is about.
func TestLoopSeesChangesOfItsBody(t *testing.T) {
	v := vaulttest.OpenAt(t, filepath.Join(t.TempDir(), "test.db"), &columnvault.Options{ReadBytes: 80})
	c := vaulttest.Create(t, v, "values", dtype.Int64, vaulttest.Span(0, 100)...)
	other := vaulttest.Create(t, v, "other", dtype.Int64, 7)
	changes := map[string]txFunc{
		"Append": func(ctx context.Context, tx *columnvault.Tx) error { return c.In(tx).Append(ctx, 1) },
		"Set":    func(ctx context.Context, tx *columnvault.Tx) error { return c.In(tx).Set(ctx, 0, 1) },
		"Pop":    func(ctx context.Context, tx *columnvault.Tx) error { return vaulttest.ErrOf(c.In(tx).Pop(ctx, 0)) },
		"Clear":  func(ctx context.Context, tx *columnvault.Tx) error { return c.In(tx).Clear(ctx) },
		"Drop":   func(ctx context.Context, tx *columnvault.Tx) error { return tx.Drop(ctx, "values") },
		"Rename": func(ctx context.Context, tx *columnvault.Tx) error { return tx.Rename(ctx, "values", "renamed") },
		"through another handle": func(ctx context.Context, tx *columnvault.Tx) error {
			dynamic, err := tx.Column(ctx, "values")
			return errors.Join(err, dynamic.Append(ctx, 1))
		},
	}
	harmless := map[string]txFunc{
		"reading it":      func(ctx context.Context, tx *columnvault.Tx) error { return vaulttest.ErrOf(c.In(tx).At(ctx, -1)) },
		"reading another": func(ctx context.Context, tx *columnvault.Tx) error { return vaulttest.ErrOf(other.In(tx).At(ctx, 0)) },
		"writing another": func(ctx context.Context, tx *columnvault.Tx) error { return other.In(tx).Append(ctx, 1) },
		"ensuring another": func(ctx context.Context, tx *columnvault.Tx) error {
			return vaulttest.ErrOf(columnvault.Ensure(ctx, tx, "other", dtype.Int64, nil))
		},
		"creating another": func(ctx context.Context, tx *columnvault.Tx) error {
			return vaulttest.ErrOf(columnvault.Ensure(ctx, tx, "new", dtype.Int64, nil))
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
				vaulttest.Must(t, change(ctx, tx))
				return seen < 200 // a loop that follows its own appends would never end
			})
			return vaulttest.ErrOwn
		})
		if result != vaulttest.ErrOwn {
			t.Errorf("Update: %v", result)
		}
		return seen, err
	}
	for _, loop := range []string{"Values", "Backward", "Chunks"} {
		for name, change := range changes {
			t.Run(loop+"/"+name, func(t *testing.T) {
				seen, err := run(t, loop, change)
				vaulttest.WantErr(t, loop, err, columnvault.ErrConcurrentChange)
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

// TestTwoVaultsSeeEachOther: what one handle has committed, another on the same
// file sees at once, and appends of both follow each other.
func TestTwoVaultsSeeEachOther(t *testing.T) {
	ctx := t.Context()
	one, two := openTwo(t)
	ints := vaulttest.CreateWith(t, one, "ints", dtype.Int64, fixedChunks)
	texts := vaulttest.CreateWith(t, one, "texts", dtype.String, smallVarChunks)
	vaulttest.WantNames(t, two, "ints", "texts")
	var wantInts []int64
	var wantTexts []string
	for i := range 300 {
		v := []*columnvault.Vault{one, two}[i%2]
		other := []*columnvault.Vault{two, one}[i%2]
		vaulttest.Must(t, vaulttest.Lookup(t, v, "ints", dtype.Int64).Append(ctx, int64(i)))
		vaulttest.Must(t, vaulttest.Lookup(t, v, "texts", dtype.String).Append(ctx, fmt.Sprint("text ", i)))
		wantInts, wantTexts = append(wantInts, int64(i)), append(wantTexts, fmt.Sprint("text ", i))
		vaulttest.WantAt(t, vaulttest.Lookup(t, other, "ints", dtype.Int64), -1, int64(i))
		vaulttest.WantAt(t, vaulttest.Lookup(t, other, "texts", dtype.String), -1, fmt.Sprint("text ", i))
	}
	vaulttest.WantColumn(t, ints, wantInts...)
	vaulttest.WantColumn(t, texts, wantTexts...)
	vaulttest.Must(t, two.Drop(ctx, "texts"))
	vaulttest.WantErr(t, "a column that the other has dropped", texts.Append(ctx, "x"), columnvault.ErrNotFound)
	vaulttest.WantSound(t, one)
	vaulttest.WantSound(t, two)
}

// TestTwoVaultsFollowARecreatedColumn: when one handle drops a column and
// creates it anew, the other follows with its next operation.
func TestTwoVaultsFollowARecreatedColumn(t *testing.T) {
	ctx := t.Context()
	one, two := openTwo(t)
	vaulttest.Create(t, one, "values", dtype.Int64, -1)
	ones, twos := vaulttest.Lookup(t, one, "values", dtype.Int64), vaulttest.Lookup(t, two, "values", dtype.Int64)
	for round := range int64(5) {
		vaulttest.Must(t, ones.Append(ctx, round))
		vaulttest.Must(t, twos.Append(ctx, round))
		vaulttest.Must(t, one.Drop(ctx, "values"))
		vaulttest.WantErr(t, "Append to what is gone", twos.Append(ctx, 1), columnvault.ErrNotFound)
		vaulttest.Create(t, one, "in the place of it", dtype.String, "x") // may get the number of the old column
		vaulttest.Create(t, one, "values", dtype.Int64, round)
		vaulttest.Must(t, twos.Append(ctx, round+100))
		vaulttest.WantColumn(t, ones, round, round+100)
		vaulttest.WantColumn(t, twos, round, round+100)
		vaulttest.Must(t, two.Drop(ctx, "in the place of it"))
	}
	vaulttest.WantSound(t, one)
}

// TestUpdateIsTheOnlyWriter: goroutines on two handles count up one number,
// each reading and writing it in an Update.
func TestUpdateIsTheOnlyWriter(t *testing.T) {
	const workers, rounds = 4, 20
	path := filepath.Join(t.TempDir(), "test.db")
	patient := &columnvault.Options{BusyTimeout: time.Minute}
	vaults := []*columnvault.Vault{vaulttest.OpenAt(t, path, patient), vaulttest.OpenAt(t, path, patient)}
	vaulttest.Create(t, vaults[0], "count", dtype.Int64, 0)
	var group sync.WaitGroup
	for w := range workers {
		v := vaults[w%2]
		c := vaulttest.Lookup(t, v, "count", dtype.Int64)
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
	vaulttest.WantColumn(t, vaulttest.Lookup(t, vaults[0], "count", dtype.Int64), workers*rounds)
}

// TestViewNeverSeesHalf: while one goroutine appends to two columns in every
// Update, others never see one ahead of the other.
func TestViewNeverSeesHalf(t *testing.T) {
	const rounds = 100
	v, other := openTwo(t)
	ints, texts := vaulttest.Create(t, v, "ints", dtype.Int64), vaulttest.Create(t, v, "texts", dtype.String)
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
				numbers, err := ints.In(tx).Slice(ctx, columnvault.Begin, columnvault.End)
				words, err2 := texts.In(tx).Slice(ctx, columnvault.Begin, columnvault.End)
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
	otherInts, otherTexts := vaulttest.Lookup(t, other, "ints", dtype.Int64), vaulttest.Lookup(t, other, "texts", dtype.String)
	group.Go(func() { read(v, ints, texts) })
	group.Go(func() { read(v, ints, texts) })
	group.Go(func() { read(other, otherInts, otherTexts) })
	group.Wait()
}
