package sqlite

import (
	"errors"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/ncruces/go-sqlite3/vfs"

	"columnvault/internal/store"
)

// panicFS is the file system of the machine, but that writing panics while it
// is armed, as a defect of the driver might.
type panicFS struct {
	vfs.VFSFilename
	armed atomic.Bool
}

type panicFile struct {
	vfs.File
	fs *panicFS
}

func (fs *panicFS) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := fs.VFSFilename.OpenFilename(name, flags)
	if err != nil {
		return nil, flags, err
	}
	return &panicFile{f, fs}, flags, nil
}

func (f *panicFile) WriteAt(p []byte, off int64) (int, error) {
	if f.fs.armed.Load() {
		panic("a defect of the driver")
	}
	return f.File.WriteAt(p, off)
}

func (f *panicFile) SharedMemory() vfs.SharedMemory {
	return f.File.(vfs.FileSharedMemory).SharedMemory()
}

func (f *panicFile) Unwrap() vfs.File { return f.File }

var panicking = &panicFS{VFSFilename: vfs.Find("").(vfs.VFSFilename)}

func init() { vfs.Register("panicking", panicking) }

// TestPanicInCommit: where the engine stops in the middle of a commit, that
// says so, and the next transaction finds either all of it or nothing.
func TestPanicInCommit(t *testing.T) {
	ctx := t.Context()
	s := openStoreAt(t, filepath.Join(t.TempDir(), "vault.db"), Options{VFS: "panicking"})
	check(t, appendRow(ctx, s, "a"))
	err := s.Update(ctx, func(tx store.Tx) error {
		panicking.armed.Store(true)
		return tx.Put(ctx, "kv", []byte("key"), []byte("value"))
	})
	panicking.armed.Store(false)
	if !errors.Is(err, store.ErrUnknownCommit) || !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("the commit: %v", err)
	}
	check(t, appendRow(ctx, s, "b"))
	check(t, readRow(ctx, s))
	check(t, s.Close())
}
