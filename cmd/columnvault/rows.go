package main

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/cmd/columnvault/internal/columns"
	"columnvault/cmd/columnvault/internal/term"
	"columnvault/internal/excerpt"
	"columnvault/internal/position"
	"columnvault/internal/values"
)

// rows are columns side by side.
type rows struct {
	columns []*columnvault.Column[any]
	lens    []int
	length  int // of the longest
}

// openRows opens columns, without names all that can be read.
func openRows(ctx context.Context, tx *columnvault.Tx, names []string) (*rows, error) {
	if len(names) == 0 {
		infos, err := tx.Columns(ctx)
		if err != nil {
			return nil, err
		}
		for _, info := range infos {
			if columns.Remark(info) == "" {
				names = append(names, info.Name)
			}
		}
	}
	r := &rows{}
	for _, name := range names {
		col, err := columns.Open(ctx, tx, name)
		if err != nil {
			return nil, err
		}
		n, err := col.Len(ctx)
		if err != nil {
			return nil, err
		}
		r.columns, r.lens, r.length = append(r.columns, col), append(r.lens, n), max(r.length, n)
	}
	return r, nil
}

// read returns the elements of a column at the positions of the slice, of which
// the column may have only the first or the last.
func (r *rows) read(ctx context.Context, column int, s position.Slice, first, count int64) (elements []any, skipped int, err error) {
	if count == 0 {
		return nil, 0, nil
	}
	col, n := r.columns[column], int64(r.lens[column])
	last := first + (count-1)*int64(s.Step)
	if max(first, last) < n {
		part := s.Part(first, 0, count)
		elements, err = col.SliceStep(ctx, part.Start, part.Stop, part.Step)
		return elements, 0, err
	}
	var at []int
	for k := range count {
		if i := first + k*int64(s.Step); i < n {
			at = append(at, int(i))
		} else if s.Step < 0 {
			skipped++
		}
	}
	elements, err = col.Take(ctx, at)
	return elements, skipped, err
}

// rowsAtOnce is how many rows are read at once.
const rowsAtOnce = 512

// print prints the rows of the slice as a table, or as JSON, an object a line.
// Where a column has ended, nothing is printed.
func (r *rows) print(ctx context.Context, a *app, s position.Slice, asJSON bool) error {
	first, count := s.Positions(int64(r.length))
	header := []term.Column{term.Right("position")}
	printers := make([]values.Printer, len(r.columns))
	for i, col := range r.columns {
		spec := columns.Spec(col)
		printers[i] = values.NewPrinter(spec, col.Meaning())
		name := excerpt.Printable(col.Name())
		if values.IsNumber(spec.Kind) {
			header = append(header, term.Right(name))
		} else {
			header = append(header, term.Left(name))
		}
	}
	t := a.table(header...)
	t.Fit(a.width)
	for from := int64(0); from < count || from == 0; from += rowsAtOnce {
		n := min(rowsAtOnce, count-from)
		elements, skipped := make([][]any, len(r.columns)), make([]int, len(r.columns))
		for i := range r.columns {
			var err error
			if elements[i], skipped[i], err = r.read(ctx, i, s, first+from*int64(s.Step), n); err != nil {
				return err
			}
		}
		for k := range int(n) {
			if asJSON {
				if err := r.printObject(a, printers, elements, skipped, k); err != nil {
					return err
				}
				continue
			}
			cells := []string{strconv.FormatInt(first+(from+int64(k))*int64(s.Step), 10)}
			for i, col := range r.columns {
				cell := ""
				if at := k - skipped[i]; at >= 0 && at < len(elements[i]) {
					cell = excerpt.Shorten(showValue(columns.Spec(col), col.Meaning(), elements[i][at]), cellWidth)
				}
				cells = append(cells, cell)
			}
			t.Add(cells...)
		}
		if !asJSON {
			if err := t.Write(a.out); err != nil {
				return err
			}
		}
	}
	return nil
}

// cellWidth is how much of a value is shown in a row.
const cellWidth = 40

func (r *rows) printObject(a *app, printers []values.Printer, elements [][]any, skipped []int, k int) error {
	line := []byte{'{'}
	for i, col := range r.columns {
		at := k - skipped[i]
		if at < 0 || at >= len(elements[i]) {
			continue
		}
		if len(line) > 1 {
			line = append(line, ',')
		}
		name, err := json.Marshal(col.Name())
		if err != nil {
			return err
		}
		line = printers[i].Append(append(append(line, name...), ':'), elements[i][at])
	}
	_, err := a.out.Write(append(line, '}', '\n'))
	return err
}

// runRows prints the rows that a slice of the longest column has.
func runRows(ctx context.Context, a *app, db string, names []string, s position.Slice, asJSON bool) error {
	return reading(ctx, db, func(v *columnvault.Vault) error {
		return v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			r, err := openRows(ctx, tx, names)
			if err != nil {
				return err
			}
			return r.print(ctx, a, s, asJSON)
		})
	})
}

// rowFlags are the flags of the commands that print rows from one end.
func rowFlags(cmd *cobra.Command) (n *int, asJSON *bool) {
	return cmd.Flags().Int("rows", 10, "print `N` rows"), cmd.Flags().Bool("json", false, "print JSON, an object a line")
}
