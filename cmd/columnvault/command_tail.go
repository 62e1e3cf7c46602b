package main

import (
	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/internal/position"
)

func newTailCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tail DB [NAME...] [--rows N] [--json]",
		Short: "Print the last rows, columns side by side",
		Long: `Print the last rows of columns side by side, as head prints the first: those at
the last positions of the longest of the columns.`,
		Example: `  columnvault tail weather.db
  columnvault tail weather.db time_hour temp --rows 3`,
	}
	n, asJSON := rowFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *n < 0 {
			return usagef("a negative number of rows")
		}
		s := position.Slice{Start: -*n, Stop: columnvault.End, Step: 1}
		if *n == 0 {
			s.Start = columnvault.End
		}
		return runRows(cmd.Context(), a, args[0], args[1:], s, *asJSON)
	}
	return cmd
}
