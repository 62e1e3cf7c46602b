package columnvault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"columnvault/dtype"
	"columnvault/internal/catalog"
	"columnvault/internal/column"
	"columnvault/internal/excerpt"
	"columnvault/internal/store"
	"columnvault/internal/writeback"
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
	// snap is what Close ends, nil if the transaction ends with a function.
	snap store.Snapshot
	// columns holds the columns used so far: seldom more than a few, for which
	// there is memory here.
	columns []*opened
	few     [2]*opened
	// byName holds them when there are many.
	byName map[string]*opened
	// changes are the columns that have been renamed, dropped or given another
	// meaning.
	changes []writeback.Change
	// elements and pairs are how many were written.
	elements, pairs int64
	// reading is what the caches held at the moment of the snapshot.
	reading writeback.Reading
	// scratch is memory for bytes that are decoded into values of their own.
	scratch []byte
	// flush is the one that a transaction for writing began with.
	flush *writeback.Flush
	// ended is looked at by every call that has the ctx of the transaction, on
	// any goroutine.
	ended atomic.Bool
}

// opened is a column inside a transaction.
type opened struct {
	column.Column
	id    catalog.ID
	name  string
	dtype string // as it stands in the file
	attrs dtype.Attrs
	home  int64
	elem  int64 // the size of elements according to the catalog
	// refused is why the column cannot be changed, because of its layout.
	refused error
	tx      *Tx
	// changes counts what was done to the column, for loops that run over it.
	changes int
	// one has room for one element, and is reused from read to read.
	one column.Elements
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
	err := v.view(ctx, func(tx *Tx) error {
		tx.reading.TakeAll()
		own = fn(tx.mark(ctx), tx)
		return own
	})
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

// Outcome tells, after an operation has failed with [ErrUnknownCommit], whether
// what it has written was committed. It is for vaults on a server, which have
// looked for that for 30 seconds themselves and can be asked again when the server
// is back; a file gives [ErrUnsupported]. What was not committed by then never
// will be, and can be written again. As long as the server does not answer, and
// from twelve hours after the commit on, Outcome itself gives ErrUnknownCommit.
func (v *Vault) Outcome(ctx context.Context, err error) (committed bool, failed error) {
	s, ok := v.store.(store.Settler)
	if !ok {
		return false, v.fail("outcome", fmt.Errorf("%w: no commit of a file is in doubt afterwards", ErrUnsupported))
	}
	committed, failed = s.Outcome(ctx, err)
	return committed, v.fail("outcome", failed)
}

// View calls fn with the transaction that the column is part of, or with a
// [Vault.View] of its vault. What reads a column in several steps needs it to
// stay in one snapshot.
func (c *untyped) View(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) error {
	if c.h.in.tx != nil {
		return fn(ctx, c.h.in.tx)
	}
	return c.h.in.v.View(ctx, fn)
}

// Snapshot begins a [Vault.View] that lasts until it is closed, for what reads
// step by step and cannot do so inside of one function. All that is said of a
// View holds for it; unlike there, no ctx is marked, so that a single operation
// beside it is not refused. It belongs to one goroutine at a time.
func (v *Vault) Snapshot(ctx context.Context) (*Tx, error) {
	tx, snap, err := v.openView(ctx)
	if err != nil {
		return nil, fail("snapshot", "", -1, err)
	}
	tx.reading.TakeAll()
	tx.snap = snap
	return tx, nil
}

// Close ends a transaction that [Vault.Snapshot] has begun. To call it again
// does nothing. Other transactions end with their function, and Close gives
// [ErrInvalidArgument].
func (tx *Tx) Close() error {
	if tx.snap == nil {
		return fail("close", "", -1, fmt.Errorf("%w: the transaction ends with the function that it was given to", ErrInvalidArgument))
	}
	if tx.ended.Load() {
		return nil
	}
	tx.end()
	return fail("close", "", -1, tx.snap.Close())
}

// Sibling begins another View of the same state, for a goroutine that reads beside
// the one that this transaction belongs to. That other goroutine may call it. What is
// said of [Vault.Snapshot] holds for it. There is none, and it returns nil, if somebody
// has written since the transaction began, if the transaction itself writes, and in a
// vault on a server.
func (tx *Tx) Sibling(ctx context.Context) (*Tx, error) {
	r, ok := tx.r.(store.Sibling)
	if !ok || tx.w != nil {
		return nil, nil
	}
	snap, err := r.Sibling(ctx)
	if err != nil || snap == nil {
		return nil, fail("snapshot", "", -1, err)
	}
	other := newTx(tx.v, snap, nil)
	other.reading, other.snap = tx.reading, snap
	return other, nil
}

// view runs fn in a snapshot, of which fn has to take from the caches what it
// reads first; see [writeback.Reading].
func (v *Vault) view(ctx context.Context, fn func(*Tx) error) error {
	tx, snap, err := v.openView(ctx)
	if err != nil {
		return err
	}
	defer snap.Close()
	defer tx.end()
	return fn(tx)
}

// read is view for what is done once fn has returned: fn may be run again, and
// the engine needs fewer round trips for it than for a snapshot.
func (v *Vault) read(ctx context.Context, fn func(*Tx) error) error {
	if err := v.checkNested(ctx); err != nil {
		return err
	}
	for {
		err := v.readOnce(ctx, fn)
		if !errors.Is(err, store.ErrAgain) {
			return err
		}
	}
}

// readOnce is one run of fn, with what the caches hold at its beginning.
func (v *Vault) readOnce(ctx context.Context, fn func(*Tx) error) (err error) {
	tx := newTx(v, nil, nil)
	tx.reading = v.pending.Read()
	defer tx.end()
	snap, err := v.store.Read(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if unfit := snap.Close(); unfit != nil {
			err = unfit // whatever fn made of it
		}
	}()
	tx.r = snap
	return fn(tx)
}

// openView begins a transaction that reads, until it is ended and the snapshot
// closed.
func (v *Vault) openView(ctx context.Context) (*Tx, store.Snapshot, error) {
	if err := v.checkNested(ctx); err != nil {
		return nil, nil, err
	}
	tx := newTx(v, nil, nil)
	tx.reading = v.pending.Read()
	snap, err := v.store.Snapshot(ctx)
	if err != nil {
		tx.end()
		return nil, nil, err
	}
	tx.r = snap
	return tx, snap, nil
}

// checkNested reports that ctx belongs to a transaction of this vault.
func (v *Vault) checkNested(ctx context.Context) error {
	if tx, ok := ctx.Value(txKey{v}).(*Tx); ok && !tx.ended.Load() {
		return ErrNested
	}
	return nil
}

// errOtherVault refuses a transaction for what belongs to another vault.
var errOtherVault = fmt.Errorf("%w: the transaction belongs to another vault", ErrInvalidArgument)

func newTx(v *Vault, r store.Reader, w store.Tx) *Tx {
	tx := &Tx{v: v, r: r, w: w}
	tx.columns = tx.few[:0]
	tx.scope = scope{v: v, tx: tx}
	return tx
}

func (tx *Tx) end() {
	tx.reading.Done()
	tx.ended.Store(true)
}

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
	if o := tx.known(names.Plain); o != nil {
		return o, nil
	}
	entry, err := catalog.Find(ctx, tx.r, names)
	if err != nil {
		return nil, err
	}
	if err := tx.blocked(entry.ID()); err != nil {
		return nil, err
	}
	return tx.openEntry(entry)
}

