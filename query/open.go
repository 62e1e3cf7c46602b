package query

import (
	"context"
	"database/sql"
	"fmt"
	"iter"

	"columnvault"
)

// Options are for [Open]. The zero value is ready to use.
type Options struct {
	// NumericTimes gives times and dates as the integers that are stored, in
	// place of text.
	NumericTimes bool
	// MaxMemory bounds, in bytes, what the engine takes for a connection: for
	// sorting, grouping and single values, of which none may be larger than a
	// quarter of it. 0 means 256 MiB, the least is 16 MiB, the most 4 GiB.
	// A connection keeps what it has taken until it is closed.
	MaxMemory int64
}

// The bounds of Options.MaxMemory.
const (
	defaultMemory = 256 << 20
	minMemory     = 16 << 20
	maxMemory     = 4 << 30
)

// Open returns a database whose tables are what there is in the vault. It is
// safe for concurrent use; the caller closes it, before the vault. nil options
// mean the defaults.
//
// The tables are those of the moment of each statement: what is created,
// renamed or dropped meanwhile is seen by the next. Errors are those of the
// engine, joined with those of the vault and the ctx, so that [errors.Is] finds
// [columnvault.ErrCorrupt] or [context.DeadlineExceeded]. A table or column that
// is missing is a [columnvault.ErrNotFound] that names those that there are, and
// other statements that make no sense or would change something are a
// [columnvault.ErrInvalidArgument].
func Open(ctx context.Context, v *columnvault.Vault, o *Options) (*sql.DB, error) {
	if o == nil {
		o = &Options{}
	}
	c := &connector{vault: v, options: *o}
	switch m := &c.options.MaxMemory; {
	case *m == 0:
		*m = defaultMemory
	case *m < minMemory || *m > maxMemory:
		return nil, fail(fmt.Errorf("%w: MaxMemory of %d is not between %d and %d", columnvault.ErrInvalidArgument, *m, minMemory, int64(maxMemory)))
	}
	db := sql.OpenDB(c)
	if err := db.PingContext(ctx); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

// Fields iterates over the rows of any statement, and closes them. A field is nil,
// an int64, a float64, a string or a []byte, which belong to the caller; the slice
// is the same in every row. An error ends the loop.
func Fields(rows *sql.Rows) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		defer rows.Close()
		names, err := rows.Columns()
		fields, into := make([]any, len(names)), make([]any, len(names))
		for i := range fields {
			into[i] = &fields[i]
		}
		for err == nil && rows.Next() {
			if err = rows.Scan(into...); err == nil && !yield(fields, nil) {
				return
			}
		}
		if err == nil {
			err = rows.Err()
		}
		if err != nil {
			yield(nil, err)
		}
	}
}
