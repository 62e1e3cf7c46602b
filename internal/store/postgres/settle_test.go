package postgres_test

import (
	"errors"
	"testing"
	"time"

	"columnvault/internal/store"
	"columnvault/internal/store/postgres"
	"columnvault/internal/vaulttest/pgserver"
)

// TestUnknownCommit loses the answer of a commit, and then the server. Whoever
// committed is told that the outcome is unknown, and nothing is tried again.
func TestUnknownCommit(t *testing.T) {
	ctx, dsn := t.Context(), pgserver.DSN(t)
	p := pgserver.NewProxy(t, dsn)
	s := openAt(t, p.DSN, postgres.Options{Settling: 300 * time.Millisecond})
	defer s.Close()
	var col store.Row
	runs := 0
	add := func(tx store.Tx) error {
		runs++
		rows, err := tx.Lookup(ctx, "a")
		if err != nil {
			return err
		}
		return tx.SetLength(ctx, rows[0].ID, rows[0].Length+1)
	}
	err := s.Update(ctx, func(tx store.Tx) (err error) {
		col, err = tx.CreateColumn(ctx, store.Row{Name: "a", DType: "i64", ElemSize: 8, MinChunk: 64, MaxChunk: 64})
		return err
	})
	for range 3 { // from the third on it is one trip, whose statements are prepared
		err = errors.Join(err, s.Update(ctx, add))
	}
	if err != nil {
		t.Fatal(err)
	}
	_, _, down := p.During(func() { err = s.Update(ctx, add) })
	if err != nil || down < 10 {
		t.Fatal(err, down)
	}
	runs = 0
	p.Refuse() // for new connections
	p.CutAnswerAfter(down - 1)
	err = s.Update(ctx, func(tx store.Tx) error {
		tx.OnCommit(func() { t.Error("OnCommit is called") })
		return add(tx)
	})
	if !errors.Is(err, store.ErrUnknownCommit) || runs != 1 {
		t.Errorf("%d runs, %v", runs, err)
	}
	if _, failed := s.Outcome(ctx, err); !errors.Is(failed, store.ErrUnknownCommit) {
		t.Errorf("Outcome while the server is away: %v", failed)
	}
	p.Accept()
	if committed, failed := s.Outcome(ctx, err); !committed || failed != nil {
		t.Errorf("Outcome: %v, %v", committed, failed)
	}
	if _, failed := s.Outcome(ctx, errors.New("other")); !errors.Is(failed, store.ErrInvalidArgument) {
		t.Errorf("Outcome of another error: %v", failed)
	}
	if s.Stats().Unknown != 1 {
		t.Errorf("%+v", s.Stats())
	}
	direct := openAt(t, dsn, postgres.Options{})
	defer direct.Close()
	snap, err := direct.Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	rows, err := snap.LookupID(ctx, col.ID)
	if err != nil || len(rows) != 1 || rows[0].Length != 5 {
		t.Errorf("%+v, %v, want a length of 5: all of it was committed", rows, err)
	}
}

// TestOtherFormat opens tables of a version that is not known.
func TestOtherFormat(t *testing.T) {
	dsn := pgserver.DSN(t)
	if err := openAt(t, dsn, postgres.Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	pgserver.Exec(t, dsn, `UPDATE columnvault_vault SET format = 99`)
	if _, err := postgres.Open(t.Context(), dsn, postgres.Options{}); !errors.Is(err, store.ErrNotVault) {
		t.Errorf("Open: %v", err)
	}
}

// TestVerify finds chunks of nothing, and values that lack bytes.
func TestVerify(t *testing.T) {
	ctx, dsn := t.Context(), pgserver.DSN(t)
	s := openAt(t, dsn, postgres.Options{})
	defer s.Close()
	err := s.Update(ctx, func(tx store.Tx) error { return tx.Put(ctx, "kv", []byte("large"), make([]byte, 1<<20)) })
	if err != nil {
		t.Fatal(err)
	}
	pgserver.Exec(t, dsn, `DELETE FROM columnvault_chunks WHERE chunk_idx = 2`)
	pgserver.Exec(t, dsn, `INSERT INTO columnvault_chunks VALUES (77, 0, 9, 0, '', 'abc')`)
	snap, err := s.Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	found, err := snap.Verify(ctx, true)
	if err != nil || len(found) != 2 || found[0].Kind != store.FoundOrphan || found[0].Column != 77 || found[0].Bytes != 3 || found[1].Table != "kv" || !found[1].Damage {
		t.Errorf("%+v, %v", found, err)
	}
	if _, err := snap.Get(ctx, "kv", []byte("large")); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("Get: %v", err)
	}
}

// TestRemovedBehind has somebody make the vault anew behind the back of one that
// is open: what that remembers must not make it lose what it writes.
func TestRemovedBehind(t *testing.T) {
	ctx, dsn := t.Context(), pgserver.DSN(t)
	s := openAt(t, dsn, postgres.Options{})
	defer s.Close()
	var col store.Row
	err := s.Update(ctx, func(tx store.Tx) (err error) {
		if col, err = tx.CreateColumn(ctx, store.Row{Name: "a", DType: "i64", ElemSize: 8, MinChunk: 64, MaxChunk: 64}); err != nil {
			return err
		}
		return tx.Put(ctx, "kv", []byte("key"), nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	pgserver.Exec(t, dsn, `DELETE FROM columnvault_tables; DELETE FROM columnvault_columns; DELETE FROM columnvault_pairs`)
	err = s.Update(ctx, func(tx store.Tx) error { return tx.Put(ctx, "kv", []byte("other"), nil) })
	if !errors.Is(err, store.ErrReplaced) {
		t.Errorf("Put: %v", err)
	}
	err = s.Update(ctx, func(tx store.Tx) error { return tx.SetLength(ctx, col.ID, 1) })
	if !errors.Is(err, store.ErrNotFound) {
		t.Errorf("SetLength: %v", err)
	}
}

// TestConnections has no connection left.
func TestConnections(t *testing.T) {
	ctx, dsn := t.Context(), pgserver.DSN(t)
	if _, err := postgres.Open(ctx, dsn+"&pool_max_conns=one", postgres.Options{}); !errors.Is(err, store.ErrInvalidArgument) {
		t.Errorf("Open: %v", err)
	}
	s := openAt(t, dsn+"&pool_max_conns=2", postgres.Options{BusyTimeout: 10 * time.Millisecond})
	defer s.Close()
	for range 2 {
		snap, err := s.Snapshot(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer snap.Close()
	}
	if _, err := s.Snapshot(ctx); !errors.Is(err, store.ErrBusy) {
		t.Errorf("a third snapshot: %v", err)
	}
}
