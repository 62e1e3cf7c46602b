// Package storetest holds storage engines to the contract of package store.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
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
		{"chunks", testChunks},
		{"numbers", testNumbers},
		{"many chunks", testManyChunks},
		{"meta", testMeta},
		{"layouts", testLayouts},
		{"spans", testSpans},
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

func testCatalog(t *testing.T, s store.Store) {
	ctx := t.Context()
	a, b := create(t, s, "a"), create(t, s, "b column")
	if a.ID == b.ID {
		t.Fatalf("two columns have the ID %v", a.ID)
	}
	update(t, s, func(tx store.Tx) error {
		_, err := tx.CreateColumn(ctx, store.Row{Name: "a", DType: "f64", ElemSize: 8, MinChunk: 8, MaxChunk: 8})
		wantErr(t, "create of a taken name", err, store.ErrExists)
		wantErr(t, "rename to a taken name", tx.RenameColumn(ctx, b.ID, "a"), store.ErrExists)
		return nil
	})
	update(t, s, func(tx store.Tx) error {
		if err := tx.RenameColumn(ctx, b.ID, "b"); err != nil {
			return err
		}
		if _, ok := lookup(t, tx, "b column"); ok {
			t.Error("the old name is still there after a rename")
		}
		if err := tx.SetLength(ctx, b.ID, 7); err != nil {
			return err
		}
		if col, _ := lookup(t, tx, "b"); col.Length != 7 {
			t.Errorf("length inside the transaction: %d, want 7", col.Length)
		}
		return nil
	})
	snap := snapshot(t, s)
	cols, err := snap.Columns(ctx)
	if err != nil {
		t.Fatal(err)
	}
	b.Name, b.Length = "b", 7
	if !slices.Equal(cols, []store.Row{a, b}) {
		t.Errorf("Columns: %+v", cols)
	}
	if found, err := snap.Lookup(ctx, "x", "b", "a"); len(found) != 2 || err != nil {
		t.Errorf("Lookup of two of three names: %+v, %v", found, err)
	}
	snap.Close()

	update(t, s, func(tx store.Tx) error { return tx.DropColumn(ctx, a.ID) })
	if _, ok := lookup(t, snapshot(t, s), "a"); ok {
		t.Error("a dropped column is still there")
	}
}

// testNames has names that are not text. An engine need not take them, but it
// must be possible to ask for them.
func testNames(t *testing.T, s store.Store) {
	ctx := t.Context()
	create(t, s, "a")
	for _, name := range []string{"a\x00b", "\x00", "\xff", "a\xc3", "\xed\xa0\x80", "A", "a ", "", "%", "ä", "a\u0308"} {
		if _, ok := lookup(t, snapshot(t, s), name); ok {
			t.Errorf("there is a column %q", name)
		}
		var col store.Row
		err := s.Update(ctx, func(tx store.Tx) (err error) {
			col, err = tx.CreateColumn(ctx, store.Row{Name: name, DType: "i64", ElemSize: 8, MinChunk: 8, MaxChunk: 8})
			return err
		})
		if errors.Is(err, store.ErrInvalidArgument) {
			continue
		}
		if err != nil {
			t.Errorf("create of %q: %v", name, err)
		}
		if got, ok := lookup(t, snapshot(t, s), name); !ok || got != col || got.Name != name {
			t.Errorf("the column %q is found as %+v", name, got)
		}
	}
	if got, _ := lookup(t, snapshot(t, s), "a"); got.Name != "a" {
		t.Errorf("the column \"a\" is found as %+v", got)
	}
}

func testIDs(t *testing.T, s store.Store) {
	ctx := t.Context()
	for _, create := range []func(*testing.T, store.Store, string) store.Row{create, createNative} {
		a, b := create(t, s, "a"), create(t, s, "b")
		if a.ID == 0 || b.ID == 0 {
			t.Errorf("a column has the ID 0: %+v, %+v", a, b)
		}
		find := func(r store.Reader, want ...store.Row) {
			t.Helper()
			got, err := r.LookupID(ctx, a.ID, b.ID, 0, 1<<60)
			slices.SortFunc(got, func(a, b store.Row) int { return strings.Compare(a.Name, b.Name) })
			if !slices.Equal(got, want) || err != nil {
				t.Errorf("LookupID: %+v, %v, want %+v", got, err, want)
			}
		}
		find(snapshot(t, s), a, b)
		old := snapshot(t, s)
		update(t, s, func(tx store.Tx) error {
			find(tx, a, b)
			if err := errors.Join(tx.RenameColumn(ctx, b.ID, "c"), tx.SetLength(ctx, b.ID, 3)); err != nil {
				return err
			}
			renamed := b
			renamed.Name, renamed.Length = "c", 3
			find(tx, a, renamed)
			if got, ok := lookup(t, tx, "c"); !ok || got != renamed {
				t.Errorf("Lookup after LookupID: %+v", got)
			}
			return nil
		})
		find(old, a, b)
		b.Name, b.Length = "c", 3
		find(snapshot(t, s), a, b)
		update(t, s, func(tx store.Tx) error { return tx.DropColumn(ctx, b.ID) })
		find(snapshot(t, s), a)
		again := create(t, s, "c")
		if again.ID == b.ID {
			t.Errorf("the ID %d was given again", again.ID)
		}
		find(snapshot(t, s), a)
		update(t, s, func(tx store.Tx) error {
			if err := errors.Join(tx.DropColumn(ctx, a.ID), tx.DropColumn(ctx, again.ID)); err != nil {
				return err
			}
			find(tx)
			return nil
		})
		if last := create(t, s, "d"); last.ID == a.ID || last.ID == b.ID || last.ID == again.ID {
			t.Errorf("the ID %d was given again", last.ID)
		} else {
			update(t, s, func(tx store.Tx) error { return tx.DropColumn(ctx, last.ID) })
		}
	}
}

