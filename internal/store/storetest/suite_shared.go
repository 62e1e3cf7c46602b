package storetest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"testing"

	"columnvault/internal/store"
)

// workers is how many goroutines work on one store at the same time.
const workers = 8

// together runs fn in all workers. Their errors are the test's.
func together(t *testing.T, fn func(worker int) error) {
	t.Helper()
	var wg sync.WaitGroup
	errs := make([]error, workers)
	for i := range workers {
		wg.Go(func() { errs[i] = fn(i) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// testCounting has many writers add to one length: none may be lost.
func testCounting(t *testing.T, s store.Store) {
	ctx := t.Context()
	create(t, s, "a")
	const each = 25
	together(t, func(int) error {
		for range each {
			err := s.Update(ctx, func(tx store.Tx) error {
				rows, err := tx.Lookup(ctx, "a")
				if err != nil {
					return err
				}
				return tx.SetLength(ctx, rows[0].ID, rows[0].Length+1)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if got, _ := lookup(t, snapshot(t, s), "a"); got.Length != workers*each {
		t.Errorf("%d of %d additions are there", got.Length, workers*each)
	}
}

// testEnsuring has many writers create a column unless it is there: all must
// come to the same one, and without an error.
func testEnsuring(t *testing.T, s store.Store) {
	ctx := t.Context()
	for round := range 10 {
		name := fmt.Sprint("column ", round)
		var ids [workers]store.ColumnID
		together(t, func(worker int) error {
			return s.Update(ctx, func(tx store.Tx) error {
				rows, err := tx.Lookup(ctx, name)
				if err != nil {
					return err
				}
				if len(rows) == 0 {
					row, err := tx.CreateColumn(ctx, store.Row{Name: name, DType: "i64", ElemSize: 8, MinChunk: 64, MaxChunk: 1024})
					if err != nil {
						return err
					}
					rows = append(rows, row)
				}
				ids[worker] = rows[0].ID
				return nil
			})
		})
		for _, id := range ids {
			if id != ids[0] {
				t.Fatalf("one name and the IDs %v", ids)
			}
		}
	}
}

// testSkew has every writer change one of two columns if both are empty. Each
// alone keeps the rule that one of them stays empty; without serializable
// transactions two of them together break it.
func testSkew(t *testing.T, s store.Store) {
	ctx := t.Context()
	ids := []store.ColumnID{create(t, s, "a").ID, create(t, s, "b").ID}
	for range 20 {
		update(t, s, func(tx store.Tx) error {
			return errors.Join(tx.SetLength(ctx, ids[0], 0), tx.SetLength(ctx, ids[1], 0))
		})
		together(t, func(worker int) error {
			return s.Update(ctx, func(tx store.Tx) error {
				rows, err := tx.LookupID(ctx, ids...)
				if err != nil {
					return err
				}
				if rows[0].Length+rows[1].Length > 0 {
					return nil
				}
				return tx.SetLength(ctx, ids[worker%2], 1)
			})
		})
		rows, err := snapshot(t, s).LookupID(ctx, ids...)
		if err != nil {
			t.Fatal(err)
		}
		if n := rows[0].Length + rows[1].Length; n != 1 {
			t.Fatalf("%d of two columns are not empty, want 1", n)
		}
	}
}

// testMoment reads two columns that are always changed together: what a
// snapshot or a Read shows must be of one moment.
func testMoment(t *testing.T, s store.Store) {
	ctx := t.Context()
	ids := []store.ColumnID{create(t, s, "a").ID, createNative(t, s, "b").ID}
	write := func(n int64) error {
		return s.Update(ctx, func(tx store.Tx) error {
			for _, id := range ids {
				data := binary.LittleEndian.AppendUint64(nil, uint64(n))
				if err := tx.PutChunk(ctx, id, store.Chunk{Number: n % 3, Capacity: 8}, data); err != nil {
					return err
				}
				if err := tx.SetLength(ctx, id, n); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := write(0); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		for n := range int64(100) {
			if err := write(n); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for {
		if err := Read(ctx, s, func(r store.Reader) error { return oneMoment(t, r, ids) }); err != nil {
			t.Fatal(err)
		}
		snap := snapshot(t, s)
		for range 3 {
			if err := oneMoment(t, snap, ids); err != nil {
				t.Fatal(err)
			}
		}
		snap.Close()
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			return
		default:
		}
	}
}

// oneMoment reports columns that differ.
func oneMoment(t *testing.T, r store.Reader, ids []store.ColumnID) error {
	var n [2]int64
	for i, id := range ids {
		rows, err := r.LookupID(t.Context(), id)
		if err != nil {
			return err
		}
		n[i] = rows[0].Length
		p, err := read(t.Context(), r, id, n[0]%3, 0, 8)
		if err != nil {
			return err
		}
		if value := int64(binary.LittleEndian.Uint64(p)); n[i] != n[0] || value != n[0] {
			return fmt.Errorf("lengths %v, and the bytes of column %d are of %d", n, i, value)
		}
	}
	return nil
}
