package files

import (
	"bufio"
	"bytes"
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
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledFolder$")
		cmd.Env = append(os.Environ(), folderKey+"="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; n < 3+7*run && lines.Scan(); n++ { // one for each 64 KiB
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() { // it is not gone before its pipe is closed
		}
		_ = cmd.Wait()
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
	}
	if finished == 0 {
		t.Error("no process has finished a file before it was killed")
	}
}

// makeFolder makes files for as long as the process lives, and says so.
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
