package main

import (
	"context"

	"github.com/spf13/cobra"

	"columnvault"
)

func newDropCommand(a *app) *cobra.Command {
	var layout string
	cmd := &cobra.Command{
		Use:   "drop DB NAME [--layout 0|1|native]",
		Short: "Remove a column and everything in it",
		Long: `Remove a column and everything in it, without a question: only a backup brings
it back. The file keeps its size, and uses the room again; compact gives it back.

If the name is that of a column in each of two layouts, it means the one that ls
does not call hidden. --layout takes the one in that layout, also a column of
KohakuVault 1.x, which is in layout 1.`,
		Example: `  columnvault drop metrics.db loss
  columnvault drop both.db loss --layout 1`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDrop(cmd.Context(), a, args[0], args[1], layout)
		},
	}
	layoutFlag(cmd, &layout)
	return cmd
}

func runDrop(ctx context.Context, a *app, db, name, layout string) error {
	return a.changeNamed(ctx, db, name, layout,
		func(v *columnvault.Vault, layout int) error { return v.DropIn(ctx, name, layout) },
		func(v *columnvault.Vault) error { return v.Drop(ctx, name) })
}
