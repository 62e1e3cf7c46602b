package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"columnvault/internal/excerpt"
	"columnvault/internal/store"
)

// Once a statement of a transaction has found damage, SQLite lets no other of it
// write. So what may be damaged is looked at in a snapshot beside the
// transaction, which shows the same as long as that has changed nothing.

// Verify implements store.Reader.
func (t *tx) Verify(ctx context.Context, full bool) (found []store.Finding, err error) {
	if err := t.enter(ctx); err != nil {
		return nil, err
	}
	changed := t.c.changed
	t.leave()
	if changed {
		return t.reader.Verify(ctx, full)
	}
	err = t.beside(ctx, func(r *reader) error {
		found, err = r.verify(ctx, full)
		t.torn = r.torn
		return err
	})
	return found, err
}

// beside calls fn with a snapshot of the state in which the transaction began.
func (t *tx) beside(ctx context.Context, fn func(r *reader) error) error {
	return t.s.inSnapshot(ctx, fn)
}

// Reindex implements store.Tx.
func (t *tx) Reindex(ctx context.Context, index string) error {
	if err := t.check(ctx); err != nil {
		return err
	}
	// What is remembered may come from the index as it was.
	t.c.catalog.reset()
	clear(t.c.lasts)
	if err := t.c.blobs.forget(); err != nil {
		return err
	}
	err := t.makeIndex(ctx, index)
	if err != nil {
		err = fmt.Errorf("index %s: %w", excerpt.Quote(index, excerpt.Name), err)
		t.Abort(err)
	}
	return err
}

// makeIndex makes an index anew: in its own pages if SQLite can follow these, to
// free them first.
func (t *tx) makeIndex(ctx context.Context, name string) error {
	x, followed := index{name: name}, false
	err := t.beside(ctx, func(r *reader) error {
		err := r.c.query(`SELECT tbl_name FROM sqlite_schema WHERE type = 'index' AND name = ?`, func(st *sqlite3.Stmt) { x.table = st.ColumnText(0) }, name)
		if err != nil {
			return err
		}
		return r.c.within(ctx, func() error {
			_, err := r.c.entries(x)
			if followed = err == nil; errors.Is(err, store.ErrCorrupt) {
				err = nil
			}
			return err
		})
	})
	if err != nil {
		return err
	}
	if followed && !slices.Contains(t.torn, name) {
		return t.within(ctx, func() error { return t.c.exec(`REINDEX ` + sqlite3.QuoteIdentifier(name)) })
	}
	return t.within(ctx, func() error { return t.exchangeIndex(x) })
}

// newIndex is the name of an index until it takes the place of another.
const newIndex = "columnvault_reindex"

// exchangeIndex makes an index anew beside the damaged one and gives it the place
// of that in the schema. The pages of the damaged one are used by nothing then,
// and free for nothing, until the file is rebuilt, which happens after the
// commit.
func (t *tx) exchangeIndex(x index) error {
	create, err := t.indexLike(x)
	if err != nil {
		return err
	}
	p, err := t.c.pages()
	if err == nil {
		err = t.s.checkSpace((p.all - p.free) * p.size)
	}
	if err == nil {
		err = t.c.exec(create)
	}
	if err != nil {
		return err
	}
	t.rebuild = true
	return t.c.editSchema(func() error {
		err := t.c.run(`UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE type = 'index' AND name = ?)
			WHERE type = 'index' AND name = ?`, newIndex, x.name)
		if err == nil {
			err = t.c.run(`DELETE FROM sqlite_schema WHERE type = 'index' AND name = ?`, newIndex)
		}
		return err
	})
}

// indexLike is the statement for an index like another, under the name newIndex.
func (t *tx) indexLike(x index) (string, error) {
	create, plain := `CREATE INDEX `, false
	err := t.c.query(`SELECT "unique", partial FROM pragma_index_list(?) WHERE name = ?`, func(st *sqlite3.Stmt) {
		if st.ColumnBool(0) {
			create = `CREATE UNIQUE INDEX `
		}
		plain = !st.ColumnBool(1)
	}, x.table, x.name)
	if err != nil {
		return "", err
	}
	var columns []string
	err = t.c.query(`SELECT name, "desc", coll FROM pragma_index_xinfo(?) WHERE key ORDER BY seqno`, func(st *sqlite3.Stmt) {
		plain = plain && st.ColumnType(0) != sqlite3.NULL
		column := sqlite3.QuoteIdentifier(st.ColumnText(0)) + ` COLLATE ` + sqlite3.QuoteIdentifier(st.ColumnText(2))
		if st.ColumnBool(1) {
			column += ` DESC`
		}
		columns = append(columns, column)
	}, x.name)
	if err == nil && (!plain || len(columns) == 0) {
		err = fmt.Errorf("%w: it is of another program, and not one over whole columns of a table", store.ErrCorrupt)
	}
	return create + newIndex + ` ON ` + sqlite3.QuoteIdentifier(x.table) + ` (` + strings.Join(columns, `, `) + `)`, err
}

// editSchema calls fn while statements may change the schema as a table, and
// makes SQLite read it anew.
func (c *conn) editSchema(fn func() error) (err error) {
	defer func() {
		for _, undo := range []func() error{
			func() error { return c.exec(`PRAGMA writable_schema = RESET`) },
			func() error { return c.configure(sqlite3.DBCONFIG_DEFENSIVE, true) },
		} {
			if e := undo(); e != nil && c.broken == nil {
				c.broken = e // nobody knows what it still may do
			}
		}
		if err == nil {
			err = c.broken
		}
	}()
	if err := c.configure(sqlite3.DBCONFIG_DEFENSIVE, false); err != nil {
		return err
	}
	if err := c.exec(`PRAGMA writable_schema = ON`); err != nil {
		return err
	}
	return fn()
}

// configure sets an option of the connection.
func (c *conn) configure(option sqlite3.DBConfig, on bool) (err error) {
	defer c.guard(&err, catchFaults())
	_, err = c.db.Config(option, on)
	return wrap(err)
}
