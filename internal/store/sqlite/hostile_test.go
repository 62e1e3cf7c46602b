package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"columnvault/internal/store"
)

// changed opens a store whose file another program has changed.
func changed(t *testing.T, sql ...string) *Store {
	t.Helper()
	s := openStore(t, Options{})
	check(t, appendRow(t.Context(), s, "a"))
	check(t, s.Update(t.Context(), func(tx store.Tx) error {
		return errors.Join(
			tx.Put(t.Context(), "kv", []byte("key"), []byte("value")),
			tx.PutChunk(t.Context(), 1, store.Chunk{Capacity: 8}, []byte("12345678")),
			tx.SetLength(t.Context(), 1, 1))
	}))
	check(t, s.Close())
	changeFile(t, s.path, sql...)
	return openStoreAt(t, s.path, Options{})
}

func changeFile(t *testing.T, path string, sql ...string) {
	t.Helper()
	db, err := sqlite3.Open(path)
	check(t, err)
	defer db.Close()
	for _, sql := range sql {
		check(t, db.Exec(sql))
	}
}

// TestTriggersDoNotRun: what another program has put into the file does not
// happen inside our transactions.
func TestTriggersDoNotRun(t *testing.T) {
	ctx := t.Context()
	s := changed(t,
		`CREATE TRIGGER undo AFTER UPDATE ON col_meta BEGIN DELETE FROM col_chunks; END`,
		`CREATE TRIGGER other AFTER INSERT ON kv BEGIN UPDATE kv SET value = x'00'; END`,
		`CREATE TRIGGER endless BEFORE DELETE ON kv BEGIN INSERT INTO kv
			WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i, x'' FROM n; END`)
	check(t, s.Update(ctx, func(tx store.Tx) error {
		_, err := tx.Delete(ctx, "kv", []byte("key"))
		return errors.Join(err, tx.SetLength(ctx, 1, 0), tx.Put(ctx, "kv", []byte("new"), []byte("value")))
	}))
	snap, err := s.Snapshot(ctx)
	check(t, err)
	defer snap.Close()
	if _, err := snap.Chunk(ctx, 1, 0); err != nil {
		t.Errorf("the chunk: %v", err)
	}
	if value, err := snap.Get(ctx, "kv", []byte("new")); string(value) != "value" || err != nil {
		t.Errorf("the new pair is %q, %v", value, err)
	}
}

// TestViewAsTableOfPairs: a view, here one without an end, is not asked for
// pairs.
func TestViewAsTableOfPairs(t *testing.T) {
	ctx := t.Context()
	s := changed(t, `DROP TABLE kv`, `CREATE VIEW kv AS
		WITH RECURSIVE n(key) AS (SELECT x'00' UNION ALL SELECT key FROM n) SELECT key, key AS value FROM n`,
		`CREATE VIEW plain AS SELECT x'00' AS key, x'00' AS value`)
	snap, err := s.Snapshot(ctx)
	check(t, err)
	defer snap.Close()
	if _, err := snap.Count(ctx, "kv"); !errors.Is(err, store.ErrInvalidArgument) {
		t.Errorf("Count: %v", err)
	}
	if _, err := snap.Get(ctx, "kv", []byte("key")); !errors.Is(err, store.ErrInvalidArgument) {
		t.Errorf("Get: %v", err)
	}
	if _, err := snap.Get(ctx, `no "table`, []byte("key")); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Get from a table that does not exist: %v", err)
	}
	if _, err := snap.Count(ctx, "plain"); !errors.Is(err, store.ErrInvalidArgument) {
		t.Errorf("Count of a plain view: %v", err)
	}
}

