package main

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/cmd/columnvault/internal/term"
	"columnvault/internal/excerpt"
	"columnvault/internal/hint"
)

// checkedVault is check --json.
type checkedVault struct {
	File     string          `json:"file"`
	Sound    bool            `json:"sound"`
	Columns  int             `json:"columns"`
	Skipped  int             `json:"skipped"`
	Decoded  bool            `json:"decoded"`
	Findings []finding       `json:"findings"`
	Notes    []string        `json:"notes"`
	Digests  []checkedDigest `json:"digests,omitempty"`
	damages  int
}

type finding struct {
	Kind       string `json:"kind"`
	Severity   string `json:"severity"`
	Damage     bool   `json:"damage"`
	Column     string `json:"column"`
	Table      string `json:"table"`
	Chunk      *int64 `json:"chunk"`
	From       int64  `json:"from"`
	To         int64  `json:"to"`
	Bytes      int64  `json:"bytes"`
	Text       string `json:"text"`
	Repairable bool   `json:"repairable"`
	Loss       string `json:"loss"`
}

type checkedDigest struct {
	Column string `json:"column"`
	Table  string `json:"table"`
	SHA256 string `json:"sha256"`
}

type checkOptions struct {
	full, digest, asJSON, quiet bool
}

func newCheckCommand(a *app) *cobra.Command {
	var o checkOptions
	cmd := &cobra.Command{
		Use:   "check DB [--full] [--digest] [--json] [--quiet]",
		Short: "Look for damage in a vault",
		Long: `Look for damage in the file and whether all columns keep the rules of the
format, and print what was found:
  damage  something cannot be read, or not for certain as what it was
  hazard  all can be read, but KohakuVault 0.8.6 may fail or do damage when it
          goes on writing, or space is wasted
The exit code is 0 if there is neither, and else 1. "columnvault repair" mends
what can be mended.

SQLite checks the structure of every page. The indexes are compared with the
tables, and every chunk is asked for its size. With --full every element and
every value is decoded as well, so that bytes are found that cannot be what was
stored. (Of a number that has changed into another, nothing can tell.)

--digest adds a SHA-256 of each column and key-value table, one a line, which is
the same for all copies, in whatever layout or file. It implies --full.

--json prints one object. More fields may come; these stay:
  file      text
  sound     true if there is no damage
  columns   how many columns were looked at
  skipped   how many can only be listed
  decoded   whether values were decoded
  findings  objects {"kind", "severity", "damage", "column", "table", "chunk",
            "from", "to", "bytes", "text", "repairable", "loss"}; severity is
            "damage" or "hazard", chunk null if it is none, from and to the
            range of the elements, equal if there are none
  notes     texts that say what was not looked at, and which columns may be a
            table of unequal lengths
  digests   objects {"column", "table", "sha256"}`,
		Example: `  columnvault check weather.db
  columnvault check weather.db --full --json | jq .findings
  diff <(columnvault check a.db --digest) <(columnvault check b.db --digest)`,
		RunE: func(cmd *cobra.Command, args []string) error { return runCheck(cmd.Context(), a, args[0], &o) },
	}
	f := cmd.Flags()
	f.BoolVar(&o.full, "full", false, "decode every element and every value")
	f.BoolVar(&o.digest, "digest", false, "print a SHA-256 of each column and key-value table")
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
	f.BoolVar(&o.quiet, "quiet", false, "no progress bar")
	return cmd
}

func runCheck(ctx context.Context, a *app, db string, o *checkOptions) error {
	return reading(ctx, db, func(v *columnvault.Vault) error {
		return v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			return a.check(ctx, tx, db, o)
		})
	})
}

