package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/dtype"
)

// columnvaultCommand runs a command line that must succeed, and returns its
// output.
func columnvaultCommand(t *testing.T, args ...string) string {
	t.Helper()
	var out, err bytes.Buffer
	if code := run(t.Context(), args, strings.NewReader(""), &out, &err); code != exitOK {
		t.Fatalf("%v: exit code %d: %s", args, code, err.String())
	}
	return out.String()
}

// TestScreen checks that the help without a command fits a screen, and leaves
// out no command.
func TestScreen(t *testing.T) {
	var lines []string
	for line := range strings.Lines(columnvaultCommand(t)) {
		if lines = append(lines, line); len(line) > 80 {
			t.Errorf("longer than 80 characters: %s", line)
		}
	}
	if len(lines) >= 24 { // the prompt takes one
		t.Errorf("%d lines", len(lines))
	}
	if last := lines[len(lines)-1]; !strings.HasPrefix(last, "  columnvault ") {
		t.Errorf("the last line is no example: %s", last)
	}
	root := newRootCommand(newApp(nil, io.Discard, io.Discard))
	for _, cmd := range root.Commands() {
		if !slices.ContainsFunc(lines, func(line string) bool { return slices.Contains(commandNames(line), cmd.Name()) }) {
			t.Errorf("%s is missing", cmd.Name())
		}
	}
}

// commandNames are the words that stand in the first column of a line.
func commandNames(line string) []string {
	line, _, _ = strings.Cut(strings.TrimPrefix(line, "  "), "  ")
	return strings.Fields(strings.ReplaceAll(line, ",", ""))
}

// quoted is an argument in quotes.
var quoted = regexp.MustCompile(`"[^"]*"|'[^']*'`)

// TestHelp checks that every command says what it does, with examples that its
// own flags and arguments allow.
func TestHelp(t *testing.T) {
	root := newRootCommand(newApp(nil, io.Discard, io.Discard))
	commands := root.Commands()
	for _, group := range commands {
		commands = append(commands, group.Commands()...)
	}
	for _, cmd := range commands {
		t.Run(cmd.CommandPath(), func(t *testing.T) {
			if cmd.Short == "" || cmd.Example == "" {
				t.Fatal("the help has no example, or no summary")
			}
			for line := range strings.Lines(cmd.Example) {
				_, line, ok := strings.Cut(line, "columnvault ")
				if !ok {
					t.Errorf("the example %q does not show the command", line)
				}
				line = quoted.ReplaceAllString(line, "quoted") // one argument, whatever is in it
				if end := strings.IndexAny(line, "|>)"); end >= 0 {
					line = line[:end]
				}
				found, args, err := root.Find(flagsFirst(root, strings.Fields(line)))
				if err != nil || found != cmd && found.Parent() != cmd {
					t.Errorf("the example %q is one of %v (%v)", line, found, err)
				}
				if err := found.ParseFlags(args); err != nil {
					t.Errorf("the example %q: %v", line, err)
				}
				if err := found.ValidateArgs(found.Flags().Args()); err != nil {
					t.Errorf("the example %q: %v", line, err)
				}
			}
		})
	}
}

// TestJSONFields checks that the help of each command with --json names the
// fields that it prints.
func TestJSONFields(t *testing.T) {
	csv, err := filepath.Abs("../../testdata/seattle-weather.csv")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	db := "a.db"
	columnvaultCommand(t, "import", db, csv)
	columnvaultCommand(t, "kv", "put", db, "key", "value")
	root := newRootCommand(newApp(nil, io.Discard, io.Discard))
	commands := root.Commands()
	for _, group := range commands {
		commands = append(commands, group.Commands()...)
	}
	for _, cmd := range commands {
		rows := []string{"head", "tail", "slice", "import"} // whose fields are the columns, or which takes a file
		if cmd.Flags().Lookup("json") == nil || slices.Contains(rows, cmd.Name()) {
			continue
		}
		for _, args := range [][]string{{db, "--json"}, {db, "temp_max", "--json"}} {
			args = append(strings.Fields(cmd.CommandPath())[1:], args...)
			if found, rest, err := root.Find(args); err != nil || found.ValidateArgs(rest[:len(rest)-1]) != nil {
				continue // it takes no column
			}
			output := columnvaultCommand(t, args...)
			os.Remove("temp_max") // backup and salvage make a file of the name
			for line := range strings.Lines(output) {
				var fields map[string]any
				if err := json.Unmarshal([]byte(line), &fields); err != nil {
					t.Fatalf("%v: %v", args, err)
				}
				for name := range fields {
					if !regexp.MustCompile(`\b` + name + `\b`).MatchString(cmd.Long) {
						t.Errorf("%v: the help does not mention %s", args, name)
					}
				}
			}
		}
	}
}

