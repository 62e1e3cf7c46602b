package main

import (
	"github.com/spf13/cobra"

	"columnvault"
)

func (a *app) insertCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "insert DB NAME INDEX VALUE...",
		Short: "Put values before an element",
		Long: `Put values before the element at INDEX. As in Python, a position outside of the
column means its nearest end.`,
		Example: `  columnvault insert weather.db temp_max 0 11.1 12.2
  columnvault insert weather.db weather -1 sun`,
		RunE: func(cmd *cobra.Command, args []string) error {
			i, err := parseIndex(cmd, args[2])
			if err != nil {
				return err
			}
			return writing(args[0], func(v *columnvault.Vault) error {
				col, err := openColumn(cmd.Context(), v, args[1])
				if err != nil {
					return err
				}
				values, err := parseValues(col, args[3:])
				if err != nil {
					return err
				}
				return col.Insert(cmd.Context(), i, values...)
			})
		},
	}
}
