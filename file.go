package columnvault

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"columnvault/internal/catalog"
	"columnvault/internal/column"
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

// Checkpoint moves what the write-ahead log holds into the file. That happens
// by itself from time to time, behind commits; call it to have the log out of the way. It
// waits for others for at most [Options.BusyTimeout]. If it does not get all the
// way, that is no error; the result says so. When ctx ends it returns at once;
// what SQLite is moving at that moment it still moves, and who wants to write waits
// for that. What caches hold is not in the log: see [Vault.Flush].
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
	Free int64 // what of it nothing takes at the moment: see Vault.Compact
	Log  int64 // the write-ahead log beside it
}

// FileSizes returns how large the files of the vault are. The log stays within
// some tens of megabytes, unless readers in any process keep snapshots open for
// seconds while others write: commits then wait for them, up to
// Options.BusyTimeout, and beside readers that stay for longer the log grows.
func (v *Vault) FileSizes() (FileSizes, error) {
	var sizes FileSizes
	err := v.onFile(context.Background(), func(f store.File) (err error) {
		sizes, err = sizesOf(context.Background(), f)
		return err
	})
	return sizes, fail("file sizes", v.path, -1, err)
}

func sizesOf(ctx context.Context, f store.File) (FileSizes, error) {
	s, err := f.Sizes(ctx)
	return FileSizes{Main: s.Main, Free: s.Free, Log: s.Log}, err
}

// DataVersion is a number that is another one after every commit to the file, by
// whatever program, so that who shows what is in a vault sees when to look again.
// It means nothing to other vaults, and nothing after an error. What caches take
// is not in the file yet: [Stats.Held] tells of that. A call costs some
// microseconds, reads nothing of the columns and keeps no snapshot; the first one
// opens a connection that stays.
func (v *Vault) DataVersion(ctx context.Context) (version int64, err error) {
	err = v.onFile(ctx, func(f store.File) error {
		version, err = f.Version(ctx)
		return err
	})
	return version, v.fail("data version", err)
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

// CompactOptions configure [Vault.Compact].
type CompactOptions struct {
	// Progress is called after each step, on the goroutine of the call. The
	// bytes are those that have been stored anew or given back; total grows when
	// more is found. It must not close the vault.
	Progress func(done, total int64)
}

// CompactResult is what [Vault.Compact] has done.
type CompactResult struct {
	Before, After FileSizes
	// Columns is how many columns had parts that were stored anew, and Moved how
	// many bytes of elements and index entries these were.
	Columns int
	Moved   int64
	// Skipped are the columns that were left as they are because they cannot be
	// read, each with an error about it. [Vault.Check] says more.
	Skipped []error
}

// Compact gives room that the vault does not need back to the file system, and
// changes nothing that can be read:
//
//  1. Chunks of columns that hold much less than they take are stored anew,
//     sparse neighbors together. Afterwards a column takes at most 1.05 times
//     its elements, and 12 bytes for each that varies in size, and 64 KiB.
//  2. Pairs of key-value tables that lie far apart are put together.
//  3. Pages that nothing takes leave the file.
//
// The file never becomes larger, and a second Compact finds nothing to do. All
// is done in transactions of a tenth of a second, between which others write;
// readers do not wait. There are two exceptions. The index of a key-value table
// with holes is written anew in one transaction, of less than a second; one of
// more than 32 MiB, or of a table of more than 256 MiB, is left as it is. And a
// file in which SQLite does not keep the owners of pages, as KohakuVault creates
// them, is rebuilt once by SQLite's VACUUM, if more than some pages of it are
// free: writers wait for that, and it needs free space of twice what the vault
// holds, or fails with [ErrUnavailable] before it begins.
//
// The file becomes shorter when its write-ahead log has been emptied, for which
// Compact waits a moment; beside readers that stay for longer that happens later,
// by itself. When ctx ends, or on an error, what was given back stays given back,
// and the vault is whole.
//
// There is no need to call Compact regularly: room that becomes free is used by
// what is written next. It pays after much has been deleted for good, or before
// a file is kept or sent.
func (v *Vault) Compact(ctx context.Context, o CompactOptions) (CompactResult, error) {
	var r CompactResult
	err := v.onFile(ctx, func(f store.File) error { return v.compact(ctx, f, o, &r) })
	return r, fail("compact", v.path, -1, err)
}

func (v *Vault) compact(ctx context.Context, f store.File, o CompactOptions, r *CompactResult) (err error) {
	// What is in the log counts as well.
	if _, err := f.Checkpoint(ctx, store.CheckpointPassive); err != nil {
		return err
	}
	if r.Before, err = sizesOf(ctx, f); err != nil {
		return err
	}
	report := o.Progress
	if report == nil {
		report = func(int64, int64) {}
	}
	parts, total, err := v.findWaste(ctx, r)
	if err != nil {
		return err
	}
	done := int64(0)
	last := catalog.ID{}
	for _, p := range parts {
		moved, err := v.compactPart(ctx, p)
		if err := r.skip(p.name, err); err != nil {
			return err
		}
		r.Moved += moved
		if moved > 0 && p.id != last {
			last = p.id
			r.Columns++
		}
		done += p.waste.Bytes
		report(done, total)
	}
	err = f.Shrink(ctx, store.ShrinkOptions{Progress: func(given, all int64) { report(done+given, total+all) }})
	if err != nil {
		return err
	}
	r.After, err = sizesOf(ctx, f)
	return err
}

// skip takes note of an error that is about one column alone, and passes all
// others on.
func (r *CompactResult) skip(name string, err error) error {
	if !errors.Is(err, ErrCorrupt) {
		return err
	}
	r.Skipped = append(r.Skipped, fail("compact", name, -1, err))
	return nil
}

// wastePart is a part of a column to be stored anew.
type wastePart struct {
	id    catalog.ID
	name  string
	waste column.Waste
}

// findWaste looks for waste in all columns. The caches do not matter: what they
// hold is in no chunk yet.
func (v *Vault) findWaste(ctx context.Context, r *CompactResult) (parts []wastePart, total int64, err error) {
	snap, err := v.store.Snapshot(ctx)
	if err != nil {
		return nil, 0, err
	}
	defer snap.Close()
	entries, err := catalog.List(ctx, snap)
	if err != nil {
		return nil, 0, err
	}
	for _, e := range entries {
		if e.Kind == catalog.Half || e.Refused() != nil {
			continue
		}
		found, err := v.wasteOf(ctx, snap, e)
		if err := r.skip(e.Name, err); err != nil {
			return nil, 0, err
		}
		for _, w := range found {
			parts = append(parts, wastePart{e.ID(), e.Name, w})
			total += w.Bytes
		}
	}
	return parts, total, nil
}

func (v *Vault) wasteOf(ctx context.Context, r store.Reader, e catalog.Entry) ([]column.Waste, error) {
	e.Directories = &v.directories
	col, err := e.Open(v.store.Caps())
	if err != nil {
		return nil, err
	}
	return col.Waste(ctx, r)
}

// compactPart stores a part of a column anew, if the column is still there.
func (v *Vault) compactPart(ctx context.Context, p wastePart) (moved int64, err error) {
	err = v.store.Update(ctx, func(tx store.Tx) error {
		moved = 0
		e, err := catalog.FindID(ctx, tx, p.id)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		e.Directories = &v.directories
		col, err := e.Open(v.store.Caps())
		if err != nil {
			return err
		}
		moved, err = col.Compact(ctx, tx, p.waste)
		return err
	})
	if err != nil {
		return 0, err
	}
	return moved, nil
}
