package conformance_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ncruces/go-sqlite3"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// brokenVault makes a vault with columns of several kinds in small chunks, and
// runs SQL on it.
func brokenVault(t *testing.T, sql ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "vault.db")
	v, err := columnvault.Open(t.Context(), path, nil)
	vaulttest.Must(t, err)
	fillForRepair(t, v)
	vaulttest.Must(t, v.Close())
	vaulttest.ExecSQL(t, path, sql...)
	return path
}

// fillForRepair makes the columns n (row 1), s (rows 2 and 3), b (row 4) and m
// (rows 5 and 6), and a table of pairs.
func fillForRepair(t *testing.T, v *columnvault.Vault) {
	t.Helper()
	vaulttest.CreateWith(t, v, "n", dtype.Int64, vaulttest.Chunks(104, 1000), vaulttest.Span(0, 300)...)
	vaulttest.CreateWith(t, v, "s", dtype.String, vaulttest.Chunks(72, 120), vaulttest.Sequence(30, func(i int) string { return fmt.Sprintf("%030d", i) })...)
	vaulttest.CreateWith(t, v, "b", dtype.Bool, vaulttest.Chunks(16, 16), vaulttest.Sequence(40, func(i int) bool { return i%3 == 0 })...)
	vaulttest.CreateWith(t, v, "m", dtype.MsgPack[any](), vaulttest.Chunks(48, 48), vaulttest.Sequence(20, func(i int) any { return []any{int64(i), "x"} })...)
	vaulttest.Put(t, v.KV(), "key", "value")
}

// readable is the elements that can be read, by the name of the column and the
// position.
func readable(t vaulttest.TB, v *columnvault.Vault) map[string]map[int]any {
	t.Helper()
	found := map[string]map[int]any{}
	infos, err := v.Columns(t.Context())
	vaulttest.Must(t, err)
	for _, info := range infos {
		c, err := v.Column(t.Context(), info.Name)
		if err != nil {
			continue
		}
		found[info.Name] = map[int]any{}
		for i := range min(info.Len, 1000) {
			if value, err := c.At(t.Context(), i); err == nil {
				found[info.Name][i] = value
			}
		}
	}
	return found
}

// wantReadable requires that what could be read can be read.
func wantReadable(t vaulttest.TB, v *columnvault.Vault, before map[string]map[int]any) {
	t.Helper()
	after := readable(t, v)
	for name, elements := range before {
		for i, value := range elements {
			if got, ok := after[name][i]; !ok || !reflect.DeepEqual(got, value) {
				t.Errorf("%s[%d] was %v and is %v, %v", name, i, value, got, ok)
			}
		}
	}
}

func planOf(t vaulttest.TB, v *columnvault.Vault, o columnvault.RepairOptions) *columnvault.RepairPlan {
	t.Helper()
	o.NoBackup = o.Backup == ""
	plan, err := v.PlanRepair(t.Context(), o)
	vaulttest.Must(t, err)
	return plan
}

