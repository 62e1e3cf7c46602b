package main

import (
	"github.com/spf13/cobra"

	"columnvault/internal/position"
)

func newHeadCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "head DB [NAME...] [--rows N] [--json]",
		Short: "Print the first rows, columns side by side",
		Long: `Print the first rows of columns side by side, of all or of those that are named:
a table for people, in which long values are cut. A column that has ended before
the others is empty from there on. On a terminal, columns that do not fit are
left out, with … in their place: name those that you want to see.

--json prints an object a line instead, with whole values and without the
position.`,
		Example: `  columnvault head weather.db
  columnvault head weather.db time_hour temp --rows 3
  columnvault head weather.db --json | jq .temp`,
	}
	n, asJSON := rowFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *n < 0 {
			return usagef("a negative number of rows")
		}
		return runRows(cmd.Context(), a, args[0], args[1:], position.Slice{Start: 0, Stop: *n, Step: 1}, *asJSON)
	}
	return cmd
}
