// Package catalog makes columns of catalog rows: it knows which rows form a
// variable-size column, which names are free, and how a column is created,
// renamed and dropped.
//
// A fixed-size column is one row. A variable-size column X is a pair of rows,
// X_data and X_idx, which 0.8.6 writes one after the other: a crash between
// the two leaves a half that it can neither open nor create again. For 0.8.6
// any two rows with such names are a pair, and a pair hides a fixed column of
// its base name for good, so names that would bring that about are refused.
package catalog

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"columnvault/dtype"
	"columnvault/internal/column"
	"columnvault/internal/column/layout0"
	"columnvault/internal/column/layout1"
	"columnvault/internal/column/native"
	"columnvault/internal/excerpt"
	"columnvault/internal/store"
)

// EntrySize is the number of bytes of an entry in an index.
const EntrySize = layout0.EntrySize

// Kind is what an entry of the catalog is.
type Kind uint8

const (
	// Fixed is a column whose elements have one size.
	Fixed Kind = iota
	// VarSize is a column whose elements vary in size.
	VarSize
	// Half is what a crash of 0.8.6 leaves of a variable-size column that it
	// was creating. It can be dropped or completed.
	Half
	// V1 is a column in the layout of KohakuVault 1.x, whose elements have one
	// size or vary. It can be read, created whole and dropped.
	V1
	// Native is a column in the layout of our own, whose elements have one size or
	// vary.
	Native
)

// Entry is one column of the catalog.
type Entry struct {
	Kind  Kind
	Name  string
	DType string // as it was given when the column was created
	// Stored is the dtype in the file, if elements are read as another; it is
	// empty for most. Only columns of V1 have it.
	Stored string
	// Hidden says that the name means another column: a native one goes before
	// one of layout 0, and that before one of layout 1. It is set in lists.
	Hidden bool
	// form is how the elements of V1 are read, nil for as they are stored.
	form *layout1.Form
	// last is the last chunk of a native column, nil for none, and seal the codec
	// of one that is to be created. Directories may keep what is known of it.
	last        *store.Chunk
	seal        Codec
	Directories *Directories
	// Data is the row of the column, or its data half; Index is the other half
	// of a variable-size column. A Half may have either without the other.
	Data, Index store.Row
}

// ID is what a column keeps when it is renamed: the IDs of its rows. No column
// that is created later has the same.
type ID struct {
	// Data is that of the row of the column, or of its data half; Index is that
	// of the other half, 0 for a column of one row.
	Data, Index store.ColumnID
}

// Attrs is what the elements mean beyond their dtype. It stands in the row of
// the column, or of its data half.
func (e Entry) Attrs() dtype.Attrs { return dtype.Attrs(e.Data.Attrs) }

// Home is where the column is: see [store.Row].
func (e Entry) Home() int64 { return max(e.Data.Home, e.Index.Home) }

// ID is the identity of the column.
func (e Entry) ID() ID { return ID{Data: e.Data.ID, Index: e.Index.ID} }

// Names are the names under which the rows of a column may be found.
type Names struct {
	Plain, Data, Index string
	// all are the three, for a lookup without an allocation.
	all []string
}

const (
	dataSuffix  = "_data"
	indexSuffix = "_idx"
	// maxName is the longest name, in bytes, that is given to a new column.
	maxName = 255
)

// NamesOf returns the names for the column called name.
func NamesOf(name string) Names {
	all := []string{name, name + dataSuffix, name + indexSuffix}
	return Names{Plain: all[0], Data: all[1], Index: all[2], all: all}
}

// Rows are all of them.
func (n *Names) Rows() []string { return n.all }

// Len is the number of elements.
func (e Entry) Len() int64 {
	switch e.Kind {
	case Fixed, V1:
		return e.Data.Length
	case Native:
		return native.Length(e.Data, e.last)
	default:
		return e.Index.Length
	}
}

// Size is the size of the elements according to the catalog, 0 where they
// vary.
func (e *Entry) Size() int64 {
	switch {
	case e.Kind == VarSize:
		return 0
	case e.form != nil:
		return e.form.Size
	}
	return e.Data.ElemSize
}

// StoredSize is the size of the elements in the file according to the dtype, 0
// where they vary, or that is not known.
func (e *Entry) StoredSize() int64 {
	if e.form != nil {
		return e.form.Stored
	}
	spec, err := dtype.ParseSpec(e.DType)
	if err != nil {
		return 0
	}
	return int64(spec.ElemSize())
}

// Varies tells whether elements vary in size.
func (e *Entry) Varies() bool {
	return e.Kind == VarSize || (e.Kind == V1 || e.Kind == Native) && e.Data.ElemSize == 0
}

