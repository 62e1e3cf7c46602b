// Command vaultfeed writes columns of a vault as a table of Apache Iceberg, and
// brings it up to date.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"columnvault"
	"columnvault/feed"
	_ "columnvault/postgres" // for addresses in the place of DB
)

const usage = `Usage:
  vaultfeed DB [COLUMN...] --iceberg DIR [options]

Write columns of the vault DB as the table of Apache Iceberg that is the directory
DIR, or add the rows that have come since the last run. Without COLUMN, all
columns. They must be of one length. DB is a file, or the address of a vault on a
PostgreSQL server.

Every run is one commit: after an error or an interrupt the table is as it was,
and the same command goes on. All rows are read, and those that the table has are
compared with what was written, by SHA-256; if one was edited, that is an error.

      --iceberg DIR       the directory of the table
      --table NAME        the columns NAME.FIELD of a table of the vault, as FIELD
      --overwrite         if rows were edited, replace all rows of the table
      --recent            compare only the last rows of the table (65,536 at most),
                          so that a run costs what is new
      --floor             cut times in nanoseconds off to microseconds
      --file-mib N        begin a new data file at N MiB (default 256)
      --json              print one JSON object: rows and added (of the table, and
                          of this run), files and bytes (of data files written),
                          snapshot (its ID), overwritten. More fields may come
      --quiet             no progress, and nothing printed
  -h, --help              this text

Exit code: 0, 1 after an error, 2 for wrong arguments, 3 if rows were edited.

Examples:
  vaultfeed weather.db day temp_max --iceberg /data/weather
  vaultfeed trips.db --table trips --iceberg /data/trips --overwrite

  spark.read.format("iceberg").load("/data/weather")            in Spark
  SELECT * FROM iceberg_scan('/data/weather')                   in DuckDB
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second interrupt ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// Exit codes.
const (
	ok = iota
	failed
	misused
	wasEdited
)

func run(ctx context.Context, args []string, out, errs io.Writer) int {
	c, err := parse(args)
	if errors.Is(err, pflag.ErrHelp) {
		fmt.Fprint(out, usage)
		return ok
	}
	if err != nil {
		fmt.Fprintf(errs, "vaultfeed: %v\nTry: vaultfeed --help\n", err)
		return misused
	}
	if err := c.feed(ctx, out, errs); err != nil {
		fmt.Fprintln(errs, "vaultfeed:", err)
		var hinted interface{ Hint() string }
		switch {
		case errors.Is(err, feed.ErrEdited):
			fmt.Fprintln(errs, "hint: --overwrite replaces all rows of the table")
			return wasEdited
		case errors.As(err, &hinted) && hinted.Hint() != "":
			fmt.Fprintln(errs, "hint:", hinted.Hint())
		}
		return failed
	}
	return ok
}

// command is what the arguments say.
type command struct {
	db, dir, table         string
	columns                []string
	fileMiB                int64
	asJSON, quiet          bool
	overwrite, recent, cut bool
}

func parse(args []string) (*command, error) {
	c := &command{}
	f := pflag.NewFlagSet("vaultfeed", pflag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&c.dir, "iceberg", "", "")
	f.StringVar(&c.table, "table", "", "")
	f.Int64Var(&c.fileMiB, "file-mib", 256, "")
	f.BoolVar(&c.overwrite, "overwrite", false, "")
	f.BoolVar(&c.recent, "recent", false, "")
	f.BoolVar(&c.cut, "floor", false, "")
	f.BoolVar(&c.asJSON, "json", false, "")
	f.BoolVar(&c.quiet, "quiet", false, "")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	switch {
	case f.NArg() == 0:
		return nil, errors.New("no vault is named")
	case c.dir == "":
		return nil, errors.New("--iceberg DIR is missing")
	case c.table != "" && f.NArg() > 1:
		return nil, errors.New("name columns, or --table")
	case c.fileMiB < 1 || c.fileMiB > 1<<20:
		return nil, fmt.Errorf("--file-mib %d: from 1 to 1048576", c.fileMiB)
	}
	c.db, c.columns = f.Arg(0), f.Args()[1:]
	return c, nil
}

// result is --json.
type result struct {
	Rows        int   `json:"rows"`
	Added       int   `json:"added"`
	Files       int   `json:"files"`
	Bytes       int64 `json:"bytes"`
	Snapshot    int64 `json:"snapshot"`
	Overwritten bool  `json:"overwritten"`
}

func (c *command) feed(ctx context.Context, out, errs io.Writer) (err error) {
	v, err := columnvault.Open(ctx, c.db, &columnvault.Options{ReadOnly: true, MaxSnapshotAge: -1})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	o := &feed.Options{Overwrite: c.overwrite, Recent: c.recent, Floor: c.cut, FileBytes: c.fileMiB << 20}
	if c.table != "" {
		if c.columns, err = c.fields(ctx, v); err != nil {
			return err
		}
		o.Prefix = c.table + "."
	}
	bar := newBar(errs, c.quiet)
	o.Progress = bar.set
	r, err := feed.Iceberg(ctx, v, c.columns, c.dir, o)
	bar.clear()
	if err != nil || c.quiet {
		return err
	}
	if c.asJSON {
		return json.NewEncoder(out).Encode(result(*r))
	}
	what := "added"
	if r.Overwritten {
		what = "written anew"
	}
	_, err = fmt.Fprintf(out, "%d rows, %d of them %s, in %d new files of %d bytes\n", r.Rows, r.Added, what, r.Files, r.Bytes)
	return err
}

// fields are the columns of a table of the vault, in their order.
func (c *command) fields(ctx context.Context, v *columnvault.Vault) (names []string, err error) {
	infos, err := v.Columns(ctx)
	if err != nil {
		return nil, err
	}
	for _, info := range infos {
		if strings.HasPrefix(info.Name, c.table+".") && !info.Hidden {
			names = append(names, info.Name)
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%w: the vault has no columns %q", columnvault.ErrNotFound, c.table+".*")
	}
	return names, nil
}

// bar shows progress on a terminal.
type bar struct {
	w     io.Writer // nil shows nothing
	next  time.Time
	shown bool
}

// barDelay is how long work takes before its bar appears, and barStep how often it
// is drawn.
const (
	barDelay = 500 * time.Millisecond
	barStep  = 100 * time.Millisecond
)

func newBar(w io.Writer, quiet bool) *bar {
	f, isFile := w.(*os.File)
	if quiet || !isFile || !term.IsTerminal(int(f.Fd())) {
		return &bar{}
	}
	return &bar{w: w, next: time.Now().Add(barDelay)}
}

func (b *bar) set(done, total int64) {
	if b.w == nil || total <= 0 || time.Now().Before(b.next) {
		return
	}
	b.next, b.shown = time.Now().Add(barStep), true
	fmt.Fprintf(b.w, "\r%3d %% of %d rows", 100*done/total, total)
}

func (b *bar) clear() {
	if b.shown {
		fmt.Fprint(b.w, "\r\x1b[K")
	}
}
