package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/ncruces/go-sqlite3"

	"columnvault/internal/store"
)

// backupStep is how many bytes a backup copies before it looks at its ctx.
// More at once are slower: they pass through two page caches.
const backupStep = 512 << 10

// Backup implements store.File. It copies from a connection that stays in one
// snapshot, so it does not begin again when others write: the file itself where
// that is the snapshot (filecopy.go), else page by page with SQLite's backup
// API. The snapshot is not known to the janitor, so it may take longer than
// MaxSnapshotAge; the log grows meanwhile.
func (s *Store) Backup(ctx context.Context, path string, o store.BackupOptions) error {
	ctx, done, err := s.beginLong(ctx)
	if err != nil {
		return err
	}
	defer done()
	s.copying.Add(1)
	defer s.copying.Add(-1)
	target, err := s.newTarget(path, o.Replace)
	if err != nil {
		return err
	}
	defer target.work.End()
	err = s.backup(ctx, target, o)
	if s.closing.Err() != nil && ctx.Err() != nil {
		err = store.ErrClosed
	}
	return err
}

// beginLong begins work that Close ends: it makes Close wait until done has been
// called, and ends the ctx when Close begins.
func (s *Store) beginLong(ctx context.Context) (_ context.Context, done func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	if err := s.join(); err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(s.closing, cancel)
	return ctx, func() {
		stop()
		cancel()
		s.busy.Done()
	}, nil
}

func (s *Store) backup(ctx context.Context, target *target, o store.BackupOptions) error {
	if err := s.copyTo(ctx, target.work.Path(), o.Progress); err != nil {
		return s.explainAt(target.work.Path(), err)
	}
	if o.Check != nil {
		if err := s.checkCopy(ctx, target.work.Path(), o.Check); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return target.publish()
}

// copyTo copies one state of the database into an empty file.
func (s *Store) copyTo(ctx context.Context, path string, progress func(done, total int64)) error {
	if s.mode == modeImmutable {
		if err := s.checkImmutable(); err != nil {
			return err
		}
	}
	var c *conn
	settled := false
	err := s.patiently(ctx, time.Now(), func() (err error) {
		if c == nil {
			c, err = s.openReader(ctx)
		}
		if err == nil {
			settled, err = s.settle(ctx, c)
		}
		if err != nil && c != nil {
			s.discard(c)
			c = nil
		}
		return err
	})
	if c != nil {
		defer s.discard(c)
	}
	if err == nil {
		err = s.look(c, 0)
	}
	if err == nil {
		copying := c.backup
		if settled {
			copying = c.copyFile
		}
		err = copying(ctx, uri(path, modeReadWrite, s.opts.VFS), progress)
	}
	if err == nil {
		err = s.look(c, 0) // or else the copy is of a file that nobody has any more
	}
	return err
}

// backup copies the snapshot that the connection is in. What it has written is
// on the disk when it returns.
func (c *conn) backup(ctx context.Context, uri string, progress func(done, total int64)) (err error) {
	size, err := c.integer(`PRAGMA page_size`)
	if err != nil {
		return err
	}
	b, err := c.beginBackup(uri)
	if err != nil {
		return err
	}
	defer func() {
		if e := c.endBackup(b); err == nil {
			err = e
		}
	}()
	for done := false; !done; {
		if err := ctx.Err(); err != nil {
			return err
		}
		if done, err = c.stepBackup(b, int(max(1, backupStep/size))); err != nil {
			return err
		}
		if progress != nil {
			pages := int64(b.PageCount())
			progress((pages-int64(b.Remaining()))*size, pages*size)
		}
	}
	return nil
}

func (c *conn) beginBackup(uri string) (b *sqlite3.Backup, err error) {
	defer c.guard(&err, catchFaults())
	b, err = c.db.BackupInit("main", uri)
	return b, wrap(err)
}

func (c *conn) stepBackup(b *sqlite3.Backup, pages int) (done bool, err error) {
	defer c.guard(&err, catchFaults())
	done, err = b.Step(pages)
	return done, wrap(err)
}

// endBackup undoes what was written if that is not all.
func (c *conn) endBackup(b *sqlite3.Backup) (err error) {
	defer c.guard(&err, catchFaults())
	if c.broken != nil {
		return nil
	}
	return wrap(b.Close())
}

// checkCopy opens the copy without the files that SQLite keeps beside a
// database: nobody else knows of it.
func (s *Store) checkCopy(ctx context.Context, path string, check func(context.Context, store.Store) error) error {
	opts := s.opts
	opts.ReadOnly = true
	copied := newStore(path, opts)
	copied.mode = modeImmutable
	if err := copied.tryReader(ctx); err != nil {
		return fmt.Errorf("the copy cannot be opened: %w", err)
	}
	defer copied.Close()
	return check(ctx, copied)
}
