package columnvault

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"columnvault/dtype"
	"columnvault/internal/column"
	"columnvault/internal/excerpt"
	"columnvault/internal/migrate"
	"columnvault/internal/store"
	"columnvault/internal/writeback"
)

// Kinds of errors, for [errors.Is]: the call cannot be carried out as it is. It
// has changed nothing.
var (
	// ErrNotFound is returned when there is no such column, key or file.
	ErrNotFound = store.ErrNotFound
	// ErrExists is returned when the name is taken.
	ErrExists = store.ErrExists
	// ErrInvalidArgument is returned when an argument makes no sense, or a
	// value does not fit the dtype.
	ErrInvalidArgument = store.ErrInvalidArgument
	// ErrOutOfRange is returned when there is no element at that position.
	ErrOutOfRange = errors.New("out of range")
	// ErrDType is returned when the column in the file has another dtype or
	// meaning than the one that was asked for.
	ErrDType = errors.New("dtype mismatch")
	// ErrUneven is returned for a write to a [Table] whose columns have unequal
	// lengths, which something else than the table has made so.
	ErrUneven = errors.New("columns of unequal length")
	// ErrTurned is returned by [Vault.Retype] when values would become missing,
	// or the reverse.
	ErrTurned = errors.New("values and missing ones would change places")
	// ErrTooLarge is returned when an element, a value or a column would have
	// more bytes than the format can hold, or take too much memory to decode;
	// see [dtype.Structured] for the latter.
	ErrTooLarge = store.ErrTooLarge
	// ErrReadOnly is returned for a write to a vault that was opened for
	// reading, or inside a [Vault.View]; see also [ErrLayout].
	ErrReadOnly = store.ErrReadOnly
	// ErrLayout is the ErrReadOnly of a change to a column of KohakuVault 1.x,
	// which [Vault.Migrate] brings to a layout that can be changed.
	ErrLayout = column.ErrLayout
	// ErrTranscode is returned by [Vault.Migrate] for elements that only layout 1
	// can hold.
	ErrTranscode = migrate.ErrTranscode
	// ErrUnsupported is returned when the file holds something that this
	// version lists but cannot read.
	ErrUnsupported = errors.ErrUnsupported
	// ErrCrossHome is the ErrUnsupported of a transaction that would change
	// columns or tables of two homes which may be on different servers: see
	// [ColumnOptions].
	ErrCrossHome = store.ErrCrossHome
)

// errMeaning is the ErrDType of a column whose dtype is right.
var errMeaning = fmt.Errorf("%w in meaning", ErrDType)

// What a [Table] gives as ErrDType or ErrReadOnly, where something else helps.
var (
	errNoDefault = fmt.Errorf("%w of a new field", ErrDType)
	errLacking   = fmt.Errorf("%w of the rows", ErrDType)
	errIgnored   = fmt.Errorf("%w: the table has columns that its rows lack", ErrReadOnly)
)

// Kinds of errors that [Open] adds.
var (
	// ErrNotVault is returned when the file is not a vault.
	ErrNotVault = store.ErrNotVault
	// ErrNeedsRecovery is returned when a crashed writer left changes that a
	// vault that is opened for reading cannot take in.
	ErrNeedsRecovery = store.ErrNeedsRecovery
)

// Kinds of errors of transactions, loops and caches: the call may succeed at
// another moment, or in another place.
var (
	// ErrBusy is returned when another writer did not finish within
	// [Options.BusyTimeout].
	ErrBusy = store.ErrBusy
	// ErrClosed is returned when the vault or the transaction has ended.
	ErrClosed = store.ErrClosed
	// ErrSnapshotTooOld is returned when a View or a loop has been open for
	// longer than [Options.MaxSnapshotAge] allows.
	ErrSnapshotTooOld = store.ErrSnapshotTooOld
	// ErrNested is returned when an operation would wait for itself: it was
	// called with the ctx of a transaction, but not through In(tx).
	ErrNested = errors.New("operation outside of the transaction that it was called in")
	// ErrConcurrentChange is returned when a column was changed inside the
	// transaction that loops over it.
	ErrConcurrentChange = errors.New("column changed during the loop")
	// ErrChanged is returned by [Vault.Repair] when the vault is not as it was
	// when the plan was made.
	ErrChanged = errors.New("changed meanwhile")
	// ErrTableChanged is returned for a write to a [Table] that has other columns
	// by now than when it was opened.
	ErrTableChanged = errors.New("the table has other columns now")
	// ErrFlushPaused is returned when an operation would have to write what
	// the caches hold while [Vault.PauseFlush] keeps that back.
	ErrFlushPaused = writeback.ErrFlushPaused
	// ErrCacheFull is returned for an append to a cache that is full and may
	// not be flushed.
	ErrCacheFull = writeback.ErrCacheFull
)

