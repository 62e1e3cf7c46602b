package documents_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"columnvault/internal/vaulttest"
)

// TestModuleCanBeRenamed gives a copy of the project another path, by the
// command that docs/CONTRIBUTING.md names, and builds the
// library of what comes out.
func TestModuleCanBeRenamed(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the library under another path")
	}
	const renamed = "example.org/lists/columnvault"
	command := regexp.MustCompile(`(?m)^    (go run \./internal/tools/rename) \S+$`).FindSubmatch(vaulttest.ReadFile(t, "docs/CONTRIBUTING.md"))
	if command == nil {
		t.Fatal("CONTRIBUTING.md names no command that renames the module")
	}
	root, copied := vaulttest.Root(t), t.TempDir()
	old := modulePath(t, root)
	copyTree(t, copied, root)
	runIn(t, copied, append(strings.Fields(string(command[1])), renamed)...)
	if got := modulePath(t, copied); got != renamed {
		t.Errorf("go.mod has the path %s, want %s", got, renamed)
	}
	runIn(t, copied, "go", "build", ".")
	// The rest is not built, which takes minutes, but all that is imported is found.
	imports := strings.Fields(runIn(t, copied, "go", "list", "-test", "-deps", "-f", `{{join .Imports "\n"}}`, "./..."))
	for _, name := range imports {
		if name == old || strings.HasPrefix(name, old+"/") {
			t.Errorf("%s is still imported", name)
		}
	}
	// bench is a module of its own, whose libraries need not be there.
	if got, want := modulePath(t, filepath.Join(copied, "bench")), renamed+"/bench"; got != want {
		t.Errorf("bench/go.mod has the path %s, want %s", got, want)
	}
	if got := runIn(t, filepath.Join(copied, "bench"), "go", "mod", "edit", "-print"); strings.Contains(strings.ReplaceAll(got, renamed, ""), old) {
		t.Errorf("bench/go.mod still has %s:\n%s", old, got)
	}
	readme, err := os.ReadFile(filepath.Join(copied, "README.md"))
	vaulttest.Must(t, err)
	for _, want := range []string{"go mod edit -replace " + renamed + "=", "go get " + renamed + "\n", "\t\"" + renamed + "\"\n"} {
		if !bytes.Contains(readme, []byte(want)) {
			t.Errorf("the renamed README.md does not say %q", want)
		}
	}
}

// modulePath returns the path of the module in a folder.
func modulePath(t *testing.T, dir string) string {
	t.Helper()
	return strings.TrimSpace(runIn(t, dir, "go", "list", "-m"))
}

// copyTree copies the project, without what git keeps.
func copyTree(t *testing.T, to, from string) {
	t.Helper()
	source := os.DirFS(from)
	vaulttest.Must(t, fs.WalkDir(source, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.Name() == ".git":
			return skip(entry)
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(to, name), 0o777)
		}
		data, err := fs.ReadFile(source, name)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), data, 0o666)
	}))
}

// skip leaves out a file or a folder of a walk.
func skip(entry fs.DirEntry) error {
	if entry.IsDir() {
		return fs.SkipDir
	}
	return nil
}

// runIn runs a command in a folder and returns what it prints.
func runIn(t *testing.T, dir string, command ...string) string {
	t.Helper()
	out, err := tryIn(t, dir, nil, command...)
	vaulttest.Must(t, err)
	return out
}

// tryIn runs a command in a folder, with these variables added to the
// environment. The error says what the command says.
func tryIn(t *testing.T, dir string, env []string, command ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%s: %w\n%s%s", strings.Join(command, " "), err, out, stderr.String())
	}
	return string(out), err
}
