package query

import (
	"fmt"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// TestRuns: how far runs reach: one element where one is asked for, longer and
// longer ones in order, short ones after a jump.
func TestRuns(t *testing.T) {
	ctx := t.Context()
	v := openVault(t)
	col, err := columnvault.Create(ctx, v, "n", dtype.Int64, nil)
	check(t, err)
	const n = 100_000
	for from := int64(0); from < n; from += 1000 {
		var part [1000]int64
		for i := range part {
			part[i] = from + int64(i)
		}
		check(t, col.Append(ctx, part[:]...))
	}
	for _, test := range []struct {
		name string
		span
		rows []int64
		want string
	}{
		{"one", span{first: 77, last: 77}, []int64{77}, "77+1"},
		{"up", span{last: n - 1}, []int64{0, 16, 48, 112}, "0+16 16+32 48+64 112+128"},
		{"down", span{last: n - 1, down: true}, []int64{n - 1, n - 17, n - 49}, "99984+16 99952+32 99888+64"},
		{"here and there", span{last: n - 1}, []int64{5, 50_000, 90_000, 10_000}, "5+16 50000+2 90000+1 10000+1"},
		{"near", span{last: n - 1}, []int64{0, 30, 100}, "0+16 30+32 100+64"},
		{"to the end", span{first: n - 5, last: n - 1}, []int64{n - 5}, "99995+5"},
		{"down to the first", span{first: 3, last: 9, down: true}, []int64{9}, "3+7"},
	} {
		r := &runs[int64]{col: col, set: func(sqlite3.Context, int64) {}}
		got := ""
		for i, row := range test.rows {
			at := test.span
			at.at = row
			check(t, r.load(ctx, &at))
			if r.values[row-r.start] != row {
				t.Errorf("%s: the element %d is %d", test.name, row, r.values[row-r.start])
			}
			if i > 0 {
				got += " "
			}
			got += fmt.Sprintf("%d+%d", r.start, len(r.values))
		}
		if got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
}

// TestAllocations: a statement allocates for its runs, and nothing for a row.
func TestAllocations(t *testing.T) {
	vaulttest.NeedsFile(t)
	ctx := t.Context()
	v := openVault(t)
	const n = 50_000
	numbers, err := columnvault.Create(ctx, v, "n", dtype.Int64, nil)
	check(t, err)
	check(t, numbers.Append(ctx, make([]int64, n)...))
	words, err := columnvault.Create(ctx, v, "w", dtype.String, nil)
	check(t, err)
	check(t, words.Append(ctx, make([]string, n)...))
	db, err := Open(ctx, v, nil)
	check(t, err)
	defer db.Close()
	st, err := db.Prepare(`SELECT sum(n), count(*), sum(length(w)) FROM columns WHERE n >= 0`)
	check(t, err)
	defer st.Close()
	allocations := testing.AllocsPerRun(3, func() {
		var sum, count, length int
		if err := st.QueryRow().Scan(&sum, &count, &length); err != nil || count != n {
			t.Errorf("%d rows: %v", count, err)
		}
	})
	if allocations > n/20 {
		t.Errorf("%.0f allocations for %d rows", allocations, n)
	}
}
