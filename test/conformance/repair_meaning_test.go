package conformance_test

import (
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// TestRepairLeavesWhatElementsMean: attrs that contradict themselves are a
// hazard that no repair mends, and that keeps none from mending the rest.
func TestRepairLeavesWhatElementsMean(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.OpenAt(t, t.TempDir()+"/vault.db", nil)
	vaulttest.Create(t, v, "times", dtype.Timestamp(dtype.Second, ""))
	vaulttest.Create(t, v, "numbers", dtype.Int64, 1, 2, 3)
	vaulttest.ExecSQL(t, v.Path(), `UPDATE col_meta SET columnvault_attrs = 'time=s time=ms' WHERE name = 'times'`,
		`UPDATE col_meta SET length = 1000000 WHERE name = 'numbers'`)
	isMeaning := func(f columnvault.Finding) bool {
		return f.Kind == columnvault.FindingMeaning && f.Column == "times" && f.Severity == columnvault.SeverityHazard && !f.Repairable
	}
	if found := vaulttest.Found(t, v, columnvault.CheckOptions{}); len(found) < 2 || !isMeaning(found[0]) {
		t.Errorf("found %+v", found)
	}
	plan, err := v.PlanRepair(ctx, columnvault.RepairOptions{NoBackup: true})
	vaulttest.Must(t, err)
	if len(plan.Steps) != 1 || plan.Steps[0].Column != "numbers" || len(plan.Left) != 1 || !isMeaning(plan.Left[0]) {
		t.Errorf("the plan is %v", plan)
	}
	vaulttest.Must(t, v.Repair(ctx, plan))
	if found := vaulttest.Found(t, v, columnvault.CheckOptions{Full: true}); len(found) != 1 || !isMeaning(found[0]) {
		t.Errorf("after the repair: %+v", found)
	}
}
