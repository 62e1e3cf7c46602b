package columnvault

import (
	"context"
	"fmt"

	"columnvault/internal/store"
)

// CheckpointMode says how far [Vault.Checkpoint] goes.
type CheckpointMode = store.CheckpointMode

// The modes are those of SQLite, each going further than the one before.
const (
	// CheckpointPassive moves what can be moved without waiting for anybody.
	CheckpointPassive = store.CheckpointPassive
	// CheckpointFull waits for writers and moves everything.
	CheckpointFull = store.CheckpointFull
	// CheckpointRestart also waits until nobody reads from the log.
	CheckpointRestart = store.CheckpointRestart
	// CheckpointTruncate also cuts the log to length 0.
	CheckpointTruncate = store.CheckpointTruncate
)

// Checkpoint is the outcome of [Vault.Checkpoint], SQLite's three numbers.
type Checkpoint = store.Checkpoint

// Checkpoint moves what the write-ahead log holds into the file. Commits do so
// by themselves from time to time; call it to have the log out of the way,
// before copying the file for example. It waits for others for at most
// [Options.BusyTimeout]. If it does not get all the way, that is no error; the
// result says so. What caches hold is not in the log: see [Vault.Flush].
func (v *Vault) Checkpoint(ctx context.Context, mode CheckpointMode) (Checkpoint, error) {
	if err := v.checkNested(ctx); err != nil {
		return Checkpoint{}, fail("checkpoint", v.path, -1, err)
	}
	log, ok := v.store.(store.Logger)
	if !ok {
		return Checkpoint{}, fail("checkpoint", v.path, -1, fmt.Errorf("%w: the storage engine has no log", ErrUnsupported))
	}
	done, err := log.Checkpoint(ctx, mode)
	return done, fail("checkpoint", v.path, -1, err)
}

// FileSizes are the sizes in bytes of a vault's files.
type FileSizes struct {
	Main int64 // the file itself
	Log  int64 // the write-ahead log beside it
}

// FileSizes returns how large the files of the vault are. The log stays within
// some tens of megabytes, unless readers in any process keep snapshots open for
// seconds while others write: commits then wait for them, up to
// Options.BusyTimeout, and beside readers that stay for longer the log grows.
func (v *Vault) FileSizes() (FileSizes, error) {
	log, ok := v.store.(store.Logger)
	if !ok {
		return FileSizes{}, fail("file sizes", v.path, -1, fmt.Errorf("%w: the storage engine has no files", ErrUnsupported))
	}
	main, wal, err := log.Sizes()
	return FileSizes{Main: main, Log: wal}, fail("file sizes", v.path, -1, err)
}
