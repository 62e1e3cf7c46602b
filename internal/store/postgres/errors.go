package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"columnvault/internal/store"
)

// errConflict makes the function of an Update run again.
var errConflict = errors.New("a conflict with another transaction")

// guardFailed is the SQLSTATE of a division by zero: statements divide by the
// number of rows that must be there.
const guardFailed = "22012"

// explain turns an error of the driver into one of package store.
func explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	// The timer of a connection may go off a moment before that of the ctx.
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	var refused *pgconn.PgError
	if !errors.As(err, &refused) {
		return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	}
	return fmt.Errorf("%w: %w", kindOf(refused.Code), err)
}

// kindOf is the kind of error that an SQLSTATE means.
func kindOf(code string) error {
	switch code {
	case "40001", "40P01", "57014", "23505":
		return errConflict
	case "55P03":
		return store.ErrBusy
	case "25006":
		return store.ErrReadOnly
	case "25P03", "25P04":
		return store.ErrSnapshotTooOld
	case "54000":
		return store.ErrTooLarge
	case "XX001", "XX002":
		return store.ErrCorrupt
	}
	return store.ErrUnavailable
}

// refused tells whether an error is the answer of the server to a statement.
func refused(err error) bool {
	var answer *pgconn.PgError
	return errors.As(err, &answer)
}

// undone tells whether an error of a commit means for certain that nothing was
// committed. A server may give a SQLSTATE for a commit of which it does not
// know the end itself, so only those count that say what is wrong with a
// statement or with the transaction before its end.
func undone(err error) bool {
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || len(refused.Code) < 2 {
		return false
	}
	switch refused.Code[:2] {
	case "0A", "22", "23", "25", "40", "42", "55":
		return refused.Code != "40003" // which says that it does not know
	}
	return false
}
