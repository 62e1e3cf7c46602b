package sqlite

import (
	"context"
	"errors"

	"github.com/ncruces/go-sqlite3"
)

// within runs statements that may take long, and ends them when the ctx is
// done. It is for what reads, and for what the transaction undoes: SQLite rolls
// the whole transaction back when a statement that writes ends so. A commit is
// never ended. What looks at one row needs no within, and a ctx that cannot be
// done costs nothing.
func (c *conn) within(ctx context.Context, fn func() error) error {
	if ctx.Done() == nil {
		return fn()
	}
	c.db.SetInterrupt(ctx)
	err := fn()
	c.db.SetInterrupt(context.Background())
	if !errors.Is(err, sqlite3.INTERRUPT) {
		return err
	}
	// SQLite promises that the connection is as good as before. If it cannot
	// do the least of all things, it is not used again.
	if _, err := c.integer(`PRAGMA data_version`); err != nil && c.broken == nil {
		c.broken = err
	}
	return ctx.Err()
}

// within is conn.within for what changes something. A transaction that was
// undone cannot be committed.
func (t *tx) within(ctx context.Context, fn func() error) error {
	err := t.c.within(ctx, fn)
	if err != nil && ctx.Err() != nil {
		t.Abort(err)
	}
	return err
}
