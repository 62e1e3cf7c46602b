package main

import (
	"github.com/spf13/cobra"

	"columnvault"
)

func (a *app) renameCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "rename DB OLD NEW",
		Short:   "Give a column another name",
		Example: `  columnvault rename metrics.db loss train_loss`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return writing(args[0], func(v *columnvault.Vault) error {
				err := v.Rename(cmd.Context(), args[1], args[2])
				return hintColumns(cmd.Context(), v, err)
			})
		},
	}
}
