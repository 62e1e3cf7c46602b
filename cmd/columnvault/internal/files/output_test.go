package files

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestReplace checks that a file is replaced whole or not at all.
func TestReplace(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	write := func(text string, err error) func(*bufio.Writer) error {
		return func(w *bufio.Writer) error {
			_, _ = w.WriteString(text)
			return err
		}
	}
	check := func(want string) {
		t.Helper()
		got, err := os.ReadFile(path)
		if err != nil || string(got) != want {
			t.Errorf("the file holds %q, want %q (%v)", got, want, err)
		}
	}
	if err := Replace(path, write("first", nil)); err != nil {
		t.Fatal(err)
	}
	check("first")
	broken := errors.New("broken")
	if err := Replace(path, write("half", broken)); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	check("first")
	if err := os.Symlink("file", link); err == nil { // not everybody may on Windows
		if err := Replace(link, write("second", nil)); err != nil {
			t.Fatal(err)
		}
		check("second")
		if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
			t.Errorf("the link is none any more: %v, %v", info, err)
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if err := Replace(os.DevNull, write("third", nil)); err != nil {
		t.Error(err)
	}
}
