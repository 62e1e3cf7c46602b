// Package migrate brings columns from one layout to another: it decides which,
// refuses what does not fit before anything is written, copies, and compares
// every element before the old column goes.
package migrate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"columnvault/dtype"
	"columnvault/internal/catalog"
	"columnvault/internal/column"
	"columnvault/internal/column/layout1"
	"columnvault/internal/excerpt"
	"columnvault/internal/store"
)

// Options are what is migrated, and how.
type Options struct {
	// Columns are names; none stand for all columns in other layouts.
	Columns []string
	// To is the layout that they get.
	To store.Layout
	// Codec is how native columns store what is full.
	Codec catalog.Codec
	// Keep leaves the old columns where they are.
	Keep bool
	// Replace lets columns take the place of those of the same names that are in
	// the layout already.
	Replace bool
	// Transcode lets elements that the layout cannot hold become what they are
	// read as.
	Transcode bool
	// Window is the number of bytes that are moved at once.
	Window int64
	// Progress is told how many bytes have been moved or compared.
	Progress func(n int64)
}

// Move is a column that is to be brought to another layout.
type Move struct {
	From catalog.Entry
	// Replaced is the column that has the name there, if its ID is not zero.
	Replaced catalog.Entry
	spec     dtype.Spec
	// Bytes is the size of the elements.
	Bytes int64
}

// ColumnError is why a column cannot be migrated.
type ColumnError struct {
	Column string
	Err    error
}

func (e *ColumnError) Error() string { return e.Column + ": " + e.Err.Error() }

// Unwrap is the reason.
func (e *ColumnError) Unwrap() error { return e.Err }

// ErrTranscode: the elements have no form in the layout.
var ErrTranscode = fmt.Errorf("%w: no such elements in other layouts", store.ErrInvalidArgument)

// ErrNamesake: a column of the name is in the layout already.
var ErrNamesake = fmt.Errorf("%w in the layout", store.ErrExists)

// Plan finds the columns, and says why one of them cannot be migrated.
func Plan(ctx context.Context, r store.Reader, caps store.Caps, o Options) ([]Move, error) {
	if o.To != store.LayoutV0 && o.To != store.LayoutV1 && o.To != store.LayoutNative {
		return nil, fmt.Errorf("%w: layout %d; want 0, 1 or native, which is 2", store.ErrInvalidArgument, o.To)
	}
	if o.Codec != catalog.Raw && o.To != store.LayoutNative {
		return nil, fmt.Errorf("%w: only native columns are compressed", store.ErrInvalidArgument)
	}
	entries, err := catalog.List(ctx, r)
	if err != nil {
		return nil, err
	}
	from, there := map[string]catalog.Entry{}, map[string]catalog.Entry{}
	var all []string
	for _, e := range entries {
		switch {
		case e.Kind == catalog.Half:
		case layoutOf(e) == o.To:
			there[e.Name] = e
		default:
			if other, twice := from[e.Name]; !twice || other.Hidden {
				from[e.Name] = e
			}
			all = append(all, e.Name)
		}
	}
	if len(o.Columns) > 0 {
		all = o.Columns
	}
	var moves []Move
	for i, name := range all {
		e, ok := from[name]
		_, done := there[name]
		switch {
		case slices.Contains(all[:i], name), !ok && done:
			continue
		case !ok:
			err = store.ErrNotFound
		default:
			m := Move{From: e, Replaced: there[name]}
			if err = m.check(ctx, r, caps, o); err == nil {
				moves = append(moves, m)
			}
		}
		if err != nil {
			return nil, &ColumnError{name, err}
		}
	}
	return moves, nil
}

func layoutOf(e catalog.Entry) store.Layout { return e.Data.Layout }

// check says why the column cannot be migrated.
func (m *Move) check(ctx context.Context, r store.Reader, caps store.Caps, o Options) (err error) {
	e := m.From
	if m.spec, err = dtype.ParseSpec(e.DType); err != nil {
		return fmt.Errorf("%w: this version does not know the dtype %s", errors.ErrUnsupported, excerpt.Quote(e.DType, excerpt.Name))
	}
	if want := int64(m.spec.ElemSize()); e.Size() != want {
		return fmt.Errorf("%w: the catalog gives elements of %s a size of %d bytes, and they have %d", store.ErrCorrupt, excerpt.Line(e.DType, excerpt.Name), e.Size(), want)
	}
	if m.Replaced.ID() != (catalog.ID{}) && !o.Replace {
		return fmt.Errorf("%w: a column of dtype %s with %d elements", ErrNamesake, excerpt.Line(m.Replaced.DType, excerpt.Name), m.Replaced.Len())
	}
	if m.apart(o) && o.Keep {
		return fmt.Errorf("%w: a native column does not share its name with another, so none can be kept beside it", store.ErrInvalidArgument)
	}
	if e.Transcoded() && !o.Transcode {
		return fmt.Errorf("%w: elements of %s become those of %v if that is asked for", ErrTranscode, excerpt.Line(e.Stored, excerpt.Name), m.spec)
	}
	if err := catalog.CheckMigrated(ctx, r, e, o.To, m.Replaced); err != nil {
		return err
	}
	col, err := e.Open(caps)
	if err != nil {
		return err
	}
	stat, err := col.Stat(ctx, r)
	if err != nil {
		return err
	}
	if stat.Largest > column.MaxElement {
		return fmt.Errorf("%w: an element of %d bytes, and the limit is %d", store.ErrTooLarge, stat.Largest, column.MaxElement)
	}
	m.Bytes = stat.LiveBytes
	return nil
}

