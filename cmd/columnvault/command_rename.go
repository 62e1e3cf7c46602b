package main

import (
	"context"

	"github.com/spf13/cobra"

	"columnvault"
)

func newRenameCommand(a *app) *cobra.Command {
	var layout string
	cmd := &cobra.Command{
		Use:   "rename DB OLD NEW [--layout 0|1|native]",
		Short: "Give a column another name",
		Long: `Give a column another name, which no other column has. Programs that have it open
go on with it. --layout takes the column that has the name in that layout, if two
have it, and also one of KohakuVault 1.x, which is in layout 1.`,
		Example: `  columnvault rename metrics.db loss train_loss
  columnvault rename both.db loss loss1 --layout 1`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runRename(cmd.Context(), a, args[0], args[1], args[2], layout)
		},
	}
	layoutFlag(cmd, &layout)
	return cmd
}

func runRename(ctx context.Context, a *app, db, name, newName, layout string) error {
	return a.changeNamed(ctx, db, name, layout,
		func(v *columnvault.Vault, layout int) error { return v.RenameIn(ctx, name, newName, layout) },
		func(v *columnvault.Vault) error { return v.Rename(ctx, name, newName) })
}
