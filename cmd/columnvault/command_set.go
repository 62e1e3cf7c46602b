package main

import (
	"context"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/cmd/columnvault/internal/columns"
	"columnvault/cmd/columnvault/internal/values"
)

func newSetCommand(*app) *cobra.Command {
	return &cobra.Command{
		Use:   "set DB NAME INDEX VALUE",
		Short: "Replace an element",
		Example: `  columnvault set weather.db temp_max 0 12.9
  columnvault set weather.db temp_max -1 -5.5
  columnvault set weather.db weather 3 fog`,
		RunE: func(cmd *cobra.Command, args []string) error {
			i, err := parseIndex(args[2])
			if err != nil {
				return err
			}
			return runSet(cmd.Context(), args[0], args[1], i, args[3:])
		},
	}
}

func runSet(ctx context.Context, db, name string, i int, words []string) error {
	return writing(db, func(v *columnvault.Vault) error {
		col, err := columns.Open(ctx, v, name)
		if err != nil {
			return err
		}
		list, err := values.ParseAll(columns.Spec(col), col.Meaning(), words)
		if err != nil {
			return err
		}
		return col.Set(ctx, i, list[0])
	})
}
