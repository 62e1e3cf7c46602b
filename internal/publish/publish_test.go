package publish_test

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"columnvault/internal/publish"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// begin begins a file and writes something of it.
func begin(t testing.TB, path string) *publish.Work {
	t.Helper()
	w, err := publish.Begin(path)
	must(t, err)
	must(t, os.WriteFile(w.Path(), []byte("some"), 0o666))
	must(t, os.WriteFile(w.Path()+"-wal", []byte("log"), 0o666))
	return w
}

// list is what a folder holds.
func list(t testing.TB, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestPublish: a file gets its name with Rename, in place of another, or with
// Link, if there is none, and nothing else stays.
func TestPublish(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, strings.Repeat("n", 250))
	w := begin(t, path)
	must(t, w.Link())
	must(t, w.End())
	must(t, w.End())
	w = begin(t, path)
	if err := w.Link(); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a name that is taken: %v", err)
	}
	must(t, os.WriteFile(w.Path(), []byte("more"), 0o666))
	must(t, w.Rename())
	must(t, w.End())
	if got := list(t, dir); len(got) != 1 {
		t.Errorf("the folder has %q", got)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "more" {
		t.Errorf("the file has %q, %v", text, err)
	}
	if _, err := publish.Begin(filepath.Join(dir, "none", "x")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
}

// TestAlive: what others are making at the same moment, in this process or in
// another one, stays, however many they are.
func TestAlive(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	var works []*publish.Work
	for range 7 {
		works = append(works, begin(t, path))
	}
	p := start(t, path)
	last := begin(t, path)
	must(t, last.End())
	p.kill(t)
	for i, w := range works {
		must(t, os.WriteFile(w.Path(), fmt.Append(nil, i), 0o666))
		must(t, w.Rename())
		must(t, w.End())
		if text, err := os.ReadFile(path); err != nil || string(text) != fmt.Sprint(i) {
			t.Errorf("the file of %d has %q, %v", i, text, err)
		}
	}
}

// TestTogether: many begin at once, and each has a folder of its own to the end.
func TestTogether(t *testing.T) {
	dir := t.TempDir()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 40 {
				w, err := publish.Begin(filepath.Join(dir, "x"))
				if err == nil {
					err = os.WriteFile(w.Path(), fmt.Append(nil, i), 0o666)
				}
				if err == nil {
					var text []byte
					if text, err = os.ReadFile(w.Path()); string(text) != fmt.Sprint(i) {
						t.Errorf("%d has found %q", i, text)
					}
				}
				if err == nil {
					err = errors.Join(w.Rename(), w.End())
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	if got := list(t, dir); len(got) != 1 {
		t.Errorf("the folder has %q", got)
	}
}

// process is one that has begun a file.
type process struct{ *exec.Cmd }

const pathKey = "COLUMNVAULT_TEST_PUBLISH"

func start(t *testing.T, path string) process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), pathKey+"="+path)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	if !bufio.NewScanner(out).Scan() {
		t.Fatal("the process has ended by itself")
	}
	return process{cmd}
}

func (p process) kill(t *testing.T) {
	t.Helper()
	must(t, p.Process.Kill())
	p.Wait()
}

func TestMain(m *testing.M) {
	path := os.Getenv(pathKey)
	if path == "" {
		os.Exit(m.Run())
	}
	w, err := publish.Begin(path)
	if err == nil {
		err = errors.Join(os.WriteFile(w.Path(), []byte("half"), 0o666), os.Mkdir(w.In("more"), 0o777), os.WriteFile(w.In("more/x"), nil, 0o666), w.Note("one"), w.Note("two"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("begun")
	time.Sleep(time.Hour)
}

// TestKilled: what a process left that was killed goes with the next file of the
// same name, and the names that it noted are told.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	for n := 1; n <= 3; n++ {
		var all []process
		for range n {
			all = append(all, start(t, path))
		}
		if got := list(t, dir); len(got) != n {
			t.Fatalf("%d processes have %q", n, got)
		}
		for _, p := range all {
			p.kill(t)
		}
		other := begin(t, filepath.Join(dir, "y"))
		must(t, other.End())
		if got := list(t, dir); len(got) != n {
			t.Fatalf("a file of another name leaves %q of %d", got, n)
		}
		w := begin(t, path)
		if want := slices.Repeat([]string{"one", "two"}, n); !slices.Equal(w.Left(), want) {
			t.Errorf("%d processes have left %q", n, w.Left())
		}
		must(t, w.End())
		if got := list(t, dir); len(got) != 0 {
			t.Errorf("the folder has %q", got)
		}
	}
	// A process may also have ended between the first steps.
	w := begin(t, path)
	place := filepath.Dir(w.Path())
	must(t, w.End())
	must(t, os.Mkdir(place, 0o700))
	w = begin(t, path)
	if filepath.Dir(w.Path()) != place {
		t.Errorf("an empty folder is in the way")
	}
	must(t, w.End())
}
