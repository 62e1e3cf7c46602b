package conformance_test

import (
	"path/filepath"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
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
