package feed_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"columnvault/feed"
	"columnvault/internal/vaulttest"
)

// python returns the interpreter that has the readers, or skips.
func python(t *testing.T) string {
	t.Helper()
	path := os.Getenv("COLUMNVAULT_PYTHON_ICEBERG")
	if path == "" {
		t.Skip("COLUMNVAULT_PYTHON_ICEBERG names no Python that has the readers of Iceberg")
	}
	return path
}

// TestOtherReaders has pyiceberg and DuckDB read all dtypes, after three runs, and
// compares each value.
func TestOtherReaders(t *testing.T) {
	python := python(t)
	v, list, dir := vaulttest.Open(t), kinds(), filepath.Join(t.TempDir(), "table")
	const rows = 2000
	from := 0
	for _, to := range []int{10, 1000, rows} {
		grow(t, v, list, from, to)
		run(t, v, nil, dir, &feed.Options{Floor: true, FileBytes: 64 << 10})
		from = to
	}
	type column struct {
		Name     string `json:"name"`
		Type     string `json:"type"`
		Required bool   `json:"required"`
		Values   []any  `json:"values"`
	}
	var expected struct {
		Columns []column `json:"columns"`
	}
	for i, k := range list {
		c := column{k.Name, k.ice, k.required, nil}
		c.Type = load(t, dir).Schema().Field(i).Type.String()
		for row := range rows {
			c.Values = append(c.Values, k.plain(row))
		}
		expected.Columns = append(expected.Columns, c)
	}
	text, err := json.Marshal(expected)
	vaulttest.Must(t, err)
	name := filepath.Join(t.TempDir(), "expected.json")
	vaulttest.Must(t, os.WriteFile(name, text, 0o666))
	for _, reader := range []string{"pyiceberg", "duckdb"} {
		t.Run(reader, func(t *testing.T) {
			out, err := exec.CommandContext(t.Context(), python, "testdata/readers.py", reader, dir, name).CombinedOutput()
			var exit *exec.ExitError
			if errors.As(err, &exit) && exit.ExitCode() == 77 {
				t.Skipf("%s", out)
			}
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			t.Logf("%s", out)
		})
	}
}
