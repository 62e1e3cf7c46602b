package exchange

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/excerpt"
	"columnvault/internal/hint"
	"columnvault/internal/values"
)

// plan is where the columns of a source go.
type plan struct {
	*ImportOptions
	// existing are the columns of the vault, by name.
	existing map[string]columnvault.ColumnInfo
	fields   int // of the source; the parts after them are columns that it lacks
	parts    []*part
	unknown  []string // names in the options that are of no column
	rows     int
	targets  []target
	written  Batch // the last one
}

// part is a column that is filled.
type part struct {
	name    string // in the source
	spec    dtype.Spec
	meaning dtype.Meaning // with Null if the column is opened so
	fill    []byte        // what stands for missing values, as it is stored
	holds   bool          // missing values
	late    bool          // it becomes nullable if there are any
	extra   bool          // the source lacks it
	missing int
	line    int // of the first missing value, 0 if there are no lines
}

func newPlan(ctx context.Context, tx *columnvault.Tx, o *ImportOptions) (*plan, error) {
	infos, err := tx.Columns(ctx)
	if err != nil {
		return nil, err
	}
	p := &plan{ImportOptions: o, existing: map[string]columnvault.ColumnInfo{}}
	for _, info := range infos {
		if !info.Incomplete && !info.Hidden { // an incomplete one may be created
			p.existing[info.Name] = info
		}
	}
	return p, nil
}

// types are the dtypes that the source is asked for.
func (p *plan) types() map[string]Field {
	if !p.Append {
		return p.Types
	}
	types := map[string]Field{}
	for name, info := range p.existing {
		inner, ok := strings.CutPrefix(name, p.Prefix)
		if spec, err := dtype.ParseSpec(info.DType); ok && err == nil {
			types[inner] = Field{Name: inner, Type: spec, Meaning: info.Meaning}
		}
	}
	return types
}

// setFields takes the columns of the source.
func (p *plan) setFields(fields []Field) error {
	p.fields = len(fields)
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	if err := p.checkNames(names); err != nil {
		return err
	}
	for _, f := range fields {
		if p.Append {
			to, err := p.readable(f.Name)
			if err != nil {
				return err
			}
			if to.Type.String() != f.Type.String() || to.Meaning.Time != f.Meaning.Time || to.Meaning.Date != f.Meaning.Date {
				return fmt.Errorf("%w: column %s is of %v in the vault, and of %v in the file",
					columnvault.ErrDType, excerpt.Quote(f.Name, excerpt.Name), to, f)
			}
			f.Meaning = to.Meaning
		}
		if err := p.add(f, false); err != nil {
			return err
		}
	}
	extras := p.extras(names)
	for _, name := range extras {
		f, err := p.readable(name)
		if err == nil {
			err = p.add(f, true)
		}
		if err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Types)) {
		if !slices.Contains(names, name) {
			p.unknown = append(p.unknown, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Fill)) {
		if !slices.Contains(names, name) && !slices.Contains(extras, name) && !slices.Contains(p.unknown, name) {
			p.unknown = append(p.unknown, name)
		}
	}
	return nil
}

// readable returns what a column of the vault is.
func (p *plan) readable(name string) (Field, error) {
	info := p.existing[p.Prefix+name]
	spec, err := dtype.ParseSpec(info.DType)
	if err != nil {
		err = fmt.Errorf("column %s: %w", excerpt.Quote(info.Name, excerpt.Name), err)
	}
	return Field{Name: name, Type: spec, Meaning: info.Meaning}, err
}

// nullable tells whether elements of a dtype can be missing and have no other
// way to say so.
func nullable(s dtype.Spec) bool {
	return s.Kind != dtype.KindMsgPack && s.Kind != dtype.KindCBOR && dtype.Meaning{Null: true}.Check(s) == nil
}

// add adds a column.
func (p *plan) add(f Field, extra bool) error {
	spec := f.Type
	c := &part{name: f.Name, spec: spec, meaning: f.Meaning, extra: extra}
	// wanted says that it is nullable even if nothing is missing.
	wanted := p.Append && c.meaning.Null || p.Types[f.Name].Meaning.Null
	text, given := p.Fill[f.Name]
	wanted = wanted || !p.Append && !given && f.Nullable && nullable(spec)
	c.meaning.Null = wanted || c.meaning.Null && nullable(spec)
	p.parts = append(p.parts, c)
	switch {
	case given:
		c.meaning.Null = wanted
	case wanted:
		c.holds = true
		return nil
	case !p.Append && nullable(spec):
		// No byte of a bool that is not nullable can stand for a missing one, so
		// that it is made nullable and, if need be, made plain in the end.
		c.late = true
		c.meaning.Null = c.meaning.Null || spec.Kind == dtype.KindBool
		c.holds = true
		return nil
	case values.IsFloat(spec.Kind):
		text = "NaN"
	case spec.Kind == dtype.KindMsgPack, spec.Kind == dtype.KindCBOR:
		text = "null"
	default:
		return nil
	}
	c.holds = true
	var v any = text // as it is, if the column has text
	var err error
	if spec.Kind != dtype.KindText {
		v, err = values.NewParser(spec, f.Meaning).Parse([]byte(text))
	} else {
		err = values.NewParser(spec, f.Meaning).Check(v)
	}
	if err != nil {
		return &FillError{f.Name, text, err}
	}
	c.fill, err = f.Meaning.Type(spec).Append(nil, v)
	return err
}

