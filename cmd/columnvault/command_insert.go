package main

import (
	"context"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/cmd/columnvault/internal/columns"
	"columnvault/internal/values"
)

func newInsertCommand(*app) *cobra.Command {
	return &cobra.Command{
		Use:   "insert DB NAME INDEX VALUE...",
		Short: "Put values before an element",
		Long: `Put values before the element at INDEX. As in Python, a position outside of the
column means its nearest end.`,
		Example: `  columnvault insert weather.db temp 0 11.1 12.2
  columnvault insert weather.db origin -1 JFK`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return changeAt(cmd.Context(), args, func(ctx context.Context, col *columnvault.Column[any], i int, list []any) error {
				return col.Insert(ctx, i, list...)
			})
		},
	}
}

// changeAt changes a column at an index: args are DB NAME INDEX VALUE...
func changeAt(ctx context.Context, args []string,
	change func(ctx context.Context, col *columnvault.Column[any], i int, list []any) error) error {
	i, err := parseIndex(args[2])
	if err != nil {
		return err
	}
	return writing(ctx, args[0], func(v *columnvault.Vault) error {
		col, err := columns.Open(ctx, v, args[1])
		if err != nil {
			return err
		}
		list, err := values.ParseAll(columns.Spec(col), col.Meaning(), args[3:])
		if err != nil {
			return err
		}
		return change(ctx, col, i, list)
	})
}
