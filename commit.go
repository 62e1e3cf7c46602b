package columnvault

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"columnvault/dtype"
	"columnvault/internal/catalog"
	"columnvault/internal/column"
)

// group lets appends of goroutines that come at the same time share a
// transaction. The first to come leads: it writes its own rows and those of
// all that come before it commits, and hands the lead to one that comes after.
// Each returns when its own rows are committed.
type group struct {
	mu    sync.Mutex
	queue []*request
	// led says that a request leads, so that others wait in the queue.
	led bool
	// last is how many were in the last group or came during it.
	last int
}

// request is an append that waits.
type request struct {
	ctx context.Context
	appends
	err error
	// since is when it began to wait.
	since time.Time
	// turn is sent true to make the waiting goroutine lead, false when its
	// request has been dealt with.
	turn chan bool
}

// appends is what a request writes: elements of a column, or a [Batch].
type appends interface {
	// open finds the columns in the transaction. It writes nothing, and its error
	// is one of this request alone.
	open(ctx context.Context, tx *Tx) error
	// add writes to them. Its error undoes the transaction.
	add(ctx context.Context, tx *Tx) error
}

// columnAppend is elements for one column.
type columnAppend struct {
	names *catalog.Names
	// dtype is canonical, and spec the same.
	dtype   string
	spec    dtype.Spec
	meaning dtype.Meaning
	rows    column.Elements
	// o is the column in the transaction in which it was opened last.
	o *opened
}

func (a *columnAppend) open(ctx context.Context, tx *Tx) (err error) {
	if a.o, err = tx.openAs(ctx, a.names, a.dtype, a.spec.ElemSize()); err == nil {
		err = a.o.checkMeaning(a.spec, a.meaning)
	}
	return err
}

func (a *columnAppend) add(ctx context.Context, _ *Tx) error { return a.o.append(ctx, a.rows) }

// append writes the rows in a transaction, alone or together with others.
func (v *Vault) append(r *request) error {
	if err := v.checkNested(r.ctx); err != nil {
		return err
	}
	g := &v.group
	g.mu.Lock()
	if g.led {
		r.turn, r.since = make(chan bool, 1), time.Now()
		g.queue = append(g.queue, r)
		g.mu.Unlock()
		if lead, err := g.wait(r); !lead {
			return err
		}
	} else {
		g.led = true
		g.mu.Unlock()
	}
	v.lead(r)
	return r.err
}

// wait waits for the outcome of the request, or for the lead.
func (g *group) wait(r *request) (lead bool, err error) {
	select {
	case lead = <-r.turn:
		return lead, r.err
	case <-r.ctx.Done():
	}
	if g.withdraw(r) {
		return false, r.ctx.Err()
	}
	lead = <-r.turn // somebody is about to deal with it
	return lead, r.err
}

// withdraw takes a request out of the queue if it is still there.
func (g *group) withdraw(r *request) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.queue, r)
	if i < 0 {
		return false
	}
	g.queue = slices.Delete(g.queue, i, i+1)
	return true
}

// takeQueue empties the queue.
func (g *group) takeQueue() []*request {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := g.queue
	g.queue = nil
	return all
}

// lead writes the rows of r and of all requests that wait, and passes the lead on.
func (v *Vault) lead(r *request) {
	g := &v.group
	members := []*request{r}
	err := errPanicked
	// Also when something panics: the others would wait for good.
	defer func() { g.settle(members, err, v.busy) }()
	g.gather()
	err = v.update(r.ctx, func(tx *Tx) error {
		for done := 0; done < len(members); {
			for ; done < len(members); done++ {
				if err := members[done].write(tx); err != nil {
					return err
				}
			}
			members = append(members, g.takeQueue()...)
		}
		return nil
	})
	if err != nil && len(members) > 1 && mayBeAnothers(err) {
		err = errPanicked // until all have been tried
		for _, m := range members {
			if m.err != nil {
				continue
			}
			if alone := v.update(m.ctx, m.write); alone != nil {
				m.err = alone
			}
		}
		err = nil
	}
}

// errPanicked is what the others of a group get when the one that led it has
// panicked.
var errPanicked = fmt.Errorf("%w: the goroutine that wrote for several has panicked", ErrUnavailable)

// mayBeAnothers tells whether the transaction of a group may have failed for a
// reason that is one member's alone: a damaged column, a canceled ctx. An
// outcome that is not known is never tried again.
func mayBeAnothers(err error) bool {
	for _, kind := range []error{ErrBusy, ErrUnavailable, ErrClosed, ErrReplaced, ErrUnknownCommit} {
		if errors.Is(err, kind) {
			return false
		}
	}
	return true
}

// settle tells the members of a group what became of them; err is about those
// that have no error of their own. It passes the lead on.
func (g *group) settle(members []*request, err error, busy time.Duration) {
	for i, m := range members {
		if m.err == nil {
			m.err = err
		}
		if i > 0 {
			m.turn <- false
		}
	}
	if errors.Is(err, ErrBusy) {
		g.expire(err, busy)
	}
	g.passOn(len(members))
}

// gather lets the goroutines that were in the last group come back with their
// next append, if they are quick.
func (g *group) gather() {
	for range 10 {
		g.mu.Lock()
		enough := len(g.queue)+1 >= g.last
		g.mu.Unlock()
		if enough {
			return
		}
		runtime.Gosched()
	}
}

// expire fails the requests that have waited for as long as the leader, or
// longer.
func (g *group) expire(err error, busy time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.queue = slices.DeleteFunc(g.queue, func(r *request) bool {
		if time.Since(r.since) < busy {
			return false
		}
		r.err = err
		r.turn <- false
		return true
	})
}

// passOn gives the lead to the first request that waits.
func (g *group) passOn(members int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.last = members + len(g.queue)
	if len(g.queue) == 0 {
		g.led = false
		return
	}
	next := g.queue[0]
	g.queue = g.queue[1:]
	next.turn <- true
}

// write appends the rows in the transaction. What concerns this request alone
// becomes its own error.
func (r *request) write(tx *Tx) error {
	r.err = r.ctx.Err()
	if r.err != nil {
		return nil
	}
	// The others of the group must not be stopped by this one's ctx.
	ctx := context.WithoutCancel(r.ctx)
	if r.err = r.open(ctx, tx); r.err != nil {
		return nil
	}
	return r.add(ctx, tx)
}