func (a *app) check(ctx context.Context, tx *columnvault.Tx, path string, o *checkOptions) error {
	all := checkedVault{File: path, Decoded: o.full || o.digest, Findings: []finding{}, Notes: []string{}}
	infos, err := tx.Columns(ctx)
	if err != nil {
		return err
	}
	for _, info := range infos {
		if info.Layout <= columnvault.Native {
			all.Columns++
		} else {
			all.Skipped++
		}
	}
	progress := a.progress(o.quiet, "checking", 0)
	for f, err := range tx.Check(ctx, columnvault.CheckOptions{Full: o.full, Digest: o.digest, Progress: progress.Set}) {
		if err != nil {
			progress.Finish()
			return err
		}
		all.add(f)
	}
	progress.Finish()
	all.Sound = all.damages == 0
	if o.asJSON {
		err = a.printJSON(all)
	} else {
		err = a.printCheck(all)
	}
	if err != nil || len(all.Findings) == 0 {
		return err
	}
	what := term.Plural(len(all.Findings)-all.damages, "hazard")
	if !all.Sound {
		what = "damage, in " + term.Plural(all.damages, "place")
	}
	return hint.Add(fmt.Errorf("%s: %s", path, what), "columnvault repair --dry-run says what can be done about it")
}

func (all *checkedVault) add(f columnvault.Finding) {
	switch {
	case f.Kind == columnvault.FindingDigest:
		all.Digests = append(all.Digests, checkedDigest{f.Column, f.Table, hex.EncodeToString(f.Digest)})
		return
	case f.Severity == columnvault.SeverityNote:
		all.Notes = append(all.Notes, whereOf(f.Column, f.Table)+f.Text)
		return
	}
	all.Findings = append(all.Findings, newFinding(f))
	if f.Severity == columnvault.SeverityDamage {
		all.damages++
	}
}

func newFinding(f columnvault.Finding) finding {
	found := finding{Kind: string(f.Kind), Severity: f.Severity.String(), Damage: f.Severity == columnvault.SeverityDamage,
		Column: f.Column, Table: f.Table, From: f.From, To: f.To, Bytes: f.Bytes, Text: f.Text, Repairable: f.Repairable, Loss: f.Loss}
	if f.Chunk >= 0 {
		found.Chunk = &f.Chunk
	}
	return found
}

// whereOf names a column or a table before a text about it.
func whereOf(column, table string) string {
	switch {
	case column != "":
		return excerpt.Printable(column) + ": "
	case table != "":
		return "table " + excerpt.Printable(table) + ": "
	}
	return ""
}

// printCheck prints the findings, and that the vault is sound if it is.
func (a *app) printCheck(all checkedVault) error {
	if err := a.printFindings(all.Findings); err != nil {
		return err
	}
	for _, d := range all.Digests {
		name := excerpt.Printable(d.Column)
		if d.Table != "" {
			name = "table " + excerpt.Printable(d.Table)
		}
		if _, err := fmt.Fprintf(a.out, "%s  %s\n", d.SHA256, name); err != nil {
			return err
		}
	}
	if all.Sound {
		sound := "sound: " + term.Plural(all.Columns, "column")
		if n := len(all.Findings); n > 0 {
			sound = "\n" + sound + ", " + term.Plural(n, "hazard")
		}
		if all.Skipped > 0 {
			sound += fmt.Sprintf(", %d only listed", all.Skipped)
		}
		if _, err := fmt.Fprintln(a.out, sound); err != nil {
			return err
		}
	}
	for _, note := range all.Notes {
		if _, err := fmt.Fprintf(a.out, "note: %s\n", note); err != nil {
			return err
		}
	}
	return nil
}

// printFindings prints a table of findings, if there are any.
func (a *app) printFindings(found []finding) error {
	if len(found) == 0 {
		return nil
	}
	t := a.table(term.Left("finding"), term.Left("column"), term.Left("what"))
	for _, f := range found {
		name := excerpt.Printable(f.Column)
		if f.Table != "" {
			name = "table " + excerpt.Printable(f.Table)
		}
		t.Add(f.Severity, name, excerpt.Printable(f.Text))
	}
	return t.Write(a.out)
}
