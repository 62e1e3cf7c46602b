package columnvault

import (
	"errors"
	"fmt"
	"strings"

	"columnvault/dtype"
	"columnvault/internal/excerpt"
	"columnvault/internal/store"
)

// The kinds of failure, for errors.Is. Every method returns an *Error that
// wraps one of them, or the error of the ctx, or what a function of the
// caller's returned.
var (
	// ErrNotFound: there is no such column, key or file.
	ErrNotFound = store.ErrNotFound
	// ErrExists: the name is taken.
	ErrExists = store.ErrExists
	// ErrInvalidArgument: the call makes no sense, or a value does not fit the
	// dtype. Nothing was written.
	ErrInvalidArgument = store.ErrInvalidArgument
	// ErrOutOfRange: there is no element at that position.
	ErrOutOfRange = errors.New("out of range")
	// ErrDType: the column in the file has another dtype than the one that was
	// asked for.
	ErrDType = errors.New("dtype mismatch")
	// ErrTooLarge: more bytes than an element, a value or the format can have.
	ErrTooLarge = store.ErrTooLarge
	// ErrReadOnly: a write to a vault that was opened for reading, or inside
	// a View.
	ErrReadOnly = store.ErrReadOnly
	// ErrBusy: another writer did not finish within Options.BusyTimeout.
	ErrBusy = store.ErrBusy
	// ErrClosed: the vault, or the transaction, has ended.
	ErrClosed = store.ErrClosed
	// ErrCorrupt: stored bytes break the rules of the format.
	ErrCorrupt = store.ErrCorrupt
	// ErrUnavailable: the disk is full, fails, or may not be accessed. What
	// was committed before is still there.
	ErrUnavailable = store.ErrUnavailable
	// ErrNotVault: the file is not a vault.
	ErrNotVault = store.ErrNotVault
	// ErrNeedsRecovery: a crashed writer left changes that a read-only vault
	// cannot take in.
	ErrNeedsRecovery = store.ErrNeedsRecovery
	// ErrSnapshotTooOld: a View or a loop took longer than
	// Options.MaxSnapshotAge allows.
	ErrSnapshotTooOld = store.ErrSnapshotTooOld
	// ErrNested: an operation that waits for itself: it was called with the
	// ctx of a transaction but not through In(tx).
	ErrNested = errors.New("operation outside of the transaction that it was called in")
	// ErrConcurrentChange: a column was changed inside the transaction that
	// loops over it.
	ErrConcurrentChange = errors.New("column changed during the loop")
	// ErrFlushPaused: an operation that would write what the caches hold while
	// PauseFlush keeps that back.
	ErrFlushPaused = errors.New("flushing is on hold")
	// ErrCacheFull: an append to a cache that is full and may not be flushed.
	ErrCacheFull = errors.New("cache full")
	// ErrUnsupported: the file holds something that this version lists but
	// cannot read.
	ErrUnsupported = errors.ErrUnsupported
)

// Error says which operation failed, on what, and why.
type Error struct {
	// Op is the operation, such as "append".
	Op string
	// Column is the name of the column or table, if the operation was on one.
	Column string
	// Key is the key at fault in a key-value table.
	Key []byte
	// Index is the position of the element at fault, or -1.
	Index int
	// Err is the reason. It wraps one of the kinds above.
	Err error
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.Column != "" {
		b.WriteString(" " + excerpt.Quote(e.Column, excerpt.Path)) // open calls the file so
	}
	if e.Key != nil {
		b.WriteString("[" + excerpt.Quote(e.Key, excerpt.Name) + "]")
	} else if e.Index >= 0 {
		fmt.Fprintf(&b, "[%d]", e.Index)
	}
	b.WriteString(": ")
	b.WriteString(e.Err.Error())
	return b.String()
}

// Unwrap returns the reason.
func (e *Error) Unwrap() error { return e.Err }

// Hint says in a sentence what to do about the error, or nothing.
func (e *Error) Hint() string {
	for _, h := range hints {
		if errors.Is(e.Err, h.kind) {
			return h.text
		}
	}
	return ""
}

var hints = []struct {
	kind error
	text string
}{
	{ErrNested, "call the operation through In(tx), or use the ctx from outside of the transaction"},
	{ErrDType, "open the column with the dtype that the file has, or drop it first"},
	{ErrBusy, "try again, raise Options.BusyTimeout, or look for a program that keeps a transaction open"},
	{ErrNeedsRecovery, "open the vault for writing once, on a disk that allows it"},
	{ErrSnapshotTooOld, "read in shorter stretches, or raise Options.MaxSnapshotAge"},
	{ErrReadOnly, "open the vault without ReadOnly, and change it in Update and not in View"},
	{ErrFlushPaused, "call the function that PauseFlush has returned first"},
	{ErrCacheFull, "release the hold, or give the cache more CapBytes"},
	{ErrConcurrentChange, "collect what is to be changed, and change it after the loop"},
}

// fail makes the error of an operation. Errors that are complete pass through.
func fail(op, column string, index int, err error) error {
	if err == nil {
		return nil
	}
	var done *Error
	if errors.As(err, &done) {
		return err
	}
	switch {
	case errors.Is(err, dtype.ErrData):
		err = fmt.Errorf("%w: %w", ErrCorrupt, err)
	case errors.Is(err, dtype.ErrValue), errors.Is(err, dtype.ErrSyntax):
		err = fmt.Errorf("%w: %w", ErrInvalidArgument, err)
	}
	return &Error{Op: op, Column: column, Index: index, Err: err}
}
