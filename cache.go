package columnvault

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"columnvault/internal/column"
	"columnvault/internal/writeback"
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
	// out; 0 means a quarter of CapBytes. More than CapBytes means CapBytes.
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

// bounds are the options with their defaults.
func (o *CacheOptions) bounds() (writeback.Bounds, error) {
	if o == nil {
		o = &CacheOptions{}
	}
	b := writeback.Bounds{Cap: cmp.Or(o.CapBytes, defaultCap), Threshold: o.FlushThreshold, Interval: o.FlushInterval, OnError: o.OnError}
	if b.Cap < 0 || b.Threshold < 0 || b.Interval < 0 {
		return b, fmt.Errorf("%w: a negative size or time in the options of a cache", ErrInvalidArgument)
	}
	if b.Threshold == 0 {
		b.Threshold = max(1, b.Cap/4)
	}
	b.Threshold = min(b.Threshold, b.Cap)
	if o.OnError != nil {
		b.OnError = func(err error) { o.OnError(fail("flush", "", -1, err)) }
	}
	return b, nil
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
// options mean the defaults. A rename takes the cache along.
func (c *untyped) EnableCache(ctx context.Context, o *CacheOptions) error {
	err := c.h.enable(ctx, o, func(b writeback.Bounds) { c.h.held.Enable(b) })
	return c.h.fail("enable cache", err)
}

// DisableCache ends the cache of the column and flushes. If that fails, the
// elements are kept, and written by the next flush that succeeds.
func (c *untyped) DisableCache(ctx context.Context) error {
	err := c.h.checkCache(ctx)
	if err == nil {
		c.h.held.Disable()
		_, err = c.h.in.v.flushAny(ctx)
	}
	return c.h.fail("disable cache", err)
}

// Cached enables a cache, calls fn, and then brings back what was before and
// flushes, also if fn fails or panics. Calls may overlap; the cache that was
// enabled last counts.
func (c *untyped) Cached(ctx context.Context, o *CacheOptions, fn func() error) error {
	var k *writeback.Cache
	err := c.h.enable(ctx, o, func(b writeback.Bounds) { k = c.h.held.Cover(b) })
	if err != nil {
		return c.h.fail("enable cache", err)
	}
	return c.h.in.v.cached(ctx, k, fn)
}

func (c *handle) enable(ctx context.Context, o *CacheOptions, put func(writeback.Bounds)) error {
	if err := c.checkCache(ctx); err != nil {
		return err
	}
	return c.in.v.enable(ctx, o, put)
}

func (c *handle) checkCache(ctx context.Context) error {
	if c.in.tx != nil {
		return fmt.Errorf("%w: a column of a transaction has no cache", ErrInvalidArgument)
	}
	return c.in.v.checkNested(ctx)
}

// DiscardPending gives up what is held for the column and returns how many
// elements that were. It is for elements that can no longer be written, because
// another program has dropped their column for example; see
// [Vault.DiscardPending].
func (c *untyped) DiscardPending() int { return c.h.held.Discard() }

// EnableCache makes every column of the vault that has no cache of its own
// cached, also those that are opened later. It holds the pairs that are put
// into key-value tables, too. See [Column.EnableCache].
func (v *Vault) EnableCache(ctx context.Context, o *CacheOptions) error {
	return v.fail("enable cache", v.enable(ctx, o, v.pending.Enable))
}

// DisableCache ends the cache of the vault and flushes.
func (v *Vault) DisableCache(ctx context.Context) error {
	err := v.checkNested(ctx)
	if err == nil {
		v.pending.Disable()
		_, err = v.flushAny(ctx)
	}
	return v.fail("disable cache", err)
}

// Cached enables the cache of the vault, calls fn, and then brings back what
// was before and flushes, also if fn fails or panics.
func (v *Vault) Cached(ctx context.Context, o *CacheOptions, fn func() error) error {
	var k *writeback.Cache
	err := v.enable(ctx, o, func(b writeback.Bounds) { k = v.pending.Cover(b) })
	if err != nil {
		return v.fail("enable cache", err)
	}
	return v.cached(ctx, k, fn)
}

// enable flushes and puts a cache in force.
func (v *Vault) enable(ctx context.Context, o *CacheOptions, put func(writeback.Bounds)) error {
	b, err := o.bounds()
	if err == nil {
		// It flushes, and it tells now what would otherwise come out with the
		// first flush: that the vault is closed or cannot be written.
		err = v.update(ctx, func(*Tx) error { return nil })
	}
	if err == nil {
		put(b)
	}
	return err
}

// cached calls fn under a cache, ends that whatever happens, and flushes.
func (v *Vault) cached(ctx context.Context, k *writeback.Cache, fn func() error) (err error) {
	defer func() {
		v.pending.Uncover(k)
		// What fn has appended was acknowledged, so it is written even if ctx
		// has ended.
		_, failed := v.flushAny(context.WithoutCancel(ctx))
		err = errors.Join(err, v.fail("flush", failed))
	}()
	return fn()
}

// Flush writes what all caches of the vault hold, in one transaction, and
// returns how many elements and pairs that were.
//
// What cannot be written for a reason of its own, because another program has
// dropped its column for example, does not keep the rest from being written. It
// stays held, the error names it, and [Vault.DiscardPending] gives it up.
func (v *Vault) Flush(ctx context.Context) (int, error) {
	n, err := 0, v.checkNested(ctx)
	if err == nil {
		n, err = v.flushAny(ctx)
	}
	return n, v.fail("flush", err)
}

// DiscardPending gives up what is held for the columns and key-value tables
// with these names, or everything that is held if there are none. It returns
// how many elements and pairs that were.
func (v *Vault) DiscardPending(names ...string) int { return v.pending.Discard(names...) }

// PauseFlush keeps the caches from being flushed until resume is called, so
// that a set of appends to several columns is not written in part. Meanwhile
// everything else goes on, but whatever needs a column or table that something
// is held for inside a transaction that writes fails with [ErrFlushPaused], and
// so do Flush and Close; appends to a full cache fail with [ErrCacheFull].
// Pauses nest, and resume may be called twice. [Vault.Batch] does the same for
// a single set, without keeping others waiting.
func (v *Vault) PauseFlush() (resume func()) { return v.pending.Pause() }

// prepare does what has to be done before something can be held.
func (v *Vault) prepare(ctx context.Context, verdict writeback.Verdict, look func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if verdict == writeback.CheckFirst {
		return look(ctx)
	}
	return v.pending.MakeRoom(ctx)
}

// appendCached holds encoded values in the column's cache. It does not take
// them if there is none, or if they are more than it can hold.
func (c *handle) appendCached(ctx context.Context, e column.Elements, count int) (taken bool, err error) {
	if err := c.in.v.checkCall(ctx); err != nil {
		return false, err
	}
	for {
		verdict, err := c.held.Append(c.dtype, e, count)
		if err != nil || verdict == writeback.Held || verdict == writeback.Refused {
			return verdict == writeback.Held, err
		}
		if err := c.in.v.prepare(ctx, verdict, c.look); err != nil {
			return false, err
		}
	}
}

// checkCall reports that ctx has ended or belongs to a transaction.
func (v *Vault) checkCall(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return v.checkNested(ctx)
}

// bind tells the buffer where elements go that it will hold.
func (o *opened) bind(c *writeback.Column, dtype string, size int, generation uint64) error {
	if o.refused != nil {
		return o.refused
	}
	return c.Bind(writeback.Target{ID: o.id, DType: dtype, ElemSize: size, Home: o.home}, generation)
}

// look finds the column in the file, and tells the buffer of it. It is done for
// the first elements after a flush: what is acknowledged should have a place to
// go.
func (c *handle) look(ctx context.Context) error {
	generation := c.in.v.pending.Generation()
	return c.read(ctx, "append", func(o *opened) error {
		return o.bind(c.held, c.dtype, c.form.Size(), generation)
	})
}
