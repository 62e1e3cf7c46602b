package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/cmd/columnvault/internal/columns"
	"columnvault/internal/position"
	"columnvault/internal/values"
)

func newSliceCommand(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "slice DB NAME... [START:STOP[:STEP]] [--json]",
		Short: "Print elements, one a line, or rows of several columns",
		Long: `Print elements as JSON, one a line: those that Python's list[START:STOP:STEP]
has, or all of them. Parts may be missing, negative positions count from the
end, and a negative step goes backwards.

Of several columns it prints rows, as head does, at the positions that the slice
has in the longest of them; with --json rows are objects, also those of one
column. The last argument is the slice if it has a colon: for a column whose
name has one, give a slice as well (: is everything).`,
		Example: `  columnvault slice weather.db temp
  columnvault slice weather.db temp -7:
  columnvault slice weather.db temp ::-1 | head
  columnvault slice weather.db origin 100:200:10
  columnvault slice weather.db time_hour temp dewp -7:`,
		RunE: func(cmd *cobra.Command, args []string) error {
			db, names := args[0], args[1:]
			if len(names) == 0 {
				return usagef("NAME is missing")
			}
			s := position.Slice{Start: columnvault.Begin, Stop: columnvault.End, Step: 1}
			if last := names[len(names)-1]; len(names) > 1 && isSlice(last) {
				var err error
				if s, err = parseSlice(last); err != nil {
					return err
				}
				names = names[:len(names)-1]
			}
			if len(names) > 1 || asJSON {
				return runRows(cmd.Context(), a, db, names, s, asJSON)
			}
			return runSlice(cmd.Context(), a, db, names[0], s)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, an object a line")
	return cmd
}

// isSlice tells whether an argument is meant as a slice: it has a colon, or
// nothing but digits, for which there is an error of its own.
func isSlice(arg string) bool {
	return strings.Contains(arg, ":") || strings.Trim(arg, "-0123456789") == ""
}

func runSlice(ctx context.Context, a *app, db, name string, s position.Slice) error {
	return reading(ctx, db, func(v *columnvault.Vault) error {
		return v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			col, err := columns.Open(ctx, tx, name)
			if err != nil {
				return err
			}
			return a.printSlice(ctx, col, s)
		})
	})
}

func (a *app) printSlice(ctx context.Context, col *columnvault.Column[any], s position.Slice) error {
	n, err := col.Len(ctx)
	if err != nil {
		return err
	}
	first, count := s.Positions(int64(n))
	p := values.NewPrinter(columns.Spec(col), col.Meaning())
	var line []byte
	size := int64(64)
	for from := int64(0); from < count; {
		to := from + min(size, count-from)
		part := s.Part(first, from, to)
		elements, err := col.SliceStep(ctx, part.Start, part.Stop, part.Step)
		if err != nil {
			return err
		}
		printed := 0
		for _, v := range elements {
			line = append(p.Append(line[:0], v), '\n')
			if _, err := a.out.Write(line); err != nil {
				return err
			}
			printed += len(line)
		}
		// As many elements next time as make about a mebibyte.
		size = max(1, min(2*size, 1<<16, size*(1<<20)/int64(printed+1)))
		from = to
	}
	return nil
}
