package columnvault

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"columnvault/dtype"
	"columnvault/internal/vaulttest/faultfs"
)

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

// TestBackupFaults lets every single call to the file system fail, one at a
// time, during a backup. What fails leaves no file, and what succeeds a copy.
func TestBackupFaults(t *testing.T) {
	v := openFaulty(t, faultBase(t))
	defer v.Close()
	want := contents(t, v)
	for n, failed := 1, true; failed; n++ {
		path := filepath.Join(t.TempDir(), "copy.db")
		faulty.Arm(n, []error{sqlite3.IOERR_WRITE, sqlite3.FULL}[n%2])
		err := v.Backup(t.Context(), path, BackupOptions{})
		failed = faulty.Failed()
		faulty.Arm(0, nil)
		wantCopy(t, path, n, err, want)
		if failed != (err != nil) || err != nil && !errors.Is(err, ErrUnavailable) {
			t.Errorf("call %d: failed is %t, and the error %v", n, failed, err)
		}
		if !failed && n < 20 {
			t.Errorf("a backup makes %d calls that could fail", n-1)
		}
	}
	if got := contents(t, v); got != want {
		t.Error("the backups have changed the vault")
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
	v := openFaulty(t, faultBase(t))
	defer v.Close()
	found := 0
	for n, failed := 1, true; failed; n++ {
		dir := t.TempDir()
		faulty.Arm(n, faultfs.ErrLost)
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
	if found < 20 {
		t.Errorf("the check has found %d copies that lack a page", found)
	}
}
