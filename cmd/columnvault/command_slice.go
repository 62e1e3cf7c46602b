package main

import (
	"context"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/cmd/columnvault/internal/columns"
	"columnvault/internal/position"
	"columnvault/internal/values"
)

func newSliceCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "slice DB NAME [START:STOP[:STEP]]",
		Short: "Print elements, one a line",
		Long: `Print elements as JSON, one a line: those that Python's list[START:STOP:STEP]
has, or all of them. Parts may be missing, negative positions count from the
end, and a negative step goes backwards.`,
		Example: `  columnvault slice weather.db temp_max
  columnvault slice weather.db temp_max -7:
  columnvault slice weather.db temp_max ::-1 | head
  columnvault slice weather.db weather 100:200:10`,
		RunE: func(cmd *cobra.Command, args []string) error {
			s := position.Slice{Start: columnvault.Begin, Stop: columnvault.End, Step: 1}
			if len(args) > 2 {
				var err error
				if s, err = parseSlice(args[2]); err != nil {
					return err
				}
			}
			return runSlice(cmd.Context(), a, args[0], args[1], s)
		},
	}
}

func runSlice(ctx context.Context, a *app, db, name string, s position.Slice) error {
	return reading(db, func(v *columnvault.Vault) error {
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
