package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"columnvault/internal/store"
	"columnvault/internal/store/storetest"
)

func TestRerun(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Store { return storetest.Rerun(storetest.NewMemory()) })
}

func TestCounterIsAnEngine(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Store { return storetest.NewCounter(storetest.NewMemory()) })
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// create makes a column with a chunk.
func create(t *testing.T, s store.Store, name string) (row store.Row) {
	t.Helper()
	must(t, s.Update(t.Context(), func(tx store.Tx) (err error) {
		row, err = tx.CreateColumn(t.Context(), store.Row{Name: name, DType: "i64", ElemSize: 8, MinChunk: 64, MaxChunk: 1024})
		if err != nil {
			return err
		}
		return tx.PutChunk(t.Context(), row.ID, store.Chunk{Capacity: 64}, nil)
	}))
	return row
}

// add makes a column longer by one, in several calls.
func add(ctx context.Context, tx store.Tx, name string) error {
	rows, err := tx.Lookup(ctx, name)
	if err != nil {
		return err
	}
	if _, err := tx.LastChunk(ctx, rows[0].ID); err != nil {
		return err
	}
	if err := tx.WriteAt(ctx, rows[0].ID, []store.Span{{Data: []byte("x")}}); err != nil {
		return err
	}
	return tx.SetLength(ctx, rows[0].ID, rows[0].Length+1)
}

func length(t *testing.T, s store.Store, name string) (n int64) {
	t.Helper()
	must(t, storetest.Read(t.Context(), s, func(r store.Reader) error {
		rows, err := r.Lookup(t.Context(), name)
		if err != nil {
			return err
		}
		n = rows[0].Length
		return nil
	}))
	return n
}

func TestConflictRunsAgain(t *testing.T) {
	s := storetest.Conflict(storetest.NewCounter(storetest.NewMemory()))
	create(t, s, "a")
	const times = 50 // more than there are calls to fail
	failed := map[string]int{}
	for range times {
		must(t, s.Update(t.Context(), func(tx store.Tx) error {
			err := add(t.Context(), tx, "a")
			failed[fmt.Sprint(err)]++
			return nil // an error that the function ignores must not count
		}))
	}
	if n := length(t, s, "a"); n != times {
		t.Errorf("%d of %d additions are there", n, times)
	}
	if len(failed) != 2 {
		t.Errorf("calls failed with %v, want one kind of error and none", failed)
	}
	wrong := errors.New("wrong")
	for range 30 {
		err := s.Update(t.Context(), func(tx store.Tx) error { return errors.Join(add(t.Context(), tx, "a"), wrong) })
		if !errors.Is(err, wrong) {
			t.Fatalf("the error of the function: %v", err)
		}
	}
}

func TestLossyLosesAnswersOnly(t *testing.T) {
	s := storetest.Lossy(storetest.NewMemory(), 3)
	create(t, s, "a")
	told, unknown := 0, 0
	for range 8 {
		err := s.Update(t.Context(), func(tx store.Tx) error {
			tx.OnCommit(func() { told++ })
			return add(t.Context(), tx, "a")
		})
		switch {
		case errors.Is(err, store.ErrUnknownCommit):
			unknown++
		case err != nil:
			t.Fatal(err)
		}
	}
	if n := length(t, s, "a"); n != 8 || unknown != 3 || told != 5 {
		t.Errorf("%d of 8 additions are there, %d answers were lost and %d came", n, unknown, told)
	}
}

func TestCounterTrips(t *testing.T) {
	c := storetest.NewCounter(storetest.NewMemory())
	ctx := t.Context()
	row := create(t, c, "a")
	chunk := func(r store.Reader) error {
		p := make([]byte, 8)
		return r.ReadAt(ctx, row.ID, []store.Span{{Data: p}, {Offset: 8, Data: p}})
	}
	lookup := func(r store.Reader) error { _, err := r.Lookup(ctx, "a", "a_data"); return err }
	last := func(r store.Reader) error { _, err := r.LastChunk(ctx, row.ID); return err }
	both := func(fns ...func(store.Reader) error) func(store.Reader) error {
		return func(r store.Reader) error {
			for _, fn := range fns {
				if err := fn(r); err != nil {
					return err
				}
			}
			return nil
		}
	}
	for _, test := range []struct {
		what  string
		trips int
		do    func() error
	}{
		{"a Read of a row that was never seen", 2, func() error { return storetest.Read(ctx, c, both(lookup, chunk)) }},
		{"a Read of a row that is remembered", 1, func() error { return storetest.Read(ctx, c, both(lookup, chunk)) }},
		{"a Read of nothing but that", 1, func() error { return storetest.Read(ctx, c, lookup) }},
		{"two reads in a Read", 2, func() error { return storetest.Read(ctx, c, both(lookup, chunk, chunk)) }},
		{"an empty Read", 0, func() error { return storetest.Read(ctx, c, both()) }},
		{"a Snapshot", 3, func() error {
			snap, err := c.Snapshot(ctx)
			if err != nil {
				return err
			}
			defer snap.Close()
			return both(lookup, lookup, last, chunk, chunk)(snap)
		}},
		{"an Update", 2, func() error { return c.Update(ctx, func(tx store.Tx) error { return add(ctx, tx, "a") }) }},
		{"an Update that only reads", 2, func() error {
			return c.Update(ctx, func(tx store.Tx) error { return both(lookup, last, last)(tx) })
		}},
		{"an Update that only writes", 1, func() error {
			return c.Update(ctx, func(tx store.Tx) error { return tx.Put(ctx, "kv", []byte("k"), []byte("v")) })
		}},
	} {
		got, err := c.During(test.do)
		if err != nil {
			t.Fatal(err)
		}
		if got.Trips != test.trips {
			t.Errorf("%s: %v, want %d trips", test.what, got, test.trips)
		}
	}
	got, err := c.During(func() error { return storetest.Read(ctx, c, chunk) })
	must(t, err)
	if want := "1 trips, 2 spans, 16 bytes read and 0 written, Read 1, ReadAt 1"; got.String() != want || got.Total() != 2 {
		t.Errorf("%v, want %s", got, want)
	}
}
