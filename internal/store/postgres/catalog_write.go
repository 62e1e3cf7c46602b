package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"

	"columnvault/internal/store"
)

// lockCatalog keeps others from changing the catalog. What was found absent
// before must still be.
func (t *tx) lockCatalog(ctx context.Context, asked *trip) error {
	version := int64(0)
	var all trip
	if !t.catalogLocked {
		all.add(func(rows pgx.Rows) error { return rows.Scan(&version) }, `SELECT catalog FROM columnvault_vault FOR UPDATE`)
	}
	all.append(asked)
	if err := t.ask(ctx, &all); err != nil {
		return err
	}
	if t.catalogLocked {
		return nil
	}
	if t.absent && t.version != 0 && t.version != uint64(version) {
		t.s.known.forget()
		t.failed = errConflict
		return t.failed
	}
	t.version, t.catalogLocked = uint64(version), true
	return nil
}

// changeCatalog sends a statement that changes the catalog, which is locked.
func (t *tx) changeCatalog(ctx context.Context, asked *trip) error {
	t.written = true
	version := int64(0)
	asked.add(func(rows pgx.Rows) error { return rows.Scan(&version) },
		`UPDATE columnvault_vault SET catalog = nextval('columnvault_versions') RETURNING catalog`)
	if err := t.ask(ctx, asked); err != nil {
		return err
	}
	t.version = uint64(version)
	return nil
}

// taken reports a column that is in the way of a name. Columns of LayoutV0 and
// LayoutV1 may share theirs: beside is the layout that is not in the way.
func (t *tx) taken(ctx context.Context, name string, beside store.Layout) error {
	var taken bool
	var asked trip
	asked.add(func(rows pgx.Rows) error { taken = true; return nil },
		`SELECT 1 FROM columnvault_columns WHERE name = $1 AND layout <> $2`, []byte(name), int64(beside))
	if err := t.lockCatalog(ctx, &asked); err != nil {
		return err
	}
	if taken {
		return fmt.Errorf("%w: another column has the name", store.ErrExists)
	}
	return nil
}

// noLayout is the layout of no column.
const noLayout store.Layout = -1

func (t *tx) CreateColumn(ctx context.Context, c store.Row) (store.Row, error) {
	if err := t.check(ctx); err != nil {
		return c, err
	}
	beside := noLayout
	switch c.Layout {
	case store.LayoutV0:
		beside = store.LayoutV1
	case store.LayoutV1:
		beside = store.LayoutV0
		if c.MinChunk != c.MaxChunk {
			return c, fmt.Errorf("%w: blocks of layout 1 have one size, and not %d to %d", store.ErrInvalidArgument, c.MinChunk, c.MaxChunk)
		}
	case store.LayoutNative:
	default:
		return c, fmt.Errorf("%w: columns of layout %d", errors.ErrUnsupported, c.Layout)
	}
	if err := cmp.Or(checkAttrs(c.Attrs), store.CheckHome(c.Home)); err != nil {
		return c, err
	}
	if err := t.enter(c.Home); err != nil {
		return c, err
	}
	if err := t.taken(ctx, c.Name, beside); err != nil {
		return c, err
	}
	var asked trip
	asked.add(func(rows pgx.Rows) error { return rows.Scan(&c.ID) }, `INSERT INTO columnvault_columns
		(col_id, name, layout, dtype, attrs, elem_size, length, min_chunk, max_chunk, rev)
		VALUES (nextval('columnvault_ids') + $8, $1, $2, $3, $4, $5, 0, $6, $7, 1) RETURNING col_id`,
		[]byte(c.Name), int64(c.Layout), []byte(c.DType), []byte(c.Attrs), c.ElemSize, c.MinChunk, c.MaxChunk, c.Home<<homeShift)
	if err := t.changeCatalog(ctx, &asked); err != nil {
		return c, err
	}
	c.Length = 0
	t.columns[c.ID] = &held{entry: entry{row: c, rev: 1, lastKnown: true}, locked: true, raised: true}
	delete(t.names, c.Name)
	return c, nil
}

func checkAttrs(attrs string) error {
	if len(attrs) > store.MaxAttrs {
		return fmt.Errorf("%w: attrs of %d bytes, and the limit is %d", store.ErrTooLarge, len(attrs), store.MaxAttrs)
	}
	return nil
}

func (t *tx) RenameColumn(ctx context.Context, id store.ColumnID, name string) error {
	h, err := t.changing(ctx, id, store.ErrNotFound)
	if err != nil {
		return err
	}
	if err := t.taken(ctx, name, noLayout); err != nil {
		return err
	}
	var asked trip
	asked.add(nil, `UPDATE columnvault_columns SET name = $2, rev = rev + 1 WHERE col_id = $1`+t.s.atColumn("col_id", id), int64(id), []byte(name))
	if err := t.changeCatalog(ctx, &asked); err != nil {
		return err
	}
	delete(t.names, h.row.Name)
	delete(t.names, name)
	h.row.Name = name
	h.rev++
	return nil
}

func (t *tx) SetAttrs(ctx context.Context, id store.ColumnID, attrs string) error {
	if err := checkAttrs(attrs); err != nil {
		return err
	}
	h, err := t.changing(ctx, id, store.ErrNotFound)
	if err != nil {
		return err
	}
	if err := t.lockCatalog(ctx, &trip{}); err != nil {
		return err
	}
	var asked trip
	asked.add(nil, `UPDATE columnvault_columns SET attrs = $2, rev = rev + 1 WHERE col_id = $1`+t.s.atColumn("col_id", id), int64(id), []byte(attrs))
	if err := t.changeCatalog(ctx, &asked); err != nil {
		return err
	}
	h.row.Attrs = attrs
	h.rev++
	return nil
}

func (t *tx) DropColumn(ctx context.Context, id store.ColumnID) error {
	if err := t.column(ctx, id); err != nil {
		return err
	}
	h := t.columns[id]
	if h.row.ID == 0 {
		return t.DropChunks(ctx, id, math.MinInt64, math.MaxInt64) // those of no column, which a repair has kept
	}
	if err := t.enter(homeOf(id)); err != nil {
		return err
	}
	delete(t.writes.columns, id)
	if err := t.lockCatalog(ctx, &trip{}); err != nil {
		return err
	}
	var asked trip
	asked.add(nil, `DELETE FROM columnvault_chunks WHERE col_id = $1`+t.s.atColumn("col_id", id), int64(id))
	asked.add(nil, `DELETE FROM columnvault_columns WHERE col_id = $1`+t.s.atColumn("col_id", id), int64(id))
	if err := t.changeCatalog(ctx, &asked); err != nil {
		return err
	}
	delete(t.names, h.row.Name)
	t.columns[id] = &held{locked: true}
	return nil
}
