package feed_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"columnvault"
	"columnvault/dtype"
	"columnvault/feed"
	"columnvault/internal/vaulttest"
)

// The variables that make the test binary the process that TestKill kills.
const victimDB, victimDir = "COLUMNVAULT_FEED_VICTIM_DB", "COLUMNVAULT_FEED_VICTIM_DIR"

func TestMain(m *testing.M) {
	if path := os.Getenv(victimDB); path != "" {
		fmt.Fprintln(os.Stderr, victim(context.Background(), path, os.Getenv(victimDir)))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// victim appends rows and feeds them, again and again.
func victim(ctx context.Context, path, dir string) error {
	v, err := columnvault.Open(ctx, path, nil)
	if err != nil {
		return err
	}
	n, err := columnvault.Lookup(ctx, v, "n", dtype.Int64)
	if err != nil {
		return err
	}
	rows, err := n.Len(ctx)
	if err != nil {
		return err
	}
	for {
		rows += 3000
		err := countTo(ctx, v, rows)
		if err == nil {
			_, err = feed.Iceberg(ctx, v, nil, dir, &feed.Options{FileBytes: 8 << 10})
		}
		if err != nil {
			return err
		}
	}
}

// TestKill kills a process that feeds a table, at one file after another that it
// writes. Readers see a state that was committed, and the next run adds what is
// missing: nothing twice, nothing lost.
//
// Where a kill falls exactly depends on the machine; what must hold does not.
// COLUMNVAULT_FEED_KILLS is the number of kills.
func TestKill(t *testing.T) {
	kills := 10
	if n, err := strconv.Atoi(os.Getenv("COLUMNVAULT_FEED_KILLS")); err == nil {
		kills = n
	}
	folder := t.TempDir()
	path, dir := filepath.Join(folder, "test.db"), filepath.Join(folder, "table")
	v := vaulttest.OpenAt(t, path, nil)
	vaulttest.Create(t, v, "n", dtype.Int64)
	vaulttest.Create(t, v, "s", dtype.String)
	behind := 0
	for kill := range kills {
		before := len(tree(t, dir))
		cmd := exec.Command(os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), victimDB+"="+path, victimDir+"="+dir)
		vaulttest.Must(t, cmd.Start())
		files := 0
		for last := before; files <= kill%9; {
			if now := len(tree(t, dir)); now != last {
				last = now
				files++
			}
			if t.Context().Err() != nil {
				t.Fatal(cmd.Process.Kill())
			}
			time.Sleep(100 * time.Microsecond)
		}
		vaulttest.Must(t, cmd.Process.Kill())
		if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() == 1 {
			t.Fatalf("the process ends with %v", err)
		}

		rows, err := vaulttest.Lookup(t, v, "n", dtype.Int64).Len(t.Context())
		vaulttest.Must(t, err)
		if _, err := os.Stat(filepath.Join(dir, "metadata", "version-hint.text")); err == nil {
			seen, err := strconv.Atoi(load(t, dir).Properties()["columnvault.rows"])
			vaulttest.Must(t, err)
			wantNumbers(t, dir, seen)
			if seen < rows {
				behind++
			}
		}
		run(t, v, nil, dir, nil)
		wantNumbers(t, dir, rows)
	}
	t.Logf("%d kills, %d of them before the commit of all rows", kills, behind)
}
