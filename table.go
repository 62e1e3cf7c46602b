package columnvault

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"

	"columnvault/dtype"
	"columnvault/internal/catalog"
	"columnvault/internal/column"
	"columnvault/internal/excerpt"
	"columnvault/internal/rows"
	"columnvault/internal/writeback"
)

// Table is a handle of the columns NAME.FIELD as rows of the struct type T: one
// for each field that is stored. All operations are one transaction over all of
// them, or a part of one through [Table.In], so the columns keep equal lengths
// and a read sees rows of one moment. It may be used from many goroutines.
//
// # Fields
//
// Exported fields are stored, those of embedded structs too. The column has the
// name of the field and the dtype that fits its type, if the tag does not say
// otherwise:
//
//	columnvault:"NAME,DTYPE,time=UNIT,zone=ZONE,date,default=VALUE"
//
// All parts may be left out, and "-" alone leaves the field out. docs/tables.md
// lists the types, and what a default looks like. A value that may be missing is
// a [database/sql.Null], or one of the older types of that package, in a column
// that is nullable; pointers are refused.
//
// # Other columns
//
// A column of the table that T lacks must be nullable: rows that are appended or
// inserted get a missing element there. When the table has got other columns
// since it was opened, a write gives [ErrTableChanged] and changes nothing.
// When the columns have unequal lengths, because something else than the table
// has written to them, reads end with the shortest and writes give [ErrUneven].
//
// Positions and ranges are those of [Column].
type Table[T any] struct {
	in  scope
	def *tableDef
}

// TableOptions configure [EnsureTable].
type TableOptions struct {
	// Ignore opens a table also if it has columns that T lacks and that are not
	// nullable. It can then only be read, and a field without a column gives
	// [ErrReadOnly].
	Ignore bool
	// Columns are the options of columns that are created.
	Columns ColumnOptions
	// Progress is called from time to time while rows that are there get values
	// for new fields, with the bytes that have been written and those that will
	// be.
	Progress func(done, total int64)
}

// TableColumn is a column of a [Table].
type TableColumn struct {
	// Name is that of the field; the column is called TABLE.FIELD.
	Name    string
	DType   string
	Meaning dtype.Meaning
}

// tableDef is what the handles of a table have in common.
type tableDef struct {
	name string
	// columns are those of the fields, in their order, and after them those that
	// the rows lack.
	columns []*tableColumn
	fields  int
	// lookups are the names of the rows of all columns in the catalog.
	lookups []string
	// ignored are the names of other columns, for which rows have no value. With
	// any the table is for reading.
	ignored []string
	// seen is the version of the catalog in which the columns were last found to
	// be these; see [store.Reader].
	seen atomic.Uint64
}

// tableColumn is a column of a table.
type tableColumn struct {
	*rows.Field
	names catalog.Names
	dtype string // canonical
	size  int
	// missing is the stored form of a missing element, of a column that the rows
	// lack.
	missing []byte
	held    *writeback.Column
}

func newTableColumn(v *Vault, table string, f *rows.Field) *tableColumn {
	c := &tableColumn{Field: f, names: catalog.NamesOf(table + "." + f.Name), dtype: f.Spec.String(), size: f.Spec.ElemSize()}
	c.held = v.pending.Column(c.names.Plain)
	return c
}

// EnsureTable opens a table, and creates the columns that it does not have yet.
// T is a struct; an error of kind [ErrInvalidArgument] names the field that
// cannot be stored. The name must not be empty, and its parts between dots
// neither. nil options mean the defaults.
//
// In a table that has rows, a new field must be a sql.Null or have a default,
// which the rows get: otherwise nothing is changed, and the error is an
// [ErrDType], as it is for columns of another dtype or meaning, and for those
// that T lacks and that are not nullable.
//
// Rows that caches of this vault hold for an older handle get that value too,
// but not those that they take while EnsureTable adds columns as a part of an
// Update.
func EnsureTable[T any](ctx context.Context, in Scope, name string, o *TableOptions) (*Table[T], error) {
	s := in.in()
	if o == nil {
		o = &TableOptions{}
	}
	err := checkTableName(name)
	var fields []*rows.Field
	if err == nil {
		fields, err = rows.Of(reflect.TypeFor[T]())
	}
	if err != nil {
		return nil, fail("ensure table", name, -1, err)
	}
	d := &tableDef{name: name, fields: len(fields)}
	for _, f := range fields {
		d.columns = append(d.columns, newTableColumn(s.v, name, f))
	}
	err = s.read(ctx, "ensure table", name, func(tx *Tx) error { return d.match(ctx, tx, o) })
	if errors.Is(err, errNotAll) {
		err = s.update(ctx, "ensure table", name, func(tx *Tx) error { return d.create(ctx, tx, o) })
		if err == nil && s.tx == nil && s.v.pending.Holds() {
			err = s.update(ctx, "ensure table", name, func(tx *Tx) error { return d.level(ctx, tx) })
		}
	}
	if err != nil {
		return nil, err
	}
	d.setLookups()
	return &Table[T]{in: *s, def: d}, nil
}