// Open opens the column for the snapshot or transaction that the entry was
// read in, as the engine likes it.
func (e Entry) Open(caps store.Caps) (column.Column, error) {
	switch e.Kind {
	case Fixed:
		return layout0.OpenFixed(e.Data, caps.Window)
	case VarSize:
		return layout0.OpenVarSize(e.Data, e.Index, caps.Window)
	case Half:
		return nil, fmt.Errorf("%w: a program that crashed has created only half of the column; create it with the same dtype to complete it, or drop it", store.ErrNotFound)
	case V1:
		if e.Data.ElemSize == 0 {
			return layout1.OpenVarSize(e.Data, e.form, caps.Window)
		}
		return layout1.OpenFixed(e.Data, e.form)
	default:
		return e.openNative(caps)
	}
}

// isIndex tells an index row from a fixed column that only has such a name.
func isIndex(row store.Row) bool {
	return row.Layout == store.LayoutV0 && strings.HasSuffix(row.Name, indexSuffix) && layout0.IsIndex(row)
}

// StrayIndex tells whether a column is in truth an index row, in which the size
// of the elements is not that of index entries, and what the size must be.
func StrayIndex(e Entry) (size int64, ok bool) {
	if e.Kind != Fixed || !strings.HasSuffix(e.Name, indexSuffix) {
		return 0, false
	}
	row := e.Data
	row.ElemSize = EntrySize
	return row.ElemSize, row.ElemSize != e.Data.ElemSize && layout0.IsIndex(row)
}

// isLoneData tells the data half of a pair that was never completed: its dtype
// has no fixed size, so the row cannot be a column by itself.
func isLoneData(row store.Row) bool {
	if row.Layout != 0 || !strings.HasSuffix(row.Name, dataSuffix) || row.ElemSize != 1 || row.Length != 0 {
		return false
	}
	spec, err := dtype.ParseSpec(row.DType)
	return err == nil && spec.ElemSize() == 0
}

// Find returns the column with these names, or ErrNotFound.
func Find(ctx context.Context, r store.Reader, names *Names) (Entry, error) {
	rows, err := r.Lookup(ctx, names.all...)
	if err != nil {
		return Entry{}, err
	}
	var plain, data, index *store.Row
	for i, row := range rows {
		switch row.Name {
		case names.Plain:
			plain = &rows[i]
		case names.Data:
			data = &rows[i]
		case names.Index:
			index = &rows[i]
		}
	}
	switch {
	case plain != nil && plain.Layout == store.LayoutNative:
		return entryNative(ctx, r, *plain)
	case data != nil && data.Layout == store.LayoutV0 && index != nil && isIndex(*index):
		return Entry{Kind: VarSize, Name: names.Plain, DType: data.DType, Data: *data, Index: *index}, nil
	case plain != nil:
		return findPlain(ctx, r, *plain)
	case data != nil && isLoneData(*data):
		return Entry{Kind: Half, Name: names.Plain, DType: data.DType, Data: *data}, nil
	case index != nil && isIndex(*index):
		return Entry{Kind: Half, Name: names.Plain, DType: index.DType, Index: *index}, nil
	}
	return Entry{}, store.ErrNotFound
}

// FindIn returns the column that has the name in a layout, whether the name alone
// means it or not, or ErrNotFound.
func FindIn(ctx context.Context, r store.Reader, name string, layout store.Layout) (Entry, error) {
	entries, err := List(ctx, r)
	if err != nil {
		return Entry{}, err
	}
	for _, e := range entries {
		if e.Name == name && e.Data.Layout == layout {
			return e, nil
		}
	}
	return Entry{}, store.ErrNotFound
}

// FindID returns the column with this identity under the name that it has now.
// Where its rows are gone, or do not form a column any more, it returns
// ErrNotFound, even if there is another column of the same name.
func FindID(ctx context.Context, r store.Reader, id ID) (Entry, error) {
	ids := []store.ColumnID{id.Data, id.Index}
	if id.Index == 0 {
		ids = ids[:1]
	}
	rows, err := r.LookupID(ctx, ids...)
	if err != nil {
		return Entry{}, err
	}
	switch {
	case len(rows) < len(ids):
		return Entry{}, store.ErrNotFound
	case id.Index == 0:
		return findPlain(ctx, r, rows[0])
	}
	data, index := rows[0], rows[1]
	if data.ID != id.Data {
		data, index = index, data
	}
	base, _ := strings.CutSuffix(data.Name, dataSuffix)
	if names := NamesOf(base); data.Name != names.Data || index.Name != names.Index || !isIndex(index) {
		return Entry{}, store.ErrNotFound
	}
	return Entry{Kind: VarSize, Name: base, DType: data.DType, Data: data, Index: index}, nil
}

