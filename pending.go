package columnvault

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"columnvault/internal/catalog"
	"columnvault/internal/column"
	"columnvault/internal/store"
)

// pending is what a vault has taken and not yet written: the rows of the
// write-back caches. They are part of their columns for everyone in this
// process, and only ever follow what is in the file.
//
// The order in which rows were acknowledged is the order on disk: whatever
// else writes to the vault first writes all pending rows, in its own
// transaction. A flush that fails leaves the rows where they are.
type pending struct {
	v *Vault
	// any says that there are pending rows, for a look without the lock.
	any atomic.Bool

	// turn holds a token: whoever has it may write the pending rows.
	turn chan struct{}
	// gate is closed by a flush from before its commit until its rows are no
	// longer pending, so that a reader that passes it sees them once.
	gate sync.RWMutex

	mu      sync.Mutex
	columns map[string]*pendingColumn
	tables  map[string]*pendingTable
	// rows counts elements and pairs.
	rows int
	// whole is the cache of the vault, nil if there is none.
	whole *cache
	holds int
	// writing says that a flush is under way, so nobody need start another.
	writing bool
	// failed is the error of a flush that nobody waited for, until somebody
	// is told.
	failed error
	// timer starts the flush of rows that get too old, unless the vault has
	// been closed.
	timer   *time.Timer
	stopped bool
}

// pendingColumn is the pending rows of one column.
type pendingColumn struct {
	p     *pending
	names catalog.Names
	// own is the cache of the column alone, nil if there is none.
	own *cache
	// rows are the pending ones, count of them, of the dtype. What is in the
	// slices does not change; rows are added behind and given up at the front.
	rows  column.Batch
	count int
	dtype string
	elem  int // bytes of an element, 0 if it varies
	// lent says that a reader has the memory of rows.
	lent bool
}

// cache bounds the pending rows of one column or of all.
type cache struct {
	CacheOptions
	bytes int
}

func newPending(v *Vault) *pending {
	p := &pending{v: v, turn: make(chan struct{}, 1), columns: map[string]*pendingColumn{}, tables: map[string]*pendingTable{}}
	p.turn <- struct{}{}
	return p
}

// column returns the pending rows of the column with that name, which may be
// none. It is the same for all handles.
func (p *pending) column(names catalog.Names) *pendingColumn {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := p.columns[names.Plain]
	if q == nil {
		q = &pendingColumn{p: p, names: names}
		p.columns[names.Plain] = q
	}
	return q
}

// cache is the one that the column's rows count for, nil if it is not cached.
func (q *pendingColumn) cache() *cache {
	if q.own != nil {
		return q.own
	}
	return q.p.whole
}

// size is the memory that rows take, in bytes.
func size(rows column.Batch) int { return len(rows.Data) + 8*len(rows.Ends) }

// expect notes the dtype of the rows to come, which has been found in the file.
func (q *pendingColumn) expect(dtype string, elem int) error {
	q.p.mu.Lock()
	defer q.p.mu.Unlock()
	if q.count > 0 && q.dtype != dtype {
		return fmt.Errorf("%w: elements of %s are held for the column, which now is of %s", ErrDType, q.dtype, dtype)
	}
	q.dtype, q.elem = dtype, elem
	return nil
}

// admission is what has to happen before rows can become pending.
type admission int

const (
	admitted   admission = iota
	uncached             // there is no cache, or the rows are more than it can hold
	checkFirst           // it is not known whether the column is as it should be
	flushFirst           // the cache is full
)

// admit tells whether n more bytes may become pending in a cache. Nobody waits
// for a flush that somebody else has begun, as long as there is room.
func (p *pending) admit(k *cache, n int) (admission, error) {
	switch {
	case k == nil || n > k.CapBytes:
		return uncached, nil
	case k.bytes+n <= k.CapBytes && (k.bytes < k.FlushThreshold || p.holds > 0 || p.writing):
		return admitted, nil
	case p.holds > 0:
		return flushFirst, fmt.Errorf("%w: %d of %d bytes are held, and HoldFlush keeps them from being written", ErrCacheFull, k.bytes, k.CapBytes)
	}
	return flushFirst, nil
}

// report gives the error of a flush that nobody waited for to one who adds
// rows.
func (p *pending) report() error {
	err := p.failed
	p.failed = nil
	if err != nil {
		err = fmt.Errorf("an earlier flush failed, and its elements are still held: %w", err)
	}
	return err
}

// hold makes rows pending by calling try, under the lock, until that says they
// are or cannot be, and does what it asks for in between. The result is false
// where rows have to be written at once.
func (p *pending) hold(ctx context.Context, try func() (admission, error), check func() error) (bool, error) {
	for {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		if err := p.v.checkNested(ctx); err != nil {
			return false, err
		}
		p.mu.Lock()
		next, err := try()
		p.mu.Unlock()
		if err != nil {
			return false, err
		}
		switch next {
		case admitted:
			return true, nil
		case uncached:
			return false, nil
		case checkFirst:
			err = check()
		case flushFirst:
			_, err = p.flush(ctx, nil)
		}
		if err != nil {
			return false, err
		}
	}
}

