package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"columnvault/internal/store"
)

// Rerun returns an engine that has every Read begin again, and runs the
// function of every Update twice, as engines do after a conflict. What the first
// run wrote is undone, and others may write before the second.
func Rerun(s store.Store) store.Store { return rerun{Store: s, owed: new(atomic.Int64)} }

// Conflict returns an engine that makes a call in the first run of every Read
// and Update fail, before the second run. In each transaction it is the call
// after that of the one before.
func Conflict(s store.Store) store.Store {
	return rerun{Store: s, owed: new(atomic.Int64), conflicts: new(atomic.Int64)}
}

type rerun struct {
	store.Store
	// owed is how many Reads have to be let through, because as many had to
	// begin again.
	owed *atomic.Int64
	// conflicts counts the transactions, if calls are to fail.
	conflicts *atomic.Int64
}

// breakers are how many calls there are from which one is chosen to fail.
const breakers = 20

var (
	errConflict = errors.New("a conflict: the function has to run again")
	errFirstRun = errors.New("the first run is over")
)

// breaker makes a call fail, and all that follow it.
type breaker struct {
	left   int64
	broken bool
	with   error
}

func (b *breaker) before(*call) error {
	if b.left--; b.left < 0 {
		b.broken = true
		return b.with
	}
	return nil
}

func (b *breaker) after(*call) {}

// newBreaker makes one for the next transaction, whose calls fail with that
// error. It lets everything pass if calls are not to fail.
func (r rerun) newBreaker(with error) *breaker {
	if r.conflicts == nil {
		return &breaker{left: 1 << 62}
	}
	return &breaker{left: (r.conflicts.Add(1) - 1) % breakers, with: with}
}

// outcome is the error of a first run: that of the function, unless the run
// was broken off.
func (b *breaker) outcome(err error) error {
	if err == nil || b.broken {
		return errFirstRun
	}
	return err
}

// Read implements store.Store.
func (r rerun) Read(ctx context.Context) (store.Snapshot, error) {
	if r.owed.Add(-1) >= 0 {
		return r.Store.Read(ctx)
	}
	r.owed.Add(1)
	snap, err := r.Store.Read(ctx)
	if err != nil {
		return nil, err
	}
	return &unfit{Reader: tapped{r: snap, tap: r.newBreaker(store.ErrAgain)}, snap: snap, owed: r.owed}, nil
}

// unfit is a Read that has to begin again.
type unfit struct {
	store.Reader
	snap   store.Snapshot
	owed   *atomic.Int64
	closed bool
}

func (u *unfit) Close() error {
	err := u.snap.Close()
	if err == nil && !u.closed {
		u.closed = true
		u.owed.Add(1)
		err = store.ErrAgain
	}
	return err
}

// Update implements store.Store.
func (r rerun) Update(ctx context.Context, fn func(store.Tx) error) error {
	b := r.newBreaker(errConflict)
	err := r.Store.Update(ctx, func(tx store.Tx) error {
		return b.outcome(fn(tapped{r: tx, tx: tx, tap: b}))
	})
	if !errors.Is(err, errFirstRun) {
		return err
	}
	return r.Store.Update(ctx, fn)
}

// Lossy returns an engine that loses the answer of every n-th Update: what that
// did is committed, and it returns ErrUnknownCommit.
func Lossy(s store.Store, n int64) store.Store { return &lossy{Store: s, n: n} }

type lossy struct {
	store.Store
	n       int64
	updates atomic.Int64
}

// Update implements store.Store.
func (l *lossy) Update(ctx context.Context, fn func(store.Tx) error) error {
	if l.updates.Add(1)%l.n != 0 {
		return l.Store.Update(ctx, fn)
	}
	err := l.Store.Update(ctx, func(tx store.Tx) error { return fn(silent{tx}) })
	if err == nil {
		err = fmt.Errorf("%w: its answer was lost", store.ErrUnknownCommit)
	}
	return err
}

// silent is a transaction that tells nobody of its commit.
type silent struct{ store.Tx }

func (silent) OnCommit(func()) {}
