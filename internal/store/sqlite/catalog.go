package sqlite

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/ncruces/go-sqlite3"

	"columnvault/internal/store"
)

// catalog is what a connection remembers of the rows of columns. It belongs to
// the transaction that the connection is in, and is handed to the next one if
// nobody has changed anything in between.
type catalog struct {
	// names holds the rows looked up by name, nil for a name that does not
	// exist; ids the same rows, and those looked up by ID.
	names map[string]*store.Row
	ids   map[store.ColumnID]*store.Row
	// lengths are those that the transaction has set and not yet written, so
	// that a thousand appends write the row once. The rows above have them.
	lengths map[store.ColumnID]int64
	// found is what the last Lookup returned.
	found []store.Row
	// tables are those of the layouts, as long as the schema of the file has that
	// version. checked says that it has.
	tables  [store.LayoutNative + 1]tableState
	schema  int64
	checked bool
	// blocks is why the tables of layout 1 cannot be used, once that is known.
	blocks      error
	blocksKnown bool
	// version is that of store.Reader.CatalogVersion.
	version uint64
}

// tableState says whether the file has a table with rows of columns, and that its
// field for attrs.
type tableState uint8

const (
	tableMissing tableState = iota
	tableWithoutAttrs
	tableWithAttrs
)

// noSchema is no version of a schema: those have 32 bits.
const noSchema = 1 << 40

// maxCatalog bounds the names that a connection remembers.
const maxCatalog = 5000

// versions makes the versions of all catalogs, so that no two share one by
// chance.
var versions atomic.Uint64

func newCatalog() catalog {
	return catalog{version: versions.Add(1), schema: noSchema, names: map[string]*store.Row{}, ids: map[store.ColumnID]*store.Row{}, lengths: map[store.ColumnID]int64{}}
}

// reset forgets everything that others may have changed.
func (c *catalog) reset() {
	clear(c.names)
	clear(c.ids)
	clear(c.lengths)
	c.checked, c.blocksKnown = false, false
	c.version = versions.Add(1)
}

// makeRoom forgets what has been read if that has become much.
func (c *catalog) makeRoom() {
	if len(c.names) > maxCatalog || len(c.ids) > maxCatalog {
		clear(c.names)
		clear(c.ids)
	}
}

// add remembers a row that has been read.
func (c *catalog) add(row store.Row) *store.Row {
	if length, ok := c.lengths[row.ID]; ok {
		row.Length = length
	}
	c.ids[row.ID] = &row
	return &row
}

// forget drops what is known of a column whose row has changed, and of the
// name that it has now.
func (c *catalog) forget(id store.ColumnID, name string) {
	if row := c.ids[id]; row != nil {
		delete(c.names, row.Name)
	}
	delete(c.ids, id)
	delete(c.names, name)
	c.version = versions.Add(1)
}

// The IDs of columns tell which table the row is in: its number there is
// followed by two bits for the layout, which are not 0, so that no column has
// the ID 0.
const layoutBits = 2

// idOf is the ID of a column, or 0 for a number that no program gives.
func idOf(layout store.Layout, row int64) store.ColumnID {
	id := row<<layoutBits | int64(layout+1)
	if id>>layoutBits != row {
		return 0
	}
	return store.ColumnID(id)
}

// rowOf is the number of the column's row.
func rowOf(id store.ColumnID) int64 { return int64(id) >> layoutBits }

// layoutOf is the layout of the column.
func layoutOf(id store.ColumnID) store.Layout { return store.Layout(id&(1<<layoutBits-1)) - 1 }

// columnTable is where the rows of the columns of a layout are. Its statements
// have the same arguments in all layouts.
type columnTable struct {
	layout                              store.Layout
	name                                string
	setLength, setName, setAttrs, erase string
	setShape                            string
	// plain and withAttrs read rows, of tables without and with attrs.
	plain, withAttrs columnQueries
	// fields are all that are known of the table, each in spaces.
	fields string
}

// columnQueries read rows of columns.
type columnQueries struct{ byName, byID, all string }

// attrsField is the field with the attrs of a column. KohakuVault's tables get
// it when it is first needed.
const attrsField = `columnvault_attrs`

