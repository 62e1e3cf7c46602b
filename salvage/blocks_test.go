package salvage_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"strconv"
	"testing"

	"columnvault"
	"columnvault/internal/vaulttest"
	"columnvault/salvage"
)

// toLayout1 brings all columns of a vault to the layout of KohakuVault 1.x.
func toLayout1(t testing.TB, path string) {
	t.Helper()
	v, err := columnvault.Open(t.Context(), path, nil)
	must(t, err)
	_, err = v.Migrate(t.Context(), columnvault.MigrateOptions{To: 1})
	must(t, err)
	must(t, v.Close())
}

// TestLayout1 requires that columns of KohakuVault 1.x stay what they are, those
// that have the name of another included.
func TestLayout1(t *testing.T) {
	path := build(t, 4096)
	v, err := columnvault.Open(t.Context(), path, nil)
	must(t, err)
	_, err = v.Migrate(t.Context(), columnvault.MigrateOptions{To: 1, Keep: true})
	must(t, err)
	want, err := v.Columns(t.Context())
	must(t, err)
	must(t, v.Close())
	r, target := save(t, path, salvage.Options{})
	if !r.Complete() {
		t.Errorf("not complete:\n%s", r)
	}
	wantColumns(t, target, want)
}

// wantColumns wants a sound vault to have these columns.
func wantColumns(t *testing.T, path string, want []columnvault.ColumnInfo) {
	t.Helper()
	v := vaulttest.OpenAt(t, path, nil)
	got, err := v.Columns(t.Context())
	must(t, err)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("columns %v, want %v", got, want)
	}
	vaulttest.WantSound(t, v)
	must(t, v.Close())
}

// TestOnePageOfLayout1Lost loses one page at a time of a file of KohakuVault 1.x
// alone. What does not lie in it must be there.
func TestOnePageOfLayout1Lost(t *testing.T) {
	const pageSize = 4096
	path := build(t, pageSize)
	toLayout1(t, path)
	original := contentsOf(t, path, tables...)
	data, err := os.ReadFile(path)
	must(t, err)
	elements, pairs := original.total()
	r := rand.New(rand.NewPCG(1, 2))
	pages, tried := choosePages(data, pageSize, 6*rounds(t), r)
	turns := map[string]int{}
	for _, p := range pages {
		turns[p.kind]++
		how := []string{"zeros", "noise"}[turns[p.kind]%2]
		name := fmt.Sprintf("page %d (%s) lost to %s", p.number, p.kind, how)
		o := salvaged(t, original, p.without(data, pageSize, how, r), nil)
		wantOnePageLost(t, name, p.kind, how, o, elements+pairs, pageSize)
		if len(o.report.NotRead) > 0 {
			t.Errorf("%s: not read: %q", name, o.report.NotRead)
		}
	}
	if tried["leaf"] < 3 || tried["overflow"] == 0 {
		t.Errorf("the pages are %v", tried)
	}
}

// TestBlockRowsLost loses the page with the rows of all blocks: the indexes and
// the offsets say the same.
func TestBlockRowsLost(t *testing.T) {
	path := build(t, 4096)
	toLayout1(t, path)
	original := contentsOf(t, path, tables...)
	root := vaulttest.QuerySQL(t, path, `SELECT rootpage FROM sqlite_schema WHERE name = 'kvault_col_blocks'`)
	data, err := os.ReadFile(path)
	must(t, err)
	page, err := strconv.Atoi(root[0])
	must(t, err)
	spoil(data[(page-1)*4096:page*4096], "noise", rand.New(rand.NewPCG(1, 2)))
	o := salvaged(t, original, data, nil)
	elements, pairs := original.total()
	if o.elements != elements || o.pairs != pairs {
		t.Errorf("%d of %d elements:\n%s", o.elements, elements, o.report)
	}
}

// TestLiesOfLayout1: rows that say impossible things, or are not there.
func TestLiesOfLayout1(t *testing.T) {
	column := func(r *salvage.Report, name string) salvage.Column {
		for _, c := range r.Columns {
			if c.Name == name {
				return c
			}
		}
		return salvage.Column{}
	}
	for _, test := range []struct {
		sql, column string
		read        int64
	}{
		{`DELETE FROM kvault_col_columns WHERE name = 'i64'`, "recovered/blocks/1", 5000},
		{`DELETE FROM kvault_col_columns WHERE name = 'text'`, "recovered/blocks/8", 3000},
		{`UPDATE kvault_col_columns SET length = 1 << 60`, "i64", 131072},
		{`UPDATE kvault_col_columns SET length = 1 << 60`, "text", 3000},
		{`UPDATE kvault_col_columns SET elem_size = 1 << 40`, "i64", 5000},
		{`UPDATE kvault_col_columns SET block_bytes = 1`, "text", 3000},
		{`UPDATE kvault_col_blocks SET first_row = first_row + 10`, "text", 2990},
		{`UPDATE kvault_col_blocks SET row_count = row_count - 10`, "text", 2990},
		{`UPDATE kvault_col_blocks SET row_count = 1 << 50, used_bytes = 7, row_capacity = 0`, "text", 3000},
		{`UPDATE kvault_col_data SET offsets = NULL WHERE offsets IS NOT NULL`, "text", 0},
		{`UPDATE kvault_col_data SET payload = x'00112233445566778899'`, "i64", 1},
		{`DELETE FROM kvault_col_data`, "text", 0},
		{`DELETE FROM kvault_col_blocks`, "text", 0},
	} {
		path := build(t, 4096)
		toLayout1(t, path)
		vaulttest.ExecSQL(t, path, `PRAGMA foreign_keys = OFF`, test.sql)
		r, _ := save(t, path, salvage.Options{})
		if c := column(r, test.column); c.DType == "" || c.Read != test.read {
			t.Errorf("%s: %d elements, want %d of:\n%s", test.sql, c.Read, test.read, r)
		}
	}
}
