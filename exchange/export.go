package exchange

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/excerpt"
	"columnvault/internal/hint"
	"columnvault/internal/position"
)

// ExportOptions configure an export.
type ExportOptions struct {
	// Start and Stop choose rows, as Python's list[Start:Stop] does; but a Stop of
	// 0 is the end.
	Start, Stop int
	// Progress is called after each batch, with numbers of rows.
	Progress func(done, total int64)
}

// Export writes columns of one length side by side to a sink, as they are at
// one moment, and returns the number of rows. Without names it writes all
// columns, each of which must be readable. Whatever their number, it holds some
// 32 MiB of rows, or one row if that is larger; where elements get much larger
// at once, also a few times [columnvault.Options.ReadBytes].
func Export(ctx context.Context, v *columnvault.Vault, names []string, sink Sink, o *ExportOptions) (rows int, err error) {
	if o == nil {
		o = &ExportOptions{}
	}
	err = v.View(ctx, func(inner context.Context, tx *columnvault.Tx) error {
		e, err := openExport(inner, tx, names)
		if err != nil {
			return err
		}
		e.choose(o)
		rows = e.rows
		defer e.endLanes()
		if err := e.addLanes(inner, tx); err != nil {
			return err
		}
		return e.write(ctx, sink, o)
	})
	return rows, err
}

// export is columns of one length that are read together.
type export struct {
	fields  []Field
	readers []reader
	// The rows from position first on are written.
	first, rows int
	// lanes are the transactions that read beside the first.
	lanes []*columnvault.Tx
}

// choose takes the rows that are wanted of all.
func (e *export) choose(o *ExportOptions) {
	stop := o.Stop
	if stop == 0 {
		stop = columnvault.End
	}
	from, to := position.Range(o.Start, stop, int64(e.rows))
	e.first, e.rows = int(from), int(max(0, to-from))
}

// openExport opens the columns of these names, or all.
func openExport(ctx context.Context, tx *columnvault.Tx, names []string) (*export, error) {
	infos, err := tx.Columns(ctx)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		if names, err = allNames(infos); err != nil {
			return nil, err
		}
	}
	e := &export{}
	return e, e.openAll(ctx, tx, names)
}

// openAll opens columns, which must be of one length.
func (e *export) openAll(ctx context.Context, tx *columnvault.Tx, names []string) error {
	lengths := make([]string, len(names))
	agree := true
	known := map[string]bool{}
	for i, name := range names {
		if known[name] {
			return argumentf("column %s is named twice", excerpt.Quote(name, excerpt.Name))
		}
		known[name] = true
		n, err := e.open(ctx, tx, name)
		if err != nil {
			return err
		}
		if i == 0 {
			e.rows = n
		}
		agree = agree && n == e.rows
		lengths[i] = fmt.Sprintf("%s has %d", excerpt.Printable(name), n)
	}
	if !agree {
		err := argumentf("the columns differ in length: %s", excerpt.Few(lengths))
		return hint.Add(err, "name those of one length to export them")
	}
	return nil
}

// open opens a column and returns its length.
func (e *export) open(ctx context.Context, tx *columnvault.Tx, name string) (int, error) {
	col, err := tx.Column(ctx, name)
	if err != nil {
		return 0, err
	}
	spec, err := dtype.ParseSpec(col.DType())
	if err != nil {
		return 0, err
	}
	f := Field{Name: name, Type: spec, Meaning: col.Meaning()}
	r, err := kindOf(spec).newReader(ctx, tx, f)
	if err != nil {
		return 0, err
	}
	e.fields = append(e.fields, f)
	e.readers = append(e.readers, r)
	return col.Len(ctx)
}

// allNames are the names of all columns, each of which must be readable.
func allNames(infos []columnvault.ColumnInfo) (names []string, err error) {
	if len(infos) == 0 {
		return nil, argumentf("the vault has no columns")
	}
	for _, info := range infos {
		if info.Hidden {
			continue // the name is there already, for another column
		}
		why := ""
		switch _, err := dtype.ParseSpec(info.DType); {
		case info.Incomplete:
			why = "(incomplete)"
		case err != nil:
			why = "(unknown type)"
		}
		if why != "" {
			err := argumentf("column %s cannot be read %s", excerpt.Quote(info.Name, excerpt.Name), why)
			return nil, hint.Add(err, "name the columns to export")
		}
		names = append(names, info.Name)
	}
	return names, nil
}

