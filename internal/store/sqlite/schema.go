package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"columnvault/internal/store"
)

// ddl creates what a vault needs, to the letter as KohakuVault 0.8.6 writes
// it, so that sqlite_master of our files and theirs read the same. The last
// statement is ours: without that index, reading a chunk's capacity walks over
// all of its bytes, because the format puts them first. Other programs keep
// the index up to date without knowing of it.
var ddl = []string{`
            CREATE TABLE IF NOT EXISTS kohakuvault_meta (
                key TEXT PRIMARY KEY,
                value TEXT NOT NULL
            )`, `
            INSERT OR IGNORE INTO kohakuvault_meta (key, value) VALUES ('schema_version', '2')`, `
            CREATE TABLE IF NOT EXISTS col_meta (
                col_id INTEGER PRIMARY KEY,
                name TEXT UNIQUE NOT NULL,
                dtype TEXT NOT NULL,
                elem_size INTEGER NOT NULL,
                length INTEGER NOT NULL,
                chunk_bytes INTEGER NOT NULL,
                min_chunk_bytes INTEGER DEFAULT 131072,
                max_chunk_bytes INTEGER DEFAULT 16777216
            )`, `
            CREATE INDEX IF NOT EXISTS col_meta_name_idx ON col_meta(name)`, `
            CREATE TABLE IF NOT EXISTS col_chunks (
                col_id INTEGER NOT NULL,
                chunk_idx INTEGER NOT NULL,
                data BLOB NOT NULL,
                actual_size INTEGER NOT NULL,
                bytes_used INTEGER NOT NULL DEFAULT 0,
                has_deleted INTEGER NOT NULL DEFAULT 0,
                start_elem_idx INTEGER DEFAULT 0,
                end_elem_idx INTEGER DEFAULT 0,
                PRIMARY KEY (col_id, chunk_idx),
                FOREIGN KEY (col_id) REFERENCES col_meta(col_id) ON DELETE CASCADE
            )`, `
            CREATE INDEX IF NOT EXISTS columnvault_chunks ON col_chunks(col_id, chunk_idx, actual_size, bytes_used)`,
}

// ownNames are the tables of a vault, of both generations of the format.
var ownNames = []string{"kohakuvault_meta", "col_meta", "col_chunks", "kvault_col_columns", "kvault_col_blocks", "kvault_col_data", "kvault_col_format"}

// errForeign is the ErrNotVault of a sound database without any table of a
// vault: one to which they can be added.
var errForeign = fmt.Errorf("%w: it is a SQLite database of another program, without any table of a vault", store.ErrNotVault)

// allNames are the names in a file: which of them, what has them, and whether that is
// stored elsewhere.
const allNames = `SELECT lower(name), type, rootpage IS 0 FROM sqlite_schema`

// identify looks at the tables of an open file. blank is a file without any;
// complete is one in which nothing has to be created. A file that has tables
// but none of a vault belongs to another program and gives ErrNotVault, and so
// does one that has something else than tables under the names of a vault:
// what a view or a virtual table answers is up to whoever wrote the file.
func identify(c *conn) (blank, complete bool, err error) {
	kinds := map[string]string{}
	err = c.query(allNames, func(st *sqlite3.Stmt) {
		name, kind := st.ColumnText(0), st.ColumnText(1)
		switch {
		case kind == "trigger" || strings.HasPrefix(name, "sqlite_"):
			return
		case kind == "table" && st.ColumnBool(2):
			kind = "virtual table"
		}
		kinds[name] = kind
	})
	if err != nil || len(kinds) == 0 {
		return err == nil, false, err
	}
	tables := map[string]bool{}
	for _, name := range ownNames {
		kind, exists := kinds[name]
		if exists && kind != "table" {
			return false, false, fmt.Errorf("%w: %s is a %s in this file, and a vault has a table of that name", store.ErrNotVault, name, kind)
		}
		tables[name] = exists
	}
	if tables["col_chunks"] {
		if has, err := c.hasField("col_chunks", "rowid"); err != nil {
			return false, false, err
		} else if !has {
			return false, false, fmt.Errorf("%w: the table col_chunks has no rowid", store.ErrNotVault)
		}
	}
	if tables["col_meta"] && tables["col_chunks"] && tables["kohakuvault_meta"] {
		return false, true, nil
	}
	if tables["col_meta"] {
		if _, err := c.integer(`SELECT col_id, name, dtype FROM col_meta LIMIT 0`); errors.Is(err, sqlite3.ERROR) {
			return false, false, fmt.Errorf("%w: the table col_meta has other columns than a vault's", store.ErrNotVault)
		}
	}
	if tables["kohakuvault_meta"] || tables["col_meta"] || tables["kvault_col_columns"] {
		return false, false, nil
	}
	// What is left is a key-value store: a table of two BLOBs, key and value.
	_, err = c.integer(`SELECT 1 FROM sqlite_schema AS s WHERE s.type = 'table' AND s.rootpage > 0 AND ` + isKV("s.name") + ` LIMIT 1`)
	if errors.Is(err, store.ErrNotFound) {
		err = errForeign
	}
	return false, false, err
}

// isKV is the condition that a table, whose name the expression gives, is a
// key-value table.
func isKV(name string) string {
	return `(SELECT group_concat(name || ' ' || type || ' ' || pk) FROM pragma_table_info(` + name + `)) = 'key BLOB 1,value BLOB 0'`
}

// checkClashes looks for names that the vault's tables and indexes take, or
// will take, and that another program has given to something else:
// createTables would take that for what is already there. What makes identify
// see a vault is not among them.
func checkClashes(c *conn) error {
	var clash error
	err := c.query(`SELECT type, name FROM sqlite_schema WHERE lower(name) IN
		('col_chunks', 'col_meta_name_idx', 'columnvault_chunks', 'columnvault_columns', 'columnvault_runs', 'columnvault_bytes',
		'kvault_col_blocks', 'kvault_col_data', 'kvault_col_format', 'kvault_col_row_index')`,
		func(st *sqlite3.Stmt) {
			clash = fmt.Errorf("%w: the %s %q of another program has a name that a vault needs", store.ErrNotVault, st.ColumnText(0), st.ColumnText(1))
		})
	return cmp.Or(err, clash)
}

// createTables adds the missing tables, all at once. An index over the chunks
// that KohakuVault has written takes a while where there are many.
func createTables(ctx context.Context, c *conn) error {
	if err := c.exec(`BEGIN IMMEDIATE`); err != nil {
		return err
	}
	for _, sql := range ddl {
		if err := c.within(ctx, func() error { return c.exec(sql) }); err != nil {
			if !c.db.GetAutocommit() { // it may have been undone already
				err = errors.Join(err, c.exec(`ROLLBACK`))
			}
			return err
		}
	}
	return c.exec(`COMMIT`)
}
