package columnvault

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"columnvault/dtype"
	"columnvault/internal/column"
	"columnvault/internal/position"
	"columnvault/internal/rows"
	"columnvault/internal/store"
	"columnvault/internal/writeback"
)

// In returns the table as a part of the transaction. It lives as long as that.
func (t *Table[T]) In(tx *Tx) *Table[T] { return &Table[T]{in: tx.scope, def: t.def} }

// Name is the name of the table.
func (t *Table[T]) Name() string { return t.def.name }

// Columns are the columns of the fields, in the order of these.
func (t *Table[T]) Columns() []TableColumn {
	all := make([]TableColumn, t.def.fields)
	for i, c := range t.def.columns[:t.def.fields] {
		all[i] = TableColumn{Name: c.Name, DType: c.dtype, Meaning: c.Meaning}
	}
	return all
}

// Len is the number of rows.
func (t *Table[T]) Len(ctx context.Context) (n int, err error) {
	err = t.read(ctx, "len", func(r *rowReader[T]) error { n = int(r.n); return nil })
	return n, err
}

// At returns the row at position i.
func (t *Table[T]) At(ctx context.Context, i int) (row T, err error) {
	err = t.read(ctx, "at", func(r *rowReader[T]) error {
		at, err := resolveRow(i, r.n)
		if err != nil {
			return fail("at", t.def.name, i, err)
		}
		var one [1]T
		err = r.fill(ctx, one[:], at)
		row = one[0]
		return err
	})
	return row, err
}

func resolveRow(i int, n int64) (int64, error) {
	at, ok := position.At(i, n)
	if !ok {
		return 0, fmt.Errorf("%w: the table has %d rows", ErrOutOfRange, n)
	}
	return at, nil
}

// Slice returns the rows from i up to, not including, j.
func (t *Table[T]) Slice(ctx context.Context, i, j int) (values []T, err error) {
	err = t.read(ctx, "slice", func(r *rowReader[T]) error {
		from, to := position.Range(i, j, r.n)
		for k, o := range r.columns {
			if err := o.Backed(ctx, o.tx.r, from, to); err != nil {
				return fail("slice", t.def.columns[k].names.Plain, -1, err)
			}
		}
		values = make([]T, to-from)
		return r.fill(ctx, values, from)
	})
	if err != nil {
		return nil, err
	}
	return values, nil
}

