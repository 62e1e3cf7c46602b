package sqlite

import (
	"encoding/binary"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"
)

// SQLite writes each page of a commit to the log in two calls, first the 24 bytes
// of its frame's header and then the page. The file of the log that a writer has
// gathers the frames of a commit and writes them in one call, at most some 64 KiB
// at a time. It does so in COMMIT alone, and only from the first frame of the
// transaction to the page of the last, whose header says that it is the last: that
// page's write is the write of them all, and its error is theirs.
//
// Nobody can tell the difference, because of what SQLite does in that time:
//
//   - It writes the frames one after the other, from the end of the log on, in one
//     function that calls the file for nothing else. What comes all the same, a
//     read say, comes after what is held, and the rest of the commit is written
//     as SQLite writes it.
//   - It has the lock of writers. Others read frames that the index of the log
//     counts, and the index counts them after the last write has succeeded. To
//     read more, to recover the log or begin it anew, takes that lock.
//   - Frames that a transaction has written before its commit, because it has
//     outgrown the page cache, were written when SQLite wrote them. Theirs is
//     the danger in holding anything back: after a ROLLBACK others may write to
//     the same place, and nothing that this file could see happens before. In
//     COMMIT only auto_vacuum = FULL writes such frames; see gatherCommits.
//   - Where a page is in such a frame already, the commit writes it there, and in
//     the end reads and writes all headers from there on again, of which the very
//     last call to the file is one. That is after the page of the last frame, when
//     nothing is gathered any more. So are the frames that fill up a sector, and
//     the sync.
//   - Of a write that fails, or that the power or a kill ends, a part may be in
//     the file, as of many writes. Frames count up to the last one that says it is
//     that of a commit, and which is whole, as all before it.
//
// So between two calls of SQLite nothing is ever held but by a COMMIT that runs.
// If that fails or panics half-way, what is held is forgotten: no frame counts
// without the last.

// logFile is the write-ahead log as a writer has it open.
type logFile struct {
	vfs.File
	// gathering says that COMMIT runs, and has not got to the end of its frames.
	gathering bool
	// held are whole frames, and with inFrame a header at their end. They belong
	// at at.
	held    []byte
	at      int64
	inFrame bool
	last    bool // the frame that was begun last is that of the commit
}

// enoughHeld is from how many bytes on they are written without waiting for more.
const enoughHeld = 64 << 10

// gather begins to hold frames back. COMMIT follows, and gathered.
func (f *logFile) gather() {
	if f != nil {
		f.gathering = true
	}
}

// gathered ends what gather has begun. What is held is of a commit that failed.
func (f *logFile) gathered() {
	if f != nil {
		f.gathering, f.inFrame, f.held = false, false, f.held[:0]
	}
}

// WriteAt implements [vfs.File].
func (f *logFile) WriteAt(p []byte, off int64) (int, error) {
	header := len(p) == frameHeader
	switch {
	case !f.gathering || len(f.held) == 0 && !header: // the header of the log, or a page in its older frame
		return f.File.WriteAt(p, off)
	case len(f.held) > 0 && (header == f.inFrame || off != f.at+int64(len(f.held))):
		if err := f.settle(); err != nil {
			return 0, err
		}
		return f.File.WriteAt(p, off)
	}
	if header {
		if len(f.held) >= enoughHeld {
			if err := f.write(); err != nil {
				return 0, err
			}
		}
		if len(f.held) == 0 {
			f.at = off
		}
		f.last = binary.BigEndian.Uint32(p[4:]) != 0 // the size of the database after the commit
	}
	f.held = append(f.held, p...)
	f.inFrame = header
	if f.last && !header {
		return len(p), f.settle()
	}
	return len(p), nil
}

// settle writes out what is held, and nothing more is until the next commit.
func (f *logFile) settle() error {
	if len(f.held) == 0 {
		return nil
	}
	f.gathering, f.inFrame = false, false
	return f.write()
}

// write writes out what is held. If that fails, so does the commit, and what was
// held is forgotten.
func (f *logFile) write() error {
	held := f.held
	f.held = held[:0]
	_, err := f.File.WriteAt(held, f.at)
	return err
}

// ReadAt implements [vfs.File].
func (f *logFile) ReadAt(p []byte, off int64) (int, error) {
	if err := f.settle(); err != nil {
		return 0, err
	}
	return f.File.ReadAt(p, off)
}

// Truncate implements [vfs.File].
func (f *logFile) Truncate(size int64) error {
	if err := f.settle(); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

// Sync implements [vfs.File].
func (f *logFile) Sync(flags vfs.SyncFlag) error {
	if err := f.settle(); err != nil {
		return err
	}
	return f.File.Sync(flags)
}

// Size implements [vfs.File].
func (f *logFile) Size() (int64, error) {
	if err := f.settle(); err != nil {
		return 0, err
	}
	return f.File.Size()
}

// Unwrap implements [vfs.FileUnwrap].
func (f *logFile) Unwrap() vfs.File { return f.File }

// logFS is a file system on which the log is a logFile. All else, and so each file
// that is read, is as it was.
type logFS struct{ vfs.VFSFilename }

// gathering returns the name of a logFS over the file system of a name.
func gathering(name string) string {
	fs, ok := vfs.Find(name).(vfs.VFSFilename)
	if !ok {
		return name // SQLite will say what is wrong with it
	}
	over := "columnvault"
	if name != "" {
		over += "-" + name
	}
	vfs.Register(over, logFS{fs})
	return over
}

// OpenFilename implements [vfs.VFSFilename].
func (fs logFS) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := fs.VFSFilename.OpenFilename(name, flags)
	if err == nil && flags&vfs.OPEN_WAL != 0 {
		f = &logFile{File: f}
	}
	return f, flags, err
}

// gatherCommits makes the writer's commits gather their frames. With auto_vacuum =
// FULL, COMMIT begins with moving pages to other places and may write some of them
// to make room. Such a commit is written as SQLite writes it. Vaults are made with
// INCREMENTAL, but anybody can change that.
func (c *conn) gatherCommits() error {
	if !c.wal {
		return nil
	}
	log, err := c.file(sqlite3.FCNTL_JOURNAL_POINTER)
	if err != nil {
		return err
	}
	c.log, _ = log.(*logFile)
	return wrap(c.db.AutoVacuumPages(func(_ string, _, free, _ uint) uint {
		c.log.gathered()
		return free
	}))
}

// commit runs COMMIT.
func (c *conn) commit() error {
	c.log.gather()
	defer c.log.gathered()
	return c.run(`COMMIT`)
}