// Groups are the moves that belong into one transaction: columns with a prefix in
// common are a table, and others stand alone.
func Groups(moves []Move) (groups [][]Move) {
	tables := map[string]int{}
	for _, m := range moves {
		table := ""
		if i := strings.LastIndexByte(m.From.Name, '.'); i > 0 {
			table = m.From.Name[:i]
		}
		if at, ok := tables[table]; ok && table != "" {
			groups[at] = append(groups[at], m)
			continue
		}
		tables[table] = len(groups)
		groups = append(groups, []Move{m})
	}
	return groups
}

// Do migrates a column that Plan has found in the same transaction.
func (m *Move) Do(ctx context.Context, tx store.Tx, caps store.Caps, o Options) (err error) {
	defer column.AbortOn(tx, &err)
	if m.Replaced.ID() != (catalog.ID{}) {
		if err := catalog.Drop(ctx, tx, m.Replaced); err != nil {
			return err
		}
	}
	as := m.From
	if m.apart(o) {
		taken := func(string) bool { return false }
		if as.Name, err = catalog.FreeName(ctx, tx, "columnvault/migrate", taken); err != nil {
			return err
		}
	}
	to, err := catalog.CreateMigrated(ctx, tx, as, m.spec, o.To, o.Codec, caps)
	if err != nil {
		return err
	}
	from, err := m.From.Open(caps)
	if err != nil {
		return err
	}
	if err := fill(ctx, tx, caps, to, from, o); err != nil {
		return err
	}
	if err := compare(ctx, tx, caps, to, from, o); err != nil || o.Keep {
		return err
	}
	if err := catalog.Drop(ctx, tx, m.From); err != nil || !m.apart(o) {
		return err
	}
	return catalog.Take(ctx, tx, to, m.From.Name)
}

// apart tells whether the old and the new column cannot have the same name: a
// native one shares its name with none.
func (m *Move) apart(o Options) bool {
	return o.To == store.LayoutNative || layoutOf(m.From) == store.LayoutNative
}

// fill copies the elements to a new column.
func fill(ctx context.Context, tx store.Tx, caps store.Caps, to catalog.Entry, from column.Column, o Options) error {
	var add func(column.Elements) error
	end := func() error { return nil }
	if layoutOf(to) == store.LayoutV1 {
		w := layout1.NewWriter(to.Data, to.Form())
		add = func(e column.Elements) error { return w.Append(ctx, tx, e) }
		end = func() error { return w.Close(ctx, tx) }
	} else {
		col, err := to.Open(caps)
		if err != nil {
			return err
		}
		add = func(e column.Elements) error { return col.Append(ctx, tx, e) }
	}
	var e column.Elements
	for i := int64(0); i < from.Len(); {
		e.Reset()
		next, err := from.Read(ctx, tx, &e, i, from.Len(), o.Window)
		if err == nil {
			err = add(e)
		}
		if err != nil {
			return err
		}
		o.advance(len(e.Data))
		i = next
	}
	return end()
}

// compare reads both columns and looks whether they hold the same.
func compare(ctx context.Context, tx store.Tx, caps store.Caps, to catalog.Entry, from column.Column, o Options) error {
	found, err := catalog.FindID(ctx, tx, to.ID())
	if err != nil {
		return err
	}
	col, err := found.Open(caps)
	if err != nil {
		return err
	}
	if col.Len() != from.Len() || col.Size() != from.Size() {
		return fmt.Errorf("%w: of %d elements of %d bytes the new column has %d of %d", store.ErrCorrupt, from.Len(), from.Size(), col.Len(), col.Size())
	}
	var a, b column.Elements
	for i := int64(0); i < from.Len(); {
		a.Reset()
		b.Reset()
		next, err := from.Read(ctx, tx, &a, i, from.Len(), o.Window)
		if err == nil {
			_, err = col.Read(ctx, tx, &b, i, next, column.NoLimit)
		}
		if err != nil {
			return err
		}
		if !bytes.Equal(a.Data, b.Data) || !slices.Equal(a.Ends, b.Ends) {
			return fmt.Errorf("%w: elements from %d to %d differ in the new column", store.ErrCorrupt, i, next-1)
		}
		o.advance(len(a.Data))
		i = next
	}
	return nil
}

func (o *Options) advance(n int) {
	if o.Progress != nil {
		o.Progress(int64(n))
	}
}