// repairs are ways to break a vault, the steps that mend it, and elements that
// are other ones after it.
var repairs = map[string]struct {
	sql     []string
	replace bool
	steps   string
	check   func(t *testing.T, v *columnvault.Vault)
}{
	"used bytes of a fixed column": {sql: []string{`UPDATE col_chunks SET bytes_used = 8 WHERE col_id = 1`}, steps: "recount n"},
	"used bytes of an index":       {sql: []string{`UPDATE col_chunks SET bytes_used = 8 WHERE col_id = 3`}, steps: "recount s"},
	"used bytes of data":           {sql: []string{`UPDATE col_chunks SET bytes_used = 1 WHERE col_id = 2`}, steps: "rebuild s"},
	"an element size":              {sql: []string{`UPDATE col_meta SET elem_size = 4 WHERE col_id = 1`}, steps: "correct n", check: wantN},
	"impossible bounds":            {sql: []string{`UPDATE col_meta SET min_chunk_bytes = -1, max_chunk_bytes = 0 WHERE col_id = 1`}, steps: "correct n", check: wantN},
	"bounds of an index":           {sql: []string{`UPDATE col_meta SET min_chunk_bytes = 'x', max_chunk_bytes = 0 WHERE col_id = 3`}, steps: "correct s", check: wantS},
	"a negative length": {sql: []string{`UPDATE col_meta SET length = -5 WHERE col_id = 1`}, steps: "correct n",
		check: func(t *testing.T, v *columnvault.Vault) { // what the chunks have room for
			vaulttest.WantSlice(t, vaulttest.Lookup(t, v, "n", dtype.Int64), 0, 300, vaulttest.Span(0, 300)...)
		}},
	"a length beyond the chunks": {sql: []string{`UPDATE col_meta SET length = 1 << 58 WHERE col_id = 1`}, steps: "cut n"},
	"an index without its end":   {sql: []string{`DELETE FROM col_chunks WHERE col_id = 3 AND chunk_idx >= 2`}, steps: "cut s; keep s"},
	"maxima that differ":         {sql: []string{`UPDATE col_meta SET max_chunk_bytes = 128 WHERE col_id = 2`}, steps: "correct s", check: wantS},
	"chunks above the maximum": {sql: []string{`UPDATE col_chunks SET actual_size = 200, data = CAST(data || zeroblob(120) AS BLOB) WHERE col_id = 2 AND chunk_idx = 0`},
		steps: "rebuild s", check: wantS},
	"an inner chunk that is too large": {sql: []string{`UPDATE col_chunks SET actual_size = 1001, data = CAST(data || zeroblob(1) AS BLOB) WHERE col_id = 1 AND chunk_idx = 0`},
		steps: "rebuild n", check: wantN},
	"a capacity that is too small": {sql: []string{`UPDATE col_chunks SET actual_size = 8 WHERE col_id = 1 AND chunk_idx = 2`}, steps: "rebuild n", check: wantN},
	"a chunk past the end": {sql: []string{`INSERT INTO col_chunks (col_id, chunk_idx, data, actual_size) VALUES (1, 7, x'01020304', 4), (1, -1, x'05', 1)`},
		steps: "keep n", check: func(t *testing.T, v *columnvault.Vault) {
			wantN(t, v)
			wantKept(t, v, "recovered/n", "ffffffffffffffff000000000000000005", "0700000000000000000000000000000001020304")
		}},
	"a data chunk without elements": {sql: []string{`INSERT INTO col_chunks (col_id, chunk_idx, data, actual_size) VALUES (2, 5, x'0102', 2)`},
		steps: "keep s", check: func(t *testing.T, v *columnvault.Vault) {
			wantS(t, v)
			wantKept(t, v, "recovered/s", "050000000000000000000000000000000102")
		}},
	"chunks of no column": {sql: []string{`PRAGMA foreign_keys = OFF`, `INSERT INTO col_chunks (col_id, chunk_idx, data, actual_size) VALUES (7, 3, x'0a0b', 2)`},
		steps: "keep ", check: func(t *testing.T, v *columnvault.Vault) {
			wantKept(t, v, "recovered/7", "030000000000000000000000000000000a0b")
		}},
	"half a pair": {sql: []string{`DELETE FROM col_meta WHERE col_id = 6`, `DELETE FROM col_chunks WHERE col_id = 6`}, steps: "keep m; complete m",
		check: func(t *testing.T, v *columnvault.Vault) {
			vaulttest.WantColumn(t, vaulttest.Lookup(t, v, "m", dtype.MsgPack[any]()))
			vaulttest.WantNames(t, v, "n", "s", "b", "recovered/m", "m")
		}},
	"an index without data": {sql: []string{`DELETE FROM col_meta WHERE col_id = 5`, `DELETE FROM col_chunks WHERE col_id = 5`}, steps: "keep m; complete m",
		check: func(t *testing.T, v *columnvault.Vault) { vaulttest.WantNames(t, v, "n", "s", "b", "recovered/m") }},
	"elements that overlap": {sql: []string{`UPDATE col_chunks SET data = CAST(substr(data, 1, 12) || substr(data, 1, 12) || substr(data, 25) AS BLOB) WHERE col_id = 3 AND chunk_idx = 0`},
		steps: "rebuild s", check: func(t *testing.T, v *columnvault.Vault) {
			vaulttest.WantAt(t, vaulttest.Lookup(t, v, "s", dtype.String), 1, fmt.Sprintf("%030d", 0))
		}},
	"a chunk that is missing": {sql: []string{`DELETE FROM col_chunks WHERE col_id = 1 AND chunk_idx = 1`}, replace: true, steps: "rebuild n",
		check: func(t *testing.T, v *columnvault.Vault) {
			c := vaulttest.Lookup(t, v, "n", dtype.Int64)
			vaulttest.WantSlice(t, c, 123, 127, 123, 124, 0, 0)
			vaulttest.WantSlice(t, c, 249, 251, 0, 250)
			vaulttest.WantLen(t, c, 300)
		}},
	"a chunk that is short": {sql: []string{`UPDATE col_chunks SET data = substr(data, 1, 84) WHERE col_id = 1 AND chunk_idx = 1`}, replace: true, steps: "rebuild n",
		check: func(t *testing.T, v *columnvault.Vault) {
			vaulttest.WantSlice(t, vaulttest.Lookup(t, v, "n", dtype.Int64), 134, 136, 134, 0)
		}},
	"entries that lead nowhere": {sql: []string{`UPDATE col_chunks SET data = CAST(x'ffffffff' || substr(data, 5) AS BLOB) WHERE col_id = 3 AND chunk_idx = 0`},
		replace: true, steps: "keep s; rebuild s", check: func(t *testing.T, v *columnvault.Vault) {
			vaulttest.WantSlice(t, vaulttest.Lookup(t, v, "s", dtype.String), 0, 2, "", fmt.Sprintf("%030d", 1))
		}},
	"a data chunk that is missing": {sql: []string{`DELETE FROM col_chunks WHERE col_id = 5 AND chunk_idx = 64`}, replace: true, steps: "keep m; rebuild m",
		check: func(t *testing.T, v *columnvault.Vault) {
			vaulttest.WantLen(t, vaulttest.Lookup(t, v, "m", dtype.MsgPack[any]()), 20)
		}},
	"text that is not UTF-8": {sql: []string{`UPDATE col_chunks SET data = CAST(x'ff' || substr(data, 2) AS BLOB) WHERE col_id = 2 AND chunk_idx = 0`},
		replace: true, steps: "keep s; rebuild s", check: func(t *testing.T, v *columnvault.Vault) {
			vaulttest.WantSlice(t, vaulttest.Lookup(t, v, "s", dtype.String), 0, 2, "", fmt.Sprintf("%030d", 1))
		}},
	"a bool that is 7": {sql: []string{`UPDATE col_chunks SET data = CAST(x'07' || substr(data, 2) AS BLOB) WHERE col_id = 4 AND chunk_idx = 1`},
		replace: true, steps: "rebuild b", check: func(t *testing.T, v *columnvault.Vault) {
			vaulttest.WantSlice(t, vaulttest.Lookup(t, v, "b", dtype.Bool), 15, 19, true, false, false, true)
		}},
}