// TestDropWithoutForeignKeys: the chunks of a column go with it, although the
// connection does not enforce what the tables say of each other.
func TestDropWithoutForeignKeys(t *testing.T) {
	ctx := t.Context()
	s := changed(t)
	check(t, s.Update(ctx, func(tx store.Tx) error { return tx.DropColumn(ctx, 1) }))
	n, err := s.writer.integer(`SELECT count(*) FROM col_chunks`)
	check(t, err)
	if n != 0 {
		t.Errorf("%d chunks are left", n)
	}
}

func TestOpenRefusesOtherThanTables(t *testing.T) {
	for name, sql := range map[string]string{
		"col_meta is a view":         `ALTER TABLE col_meta RENAME TO x; CREATE VIEW COL_META AS SELECT * FROM x`,
		"kohakuvault_meta is a view": `ALTER TABLE kohakuvault_meta RENAME TO x; CREATE VIEW kohakuvault_meta AS SELECT * FROM x`,
		"col_chunks is a virtual table": `DROP TABLE col_chunks; PRAGMA writable_schema = ON;
			INSERT INTO sqlite_schema VALUES ('table', 'col_chunks', 'col_chunks', 0, 'CREATE VIRTUAL TABLE col_chunks USING x')`,
		"the table col_chunks has no rowid":    `DROP TABLE col_chunks; CREATE TABLE col_chunks (col_id PRIMARY KEY) WITHOUT ROWID`,
		"kvault_col_columns is a view in this": `CREATE VIEW kvault_col_columns AS SELECT 1`,
	} {
		path := filepath.Join(t.TempDir(), "vault.db")
		s := openStoreAt(t, path, Options{})
		check(t, s.Close())
		changeFile(t, path, sql)
		for _, readOnly := range []bool{false, true} {
			_, err := Open(context.Background(), path, Options{ReadOnly: readOnly})
			if !errors.Is(err, store.ErrNotVault) || !strings.Contains(err.Error(), name) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// TestEveryConnectionIsGuarded looks at what https://sqlite.org/security.html
// advises, on each kind of connection.
func TestEveryConnectionIsGuarded(t *testing.T) {
	s := openStore(t, Options{})
	check(t, appendRow(t.Context(), s, "a"))
	snap, err := s.Snapshot(t.Context())
	check(t, err)
	defer snap.Close()
	_, err = s.version()
	check(t, err)
	readOnly := openStoreAt(t, s.path, Options{ReadOnly: true})
	forReading, err := readOnly.takeIdle()
	check(t, err)
	defer readOnly.discard(forReading)
	alone := openStore(t, Options{})
	check(t, alone.Close())
	immutable := &Store{path: alone.path, opts: Options{ReadOnly: true}, mode: modeImmutable}
	still, err := immutable.openReader(t.Context())
	check(t, err)
	defer still.close()
	for name, c := range map[string]*conn{"the writer": s.writer, "a reader": snap.(*snapshot).c, "the watcher": s.watch.c,
		"a reader of a vault for reading": forReading, "a reader of a disk for reading": still} {
		for option, on := range connOptions {
			if got, err := c.db.Config(option); err != nil || got != on {
				t.Errorf("%s: option %v is %v, %v", name, option, got, err)
			}
		}
		for category, most := range connLimits {
			if got := c.db.Limit(category, -1); got != most {
				t.Errorf("%s: limit %v is %d, want %d", name, category, got, most)
			}
		}
		for pragma, want := range map[string]int64{"cell_size_check": 1, "mmap_size": 0, "trusted_schema": 0, "foreign_keys": 0, "writable_schema": 0,
			"checkpoint_fullfsync": 1, "temp_store": 2} {
			got, err := c.integer(`PRAGMA ` + pragma)
			if errors.Is(err, store.ErrNotFound) {
				got, err = 0, nil // no row says that it is off
			}
			if err != nil || got != want {
				t.Errorf("%s: %s is %d, %v", name, pragma, got, err)
			}
		}
		if _, err := c.integer(`SELECT count(*) FROM sqlite_schema WHERE replace(name, 'a', 'b') = ''`); err == nil {
			t.Errorf("%s: a slow function runs", name)
		}
	}
}

// TestSlowFunctionsDoNotRun: what a table computes with two long values could
// take for ever, and nothing would end it.
func TestSlowFunctionsDoNotRun(t *testing.T) {
	ctx := t.Context()
	const slow = `instr(zeroblob(500000000), zeroblob(250000000) || x'01')`
	for name, sql := range map[string]string{
		"a constraint":       `CREATE TABLE kv (key BLOB PRIMARY KEY, value BLOB, CHECK (` + slow + ` IS NULL))`,
		"a generated column": `CREATE TABLE kv (key BLOB PRIMARY KEY, value BLOB, x AS (` + slow + `) STORED)`,
		"a generated value":  `CREATE TABLE kv (key BLOB PRIMARY KEY, value BLOB AS (` + slow + `))`,
		"an index":           `CREATE TABLE kv (key BLOB PRIMARY KEY, value BLOB); CREATE INDEX i ON kv(` + slow + `)`,
		"a default":          `CREATE TABLE kv (key BLOB PRIMARY KEY, value BLOB, x DEFAULT (` + slow + `))`,
	} {
		s := changed(t, `DROP TABLE kv; `+sql)
		err := s.Update(ctx, func(tx store.Tx) error { return tx.Put(ctx, "kv", []byte("k"), []byte("v")) })
		if !errors.Is(err, store.ErrInvalidArgument) {
			t.Errorf("%s: Put: %v", name, err)
		}
		snap, err := s.Snapshot(ctx)
		check(t, err)
		if _, err := snap.Get(ctx, "kv", []byte("k")); err != nil && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrInvalidArgument) {
			t.Errorf("%s: Get: %v", name, err)
		}
		if _, err := snap.Verify(ctx, true); err != nil {
			t.Errorf("%s: Verify: %v", name, err)
		}
		check(t, snap.Close())
	}
}

// TestTooManyTables: a file whose tables SQLite would load for hours is refused,
// and our own are not allowed to become so many that the file could not be
// opened again.
func TestTooManyTables(t *testing.T) {
	ctx := t.Context()
	before := connLimits[sqlite3.LIMIT_SCHEMA]
	connLimits[sqlite3.LIMIT_SCHEMA] = 100
	defer func() { connLimits[sqlite3.LIMIT_SCHEMA] = before }()
	s := openStore(t, Options{})
	made := 0
	for ; made < 200; made++ {
		err := s.Update(ctx, func(tx store.Tx) error { return tx.Put(ctx, fmt.Sprint("t", made), []byte("k"), []byte("v")) })
		if errors.Is(err, store.ErrTooLarge) {
			break
		}
		check(t, err)
	}
	if made < 40 || made > 50 {
		t.Errorf("%d tables of pairs could be made", made)
	}
	check(t, appendRow(ctx, s, "a"))
	check(t, s.Close())
	s = openStoreAt(t, s.path, Options{})
	check(t, readRow(ctx, s))
	check(t, s.Close())
	for i := range 30 {
		changeFile(t, s.path, fmt.Sprintf(`CREATE TABLE more%d (a UNIQUE)`, i))
	}
	_, err := Open(ctx, s.path, Options{})
	if !errors.Is(err, store.ErrTooLarge) {
		t.Errorf("with more tables than the limit: %v", err)
	}
}

// TestFullSync: with it every commit is synced, on macOS through the cache of
// the disk as well.
func TestFullSync(t *testing.T) {
	for full, want := range map[bool][2]int64{false: {1, 0}, true: {2, 1}} {
		s := openStore(t, Options{FullSync: full})
		for i, pragma := range []string{"synchronous", "fullfsync"} {
			if got, err := s.writer.integer(`PRAGMA ` + pragma); err != nil || got != want[i] {
				t.Errorf("FullSync %v: %s is %d, %v", full, pragma, got, err)
			}
		}
	}
}
