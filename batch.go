package columnvault

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"columnvault/internal/column"
	"columnvault/internal/kvcodec"
)

// Batch collects appends to several columns, and pairs for key-value tables,
// that belong together, such as the fields of a record. It is used by one
// goroutine, inside the function that Vault.Batch calls.
type Batch struct {
	v *Vault
	*collection
	ended bool
}

// collection is the memory of a batch.
type collection struct {
	parts []part
	pairs []tablePair
}

// tablePair is a pair as it is to be stored in a table.
type tablePair struct {
	table string
	Pair
}

// Batch calls fn to collect appends and puts, and then takes all of them or, if
// fn returns an error, none. If all the columns are cached, the elements are
// held together and no flush writes a part of them: columns that are filled
// through batches alone have equal lengths on disk whatever happens. Pairs are
// held with them if the vault has a cache. Otherwise all is written at once, in
// one transaction.
func (v *Vault) Batch(ctx context.Context, fn func(b *Batch) error) error {
	if err := v.checkNested(ctx); err != nil {
		return fail("batch", "", -1, err)
	}
	b := &Batch{v: v, collection: collections.Get().(*collection)}
	defer b.end()
	if err := fn(b); err != nil {
		return err
	}
	return fail("batch", "", -1, b.commit(ctx))
}

// collections keeps the memory of ended batches, which are small and many.
var collections = sync.Pool{New: func() any { return new(collection) }}

// maxCollection is the size in bytes from which on memory is not kept.
const maxCollection = 64 << 10

// end gives the memory back. What is left of the batch refuses everything.
func (b *Batch) end() {
	total := 0
	for _, part := range b.parts {
		total += cap(part.rows.Data) + 8*cap(part.rows.Ends)
	}
	if total <= maxCollection {
		b.parts = b.parts[:0]
		clear(b.pairs)
		b.pairs = b.pairs[:0]
		collections.Put(b.collection)
	}
	b.collection, b.ended = nil, true
}

// AppendTo adds values to what the batch will append to the column. An error
// means that these values were not added.
func (c *Column[T]) AppendTo(b *Batch, values ...T) error {
	return fail("append", c.names.Plain, -1, c.appendTo(b, values))
}

func (c *Column[T]) appendTo(b *Batch, values []T) error {
	if err := b.check(c.in.v, c.in.tx); err != nil {
		return err
	}
	part := b.part(c.rows, c.dtype, c.t.Size())
	if part.dtype != c.dtype {
		return fmt.Errorf("%w: the batch has elements of %s for the column", ErrDType, part.dtype)
	}
	data, ends, err := c.t.AppendAll(part.rows.Data, part.rows.Ends, values)
	if err != nil {
		return callError(err)
	}
	if err := checkSizes(ends, len(part.rows.Data), len(part.rows.Ends)); err != nil {
		return err
	}
	part.rows = column.Elements{Data: data, Ends: ends}
	part.count += len(values)
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
	if err := kv.checkName(); err != nil {
		return err
	}
	stored := kvcodec.EncodeRaw(value)
	if err := kv.checkSize(key, int64(len(stored))); err != nil {
		return err
	}
	b.pairs = append(b.pairs, tablePair{kv.table, Pair{Key: key, Value: stored}})
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
func (b *Batch) part(q *pendingColumn, dtype string, elem int) *part {
	for i := range b.parts {
		if b.parts[i].q == q {
			return &b.parts[i]
		}
	}
	n := len(b.parts)
	b.parts = slices.Grow(b.parts, 1)[:n+1]
	added := &b.parts[n]
	// The memory may be that of an ended batch.
	*added = part{q: q, dtype: dtype, elem: elem, rows: column.Elements{Data: added.rows.Data[:0], Ends: added.rows.Ends[:0]}}
	return added
}

// commit makes the collected rows pending, or writes them where there is no
// cache that could hold them.
func (b *Batch) commit(ctx context.Context) error {
	taken, err := b.v.pending.hold(ctx, b.hold, func() error {
		return b.v.view(ctx, func(tx *Tx) error { return b.find(ctx, tx) })
	})
	if taken || err != nil {
		return err
	}
	return b.v.update(ctx, func(tx *Tx) error { return b.write(ctx, tx) })
}

// hold makes the rows pending if all of them may be.
func (b *Batch) hold() (admission, error) {
	p := b.v.pending
	if err := p.report(); err != nil {
		return uncached, err
	}
	if len(b.pairs) > 0 && p.whole == nil {
		return uncached, nil
	}
	for _, t := range b.pairs {
		if !p.table(t.table).checked {
			return checkFirst, nil
		}
	}
	for _, part := range b.parts {
		switch {
		case part.q.cache() == nil:
			return uncached, nil
		case part.q.dtype != part.dtype:
			return checkFirst, nil
		}
	}
	if len(b.pairs) > 0 {
		if next, err := p.admit(p.whole, b.uses(p.whole)); next != admitted {
			return next, err
		}
	}
	for i, part := range b.parts {
		k := part.q.cache()
		if i > 0 && k == b.parts[i-1].q.cache() {
			continue // admitted before
		}
		if next, err := p.admit(k, b.uses(k)); next != admitted {
			return next, err
		}
	}
	for _, part := range b.parts {
		q := part.q
		start := len(q.rows.Data)
		q.rows.Data = append(q.rows.Data, part.rows.Data...)
		for _, end := range part.rows.Ends {
			q.rows.Ends = append(q.rows.Ends, start+end)
		}
		q.note(size(part.rows), part.count)
	}
	for _, t := range b.pairs {
		p.putPair(t.table, t.Pair)
	}
	return admitted, nil
}

// uses is how many bytes the batch brings to the cache.
func (b *Batch) uses(k *cache) (bytes int) {
	for _, part := range b.parts {
		if part.q.cache() == k {
			bytes += size(part.rows)
		}
	}
	if k == b.v.pending.whole {
		for _, t := range b.pairs {
			bytes += pairSize(t.Key, t.Value)
		}
	}
	return bytes
}

// find looks whether the columns and tables are as they should be.
func (b *Batch) find(ctx context.Context, tx *Tx) error {
	for _, t := range b.pairs {
		if err := tx.v.pending.checkTable(ctx, tx, t.table); err != nil {
			return keyError("put", t.table, t.Key, err)
		}
	}
	for _, part := range b.parts {
		if _, err := tx.openAs(ctx, &part.q.names, part.dtype, part.elem); err != nil {
			return fail("append", part.q.names.Plain, -1, err)
		}
		if err := part.q.expect(part.dtype, part.elem); err != nil {
			return fail("append", part.q.names.Plain, -1, err)
		}
	}
	return nil
}

// write appends the rows to their columns and stores the pairs.
func (b *Batch) write(ctx context.Context, tx *Tx) error {
	for _, part := range b.parts {
		if err := part.write(ctx, tx); err != nil {
			return fail("append", part.q.names.Plain, -1, err)
		}
	}
	for _, t := range b.pairs {
		if err := tx.w.Put(ctx, t.table, t.Key, t.Value); err != nil {
			return keyError("put", t.table, t.Key, err)
		}
	}
	return nil
}
