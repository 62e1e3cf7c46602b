package sqlite

import (
	"context"
	"fmt"
	"math"

	"github.com/ncruces/go-sqlite3"

	"columnvault/internal/store"
	"columnvault/internal/store/sqlite/btree"
)

const (
	// repackBytes and repackRows bound the pairs that one transaction moves.
	repackBytes = 4 << 20
	repackRows  = 20_000
)

// sparseTable is a table of pairs whose rows, or the index over whose keys,
// would take much less room if they were written anew.
type sparseTable struct {
	name, index     string
	root, indexRoot int64
	rows, keys      bool
}

// pairTables lists what may be tables of pairs, each with the index that its
// primary key has made.
func (c *conn) pairTables() (tables []sparseTable, err error) {
	err = c.query(`SELECT s.name, s.rootpage, i.name, i.rootpage FROM sqlite_schema AS s JOIN sqlite_schema AS i
		ON i.type = 'index' AND i.sql IS NULL AND i.tbl_name = s.name
		WHERE s.type = 'table' AND s.rootpage > 0 AND `+isKV("s.name"), func(st *sqlite3.Stmt) {
		tables = append(tables, sparseTable{name: st.ColumnText(0), root: st.ColumnInt64(1), index: st.ColumnText(2), indexRoot: st.ColumnInt64(3)})
	})
	return tables, err
}

// repack moves the rows of a table, but for those that have pages of their own,
// to its end, in their order: there SQLite fills page after page. Then it writes
// the index anew. The rows move some at a time; the index is one transaction, and
// so there is a bound for its size: see maxReindex.
func (s *Store) repack(ctx context.Context, t sparseTable) error {
	if t.rows {
		next, last := int64(math.MinInt64), int64(math.MaxInt64)
		for more := true; more; {
			err := s.Update(ctx, func(w store.Tx) (err error) {
				next, last, more, err = w.(*tx).moveRows(ctx, t.name, next, last)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	if !t.keys {
		return nil
	}
	return s.Update(ctx, func(w store.Tx) error {
		t, index := w.(*tx), t.index
		if err := t.c.blobs.close(); err != nil {
			return err
		}
		return t.within(ctx, func() error { return t.c.exec(`REINDEX ` + sqlite3.QuoteIdentifier(index)) })
	})
}

// moveRows moves rows from next on to the end of the table, none after last,
// which the first call finds. It returns with what to go on.
func (t *tx) moveRows(ctx context.Context, table string, next, last int64) (int64, int64, bool, error) {
	if err := t.c.blobs.close(); err != nil {
		return next, last, false, err
	}
	end := int64(math.MinInt64)
	err := t.c.query(t.c.kvSQL(`SELECT max(rowid) FROM %s`, table), func(st *sqlite3.Stmt) {
		if st.ColumnType(0) != sqlite3.NULL {
			end = st.ColumnInt64(0)
		}
	})
	if err != nil {
		return next, last, false, err
	}
	last = min(last, end)
	from, to, bytes, rows := int64(0), int64(math.MinInt64), int64(0), 0
	err = t.c.queryWhile(t.c.kvSQL(`SELECT rowid, octet_length(key) + octet_length(value) FROM %s WHERE rowid BETWEEN ? AND ? ORDER BY rowid`, table),
		func(st *sqlite3.Stmt) bool {
			if rows == 0 {
				from = st.ColumnInt64(0)
			}
			to = st.ColumnInt64(0)
			if n := st.ColumnInt64(1); n < btree.Big {
				bytes += n
			}
			rows++
			return bytes < repackBytes && rows < repackRows
		}, next, last)
	if err != nil || rows == 0 || end > math.MaxInt64/2 || from < math.MinInt64/2 {
		return next, last, false, err
	}
	sql := fmt.Sprintf(`UPDATE %%s SET rowid = rowid + ? WHERE rowid BETWEEN ? AND ? AND octet_length(key) + octet_length(value) < %d`, btree.Big)
	err = t.within(ctx, func() error { return t.c.run(t.c.kvSQL(sql, table), end-from+1, from, to) })
	return to + 1, last, to < last, err
}