func TestFlagsFirst(t *testing.T) {
	root := newRootCommand(newApp(nil, io.Discard, io.Discard))
	for line, want := range map[string]string{
		"get a.db x -1":                                    "get -- a.db x -1",
		"append a.db x -1 -2.5 -.5 -1e5":                   "append -- a.db x -1 -2.5 -.5 -1e5",
		"append a.db x -Infinity":                          "append -- a.db x -Infinity",
		"slice a.db x -5: --help":                          "slice --help -- a.db x -5:",
		"append a.db x -- --help":                          "append -- a.db x --help",
		"append a.db x -- -1 -- -2":                        "append -- a.db x -1 -- -2",
		"stat --json a.db -1":                              "stat --json -- a.db -1",
		"create a.db x i64 --min-chunk -5 --max-chunk=7 y": "create --min-chunk -5 --max-chunk=7 -- a.db x i64 y",
		"export a.db --out - x":                            "export --out - -- a.db x",
		"import a.db - --na x=-1 --append --format csv":    "import --na x=-1 --append --format csv -- a.db -",
		"kv put a.db x -1 --table t":                       "kv put --table t -- a.db x -1",
		"kv --table t cat --range -5: a.db -1":             "kv cat --table t --range -5: -- a.db -1",
		"kv nonsense -1":                                   "kv -- nonsense -1",
		"--help":                                           "--help",
		"help get":                                         "help get",
		"nonsense -1":                                      "nonsense -1",
		"get --bogus":                                      "get --bogus --",
	} {
		if got := strings.Join(flagsFirst(root, strings.Fields(line)), " "); got != want {
			t.Errorf("%s: got %s, want %s", line, got, want)
		}
	}
}

