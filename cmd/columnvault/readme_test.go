package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReadmeDemo: the commands that README.md begins with print what it shows.
func TestReadmeDemo(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	db := filepath.Join(t.TempDir(), "weather.db")
	for _, args := range [][]string{
		{"import", db, "../../testdata/nyc-weather.csv.gz"},
		{"sql", db, "SELECT time_hour, origin, wind_speed FROM columns WHERE wind_speed > 45", "--format", "table"},
	} {
		if command := strings.NewReplacer(db, "weather.db", "../../", "", "SELECT", `"SELECT`, " --format table", `"`).Replace(strings.Join(args, " ")); !strings.Contains(string(readme), command) {
			t.Errorf("README.md does not show the command %s", command)
		}
		var out, log bytes.Buffer
		if code := run(context.Background(), args, strings.NewReader(""), &out, &log); code != exitOK {
			t.Fatalf("%v: exit code %d, %s", args, code, log.String())
		}
		if !strings.Contains(string(readme), "```text\n"+out.String()+"```\n") {
			t.Errorf("README.md does not show what %s prints:\n%s", args[0], out.String())
		}
	}
}
