package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/cmd/columnvault/internal/columns"
	"columnvault/dtype"
	"columnvault/internal/excerpt"
	"columnvault/internal/values"
)

// meanings complete a MEANING.
var meanings = []cobra.Completion{"time=s", "time=ms", "time=us", "time=ns", "zone=", "date", "null"}

// meaningHelp explains a MEANING.
const meaningHelp = `MEANING says what the elements mean beyond that:

  time=s time=ms time=us time=ns     i64 as times, in that unit from 1970 on
  zone=NAME                          the time zone in which they are shown
  date                               i64 as dates, in days from 1970-01-01 on
  null                               elements may be missing (null); not of
                                     bytes, vec, or str:N`

// parseMeaning reads the words of a command line.
func parseMeaning(words []string) (dtype.Meaning, error) {
	return dtype.ParseMeaning(strings.Join(words, " "))
}

func newRetypeCommand(a *app) *cobra.Command {
	var turn, quiet bool
	cmd := &cobra.Command{
		Use:   "retype DB NAME [MEANING...] [--turn] [--quiet]",
		Short: "Change what the elements of a column mean: times, dates, missing values",
		Long: `Change what the elements of a column mean beyond their type. The elements stay as
they are; without MEANING they mean no more than their type again.

` + meaningHelp + `

All elements are read first, and must fit: times and dates must be of the years
0 to 9999. With null, what stands for a missing value (the lowest integer, the
highest unsigned one, the text "\u0000") must not be there as a value; NaN may be,
and is missing then. --turn allows it, and the reverse.`,
		Example: `  columnvault retype logs.db at time=us zone=Europe/Berlin
  columnvault retype weather.db temp null
  columnvault retype logs.db at`,
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := parseMeaning(args[2:])
			if err != nil {
				return usagef("%s", values.Reason(err))
			}
			return runRetype(cmd.Context(), a, args[0], args[1], m, turn, quiet)
		},
	}
	cmd.Flags().BoolVar(&turn, "turn", false, "let values become missing, or missing ones values")
	cmd.Flags().BoolVar(&quiet, "quiet", false, "print nothing")
	return cmd
}

func runRetype(ctx context.Context, a *app, db, name string, m dtype.Meaning, turn, quiet bool) error {
	return writing(ctx, db, func(v *columnvault.Vault) error {
		progress := a.progress(quiet, "reading", 0)
		missing, err := v.Retype(ctx, name, m, &columnvault.RetypeOptions{Turn: turn, Progress: progress.Set})
		progress.Finish()
		if err != nil {
			return columns.HintNames(ctx, v, err)
		}
		if missing > 0 && !quiet {
			fmt.Fprintf(a.out, "%s: %d missing\n", excerpt.Printable(name), missing)
		}
		return nil
	})
}
