package columnvault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"columnvault/internal/catalog"
	"columnvault/internal/column"
	"columnvault/internal/store"
)

// Tx is a transaction over the whole vault, which [Vault.View] and
// [Vault.Update] give to their function. Columns and tables take part in it
// through In. A Tx belongs to the goroutine of the function and ends with it.
type Tx struct {
	scope
	v *Vault
	r store.Reader
	// w is the same transaction for writing, nil in a View.
	w store.Tx
	// columns holds the columns used so far: seldom more than a few, for which
	// there is memory here.
	columns []*opened
	few     [2]*opened
	// renames are the columns that have been renamed or dropped.
	renames []rename
	// held is what the caches held at the moment of a View.
	held held
	// ended is looked at by every call that has the ctx of the transaction, on
	// any goroutine.
	ended atomic.Bool
}

// opened is a column inside a transaction.
type opened struct {
	column.Column
	name   string
	dtype  string // as it stands in the file
	elem   int64  // the size of elements according to the catalogue
	tx     *Tx
	locked bool
	// changes counts what was done to the column, for loops that run over it.
	changes int
	// ends is reused from read to read.
	ends []int
}

// txKey is the key under which a transaction of the vault marks its ctx.
type txKey struct{ v *Vault }

// View calls fn with a transaction that reads, and returns what fn returns. It
// differs from single reads like this:
//
//  1. All that fn reads through In(tx) belongs to one moment, whatever others
//     write meanwhile.
//  2. A column and its chunks are found once, and not for every operation, so
//     each costs less.
//  3. The ctx that fn receives marks the transaction. An operation that is given
//     this ctx, and is not In(tx), would wait for the transaction that it was
//     called in; it fails with [ErrNested].
//  4. As long as the View is open, the write-ahead log cannot be emptied, and
//     the View has a connection of its own, with a page cache and four open
//     files. Do not keep one for longer than the work takes, nor hundreds at a
//     time. One that is older than [Options.MaxSnapshotAge] fails.
func (v *Vault) View(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) error {
	var own error
	err := v.view(ctx, func(tx *Tx) error { own = fn(tx.mark(ctx), tx); return own })
	if own != nil {
		return own
	}
	return fail("view", "", -1, err)
}

// Update calls fn with a transaction that writes, and returns what fn returns,
// or the error of the commit. It differs from single operations like this:
//
//  1. Either everything that fn does through In(tx) happens, over all columns
//     and tables, or nothing. Nothing happens when fn returns an error or
//     panics, when ctx ends, and when an operation in it has failed half-way,
//     even if fn ignores the error.
//  2. It is the only writer while it runs. Others, in all processes, wait until
//     it ends; readers do not.
//  3. fn sees its own changes. Others see all of them at once, after the commit.
//  4. What the caches of the vault hold is written first, in the same
//     transaction.
//  5. fn may be run again after a conflict, so it must not use up what it cannot
//     read twice.
//  6. The ctx that fn receives marks the transaction, as that of [Vault.View]
//     does.
func (v *Vault) Update(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) error {
	var own error
	err := v.update(ctx, func(tx *Tx) error { own = fn(tx.mark(ctx), tx); return own })
	if own != nil {
		return own
	}
	return fail("update", "", -1, err)
}

// view runs fn in a snapshot.
func (v *Vault) view(ctx context.Context, fn func(*Tx) error) error {
	tx, snap, err := v.openView(ctx)
	if err != nil {
		return err
	}
	defer snap.Close()
	defer tx.end()
	return fn(tx)
}

// openView begins a transaction that reads, until it is ended and the snapshot
// closed.
func (v *Vault) openView(ctx context.Context) (*Tx, store.Snapshot, error) {
	if err := v.checkNested(ctx); err != nil {
		return nil, nil, err
	}
	snap, held, err := v.pending.snapshot(ctx)
	if err != nil {
		return nil, nil, err
	}
	tx := newTx(v, snap, nil)
	tx.held = held
	return tx, snap, nil
}

// update runs fn in a writing transaction, after all that is pending.
func (v *Vault) update(ctx context.Context, fn func(*Tx) error) error {
	if err := v.checkNested(ctx); err != nil {
		return err
	}
	if v.pending.used.Load() {
		_, err := v.pending.flush(ctx, fn)
		return err
	}
	err := v.store.Update(ctx, func(w store.Tx) error {
		if v.pending.used.Load() { // since a moment ago
			return errCached
		}
		tx := newTx(v, w, w)
		defer tx.end()
		return fn(tx)
	})
	if errors.Is(err, errCached) {
		_, err = v.pending.flush(ctx, fn)
	}
	return err
}

// errCached: there may be pending rows, which have to be written first.
var errCached = errors.New("a cache was enabled meanwhile")

// checkNested reports that ctx belongs to a transaction of this vault.
func (v *Vault) checkNested(ctx context.Context) error {
	if tx, ok := ctx.Value(txKey{v}).(*Tx); ok && !tx.ended.Load() {
		return ErrNested
	}
	return nil
}

func newTx(v *Vault, r store.Reader, w store.Tx) *Tx {
	tx := &Tx{v: v, r: r, w: w}
	tx.columns = tx.few[:0]
	tx.scope = scope{v: v, tx: tx}
	return tx
}

func (tx *Tx) end() { tx.ended.Store(true) }

// mark makes a ctx that tells that it belongs to the transaction.
func (tx *Tx) mark(ctx context.Context) context.Context {
	return context.WithValue(ctx, txKey{tx.v}, tx)
}

// do runs a step of the transaction.
func (tx *Tx) do(fn func(*Tx) error) error {
	if tx.ended.Load() {
		return fmt.Errorf("%w: the transaction has ended", ErrClosed)
	}
	return fn(tx)
}

// open finds the column in the transaction.
func (tx *Tx) open(ctx context.Context, names *catalog.Names) (*opened, error) {
	for _, o := range tx.columns {
		if o.name == names.Plain {
			return o, nil
		}
	}
	entry, err := catalog.Find(ctx, tx.r, names)
	if err != nil {
		return nil, err
	}
	col, err := entry.Open()
	if err != nil {
		return nil, err
	}
	o := &opened{Column: col, name: names.Plain, dtype: entry.DType, elem: entry.Size(), tx: tx}
	if err := o.over(tx.held.parts); err != nil {
		return nil, err
	}
	tx.columns = append(tx.columns, o)
	return o, nil
}

// rename is a new name of a column, or none if it has been dropped.
type rename struct{ from, to string }

// forget drops what is known of a column, after its rows in the catalogue have
// changed.
func (tx *Tx) forget(name string) {
	tx.columns = slices.DeleteFunc(tx.columns, func(o *opened) bool {
		if o.name == name {
			o.changes++
		}
		return o.name == name
	})
}
