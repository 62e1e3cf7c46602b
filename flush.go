package columnvault

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"

	"columnvault/internal/catalog"
	"columnvault/internal/column"
	"columnvault/internal/report"
	"columnvault/internal/store"
	"columnvault/internal/writeback"
)

// update runs fn in a writing transaction, after everything that is held has
// been written in it.
//
// Where homes are apart, what is held is written before, each home in a
// transaction of its own, and fn runs again if it needs what is held since.
func (v *Vault) update(ctx context.Context, fn func(*Tx) error) error {
	for {
		var failed error
		if !v.store.Caps().CrossHome {
			_, failed = v.flushHomes(ctx, false)
		}
		err := v.write(ctx, v.pending.Begin(false), fn)
		if !errors.Is(err, writeback.ErrOtherHome) {
			return err
		}
		if failed != nil {
			return failed
		}
	}
}

// flushHomes writes what is held, each home in a transaction of its own. One that
// fails keeps none of the others from being written.
func (v *Vault) flushHomes(ctx context.Context, all bool) (written int, err error) {
	if err := v.checkNested(ctx); err != nil {
		return 0, err
	}
	var failed []error
	for _, home := range v.pending.Homes() {
		n, err := v.flushBy(ctx, v.pending.BeginHome(home, all))
		written, failed = written+n, append(failed, err)
	}
	return written, errors.Join(failed...)
}

// flush writes everything that is held and returns how many elements and pairs
// that were. What cannot be written for a reason of its own, because its column
// is gone for example, does not keep the others from being written; the error
// names it.
func (v *Vault) flush(ctx context.Context) (written int, err error) {
	if !v.store.Caps().CrossHome {
		return v.flushHomes(ctx, true)
	}
	return v.flushBy(ctx, v.pending.Begin(true))
}

func (v *Vault) flushBy(ctx context.Context, f *writeback.Flush) (written int, err error) {
	err = v.write(ctx, f, func(*Tx) error { written = f.Count(); return nil })
	if err != nil {
		return 0, err
	}
	return written, flushError(f.Err())
}

// flushAny is flush if there is anything to write.
func (v *Vault) flushAny(ctx context.Context) (written int, err error) {
	if !v.pending.Holds() {
		return 0, nil
	}
	return v.flush(ctx)
}

// write runs fn in the transaction of a flush.
func (v *Vault) write(ctx context.Context, f *writeback.Flush, fn func(*Tx) error) error {
	defer f.End()
	if err := v.checkNested(ctx); err != nil {
		return err
	}
	var run struct {
		own     error // that of fn
		written int
	}
	for {
		if err := f.Wait(ctx, v.busy); err != nil {
			return err
		}
		err := v.store.Update(ctx, func(w store.Tx) error {
			run.own, run.written = nil, 0
			if err := f.Take(); err != nil {
				return err
			}
			tx := newTx(v, w, w)
			defer tx.end()
			tx.flush = f
			if err := tx.writeHeld(ctx); err != nil {
				return err
			}
			run.own = fn(tx)
			if err := cmp.Or(f.KeptOut(), run.own); err != nil {
				return err
			}
			run.written = f.Count()
			f.Shut()
			w.OnCommit(func() {
				f.Committed(tx.changes)
				v.count.add(tx, run.written)
			})
			return nil
		})
		if errors.Is(err, writeback.ErrTurn) || leaveOut(f, err) {
			continue
		}
		if errors.Is(err, ErrUnknownCommit) {
			err = errors.Join(err, flushError(f.Doubtful()))
		}
		if run.own == nil {
			v.flushed(f, run.written, err)
		}
		return err
	}
}

// heldError is why something that is held cannot be written.
type heldError struct {
	err   error
	parts writeback.Part
	pairs writeback.Pairs
	table bool
}

func (e *heldError) Error() string { return e.err.Error() }

func (e *heldError) Unwrap() error { return e.err }

// leaveOut takes what a flush has failed on out of its next run, if the reason
// is its own and not one that everything would fail for.
func leaveOut(f *writeback.Flush, err error) bool {
	if err == nil {
		return false // without the memory that the question takes
	}
	var held *heldError
	if !errors.As(err, &held) || !ownReason(held.err) {
		return false
	}
	if held.table {
		f.PairsFailed(held.pairs, held.err)
	} else {
		f.PartFailed(held.parts, held.err)
	}
	return true
}

