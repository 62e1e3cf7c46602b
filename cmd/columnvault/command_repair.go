package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/cmd/columnvault/internal/term"
	"columnvault/internal/hint"
)

// repairedVault is repair --json.
type repairedVault struct {
	File     string                   `json:"file"`
	Repaired bool                     `json:"repaired"`
	Backup   string                   `json:"backup"`
	Steps    []columnvault.RepairStep `json:"steps"`
	Left     []finding                `json:"left"`
	Again    bool                     `json:"again"`
}

type repairOptions struct {
	dryRun, noBackup, replace, yes, asJSON, quiet bool
	backup                                        string
	cut, fill                                     []string
}

func newRepairCommand(a *app) *cobra.Command {
	var o repairOptions
	cmd := &cobra.Command{
		Use:   "repair DB [--dry-run] [--backup FILE] [--no-backup] [--replace] [--cut TABLE] [--fill TABLE] [--yes] [--json] [--quiet]",
		Short: "Mend what a check finds",
		Long: `Look for damage as "check --full" does, say what can be done about it, and after
a question do it. The question is asked on a terminal; elsewhere, and with
--json, --yes is needed.

Everything happens in one transaction, after a copy has been made, and is undone
if it does not mend what it should. Nothing that can be read is thrown away:
  - indexes of SQLite that do not fit their tables are made anew
  - a column ends where its bytes do, if its length says more
  - elements that lie badly are written anew
  - chunks that belong to nothing are kept as columns recovered/NAME of bytes
  - elements that cannot be read or decoded stay as they are; with --replace
    empty ones take their place (0, false, no text, null)

Columns whose names begin with the same word and a dot may be a table, to which
rows can be written only if all of them have the same length. Unequal ones are
named, and nothing is done about them, because they need not be a table. Name it
to make them equal:
  --cut TABLE   cut them to the length of the shortest; what is cut off is kept,
                as columns recovered/NAME
  --fill TABLE  add missing elements up to the length of the longest, and with
                --replace empty ones to columns that are not nullable

If SQLite finds the structure of the file damaged, nothing is done, because what
seems to be missing may only be hidden.

The exit code is 0 if nothing is left to mend, and else 1. Notes do not count.

--json prints one object. More fields may come; these stay:
  file      text
  repaired  true if the steps were to be carried out; an error says if not
  backup    the copy, "" for none
  steps     objects {"action", "column", "index", "as", "from", "to", "text",
            "loss"}, in order
  left      findings that are not mended, as check --json prints them, and such
            of severity "note" about columns of unequal length
  again     true if another plan has to be made after these steps`,
		Example: `  columnvault repair weather.db --dry-run
  columnvault repair weather.db
  columnvault repair weather.db --backup /mnt/weather-damaged.db --replace --yes
  columnvault repair rides.db --cut trips`,
		RunE: func(cmd *cobra.Command, args []string) error { return runRepair(cmd.Context(), a, args[0], &o) },
	}
	f := cmd.Flags()
	f.BoolVar(&o.dryRun, "dry-run", false, "only say what would be done")
	f.StringVar(&o.backup, "backup", "", "the `FILE` for the copy; by default DB.before-repair-TIME")
	f.BoolVar(&o.noBackup, "no-backup", false, "make no copy")
	f.BoolVar(&o.replace, "replace", false, "put empty elements in the place of those that cannot be\nread or decoded, and that --fill needs")
	f.StringArrayVar(&o.cut, "cut", nil, "cut the columns of a `TABLE` to the length of the shortest")
	f.StringArrayVar(&o.fill, "fill", nil, "fill the columns of a `TABLE` up to the length of the longest")
	f.BoolVar(&o.yes, "yes", false, "do not ask")
	f.BoolVar(&o.asJSON, "json", false, "print JSON, and do not ask: --yes does it")
	f.BoolVar(&o.quiet, "quiet", false, "no progress bar")
	return cmd
}

func runRepair(ctx context.Context, a *app, db string, o *repairOptions) error {
	switch {
	case o.backup != "" && o.noBackup:
		return usagef("--backup and --no-backup exclude each other")
	case o.dryRun && o.yes:
		return usagef("--dry-run and --yes exclude each other")
	}
	open := writing
	if o.dryRun {
		open = reading
	}
	return open(ctx, db, func(v *columnvault.Vault) error {
		for {
			again, err := a.repair(ctx, v, db, o)
			if !again || err != nil {
				return err
			}
			o.noBackup = true // there is one of the file as it was
		}
	})
}

// repair makes a plan and carries it out. again tells that there is more to do.
func (a *app) repair(ctx context.Context, v *columnvault.Vault, db string, o *repairOptions) (again bool, err error) {
	progress := a.progress(o.quiet, "checking", 0)
	ro := columnvault.RepairOptions{Replace: o.replace, Cut: o.cut, Fill: o.fill, Backup: o.backup, NoBackup: o.noBackup, Progress: progress.Set}
	plan, err := v.PlanRepair(ctx, ro)
	progress.Finish()
	if err != nil {
		return false, err
	}
	if err := a.showPlan(plan, db, o); err != nil {
		return false, err
	}
	if o.dryRun || len(plan.Steps) == 0 {
		return false, leftError(db, plan, o)
	}
	if err := a.confirm(o.yes, o.asJSON); err != nil {
		return false, err
	}
	if err := v.Repair(ctx, plan); err != nil {
		return false, err
	}
	if !o.asJSON {
		fmt.Fprintln(a.out, "done")
	}
	if plan.Again {
		return true, nil
	}
	return false, leftError(db, plan, o)
}

func (a *app) showPlan(plan *columnvault.RepairPlan, db string, o *repairOptions) error {
	if o.asJSON {
		all := repairedVault{File: db, Repaired: o.yes && len(plan.Steps) > 0, Backup: plan.Backup, Steps: plan.Steps, Left: []finding{}, Again: plan.Again}
		for _, f := range plan.Left {
			all.Left = append(all.Left, newFinding(f))
		}
		return a.printJSON(all)
	}
	_, err := a.out.WriteString(plan.String())
	return err
}

// leftError says that something is not mended.
func leftError(db string, plan *columnvault.RepairPlan, o *repairOptions) error {
	if o.dryRun && len(plan.Steps) > 0 {
		return fmt.Errorf("%s: %s to do", db, term.Plural(len(plan.Steps), "step"))
	}
	help := "docs/repair.md says what each finding means, and what else can be done"
	left, damaged := 0, false
	for _, f := range plan.Left {
		if f.Severity > columnvault.SeverityNote {
			left++
		}
		if f.Loss != "" && !o.replace {
			help = "--replace puts empty elements in the place of those that are lost"
		}
		if f.Kind == columnvault.FindingUneven && f.Severity > columnvault.SeverityNote && !o.replace {
			help = "--replace fills columns that are not nullable with empty elements, and --cut cuts all to the shortest"
		}
		damaged = damaged || f.Kind == columnvault.FindingStructure
	}
	if left == 0 {
		return nil
	}
	if damaged {
		help = "salvage saves what can be read of the file to a new vault"
	}
	return hint.Add(fmt.Errorf("%s: left as it is: %s", db, term.Plural(left, "finding")), "%s", help)
}