// write writes all rows.
func (e *export) write(ctx context.Context, sink Sink, o *ExportOptions) error {
	if s, ok := sink.(interface{ SetRows(rows int) }); ok {
		s.SetRows(e.rows)
	}
	if err := sink.Begin(ctx, e.fields); err != nil {
		return err
	}
	b := &Batch{Columns: make([]Column, len(e.readers))}
	for done, most := 0, firstRows; done < e.rows; done += b.Rows {
		size, err := e.read(ctx, b, e.first+done, min(most, e.rows-done))
		if err != nil {
			return err
		}
		if err := sink.Write(ctx, b); err != nil {
			return err
		}
		if o.Progress != nil {
			o.Progress(int64(done+b.Rows), int64(e.rows))
		}
		most = max(1, min(4*b.Rows, b.Rows*batchBytes/max(size, 1), maxRows))
	}
	return sink.End(ctx)
}

// The bounds of a batch: in rows the first and any, and in bytes as far as
// earlier rows tell.
const (
	firstRows  = 1 << 10
	maxRows    = 64 << 10
	batchBytes = 16 << 20
)

// read fills a batch with at most so many rows, from position at on, and returns
// their size in bytes. A column whose elements are larger than its share makes
// the batch shorter for the columns after it, so that all together stay near the
// bound whatever was expected of them.
func (e *export) read(ctx context.Context, b *Batch, at, most int) (size int, err error) {
	size, most, err = e.readLanes(ctx, at, most)
	if err != nil {
		return 0, err
	}
	b.Rows = most
	for i, r := range e.readers {
		b.Columns[i] = r.take(most)
	}
	return size, nil
}

// reader reads a column in runs.
type reader interface {
	// read reads at most so many values, from position at on, and returns their
	// number and about what memory they take, in bytes.
	read(ctx context.Context, at, most int) (n, bytes int, err error)
	// take returns the first n of the values that were read.
	take(n int) Column
}

func (k kindFor[T]) newReader(ctx context.Context, tx *columnvault.Tx, f Field) (reader, error) {
	col, err := columnvault.Lookup(ctx, tx, f.Name, k.t)
	return &readerOf[T]{kind: k, column: col}, err
}

func (k nullKind[T, N]) newReader(ctx context.Context, tx *columnvault.Tx, f Field) (reader, error) {
	if !f.Meaning.Null {
		return k.kindFor.newReader(ctx, tx, f)
	}
	col, err := columnvault.Lookup(ctx, tx, f.Name, k.null)
	return &nullReader[T, N]{kind: k.kindFor, column: col}, err
}

// readRun reads a run of values into memory that is used again.
func readRun[T any](ctx context.Context, col *columnvault.Column[T], memory *[]T, at, most int) ([]T, error) {
	*memory = slices.Grow((*memory)[:0], most)[:most]
	for run, err := range col.RunsInto(ctx, *memory, at, at+most) {
		return run.Values, err
	}
	return nil, nil
}

// readerOf is a reader of values of one Go type.
type readerOf[T any] struct {
	kind   kindFor[T]
	column *columnvault.Column[T]
	memory []T
	part   Vector[T]
}

func (r *readerOf[T]) read(ctx context.Context, at, most int) (n, bytes int, err error) {
	clear(r.part.Values) // what they point to is not needed any more
	r.part.Values, err = readRun(ctx, r.column, &r.memory, at, most)
	return len(r.part.Values), r.kind.weigh(r.part.Values), err
}

func (r *readerOf[T]) take(n int) Column {
	clear(r.part.Values[n:])
	r.part.Values = r.part.Values[:n]
	return &r.part
}

// nullReader is a reader of values that may be missing.
type nullReader[T any, N sql.Null[T]] struct {
	kind   kindFor[T]
	column *columnvault.Column[N]
	memory []N
	part   Vector[T]
}

func (r *nullReader[T, N]) read(ctx context.Context, at, most int) (n, bytes int, err error) {
	r.part.reset()
	run, err := readRun(ctx, r.column, &r.memory, at, most)
	for i, n := range run {
		v := sql.Null[T](n)
		r.part.Add(v.V)
		if !v.Valid {
			r.part.setMissing(i)
		}
	}
	clear(run)
	return len(run), 2 * r.kind.weigh(r.part.Values), err
}

func (r *nullReader[T, N]) take(n int) Column {
	r.part.truncate(n)
	return &r.part
}
