package main

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestSQLInterrupted: an interrupt ends a statement that would never end.
func TestSQLInterrupted(t *testing.T) {
	db := filepath.Join(t.TempDir(), "a.db")
	columnvaultCommand(t, "create", db, "n", "i64")
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	var out, err bytes.Buffer
	code := run(ctx, []string{"sql", db, `WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c WHERE x < 0`}, strings.NewReader(""), &out, &err)
	if code != exitInterrupted || err.String() != "columnvault: interrupted\n" {
		t.Errorf("exit code %d: %s", code, err.String())
	}
}

// TestRowTable: numbers are to the right, and rows are printed some at a time.
func TestRowTable(t *testing.T) {
	db := filepath.Join(t.TempDir(), "a.db")
	columnvaultCommand(t, "create", db, "n", "i64")
	const rows = 3*rowsAtOnce + 1
	text := columnvaultCommand(t, "sql", "--format", "table", db, fmt.Sprintf(`WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < %d) SELECT x, 'a' || char(10) AS word, NULL AS none, 0.1 + 0.2 AS sum, x'00' AS raw FROM c`, rows))
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) != rows+1 {
		t.Fatalf("%d lines", len(lines))
	}
	for i, want := range map[int]string{0: "  x  word  none  sum  raw", 1: `  1  a\n         0.3  1 byte`} {
		if lines[i] != want {
			t.Errorf("line %d is %q, want %q", i, lines[i], want)
		}
	}
}
