package main

import (
	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/dtype"
)

func (a *app) getCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "get DB NAME INDEX",
		Short: "Print an element",
		Example: `  columnvault get weather.db temp_max 0
  columnvault get weather.db temp_max -1`,
		RunE: func(cmd *cobra.Command, args []string) error {
			i, err := parseIndex(cmd, args[2])
			if err != nil {
				return err
			}
			return reading(args[0], func(v *columnvault.Vault) error {
				col, err := openColumn(cmd.Context(), v, args[1])
				if err != nil {
					return err
				}
				value, err := col.At(cmd.Context(), i)
				if err != nil {
					return err
				}
				_, err = a.out.Write(append(newPrinter(specOf(col)).append(nil, value), '\n'))
				return err
			})
		},
	}
}

// specOf is the dtype of an open column.
func specOf(col *columnvault.Column[any]) dtype.Spec {
	spec, err := dtype.ParseSpec(col.DType())
	if err != nil {
		panic(err) // the column is open, so it has parsed
	}
	return spec
}
