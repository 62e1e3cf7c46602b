package exchange

import (
	"context"
	"database/sql"
	"fmt"
	"iter"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/excerpt"
	"columnvault/internal/hint"
)

// ExportOptions configure an export.
type ExportOptions struct {
	// Progress is called after each batch, with numbers of rows.
	Progress func(done, total int64)
}

// Export writes columns of one length side by side to a sink, as they are at
// one moment, and returns the number of rows. Without names it writes all
// columns, each of which must be readable. It holds about
// [columnvault.Options.ReadBytes] of each column.
func Export(ctx context.Context, v *columnvault.Vault, names []string, sink Sink, o *ExportOptions) (rows int, err error) {
	if o == nil {
		o = &ExportOptions{}
	}
	err = v.View(ctx, func(inner context.Context, tx *columnvault.Tx) error {
		e, err := openExport(inner, tx, names)
		if err != nil {
			return err
		}
		defer e.close()
		rows = e.rows
		return e.write(ctx, sink, o)
	})
	return rows, err
}

// export is columns of one length that are read together.
type export struct {
	fields  []Field
	readers []reader
	rows    int
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
	if err := e.openAll(ctx, tx, names); err != nil {
		e.close()
		return nil, err
	}
	return e, nil
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
	f := Field{name, spec, col.Meaning()}
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
		why := ""
		switch _, err := dtype.ParseSpec(info.DType); {
		case info.Incomplete:
			why = "(incomplete)"
		case info.Layout != 0:
			why = fmt.Sprintf("(layout %d, only listed)", info.Layout)
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

// close ends the reading of the columns.
func (e *export) close() {
	for _, r := range e.readers {
		r.stop()
	}
}

// write writes all rows.
func (e *export) write(ctx context.Context, sink Sink, o *ExportOptions) error {
	if err := sink.Begin(ctx, e.fields); err != nil {
		return err
	}
	b := &Batch{Columns: make([]Column, len(e.readers))}
	for done := 0; done < e.rows; {
		b.Rows = min(e.rows-done, maxRows)
		for i, r := range e.readers {
			n, err := r.fill()
			if err == nil && n == 0 {
				err = fmt.Errorf("%w: column %s ended early", columnvault.ErrCorrupt, excerpt.Quote(e.fields[i].Name, excerpt.Name))
			}
			if err != nil {
				return err
			}
			b.Rows = min(b.Rows, n)
		}
		for i, r := range e.readers {
			b.Columns[i] = r.take(b.Rows)
		}
		if err := sink.Write(ctx, b); err != nil {
			return err
		}
		done += b.Rows
		if o.Progress != nil {
			o.Progress(int64(done), int64(e.rows))
		}
	}
	return sink.End(ctx)
}

// maxRows bounds the rows of a batch.
const maxRows = 64 << 10

// reader reads a column in runs.
type reader interface {
	// fill makes sure that there are values, if the column has not ended, and
	// returns their number.
	fill() (int, error)
	// take returns the next n values.
	take(n int) Column
	stop()
}

// runsOf are the values of a column, a run at a time.
type runsOf[T any] struct {
	next func() (columnvault.Run[T], error, bool)
	end  func()
	rest []T
}

func newRuns[T any](ctx context.Context, tx *columnvault.Tx, name string, t dtype.Type[T]) (runsOf[T], error) {
	col, err := columnvault.Lookup(ctx, tx, name, t)
	if err != nil {
		return runsOf[T]{}, err
	}
	next, end := iter.Pull2(col.Runs(ctx))
	return runsOf[T]{next: next, end: end}, nil
}

func (r *runsOf[T]) fill() (int, error) {
	if len(r.rest) == 0 {
		run, err, _ := r.next()
		if err != nil {
			return 0, err
		}
		r.rest = run.Values
	}
	return len(r.rest), nil
}

func (r *runsOf[T]) stop() { r.end() }

func (k kindFor[T]) newReader(ctx context.Context, tx *columnvault.Tx, f Field) (reader, error) {
	if f.Meaning.Null {
		runs, err := newRuns(ctx, tx, f.Name, dtype.Nullable(k.t))
		return &nullReader[T]{runsOf: runs}, err
	}
	runs, err := newRuns(ctx, tx, f.Name, k.t)
	return &readerOf[T]{runsOf: runs}, err
}

// readerOf is a reader of values of one Go type.
type readerOf[T any] struct {
	runsOf[T]
	part Vector[T]
}

func (r *readerOf[T]) take(n int) Column {
	r.part.Values, r.rest = r.rest[:n:n], r.rest[n:]
	return &r.part
}

// nullReader is a reader of values that may be missing.
type nullReader[T any] struct {
	runsOf[sql.Null[T]]
	part Vector[T]
}

func (r *nullReader[T]) take(n int) Column {
	r.part.reset()
	for i, v := range r.rest[:n] {
		r.part.Add(v.V)
		if !v.Valid {
			r.part.setMissing(i)
		}
	}
	r.rest = r.rest[n:]
	return &r.part
}
