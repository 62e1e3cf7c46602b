package main

import (
	"context"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/cmd/columnvault/internal/columns"
)

func newRenameCommand(*app) *cobra.Command {
	return &cobra.Command{
		Use:   "rename DB OLD NEW",
		Short: "Give a column another name",
		Long: `Give a column another name, which no other column has. Programs that have it open
go on with it.`,
		Example: `  columnvault rename metrics.db loss train_loss`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runRename(cmd.Context(), args[0], args[1], args[2])
		},
	}
}

func runRename(ctx context.Context, db, name, newName string) error {
	return writing(ctx, db, func(v *columnvault.Vault) error {
		return columns.HintNames(ctx, v, v.Rename(ctx, name, newName))
	})
}
