// Package faultfs is the file system of the machine, for SQLite, with calls
// that fail when a test wants them to.
package faultfs

import (
	"errors"
	"sync/atomic"

	"github.com/ncruces/go-sqlite3/vfs"
)

// FS fails one of the calls that change a file: the one at which the countdown
// reaches zero.
type FS struct {
	vfs.VFSFilename
	err       error
	countdown atomic.Int64
	failed    atomic.Bool
}

// ErrLost is the error of a call that does nothing and says that it has done it.
var ErrLost = errors.New("a lost write")

// Register makes a file system that SQLite knows by this name.
func Register(name string) *FS {
	fs := &FS{VFSFilename: vfs.Find("").(vfs.VFSFilename)}
	vfs.Register(name, fs)
	return fs
}

// Arm makes the n-th call from now fail with err, counted from 1. With n = 0
// all succeed.
func (fs *FS) Arm(n int, err error) {
	fs.err = err
	fs.failed.Store(false)
	fs.countdown.Store(int64(n))
}

// Failed reports whether a call has failed since [FS.Arm].
func (fs *FS) Failed() bool { return fs.failed.Load() }

func (fs *FS) fault() error {
	if fs.countdown.Add(-1) == 0 {
		fs.failed.Store(true)
		return fs.err
	}
	return nil
}

// OpenFilename implements [vfs.VFSFilename].
func (fs *FS) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := fs.VFSFilename.OpenFilename(name, flags)
	if err != nil {
		return nil, flags, err
	}
	return &file{File: f, fs: fs}, flags, nil
}

type file struct {
	vfs.File
	fs *FS
}

func (f *file) WriteAt(p []byte, off int64) (int, error) {
	if err := f.fs.fault(); err == ErrLost {
		return len(p), nil
	} else if err != nil {
		// What a full disk or a crash leaves: a part of it.
		n, _ := f.File.WriteAt(p[:len(p)/2], off)
		return n, err
	}
	return f.File.WriteAt(p, off)
}

func (f *file) Sync(flags vfs.SyncFlag) error {
	if err := f.fs.fault(); err != nil {
		return told(err)
	}
	return f.File.Sync(flags)
}

func (f *file) Truncate(size int64) error {
	if err := f.fs.fault(); err != nil {
		return told(err)
	}
	return f.File.Truncate(size)
}

// told is what a call says that fails with err.
func told(err error) error {
	if err == ErrLost {
		return nil
	}
	return err
}

func (f *file) SharedMemory() vfs.SharedMemory {
	return f.File.(vfs.FileSharedMemory).SharedMemory()
}
