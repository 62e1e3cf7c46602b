package store

import "time"

// Meter is an engine that counts what it does.
type Meter interface {
	// Stats returns the counts since the store was opened. It may look at the
	// files, and keeps nobody waiting.
	Stats() Stats
}

// Stats are counts since a store was opened, of what this store did and not of
// other programs with the same file, and what is open at the moment.
type Stats struct {
	// Commits and Rollbacks are transactions that write, by how they ended.
	// Unknown are those of whose end nobody knows.
	Commits, Rollbacks, Unknown int64
	// LogPages and LogBytes were written to the log, also by transactions that
	// were rolled back.
	LogPages, LogBytes int64
	// LogSize is the size of the log in bytes at the moment.
	LogSize int64
	// Snapshots were opened, Read's among them, and SnapshotsOpen are open. The
	// oldest of those has that age. SnapshotsEnded were ended for their age.
	Snapshots, SnapshotsOpen, SnapshotsEnded int64
	OldestSnapshot                           time.Duration
	// Checkpoints counts attempts to move the log into the file,
	// CheckpointPages the pages that they moved.
	Checkpoints, CheckpointPages int64
	// What was in the way of those that did not get all the way: readers or
	// writers that use the log; another process that was moving the log
	// itself; an error.
	CheckpointsBehindUsers, CheckpointsBehindOthers, CheckpointsFailed int64
	// WaitTurn is how long writers waited for others of this store, WaitLock
	// for those of other processes.
	WaitTurn, WaitLock time.Duration
}
