// Package storetest holds storage engines to the contract of package store.
package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"testing"

	"columnvault/internal/store"
)

// Run runs the suite. open returns an empty engine; the suite closes it.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, store.Store)
	}{
		{"catalog", testCatalog},
		{"names", testNames},
		{"IDs", testIDs},
		{"attrs", testAttrs},
		{"catalog version", testCatalogVersion},
		{"chunks", testChunks},
		{"numbers", testNumbers},
		{"many chunks", testManyChunks},
		{"meta", testMeta},
		{"layouts", testLayouts},
		{"blocks", testBlocks},
		{"namesakes", testNamesakes},
		{"spans", testSpans},
		{"spans of columns", testSpansOfColumns},
		{"empty spans", testEmptySpans},
		{"missing chunks", testMissing},
		{"clearing", testClearing},
		{"reading", testReading},
		{"atomicity", testAtomicity},
		{"isolation", testIsolation},
		{"counting", testCounting},
		{"ensuring", testEnsuring},
		{"write skew", testSkew},
		{"one moment", testMoment},
		{"cancellation", testCancellation},
		{"pairs", testPairs},
		{"kinds of tables", testKinds},
		{"ranges", testRanges},
		{"large values", testLargeValues},
		{"values left out", testLeftOut},
		{"repair", testRepair},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := open(t)
			test.run(t, s)
			if err := s.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
	t.Run("closing", func(t *testing.T) { testClosing(t, open(t)) })
}

var errUndo = errors.New("undo")

func update(t *testing.T, s store.Store, fn func(tx store.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// create makes a column in a transaction of its own.
func create(t *testing.T, s store.Store, name string) (col store.Row) {
	t.Helper()
	update(t, s, func(tx store.Tx) (err error) {
		col, err = tx.CreateColumn(t.Context(), store.Row{Name: name, DType: "i64", ElemSize: 8, MinChunk: 64, MaxChunk: 1024})
		return err
	})
	return col
}

func snapshot(t *testing.T, s store.Store) store.Snapshot {
	t.Helper()
	snap, err := s.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { snap.Close() })
	return snap
}

func lookup(t *testing.T, r store.Reader, name string) (store.Row, bool) {
	t.Helper()
	found, err := r.Lookup(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		return store.Row{}, false
	}
	return found[0], true
}

// Read runs fn on a Read of s, and again for as long as that has to begin again.
func Read(ctx context.Context, s store.Store, fn func(store.Reader) error) error {
	for {
		snap, err := s.Read(ctx)
		if err != nil {
			return err
		}
		err = fn(snap)
		if unfit := snap.Close(); !errors.Is(unfit, store.ErrAgain) {
			return cmp.Or(unfit, err)
		}
	}
}

func read(ctx context.Context, r store.Reader, id store.ColumnID, chunk, offset int64, n int) ([]byte, error) {
	p := make([]byte, n)
	err := r.ReadAt(ctx, id, []store.Span{{Chunk: chunk, Offset: offset, Data: p}})
	return p, err
}

func wantErr(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got error %v, want %v", what, got, want)
	}
}

// testReading has short reads, which an engine may have begin again.
func testReading(t *testing.T, s store.Store) {
	ctx := t.Context()
	col := create(t, s, "a")
	update(t, s, func(tx store.Tx) error {
		return tx.PutChunk(ctx, col.ID, store.Chunk{Number: 0, Capacity: 4}, []byte("abcd"))
	})
	var late store.Reader
	got := ""
	err := Read(ctx, s, func(r store.Reader) error {
		late = r
		rows, err := r.Lookup(ctx, "a")
		if err != nil || len(rows) != 1 {
			return fmt.Errorf("%d rows, %w", len(rows), err)
		}
		p, err := read(ctx, r, rows[0].ID, 0, 1, 2)
		got = string(p)
		return err
	})
	if got != "bc" || err != nil {
		t.Errorf("Read: %q, %v", got, err)
	}
	_, err = late.Lookup(ctx, "a")
	wantErr(t, "use after the end of Read", err, store.ErrClosed)
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	_, err = s.Read(canceled)
	wantErr(t, "Read with a canceled ctx", err, context.Canceled)
	update(t, s, func(tx store.Tx) error { return tx.DropColumn(ctx, col.ID) }) // nothing is left locked
}

