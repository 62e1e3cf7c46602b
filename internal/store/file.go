package store

import "context"

// File is what an engine offers whose store is one file, with a log beside it
// that keeps changes until a checkpoint moves them there.
type File interface {
	// Checkpoint moves the log into the main file as far as the mode demands
	// and others allow.
	Checkpoint(ctx context.Context, mode CheckpointMode) (Checkpoint, error)
	// Sizes returns the sizes of the files.
	Sizes(ctx context.Context) (Sizes, error)
	// Backup writes the present state of the store to a new file at path,
	// which appears there when it is complete and not before. Others read and
	// write meanwhile.
	Backup(ctx context.Context, path string, o BackupOptions) error
	// Shrink puts pairs that lie far apart together, and gives room that
	// nothing takes back to the file system, in steps of which each leaves a
	// whole and valid store. Others read and write meanwhile.
	Shrink(ctx context.Context, o ShrinkOptions) error
	// Version is a number that is another one after every change by anybody,
	// unless there was an error in between.
	Version(ctx context.Context) (int64, error)
}

// Sizes are the sizes of the files of a store, in bytes.
type Sizes struct {
	// Main is the size of the main file, of which nothing takes Free bytes.
	Main, Free int64
	// Log is the size of the log beside it.
	Log int64
}

// ShrinkOptions say how a store is made smaller.
type ShrinkOptions struct {
	// Progress is told how many bytes of how many have been given back.
	Progress func(done, total int64)
}

// BackupOptions say how a backup is made.
type BackupOptions struct {
	// Replace lets the copy take the place of a file at its path.
	Replace bool
	// Check looks at the copy before it gets its name, unless it is nil. An
	// error refuses the copy.
	Check func(ctx context.Context, copied Store) error
	// Progress is told how many bytes of how many have been copied.
	Progress func(done, total int64)
}

// CheckpointMode says how far a checkpoint goes.
type CheckpointMode int

const (
	// CheckpointPassive moves what can be moved without waiting.
	CheckpointPassive CheckpointMode = iota
	// CheckpointFull waits for writers and moves everything.
	CheckpointFull
	// CheckpointRestart also waits until no reader uses the log, so that the
	// next writer begins it anew.
	CheckpointRestart
	// CheckpointTruncate also cuts the log to length 0.
	CheckpointTruncate
)

// Checkpoint is what became of a checkpoint: SQLite's three numbers.
type Checkpoint struct {
	// Busy says that others were in the way of going all the way.
	Busy bool
	// Log is the number of pages in the log, Moved how many of them are in the
	// main file by now.
	Log, Moved int
}
