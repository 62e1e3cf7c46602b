package columnvault

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	"columnvault/dtype"
	"columnvault/internal/column"
	"columnvault/internal/position"
)

// encode turns values into bytes before anything is written: a value that does
// not fit leaves the column as it was. Numbers are not copied.
func (c *Column[T]) encode(values []T) (column.Elements, error) {
	if raw := c.t.Bytes(values); raw != nil {
		return column.Elements{Data: raw}, nil
	}
	e, _, err := c.encodePiece(new(column.Elements), values, 0, true)
	return e, err
}

// scratches keeps the memory that appends encode into.
var scratches = sync.Pool{New: func() any { return new(column.Elements) }}

// maxScratch is the size in bytes from which on memory is not kept.
const maxScratch = 64 << 10

func giveBack(scratch *column.Elements) {
	if cap(scratch.Data)+8*cap(scratch.Ends) <= maxScratch {
		scratches.Put(scratch)
	}
}

// checkSizes refuses elements that no column can store: those of the values from
// number first on of a call. They end at ends, and begin at start.
func checkSizes(ends []int, start, first int) error {
	for k, end := range ends {
		if n := end - start; n > column.MaxElement {
			return fmt.Errorf("%w: value %d of the call has %d bytes, and the limit is %d", ErrTooLarge, first+k, n, column.MaxElement)
		}
		start = end
	}
	return nil
}

// shifted is an error about values that come after done others.
func shifted(err error, done int) error {
	var bad *dtype.ElementError
	if done > 0 && errors.As(err, &bad) {
		return &dtype.ElementError{Index: done + bad.Index, Err: bad.Err}
	}
	return err
}

// callError says which value of a call an error is about.
func callError(err error) error {
	if err == nil {
		return nil // errors.As takes memory
	}
	var bad *dtype.ElementError
	if errors.As(err, &bad) {
		return &valueError{bad}
	}
	return err
}

// valueError is an error about one of the values of a call. It wraps a
// [*dtype.ElementError], which has the position.
type valueError struct{ *dtype.ElementError }

func (e *valueError) Error() string { return fmt.Sprintf("value %d of the call: %v", e.Index, e.Err) }

func (e *valueError) Unwrap() error { return e.ElementError }

// Append adds values at the end. Many in one call cost far less than one by
// one: a call is a transaction, unless the column has a cache. Without one, and
// outside of transactions, values are encoded about 4 MiB at a time while they
// are written, so a call takes little memory beside them.
func (c *Column[T]) Append(ctx context.Context, values ...T) error {
	if raw := c.t.Bytes(values); raw != nil { // a cache takes these without more memory
		return c.h.append(ctx, column.Elements{Data: raw}, len(values))
	}
	scratch := scratches.Get().(*column.Elements)
	defer giveBack(scratch)
	e, n, err := c.encodePiece(scratch, values, 0, c.h.in.tx != nil || len(values) > pieceValues && c.h.held.Cached())
	switch {
	case err != nil:
		return c.h.fail("append", err)
	case n == len(values):
		return c.h.append(ctx, e, n)
	}
	return c.h.appendPieces(ctx, len(values), e, n, func(done int) (column.Elements, int, error) {
		return c.encodePiece(scratch, values, done, false)
	})
}

const (
	// pieceBytes is about how much of a large append is encoded at once, and
	// pieceValues how many values until that is looked at.
	pieceBytes  = 4 << 20
	pieceValues = 1 << 10
)

// encodePiece is encode of the values from done on: of all, or of as many as have
// about pieceBytes. It returns where it has ended.
func (c *Column[T]) encodePiece(scratch *column.Elements, values []T, done int, all bool) (e column.Elements, end int, err error) {
	e = column.Elements{Data: scratch.Data[:0], Ends: scratch.Ends[:0]}
	for end = done; end < len(values) && (all || len(e.Data) < pieceBytes); {
		to := min(len(values), end+pieceValues)
		data, ends, err := c.t.AppendAll(e.Data, e.Ends, values[end:to])
		if err = took(&e, data, ends, err, end); err != nil {
			return e, end, err
		}
		end = to
	}
	*scratch = e
	return e, end, nil
}

// took adds to e what AppendAll has given for the values of a call from number
// first on.
func took(e *column.Elements, data []byte, ends []int, err error, first int) error {
	if err != nil {
		return callError(shifted(err, first))
	}
	err = checkSizes(ends[len(e.Ends):], len(e.Data), first)
	*e = column.Elements{Data: data, Ends: ends}
	return err
}

