package postgres

import (
	"cmp"
	"context"

	"github.com/jackc/pgx/v5"

	"columnvault/internal/store"
)

func (t *tx) Lookup(ctx context.Context, names ...string) ([]store.Row, error) {
	if err := t.check(ctx); err != nil {
		return nil, err
	}
	var missing [][]byte
	t.found = t.found[:0]
	for _, name := range names {
		id, ok := t.names[name]
		if !ok {
			id, ok = t.recall(name)
		}
		if !ok {
			missing = append(missing, []byte(name))
		} else if id != 0 {
			t.found = append(t.found, t.columns[id].row)
		}
	}
	if len(missing) == 0 {
		return t.found, nil
	}
	found, err := t.lookUp(ctx, byNames, missing)
	if err != nil {
		return nil, err
	}
	t.absent = true
	for _, name := range missing {
		var row store.Row
		for _, e := range found {
			if e.row.Name == string(name) {
				row = best(row, t.columns[e.row.ID].row)
			}
		}
		t.names[string(name)] = row.ID
		if row.ID != 0 {
			t.found = append(t.found, row)
		}
	}
	return t.found, nil
}

// recall goes on with what is remembered of a name, unless the transaction has
// seen another version of the catalog, by its own changes for instance.
func (t *tx) recall(name string) (store.ColumnID, bool) {
	e, version, ok := t.s.known.byName(name)
	if !ok || t.version != 0 && version != t.version {
		return 0, false
	}
	if e.row.ID != 0 && !t.use(e) {
		return 0, false
	}
	t.version, t.absent = version, true
	t.names[name] = e.row.ID
	return e.row.ID, true
}

// use goes on with a row that is remembered, which the next trip locks. It does
// not if the transaction knows that the column is gone.
func (t *tx) use(e entry) bool {
	if t.columns[e.row.ID] != nil {
		return t.columns[e.row.ID].row.ID != 0
	}
	t.columns[e.row.ID] = &held{entry: e}
	return true
}

// lookUp locks rows and reads them, with the last chunks of their columns. Rows
// that the transaction knows keep what it has changed of them.
func (t *tx) lookUp(ctx context.Context, where where, arg any) (found []entry, err error) {
	var asked trip
	version := int64(t.version)
	if version == 0 {
		asked.add(func(rows pgx.Rows) error { return rows.Scan(&version) }, `SELECT catalog FROM columnvault_vault`)
	}
	asked.addRows(&found, where.columns+` ORDER BY c.col_id FOR UPDATE`, arg)
	asked.addLast(&found, where, arg)
	if err := t.ask(ctx, &asked); err != nil {
		return nil, err
	}
	if t.version == 0 {
		t.version = uint64(version)
		t.s.known.moved(t.version)
	}
	for _, e := range found {
		if t.columns[e.row.ID] == nil {
			e.lastKnown = true
			t.columns[e.row.ID] = &held{entry: e, locked: true}
		}
	}
	return found, nil
}

func (t *tx) LookupID(ctx context.Context, ids ...store.ColumnID) ([]store.Row, error) {
	if err := t.check(ctx); err != nil {
		return nil, err
	}
	var missing []int64
	for _, id := range ids {
		if t.columns[id] != nil {
			continue
		}
		if e, ok := t.s.known.byID(id); ok {
			t.use(e)
		} else {
			missing = append(missing, int64(id))
		}
	}
	if len(missing) > 0 {
		if _, err := t.lookUp(ctx, t.s.byIDs(missing), missing); err != nil {
			return nil, err
		}
		for _, id := range missing {
			if t.columns[store.ColumnID(id)] == nil {
				t.columns[store.ColumnID(id)] = &held{locked: true} // IDs are not given again: it stays absent
			}
		}
	}
	t.found = t.found[:0]
	for _, id := range ids {
		if h := t.columns[id]; h.row.ID != 0 {
			t.found = append(t.found, h.row)
		}
	}
	return t.found, nil
}

func (t *tx) column(ctx context.Context, id store.ColumnID) error {
	if t.columns[id] != nil {
		return t.check(ctx)
	}
	_, err := t.LookupID(ctx, id)
	return err
}

func (t *tx) lastKnown(id store.ColumnID) (entry, bool) {
	h := t.columns[id]
	if h == nil || t.check(t.ctx) != nil {
		return entry{}, false
	}
	return h.entry, h.lastKnown
}

// LastChunk reads the last chunks of all columns that were looked up by name, where
// it has to read one: who asks for it asks for the others next.
func (t *tx) LastChunk(ctx context.Context, id store.ColumnID) (store.Chunk, error) {
	if err := t.column(ctx, id); err != nil {
		return store.Chunk{}, err
	}
	if h := t.columns[id]; h.row.ID == 0 || h.lastKnown {
		return t.reader.LastChunk(ctx, id)
	}
	ids, found := []int64{int64(id)}, []entry{t.columns[id].entry}
	for _, other := range t.names {
		if h := t.columns[other]; other != id && h != nil && h.row.ID != 0 && !h.lastKnown {
			ids, found = append(ids, int64(other)), append(found, h.entry)
		}
	}
	var asked trip
	asked.addLast(&found, t.s.byIDs(ids), ids)
	if err := t.ask(ctx, &asked); err != nil {
		return store.Chunk{}, err
	}
	for _, e := range found {
		h := t.columns[e.row.ID]
		h.last, h.hasChunks, h.lastKnown = e.last, e.hasChunks, true
	}
	return t.reader.LastChunk(ctx, id)
}

// Columns locks all columns, because the function may do whatever it likes with
// the lengths of them.
func (t *tx) Columns(ctx context.Context) ([]store.Row, error) {
	if _, err := t.CatalogVersion(ctx); err != nil {
		return nil, err
	}
	all, err := t.listColumns(ctx, ` FOR UPDATE`)
	if err != nil {
		return nil, err
	}
	for i, e := range all {
		if h := t.columns[e.row.ID]; h == nil {
			t.columns[e.row.ID] = &held{entry: e, locked: true}
		} else {
			all[i] = h.entry
		}
	}
	return rowsOf(all), nil
}

func (t *tx) CatalogVersion(ctx context.Context) (uint64, error) {
	if err := t.check(ctx); err != nil {
		return 0, err
	}
	t.absent = true
	if t.version == 0 && t.c == nil {
		t.version = t.s.known.catalog()
	}
	if t.version != 0 {
		return t.version, nil
	}
	version := int64(0)
	var asked trip
	asked.add(func(rows pgx.Rows) error { return rows.Scan(&version) }, `SELECT catalog FROM columnvault_vault`)
	if err := t.ask(ctx, &asked); err != nil {
		return 0, err
	}
	t.version = uint64(version)
	return t.version, nil
}

func (t *tx) Tables(ctx context.Context) ([]store.Table, error) {
	if _, err := t.CatalogVersion(ctx); err != nil {
		return nil, err
	}
	return t.listTables(ctx, ` FOR UPDATE`)
}

// touch locks a table with the next trip. If it does not exist, the version of
// the catalog covers that.
func (t *tx) touch(ctx context.Context, table string) error {
	if t.tables[table] != nil {
		return t.check(ctx)
	}
	if err := t.learn(ctx, table); err != nil {
		return err
	}
	state := &tableState{}
	if state.home, state.exists = t.s.known.table(table); !state.exists {
		if _, err := t.CatalogVersion(ctx); err != nil {
			return err
		}
	}
	t.tables[table] = state
	return t.check(ctx)
}

func (t *tx) Reindex(ctx context.Context, index string) error {
	return cmp.Or(t.check(ctx), errNoReindex)
}
