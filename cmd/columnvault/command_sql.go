package main

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/cmd/columnvault/internal/importing"
	"columnvault/cmd/columnvault/internal/term"
	"columnvault/internal/excerpt"
	"columnvault/internal/hint"
	"columnvault/query"
)

type sqlOptions struct {
	format  string
	numeric bool
	timeout time.Duration
}

// askedTable is a line of sql --format jsonl without a statement.
type askedTable struct {
	Table   string   `json:"table"`
	Rows    *int     `json:"rows"`
	Columns []string `json:"columns"`
}

func newSQLCommand(a *app) *cobra.Command {
	var o sqlOptions
	cmd := &cobra.Command{
		Use:   "sql DB [STATEMENT] [--format table|csv|jsonl] [--numeric-times] [--timeout TIME]",
		Short: "Ask a question in SQL, or list the tables that can be asked",
		Long: `Run a statement of SQLite's SQL, which only reads, and print its rows: as a table
on a terminal, as CSV elsewhere. Without a statement, list the tables.

Columns that have a prefix in common are a table: trips.km and trips.fare are the
columns km and fare of trips. Columns without a prefix are those of the table
columns, and a key-value table is one with key and value. The column position
counts the rows from 0; conditions on it read those rows only. A table has as many
rows as its shortest column.

Times are texts in UTC such as 2026-07-31 12:00:00, missing values NULL, true and
false 1 and 0, bytes BLOBs, and vectors, msgpack and CBOR JSON text, for SQLite's
-> and ->> operators. In CSV NULL is empty and text without characters "". JSON
lines have an object a row: give columns of one name names of their own with AS.

The statement sees one moment of the vault, whatever others write meanwhile.
--format jsonl without a statement prints an object for each table: table, rows
(null for a key-value table) and columns; more fields may come.`,
		Example: `  columnvault sql weather.db
  columnvault sql weather.db "SELECT origin, count(*), avg(temp) FROM columns GROUP BY 1"
  columnvault sql weather.db "SELECT * FROM columns WHERE position BETWEEN 100 AND 110" --format table
  columnvault sql weather.db "SELECT key, value ->> '$.height' FROM kv" --format csv --timeout 10s`,
		RunE: func(cmd *cobra.Command, args []string) error {
			statement := ""
			if len(args) > 1 {
				statement = args[1]
				if strings.TrimSpace(statement) == "" {
					return usagef("the statement is empty")
				}
			}
			return runSQL(cmd.Context(), a, args[0], statement, &o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.format, "format", "", "`table|csv|jsonl`; by default a table on a terminal, else csv")
	f.BoolVar(&o.numeric, "numeric-times", false, "times and dates as the integers that are stored")
	f.DurationVar(&o.timeout, "timeout", 0, "give up after this `TIME`, such as 10s or 2m")
	return cmd
}

func runSQL(ctx context.Context, a *app, db, statement string, o *sqlOptions) error {
	if o.format != "" && o.format != "table" {
		if _, err := importing.FormatOf(o.format, ""); err != nil {
			return usagef("the format %s is none of table, csv and jsonl", excerpt.Quote(o.format, excerpt.Value))
		}
	}
	if o.timeout < 0 {
		return usagef("--timeout is below 0")
	}
	return reading(ctx, db, func(v *columnvault.Vault) error {
		if o.timeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, o.timeout)
			defer cancel()
		}
		var err error
		if statement == "" {
			err = a.listAsked(ctx, v, o.format)
		} else {
			err = a.ask(ctx, v, statement, o)
		}
		if err == nil && statement != "" {
			err = a.sayAsked(ctx, v, statement)
		}
		if errors.Is(err, context.DeadlineExceeded) {
			return hint.Add(err, "--timeout says how long a statement may take")
		}
		return err
	})
}

// sayAsked says which columns were meant where two have a name that the statement
// has, or that a star in it stands for.
func (a *app) sayAsked(ctx context.Context, v *columnvault.Vault, statement string) error {
	lower := strings.ToLower(statement)
	star := strings.Contains(strings.ReplaceAll(strings.Join(strings.Fields(lower), ""), "(*)", ""), "*")
	say, err := whichIf(ctx, v, func(name string) bool {
		table, field := "columns", strings.ToLower(name)
		if i := strings.LastIndexByte(field, '.'); i > 0 {
			table, field = field[:i], field[i+1:]
		}
		return strings.Contains(lower, table) && (star || strings.Contains(lower, field))
	})
	a.warn(false, say)
	return err
}

// listAsked lists the tables.
func (a *app) listAsked(ctx context.Context, v *columnvault.Vault, format string) error {
	if format == "csv" {
		return usagef("the list of tables is printed as a table or as jsonl")
	}
	tables, err := query.Tables(ctx, v)
	if err != nil {
		return err
	}
	list := a.table(term.Left("table"), term.Right("rows"), term.Left("columns"), term.Left(""))
	for _, t := range tables {
		rows, remark := &t.Rows, ""
		count := strconv.Itoa(t.Rows)
		if t.Rows < 0 {
			rows, count = nil, ""
		}
		if t.Uneven {
			remark = "some columns are longer"
		}
		if format == string(importing.JSONL) {
			if err := a.printJSON(askedTable{t.Name, rows, t.Columns}); err != nil {
				return err
			}
			continue
		}
		names := make([]string, len(t.Columns))
		for i, name := range t.Columns {
			names[i] = excerpt.Printable(name)
		}
		list.Add(excerpt.Printable(t.Name), count, excerpt.Few(names), remark)
	}
	if format == string(importing.JSONL) {
		return nil
	}
	return list.Write(a.out)
}

// ask prints the rows of a statement.
func (a *app) ask(ctx context.Context, v *columnvault.Vault, statement string, o *sqlOptions) error {
	db, err := query.Open(ctx, v, &query.Options{NumericTimes: o.numeric})
	if err != nil {
		return err
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, statement)
	if err != nil {
		return err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	p, err := a.rowPrinter(o.format, names)
	if err != nil {
		return err
	}
	for fields, err := range query.Fields(rows) {
		if err == nil {
			err = p.add(fields)
		}
		if err != nil {
			return err
		}
	}
	return p.end()
}