func wantN(t *testing.T, v *columnvault.Vault) {
	t.Helper()
	vaulttest.WantColumn(t, vaulttest.Lookup(t, v, "n", dtype.Int64), vaulttest.Span(0, 300)...)
}

func wantS(t *testing.T, v *columnvault.Vault) {
	t.Helper()
	vaulttest.WantColumn(t, vaulttest.Lookup(t, v, "s", dtype.String), vaulttest.Sequence(30, func(i int) string { return fmt.Sprintf("%030d", i) })...)
}

// wantKept requires what was kept, in hexadecimal.
func wantKept(t *testing.T, v *columnvault.Vault, name string, want ...string) {
	t.Helper()
	var got []string
	for _, b := range vaulttest.Collect(t, vaulttest.Lookup(t, v, name, dtype.Bytes).Values(t.Context())) {
		got = append(got, fmt.Sprintf("%x", b))
	}
	vaulttest.WantValues(t, name, got, want)
}

func stepsOf(p *columnvault.RepairPlan) string {
	var steps []string
	for _, s := range p.Steps {
		steps = append(steps, s.Action+" "+s.Column+s.Index)
	}
	return strings.Join(steps, "; ")
}

// TestRepair breaks a vault in every way that can be mended. Afterwards a full
// check finds nothing, and what could be read can be read.
func TestRepair(t *testing.T) {
	for name, test := range repairs {
		t.Run(name, func(t *testing.T) {
			v := vaulttest.OpenAt(t, brokenVault(t, test.sql...), nil)
			before := readable(t, v)
			if len(vaulttest.Found(t, v, columnvault.CheckOptions{Full: true})) == 0 {
				t.Fatal("check finds nothing")
			}
			if test.replace {
				plan := planOf(t, v, columnvault.RepairOptions{})
				if strings.Contains(stepsOf(plan), "rebuild") || len(plan.Left) == 0 {
					t.Errorf("elements are replaced without being asked for: %v", plan)
				}
				vaulttest.Must(t, v.Repair(t.Context(), plan))
				wantReadable(t, v, before)
			}
			plan := planOf(t, v, columnvault.RepairOptions{Replace: test.replace})
			if got := stepsOf(plan); got != test.steps || len(plan.Left) > 0 {
				t.Errorf("the steps are %q, want %q:\n%v", got, test.steps, plan)
			}
			vaulttest.Must(t, v.Repair(t.Context(), plan))
			vaulttest.WantSound(t, v)
			if name != "text that is not UTF-8" {
				wantReadable(t, v, before)
			}
			if test.check != nil {
				test.check(t, v)
			}
			if plan := planOf(t, v, columnvault.RepairOptions{Replace: true}); len(plan.Steps)+len(plan.Left) > 0 {
				t.Errorf("after the repair there is more to do: %v", plan)
			}
		})
	}
}

