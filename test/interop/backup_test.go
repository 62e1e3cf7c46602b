package interop

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// TestBackupBesidePython makes backups of a file to which KohakuVault appends,
// whose log it moves and which it makes shorter meanwhile. Each holds what had been
// acknowledged when it began, and no half of anything.
func TestBackupBesidePython(t *testing.T) {
	for version, python := range map[string]string{"0.8.6": os.Getenv("COLUMNVAULT_PYTHON"), "1.1.0": os.Getenv("COLUMNVAULT_PYTHON_1X")} {
		t.Run(version, func(t *testing.T) {
			if python == "" {
				t.Skip("no Python that has kohakuvault ", version)
			}
			backupBeside(t, python)
		})
	}
}

func backupBeside(t *testing.T, python string) {
	ctx, dir := t.Context(), t.TempDir()
	path := filepath.Join(dir, "live.db")
	cmd := exec.Command(python, "appends.py", path)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	vaulttest.Must(t, err)
	out, err := cmd.StdoutPipe()
	vaulttest.Must(t, err)
	vaulttest.Must(t, cmd.Start())
	var made atomic.Int64
	began, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			n, _ := strconv.ParseInt(lines.Text(), 10, 64)
			if made.Swap(n) == 0 {
				close(began)
			}
		}
	}()
	defer func() {
		in.Close()
		<-ended
		vaulttest.Must(t, cmd.Wait())
	}()
	select {
	case <-began:
	case <-ended:
		t.Fatal("appends.py has ended")
	}
	v, err := columnvault.Open(ctx, path, nil)
	vaulttest.Must(t, err)
	defer v.Close()
	for i := range 30 {
		before := made.Load()
		copied := filepath.Join(dir, fmt.Sprint("copy", i, ".db"))
		vaulttest.Must(t, v.Backup(ctx, copied, columnvault.BackupOptions{}))
		backup := vaulttest.OpenAt(t, copied, nil)
		c, err := columnvault.Lookup(ctx, backup, "numbers", dtype.Int64)
		vaulttest.Must(t, err)
		values, err := c.Slice(ctx, columnvault.Begin, columnvault.End)
		vaulttest.Must(t, err)
		if n := int64(len(values)); n < before || n%500 != 0 {
			t.Errorf("backup %d has %d elements, and %d were acknowledged when it began", i, n, before)
		}
		for k, value := range values {
			if value != int64(k) {
				t.Fatalf("backup %d has %d at %d", i, value, k)
			}
		}
		for _, f := range vaulttest.Found(t, backup, columnvault.CheckOptions{Full: true}) {
			if f.Severity == columnvault.SeverityDamage { // hazards KohakuVault makes itself
				t.Errorf("backup %d: %s", i, f.Text)
			}
		}
		vaulttest.Must(t, backup.Close())
		vaulttest.Must(t, os.Remove(copied))
	}
}
