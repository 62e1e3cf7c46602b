package postgres_test

import (
	"sync"
	"testing"
	"time"

	"columnvault/internal/store"
	"columnvault/internal/store/postgres"
	"columnvault/internal/vaulttest/pgserver"
)

// TestContended has eight stores, as of eight processes, change one column at the
// same time. They soon stop to go on with what they remember of it, and then take
// hardly more trips than stores that lock it first every time, and no more time.
func TestContended(t *testing.T) {
	ctx := t.Context()
	p := pgserver.NewProxy(t, pgserver.DSN(t))
	const writers, times = 8, 40
	var stores []*postgres.Store
	for range writers {
		s := openAt(t, p.DSN, postgres.Options{BusyTimeout: time.Minute})
		defer s.Close()
		stores = append(stores, s)
	}
	// round has each add to the length of a column of its own kind.
	round := func(name string, lockFirst bool) (trips int, took time.Duration) {
		var col store.Row
		err := stores[0].Update(ctx, func(tx store.Tx) (err error) {
			col, err = tx.CreateColumn(ctx, store.Row{Name: name, DType: "i64", ElemSize: 8, MinChunk: 64, MaxChunk: 64})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		add := func(s *postgres.Store) {
			err := s.Update(ctx, func(tx store.Tx) error {
				rows, err := tx.Lookup(ctx, name)
				if err != nil {
					return err
				}
				return tx.SetLength(ctx, rows[0].ID, rows[0].Length+1)
			})
			if err != nil {
				t.Error(err)
			}
		}
		all := func(times int) {
			var wg sync.WaitGroup
			for _, s := range stores {
				wg.Go(func() {
					for range times {
						add(s)
					}
				})
			}
			wg.Wait()
		}
		for _, s := range stores {
			add(s)
			if lockFirst {
				postgres.LockFirst(s, col.ID)
			}
		}
		all(3) // until all have noticed
		start := time.Now()
		trips, _, _ = p.During(func() { all(times) })
		took = time.Since(start)
		snap, err := stores[0].Snapshot(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer snap.Close()
		rows, err := snap.LookupID(ctx, col.ID)
		if want := int64(writers * (1 + 3 + times)); err != nil || len(rows) != 1 || rows[0].Length != want {
			t.Errorf("%+v, %v, want a length of %d", rows, err, want)
		}
		return trips, took
	}
	round("warm", true) // connections are made, and statements prepared
	locked, lockedTook := round("locked first", true)
	trips, took := round("as it is", false)
	t.Logf("%d changes by %d stores take %d trips and %v, and %d and %v where each locks first", writers*times, writers, trips, took, locked, lockedTook)
	if trips > locked*5/4 {
		t.Errorf("%d changes take %d trips, and %d where each locks first", writers*times, trips, locked)
	}
}

// TestContentionEnds: what others have stopped to change is remembered again.
func TestContentionEnds(t *testing.T) {
	ctx := t.Context()
	p := pgserver.NewProxy(t, pgserver.DSN(t))
	a, b := openAt(t, p.DSN, postgres.Options{}), openAt(t, p.DSN, postgres.Options{})
	defer a.Close()
	defer b.Close()
	err := a.Update(ctx, func(tx store.Tx) error {
		_, err := tx.CreateColumn(ctx, store.Row{Name: "a", DType: "i64", ElemSize: 8, MinChunk: 64, MaxChunk: 64})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	add := func(s *postgres.Store) {
		t.Helper()
		err := s.Update(ctx, func(tx store.Tx) error {
			rows, err := tx.Lookup(ctx, "a")
			if err != nil {
				return err
			}
			return tx.SetLength(ctx, rows[0].ID, rows[0].Length+1)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		add(a)
		add(b)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if trips, _, _ := p.During(func() { add(a) }); trips == 1 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("a column that nobody else changes takes more than a trip for good")
		}
	}
}
