package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"columnvault/internal/store"
)

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

func testAttrs(t *testing.T, s store.Store) {
	ctx := t.Context()
	for _, layout := range []store.Layout{store.LayoutV0, store.LayoutNative} {
		row := func(name, attrs string) store.Row {
			return store.Row{Name: name, DType: "i64", ElemSize: 8, MinChunk: 64, MaxChunk: 1024, Layout: layout, Attrs: attrs}
		}
		name := func(n string) string { return fmt.Sprint(n, " ", layout) }
		var plain, timed store.Row
		update(t, s, func(tx store.Tx) (err error) {
			if plain, err = tx.CreateColumn(ctx, row(name("plain"), "")); err != nil {
				return err
			}
			timed, err = tx.CreateColumn(ctx, row(name("timed"), "time=us null"))
			return err
		})
		want := func(r store.Reader, id store.ColumnID, want string) {
			t.Helper()
			byID, err := r.LookupID(ctx, id)
			if err != nil || len(byID) != 1 || byID[0].Attrs != want {
				t.Fatalf("by ID: %+v, %v, want the attrs %q", byID, err, want)
			}
			if byName, ok := lookup(t, r, byID[0].Name); !ok || byName != byID[0] {
				t.Errorf("by name: %+v, and by ID %+v", byName, byID[0])
			}
			all, err := r.Columns(ctx)
			if err != nil || !slices.Contains(all, byID[0]) {
				t.Errorf("Columns: %+v, %v, without %+v", all, err, byID[0])
			}
		}
		before := snapshot(t, s)
		want(before, plain.ID, "")
		want(before, timed.ID, "time=us null")
		update(t, s, func(tx store.Tx) error {
			want(tx, timed.ID, "time=us null")
			if err := errors.Join(tx.SetAttrs(ctx, plain.ID, "date"), tx.SetAttrs(ctx, timed.ID, ""), tx.SetLength(ctx, plain.ID, 5)); err != nil {
				return err
			}
			want(tx, plain.ID, "date")
			want(tx, timed.ID, "")
			return tx.RenameColumn(ctx, plain.ID, name("dated"))
		})
		want(before, plain.ID, "")
		want(snapshot(t, s), plain.ID, "date")
		want(snapshot(t, s), timed.ID, "")
		if dated, _ := lookup(t, snapshot(t, s), name("dated")); dated.Length != 5 {
			t.Errorf("after all: %+v", dated)
		}
		update(t, s, func(tx store.Tx) error {
			long := strings.Repeat("x", store.MaxAttrs+1)
			_, err := tx.CreateColumn(ctx, row(name("long"), long))
			wantErr(t, "create with long attrs", err, store.ErrTooLarge)
			wantErr(t, "long attrs", tx.SetAttrs(ctx, plain.ID, long), store.ErrTooLarge)
			return tx.SetAttrs(ctx, plain.ID, long[1:])
		})
		want(snapshot(t, s), plain.ID, strings.Repeat("x", store.MaxAttrs))
		update(t, s, func(tx store.Tx) error {
			if err := tx.DropColumn(ctx, plain.ID); err != nil {
				return err
			}
			wantErr(t, "attrs of what is gone", tx.SetAttrs(ctx, plain.ID, "date"), store.ErrNotFound)
			return nil
		})
	}
}

// testCatalogVersion: two transactions share a version only if they find the
// same columns.
func testCatalogVersion(t *testing.T, s store.Store) {
	ctx := t.Context()
	a := create(t, s, "a")
	seen := map[uint64]string{}
	// look compares the columns with those that were seen under the version.
	look := func(r store.Reader) uint64 {
		t.Helper()
		version, err := r.CatalogVersion(ctx)
		all, failed := r.Columns(ctx)
		if err != nil || failed != nil {
			t.Fatal(err, failed)
		}
		columns := ""
		for _, row := range all {
			columns += fmt.Sprint(row.ID, row.Name, row.DType, row.Attrs, ";")
		}
		if before, ok := seen[version]; ok && before != columns {
			t.Errorf("the version %d is of the columns %s and of %s", version, before, columns)
		}
		seen[version] = columns
		return version
	}
	var b store.Row
	steps := []func(tx store.Tx) error{
		func(tx store.Tx) (err error) {
			b, err = tx.CreateColumn(ctx, store.Row{Name: "b", DType: "i64", ElemSize: 8, MinChunk: 64, MaxChunk: 64})
			return err
		},
		func(tx store.Tx) error { return tx.SetAttrs(ctx, b.ID, "date") },
		func(tx store.Tx) error { return tx.RenameColumn(ctx, b.ID, "c") },
		func(tx store.Tx) error { return tx.SetAttrs(ctx, a.ID, "null") },
		func(tx store.Tx) error { return tx.DropColumn(ctx, b.ID) },
	}
	for _, step := range steps {
		failed := s.Update(ctx, func(tx store.Tx) error {
			look(tx)
			if err := step(tx); err != nil {
				return err
			}
			look(tx)
			return errUndo
		})
		if !errors.Is(failed, errUndo) {
			t.Fatal(failed)
		}
		update(t, s, func(tx store.Tx) error { look(tx); err := step(tx); look(tx); return err })
		look(snapshot(t, s))
	}
}
