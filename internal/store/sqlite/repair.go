package sqlite

import (
	"context"
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"columnvault/internal/excerpt"
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
	err := t.within(ctx, func() error { return t.c.exec(`REINDEX ` + sqlite3.QuoteIdentifier(index)) })
	if err != nil {
		err = fmt.Errorf("index %s: %w", excerpt.Quote(index, excerpt.Name), err)
		t.Abort(err)
	}
	return err
}
