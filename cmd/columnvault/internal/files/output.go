package files

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"columnvault/internal/hint"
	"columnvault/internal/publish"
)

// SpareVault refuses a file to write that is the vault or lies beside it as a
// part of it.
func SpareVault(vault, out string) error {
	main, err := filepath.EvalSymlinks(vault)
	if err != nil {
		return err
	}
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		if sameFile(main+suffix, out) {
			err := fmt.Errorf("%s is a file of the vault, and would be replaced", out)
			return hint.Add(err, "take another name for --out")
		}
	}
	return nil
}

// sameFile tells whether two paths are of one file, which need not be there.
func sameFile(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	switch {
	case errA == nil && errB == nil:
		return os.SameFile(infoA, infoB)
	case errA == nil || errB == nil || filepath.Base(a) != filepath.Base(b):
		return false
	}
	return sameFile(filepath.Dir(a), filepath.Dir(b))
}

// Replace puts what write writes at path, whole or not at all: it goes to a
// file beside it that then takes the place. A pipe or a device is written to.
func Replace(path string, write func(*bufio.Writer) error) (err error) {
	info, err := os.Stat(path)
	switch {
	case err == nil && !info.Mode().IsRegular():
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(buffered(f, write), f.Close())
	case err == nil:
		if path, err = filepath.EvalSymlinks(path); err != nil { // a link stays one
			return err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	work, err := publish.Begin(path)
	if err != nil {
		return err
	}
	defer work.End()
	f, err := os.OpenFile(work.Path(), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	if info != nil {
		err = f.Chmod(info.Mode().Perm())
	}
	if err == nil {
		err = buffered(f, write)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return work.Rename()
}

func buffered(w io.Writer, write func(*bufio.Writer) error) error {
	b := bufio.NewWriterSize(w, 256<<10)
	if err := write(b); err != nil {
		return err
	}
	return b.Flush()
}

// CreatePart opens a file of a folder. done is called when all of it is written.
type CreatePart func(number int) (w *bufio.Writer, done func() error, err error)

// Folder makes a folder of files that write creates, named by their numbers in
// pattern, each of which gets its name when it is whole. After an error there is
// no folder, as before. An empty folder may be there, or one of a process that was
// killed while it made it.
func Folder(path, pattern string, write func(CreatePart) error) (err error) {
	made := os.Mkdir(path, 0o777)
	if made != nil && !errors.Is(made, fs.ErrExist) {
		return made
	}
	work, err := publish.Begin(filepath.Join(path, "part"))
	if err != nil {
		return err
	}
	var names []string
	defer func() {
		err = errors.Join(err, work.End())
		if err == nil {
			return
		}
		for _, name := range names {
			os.Remove(name)
		}
		if made == nil {
			os.Remove(path)
		}
	}()
	for _, name := range work.Left() {
		if filepath.Base(name) == name && filepath.IsLocal(name) {
			os.Remove(filepath.Join(path, name))
		}
	}
	if entries, err := os.ReadDir(path); err != nil {
		return err
	} else if len(entries) > 1 { // that of work
		return fmt.Errorf("the folder %s is not empty", path)
	}
	var open *os.File
	defer func() {
		if open != nil {
			open.Close()
		}
	}()
	return write(func(number int) (*bufio.Writer, func() error, error) {
		name := fmt.Sprintf(pattern, number)
		f, err := os.OpenFile(work.In(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if err != nil {
			return nil, nil, err
		}
		open = f
		w := bufio.NewWriterSize(f, 256<<10)
		return w, func() error {
			open = nil
			err := w.Flush()
			if err == nil {
				err = f.Sync()
			}
			if err = errors.Join(err, f.Close()); err != nil {
				return err
			}
			names = append(names, filepath.Join(path, name))
			if err := work.Note(name); err != nil {
				return err
			}
			return os.Rename(f.Name(), filepath.Join(path, name))
		}, nil
	})
}

// ReplaceOrAdd calls write with the path of a file to which it adds, whole or
// not at all. If there is none, it gets its name when it is whole.
func ReplaceOrAdd(path string, write func(path string) error) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return write(path)
	}
	work, err := publish.Begin(path)
	if err != nil {
		return err
	}
	defer work.End()
	if err := write(work.Path()); err != nil {
		return err
	}
	return work.Rename()
}