// TestRepairIndexes flips bits in the indexes of a vault. After a repair SQLite
// finds nothing any more, and all elements are there.
func TestRepairIndexes(t *testing.T) {
	path, data := smallVault(t)
	repairIndexes(t, path, data)
}

// TestRepairTheirIndexes does the same in a file whose pages have no map.
func TestRepairTheirIndexes(t *testing.T) {
	path, _ := smallVault(t)
	vaulttest.ExecSQL(t, path, `PRAGMA journal_mode = DELETE`, `PRAGMA auto_vacuum = NONE`, `VACUUM`, `PRAGMA journal_mode = WAL`)
	data, err := os.ReadFile(path)
	vaulttest.Must(t, err)
	repairIndexes(t, path, data)
	if got := vaulttest.QuerySQL(t, path, `PRAGMA auto_vacuum`); got[0] != "0" {
		t.Errorf("auto_vacuum is %s after the repair", got[0])
	}
}

func repairIndexes(t *testing.T, path string, data []byte) {
	t.Helper()
	mended := 0
	for _, root := range vaulttest.QuerySQL(t, path, `SELECT rootpage FROM sqlite_schema WHERE type = 'index'`) {
		page := 0
		fmt.Sscan(root, &page)
		for i := 0; i < 512; i += 9 {
			at := (page-1)*512 + i
			if data[at] == 0 {
				continue
			}
			damaged := append([]byte{}, data...)
			damaged[at] ^= 1 << (i % 8)
			vaulttest.Must(t, os.WriteFile(path, damaged, 0o600))
			if intact(t, path) {
				continue
			}
			v, err := columnvault.Open(t.Context(), path, nil)
			vaulttest.Must(t, err)
			plan := planOf(t, v, columnvault.RepairOptions{})
			err = v.Repair(t.Context(), plan)
			vaulttest.Must(t, v.Close())
			switch {
			case err != nil || len(plan.Steps) == 0:
				t.Errorf("a flipped bit in byte %d of page %d is not mended (%v): %v", i, page, err, plan)
			case !intact(t, path):
				t.Errorf("a flipped bit in byte %d of page %d: SQLite finds damage after the repair", i, page)
			default:
				mended++
				v := vaulttest.OpenAt(t, path, nil)
				vaulttest.WantSound(t, v)
				for i := range 3 {
					vaulttest.WantColumn(t, vaulttest.Lookup(t, v, fmt.Sprint("numbers ", i), dtype.Int64), vaulttest.Span(0, 60)...)
				}
				vaulttest.Must(t, v.Close())
			}
		}
	}
	if mended < 70 {
		t.Errorf("only %d indexes were damaged", mended)
	}
}

