package conformance_test

import (
	"path/filepath"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
	"columnvault/scan"
)

// TestNativeDamage damages runs of native columns: Check finds it, what is whole
// can be read, and Repair mends it.
func TestNativeDamage(t *testing.T) {
	for name, sql := range map[string]string{
		"numbers beside a run": `UPDATE columnvault_runs SET meta = x'02' WHERE col_id = 1 AND number = (SELECT min(number) FROM columnvault_runs WHERE col_id = 1 AND number > 0)`,
		"a count":              `UPDATE columnvault_runs SET used = used - 1 WHERE col_id = 1 AND number = (SELECT min(number) FROM columnvault_runs WHERE col_id = 1)`,
		"a run":                `DELETE FROM columnvault_runs WHERE col_id = 1 AND number = (SELECT min(number) FROM columnvault_runs WHERE col_id = 1)`,
		"bytes":                `UPDATE columnvault_bytes SET data = substr(data, 1, 7) WHERE bytes_id = (SELECT min(bytes_id) FROM columnvault_runs WHERE col_id = 1)`,
		"an end":               `UPDATE columnvault_bytes SET data = substr(data, 1, length(data) - 1) || x'ff' WHERE bytes_id = (SELECT min(bytes_id) FROM columnvault_runs WHERE col_id = 2)`,
		"the length":           `UPDATE columnvault_columns SET length = length + 5 WHERE col_id = 1`,
		"a length beyond all":  `UPDATE columnvault_columns SET length = 1 << 60 WHERE col_id = 2`,
		"the size of elements": `UPDATE columnvault_columns SET elem_size = 4 WHERE col_id = 1`,
		"a lower bound":        `UPDATE columnvault_runs SET meta = substr(meta, 1, 16) || x'0000000000000090' || substr(meta, 25) WHERE col_id = 1 AND number = (SELECT min(number) FROM columnvault_runs WHERE col_id = 1)`,
		"an upper bound":       `UPDATE columnvault_runs SET meta = substr(meta, 1, 24) || x'0000000000000000' || substr(meta, 33) WHERE col_id = 2 AND number = (SELECT max(number) FROM columnvault_runs WHERE col_id = 2)`,
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.db")
			v := vaulttest.OpenAt(t, path, nil)
			o := &columnvault.ColumnOptions{Layout: columnvault.Native, MaxChunk: 400}
			vaulttest.CreateWith(t, v, "numbers", dtype.Int64, o, vaulttest.Span(0, 500)...)
			vaulttest.CreateWith(t, v, "texts", dtype.String, o, vaulttest.Sequence(200, func(i int) string { return "text"[:i%5] })...)
			untouched := vaulttest.CreateWith(t, v, "untouched", dtype.Int64, o, 1, 2, 3)
			vaulttest.Must(t, v.Close())
			vaulttest.ExecSQL(t, path, sql)
			v = vaulttest.OpenAt(t, path, nil)
			untouched = vaulttest.Lookup(t, v, untouched.Name(), dtype.Int64)
			found := vaulttest.Found(t, v, columnvault.CheckOptions{Full: true})
			if len(found) == 0 {
				t.Fatal("Check finds nothing")
			}
			vaulttest.WantColumn(t, untouched, 1, 2, 3)
			scanAll(t, v)
			plan, err := v.PlanRepair(t.Context(), columnvault.RepairOptions{Replace: true})
			vaulttest.Must(t, err)
			vaulttest.Must(t, v.Repair(t.Context(), plan))
			left := vaulttest.Found(t, v, columnvault.CheckOptions{Full: true})
			if len(left) > 0 && (name != "a run" || left[0].Kind != "row") { // its bytes stay
				t.Errorf("after a repair Check finds %+v", left)
			}
			vaulttest.WantColumn(t, untouched, 1, 2, 3)
		})
	}
}

