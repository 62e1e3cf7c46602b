package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"

	"columnvault/internal/store"
)

// A backup copies the file itself where it is certain that the file is the
// snapshot, and stays it until the copy is done.
//
// What writes to a file with a write-ahead log is a checkpoint, and nothing
// else: to leave the log for a journal takes a lock that no connection lets
// anybody have. If the index of the log says that all frames of the newest
// state are in the file, the file is that state: SQLite itself then reads
// without the log. A checkpoint writes frames up to the lowest mark of a reader,
// in whatever process. The mark of a reader is never higher than the last frame
// of its snapshot; one that began when all frames were in the file has a lock
// in place of a mark, which keeps checkpoints from writing at all. So once the
// file is our snapshot, nobody has a frame to write there until the snapshot
// ends, however many are added and whoever makes checkpoints of what kind. See
// https://sqlite.org/walformat.html.
//
// That the frames of our snapshot are in the file is not enough once somebody
// has committed: if that made the database shorter, a checkpoint leaves out what
// lies behind its new end. So the snapshot has to be the newest at the moment
// when its last frame is there.
//
// The snapshot comes first and a checkpoint after it, and writers wait for
// neither. If one commits meanwhile, all begins anew, with a log that is short
// by then. Where an older reader holds the log back, where commits come without
// a pause, or where the index cannot be read, the backup goes page by page.

const (
	// settleTries is how often a backup begins anew because somebody has committed.
	settleTries = 10
	// settleTime is how long it waits for the log to be moved.
	settleTime = 10 * time.Second
)

// settle puts the connection into a snapshot that is the file, if others allow
// that, and tells whether it is. Otherwise the connection is in another one.
func (s *Store) settle(ctx context.Context, c *conn) (settled bool, err error) {
	for range settleTries {
		if err := c.beginSnapshot(); err != nil || c.index == nil {
			return false, err
		}
		if settled, err := c.settled(); settled || err != nil || s.mode == modeReadOnly || s.mode == modeImmutable {
			return settled, err
		}
		if err := s.moveLog(ctx); err != nil {
			return false, err
		}
		if settled, err := c.settled(); settled || err != nil || c.current() {
			return settled, err // somebody is in the way, if it is not settled
		}
		if err := c.endSnapshot(); err != nil {
			return false, err
		}
	}
	return false, c.beginSnapshot()
}

// settled tells whether the file is the snapshot that the connection is in,
// which then is the newest. The file may be longer.
func (c *conn) settled() (bool, error) {
	_, settled, err := c.settledFile()
	return settled, err
}

// settledFile is settled, and returns the file.
func (c *conn) settledFile() (f snapshotFile, settled bool, err error) {
	if !c.stamped || !c.index.moved(c.stamp) {
		return f, false, nil
	}
	if f, err = c.snapshotFile(); err != nil {
		return f, false, err
	}
	have, err := f.Size()
	return f, err == nil && have >= f.size(), ioError(err)
}

// snapshotFile is the file of the database, and how many pages of which size, in
// bytes, it has in the snapshot.
type snapshotFile struct {
	vfs.File
	pages, pageSize int64
}

func (f *snapshotFile) size() int64 { return f.pages * f.pageSize }

// snapshotFile is that of the snapshot that the connection is in.
func (c *conn) snapshotFile() (f snapshotFile, err error) {
	if f.pages, err = c.integer(`PRAGMA page_count`); err != nil {
		return f, err
	}
	if f.pageSize, err = c.integer(`PRAGMA page_size`); err != nil {
		return f, err
	}
	f.File, err = c.mainFile()
	return f, err
}

// moveLog moves the log into the file as far as others allow. It waits for a
// move that is under way, which may have begun before the snapshot, but not
// for other processes. What stands in the way is no error: the backup can do
// without.
func (s *Store) moveLog(ctx context.Context) error {
	s.awaitBehind(ctx, settleTime)
	s.moveBehind()
	s.awaitBehind(ctx, settleTime)
	return ctx.Err()
}

// copyFile copies the file, which is the snapshot, and waits until the disk has
// the copy.
func (c *conn) copyFile(ctx context.Context, uri string, progress func(done, total int64)) error {
	from, err := c.snapshotFile()
	if err != nil {
		return err
	}
	size := from.size()
	copied, err := openConn(ctx, uri, "", maxMemory) // for its file: SQLite never looks at it
	if err != nil {
		return err
	}
	defer copied.close()
	to, err := copied.mainFile()
	if err != nil {
		return err
	}
	piece := make([]byte, min(size, backupStep))
	for done := int64(0); done < size; {
		if err := ctx.Err(); err != nil {
			return err
		}
		piece := piece[:min(size-done, backupStep)]
		if n, err := from.ReadAt(piece, done); n < len(piece) {
			if err == nil || errors.Is(err, io.EOF) {
				return fmt.Errorf("%w: the file was cut short while it was copied", store.ErrUnavailable)
			}
			return ioError(err)
		}
		if _, err := to.WriteAt(piece, done); err != nil {
			return ioError(err)
		}
		done += int64(len(piece))
		if progress != nil {
			progress(done, size)
		}
	}
	return ioError(to.Sync(vfs.SYNC_FULL))
}

// mainFile is the file of the database as SQLite has it open.
func (c *conn) mainFile() (_ vfs.File, err error) {
	defer c.guard(&err, catchFaults())
	file, err := c.db.FileControl("main", sqlite3.FCNTL_FILE_POINTER)
	if err != nil {
		return nil, wrap(err)
	}
	return file.(vfs.File), nil
}

// ioError is wrap for what a file says, which need not be one of SQLite's codes.
func ioError(err error) error {
	var code sqlite3.ErrorCode
	if err == nil || errors.As(err, &code) {
		return wrap(err)
	}
	return unavailable(err)
}
