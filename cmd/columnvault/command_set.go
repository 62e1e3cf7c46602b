package main

import (
	"context"

	"github.com/spf13/cobra"

	"columnvault"
)

func newSetCommand(*app) *cobra.Command {
	return &cobra.Command{
		Use:   "set DB NAME INDEX VALUE",
		Short: "Replace an element",
		Long: `Replace the element at INDEX, which counts from 0, or from the end if it is
negative. Where elements may be missing, null makes it so.`,
		Example: `  columnvault set weather.db temp 0 12.9
  columnvault set weather.db temp -1 -5.5
  columnvault set weather.db origin 3 LGA`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return changeAt(cmd.Context(), args, func(ctx context.Context, col *columnvault.Column[any], i int, list []any) error {
				return col.Set(ctx, i, list[0])
			})
		},
	}
}