// Read fills into with the rows from position at on, and returns how many there
// were: fewer than len(into) only at the end of the table. The rows are set
// whole: fields that are not stored become zero.
func (t *Table[T]) Read(ctx context.Context, into []T, at int) (n int, err error) {
	err = t.read(ctx, "read", func(r *rowReader[T]) error {
		from := position.Clamp(at, r.n)
		n = int(min(int64(len(into)), r.n-from))
		return r.fill(ctx, into[:n], from)
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// Values iterates over all rows in order. The loop sees one snapshot, as that of
// [Column.Values] does, and ends with [ErrConcurrentChange] in the same way.
func (t *Table[T]) Values(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		err := t.in.view(ctx, "values", t.def.name, t.opening(ctx, func(r *rowReader[T]) error {
			buf := make([]T, min(r.n, runRows))
			for at := int64(0); at < r.n; {
				n, err := r.some(ctx, buf[:min(int64(len(buf)), r.n-at)], at)
				if err != nil {
					return err
				}
				changes := r.changes()
				for _, row := range buf[:n] {
					if !yield(row, nil) {
						return errStop
					}
					if r.changes() != changes {
						return ErrConcurrentChange
					}
				}
				at += int64(n)
			}
			return nil
		}))
		if err != nil && !errors.Is(err, errStop) {
			var none T
			yield(none, err)
		}
	}
}

// runRows is how many rows a loop reads at once, at most.
const runRows = 1 << 12

// rowReader reads rows in one transaction.
type rowReader[T any] struct {
	def     *tableDef
	columns []*opened // of the fields
	n       int64     // rows
	// spans are those of columns that are read together.
	spans []store.ColumnSpans
}

// read runs fn in the transaction, or in one of its own for reading, which may
// run it again.
func (t *Table[T]) read(ctx context.Context, op string, fn func(*rowReader[T]) error) error {
	return t.in.read(ctx, op, t.def.name, t.opening(ctx, fn))
}

// opening runs fn with the columns of the fields, and what is held for them.
func (t *Table[T]) opening(ctx context.Context, fn func(*rowReader[T]) error) func(*Tx) error {
	return func(tx *Tx) error {
		r := &rowReader[T]{def: t.def, columns: make([]*opened, t.def.fields)}
		err := r.open(ctx, t.in.v, tx)
		tx.reading.Done()
		if err != nil {
			return err
		}
		return fn(r)
	}
}

func (r *rowReader[T]) open(ctx context.Context, v *Vault, tx *Tx) error {
	if tx.v != v {
		return errOtherVault
	}
	if err := r.def.lookUp(ctx, tx); err != nil {
		return err
	}
	for i, c := range r.def.columns[:r.def.fields] {
		o, err := r.def.open(ctx, tx, c)
		if err != nil {
			return err
		}
		r.columns[i] = o
		if n := o.Len(); i == 0 || n < r.n {
			r.n = n
		}
	}
	return nil
}

// changes counts what was done to the columns.
func (r *rowReader[T]) changes() (n int) {
	for _, o := range r.columns {
		n += o.changes
	}
	return n
}

// fill reads the rows from position at on.
func (r *rowReader[T]) fill(ctx context.Context, into []T, at int64) error {
	for most := len(into); len(into) > 0; {
		n, err := r.some(ctx, into[:min(len(into), most)], at)
		if err != nil {
			return err
		}
		into, at = into[n:], at+int64(n)
		most = 2 * n // large elements let others be read in vain
	}
	return nil
}

// some reads rows from position at on, and returns how many: as many as one
// buffer holds of every column, and at least one.
func (r *rowReader[T]) some(ctx context.Context, into []T, at int64) (int, error) {
	clear(into)
	if err := r.ahead(ctx, at, at+int64(len(into))); err != nil {
		return 0, err
	}
	for first := 0; first < len(r.columns); {
		n, next, err := r.part(ctx, into, at, first)
		if err != nil {
			return 0, err
		}
		into, first = into[:n], next
	}
	return len(into), nil
}

// ahead reads what has to be known of all columns before their elements can be
// read.
func (r *rowReader[T]) ahead(ctx context.Context, i, j int64) error {
	r.spans = r.spans[:0]
	for _, o := range r.columns {
		r.spans = append(r.spans, o.Ahead(i, j))
	}
	return r.readSpans(ctx, 0, i)
}

// part reads columns from the first on, in one call: as many as take about one
// buffer together. It returns of how many rows, and the next column.
func (r *rowReader[T]) part(ctx context.Context, into []T, at int64, first int) (n, next int, err error) {
	tx := r.columns[first].tx
	memory := r.memory(first, int64(len(into)))
	total := int64(0)
	r.spans = r.spans[:0]
	for next = first; next < len(r.columns) && total < tx.v.buffer; next++ {
		o, c := r.columns[next], r.def.columns[next]
		o.one = column.Elements{Ends: o.one.Ends[:0]}
		if !c.Borrows() {
			need := len(into) * c.size
			if need > len(memory) && next > first {
				break
			}
			o.one.Data, memory = memory[:0:min(need, len(memory))], memory[min(need, len(memory)):]
		}
		end, spans, err := o.Spans(ctx, tx.r, &o.one, at, at+int64(len(into)), tx.v.buffer)
		if err != nil {
			return 0, 0, c.readError(at, err)
		}
		into = into[:end-at]
		r.spans = append(r.spans, spans)
		total += int64(len(o.one.Data))
	}
	if err := r.readSpans(ctx, first, at); err != nil {
		return 0, 0, err
	}
	for i := first; i < next; i++ {
		c, e := r.def.columns[i], &r.columns[i].one
		if c.size > 0 {
			e.Data = e.Data[:len(into)*c.size]
		} else {
			e.Ends = e.Ends[:len(into)]
		}
		if err := rows.Scatter(c.Field, into, e.Data, e.Ends); err != nil {
			return 0, 0, c.readError(at, err)
		}
	}
	return len(into), next, nil
}

// memory is what the elements of columns from the first on are read into whose
// values do not lie in it: of as many columns as take about one buffer.
func (r *rowReader[T]) memory(first int, n int64) []byte {
	tx := r.columns[first].tx
	total := int64(0)
	for _, c := range r.def.columns[first:r.def.fields] {
		if total >= tx.v.buffer {
			break
		}
		if !c.Borrows() {
			total += min(n*int64(c.size), max(tx.v.buffer, int64(c.size)))
		}
	}
	tx.scratch = slices.Grow(tx.scratch[:0], int(total))
	return tx.scratch[:total]
}

// readSpans fills the spans of columns from the first on.
func (r *rowReader[T]) readSpans(ctx context.Context, first int, at int64) error {
	i, err := r.columns[first].tx.readAll(ctx, r.spans)
	if err != nil {
		return r.def.columns[first+i].readError(at, err)
	}
	return nil
}

// readError is the error of elements of the column that were read from position
// at on.
func (c *tableColumn) readError(at int64, err error) error {
	index := -1
	var bad *dtype.ElementError
	if errors.As(err, &bad) {
		index, err = int(at)+bad.Index, bad.Err
	}
	return fail("read", c.names.Plain, index, err)
}

// Append adds rows at the end, in one transaction, or holds them if all columns
// of the table have a cache, see [Table.EnableCache]. Many in one call cost far
// less than one by one.
func (t *Table[T]) Append(ctx context.Context, values ...T) error {
	if t.in.tx != nil {
		all, err := t.encode("append", values)
		if err != nil {
			return err
		}
		return t.write(ctx, "append", func(os []*opened, _ int64) error {
			i, err := os[0].tx.appendAll(ctx, os, func(i int) column.Elements { return all[i] })
			if err != nil {
				return fail("append", t.def.columns[i].names.Plain, -1, err)
			}
			return nil
		})
	}
	v := t.in.v
	err := v.checkCall(ctx)
	if err == nil {
		b := newBatch(v)
		defer b.end()
		if err = t.appendTo(b, values); err == nil {
			err = b.commit(ctx)
		}
	}
	return t.fail("append", err)
}

// AppendTo adds rows to what the batch will append. An error means that these
// rows were not added. That the table has the columns that it had when it was
// opened is looked at when the batch is written.
func (t *Table[T]) AppendTo(b *Batch, values ...T) error {
	return t.fail("append", t.appendTo(b, values))
}

func (t *Table[T]) appendTo(b *Batch, values []T) (err error) {
	if err := b.check(t.in.v, t.in.tx); err != nil {
		return err
	}
	if len(t.def.ignored) > 0 {
		return fmt.Errorf("%w: %s", errIgnored, listNames(t.def.ignored))
	}
	done := 0
	defer func() {
		if err != nil { // a row is added whole
			for _, c := range t.def.columns[:done] {
				b.part(c.held, c.names.Plain, c.dtype, c.size).DropLast(c.size, len(values))
			}
		}
	}()
	for ; done < len(t.def.columns); done++ {
		c := t.def.columns[done]
		part := b.part(c.held, c.names.Plain, c.dtype, c.size)
		if part.DType != c.dtype {
			return fail("append", c.names.Plain, -1, fmt.Errorf("%w: the batch has elements of %s for the column", ErrDType, part.DType))
		}
		e := part.Elements
		start, first := len(e.Data), len(e.Ends)
		if err := addRows(c, done < t.def.fields, &e, values); err != nil {
			return fail("append", c.names.Plain, -1, err)
		}
		if err := checkSizes(e.Ends[first:], start, 0); err != nil {
			return fail("append", c.names.Plain, -1, err)
		}
		part.Elements = e
		part.Count += len(values)
	}
	b.checkFirst(batchCheck{key: t.def, run: func(ctx context.Context, tx *Tx) error {
		_, _, err := t.def.openAll(ctx, tx)
		return t.fail("append", err)
	}})
	return nil
}

// addRows adds the stored forms of a field of the rows, or missing elements
// where they have no such field.
func addRows[T any](c *tableColumn, isField bool, e *column.Elements, values []T) (err error) {
	if !isField {
		e.Repeat(c.size, c.missing, len(values))
		return nil
	}
	if c.size > 0 {
		e.Data = slices.Grow(e.Data, c.size*len(values))
	} else {
		e.Ends = slices.Grow(e.Ends, len(values))
	}
	e.Data, e.Ends, err = rows.Gather(c.Field, e.Data, e.Ends, values)
	return callError(err)
}

// encode makes the elements of all columns from rows, before anything is
// written.
func (t *Table[T]) encode(op string, values []T) ([]column.Elements, error) {
	all := make([]column.Elements, len(t.def.columns))
	for i, c := range t.def.columns {
		err := addRows(c, i < t.def.fields, &all[i], values)
		if err == nil {
			err = checkSizes(all[i].Ends, 0, 0)
		}
		if err != nil {
			return nil, fail(op, c.names.Plain, -1, err)
		}
	}
	return all, nil
}

// Insert puts rows before position i, at the costs of [Column.Insert] for each
// column.
func (t *Table[T]) Insert(ctx context.Context, i int, values ...T) error {
	all, err := t.encode("insert", values)
	if err != nil {
		return err
	}
	return t.write(ctx, "insert", func(os []*opened, n int64) error {
		at := position.Clamp(i, n)
		return t.each("insert", os, func(k int, o *opened) error { return o.Insert(ctx, o.tx.w, at, all[k]) })
	})
}

// Set replaces the row at position i. What it has in columns that T lacks stays.
func (t *Table[T]) Set(ctx context.Context, i int, row T) error {
	all, err := t.encode("set", []T{row})
	if err != nil {
		return err
	}
	return t.write(ctx, "set", func(os []*opened, n int64) error {
		at, err := resolveRow(i, n)
		if err != nil {
			return fail("set", t.def.name, i, err)
		}
		return t.overwrite(ctx, "set", os, at, all)
	})
}

// SetEach replaces the rows at these positions by the values, of which there must
// be as many, as [Column.SetEach] does. What they have in columns that T lacks
// stays.
func (t *Table[T]) SetEach(ctx context.Context, positions []int, values []T) error {
	if len(positions) != len(values) {
		return t.fail("set each", fmt.Errorf("%w: length mismatch: %d rows for %d positions", ErrInvalidArgument, len(values), len(positions)))
	}
	all, err := t.encode("set each", values)
	if err != nil {
		return err
	}
	return t.write(ctx, "set each", func(os []*opened, n int64) error {
		at := make([]int64, len(positions))
		for k, i := range positions {
			var err error
			if at[k], err = resolveRow(i, n); err != nil {
				return fail("set each", t.def.name, i, err)
			}
		}
		return t.each("set each", os[:t.def.fields], func(k int, o *opened) error { return o.scatter(ctx, o.tx.w, at, all[k]) })
	})
}

// SetSlice replaces the rows from i up to, not including, j, of which there must
// be len(values). What they have in columns that T lacks stays.
func (t *Table[T]) SetSlice(ctx context.Context, i, j int, values []T) error {
	all, err := t.encode("set slice", values)
	if err != nil {
		return err
	}
	return t.write(ctx, "set slice", func(os []*opened, n int64) error {
		from, to := position.Range(i, j, n)
		if to-from != int64(len(values)) {
			return fmt.Errorf("%w: length mismatch: %d rows for the %d from %d to %d", ErrInvalidArgument, len(values), to-from, from, to)
		}
		return t.overwrite(ctx, "set slice", os, from, all)
	})
}

func (t *Table[T]) overwrite(ctx context.Context, op string, os []*opened, at int64, all []column.Elements) error {
	return t.each(op, os[:t.def.fields], func(k int, o *opened) error { return o.Overwrite(ctx, o.tx.w, at, all[k]) })
}

// Delete removes the rows from i up to, not including, j, from all columns of
// the table. Everything after them moves, as for [Column.Delete].
func (t *Table[T]) Delete(ctx context.Context, i, j int) error {
	return t.write(ctx, "delete", func(os []*opened, n int64) error {
		from, to := position.Range(i, j, n)
		return t.each("delete", os, func(_ int, o *opened) error { return o.Delete(ctx, o.tx.w, from, to) })
	})
}

// write runs fn with all columns in a writing transaction.
func (t *Table[T]) write(ctx context.Context, op string, fn func(os []*opened, n int64) error) error {
	return t.in.update(ctx, op, t.def.name, func(tx *Tx) error {
		if tx.v != t.in.v {
			return errOtherVault
		}
		os, n, err := t.def.openAll(ctx, tx)
		if err != nil {
			return err
		}
		return fn(os, n)
	})
}

// each changes one column after the other. If one cannot be changed, the
// transaction is undone: rows of which only some fields have changed must not be
// committed.
func (t *Table[T]) each(op string, os []*opened, change func(i int, o *opened) error) error {
	for i, o := range os {
		if err := change(i, o); err != nil {
			if i > 0 {
				o.tx.w.Abort(err)
			}
			return fail(op, t.def.columns[i].names.Plain, -1, err)
		}
		o.changes++
	}
	return nil
}

// EnableCache gives every column of the table a cache, as [Column.EnableCache]
// does: the options bound each of them. Append then holds rows, and no flush
// writes a part of one.
//
// The columns are compared with those that the table had when it was opened
// before the first row after a flush is held, and not for each row. Do not
// change the columns of a table while rows are held for it.
func (t *Table[T]) EnableCache(ctx context.Context, o *CacheOptions) error {
	err := t.checkCache(ctx)
	if err == nil {
		err = t.in.v.enable(ctx, o, func(b writeback.Bounds) {
			for _, c := range t.def.columns {
				c.held.Enable(b)
			}
		})
	}
	return t.fail("enable cache", err)
}

// DisableCache ends the caches of the columns and flushes.
func (t *Table[T]) DisableCache(ctx context.Context) error {
	err := t.checkCache(ctx)
	if err == nil {
		for _, c := range t.def.columns {
			c.held.Disable()
		}
		_, err = t.in.v.flushAny(ctx)
	}
	return t.fail("disable cache", err)
}

// Flush is [Vault.Flush]: what is held for the table is written together with
// all else that is.
func (t *Table[T]) Flush(ctx context.Context) (int, error) { return t.in.v.Flush(ctx) }

func (t *Table[T]) checkCache(ctx context.Context) error {
	if t.in.tx != nil {
		return fmt.Errorf("%w: a table of a transaction has no cache", ErrInvalidArgument)
	}
	return t.in.v.checkNested(ctx)
}

// fail makes the error of an operation on the table.
func (t *Table[T]) fail(op string, err error) error { return fail(op, t.def.name, -1, err) }
