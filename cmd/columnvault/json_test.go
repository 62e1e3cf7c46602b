package main

import (
	"encoding/json"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"columnvault/internal/vaulttest"
)

// contracts reads docs/cli-json.md: the types of the fields of each command.
func contracts(t *testing.T) map[string]map[string]string {
	t.Helper()
	all := map[string]map[string]string{}
	row := regexp.MustCompile("^\\| `([^`]+)` \\| ([^|]+) \\|")
	command := ""
	for line := range strings.Lines(string(vaulttest.ReadFile(t, "docs", "cli-json.md"))) {
		if name, ok := strings.CutPrefix(line, "## "); ok {
			command = strings.TrimSpace(name)
			all[command] = map[string]string{}
		} else if m := row.FindStringSubmatch(line); m != nil {
			all[command][m[1]] = strings.TrimSpace(m[2])
		}
	}
	return all
}

// flatten calls fn for the fields of a value, by their paths.
func flatten(path string, value any, fn func(path string, value any)) {
	switch value := value.(type) {
	case map[string]any:
		for name, v := range value {
			at := strings.TrimPrefix(path+"."+name, ".")
			fn(at, v)
			flatten(at, v, fn)
		}
	case []any:
		for _, v := range value {
			flatten(path+"[]", v, fn)
		}
	}
}

// fits tells whether a value is of a type of docs/cli-json.md.
func fits(value any, is string) bool {
	is, _, _ = strings.Cut(is, ",")
	switch value := value.(type) {
	case nil:
		return is == "value" || is == "integer"
	case string:
		return is == "text" || is == "value"
	case bool:
		return is == "flag" || is == "value"
	case json.Number:
		return is == "number" || is == "value" || is == "integer" && !strings.ContainsAny(value.String(), ".eE")
	case []any:
		return is == "list" || is == "value"
	}
	return is == "object" || is == "value"
}

// TestJSONContract runs every command with --json and compares what it prints
// with docs/cli-json.md: fields that are not there, of another type, or that are
// not printed.
func TestJSONContract(t *testing.T) {
	csv, err := filepath.Abs("../../testdata/seattle-weather.csv")
	vaulttest.Must(t, err)
	gaps, err := filepath.Abs("../../testdata/nyc-weather.csv.gz")
	vaulttest.Must(t, err)
	layout1 := vaulttest.CopyGolden(t, "v1", "tensors.db")
	broken := vaulttest.CopyGolden(t, "v1", "many.db")
	vaulttest.ExecSQL(t, broken, `UPDATE kvault_col_blocks SET used_bytes = 1`)
	documented := contracts(t)
	t.Chdir(t.TempDir())
	columnvaultCommand(t, "import", "a.db", csv)
	columnvaultCommand(t, "kv", "put", "a.db", "key", "value")
	columnvaultCommand(t, "retype", "a.db", "temp_max", "null")
	columnvaultCommand(t, "append", "a.db", "temp_max", "null")
	vaulttest.ExecSQL(t, "a.db", `PRAGMA foreign_keys = OFF`, `INSERT INTO col_chunks (col_id, chunk_idx, data, actual_size) VALUES (77, 0, zeroblob(8), 8)`)
	seen := map[string]map[string]bool{}
	look := func(command string, run func(args ...string) string, args ...string) {
		t.Helper()
		fields := documented[command]
		if fields == nil {
			t.Errorf("docs/cli-json.md has no section %q", command)
			return
		}
		if seen[command] == nil {
			seen[command] = map[string]bool{}
		}
		output := run(append(append(strings.Fields(command), args...), "--json")...)
		if output == "" {
			t.Errorf("%s %q prints nothing", command, args)
		}
		for line := range strings.Lines(output) {
			var value any
			d := json.NewDecoder(strings.NewReader(line))
			d.UseNumber()
			vaulttest.Must(t, d.Decode(&value))
			found := map[string]bool{}
			flatten("", value, func(path string, value any) {
				base, rest, _ := strings.Cut(path, "[]")
				if rest != "" && fields[path] == "" && (base == "left" || base == "columns" || base == "columns[].missing") || strings.Contains(path, "missing[]") {
					return // objects that are described elsewhere
				}
				parent, _, _ := strings.Cut(path, ".")
				if strings.HasPrefix(fields[parent], "value") && parent != path {
					return // a value that is an object
				}
				switch is := fields[path]; {
				case is == "":
					t.Errorf("%s %q prints %s, which docs/cli-json.md does not name", command, args, path)
				case !fits(value, is):
					t.Errorf("%s %q prints %s as %v, and the text says %s", command, args, path, value, is)
				}
				found[path], seen[command][path] = true, true
			})
			for path, is := range fields {
				if !strings.Contains(is, "opt") && !strings.Contains(path, "[]") && !found[path] {
					t.Errorf("%s %q does not print %s", command, args, path)
				}
			}
		}
	}
	ok := func(args ...string) string { return columnvaultCommand(t, args...) }
	fails := func(args ...string) string {
		var out strings.Builder
		if code := run(t.Context(), args, strings.NewReader(""), &out, io.Discard); code != exitError {
			t.Errorf("%q: exit code %d", args, code)
		}
		return out.String()
	}
	look("ls", ok, "a.db")
	look("ls", ok, layout1)
	look("describe", ok, "a.db")
	look("plot", ok, "a.db", "wind")
	columnvaultCommand(t, "create", "t.db", "at", "i64", "time=us")
	columnvaultCommand(t, "create", "t.db", "n", "f64")
	for _, day := range []string{"2026-07-30", "2026-07-31"} {
		columnvaultCommand(t, "append", "t.db", "at", day+"T12:00:00Z")
		columnvaultCommand(t, "append", "t.db", "n", "1.5")
	}
	look("plot", ok, "t.db", "n", "--by", "at")
	look("stat", ok, "a.db")
	look("stat", ok, "a.db", "temp_max")
	look("import", ok, "i.db", csv)
	look("import", ok, "g.db", gaps)
	look("kv ls", ok, "a.db")
	look("checkpoint", ok, "a.db")
	look("backup", ok, "a.db", "b.db")
	look("copy", ok, "a.db", "copied.db", "--verify")
	look("check", fails, "a.db", "--digest")
	look("check", fails, broken)
	look("salvage", fails, "b.db", "c.db")
	look("repair", ok, "a.db", "--yes")
	look("compact", ok, "a.db")
	look("migrate", ok, layout1, "v i8", "--keep")
	look("ls", ok, layout1)

	for command, fields := range documented {
		for path := range fields {
			if !seen[command][path] && !slices.Contains(rare, command+" "+path) {
				t.Errorf("docs/cli-json.md: %s never prints %s here", command, path)
			}
		}
	}
	root := newRootCommand(newApp(nil, io.Discard, io.Discard))
	commands := root.Commands()
	for _, group := range commands {
		commands = append(commands, group.Commands()...)
	}
	for _, cmd := range commands {
		_, name, _ := strings.Cut(cmd.CommandPath(), " ")
		if rows := []string{"head", "tail", "slice"}; cmd.Flags().Lookup("json") != nil && documented[name] == nil && !slices.Contains(rows, name) {
			t.Errorf("docs/cli-json.md has no section %q; it has %q", name, slices.Sorted(maps.Keys(documented)))
		}
	}
	os.Remove("b.db")
}

// rare are fields that only damage of kinds that are not made here brings about, or
// a server.
var rare = []string{
	"ls home",
	"repair steps[].column", "repair steps[].index", "repair steps[].loss",
	"salvage columns[].saved", "salvage columns[].remark", "salvage tables[].saved",
}
