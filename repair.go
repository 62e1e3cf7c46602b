package columnvault

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"columnvault/internal/excerpt"
	"columnvault/internal/fsck"
	"columnvault/internal/store"
)

// RepairOptions configure [Vault.PlanRepair] and the repair itself.
type RepairOptions struct {
	// Replace puts empty elements in the place of those that cannot be read or
	// decoded: 0, false, no text, null. Without it they stay as they are, and so
	// does a column in which they lie. It also lets Fill use them.
	Replace bool
	// Cut names tables whose columns are cut to the length of the shortest, so
	// that rows can be written to them again. What is cut off is kept.
	Cut []string
	// Fill names tables whose columns are made as long as the longest, with
	// missing elements. Where a column that has to grow is not nullable, the
	// table is left as it is, unless Replace allows empty elements.
	Fill []string
	// Backup is where Repair makes a copy of the vault before it changes it; ""
	// means NAME.before-repair-TIME beside it. NoBackup makes none.
	Backup   string
	NoBackup bool
	// Progress is called from time to time with the bytes that have been looked
	// at. The total is an estimate.
	Progress func(done, total int64)
}

// RepairPlan is what [Vault.Repair] does. It can be printed, and stored as JSON
// for others to read.
type RepairPlan struct {
	// Backup is where a copy is made first, empty for none.
	Backup string `json:"backup"`
	// Steps are done in this order, in one transaction.
	Steps []RepairStep `json:"steps"`
	// Left is what Check finds and the steps do not mend.
	Left []Finding `json:"left"`
	// Again says that what columns lack can be seen only after these steps: make
	// another plan then.
	Again bool `json:"again"`

	options RepairOptions
}

// RepairStep is a part of a [RepairPlan].
type RepairStep struct {
	// Action is what is done: reindex, keep, complete, correct, cut, recount,
	// rebuild, shorten or fill. docs/repair.md describes them.
	Action string `json:"action"`
	// Column is what is mended, Index for an index of the file.
	Column string `json:"column,omitempty"`
	Index  string `json:"index,omitempty"`
	// As is the name of the column that gets what is kept.
	As string `json:"as,omitempty"`
	// From and To are the range of the elements at stake.
	From int64 `json:"from"`
	To   int64 `json:"to"`
	// Text says what is done, and Loss what is lost by it; it is empty if nothing
	// is.
	Text string `json:"text"`
	Loss string `json:"loss,omitempty"`
}

// String is the plan in words, a line for every step.
func (p *RepairPlan) String() string {
	var b strings.Builder
	if p.Backup != "" && len(p.Steps) > 0 {
		fmt.Fprintf(&b, "a copy goes to %s first\n", p.Backup)
	}
	for i, s := range p.Steps {
		fmt.Fprintf(&b, "%d. %s%s\n", i+1, ofColumn(s.Column), excerpt.Printable(s.Text))
		if s.Loss != "" {
			fmt.Fprintf(&b, "   lost: %s\n", excerpt.Printable(s.Loss))
		}
	}
	if len(p.Steps) == 0 {
		b.WriteString("there is nothing to do\n")
	}
	if p.Again {
		b.WriteString("what columns lack can be seen after this\n")
	}
	for _, f := range p.Left {
		fmt.Fprintf(&b, "left as it is: %v: %s%s\n", f.Severity, ofColumn(f.Column+f.Table), excerpt.Printable(f.Text))
	}
	return b.String()
}

func ofColumn(name string) string {
	if name == "" {
		return ""
	}
	return excerpt.Printable(name) + ": "
}

// PlanRepair does what a full [Vault.Check] does and decides what can be done
// about it, without changing anything. What caches hold is written before.
//
// Nothing that can be read is thrown away. Chunks that nothing leads to are kept
// as columns of bytes with names that begin with recovered/; docs/repair.md says
// in which form. A file whose structure is damaged is not touched.
//
// Nothing in a vault tells a [Table] from columns that only have the beginning of
// their names in common. So unequal lengths are notes in [RepairPlan.Left], and
// are made equal only in tables that Cut or Fill names; one that does not exist
// gives [ErrNotFound].
func (v *Vault) PlanRepair(ctx context.Context, o RepairOptions) (*RepairPlan, error) {
	if _, err := v.flushAny(ctx); err != nil && !ownReason(err) {
		return nil, v.fail("plan repair", err)
	}
	var plan *RepairPlan
	err := v.view(ctx, func(tx *Tx) error {
		found, err := tx.planRepair(ctx, o)
		if err == nil {
			plan = newRepairPlan(found, o)
		}
		return err
	})
	if err != nil {
		return nil, v.fail("plan repair", err)
	}
	if !o.NoBackup {
		plan.Backup = cmp.Or(o.Backup, v.path+".before-repair-"+time.Now().Format("20060102-150405"))
	}
	return plan, nil
}

func (tx *Tx) planRepair(ctx context.Context, o RepairOptions) (*fsck.Plan, error) {
	check := tx.v.checkOptions(ctx, CheckOptions{Full: true, Progress: o.Progress})
	return fsck.MakePlan(ctx, tx.r, tx.v.store.Caps(), fsck.PlanOptions{Replace: o.Replace, Cut: o.Cut, Fill: o.Fill, Check: check})
}

func newRepairPlan(p *fsck.Plan, o RepairOptions) *RepairPlan {
	plan := &RepairPlan{Steps: []RepairStep{}, Left: []Finding{}, Again: p.Again, options: o}
	for _, s := range p.Steps {
		plan.Steps = append(plan.Steps, RepairStep{Action: string(s.Action), Column: s.Column, Index: s.Index, As: s.As,
			From: s.From, To: s.To, Text: s.Text, Loss: s.Loss})
	}
	for _, f := range p.Left {
		plan.Left = append(plan.Left, newFinding(f))
	}
	return plan
}

// Repair carries out a plan that [Vault.PlanRepair] of this vault has made, in
// one transaction, with everybody else kept from writing. It plans again first
// and gives [ErrChanged] if that does not come to the same. Then it makes a copy
// of the vault, unless the plan says otherwise, and at the end it checks that
// what was to be mended is: otherwise it undoes everything and gives
// [ErrCorrupt].
//
// A column that is written anew takes its size twice more in the file, until
// the space is used again, and once in the log.
func (v *Vault) Repair(ctx context.Context, plan *RepairPlan) error {
	if len(plan.Steps) == 0 {
		return nil
	}
	copied := false
	err := v.update(ctx, func(tx *Tx) error {
		again, err := tx.planRepair(ctx, plan.options)
		if err != nil {
			return err
		}
		if !plan.same(newRepairPlan(again, plan.options)) {
			return fmt.Errorf("%w: the plan is of another state of the vault", ErrChanged)
		}
		if plan.Backup != "" && !copied {
			// What is not committed is not in it.
			backup := func(f store.File) error { return f.Backup(ctx, plan.Backup, store.BackupOptions{}) }
			if err := v.onFile(ctx, backup); err != nil {
				return fmt.Errorf("the copy %s: %w", excerpt.Quote(plan.Backup, excerpt.Path), err)
			}
			copied = true
		}
		return fsck.Mend(ctx, tx.w, tx.v.store.Caps(), again, v.buffer)
	})
	return v.fail("repair", err)
}

// same tells whether two plans do the same.
func (p *RepairPlan) same(other *RepairPlan) bool {
	text := func(p *RepairPlan) []byte {
		b, err := json.Marshal([]any{p.Steps, p.Left, p.Again})
		if err != nil {
			return nil
		}
		return b
	}
	a, b := text(p), text(other)
	return a != nil && bytes.Equal(a, b)
}
