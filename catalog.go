package columnvault

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"columnvault/dtype"
	"columnvault/internal/catalog"
	"columnvault/internal/column"
	"columnvault/internal/engine"
	"columnvault/internal/store"
	"columnvault/internal/writeback"
)

// Scope is where columns are created and looked up: a [*Vault], each time in a
// transaction of its own, or a [*Tx].
type Scope interface {
	in() *scope
}

// scope is what a Vault and a Tx have in common.
type scope struct {
	v  *Vault
	tx *Tx // nil in a Vault
}

func (s *scope) in() *scope { return s }

// ColumnInfo is an entry in the list of columns.
type ColumnInfo struct {
	Name  string
	DType string // as it stands in the file, which may be another spelling
	// Stored is the dtype in the file if elements are read as another, for those
	// of KohakuVault 1.x that nothing else has: vectors of bool and f16 are read
	// as those of u8 and f32, text in other encodings as UTF-8. It is empty for
	// all other columns.
	Stored string
	// Meaning is what the elements mean beyond their dtype.
	Meaning dtype.Meaning
	Len     int
	// Hidden marks a column whose name means another: that of a native column goes
	// before that of layout 0, and this before that of layout 1. Nothing but
	// Vault.Migrate, DropIn and RenameIn can reach it.
	Hidden bool
	// VarSize says that elements vary in size.
	VarSize bool
	// Incomplete marks half of a variable-size column, left by a crash of
	// another program: [Create] or [Ensure] with the same dtype completes it,
	// Drop removes it.
	Incomplete bool
	// Layout is 0, [Native], or 1 for a column in the layout of KohakuVault 1.x,
	// which can be read, and not changed: that gives [ErrReadOnly].
	// [Vault.Migrate] brings it to another.
	Layout int
	// Compression is that of a native column.
	Compression Compression
	// Home is that of [ColumnOptions], 0 in a file.
	Home int
}

// Columns lists the columns in the order of their creation.
func (s *scope) Columns(ctx context.Context) ([]ColumnInfo, error) {
	var infos []ColumnInfo
	err := s.read(ctx, "list columns", "", func(tx *Tx) error {
		tx.reading.TakeAll()
		entries, err := catalog.List(ctx, tx.r)
		infos = make([]ColumnInfo, len(entries))
		for i, e := range entries {
			infos[i] = ColumnInfo{Name: e.Name, DType: e.DType, Stored: e.Stored, Hidden: e.Hidden, Meaning: meaningOf(e), Len: int(max(0, e.Len())) + tx.heldFor(e.ID()), VarSize: e.Varies(),
				Incomplete: e.Kind == catalog.Half, Layout: int(e.Data.Layout), Compression: Compression(e.Codec()), Home: int(e.Home())}
		}
		return err
	})
	return infos, err
}

// meaningOf is what the elements of a column mean beyond their dtype.
func meaningOf(e catalog.Entry) dtype.Meaning {
	if e.Attrs() == "" {
		return dtype.Meaning{}
	}
	spec, err := dtype.ParseSpec(e.DType)
	if err != nil {
		return dtype.Meaning{}
	}
	return e.Attrs().Meaning(spec)
}

// Tables lists the names of the key-value tables in the file, those that pairs
// are held for included, in the order of their bytes. In a database of another
// program it also lists tables of that which could hold pairs.
func (s *scope) Tables(ctx context.Context) (names []string, err error) {
	err = s.read(ctx, "list tables", "", func(tx *Tx) error {
		names = tx.reading.Tables()
		tables, err := tx.r.Tables(ctx)
		for _, t := range tables {
			names = append(names, t.Name)
		}
		slices.Sort(names)
		names = slices.Compact(names)
		return err
	})
	return names, err
}

// Column opens a column by name alone; its elements are of the Go type that
// fits the dtype and the meaning in the file (see [dtype.Meaning.Type]).
// [Lookup] opens it with a type known beforehand.
func (s *scope) Column(ctx context.Context, name string) (*Column[any], error) {
	var col *Column[any]
	err := s.read(ctx, "open column", name, func(tx *Tx) error {
		names := catalog.NamesOf(name)
		o, err := tx.open(ctx, &names)
		if err != nil {
			return err
		}
		spec, err := o.spec()
		if err != nil {
			return err
		}
		col = newColumn(s, name, o.attrs.Meaning(spec).Type(spec))
		return o.checkType(spec.String(), spec.ElemSize())
	})
	if err != nil {
		return nil, err
	}
	return col, nil
}

