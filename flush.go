package columnvault

import (
	"context"
	"errors"
	"fmt"
	"time"

	"columnvault/internal/catalog"
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
		w.OnCommit(func() {
			p.giveUp(f.held, tx.renames)
			f.end()
		})
		return nil
	})
	if err != nil {
		return 0, err
	}
	return rows, nil
}

// flushAny writes what is pending, if there is anything.
func (p *pending) flushAny(ctx context.Context) (rows int, err error) {
	if !p.any.Load() {
		return 0, nil
	}
	return p.flush(ctx, nil)
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
		return ErrFlushPaused
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

// end lets others go on.
func (f *flushing) end() {
	if f.gate {
		f.gate = false
		f.p.gate.Unlock()
	}
	if f.turn {
		f.turn = false
		f.p.turn.Unlock()
	}
}

// write writes everything to its columns and tables, and counts it.
func (h held) write(ctx context.Context, tx *Tx) (rows int, err error) {
	for _, part := range h.parts {
		err := part.write(ctx, tx)
		if errors.Is(err, ErrNotFound) || errors.Is(err, ErrDType) {
			err = fmt.Errorf("%w; %d rows wait for the column, and DiscardPending gives them up", err, part.count)
		}
		if err != nil {
			return rows, fail("flush", part.q.names.Plain, -1, err)
		}
		rows += part.count
	}
	pairs, err := h.kv.write(ctx, tx)
	return rows + pairs, err
}

// write appends the rows to their column.
func (part part) write(ctx context.Context, tx *Tx) error {
	o, err := tx.openAs(ctx, &part.q.names, part.dtype, part.elem)
	if err != nil {
		return err
	}
	return o.append(ctx, part.rows)
}

// giveUp gives up rows that have been written, and those of columns that have
// been dropped; those of renamed columns get the new name.
func (p *pending) giveUp(h held, renames []rename) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failed = nil
	for _, part := range h.parts {
		if part.discards == part.q.discards {
			part.q.drop(part)
		}
	}
	p.dropKV(h.kv)
	for _, r := range renames {
		p.rename(r)
	}
	p.arm()
}

// rename follows a column that has been renamed or dropped, for rows that have
// come since the transaction took those before them.
func (p *pending) rename(r rename) {
	q := p.columns[r.from]
	if q == nil {
		return
	}
	rows, count, dtype, elem, own := q.rows, q.count, q.dtype, q.elem, q.own
	q.discard()
	p.enforce(&q.own, nil)
	if r.to == "" {
		return
	}
	to := p.columnOf(catalog.NamesOf(r.to))
	if count > 0 {
		to.dtype, to.elem, to.rows = dtype, elem, rows
		to.count = count
		p.rows += count
		p.any.Store(true)
		p.fill(to)
	}
	p.enforce(&to.own, own)
}

// drop gives up the first rows. The memory is used again, unless a reader has
// it.
func (q *pendingColumn) drop(part part) {
	rest := column.Elements{Data: q.rows.Data[len(part.rows.Data):], Ends: q.rows.Ends[len(part.rows.Ends):]}
	into := column.Elements{Data: q.rows.Data[:0], Ends: q.rows.Ends[:0]}
	if q.lent {
		into, q.lent = column.Elements{}, false
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
	return q.discard()
}

func (q *pendingColumn) discard() int {
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
	if k.timer != nil {
		k.timer.Stop()
	}
}

// flushOld writes rows that have become too old for their cache. Nobody waits
// for it, so its error goes to the hook and to the next who adds rows. Where
// flushing is on hold, nothing has failed: it is tried again.
func (p *pending) flushOld(k *cache) {
	_, err := p.flushAny(context.Background())
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
	if !p.caches[k] || p.closed {
		return false
	}
	p.armOne(k)
	if errors.Is(err, ErrFlushPaused) {
		return false
	}
	p.failed = err
	return true
}

// close writes what is pending and takes nothing more. If rows cannot be
// written, or are held back, the vault stays open.
func (p *pending) close() error {
	p.setClosed(true)
	_, err := p.flushAny(context.Background())
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