// newColumnTable makes the statements. least and most are the fields with the
// bounds of chunks, more are fields that nobody reads.
func newColumnTable(layout store.Layout, table, least, most, more string) *columnTable {
	queries := func(attrs string) columnQueries {
		rows := `SELECT col_id, name, dtype, elem_size, length, ` + least + `, ` + most + `, ` + attrs + ` FROM ` + table
		return columnQueries{
			byName: rows + ` WHERE name = ?`,
			byID:   rows + ` WHERE col_id = ?`,
			all:    rows + ` ORDER BY col_id`,
		}
	}
	return &columnTable{
		layout:    layout,
		name:      table,
		plain:     queries(`NULL`),
		withAttrs: queries(fmt.Sprintf(`substr(%s, 1, %d)`, attrsField, store.MaxAttrs+1)),
		setAttrs:  `UPDATE ` + table + ` SET ` + attrsField + ` = nullif(?, '') WHERE col_id = ?`,
		setLength: `UPDATE ` + table + ` SET length = ? WHERE col_id = ?`,
		setName:   `UPDATE ` + table + ` SET name = ? WHERE col_id = ?`,
		setShape:  `UPDATE ` + table + ` SET elem_size = ?, length = ?, ` + least + ` = ?, ` + most + ` = ? WHERE col_id = ?`,
		erase:     `DELETE FROM ` + table + ` WHERE col_id = ?`,
		fields:    ` col_id name dtype elem_size length ` + least + ` ` + most + ` ` + attrsField + ` ` + more + ` `,
	}
}

// columnTables are in the order in which a name is looked for.
var columnTables = []*columnTable{
	newColumnTable(store.LayoutNative, `columnvault_columns`, `structure`, `run_bytes`, ``),
	newColumnTable(store.LayoutV0, `col_meta`, `min_chunk_bytes`, `max_chunk_bytes`, `chunk_bytes`),
	newColumnTable(store.LayoutV1, `kvault_col_columns`, `block_bytes`, `block_bytes`, ``),
}

// tableOf is where the row of the column is, nil for an ID that no column has.
func tableOf(id store.ColumnID) *columnTable {
	for _, t := range columnTables {
		if t.layout == layoutOf(id) {
			return t
		}
	}
	return nil
}

func scanColumn(st *sqlite3.Stmt, layout store.Layout) store.Row {
	return store.Row{
		ID:       idOf(layout, st.ColumnInt64(0)),
		Name:     st.ColumnText(1),
		DType:    st.ColumnText(2),
		ElemSize: scanNumber(st, 3),
		Length:   scanNumber(st, 4),
		MinChunk: scanNumber(st, 5),
		MaxChunk: scanNumber(st, 6),
		Layout:   layout,
		Attrs:    st.ColumnText(7),
	}
}

// scanNumber returns -1, which no column can have, for what is not an integer.
func scanNumber(st *sqlite3.Stmt, column int) int64 {
	if st.ColumnType(column) != sqlite3.INTEGER {
		return -1
	}
	return st.ColumnInt64(column)
}

// Lookup implements store.Reader. A transaction that writes has the whole file
// to itself, so there is nothing to lock.
func (r *reader) Lookup(ctx context.Context, names ...string) ([]store.Row, error) {
	if err := r.enter(ctx); err != nil {
		return nil, err
	}
	defer r.leave()
	cat := &r.c.catalog
	cat.makeRoom()
	cat.found = cat.found[:0]
	for _, name := range names {
		row, known := cat.names[name]
		if !known {
			var err error
			if row, err = r.c.loadName(name); err != nil {
				return nil, err
			}
		}
		if row != nil {
			cat.found = append(cat.found, *row)
		}
	}
	return cat.found, nil
}

// loadName brings the row of a name into the catalog, nil where there is none.
func (c *conn) loadName(name string) (found *store.Row, err error) {
	for _, t := range columnTables {
		err := c.columns(t, func(q *columnQueries) string { return q.byName }, func(row store.Row) {
			if found == nil && row.Name == name {
				found = c.catalog.add(row)
			}
		}, name)
		if err != nil {
			return nil, err
		}
		if found != nil {
			break
		}
	}
	c.catalog.names[name] = found
	return found, nil
}