// appendPieces writes so many values in one transaction, which one that cannot be
// stored undoes. e is the first piece, of the values before end, which is encoded
// already; encode gives the piece from a value on, and where it ends.
func (c *handle) appendPieces(ctx context.Context, count int, e column.Elements, end int, encode func(done int) (column.Elements, int, error)) error {
	done := 0
	return c.write(ctx, "append", func(o *opened) (err error) {
		if done > 0 { // the transaction runs again
			e, end, err = encode(0)
		}
		for err == nil {
			if err = o.Append(ctx, o.tx.w, e); err != nil {
				break
			}
			if done = end; done == count {
				break
			}
			e, end, err = encode(done)
		}
		return err
	})
}

// append writes so many elements, or has them held.
func (c *handle) append(ctx context.Context, e column.Elements, count int) error {
	if c.in.tx == nil {
		if taken, err := c.appendCached(ctx, e, count); taken || err != nil {
			return c.fail("append", err)
		}
	}
	return c.appendNow(ctx, e)
}

// appendNow is append without a cache.
func (c *handle) appendNow(ctx context.Context, e column.Elements) error {
	if c.in.tx != nil {
		return c.write(ctx, "append", func(o *opened) error { return o.Append(ctx, o.tx.w, e) })
	}
	err := c.form.Err()
	if err == nil {
		a := &columnAppend{names: &c.names, dtype: c.dtype, spec: c.form.Spec(), meaning: c.form.Meaning(), rows: e}
		err = c.in.v.append(&request{ctx: ctx, appends: a})
	}
	return c.fail("append", err)
}

// AppendSeq adds the values of a sequence at the end, in one transaction. It
// keeps their encoded form in memory until the sequence has ended.
func (c *Column[T]) AppendSeq(ctx context.Context, values iter.Seq[T]) error {
	var b column.Elements
	one, count := make([]T, 1), 0
	for one[0] = range values {
		data, ends, err := c.t.AppendAll(b.Data, b.Ends, one)
		if err = took(&b, data, ends, err, count); err != nil {
			return c.h.fail("append", err)
		}
		count++
	}
	return c.h.appendNow(ctx, b)
}

// Insert puts values before position i; as in Python, a position outside of the
// column means its nearest end. Everything after i moves: the cost is that of
// appending those bytes, or 12 bytes an element in a variable-size column. In a
// [Native] column nothing moves but a part of one chunk.
func (c *Column[T]) Insert(ctx context.Context, i int, values ...T) error {
	e, err := c.encode(values)
	return c.h.insert(ctx, i, e, err)
}

//go:noinline
func (c *handle) insert(ctx context.Context, i int, e column.Elements, err error) error {
	if err != nil {
		return c.fail("insert", err)
	}
	return c.write(ctx, "insert", func(o *opened) error {
		return o.Insert(ctx, o.tx.w, position.Clamp(i, o.Len()), e)
	})
}

// Set replaces the element at position i.
func (c *Column[T]) Set(ctx context.Context, i int, value T) error {
	e, err := c.encode([]T{value})
	return c.h.set(ctx, i, e, err)
}

//go:noinline
func (c *handle) set(ctx context.Context, i int, e column.Elements, err error) error {
	if err != nil {
		return c.fail("set", err)
	}
	return c.write(ctx, "set", func(o *opened) error {
		at, err := resolve(i, o.Len())
		if err != nil {
			return c.failAt("set", int64(i), err)
		}
		return o.Overwrite(ctx, o.tx.w, at, e)
	})
}

// SetEach replaces the elements at these positions by the values, of which there
// must be as many. Of values for the same position the last counts. It is [Column.Set]
// for each in one transaction, at a fraction of the cost where many of the
// positions lie close together: those are written at once, with what is between
// them. An error leaves all of them as they were.
func (c *Column[T]) SetEach(ctx context.Context, positions []int, values []T) error {
	e, err := c.encode(values)
	return c.h.setEach(ctx, positions, e, len(values), err)
}

