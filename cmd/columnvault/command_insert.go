package main

import (
	"context"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/cmd/columnvault/internal/columns"
	"columnvault/cmd/columnvault/internal/values"
)

func newInsertCommand(*app) *cobra.Command {
	return &cobra.Command{
		Use:   "insert DB NAME INDEX VALUE...",
		Short: "Put values before an element",
		Long: `Put values before the element at INDEX. As in Python, a position outside of the
column means its nearest end.`,
		Example: `  columnvault insert weather.db temp_max 0 11.1 12.2
  columnvault insert weather.db weather -1 sun`,
		RunE: func(cmd *cobra.Command, args []string) error {
			i, err := parseIndex(args[2])
			if err != nil {
				return err
			}
			return runInsert(cmd.Context(), args[0], args[1], i, args[3:])
		},
	}
}

func runInsert(ctx context.Context, db, name string, i int, words []string) error {
	return writing(db, func(v *columnvault.Vault) error {
		col, err := columns.Open(ctx, v, name)
		if err != nil {
			return err
		}
		list, err := values.ParseAll(columns.Spec(col), col.Meaning(), words)
		if err != nil {
			return err
		}
		return col.Insert(ctx, i, list...)
	})
}
