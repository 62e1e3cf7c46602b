package main

import (
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"columnvault"
)

// importOptions are the flags of import.
type importOptions struct {
	format, prefix, into string
	types, na            []string
	append, only, quiet  bool
}

func (a *app) importCmd() *cobra.Command {
	var o importOptions
	cmd := &cobra.Command{
		Use: "import DB FILE|- [--format csv|jsonl] [--types COLUMN=DTYPE,...] [--na COLUMN=VALUE]... " +
			"[--prefix P] [--append [--only]] [--into NAME] [--quiet]",
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
			return a.runImport(cmd, args[0], args[1], &o)
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
	return cmd
}

func (a *app) runImport(cmd *cobra.Command, db, path string, o *importOptions) error {
	ctx := cmd.Context()
	format, err := formatOf(cmd, o.format, path)
	if err != nil {
		return err
	}
	plan, err := newPlan(ctx, cmd, db, o)
	if err != nil {
		return err
	}
	if format == formatCSV && o.into != "" {
		return usagef(cmd, "--into is for JSON lines")
	}
	file, err := a.openInput(ctx, path, o.quiet)
	if err != nil {
		return err
	}
	defer file.close()
	bar := a.newProgress(o.quiet, "importing", 2*file.size)
	defer bar.Finish()

	in, err := file.records(ctx, format, o.into, bar)
	if err != nil {
		return err
	}
	if err := plan.checkNames(in.names()); err != nil {
		return err // before a long file is read
	}
	found, rows, err := detect(in)
	if err != nil {
		return file.failed(err)
	}
	if err := plan.checkNames(in.names()); err != nil {
		return err
	}
	extra := plan.extras(in.names())
	if err := plan.checkFlags(in.names(), extra); err != nil {
		return err
	}
	for _, name := range extra {
		found = append(found, detected{name: name, absent: absences{count: rows}, extra: true})
	}
	columns, err := plan.columns(in, found, rows)
	if err != nil {
		return file.failed(err)
	}
	if !o.append {
		if err := tryColumns(ctx, columns); err != nil {
			return file.failed(err)
		}
	}
	job := &importJob{file: file, records: in, fields: len(in.names()), columns: columns, rows: rows}
	err = with(db, nil, func(v *columnvault.Vault) error {
		return v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			r, err := file.rewind(ctx, bar)
			if err != nil {
				return err
			}
			if err := in.rewind(r); err != nil {
				return file.failed(err)
			}
			return job.load(ctx, tx)
		})
	})
	if errors.Is(err, columnvault.ErrExists) {
		return withHint(err, "--prefix gives new columns another name")
	}
	if err != nil || o.quiet {
		return err
	}
	bar.Finish()
	return a.printImport(job.results, o.append)
}

// tryColumns looks whether the new columns can stand beside each other.
func tryColumns(ctx context.Context, columns []*importColumn) error {
	err := trying(func(v *columnvault.Vault) error {
		return v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			for _, c := range columns {
				if _, err := columnvault.Create(ctx, tx, c.name, c.spec.Type(), nil); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if errors.Is(err, columnvault.ErrExists) {
		return withHint(err, "it is another column of the file that needs that name; rename one of them there")
	}
	return err
}

// newPlan makes a plan of the flags and of what is in the vault.
func newPlan(ctx context.Context, cmd *cobra.Command, db string, o *importOptions) (*importPlan, error) {
	p := &importPlan{prefix: o.prefix, append: o.append, existing: map[string]columnvault.ColumnInfo{}}
	p.only = o.only || o.into != "" // whole lines lack nothing
	var err error
	if p.types, err = parseTypes(cmd, o.types); err != nil {
		return nil, err
	}
	if p.absent, err = parseAbsent(cmd, o.na); err != nil {
		return nil, err
	}
	if o.only && !o.append {
		return nil, usagef(cmd, "--only goes with --append")
	}
	if o.append && len(p.types) > 0 {
		return nil, usagef(cmd, "--append takes the types of the vault, so there can be no --types")
	}
	if _, err := os.Stat(db); err != nil && !o.append {
		return p, nil // there is no vault yet, or opening it will tell
	}
	return p, reading(db, func(v *columnvault.Vault) error {
		infos, err := v.Columns(ctx)
		for _, info := range infos {
			if !info.Incomplete { // such a one may be created
				p.existing[info.Name] = info
			}
		}
		return err
	})
}
