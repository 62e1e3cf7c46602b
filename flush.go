package columnvault

import (
	"context"
	"errors"
	"fmt"
	"time"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// flush writes all pending rows and then does what fn does, if that is not
// nil, in one transaction. It returns how many rows it wrote.
func (p *pending) flush(ctx context.Context, fn func(*Tx) error) (rows int, err error) {
	p.addWriter(1)
	defer p.addWriter(-1)
	f := flushing{p: p}
	defer f.end()
	err = p.v.store.Update(ctx, func(w store.Tx) error {
		if err := f.begin(); err != nil {
			return err
		}
		tx := newTx(p.v, w, w)
		defer tx.end()
		n, err := f.held.write(ctx, tx)
		if err != nil {
			return err
		}
		rows = n
		if fn != nil {
			if err := fn(tx); err != nil {
				return err
			}
		}
		f.shut()
		return nil
	})
	if err != nil {
		return 0, err
	}
	p.giveUp(f.held)
	return rows, nil
}

// addWriter counts those who write pending rows or wait for that.
func (p *pending) addWriter(n int) {
	p.mu.Lock()
	p.writers += n
	p.mu.Unlock()
}

// flushing is a flush under way, whose transaction may run more than once.
type flushing struct {
	p    *pending
	held held
	// turn and gate say that it holds those of pending.
	turn, gate bool
}

// begin takes what is pending, when it is this flush's turn.
func (f *flushing) begin() error {
	p := f.p
	if !f.turn {
		p.turn.Lock()
		f.turn = true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.holds > 0 && p.rows > 0 {
		return ErrHeld
	}
	f.held = p.take()
	return nil
}

// shut makes readers wait until the end. Only the commit lies between.
func (f *flushing) shut() {
	if !f.gate {
		f.p.gate.Lock()
		f.gate = true
	}
}

func (f *flushing) end() {
	if f.gate {
		f.p.gate.Unlock()
	}
	if f.turn {
		f.p.turn.Unlock()
	}
}

// write writes everything to its columns and tables, and counts it.
func (h held) write(ctx context.Context, tx *Tx) (rows int, err error) {
	for _, part := range h.parts {
		if err := part.write(ctx, tx); err != nil {
			return rows, err
		}
		rows += part.count
	}
	pairs, err := h.kv.write(ctx, tx)
	return rows + pairs, err
}

// write appends the rows to their column.
func (part part) write(ctx context.Context, tx *Tx) error {
	name := part.q.names.Plain
	o, err := tx.open(ctx, &part.q.names)
	if err == nil {
		err = o.checkType(part.dtype, part.elem)
	}
	if err != nil {
		return fail("flush", name, -1, fmt.Errorf("%w; %d rows wait for the column, and Discard gives them up", err, part.count))
	}
	o.changes++
	return fail("flush", name, -1, o.Append(ctx, tx.w, part.rows))
}

// giveUp gives up rows that have been written.
func (p *pending) giveUp(h held) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failed = nil
	for _, part := range h.parts {
		if part.discards == part.q.discards {
			part.q.drop(part)
		}
	}
	p.dropKV(h.kv)
	p.arm()
}

// drop gives up the first rows. The memory is used again, unless a reader has
// it.
func (q *pendingColumn) drop(part part) {
	rest := column.Batch{Data: q.rows.Data[len(part.rows.Data):], Ends: q.rows.Ends[len(part.rows.Ends):]}
	into := column.Batch{Data: q.rows.Data[:0], Ends: q.rows.Ends[:0]}
	if q.lent {
		into, q.lent = column.Batch{}, false
	}
	into.Data = append(into.Data, rest.Data...)
	for _, end := range rest.Ends {
		into.Ends = append(into.Ends, end-len(part.rows.Data))
	}
	if k := q.cache(); k != nil {
		k.bytes -= size(part.rows)
	}
	q.rows = into
	if q.count -= part.count; q.count == 0 {
		q.dtype = ""
	}
	q.p.gone(part.count)
}

// gone counts rows that are no longer pending.
func (p *pending) gone(count int) {
	if p.rows -= count; p.rows == 0 {
		p.any.Store(false)
	}
}

// discard gives up the rows of a column, also if a flush has taken them, which
// then writes all of them or none.
func (p *pending) discard(q *pendingColumn) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := q.count
	if n > 0 {
		q.lent = true // perhaps to a flush
		q.drop(part{rows: q.rows, count: n})
		q.discards++
	}
	return n
}

// arm sets the timers of the caches that hold rows, and stops the others.
func (p *pending) arm() {
	for k := range p.caches {
		p.armOne(k)
	}
}

func (p *pending) armOne(k *cache) {
	switch {
	case k.FlushInterval == 0:
	case k.bytes == 0:
		k.stop()
	case k.timer == nil:
		k.timer = time.AfterFunc(k.FlushInterval, func() { p.flushOld(k) })
	default:
		k.timer.Reset(k.FlushInterval)
	}
}

func (k *cache) stop() {
	if k != nil && k.timer != nil {
		k.timer.Stop()
	}
}

// flushOld writes rows that have become too old for their cache. Nobody waits
// for it, so its error goes to the hook and to the next who adds rows. Where
// flushing is on hold, nothing has failed: it is tried again.
func (p *pending) flushOld(k *cache) {
	if !p.any.Load() {
		return
	}
	_, err := p.flush(context.Background(), nil)
	if err == nil || !p.tryAgain(k, err) || k.OnError == nil {
		return
	}
	k.OnError(fail("flush", "", -1, err))
}

// tryAgain sets the timer of a cache anew after its flush has failed, and tells
// whether that is worth a report.
func (p *pending) tryAgain(k *cache, err error) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	inForce := false
	for other := range p.caches {
		inForce = inForce || other == k
	}
	if !inForce || p.closed {
		return false
	}
	p.armOne(k)
	if errors.Is(err, ErrHeld) {
		return false
	}
	p.failed = err
	return true
}

// caches yields the caches that are in force.
func (p *pending) caches(yield func(*cache) bool) {
	if p.whole != nil && !yield(p.whole) {
		return
	}
	for _, q := range p.columns {
		if q.own != nil && !yield(q.own) {
			return
		}
	}
}

// close writes what is pending and takes nothing more. If rows cannot be
// written, or are held back, the vault stays open.
func (p *pending) close() error {
	p.setClosed(true)
	if !p.any.Load() {
		return nil
	}
	_, err := p.flush(context.Background(), nil)
	if err != nil {
		p.setClosed(false)
	}
	return err
}

func (p *pending) setClosed(closed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = closed
	for k := range p.caches {
		if closed {
			k.stop()
		} else {
			p.armOne(k)
		}
	}
}
