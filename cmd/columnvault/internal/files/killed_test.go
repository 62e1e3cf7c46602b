package files

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const (
	partSize = 1 << 20
	// folderKey is the variable that has a process of these tests make a folder.
	folderKey = "COLUMNVAULT_TEST_FOLDER"
)

// TestKilledFolder kills processes that make a folder of files, each after as
// many bytes as chance has it. What has a final name then must be whole.
func TestKilledFolder(t *testing.T) {
	if path := os.Getenv(folderKey); path != "" {
		makeFolder(t, path)
		return
	}
	finished := 0
	for run := range 12 {
		path := filepath.Join(t.TempDir(), "folder")
		killed(t, "TestKilledFolder", path, 3+7*run) // a line for each 64 KiB
		entries, err := os.ReadDir(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), ".") {
				continue
			}
			finished++
			data, err := os.ReadFile(filepath.Join(path, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			if len(data) != partSize || bytes.Count(data, []byte{'x'}) != partSize {
				t.Errorf("run %d: %s has %d bytes of %d", run, e.Name(), len(data), partSize)
			}
		}
		// The next to make the folder removes all that, and nothing else.
		err = Folder(path, "part-%05d", func(create CreatePart) error {
			w, done, err := create(0)
			if err != nil {
				return err
			}
			_, err = w.WriteString("new")
			return errors.Join(err, done())
		})
		if got := list(t, path); err != nil || len(got) != 1 || got[0] != "part-00000" {
			t.Errorf("run %d: made again, %v, the folder has %q", run, err, got)
		}
	}
	if finished == 0 {
		t.Error("no process has finished a file before it was killed")
	}
}

// makeFolder makes files for as long as the process lives, and says so.
// TestKilledReplace kills a process that replaces a file: the file stays as it is,
// and the next to replace it removes what that process has left.
func TestKilledReplace(t *testing.T) {
	if path := os.Getenv(folderKey); path != "" {
		t.Fatal(Replace(path, func(w *bufio.Writer) error {
			for {
				if _, err := w.Write(bytes.Repeat([]byte{'x'}, partSize)); err != nil {
					return err
				}
				if _, err := fmt.Println("written"); err != nil {
					return err
				}
			}
		}))
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	text := []byte("old")
	if err := os.WriteFile(path, text, 0o666); err != nil {
		t.Fatal(err)
	}
	killed(t, "TestKilledReplace", path, 3)
	if got := list(t, dir); len(got) != 2 {
		t.Errorf("a process that was killed leaves %q", got)
	}
	for _, next := range []string{"new", "newer"} {
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, text) {
			t.Errorf("the file has %q, %v, want %q", got, err, text)
		}
		text = []byte(next)
		if err := Replace(path, func(w *bufio.Writer) error { _, err := w.Write(text); return err }); err != nil {
			t.Fatal(err)
		}
		if got := list(t, dir); len(got) != 1 {
			t.Errorf("the folder has %q", got)
		}
	}
}

// killed starts a test in a process of its own, and kills that after some lines.
func killed(t *testing.T, test, path string, after int) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^"+test+"$")
	cmd.Env = append(os.Environ(), folderKey+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for n := 0; n < after && lines.Scan(); n++ {
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() { // it is not gone before its pipe is closed
	}
	_ = cmd.Wait()
}

// list is what a folder holds.
func list(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func makeFolder(t *testing.T, path string) {
	err := Folder(path, "part-%05d", func(create CreatePart) error {
		for number := 0; ; number++ {
			w, done, err := create(number)
			if err != nil {
				return err
			}
			for range partSize / (64 << 10) {
				if _, err := w.Write(bytes.Repeat([]byte{'x'}, 64<<10)); err != nil {
					return err
				}
				if _, err := fmt.Println("written"); err != nil {
					return err
				}
			}
			if err := done(); err != nil {
				return err
			}
		}
	})
	t.Fatal(err)
}
