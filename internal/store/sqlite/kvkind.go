package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"columnvault/internal/excerpt"
	"columnvault/internal/store"
)

// Tables implements store.KVReader.
func (r *reader) Tables(ctx context.Context) (tables []store.Table, err error) {
	if err := r.enter(ctx); err != nil {
		return nil, err
	}
	defer r.leave()
	return r.tables(func() error { return r.check(ctx) })
}

// tables finds the tables, and calls check between two of them.
func (r *reader) tables(check func() error) (tables []store.Table, err error) {
	var names []string
	err = r.c.query(`SELECT lower(name) FROM sqlite_schema WHERE type = 'table' ORDER BY 1`, func(st *sqlite3.Stmt) {
		names = append(names, st.ColumnText(0))
	})
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if store.CheckTable(name) != nil {
			continue
		}
		if err := check(); err != nil {
			return nil, err
		}
		kind, err := r.kindOf(name)
		switch {
		case errors.Is(err, store.ErrInvalidArgument):
			continue // a table of somebody else's
		case err != nil:
			return nil, err
		}
		tables = append(tables, store.Table{Name: name, Kind: kind})
	}
	return tables, nil
}

// Table implements store.KVReader.
func (r *reader) Table(ctx context.Context, table string) (found store.Table, err error) {
	found.Name = table
	if err := r.enterKV(ctx, table); err != nil {
		return found, err
	}
	defer r.leave()
	found.Kind, err = r.kindOf(table)
	return found, err
}

func (r *reader) kindOf(table string) (store.TableKind, error) {
	exists, plain, err := r.declared(table)
	switch {
	case err != nil:
		return store.TableNone, err
	case plain:
		return store.TablePlain, nil
	}
	// SQLite knows best whether a pair can be put there. Names that it gives a
	// meaning without a table, such as json_each, come to light here.
	err = r.c.exec(`EXPLAIN ` + fmt.Sprintf(putPair, sqlite3.QuoteIdentifier(table)))
	switch {
	case exists && err == nil:
		return store.TableOther, nil
	case !exists && noTable(err):
		return store.TableNone, nil
	case err == nil:
		err = fmt.Errorf("%w: SQLite has a use of its own for the name %s", store.ErrInvalidArgument, excerpt.Quote(table, excerpt.Name))
	}
	return store.TableNone, kvError(table, err)
}

// declared tells what the catalog of the file says of a table: whether it
// exists, and whether it is as we and KohakuVault create it, without a rule of
// anybody else.
func (r *reader) declared(table string) (exists, plain bool, err error) {
	plain = true
	// Triggers on the table and indexes over it are rules, too; only the index
	// that the primary key makes has no text.
	err = r.c.query(`SELECT type, sql, name, name = ?1 COLLATE NOCASE FROM sqlite_schema
		WHERE sql IS NOT NULL AND (tbl_name = ?1 COLLATE NOCASE OR type = 'index' AND name = ?1 COLLATE NOCASE)`, func(st *sqlite3.Stmt) {
		sql, name, named := st.ColumnText(1), st.ColumnText(2), st.ColumnBool(3)
		if kind := st.ColumnText(0); named && kind != "trigger" {
			exists = true
			plain = plain && kind == "table" && isPlain(name, sql)
		} else {
			plain = false
		}
	}, table)
	return exists, exists && plain, err
}

// isPlain tells whether a table was created by the statement that we and
// KohakuVault use. KohakuVault pastes the name into it as it is.
func isPlain(name, sql string) bool {
	create := strings.Replace(createKV, "IF NOT EXISTS ", "", 1)
	return tokens(sql) == tokens(fmt.Sprintf(create, sqlite3.QuoteIdentifier(name))) || tokens(sql) == tokens(fmt.Sprintf(create, name))
}

// tokens is a statement with one blank wherever there can be any.
func tokens(sql string) string {
	sql = strings.NewReplacer("(", " ( ", ")", " ) ", ",", " , ").Replace(sql)
	return strings.Join(strings.Fields(sql), " ")
}
