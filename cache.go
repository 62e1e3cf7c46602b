package columnvault

import (
	"context"
	"errors"
	"fmt"
	"time"

	"columnvault/internal/column"
	"columnvault/internal/layout"
)

// CacheOptions bound a write-back cache. What can be lost when the process is
// killed is what the cache holds: usually less than FlushThreshold bytes and
// one call more, for no longer than FlushInterval. While a flush or a
// transaction is under way, the cache may fill up to CapBytes, and what it
// holds waits for the end of that and of a flush.
type CacheOptions struct {
	// CapBytes is what the cache holds at most, in bytes of stored form and 8
	// bytes for each element of varying size; 0 means 64 MiB. A call with more
	// is written at once, after what is held.
	CapBytes int
	// FlushThreshold is how much the cache holds before an append writes it
	// out; 0 means a quarter of CapBytes.
	FlushThreshold int
	// FlushInterval is how long an element is held at most; 0 means for as
	// long as nothing else makes the cache write.
	FlushInterval time.Duration
	// OnError is told of the error of a flush that FlushInterval has started;
	// it must not call the vault. The elements are kept, the flush is tried
	// again after another FlushInterval, and the next append fails with the
	// error, once.
	OnError func(error)
}

const defaultCap = 64 << 20

func (o *CacheOptions) check() (*cache, error) {
	k := &cache{}
	if o != nil {
		k.CacheOptions = *o
	}
	if k.CapBytes == 0 {
		k.CapBytes = defaultCap
	}
	if k.FlushThreshold == 0 {
		k.FlushThreshold = max(1, k.CapBytes/4)
	}
	if k.CapBytes < 0 || k.FlushThreshold < 0 || k.FlushInterval < 0 || k.FlushThreshold > k.CapBytes {
		return nil, fmt.Errorf("%w: cache of %d bytes that writes at %d, every %v", ErrInvalidArgument, k.CapBytes, k.FlushThreshold, k.FlushInterval)
	}
	return k, nil
}

// EnableCache makes Append hold its values in memory and write many of them in
// one transaction. Append then differs like this:
//
//  1. It returns when the values are in memory. They are lost if the process is
//     killed before they are written; [CacheOptions] bounds how many.
//  2. The values are written together with what all other caches of the vault
//     hold, in one transaction: when the cache is full, when FlushInterval has
//     passed, before anything else that the vault writes, on [Vault.Flush] and
//     on [Vault.Close].
//  3. They are part of the column at once for all readers of this [Vault]. Other
//     vaults and other processes see them when they are written.
//  4. An Append that returns an error has not taken its values. It may be the
//     error of an earlier flush, which FlushInterval had started.
//
// A cache that is enabled already is flushed and gets the new options. nil
// options mean the defaults.
func (c *Column[T]) EnableCache(ctx context.Context, o *CacheOptions) error {
	_, err := c.enableCache(ctx, o, false)
	return err
}

// DisableCache ends the cache of the column and flushes. If that fails, the
// elements are kept, and written by the next flush that succeeds.
func (c *Column[T]) DisableCache(ctx context.Context) error {
	err := c.checkCache()
	if err == nil {
		err = c.rows.p.disable(ctx, &c.rows.own)
	}
	return fail("disable cache", c.names.Plain, -1, err)
}

// Cached enables a cache, calls fn, and then brings back what was before and
// flushes, also if fn fails or panics. Calls may overlap; the cache that was
// enabled last counts.
func (c *Column[T]) Cached(ctx context.Context, o *CacheOptions, fn func() error) error {
	k, err := c.enableCache(ctx, o, true)
	if err != nil {
		return err
	}
	return c.rows.p.during(ctx, &c.rows.own, k, fn)
}

func (c *Column[T]) enableCache(ctx context.Context, o *CacheOptions, over bool) (k *cache, err error) {
	if err = c.checkCache(); err == nil {
		k, err = c.rows.p.enable(ctx, &c.rows.own, o, over)
	}
	return k, fail("enable cache", c.names.Plain, -1, err)
}

func (c *Column[T]) checkCache() error {
	if c.in.tx != nil {
		return fmt.Errorf("%w: a column of a transaction has no cache", ErrInvalidArgument)
	}
	return nil
}

// DiscardPending gives up what is held for the column and returns how many
// elements that were. It is for columns that have gone from under their cache: as long
// as something is held for them, nothing can be flushed.
func (c *Column[T]) DiscardPending() int { return c.rows.p.discard(c.rows) }

// EnableCache makes every column of the vault that has no cache of its own
// cached, also those that are opened later. It holds the pairs that are put
// into key-value tables, too. See [Column.EnableCache].
func (v *Vault) EnableCache(ctx context.Context, o *CacheOptions) error {
	_, err := v.pending.enable(ctx, &v.pending.whole, o, false)
	return fail("enable cache", "", -1, err)
}

// DisableCache ends the cache of the vault and flushes.
func (v *Vault) DisableCache(ctx context.Context) error {
	return fail("disable cache", "", -1, v.pending.disable(ctx, &v.pending.whole))
}

// Cached enables the cache of the vault, calls fn, and brings back what was
// before, which flushes also if fn fails or panics.
func (v *Vault) Cached(ctx context.Context, o *CacheOptions, fn func() error) error {
	k, err := v.pending.enable(ctx, &v.pending.whole, o, true)
	if err != nil {
		return fail("enable cache", "", -1, err)
	}
	return v.pending.during(ctx, &v.pending.whole, k, fn)
}

