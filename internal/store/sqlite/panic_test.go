package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"

	"columnvault/internal/store"
)

// hookFS is the file system of the machine, but that a function is called before
// each write, or each read: to panic, as a defect of the driver might, or to wait.
// move is called before each write to the database itself, as checkpoints do.
type hookFS struct {
	vfs.VFSFilename
	write, read, move atomic.Pointer[func()]
	open              atomic.Int64 // files
}

type hookFile struct {
	vfs.File
	fs   *hookFS
	main bool // the database itself
}

func (fs *hookFS) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := fs.VFSFilename.OpenFilename(name, flags)
	if err != nil {
		return nil, flags, err
	}
	fs.open.Add(1)
	return &hookFile{f, fs, flags&vfs.OPEN_MAIN_DB != 0}, flags, nil
}

func (f *hookFile) Close() error {
	f.fs.open.Add(-1)
	return f.File.Close()
}

func (f *hookFile) WriteAt(p []byte, off int64) (int, error) {
	if hook := f.fs.write.Load(); hook != nil {
		(*hook)()
	}
	if hook := f.fs.move.Load(); hook != nil && f.main {
		(*hook)()
	}
	return f.File.WriteAt(p, off)
}

func (f *hookFile) ReadAt(p []byte, off int64) (int, error) {
	if hook := f.fs.read.Load(); hook != nil {
		(*hook)()
	}
	return f.File.ReadAt(p, off)
}

func (f *hookFile) SharedMemory() vfs.SharedMemory {
	return f.File.(vfs.FileSharedMemory).SharedMemory()
}

func (f *hookFile) Unwrap() vfs.File { return f.File }

var hooks = &hookFS{VFSFilename: vfs.Find("").(vfs.VFSFilename)}

func init() { vfs.Register("hooks", hooks) }

// TestPanicInCommit: where the engine stops in the middle of a commit, that
// says so, and the next transaction finds either all of it or nothing.
func TestPanicInCommit(t *testing.T) {
	ctx := t.Context()
	s := openStoreAt(t, filepath.Join(t.TempDir(), "vault.db"), Options{VFS: "hooks"})
	check(t, appendRow(ctx, s, "a"))
	defect := func() { panic("a defect of the driver") }
	err := s.Update(ctx, func(tx store.Tx) error {
		hooks.write.Store(&defect)
		return tx.Put(ctx, "kv", []byte("key"), []byte("value"))
	})
	hooks.write.Store(nil)
	if !errors.Is(err, store.ErrUnknownCommit) || !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("the commit: %v", err)
	}
	check(t, appendRow(ctx, s, "b"))
	check(t, readRow(ctx, s))
	check(t, s.Close())
}

// panicTable is a virtual table with rows without end, and a cursor that cannot
// be closed.
type panicTable struct{ closed *int }

func (panicTable) BestIndex(*sqlite3.IndexInfo) error         { return nil }
func (p panicTable) Open() (sqlite3.VTabCursor, error)        { return p, nil }
func (panicTable) Filter(int, string, ...sqlite3.Value) error { return nil }
func (panicTable) Next() error                                { return nil }
func (panicTable) EOF() bool                                  { return false }
func (panicTable) Column(ctx sqlite3.Context, _ int) error    { ctx.ResultInt(1); return nil }
func (panicTable) RowID() (int64, error)                      { return 1, nil }
func (p panicTable) Close() error                             { *p.closed++; panic("out of memory") }

// TestPanicInClose: where a statement cannot be finalized, closing goes on with
// the next, the database and its files.
func TestPanicInClose(t *testing.T) {
	s := openStore(t, Options{})
	check(t, appendRow(t.Context(), s, "a"))
	c, err := s.openReader(t.Context())
	check(t, err)
	check(t, c.beginSnapshot())
	check(t, c.endSnapshot())
	check(t, c.configure(sqlite3.DBCONFIG_TRUSTED_SCHEMA, true))
	closed := 0
	//lint:ignore SA1019 the method that takes its place needs Go 1.27
	check(t, sqlite3.CreateModule(c.db, "panics", nil, func(db *sqlite3.Conn, _, _, _ string, _ ...string) (panicTable, error) {
		return panicTable{&closed}, db.DeclareVTab(`CREATE TABLE x (n)`)
	}))
	for _, sql := range []string{`SELECT n FROM panics`, `SELECT n + 1 FROM panics`} {
		st, err := c.bind(sql, nil)
		check(t, err)
		if !st.Step() {
			t.Fatalf("%s: %v", sql, st.Err())
		}
	}
	if len(c.files) != 3 {
		t.Fatalf("%d files are open", len(c.files))
	}
	c.close()
	if c.broken == nil || closed != 2 || c.db != nil {
		t.Errorf("%v, and %d cursors were closed, the database: %t", c.broken, closed, c.db == nil)
	}
	for _, h := range c.files {
		if _, err := h.file.Stat(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s is open: %v", h.path, err)
		}
	}
}