// columns calls fn for the rows that one of the queries selects from a table,
// which the file need not have.
func (c *conn) columns(t *columnTable, which func(*columnQueries) string, fn func(store.Row), args ...any) error {
	state, err := c.stateOf(t)
	if err != nil || state == tableMissing {
		return err
	}
	q := &t.plain
	if state == tableWithAttrs {
		q = &t.withAttrs
	}
	return c.query(which(q), func(st *sqlite3.Stmt) { fn(scanColumn(st, t.layout)) }, args...)
}

// stateOf is the state of the table.
func (c *conn) stateOf(t *columnTable) (tableState, error) {
	err := c.checkSchema()
	return c.catalog.tables[t.layout], err
}

// checkSchema finds out anew which tables there are if somebody may have changed
// them.
func (c *conn) checkSchema() error {
	cat := &c.catalog
	if cat.checked {
		return nil
	}
	version, err := c.integer(`PRAGMA schema_version`)
	if err != nil {
		return err
	}
	if version != cat.schema {
		// A pragma does not make SQLite load a schema that others have changed;
		// a query does.
		if err := c.queryWhile(allNames, func(*sqlite3.Stmt) bool { return false }); err != nil {
			return err
		}
		for _, t := range columnTables {
			if cat.tables[t.layout], err = c.findTable(t); err != nil {
				return err
			}
		}
	}
	cat.schema, cat.checked = version, true
	return nil
}

// findTable finds the state of the table in the schema that SQLite has loaded.
func (c *conn) findTable(t *columnTable) (tableState, error) {
	state := tableMissing
	has, err := c.hasField(t.name, "")
	if err == nil && has {
		state = tableWithoutAttrs
		has, err = c.hasField(t.name, attrsField)
	}
	if err == nil && has {
		state = tableWithAttrs
	}
	return state, err
}

// hasField tells whether the schema that SQLite has loaded has a table with such a
// field, or, where field is empty, the table. Views do not count.
func (c *conn) hasField(table, field string) (has bool, err error) {
	defer c.guard(&err, catchFaults())
	_, _, _, _, _, err = c.db.TableColumnMetadata("main", table, field)
	if errors.Is(err, sqlite3.ERROR) {
		return false, nil
	}
	return err == nil, wrap(err)
}

// LookupID implements store.Reader.
func (r *reader) LookupID(ctx context.Context, ids ...store.ColumnID) ([]store.Row, error) {
	if err := r.enter(ctx); err != nil {
		return nil, err
	}
	defer r.leave()
	cat := &r.c.catalog
	cat.makeRoom()
	cat.found = cat.found[:0]
	for _, id := range ids {
		row, err := r.c.rowByID(id)
		if err != nil {
			return nil, err
		}
		if row != nil {
			cat.found = append(cat.found, *row)
		}
	}
	return cat.found, nil
}

// rowByID is the row of a column, nil if there is none.
func (c *conn) rowByID(id store.ColumnID) (row *store.Row, err error) {
	if row = c.catalog.ids[id]; row != nil {
		return row, nil
	}
	if t := tableOf(id); t != nil {
		err = c.columns(t, func(q *columnQueries) string { return q.byID }, func(found store.Row) { row = c.catalog.add(found) }, rowOf(id))
	}
	return row, err
}

// CatalogVersion implements store.Reader.
func (r *reader) CatalogVersion(ctx context.Context) (uint64, error) {
	if err := r.enter(ctx); err != nil {
		return 0, err
	}
	defer r.leave()
	return r.c.catalog.version, nil
}

// Columns implements store.Reader.
func (r *reader) Columns(ctx context.Context) (all []store.Row, err error) {
	if err := r.enter(ctx); err != nil {
		return nil, err
	}
	defer r.leave()
	err = r.c.within(ctx, func() error {
		for _, t := range columnTables {
			if err := r.c.columns(t, func(q *columnQueries) string { return q.all }, func(row store.Row) { all = append(all, row) }); err != nil {
				return err
			}
		}
		return nil
	})
	return all, err
}
