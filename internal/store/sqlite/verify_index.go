package sqlite

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"columnvault/internal/excerpt"
	"columnvault/internal/store"
)

// ownIndexes are the indexes over tables of the vault.
const ownIndexes = `SELECT name, tbl_name FROM sqlite_schema AS s WHERE type = 'index' AND rootpage > 0 AND (lower(tbl_name) IN
	('kohakuvault_meta', 'col_meta', 'col_chunks', 'columnvault_columns') OR ` + "%s" + `) ORDER BY rootpage`

// index is an index of the file.
type index struct{ name, table string }

// verifyIndexes compares the indexes over tables of the vault with the rows, in
// both directions: every row has an entry, and there are no more entries than
// rows.
func (r *reader) verifyIndexes() (found []store.Finding, err error) {
	var all []index
	err = r.c.query(fmt.Sprintf(ownIndexes, isKV("s.tbl_name")), func(st *sqlite3.Stmt) {
		all = append(all, index{st.ColumnText(0), st.ColumnText(1)})
	})
	for _, x := range all {
		text, e := r.verifyIndex(x)
		if errors.Is(e, store.ErrCorrupt) {
			text, e = e.Error(), nil
		}
		if e != nil {
			return found, e
		}
		if text != "" {
			found = append(found, store.Finding{Kind: store.FoundIndex, Damage: true, Table: x.table, Index: x.name, Text: excerpt.Line(text, maxFinding)})
		}
	}
	return found, err
}

func (r *reader) verifyIndex(x index) (text string, err error) {
	plain := true
	same := []string{`i.rowid = t.rowid`}
	err = r.c.query(`SELECT name, coll, key FROM pragma_index_xinfo(?)`, func(st *sqlite3.Stmt) {
		name := st.ColumnText(0)
		switch {
		case !st.ColumnBool(2): // the rowid
		case name == "" || !strings.EqualFold(st.ColumnText(1), "BINARY"):
			plain = false // an expression, or an order of somebody's own
		default:
			same = append(same, sameValue(x, name))
		}
	}, x.name)
	if err != nil || !plain {
		return "", err
	}
	partial, err := r.c.integer(`SELECT count(*) FROM pragma_index_list(?) WHERE name = ? AND partial`, x.table, x.name)
	if err != nil || partial > 0 {
		return "", err
	}
	table, name := sqlite3.QuoteIdentifier(x.table), sqlite3.QuoteIdentifier(x.name)
	missing, err := r.c.integer(`SELECT count(*) FROM ` + table + ` AS t NOT INDEXED WHERE NOT EXISTS (SELECT 1 FROM ` + table +
		` AS i INDEXED BY ` + name + ` WHERE ` + strings.Join(same, ` AND `) + `)`)
	if err != nil {
		return "", err
	}
	if missing > 0 {
		return fmt.Sprintf("rows missing from index %s: %d", x.name, missing), nil
	}
	rows, err := r.c.integer(`SELECT count(*) FROM ` + table + ` NOT INDEXED`)
	if err != nil {
		return "", err
	}
	// A mere count could be taken from another index.
	entries, err := r.c.integer(`SELECT coalesce(sum(rowid IS NOT NULL), 0) FROM ` + table + ` INDEXED BY ` + name + ` WHERE rowid IS NOT NULL`)
	if err == nil && entries != rows {
		text = fmt.Sprintf("wrong # of entries in index %s: %d for %d rows", x.name, entries, rows)
	}
	return text, err
}

// sameValue is the condition that an entry i has the same value as the row t. The capacity of
// a chunk lies behind all of its bytes, and to find it SQLite walks along them.
// Their number is known at once, and nearly always the same.
func sameValue(x index, column string) string {
	name := sqlite3.QuoteIdentifier(column)
	same := fmt.Sprintf(`i.%s IS t.%s`, name, name)
	if strings.EqualFold(x.table, "col_chunks") && strings.EqualFold(column, "actual_size") {
		same = `(i.actual_size = octet_length(t.data) OR ` + same + `)`
	}
	return same
}
