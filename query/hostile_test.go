package query_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
	"columnvault/query"
)

// writes are statements that would change or open something.
var writes = []string{
	`CREATE TABLE x (a)`, `CREATE TEMP TABLE x (a)`, `CREATE VIEW x AS SELECT 1`, `CREATE TEMP VIEW x AS SELECT 1`,
	`CREATE TEMP TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END`, `CREATE INDEX x ON t (n)`,
	`CREATE VIRTUAL TABLE x USING t`, `CREATE VIRTUAL TABLE x USING fts5(a)`,
	`CREATE TABLE x AS SELECT * FROM t`,
	`INSERT INTO t VALUES (1, 2)`, `UPDATE t SET n = 1`, `DELETE FROM t`, `REPLACE INTO kv VALUES ('a', 1)`,
	`INSERT INTO sqlite_schema VALUES (1, 2, 3, 4, 5)`, `DELETE FROM sqlite_schema`,
	`DROP TABLE t`, `ALTER TABLE t RENAME TO u`, `ANALYZE`, `VACUUM`, `VACUUM INTO 'FILE'`,
	`ATTACH 'FILE' AS x`, `ATTACH ':memory:' AS x`, `DETACH main`,
	`PRAGMA journal_mode = DELETE`, `PRAGMA query_only = OFF`, `PRAGMA temp_store_directory = '/'`, `PRAGMA writable_schema = ON`,
	`PRAGMA hard_heap_limit = 0`, `PRAGMA trusted_schema = ON`, `PRAGMA user_version = 4`, `PRAGMA temp_store = FILE`,
	`SELECT * FROM pragma_user_version`, `SELECT load_extension('FILE')`,
	`BEGIN`, `COMMIT`, `ROLLBACK`, `SAVEPOINT a`, `RELEASE a`,
	`WITH x AS (SELECT 1) INSERT INTO t SELECT 1, 2`,
}

// TestReadOnly: nothing but reading is allowed, executed or queried, and the connection is as good as before.
func TestReadOnly(t *testing.T) {
	v := newVault(t)
	fill(t, v, "t.n", dtype.Int64, []int64{1, 2, 3})
	check(t, v.KV().PutValue(t.Context(), []byte("a"), 1))
	db := open(t, v, nil)
	db.SetMaxOpenConns(1)
	dir := t.TempDir()
	before, err := v.Columns(t.Context())
	check(t, err)
	for _, text := range writes {
		text = strings.ReplaceAll(text, "FILE", filepath.Join(dir, "file.db"))
		_, execErr := db.Exec(text)
		_, queryErr := tryTexts(t, db, text)
		for _, err := range []error{execErr, queryErr} {
			if !errors.Is(err, columnvault.ErrInvalidArgument) {
				t.Errorf("%s: %v", text, err)
			}
		}
		want(t, db, `SELECT sum(n) FROM t`, "6")
	}
	after, err := v.Columns(t.Context())
	check(t, err)
	if fmt.Sprint(before) != fmt.Sprint(after) {
		t.Errorf("the columns are %v, and were %v", after, before)
	}
	files, err := os.ReadDir(dir)
	check(t, err)
	if len(files) > 0 {
		t.Errorf("there is a file %s", files[0].Name())
	}
	want(t, db, `SELECT count(*) FROM sqlite_schema`, "0")
	want(t, db, `SELECT value FROM kv`, "1")
}

// TestAllowed: what only tells something.
func TestAllowed(t *testing.T) {
	v := newVault(t)
	fill(t, v, "t.n", dtype.Int64, []int64{1})
	db := open(t, v, nil)
	want(t, db, `SELECT name, type FROM pragma_table_info('t')`, "position|INTEGER", "n|INTEGER")
	want(t, db, `WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 3) SELECT sum(x) FROM c`, "6")
	want(t, db, `SELECT n FROM t; -- and no more`, "1")
	want(t, db, `SELECT value FROM json_each('[7]')`, "7")
	if len(texts(t, db, `EXPLAIN QUERY PLAN SELECT n FROM t`)) == 0 {
		t.Error("no plan")
	}
}

