package publish

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestSyncFolder(t *testing.T) {
	dir := t.TempDir()
	if err := SyncFolder(dir); err != nil {
		t.Error(err)
	}
	if err := SyncFolder(filepath.Join(dir, "nothing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that does not exist: %v", err)
	}
}

// TestSyncFolderThatCannotBe: a file system that knows no such thing is no error.
func TestSyncFolderThatCannotBe(t *testing.T) {
	const dir = "/proc" // of which Linux says so
	f, err := os.Open(dir)
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	if err := f.Sync(); err == nil {
		t.Skip(dir + " can be synced here")
	}
	if err := SyncFolder(dir); err != nil {
		t.Error(err)
	}
}
