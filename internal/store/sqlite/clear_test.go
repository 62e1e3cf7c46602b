package sqlite

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"columnvault/internal/store"
	"columnvault/internal/store/storetest"
)

// TestClearWithoutRows: SQLite takes some 8 steps a row if it has to look at
// each of them.
func TestClearWithoutRows(t *testing.T) {
	const pairs = 2000
	ctx, s := t.Context(), openStore(t, Options{})
	check(t, s.Update(ctx, func(tx store.Tx) error {
		for i := range pairs {
			if err := tx.Put(ctx, "kv", binary.BigEndian.AppendUint64(nil, uint64(i)), make([]byte, 100)); err != nil {
				return err
			}
		}
		return nil
	}))
	check(t, s.Update(ctx, func(tx store.Tx) error { return tx.Clear(ctx, "kv") }))
	steps, found := 0, false
	for sql, st := range s.writer.stmts {
		if strings.HasPrefix(sql, "DELETE") {
			steps, found = steps+st.Status(sqlite3.STMTSTATUS_VM_STEP, false), true
		}
	}
	if !found || steps > pairs/10 {
		t.Errorf("%d steps for %d pairs, found %v", steps, pairs, found)
	}
	check(t, storetest.Read(ctx, s, func(r store.Reader) error {
		n, err := r.Count(ctx, "kv")
		if n != 0 {
			t.Errorf("%d pairs are left", n)
		}
		return err
	}))
}

// TestClearLeavesWhatIsNoPair: a table that somebody else has made may have
// rows without a key, or no keys at all.
func TestClearLeavesWhatIsNoPair(t *testing.T) {
	ctx, s := t.Context(), openStore(t, Options{})
	check(t, s.writer.exec(`CREATE TABLE loose (key BLOB PRIMARY KEY, value BLOB);
		INSERT INTO loose VALUES (NULL, x'00'), (x'01', x'00'), (x'02', x'00');
		CREATE TABLE other (id INTEGER PRIMARY KEY); INSERT INTO other VALUES (1)`))
	check(t, s.Update(ctx, func(tx store.Tx) error { return tx.Clear(ctx, "loose") }))
	if n, err := s.writer.integer(`SELECT count(*) FROM loose`); n != 1 || err != nil {
		t.Errorf("%d rows, %v, want the one without a key", n, err)
	}
	if err := s.Update(ctx, func(tx store.Tx) error { return tx.Clear(ctx, "other") }); err == nil {
		t.Error("a table without keys was cleared")
	}
	if n, err := s.writer.integer(`SELECT count(*) FROM other`); n != 1 || err != nil {
		t.Errorf("%d rows, %v", n, err)
	}
}