// note counts rows that were added.
func (q *pendingColumn) note(bytes, count int) {
	q.count += count
	q.p.note(q.cache(), bytes, count)
}

func (p *pending) note(k *cache, bytes, count int) {
	k.bytes += bytes
	if p.rows += count; p.rows == count && count > 0 {
		p.any.Store(true)
		if k.FlushInterval > 0 {
			p.arm(k)
		}
	}
}

// arm starts the timer for the rows that are the first to be pending.
func (p *pending) arm(k *cache) {
	if p.timer != nil {
		p.timer.Stop()
	}
	p.timer = time.AfterFunc(k.FlushInterval, func() { p.flushOld(k) })
}

// flushOld writes rows that have become too old. Nobody waits for it, so its
// error goes to the hook and to the next who adds rows.
func (p *pending) flushOld(k *cache) {
	_, err := p.flush(context.Background(), nil)
	if err == nil {
		return
	}
	p.mu.Lock()
	p.failed = err
	if p.rows > 0 && !p.stopped {
		p.arm(k)
	}
	p.mu.Unlock()
	if k.OnError != nil {
		k.OnError(fail("flush", "", -1, err))
	}
}

// part is the pending rows of a column as they were at one moment.
type part struct {
	q     *pendingColumn
	rows  column.Batch
	count int
	dtype string
	elem  int
}

// held is everything that was pending at one moment.
type held struct {
	parts []part
	kv    heldKV
}

// take returns everything that is pending. The caller has p.mu.
func (p *pending) take() (h held) {
	for _, q := range p.columns {
		if q.count > 0 {
			h.parts = append(h.parts, part{q: q, rows: q.rows, count: q.count, dtype: q.dtype, elem: q.elem})
		}
	}
	h.kv = p.lendKV()
	return h
}

// flush writes all pending rows and then does what fn does, if that is not
// nil, in one transaction. It returns how many rows it wrote.
func (p *pending) flush(ctx context.Context, fn func(*Tx) error) (rows int, err error) {
	if err := p.takeTurn(ctx); err != nil {
		return 0, err
	}
	defer func() { p.turn <- struct{}{} }()
	h, rows, err := p.begin()
	if err != nil || rows == 0 && fn == nil {
		return 0, err
	}
	closed := false // the gate
	done := false
	defer func() {
		p.end(h, done)
		if closed {
			p.gate.Unlock()
		}
	}()
	err = p.v.store.Update(ctx, func(w store.Tx) error {
		tx := newTx(p.v, w, w)
		defer tx.end()
		if err := h.write(ctx, tx); err != nil {
			return err
		}
		if fn != nil {
			if err := fn(tx); err != nil {
				return err
			}
		}
		if !closed {
			p.gate.Lock()
			closed = true
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	done = true
	return rows, nil
}

// takeTurn waits until no other flush is under way.
func (p *pending) takeTurn(ctx context.Context) error {
	select {
	case <-p.turn:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// begin takes what is to be flushed, and counts it.
func (p *pending) begin() (h held, rows int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.holds > 0 && p.rows > 0 {
		return held{}, 0, ErrHeld
	}
	p.writing = p.rows > 0
	return p.take(), p.rows, nil
}

// end gives up what has been written.
func (p *pending) end(h held, written bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writing = false
	if !written {
		return
	}
	for _, part := range h.parts {
		part.q.drop(part)
	}
	p.dropKV(h.kv)
}

// write writes everything to its columns and tables.
func (h held) write(ctx context.Context, tx *Tx) error {
	for _, part := range h.parts {
		if err := part.write(ctx, tx); err != nil {
			return err
		}
	}
	return h.kv.write(ctx, tx)
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

// snapshot opens a snapshot of the file and of what was pending at the same
// moment.
func (p *pending) snapshot(ctx context.Context) (store.Snapshot, held, error) {
	if !p.any.Load() {
		snap, err := p.v.store.Snapshot(ctx)
		return snap, held{}, err
	}
	p.gate.RLock()
	defer p.gate.RUnlock()
	snap, err := p.v.store.Snapshot(ctx)
	if err != nil {
		return nil, held{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.take()
	for _, part := range h.parts {
		part.q.lent = true
	}
	return snap, h, nil
}

// heldFor is how many elements are held for a column.
func (tx *Tx) heldFor(name string) int {
	for _, part := range tx.held.parts {
		if part.q.names.Plain == name {
			return part.count
		}
	}
	return 0
}

// over is the column with its pending rows behind it, if there are any.
func (o *opened) over(parts []part) error {
	for _, part := range parts {
		if part.q.names.Plain != o.name {
			continue
		}
		if err := o.checkType(part.dtype, part.elem); err != nil {
			return fmt.Errorf("%w; %d elements of %s are held for it", err, part.count, part.dtype)
		}
		o.Column = column.WithTail(o.Column, part.rows)
	}
	return nil
}

// close flushes and stops the timer. If rows cannot be written, or are held
// back, the vault stays open.
func (p *pending) close() error {
	if p.any.Load() {
		if _, err := p.flush(context.Background(), nil); err != nil {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	if p.timer != nil {
		p.timer.Stop()
	}
	return nil
}
