package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/cmd/columnvault/internal/term"
	"columnvault/internal/excerpt"
)

// checkpointed is checkpoint --json.
type checkpointed struct {
	Mode   string `json:"mode"`
	Busy   bool   `json:"busy"`
	Frames int    `json:"log_frames"`
	Moved  int    `json:"moved_frames"`
}

// checkpointModes are the modes by their numbers.
var checkpointModes = []string{
	columnvault.CheckpointPassive:  "passive",
	columnvault.CheckpointFull:     "full",
	columnvault.CheckpointRestart:  "restart",
	columnvault.CheckpointTruncate: "truncate",
}

type checkpointOptions struct {
	mode   string
	asJSON bool
}

func newCheckpointCommand(a *app) *cobra.Command {
	var o checkpointOptions
	names := strings.Join(checkpointModes, "|")
	cmd := &cobra.Command{
		Use:   "checkpoint DB [--mode " + names + "] [--json]",
		Short: "Move the write-ahead log into the file",
		Long: `Move the write-ahead log into the file, as is done from time to time by itself.
The modes are those of SQLite:
  passive   what can be moved without waiting for anybody
  full      waits for writers, and moves everything
  restart   also waits until nobody reads from the log
  truncate  also cuts the log to length 0
Waiting ends after five seconds. That others were in the way is no error.

SQLite's three numbers are printed: whether others were in the way, how many
frames (pages) the log had, and how many of them are in the file now. After
truncate both counts are 0.

--json prints one object. More fields may come; these stay:
  mode                      text
  busy                      true or false
  log_frames, moved_frames  integers`,
		Example: `  columnvault checkpoint weather.db
  columnvault checkpoint weather.db --mode truncate
  columnvault checkpoint weather.db --mode full --json | jq .busy`,
		RunE: func(cmd *cobra.Command, args []string) error { return runCheckpoint(cmd.Context(), a, args[0], &o) },
	}
	cmd.Flags().StringVar(&o.mode, "mode", "passive", "`"+names+"`, each going further than the one before")
	cmd.Flags().BoolVar(&o.asJSON, "json", false, "print JSON")
	return cmd
}

func runCheckpoint(ctx context.Context, a *app, db string, o *checkpointOptions) error {
	number := slices.Index(checkpointModes, o.mode)
	if number < 0 {
		return usagef("the mode %s is none of %s", excerpt.Quote(o.mode, excerpt.Value), strings.Join(checkpointModes, ", "))
	}
	return writing(ctx, db, func(v *columnvault.Vault) error {
		done, err := v.Checkpoint(ctx, columnvault.CheckpointMode(number))
		if err != nil {
			return err
		}
		if o.asJSON {
			return a.printJSON(checkpointed{o.mode, done.Busy, done.Log, done.Moved})
		}
		busy := "no"
		if done.Busy {
			busy = "yes, others were in the way"
		}
		_, err = fmt.Fprintf(a.out, "%-9s %s\n%-9s %s\n%-9s %s\n",
			"busy", busy, "log", term.Plural(done.Log, "frame"), "moved", term.Plural(done.Moved, "frame"))
		return err
	})
}
