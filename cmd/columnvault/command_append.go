package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/cmd/columnvault/internal/columns"
	"columnvault/cmd/columnvault/internal/files"
	"columnvault/internal/values"
)

func newAppendCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "append DB NAME [VALUE...]",
		Short: "Add values at the end of a column",
		Long: `Add values at the end of a column: those of the command line, all or none, or
those of standard input, one a line. Lines go in as they come, in batches, so
that a slow pipe is in the vault at once; a bad line ends the command, and what
came before it is kept. Empty lines are skipped (empty text is ""). Lines that
are any text become values by way of jq -R.`,
		Example: `  columnvault append metrics.db loss 0.25 0.125
  columnvault append metrics.db temps -1 -2.5 NaN
  columnvault append metrics.db events '{"kind":"start","at":17}'
  tail -f app.log | jq -R --unbuffered . | columnvault append logs.db lines`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runAppend(cmd.Context(), a, args[0], args[1], args[2:])
		},
	}
}

func runAppend(ctx context.Context, a *app, db, name string, words []string) error {
	return writing(ctx, db, func(v *columnvault.Vault) error {
		col, err := columns.Open(ctx, v, name)
		if err != nil {
			return err
		}
		if len(words) == 0 {
			return a.appendLines(ctx, col)
		}
		list, err := values.ParseAll(columns.Spec(col), col.Meaning(), words)
		if err != nil {
			return err
		}
		return col.Append(ctx, list...)
	})
}

// The bounds of a batch.
const (
	batchValues = 8192
	batchBytes  = 1 << 20
)

// appendLines appends the values of standard input. It commits what has
// arrived before it waits for more.
func (a *app) appendLines(ctx context.Context, col *columnvault.Column[any]) error {
	p := values.NewParser(columns.Spec(col), col.Meaning())
	in := files.NewLines(files.Interruptible(ctx, a.in))
	var batch []any
	size, appended := 0, 0
	commit := func() error {
		err := col.Append(ctx, batch...)
		if err != nil {
			return fmt.Errorf("%w; %s", err, appendedBefore(appended))
		}
		appended += len(batch)
		clear(batch) // the values need not outlive the batch
		batch, size = batch[:0], 0
		return nil
	}
	for {
		line, err := in.Next() // the batch is empty whenever this waits or ends
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("standard input: %w", err)
		}
		var bad error
		if line = files.TrimEnding(line); len(bytes.TrimSpace(line)) > 0 {
			var v any
			if v, bad = p.Parse(line); bad == nil {
				batch = append(batch, v)
				size += len(line)
			}
		}
		if bad != nil || len(batch) == batchValues || size >= batchBytes || !in.Ready() {
			if err := commit(); err != nil {
				return err
			}
		}
		if bad != nil {
			return fmt.Errorf("standard input: line %d: %w; %s", in.Number, bad, appendedBefore(appended))
		}
	}
}

// appendedBefore says how far an append came.
func appendedBefore(n int) string {
	if n == 1 {
		return "1 value was appended before"
	}
	return fmt.Sprintf("%d values were appended before", n)
}
