package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"columnvault/internal/store"
)

// Rerun returns an engine that runs the function of every Read and Update
// twice, as engines do after a conflict. What the first run wrote is undone,
// and others may write before the second.
func Rerun(s store.Store) store.Store { return rerun{Store: s} }

// Conflict returns an engine that makes a call in the first run of every Read
// and Update fail, and then runs the function again. In each transaction it is
// the call after that of the one before.
func Conflict(s store.Store) store.Store { return rerun{Store: s, conflicts: new(atomic.Int64)} }

type rerun struct {
	store.Store
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
}

func (b *breaker) before(*call) error {
	if b.left--; b.left < 0 {
		b.broken = true
		return errConflict
	}
	return nil
}

func (b *breaker) after(*call) {}

// newBreaker makes one for the next transaction. It lets everything pass if
// calls are not to fail.
func (r rerun) newBreaker() *breaker {
	if r.conflicts == nil {
		return &breaker{left: 1 << 62}
	}
	return &breaker{left: (r.conflicts.Add(1) - 1) % breakers}
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
func (r rerun) Read(ctx context.Context, fn func(store.Reader) error) error {
	b := r.newBreaker()
	err := r.Store.Read(ctx, func(rd store.Reader) error { return b.outcome(fn(tapped{r: rd, tap: b})) })
	if !errors.Is(err, errFirstRun) {
		return err
	}
	return r.Store.Read(ctx, fn)
}

// Update implements store.Store.
func (r rerun) Update(ctx context.Context, fn func(store.Tx) error) error {
	b := r.newBreaker()
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
