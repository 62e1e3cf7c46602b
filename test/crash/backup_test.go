package crash

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"columnvault"
	"columnvault/internal/vaulttest"
)

// TestBackupBesideProcess makes backups while another process writes without a
// pause, and a third makes checkpoints of all kinds. Each has what was
// acknowledged before it began, and no half of anything.
func TestBackupBesideProcess(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "test.db")
	p := start(t, "record", path, "1", "own")
	defer p.kill(t)
	for p.said["records"] < 500 {
		if !p.hear() {
			t.Fatal("the writer has ended by itself")
		}
	}
	v := vaulttest.OpenAt(t, path, nil)
	vaulttest.Must(t, v.KVTable("large").Put(t.Context(), []byte("so that a backup has many steps"), make([]byte, 5<<20)))
	other := start(t, "checkpoint", path)
	defer other.kill(t)
	for i := range 12 {
		if !other.hear() {
			t.Fatal("who makes checkpoints has ended")
		}
		before := maps.Clone(p.said)
		delete(before, "held") // what the cache of the other process holds is not in the file
		copied := filepath.Join(dir, fmt.Sprint("copy", i))
		steps := 0
		pause := func(int64, int64) { // until the other has written; not for long, or else its log grows long
			if steps++; steps <= 2 && !p.hear() {
				t.Fatal("the writer has ended by itself")
			}
		}
		vaulttest.Must(t, v.Backup(t.Context(), copied, columnvault.BackupOptions{Progress: pause}))
		checkCopy(t, copied, "own", before)
		vaulttest.Must(t, os.Remove(copied))
	}
}

// checkpoint makes checkpoints of all kinds without end, and prints a line for
// each round.
func checkpoint(ctx context.Context, args []string) error {
	v, err := columnvault.Open(ctx, args[0], &columnvault.Options{BusyTimeout: time.Millisecond})
	if err != nil {
		return err
	}
	for n := 1; ; n++ {
		for _, mode := range []columnvault.CheckpointMode{columnvault.CheckpointPassive, columnvault.CheckpointFull,
			columnvault.CheckpointRestart, columnvault.CheckpointTruncate} {
			if _, err := v.Checkpoint(ctx, mode); err != nil {
				return err
			}
		}
		fmt.Println("rounds", n)
	}
}

// checkCopy requires a whole copy of what a recorder has acknowledged.
func checkCopy(t *testing.T, path, own string, said map[string]int) {
	t.Helper()
	v := vaulttest.OpenAt(t, path, nil)
	defer v.Close()
	vaulttest.WantSound(t, v)
	r, err := openRecords(t.Context(), v, own)
	vaulttest.Must(t, err)
	vaulttest.Must(t, r.check(t.Context(), said))
}

// backup makes backups without end, and prints a line for each.
func backup(ctx context.Context, args []string) error {
	v, err := columnvault.Open(ctx, args[0], nil)
	if err != nil {
		return err
	}
	for n := 1; ; n++ {
		if err := v.Backup(ctx, args[1], columnvault.BackupOptions{Replace: true}); err != nil {
			return err
		}
		fmt.Println("copies", n)
	}
}

// TestKilledBackup kills a process that makes backups, at moments of chance.
// Under the name of the copy there is a whole one, or none at all.
func TestKilledBackup(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "test.db")
	v := vaulttest.OpenAt(t, path, nil)
	r, err := openRecords(t.Context(), v, "own")
	vaulttest.Must(t, err)
	vaulttest.Must(t, r.add(t.Context(), 0, 3000, 0))
	random := rand.New(rand.NewPCG(campaign.seed, 6))
	copied := filepath.Join(dir, "copies", "copy.db")
	vaulttest.Must(t, os.Mkdir(filepath.Dir(copied), 0o777))
	for run := range campaign.of(6, 15, 200) {
		p := start(t, "backup", path, copied)
		if run%3 > 0 && !p.hear() {
			p.Wait()
			t.Fatal("the process has ended by itself")
		}
		time.Sleep(time.Duration(random.IntN(20_000)) * time.Microsecond)
		p.kill(t)
		count(partKill, "processes killed while they made a backup", 1)
		if _, err := os.Stat(copied); err == nil {
			checkCopy(t, copied, "own", map[string]int{"records": 3000})
		} else if run%3 > 0 || !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		vaulttest.Must(t, os.RemoveAll(copied))
	}
	// The next backup removes what they have left.
	vaulttest.Must(t, v.Backup(t.Context(), copied, columnvault.BackupOptions{}))
	entries, err := os.ReadDir(filepath.Dir(copied))
	vaulttest.Must(t, err)
	if len(entries) != 1 {
		t.Errorf("the folder of the copies has %v", entries)
	}
}
