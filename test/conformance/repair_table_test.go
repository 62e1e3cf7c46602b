package conformance_test

import (
	"database/sql"
	"slices"
	"strings"
	"testing"
	"time"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// reading is a row with columns of every way to be filled.
type reading struct {
	When  sql.Null[time.Time]
	Note  sql.Null[string]
	Value sql.Null[float64]
}

func newReading(i int) reading {
	return reading{
		When:  sql.Null[time.Time]{V: time.Unix(int64(i), 0).UTC(), Valid: true},
		Note:  sql.Null[string]{V: strings.Repeat("n", i%40), Valid: true},
		Value: sql.Null[float64]{V: float64(i), Valid: true},
	}
}

// unevenVault has the table "readings" of 300 rows, after which Note has 200
// elements more and Value 50 less, and the columns "cpu.a" and "cpu.b", which
// are no table.
func unevenVault(t *testing.T, open columnvault.Options) *columnvault.Vault {
	t.Helper()
	ctx := t.Context()
	v := vaulttest.OpenAt(t, t.TempDir()+"/vault.db", &open)
	table, err := columnvault.EnsureTable[reading](ctx, v, "readings", &columnvault.TableOptions{Columns: *vaulttest.Chunks(96, 480)})
	vaulttest.Must(t, err)
	vaulttest.Must(t, table.Append(ctx, manyOf(300, newReading)...))
	notes, err := v.Column(ctx, "readings.Note")
	vaulttest.Must(t, err)
	vaulttest.Must(t, notes.Append(ctx, vaulttest.Sequence(200, func(i int) any { return newReading(300 + i).Note.V })...))
	values, err := v.Column(ctx, "readings.Value")
	vaulttest.Must(t, err)
	vaulttest.Must(t, values.Truncate(ctx, 250))
	vaulttest.Create(t, v, "cpu.a", dtype.Int64, 1, 2, 3)
	vaulttest.Create(t, v, "cpu.b", dtype.Int64)
	return v
}

// TestUnequalLengthsAreNotes: nothing in a file says that columns are a table,
// so check and repair only tell of unequal lengths.
func TestUnequalLengthsAreNotes(t *testing.T) {
	v := unevenVault(t, columnvault.Options{})
	vaulttest.WantSound(t, v)
	var found []columnvault.Finding
	for f, err := range v.Check(t.Context(), columnvault.CheckOptions{}) {
		vaulttest.Must(t, err)
		if f.Kind == columnvault.FindingUneven {
			found = append(found, f)
		}
	}
	plan := planOf(t, v, columnvault.RepairOptions{})
	if len(plan.Steps) != 0 {
		t.Errorf("nobody has asked for %v", plan)
	}
	for what, found := range map[string][]columnvault.Finding{"check": found, "repair": plan.Left} {
		if len(found) != 2 {
			t.Fatalf("%s: %+v", what, found)
		}
		for i, want := range []struct {
			table, text string
			from, to    int64
		}{{"readings", `begin with "readings." have unequal lengths, from 250 (readings.Value) to 500 (readings.Note)`, 250, 500}, {"cpu", `from 0 (cpu.b) to 3 (cpu.a)`, 0, 3}} {
			f := found[i]
			if f.Severity != columnvault.SeverityNote || f.Table != want.table || f.From != want.from || f.To != want.to || !strings.Contains(f.Text, want.text) {
				t.Errorf("%s: %+v, want %+v", what, f, want)
			}
		}
	}
}

// TestRepairCutsTables: what is cut off is kept in columns of the same kind, and
// rows can be written again.
func TestRepairCutsTables(t *testing.T) {
	ctx := t.Context()
	v := unevenVault(t, columnvault.Options{ReadBytes: 1 << 10})
	before := readable(t, v)
	plan := planOf(t, v, columnvault.RepairOptions{Cut: []string{"readings"}})
	if got := stepsOf(plan); got != "shorten readings.When; shorten readings.Note" || len(plan.Left) != 1 {
		t.Errorf("the plan is %v", plan)
	}
	vaulttest.Must(t, v.Repair(ctx, plan))
	after := readable(t, v)
	for name, elements := range before {
		for i, value := range elements {
			in, at := name, i
			if strings.HasPrefix(name, "readings.") && i >= 250 {
				in, at = "recovered/"+name, i-250
			}
			if after[in][at] != value {
				t.Errorf("%s[%d] was %v, and is %v", name, i, value, after[in][at])
			}
		}
	}
	kept, err := v.Column(ctx, "recovered/readings.When")
	vaulttest.Must(t, err)
	if m := kept.Meaning(); !m.Null || m.Time != dtype.Microsecond {
		t.Errorf("what is kept has the meaning %v", m)
	}
	table, err := columnvault.EnsureTable[reading](ctx, v, "readings", nil)
	vaulttest.Must(t, err)
	vaulttest.Must(t, table.Append(ctx, newReading(999)))
	wantRows(t, table, append(manyOf(250, newReading), newReading(999)))
	vaulttest.WantSound(t, v)
	if plan := planOf(t, v, columnvault.RepairOptions{Cut: []string{"readings"}}); len(plan.Steps) > 0 || len(plan.Left) != 1 {
		t.Errorf("after the repair: %v", plan)
	}
}

// TestRepairFillsTables with missing elements, and with empty ones where these
// may take the place of others.
func TestRepairFillsTables(t *testing.T) {
	ctx := t.Context()
	v := unevenVault(t, columnvault.Options{ReadBytes: 1 << 10})
	before := readable(t, v)
	plan := planOf(t, v, columnvault.RepairOptions{Fill: []string{"readings"}})
	if got := stepsOf(plan); got != "fill readings.When; fill readings.Value" {
		t.Errorf("the plan is %v", plan)
	}
	vaulttest.Must(t, v.Repair(ctx, plan))
	wantReadable(t, v, before)
	want := manyOf(500, newReading)
	for i := range want {
		if i >= 250 {
			want[i].Value = sql.Null[float64]{}
		}
		if i >= 300 {
			want[i].When = sql.Null[time.Time]{}
		}
	}
	table, err := columnvault.EnsureTable[reading](ctx, v, "readings", nil)
	vaulttest.Must(t, err)
	wantRows(t, table, want)
	vaulttest.Must(t, table.Delete(ctx, 0, 100))

	plan = planOf(t, v, columnvault.RepairOptions{Fill: []string{"cpu"}})
	if len(plan.Steps) > 0 || len(plan.Left) != 1 || plan.Left[0].Severity != columnvault.SeverityHazard || !strings.Contains(plan.Left[0].Text, "cpu.b cannot be filled") {
		t.Errorf("a column that is not nullable: %v", plan)
	}
	plan = planOf(t, v, columnvault.RepairOptions{Fill: []string{"cpu"}, Replace: true})
	vaulttest.Must(t, v.Repair(ctx, plan))
	vaulttest.WantColumn(t, vaulttest.Lookup(t, v, "cpu.b", dtype.Int64), 0, 0, 0)
	vaulttest.WantSound(t, v)
}

// TestRepairOfTablesComesAfterTheRest: lengths are those that the other steps
// leave, and a table is left alone while a column of it has lost elements.
func TestRepairOfTablesComesAfterTheRest(t *testing.T) {
	ctx := t.Context()
	v := unevenVault(t, columnvault.Options{})
	vaulttest.ExecSQL(t, v.Path(), `UPDATE col_meta SET length = 100000 WHERE name = 'cpu.b'`)
	plan := planOf(t, v, columnvault.RepairOptions{Cut: []string{"cpu"}})
	if got := stepsOf(plan); got != "cut cpu.b; shorten cpu.a" {
		t.Errorf("the plan is %v", plan)
	}
	vaulttest.Must(t, v.Repair(ctx, plan))
	vaulttest.WantColumn(t, vaulttest.Lookup(t, v, "recovered/cpu.a", dtype.Int64), 1, 2, 3)

	vaulttest.ExecSQL(t, v.Path(), `DELETE FROM col_chunks WHERE chunk_idx = 1 AND col_id = (SELECT col_id FROM col_meta WHERE name = 'readings.When')`)
	for _, o := range []columnvault.RepairOptions{{Cut: []string{"readings"}}, {Fill: []string{"readings"}}} {
		plan := planOf(t, v, o)
		last := len(plan.Left) - 1
		if len(plan.Steps) > 0 || last < 1 || !strings.Contains(plan.Left[last].Text, "readings.When has to be mended first") {
			t.Errorf("a column that has lost elements: %v", plan)
		}
		o.Replace = true
		if plan := planOf(t, v, o); len(plan.Left) > 0 || len(plan.Steps) != 3 {
			t.Errorf("a column that is mended: %v", plan)
		}
	}
	for _, o := range []columnvault.RepairOptions{{Cut: []string{"none"}}, {Fill: []string{"readings.When"}}, {Cut: []string{""}}} {
		vaulttest.WantErr(t, "no table", vaulttest.ErrOf(v.PlanRepair(ctx, o)), columnvault.ErrNotFound)
	}
	both := columnvault.RepairOptions{Cut: []string{"readings"}, Fill: []string{"readings"}}
	vaulttest.WantErr(t, "both", vaulttest.ErrOf(v.PlanRepair(ctx, both)), columnvault.ErrInvalidArgument)
}

// TestRepairOfTablesBesideWriters: a plan of other lengths is not carried out.
func TestRepairOfTablesBesideWriters(t *testing.T) {
	ctx := t.Context()
	v := unevenVault(t, columnvault.Options{})
	plan := planOf(t, v, columnvault.RepairOptions{Cut: []string{"readings"}})
	c, err := v.Column(ctx, "readings.Value")
	vaulttest.Must(t, err)
	vaulttest.Must(t, c.Append(ctx, 1.5))
	vaulttest.WantErr(t, "Repair", v.Repair(ctx, plan), columnvault.ErrChanged)
	if infos, err := v.Columns(ctx); err != nil || slices.ContainsFunc(infos, func(i columnvault.ColumnInfo) bool { return strings.HasPrefix(i.Name, "recovered/") }) {
		t.Errorf("columns after a repair that was refused: %v, %v", infos, err)
	}
}
