package documents_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"columnvault/internal/vaulttest"
)

// TestReadmeProgramRunsElsewhere does what README.md says of a program in
// another module: its commands, its program, and the line that this prints.
// Nothing is fetched, so the modules that the library needs must be in the
// module cache.
func TestReadmeProgramRunsElsewhere(t *testing.T) {
	section := readmeSection(t, "In your program")
	dir := t.TempDir()
	program := block(t, section, "go")
	vaulttest.Must(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte(program), 0o666))
	commands := regexp.MustCompile(`(?m)^    (go .*)$`).FindAllStringSubmatch(section, -1)
	if len(commands) != 4 {
		t.Fatalf("README.md has %d commands for a program elsewhere, want 4", len(commands))
	}
	offline := []string{"GOPROXY=off", "GOSUMDB=off", "GOFLAGS=-mod=mod", "GOWORK=off"}
	printed := ""
	for _, c := range commands {
		words := strings.Fields(c[1])
		for i, word := range words {
			words[i] = strings.Replace(word, "/path/to/the/clone", vaulttest.Root(t), 1)
		}
		out, err := tryIn(t, dir, offline, words...)
		if err != nil && strings.Contains(err.Error(), "GOPROXY=off") {
			t.Skipf("the module cache lacks what a program elsewhere needs: %v", err)
		}
		vaulttest.Must(t, err)
		printed = out
	}
	if want := block(t, section, "text"); printed != want {
		t.Errorf("the program of README.md prints %q, and the text says %q", printed, want)
	}
}

// readmeSection returns a section of README.md, by its title.
func readmeSection(t *testing.T, title string) string {
	t.Helper()
	_, rest, ok := strings.Cut(string(vaulttest.ReadFile(t, "README.md")), "\n## "+title+"\n")
	if !ok {
		t.Fatalf("README.md has no section %q", title)
	}
	section, _, _ := strings.Cut(rest, "\n## ")
	return section
}

// block returns the block of code in a section that is marked as this language.
func block(t *testing.T, section, language string) string {
	t.Helper()
	_, rest, ok := strings.Cut(section, "```"+language+"\n")
	code, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatalf("the section has no block of %s", language)
	}
	return code
}
