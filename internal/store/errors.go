package store

import (
	"errors"
	"fmt"
)

// The kinds of failure that an engine reports. Errors wrap them and say more.
var (
	// ErrNotFound: no such column, chunk or key.
	ErrNotFound = errors.New("not found")
	// ErrExists: the name is taken.
	ErrExists = errors.New("already exists")
	// ErrInvalidArgument: what was asked for makes no sense, or is not allowed.
	ErrInvalidArgument = errors.New("invalid argument")
	// ErrTooLarge: more bytes than the engine or the format can hold.
	ErrTooLarge = errors.New("too large")
	// ErrReadOnly: a write to a store that was opened for reading.
	ErrReadOnly = errors.New("read-only")
	// ErrBusy: another writer held the store for longer than the caller waits.
	ErrBusy = errors.New("busy")
	// ErrClosed: the store, snapshot or transaction has ended.
	ErrClosed = errors.New("closed")
	// ErrCorrupt: the stored bytes break a rule of the format.
	ErrCorrupt = errors.New("corrupt")
	// ErrUnavailable: the storage does not answer: disk full, I/O error, no
	// permission. What was committed before is still there.
	ErrUnavailable = errors.New("storage unavailable")
	// ErrUnknownCommit: the engine lost the answer to a commit, and all of the
	// transaction may be there or none of it. It comes from Update alone. What
	// was written must not simply be written again: it might then be there
	// twice. Look first what the store holds, or leave that to the caller.
	ErrUnknownCommit = errors.New("commit with unknown outcome")
	// ErrAgain: a Read has to begin again, because what it has shown may not be
	// of one moment. It comes from a Read alone.
	ErrAgain = errors.New("the read has to begin again")
	// ErrNotVault: what was opened is not a store.
	ErrNotVault = errors.New("not a vault")
	// ErrNeedsRecovery: a crashed writer left changes that a read-only store
	// cannot take in.
	ErrNeedsRecovery = errors.New("needs recovery by a writer")
	// ErrReplaced: the files of the store were deleted, moved away or replaced
	// while it was open. The store cannot be used any more.
	ErrReplaced = errors.New("file replaced")
	// ErrSnapshotTooOld: a snapshot was open for longer than is allowed.
	ErrSnapshotTooOld = errors.New("snapshot too old")
	// ErrCrossHome: a transaction would change columns or tables of two homes,
	// and the engine cannot do that as a whole: see Caps.CrossHome.
	ErrCrossHome = fmt.Errorf("%w: a transaction would change two homes", errors.ErrUnsupported)
)
