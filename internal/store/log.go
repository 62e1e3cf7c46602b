package store

import "context"

// Logger is an engine that keeps changes in a log beside its main file until
// a checkpoint moves them there.
type Logger interface {
	// Checkpoint moves the log into the main file as far as the mode demands
	// and others allow.
	Checkpoint(ctx context.Context, mode CheckpointMode) (Checkpoint, error)
	// Sizes returns the sizes in bytes of the main file and of the log.
	Sizes() (main, log int64, err error)
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