//go:noinline
func (c *handle) setEach(ctx context.Context, positions []int, e column.Elements, count int, err error) error {
	if len(positions) != count {
		return c.fail("set each", fmt.Errorf("%w: length mismatch: %d values for %d positions", ErrInvalidArgument, count, len(positions)))
	}
	if err != nil {
		return c.fail("set each", err)
	}
	return c.write(ctx, "set each", func(o *opened) error {
		at, err := c.resolveAll("set each", positions, o.Len())
		if err != nil {
			return err
		}
		return o.scatter(ctx, o.tx.w, at, e)
	})
}

// SetSlice replaces the elements from i up to, not including, j. len(values)
// must equal the length of that range. To change the length, use
// [Column.Delete] and [Column.Insert] in one [Vault.Update].
func (c *Column[T]) SetSlice(ctx context.Context, i, j int, values []T) error {
	e, err := c.encode(values)
	return c.h.setSlice(ctx, i, j, e, len(values), err)
}

//go:noinline
func (c *handle) setSlice(ctx context.Context, i, j int, e column.Elements, count int, err error) error {
	if err != nil {
		return c.fail("set slice", err)
	}
	return c.write(ctx, "set slice", func(o *opened) error {
		from, to := position.Range(i, j, o.Len())
		if to-from != int64(count) {
			return fmt.Errorf("%w: length mismatch: %d values for the %d elements from %d to %d",
				ErrInvalidArgument, count, to-from, from, to)
		}
		return o.Overwrite(ctx, o.tx.w, from, e)
	})
}

// Delete removes the elements from i up to, not including, j: Python's
// del c[i:j]. Everything after them moves, as for [Column.Insert].
//
//go:noinline
func (c *untyped) Delete(ctx context.Context, i, j int) error {
	return c.h.write(ctx, "delete", func(o *opened) error {
		from, to := position.Range(i, j, o.Len())
		return o.Delete(ctx, o.tx.w, from, to)
	})
}

// Truncate removes everything after the first n elements.
//
//go:noinline
func (c *untyped) Truncate(ctx context.Context, n int) error {
	return c.h.write(ctx, "truncate", func(o *opened) error {
		if n < 0 || int64(n) > o.Len() {
			return fmt.Errorf("%w: %d of %d elements", ErrOutOfRange, n, o.Len())
		}
		return o.Delete(ctx, o.tx.w, int64(n), o.Len())
	})
}

// Clear removes all elements.
//
//go:noinline
func (c *untyped) Clear(ctx context.Context) error {
	return c.h.write(ctx, "clear", func(o *opened) error { return o.Delete(ctx, o.tx.w, 0, o.Len()) })
}

// Pop removes the element at position i and returns it.
func (c *Column[T]) Pop(ctx context.Context, i int) (value T, err error) {
	err = c.h.write(ctx, "pop", func(o *opened) error {
		data, at, err := c.h.element(ctx, "pop", o, i)
		if err != nil {
			return err
		}
		if value, err = c.t.Decode(data); err != nil {
			return c.h.failAt("at", at, err)
		}
		return o.Delete(ctx, o.tx.w, at, at+1)
	})
	return value, err
}

// Remove removes the first element that equals value, as [Column.Index] does. It
// gives [ErrNotFound] if there is none.
func (c *Column[T]) Remove(ctx context.Context, value T) error {
	forms, err := c.t.Match(value)
	return c.h.remove(ctx, forms, err)
}

// remove is Remove of the stored forms of a value, if it has any.
//
//go:noinline
func (c *handle) remove(ctx context.Context, forms [][]byte, err error) error {
	if err != nil {
		return c.fail("remove", err)
	}
	return c.write(ctx, "remove", func(o *opened) error {
		at, err := o.find(ctx, forms)
		if err != nil {
			return err
		}
		return o.Delete(ctx, o.tx.w, at, at+1)
	})
}

// Reverse reverses the order of the elements in place.
//
//go:noinline
func (c *untyped) Reverse(ctx context.Context) error {
	return c.h.write(ctx, "reverse", func(o *opened) error {
		return column.Reverse(ctx, o.tx.w, o.Column, o.tx.v.buffer)
	})
}

// AppendFlat adds rows that lie back to back in one slice to a column of fixed
// vectors.
func AppendFlat[E dtype.Element](ctx context.Context, c *Column[[]E], rows []E) error {
	t, err := flat(c)
	if err != nil {
		return c.h.fail("append", err)
	}
	data, err := t.AppendFlat(nil, rows)
	if err != nil {
		return c.h.fail("append", err)
	}
	return c.h.appendNow(ctx, column.Elements{Data: data})
}
