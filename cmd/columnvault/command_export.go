package main

import (
	"bufio"
	"context"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/cmd/columnvault/internal/columns"
	"columnvault/cmd/columnvault/internal/files"
	"columnvault/cmd/columnvault/internal/importing"
	"columnvault/exchange"
)

type exportOptions struct {
	format, out string
	quiet       bool
}

func newExportCommand(a *app) *cobra.Command {
	var o exportOptions
	cmd := &cobra.Command{
		Use:   "export DB [NAME...] [--format csv|jsonl] [--out FILE] [--quiet]",
		Short: "Write columns side by side as CSV or JSON lines",
		Long: `Write columns, or all of them, side by side as CSV or JSON lines. They must be of
one length. A file is put in its place when it is complete; until then one that
was there before stays.

Times and dates are written as 2026-07-31T12:00:00Z and 2026-07-31, a missing
value as an empty field, and as null in JSON. In CSV text stands as it is, "" and
"NA" in quotes, and values that are neither text nor numbers as JSON.

import reads back what was written, whatever it is, if its --types name the types
or --append takes those of columns. By itself it finds types anew: i64, f64, str,
dates and times (in JSON lines bytes as well) come back as such, others as one of
these or msgpack, and text as numbers if all of it looks like numbers.`,
		Example: `  columnvault export weather.db --out weather.csv
  columnvault export weather.db time_hour temp --format jsonl | jq .temp`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runExport(cmd.Context(), a, args[0], args[1:], &o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.format, "format", "", "`csv|jsonl`; by default what the ending of FILE says, else csv")
	f.StringVar(&o.out, "out", "", "the `FILE` to write, in place of standard output")
	f.BoolVar(&o.quiet, "quiet", false, "no progress bar")
	return cmd
}

func runExport(ctx context.Context, a *app, db string, names []string, o *exportOptions) error {
	format := importing.CSV
	if o.format != "" || o.out != "" {
		var err error
		if format, err = importing.FormatOf(o.format, o.out); err != nil {
			return usageError{err}
		}
		if err := importing.CheckOutput(o.out); err != nil {
			return usageError{err}
		}
	}
	return reading(db, func(v *columnvault.Vault) error {
		if err := files.SpareVault(db, o.out); err != nil {
			return err
		}
		mixed := o.out == "" && a.outTerminal // a bar would be between the lines
		progress := a.progress(o.quiet || mixed, "exporting", 1)
		defer progress.Finish()
		write := func(w *bufio.Writer) error {
			_, err := exchange.Export(ctx, v, names, format.Writer(w), &exchange.ExportOptions{Progress: progress.Set})
			return columns.HintNames(ctx, v, err)
		}
		if o.out == "" {
			return write(a.out)
		}
		return files.Replace(o.out, write)
	})
}
