// Package faultfs is the file system of the machine, for SQLite, with calls
// that fail when a test wants them to.
package faultfs

import (
	"errors"
	"sync"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"
)

// Call is what SQLite asks of a file system.
type Call int

// The calls. Those up to Truncate change a file that is open.
const (
	Write Call = iota
	Sync
	Truncate
	Read
	Size
	Open
	Delete
	Access
	Lock
	calls
)

// codes are what SQLite is told when a call fails.
var codes = [calls]error{
	Write:    sqlite3.IOERR_WRITE,
	Sync:     sqlite3.IOERR_FSYNC,
	Truncate: sqlite3.IOERR_TRUNCATE,
	Read:     sqlite3.IOERR_READ,
	Size:     sqlite3.IOERR_FSTAT,
	Open:     sqlite3.CANTOPEN,
	Delete:   sqlite3.IOERR_DELETE,
	Access:   sqlite3.IOERR_ACCESS,
	Lock:     sqlite3.IOERR_LOCK,
}

// Fault says which call fails, and how.
type Fault struct {
	// N is the number of the call that fails, counted from 1. With 0 none does.
	N int
	// Changing counts only the calls that change a file that is open.
	Changing bool
	// Full says that it is for want of space: what fails then, and what is
	// counted, are writes alone.
	Full bool
	// Short lets a write that fails write the first half.
	Short bool
	// Err is what the call says, in place of what its kind says by itself.
	Err error
	// Lasting lets all calls fail that follow, until the next [FS.Inject].
	Lasting bool
}

// Lost is the error of a call that does nothing and says that it has done it.
//
//lint:ignore ST1012 it is an order, and nobody gets it as an error
var Lost = errors.New("a lost write")

// told is what a call says that fails with err.
func told(err error) error {
	if err == Lost {
		return nil
	}
	return err
}

// FS is a file system whose calls fail as a [Fault] says.
type FS struct {
	vfs.VFSFilename
	mu     sync.Mutex
	fault  Fault
	count  int
	failed [calls]int
}

// Register makes a file system that SQLite knows by this name.
func Register(name string) *FS {
	fs := &FS{VFSFilename: vfs.Find("").(vfs.VFSFilename)}
	vfs.Register(name, fs)
	return fs
}

// Arm makes the n-th call from now that changes a file fail with err, after it
// has done a half if it is a write. With n = 0 all succeed.
func (fs *FS) Arm(n int, err error) {
	fs.Inject(Fault{N: n, Changing: true, Short: true, Err: err})
}

// Failed reports whether a call has failed since [FS.Arm].
func (fs *FS) Failed() bool { return fs.Failures() > 0 }

// Inject makes calls fail from now on, in place of those of the last Inject. The
// zero Fault lets all succeed.
func (fs *FS) Inject(fault Fault) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.fault, fs.count, fs.failed = fault, 0, [calls]int{}
}

// Failures is how many calls have failed since [FS.Inject].
func (fs *FS) Failures() int {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	n := 0
	for _, failed := range fs.failed {
		n += failed
	}
	return n
}

// fail returns the error with which this call fails, or nil.
func (fs *FS) fail(call Call) error {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	f := fs.fault
	if f.N == 0 || f.Changing && call > Truncate || f.Full && call != Write {
		return nil
	}
	fs.count++
	if fs.count < f.N || fs.count > f.N && !f.Lasting {
		return nil
	}
	fs.failed[call]++
	switch {
	case f.Err != nil:
		return f.Err
	case f.Full:
		return sqlite3.FULL
	}
	return codes[call]
}

// OpenFilename implements [vfs.VFSFilename].
func (fs *FS) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	if err := fs.fail(Open); err != nil {
		return nil, flags, err
	}
	f, flags, err := fs.VFSFilename.OpenFilename(name, flags)
	if err != nil {
		return nil, flags, err
	}
	return &file{File: f, fs: fs}, flags, nil
}

// Delete implements [vfs.VFS].
func (fs *FS) Delete(name string, syncDir bool) error {
	if err := fs.fail(Delete); err != nil {
		return err
	}
	return fs.VFSFilename.Delete(name, syncDir)
}

// Access implements [vfs.VFS].
func (fs *FS) Access(name string, flags vfs.AccessFlag) (bool, error) {
	if err := fs.fail(Access); err != nil {
		return false, err
	}
	return fs.VFSFilename.Access(name, flags)
}

type file struct {
	vfs.File
	fs *FS
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	if err := f.fs.fail(Read); err != nil {
		return 0, err
	}
	return f.File.ReadAt(p, off)
}

func (f *file) WriteAt(p []byte, off int64) (n int, err error) {
	if err := f.fs.fail(Write); err != nil {
		if err == Lost {
			return len(p), nil
		}
		if f.fs.short() {
			n, _ = f.File.WriteAt(p[:len(p)/2], off)
		}
		return n, err
	}
	return f.File.WriteAt(p, off)
}

func (fs *FS) short() bool {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return fs.fault.Short
}

// Sync leaves the disk alone, which would take most of the time of a test: what
// has been written is there as long as the machine runs.
func (f *file) Sync(vfs.SyncFlag) error { return told(f.fs.fail(Sync)) }

func (f *file) Truncate(size int64) error {
	if err := f.fs.fail(Truncate); err != nil {
		return told(err)
	}
	return f.File.Truncate(size)
}

func (f *file) Size() (int64, error) {
	if err := f.fs.fail(Size); err != nil {
		return 0, err
	}
	return f.File.Size()
}

func (f *file) Lock(level vfs.LockLevel) error {
	if err := f.fs.fail(Lock); err != nil {
		return err
	}
	return f.File.Lock(level)
}

func (f *file) SharedMemory() vfs.SharedMemory {
	return f.File.(vfs.FileSharedMemory).SharedMemory()
}
