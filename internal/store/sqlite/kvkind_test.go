package sqlite_test

import (
	"errors"
	"slices"
	"testing"

	"columnvault/internal/store"
)

func TestTableKind(t *testing.T) {
	s, path := openFile(t)
	const plain = `(key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL)`
	execute(t, path, `
		CREATE TABLE plain (
                key   BLOB PRIMARY KEY NOT NULL,
                value BLOB NOT NULL
            );
		CREATE TABLE "Quoted Name" `+plain+`;
		CREATE TABLE json_tree `+plain+`;
		CREATE TABLE checked (key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL CHECK (length(value) < 3));
		CREATE TABLE text (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL);
		CREATE TABLE strict `+plain+` STRICT;
		CREATE TABLE withoutrowid `+plain+` WITHOUT ROWID;
		CREATE TABLE wide (key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL, also TEXT NOT NULL);
		CREATE TABLE nocase (key BLOB PRIMARY KEY NOT NULL COLLATE NOCASE, value BLOB NOT NULL);
		CREATE TABLE indexed `+plain+`; CREATE UNIQUE INDEX theindex ON indexed (value);
		CREATE TABLE triggered `+plain+`; CREATE TRIGGER thetrigger BEFORE INSERT ON triggered BEGIN SELECT RAISE(ABORT, 'no'); END;
		CREATE TABLE unkeyed (key BLOB, value BLOB);
		CREATE TABLE other (id INTEGER PRIMARY KEY, name TEXT);
		CREATE VIEW aview AS SELECT key, value FROM plain;
		CREATE VIEW broken AS SELECT key, value FROM absent;
		PRAGMA writable_schema = ON; -- the driver has no such module
		INSERT INTO sqlite_schema VALUES ('table', 'words', 'words', 0, 'CREATE VIRTUAL TABLE words USING fts5(key, value)');
	`)
	snap, err := s.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	for table, want := range map[string]store.TableKind{
		"absent": store.TableNone, "thetrigger": store.TableNone, "words ": store.TableNone, "col_meta2": store.TableNone,
		"plain": store.TablePlain, "PLAIN": store.TablePlain, "quoted name": store.TablePlain, "json_tree": store.TablePlain,
		"checked": store.TableOther, "text": store.TableOther, "strict": store.TableOther, "withoutrowid": store.TableOther,
		"wide": store.TableOther, "nocase": store.TableOther, "indexed": store.TableOther, "Triggered": store.TableOther,
	} {
		if got, err := snap.Table(t.Context(), table); got.Kind != want || err != nil {
			t.Errorf("%q: %v, %v, want %v", table, got, err, want)
		}
	}
	tables, err := snap.Tables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, table := range tables {
		found = append(found, table.Name)
		if got, err := snap.Table(t.Context(), table.Name); got != table || err != nil {
			t.Errorf("%q: %v, %v, want %v", table.Name, got, err, table)
		}
	}
	all := []string{"checked", "indexed", "json_tree", "nocase", "plain", "quoted name", "strict", "text", "triggered", "wide", "withoutrowid"}
	if !slices.Equal(found, all) {
		t.Errorf("the tables are %q, want %q", found, all)
	}
	for _, table := range []string{
		"columnvault_chunks", "COLUMNVAULT_CHUNKS", "columnvault_anything", "col_meta", "Col_Meta", "col_chunks", "kohakuvault_meta",
		"KohakuVault_Meta", "kvault_col_columns", "col_meta_name_idx", "sqlite_schema", "SQLITE_MASTER", "sqlite_sequence", "sqlite_autoindex_plain_1",
		"json_each", "JSON_EACH", "pragma_table_list", "pragma_anything_else", "dbstat", "generate_series", "theindex",
		"unkeyed", "other", "aview", "broken", "words", "a\x00b", "",
	} {
		if table == "generate_series" || table == "dbstat" || table == "pragma_anything_else" {
			// Whether SQLite knows them depends on how it was built.
			if got, err := snap.Table(t.Context(), table); err == nil && got.Kind != store.TableNone {
				t.Errorf("%q: %v", table, got)
			} else if err == nil {
				continue
			}
		}
		if got, err := snap.Table(t.Context(), table); !errors.Is(err, store.ErrInvalidArgument) {
			t.Errorf("Table %q: %v, %v", table, got, err)
		}
		// What cannot hold pairs says so whenever one is written.
		err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Put(t.Context(), table, []byte("k"), []byte("v")) })
		if !errors.Is(err, store.ErrInvalidArgument) {
			t.Errorf("Put in %q: %v", table, err)
		}
		err = s.Update(t.Context(), func(tx store.Tx) error { return tx.PutZero(t.Context(), table, []byte("k"), 5) })
		if !errors.Is(err, store.ErrInvalidArgument) && table != "unkeyed" {
			t.Errorf("PutZero in %q: %v", table, err)
		}
	}
	// What a TablePlain or none takes is taken, what a TableOther refuses is
	// refused with the same kind of error.
	for table, want := range map[string]error{
		"absent": nil, "thetrigger": nil, "plain": nil, "json_tree": nil, "Quoted Name": nil,
		"checked": store.ErrInvalidArgument, "strict": nil, "text": nil, "wide": store.ErrInvalidArgument,
	} {
		err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Put(t.Context(), table, []byte("key"), []byte("value")) })
		if !errors.Is(err, want) {
			t.Errorf("Put in %q: %v, want %v", table, err, want)
		}
	}
}