// findPlain is the entry of a row that has the name itself, unless the row is
// a part of another column.
func findPlain(ctx context.Context, r store.Reader, row store.Row) (Entry, error) {
	switch row.Layout {
	case store.LayoutNative:
		return entryNative(ctx, r, row)
	case store.LayoutV1:
		return entryV1(row), nil
	}
	if base, ok := baseOf(row.Name); ok {
		names := NamesOf(base)
		whole, err := Find(ctx, r, &names)
		if err == nil && (whole.Kind == VarSize || whole.Kind == Half) {
			return Entry{}, fmt.Errorf("%w: %s is a part of the variable-size column %s; use that name", store.ErrNotFound, quote(row.Name), quote(base))
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return Entry{}, err
		}
	}
	return Entry{Kind: Fixed, Name: row.Name, DType: row.DType, Data: row}, nil
}

// Refused says why a column cannot be changed, if its layout is the reason.
func (e Entry) Refused() error {
	if e.Kind == V1 {
		return layout1.Refuse()
	}
	return nil
}

// baseOf is the column that a row with this name could be a part of.
func baseOf(name string) (string, bool) {
	if base, ok := strings.CutSuffix(name, dataSuffix); ok {
		return base, true
	}
	return strings.CutSuffix(name, indexSuffix)
}

// List returns all columns in the order of creation, a pair as one.
func List(ctx context.Context, r store.Reader) ([]Entry, error) {
	rows, err := r.Columns(ctx)
	if err != nil {
		return nil, err
	}
	entries := Entries(rows)
	for i, e := range entries {
		if e.Kind == Native {
			hidden := e.Hidden
			if entries[i], err = entryNative(ctx, r, e.Data); err != nil {
				return nil, err
			}
			entries[i].Hidden = hidden
		}
	}
	return entries, nil
}

// Entries returns the columns that these rows make, a pair as one.
func Entries(rows []store.Row) []Entry {
	byName := map[string]store.Row{}
	for _, row := range rows {
		if row.Layout == 0 {
			byName[row.Name] = row
		}
	}
	var entries []Entry
	taken := map[string]bool{} // by what is not in layout 1
	native := map[string]bool{}
	for _, row := range rows {
		if e, ok := listed(row, byName); ok {
			entries = append(entries, e)
			if e.Kind != V1 {
				taken[e.Data.Name], taken[e.Index.Name] = true, true
				taken[e.Name] = taken[e.Name] || e.Kind != Half
			}
			native[e.Name] = native[e.Name] || e.Kind == Native
		}
	}
	for i, e := range entries {
		entries[i].Hidden = e.Kind == V1 && taken[e.Name] || e.Kind != Native && e.Kind != Half && native[e.Name]
	}
	return entries
}

// listed is the entry that stands in the list for a row, if any does: a pair
// stands where its data half is.
func listed(row store.Row, byName map[string]store.Row) (Entry, bool) {
	switch row.Layout {
	case store.LayoutNative:
		return Entry{Kind: Native, Name: row.Name, DType: row.DType, Data: row}, true
	case store.LayoutV1:
		return entryV1(row), true
	}
	base, _ := baseOf(row.Name)
	names := NamesOf(base)
	switch {
	case isIndex(row):
		_, paired := byName[names.Data]
		return Entry{Kind: Half, Name: base, DType: row.DType, Index: row}, !paired
	case row.Name == names.Data && isIndex(byName[names.Index]):
		return Entry{Kind: VarSize, Name: base, DType: row.DType, Data: row, Index: byName[names.Index]}, true
	case isLoneData(row):
		return Entry{Kind: Half, Name: base, DType: row.DType, Data: row}, true
	}
	return Entry{Kind: Fixed, Name: row.Name, DType: row.DType, Data: row}, true
}

// Options are how a new column is stored. What is 0 is chosen for the engine.
type Options struct {
	// MinChunk and MaxChunk bound the chunks, in bytes.
	MinChunk, MaxChunk int64
	// Meaning is what the elements mean beyond their dtype.
	Meaning dtype.Meaning
	// Layout is LayoutV0 or LayoutNative, Codec how the latter stores what is
	// full.
	Layout store.Layout
	Codec  Codec
	// Home is that of the column.
	Home int64
}

