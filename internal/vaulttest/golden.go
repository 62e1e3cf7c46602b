package vaulttest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// Root returns the folder of the module, above that of the test.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod in any folder above the test")
		}
		dir = parent
	}
}

// File returns the path of a file of the project, given from its root.
func File(t testing.TB, elem ...string) string {
	t.Helper()
	return filepath.Join(append([]string{Root(t)}, elem...)...)
}

// ReadFile returns what a file of the project holds.
func ReadFile(t testing.TB, elem ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(File(t, elem...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// CopyGolden copies a file of a folder of testdata to where it may be written.
func CopyGolden(t testing.TB, folder, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, ReadFile(t, "testdata", folder, name), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// Golden is what expected.json says of a file that KohakuVault wrote.
type Golden struct {
	Columns map[string]GoldenColumn
	// KV is the pairs, by the key in hexadecimal.
	KV map[string]struct{ Get any }
}

// GoldenColumn is what a column should be.
type GoldenColumn struct {
	DType  string
	Kind   string
	Length int
	// Values are all elements, Sample is pairs of position and element.
	Values []any
	Sample [][2]any
}

// ReadGolden reads the expected.json of a folder of testdata.
func ReadGolden(t testing.TB, folder string) map[string]Golden {
	t.Helper()
	f, err := os.Open(File(t, "testdata", folder, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var golden struct{ Files map[string]Golden }
	d := json.NewDecoder(f)
	d.UseNumber()
	if err := d.Decode(&golden); err != nil {
		t.Fatal(err)
	}
	return golden.Files
}
