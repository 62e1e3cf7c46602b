package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/ncruces/go-sqlite3/vfs"

	"columnvault/internal/store"
)

// TestOpenLeavesWritingToTheFirstWrite: a vault that is whole is opened with a
// connection for reading alone.
func TestOpenLeavesWritingToTheFirstWrite(t *testing.T) {
	s := reopened(t)
	if s.writer != nil || len(s.idle) != 1 {
		t.Errorf("%d connections for reading, and for writing: %v", len(s.idle), s.writer != nil)
	}
	err := s.Update(t.Context(), func(tx store.Tx) error {
		_, err := tx.CreateColumn(t.Context(), store.Row{Name: "x", DType: "i64", ElemSize: 8, MinChunk: 8, MaxChunk: 8})
		return err
	})
	if err != nil || s.writer == nil {
		t.Errorf("a write: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	// A file that is gone is not made again by the first write.
	s, err = Open(t.Context(), s.path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(s.path + suffix); err != nil {
			t.Fatal(err)
		}
	}
	err = s.Update(t.Context(), func(store.Tx) error { return nil })
	if _, there := os.Stat(s.path); err == nil || there == nil {
		t.Errorf("a write to a file that is gone: %v, and the file: %v", err, there)
	}
}

// TestLastReaderTakesTheLog: the last connection that is closed takes the log
// and its index with it. The janitor, who may be looking at them, does not take
// that for files that were replaced.
func TestLastReaderTakesTheLog(t *testing.T) {
	s := reopened(t)
	defer s.Close()
	c, err := s.takeIdle()
	if err != nil || c == nil {
		t.Fatalf("no idle connection: %v", err)
	}
	files := c.files
	s.discard(c)
	var gone error
	for i := range files {
		gone = errors.Join(gone, files[i].look())
	}
	if gone == nil {
		t.Skip("nobody looks at names here")
	}
	s.loseIdle(c, gone)
	snap, err := s.Snapshot(t.Context())
	if err != nil {
		t.Fatalf("the next reader: %v", err)
	}
	if err := snap.Close(); err != nil {
		t.Error(err)
	}
}

// reopened is a vault that was whole when it was opened.
func reopened(t *testing.T) *Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.db")
	for range 2 {
		s, err := Open(t.Context(), path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if s.writer == nil {
			return s
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("the second time, the vault is opened for writing")
	return nil
}

// TestReadsShareAConnection: reads one after the other are served by the
// connection that the vault was opened with, and writes between them by one more.
func TestReadsShareAConnection(t *testing.T) {
	s := reopened(t)
	path := s.path
	check(t, s.Close())
	s = openStoreAt(t, path, Options{VFS: "hooks"})
	files := hooks.open.Load()
	for range 50 {
		check(t, readRow(t.Context(), s))
	}
	if n := hooks.open.Load() - files; n > 0 {
		t.Errorf("reads have opened %d files", n)
	}
	for i := range 10 {
		check(t, s.Update(t.Context(), func(tx store.Tx) error {
			return tx.Put(t.Context(), "kv", []byte{byte(i)}, nil)
		}))
		check(t, readRow(t.Context(), s))
	}
	if n := hooks.open.Load() - files; n > 2 {
		t.Errorf("a writer and the reads beside it have opened %d files", n)
	}
}

// TestOpeningAsksLittle counts what it takes to open a vault that is whole, find a
// column, and read of it.
func TestOpeningAsksLittle(t *testing.T) {
	ctx, s := t.Context(), openStore(t, Options{})
	check(t, appendRow(ctx, s, "a"))
	check(t, s.Update(ctx, func(tx store.Tx) error {
		return tx.PutChunk(ctx, 1, store.Chunk{Capacity: mappedChunk}, make([]byte, mappedChunk))
	}))
	check(t, s.Close())
	fs := &countingFS{VFSFilename: vfs.Find("").(vfs.VFSFilename)}
	vfs.Register("opening", fs)
	s = newStore(s.path, s.opts)
	s.opts.VFS, s.janitor = "opening", true // so the janitor does not come
	found, err := inspect(s.path, false)
	check(t, err)
	check(t, s.start(ctx, found))
	defer s.Close()
	c := s.idle[0]
	if len(c.stmts) > 4 || c.statements > 4 {
		t.Errorf("Open prepares %d statements and runs %d", len(c.stmts), c.statements)
	}
	opened := c.statements
	if c.index != nil && !c.current() {
		t.Error("the connection does not rest in its snapshot")
	}
	snap, err := s.Snapshot(ctx)
	check(t, err)
	defer snap.Close()
	if c != snap.(*snapshot).c || c.index != nil && c.statements > opened {
		t.Errorf("the first snapshot is of another connection, or runs %d statements", c.statements-opened)
	}
	begun := c.statements
	if rows, err := snap.Lookup(ctx, "a", "a_data", "a_idx"); len(rows) != 1 || err != nil {
		t.Fatalf("the column: %v, %v", rows, err)
	}
	check(t, snap.ReadAt(ctx, 1, []store.Span{{Offset: mappedChunk / 2, Data: make([]byte, 8)}}))
	if n := c.statements - begun; n > 6 {
		t.Errorf("to find a column and read of it runs %d statements", n)
	}
	if n := fs.reads.Load(); n > 12 {
		t.Errorf("all of that reads %d times", n)
	}
	if c.mapping.used {
		t.Error("one read maps the file")
	}
}
