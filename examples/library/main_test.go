package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"columnvault"
)

// runProgram runs the program and returns what it prints.
func runProgram(t *testing.T, args ...string) string {
	t.Helper()
	var out strings.Builder
	if err := run(t.Context(), &out, args); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// writeFiles makes files below a folder, all modified at the same second.
func writeFiles(t *testing.T, folder string, modified int64, files map[string]string) {
	t.Helper()
	for path, content := range files {
		path = filepath.Join(folder, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Time{}, time.Unix(modified, 0)); err != nil {
			t.Fatal(err)
		}
	}
}

func wantOutput(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("the program printed\n%s\nand not\n%s", got, want)
	}
}

func TestLibrary(t *testing.T) {
	folder, vault := t.TempDir(), filepath.Join(t.TempDir(), "library.db")
	writeFiles(t, folder, 1_700_000_000, map[string]string{
		"a.go":         "package a\n",
		"sub/b.go":     "package sub\n\nvar B = 1\n",
		"sub/deep/c":   "",
		"sub/notes.md": strings.Repeat("0123456789", 50_000),
	})
	const listing = `files      bytes  kind
    1     500000  .md
    2         33  .go
    1          0  none

     bytes  the largest files
    500000  sub/notes.md
        23  sub/b.go
        10  a.go
         0  sub/deep/c
`
	wantOutput(t, runProgram(t, vault, folder), "4 files added, 0 changed, 0 as before; 500033 bytes written\n\n"+listing)
	wantOutput(t, runProgram(t, vault), listing)
	wantOutput(t, runProgram(t, vault, "sub/notes.md", "123456", "12"), "678901234567")
	wantOutput(t, runProgram(t, vault, "sub/notes.md", "499998", "12"), "89")
	wantOutput(t, runProgram(t, vault, folder), "0 files added, 0 changed, 4 as before; 0 bytes written\n\n"+listing)

	writeFiles(t, folder, 1_700_000_001, map[string]string{"a.go": "package other\n", "new.go": "package a\n"})
	if got, want := runProgram(t, vault, folder), "1 files added, 1 changed, 3 as before; 24 bytes written\n"; !strings.HasPrefix(got, want) {
		t.Errorf("a run after changes printed\n%s\nand not first\n%s", got, want)
	}
	wantOutput(t, runProgram(t, vault, "a.go", "0", "100"), "package other\n")
	checkVault(t, vault, folder, "a.go", "sub/b.go", "sub/deep/c", "sub/notes.md", "new.go")
}

// checkVault compares every row and value with the files that it should be of.
func checkVault(t *testing.T, vault, folder string, paths ...string) {
	t.Helper()
	ctx := t.Context()
	v, err := columnvault.Open(t.Context(), vault, &columnvault.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	l, err := openLibrary(ctx, v)
	if err != nil {
		t.Fatal(err)
	}
	known, err := l.known(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if len(known) != len(paths) {
		t.Errorf("the vault knows %v", known)
	}
	for row, path := range paths {
		disk := filepath.Join(folder, filepath.FromSlash(path))
		want, err := os.ReadFile(disk)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(disk)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := known[path], (file{size: info.Size(), modified: info.ModTime().Unix(), row: row}); got != want {
			t.Errorf("%s: the columns say %+v, want %+v", path, got, want)
		}
		got, err := l.content.Get(ctx, columnvault.Key(path))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: other bytes are stored, %v", path, err)
		}
		digest, err := l.digest.At(ctx, row)
		if sum := sha256.Sum256(want); err != nil || !bytes.Equal(digest, sum[:]) {
			t.Errorf("%s: the digest is %x, want %x; %v", path, digest, sum, err)
		}
	}
}

// TestGroups has more files than one transaction takes.
func TestGroups(t *testing.T) {
	folder, vault := t.TempDir(), filepath.Join(t.TempDir(), "library.db")
	files := map[string]string{}
	for i := range groupFiles + 10 {
		files["f"+strings.Repeat("x", i/26)+string(rune('a'+i%26))] = strings.Repeat("y", i)
	}
	writeFiles(t, folder, 1_700_000_000, files)
	runProgram(t, vault, folder)
	checkVault(t, vault, folder, slices.Sorted(maps.Keys(files))...)
}

// TestSkipped has a vault inside of the folder, and a symbolic link.
func TestSkipped(t *testing.T) {
	folder := t.TempDir()
	vault := filepath.Join(folder, "library.db")
	writeFiles(t, folder, 1_700_000_000, map[string]string{"a.go": "package a\n"})
	if err := os.Symlink("a.go", filepath.Join(folder, "link.go")); err != nil {
		t.Skip("this machine makes no symbolic links:", err)
	}
	runProgram(t, vault, folder)
	checkVault(t, vault, folder, "a.go")
}

func TestErrors(t *testing.T) {
	folder, vault := t.TempDir(), filepath.Join(t.TempDir(), "library.db")
	writeFiles(t, folder, 1_700_000_000, map[string]string{"a.go": "package a\n"})
	runProgram(t, vault, folder)
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{vault, "b.go", "0", "1"}, "b.go"},
		{[]string{vault, "a.go", "11", "1"}, "a.go: it has 10 bytes"},
		{[]string{vault, "a.go", "-1", "1"}, "a.go: it has 10 bytes"},
		{[]string{vault, "a.go", "x", "1"}, "argument FROM"},
		{[]string{vault, "a.go", "0", "x"}, "argument N"},
		{[]string{vault, filepath.Join(folder, "nothing")}, "nothing"},
		{[]string{vault, filepath.Join(folder, "a.go")}, "a.go"},
		{[]string{filepath.Join(folder, "nothing.db")}, "nothing.db"},
	} {
		if err := run(t.Context(), &strings.Builder{}, test.args); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: the error is %v and does not say %q", test.args[1:], err, test.want)
		}
	}
	if err := run(t.Context(), &strings.Builder{}, []string{vault, "b.go", "0", "1"}); !errors.Is(err, columnvault.ErrNotFound) {
		t.Errorf("an unknown path gives %v", err)
	}
	if err := run(t.Context(), &strings.Builder{}, nil); !errors.Is(err, errUsage) {
		t.Errorf("no arguments at all give %v", err)
	}
}