// As is the same column, in the same transaction if it is part of one, with
// elements of another Go type. A column that was opened by its name alone gives its
// numbers that way without an interface around each. Operations
// give [ErrDType] if t is not the dtype of the column.
func As[T any](c *Column[any], t dtype.Type[T]) *Column[T] {
	return newColumn(&c.h.in, c.h.names.Plain, t)
}

// Rename gives a column another name. Handles of the old name then get
// [ErrNotFound].
func (s *scope) Rename(ctx context.Context, name, newName string) error {
	return s.rename(ctx, name, newName, func(tx *Tx) (catalog.Entry, error) {
		e, err := tx.find(ctx, name)
		if err == nil {
			err = e.Refused()
		}
		return e, err
	})
}

// RenameIn is Rename for the column that has the name in a layout, as it stands
// in [ColumnInfo]: the name may mean another one.
func (s *scope) RenameIn(ctx context.Context, name, newName string, layout int) error {
	return s.rename(ctx, name, newName, func(tx *Tx) (catalog.Entry, error) {
		return catalog.FindIn(ctx, tx.r, name, store.Layout(layout))
	})
}

func (s *scope) rename(ctx context.Context, name, newName string, find func(*Tx) (catalog.Entry, error)) error {
	return s.update(ctx, "rename", name, func(tx *Tx) error {
		e, err := find(tx)
		if err != nil {
			return err
		}
		if err := tx.blocked(e.ID()); err != nil {
			return err
		}
		defer tx.forget(name)
		defer tx.forget(newName)
		if err := catalog.Rename(ctx, tx.w, e, newName); err != nil {
			return err
		}
		tx.changes = append(tx.changes, writeback.Change{ID: e.ID(), From: name, To: newName})
		return nil
	})
}

// Drop removes a column and everything in it.
func (s *scope) Drop(ctx context.Context, name string) error {
	return s.drop(ctx, name, func(tx *Tx) (catalog.Entry, error) {
		e, err := tx.find(ctx, name)
		if err == nil {
			err = e.Refused()
		}
		return e, err
	})
}

// DropIn is Drop for the column that has the name in a layout, as it stands in
// [ColumnInfo]: the name may mean another one.
func (s *scope) DropIn(ctx context.Context, name string, layout int) error {
	return s.drop(ctx, name, func(tx *Tx) (catalog.Entry, error) {
		return catalog.FindIn(ctx, tx.r, name, store.Layout(layout))
	})
}

func (s *scope) drop(ctx context.Context, name string, find func(*Tx) (catalog.Entry, error)) error {
	return s.update(ctx, "drop", name, func(tx *Tx) error {
		e, err := find(tx)
		if err != nil {
			return err
		}
		// What cannot be written to the column goes with it.
		if err := tx.blocked(e.ID()); errors.Is(err, ErrFlushPaused) {
			return err
		}
		defer tx.forget(name)
		if err := catalog.Drop(ctx, tx.w, e); err != nil {
			return err
		}
		tx.changes = append(tx.changes, writeback.Change{ID: e.ID(), From: name})
		return nil
	})
}

// heldFor is how many elements are held for a column.
func (tx *Tx) heldFor(id catalog.ID) int {
	p, _ := tx.reading.Column(id)
	return p.Count
}

// find returns the entry of the column in the catalog.
func (tx *Tx) find(ctx context.Context, name string) (catalog.Entry, error) {
	names := catalog.NamesOf(name)
	return catalog.Find(ctx, tx.r, &names)
}

// Create adds an empty column. A name that is taken gives [ErrExists]. nil
// options mean the defaults.
func Create[T any](ctx context.Context, in Scope, name string, t dtype.Type[T], o *ColumnOptions) (*Column[T], error) {
	s := in.in()
	if err := s.create(ctx, name, t, o); err != nil {
		return nil, err
	}
	return newColumn(s, name, t), nil
}

