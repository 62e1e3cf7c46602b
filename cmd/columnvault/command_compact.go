package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/cmd/columnvault/internal/term"
)

// compacted is compact --json.
type compacted struct {
	File    string    `json:"file"`
	Before  fileSizes `json:"before"`
	After   fileSizes `json:"after"`
	Columns int       `json:"columns"`
	Moved   int64     `json:"moved_bytes"`
	Skipped []string  `json:"skipped"`
}

// fileSizes are the sizes of a vault's files in JSON.
type fileSizes struct {
	Bytes int64 `json:"bytes"`
	Free  int64 `json:"free_bytes"`
	WAL   int64 `json:"wal_bytes"`
}

func newCompactCommand(a *app) *cobra.Command {
	var quiet, asJSON bool
	cmd := &cobra.Command{
		Use:   "compact DB [--quiet] [--json]",
		Short: "Give room that a vault does not need back",
		Long: `Give room that a vault does not need back to the file system: what deleted
elements and pairs have left, and room that was kept for more. Nothing that can
be read changes, the file never becomes larger, and other programs read and
write meanwhile. There is no need to do this regularly, because free room is
used by what is written next.

A file that KohakuVault has created is rebuilt the first time, if more than a
little of it is free. Writers wait for that, and it takes free space of twice
what the vault holds.

--json prints one object. More fields may come; these stay:
  file           text
  before, after  {"bytes", "free_bytes", "wal_bytes"}: the size of the file,
                 what of it is free, and the size of its write-ahead log
  columns        how many columns had parts that were stored anew
  moved_bytes    how many bytes of elements that were
  skipped        the columns that cannot be read, as texts of errors`,
		Example: `  columnvault compact weather.db
  columnvault compact weather.db --json | jq .after.bytes`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCompact(cmd.Context(), a, args[0], quiet, asJSON)
		},
	}
	cmd.Flags().BoolVar(&quiet, "quiet", false, "no progress bar, and nothing printed")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func runCompact(ctx context.Context, a *app, db string, quiet, asJSON bool) error {
	return writing(ctx, db, func(v *columnvault.Vault) error {
		progress := a.progress(quiet, "compacting", 0)
		r, err := v.Compact(ctx, columnvault.CompactOptions{Progress: progress.Set})
		progress.Finish()
		if err != nil {
			return err
		}
		done := compacted{db, sizesOf(r.Before), sizesOf(r.After), r.Columns, r.Moved, []string{}}
		for _, err := range r.Skipped {
			done.Skipped = append(done.Skipped, err.Error())
			fmt.Fprintf(a.err, "columnvault: left as it is: %v\n", err)
		}
		switch {
		case asJSON:
			return a.printJSON(done)
		case quiet:
			return nil
		}
		t := a.table(term.Left(""), term.Right("file"), term.Right("free"), term.Right("log"))
		t.Add("before", showInt(r.Before.Main), showInt(r.Before.Free), showInt(r.Before.Log))
		t.Add("after", showInt(r.After.Main), showInt(r.After.Free), showInt(r.After.Log))
		return t.Write(a.out)
	})
}

func sizesOf(s columnvault.FileSizes) fileSizes { return fileSizes{s.Main, s.Free, s.Log} }
