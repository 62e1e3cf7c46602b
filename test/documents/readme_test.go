package documents_test

import (
	"slices"
	"strings"
	"testing"

	"columnvault/internal/vaulttest"
)

// TestReadmeShowsExamples requires that each Go block of README.md stands, line
// by line, in one of the example files: what the README shows compiles and runs.
// Only the space at the ends of lines may differ. The one that is a whole
// program is for TestReadmeProgramRunsElsewhere.
func TestReadmeShowsExamples(t *testing.T) {
	examples := [][]string{trimmedLines(t, "example_test.go"), trimmedLines(t, "example_kv_test.go")}
	lines := trimmedLines(t, "README.md")
	blocks := 0
	for from := 0; from < len(lines); from++ {
		if lines[from] != "```go" {
			continue
		}
		n := slices.Index(lines[from+1:], "```")
		if n <= 0 {
			t.Fatalf("the Go block in line %d of README.md is empty or does not end", from+1)
		}
		block := lines[from+1 : from+1+n]
		from += n + 1
		if block[0] == "package main" {
			continue
		}
		if !slices.ContainsFunc(examples, func(file []string) bool { return containsRun(file, block) }) {
			t.Errorf("the Go block in line %d of README.md stands in no example file:\n%s", from-n, strings.Join(block, "\n"))
		}
		blocks++
	}
	if blocks == 0 {
		t.Error("README.md shows no Go code")
	}
}

// containsRun tells whether the lines of a block follow each other in a file.
func containsRun(file, block []string) bool {
	for i := range len(file) - len(block) + 1 {
		if slices.Equal(file[i:i+len(block)], block) {
			return true
		}
	}
	return false
}

// trimmedLines returns the lines of a file of the root without the space at
// their ends.
func trimmedLines(t *testing.T, name string) []string {
	t.Helper()
	lines := strings.Split(string(vaulttest.ReadFile(t, name)), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	return lines
}
