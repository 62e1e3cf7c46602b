package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"columnvault/internal/vaulttest"
	"columnvault/internal/vaulttest/pgserver"
)

// TestServer has a vault on a server in the place of a file.
func TestServer(t *testing.T) {
	dsn := pgserver.DSN(t)
	csv, err := filepath.Abs("../../testdata/seattle-weather.csv")
	vaulttest.Must(t, err)
	t.Chdir(t.TempDir())
	contains := func(want string, args ...string) {
		t.Helper()
		if got := columnvaultCommand(t, args...); !strings.Contains(got, want) {
			t.Errorf("%q prints %q, without %q", args, got, want)
		}
	}
	columnvaultCommand(t, "import", dsn, csv, "--home", "7")
	contains("temp_max", "ls", dsn)
	contains(`"home":7}`, "ls", dsn, "--json")
	contains("1461", "sql", dsn, "SELECT count(*) FROM columns")
	columnvaultCommand(t, "append", dsn, "wind", "2.5")
	contains("2.5\n", "get", dsn, "wind", "-1")
	contains("wind", "stat", dsn)
	contains(`"bytes":0`, "stat", dsn, "--json")
	contains("sound", "check", dsn, "--full")
	vaulttest.Must(t, os.WriteFile("large", make([]byte, 1<<20), 0o644))
	columnvaultCommand(t, "kv", "put", dsn, "key", "--file", "large")
	columnvaultCommand(t, "kv", "cat", dsn, "key", "--out", "again")
	again, err := os.ReadFile("again")
	if err != nil || len(again) != 1<<20 {
		t.Errorf("%d bytes of a value of 1 MiB, %v", len(again), err)
	}
	contains("verified", "copy", dsn, "back.db", "--verify")
	contains(`"kept":6`, "copy", "back.db", dsn, "--verify", "--json")
	columnvaultCommand(t, "export", "back.db", "--out", "file.csv", "wind")
	columnvaultCommand(t, "export", dsn, "--out", "server.csv", "wind")
	a, errA := os.ReadFile("file.csv")
	b, errB := os.ReadFile("server.csv")
	if errA != nil || errB != nil || string(a) != string(b) || len(a) == 0 {
		t.Errorf("exports of %d and %d bytes differ, %v, %v", len(a), len(b), errA, errB)
	}
}
