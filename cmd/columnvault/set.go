package main

import (
	"github.com/spf13/cobra"

	"columnvault"
)

func (a *app) setCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "set DB NAME INDEX VALUE",
		Short: "Replace an element",
		Example: `  columnvault set weather.db temp_max 0 12.9
  columnvault set weather.db temp_max -1 -5.5
  columnvault set weather.db weather 3 fog`,
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
				return col.Set(cmd.Context(), i, values[0])
			})
		},
	}
}