// scanAll asks for what bounds say of damaged columns: the answers may be errors, or
// wrong, and no more.
func scanAll(t *testing.T, v *columnvault.Vault) {
	t.Helper()
	ctx := t.Context()
	if numbers, err := columnvault.Lookup(ctx, v, "numbers", dtype.Int64); err == nil {
		low, high, err := scan.MinMax(ctx, scan.Of(numbers))
		t.Logf("numbers are from %d to %d, %v", low, high, err)
		n, err := scan.CountRange(ctx, scan.Of(numbers), 100, 400)
		t.Logf("%d of them are in a range, %v", n, err)
		n, err = scan.Count(ctx, scan.Of(numbers))
		t.Logf("there are %d of them, %v", n, err)
		_, err = scan.Histogram(ctx, scan.Of(numbers), 4)
		t.Logf("a histogram: %v", err)
		_, err = scan.Describe(ctx, scan.Of(numbers))
		t.Logf("a description: %v", err)
		_, err = scan.Quantiles(ctx, scan.Of(numbers), 0, 0.5, 1)
		t.Logf("quantiles: %v", err)
		at, err := scan.SearchSorted(ctx, scan.Of(numbers), 250, scan.Left)
		t.Logf("one is at %d, %v", at, err)
	}
	if texts, err := columnvault.Lookup(ctx, v, "texts", dtype.String); err == nil {
		low, high, err := scan.MinMax(ctx, scan.Of(texts))
		t.Logf("texts are from %q to %q, %v", low, high, err)
	}
}

// TestBoundsThatLie finds which elements are outside of the bounds of their runs, and
// makes these true.
func TestBoundsThatLie(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	v := vaulttest.OpenAt(t, path, nil)
	o := &columnvault.ColumnOptions{Layout: columnvault.Native, MaxChunk: 400}
	vaulttest.CreateWith(t, v, "x", dtype.Int64, o, vaulttest.Span(0, 500)...)
	vaulttest.Must(t, v.Close())
	// The second run has the elements from 50 to 99, and says that it has none below 60.
	vaulttest.ExecSQL(t, path, `UPDATE columnvault_runs SET meta = substr(meta, 1, 16) || x'3c00000000000080' || substr(meta, 25) WHERE number = (SELECT min(number) FROM columnvault_runs WHERE number > 0)`)
	v = vaulttest.OpenAt(t, path, nil)
	found := vaulttest.Found(t, v, columnvault.CheckOptions{Full: true})
	if len(found) != 1 || found[0].Kind != columnvault.FindingRunBounds || found[0].From != 50 || found[0].To != 60 || found[0].Severity != columnvault.SeverityDamage || !found[0].Repairable {
		t.Fatalf("Check finds %+v", found)
	}
	plan, err := v.PlanRepair(t.Context(), columnvault.RepairOptions{})
	vaulttest.Must(t, err)
	vaulttest.Must(t, v.Repair(t.Context(), plan))
	vaulttest.WantSound(t, v)
	x := vaulttest.Lookup(t, v, "x", dtype.Int64)
	vaulttest.WantColumn(t, x, vaulttest.Span(0, 500)...)
	if n, err := scan.CountRange(t.Context(), scan.Of(x), 50, 60); n != 10 || err != nil {
		t.Errorf("%d elements are from 50 to 60, %v", n, err)
	}
}

// TestOneNameTwoLayouts checks a column that another program has created under the
// name of a native one: that is no damage, and damage to either is found.
func TestOneNameTwoLayouts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	v := vaulttest.OpenAt(t, path, nil)
	vaulttest.CreateWith(t, v, "x", dtype.Int64, &columnvault.ColumnOptions{Layout: columnvault.Native}, 1, 2, 3)
	vaulttest.CreateWith(t, v, "theirs", dtype.Int64, nil, 4, 5)
	vaulttest.ExecSQL(t, path, `UPDATE col_meta SET name = 'x'`)
	if found := vaulttest.Found(t, v, columnvault.CheckOptions{Full: true}); len(found) > 0 {
		t.Errorf("two whole columns: %+v", found)
	}
	vaulttest.ExecSQL(t, path, `DELETE FROM col_chunks`)
	if found := vaulttest.Found(t, v, columnvault.CheckOptions{Full: true}); len(found) == 0 {
		t.Error("the hidden column has lost its chunk, and Check finds nothing")
	}
}