// Table opens a table by its name alone. A row is the list of its values in the
// order of [Table.Columns], which is that of their creation, of the Go types that
// [Vault.Column] gives; nil is a missing one. A table without columns gives
// [ErrNotFound]. Columns that this version does not read are left out, and the
// table can then only be read.
func (s *scope) Table(ctx context.Context, name string) (*Table[[]any], error) {
	d := &tableDef{name: name}
	err := checkTableName(name)
	if err == nil {
		err = s.read(ctx, "open table", name, func(tx *Tx) error {
			d.columns, d.ignored = nil, nil
			return d.list(ctx, tx)
		})
	}
	if err != nil {
		return nil, fail("open table", name, -1, err)
	}
	d.setLookups()
	return &Table[[]any]{in: *s, def: d}, nil
}

// checkTableName refuses names whose columns could not be told from those of
// other tables.
func checkTableName(name string) error {
	for part := range strings.SplitSeq(name, ".") {
		if part == "" {
			return fmt.Errorf("%w: a table needs a name, and no part of it between dots may be empty", ErrInvalidArgument)
		}
	}
	return nil
}

// entries are the columns of the table in the catalog, by the names of their
// fields, which are also returned in the order of creation. Half of a column
// counts as none.
func (d *tableDef) entries(ctx context.Context, tx *Tx) (map[string]catalog.Entry, []string, error) {
	all, err := catalog.List(ctx, tx.r)
	if err != nil {
		return nil, nil, err
	}
	found := map[string]catalog.Entry{}
	var order []string
	for _, e := range all {
		field, ok := strings.CutPrefix(e.Name, d.name+".")
		if !ok || e.Kind == catalog.Half || e.Hidden || strings.Contains(field, ".") {
			continue
		}
		if _, twice := found[field]; !twice {
			order = append(order, field)
			found[field] = e
		}
	}
	return found, order, nil
}

// errNotAll says that columns have to be created.
var errNotAll = errors.New("the table lacks columns")

// match compares the fields with the columns in the transaction, and adds those
// that the rows lack. errNotAll comes after everything else that may be wrong.
func (d *tableDef) match(ctx context.Context, tx *Tx, o *TableOptions) error {
	tx.reading.Done() // lengths are not asked
	d.columns, d.ignored = d.columns[:d.fields], nil
	found, order, err := d.entries(ctx, tx)
	if err != nil {
		return err
	}
	all := true
	for _, c := range d.columns {
		if _, ok := found[c.Name]; !ok {
			all = false
		} else if _, err := d.open(ctx, tx, c); err != nil {
			return err
		}
		delete(found, c.Name)
	}
	for _, name := range order {
		e, ok := found[name]
		if !ok {
			continue
		}
		f, readable := fieldOf(name, e)
		if c := newTableColumn(tx.v, d.name, f); readable && f.Meaning.Null {
			c.missing = f.Meaning.Zero(f.Spec)
			d.columns = append(d.columns, c)
			continue
		}
		d.ignored = append(d.ignored, e.Name)
	}
	switch {
	case len(d.ignored) > 0 && !o.Ignore:
		return fmt.Errorf("%w: they have no field for %s, whose elements cannot be missing", errLacking, listNames(d.ignored))
	case !all && len(d.ignored) > 0:
		return fmt.Errorf("%w: %s; so it does not get the fields that it has no columns for", errIgnored, listNames(d.ignored))
	case !all:
		return errNotAll
	}
	return nil
}

