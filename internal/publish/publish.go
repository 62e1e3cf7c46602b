// Package publish makes files that get their name when they are whole. Until then
// they lie in a folder of their own beside it, which tells whether its process
// still lives: what one that was killed has left there goes with the next file of
// the same name.
package publish

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// prefix begins the names of folders, and lockName is the file in each that its
// process holds. It lists what has been published from the folder.
const (
	prefix   = ".columnvault-"
	lockName = "lock"
)

// slots is how many processes that make files of one name at the same moment leave
// nothing behind for ever, should all of them be killed.
const slots = 4

// Work is a folder for what is being made.
type Work struct {
	path string // of what is made
	dir  string
	lock *os.File
	left []string
}

// Begin makes a folder for the file that will be at path, and removes what
// processes that are gone have left for a file of that name.
func Begin(path string) (*Work, error) {
	folder, base := filepath.Split(path)
	name := fnv.New64a()
	name.Write([]byte(base))
	w := &Work{path: path}
	for slot := range slots {
		dir := filepath.Join(folder, fmt.Sprintf("%s%016x-%d", prefix, name.Sum64(), slot))
		left, gone := sweep(dir)
		w.left = append(w.left, left...)
		if gone && w.lock == nil {
			if err := w.take(dir); err != nil && !errors.Is(err, errTaken) {
				return nil, about(path, err)
			}
		}
	}
	if w.lock != nil {
		return w, nil
	}
	return w, about(path, w.take(filepath.Join(folder, prefix+rand.Text())))
}

// about is an error of the folder, which nobody knows, as one of the file at path.
func about(path string, err error) error {
	if inside, ok := errors.AsType[*fs.PathError](err); ok {
		return &fs.PathError{Op: "create", Path: path, Err: inside.Err}
	}
	return err
}

// errTaken: another process was faster.
var errTaken = errors.New("the folder has gone to another process")

// take makes a folder and holds it.
func (w *Work) take(dir string) error {
	if err := os.Mkdir(dir, 0o700); errors.Is(err, fs.ErrExist) {
		return errTaken
	} else if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist) {
		return errTaken // somebody has swept the folder away, because it was empty, and may have made another
	}
	if err != nil {
		os.Remove(dir)
		return err
	}
	// A process that sweeps may have come between the two.
	if !hold(f) || !isThere(f) {
		f.Close()
		return errTaken
	}
	w.dir, w.lock = dir, f
	return nil
}

// sweep removes a folder that no process holds any more. It tells whether the
// folder is gone, and what had been published from it.
func sweep(dir string) (left []string, gone bool) {
	if isGone(dir) {
		return nil, true
	}
	file := filepath.Join(dir, lockName)
	list, release, dead := abandoned(file)
	if !dead {
		// Without the file, its process has got no further than to make the folder.
		return nil, isGone(file) && os.Remove(dir) == nil
	}
	defer release()
	return list, empty(dir) == nil && isGone(dir)
}

// isThere tells whether an open file still has its name.
func isThere(f *os.File) bool {
	here, err := os.Lstat(f.Name())
	if err != nil {
		return false
	}
	mine, err := f.Stat()
	return err == nil && os.SameFile(here, mine)
}

func isGone(path string) bool {
	_, err := os.Lstat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// empty removes a folder and all that is in it; last the file that is held, so
// that there is one as long as there is anything else.
func empty(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() != lockName {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
		}
	}
	if err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(dir, lockName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	os.Remove(dir) // unless another process has been faster, and uses it by now
	return nil
}

// Path is where the file is made. What programs put beside it, such as the log of
// a database, goes with the folder.
func (w *Work) Path() string { return w.In(filepath.Base(w.path)) }

// In is the path of another file in the folder.
func (w *Work) In(name string) string { return filepath.Join(w.dir, name) }

// Left are the names that processes had noted that are gone.
func (w *Work) Left() []string { return w.left }

// Note keeps a name for [Work.Left], should this process come to a sudden end.
func (w *Work) Note(name string) error {
	_, err := fmt.Fprintln(w.lock, name)
	return err
}

// Rename gives the file its name, in place of what has that.
func (w *Work) Rename() error { return os.Rename(w.Path(), w.path) }

// Link gives the file its name, which nothing may have: that is [fs.ErrExist].
// Where a file system has no links, what comes to the name at the same moment is
// replaced.
func (w *Work) Link() error {
	err := os.Link(w.Path(), w.path)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	if _, there := os.Lstat(w.path); there == nil {
		return &fs.PathError{Op: "link", Path: w.path, Err: fs.ErrExist}
	}
	return w.Rename()
}

// End removes the folder, with what has got no name. A second call does nothing.
func (w *Work) End() error {
	if w.lock == nil {
		return nil
	}
	// A system may not remove a file that is open. The lock has gone with it by then
	// where it may.
	err := letGo(w.lock, func() error { return empty(w.dir) })
	w.lock = nil
	return err
}

// lines are those of a file.
func lines(f *os.File) (list []string) {
	for s := bufio.NewScanner(f); s.Scan(); {
		if text := strings.TrimSpace(s.Text()); text != "" {
			list = append(list, text)
		}
	}
	return list
}