// Create adds an empty column. The half of one that has the same dtype, which
// never held an element, gives way to it.
func Create(ctx context.Context, tx store.Tx, name string, spec dtype.Spec, o Options, caps store.Caps) (Entry, error) {
	if err := checkName(name); err != nil {
		return Entry{}, err
	}
	e := Entry{Kind: Fixed, Name: name, DType: spec.String()}
	names := NamesOf(name)
	bounds := layout0.Bounds{Min: o.MinChunk, Max: o.MaxChunk}
	var err error
	if size := int64(spec.ElemSize()); o.Layout == store.LayoutNative {
		e, err = nativeRow(name, e.DType, size, o, caps)
	} else if o.Codec != Raw {
		err = fmt.Errorf("%w: only native columns are compressed", store.ErrInvalidArgument)
	} else if size > 0 {
		e.Data, err = layout0.FixedRow(names.Plain, e.DType, size, bounds, caps)
	} else {
		e.Kind = VarSize
		e.Data, e.Index, err = layout0.VarSizeRows(names.Data, names.Index, e.DType, bounds, caps)
	}
	if err != nil {
		return Entry{}, err
	}
	e.Data.Attrs, e.Data.Home = o.Meaning.String(), o.Home
	old, err := Find(ctx, tx, &names)
	switch {
	case err == nil && e.completes(old):
		err = Drop(ctx, tx, old)
	case err == nil:
		err = taken(old)
	case errors.Is(err, store.ErrNotFound):
		err = nil
	}
	if err != nil {
		return Entry{}, err
	}
	return e, e.create(ctx, tx, nil)
}

// Twin adds an empty column of another name whose elements are like those of e,
// of whatever dtype and meaning.
func Twin(ctx context.Context, tx store.Tx, e Entry, name string, caps store.Caps) (Entry, error) {
	twin := Entry{Kind: e.Kind, Name: name, DType: e.DType}
	names := NamesOf(name)
	var err error
	if e.Kind == Native {
		twin, err = nativeRow(name, e.DType, e.Data.ElemSize, Options{MaxChunk: e.Data.MaxChunk, Codec: e.Codec()}, caps)
	} else if e.Kind == Fixed {
		twin.Data, err = layout0.FixedRow(names.Plain, e.DType, e.Data.ElemSize, layout0.Bounds{}, caps)
	} else {
		twin.Data, twin.Index, err = layout0.VarSizeRows(names.Data, names.Index, e.DType, layout0.Bounds{}, caps)
	}
	if err != nil {
		return Entry{}, err
	}
	if len(e.Data.Attrs) <= store.MaxAttrs { // longer ones mean nothing
		twin.Data.Attrs = e.Data.Attrs
	}
	twin.Data.Home = e.Home()
	return twin, twin.create(ctx, tx, nil)
}

// FreeName is a name that no column and no row of one has: this one, cut to the
// length that names may have, or with a number after it.
func FreeName(ctx context.Context, r store.Reader, name string, taken func(name string) bool) (string, error) {
	const room = 32 // for the number, and the parts of pairs
	name = strings.ReplaceAll(strings.ToValidUTF8(name, "?"), "\x00", "?")
	if len(name) > maxName-room {
		name = strings.ToValidUTF8(name[:maxName-room], "")
	}
	for n := 1; ; n++ {
		try := name
		if n > 1 {
			try = fmt.Sprintf("%s-%d", name, n)
		}
		if taken(try) {
			continue
		}
		rows, err := r.Lookup(ctx, NamesOf(try).all...)
		if err != nil || len(rows) == 0 {
			return try, err
		}
	}
}

// completes tells whether the column is the whole of which a crash has left
// that half.
func (e Entry) completes(half Entry) bool {
	if half.Kind != Half || e.Kind != VarSize || half.Len() > 0 {
		return false
	}
	if half.Data.ID == 0 {
		return true // an index has no dtype of its own
	}
	spec, err := dtype.ParseSpec(half.DType)
	return err == nil && spec.String() == e.DType
}

// create adds the rows of the entry. The rows in own are not in the way.
func (e *Entry) create(ctx context.Context, tx store.Tx, own map[store.ColumnID]string) (err error) {
	rows := []*store.Row{&e.Data}
	e.Index.Home = e.Data.Home
	if e.Kind == VarSize {
		rows = append(rows, &e.Index)
	}
	for _, row := range rows {
		if err := checkFree(ctx, tx, row.Name, e.Name, own); err != nil {
			return err
		}
	}
	for _, row := range rows {
		if *row, err = tx.CreateColumn(ctx, *row); err != nil {
			tx.Abort(err) // the other row of a pair may be there already
			return err
		}
	}
	if e.Kind == Native {
		if err := native.Start(ctx, tx, e.Data, e.seal); err != nil {
			tx.Abort(err)
			return err
		}
		*e, err = entryNative(ctx, tx, e.Data)
	}
	return err
}

