package columnvault

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"columnvault/internal/column"
)

// Batch collects appends to several columns that belong together, such as the
// fields of a record. It is used by one goroutine, inside the function that
// Vault.Batch calls.
type Batch struct {
	v *Vault
	*collection
	ended bool
}

// collection is the memory of a batch.
type collection struct{ parts []part }

// Batch calls fn to collect appends, and then takes all of them or, if fn
// returns an error, none. If all the columns are cached, the elements are held
// together and no flush writes a part of them: columns that are filled through
// batches alone have equal lengths on disk whatever happens. Otherwise they
// are written at once, in one transaction.
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
	switch {
	case b.ended:
		return fmt.Errorf("%w: the batch has ended", ErrClosed)
	case b.v != c.in.v || c.in.tx != nil:
		return fmt.Errorf("%w: the batch belongs to another vault, or the column to a transaction", ErrInvalidArgument)
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
	part.rows = column.Batch{Data: data, Ends: ends}
	part.count += len(values)
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
	*added = part{q: q, dtype: dtype, elem: elem, rows: column.Batch{Data: added.rows.Data[:0], Ends: added.rows.Ends[:0]}}
	return added
}

// commit makes the collected rows pending, or writes them where there is no
// cache that could hold them.
func (b *Batch) commit(ctx context.Context) error {
	taken, err := b.v.pending.hold(ctx, b.hold, func() error {
		return b.v.view(ctx, func(tx *Tx) error { return b.check(ctx, tx) })
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
	for _, part := range b.parts {
		switch {
		case part.q.cache() == nil:
			return uncached, nil
		case part.q.dtype != part.dtype:
			return checkFirst, nil
		}
	}
	for i, part := range b.parts {
		k := part.q.cache()
		if b.uses(k, i) > 0 {
			continue // counted before
		}
		if next, err := p.admit(k, b.uses(k, len(b.parts))); next != admitted {
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
	return admitted, nil
}

// uses is how many bytes the first n columns of the batch bring to the cache.
func (b *Batch) uses(k *cache, n int) (bytes int) {
	for _, part := range b.parts[:n] {
		if part.q.cache() == k {
			bytes += size(part.rows)
		}
	}
	return bytes
}

// check looks whether the columns are as they should be.
func (b *Batch) check(ctx context.Context, tx *Tx) error {
	for _, part := range b.parts {
		if err := part.check(ctx, tx); err != nil {
			return err
		}
		if err := part.q.expect(part.dtype, part.elem); err != nil {
			return fail("append", part.q.names.Plain, -1, err)
		}
	}
	return nil
}

func (part part) check(ctx context.Context, tx *Tx) error {
	o, err := tx.open(ctx, &part.q.names)
	if err == nil {
		err = o.checkType(part.dtype, part.elem)
	}
	return fail("append", part.q.names.Plain, -1, err)
}

// write appends the rows to their columns.
func (b *Batch) write(ctx context.Context, tx *Tx) error {
	for _, part := range b.parts {
		if err := part.check(ctx, tx); err != nil {
			return err
		}
	}
	for _, part := range b.parts {
		if err := part.write(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}
