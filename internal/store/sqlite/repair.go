package sqlite

import (
	"context"
	"fmt"

	"columnvault/internal/store"
)

// SetColumn implements store.Tx.
func (t *tx) SetColumn(ctx context.Context, row store.Row) error {
	if err := t.startWrite(ctx, row.ID); err != nil {
		return err
	}
	if old := t.c.catalog.ids[row.ID]; old != nil {
		t.c.catalog.forget(row.ID, old.Name)
	}
	t.c.catalog.forget(row.ID, row.Name)
	delete(t.c.catalog.lengths, row.ID)
	err := t.c.run(tableOf(row.ID).setShape, row.ElemSize, row.Length, row.MinChunk, row.MaxChunk, rowOf(row.ID))
	if err == nil && t.c.db.Changes() == 0 {
		err = fmt.Errorf("%w: no such column", store.ErrNotFound)
	}
	return err
}
