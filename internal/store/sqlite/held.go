package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"

	"columnvault/internal/report"
	"columnvault/internal/store"
)

// A connection keeps the database, the write-ahead log and the index of that
// log open. If a program deletes one of them, moves it away or puts a backup
// in its place, SQLite does not notice: it goes on with files that nobody will
// ever find again. So this package looks whether the names still stand for the
// files that are open: a write before it begins and once more after its commit,
// before anybody hears of that, a read when its snapshot begins, and the
// janitor for the snapshots in which connections rest. Reads that go on in such
// a snapshot do not look, because any system call costs more than they do: what
// they return may be as old as the janitor's two last rounds are.
//
// A store that has lost its file stays unusable. Its connections are closed
// without touching what has the names now: see conn.forsake.

const (
	// writerLooks and readerLooks are how old the last look may be when a
	// transaction begins. After a commit there is always another.
	writerLooks = time.Millisecond
	readerLooks = idleTime
)

// held is a file that a connection has open.
type held struct {
	path string
	file descriptor
	id   fileID
	// least is the size in bytes below which the file cannot be whole.
	least int64
}

// descriptor is an *os.File, inside what the driver makes of it.
type descriptor interface {
	Fd() uintptr
	Stat() (os.FileInfo, error)
	Close() error
}

// hold finds out which files the connection has open, once it has read. With
// a journal instead of a log, which only vaults for reading have, it looks
// again at the next transaction: another program may change that.
func (c *conn) hold() error {
	if c.wal || c.path == "" {
		return nil
	}
	mode := ""
	err := c.query(`PRAGMA journal_mode`, func(st *sqlite3.Stmt) { mode = st.ColumnText(0) })
	if err != nil {
		return err
	}
	c.files = nil
	main, err := c.file(sqlite3.FCNTL_FILE_POINTER)
	if err != nil {
		return err
	}
	main = unwrapped(main)
	c.holdOne("", main)
	if mode != "wal" {
		return nil
	}
	log, err := c.file(sqlite3.FCNTL_JOURNAL_POINTER)
	if err != nil {
		return err
	}
	c.holdOne("-wal", unwrapped(log))
	if main, ok := main.(vfs.FileSharedMemory); ok {
		shm := main.SharedMemory()
		c.holdOne("-shm", shm)
		if file, ok := shm.(descriptor); ok {
			c.index = openWALIndex(file)
		}
	}
	c.wal = true
	return nil
}

// file returns one of the files that SQLite has open for the connection.
func (c *conn) file(op sqlite3.FcntlOpcode) (_ any, err error) {
	defer c.guard(&err, catchFaults())
	file, err := c.db.FileControl("main", op)
	return file, wrap(err)
}

// unwrapped is the file inside of those that only pass calls on.
func unwrapped(file any) any {
	for {
		outer, ok := file.(vfs.FileUnwrap)
		if !ok {
			return file
		}
		file = outer.Unwrap()
	}
}

// holdOne adds a file, if it is one of the operating system's.
func (c *conn) holdOne(suffix string, file any) {
	if file, ok := file.(descriptor); ok {
		if id, size, ok := identity(file); ok {
			h := held{path: c.path + suffix, file: file, id: id}
			if suffix == "-shm" {
				h.least = size // it grows as long as anybody has it open
			}
			c.files = append(c.files, h)
		}
	}
}

// look returns ErrReplaced if the connection's files are no longer those that
// have their names.
func (c *conn) look() error {
	for i := range c.files {
		if err := c.files[i].look(); err != nil {
			return err
		}
	}
	c.looked = time.Now()
	return nil
}

func (h *held) look() error {
	id, size, err := identityAt(h.path)
	name := filepath.Base(h.path)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("%w: %s was deleted or moved away while the vault was open", store.ErrReplaced, name)
	case err != nil:
		return nil // a directory that may not be read any more, say: there is no telling
	case id != h.id && !h.is(id):
		return h.replaced()
	case size < h.least:
		return fmt.Errorf("%w: %s was cut short while the vault was open", store.ErrReplaced, name)
	}
	return nil
}

func (h *held) replaced() error {
	return fmt.Errorf("%w: another file took the place of %s while the vault was open", store.ErrReplaced, filepath.Base(h.path))
}

// is asks the open file for its identity once more, for file systems that
// change it.
func (h *held) is(id fileID) bool {
	now, _, ok := identity(h.file)
	return !ok || now == id
}

// forsake makes closing the connection leave all files alone. Otherwise the
// last connection to a database moves its log, and deletes what has the name
// of that log.
func (c *conn) forsake() {
	var err error
	defer c.guard(&err, catchFaults())
	if c.db != nil {
		c.db.Config(sqlite3.DBCONFIG_NO_CKPT_ON_CLOSE, true)
	}
}

// look is conn.look, unless the connection has looked so short a time ago. It
// makes the store unusable if the file was lost.
func (s *Store) look(c *conn, age time.Duration) error {
	if age > 0 && time.Since(c.looked) < age {
		return nil
	}
	err := c.look()
	if err == nil {
		err = s.sameFile(c)
	}
	if err != nil {
		s.lose(err)
	}
	return err
}

// sameFile refuses a connection that was opened when the file had been
// replaced already.
func (s *Store) sameFile(c *conn) error {
	if len(c.files) == 0 || c.files[0].path != s.path {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == (fileID{}) {
		s.file = c.files[0].id
	}
	if s.file != c.files[0].id {
		return c.files[0].replaced()
	}
	return nil
}

// lose makes the store unusable.
func (s *Store) lose(why error) {
	s.mu.Lock()
	first := s.lost == nil
	if first {
		s.lost = why
	}
	s.mu.Unlock()
	s.dropIdle()
	if first {
		s.opts.Log.Tell(slog.LevelError, report.FileReplaced, slog.Any("error", why))
	}
}

// whole returns why the store can no longer be used, if so.
func (s *Store) whole() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lost
}

// discard closes a connection.
func (s *Store) discard(c *conn) {
	if errors.Is(c.broken, store.ErrReplaced) {
		s.lose(c.broken)
	}
	if s.whole() != nil {
		c.forsake()
	}
	c.close()
}