// list makes fields of all columns of the table.
func (d *tableDef) list(ctx context.Context, tx *Tx) error {
	found, order, err := d.entries(ctx, tx)
	if err != nil {
		return err
	}
	var fields []rows.Field
	for _, name := range order {
		if f, readable := fieldOf(name, found[name]); readable {
			fields = append(fields, *f)
		} else {
			d.ignored = append(d.ignored, found[name].Name)
		}
	}
	if len(fields) == 0 {
		return fmt.Errorf("%w: no column that can be read has a name that begins with %s", ErrNotFound, excerpt.Quote(d.name+".", excerpt.Name))
	}
	for _, f := range rows.Dynamic(fields) {
		d.columns = append(d.columns, newTableColumn(tx.v, d.name, f))
	}
	d.fields = len(fields)
	return nil
}

// fieldOf describes a column as a field, and tells whether it can be read.
func fieldOf(name string, e catalog.Entry) (*rows.Field, bool) {
	f := &rows.Field{Name: name}
	var err error
	if f.Spec, err = dtype.ParseSpec(e.DType); err != nil || int64(f.Spec.ElemSize()) != e.Size() {
		return f, false
	}
	f.Meaning = e.Attrs().Meaning(f.Spec)
	return f, true
}

func listNames(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = excerpt.Quote(name, excerpt.Name)
	}
	return strings.Join(quoted, ", ")
}

func (d *tableDef) setLookups() {
	for _, c := range d.columns {
		d.lookups = append(d.lookups, c.names.Rows()...)
	}
}

// lookUp looks all columns up in one call, before they are opened one by one.
func (d *tableDef) lookUp(ctx context.Context, tx *Tx) error {
	if tx.known(d.columns[0].names.Plain) != nil {
		return nil // and so the others, or nearly all of them
	}
	_, err := tx.r.Lookup(ctx, d.lookups...)
	return err
}

// open opens a column in the transaction. Its error names it.
func (d *tableDef) open(ctx context.Context, tx *Tx, c *tableColumn) (*opened, error) {
	o, err := tx.openAs(ctx, &c.names, c.dtype, c.size)
	if err == nil {
		err = o.checkMeaning(c.Spec, c.Meaning)
	}
	return o, fail("open column", c.names.Plain, -1, err)
}

// create adds the columns that the table lacks, and fills them for the rows that
// it has.
func (d *tableDef) create(ctx context.Context, tx *Tx, o *TableOptions) error {
	if err := d.match(ctx, tx, o); !errors.Is(err, errNotAll) {
		return err // perhaps somebody else was faster
	}
	found, order, err := d.entries(ctx, tx)
	if err != nil {
		return err
	}
	var n int64
	if len(order) > 0 {
		lengths := make([]int64, len(order))
		for i, name := range order {
			lengths[i] = found[name].Len()
		}
		if n = lengths[0]; slices.Min(lengths) != slices.Max(lengths) {
			return unevenError(order, lengths)
		}
	}
	var added []*tableColumn
	var total int64
	for _, c := range d.columns[:d.fields] {
		if _, ok := found[c.Name]; ok {
			continue
		}
		stored, err := c.fill(n)
		if err != nil {
			return err
		}
		added = append(added, c)
		total += n * int64(len(stored))
	}
	for _, e := range found { // whoever holds something next finds out
		tx.changes = append(tx.changes, writeback.Change{ID: e.ID(), From: e.Name, To: e.Name})
	}
	f := &filling{ctx: ctx, tx: tx, n: n, total: total, progress: o.Progress}
	for _, c := range added {
		err := tx.create(ctx, c.names.Plain, c.Spec, c.Meaning, &o.Columns)
		if err == nil {
			err = f.fill(d, c)
		}
		if err != nil {
			tx.w.Abort(err) // of other columns more may be there
			return fail("create", c.names.Plain, -1, err)
		}
	}
	return nil
}

