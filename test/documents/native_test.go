package documents_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// TestFormatNative holds the chapter about native columns: its tables of SQLite,
// and what it says of the rows of two columns.
func TestFormatNative(t *testing.T) {
	doc := readFormatDoc(t)
	path := filepath.Join(t.TempDir(), "native.db")
	v, err := columnvault.Open(t.Context(), path, nil)
	vaulttest.Must(t, err)
	o := &columnvault.ColumnOptions{Layout: columnvault.Native, MaxChunk: 24}
	vaulttest.CreateWith(t, v, "text", dtype.String, o, "a", "bcd", "", "four")
	c := vaulttest.CreateWith(t, v, "n", dtype.Int64, o, 1, 2)
	vaulttest.Must(t, c.Append(t.Context(), -3))
	vaulttest.Must(t, v.Close())

	var want []string
	for _, sql := range doc.sql {
		if isNative(sql) {
			want = append(want, sql)
		}
	}
	got := vaulttest.QuerySQL(t, path, `SELECT sql FROM sqlite_schema WHERE name LIKE 'columnvault/_%' ESCAPE '/' AND type = 'table' ORDER BY rowid`)
	if !slices.EqualFunc(got, want, func(a, b string) bool {
		return strings.Join(strings.Fields(a), " ") == strings.Join(strings.Fields(b), " ")
	}) {
		t.Errorf("docs/format.md has the tables\n%s\nand the file\n%s", strings.Join(want, "\n"), strings.Join(got, "\n"))
	}

	rows := vaulttest.QuerySQL(t, path, `SELECT name || ' ' || number || ' ' || capacity || ' ' || used || ' ' || lower(hex(substr(meta, 1, 56))) || ' ' || lower(hex(data))
		FROM columnvault_columns JOIN columnvault_runs USING (col_id) JOIN columnvault_bytes USING (bytes_id) ORDER BY col_id, number`)
	var shown []string
	for _, row := range doc.table(t, "column", "`number`", "`capacity`", "`used`", "`meta`, its first 56 bytes", "`data`") {
		for k := range row {
			row[k] = strings.ReplaceAll(row[k], " ", "")
		}
		shown = append(shown, strings.Join(row, " "))
	}
	if !slices.Equal(rows, shown) {
		t.Errorf("the runs are\n%s\nand docs/format.md says\n%s", strings.Join(rows, "\n"), strings.Join(shown, "\n"))
	}
	sizes := 0
	for _, row := range doc.table(t, "offset in `meta`", "bytes", "what") {
		var n int
		if fmt.Sscan(row[1], &n); row[0] != fmt.Sprint(sizes) {
			t.Errorf("docs/format.md: %q begins at %s, and what is before it ends at %d", row[2], row[0], sizes)
		}
		sizes += n
	}
	if sizes != 32 {
		t.Errorf("docs/format.md: meta without a tail has %d bytes, and its parts have %d", 32, sizes)
	}
}

// isNative tells the tables of native columns from others.
func isNative(sql string) bool {
	return strings.Contains(sql, "TABLE columnvault_")
}
