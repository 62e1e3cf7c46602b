package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"columnvault"
)

func (a *app) exportCmd() *cobra.Command {
	var format, out string
	var quiet bool
	cmd := &cobra.Command{
		Use:   "export DB [NAME...] [--format csv|jsonl] [--out FILE] [--quiet]",
		Short: "Write columns side by side as CSV or JSON lines",
		Long: `Write columns, or all of them, side by side as CSV or JSON lines. They must be of
one length. A file is put in its place when it is complete; until then one that
was there before stays.

In CSV, text stands as it is, "" and "NA" in quotes, and values that are neither
text nor numbers as JSON. --types or --append make import read back what was
written. By itself it finds types anew: i64, f64 and str (in JSON lines bytes as
well) come back as such, but other types as one of these or msgpack, and in CSV
text as numbers if all of it looks like numbers, such as 98101 or nan.`,
		Example: `  columnvault export weather.db --out weather.csv
  columnvault export weather.db date temp_max --format jsonl | jq .temp_max`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if format == "" && out == "" {
				format = formatCSV
			}
			format, err := formatOf(cmd, format, out)
			if err != nil {
				return err
			}
			return reading(args[0], func(v *columnvault.Vault) error {
				if err := spareVault(args[0], out); err != nil {
					return err
				}
				return v.View(cmd.Context(), func(ctx context.Context, tx *columnvault.Tx) error {
					e, err := openExport(ctx, tx, args[1:])
					if err != nil {
						return err
					}
					defer e.close()
					e.csv = format == formatCSV
					return a.runExport(e, out, quiet)
				})
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&format, "format", "", "`csv|jsonl`; by default what the ending of FILE says, else csv")
	f.StringVar(&out, "out", "", "the `FILE` to write, in place of standard output")
	f.BoolVar(&quiet, "quiet", false, "no progress bar")
	return cmd
}

func (a *app) runExport(e *export, out string, quiet bool) error {
	mixed := out == "" && a.outTerminal // a bar would be between the lines
	e.bar = a.newProgress(quiet || mixed, "exporting", int64(e.rows))
	defer e.bar.Finish()
	if out == "" {
		return e.write(a.out)
	}
	return replaceFile(out, e.write)
}

// export is columns of one length that are written together.
type export struct {
	columns []*exportColumn
	rows    int
	csv     bool
	bar     *progressbar.ProgressBar
}

// exportColumn is a column that is read from its beginning to its end.
type exportColumn struct {
	name    string
	key     []byte // the name in JSON, with a colon
	printer printer
	next    func() (columnvault.Run[any], error, bool)
	stop    func()
	values  []any // the rest of the current chunk
}

// openExport opens the columns of these names, or all.
func openExport(ctx context.Context, tx *columnvault.Tx, names []string) (*export, error) {
	if len(names) == 0 {
		infos, err := tx.Columns(ctx)
		if err != nil {
			return nil, err
		}
		if len(infos) == 0 {
			return nil, errors.New("the vault has no columns")
		}
		for _, info := range infos {
			if why := remark(info); why != "" {
				err := fmt.Errorf("column %q cannot be read %s", info.Name, why)
				return nil, withHint(err, "name the columns to export")
			}
			names = append(names, info.Name)
		}
	}
	e := &export{}
	columns := make([]*columnvault.Column[any], len(names))
	lengths := make([]string, len(names))
	agree := true
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			return nil, fmt.Errorf("column %q is named twice", name)
		}
		col, err := openColumn(ctx, tx, name)
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
		columns[i], lengths[i] = col, fmt.Sprintf("%s has %d", printable(name), n)
	}
	if !agree {
		err := fmt.Errorf("the columns differ in length: %s", strings.Join(lengths, ", "))
		return nil, withHint(err, "name those of one length to export them")
	}
	for _, col := range columns {
		c := &exportColumn{name: col.Name(), key: append(appendString(nil, col.Name()), ':'), printer: newPrinter(specOf(col))}
		c.next, c.stop = iter.Pull2(col.Runs(ctx))
		e.columns = append(e.columns, c)
	}
	return e, nil
}

func (e *export) close() {
	for _, c := range e.columns {
		c.stop()
	}
}

// value returns the next value of the column.
func (c *exportColumn) value() (any, error) {
	if len(c.values) == 0 {
		chunk, err, ok := c.next()
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, fmt.Errorf("column %q ended early", c.name)
		}
		c.values = chunk.Values
	}
	v := c.values[0]
	c.values = c.values[1:]
	return v, nil
}

// barRows is after how many rows the bar moves.
const barRows = 1024

// write writes all rows.
func (e *export) write(w *bufio.Writer) error {
	var line []byte
	if e.csv {
		for i, c := range e.columns {
			if i > 0 {
				line = append(line, ',')
			}
			line = appendCell(line, c.name)
		}
		if _, err := w.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	for row := range e.rows {
		var err error
		if line, err = e.appendRow(line[:0]); err != nil {
			return err
		}
		if _, err := w.Write(line); err != nil {
			return err
		}
		if row%barRows == barRows-1 {
			_ = e.bar.Add(barRows) // that a bar cannot be drawn is no reason to stop
		}
	}
	return nil
}

// appendRow prints the next row.
func (e *export) appendRow(line []byte) ([]byte, error) {
	separator := byte('{')
	for i, c := range e.columns {
		v, err := c.value()
		switch {
		case err != nil:
			return nil, err
		case !e.csv:
			line = append(append(line, separator), c.key...)
			line = c.printer.append(line, v)
			separator = ','
			continue
		case i > 0:
			line = append(line, ',')
		}
		line = c.printer.appendCell(line, v)
	}
	if !e.csv {
		line = append(line, '}')
	}
	return append(line, '\n'), nil
}
