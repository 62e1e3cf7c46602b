package main

import (
	"context"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/internal/position"
)

func (a *app) sliceCmd() *cobra.Command {
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
			b := position.Slice{Start: columnvault.Begin, Stop: columnvault.End, Step: 1}
			if len(args) > 2 {
				var err error
				if b, err = parseBounds(cmd, args[2]); err != nil {
					return err
				}
			}
			return reading(args[0], func(v *columnvault.Vault) error {
				return v.View(cmd.Context(), func(ctx context.Context, tx *columnvault.Tx) error {
					col, err := openColumn(ctx, tx, args[1])
					if err != nil {
						return err
					}
					return a.printSlice(ctx, col, b)
				})
			})
		},
	}
}

func (a *app) printSlice(ctx context.Context, col *columnvault.Column[any], b position.Slice) error {
	n, err := col.Len(ctx)
	if err != nil {
		return err
	}
	first, count := b.Positions(int64(n))
	p := newPrinter(specOf(col))
	var line []byte
	size := int64(64)
	for from := int64(0); from < count; {
		to := from + min(size, count-from)
		part := b.Part(first, from, to)
		values, err := col.SliceStep(ctx, part.Start, part.Stop, part.Step)
		if err != nil {
			return err
		}
		printed := 0
		for _, v := range values {
			line = append(p.append(line[:0], v), '\n')
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
