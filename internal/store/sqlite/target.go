package sqlite

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"columnvault/internal/store"
)

// target is the file that a backup becomes. Until it is complete it has a name
// of its own in the same folder.
type target struct {
	path, temp string
	replace    bool
}

// newTarget refuses a path at which there must not be a copy, and creates the
// temporary file.
func (s *Store) newTarget(path string, replace bool) (*target, error) {
	if path == "" {
		return nil, fmt.Errorf("%w: a backup needs a path", store.ErrInvalidArgument)
	}
	path, err := resolve(path)
	if err != nil {
		return nil, err
	}
	if err := s.checkTarget(path, replace); err != nil {
		return nil, err
	}
	main, err := os.Stat(s.path)
	if err != nil {
		return nil, unavailable(err)
	}
	temp := filepath.Join(filepath.Dir(path), ".columnvault-"+rand.Text()+".tmp")
	f, err := os.OpenFile(temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, main.Mode().Perm()|0o600)
	if err != nil {
		return nil, unavailable(err)
	}
	return &target{path: path, temp: temp, replace: replace}, f.Close()
}

func (s *Store) checkTarget(path string, replace bool) error {
	if s.own(path) {
		return fmt.Errorf("%w: a vault cannot be backed up onto itself or the files beside it", store.ErrInvalidArgument)
	}
	// SQLite would take what is in such a file for a part of the copy.
	for _, suffix := range []string{"-wal", "-journal"} {
		if info, err := os.Lstat(path + suffix); err == nil && info.Size() > 0 {
			return fmt.Errorf("%w: %s belongs to a database that had this name and would damage the copy; remove it, or open that database once",
				store.ErrInvalidArgument, filepath.Base(path)+suffix)
		}
	}
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return unavailable(err)
	case info.IsDir() || !info.Mode().IsRegular() && info.Mode()&fs.ModeSymlink == 0:
		return fmt.Errorf("%w: there is something at this path that is not a file", store.ErrInvalidArgument)
	case !replace:
		return fmt.Errorf("%w: there is a file at this path", store.ErrExists)
	}
	return nil
}

// own tells whether the path is the database, or a file that SQLite keeps
// beside it or may create there, by whatever name.
func (s *Store) own(path string) bool {
	at, err := os.Stat(path)
	for _, suffix := range append([]string{""}, beside...) {
		if info, e := os.Stat(s.path + suffix); err == nil && e == nil && os.SameFile(at, info) {
			return true
		}
	}
	dir, err := os.Stat(filepath.Dir(path))
	here, e := os.Stat(filepath.Dir(s.path))
	if err != nil || e != nil || !os.SameFile(dir, here) {
		return false
	}
	for _, suffix := range beside {
		if strings.EqualFold(filepath.Base(path), filepath.Base(s.path)+suffix) {
			return true
		}
	}
	return false
}

// remove leaves nothing of a copy that was not completed.
func (t *target) remove() {
	os.Remove(t.temp)
	for _, suffix := range beside {
		os.Remove(t.temp + suffix)
	}
}

// publish gives the copy its name, which the disk has when it returns. The
// bytes are there already.
func (t *target) publish() error {
	if err := t.rename(); err != nil {
		return err
	}
	if err := syncFolder(filepath.Dir(t.path)); err != nil {
		return fmt.Errorf("%w: the copy is complete, but a power failure may take its name away again: %w", store.ErrUnavailable, err)
	}
	return nil
}

func (t *target) rename() error {
	if !t.replace {
		// Unlike a rename, a link never takes the place of a file.
		err := os.Link(t.temp, t.path)
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%w: a file has come to this path meanwhile", store.ErrExists)
		}
		if err == nil {
			os.Remove(t.temp)
			return nil
		}
		if _, err := os.Lstat(t.path); err == nil { // a file system without links
			return fmt.Errorf("%w: a file has come to this path meanwhile", store.ErrExists)
		}
	}
	if err := os.Rename(t.temp, t.path); err != nil {
		return unavailable(err)
	}
	return nil
}

// syncFolder makes the names in a folder durable, where a system can do that.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
