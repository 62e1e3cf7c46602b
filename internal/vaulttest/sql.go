package vaulttest

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// ExecSQL changes a file without the library's knowledge. No vault may be open
// on it.
func ExecSQL(t *testing.T, path string, statements ...string) {
	t.Helper()
	WithSQL(t, path, func(db *sqlite3.Conn) { ExecRaw(t, db, statements...) })
}

// QuerySQL returns the rows of a query, the values of each joined by spaces.
func QuerySQL(t *testing.T, path, sql string) (rows []string) {
	t.Helper()
	WithSQL(t, path, func(db *sqlite3.Conn) {
		st, _, err := db.Prepare(sql)
		if err != nil {
			t.Fatalf("%v: %s", err, sql)
		}
		defer st.Close()
		for st.Step() {
			values := make([]string, st.ColumnCount())
			for i := range values {
				values[i] = st.ColumnText(i)
			}
			rows = append(rows, strings.Join(values, " "))
		}
		Must(t, st.Err())
	})
	return rows
}

// WithSQL runs fn on the file with plain SQLite.
func WithSQL(t *testing.T, path string, fn func(db *sqlite3.Conn)) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err) // SQLite would make a new file
	}
	db, err := sqlite3.Open(path)
	Must(t, err)
	defer func() { Must(t, db.Close()) }()
	Must(t, db.BusyTimeout(10*time.Second))
	fn(db)
}

// RawConn is a connection to the file that knows nothing of vaults.
func RawConn(t testing.TB, path string) *sqlite3.Conn {
	t.Helper()
	db, err := sqlite3.Open(path)
	Must(t, err)
	t.Cleanup(func() { db.Close() })
	Must(t, db.BusyTimeout(time.Minute))
	return db
}

// ExecRaw runs statements on a connection of [RawConn].
func ExecRaw(t *testing.T, db *sqlite3.Conn, statements ...string) {
	t.Helper()
	for _, sql := range statements {
		if err := db.Exec(sql); err != nil {
			t.Fatalf("%v: %s", err, sql)
		}
	}
}

// BlockWriters takes the write lock of the file, as another process would,
// until release is called.
func BlockWriters(t *testing.T, path string) (release func()) {
	t.Helper()
	db := RawConn(t, path)
	ExecRaw(t, db, `BEGIN IMMEDIATE`)
	return func() {
		t.Helper()
		ExecRaw(t, db, `ROLLBACK`)
	}
}
