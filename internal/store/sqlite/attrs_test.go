package sqlite_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"columnvault/internal/store"
	"columnvault/internal/store/sqlite"
	"columnvault/internal/store/storetest"
)

// attrsOf is what a vault says of a column.
func attrsOf(t *testing.T, s store.Store, name string) string {
	t.Helper()
	return find(t, s, name, 1).Attrs
}

// TestAttrsOfOthers has another connection add the field for attrs, change it,
// and take it away, beside a vault that has read the column before.
func TestAttrsOfOthers(t *testing.T) {
	ctx := t.Context()
	s, path := openFile(t)
	row := create(t, s, "a", store.LayoutV0)
	if got := attrsOf(t, s, "a"); got != "" {
		t.Fatalf("a new column has the attrs %q", got)
	}
	execute(t, path, `ALTER TABLE col_meta ADD COLUMN columnvault_attrs TEXT`)
	if got := attrsOf(t, s, "a"); got != "" {
		t.Errorf("attrs that are NULL are read as %q", got)
	}
	execute(t, path, `UPDATE col_meta SET columnvault_attrs = 'time=us'`)
	if got := attrsOf(t, s, "a"); got != "time=us" {
		t.Errorf("attrs of another program are read as %q", got)
	}
	execute(t, path, `ALTER TABLE col_meta DROP COLUMN columnvault_attrs`)
	if got := attrsOf(t, s, "a"); got != "" {
		t.Errorf("attrs that are gone are read as %q", got)
	}
	update(t, s, func(tx store.Tx) error { return tx.SetAttrs(ctx, row.ID, "date") })
	if got := attrsOf(t, s, "a"); got != "date" {
		t.Errorf("attrs are read as %q", got)
	}
	execute(t, path, `UPDATE col_meta SET columnvault_attrs = x'ff00'`)
	if got := attrsOf(t, s, "a"); got != "\xff\x00" {
		t.Errorf("attrs that are no text are read as %q", got)
	}
	execute(t, path, `UPDATE col_meta SET columnvault_attrs = replace(hex(zeroblob(1000000)), '00', 'x')`)
	if got := attrsOf(t, s, "a"); len(got) != store.MaxAttrs+1 {
		t.Errorf("%d bytes of long attrs are read", len(got))
	}
}

// TestAttrsOfAnotherVault has two vaults on a file, of which one adds the field.
func TestAttrsOfAnotherVault(t *testing.T) {
	ctx := t.Context()
	s, path := openFile(t)
	other, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	row := create(t, s, "a", store.LayoutV0)
	for _, v := range []store.Store{s, other} { // both readers and writers have seen it
		attrsOf(t, v, "a")
		update(t, v, func(tx store.Tx) error { return tx.SetLength(ctx, row.ID, 0) })
	}
	old, err := other.Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	update(t, s, func(tx store.Tx) error { return tx.SetAttrs(ctx, row.ID, "time=ms") })
	if rows, err := old.LookupID(ctx, row.ID); err != nil || len(rows) != 1 || rows[0].Attrs != "" {
		t.Errorf("a snapshot from before: %+v, %v", rows, err)
	}
	if got := attrsOf(t, other, "a"); got != "time=ms" {
		t.Errorf("the other vault reads %q", got)
	}
	update(t, other, func(tx store.Tx) error {
		if rows, err := tx.Lookup(ctx, "a"); err != nil || rows[0].Attrs != "time=ms" {
			t.Errorf("its writer: %+v, %v", rows, err)
		}
		return tx.SetAttrs(ctx, row.ID, "date")
	})
	if got := attrsOf(t, s, "a"); got != "date" {
		t.Errorf("the first vault reads %q", got)
	}
}

// TestAttrsAreUndone rolls back the transaction that has added the field.
func TestAttrsAreUndone(t *testing.T) {
	ctx := t.Context()
	s, path := openFile(t)
	row := create(t, s, "a", store.LayoutV0)
	undo := errors.New("undo")
	err := s.Update(ctx, func(tx store.Tx) error {
		return errors.Join(tx.SetAttrs(ctx, row.ID, "date"), undo)
	})
	if !errors.Is(err, undo) || attrsOf(t, s, "a") != "" {
		t.Errorf("after %v the attrs are %q", err, attrsOf(t, s, "a"))
	}
	schema := func() string { return text(t, path, `SELECT sql FROM sqlite_schema WHERE name = 'col_meta'`) }
	if strings.Contains(schema(), "columnvault_attrs") {
		t.Errorf("the table is left as %s", schema())
	}
	update(t, s, func(tx store.Tx) error { return tx.SetAttrs(ctx, row.ID, "") })
	create(t, s, "b", store.LayoutV0)
	if strings.Contains(schema(), "columnvault_attrs") {
		t.Errorf("without any attrs the table has become %s", schema())
	}
	update(t, s, func(tx store.Tx) error { return tx.SetAttrs(ctx, row.ID, "null") })
	if got := attrsOf(t, s, "a"); got != "null" || !strings.HasSuffix(schema(), ", columnvault_attrs TEXT)") {
		t.Errorf("attrs %q in %s", got, schema())
	}
}

// text runs a query for one text on the file as another program would.
func text(t *testing.T, path, sql string) (value string) {
	t.Helper()
	db, err := sqlite3.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	st, _, err := db.Prepare(sql)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	for st.Step() {
		value = st.ColumnText(0)
	}
	if err := st.Err(); err != nil {
		t.Fatal(err)
	}
	return value
}

// TestAttrsUnderAnotherName: where the field with the meanings of columns has got
// another name, columns mean what their bytes say, and Verify finds it.
func TestAttrsUnderAnotherName(t *testing.T) {
	ctx := t.Context()
	s, path := openFile(t)
	create(t, s, "a", store.LayoutV0)
	verify := func() (found []store.Finding) {
		t.Helper()
		err := storetest.Read(ctx, s, func(r store.Reader) (err error) {
			found, err = r.Verify(ctx, true)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	execute(t, path, `ALTER TABLE col_meta ADD COLUMN columnvault_attrs TEXT; UPDATE col_meta SET columnvault_attrs = 'time=us'`)
	if found := verify(); len(found) > 0 {
		t.Errorf("before: %v", found)
	}
	execute(t, path, `ALTER TABLE col_meta RENAME COLUMN columnvault_attrs TO columnvault_attrr`)
	if found := verify(); len(found) != 1 || found[0].Table != "col_meta" || !strings.Contains(found[0].Text, "columnvault_attrr") {
		t.Errorf("after: %v", found)
	}
}
