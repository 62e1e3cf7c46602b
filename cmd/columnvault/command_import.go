package main

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/cmd/columnvault/internal/columns"
	"columnvault/cmd/columnvault/internal/importing"
	"columnvault/cmd/columnvault/internal/term"
	"columnvault/exchange"
	"columnvault/internal/excerpt"
)

// importOptions are the flags of import.
type importOptions struct {
	format, prefix, into                 string
	delimiter, comment, encoding, ragged string
	types, na, nulls                     []string
	skip                                 int
	append, only, quiet, noHeader        bool
	detect, intoExisting                 bool
}

func newImportCommand(a *app) *cobra.Command {
	var o importOptions
	cmd := &cobra.Command{
		Use: "import DB FILE|- [--format csv|jsonl] [--types COLUMN=DTYPE,...] [--na COLUMN=VALUE]... " +
			"[--prefix P] [--append [--only]] [--into NAME] [--detect] [--quiet] [--into-existing]",
		Short: "Make columns of a CSV or JSON lines file",
		Long: `Make columns of a CSV or JSON lines file, or of standard input (-), which needs
--format. What ends in .gz or .zst is decompressed. All is written in one
transaction: after an error the vault is as it was. In the end a table shows
what was written. The types are those of the first records; if a later one does
not fit, the file is read again from its beginning.

CSV: the first line names the columns, which --no-header calls column_1 and so
on; names that are empty or taken are made unique. What stands between fields is
found: comma, tab, semicolon or bar. --skip leaves out lines at the beginning,
and --comment those that begin with a text. A record with more or fewer fields
than the header is an error, unless --ragged fill or --ragged skip is given. The
text is UTF-8, or UTF-16 with a byte-order mark, or what --encoding says. A
column is i64 if all its values are
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

A value is missing if its field is empty or NA, or what --null names in place of
these (in a text column, unless it is in quotes), its key is not there or its
value is null. Float columns store
NaN then, msgpack and cbor columns null; others need a value from --na.

With --append all columns of the file must exist, and the types are theirs. So
that rows stay side by side, a column that the file lacks gets missing values if
it is as long as one of those and its name begins with P of --prefix. --only
leaves it as it is.`,
		Example: `  columnvault import weather.db seattle-weather.csv
  columnvault import weather.db today.csv --append
  columnvault import flights.db flights.csv --types dep_time=f64 --na tailnum=
  columnvault import logs.db events.jsonl --into events
  columnvault import big.db big.csv.gz --prefix big.
  columnvault import x.db export.txt --format csv --skip 2 --null - --detect
  curl -s example.org/x.csv | columnvault import x.db - --format csv`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runImport(cmd.Context(), a, args[0], args[1], &o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.format, "format", "", "`csv|jsonl`; by default what the ending of the file says")
	f.StringSliceVar(&o.types, "types", nil, "dtypes of columns, `COLUMN=DTYPE,...`, in place of those found")
	f.StringArrayVar(&o.na, "na", nil, "what missing values of a column become, `COLUMN=VALUE`; may be repeated")
	f.StringArrayVar(&o.nulls, "null", nil, "a `TEXT` that stands for a missing value, in place of the usual ones;\nmay be repeated")
	f.StringVar(&o.delimiter, "delimiter", "", "the `CHARACTER` between fields, or tab; by default it is found")
	f.BoolVar(&o.noHeader, "no-header", false, "the first line has values, and columns are called column_1, ...")
	f.IntVar(&o.skip, "skip", 0, "leave out the first `N` lines")
	f.StringVar(&o.comment, "comment", "", "leave out lines that begin with `TEXT`")
	f.StringVar(&o.encoding, "encoding", "", "`utf8|utf16le|utf16be|latin1`; by default UTF-8, or what a\nbyte-order mark says")
	f.StringVar(&o.ragged, "ragged", "", "`refuse|fill|skip` records with more or fewer fields than the header")
	f.StringVar(&o.prefix, "prefix", "", "what goes before the names of columns in the vault, as `P`")
	f.BoolVar(&o.append, "append", false, "add to existing columns")
	f.BoolVar(&o.only, "only", false, "append to the columns of the file alone")
	f.StringVar(&o.into, "into", "", "the one column, `NAME`, for whole JSON lines")
	f.BoolVar(&o.detect, "detect", false, "show the columns that the file has, and write nothing")
	f.BoolVar(&o.quiet, "quiet", false, "no progress bar, no warnings and no table")
	intoExistingFlag(cmd, &o.intoExisting)
	return cmd
}

// plan reads the flags.
func (o *importOptions) plan(path string) (*importing.Options, error) {
	p := &importing.Options{}
	p.Import.Prefix, p.Import.Append, p.Import.Only = o.prefix, o.append, o.only
	p.JSONL.Into = o.into
	p.CSV.NoHeader, p.CSV.Skip, p.CSV.Comment, p.CSV.Nulls = o.noHeader, o.skip, o.comment, o.nulls
	parse := func() (err error) {
		if p.Format, err = importing.FormatOf(o.format, path); err != nil {
			return err
		}
		if p.Import.Types, err = importing.ParseTypes(o.types); err != nil {
			return err
		}
		if p.Import.Fill, err = importing.ParseFill(o.na); err != nil {
			return err
		}
		if p.CSV.Delimiter, err = importing.ParseDelimiter(o.delimiter); err != nil {
			return err
		}
		if p.CSV.Encoding, err = importing.ParseEncoding(o.encoding); err != nil {
			return err
		}
		if p.CSV.Ragged, err = importing.ParseRagged(o.ragged); err != nil {
			return err
		}
		p.JSONL.Encoding = p.CSV.Encoding
		return p.Check()
	}
	switch err := parse(); {
	case err != nil:
		return nil, usageError{err}
	case o.skip < 0:
		return nil, usagef("--skip %d: want a number of lines", o.skip)
	case o.append && o.intoExisting:
		return nil, usagef("--into-existing makes a vault, and --append needs one with columns")
	}
	p.Import.Only = o.only || o.append && o.into != "" // whole lines lack nothing
	if p.Format == importing.TSV && p.CSV.Delimiter == 0 {
		p.CSV.Delimiter = '\t'
	}
	return p, nil
}

func runImport(ctx context.Context, a *app, db, path string, o *importOptions) error {
	plan, err := o.plan(path)
	if err != nil {
		return err
	}
	if o.append {
		if err := mustExist(db); err != nil {
			return err
		}
	}
	file, err := a.openInput(ctx, path, o.quiet)
	if err != nil {
		return err
	}
	defer file.Close()
	progress := a.progress(o.quiet, "importing", file.Size())
	defer progress.Finish()
	plan.Import.Progress = progress.Set
	job, err := importing.NewJob(file, plan)
	if err != nil {
		return err
	}
	defer job.Close()
	if o.detect {
		result, err := job.Detect(ctx)
		if err != nil {
			return err
		}
		progress.Finish()
		a.warn(o.quiet, job.Warnings())
		return a.printImport(result, job.Summaries(), false)
	}
	var result *exchange.Result
	run := func(v *columnvault.Vault) (err error) {
		result, err = job.Run(ctx, v)
		return err
	}
	err = creating(db, o.intoExisting, run, run)
	if err != nil {
		return err
	}
	progress.Finish()
	a.warn(o.quiet, job.Warnings())
	if o.quiet {
		return nil
	}
	return a.printImport(result, job.Summaries(), o.append)
}

// printImport prints the columns that an import has written or found.
func (a *app) printImport(result *exchange.Result, summaries []columns.Summary, appended bool) error {
	shown := []term.Column{term.Left("column"), term.Left("type"), term.Right("length")}
	if appended {
		shown = append(shown, term.Right("added"))
	}
	t := a.table(append(shown, term.Right("min"), term.Right("max"), term.Right("mean"), term.Graph("trend"))...)
	for i, c := range result.Columns {
		cells := []string{excerpt.Printable(c.Name), showType(c.Type.String(), c.Meaning), strconv.Itoa(c.Len)}
		if appended {
			cells = append(cells, strconv.Itoa(result.Rows))
		}
		var s columns.Summary // of a column that the file lacks there is nothing to say
		if i < len(summaries) {
			s = summaries[i].As(c.Meaning)
		}
		t.Add(append(cells, showValue(c.Type, c.Meaning, s.Min), showValue(c.Type, c.Meaning, s.Max), showMean(s), showTrend(s))...)
	}
	return t.Write(a.out)
}
