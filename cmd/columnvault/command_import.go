package main

import (
	"context"
	"slices"
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
	decimals, table, where               string
	types, na, nulls, columns            []string
	skip                                 int
	append, only, quiet, noHeader        bool
	detect, intoExisting, asJSON         bool
	stored                               newColumns
}

func newImportCommand(a *app) *cobra.Command {
	var o importOptions
	cmd := &cobra.Command{
		Use: "import DB FILE|- [--format NAME] [--types COLUMN=DTYPE,...] [--null TEXT]... [--na COLUMN=VALUE]... " +
			"[--delimiter CHARACTER] [--no-header] [--skip N] [--comment TEXT] [--encoding NAME] [--ragged fill|skip] " +
			"[--columns NAME,...] [--where START:STOP] [--into NAME] [--prefix P] [--append [--only]] [--layout 0|native] [--compress zstd] [--home N] [--detect] [--json] [--quiet] [--into-existing]",
		Short: "Make columns of a CSV, JSON lines, Parquet, Arrow or .npy file",
		Long: `Make columns of a file, CSV, JSON lines, Parquet, Arrow IPC (.arrow, .feather;
.arrows for a stream) or .npy, or of standard input (-), which needs --format.
With --table it is a table of a SQLite file. docs/exchange.md has what becomes
of formats other than text. What ends in .gz or .zst is decompressed. All is
written in one
transaction: after an error the vault is as it was. In the end a table shows
what was written; --detect shows it and writes nothing.

Most files need no flag. The types are those that all values of a column have:
  integers          i64   but not 007, or numbers beyond 64 bits
  numbers           f64   with a fraction or an exponent the nearest one; beside
                          an integer that would be rounded they are text
  2026-07-31        i64 date
  2026-07-31 12:00  i64 time=us, as UTC unless there is Z or an offset; with
                          more than six digits of a second time=ns
  all else          str
Where fields are empty, NA, N/A, null, None, NaN or - (or what --null names
instead), values are missing, and the column is nullable. --types names other
types: bool, f32, str for postal codes, date, time, or a dtype and a meaning
such as "i64 time=s zone=Europe/Berlin". Columns of bytes, vectors or text of a
fixed size cannot miss values: --na COLUMN=VALUE says what stands there.

CSV: the first line names the columns; names that are empty or taken are made
unique. The delimiter is found, of comma, tab, semicolon and bar. A record with
more or fewer fields than the header is an error, unless --ragged says to fill
or skip it. The text is UTF-8, or UTF-16 with a byte-order mark.

JSON lines: the keys of the objects name the columns, and null is missing.
Base64 objects make bytes, and what is mixed, lists and objects msgpack.
--into NAME makes one msgpack column of whole lines instead.

With --append all columns of the file must exist, and the types are theirs. So
that rows stay side by side, a column that the file lacks gets missing values if
it is as long as one of those and its name begins with P of --prefix. --only
leaves it as it is.

--json prints one object in place of the table. More fields may come; these stay:
  rows      how many have come
  columns   {"name", "dtype", "meaning", "elements", "missing"} of each: its name
            in the vault, its length now, and how many of the rows lacked a value

docs/import.md says exactly what is read as what.`,
		Example: `  columnvault import weather.db nyc-weather.csv.gz
  columnvault import weather.db nyc-weather.csv.gz --detect
  columnvault import weather.db today.csv --append
  columnvault import shops.db shops.csv --types zip=str,open=bool
  columnvault import x.db export.txt --format csv --delimiter tab --skip 2
  columnvault import logs.db events.jsonl --into events
  columnvault import trips.db trips.parquet --columns start,distance
  columnvault import shop.db other.db --table orders
  columnvault import few.db big.csv.gz --columns start,distance --where :1000
  columnvault import big.db big.csv.gz --prefix big. --layout native --compress zstd
  curl -s example.org/x.csv | columnvault import x.db - --format csv`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runImport(cmd.Context(), a, args[0], args[1], &o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.format, "format", "", "`csv|jsonl|parquet|arrow|arrows|npy`; by default what the ending\nof the file says; arrows is a stream")
	f.StringSliceVar(&o.types, "types", nil, "types of columns, `COLUMN=DTYPE,...`, in place of those found;\nmay be repeated")
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
	f.StringVar(&o.into, "into", "", "the one column, `NAME`, for whole JSON lines or an array of .npy")
	f.StringSliceVar(&o.columns, "columns", nil, "read these columns of the file alone, `NAME,...`")
	f.StringVar(&o.where, "where", "", "the rows of the file, `START:STOP`, as Python has them in a list; from\nthe end they are counted first, in a pass of its own")
	f.StringVar(&o.table, "table", "", "read the table `NAME` of a SQLite file")
	f.StringVar(&o.decimals, "decimals", "", "read decimals of Parquet as `text|f64`")
	f.BoolVar(&o.detect, "detect", false, "show the columns that the file has, and write nothing")
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
	f.BoolVar(&o.quiet, "quiet", false, "no progress bar, no warnings and no table")
	o.stored.add(cmd)
	intoExistingFlag(cmd, &o.intoExisting)
	return cmd
}

// plan reads the flags.
func (o *importOptions) plan(path string) (*importing.Options, error) {
	p := &importing.Options{}
	if err := o.stored.parse(&p.Import.Columns); err != nil {
		return nil, err
	}
	p.Import.Prefix, p.Import.Append, p.Import.Only = o.prefix, o.append, o.only
	p.JSONL.Into, p.Columns = o.into, o.columns
	p.CSV.NoHeader, p.CSV.Skip, p.CSV.Comment, p.CSV.Nulls = o.noHeader, o.skip, o.comment, o.nulls
	if o.where != "" {
		s, err := parseWhere(o.where)
		if err != nil {
			return nil, err
		}
		p.Import.Start, p.Import.Stop = s.Start, s.Stop
	}
	parse := func() (err error) {
		if o.table != "" {
			p.Format, p.Table = importing.SQLite, o.table
		} else if p.Format, err = importing.FormatOf(o.format, path); err != nil {
			return err
		}
		if p.Import.Types, err = importing.ParseTypes(o.types); err != nil {
			return err
		}
		if p.Import.Fill, err = importing.ParseFill(o.na); err != nil {
			return err
		}
		if p.Parquet.Decimals, err = importing.ParseDecimals(o.decimals); err != nil {
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
	case o.table != "" && o.format != "":
		return nil, usagef("--table goes without --format")
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
		return a.printImport(result, job, o)
	}
	var result *exchange.Result
	var say []string
	run := func(v *columnvault.Vault) (err error) {
		if result, err = job.Run(ctx, v); err != nil || !o.append {
			return err
		}
		names := make([]string, len(result.Columns))
		for i, c := range result.Columns {
			names[i] = c.Name
		}
		say, err = whichOf(ctx, v, names...)
		return err
	}
	err = creating(ctx, db, o.intoExisting, run, run)
	if err != nil {
		return err
	}
	progress.Finish()
	a.warn(o.quiet, append(job.Warnings(), say...))
	if o.quiet && !o.asJSON {
		return nil
	}
	return a.printImport(result, job, o)
}

// importedColumn is a column in import --json.
type importedColumn struct {
	Name     string `json:"name"`
	DType    string `json:"dtype"`
	Meaning  string `json:"meaning,omitempty"`
	Elements int    `json:"elements"`
	Missing  int    `json:"missing"`
}

// printImport prints the columns that an import has written or found.
func (a *app) printImport(result *exchange.Result, job *importing.Job, o *importOptions) error {
	if !o.asJSON {
		return a.importTable(result, job.Summaries(), o.append && !o.detect)
	}
	list := make([]importedColumn, len(result.Columns))
	for i, c := range result.Columns {
		list[i] = importedColumn{c.Name, c.Type.String(), c.Meaning.String(), c.Len, c.Missing}
	}
	return a.printJSON(struct {
		Rows    int              `json:"rows"`
		Columns []importedColumn `json:"columns"`
	}{result.Rows, list})
}

// importTable prints columns with what their values are like.
func (a *app) importTable(result *exchange.Result, summaries []columns.Summary, appended bool) error {
	gaps := slices.ContainsFunc(result.Columns, func(c exchange.Imported) bool { return c.Missing > 0 })
	shown := []term.Column{term.Left("column"), term.Left("type"), term.Right("length")}
	if appended {
		shown = append(shown, term.Right("added"))
	}
	if gaps {
		shown = append(shown, term.Right("missing"))
	}
	t := a.table(append(shown, term.Right("min"), term.Right("max"), term.Right("mean"), term.Graph("trend"))...)
	for i, c := range result.Columns {
		cells := []string{excerpt.Printable(c.Name), showType(c.Type.String(), c.Meaning), strconv.Itoa(c.Len)}
		if appended {
			cells = append(cells, strconv.Itoa(result.Rows))
		}
		if gaps {
			cells = append(cells, showCount(c.Missing))
		}
		var s columns.Summary // of a column that the file lacks there is nothing to say
		if i < len(summaries) {
			s = summaries[i].As(c.Meaning)
		}
		t.Add(append(cells, showValue(c.Type, c.Meaning, s.Min), showValue(c.Type, c.Meaning, s.Max), showMean(s), showTrend(s))...)
	}
	return t.Write(a.out)
}
