package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"columnvault/cmd/columnvault/internal/term"
	"columnvault/internal/copying"
	"columnvault/internal/engine"
	"columnvault/internal/hint"
	"columnvault/internal/store"
	"columnvault/internal/store/sqlite"
)

// copiedVault is copy --json.
type copiedVault struct {
	From     string   `json:"from"`
	To       string   `json:"to"`
	Columns  int      `json:"columns"`
	Kept     int      `json:"kept"`
	Elements int64    `json:"elements"`
	Tables   int      `json:"tables"`
	Pairs    int64    `json:"pairs"`
	Bytes    int64    `json:"bytes"`
	Verified bool     `json:"verified"`
	Skipped  []string `json:"skipped"`
}

type copyOptions struct {
	verify, quiet, asJSON bool
}

func newCopyCommand(a *app) *cobra.Command {
	var o copyOptions
	cmd := &cobra.Command{
		Use:   "copy A B [--verify] [--quiet] [--json]",
		Short: "Copy a vault into another one, also from a file to a server and back",
		Long: `Copy the columns and pairs of the vault A into the vault B, which is created if
there is none. Each of the two is a file or the address of a PostgreSQL server:
postgres://user@host/database?search_path=schema

What is copied is of one moment of A, which others may change meanwhile. A column
appears in B under its name when it is whole. After an error or an interrupt, the
same command goes on: columns that are in B already and have the same elements
stay. A column, or pairs, that differ from those of A are an error, and are left
as they are. Columns of KohakuVault 1.x come as columns of layout 0.

--verify reads B again and compares everything, by SHA-256. To replace a file by
a copy that is one file, with the same bytes, use backup.

--json prints one object. More fields may come; these stay:
  from, to         text
  columns, kept    how many columns are in B, and how many of them were before
  elements, bytes  how many were copied or found, and their size with the pairs
  tables, pairs    key-value tables and what they hold
  verified         whether B was compared
  skipped          columns that cannot be copied, with the reason`,
		Example: `  columnvault copy weather.db "postgres://lab@db.example/lab?search_path=weather" --verify
  columnvault copy "postgres://lab@db.example/lab?search_path=weather" back.db`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCopy(cmd.Context(), a, args[0], args[1], &o)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.verify, "verify", false, "read the copy and compare it")
	f.BoolVar(&o.quiet, "quiet", false, "no progress bar, and nothing printed")
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
	return cmd
}

func runCopy(ctx context.Context, a *app, from, to string, o *copyOptions) (err error) {
	if err := mustExist(from); err != nil {
		return err
	}
	src, err := engine.Open(ctx, from, sqlite.Options{ReadOnly: true, MaxSnapshotAge: -1})
	if err != nil {
		return fmt.Errorf("open %s: %w", engine.Shown(from), err)
	}
	defer src.Close()
	dst, err := engine.Open(ctx, to, sqlite.Options{})
	if err != nil {
		return fmt.Errorf("open %s: %w", engine.Shown(to), err)
	}
	defer func() {
		if closed := dst.Close(); err == nil {
			err = closed
		}
	}()
	progress := a.progress(o.quiet, "copying", -1)
	defer progress.Finish()
	r, err := copying.Copy(ctx, src, dst, copying.Options{Verify: o.verify, Progress: progress.Set})
	progress.Finish()
	if errors.Is(err, store.ErrExists) {
		return hint.Add(err, "copy to another vault, or drop what differs there")
	}
	if err != nil {
		return err
	}
	if o.asJSON {
		skipped := append([]string{}, r.Skipped...)
		return a.printJSON(copiedVault{engine.Shown(from), engine.Shown(to), r.Columns, r.Kept, r.Elements, r.Tables, r.Pairs, r.Bytes, o.verify, skipped})
	}
	a.warn(o.quiet, r.Skipped)
	if o.quiet {
		return nil
	}
	verified := ""
	if o.verify {
		verified = ", verified"
	}
	_, err = fmt.Fprintf(a.out, "%d columns with %d elements, %d tables with %d pairs: %s%s\n", r.Columns, r.Elements, r.Tables, r.Pairs, term.Bytes(r.Bytes), verified)
	return err
}
