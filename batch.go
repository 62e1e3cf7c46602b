package columnvault

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"unsafe"

	"columnvault/internal/catalog"
	"columnvault/internal/column"
	"columnvault/internal/excerpt"
	"columnvault/internal/kvcodec"
	"columnvault/internal/store"
	"columnvault/internal/writeback"
)

// Batch collects appends to several columns, and pairs for key-value tables,
// that belong together, such as the fields of a record. It is used by one
// goroutine, inside the function that [Vault.Batch] calls.
type Batch struct {
	v *Vault
	*collection
	ended bool
	// checks are made in the transaction that finds the columns or writes to
	// them.
	checks []batchCheck
}

// batchCheck is made once for all that has the same key.
type batchCheck struct {
	key any
	run func(ctx context.Context, tx *Tx) error
}

func newBatch(v *Vault) *Batch { return &Batch{v: v, collection: collections.Get().(*collection)} }

// checkFirst adds a check.
func (b *Batch) checkFirst(c batchCheck) {
	if !slices.ContainsFunc(b.checks, func(other batchCheck) bool { return other.key == c.key }) {
		b.checks = append(b.checks, c)
	}
}

// runChecks makes the checks in a transaction.
func (b *Batch) runChecks(ctx context.Context, tx *Tx) error {
	for _, c := range b.checks {
		if err := c.run(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

// collection is the memory of a batch.
type collection struct{ writeback.Batch }

// Batch calls fn to collect appends and puts, and then takes all of them or, if
// fn returns an error, none. It differs from [Vault.Update] like this:
//
//  1. fn collects, with [Column.AppendTo] and [KV.PutTo], and does nothing else.
//     It keeps no other writer waiting, and it is run once.
//  2. If all its columns are cached, and the vault too if there are pairs, the
//     caches hold what it has collected. Batch then returns before anything is
//     in the file; see [Column.EnableCache]. Otherwise it is written at once, in
//     one transaction, which others that come at the same moment may share.
//  3. No flush writes a part of it. Columns that are filled through batches
//     alone have equal lengths on disk, whatever happens.
func (v *Vault) Batch(ctx context.Context, fn func(b *Batch) error) error {
	if err := v.checkNested(ctx); err != nil {
		return fail("batch", "", -1, err)
	}
	b := newBatch(v)
	defer b.end()
	if err := fn(b); err != nil {
		return err
	}
	return fail("batch", "", -1, b.commit(ctx))
}

// collections keeps the memory of ended batches, which are small and many.
var collections = sync.Pool{New: func() any { return new(collection) }}

// maxCollection is the size in bytes from which on memory is not kept.
const maxCollection = 256 << 10

// pairSize is the size in bytes of a pair in a batch, without what it points
// to.
const pairSize = int(unsafe.Sizeof(writeback.BatchPair{}))

// end gives the memory back. What is left of the batch refuses everything.
func (b *Batch) end() {
	if b.kept() {
		b.Parts = b.Parts[:0]
		clear(b.Pairs)
		b.Pairs = b.Pairs[:0]
		collections.Put(b.collection)
	}
	b.collection, b.ended = nil, true
}

// kept tells whether the memory is little enough to be kept.
func (c *collection) kept() bool {
	total := pairSize * cap(c.Pairs)
	for _, part := range c.Parts {
		total += cap(part.Data) + 8*cap(part.Ends)
	}
	return total <= maxCollection
}

// AppendTo adds values to what the batch will append to the column. An error
// means that these values were not added.
func (c *Column[T]) AppendTo(b *Batch, values ...T) error {
	part, err := c.h.part(b)
	if err == nil {
		data, ends, failed := c.t.AppendAll(part.Data, part.Ends, values)
		err = add(part, data, ends, failed, len(values))
	}
	return c.h.fail("append", err)
}

// part is what the batch has for the column.
func (c *handle) part(b *Batch) (*writeback.BatchPart, error) {
	if err := b.check(c.in.v, c.in.tx); err != nil {
		return nil, err
	}
	part := b.part(c.held, c.names.Plain, c.dtype, c.form.Size())
	if part.DType != c.dtype {
		return nil, fmt.Errorf("%w: the batch has elements of %s for the column", ErrDType, excerpt.Line(part.DType, excerpt.Name))
	}
	return part, nil
}

// add adds to a part what AppendAll has given for so many values.
func add(part *writeback.BatchPart, data []byte, ends []int, err error, count int) error {
	grown := part.Elements
	if err := took(&grown, data, ends, err, 0); err != nil {
		return err
	}
	part.Elements = grown
	part.Count += count
	return nil
}

// PutTo adds a pair to what the batch will store. Key and value must not change
// until the batch has ended.
func (kv *KV) PutTo(b *Batch, key, value []byte) error {
	return kv.fail("put", key, kv.putTo(b, key, value))
}

func (kv *KV) putTo(b *Batch, key, value []byte) error {
	if err := b.check(kv.home, kv.in.tx); err != nil {
		return err
	}
	if err := store.CheckTable(kv.table); err != nil {
		return err // here rather than for the whole batch
	}
	stored := kvcodec.EncodeRaw(value)
	if err := kv.checkSize(key, int64(len(stored))); err != nil {
		return err
	}
	b.Pairs = append(b.Pairs, writeback.BatchPair{Table: kv.table, Pair: store.Pair{Key: key, Value: stored}})
	return nil
}

// check refuses what cannot be a part of the batch.
func (b *Batch) check(v *Vault, tx *Tx) error {
	switch {
	case b.ended:
		return fmt.Errorf("%w: the batch has ended", ErrClosed)
	case b.v != v:
		return fmt.Errorf("%w: the batch belongs to another vault", ErrInvalidArgument)
	case tx != nil:
		return fmt.Errorf("%w: what belongs to a transaction takes no part in a batch", ErrInvalidArgument)
	}
	return nil
}

// part is what the batch has for a column.
func (b *Batch) part(c *writeback.Column, name, dtype string, elem int) *writeback.BatchPart {
	for i := range b.Parts {
		if b.Parts[i].Column == c {
			return &b.Parts[i]
		}
	}
	n := len(b.Parts)
	b.Parts = slices.Grow(b.Parts, 1)[:n+1]
	added := &b.Parts[n]
	// The memory may be that of an ended batch.
	memory := column.Elements{Data: added.Data[:0], Ends: added.Ends[:0]}
	*added = writeback.BatchPart{Column: c}
	added.Name, added.DType, added.ElemSize, added.Elements = name, dtype, elem, memory
	return added
}

// commit holds what has been collected, or writes it where there is no cache
// that could hold it.
func (b *Batch) commit(ctx context.Context) error {
	for {
		verdict, err := b.v.pending.Add(&b.Batch)
		switch {
		case err != nil || verdict == writeback.Held:
			return err
		case verdict == writeback.Refused:
			return b.v.append(&request{ctx: ctx, appends: b})
		}
		if err := b.v.prepare(ctx, verdict, b.look); err != nil {
			return err
		}
	}
}

// look finds the columns and tables in the file, and tells the buffer of them.
func (b *Batch) look(ctx context.Context) error {
	generation := b.v.pending.Generation()
	return b.v.view(ctx, func(tx *Tx) error {
		err := b.runChecks(ctx, tx)
		tx.reading.Done() // where things are is asked, and not what is held
		if err != nil {
			return err
		}
		for _, p := range b.Pairs {
			if err := tx.admitTable(ctx, p.Table); err != nil {
				return keyError("put", p.Table, p.Key, err)
			}
		}
		for i := range b.Parts {
			p := &b.Parts[i]
			o, err := b.openPart(ctx, tx, p)
			if err == nil {
				p.ID = o.id
				err = o.bind(p.Column, p.DType, p.ElemSize, generation)
			}
			if err != nil {
				return fail("append", p.Name, -1, err)
			}
		}
		return nil
	})
}

// open makes the checks and finds the columns, in the transaction that add
// writes them in.
func (b *Batch) open(ctx context.Context, tx *Tx) error {
	if err := b.runChecks(ctx, tx); err != nil {
		return err
	}
	for i := range b.Parts {
		if _, err := b.openPart(ctx, tx, &b.Parts[i]); err != nil {
			return err
		}
	}
	for _, p := range b.Pairs {
		if err := tx.flush.BlockedTable(p.Table); err != nil {
			return keyError("put", p.Table, p.Key, err)
		}
	}
	return nil
}

func (b *Batch) openPart(ctx context.Context, tx *Tx, p *writeback.BatchPart) (*opened, error) {
	o, err := tx.known(p.Name), error(nil)
	if o == nil {
		names := catalog.NamesOf(p.Name)
		o, err = tx.open(ctx, &names)
	}
	if err == nil {
		err = o.checkType(p.DType, p.ElemSize)
	}
	return o, fail("append", p.Name, -1, err)
}

// add appends the elements to their columns and stores the pairs.
func (b *Batch) add(ctx context.Context, tx *Tx) error {
	var memory [onStack]*opened
	os := memory[:0]
	for i := range b.Parts {
		o, err := b.openPart(ctx, tx, &b.Parts[i])
		if err != nil {
			return err
		}
		os = append(os, o)
	}
	if i, err := tx.appendAll(ctx, os, func(i int) column.Elements { return b.Parts[i].Elements }); err != nil {
		return fail("append", b.Parts[i].Name, -1, err)
	}
	for _, p := range b.Pairs {
		if err := tx.putPair(ctx, p.Table, p.Key, p.Value); err != nil {
			return keyError("put", p.Table, p.Key, err)
		}
	}
	return nil
}
