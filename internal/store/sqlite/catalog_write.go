package sqlite

import (
	"context"
	"errors"
	"fmt"

	"columnvault/internal/excerpt"
	"columnvault/internal/store"
)

// Columns implements store.Reader.
func (t *tx) Columns(ctx context.Context) ([]store.Row, error) {
	if err := t.check(ctx); err != nil {
		return nil, err
	}
	if err := t.writeLengths(); err != nil {
		return nil, err
	}
	return t.reader.Columns(ctx)
}

// writeLengths writes the lengths that have been set.
func (t *tx) writeLengths() error {
	for id, length := range t.c.catalog.lengths {
		if err := t.c.run(tableOf(id).setLength, length, rowOf(id)); err != nil {
			return err
		}
	}
	clear(t.c.catalog.lengths)
	return nil
}

// SetLength implements store.Tx.
func (t *tx) SetLength(ctx context.Context, id store.ColumnID, length int64) error {
	if err := t.startWrite(ctx, id); err != nil {
		return err
	}
	t.c.catalog.lengths[id] = length
	if row := t.c.catalog.ids[id]; row != nil {
		row.Length = length
	}
	return nil
}

// CreateColumn implements store.Tx.
func (t *tx) CreateColumn(ctx context.Context, col store.Row) (store.Row, error) {
	err := checkAttrs(col.Attrs)
	if err == nil {
		err = t.checkFree(ctx, col.Name, col.Layout)
	}
	if err != nil {
		return col, err
	}
	switch col.Layout {
	case store.LayoutV0:
		err = t.insertColumn(col)
	case store.LayoutV1:
		err = t.insertV1(col)
	case store.LayoutNative:
		err = t.insertNative(col)
	default:
		err = fmt.Errorf("%w: this engine creates no columns of layout %d", errors.ErrUnsupported, col.Layout)
	}
	if err != nil {
		return col, err
	}
	col.ID, col.Length, col.Home = idOf(col.Layout, t.c.db.LastInsertRowID()), 0, 0
	t.c.catalog.forget(col.ID, col.Name)
	if err = t.startWrite(ctx, col.ID); err == nil {
		// A writer without foreign keys may have left chunks of a column that
		// had the same number; they must not become ours.
		err = t.dropAll(ctx, col.ID)
	}
	if err == nil && col.Attrs != "" {
		err = t.writeAttrs(col.ID, col.Attrs)
	}
	if err != nil {
		t.Abort(err)
	}
	return col, err
}

// lastNumber is the key in kohakuvault_meta of the highest number that a column
// of layout 0 had when it was dropped. KohakuVault gives such a number again,
// and rows that wait for the old column would come into the new one.
const lastNumber = `columnvault_last_col_id`

// insertColumn adds the row of a column of layout 0. Its number is one that no
// column had before, also none of which only chunks are left: these may still be
// wanted. The highest numbers are left out, because no program gives them.
func (t *tx) insertColumn(col store.Row) error {
	return t.c.run(`INSERT INTO col_meta (name, dtype, elem_size, length, chunk_bytes, min_chunk_bytes, max_chunk_bytes, col_id)
		VALUES (?, ?, ?, 0, ?, ?, ?, 1 + max(0, coalesce((SELECT max(col_id) FROM col_meta), 0),
			coalesce((SELECT col_id FROM col_chunks WHERE col_id < 1 << 60 ORDER BY col_id DESC LIMIT 1), 0),
			coalesce((SELECT CAST(value AS INTEGER) FROM kohakuvault_meta WHERE key = '`+lastNumber+`'), 0)))`,
		col.Name, col.DType, col.ElemSize, col.MinChunk, col.MinChunk, col.MaxChunk)
}

// keepNumber remembers the number of a column that is about to be dropped, if
// it is the highest.
func (t *tx) keepNumber(id store.ColumnID) error {
	return t.c.run(`INSERT INTO kohakuvault_meta (key, value) SELECT '`+lastNumber+`', max(col_id) FROM col_meta HAVING max(col_id) = ?
		ON CONFLICT (key) DO UPDATE SET value = max(CAST(value AS INTEGER), CAST(excluded.value AS INTEGER))`, rowOf(id))
}

