package interop

import (
	"os"
	"path/filepath"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// TestNativeBeside has both KohakuVaults open a file with native columns, which
// they do not see, and write beside them.
func TestNativeBeside(t *testing.T) {
	for _, of := range []struct{ name, variable string }{
		{"old of 0.8.6", "COLUMNVAULT_PYTHON"},
		{"of 1.x", "COLUMNVAULT_PYTHON_1X"},
	} {
		t.Run(of.name, func(t *testing.T) {
			python := os.Getenv(of.variable)
			if python == "" {
				t.Skipf("%s does not name a Python that has kohakuvault; see doc.go", of.variable)
			}
			path := filepath.Join(t.TempDir(), "a.db")
			v := vaulttest.OpenAt(t, path, nil)
			native := &columnvault.ColumnOptions{Layout: columnvault.Native, MaxChunk: 400, Compression: columnvault.Zstd}
			numbers := vaulttest.CreateWith(t, v, "numbers", dtype.Int64, native, vaulttest.Span(0, 1000)...)
			words := vaulttest.CreateWith(t, v, "native words", dtype.String, native, "one", "two")
			if of.variable == "COLUMNVAULT_PYTHON" {
				for _, name := range []string{"at", "day", "number"} { // that beside.py looks at
					vaulttest.Create(t, v, name, dtype.Int64, 1)
				}
				vaulttest.Create(t, v, "float", dtype.Float64, 1)
				vaulttest.Create(t, v, "words", dtype.String, "a")
				vaulttest.Create(t, v, "doc", dtype.MsgPack[any](), any("b"))
				vaulttest.Create(t, v, of.name, dtype.Int64)
			}
			seen := beside(t, python, path, func() {
				vaulttest.Must(t, numbers.Insert(t.Context(), 500, -1))
				vaulttest.Must(t, words.Append(t.Context(), "three"))
			})
			if _, ok := seen["numbers"]; ok || len(seen[of.name]) != 5 {
				t.Errorf("it sees %v", seen)
			}
			vaulttest.Must(t, numbers.Delete(t.Context(), 0, 400))
			vaulttest.WantLen(t, numbers, 601)
			vaulttest.WantAt(t, numbers, 100, -1)
			vaulttest.WantColumn(t, words, "one", "two", "three")
			vaulttest.WantSound(t, v)
		})
	}
}
