package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/internal/position"
)

func (a *app) deleteCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "delete DB NAME START[:STOP]",
		Short: "Remove an element or a range of them",
		Long: `Remove the element at START, or those from START up to, not including, STOP.
START:, :STOP and : leave the other bound to the end of the column.`,
		Example: `  columnvault delete weather.db temp_max -1
  columnvault delete weather.db temp_max 10:20
  columnvault delete weather.db temp_max -7:`,
		RunE: func(cmd *cobra.Command, args []string) error {
			remove, err := deletion(cmd, args[2])
			if err != nil {
				return err
			}
			return writing(args[0], func(v *columnvault.Vault) error {
				return v.Update(cmd.Context(), func(ctx context.Context, tx *columnvault.Tx) error {
					col, err := openColumn(ctx, tx, args[1])
					if err != nil {
						return err
					}
					return remove(ctx, col)
				})
			})
		},
	}
}

// deletion reads what to delete, and returns the function that does.
func deletion(cmd *cobra.Command, text string) (func(context.Context, *columnvault.Column[any]) error, error) {
	if strings.Contains(text, ":") {
		b, err := parseBounds(cmd, text)
		if err == nil && b.Step != 1 {
			err = usagef(cmd, "a range to delete has no step")
		}
		return func(ctx context.Context, col *columnvault.Column[any]) error {
			return col.Delete(ctx, b.Start, b.Stop)
		}, err
	}
	i, err := parseIndex(cmd, text)
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
