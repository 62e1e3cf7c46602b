package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/cmd/columnvault/internal/columns"
	"columnvault/internal/excerpt"
	"columnvault/internal/hint"
	"columnvault/internal/values"
)

func newGetCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "get DB NAME INDEX",
		Short: "Print an element",
		Long: `Print an element as JSON; one that is missing is null. INDEX counts from 0, a
negative one from the end: -1 is the last. slice prints ranges.`,
		Example: `  columnvault get weather.db temp 0
  columnvault get weather.db temp -1`,
		RunE: func(cmd *cobra.Command, args []string) error {
			i, err := parseIndex(args[2])
			if err != nil && strings.Contains(args[2], ":") {
				return hint.Add(err, "slice prints ranges: columnvault slice %s %s %s", excerpt.Line(args[0], excerpt.Path), excerpt.Line(args[1], excerpt.Name), excerpt.Line(args[2], excerpt.Value))
			}
			if err != nil {
				return err
			}
			return runGet(cmd.Context(), a, args[0], args[1], i)
		},
	}
}

func runGet(ctx context.Context, a *app, db, name string, i int) error {
	return reading(ctx, db, func(v *columnvault.Vault) error {
		col, err := columns.Open(ctx, v, name)
		if err != nil {
			return err
		}
		value, err := col.At(ctx, i)
		if err != nil {
			return err
		}
		_, err = a.out.Write(append(values.NewPrinter(columns.Spec(col), col.Meaning()).Append(nil, value), '\n'))
		return err
	})
}