// TestErrors: what is wrong, and what there is.
func TestErrors(t *testing.T) {
	v := newVault(t)
	fill(t, v, "trips.km", dtype.Int64, []int64{1})
	fill(t, v, "speed", dtype.Int64, []int64{1})
	db := open(t, v, nil)
	for _, test := range []struct {
		text string
		kind error
		says []string
	}{
		{`SELECT * FROM trip`, columnvault.ErrNotFound, []string{"no such table: trip", "trips, columns"}},
		{`SELECT kn FROM trips`, columnvault.ErrNotFound, []string{"no such column: kn", "the columns of trips are position, km"}},
		{`SELECT "kn" FROM trips`, columnvault.ErrNotFound, []string{"no such column", "the columns of trips are position, km"}},
		{`SELECT a.kn FROM trips a, columns b`, columnvault.ErrNotFound, []string{"no such column: a.kn", "columns of trips", "columns of columns are position, speed"}},
		{`SELEC 1`, columnvault.ErrInvalidArgument, []string{"syntax error"}},
		{``, columnvault.ErrInvalidArgument, []string{"no statement"}},
		{`-- nothing`, columnvault.ErrInvalidArgument, []string{"no statement"}},
		{`SELECT 1; SELECT 2`, columnvault.ErrInvalidArgument, []string{"more than one"}},
		{`SELECT abs(-9223372036854775808)`, columnvault.ErrInvalidArgument, []string{"integer overflow"}},
		{`ATTACH 'x' AS y`, columnvault.ErrInvalidArgument, []string{"queries only read"}},
		{`SELECT '` + strings.Repeat("x", 2<<20) + `'`, query.ErrLimit, []string{"1048576"}},
		{`SELECT 1` + strings.Repeat(" UNION ALL SELECT 1", 1000), query.ErrLimit, []string{"too many terms"}},
		{`SELECT 1` + strings.Repeat("+1", 2000), query.ErrLimit, []string{"too large"}},
	} {
		_, err := tryTexts(t, db, test.text)
		var e *columnvault.Error
		if !errors.Is(err, test.kind) || !errors.As(err, &e) || e.Op != "query" {
			t.Errorf("%.60s: %v", test.text, err)
			continue
		}
		for _, part := range test.says {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%.60s: %q does not say %q", test.text, err, part)
			}
		}
	}
	_, err := tryTexts(t, open(t, newVault(t), nil), `SELECT * FROM columns`)
	if err == nil || !strings.Contains(err.Error(), "the vault is empty") {
		t.Errorf("in an empty vault: %v", err)
	}
	if _, err := query.Open(t.Context(), v, &query.Options{MaxMemory: 1}); !errors.Is(err, columnvault.ErrInvalidArgument) {
		t.Errorf("with 1 byte of memory: %v", err)
	}
}

// endless is a statement that never ends by itself.
const endless = `WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c`

// TestContext: a statement ends with its ctx, and says so.
func TestContext(t *testing.T) {
	v := newVault(t)
	fill(t, v, "n", dtype.Int64, make([]int64, 2000))
	db := open(t, v, nil)
	db.SetMaxOpenConns(1)
	for _, text := range []string{endless, `SELECT count(*) FROM columns a, columns b, columns c, columns d`} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		var n int
		err := db.QueryRowContext(ctx, text).Scan(&n)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", text, err)
		}
		want(t, db, `SELECT count(*) FROM columns`, "2000")
	}
	ctx, cancel := context.WithCancel(t.Context())
	rows, err := db.QueryContext(ctx, `SELECT a.n FROM columns a, columns b`)
	check(t, err)
	if !rows.Next() {
		t.Fatal(rows.Err())
	}
	cancel()
	for rows.Next() {
	}
	if !errors.Is(rows.Err(), context.Canceled) {
		t.Errorf("after cancel: %v", rows.Err())
	}
	check(t, rows.Close())
	want(t, db, `SELECT count(*) FROM columns`, "2000")
}

// TestNested: a statement with the ctx of a transaction of the vault would read
// another moment than that.
func TestNested(t *testing.T) {
	v := newVault(t)
	db := open(t, v, nil)
	err := v.View(t.Context(), func(ctx context.Context, tx *columnvault.Tx) error {
		_, err := db.QueryContext(ctx, `SELECT 1`)
		return err
	})
	if !errors.Is(err, columnvault.ErrNested) {
		t.Errorf("got %v", err)
	}
}

