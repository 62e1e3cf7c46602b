package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/cmd/columnvault/internal/hint"
	"columnvault/cmd/columnvault/internal/term"
	"columnvault/internal/excerpt"
)

// checkedVault is check --json.
type checkedVault struct {
	File     string    `json:"file"`
	Sound    bool      `json:"sound"`
	Columns  int       `json:"columns"`
	Skipped  int       `json:"skipped"`
	Decoded  bool      `json:"decoded"`
	Findings []finding `json:"findings"`
}

type finding struct {
	Column string `json:"column"`
	Damage bool   `json:"damage"`
	Text   string `json:"text"`
}

func newCheckCommand(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check DB [--json]",
		Short: "Look for damage in a vault",
		Long: `Look for damage in the file and whether all columns keep the rules of the
format, and print what was found:
  damage  elements cannot be read, or not for certain as what they were
  hazard  all can be read, but KohakuVault 0.8.6 may fail or do damage when it
          goes on writing, or space is wasted
The exit code is 1 if there is damage. SQLite checks every page of the file and
compares its indexes with its tables. Values of columns and key-value tables
are not decoded, so bytes that have changed in them are not found.

--json prints one object. More fields may come; these stay:
  file      text
  sound     true if there is no damage
  columns   how many columns were looked at
  skipped   how many can only be listed
  decoded   whether values were decoded, which is false
  findings  objects {"column", "damage", "text"}; column is "" for the vault as
            a whole, and damage is false for a hazard`,
		Example: `  columnvault check weather.db
  columnvault check weather.db --json | jq .findings`,
		RunE: func(cmd *cobra.Command, args []string) error { return runCheck(cmd.Context(), a, args[0], asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func runCheck(ctx context.Context, a *app, db string, asJSON bool) error {
	return reading(db, func(v *columnvault.Vault) error {
		return v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			return a.check(ctx, tx, db, asJSON)
		})
	})
}

func (a *app) check(ctx context.Context, tx *columnvault.Tx, path string, asJSON bool) error {
	all := checkedVault{File: path, Findings: []finding{}}
	infos, err := tx.Columns(ctx)
	if err != nil {
		return err
	}
	for _, info := range infos {
		if info.Layout == 0 {
			all.Columns++
		} else {
			all.Skipped++
		}
	}
	damaged := 0
	for p, err := range tx.Check(ctx) {
		if err != nil {
			return err
		}
		all.Findings = append(all.Findings, finding(p))
		if p.Damage {
			damaged++
		}
	}
	all.Sound = damaged == 0
	if asJSON {
		err = a.printJSON(all)
	} else {
		err = a.printCheck(all)
	}
	if err != nil || all.Sound {
		return err
	}
	err = fmt.Errorf("%s: damage, in %s", path, term.Plural(damaged, "place"))
	return hint.Add(err, "what can still be read can be exported; the rest is in a copy of the file, if there is one")
}

// printCheck prints the findings, and that the vault is sound if it is.
func (a *app) printCheck(all checkedVault) error {
	if len(all.Findings) > 0 {
		t := a.table(term.Left("finding"), term.Left("column"), term.Left("what"))
		for _, f := range all.Findings {
			kind := "hazard"
			if f.Damage {
				kind = "damage"
			}
			t.Add(kind, excerpt.Printable(f.Column), excerpt.Printable(f.Text))
		}
		if err := t.Write(a.out); err != nil {
			return err
		}
	}
	if !all.Sound {
		return nil
	}
	sound := "sound: " + term.Plural(all.Columns, "column")
	if n := len(all.Findings); n > 0 {
		sound = "\n" + sound + ", " + term.Plural(n, "hazard")
	}
	if all.Skipped > 0 {
		sound += fmt.Sprintf(", %d only listed", all.Skipped)
	}
	sound += "; values were not decoded"
	_, err := fmt.Fprintln(a.out, sound)
	return err
}
