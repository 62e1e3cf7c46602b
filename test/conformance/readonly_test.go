package conformance_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

func TestReadOnlyBesideAWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	w := vaulttest.OpenAt(t, path, nil)
	ours := vaulttest.Create(t, w, "x", dtype.Int64, 1, 2, 3)
	r := vaulttest.OpenAt(t, path, &columnvault.Options{ReadOnly: true})
	theirs, err := columnvault.Lookup(t.Context(), r, "x", dtype.Int64)
	if err != nil {
		t.Fatal(err)
	}
	for want := range 3 {
		if n, err := theirs.Len(t.Context()); n != 3+want || err != nil {
			t.Errorf("the reader sees %d elements, %v", n, err)
		}
		if err := ours.Append(t.Context(), 4); err != nil {
			t.Fatal(err)
		}
	}
	vaulttest.WantErr(t, "append", theirs.Append(t.Context(), 1), columnvault.ErrReadOnly)
	_, err = columnvault.Create(t.Context(), r, "y", dtype.Int64, nil)
	vaulttest.WantErr(t, "create", err, columnvault.ErrReadOnly)
	vaulttest.WantErr(t, "drop", r.Drop(t.Context(), "x"), columnvault.ErrReadOnly)
}

func TestReadOnlyWritesNothing(t *testing.T) {
	for _, name := range []string{"many.db", "shared_with_kv.db"} {
		path := vaulttest.CopyGolden(t, "v0", name)
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		v := vaulttest.OpenAt(t, path, &columnvault.Options{ReadOnly: true})
		if _, err := v.Columns(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range v.Check(t.Context(), columnvault.CheckOptions{Full: true}) {
		}
		if err := v.Close(); err != nil {
			t.Fatal(err)
		}
		if after, err := os.ReadFile(path); !bytes.Equal(before, after) || err != nil {
			t.Errorf("%s: the file was changed: %v", name, err)
		}
	}
	path := filepath.Join(t.TempDir(), "none.db")
	_, err := columnvault.Open(t.Context(), path, &columnvault.Options{ReadOnly: true})
	vaulttest.WantErr(t, "no file", err, columnvault.ErrNotFound)
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("a read-only Open has created a file: %v", err)
	}
}

// mountReadOnly makes a folder whose disk can be made read-only.
func mountReadOnly(t *testing.T) (dir string, lock func()) {
	t.Helper()
	dir = t.TempDir()
	run := func(args ...string) error { return exec.Command(args[0], args[1:]...).Run() }
	if err := run("mount", "-t", "tmpfs", "columnvault-test", dir); err != nil {
		t.Skipf("this test needs the right to mount a disk: %v", err)
	}
	t.Cleanup(func() { run("umount", dir) })
	return dir, func() {
		t.Helper()
		if err := run("mount", "-o", "remount,ro", dir); err != nil {
			t.Skipf("this test needs the right to mount a disk read-only: %v", err)
		}
	}
}

func TestReadOnlyDisk(t *testing.T) {
	dir, lock := mountReadOnly(t)
	clean := filepath.Join(dir, "clean.db")
	v := vaulttest.OpenAt(t, clean, nil)
	vaulttest.Create(t, v, "x", dtype.Int64, 1, 2, 3)
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	// What a killed writer leaves: a file, and a log that is not in it yet.
	live := filepath.Join(t.TempDir(), "live.db")
	v = vaulttest.OpenAt(t, live, nil)
	vaulttest.Create(t, v, "x", dtype.Int64, 1, 2, 3)
	crashed := filepath.Join(dir, "crashed.db")
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(live + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(crashed+suffix, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	lock()

	r := vaulttest.OpenAt(t, clean, &columnvault.Options{ReadOnly: true})
	c, err := columnvault.Lookup(t.Context(), r, "x", dtype.Int64)
	if err != nil {
		t.Fatal(err)
	}
	if values, err := c.Slice(t.Context(), 0, columnvault.End); !slices.Equal(values, []int64{1, 2, 3}) || err != nil {
		t.Errorf("read %v, %v", values, err)
	}
	_, err = columnvault.Open(t.Context(), crashed, &columnvault.Options{ReadOnly: true})
	vaulttest.WantErr(t, "a log is left", err, columnvault.ErrNeedsRecovery)
	_, err = columnvault.Open(t.Context(), clean, nil)
	vaulttest.WantErr(t, "writing", err, columnvault.ErrUnavailable)
}

// TestReadOnlyDiskThroughLink: the log that is left beside a file on a disk
// that cannot be written is not passed over because a link leads there.
func TestReadOnlyDiskThroughLink(t *testing.T) {
	dir, lock := mountReadOnly(t)
	live := filepath.Join(t.TempDir(), "live.db")
	v := vaulttest.OpenAt(t, live, nil)
	c := vaulttest.Create(t, v, "values", dtype.Int64, 1, 2, 3)
	vaulttest.Must(t, vaulttest.ErrOf(v.Checkpoint(t.Context(), columnvault.CheckpointTruncate)))
	vaulttest.Must(t, c.Append(t.Context(), 4, 5))
	crashed := filepath.Join(dir, "crashed.db")
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(live + suffix)
		vaulttest.Must(t, err)
		vaulttest.Must(t, os.WriteFile(crashed+suffix, data, 0o666))
	}
	lock()
	link := filepath.Join(t.TempDir(), "link.db")
	vaulttest.Must(t, os.Symlink(crashed, link))
	_, err := columnvault.Open(t.Context(), link, &columnvault.Options{ReadOnly: true})
	vaulttest.WantErr(t, "Open", err, columnvault.ErrNeedsRecovery)
}
