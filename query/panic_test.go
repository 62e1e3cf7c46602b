package query

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"path/filepath"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"columnvault"
	"columnvault/dtype"
)

// defect is a table that panics when a field of its second row is read, deep
// inside of the engine.
type defect struct{ columnCursor }

func (d *defect) BestIndex(*sqlite3.IndexInfo) error         { return nil }
func (d *defect) Open() (sqlite3.VTabCursor, error)          { return d, nil }
func (d *defect) Filter(int, string, ...sqlite3.Value) error { return nil }

func (d *defect) Column(ctx sqlite3.Context, _ int) error {
	if d.at > 0 {
		panic("a defect of the driver")
	}
	return nil
}

// TestPanic: a statement in which the engine stops ends with an error, its
// snapshot is given back, and the next statement finds another connection.
func TestPanic(t *testing.T) {
	ctx := t.Context()
	v := openVault(t)
	col, err := columnvault.Create(ctx, v, "n", dtype.Int64, nil)
	check(t, err)
	check(t, col.Append(ctx, 1, 2))
	db, err := Open(ctx, v, nil)
	check(t, err)
	defer db.Close()
	db.SetMaxOpenConns(1)
	c := connOf(t, db)
	addDefect(t, c)
	rows, err := db.Query(`SELECT a FROM defect`)
	check(t, err)
	if !rows.Next() || rows.Next() {
		t.Error("the rows do not end after the first")
	}
	if err := rows.Err(); !errors.Is(err, columnvault.ErrUnavailable) {
		t.Errorf("the error is %v", err)
	}
	_ = rows.Close()
	if c.holds != 0 || c.tx != nil || c.IsValid() {
		t.Errorf("the connection holds %d snapshots and is valid: %t", c.holds, c.IsValid())
	}
	var sum int
	check(t, db.QueryRow(`SELECT sum(n) FROM columns`).Scan(&sum))
	if other := connOf(t, db); sum != 3 || other == c {
		t.Errorf("the sum is %d, on the same connection: %t", sum, other == c)
	}
}

func addDefect(t *testing.T, c *conn) {
	t.Helper()
	//lint:ignore SA1019 as in addTable
	check(t, sqlite3.CreateModule(c.db, "defect", nil, func(db *sqlite3.Conn, _, _, _ string, _ ...string) (*defect, error) {
		return &defect{columnCursor{span: span{last: 5}}}, db.DeclareVTab(`CREATE TABLE x(a)`)
	}))
}

// TestMemoryComesBack: an engine that has stopped gives back the memory it had, or statements could take all that the machine has one after the other.
func TestMemoryComesBack(t *testing.T) {
	ctx := t.Context()
	v := openVault(t)
	for _, text := range []string{
		`WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT randomblob(1000) AS a FROM c ORDER BY a`,
		`WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(DISTINCT randomblob(1000)) FROM c`,
	} {
		c := &conn{vault: v, options: Options{MaxMemory: minMemory}}
		rows, err := c.QueryContext(ctx, text, nil)
		check(t, err)
		if err := rows.Next(make([]driver.Value, 1)); !errors.Is(err, ErrLimit) || c.IsValid() {
			t.Errorf("%s: %v", text, err)
		}
		check(t, errors.Join(rows.Close(), c.Close()))
	}
	c := &conn{vault: v, options: Options{MaxMemory: minMemory}}
	check(t, c.Ping(ctx))
	addDefect(t, c)
	rows, err := c.QueryContext(ctx, `SELECT a FROM defect ORDER BY a`, nil)
	check(t, err)
	if err := rows.Next(make([]driver.Value, 1)); !errors.Is(err, columnvault.ErrUnavailable) {
		t.Errorf("the defect: %v", err)
	}
	check(t, errors.Join(rows.Close(), c.Close()))
}

// TestHalfAnEngine: an engine that could not be given all its tables is not used
// for the next statement.
func TestHalfAnEngine(t *testing.T) {
	v := openVault(t)
	col, err := columnvault.Create(t.Context(), v, "n", dtype.Int64, nil)
	check(t, err)
	check(t, col.Append(t.Context(), 1))
	c := &conn{vault: v, options: Options{MaxMemory: minMemory}}
	tx, err := v.Snapshot(t.Context())
	check(t, err)
	c.tx, c.holds = tx, 1
	ended, cancel := context.WithCancel(t.Context())
	if c.schema, err = readSchema(t.Context(), tx, nil); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := c.look(ended); !errors.Is(err, context.Canceled) || c.db != nil {
		t.Errorf("with a ctx that has ended: %v, and an engine: %t", err, c.db != nil)
	}
	check(t, c.release())
	rows, err := c.QueryContext(t.Context(), `SELECT n FROM columns`, nil)
	check(t, err)
	check(t, errors.Join(rows.Next(make([]driver.Value, 1)), rows.Close(), c.Close()))
}

// TestSnapshotsEnd: whatever becomes of a statement, nothing holds a snapshot
// afterwards.
func TestSnapshotsEnd(t *testing.T) {
	ctx := t.Context()
	v := openVault(t)
	db, err := Open(ctx, v, nil)
	check(t, err)
	defer db.Close()
	db.SetMaxOpenConns(1)
	for _, text := range []string{`SELECT 1`, `SELECT`, `SELECT * FROM nothing`, `SELECT ?`, `DROP TABLE x`, `SELECT 1; SELECT 2`, `VACUUM`,
		`SELECT 1 UNION ALL SELECT abs(-9223372036854775808)`} {
		if rows, err := db.Query(text); err == nil {
			for rows.Next() {
			}
			_ = rows.Close()
		}
		_, _ = db.Exec(text)
		if st, err := db.Prepare(text); err == nil {
			_, _ = st.Exec()
			check(t, st.Close())
		}
		if c := connOf(t, db); c.holds != 0 || c.tx != nil {
			t.Errorf("%s: %d holds", text, c.holds)
		}
	}
	tx, err := db.Begin()
	check(t, err)
	check(t, tx.Rollback())
	if c := connOf(t, db); c.holds != 0 || c.tx != nil {
		t.Errorf("after a transaction: %d holds", c.holds)
	}
}

func connOf(t *testing.T, db *sql.DB) (c *conn) {
	t.Helper()
	pooled, err := db.Conn(t.Context())
	check(t, err)
	defer pooled.Close()
	check(t, pooled.Raw(func(driverConn any) error { c = driverConn.(*conn); return nil }))
	return c
}

func openVault(t *testing.T) *columnvault.Vault {
	t.Helper()
	v, err := columnvault.Open(t.Context(), filepath.Join(t.TempDir(), "vault.db"), nil)
	check(t, err)
	t.Cleanup(func() { check(t, v.Close()) })
	return v
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
