package columnvault

import (
	"context"
	"time"

	"columnvault/internal/store"
)

// Stats are counts of what a [Vault] has done since it was opened, and what it
// holds at the moment. What other programs do with the same file, and other
// vaults of this one, is not among it. Counts never go down; those that
// describe the moment are marked as gauges. Times are in nanoseconds, in JSON
// too.
type Stats struct {
	// Commits are transactions that were committed, Rollbacks those that were
	// not. Of CommitsUnknown nobody can say; see [ErrUnknownCommit].
	Commits        int64 `json:"commits"`
	Rollbacks      int64 `json:"rollbacks"`
	CommitsUnknown int64 `json:"commits_unknown"`
	// ElementsWritten and PairsWritten were appended, inserted or replaced, and
	// committed. What a cache holds is counted when it has been flushed.
	ElementsWritten int64 `json:"elements_written"`
	PairsWritten    int64 `json:"pairs_written"`
	// LogPages and LogBytes were written to the write-ahead log.
	LogPages int64 `json:"log_pages"`
	LogBytes int64 `json:"log_bytes"`
	// LogSize (gauge) is the size of the log in bytes.
	LogSize int64 `json:"log_size"`

	// Snapshots were opened: one for each View and loop, and for each read
	// outside of them, whether that began a transaction or not. SnapshotsOpen
	// (gauge) are open, the oldest of them for OldestSnapshot (gauge).
	// SnapshotsEnded got older than [Options.MaxSnapshotAge].
	Snapshots      int64         `json:"snapshots"`
	SnapshotsOpen  int64         `json:"snapshots_open"`
	OldestSnapshot time.Duration `json:"oldest_snapshot_ns"`
	SnapshotsEnded int64         `json:"snapshots_ended"`

	// Checkpoints are attempts to move the log into the file, those behind commits
	// among them; CheckpointPages were moved. The rest counts attempts that did
	// not get all the way: because others were reading from the log or writing
	// to it, because another process was moving the log at that moment, and
	// because of an error.
	Checkpoints             int64 `json:"checkpoints"`
	CheckpointPages         int64 `json:"checkpoint_pages"`
	CheckpointsBehindUsers  int64 `json:"checkpoints_behind_users"`
	CheckpointsBehindOthers int64 `json:"checkpoints_behind_others"`
	CheckpointsFailed       int64 `json:"checkpoints_failed"`

	// Held (gauge) are the elements and pairs in caches and batches, HeldBytes
	// (gauge) what they take in memory, about.
	Held      int64 `json:"held"`
	HeldBytes int64 `json:"held_bytes"`
	// Flushes are transactions that wrote what was held, Flushed the elements
	// and pairs that they wrote. FlushesFailed could not write all of it.
	Flushes       int64 `json:"flushes"`
	Flushed       int64 `json:"flushed"`
	FlushesFailed int64 `json:"flushes_failed"`

	// WriterWait is how long writers waited for others of this vault, LockWait
	// for those of other processes and other vaults. Appends that were written
	// together with another, and so did not have to wait, are not in it.
	WriterWait time.Duration `json:"writer_wait_ns"`
	LockWait   time.Duration `json:"lock_wait_ns"`
}

// Stats returns the counts. It costs some microseconds and needs no
// transaction, so it also answers when everything else waits.
func (v *Vault) Stats() Stats {
	held, bytes := v.pending.Held()
	s := Stats{
		ElementsWritten: v.count.elements.Load(),
		PairsWritten:    v.count.pairs.Load(),
		Held:            int64(held),
		HeldBytes:       int64(bytes),
		Flushes:         v.count.flushes.Load(),
		Flushed:         v.count.flushed.Load(),
		FlushesFailed:   v.count.failed.Load(),
	}
	meter, ok := v.store.(store.Meter)
	if !ok {
		return s
	}
	e := meter.Stats()
	s.Commits, s.Rollbacks, s.CommitsUnknown = e.Commits, e.Rollbacks, e.Unknown
	s.LogPages, s.LogBytes, s.LogSize = e.LogPages, e.LogBytes, e.LogSize
	s.Snapshots, s.SnapshotsOpen, s.OldestSnapshot, s.SnapshotsEnded = e.Snapshots, e.SnapshotsOpen, e.OldestSnapshot, e.SnapshotsEnded
	s.Checkpoints, s.CheckpointPages = e.Checkpoints, e.CheckpointPages
	s.CheckpointsBehindUsers, s.CheckpointsBehindOthers, s.CheckpointsFailed = e.CheckpointsBehindUsers, e.CheckpointsBehindOthers, e.CheckpointsFailed
	s.WriterWait, s.LockWait = e.WaitTurn, e.WaitLock
	return s
}

// Stat is what a column takes in the file, in elements and bytes.
type Stat struct {
	Elements int
	// Live is the size of all elements; Dead is what lies unused between and
	// after them in the chunks; Capacity is the size of the chunks. Slack is the
	// part of Dead that lies after the last element of each chunk, where there
	// is room for more.
	Live, Dead, Capacity, Slack int64
	Chunks                      int
	// Smallest, Largest and Mean are sizes of elements; 0 in an empty column.
	Smallest, Largest int64
	Mean              float64
}

// Stat measures the column. Of a variable-size column it reads the index, 12
// bytes an element.
func (c *untyped) Stat(ctx context.Context) (s Stat, err error) {
	err = c.h.read(ctx, "stat", func(o *opened) error {
		m, err := o.Stat(ctx, o.tx.r)
		s = Stat{Elements: int(m.Elements), Live: m.LiveBytes, Dead: m.DeadBytes, Capacity: m.Capacity, Slack: m.Slack,
			Chunks: int(m.Chunks), Smallest: m.Smallest, Largest: m.Largest}
		if s.Elements > 0 {
			s.Mean = float64(s.Live) / float64(s.Elements)
		}
		return err
	})
	return s, err
}
