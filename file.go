package columnvault

import (
	"context"
	"fmt"
	"strings"

	"columnvault/internal/store"
)

// CheckpointMode says how far [Vault.Checkpoint] goes.
type CheckpointMode int

// The modes are those of SQLite, each going further than the one before.
const (
	// CheckpointPassive moves what can be moved without waiting for anybody.
	CheckpointPassive = CheckpointMode(store.CheckpointPassive)
	// CheckpointFull waits for writers and moves everything.
	CheckpointFull = CheckpointMode(store.CheckpointFull)
	// CheckpointRestart also waits until nobody reads from the log.
	CheckpointRestart = CheckpointMode(store.CheckpointRestart)
	// CheckpointTruncate also cuts the log to length 0.
	CheckpointTruncate = CheckpointMode(store.CheckpointTruncate)
)

// Checkpoint is the outcome of [Vault.Checkpoint], SQLite's three numbers.
type Checkpoint struct {
	// Busy says that others were in the way of going all the way.
	Busy bool
	// Log is the number of pages in the log, Moved how many of them are in the
	// file by now.
	Log, Moved int
}

// Checkpoint moves what the write-ahead log holds into the file. Commits do so
// by themselves from time to time; call it to have the log out of the way. It
// waits for others for at most [Options.BusyTimeout]. If it does not get all the
// way, that is no error; the result says so. What caches hold is not in the log:
// see [Vault.Flush].
func (v *Vault) Checkpoint(ctx context.Context, mode CheckpointMode) (Checkpoint, error) {
	var done Checkpoint
	err := v.onFile(ctx, func(f store.File) error {
		outcome, err := f.Checkpoint(ctx, store.CheckpointMode(mode))
		done = Checkpoint(outcome)
		return err
	})
	return done, fail("checkpoint", v.path, -1, err)
}

// onFile calls fn with the file of the vault.
func (v *Vault) onFile(ctx context.Context, fn func(f store.File) error) error {
	if err := v.checkNested(ctx); err != nil {
		return err
	}
	f, ok := v.store.(store.File)
	if !ok {
		return fmt.Errorf("%w: the vault is not a file", ErrUnsupported)
	}
	return fn(f)
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
	var sizes FileSizes
	err := v.onFile(context.Background(), func(f store.File) (err error) {
		sizes.Main, sizes.Log, err = f.Sizes()
		return err
	})
	return sizes, fail("file sizes", v.path, -1, err)
}

// BackupOptions configure [Vault.Backup]. The zero value checks the copy
// quickly and never replaces a file.
type BackupOptions struct {
	// Full also reads and decodes everything in the copy, which can take longer
	// than copying it; without it, the copy is checked as by a quick
	// [Vault.Check].
	Full bool
	// SkipCheck leaves the check out. Then damage is copied as it is.
	SkipCheck bool
	// Replace lets the copy take the place of a file that has its name, at the
	// end and at once.
	Replace bool
	// Progress is called as the copy grows, on the goroutine of the call. It must
	// not close the vault.
	Progress func(done, total int64)
}

// Backup writes a copy of the vault to a new file at path. It may be opened as
// soon as it is there: it is a vault by itself, without a log beside it, and
// goes where a file goes.
//
// The copy shows one moment: it has what was written before the call, what
// caches hold too, and nothing half. All processes can read and write meanwhile;
// a backup may take longer than [Options.MaxSnapshotAge], and the write-ahead
// log grows by what is written in that time. It costs what copying the file
// costs, free pages included, and the memory of one page cache.
//
// Under its name the copy appears when it is complete, checked and on the disk;
// an error leaves nothing of it behind, and the file that it was to replace as
// it was. A crash may leave a file that begins with .columnvault- beside it.
//
// A file that has the name gives [ErrExists] without [BackupOptions.Replace],
// the vault itself, or a file that belongs to it, [ErrInvalidArgument] by
// whatever name. Damage that the check finds gives [ErrCorrupt]; it may be in
// the vault itself, which [Vault.Check] tells.
func (v *Vault) Backup(ctx context.Context, path string, o BackupOptions) error {
	return fail("backup", path, -1, v.onFile(ctx, func(f store.File) error { return v.backup(ctx, f, path, o) }))
}

func (v *Vault) backup(ctx context.Context, f store.File, path string, o BackupOptions) error {
	if _, err := v.flushAny(ctx); err != nil {
		return err
	}
	below := store.BackupOptions{Replace: o.Replace, Progress: o.Progress}
	if !o.SkipCheck {
		below.Check = func(ctx context.Context, copied store.Store) error { return checkCopy(ctx, path, copied, o.Full) }
	}
	return f.Backup(ctx, path, below)
}

// checkCopy reports damage in a copy of the vault.
func checkCopy(ctx context.Context, path string, copied store.Store, full bool) error {
	v := newVault(path, copied, &Options{})
	damages, first := 0, ""
	for f, err := range v.Check(ctx, CheckOptions{Full: full}) {
		if err != nil {
			return err
		}
		if f.Severity == SeverityDamage {
			if damages++; damages == 1 {
				first = strings.TrimPrefix(f.Column+f.Table+": "+f.Text, ": ")
			}
		}
	}
	if damages > 0 {
		return fmt.Errorf("%w: the copy has damage, %d findings, the first: %s", ErrCorrupt, damages, first)
	}
	return nil
}