// besideAny is the layout of no column: its names must not be those of others.
const besideAny store.Layout = -1

// checkFree reports that a column has the name that keeps one of the layout from
// getting it. One of the same layout may stand behind another; the table finds
// that.
func (t *tx) checkFree(ctx context.Context, name string, layout store.Layout) error {
	found, err := t.Lookup(ctx, name)
	beside := func(a, b store.Layout) bool { return a == store.LayoutV0 && b == store.LayoutV1 }
	if err == nil && len(found) > 0 && !beside(layout, found[0].Layout) && !beside(found[0].Layout, layout) {
		err = fmt.Errorf("%w: a column of layout %d has the name %s", store.ErrExists, found[0].Layout, excerpt.Quote(name, excerpt.Name))
	}
	return err
}

func checkAttrs(attrs string) error {
	if len(attrs) > store.MaxAttrs {
		return fmt.Errorf("%w: attrs of %d bytes, and the limit is %d", store.ErrTooLarge, len(attrs), store.MaxAttrs)
	}
	return nil
}

// SetAttrs implements store.Tx.
func (t *tx) SetAttrs(ctx context.Context, id store.ColumnID, attrs string) error {
	if err := checkAttrs(attrs); err != nil {
		return err
	}
	if err := t.startWrite(ctx, id); err != nil {
		return err
	}
	row, err := t.c.rowByID(id)
	switch {
	case err != nil:
		return err
	case row == nil:
		return store.ErrNotFound
	case row.Attrs == attrs:
		return nil // so a table without the field for them stays without
	}
	t.c.catalog.forget(id, row.Name)
	return t.writeAttrs(id, attrs)
}

// writeAttrs writes the attrs of a column that exists. The table gets the field
// for them if it does not have that yet.
func (t *tx) writeAttrs(id store.ColumnID, attrs string) error {
	table := tableOf(id)
	state, err := t.c.stateOf(table)
	if err != nil {
		return err
	}
	if state == tableWithoutAttrs {
		if err := t.c.blobs.close(); err != nil {
			return err
		}
		if err := t.c.exec(`ALTER TABLE ` + table.name + ` ADD COLUMN ` + attrsField + ` TEXT`); err != nil {
			return err
		}
		t.c.catalog.tables[table.layout] = tableWithAttrs
	}
	return t.c.run(table.setAttrs, attrs, rowOf(id))
}

// RenameColumn implements store.Tx.
func (t *tx) RenameColumn(ctx context.Context, id store.ColumnID, name string) error {
	if err := t.startWrite(ctx, id); err != nil {
		return err
	}
	if err := t.checkFree(ctx, name, besideAny); err != nil {
		return err
	}
	t.c.catalog.forget(id, name)
	return t.c.run(tableOf(id).setName, name, rowOf(id))
}

// DropColumn implements store.Tx.
func (t *tx) DropColumn(ctx context.Context, id store.ColumnID) error {
	if err := t.startWrite(ctx, id); err != nil {
		return err
	}
	name := ""
	if row := t.c.catalog.ids[id]; row != nil {
		name = row.Name
	}
	t.c.catalog.forget(id, name)
	delete(t.c.catalog.lengths, id)
	if err := t.dropAll(ctx, id); err != nil {
		return err
	}
	var err error
	if layoutOf(id) == store.LayoutV0 {
		err = t.keepNumber(id)
	}
	if err == nil {
		err = t.c.run(tableOf(id).erase, rowOf(id))
	}
	if err != nil {
		t.Abort(err)
	}
	return err
}

// SetMeta sets a row of kohakuvault_meta, which programs use for what is about
// the file as a whole.
func (s *Store) SetMeta(ctx context.Context, key, value string) error {
	return s.Update(ctx, func(t store.Tx) error {
		return t.(*tx).c.run(`INSERT INTO kohakuvault_meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, key, value)
	})
}
