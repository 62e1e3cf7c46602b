package columnvault

import (
	"context"
	"fmt"
	"slices"
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
	// used says that there is or was a cache. Without one, nothing is pending,
	// and readers and writers go their shorter ways.
	used atomic.Bool
	// any says that there are pending rows, for a look without the lock.
	any atomic.Bool
	// turn belongs to whoever writes the pending rows, from the moment it
	// takes them until they are no longer pending.
	turn sync.Mutex
	// gate is shut by whoever writes, from before the commit until the rows
	// that it wrote are no longer pending: a reader that passes it sees them
	// once.
	gate sync.RWMutex

	mu sync.Mutex
	// columns are those that have been opened, by name; filled are those that
	// have pending rows, and some that had.
	columns map[string]*pendingColumn
	filled  []*pendingColumn
	tables  map[string]*pendingTable
	// rows counts elements and pairs.
	rows int
	// whole is the cache of the vault, nil if there is none.
	whole *cache
	// caches holds the caches that are in force: whole, and those of columns.
	caches map[*cache]bool
	holds  int
	// writers counts those who write the pending rows or wait for that, so
	// that nobody else need start.
	writers int
	// failed is the error of a flush that nobody waited for, until somebody
	// is told or the rows are written after all.
	failed error
	// closed says that nothing more becomes pending.
	closed bool
}

// pendingColumn is the pending rows of one column.
type pendingColumn struct {
	p     *pending
	names catalog.Names
	// own is the cache of the column alone, nil if there is none.
	own *cache
	// rows are the pending ones, count of them, of the dtype. What is in the
	// slices does not change; rows are added behind and given up at the front.
	rows  column.Elements
	count int
	dtype string
	elem  int // bytes of an element, 0 if it varies
	// listed says that it is in pending.filled.
	listed bool
	// lent says that a reader or writer has the memory of rows.
	lent bool
	// discards counts how often rows were given up unwritten.
	discards int
}

// cache bounds the pending rows of one column or of all.
type cache struct {
	CacheOptions
	bytes int
	// below is the cache that Cached has put this one over, ended that the
	// function of Cached has.
	below *cache
	ended bool
	// timer starts a flush when the first of the rows gets too old.
	timer *time.Timer
}

func newPending(v *Vault) *pending {
	return &pending{v: v, columns: map[string]*pendingColumn{}, tables: map[string]*pendingTable{}, caches: map[*cache]bool{}}
}

// column returns the pending rows of the column with that name, which may be
// none. It is the same for all handles.
func (p *pending) column(names catalog.Names) *pendingColumn {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.columnOf(names)
}

func (p *pending) columnOf(names catalog.Names) *pendingColumn {
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
func size(rows column.Elements) int { return len(rows.Data) + 8*len(rows.Ends) }

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
	case k.bytes+n <= k.CapBytes && (k.bytes < k.FlushThreshold || p.holds > 0 || p.writers > 0):
		return admitted, nil
	case p.holds > 0:
		return flushFirst, fmt.Errorf("%w: %d of %d bytes are held, and PauseFlush keeps them from being written", ErrCacheFull, k.bytes, k.CapBytes)
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
		next, err := p.try(try)
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

func (p *pending) try(try func() (admission, error)) (admission, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return uncached, ErrClosed
	}
	return try()
}

// note counts rows that were added.
func (q *pendingColumn) note(bytes, count int) {
	q.count += count
	q.p.fill(q)
	q.p.note(q.cache(), bytes, count)
}

// fill lists a column that has pending rows.
func (p *pending) fill(q *pendingColumn) {
	if !q.listed {
		q.listed = true
		p.filled = append(p.filled, q)
	}
}

func (p *pending) note(k *cache, bytes, count int) {
	if p.rows == 0 && count > 0 {
		p.any.Store(true)
	}
	p.rows += count
	first := k.bytes == 0
	if k.bytes += bytes; first {
		p.armOne(k)
	}
}

// part is the pending rows of a column as they were at one moment.
type part struct {
	q     *pendingColumn
	rows  column.Elements
	count int
	dtype string
	elem  int
	// discards is that of the column when the part was taken.
	discards int
}

// held is everything that was pending at one moment.
type held struct {
	parts []part
	kv    heldKV
}

// take returns everything that is pending. The caller has p.mu.
func (p *pending) take() (h held) {
	p.filled = slices.DeleteFunc(p.filled, func(q *pendingColumn) bool {
		q.listed = q.count > 0
		return !q.listed
	})
	for _, q := range p.filled {
		h.parts = append(h.parts, part{q: q, rows: q.rows, count: q.count, dtype: q.dtype, elem: q.elem, discards: q.discards})
	}
	h.kv = p.lendKV()
	return h
}

// snapshot opens a snapshot of the file and of what was pending at the same
// moment.
func (p *pending) snapshot(ctx context.Context) (store.Snapshot, held, error) {
	if !p.used.Load() {
		snap, err := p.v.store.Snapshot(ctx)
		if err != nil || !p.used.Load() {
			return snap, held{}, err
		}
		snap.Close() // there may have been commits and appends since
	}
	p.gate.RLock()
	defer p.gate.RUnlock()
	snap, err := p.v.store.Snapshot(ctx)
	if err != nil || !p.any.Load() {
		return snap, held{}, err
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