func testAtomicity(t *testing.T, s store.Store) {
	ctx := t.Context()
	col := create(t, s, "a")
	called := 0
	err := s.Update(ctx, func(tx store.Tx) error { tx.OnCommit(func() { called++ }); return nil })
	if err != nil || called != 1 {
		t.Errorf("OnCommit is called %d times: %v", called, err)
	}
	change := func(tx store.Tx) {
		t.Helper()
		err := errors.Join(
			tx.PutChunk(ctx, col.ID, store.Chunk{Number: 0, Capacity: 8}, []byte("x")),
			tx.SetLength(ctx, col.ID, 1),
			tx.RenameColumn(ctx, col.ID, "z"))
		if err != nil {
			t.Fatal(err)
		}
	}
	unchanged := func(after string) {
		t.Helper()
		snap := snapshot(t, s)
		defer snap.Close()
		if got, ok := lookup(t, snap, "a"); !ok || got != col {
			t.Errorf("after %s: column %+v", after, got)
		}
		if _, err := snap.LastChunk(ctx, col.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("after %s: a chunk is there", after)
		}
	}
	err = s.Update(ctx, func(tx store.Tx) error {
		tx.OnCommit(func() { t.Error("OnCommit is called for what is undone") })
		change(tx)
		return errUndo
	})
	wantErr(t, "function with an error", err, errUndo)
	unchanged("an error")

	err = s.Update(ctx, func(tx store.Tx) error { change(tx); tx.Abort(errUndo); return nil })
	wantErr(t, "aborted transaction", err, errUndo)
	unchanged("an abort")

	func() {
		defer func() {
			if r := recover(); r != errUndo {
				t.Errorf("the function panicked with %v and Update with %v", errUndo, r)
			}
		}()
		s.Update(ctx, func(tx store.Tx) error { change(tx); panic(errUndo) })
	}()
	unchanged("a panic")

	var late store.Tx
	update(t, s, func(tx store.Tx) error { late = tx; change(tx); return nil })
	if _, ok := lookup(t, snapshot(t, s), "z"); !ok {
		t.Error("a committed change is not there")
	}
	wantErr(t, "use after the end", late.SetLength(ctx, col.ID, 9), store.ErrClosed)
}

func testIsolation(t *testing.T, s store.Store) {
	ctx := t.Context()
	col := create(t, s, "a")
	put := func(text string) {
		update(t, s, func(tx store.Tx) error {
			return errors.Join(
				tx.PutChunk(ctx, col.ID, store.Chunk{Number: 0, Capacity: 8}, []byte(text)),
				tx.SetLength(ctx, col.ID, int64(len(text))))
		})
	}
	put("one")
	old := snapshot(t, s)
	put("three")
	recent := snapshot(t, s)
	update(t, s, func(tx store.Tx) error { return tx.DropColumn(ctx, col.ID) })
	for _, test := range []struct {
		snap store.Snapshot
		want string
	}{{old, "one"}, {recent, "three"}} {
		got, ok := lookup(t, test.snap, "a")
		if !ok || got.Length != int64(len(test.want)) {
			t.Errorf("snapshot of %q: column %+v", test.want, got)
		}
		if p, err := read(ctx, test.snap, col.ID, 0, 0, len(test.want)); string(p) != test.want || err != nil {
			t.Errorf("snapshot of %q: read %q, %v", test.want, p, err)
		}
	}
	old.Close()
	_, err := old.Lookup(ctx, "a")
	wantErr(t, "closed snapshot", err, store.ErrClosed)
	if err := old.Close(); err != nil {
		t.Errorf("second Close of a snapshot: %v", err)
	}
}

func testCancellation(t *testing.T, s store.Store) {
	col := create(t, s, "a")
	ctx, cancel := context.WithCancel(t.Context())
	err := s.Update(ctx, func(tx store.Tx) error {
		if err := tx.SetLength(ctx, col.ID, 5); err != nil {
			return err
		}
		cancel()
		return nil
	})
	wantErr(t, "canceled Update", err, context.Canceled)
	if got, _ := lookup(t, snapshot(t, s), "a"); got.Length != 0 {
		t.Error("a canceled transaction was committed")
	}
	_, err = s.Snapshot(ctx)
	wantErr(t, "canceled Snapshot", err, context.Canceled)
	_, err = snapshot(t, s).Columns(ctx)
	wantErr(t, "canceled Columns", err, context.Canceled)
	update(t, s, func(tx store.Tx) error { return tx.SetLength(t.Context(), col.ID, 6) })
}

func testClosing(t *testing.T, s store.Store) {
	ctx := t.Context()
	create(t, s, "a")
	snap := snapshot(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := snap.Columns(ctx)
	wantErr(t, "snapshot of a closed store", err, store.ErrClosed)
	_, err = s.Snapshot(ctx)
	wantErr(t, "Snapshot", err, store.ErrClosed)
	_, err = s.Read(ctx)
	wantErr(t, "Read", err, store.ErrClosed)
	wantErr(t, "Update", s.Update(ctx, func(store.Tx) error { return nil }), store.ErrClosed)
	wantErr(t, "second Close", s.Close(), store.ErrClosed)
}
