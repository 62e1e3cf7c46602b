package sqlite

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"columnvault/internal/store"
)

// TestClearIsNotRowByRow counts the steps of SQLite's machine.
func TestClearIsNotRowByRow(t *testing.T) {
	ctx := t.Context()
	s := openStore(t, Options{})
	const pairs = 5000
	check(t, s.Update(ctx, func(tx store.Tx) error {
		for i := range uint64(pairs) {
			if err := tx.Put(ctx, "kv", binary.BigEndian.AppendUint64(nil, i), []byte("value")); err != nil {
				return err
			}
		}
		return nil
	}))
	check(t, s.Update(ctx, func(tx store.Tx) error { return tx.Clear(ctx, "kv") }))
	steps := 0
	for _, st := range s.writer.stmts {
		if st.SQL() == `DELETE FROM "kv"` {
			steps = st.Status(sqlite3.STMTSTATUS_VM_STEP, false)
		}
	}
	if steps == 0 || steps > pairs {
		t.Errorf("clearing %d pairs takes %d steps", pairs, steps)
	}
	snap, err := s.Snapshot(ctx)
	check(t, err)
	defer snap.Close()
	if n, err := snap.Count(ctx, "kv"); n != 0 || err != nil {
		t.Errorf("%d pairs are left, %v", n, err)
	}
}

// TestClearOfOtherTables: what is no table of pairs keeps its rows.
func TestClearOfOtherTables(t *testing.T) {
	ctx := t.Context()
	s := changed(t, `CREATE TABLE other (key, content)`, `INSERT INTO other VALUES (1, 2)`)
	for _, table := range []string{"other", "col_meta"} {
		err := s.Update(ctx, func(tx store.Tx) error { return tx.Clear(ctx, table) })
		if !errors.Is(err, store.ErrInvalidArgument) {
			t.Errorf("Clear of %s: %v", table, err)
		}
	}
	check(t, s.Update(ctx, func(tx store.Tx) error { return tx.Clear(ctx, "none") }))
	if n, err := s.writer.integer(`SELECT (SELECT count(*) FROM other) + (SELECT count(*) FROM col_meta)`); n != 2 || err != nil {
		t.Errorf("%d rows are left, %v", n, err)
	}
}
