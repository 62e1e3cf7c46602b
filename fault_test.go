package columnvault

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"columnvault/dtype"
	"columnvault/internal/store/sqlite"
	"columnvault/internal/vaulttest/faultfs"
)

// faulty is the file system under the vaults of the tests of closing, backups
// and Compact. test/crash lets every call fail during every operation.
var faulty = faultfs.Register("faulty")

// openFaulty opens a vault on the file system that can be made to fail. Its
// page cache is so small that transactions write before they commit.
func openFaulty(t *testing.T, path string) *Vault {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{VFS: "faulty", PageSize: 512, PageCacheBytes: 16 << 10})
	if err != nil {
		t.Fatal(err)
	}
	return newVault(path, s, &Options{})
}

// contents is what a vault holds, to be compared.
func contents(t *testing.T, v *Vault) string {
	t.Helper()
	var b strings.Builder
	infos, err := v.Columns(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, info := range infos {
		c, err := v.Column(t.Context(), info.Name)
		if err != nil {
			t.Fatal(err)
		}
		values, err := c.Slice(t.Context(), Begin, End)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %s %v\n", info.Name, info.DType, values)
	}
	for f, err := range v.Check(t.Context(), CheckOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		if f.Severity > SeverityNote {
			t.Errorf("check: %s: %s", f.Column, f.Text)
		}
	}
	return b.String()
}

func sequence(n int) []int64 {
	values := make([]int64, n)
	for i := range values {
		values[i] = int64(i)
	}
	return values
}

// TestCloseWithoutRoomForTheLog: a vault is closed also if the disk does not
// let it move the log into the file, and holds everything when it is opened
// again. It takes no rows that it could not write any more.
func TestCloseWithoutRoomForTheLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.db")
	v := openFaulty(t, path)
	c, err := Create(t.Context(), v, "values", dtype.Int64, nil)
	if err == nil {
		err = c.EnableCache(t.Context(), nil)
	}
	if err == nil {
		err = c.Append(t.Context(), 1)
	}
	if err == nil {
		_, err = v.Flush(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	faulty.Arm(1, sqlite3.IOERR_WRITE)
	err = v.Close()
	faulty.Arm(0, nil)
	if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "the file is closed and nothing is lost") {
		t.Errorf("Close: %v", err)
	}
	if err := c.Append(t.Context(), 2); !errors.Is(err, ErrClosed) {
		t.Errorf("Append after Close: %v", err)
	}
	if err := v.Close(); !errors.Is(err, ErrClosed) {
		t.Errorf("the second Close: %v", err)
	}
	v = openFaulty(t, path)
	if got := contents(t, v); got != "values i64 [1]\n" {
		t.Errorf("the file holds %q", got)
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
}

// faultBase makes the vault of the tests with faults.
func faultBase(t *testing.T) string {
	t.Helper()
	base := filepath.Join(t.TempDir(), "base.db")
	v := openFaulty(t, base)
	ctx := context.Background()
	small := &ColumnOptions{MinChunk: 512, MaxChunk: 4080}
	nums, err := Create(ctx, v, "nums", dtype.Int64, small)
	if err != nil {
		t.Fatal(err)
	}
	if err := nums.Append(ctx, sequence(2000)...); err != nil {
		t.Fatal(err)
	}
	texts, err := Create(ctx, v, "texts", dtype.String, small)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 500 {
		if err := texts.Append(ctx, strings.Repeat("x", i%60)); err != nil {
			t.Fatal(err)
		}
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	return base
}

// openCopy opens a copy of the file at base on the file system that fails.
func openCopy(t *testing.T, base string) (v *Vault, path string) {
	t.Helper()
	data, err := os.ReadFile(base)
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "test.db")
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return openFaulty(t, path), path
}

// backupWays are the ways that a backup can go. Each makes the vault ready for
// one of them; least is how many calls that change a file it has.
var backupWays = map[string]struct {
	least   int
	prepare func(t *testing.T, v *Vault)
}{
	"the file, with nothing in the log": {2, func(*testing.T, *Vault) {}},
	"the file, after the log has been moved": {5, func(t *testing.T, v *Vault) {
		if err := v.KV().Put(t.Context(), []byte("new"), make([]byte, 30_000)); err != nil {
			t.Fatal(err)
		}
	}},
	"page by page": {20, func(t *testing.T, v *Vault) {
		snap, err := v.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { snap.Close() })
		if err := v.KV().Put(t.Context(), []byte("newer than the snapshot"), []byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := v.Checkpoint(t.Context(), CheckpointPassive); err != nil {
			t.Fatal(err)
		}
	}},
}

// TestBackupFaults lets every single call to the file system fail, one at a
// time, during a backup. What fails leaves no file, and what succeeds a copy. A
// log that cannot be moved is no failure.
func TestBackupFaults(t *testing.T) {
	for way, w := range backupWays {
		t.Run(way, func(t *testing.T) {
			base := faultBase(t)
			for n, failed := 1, true; failed; n++ {
				v, _ := openCopy(t, base)
				w.prepare(t, v)
				want := contents(t, v)
				path := filepath.Join(t.TempDir(), "copy.db")
				faulty.Arm(n, []error{sqlite3.IOERR_WRITE, sqlite3.FULL}[n%2])
				err := v.Backup(t.Context(), path, BackupOptions{})
				failed = faulty.Failed()
				faulty.Arm(0, nil)
				wantCopy(t, path, n, err, want)
				moves := strings.Contains(way, "moved")
				if failed != (err != nil) && !moves || err != nil && (!failed || !errors.Is(err, ErrUnavailable)) {
					t.Errorf("call %d: failed is %t, and the error %v", n, failed, err)
				}
				if !failed && n <= w.least {
					t.Errorf("a backup makes %d calls that could fail", n-1)
				}
				if got := contents(t, v); got != want {
					t.Errorf("call %d: the backup has changed the vault", n)
				}
				v.Close()
			}
		})
	}
}

// wantCopy requires a whole copy, or after an error nothing.
func wantCopy(t *testing.T, path string, n int, err error, want string) {
	t.Helper()
	if err != nil {
		if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(left) > 0 {
			t.Errorf("call %d: a backup that failed has left %q", n, left)
		}
		return
	}
	copied := openFaulty(t, path)
	defer copied.Close()
	if contents(t, copied) != want {
		t.Errorf("call %d: the copy holds something else", n)
	}
}

// TestBackupChecks loses one write of a backup at a time, and nobody is told:
// the check finds what of it can be found without checksums.
func TestBackupChecks(t *testing.T) {
	for way, least := range map[string]int{"the file, with nothing in the log": 1, "page by page": 20} {
		t.Run(way, func(t *testing.T) {
			v := openFaulty(t, faultBase(t))
			defer v.Close()
			backupWays[way].prepare(t, v)
			found := 0
			for n, failed := 1, true; failed; n++ {
				dir := t.TempDir()
				faulty.Arm(n, faultfs.Lost)
				err := v.Backup(t.Context(), filepath.Join(dir, "copy.db"), BackupOptions{})
				failed = faulty.Failed()
				faulty.Arm(0, nil)
				if err == nil {
					continue
				}
				found++
				wantCopy(t, filepath.Join(dir, "copy.db"), n, err, "")
				if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrNotVault) {
					t.Errorf("call %d: %v", n, err)
				}
			}
			if found < least {
				t.Errorf("the check has found %d copies that lack something", found)
			}
		})
	}
}

// wasteBase makes a vault with a column and a table of which most has been
// deleted, in a file that was created with this auto_vacuum.
func wasteBase(t *testing.T, vacuum string) string {
	t.Helper()
	base := filepath.Join(t.TempDir(), "base.db")
	db, err := sqlite3.Open(base)
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(db.Exec(`PRAGMA page_size = 512; PRAGMA auto_vacuum = `+vacuum+`; CREATE TABLE kv (
                key   BLOB PRIMARY KEY NOT NULL,
                value BLOB NOT NULL
            )`), db.Close())
	if err != nil {
		t.Fatal(err)
	}
	v := openFaulty(t, base)
	ctx := context.Background()
	err = v.Update(ctx, func(ctx context.Context, tx *Tx) error {
		texts, err := Create(ctx, tx, "texts", dtype.String, &ColumnOptions{MinChunk: 512, MaxChunk: 4080})
		if err != nil {
			return err
		}
		for i := range 60 {
			if err := texts.In(tx).Append(ctx, strings.Repeat(string(rune('a'+i%26)), 500)); err != nil {
				return err
			}
			if err := v.KV().In(tx).Put(ctx, []byte{byte(i * 7)}, []byte(strings.Repeat("v", 130))); err != nil {
				return err
			}
		}
		if vacuum == "NONE" { // or else it is not worth while
			gone, err := Create(ctx, tx, "gone", dtype.Int64, nil)
			if err == nil {
				err = gone.In(tx).Append(ctx, sequence(10_000)...)
			}
			if err == nil {
				err = gone.In(tx).Clear(ctx)
			}
			if err != nil {
				return err
			}
		}
		for i := range 40 {
			if err := texts.In(tx).Delete(ctx, i/2, i/2+1); err != nil {
				return err
			}
			if _, err := v.KV().In(tx).Delete(ctx, []byte{byte(i * 7)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = v.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return base
}

// TestCompactFaults lets every single call to the file system fail, one at a
// time, while a vault is compacted. It holds what it held at any time.
func TestCompactFaults(t *testing.T) {
	for _, vacuum := range []string{"NONE", "INCREMENTAL"} {
		t.Run(vacuum, func(t *testing.T) {
			base := wasteBase(t, vacuum)
			n := 1
			for compactFault(t, base, n) {
				n++
			}
			if n < 50 {
				t.Errorf("compacting makes %d calls that could fail", n-1)
			}
		})
	}
}

// compactFault compacts a copy of the vault while the n-th call fails. It
// returns false if there were fewer calls.
func compactFault(t *testing.T, base string, n int) bool {
	t.Helper()
	v, path := openCopy(t, base)
	want := contents(t, v) + pairs(t, v)
	faulty.Arm(n, []error{sqlite3.IOERR_WRITE, sqlite3.FULL}[n%2])
	r, err := v.Compact(context.Background(), CompactOptions{})
	failed := faulty.Failed()
	faulty.Arm(0, nil)
	if err != nil && (!failed || !errors.Is(err, ErrUnavailable)) {
		t.Errorf("call %d: failed is %t, and the error %v", n, failed, err)
	}
	if !failed && (r.Moved == 0 || r.After.Main > r.Before.Main*2/3) {
		t.Errorf("without a failure the result is %+v", r)
	}
	for range 2 {
		if got := contents(t, v) + pairs(t, v); got != want {
			t.Errorf("call %d: the vault holds something else", n)
		}
		if err := v.Close(); err != nil {
			t.Errorf("call %d: close: %v", n, err)
		}
		v = openFaulty(t, path)
	}
	if _, err := v.Compact(context.Background(), CompactOptions{}); err != nil {
		t.Errorf("call %d: the next time: %v", n, err)
	}
	if got := contents(t, v) + pairs(t, v); got != want {
		t.Errorf("call %d: after the next time the vault holds something else", n)
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
	return failed
}

// pairs is what the table of a vault holds, to be compared.
func pairs(t *testing.T, v *Vault) string {
	t.Helper()
	var b strings.Builder
	for p, err := range v.KV().All(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%x %s\n", p.Key, p.Value)
	}
	return b.String()
}