// Kinds of errors of what is stored, and of the disk that stores it.
var (
	// ErrCorrupt is returned when stored bytes break the rules of the format.
	ErrCorrupt = store.ErrCorrupt
	// ErrUnavailable is returned when the disk is full, fails, or may not be
	// accessed. What was committed before is still there.
	ErrUnavailable = store.ErrUnavailable
	// ErrReplaced is returned when another program has deleted the file, moved
	// it away or put another in its place while the vault was open. The
	// operation may have been done in the old file. The vault refuses
	// everything from then on, and [Vault.Close] leaves the files alone. A write
	// always finds out before it returns; a read may be 40 ms late, and a View
	// that is open goes on with what it showed. On Windows, which protects files
	// that are open, nothing looks.
	ErrReplaced = store.ErrReplaced
	// ErrUnknownCommit is returned when the storage engine cannot say whether a
	// transaction was committed. It is never tried again by itself: look at
	// what is there.
	ErrUnknownCommit = store.ErrUnknownCommit
)

// Error says which operation failed, on what, and why. All errors of this
// package are of this type, but for those that functions and writers of the
// caller return: they come out as they are.
type Error struct {
	// Op is the operation, such as "append".
	Op string
	// Column is the name of the column or table, if the operation was on one.
	Column string
	// Key is the key at fault in a key-value table.
	Key []byte
	// Index is the position of the element at fault, or -1.
	Index int
	// Err is the reason. It wraps one of the kinds of this package, or the
	// error of the ctx, or that of a reader or writer of the caller.
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
	{dtype.ErrMemory, "decode it into a Go type that has the fields that are wanted, which takes less memory than an any"},
	{ErrNotVault, "if it is a SQLite database of another program, Options.AddToDatabase puts a vault into it"},
	{ErrNested, "call the operation through In(tx), or use the ctx from outside of the transaction"},
	{errNoDefault, "make the field a sql.Null, or give it a default in its tag, so that the rows that are there have a value"},
	{errLacking, "add the fields to the struct, drop the columns, or open the table for reading only with TableOptions.Ignore"},
	{errIgnored, "add the fields to the struct, and open the table without TableOptions.Ignore"},
	{ErrTableChanged, "open the table again, with EnsureTable or Table"},
	{ErrUneven, "let Repair cut or fill the table, or shorten the longer columns with Truncate, or append to the shorter ones"},
	{errMeaning, "open the column as what the file says that it is, or give it another meaning with Retype"},
	{ErrDType, "open the column with the dtype that the file has, or drop it first"},
	{ErrTurned, "if they should, allow it with RetypeOptions.Turn"},
	{ErrBusy, "try again, raise Options.BusyTimeout, or look for a program that keeps a transaction open"},
	{ErrNeedsRecovery, "open the vault for writing once, on a disk that allows it"},
	{ErrReplaced, "close the vault and open it again; what was written since the file was replaced is not in the new one"},
	{ErrSnapshotTooOld, "read in shorter stretches, or raise Options.MaxSnapshotAge"},
	{ErrTranscode, "let them become what they are read as with MigrateOptions.Transcode"},
	{migrate.ErrNamesake, "drop one of the two, or let MigrateOptions.Replace replace the one that is there"},
	{ErrLayout, "bring the column to layout 0 with Vault.Migrate, or with columnvault migrate DB COLUMN --to 0"},
	{ErrReadOnly, "open the vault without ReadOnly, and change it in Update and not in View"},
	{ErrFlushPaused, "call the function that PauseFlush has returned first"},
	{ErrCacheFull, "resume flushing, or give the cache more CapBytes"},
	{ErrCrossHome, "create what has to change together with one Home, or change each home in a transaction of its own"},
	{ErrUnknownCommit, "look whether what was written is there before you write it again, or ask Vault.Outcome"},
	{ErrChanged, "make another plan"},
	{syscall.ENOSPC, "make room on the disk"},
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
	case errors.Is(err, dtype.ErrMemory):
		err = fmt.Errorf("%w: %w", ErrTooLarge, err)
	case errors.Is(err, dtype.ErrData):
		err = fmt.Errorf("%w: %w", ErrCorrupt, err)
	case errors.Is(err, dtype.ErrValue), errors.Is(err, dtype.ErrSyntax):
		err = fmt.Errorf("%w: %w", ErrInvalidArgument, err)
	}
	return &Error{Op: op, Column: column, Index: index, Err: err}
}
