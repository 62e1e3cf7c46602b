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

func newDeleteCommand(*app) *cobra.Command {
	return &cobra.Command{
		Use:   "delete DB NAME START[:STOP]",
		Short: "Remove an element or a range of them",
		Long: `Remove the element at START, or those from START up to, not including, STOP.
START:, :STOP and : leave the other bound to the end of the column.`,
		Example: `  columnvault delete weather.db temp_max -1
  columnvault delete weather.db temp_max 10:20
  columnvault delete weather.db temp_max -7:`,
		RunE: func(cmd *cobra.Command, args []string) error {
			remove, err := parseDeletion(args[2])
			if err != nil {
				return err
			}
			return runDelete(cmd.Context(), args[0], args[1], remove)
		},
	}
}

// deletion removes elements from a column inside a transaction.
type deletion func(ctx context.Context, col *columnvault.Column[any]) error

func runDelete(ctx context.Context, db, name string, remove deletion) error {
	return writing(db, func(v *columnvault.Vault) error {
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
