// Package exporting writes columns side by side.
package exporting

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"iter"

	"columnvault"
	"columnvault/cmd/columnvault/internal/columns"
	"columnvault/cmd/columnvault/internal/exchange"
	"columnvault/cmd/columnvault/internal/hint"
	"columnvault/cmd/columnvault/internal/term"
	"columnvault/dtype"
	"columnvault/internal/excerpt"
)

// Export is columns of one length that are written together.
type Export struct {
	columns []*column
	rows    int
}

// column is a column that is read from its beginning to its end.
type column struct {
	name string
	spec dtype.Spec
	// meaning is what the elements mean beyond that.
	meaning dtype.Meaning
	next    func() (columnvault.Run[any], error, bool)
	stop    func()
	values  []any // the rest of the current run
}

// Open opens the columns of these names, or all.
func Open(ctx context.Context, tx *columnvault.Tx, names []string) (*Export, error) {
	if len(names) == 0 {
		var err error
		if names, err = allNames(ctx, tx); err != nil {
			return nil, err
		}
	}
	e := &Export{}
	opened := make([]*columnvault.Column[any], len(names))
	lengths := make([]string, len(names))
	agree := true
	known := map[string]bool{}
	for i, name := range names {
		if known[name] {
			return nil, fmt.Errorf("column %s is named twice", excerpt.Quote(name, excerpt.Name))
		}
		known[name] = true
		col, err := columns.Open(ctx, tx, name)
		if err != nil {
			return nil, err
		}
		n, err := col.Len(ctx)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			e.rows = n
		}
		agree = agree && n == e.rows
		opened[i], lengths[i] = col, fmt.Sprintf("%s has %d", excerpt.Printable(name), n)
	}
	if !agree {
		err := fmt.Errorf("the columns differ in length: %s", columns.Few(lengths))
		return nil, hint.Add(err, "name those of one length to export them")
	}
	for _, col := range opened {
		c := &column{name: col.Name(), spec: columns.Spec(col), meaning: col.Meaning()}
		c.next, c.stop = iter.Pull2(col.Runs(ctx))
		e.columns = append(e.columns, c)
	}
	return e, nil
}

// allNames are the names of all columns, each of which must be readable.
func allNames(ctx context.Context, tx *columnvault.Tx) (names []string, err error) {
	infos, err := tx.Columns(ctx)
	if err != nil {
		return nil, err
	}
	if len(infos) == 0 {
		return nil, errors.New("the vault has no columns")
	}
	for _, info := range infos {
		if why := columns.Remark(info); why != "" {
			err := fmt.Errorf("column %s cannot be read %s", excerpt.Quote(info.Name, excerpt.Name), why)
			return nil, hint.Add(err, "name the columns to export")
		}
		names = append(names, info.Name)
	}
	return names, nil
}

// Rows is the number of rows.
func (e *Export) Rows() int { return e.rows }

// Close ends the reading of the columns.
func (e *Export) Close() {
	for _, c := range e.columns {
		c.stop()
	}
}

// progressRows is after how many rows the progress is shown.
const progressRows = 1024

// Write writes all rows.
func (e *Export) Write(w *bufio.Writer, format exchange.Format, progress *term.Progress) error {
	names, specs, meanings := make([]string, len(e.columns)), make([]dtype.Spec, len(e.columns)), make([]dtype.Meaning, len(e.columns))
	for i, c := range e.columns {
		names[i], specs[i], meanings[i] = c.name, c.spec, c.meaning
	}
	out, err := exchange.NewWriter(w, format, names, specs, meanings)
	if err != nil {
		return err
	}
	for row := range e.rows {
		for _, c := range e.columns {
			v, err := c.value()
			if err != nil {
				return err
			}
			out.Add(v)
		}
		if err := out.End(); err != nil {
			return err
		}
		if row%progressRows == progressRows-1 {
			progress.Add(progressRows)
		}
	}
	return nil
}

// value returns the next value of the column.
func (c *column) value() (any, error) {
	if len(c.values) == 0 {
		run, err, ok := c.next()
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, fmt.Errorf("column %s ended early", excerpt.Quote(c.name, excerpt.Name))
		}
		c.values = run.Values
	}
	v := c.values[0]
	c.values = c.values[1:]
	return v, nil
}
