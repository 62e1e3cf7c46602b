package query_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
	"columnvault/query"
)

const benchRows = 1_000_000

// BenchmarkQuery compares statements on columns with the same ones on an
// ordinary table of the same engine, in memory.
func BenchmarkQuery(b *testing.B) {
	ctx := b.Context()
	v := newVault(b)
	n := make([]int64, benchRows)
	f := make([]float64, benchRows)
	s := make([]string, benchRows)
	for i := range n {
		n[i], f[i] = int64(i*7919%1000), float64(i%977)/3
		s[i] = fmt.Sprintf("sensor-%d", i*31%100)
	}
	fill(b, v, "t.n", dtype.Int64, n)
	fill(b, v, "t.f", dtype.Float64, f)
	fill(b, v, "t.s", dtype.String, s)
	ours, err := query.Open(ctx, v, nil)
	check(b, err)
	defer ours.Close()
	plain, err := driver.Open(":memory:")
	check(b, err)
	defer plain.Close()
	plain.SetMaxOpenConns(1)
	_, err = plain.Exec(`CREATE TABLE t (position INTEGER PRIMARY KEY, n INTEGER, f REAL, s TEXT)`)
	check(b, err)
	copyRows(b, plain, n, f, s)
	for _, q := range []struct{ name, text string }{
		{"Count", `SELECT count(*) FROM t`},
		{"Sum", `SELECT sum(n) FROM t`},
		{"FilteredAvg", `SELECT avg(f) FROM t WHERE n > 500`},
		{"GroupByInteger", `SELECT n % 10, avg(f) FROM t GROUP BY 1`},
		{"GroupByText", `SELECT s, avg(f) FROM t GROUP BY s`},
		{"Like", `SELECT count(*) FROM t WHERE s LIKE '%r-7_'`},
	} {
		for _, db := range []struct {
			name string
			db   *sql.DB
		}{{"Vault", ours}, {"Table", plain}} {
			b.Run(q.name+"/"+db.name, func(b *testing.B) {
				defer vaulttest.Meter(b)()
				for b.Loop() {
					drain(b, db.db, q.text)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
			})
		}
	}
}

// BenchmarkAt measures what a statement costs that reads one element.
func BenchmarkAt(b *testing.B) {
	v := newVault(b)
	fill(b, v, "t.n", dtype.Int64, make([]int64, benchRows))
	db, err := query.Open(b.Context(), v, nil)
	check(b, err)
	defer db.Close()
	st, err := db.Prepare(`SELECT n FROM t WHERE position = ?`)
	check(b, err)
	defer st.Close()
	var n int64
	for b.Loop() {
		check(b, st.QueryRow(benchRows/2).Scan(&n))
	}
}

func copyRows(b *testing.B, db *sql.DB, n []int64, f []float64, s []string) {
	b.Helper()
	conn, err := db.Conn(b.Context())
	check(b, err)
	defer conn.Close()
	check(b, conn.Raw(func(c any) error {
		raw := c.(interface{ Raw() *sqlite3.Conn }).Raw()
		if err := raw.Exec(`BEGIN`); err != nil {
			return err
		}
		st, _, err := raw.Prepare(`INSERT INTO t VALUES (?, ?, ?, ?)`)
		if err != nil {
			return err
		}
		defer st.Close()
		for i := range n {
			st.BindInt64(1, int64(i))
			st.BindInt64(2, n[i])
			st.BindFloat(3, f[i])
			st.BindText(4, s[i])
			if err := st.Exec(); err != nil {
				return err
			}
		}
		return raw.Exec(`COMMIT`)
	}))
}

func drain(tb testing.TB, db *sql.DB, text string) {
	tb.Helper()
	rows, err := db.Query(text)
	check(tb, err)
	for rows.Next() {
	}
	check(tb, rows.Err())
	check(tb, rows.Close())
}

func newVault(tb testing.TB) *columnvault.Vault {
	tb.Helper()
	v, err := columnvault.Open(tb.Context(), tb.TempDir()+"/vault.db", nil)
	check(tb, err)
	tb.Cleanup(func() { check(tb, v.Close()) })
	return v
}

func fill[T any](tb testing.TB, v *columnvault.Vault, name string, t dtype.Type[T], values []T) {
	tb.Helper()
	col, err := columnvault.Ensure(tb.Context(), v, name, t, nil)
	check(tb, err)
	check(tb, col.Append(tb.Context(), values...))
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// texts runs a query and returns its rows, the fields separated by bars.
func texts(tb testing.TB, db *sql.DB, text string, args ...any) []string {
	tb.Helper()
	list, err := tryTexts(tb, db, text, args...)
	if err != nil {
		tb.Fatalf("%s: %v", text, err)
	}
	return list
}

func tryTexts(tb testing.TB, db *sql.DB, text string, args ...any) (list []string, err error) {
	rows, err := db.QueryContext(tb.Context(), text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for fields, err := range query.Fields(rows) {
		if err != nil {
			return list, err
		}
		var line []string
		for _, f := range fields {
			switch f := f.(type) {
			case nil:
				line = append(line, "NULL")
			case []byte:
				line = append(line, fmt.Sprintf("x'%x'", f))
			default:
				line = append(line, fmt.Sprint(f))
			}
		}
		list = append(list, strings.Join(line, "|"))
	}
	return list, nil
}
