package main

import (
	"github.com/spf13/cobra"

	"columnvault"
)

func (a *app) dropCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "drop DB NAME",
		Short:   "Remove a column and everything in it",
		Example: `  columnvault drop metrics.db loss`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return writing(args[0], func(v *columnvault.Vault) error {
				err := v.Drop(cmd.Context(), args[1])
				return hintColumns(cmd.Context(), v, err)
			})
		},
	}
}
