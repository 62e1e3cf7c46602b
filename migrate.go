package columnvault

import (
	"context"
	"errors"

	"columnvault/internal/catalog"
	"columnvault/internal/migrate"
	"columnvault/internal/store"
	"columnvault/internal/writeback"
)

// MigrateOptions say what [Vault.Migrate] does.
type MigrateOptions struct {
	// Columns are the names of columns. None stand for all that are in another
	// layout than To.
	Columns []string
	// To is the layout that the columns get: 0, 1 for that of KohakuVault 1.x, or
	// [Native].
	To int
	// Compression is that of columns that become native.
	Compression Compression
	// Keep leaves the old columns there too. Neither KohakuVault sees the columns
	// of the other, and here the name then means the column in layout 0.
	Keep bool
	// Replace lets a column take the place of one of the same name that the layout
	// has already, and that is [ErrExists] otherwise.
	Replace bool
	// Transcode lets elements that only layout 1 can hold become what they are
	// read as: vectors of bool those of u8, vectors of f16 those of f32, and text
	// in another encoding UTF-8. It is [ErrTranscode] otherwise.
	Transcode bool
	// Progress is called from time to time with the bytes that have been copied
	// and compared, and with those that will be.
	Progress func(done, total int64)
}

// Migrate brings columns from one layout to another, with their dtypes in the
// canonical spelling and with what they mean beyond that. It returns the names of
// those that it has brought there; others are there already.
//
// What cannot be migrated is refused before anything is written. Then each column
// is a transaction of its own, and all columns of a [Table] are one together: when
// Migrate ends early, what it has returned is done and the rest is as it was. A
// column is copied, every element of the copy is compared, and then the old column
// goes. That takes the memory of some windows, and room in the file for both: see
// [Vault.Compact].
//
// Caches of the columns are flushed first, and end. KohakuVault 0.8.6 reads columns
// of i64, f64, text, bytes, msgpack, cbor and vectors, and no others, in layout 0.
func (v *Vault) Migrate(ctx context.Context, o MigrateOptions) (done []string, err error) {
	mo := migrate.Options{Columns: o.Columns, To: store.Layout(o.To), Codec: catalog.Codec(o.Compression), Keep: o.Keep, Replace: o.Replace, Transcode: o.Transcode, Window: v.buffer}
	var moves []migrate.Move
	err = v.view(ctx, func(tx *Tx) error {
		tx.reading.Done() // what is held is written before anything is moved
		moves, err = migrate.Plan(ctx, tx.r, v.store.Caps(), mo)
		return err
	})
	if err != nil {
		return nil, migrateError(err)
	}
	var moved, total int64
	for _, m := range moves {
		total += 2 * m.Bytes
	}
	for _, group := range migrate.Groups(moves) {
		some, before := mo, moved
		some.Columns = nil
		for _, m := range group {
			some.Columns = append(some.Columns, m.From.Name)
		}
		some.Progress = func(n int64) {
			if moved += n; o.Progress != nil {
				o.Progress(min(moved, total), total)
			}
		}
		err := v.update(ctx, func(tx *Tx) error {
			moved = before
			return tx.migrate(ctx, some)
		})
		if err != nil {
			return done, migrateError(err)
		}
		done = append(done, some.Columns...)
	}
	if o.Progress != nil {
		o.Progress(total, total) // elements that are transcoded change their size
	}
	return done, nil
}

// migrate migrates columns in the transaction.
func (tx *Tx) migrate(ctx context.Context, o migrate.Options) error {
	caps := tx.v.store.Caps()
	moves, err := migrate.Plan(ctx, tx.r, caps, o) // others may have changed them
	if err != nil {
		return err
	}
	for i := range moves {
		m := &moves[i]
		name := m.From.Name
		if err := errors.Join(tx.blocked(m.From.ID()), tx.blocked(m.Replaced.ID())); err != nil {
			return &migrate.ColumnError{Column: name, Err: err}
		}
		defer tx.forget(name)
		if err := m.Do(ctx, tx.w, caps, o); err != nil {
			return &migrate.ColumnError{Column: name, Err: err}
		}
		if !o.Keep {
			tx.changes = append(tx.changes, writeback.Change{ID: m.From.ID(), From: name})
		}
		if id := m.Replaced.ID(); id != (catalog.ID{}) {
			tx.changes = append(tx.changes, writeback.Change{ID: id, From: name})
		}
	}
	return nil
}

// migrateError names the column at fault.
func migrateError(err error) error {
	var of *migrate.ColumnError
	if errors.As(err, &of) {
		return fail("migrate", of.Column, -1, of.Err)
	}
	return fail("migrate", "", -1, err)
}
