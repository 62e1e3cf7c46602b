package columnvault

import (
	"cmp"
	"context"
	"errors"
	"time"

	"columnvault/internal/catalog"
	"columnvault/internal/engine"
	"columnvault/internal/report"
	"columnvault/internal/store"
	"columnvault/internal/store/sqlite"
	"columnvault/internal/writeback"
)

// Vault is an open file of columns. It is safe for concurrent use, and other
// processes may read and write the same file at the same time.
type Vault struct {
	scope
	path  string
	store store.Store
	// buffer is what is read at once, in bytes.
	buffer int64
	// busy is Options.BusyTimeout.
	busy    time.Duration
	pending *writeback.Buffer
	// directories are those of native columns.
	directories catalog.Directories
	// layout is Options.Layout.
	layout int
	group  group
	count  counters
	log    *report.Log
}

// Open opens the vault at path, and creates it if there is no file. nil
// options mean the defaults. Opening costs a millisecond or two, however
// large the file is. Where a process has died that wrote, it also costs reading
// the log that this one has left.
//
// The ctx is for opening alone. When it ends, Open returns at once, and what
// SQLite is doing comes to its end without the caller.
//
// The file may have been written by KohakuVault. A file that is not a vault
// gives [ErrNotVault] and is not changed; [Options.AddToDatabase] makes one of a
// SQLite database of another program.
//
// The path may be the address of a vault on a PostgreSQL server, if the program
// imports the package columnvault/postgres: see there.
func Open(ctx context.Context, path string, o *Options) (*Vault, error) {
	if o == nil {
		o = &Options{}
	}
	shown := engine.Shown(path)
	if err := o.check(path); err != nil {
		return nil, fail("open", shown, -1, err)
	}
	log := report.New(o.Logger, shown)
	s, err := engine.Open(ctx, path, sqlite.Options{
		ReadOnly:       o.ReadOnly,
		AddToDatabase:  o.AddToDatabase,
		PageSize:       o.PageSize,
		PageCacheBytes: int64(o.PageCacheBytes),
		MapBytes:       int64(o.MapBytes),
		BusyTimeout:    o.BusyTimeout,
		MaxSnapshotAge: o.MaxSnapshotAge,
		FullSync:       o.FullSync,
		Log:            log,
	})
	if err != nil {
		return nil, fail("open", shown, -1, err)
	}
	v := newVault(shown, s, o)
	v.log = log
	return v, nil
}

func newVault(path string, s store.Store, o *Options) *Vault {
	v := &Vault{path: path, store: s, layout: o.Layout, buffer: int64(o.ReadBytes), busy: cmp.Or(o.BusyTimeout, sqlite.DefaultBusyTimeout)}
	v.directories.FrameBytes = int64(o.FrameCacheBytes)
	if v.buffer == 0 {
		v.buffer = s.Caps().Window
	}
	v.pending = writeback.New(!s.Caps().CrossHome, v.flush)
	v.scope = scope{v: v}
	return v
}

// Path is the path that the vault was opened with, or the address without its
// password.
func (v *Vault) Path() string { return v.path }

// Close writes what the caches hold, waits for the running transaction for up
// to [Options.BusyTimeout], ends Views and loops that are still open with
// [ErrClosed], and moves what the write-ahead log holds into the file as far as
// no other process is in the way. If the caches cannot be written, or the
// transaction does not end, Close says so and the vault stays open: Close can
// be tried again, and [Vault.DiscardPending] gives up what is held. After an
// error of the log alone the vault is closed, and nothing is lost.
func (v *Vault) Close() error {
	v.pending.SetClosed(true)
	if _, err := v.flushAny(context.Background()); err != nil {
		v.pending.SetClosed(false)
		return fail("close", v.path, -1, err)
	}
	err := v.store.Close()
	if errors.Is(err, ErrBusy) {
		v.pending.SetClosed(false) // a transaction has not ended
	}
	return fail("close", v.path, -1, err)
}

// fail makes the error of an operation on the vault as a whole.
func (v *Vault) fail(op string, err error) error { return fail(op, "", -1, err) }