// checkNames looks whether the columns of the source can be created, or be
// appended to.
func (p *plan) checkNames(names []string) error {
	var bad []string
	for _, name := range names {
		if _, ok := p.existing[p.Prefix+name]; ok != p.Append {
			bad = append(bad, p.Prefix+name)
		}
	}
	if len(bad) > 0 {
		return &NamesError{bad, p.Append}
	}
	return nil
}

// extras returns, for an append, the columns that the source lacks: those of
// the vault that are as long as one that it has. They get missing values, for
// otherwise their rows would no longer stand beside those of the others.
func (p *plan) extras(names []string) (extra []string) {
	if !p.Append || p.Only {
		return nil
	}
	lengths := map[int]bool{}
	for _, name := range names {
		lengths[p.existing[p.Prefix+name].Len] = true
	}
	known := map[string]bool{}
	for _, name := range names {
		known[name] = true
	}
	for _, full := range slices.Sorted(maps.Keys(p.existing)) {
		name, ok := strings.CutPrefix(full, p.Prefix)
		if !ok || known[name] || !lengths[p.existing[full].Len] {
			continue
		}
		if _, err := p.readable(name); err == nil { // nothing can be done for others
			extra = append(extra, name)
		}
	}
	return extra
}

// count counts what is missing in a batch.
func (p *plan) count(b *Batch) {
	for i, c := range p.parts {
		if c.extra {
			c.missing += b.Rows
			continue
		}
		for row, missing := range b.Columns[i].gaps() {
			if !missing {
				continue
			}
			if c.missing == 0 && len(b.Lines) > 0 {
				c.line = b.Lines[row]
			}
			c.missing++
		}
	}
	p.rows += b.Rows
}

// troubled tells whether the import cannot end well.
func (p *plan) troubled() bool {
	return len(p.unknown) > 0 || slices.ContainsFunc(p.parts, (*part).lacks)
}

// lacks tells whether there are missing values that the column cannot hold.
func (c *part) lacks() bool { return c.missing > 0 && !c.holds }

// trouble is what is wrong.
func (p *plan) trouble() error {
	if len(p.unknown) > 0 {
		names := make([]string, p.fields)
		for i := range names {
			names[i] = p.parts[i].name
		}
		err := fmt.Errorf("the file has no %s", named(p.unknown))
		return hint.Add(err, "its columns are %s", excerpt.Few(names))
	}
	e := &GapsError{}
	for _, c := range p.parts {
		if c.lacks() {
			e.Gaps = append(e.Gaps, Gap{c.name, c.spec, c.missing, c.line, c.extra})
		}
	}
	return e
}

// open creates the columns, or looks them up, if that has not been done.
func (p *plan) open(ctx context.Context, tx *columnvault.Tx) error {
	if p.targets != nil {
		return nil
	}
	for _, c := range p.parts {
		if c.spec.Kind == 0 {
			return &UntypedError{c.name}
		}
		to, err := kindOf(c.spec).newTarget(ctx, tx, p, c)
		if err != nil {
			return err
		}
		p.targets = append(p.targets, to)
	}
	return nil
}

// write appends a batch.
func (p *plan) write(ctx context.Context, tx *columnvault.Tx, b *Batch) error {
	if err := p.open(ctx, tx); err != nil {
		return err
	}
	p.written.Columns = append(p.written.Columns[:0], b.Columns...)
	for _, to := range p.targets[p.fields:] {
		p.written.Columns = append(p.written.Columns, to.blanks(b.Rows))
	}
	for i, to := range p.targets {
		if err := to.append(ctx, p.written.Columns[i]); err != nil {
			return atLine(err, b, p.parts[i].name)
		}
	}
	if p.Written != nil {
		p.written.Rows, p.written.Lines = b.Rows, b.Lines
		p.Written(&p.written)
	}
	return nil
}

// atLine names the line of the value that an error is about.
func atLine(err error, b *Batch, name string) error {
	var bad *dtype.ElementError
	if !errors.As(err, &bad) || bad.Index >= len(b.Lines) {
		return err
	}
	return fmt.Errorf("line %d, column %s: %w", b.Lines[bad.Index], excerpt.Quote(name, excerpt.Name), err)
}

