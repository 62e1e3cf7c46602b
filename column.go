package columnvault

import (
	"context"
	"fmt"
	"strings"

	"columnvault/dtype"
	"columnvault/internal/catalog"
	"columnvault/internal/column"
	"columnvault/internal/excerpt"
	"columnvault/internal/store"
	"columnvault/internal/writeback"
)

// Column is a handle of a typed list in a vault. It holds nothing but names:
// every operation looks at the file, so handles stay right whatever other
// handles and other processes do. It may be used from many goroutines. A column
// that has been dropped gives [ErrNotFound], and one that was created again with
// another dtype gives [ErrDType].
//
// Positions count from 0. As in Python, negative ones count from the end, and
// the bounds of slices are moved to the nearest end. Each operation is a
// transaction of its own, or a part of one through [Column.In].
//
// What an operation returns belongs to the caller. Strings and byte slices from
// one call share memory, in pieces of [Options.ReadBytes] or, from [Column.Take],
// in one: clone what you keep for long.
type Column[T any] struct {
	untyped
	t dtype.Type[T]
}

// untyped has the methods of a column to which the Go type of its elements does
// not matter. Those of them and of handle that would be compiled into the methods
// of each type are marked, so that they are not.
type untyped struct{ h handle }

// handle is what a column is without the Go type of its elements: all that moves
// positions and encoded elements. It keeps that from being compiled, and linked,
// once for each type; and since it is not embedded, no type gets a copy of each of
// its methods.
type handle struct {
	in    scope
	names catalog.Names
	form  form
	dtype string // canonical
	// held is what the caches know of the column, the same for all its handles.
	held *writeback.Column
}

// form is what a [dtype.Type] says of itself.
type form interface {
	Spec() dtype.Spec
	String() string
	Meaning() dtype.Meaning
	Size() int
	Err() error
}

func newColumn[T any](c *scope, name string, t dtype.Type[T]) *Column[T] {
	return &Column[T]{untyped{c.handle(name, t)}, t}
}

func (c *scope) handle(name string, f form) handle {
	return handle{*c, catalog.NamesOf(name), f, f.String(), c.v.pending.Column(name)}
}

// In returns the column as a part of the transaction. It lives as long as that.
func (c *Column[T]) In(tx *Tx) *Column[T] {
	part := *c
	part.h.in = tx.scope
	return &part
}

// Name is the name of the column.
func (c *untyped) Name() string { return c.h.names.Plain }

// DType is the canonical spelling of the column's dtype.
func (c *untyped) DType() string { return c.h.dtype }

// Meaning is what the elements mean beyond their dtype, to this handle.
func (c *untyped) Meaning() dtype.Meaning { return c.h.form.Meaning() }

// open finds the column in the transaction and compares its dtype and meaning.
func (c *handle) open(ctx context.Context, tx *Tx) (*opened, error) {
	if err := c.form.Err(); err != nil {
		return nil, err
	}
	if tx.v != c.in.v {
		return nil, errOtherVault
	}
	o, err := tx.openAs(ctx, &c.names, c.dtype, c.form.Size())
	if err != nil {
		return nil, err
	}
	return o, o.checkMeaning(c.form.Spec(), c.form.Meaning())
}

// openAs finds a column that should be of this dtype, with elements of size
// bytes.
func (tx *Tx) openAs(ctx context.Context, names *catalog.Names, dtype string, size int) (*opened, error) {
	o, err := tx.open(ctx, names)
	if err != nil {
		return nil, err
	}
	return o, o.checkType(dtype, size)
}

// checkType compares the dtype of the column with the canonical one that it
// should have, of elements of size bytes.
func (o *opened) checkType(want string, size int) error {
	if o.dtype != want {
		spec, err := o.spec()
		if err != nil {
			return err
		}
		if spec.String() != want {
			return fmt.Errorf("%w: the column is of %s, not of %s", ErrDType, excerpt.Line(o.dtype, excerpt.Name), excerpt.Line(want, excerpt.Name))
		}
	}
	if o.elem != int64(size) {
		return fmt.Errorf("%w: the catalog gives elements of %s a size of %d bytes, and they have %d", ErrCorrupt, excerpt.Line(o.dtype, excerpt.Name), o.elem, size)
	}
	return nil
}

// checkMeaning compares the meaning of the column, whose dtype it is, with the
// one that a codec takes it for.
func (o *opened) checkMeaning(s dtype.Spec, want dtype.Meaning) error {
	if o.attrs == "" && want == (dtype.Meaning{}) {
		return nil
	}
	have := o.attrs.Meaning(s)
	if want.Opens(have) {
		return nil
	}
	shown := func(m dtype.Meaning) string {
		return excerpt.Line(strings.TrimSpace(fmt.Sprintf("%v %v", s, m)), excerpt.Name)
	}
	return fmt.Errorf("%w: the column is of %s, not of %s", errMeaning, shown(have), shown(want))
}

