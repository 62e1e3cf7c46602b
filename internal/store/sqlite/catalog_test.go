package sqlite_test

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"columnvault/internal/store"
	"columnvault/internal/store/sqlite"
	"columnvault/internal/store/storetest"
)

// openFile opens a vault and returns its path, too.
func openFile(t *testing.T) (*sqlite.Store, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.db")
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, path
}

// execute runs SQL on the file as another program would.
func execute(t *testing.T, path, sql string) {
	t.Helper()
	db, err := sqlite3.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Exec(sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

const insertColumn = `INSERT INTO col_meta (name, dtype, elem_size, length, chunk_bytes, min_chunk_bytes, max_chunk_bytes, col_id) VALUES `

func create(t *testing.T, s store.Store, name string, layout store.Layout) (row store.Row) {
	t.Helper()
	update(t, s, func(tx store.Tx) (err error) {
		row, err = tx.CreateColumn(t.Context(), store.Row{Name: name, DType: "i64", ElemSize: 8, MinChunk: 64, MaxChunk: 1024, Layout: layout})
		return err
	})
	return row
}

func update(t *testing.T, s store.Store, fn func(store.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// find looks a column up by name, and compares its number of rows with want.
func find(t *testing.T, s store.Store, name string, want int) (row store.Row) {
	t.Helper()
	err := storetest.Read(t.Context(), s, func(r store.Reader) error {
		rows, err := r.Lookup(t.Context(), name)
		if len(rows) != want {
			t.Errorf("%d rows named %q, want %d", len(rows), name, want)
		}
		if len(rows) > 0 {
			row = rows[0]
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return row
}

func TestNameInSeveralLayouts(t *testing.T) {
	s, path := openFile(t)
	native := create(t, s, "a", store.LayoutNative)
	// KohakuVault does not see our column, and creates its own.
	execute(t, path, `CREATE TABLE kvault_col_columns (col_id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, dtype TEXT NOT NULL,
		elem_size INTEGER NOT NULL, length INTEGER NOT NULL DEFAULT 0, block_bytes INTEGER NOT NULL);
		INSERT INTO kvault_col_columns (name, dtype, elem_size, length, block_bytes) VALUES ('a', 'f64', 8, 1, 4096);`+
		insertColumn+`('a', 'i32', 4, 0, 64, 64, 1024, 1)`)
	if row := find(t, s, "a", 1); row != native {
		t.Errorf("found %+v, want the native column", row)
	}
	var all []store.Row
	err := storetest.Read(t.Context(), s, func(r store.Reader) (err error) {
		all, err = r.Columns(t.Context())
		return err
	})
	if err != nil || len(all) != 3 {
		t.Fatalf("%d columns, want 3: %v", len(all), err)
	}
	for i, row := range all {
		err := storetest.Read(t.Context(), s, func(r store.Reader) error {
			rows, err := r.LookupID(t.Context(), row.ID)
			if len(rows) != 1 || rows[0] != row {
				t.Errorf("LookupID of %+v: %+v", row, rows)
			}
			return err
		})
		if err != nil || row.ID == all[(i+1)%3].ID {
			t.Errorf("column %+v: %v", row, err)
		}
	}
	update(t, s, func(tx store.Tx) error { return tx.DropColumn(t.Context(), native.ID) })
	if row := find(t, s, "a", 1); row.Layout != store.LayoutV0 || row.DType != "i32" {
		t.Errorf("found %+v, want the column of layout 0", row)
	}
	update(t, s, func(tx store.Tx) error { return tx.DropColumn(t.Context(), all[1].ID) })
	later := find(t, s, "a", 1)
	if later.Layout != store.LayoutV1 || later.DType != "f64" {
		t.Errorf("found %+v, want the column of layout 1", later)
	}
	for what, change := range map[string]func(tx store.Tx) error{
		"drop":   func(tx store.Tx) error { return tx.DropColumn(t.Context(), later.ID) },
		"rename": func(tx store.Tx) error { return tx.RenameColumn(t.Context(), later.ID, "b") },
		"length": func(tx store.Tx) error { return tx.SetLength(t.Context(), later.ID, 5) },
		"chunk":  func(tx store.Tx) error { return tx.PutChunk(t.Context(), later.ID, store.Chunk{}, nil) },
		"read":   func(tx store.Tx) error { _, err := tx.LastChunk(t.Context(), later.ID); return err },
	} {
		if err := s.Update(t.Context(), change); !errors.Is(err, store.ErrCorrupt) {
			t.Errorf("%s of a column of a layout 1 without a version: %v", what, err)
		}
	}
	execute(t, path, `CREATE TABLE kvault_col_format (singleton INTEGER PRIMARY KEY, version INTEGER); INSERT INTO kvault_col_format VALUES (1, 2);`)
	err = s.Update(t.Context(), func(tx store.Tx) error { return tx.DropColumn(t.Context(), later.ID) })
	if !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("a column of a later layout 1: %v", err)
	}
}

// TestTablesThatComeLater has other programs add tables that the file did not
// have when a connection looked for them.
func TestTablesThatComeLater(t *testing.T) {
	s, path := openFile(t)
	other, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	find(t, s, "a", 0)
	find(t, other, "a", 0)
	undo := errors.New("undo")
	err = s.Update(t.Context(), func(tx store.Tx) error {
		if err := tx.Put(t.Context(), "pairs", nil, nil); err != nil { // changes the schema, for now
			return err
		}
		if rows, err := tx.Lookup(t.Context(), "b"); len(rows) != 0 || err != nil {
			return err
		}
		return undo
	})
	if !errors.Is(err, undo) {
		t.Fatal(err)
	}
	create(t, other, "a", store.LayoutNative)
	find(t, s, "a", 1)
	update(t, s, func(tx store.Tx) error {
		rows, err := tx.Lookup(t.Context(), "a")
		if len(rows) != 1 {
			t.Error("a transaction does not see the new column")
		}
		return err
	})
}

// TestColumnNumbers has numbers of columns that KohakuVault does not give.
func TestColumnNumbers(t *testing.T) {
	s, path := openFile(t)
	execute(t, path, insertColumn+`('zero', 'i64', 8, 1, 64, 64, 1024, 0), ('negative', 'i64', 8, 1, 64, 64, 1024, -7),
		('large', 'i64', 8, 1, 64, 64, 1024, 4611686018427387904);
		INSERT INTO col_chunks (col_id, chunk_idx, data, actual_size) VALUES (0, 0, zeroblob(64), 64), (-7, 0, zeroblob(64), 64);`)
	for _, name := range []string{"zero", "negative"} {
		row := find(t, s, name, 1)
		if row.ID == 0 {
			t.Errorf("the column %q has the ID of none", name)
		}
		update(t, s, func(tx store.Tx) error {
			if c, err := tx.LastChunk(t.Context(), row.ID); c.Capacity != 64 || err != nil {
				t.Errorf("the chunk of %q: %+v, %v", name, c, err)
			}
			return tx.DropColumn(t.Context(), row.ID)
		})
		find(t, s, name, 0)
	}
	large := find(t, s, "large", 1)
	err := s.Update(t.Context(), func(tx store.Tx) error { return tx.DropColumn(t.Context(), large.ID) })
	if !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("drop of a column with a number that is too large: %v", err)
	}
	err = storetest.Read(t.Context(), s, func(r store.Reader) error {
		_, err := r.Chunk(t.Context(), large.ID, 0)
		return err
	})
	if !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a chunk of it: %v", err)
	}
	if n := orphans(t, s); n != 0 {
		t.Errorf("%d chunks are left over", n)
	}
}

// orphans is how many chunks Verify says belong to no column.
func orphans(t *testing.T, s store.Store) (n int64) {
	t.Helper()
	err := storetest.Read(t.Context(), s, func(r store.Reader) error {
		found, err := r.Verify(t.Context(), false)
		for _, f := range found {
			fmt.Sscanf(f.Text, "chunks that belong to no column: %d", &n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestNumbersAreNotGivenAgain drops columns between which another program
// creates its own, which gets the number after the highest there is.
func TestNumbersAreNotGivenAgain(t *testing.T) {
	s, path := openFile(t)
	drop := func(id store.ColumnID) {
		t.Helper()
		update(t, s, func(tx store.Tx) error { return tx.DropColumn(t.Context(), id) })
	}
	seen := map[store.ColumnID]bool{}
	fresh := func(name string) store.ColumnID {
		t.Helper()
		id := create(t, s, name, store.LayoutV0).ID
		if seen[id] {
			t.Errorf("the ID %d was given again, to %q", id, name)
		}
		seen[id] = true
		return id
	}
	a, b, c := fresh("a"), fresh("b"), fresh("c")
	drop(c)
	drop(b)
	execute(t, path, insertColumn+`('theirs', 'i64', 8, 0, 64, 64, 1024, NULL)`)
	drop(find(t, s, "theirs", 1).ID) // it had the number of b
	d := fresh("d")
	drop(a)
	drop(d)
	fresh("e")
}

func TestOrphansOfNativeColumns(t *testing.T) {
	s, path := openFile(t)
	row := create(t, s, "a", store.LayoutNative)
	update(t, s, func(tx store.Tx) error {
		for n := range int64(3) {
			if err := tx.PutChunk(t.Context(), row.ID, store.Chunk{Number: n, Capacity: 8}, nil); err != nil {
				return err
			}
		}
		return nil
	})
	if n := orphans(t, s); n != 0 {
		t.Errorf("%d orphans in a sound file", n)
	}
	execute(t, path, `INSERT INTO columnvault_runs VALUES (99, 0, 0, 0, 99, x'')`)
	if n := orphans(t, s); n != 1 {
		t.Errorf("%d orphans, want the chunk that was added", n)
	}
	// Bytes that are gone are damage, whatever is done with the chunk.
	execute(t, path, `DELETE FROM columnvault_bytes WHERE bytes_id = 1`)
	for what, change := range map[string]func(tx store.Tx) error{
		"PutChunk": func(tx store.Tx) error { return tx.PutChunk(t.Context(), row.ID, store.Chunk{Capacity: 8}, nil) },
		"WriteAt":  func(tx store.Tx) error { return tx.WriteAt(t.Context(), row.ID, []store.Span{{Data: []byte("x")}}) },
		"ReadAt":   func(tx store.Tx) error { return tx.ReadAt(t.Context(), row.ID, []store.Span{{Data: make([]byte, 1)}}) },
	} {
		if err := s.Update(t.Context(), change); !errors.Is(err, store.ErrCorrupt) {
			t.Errorf("%s of a chunk without bytes: %v", what, err)
		}
	}
	update(t, s, func(tx store.Tx) error { return tx.DropChunks(t.Context(), row.ID, math.MinInt64, math.MaxInt64) })
}

// TestCatalogVersionLasts: transactions that change elements leave the version
// as it is, and those of other programs, which cannot be known, do not.
func TestCatalogVersionLasts(t *testing.T) {
	s, path := openFile(t)
	a := create(t, s, "a", store.LayoutV0)
	version := func() (version uint64) {
		update(t, s, func(tx store.Tx) (err error) {
			if version, err = tx.CatalogVersion(t.Context()); err != nil {
				return err
			}
			return tx.SetLength(t.Context(), a.ID, int64(version))
		})
		return version
	}
	first := version()
	if again := version(); again != first {
		t.Errorf("the version went from %d to %d with a length", first, again)
	}
	execute(t, path, insertColumn+`('b', 'i64', 8, 0, 64, 64, 1024, 77)`)
	if after := version(); after == first {
		t.Error("the version is the same after another program has created a column")
	}
}
