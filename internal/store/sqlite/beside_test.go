package sqlite

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"columnvault/internal/store"
)

func skipOnWindows(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has other permissions and other names")
	}
}

// TestFilesBesideHaveThePermissionsOfTheVault: who may not read the vault may
// not read its log either.
func TestFilesBesideHaveThePermissionsOfTheVault(t *testing.T) {
	skipOnWindows(t)
	for _, perm := range []fs.FileMode{0o600, 0o640, 0o664} {
		path := filepath.Join(t.TempDir(), "vault.db")
		s, err := Open(t.Context(), path, Options{})
		check(t, err)
		check(t, s.Close())
		check(t, os.Chmod(path, perm))
		for _, opts := range []Options{{}, {ReadOnly: true}} {
			s, err := Open(t.Context(), path, opts)
			check(t, err)
			check(t, readRow(t.Context(), s))
			for _, suffix := range []string{"", "-wal", "-shm"} {
				info, err := os.Stat(path + suffix)
				check(t, err)
				if info.Mode().Perm() != perm {
					t.Errorf("a vault of %v has %s of %v", perm, suffix, info.Mode().Perm())
				}
			}
			check(t, s.Close())
		}
	}
}

// TestFilesOfAnEmptyFileWithPermissions: who creates an empty file first decides
// who may read the vault.
func TestFilesOfAnEmptyFileWithPermissions(t *testing.T) {
	skipOnWindows(t)
	path := filepath.Join(t.TempDir(), "vault.db")
	check(t, os.WriteFile(path, nil, 0o600))
	s := openStoreAt(t, path, Options{})
	check(t, appendRow(t.Context(), s, "a"))
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		check(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%q is of %v", suffix, info.Mode().Perm())
		}
	}
}

// TestNothingIsLeftBesideAForeignFile: Open refuses it and changes nothing.
func TestNothingIsLeftBesideAForeignFile(t *testing.T) {
	for _, journal := range []string{"wal", "delete"} {
		dir := t.TempDir()
		path := filepath.Join(dir, "foreign.db")
		changeFile(t, path, `PRAGMA journal_mode = `+journal, `CREATE TABLE t (a)`)
		before, err := os.ReadFile(path)
		check(t, err)
		if _, err := Open(t.Context(), path, Options{}); !errors.Is(err, store.ErrNotVault) {
			t.Errorf("%s: %v", journal, err)
		}
		after, err := os.ReadFile(path)
		check(t, err)
		entries, err := os.ReadDir(dir)
		check(t, err)
		if string(before) != string(after) || len(entries) != 1 {
			t.Errorf("%s: %d files are there, the same: %v", journal, len(entries), string(before) == string(after))
		}
	}
}

// TestOddPaths: each opens the file of exactly that name.
func TestOddPaths(t *testing.T) {
	skipOnWindows(t)
	dir := t.TempDir()
	t.Chdir(dir)
	for _, name := range []string{"a?b", "a#b", "a%b", "a%41b", "a&mode=ro", "a\nb", "file:a.db", "file:a.db?mode=ro", "file::memory:", "a b", "ä",
		"a\xffb", "'", `"`, "-", "a;b", "a:b", "~", "a\\b", "$HOME", " ", "a.db-wal", strings.Repeat("n", 247)} {
		s, err := Open(t.Context(), name, Options{})
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		check(t, appendRow(t.Context(), s, "a"))
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if _, err := os.Lstat(filepath.Join(dir, name+suffix)); err != nil {
				t.Errorf("%q: %v", name, err)
			}
		}
		check(t, s.Close())
		entries, err := os.ReadDir(dir)
		check(t, err)
		if len(entries) != 1 || entries[0].Name() != name {
			t.Errorf("%q: the directory has %v", name, entries)
		}
		check(t, os.Remove(name))
	}
}

// TestPathsThatAreNoVault: each is refused, with a kind, at once, and without
// anything being created.
func TestPathsThatAreNoVault(t *testing.T) {
	skipOnWindows(t)
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	check(t, os.Mkdir(at("directory"), 0o700))
	check(t, os.Symlink(at("nowhere"), at("dangling")))
	check(t, os.Symlink(at("circle"), at("circle")))
	check(t, mkfifo(at("pipe")))
	sound := func(name string) string {
		s, err := Open(t.Context(), at(name), Options{})
		check(t, err)
		check(t, s.Close())
		return at(name)
	}
	check(t, mkfifo(sound("pipe-log")+"-wal"))
	check(t, mkfifo(sound("pipe-index")+"-shm"))
	check(t, mkfifo(sound("pipe-journal")+"-journal"))
	check(t, os.Symlink(sound("other"), sound("link-log")+"-wal"))
	check(t, os.Mkdir(sound("directory-log")+"-wal", 0o700))
	for path, kind := range map[string]error{
		at("directory"):               store.ErrNotVault,
		at("pipe"):                    store.ErrNotVault,
		"/dev/null":                   store.ErrNotVault,
		at("dangling"):                store.ErrNotFound,
		at("circle"):                  store.ErrNotFound,
		at("a\x00b"):                  store.ErrInvalidArgument,
		at(strings.Repeat("n", 300)):  store.ErrUnavailable,
		at(strings.Repeat("n/", 600)): store.ErrInvalidArgument,
		at("no/such/directory"):       store.ErrUnavailable,
		at("pipe-log"):                store.ErrUnavailable,
		at("pipe-index"):              store.ErrUnavailable,
		at("pipe-journal"):            store.ErrUnavailable,
		at("link-log"):                store.ErrUnavailable,
		at("directory-log"):           store.ErrUnavailable,
	} {
		for _, readOnly := range []bool{false, true} {
			s, err := Open(t.Context(), path, Options{ReadOnly: readOnly})
			if err == nil {
				s.Close()
			}
			missing := readOnly && errors.Is(err, store.ErrNotFound)
			if !errors.Is(err, kind) && !missing || len(err.Error()) > 1500 {
				t.Errorf("%.80q, for reading: %v: %v", path, readOnly, err)
			}
		}
	}
	if _, err := os.Lstat(at("nowhere")); err == nil {
		t.Error("the file that a link leads to was created")
	}
}

// TestLinkToAVault: the log lies beside the file, and both names are one vault.
func TestLinkToAVault(t *testing.T) {
	skipOnWindows(t)
	dir := t.TempDir()
	s := openStoreAt(t, filepath.Join(dir, "real", "..", "vault.db"), Options{})
	check(t, os.Mkdir(filepath.Join(dir, "links"), 0o700))
	link := filepath.Join(dir, "links", "link.db")
	check(t, os.Symlink("../vault.db", link))
	other := openStoreAt(t, link, Options{})
	check(t, appendRow(t.Context(), s, "a"))
	check(t, appendRow(t.Context(), other, "b"))
	if _, err := os.Lstat(link + "-wal"); err == nil {
		t.Error("there is a log beside the link")
	}
}