func TestCheckArgs(t *testing.T) {
	for _, c := range []struct{ use, args, want string }{
		{"do DB NAME", "a b", ""},
		{"do DB NAME", "a", "NAME is missing"},
		{"do DB NAME", "a b c d", `unexpected argument "c"`},
		{"do DB [NAME] [--json]", "a", ""},
		{"do DB [NAME] [--json]", "a b", ""},
		{"do DB [NAME] [--json]", "a b c", `unexpected argument "c"`},
		{"do DB VALUE...", "a", "VALUE is missing"},
		{"do DB VALUE...", "a b c d", ""},
		{"do DB [VALUE...]", "a", ""},
		{"do DB [VALUE...]", "a b c d", ""},
		{"do", "a", `unexpected argument "a"`},
	} {
		err := checkArgs(&cobra.Command{Use: c.use}, strings.Fields(c.args))
		if got := errorText(err); got != c.want {
			t.Errorf("%s with %s: got %q, want %q", c.use, c.args, got, c.want)
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestBrokenPipe checks that output which nobody reads any more is no error.
func TestBrokenPipe(t *testing.T) {
	db := filepath.Join(t.TempDir(), "a.db")
	columnvaultCommand(t, "import", db, "../../testdata/seattle-weather.csv")
	columnvaultCommand(t, "kv", "put", db, "file", "--file", "../../testdata/seattle-weather.csv")
	for _, args := range [][]string{{"slice", db, "date"}, {"export", db}, {"ls", db}, {"stat", db},
		{"kv", "cat", db, "file"}, {"kv", "ls", db}, {"check", db}} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		var stderr bytes.Buffer
		if code := run(t.Context(), args, nil, w, &stderr); code != exitOK || stderr.Len() > 0 {
			t.Errorf("%v: exit code %d: %s", args, code, stderr.String())
		}
		w.Close()
	}
}

// fullDisk is an output that cannot be written to.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestOutputError(t *testing.T) {
	db := filepath.Join(t.TempDir(), "a.db")
	columnvaultCommand(t, "create", db, "x", "i64")
	var stderr bytes.Buffer
	if code := run(t.Context(), []string{"ls", db}, nil, fullDisk{}, &stderr); code != exitError {
		t.Errorf("exit code %d: %s", code, stderr.String())
	}
}

// TestSlowPipe checks that values which come slowly are in the vault before
// the next ones come.
func TestSlowPipe(t *testing.T) {
	db := filepath.Join(t.TempDir(), "a.db")
	columnvaultCommand(t, "create", db, "x", "i64")
	v, err := columnvault.Open(t.Context(), db, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	col, err := columnvault.Lookup(t.Context(), v, "x", dtype.Int64)
	if err != nil {
		t.Fatal(err)
	}

	in, feed := io.Pipe()
	ended := make(chan int)
	go func() { ended <- run(t.Context(), []string{"append", db, "x"}, in, io.Discard, io.Discard) }()
	for i, lines := range []string{"1\n", "2\n3\n4", "5\n6\n"} {
		if _, err := io.WriteString(feed, lines); err != nil {
			t.Fatal(err)
		}
		want := []int{1, 3, 5}[i]
		for start := time.Now(); ; time.Sleep(time.Millisecond) {
			n, err := col.Len(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if n == want {
				break
			}
			if time.Since(start) > 10*time.Second {
				t.Fatalf("there are %d values, want %d", n, want)
			}
		}
	}
	feed.Close()
	if code := <-ended; code != exitOK {
		t.Errorf("exit code %d", code)
	}
	got, err := col.Slice(t.Context(), columnvault.Begin, columnvault.End)
	if err != nil || !slices.Equal(got, []int64{1, 2, 3, 45, 6}) {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestInterrupt ends commands that wait for standard input.
func TestInterrupt(t *testing.T) {
	db := filepath.Join(t.TempDir(), "a.db")
	columnvaultCommand(t, "create", db, "x", "i64")
	for _, args := range [][]string{{"append", db, "x"}, {"import", db, "-", "--format", "csv"}, {"kv", "put", db, "x"}} {
		ctx, cancel := context.WithCancel(t.Context())
		in, feed := io.Pipe()
		var stderr bytes.Buffer
		ended := make(chan int)
		go func() { ended <- run(ctx, args, in, io.Discard, &stderr) }()
		if _, err := io.WriteString(feed, "1\n"); err != nil {
			t.Fatal(err)
		}
		cancel()
		if code := <-ended; code != exitInterrupted || stderr.String() != "columnvault: interrupted\n" {
			t.Errorf("%v: exit code %d: %s", args, code, stderr.String())
		}
		feed.Close()
	}
}

// TestLongSlice prints more than one block of elements, of sizes that change.
func TestLongSlice(t *testing.T) {
	db := filepath.Join(t.TempDir(), "a.db")
	columnvaultCommand(t, "create", db, "x", "str")
	v, err := columnvault.Open(t.Context(), db, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	col, err := columnvault.Lookup(t.Context(), v, "x", dtype.String)
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	var forwards, backwards strings.Builder
	for i := range 3000 {
		values = append(values, strings.Repeat("x", i*i%5000))
	}
	for i := range values {
		forwards.WriteString(`"` + values[i] + "\"\n")
		backwards.WriteString(`"` + values[len(values)-1-i] + "\"\n")
	}
	if err := col.Append(t.Context(), values...); err != nil {
		t.Fatal(err)
	}
	if columnvaultCommand(t, "slice", db, "x") != forwards.String() {
		t.Error("forwards the values differ")
	}
	if columnvaultCommand(t, "slice", db, "x", "::-1") != backwards.String() {
		t.Error("backwards the values differ")
	}
}