// result is what has been written. Columns become nullable if that has turned
// out to be needed.
func (p *plan) result(ctx context.Context, tx *columnvault.Tx) (*Result, error) {
	if err := p.open(ctx, tx); err != nil {
		return nil, err
	}
	r := &Result{Rows: p.rows}
	for i, c := range p.parts {
		n, err := p.targets[i].len(ctx)
		if err != nil {
			return nil, err
		}
		if c.late && c.meaning.Null != (c.missing > 0) {
			if err := p.turn(ctx, tx, c); err != nil {
				return nil, err
			}
		}
		r.Columns = append(r.Columns, Imported{Field{Name: p.Prefix + c.name, Type: c.spec, Meaning: c.meaning}, n, c.missing})
	}
	return r, nil
}

// turn makes a new column nullable, or the reverse.
func (p *plan) turn(ctx context.Context, tx *columnvault.Tx, c *part) error {
	c.meaning.Null = !c.meaning.Null
	missing, err := tx.Retype(ctx, p.Prefix+c.name, c.meaning, &columnvault.RetypeOptions{Turn: true})
	if err == nil && missing > c.missing && !values.IsFloat(c.spec.Kind) {
		err = argumentf("column %s has missing values, and a value that would stand for them: Fill or another type would help",
			excerpt.Quote(c.name, excerpt.Name))
	}
	return err
}

// target is a column that rows go to.
type target interface {
	// append puts what stands for missing values in their place, and writes.
	append(ctx context.Context, c Column) error
	// blanks are rows of a column that the source lacks.
	blanks(rows int) Column
	len(ctx context.Context) (int, error)
}

// targetOf is a target of values of one Go type.
type targetOf[T any] struct {
	column *columnvault.Column[T]
	fill   T // stands for missing values
	blank  Vector[T]
}

// nullTarget is one whose values may be missing.
type nullTarget[T any, N sql.Null[T]] struct {
	column *columnvault.Column[N]
	fill   *T // stands for missing values, if it is not nil
	list   []N
	blank  Vector[T]
}

// create creates the column, unless the rows go to one that there is, and
// returns its name.
func (p *plan) create(ctx context.Context, tx *columnvault.Tx, c *part) (name string, err error) {
	name = p.Prefix + c.name
	if !p.Append {
		_, err = columnvault.Create(ctx, tx, name, c.meaning.Type(c.spec), &p.Columns)
	}
	return name, err
}

func (k kindFor[T]) newTarget(ctx context.Context, tx *columnvault.Tx, p *plan, c *part) (target, error) {
	name, err := p.create(ctx, tx, c)
	if err != nil {
		return nil, err
	}
	to := &targetOf[T]{}
	if to.column, err = columnvault.Lookup(ctx, tx, name, k.t); err != nil {
		return nil, err
	}
	fill := c.fill
	if c.late {
		if fill, err = (dtype.Meaning{Null: true}).Type(c.spec).Append(nil, nil); err != nil {
			return nil, err
		}
	}
	if c.holds {
		to.fill, err = k.t.Decode(fill)
	}
	return to, err
}

func (k nullKind[T, N]) newTarget(ctx context.Context, tx *columnvault.Tx, p *plan, c *part) (target, error) {
	if !c.meaning.Null {
		return k.kindFor.newTarget(ctx, tx, p, c)
	}
	name, err := p.create(ctx, tx, c)
	if err != nil {
		return nil, err
	}
	to := &nullTarget[T, N]{}
	if to.column, err = columnvault.Lookup(ctx, tx, name, k.null); err == nil && c.fill != nil {
		to.fill = new(T)
		*to.fill, err = k.t.Decode(c.fill)
	}
	return to, err
}

func (to *targetOf[T]) append(ctx context.Context, c Column) error {
	v := c.(*Vector[T])
	v.replaceMissing(to.fill)
	return to.column.Append(ctx, v.Values...)
}

func (to *targetOf[T]) blanks(rows int) Column {
	to.blank.grow(rows, to.fill, false)
	return &to.blank
}

func (to *targetOf[T]) len(ctx context.Context) (int, error) { return to.column.Len(ctx) }

func (to *nullTarget[T, N]) append(ctx context.Context, c Column) error {
	v := c.(*Vector[T])
	if to.fill != nil {
		v.replaceMissing(*to.fill)
	}
	markNaN(v)
	to.list = slices.Grow(to.list[:0], len(v.Values))[:len(v.Values)]
	for i, value := range v.Values {
		to.list[i] = N(sql.Null[T]{V: value, Valid: len(v.Missing) == 0 || !v.Missing[i]})
	}
	err := to.column.Append(ctx, to.list...)
	clear(to.list) // text need not outlive the batch
	return err
}

// markNaN makes NaN missing, as it is in a nullable column.
func markNaN(c Column) {
	switch v := c.(type) {
	case *Vector[float64]:
		for i, f := range v.Values {
			if f != f {
				v.setMissing(i)
			}
		}
	case *Vector[float32]:
		for i, f := range v.Values {
			if f != f {
				v.setMissing(i)
			}
		}
	}
}

func (to *nullTarget[T, N]) blanks(rows int) Column {
	var none T
	to.blank.grow(rows, none, true)
	return &to.blank
}

func (to *nullTarget[T, N]) len(ctx context.Context) (int, error) { return to.column.Len(ctx) }