func checkName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("%w: a column needs a name", store.ErrInvalidArgument)
	case len(name) > maxName:
		return fmt.Errorf("%w: the name has %d bytes, and the limit is %d", store.ErrInvalidArgument, len(name), maxName)
	case !utf8.ValidString(name) || strings.ContainsRune(name, 0):
		return fmt.Errorf("%w: the name %s is not UTF-8 text without NUL", store.ErrInvalidArgument, quote(name))
	}
	return nil
}

// quote shows a name in an error. Files of others have names of any length.
func quote(name string) string { return excerpt.Quote(name, excerpt.Name+len(dataSuffix)) }

// taken says what has the name already.
func taken(e Entry) error {
	switch e.Kind {
	case Half:
		return fmt.Errorf("%w: half of a variable-size column of dtype %s, left by a crash; create it with that dtype to complete it, or drop it", store.ErrExists, excerpt.Line(e.DType, excerpt.Name))
	default:
		return fmt.Errorf("%w: a column of dtype %s with %d elements", store.ErrExists, excerpt.Line(e.DType, excerpt.Name), e.Len())
	}
}

// checkFree reports that there cannot be a row of this name for the column
// called owner. The rows in own are not in the way.
func checkFree(ctx context.Context, tx store.Reader, name, owner string, own map[store.ColumnID]string) error {
	related := []string{name, name + dataSuffix, name + indexSuffix}
	base, part := baseOf(name)
	if part && base != owner {
		related = append(related, base+dataSuffix, base+indexSuffix)
	}
	rows, err := tx.Lookup(ctx, related...)
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for _, row := range rows {
		if _, ok := own[row.ID]; ok {
			continue
		}
		if row.Name == name {
			return fmt.Errorf("%w: the column needs a row named %s, and there is one", store.ErrExists, quote(name))
		}
		there[row.Name] = true
	}
	if there[name+dataSuffix] && there[name+indexSuffix] {
		return fmt.Errorf("%w: %s and %s exist, and hide a column named %s from KohakuVault", store.ErrExists,
			quote(name+dataSuffix), quote(name+indexSuffix), quote(name))
	}
	for _, other := range []string{base + dataSuffix, base + indexSuffix} {
		if part && other != name && there[other] {
			return fmt.Errorf("%w: %s exists, and KohakuVault would take it and %s for one variable-size column %s", store.ErrExists,
				quote(other), quote(name), quote(base))
		}
	}
	return nil
}

// Retype gives a column another meaning.
func Retype(ctx context.Context, tx store.Tx, e Entry, m dtype.Meaning) error {
	if err := e.Refused(); err != nil {
		return err
	}
	return tx.SetAttrs(ctx, e.Data.ID, string(e.Attrs().With(m)))
}

// Rename gives a column another name, in any layout.
func Rename(ctx context.Context, tx store.Tx, e Entry, name string) error {
	if name == e.Name {
		return nil
	}
	if err := checkName(name); err != nil {
		return err
	}
	names := NamesOf(name)
	if old, err := Find(ctx, tx, &names); err == nil {
		return taken(old)
	} else if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	renamed := map[store.ColumnID]string{e.Data.ID: names.Plain}
	if e.Kind == VarSize || e.Kind == Half {
		renamed = map[store.ColumnID]string{e.Data.ID: names.Data, e.Index.ID: names.Index}
	}
	delete(renamed, 0) // the row that a half does not have
	for _, row := range renamed {
		if err := checkFree(ctx, tx, row, name, renamed); err != nil {
			return err
		}
	}
	for id, row := range renamed {
		if err := tx.RenameColumn(ctx, id, row); err != nil {
			tx.Abort(err)
			return err
		}
	}
	return nil
}

// Take gives a column a name that is known to be free.
func Take(ctx context.Context, tx store.Tx, e Entry, name string) error {
	names := NamesOf(name)
	rows := map[store.ColumnID]string{e.Data.ID: names.Plain}
	if e.Kind == VarSize {
		rows = map[store.ColumnID]string{e.Data.ID: names.Data, e.Index.ID: names.Index}
	}
	for id, row := range rows {
		if err := tx.RenameColumn(ctx, id, row); err != nil {
			tx.Abort(err)
			return err
		}
	}
	return nil
}

// Drop removes a column and all it holds.
func Drop(ctx context.Context, tx store.Tx, e Entry) error {
	for _, row := range []store.Row{e.Data, e.Index} {
		if row.ID == 0 {
			continue
		}
		if err := tx.DropColumn(ctx, row.ID); err != nil {
			tx.Abort(err)
			return err
		}
	}
	return nil
}
