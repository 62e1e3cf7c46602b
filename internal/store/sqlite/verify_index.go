package sqlite

import (
	"errors"
	"fmt"
	"slices"
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

// blameIndexes finds out whether what SQLite says of the structure may be about
// indexes alone. SQLite often does not say in which tree it has found something,
// or gives up; but if that is in no table for certain, and if every table can be
// read to its end without an index, it is in an index for all that can be seen. A
// repair that makes indexes anew looks afterwards whether that was true.
func (r *reader) blameIndexes(found []store.Finding, full bool) ([]store.Finding, error) {
	isStructure := func(f store.Finding) bool { return f.Kind == store.FoundStructure }
	inTable := func(f store.Finding) bool { return isStructure(f) && strings.HasPrefix(f.Text, "SQLite: table ") }
	if !slices.ContainsFunc(found, isStructure) || slices.ContainsFunc(found, inTable) {
		return found, nil
	}
	if readable, err := r.readTables(); err != nil || !readable {
		return found, err
	}
	if full { // else it was done
		more, err := r.verifyIndexes()
		if err != nil {
			return found, err
		}
		for _, f := range more {
			if !slices.ContainsFunc(found, func(old store.Finding) bool { return old.Index == f.Index }) {
				found = append(found, f)
			}
		}
	}
	for i := range found {
		if isStructure(found[i]) {
			found[i].Kind = store.FoundIndex
		}
	}
	if slices.ContainsFunc(found, func(f store.Finding) bool { return f.Index != "" }) {
		return found, nil
	}
	all, err := r.ownIndexes()
	for _, x := range all {
		found = append(found, store.Finding{Kind: store.FoundIndex, Damage: true, Table: x.table, Index: x.name,
			Text: excerpt.Line("SQLite does not say where that is: it may be the index "+x.name, maxFinding)})
	}
	return found, err
}

// readTables tells whether all tables can be read without their indexes: SQLite
// comes to the end, and finds the head of each row.
func (r *reader) readTables() (readable bool, err error) {
	heads := map[string][]string{}
	err = r.c.query(`SELECT s.name, x.name FROM sqlite_schema AS s JOIN pragma_table_xinfo(s.name) AS x WHERE s.type = 'table' AND s.rootpage > 0 AND x.hidden = 0`,
		func(st *sqlite3.Stmt) {
			heads[st.ColumnText(0)] = append(heads[st.ColumnText(0)], `count(typeof(`+sqlite3.QuoteIdentifier(st.ColumnText(1))+`))`)
		})
	for table, columns := range heads {
		if err == nil {
			err = r.c.query(`SELECT `+strings.Join(columns, `, `)+` FROM `+sqlite3.QuoteIdentifier(table)+` NOT INDEXED`, func(*sqlite3.Stmt) {})
		}
	}
	if errors.Is(err, store.ErrCorrupt) {
		return false, nil
	}
	return err == nil, err
}

func (r *reader) ownIndexes() (all []index, err error) {
	err = r.c.query(fmt.Sprintf(ownIndexes, isKV("s.tbl_name")), func(st *sqlite3.Stmt) {
		all = append(all, index{st.ColumnText(0), st.ColumnText(1)})
	})
	return all, err
}

// verifyIndexes compares the indexes over tables of the vault with the rows, in
// both directions: every row has an entry, and there are no more entries than
// rows.
func (r *reader) verifyIndexes() (found []store.Finding, err error) {
	all, err := r.ownIndexes()
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
	entries, err := r.c.entries(x)
	if err == nil && entries != rows {
		text = fmt.Sprintf("wrong # of entries in index %s: %d for %d rows", x.name, entries, rows)
	}
	return text, err
}

// entries reads all entries of an index and counts them. A mere count could be
// taken from another.
func (c *conn) entries(x index) (int64, error) {
	return c.integer(`SELECT coalesce(sum(rowid IS NOT NULL), 0) FROM ` + sqlite3.QuoteIdentifier(x.table) +
		` INDEXED BY ` + sqlite3.QuoteIdentifier(x.name) + ` WHERE rowid IS NOT NULL`)
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