// level fills the columns once more, for rows that caches took for the older
// columns while others were created, and that have been written by now.
func (d *tableDef) level(ctx context.Context, tx *Tx) error {
	os := make([]*opened, len(d.columns))
	var n int64
	for i, c := range d.columns {
		var err error
		if os[i], err = d.open(ctx, tx, c); err != nil {
			return err
		}
		n = max(n, os[i].Len())
	}
	for i, c := range d.columns[:d.fields] {
		if os[i].Len() == n || c.Default == nil && !c.Meaning.Null {
			continue // or uneven for another reason, which a write will tell
		}
		f := &filling{ctx: ctx, tx: tx, n: n - os[i].Len(), total: -1}
		if err := f.fill(d, c); err != nil {
			tx.w.Abort(err)
			return err
		}
	}
	return nil
}

// fill is the stored form that n rows get in a column that is added.
func (c *tableColumn) fill(n int64) ([]byte, error) {
	switch {
	case c.Default != nil || n == 0:
		return c.Default, nil
	case c.Meaning.Null:
		return c.Meaning.Zero(c.Spec), nil
	}
	return nil, fmt.Errorf("%w: %s, and the table has %d rows", errNoDefault, excerpt.Quote(c.Name, excerpt.Name), n)
}

// filling gives rows that are there a value in columns that are new.
type filling struct {
	ctx         context.Context
	tx          *Tx
	n           int64
	done, total int64
	progress    func(done, total int64)
}

// fillBytes and fillRows bound what is written at once.
const (
	fillBytes = 1 << 20
	fillRows  = 1 << 16
)

func (f *filling) fill(d *tableDef, c *tableColumn) error {
	stored, err := c.fill(f.n)
	if err != nil || f.n == 0 {
		return err
	}
	o, err := d.open(f.ctx, f.tx, c)
	if err != nil {
		return err
	}
	var e column.Elements
	for left := f.n; left > 0; {
		k := min(left, fillRows, max(1, fillBytes/int64(max(1, len(stored)))))
		e.Reset()
		e.Repeat(c.size, stored, int(k))
		if err := o.append(f.ctx, e); err != nil {
			return err
		}
		left -= k
		f.done += k * int64(len(stored))
		if f.progress != nil {
			f.progress(f.done, f.total)
		}
	}
	return nil
}

// openAll opens all columns in a transaction, for a write: they must be those of
// the table, and of equal length, which it returns.
func (d *tableDef) openAll(ctx context.Context, tx *Tx) ([]*opened, int64, error) {
	if len(d.ignored) > 0 {
		return nil, 0, fmt.Errorf("%w: %s", errIgnored, listNames(d.ignored))
	}
	if err := d.compare(ctx, tx); err != nil {
		return nil, 0, err
	}
	if err := d.lookUp(ctx, tx); err != nil {
		return nil, 0, err
	}
	os := make([]*opened, len(d.columns))
	even := true
	for i, c := range d.columns {
		var err error
		if os[i], err = d.open(ctx, tx, c); err != nil {
			return nil, 0, err
		}
		even = even && os[i].Len() == os[0].Len()
	}
	if !even {
		names, lengths := make([]string, len(os)), make([]int64, len(os))
		for i, o := range os {
			names[i], lengths[i] = d.columns[i].Name, o.Len()
		}
		return nil, 0, unevenError(names, lengths)
	}
	return os, os[0].Len(), nil
}

func unevenError(names []string, lengths []int64) error {
	parts := make([]string, len(names))
	for i, name := range names {
		parts[i] = fmt.Sprintf("%s has %d", excerpt.Quote(name, excerpt.Name), lengths[i])
	}
	return fmt.Errorf("%w: %s", ErrUneven, strings.Join(parts, ", "))
}

// compare looks whether the table has the columns that it had when it was
// opened, unless the catalog is as it was at the last look.
func (d *tableDef) compare(ctx context.Context, tx *Tx) error {
	version, err := tx.r.CatalogVersion(ctx)
	if err != nil || version == d.seen.Load() {
		return err
	}
	found, order, err := d.entries(ctx, tx)
	if err != nil {
		return err
	}
	var gone []string
	for _, c := range d.columns {
		if _, ok := found[c.Name]; !ok {
			gone = append(gone, c.Name)
		}
		delete(found, c.Name)
	}
	if len(gone) > 0 || len(found) > 0 {
		order = slices.DeleteFunc(order, func(name string) bool { _, added := found[name]; return !added })
		return fmt.Errorf("%w: added are [%s], gone are [%s]", ErrTableChanged, listNames(order), listNames(gone))
	}
	d.seen.Store(version)
	return nil
}
