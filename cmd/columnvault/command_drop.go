package main

import (
	"context"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/cmd/columnvault/internal/columns"
)

func newDropCommand(*app) *cobra.Command {
	return &cobra.Command{
		Use:   "drop DB NAME",
		Short: "Remove a column and everything in it",
		Long: `Remove a column and everything in it, without a question: only a backup brings
it back. The file keeps its size, and uses the room again; compact gives it back.`,
		Example: `  columnvault drop metrics.db loss`,
		RunE:    func(cmd *cobra.Command, args []string) error { return runDrop(cmd.Context(), args[0], args[1]) },
	}
}

func runDrop(ctx context.Context, db, name string) error {
	return writing(ctx, db, func(v *columnvault.Vault) error {
		return columns.HintNames(ctx, v, v.Drop(ctx, name))
	})
}
