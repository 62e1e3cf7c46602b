package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/cmd/columnvault/internal/columns"
	"columnvault/internal/position"
)

func newDeleteCommand(a *app) *cobra.Command {
	var o deleteOptions
	cmd := &cobra.Command{
		Use:   "delete DB NAME START[:STOP] [--before AGE --by NAME] [--yes]",
		Short: "Remove an element or a range of them, or old rows",
		Long: `Remove the element at START, or those from START up to, not including, STOP.
START:, :STOP and : leave the other bound to the end of the column.

With --before and --by the arguments are DB [NAME...], and what is removed are the
first rows, those whose time is before an AGE ago (a number and s, m, h, d or w;
days have 24 hours), or before a time or date: the same range from the named
columns, or from all columns of the table that the column of times belongs to,
which have the same prefix up to the last point, or no point. They must have the
same length, and the times must ascend. What would go is printed, and a question
asked on a terminal; elsewhere --yes is needed. The file keeps its size, and
uses the room again.`,
		Example: `  columnvault delete weather.db temp -1
  columnvault delete weather.db temp 10:20
  columnvault delete weather.db temp -7:
  columnvault delete weather.db --before 2013-07-01 --by time_hour
  columnvault delete metrics.db --before 30d --by cpu.time --yes`,
	}
	f := cmd.Flags()
	f.StringVar(&o.before, "before", "", "remove the rows before an `AGE` ago, a time or a date")
	f.StringVar(&o.by, "by", "", "the `NAME` of the column of times")
	f.BoolVar(&o.yes, "yes", false, "do not ask")
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		switch {
		case o.before == "" && o.by == "":
			return checkArgs(cmd, args)
		case o.before == "" || o.by == "":
			return usagef("--before and --by belong together")
		case len(args) == 0:
			return usagef("DB is missing")
		}
		return nil
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if o.before != "" {
			return runDeleteBefore(cmd.Context(), a, args[0], args[1:], &o)
		}
		remove, err := parseDeletion(args[2])
		if err != nil {
			return err
		}
		return runDelete(cmd.Context(), args[0], args[1], remove)
	}
	return cmd
}

// deletion removes elements from a column inside a transaction.
type deletion func(ctx context.Context, col *columnvault.Column[any]) error

func runDelete(ctx context.Context, db, name string, remove deletion) error {
	return writing(ctx, db, func(v *columnvault.Vault) error {
		return v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			col, err := columns.Open(ctx, tx, name)
			if err != nil {
				return err
			}
			return remove(ctx, col)
		})
	})
}

// parseDeletion reads what to delete: a position, or a range.
func parseDeletion(text string) (deletion, error) {
	if strings.Contains(text, ":") {
		s, err := parseRange(text, "a range to delete")
		return func(ctx context.Context, col *columnvault.Column[any]) error {
			return col.Delete(ctx, s.Start, s.Stop)
		}, err
	}
	i, err := parseIndex(text)
	return func(ctx context.Context, col *columnvault.Column[any]) error {
		n, err := col.Len(ctx)
		if err != nil {
			return err
		}
		at, ok := position.At(i, int64(n))
		if !ok {
			err := fmt.Errorf("%w: the column has %d elements", columnvault.ErrOutOfRange, n)
			return &columnvault.Error{Op: "delete", Column: col.Name(), Index: i, Err: err}
		}
		return col.Delete(ctx, int(at), int(at)+1)
	}, err
}