// TestMemory: what is sorted, grouped, concatenated and returned is bounded, and
// the next statement finds another connection.
func TestMemory(t *testing.T) {
	v := newVault(t)
	fill(t, v, "n", dtype.Int64, []int64{1})
	fill(t, v, "b.x", dtype.Bytes, [][]byte{make([]byte, 5<<20)})
	db := open(t, v, &query.Options{MaxMemory: 16 << 20})
	const many = `WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 10000000) `
	for _, text := range []string{
		`SELECT zeroblob(1000000000)`, `SELECT randomblob(500000000)`, `SELECT printf('%*c', 100000000, 'x')`,
		strings.Replace(many, `10000000`, `50000`, 1) + `SELECT group_concat(hex(randomblob(100))) FROM c`,
		many + `SELECT hex(randomblob(100)) AS a FROM c ORDER BY a`,
		many + `SELECT randomblob(100) AS a, count(*) FROM c GROUP BY a`,
		many + `SELECT count(DISTINCT randomblob(100)) FROM c`,
		`SELECT x FROM b`,
	} {
		if _, err := tryTexts(t, db, text); !errors.Is(err, query.ErrLimit) {
			t.Errorf("%s: %v", text, err)
		}
		want(t, db, `SELECT n FROM columns`, "1")
	}
	// A long result needs no memory.
	rows, err := db.Query(`WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 200) SELECT zeroblob(1000000) FROM c`)
	check(t, err)
	count := 0
	for rows.Next() {
		count++
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil || count != 200 {
		t.Errorf("%d rows of a mebibyte: %v", count, err)
	}
}

// TestConcurrent: statements beside a writer see the columns in step.
func TestConcurrent(t *testing.T) {
	ctx := t.Context()
	v := newVault(t)
	fill(t, v, "t.a", dtype.Int64, []int64{1})
	fill(t, v, "t.b", dtype.Int64, []int64{-1})
	db := open(t, v, nil)
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				var sum, a, b int64
				if err := db.QueryRow(`SELECT sum(a) + sum(b), count(a), count(b) FROM t`).Scan(&sum, &a, &b); err != nil || sum != 0 || a != b {
					t.Errorf("sum %d of %d and %d: %v", sum, a, b, err)
					return
				}
			}
		})
	}
	for i := range int64(100) {
		check(t, v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			for name, x := range map[string]int64{"t.a": i, "t.b": -i} {
				col, err := columnvault.Lookup(ctx, tx, name, dtype.Int64)
				if err != nil {
					return err
				}
				if err := col.Append(ctx, x, x); err != nil {
					return err
				}
				if err := col.Set(ctx, 0, x); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	close(done)
	wg.Wait()
	want(t, db, `SELECT count(*) FROM t`, "201")
}

// TestCorrupt: an error of the vault comes out of the statement as it is, and
// what it does not concern can be read.
func TestCorrupt(t *testing.T) {
	vaulttest.NeedsFile(t)
	path := filepath.Join(t.TempDir(), "vault.db")
	v, err := columnvault.Open(t.Context(), path, nil)
	check(t, err)
	fill(t, v, "t.good", dtype.Int64, []int64{1, 2})
	fill(t, v, "t.bad", dtype.MsgPack[any](), []any{1, "text"})
	check(t, v.Close())
	damage(t, path)
	v, err = columnvault.Open(t.Context(), path, nil)
	check(t, err)
	defer v.Close()
	db := open(t, v, nil)
	_, err = tryTexts(t, db, `SELECT bad FROM t`)
	var e *columnvault.Error
	if !errors.Is(err, columnvault.ErrCorrupt) || !errors.As(err, &e) || e.Column != "t.bad" {
		t.Errorf("got %v", err)
	}
	want(t, db, `SELECT sum(good) FROM t`, "3")
}

// damage makes the elements of variable size in a file bytes that mean nothing.
func damage(t *testing.T, path string) {
	t.Helper()
	db, err := sqlite3.Open(path)
	check(t, err)
	defer db.Close()
	check(t, db.Exec(`UPDATE col_chunks SET data = unhex(replace(hex(data), 'A474657874', 'C1C1C1C1C1'))`))
}

// TestClosedVault: a database outlives its vault without harm.
func TestClosedVault(t *testing.T) {
	v, err := columnvault.Open(t.Context(), filepath.Join(t.TempDir(), "vault.db"), nil)
	check(t, err)
	db := open(t, v, nil)
	check(t, v.Close())
	if _, err := db.Query(`SELECT 1`); !errors.Is(err, columnvault.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

// FuzzQuery: no statement panics, changes anything or takes more than its time
// and memory.
func FuzzQuery(f *testing.F) {
	for _, text := range writes {
		f.Add(text)
	}
	for _, text := range []string{endless, `SELECT * FROM t, kv, columns`, `SELECT n FROM t WHERE position > 1 ORDER BY rowid DESC LIMIT 1 OFFSET 1`,
		`SELECT a, typeof(b), "position" FROM columns GROUP BY 1 HAVING max(b)`, `SELECT value ->> '$' FROM kv`, `SELECT t FROM t(1)`,
		`EXPLAIN SELECT 1`, `PRAGMA table_info(t)`, `SELECT 1;;`, "SELECT '\x00'", `SELECT ?1`} {
		f.Add(text)
	}
	v := newVault(f)
	fill(f, v, "t.n", dtype.Int64, []int64{1, 2, 3})
	fill(f, v, "a", dtype.Nullable(dtype.String), []sql.Null[string]{{}, some("x")})
	fill(f, v, "b", dtype.Float64, []float64{1, 2})
	check(f, v.KV().PutValue(f.Context(), []byte("key"), []any{1, "x"}))
	db := open(f, v, &query.Options{MaxMemory: 32 << 20})
	f.Fuzz(func(t *testing.T, text string) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		rows, err := db.QueryContext(ctx, text)
		for count := 0; err == nil && rows.Next() && count < 1000; count++ {
		}
		if err == nil {
			err = errors.Join(rows.Err(), rows.Close())
		}
		if errors.Is(err, columnvault.ErrUnavailable) {
			t.Errorf("the engine has stopped: %v", err)
		}
		want(t, db, `SELECT sum(n), (SELECT count(*) FROM kv) FROM t`, "6|1")
		tables, err := query.Tables(t.Context(), v)
		if err != nil || len(tables) != 3 {
			t.Errorf("there are %d tables: %v", len(tables), err)
		}
	})
}
