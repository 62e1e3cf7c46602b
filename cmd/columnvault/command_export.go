package main

import (
	"bufio"
	"context"
	"errors"
	"math"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/cmd/columnvault/internal/columns"
	"columnvault/cmd/columnvault/internal/files"
	"columnvault/cmd/columnvault/internal/importing"
	"columnvault/exchange"
	"columnvault/exchange/parquet"
	"columnvault/exchange/sqlrows"
)

type exportOptions struct {
	format, out, parquet, table, where string
	columns                            []string
	rowsPerFile                        int
	quiet                              bool
}

func newExportCommand(a *app) *cobra.Command {
	var o exportOptions
	cmd := &cobra.Command{
		Use:   "export DB [NAME...] [--columns NAME,...] [--format NAME] [--out FILE [--table NAME] | --parquet DIR --rows-per-file N] [--where START:STOP] [--quiet]",
		Short: "Write columns side by side as CSV, JSON lines, Parquet, Arrow or .npy",
		Long: `Write columns, or all of them, side by side. They must be of one length. A file
is put in its place when it is complete; until then one that was there before
stays. --parquet makes a new folder of files part-00000.parquet and so on, and
--table a new table in a SQLite file, whose other tables stay.

Parquet and Arrow hold all types, and import gets them back as they were. .npy
holds one column of numbers, times or vectors. docs/exchange.md says more.

Times and dates are written as 2026-07-31T12:00:00Z and 2026-07-31, a missing
value as an empty field, and as null in JSON. In CSV text stands as it is, "" and
"NA" in quotes, and values that are neither text nor numbers as JSON.

import reads back what was written, whatever it is, if its --types name the types
or --append takes those of columns. By itself it finds types anew: i64, f64, str,
dates and times (in JSON lines bytes as well) come back as such, others as one of
these or msgpack, and text as numbers if all of it looks like numbers.`,
		Example: `  columnvault export weather.db --out weather.csv
  columnvault export weather.db --out weather.parquet
  columnvault export big.db --parquet big --rows-per-file 1000000
  columnvault export weather.db --out other.db --table weather
  columnvault export weather.db temp --out temp.npy --where -365:
  columnvault export weather.db time_hour temp --format jsonl | jq .temp`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runExport(cmd.Context(), a, args[0], append(args[1:], o.columns...), &o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.format, "format", "", "`csv|jsonl|parquet|arrow|arrows|npy`; by default what the ending\nof FILE says, else csv; arrows is a stream")
	f.StringVar(&o.out, "out", "", "the `FILE` to write, in place of standard output")
	f.StringVar(&o.parquet, "parquet", "", "the folder `DIR` to make, of Parquet files")
	f.IntVar(&o.rowsPerFile, "rows-per-file", 0, "put `N` rows into each file of --parquet; by default all into one")
	f.StringVar(&o.table, "table", "", "write the table `NAME` of a SQLite file, which --out names")
	f.StringSliceVar(&o.columns, "columns", nil, "the columns, `NAME,...`, as if they came after DB")
	f.StringVar(&o.where, "where", "", "the rows, `START:STOP`, as Python has them in a list")
	f.BoolVar(&o.quiet, "quiet", false, "no progress bar")
	return cmd
}

func runExport(ctx context.Context, a *app, db string, names []string, o *exportOptions) error {
	options, err := o.plan()
	if err != nil {
		return err
	}
	format := importing.CSV
	if (o.format != "" || o.out != "") && o.parquet == "" && o.table == "" {
		if format, err = importing.FormatOf(o.format, o.out); err != nil {
			return usageError{err}
		}
		if err := importing.CheckOutput(o.out); err != nil {
			return usageError{err}
		}
	}
	if o.out == "" && o.parquet == "" && a.outTerminal && !format.IsText() {
		return usagef("%s is not written to a terminal: --out names a file", format)
	}
	return reading(ctx, db, func(v *columnvault.Vault) error {
		if err := spareVault(db, o.out); err != nil {
			return err
		}
		mixed := o.out == "" && o.parquet == "" && a.outTerminal // a bar would be between the lines
		progress := a.progress(o.quiet || mixed, "exporting", 1)
		defer progress.Finish()
		options.Progress = progress.Set
		write := func(sink exchange.Sink) error {
			_, err := exchange.Export(ctx, v, names, sink, options)
			return columns.HintNames(ctx, v, err)
		}
		switch {
		case o.parquet != "":
			return files.Folder(o.parquet, "part-%05d.parquet", func(create files.CreatePart) error {
				return write(exchange.NewParts(o.rowsPerFile, func(part int) (exchange.Sink, func() error, error) {
					w, done, err := create(part)
					return parquet.NewWriter(w, nil), done, err
				}))
			})
		case o.table != "":
			return files.ReplaceOrAdd(o.out, func(path string) error {
				w := sqlrows.NewWriter(path, o.table)
				return errors.Join(write(w), w.Close())
			})
		case o.out == "":
			return write(format.Writer(a.out))
		}
		return files.Replace(o.out, func(w *bufio.Writer) error { return write(format.Writer(w)) })
	})
}

// plan reads the flags.
func (o *exportOptions) plan() (*exchange.ExportOptions, error) {
	switch {
	case o.parquet != "" && (o.out != "" || o.format != ""):
		return nil, usagef("--parquet goes without --out and --format")
	case o.table != "" && (o.out == "" || o.format != "" || o.parquet != ""):
		return nil, usagef("--table goes with --out, and without --format and --parquet")
	case o.rowsPerFile != 0 && o.parquet == "":
		return nil, usagef("--rows-per-file goes with --parquet")
	case o.rowsPerFile < 0:
		return nil, usagef("--rows-per-file %d: want a number of rows", o.rowsPerFile)
	case o.rowsPerFile == 0:
		o.rowsPerFile = math.MaxInt
	}
	options := &exchange.ExportOptions{}
	if o.where != "" {
		s, err := parseWhere(o.where)
		if err != nil {
			return nil, err
		}
		options.Start, options.Stop = s.Start, s.Stop
	}
	return options, nil
}
