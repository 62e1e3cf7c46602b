package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"

	"columnvault/internal/store"
)

// A backup copies the file itself where it is certain that the file is the
// snapshot, and stays it until the copy is done.
//
// What writes to a file with a write-ahead log is a checkpoint, and nothing
// else: to leave the log for a journal takes a lock that no connection lets
// anybody have. A checkpoint writes frames of the log, the oldest first, up to
// the lowest mark of a reader, in whatever process, and says in the index of the
// log how many it has written once they are all there. The mark of a reader is
// never higher than the last frame of its snapshot; one whose snapshot is wholly
// in the file may have a lock in place of a mark, which keeps checkpoints from
// writing at all. So as soon as the index says that the frames of our snapshot
// are in the file, all of them and no others are, and that is so until the
// snapshot ends, however many are added and whoever makes checkpoints of what
// kind. The log cannot begin anew before that either, or else, behind the lock,
// what is in the new one stays there. See https://sqlite.org/walformat.html.
//
// So the snapshot comes first and a checkpoint after it, and writers need not
// wait for either. Where an older reader holds the log back, another checkpoint
// is under way, or the index cannot be read, the backup goes page by page.

// settle makes the file the snapshot that the connection is in, if others allow
// that, and tells whether it is.
func (s *Store) settle(ctx context.Context, c *conn) (bool, error) {
	if settled, err := c.settled(); settled || err != nil || !c.stamped || s.mode == modeReadOnly {
		return settled, err
	}
	if err := s.moveLog(ctx); err != nil {
		return false, err
	}
	return c.settled()
}

// settled tells whether the file is the snapshot that the connection is in. The
// file may be longer.
func (c *conn) settled() (bool, error) {
	if !c.stamped || !c.index.moved(c.stamp) {
		return false, nil
	}
	size, err := c.snapshotSize()
	if err != nil {
		return false, err
	}
	file, err := c.mainFile()
	if err != nil {
		return false, err
	}
	have, err := file.Size()
	return have >= size, ioError(err)
}

// snapshotSize is the size in bytes of the database in the snapshot.
func (c *conn) snapshotSize() (int64, error) {
	pages, err := c.integer(`PRAGMA page_count`)
	if err != nil {
		return 0, err
	}
	size, err := c.integer(`PRAGMA page_size`)
	return pages * size, err
}

// moveLog moves the log into the file as far as others allow, without waiting
// for anybody. Its connection is its own, because the writer may be in a
// transaction. What stands in the way is no error: the backup can do without.
func (s *Store) moveLog(ctx context.Context) error {
	s.endIdle()
	c, err := s.connect(ctx, modeReadWrite, s.pragmas())
	if err != nil {
		return ctx.Err()
	}
	s.long.Add(1) // it may outlive the backup
	return detached(ctx, func() error {
		defer s.long.Done()
		defer s.discard(c)
		if c.refresh() == nil { // makes SQLite open the log
			s.countCheckpoint(c.checkpoint(store.CheckpointPassive))
		}
		return nil
	}, func(error) {})
}

// copyFile copies the file, which is the snapshot, and waits until the disk has
// the copy.
func (c *conn) copyFile(ctx context.Context, uri string, progress func(done, total int64)) error {
	size, err := c.snapshotSize()
	if err != nil {
		return err
	}
	from, err := c.mainFile()
	if err != nil {
		return err
	}
	copied, err := openConn(ctx, uri, "") // for its file: SQLite never looks at it
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