// Flush writes what all caches of the vault hold, in one transaction, and
// returns how many elements that were.
func (v *Vault) Flush(ctx context.Context) (int, error) {
	if err := v.checkNested(ctx); err != nil {
		return 0, fail("flush", "", -1, err)
	}
	n, err := v.pending.flushAny(ctx)
	return n, fail("flush", "", -1, err)
}

// PauseFlush keeps the caches from being flushed until release is called, so
// that a set of appends to several columns is not written in part. Meanwhile
// everything that would have to flush fails with [ErrFlushPaused], and appends
// to a full cache with [ErrCacheFull]. Pauses nest, and release may be called
// twice. [Vault.Batch] does the same for a single set, without keeping others
// waiting.
func (v *Vault) PauseFlush() (release func()) {
	p := v.pending
	p.mu.Lock()
	p.holds++
	p.mu.Unlock()
	released := false
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if !released {
			p.holds--
			released = true
		}
	}
}

// enable puts a new cache in place: over what is there, if that is to come back,
// else instead of it.
func (p *pending) enable(ctx context.Context, at **cache, o *CacheOptions, over bool) (*cache, error) {
	k, err := o.check()
	if err != nil {
		return nil, err
	}
	// Writers that began before this do not shut the gate, so it waits for
	// them; it also flushes.
	p.used.Store(true)
	if err := p.v.update(ctx, func(*Tx) error { return nil }); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if over {
		k.below = *at
	}
	p.enforce(at, k)
	return k, nil
}

// disable ends a cache and flushes.
func (p *pending) disable(ctx context.Context, at **cache) error {
	if err := p.v.checkNested(ctx); err != nil {
		return err
	}
	p.mu.Lock()
	p.enforce(at, nil)
	p.mu.Unlock()
	_, err := p.flushAny(ctx)
	return err
}

// during calls fn under a cache, ends that whatever happens, and flushes.
func (p *pending) during(ctx context.Context, at **cache, k *cache, fn func() error) (err error) {
	defer func() {
		p.mu.Lock()
		k.ended = true
		top := *at
		for top != nil && top.ended { // not k, if that of another Cached lies over it
			top = top.below
		}
		p.enforce(at, top)
		p.mu.Unlock()
		// What fn has appended was acknowledged, so it is written even if ctx
		// has ended.
		_, failed := p.flushAny(context.WithoutCancel(ctx))
		err = errors.Join(err, fail("flush", "", -1, failed))
	}()
	return fn()
}

// enforce puts a cache, or none, in the place of another.
func (p *pending) enforce(at **cache, k *cache) {
	if old := *at; old != nil {
		old.stop()
		delete(p.caches, old)
	}
	if *at = k; k != nil {
		p.caches[k] = true
	}
	p.recount()
	p.arm()
}

// recount adds up what the caches hold after one has changed.
func (p *pending) recount() {
	for k := range p.caches {
		k.bytes = 0
	}
	for _, q := range p.filled {
		if k := q.cache(); k != nil {
			k.bytes += size(q.rows)
		}
	}
	if p.whole == nil {
		return
	}
	for _, t := range p.tables {
		for _, layer := range t.layers {
			p.whole.bytes += layer.bytes
		}
	}
}

// appendCached holds values in the column's cache. It does not take them if
// there is none, or if they are more than it can hold.
func (c *Column[T]) appendCached(ctx context.Context, values []T) (taken bool, err error) {
	return c.rows.p.hold(ctx,
		func() (admission, error) { return c.hold(values) },
		func() error { return c.checkCached(ctx) })
}

// hold makes values pending if that may be.
func (c *Column[T]) hold(values []T) (admission, error) {
	q := c.rows
	p, k := q.p, q.cache()
	if k == nil {
		return uncached, nil
	}
	if q.dtype != c.dtype {
		return checkFirst, nil
	}
	if p.failed != nil {
		return checkFirst, p.report()
	}
	if raw := c.t.Bytes(values); raw != nil {
		next, err := p.admit(k, len(raw))
		if next == admitted {
			q.rows.Data = append(q.rows.Data, raw...)
			q.note(len(raw), len(values))
		}
		return next, err
	}
	var rows column.Elements
	var err error
	if rows.Data, rows.Ends, err = c.t.AppendAll(q.rows.Data, q.rows.Ends, values); err != nil {
		return uncached, callError(err)
	}
	if err := checkSizes(rows.Ends, len(q.rows.Data), len(q.rows.Ends)); err != nil {
		return uncached, err
	}
	need := size(rows) - size(q.rows)
	next, err := p.admit(k, need)
	if next == admitted {
		q.rows = rows
		q.note(need, len(values))
	}
	return next, err
}

// checkSizes refuses elements that no column can store. They end at ends from
// the first on, and begin at start.
func checkSizes(ends []int, start, first int) error {
	for k := first; k < len(ends); k++ {
		if n := ends[k] - start; n > layout.MaxElement {
			return fmt.Errorf("%w: value %d of the call has %d bytes, and the limit is %d", ErrTooLarge, k-first, n, layout.MaxElement)
		}
		start = ends[k]
	}
	return nil
}

// checkCached looks whether the file has the column as it should be. It is done
// for the first rows after a flush: what is acknowledged should have a place
// to go.
func (c *Column[T]) checkCached(ctx context.Context) error {
	if err := c.read(ctx, "append", func(*opened) error { return nil }); err != nil {
		return err
	}
	return c.rows.expect(c.dtype, c.t.Size())
}
