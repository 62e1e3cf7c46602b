package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// trip is a list of statements that are sent together. Their answers are
// waited for once.
type trip struct {
	batch pgx.Batch
	steps []step
	// failed is how many steps had no error before one had.
	failed int
}

// step is a statement of a trip.
type step struct {
	// read takes the rows of the answer; nil ignores them.
	read func(rows pgx.Rows) error
	// guard is the error of a division by zero in it.
	guard error
}

// add puts a statement at the end.
func (t *trip) add(read func(rows pgx.Rows) error, sql string, args ...any) {
	t.batch.Queue(sql, args...)
	t.steps = append(t.steps, step{read: read})
}

// require adds a statement that divides by zero where something is not as it
// must be, which gives the error.
func (t *trip) require(otherwise error, sql string, args ...any) {
	t.batch.Queue(sql, args...)
	t.steps = append(t.steps, step{guard: otherwise})
}

// send sends the statements and reads the answers, up to the first error. The
// error is the driver's or the reader's own, unless it is that of a guard.
func (c *conn) send(ctx context.Context, t *trip) error {
	results := c.pg.SendBatch(ctx, &t.batch)
	var failed error
	for t.failed = range t.steps {
		if failed = t.steps[t.failed].take(results); failed != nil {
			break
		}
	}
	err := results.Close()
	if failed == nil {
		failed = err
	}
	if failed != nil && ctx.Err() != nil {
		c.broken = true // a request to cancel may still be on its way
	}
	return failed
}

func (s *step) take(results pgx.BatchResults) error {
	rows, err := results.Query()
	if err == nil {
		var own error
		for rows.Next() {
			if s.read != nil && own == nil {
				own = s.read(rows)
			}
		}
		rows.Close()
		if err = rows.Err(); err == nil {
			return own
		}
	}
	var refused *pgconn.PgError
	if s.guard != nil && errors.As(err, &refused) && refused.Code == guardFailed {
		return s.guard
	}
	return err
}
