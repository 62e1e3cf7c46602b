package main

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/cmd/columnvault/internal/exchange"
	"columnvault/cmd/columnvault/internal/importing"
	"columnvault/cmd/columnvault/internal/term"
	"columnvault/internal/excerpt"
)

// importOptions are the flags of import.
type importOptions struct {
	format, prefix, into string
	types, na            []string
	append, only, quiet  bool
	intoExisting         bool
}

func newImportCommand(a *app) *cobra.Command {
	var o importOptions
	cmd := &cobra.Command{
		Use: "import DB FILE|- [--format csv|jsonl] [--types COLUMN=DTYPE,...] [--na COLUMN=VALUE]... " +
			"[--prefix P] [--append [--only]] [--into NAME] [--quiet] [--into-existing]",
		Short: "Make columns of a CSV or JSON lines file",
		Long: `Make columns of a CSV or JSON lines file, or of standard input (-), which needs
--format. The file is read twice, to find the types and to write, in one
transaction: after an error the vault is as it was. In the end a table shows
what was written.

CSV: the first line names the columns. A column is i64 if all its values are
plain integers (007 and numbers beyond 64 bits are not), f64 if all are numbers,
and otherwise str. Numbers with a fraction or an exponent become the nearest
f64. Integers are not rounded: beside one that f64 does not hold (beyond 2^53)
such numbers make a str column. Quotes around numbers make no difference, nor do
spaces around names and numbers.

JSON lines: the keys of the objects name the columns. Integers make i64, other
numbers f64, and so do "NaN", "Infinity" and "-Infinity" with numbers or alone;
text makes str, base64 objects bytes, all else and what is mixed msgpack.
--into NAME makes one msgpack column of whole lines instead.

--types names other dtypes, such as bool or f32, which KohakuVault 0.8.6 cannot
read, or str for postal codes.

A value is missing if its field is empty or NA (in a text column, unless it is
in quotes), its key is not there or its value is null. Float columns store
NaN then, msgpack and cbor columns null; others need a value from --na.

With --append all columns of the file must exist, and the types are theirs. So
that rows stay side by side, a column that the file lacks gets missing values if
it is as long as one of those and its name begins with P of --prefix. --only
leaves it as it is.`,
		Example: `  columnvault import weather.db seattle-weather.csv
  columnvault import weather.db today.csv --append
  columnvault import flights.db flights.csv --types dep_time=f64 --na tailnum=
  columnvault import logs.db events.jsonl --into events
  zcat big.csv.gz | columnvault import big.db - --format csv --prefix big.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runImport(cmd.Context(), a, args[0], args[1], &o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.format, "format", "", "`csv|jsonl`; by default what the ending of the file says")
	f.StringSliceVar(&o.types, "types", nil, "dtypes of columns, `COLUMN=DTYPE,...`, in place of those found")
	f.StringArrayVar(&o.na, "na", nil, "what missing values of a column become, `COLUMN=VALUE`; may be repeated")
	f.StringVar(&o.prefix, "prefix", "", "what goes before the names of columns in the vault, as `P`")
	f.BoolVar(&o.append, "append", false, "add to existing columns")
	f.BoolVar(&o.only, "only", false, "append to the columns of the file alone")
	f.StringVar(&o.into, "into", "", "the one column, `NAME`, for whole JSON lines")
	f.BoolVar(&o.quiet, "quiet", false, "no progress bar and no table")
	intoExistingFlag(cmd, &o.intoExisting)
	return cmd
}

// plan reads the flags.
func (o *importOptions) plan(path string) (p *importing.Options, err error) {
	p = &importing.Options{Into: o.into, Prefix: o.prefix, Append: o.append, Only: o.only}
	if p.Format, err = exchange.FormatOf(o.format, path); err != nil {
		return nil, usageError{err}
	}
	if p.Types, err = importing.ParseTypes(o.types); err != nil {
		return nil, usageError{err}
	}
	if p.Absent, err = importing.ParseAbsent(o.na); err != nil {
		return nil, usageError{err}
	}
	if err := p.Check(); err != nil {
		return nil, usageError{err}
	}
	if o.append && o.intoExisting {
		return nil, usagef("--into-existing makes a vault, and --append needs one with columns")
	}
	return p, nil
}

func runImport(ctx context.Context, a *app, db, path string, o *importOptions) error {
	plan, err := o.plan(path)
	if err != nil {
		return err
	}
	if o.append || !missing(db) && !vaultless(db, o.intoExisting) {
		return writing(db, func(v *columnvault.Vault) error {
			existing, err := v.Columns(ctx)
			if err != nil {
				return err
			}
			return a.importFile(ctx, path, plan, existing, o.quiet, func(j *importing.Job) ([]importing.Result, error) {
				return j.Run(ctx, v)
			})
		})
	}
	return a.importFile(ctx, path, plan, nil, o.quiet, func(j *importing.Job) (results []importing.Result, err error) {
		trial := func(v *columnvault.Vault) error { return j.CreateAll(ctx, v) }
		err = creating(db, o.intoExisting, trial, func(v *columnvault.Vault) error {
			results, err = j.Run(ctx, v)
			return err
		})
		return results, err
	})
}

// importFile reads a file, runs the import that is planned for it, and prints
// what it has written.
func (a *app) importFile(ctx context.Context, path string, plan *importing.Options, existing []columnvault.ColumnInfo, quiet bool,
	run func(*importing.Job) ([]importing.Result, error)) error {
	file, err := a.openInput(ctx, path, quiet)
	if err != nil {
		return err
	}
	defer file.Close()
	progress := a.progress(quiet, "importing", 2*file.Size()) // it is read twice
	defer progress.Finish()
	job, err := importing.Plan(ctx, file, plan, existing, progress)
	if err != nil {
		return err
	}
	results, err := run(job)
	if err != nil || quiet {
		return err
	}
	progress.Finish()
	return a.printImport(results, plan.Append)
}

// printImport prints what an import has written.
func (a *app) printImport(results []importing.Result, appended bool) error {
	columns := []term.Column{term.Left("column"), term.Left("type"), term.Right("length")}
	if appended {
		columns = append(columns, term.Right("added"))
	}
	t := a.table(append(columns, term.Right("min"), term.Right("max"), term.Right("mean"), term.Graph("trend"))...)
	for _, r := range results {
		cells := []string{excerpt.Printable(r.Column.Name), r.Column.Spec.String(), strconv.Itoa(r.Len)}
		if appended {
			cells = append(cells, strconv.Itoa(r.Added))
		}
		s := r.Summary
		t.Add(append(cells, showValue(r.Column.Spec, r.Column.Meaning, s.Min), showValue(r.Column.Spec, r.Column.Meaning, s.Max), showMean(s), showTrend(s))...)
	}
	return t.Write(a.out)
}
