package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/internal/excerpt"
	"columnvault/internal/hint"
	"columnvault/salvage"
)

// holeModes are what --holes takes, by their numbers.
var holeModes = []string{salvage.Fill: "fill", salvage.Drop: "drop"}

type salvageOptions struct {
	holes     string
	ignoreLog bool
	asJSON    bool
	quiet     bool
}

func newSalvageCommand(a *app) *cobra.Command {
	var o salvageOptions
	modes := strings.Join(holeModes, "|")
	cmd := &cobra.Command{
		Use:   "salvage DAMAGED NEW [--holes " + modes + "] [--ignore-log] [--json] [--quiet]",
		Short: "Save what is readable of a damaged vault",
		Long: `Read what is readable of a damaged vault, also of one that SQLite refuses to
open, write it to the new vault NEW, and print what is missing, by column and
range. DAMAGED is never written to, and NEW must not exist: it appears when it is
whole. No program should write to DAMAGED meanwhile.

In place of elements that are missing stand zeros, or empty elements where they
vary in size, so that all others keep their positions; with --holes drop they are
left out. The committed part of the log beside DAMAGED is used, unless
--ignore-log is given. Columns of which the name is lost are called recovered/ID.

The exit code is 0 if nothing is missing, and 1 if something is. A byte of a
value that has changed cannot be seen.

--json prints one object. More fields may come; these stay:
  damaged, saved  text, the two files
  complete        true if nothing is missing
  pages           {"size", "total", "log", "free", "unreadable", "unattributed"}
  columns         objects {"name", "saved", "dtype", "expected", "read",
                  "filled", "missing", "remark"}; saved is the name in NEW if that
                  is another, and missing has ranges {"from", "to", "reason"} of
                  positions, without the one at to
  tables          objects {"name", "saved", "read", "lost", "unsure",
                  "lost_keys"}; keys are base64, and unsure says that more may be
                  lost
  not_read        names of tables that are not of a vault, and not in NEW
  notes           text for people`,
		Example: `  columnvault salvage weather.db saved.db
  columnvault salvage weather.db saved.db --holes drop
  columnvault salvage weather.db saved.db --json | jq '.columns[].missing'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runSalvage(cmd.Context(), a, args[0], args[1], &o)
		},
	}
	cmd.Flags().StringVar(&o.holes, "holes", "fill", "`"+modes+"`: what stands for missing elements")
	cmd.Flags().BoolVar(&o.ignoreLog, "ignore-log", false, "do not use the write-ahead log beside DAMAGED")
	cmd.Flags().BoolVar(&o.asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&o.quiet, "quiet", false, "print no report, and show no progress")
	return cmd
}

// salvaged is salvage --json.
type salvaged struct {
	Complete bool `json:"complete"`
	*salvage.Report
}

func runSalvage(ctx context.Context, a *app, damaged, target string, o *salvageOptions) error {
	holes := slices.Index(holeModes, o.holes)
	if holes < 0 {
		return usagef("--holes %s is none of %s", excerpt.Quote(o.holes, excerpt.Value), strings.Join(holeModes, ", "))
	}
	progress := a.progress(o.quiet, "saving", -1)
	shown := int64(0)
	report, err := salvage.File(ctx, damaged, target, salvage.Options{
		Holes: salvage.Holes(holes), IgnoreLog: o.ignoreLog,
		Progress: func(done, _ int64) {
			progress.Add(int(done - shown))
			shown = done
		},
	})
	progress.Finish()
	switch {
	case errors.Is(err, columnvault.ErrExists):
		return hint.Add(err, "NEW is a file to be made; take another name, or remove that one")
	case errors.Is(err, columnvault.ErrNotVault):
		return hint.Add(err, "there is nothing in the file that could be saved")
	case err != nil:
		return err
	}
	if o.asJSON {
		err = a.printJSON(salvaged{report.Complete(), report})
	} else if !o.quiet {
		_, err = a.out.WriteString(report.String())
	}
	if err == nil && !report.Complete() {
		err = fmt.Errorf("%s: not all of it could be saved to %s", damaged, target)
	}
	return err
}
