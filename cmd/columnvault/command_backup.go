package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/cmd/columnvault/internal/term"
	"columnvault/internal/hint"
)

// backedUp is backup --json.
type backedUp struct {
	File  string `json:"file"`
	Copy  string `json:"copy"`
	Bytes int64  `json:"bytes"`
	Check string `json:"check"`
}

type backupOptions struct {
	full, replace, quiet, asJSON bool
}

func newBackupCommand(a *app) *cobra.Command {
	var o backupOptions
	cmd := &cobra.Command{
		Use:   "backup DB COPY [--full] [--replace] [--quiet] [--json]",
		Short: "Copy a vault that is in use",
		Long: `Copy a vault while other programs read and write it. The copy shows one moment,
is checked, and appears under its name when it is complete and on the disk;
after an error nothing of it is left. To restore it, put it where the vault was
while no program has that open, and remove files that end in -wal and -shm
there. cp copies a file that is in use without its write-ahead log, or in the
middle of a change.

--json prints one object. More fields may come; these stay:
  file, copy  text
  bytes       the size of the copy
  check       "quick" or "full": how the copy was checked`,
		Example: `  columnvault backup weather.db weather-monday.db
  columnvault backup weather.db /mnt/disk/weather.db --replace --full`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runBackup(cmd.Context(), a, args[0], args[1], &o)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.full, "full", false, "also read and decode everything in the copy")
	f.BoolVar(&o.replace, "replace", false, "take the place of a file that COPY is")
	f.BoolVar(&o.quiet, "quiet", false, "no progress bar, and nothing printed")
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
	return cmd
}

func runBackup(ctx context.Context, a *app, db, to string, o *backupOptions) error {
	check := "quick"
	if o.full {
		check = "full"
	}
	return reading(ctx, db, func(v *columnvault.Vault) error {
		progress := a.progress(o.quiet, "copying", 0)
		defer progress.Finish()
		err := v.Backup(ctx, to, columnvault.BackupOptions{Full: o.full, Replace: o.replace, Progress: progress.Set})
		if errors.Is(err, columnvault.ErrExists) {
			return hint.Add(err, "take another name, or --replace")
		}
		if err != nil {
			return err
		}
		progress.Finish()
		info, err := os.Stat(to)
		switch {
		case err != nil:
			return err
		case o.asJSON:
			return a.printJSON(backedUp{db, to, info.Size(), check})
		case o.quiet:
			return nil
		}
		_, err = fmt.Fprintf(a.out, "%s: %s, %s check passed\n", to, term.Bytes(info.Size()), check)
		return err
	})
}
