package sqlite

import (
	"context"
	"slices"

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
	// noLater says that the tables of the later generation do not exist.
	noLater bool
}

// maxCatalog bounds the names that a connection remembers.
const maxCatalog = 5000

func newCatalog() catalog {
	return catalog{names: map[string]*store.Row{}, ids: map[store.ColumnID]*store.Row{}, lengths: map[store.ColumnID]int64{}}
}

// reset forgets everything.
func (c *catalog) reset() {
	clear(c.names)
	clear(c.ids)
	clear(c.lengths)
	c.noLater = false
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

const (
	// selectColumns and selectLater read the rows of columns in layouts 0 and 1.
	selectColumns = `SELECT col_id, name, dtype, elem_size, length, min_chunk_bytes, max_chunk_bytes FROM col_meta`
	selectLater   = `SELECT col_id, name, dtype, elem_size, length, block_bytes, block_bytes FROM kvault_col_columns`
)

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
	var missing []string
	for _, name := range names {
		if _, known := cat.names[name]; !known {
			missing = append(missing, name)
		}
	}
	for some := range slices.Chunk(missing, 3) {
		if err := r.c.loadNames(some); err != nil {
			return nil, err
		}
	}
	var found []store.Row
	for _, name := range names {
		if row := cat.names[name]; row != nil {
			found = append(found, *row)
		}
	}
	return found, nil
}

// loadNames brings the rows of up to three names into the catalog: those of a
// column.
func (c *conn) loadNames(names []string) error {
	args := []any{names[0], names[len(names)/2], names[len(names)-1]}
	err := c.eachColumn(` WHERE name IN (?, ?, ?)`, func(row store.Row) {
		if c.catalog.names[row.Name] == nil {
			c.catalog.names[row.Name] = c.catalog.add(row)
		}
	}, args...)
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, known := c.catalog.names[name]; !known {
			c.catalog.names[name] = nil
		}
	}
	return nil
}

// eachColumn calls fn for the rows of all layouts that the condition selects,
// in the order in which a name is looked for.
func (c *conn) eachColumn(condition string, fn func(store.Row), args ...any) error {
	err := c.query(selectColumns+condition, func(st *sqlite3.Stmt) { fn(scanColumn(st, store.LayoutV0)) }, args...)
	if err != nil && !noTable(err) || c.catalog.noLater {
		return err
	}
	err = c.query(selectLater+condition, func(st *sqlite3.Stmt) { fn(scanColumn(st, store.LayoutV1)) }, args...)
	if noTable(err) {
		c.catalog.noLater = true
		return nil
	}
	return err
}

// LookupID implements store.Reader.
func (r *reader) LookupID(ctx context.Context, ids ...store.ColumnID) ([]store.Row, error) {
	if err := r.enter(ctx); err != nil {
		return nil, err
	}
	defer r.leave()
	r.c.catalog.makeRoom()
	var found []store.Row
	for _, id := range ids {
		row, err := r.c.rowByID(id)
		if err != nil {
			return nil, err
		}
		if row != nil {
			found = append(found, *row)
		}
	}
	return found, nil
}

// rowByID is the row of a column, nil if there is none.
func (c *conn) rowByID(id store.ColumnID) (row *store.Row, err error) {
	if row = c.catalog.ids[id]; row != nil {
		return row, nil
	}
	sql := selectColumns
	switch layout := layoutOf(id); {
	case layout == store.LayoutV1 && !c.catalog.noLater:
		sql = selectLater
	case layout != store.LayoutV0:
		return nil, nil
	}
	err = c.query(sql+` WHERE col_id = ?`, func(st *sqlite3.Stmt) {
		row = c.catalog.add(scanColumn(st, layoutOf(id)))
	}, rowOf(id))
	if noTable(err) {
		err = nil
	}
	return row, err
}

// Columns implements store.Reader.
func (r *reader) Columns(ctx context.Context) (all []store.Row, err error) {
	if err := r.enter(ctx); err != nil {
		return nil, err
	}
	defer r.leave()
	err = r.c.eachColumn(` ORDER BY col_id`, func(row store.Row) { all = append(all, row) })
	return all, err
}