// TestRepairLargeIndex makes an index anew of which every page was lost.
func TestRepairLargeIndex(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.db")
	v := vaulttest.OpenAt(t, path, &columnvault.Options{PageSize: 512})
	var pairs []columnvault.Pair
	for i := range 4000 {
		pairs = append(pairs, columnvault.Pair{Key: fmt.Appendf(nil, "a key of some length %06d", i), Value: []byte{1}})
	}
	vaulttest.Must(t, v.KV().PutMany(t.Context(), pairs...))
	vaulttest.Must(t, v.Close())
	data, err := os.ReadFile(path)
	vaulttest.Must(t, err)
	lost := 0
	for at := 512; at < len(data); at += 512 {
		if data[at] == 10 && data[at+4] > 3 { // a leaf of an index, of many keys
			data[at+9] ^= 0xff
			lost++
		}
	}
	vaulttest.Must(t, os.WriteFile(path, data, 0o600))
	v = vaulttest.OpenAt(t, path, nil)
	for again := true; again; {
		plan := planOf(t, v, columnvault.RepairOptions{NoBackup: true})
		vaulttest.Must(t, v.Repair(t.Context(), plan))
		again = plan.Again
	}
	if n, err := v.KV().Len(t.Context()); lost < 200 || n != 4000 || err != nil {
		t.Errorf("with %d pages lost, %d pairs, %v", lost, n, err)
	}
	for _, p := range pairs {
		if got, err := v.KV().Get(t.Context(), p.Key); err != nil || len(got) != 1 {
			t.Fatalf("%s: %v, %v", p.Key, got, err)
		}
	}
	vaulttest.WantSound(t, v)
	vaulttest.Must(t, v.Close())
	if !intact(t, path) {
		t.Error("SQLite finds damage")
	}
}

// TestRepairRefusesChanges: a plan holds for the state that it was made of.
func TestRepairRefusesChanges(t *testing.T) {
	path := brokenVault(t, `UPDATE col_meta SET length = 1 << 58 WHERE col_id = 1`)
	v := vaulttest.OpenAt(t, path, nil)
	backup := filepath.Join(t.TempDir(), "before.db")
	plan := planOf(t, v, columnvault.RepairOptions{Backup: backup})
	vaulttest.ExecSQL(t, path, `UPDATE col_meta SET length = 1 << 57 WHERE col_id = 1`)
	vaulttest.WantErr(t, "a plan of another state", v.Repair(t.Context(), plan), columnvault.ErrChanged)
	if _, err := os.Stat(backup); err == nil {
		t.Error("a refused repair leaves a copy")
	}
	vaulttest.WantErr(t, "repair of what may only be read",
		vaulttest.OpenAt(t, path, &columnvault.Options{ReadOnly: true}).Repair(t.Context(), plan), columnvault.ErrReadOnly)
	plan = planOf(t, v, columnvault.RepairOptions{Backup: backup})
	vaulttest.Must(t, v.Repair(t.Context(), plan))
	vaulttest.WantSound(t, v)
	old := vaulttest.OpenAt(t, backup, nil)
	if n := vaulttest.LenOnDisk(t, vaulttest.Pair{Other: old}, "n"); n != 1<<57 {
		t.Errorf("the copy has a length of %d", n)
	}
	vaulttest.WantErr(t, "a plan that has been carried out", v.Repair(t.Context(), plan), columnvault.ErrChanged)
}

// TestRepairLeavesDamagedStructures: where SQLite cannot follow the structure
// of a table, something that is missing may only be hidden.
func TestRepairLeavesDamagedStructures(t *testing.T) {
	path := brokenVault(t)
	var page, size int
	fmt.Sscan(vaulttest.QuerySQL(t, path, `SELECT rootpage FROM sqlite_schema WHERE name = 'col_chunks'`)[0], &page)
	fmt.Sscan(vaulttest.QuerySQL(t, path, `PRAGMA page_size`)[0], &size)
	data, err := os.ReadFile(path)
	vaulttest.Must(t, err)
	data[(page-1)*size+8+20] ^= 0xff // a pointer to a cell
	vaulttest.Must(t, os.WriteFile(path, data, 0o600))
	v := vaulttest.OpenAt(t, path, nil)
	plan := planOf(t, v, columnvault.RepairOptions{Replace: true})
	if len(plan.Steps) > 0 || len(plan.Left) == 0 {
		t.Errorf("the plan is %v", plan)
	}
	for _, f := range plan.Left {
		if f.Repairable {
			t.Errorf("%+v is said to be mended by a repair", f)
		}
	}
}