// spec is the dtype of the column.
func (o *opened) spec() (dtype.Spec, error) {
	spec, err := dtype.ParseSpec(o.dtype)
	if err != nil {
		return spec, fmt.Errorf("%w: this version does not know the dtype %s", ErrUnsupported, excerpt.Quote(o.dtype, excerpt.Name))
	}
	return spec, nil
}

// read runs fn on the column in the transaction, or in one of its own for
// reading, which may run it again.
func (c *handle) read(ctx context.Context, op string, fn func(o *opened) error) error {
	if tx := c.in.tx; tx != nil {
		return c.fail(op, tx.do(c.opening(ctx, fn))) // allocates nothing
	}
	return c.in.read(ctx, op, c.names.Plain, c.opening(ctx, fn))
}

// view runs fn on the column in the transaction, or in a snapshot.
func (c *handle) view(ctx context.Context, op string, fn func(o *opened) error) error {
	return c.in.view(ctx, op, c.names.Plain, c.opening(ctx, fn))
}

// opening runs fn on the column once it is open, with what is held for it.
func (c *handle) opening(ctx context.Context, fn func(o *opened) error) func(*Tx) error {
	return func(tx *Tx) error {
		o, err := c.open(ctx, tx)
		tx.reading.Done()
		if err != nil {
			return err
		}
		return fn(o)
	}
}

// write runs fn on the column in a writing transaction.
func (c *handle) write(ctx context.Context, op string, fn func(o *opened) error) error {
	return c.in.update(ctx, op, c.names.Plain, func(tx *Tx) error {
		o, err := c.open(ctx, tx)
		if err == nil {
			err = o.refused
		}
		if err != nil {
			return err
		}
		if err := fn(o); err != nil {
			return err
		}
		o.changes++
		return nil
	})
}

// append adds rows at the end.
func (o *opened) append(ctx context.Context, rows column.Elements) error {
	o.changes++
	return o.Append(ctx, o.tx.w, rows)
}

// onStack is the number of columns for which functions have memory on their stack.
const onStack = 12

// appendAll adds elements to the end of several columns. What they have to read
// for that is read in one call. An error is that of the column with this number.
func (tx *Tx) appendAll(ctx context.Context, os []*opened, of func(i int) column.Elements) (at int, err error) {
	var ahead [onStack]store.ColumnSpans
	if len(os) > 1 {
		spans := ahead[:0]
		for _, o := range os {
			spans = append(spans, o.Ending())
		}
		if at, err = tx.readAll(ctx, spans); err != nil {
			tx.w.Abort(err)
			return at, err
		}
	}
	for i, o := range os {
		if err := o.append(ctx, of(i)); err != nil {
			if i > 0 {
				tx.w.Abort(err) // some columns have grown, and others not
			}
			return i, err
		}
	}
	return 0, nil
}

// readAll fills the spans of several columns in one call. An error is that of the
// column with this number, which is found by reading them one by one.
func (tx *Tx) readAll(ctx context.Context, spans []store.ColumnSpans) (at int, err error) {
	var of []store.ColumnSpans
	for _, s := range spans {
		if len(s.Spans) > 0 {
			of = append(of, s)
		}
	}
	if len(of) == 0 || tx.r.ReadAll(ctx, of) == nil {
		return 0, nil
	}
	for i, s := range spans {
		if len(s.Spans) == 0 {
			continue
		}
		if err := tx.r.ReadAt(ctx, s.Column, s.Spans); err != nil {
			return i, err
		}
	}
	return 0, nil
}

// The methods of a column that write elements count them.

func (o *opened) Append(ctx context.Context, w store.Tx, e column.Elements) error {
	o.tx.elements += int64(e.Count(o.Size()))
	return o.Column.Append(ctx, w, e)
}

func (o *opened) Insert(ctx context.Context, w store.Tx, i int64, e column.Elements) error {
	o.tx.elements += int64(e.Count(o.Size()))
	return o.Column.Insert(ctx, w, i, e)
}

func (o *opened) Overwrite(ctx context.Context, w store.Tx, i int64, e column.Elements) error {
	o.tx.elements += int64(e.Count(o.Size()))
	return o.Column.Overwrite(ctx, w, i, e)
}

func (o *opened) scatter(ctx context.Context, w store.Tx, at []int64, e column.Elements) error {
	o.tx.elements += int64(len(at))
	return column.Scatter(ctx, w, o.Column, at, e)
}

// Len is the number of elements.
//
//go:noinline
func (c *untyped) Len(ctx context.Context) (n int, err error) {
	err = c.h.read(ctx, "len", func(o *opened) error { n = int(o.Len()); return nil })
	return n, err
}

// fail makes the error of an operation on the column.
func (c *handle) fail(op string, err error) error { return fail(op, c.names.Plain, -1, err) }

// failAt makes the error of an operation on one element.
func (c *handle) failAt(op string, at int64, err error) error {
	return fail(op, c.names.Plain, int(at), err)
}
