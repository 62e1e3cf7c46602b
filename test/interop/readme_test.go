package interop

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// TestReadmePython runs the lines of Python that README.md shows, on a file that
// this project has written.
func TestReadmePython(t *testing.T) {
	readme := string(vaulttest.ReadFile(t, "README.md"))
	_, rest, ok := strings.Cut(readme, "```python\n")
	program, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatal("README.md shows no Python")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "temps.db")
	v := vaulttest.OpenAt(t, path, nil)
	vaulttest.Create(t, v, "temps", dtype.Float64, 20.5, 21, 19)
	vaulttest.Must(t, v.Close())
	cmd := exec.CommandContext(t.Context(), pythonPath(t), "-c", program)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if got, want := strings.TrimSpace(string(out)), "3 19.0 [20.5, 21.0]"; got != want || err != nil {
		t.Errorf("the Python of README.md prints %q, %v, want %q", got, err, want)
	}
	v = vaulttest.OpenAt(t, path, nil)
	vaulttest.WantColumn(t, vaulttest.Lookup(t, v, "temps", dtype.Float64), 20.5, 21, 19, 18.5)
}
