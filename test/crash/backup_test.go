package crash

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"columnvault"
)

// acknowledged follows the output of a recorder.
func acknowledged(out *bufio.Scanner) (count *atomic.Int64, ended <-chan struct{}) {
	count = &atomic.Int64{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for out.Scan() {
			n, _ := strconv.ParseInt(out.Text(), 10, 64)
			count.Store(n)
		}
	}()
	return count, done
}

// TestBackupBesideProcess makes backups while another process writes without a
// pause. Each has what was acknowledged before it began, and no half of
// anything.
func TestBackupBesideProcess(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	path := filepath.Join(dir, "test.db")
	cmd, out := start(t, "record", path, "1")
	count, ended := acknowledged(out)
	defer cmd.Wait()
	defer cmd.Process.Kill()
	for count.Load() < 500 {
		time.Sleep(time.Millisecond)
	}
	v, err := columnvault.Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	for i := range 12 {
		before := count.Load()
		copied := filepath.Join(dir, fmt.Sprint("copy", i))
		pause := func(int64, int64) { // until the other has written
			for now := count.Load(); count.Load() == now; time.Sleep(100 * time.Microsecond) {
				select {
				case <-ended:
					t.Fatal("the writer has ended by itself")
				default:
				}
			}
		}
		if err := v.Backup(ctx, copied, columnvault.BackupOptions{Progress: pause}); err != nil {
			t.Fatal(err)
		}
		checkRecords(ctx, t, copied, int(before))
	}
}

// backup makes backups without end, and prints a line for each.
func backup(ctx context.Context, args []string) error {
	v, err := columnvault.Open(args[0], nil)
	if err != nil {
		return err
	}
	for {
		if err := v.Backup(ctx, args[1], columnvault.BackupOptions{Replace: true}); err != nil {
			return err
		}
		fmt.Println("done")
	}
}

// TestKilledBackup kills a process that makes backups, at moments of chance.
// Under the name of the copy there is a whole one, or none at all.
func TestKilledBackup(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	path := filepath.Join(dir, "test.db")
	r, err := openRecords(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.v.Close()
	if err := r.add(ctx, 0, 3000, 0); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(5, 6))
	copied := filepath.Join(dir, "copies", "copy.db")
	if err := os.Mkdir(filepath.Dir(copied), 0o777); err != nil {
		t.Fatal(err)
	}
	for run := range 30 {
		cmd, out := start(t, "backup", path, copied)
		if run%3 > 0 && !out.Scan() {
			cmd.Wait()
			t.Fatal("the process has ended by itself")
		}
		time.Sleep(time.Duration(random.IntN(20_000)) * time.Microsecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		cmd.Wait()
		if _, err := os.Stat(copied); err == nil {
			checkRecords(ctx, t, copied, 3000)
		} else if run%3 > 0 || !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		if err := os.RemoveAll(copied); err != nil {
			t.Fatal(err)
		}
	}
}
