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

// Tx is a transaction over the whole vault: what View and Update give to their
// function. Columns take part in it through In. A Tx belongs to the goroutine
// of the function and ends with it.
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
	// ended may be looked at by whoever was given the ctx of the transaction.
	ended atomic.Bool
}

// opened is a column inside a transaction.
type opened struct {
	column.Column
	name  string
	dtype string // as it stands in the file
	elem  int64  // the size of elements according to the catalogue
	tx    *Tx
	// changes counts what was done to the column, for loops that run over it.
	changes int
	// ends is reused from read to read.
	ends []int
}

// txKey is the key under which a transaction of the vault marks its ctx.
type txKey struct{ v *Vault }

// View calls fn with a transaction that reads. All that fn reads through In(tx)
// belongs to one moment, whatever others write meanwhile. The ctx that fn
// receives marks the transaction: an operation that is given this ctx and is
// not In(tx) fails with ErrNested. View returns what fn returns.
//
// Reading in a View also costs less: finding a column and its chunks is done
// once, and not for every operation.
//
// As long as a View is open the write-ahead log cannot be emptied, and it has a
// connection of its own, with a page cache and four open files. So do not keep
// one for longer than the work takes, nor hundreds at a time.
func (v *Vault) View(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) error {
	var own error
	err := v.view(ctx, func(tx *Tx) error { own = fn(tx.mark(ctx), tx); return own })
	if own != nil {
		return own
	}
	return fail("view", "", -1, err)
}

// Update calls fn with a transaction that writes. Either all that fn does
// through In(tx) happens, over all columns, or nothing of it: when fn returns
// an error or panics, when an operation in it failed half-way, when ctx is
// cancelled. It is the only writer while it runs. fn sees its own changes, and
// may be run again after a conflict, so it must not consume what it cannot
// read twice. The ctx that it receives is that of View.
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

// update runs fn in a writing transaction, behind all that is pending.
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
	col, err := entry.Open(tx.v.store.Caps())
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
