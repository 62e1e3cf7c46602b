package sqlrows_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/exchange/sqlrows"
	"columnvault/internal/formattest"
)

// exec makes a database.
func exec(t testing.TB, path, sql string) {
	t.Helper()
	db, err := sqlite3.Open(path)
	if err == nil {
		err = db.Exec(sql)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestTypes checks which types come of declarations and values.
func TestTypes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a#b?.db")
	exec(t, filepath.Join(filepath.Dir(path), "x.db"), `CREATE TABLE "t ""q""" (i INTEGER, n INTEGER, f REAL, mix NUMERIC, wide, s TEXT, b BLOB, any, flag BOOLEAN, at TIMESTAMP, day DATE, notday DATE, doc JSON, "nothing" TEXT);
INSERT INTO "t ""q""" VALUES (1, NULL, 1.5, 1, 9007199254740993, 'x', x'00ff', 1, 1, '2024-02-29 12:30:01', '2024-02-29', 'soon', '{"a":[1]}', NULL);
INSERT INTO "t ""q""" VALUES (-9, 7, 2, 2.5, 1.5, '', x'', 'two', 0, '2024-02-29T12:30:01.5Z', '1969-12-31', '2024-01-01', 'null', NULL);
CREATE VIEW v AS SELECT 1`)
	if err := os.Rename(filepath.Join(filepath.Dir(path), "x.db"), path); err != nil {
		t.Fatal(err)
	}
	r := sqlrows.NewReader(path, `t "q"`, nil)
	defer r.Close()
	got := formattest.Values(t, formattest.Import(t, r, nil))
	for name, want := range map[string]string{
		"i": "i64 ", "n": "i64 null", "f": "f64 ", "mix": "f64 ", "wide": "msgpack ", "s": "str:utf8 ", "b": "bytes ", "any": "msgpack ",
		"flag": "bool ", "at": "i64 time=us", "day": "i64 date", "notday": "str:utf8 ", "doc": "msgpack ", "nothing": "str:utf8 null",
	} {
		if len(got[name]) != 3 || got[name][0] != want {
			t.Errorf("column %s is %v, want %s", name, got[name], want)
		}
	}
	for table, want := range map[string]string{"v": "no table", "none": `its tables are t "q"`, "sqlite_schema": "no table"} {
		r := sqlrows.NewReader(path, table, nil)
		if _, err := exchange.Detect(t.Context(), r, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("table %s: %v", table, err)
		}
	}
}

// TestRoundTrip checks that what SQLite has types for comes back as it was, and
// all else with the types named.
func TestRoundTrip(t *testing.T) {
	columns := formattest.Only(func(s dtype.Spec, m dtype.Meaning) bool {
		far := m.Time == dtype.Second        // beyond the year 9999
		zeros := s.Kind == dtype.KindFloat64 // SQLite has no -0
		return !zeros && s.Kind != dtype.KindUint64 && !far && !(s.Kind == dtype.KindVector && len(s.Dims) == 0)
	})
	v := formattest.Specimen(t, columns, 30)
	path := filepath.Join(t.TempDir(), "a.db")
	w := sqlrows.NewWriter(path, "rows")
	defer w.Close()
	if _, err := exchange.Export(t.Context(), v, nil, w, nil); err != nil {
		t.Fatal(err)
	}
	types := map[string]exchange.Field{}
	src := formattest.Source(columns, 0)
	fields, err := src.Begin(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fields {
		types[f.Name] = f
	}
	r := sqlrows.NewReader(path, "rows", nil)
	defer r.Close()
	formattest.WantSame(t, formattest.Import(t, r, &exchange.ImportOptions{Types: types}), v)
	again := sqlrows.NewWriter(path, "ROWS")
	defer again.Close()
	if _, err := exchange.Export(t.Context(), v, nil, again, nil); err == nil || !strings.Contains(err.Error(), "already has a table") {
		t.Errorf("the table was written twice: %v", err)
	}
}

// TestDamagedFiles reads files that are cut off or have wrong bytes.
func TestDamagedFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	path := filepath.Join(t.TempDir(), "a.db")
	exec(t, path, "CREATE TABLE t (a, b); INSERT INTO t WITH n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 100) SELECT value, printf('%0100d', value) FROM n")
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "b.db")
	formattest.Torment(t, file, true, func(b []byte) exchange.Source {
		if err := os.WriteFile(other, b, 0o666); err != nil {
			t.Fatal(err)
		}
		r := sqlrows.NewReader(other, "t", nil)
		t.Cleanup(func() { r.Close() })
		return r
	})
}