// openEntry opens the column of an entry in the catalog, with what is held for
// it at its end.
func (tx *Tx) openEntry(entry catalog.Entry) (*opened, error) {
	if o := tx.known(entry.Name); o != nil {
		return o, nil
	}
	entry.Directories = &tx.v.directories
	col, err := entry.Open(tx.v.store.Caps())
	if err != nil {
		return nil, err
	}
	o := &opened{Column: col, id: entry.ID(), name: entry.Name, dtype: entry.DType, attrs: entry.Attrs(), home: entry.Home(), elem: entry.Size(), refused: entry.Refused(), tx: tx}
	if p, ok := tx.reading.Column(o.id); ok {
		if err := o.checkType(p.DType, p.ElemSize); err != nil {
			return nil, fmt.Errorf("%w; %d elements of %s are held for it", err, p.Count, excerpt.Line(p.DType, excerpt.Name))
		}
		o.Column = column.WithTail(o.Column, p.Elements)
	}
	tx.add(o)
	return o, nil
}

// many is the number of columns from which on a transaction finds them by a
// map.
const many = 16

// known returns a column that the transaction has used before, or nil.
func (tx *Tx) known(name string) *opened {
	if tx.byName != nil {
		return tx.byName[name]
	}
	for _, o := range tx.columns {
		if o.name == name {
			return o
		}
	}
	return nil
}

func (tx *Tx) add(o *opened) {
	if tx.byName == nil && len(tx.columns) < many {
		tx.columns = append(tx.columns, o)
		return
	}
	if tx.byName == nil {
		tx.byName = map[string]*opened{}
		for _, o := range tx.columns {
			tx.byName[o.name] = o
		}
	}
	tx.byName[o.name] = o
}

// blocked says why the transaction must not touch a column, if something held
// for it has to be written first and cannot be.
func (tx *Tx) blocked(id catalog.ID) error {
	if tx.flush == nil {
		return nil
	}
	return tx.flush.BlockedColumn(id)
}

// forget drops what is known of a column, after its rows in the catalog have
// changed.
func (tx *Tx) forget(name string) {
	if o := tx.known(name); o != nil {
		o.changes++
	}
	delete(tx.byName, name)
	tx.columns = slices.DeleteFunc(tx.columns, func(o *opened) bool { return o.name == name })
}