// ownReason tells whether an error is about one column or table, and not about
// the storage as a whole.
func ownReason(err error) bool {
	for _, kind := range []error{ErrNotFound, ErrDType, ErrCorrupt, ErrTooLarge, ErrInvalidArgument, ErrExists, ErrUnsupported} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// flushError makes the errors of a flush, one for each column and table.
func flushError(err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	var all []error
	for _, err := range joined.Unwrap() {
		part := err.(*writeback.PartError)
		all = append(all, fail("flush", part.Name, -1, part.Err))
	}
	return errors.Join(all...)
}

// writeHeld writes what the flush of the transaction has taken.
func (tx *Tx) writeHeld(ctx context.Context) error {
	parts := tx.flush.Parts()
	os := make([]*opened, len(parts))
	for i, p := range parts {
		var err error
		if os[i], err = tx.openPart(ctx, p); err != nil {
			return &heldError{err: err, parts: p}
		}
	}
	if i, err := tx.appendAll(ctx, os, func(i int) column.Elements { return parts[i].Elements }); err != nil {
		return &heldError{err: err, parts: parts[i]}
	}
	for _, p := range tx.flush.Pairs() {
		// In the order of their keys, in which the tables grow best.
		for pair := range p.Scan(store.KeyRange{}) {
			if err := tx.putPair(ctx, p.Table, pair.Key, pair.Value); err != nil {
				return &heldError{err: err, pairs: p, table: true}
			}
		}
	}
	return nil
}

// openPart opens the column of held elements, whatever its name is by now.
func (tx *Tx) openPart(ctx context.Context, p writeback.Part) (*opened, error) {
	names := catalog.NamesOf(p.Name)
	e, err := catalog.Find(ctx, tx.r, &names)
	if err == nil && e.ID() != p.ID || errors.Is(err, ErrNotFound) {
		e, err = catalog.FindID(ctx, tx.r, p.ID)
	}
	if errors.Is(err, ErrNotFound) {
		return nil, fmt.Errorf("%w: the column has been dropped", ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	o, err := tx.openEntry(e)
	if err == nil {
		err = o.checkType(p.DType, p.ElemSize)
	}
	return o, err
}

// putPair stores a pair.
func (tx *Tx) putPair(ctx context.Context, table string, key, value []byte) error {
	tx.pairs++
	return tx.w.Put(ctx, table, key, value)
}

// counters are what the vault counts above its engine.
type counters struct {
	elements, pairs          atomic.Int64
	flushes, flushed, failed atomic.Int64
}

// add counts what a transaction has written, once it is committed; flushed of
// it was held before.
func (n *counters) add(tx *Tx, flushed int) {
	n.elements.Add(tx.elements)
	n.pairs.Add(tx.pairs)
	if flushed > 0 {
		n.flushes.Add(1)
		n.flushed.Add(int64(flushed))
	}
}

// flushed counts and reports a flush that failed, or that succeeded after one
// that had failed. written is 0 if it had nothing to write, or did not get that
// far.
func (v *Vault) flushed(f *writeback.Flush, written int, err error) {
	names := f.Failed()
	what := strings.Join(names, ",")
	switch {
	case err == nil && len(names) == 0:
		if written > 0 && v.log.Over(report.FlushFailed) {
			v.log.Tell(slog.LevelInfo, report.FlushWorks, slog.Int("written", written))
		}
		return
	case err == nil:
		err = flushError(f.Err())
	case errors.Is(err, ErrUnknownCommit):
		if written == 0 {
			return // nothing was held
		}
	case !v.pending.Holds(), errors.Is(err, ErrFlushPaused), errors.Is(err, ErrClosed),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return // nothing was to be written, or somebody wanted it so
	default:
		names = v.pending.Names()
	}
	v.count.failed.Add(1)
	held, _ := v.pending.Held()
	const most = 10
	if len(names) > most {
		names = append(slices.Clip(names[:most]), "...")
	}
	for _, kind := range []error{ErrBusy, ErrUnavailable, ErrReplaced, ErrReadOnly, ErrUnknownCommit} {
		if errors.Is(err, kind) {
			what += kind.Error() // an error may also say how long it took, for example
		}
	}
	v.log.TellOnce(slog.LevelError, report.FlushFailed, what, slog.Any("names", names), slog.Int("held", held), slog.Any("error", err))
}