func (s *scope) create(ctx context.Context, name string, t form, o *ColumnOptions) error {
	if err := t.Err(); err != nil {
		return fail("create", name, -1, err)
	}
	return s.update(ctx, "create", name, func(tx *Tx) error {
		return tx.create(ctx, name, t.Spec(), t.Meaning(), o)
	})
}

// Ensure opens a column, and creates it if there is none. A column of another
// dtype or meaning gives [ErrDType], as for [Lookup]. The options count only for
// a column that is created.
func Ensure[T any](ctx context.Context, in Scope, name string, t dtype.Type[T], o *ColumnOptions) (*Column[T], error) {
	s := in.in()
	if err := s.ensure(ctx, name, t, o); err != nil {
		return nil, err
	}
	return newColumn(s, name, t), nil
}

func (s *scope) ensure(ctx context.Context, name string, t form, o *ColumnOptions) error {
	err := s.lookup(ctx, name, t)
	if !errors.Is(err, ErrNotFound) {
		return err
	}
	return s.update(ctx, "ensure", name, func(tx *Tx) error {
		err := tx.findAs(ctx, name, t) // again: somebody else may have been faster
		if !errors.Is(err, ErrNotFound) {
			return err
		}
		return tx.create(ctx, name, t.Spec(), t.Meaning(), o)
	})
}

// Lookup opens an existing column. A column of another dtype gives [ErrDType],
// and so does one of another meaning, but that [dtype.Int64] also opens times
// and dates, as the numbers that are stored, and that times may be read in
// another zone than the file names.
func Lookup[T any](ctx context.Context, in Scope, name string, t dtype.Type[T]) (*Column[T], error) {
	s := in.in()
	if err := s.lookup(ctx, name, t); err != nil {
		return nil, err
	}
	return newColumn(s, name, t), nil
}

func (s *scope) lookup(ctx context.Context, name string, t form) error {
	return s.read(ctx, "open column", name, func(tx *Tx) error { return tx.findAs(ctx, name, t) })
}

// findAs looks whether there is a column of this dtype.
func (tx *Tx) findAs(ctx context.Context, name string, t form) error {
	if err := t.Err(); err != nil {
		return err
	}
	names := catalog.NamesOf(name)
	o, err := tx.openAs(ctx, &names, t.String(), t.Size())
	if err != nil {
		return err
	}
	return o.checkMeaning(t.Spec(), t.Meaning())
}

// create adds an empty column in the transaction.
func (tx *Tx) create(ctx context.Context, name string, spec dtype.Spec, m dtype.Meaning, o *ColumnOptions) error {
	if o == nil {
		o = &ColumnOptions{}
	}
	options := catalog.Options{MinChunk: int64(o.MinChunk), MaxChunk: int64(o.MaxChunk), Meaning: m, Codec: catalog.Codec(o.Compression)}
	options.Home = int64(o.Home)
	err := store.CheckHome(options.Home)
	if err != nil {
		return err
	}
	if options.Layout, err = tx.v.layoutOf(o); err != nil {
		return err
	}
	_, err = catalog.Create(ctx, tx.w, name, spec, options, tx.v.store.Caps())
	tx.forget(name)
	return err
}

// layoutOf is that of a new column.
func (v *Vault) layoutOf(o *ColumnOptions) (store.Layout, error) {
	switch cmp.Or(o.Layout, v.layout) {
	case Native:
		return store.LayoutNative, nil
	case Layout0:
		return store.LayoutV0, nil
	case 0:
		return engine.Layout, nil
	}
	return 0, fmt.Errorf("%w: columns of layout %d cannot be created", ErrInvalidArgument, o.Layout)
}

// view runs fn in the transaction, or in a snapshot of its own. It is for loops,
// which hand out what they read while fn runs.
func (s *scope) view(ctx context.Context, op, name string, fn func(*Tx) error) error {
	if s.tx == nil {
		return fail(op, name, -1, s.v.view(ctx, fn))
	}
	return fail(op, name, -1, s.tx.do(fn))
}

// read runs fn in the transaction, or in one of its own for reading, which may
// run it again.
func (s *scope) read(ctx context.Context, op, name string, fn func(*Tx) error) error {
	if s.tx == nil {
		return fail(op, name, -1, s.v.read(ctx, fn))
	}
	return fail(op, name, -1, s.tx.do(fn))
}

