package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"columnvault/internal/publish"
	"columnvault/internal/store"
)

// target is the file that a backup becomes. Until it is complete it lies in a
// folder of its own beside its place.
type target struct {
	path    string
	replace bool
	work    *publish.Work
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
	work, err := publish.Begin(path)
	if err != nil {
		return nil, unavailable(err)
	}
	f, err := os.OpenFile(work.Path(), os.O_RDWR|os.O_CREATE|os.O_EXCL, main.Mode().Perm()|0o600)
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		work.End()
		return nil, unavailable(err)
	}
	return &target{path: path, replace: replace, work: work}, nil
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

// publish gives the copy its name, which the disk has when it returns. The
// bytes are there already.
func (t *target) publish() error {
	if err := t.rename(); err != nil {
		return err
	}
	if err := publish.SyncFolder(filepath.Dir(t.path)); err != nil {
		return fmt.Errorf("%w: the copy is complete, but a power failure may take its name away again: %w", store.ErrUnavailable, err)
	}
	return nil
}

func (t *target) rename() error {
	give := t.work.Link
	if t.replace {
		give = t.work.Rename
	}
	switch err := give(); {
	case err == nil:
		return nil
	case !t.replace && errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%w: a file has come to this path meanwhile", store.ErrExists)
	default:
		return unavailable(err)
	}
}
