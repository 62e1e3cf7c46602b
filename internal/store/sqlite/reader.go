package sqlite

import (
	"context"
	"fmt"
	"sync"

	"columnvault/internal/store"
)

// reader reads inside one transaction of one connection. Snapshots and
// transactions are made of it.
type reader struct {
	// mu is held while a method runs: a snapshot can be ended from outside.
	mu sync.Mutex
	c  *conn
	// ended says why the transaction is over.
	ended error
	// torn are the indexes whose trees Verify has found damaged.
	torn []string
}

// enter is the first thing that every method does. Without an error, leave
// has to follow.
func (r *reader) enter(ctx context.Context) error {
	r.mu.Lock()
	err := r.check(ctx)
	if err != nil {
		r.mu.Unlock()
	}
	return err
}

func (r *reader) leave() { r.mu.Unlock() }

// check tells why nothing more may be done.
func (r *reader) check(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if r.ended != nil {
		return r.ended
	}
	if r.c.broken != nil {
		return r.c.broken
	}
	if r.c.db.GetAutocommit() {
		// A full disk, say: what follows would be committed piece by piece.
		return fmt.Errorf("%w: SQLite has rolled the transaction back", store.ErrUnavailable)
	}
	return nil
}

// newReader makes a reader of the transaction that c has just started.
func newReader(c *conn, write bool) reader {
	c.blobs.write = write
	return reader{c: c}
}

// ReadAt implements store.Reader.
func (r *reader) ReadAt(ctx context.Context, id store.ColumnID, spans []store.Span) error {
	if err := r.enter(ctx); err != nil {
		return err
	}
	defer r.leave()
	return r.readAt(ctx, id, spans)
}

// readAt is ReadAt after enter.
func (r *reader) readAt(ctx context.Context, id store.ColumnID, spans []store.Span) error {
	for i, s := range spans {
		if i > 0 {
			if err := r.check(ctx); err != nil {
				return err
			}
		}
		if err := r.c.blobs.read(ctx, id, s); err != nil {
			return err
		}
	}
	return nil
}

// ReadAll implements store.Reader. Here it saves nothing: SQLite reads a BLOB
// after the other.
func (r *reader) ReadAll(ctx context.Context, columns []store.ColumnSpans) error {
	if err := r.enter(ctx); err != nil {
		return err
	}
	defer r.leave()
	for _, c := range columns {
		if err := r.check(ctx); err != nil {
			return err
		}
		if err := r.readAt(ctx, c.Column, c.Spans); err != nil {
			return err
		}
	}
	return nil
}