// update runs fn in the transaction, which must be able to write, or in one of
// its own.
func (s *scope) update(ctx context.Context, op, name string, fn func(*Tx) error) error {
	switch {
	case s.tx == nil:
		return fail(op, name, -1, s.v.update(ctx, fn))
	case s.tx.w == nil:
		return fail(op, name, -1, fmt.Errorf("%w: a View only reads", ErrReadOnly))
	}
	return fail(op, name, -1, s.tx.do(fn))
}

// RetypeOptions say how [Vault.Retype] looks at a column.
type RetypeOptions struct {
	// Turn allows elements that are values to become missing, because they are
	// what stands for that, and missing ones to become values again, which is
	// [ErrTurned] otherwise. NaN and null are no values, and need no permission.
	Turn bool
	// Progress is called from time to time with the bytes that have been read,
	// and with those that will be; that is below 0 if it is not known.
	Progress func(done, total int64)
}

// Retype changes what the elements of a column mean beyond their dtype: makes
// times of numbers, for example, or lets elements be missing. It returns how
// many elements are missing now. The elements stay as they are, and so do words
// in the file that only other versions know. nil options mean the defaults.
//
// All elements are read first, in the transaction that changes the meaning. If
// one does not fit, nothing changes, and the error names its position: times and
// dates must be of the years 0 to 9999. A meaning that the dtype cannot have is
// an [ErrInvalidArgument].
//
// Handles of the old meaning then get [ErrDType]. What caches of other vaults
// hold is still appended, because its stored form is that of the same dtype.
func (s *scope) Retype(ctx context.Context, name string, m dtype.Meaning, o *RetypeOptions) (missing int, err error) {
	if o == nil {
		o = &RetypeOptions{}
	}
	err = s.update(ctx, "retype", name, func(tx *Tx) error {
		names := catalog.NamesOf(name)
		col, err := tx.open(ctx, &names)
		if err != nil {
			return err
		}
		spec, err := col.spec()
		if err == nil {
			err = col.checkType(spec.String(), spec.ElemSize())
		}
		if err == nil {
			err = m.Check(spec)
		}
		if err != nil {
			return err
		}
		change := dtype.Change{Spec: spec, From: col.attrs.Meaning(spec), To: m}
		if err := col.look(ctx, &change, o.Progress); err != nil {
			return err
		}
		if change.Turned > 0 && !o.Turn {
			return turnedError(&change)
		}
		e, err := tx.find(ctx, name)
		if err != nil {
			return err
		}
		defer tx.forget(name)
		if err := catalog.Retype(ctx, tx.w, e, m); err != nil {
			return err
		}
		tx.changes = append(tx.changes, writeback.Change{ID: e.ID(), From: name, To: name})
		missing = change.Missing
		return nil
	})
	return missing, err
}

// turnedError is the error of values that would become missing, or the reverse.
func turnedError(c *dtype.Change) error {
	if c.To.Null {
		return fmt.Errorf("%w: elements with the value that would stand for a missing one: %d", ErrTurned, c.Turned)
	}
	return fmt.Errorf("%w: missing elements that would have a value: %d", ErrTurned, c.Turned)
}

// look has the change look at all elements of the column.
func (o *opened) look(ctx context.Context, c *dtype.Change, progress func(done, total int64)) error {
	if c.To == (dtype.Meaning{}) && !c.From.Null {
		return nil // nothing is asked of them
	}
	done, total := int64(0), int64(-1)
	if o.elem > 0 {
		total = o.elem * o.Len()
	}
	var b column.Elements
	for i := int64(0); i < o.Len(); {
		b.Reset()
		next, err := o.Read(ctx, o.tx.r, &b, i, o.Len(), o.tx.v.buffer)
		if err != nil {
			return err
		}
		var bad *dtype.ElementError
		if err := c.Look(b.Data, b.Ends, int(next-i)); errors.As(err, &bad) {
			return fail("retype", o.name, int(i)+bad.Index, bad.Err)
		} else if err != nil {
			return err
		}
		i, done = next, done+int64(len(b.Data))
		if progress != nil {
			progress(done, total)
		}
	}
	return nil
}
