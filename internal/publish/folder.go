package publish

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// SyncFolder makes the names in a folder durable, where that can be done: not on
// Windows, on some file systems of other machines, and in a folder that may be
// written and not read. There it does nothing, as SQLite does for its own files.
// What the disk cannot do is an error.
func SyncFolder(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	if err != nil {
		return err
	}
	err = f.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) || errors.Is(err, fs.ErrPermission) {
		err = nil
	}
	return errors.Join(err, f.Close())
}