// testReading has functions of Read, which an engine may run again.
func testReading(t *testing.T, s store.Store) {
	ctx := t.Context()
	col := create(t, s, "a")
	update(t, s, func(tx store.Tx) error {
		return tx.PutChunk(ctx, col.ID, store.Chunk{Number: 0, Capacity: 4}, []byte("abcd"))
	})
	var late store.Reader
	got := ""
	err := s.Read(ctx, func(r store.Reader) error {
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
	wantErr(t, "function with an error", s.Read(ctx, func(store.Reader) error { return errUndo }), errUndo)
	func() {
		defer func() {
			if r := recover(); r != errUndo {
				t.Errorf("the function panicked with %v and Read with %v", errUndo, r)
			}
		}()
		s.Read(ctx, func(store.Reader) error { panic(errUndo) })
	}()
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	err = s.Read(cancelled, func(store.Reader) error { return nil })
	wantErr(t, "Read with a canceled ctx", err, context.Canceled)
	update(t, s, func(tx store.Tx) error { return tx.DropColumn(ctx, col.ID) }) // nothing is left locked
}

func testChunks(t *testing.T, s store.Store) {
	ctx := t.Context()
	col := create(t, s, "a")
	put := func(tx store.Tx, c store.Chunk, data string) {
		t.Helper()
		if err := tx.PutChunk(ctx, col.ID, c, []byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	update(t, s, func(tx store.Tx) error {
		_, err := tx.LastChunk(ctx, col.ID)
		wantErr(t, "last of no chunks", err, store.ErrNotFound)
		put(tx, store.Chunk{Number: 0, Capacity: 16}, "0123")
		put(tx, store.Chunk{Number: 7, Capacity: 4, Used: 3}, "abc")
		put(tx, store.Chunk{Number: 40, Capacity: 1, Used: 1}, "z")
		return nil
	})
	update(t, s, func(tx store.Tx) error {
		put(tx, store.Chunk{Number: 0, Capacity: 32}, "0123456789abcdef0")
		if err := tx.SetChunk(ctx, col.ID, store.Chunk{Number: 7, Used: 4}); err != nil {
			t.Fatal(err)
		}
		last, err := tx.LastChunk(ctx, col.ID)
		if want := (store.Chunk{Number: 40, Capacity: 1, Used: 1}); !reflect.DeepEqual(last, want) || err != nil {
			t.Errorf("LastChunk: %+v, %v", last, err)
		}
		err = tx.PutChunk(ctx, col.ID, store.Chunk{Number: 50, Capacity: 2}, []byte("too long"))
		wantErr(t, "more data than capacity", err, store.ErrTooLarge)
		return nil
	})
	snap := snapshot(t, s)
	var all []store.Chunk
	for c, err := range snap.Chunks(ctx, col.ID, math.MinInt64, math.MaxInt64) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	want := []store.Chunk{{Number: 0, Capacity: 32}, {Number: 7, Capacity: 4, Used: 4}, {Number: 40, Capacity: 1, Used: 1}}
	if !reflect.DeepEqual(all, want) {
		t.Errorf("Chunks: %+v, want %+v", all, want)
	}
	for range snap.Chunks(ctx, col.ID, 0, 8) {
		break // an early end must do no harm
	}
	if c, err := snap.Chunk(ctx, col.ID, 7); !reflect.DeepEqual(c, want[1]) || err != nil {
		t.Errorf("Chunk(7): %+v, %v", c, err)
	}
	_, err := snap.Chunk(ctx, col.ID, 8)
	wantErr(t, "Chunk(8)", err, store.ErrNotFound)
	p, err := read(ctx, snap, col.ID, 0, 0, 32)
	if wantBytes := append([]byte("0123456789abcdef0"), make([]byte, 15)...); !bytes.Equal(p, wantBytes) || err != nil {
		t.Errorf("chunk 0: %q, %v", p, err)
	}
	snap.Close()

	update(t, s, func(tx store.Tx) error { return tx.DropChunks(ctx, col.ID, 1, 40) })
	last, err := snapshot(t, s).Chunk(ctx, col.ID, 40)
	if !reflect.DeepEqual(last, want[2]) || err != nil {
		t.Errorf("chunk at the end of a dropped range: %+v, %v", last, err)
	}
	_, err = snapshot(t, s).Chunk(ctx, col.ID, 7)
	wantErr(t, "dropped chunk", err, store.ErrNotFound)

	// A new column must not inherit the chunks of a dropped one.
	update(t, s, func(tx store.Tx) error { return tx.DropColumn(ctx, col.ID) })
	again := create(t, s, "a")
	_, err = snapshot(t, s).LastChunk(ctx, again.ID)
	wantErr(t, "chunk of a new column", err, store.ErrNotFound)
}

func testSpans(t *testing.T, s store.Store) {
	ctx := t.Context()
	col := create(t, s, "a")
	// More chunks than an engine may keep handles for, and ranges around every
	// size at which an engine may change its ways.
	const chunks, size = 300, 1000
	big := bytes.Repeat([]byte("0123456789abcdef"), 40_000)
	update(t, s, func(tx store.Tx) error {
		for i := range int64(chunks) {
			if err := tx.PutChunk(ctx, col.ID, store.Chunk{Number: i, Capacity: size}, nil); err != nil {
				return err
			}
		}
		return tx.PutChunk(ctx, col.ID, store.Chunk{Number: chunks, Capacity: int64(len(big))}, nil)
	})
	text := func(i int) []byte { return fmt.Appendf(nil, "chunk %d", i) }
	update(t, s, func(tx store.Tx) error {
		var spans []store.Span
		for i := range chunks {
			spans = append(spans, store.Span{Chunk: int64(i), Offset: int64(i), Data: text(i)})
		}
		if err := tx.WriteAt(ctx, col.ID, spans); err != nil {
			return err
		}
		if err := tx.WriteAt(ctx, col.ID, []store.Span{{Chunk: chunks, Data: big}}); err != nil {
			return err
		}
		return check(ctx, t, tx, col.ID, text, chunks, big)
	})
	if err := check(ctx, t, snapshot(t, s), col.ID, text, chunks, big); err != nil {
		t.Error(err)
	}
	snap := snapshot(t, s)
	for _, bad := range []store.Span{
		{Chunk: 0, Offset: size, Data: make([]byte, 1)},
		{Chunk: 0, Offset: -1, Data: make([]byte, 1)},
		{Chunk: 0, Offset: 1 << 40, Data: make([]byte, 1)},
		{Chunk: chunks + 1, Data: make([]byte, 1)},
		{Chunk: -1, Data: make([]byte, 1)},
	} {
		err := snap.ReadAt(ctx, col.ID, []store.Span{bad})
		wantErr(t, fmt.Sprintf("read of %d+%d in chunk %d", bad.Offset, len(bad.Data), bad.Chunk), err, store.ErrCorrupt)
	}
	// A failed read must not spoil the next.
	if err := check(ctx, t, snap, col.ID, text, chunks, big); err != nil {
		t.Error(err)
	}
}

func check(ctx context.Context, t *testing.T, r store.Reader, id store.ColumnID, text func(int) []byte, chunks int, big []byte) error {
	t.Helper()
	var spans []store.Span
	for i := range chunks {
		spans = append(spans, store.Span{Chunk: int64(i), Offset: int64(i), Data: make([]byte, len(text(i)))})
	}
	if err := r.ReadAt(ctx, id, spans); err != nil {
		return err
	}
	for i, s := range spans {
		if !bytes.Equal(s.Data, text(i)) {
			t.Fatalf("chunk %d: %q", i, s.Data)
		}
	}
	for _, n := range []int{1, 4 << 10, 16<<10 - 1, 16 << 10, 16<<10 + 1, 128<<10 - 1, 128 << 10, 128<<10 + 1, len(big)} {
		offset := len(big) - n
		p, err := read(ctx, r, id, int64(chunks), int64(offset), n)
		if err != nil {
			return err
		}
		if !bytes.Equal(p, big[offset:]) {
			t.Fatalf("%d bytes at %d differ", n, offset)
		}
	}
	return nil
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
	wantErr(t, "cancelled Update", err, context.Canceled)
	if got, _ := lookup(t, snapshot(t, s), "a"); got.Length != 0 {
		t.Error("a cancelled transaction was committed")
	}
	_, err = s.Snapshot(ctx)
	wantErr(t, "cancelled Snapshot", err, context.Canceled)
	_, err = snapshot(t, s).Columns(ctx)
	wantErr(t, "cancelled Columns", err, context.Canceled)
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
	wantErr(t, "Read", s.Read(ctx, func(store.Reader) error { return nil }), store.ErrClosed)
	wantErr(t, "Update", s.Update(ctx, func(store.Tx) error { return nil }), store.ErrClosed)
	wantErr(t, "second Close", s.Close(), store.ErrClosed)
}
