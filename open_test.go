package columnvault_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"columnvault"
	"columnvault/dtype"
)

// open opens a vault in a new file.
func open(t *testing.T) *columnvault.Vault {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), "test.db"), nil)
}

func openAt(t *testing.T, path string, o *columnvault.Options) *columnvault.Vault {
	t.Helper()
	v, err := columnvault.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	return v
}

func create[T any](t *testing.T, in columnvault.Scope, name string, typ dtype.Type[T], values ...T) *columnvault.Column[T] {
	t.Helper()
	c, err := columnvault.Create(t.Context(), in, name, typ, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Append(t.Context(), values...); err != nil {
		t.Fatal(err)
	}
	return c
}

func wantErr(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got error %v, want one that is %v", what, got, want)
	}
	var e *columnvault.Error
	if got != nil && !errors.As(got, &e) {
		t.Errorf("%s: error %v is not a *columnvault.Error", what, got)
	}
}

func TestOpenRefusesWhatIsNotAVault(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	vault := filepath.Join(dir, "vault.db")
	v, err := columnvault.Open(vault, nil)
	if err != nil {
		t.Fatal(err)
	}
	create(t, v, "x", dtype.Int64, make([]int64, 50_000)...)
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(vault)
	if err != nil {
		t.Fatal(err)
	}
	encrypted := bytes.Clone(whole)
	for i := range encrypted {
		encrypted[i] ^= byte(i*7 + 3)
	}
	for _, test := range []struct {
		name, path string
		want       error
		text       string
	}{
		{"directory", dir, columnvault.ErrNotVault, "directory"},
		{"text", write("text.db", []byte(strings.Repeat("not a database\n", 100))), columnvault.ErrNotVault, "not a SQLite database"},
		{"one byte", write("one.db", []byte("x")), columnvault.ErrNotVault, "not a SQLite database"},
		{"encrypted", write("encrypted.db", encrypted), columnvault.ErrNotVault, "encrypted"},
		{"truncated", write("truncated.db", whole[:len(whole)/2]), columnvault.ErrCorrupt, "truncated"},
		{"header only", write("header.db", whole[:60]), columnvault.ErrCorrupt, "header"},
		{"no folder", filepath.Join(dir, "no", "such", "folder.db"), columnvault.ErrUnavailable, ""},
		{"memory", ":memory:", columnvault.ErrInvalidArgument, "file"},
		{"empty path", "", columnvault.ErrInvalidArgument, "file"},
	} {
		for _, readOnly := range []bool{false, true} {
			before, _ := os.ReadFile(test.path)
			_, err := columnvault.Open(test.path, &columnvault.Options{ReadOnly: readOnly})
			want := test.want
			if test.name == "no folder" && readOnly {
				want = columnvault.ErrNotFound
			}
			wantErr(t, test.name, err, want)
			if err != nil && !strings.Contains(err.Error(), test.text) {
				t.Errorf("%s: the error %q does not say %q", test.name, err, test.text)
			}
			if after, _ := os.ReadFile(test.path); !bytes.Equal(before, after) {
				t.Errorf("%s: the file was changed", test.name)
			}
		}
	}
}