// damageSQL is a random way to damage rows.
func damageSQL(t *rapid.T) string {
	number := rapid.OneOf(rapid.SampledFrom([]int64{-1, 0, 1, 2, 12, 100, 1000, 1 << 31, 1 << 40, 1 << 58, -1 << 62}), rapid.Int64Range(-20, 400))
	n := number.Draw(t, "number")
	row := fmt.Sprintf(`(SELECT rowid FROM col_chunks ORDER BY rowid LIMIT 1 OFFSET %d)`, rapid.IntRange(0, 30).Draw(t, "row"))
	column := rapid.IntRange(1, 6).Draw(t, "column")
	field := rapid.SampledFrom([]string{"elem_size", "length", "min_chunk_bytes", "max_chunk_bytes"}).Draw(t, "field")
	at := rapid.IntRange(1, 60).Draw(t, "byte")
	return rapid.SampledFrom([]string{
		fmt.Sprintf(`UPDATE col_meta SET %s = %d WHERE col_id = %d`, field, n, column),
		fmt.Sprintf(`DELETE FROM col_meta WHERE col_id = %d`, column),
		fmt.Sprintf(`DELETE FROM col_chunks WHERE rowid = %s`, row),
		fmt.Sprintf(`UPDATE OR IGNORE col_chunks SET chunk_idx = %d WHERE rowid = %s`, n, row),
		fmt.Sprintf(`UPDATE OR IGNORE col_chunks SET col_id = %d WHERE rowid = %s`, column, row),
		fmt.Sprintf(`UPDATE OR IGNORE col_chunks SET col_id = %d WHERE rowid = %s`, n, row),
		fmt.Sprintf(`UPDATE col_chunks SET actual_size = %d WHERE rowid = %s`, n, row),
		fmt.Sprintf(`UPDATE col_chunks SET bytes_used = %d WHERE rowid = %s`, n, row),
		fmt.Sprintf(`UPDATE col_chunks SET data = substr(data, 1, %d) WHERE rowid = %s`, at, row),
		fmt.Sprintf(`UPDATE col_chunks SET data = CAST(substr(data, 1, %d) || x'%02x' || substr(data, %d) AS BLOB) WHERE rowid = %s`, at-1, byte(n), at+1, row),
		`UPDATE kv SET value = x'894b010600000000564bff'`,
	}).Draw(t, "damage")
}

// TestRandomDamage damages rows at random. Check comes to an end, and after a
// repair there is nothing that its plan has not said would be left, and all that
// could be read can be read.
func TestRandomDamage(t *testing.T) {
	sound := brokenVault(t)
	data, err := os.ReadFile(sound)
	vaulttest.Must(t, err)
	path := filepath.Join(t.TempDir(), "damaged.db")
	rapid.Check(t, func(rt *rapid.T) {
		for _, end := range []string{"", "-wal", "-shm"} {
			os.Remove(path + end)
		}
		vaulttest.Must(rt, os.WriteFile(path, data, 0o600))
		sql := []string{`PRAGMA foreign_keys = OFF`}
		for range rapid.IntRange(1, 4).Draw(rt, "damages") {
			sql = append(sql, damageSQL(rt))
		}
		vaulttest.WithSQL(t, path, func(db *sqlite3.Conn) {
			for _, s := range sql {
				if err := db.Exec(s); err != nil {
					rt.Fatalf("%v: %s", err, s)
				}
			}
		})
		v, err := columnvault.Open(rt.Context(), path, nil)
		vaulttest.Must(rt, err)
		defer v.Close()
		before := readable(rt, v)
		found := vaulttest.Found(rt, v, columnvault.CheckOptions{Full: true})
		o := columnvault.RepairOptions{Replace: rapid.Bool().Draw(rt, "replace")}
		plan := planOf(rt, v, o)
		if len(found) > 0 && len(plan.Steps)+len(plan.Left) == 0 {
			rt.Errorf("the plan is empty, and check finds %+v", found)
		}
		for again := true; again; {
			if err := v.Repair(rt.Context(), plan); err != nil {
				rt.Fatalf("%v\n%v\n%s", err, plan, strings.Join(sql, "\n"))
			}
			if again = plan.Again; again {
				plan = planOf(rt, v, o)
			}
		}
		wantAfter(rt, v, plan, before)
	})
}

// wantAfter requires that a check finds nothing but what the plan has left.
func wantAfter(rt *rapid.T, v *columnvault.Vault, plan *columnvault.RepairPlan, before map[string]map[int]any) {
	left := map[string]bool{}
	for _, f := range plan.Left {
		left[string(f.Kind)+" "+f.Column+f.Table] = true
	}
	for _, f := range vaulttest.Found(rt, v, columnvault.CheckOptions{Full: true}) {
		if !left[string(f.Kind)+" "+f.Column+f.Table] {
			rt.Errorf("after the repair: %+v\n%v", f, plan)
		}
	}
	wantReadable(rt, v, before)
}
