package sqlite

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"columnvault/internal/report"
	"columnvault/internal/store"
	"columnvault/internal/store/sqlite/btree"
)

const (
	// shrinkBytes is how much of the file one transaction gives back: it moves
	// as much at most, and takes a tenth of a second.
	shrinkBytes = 8 << 20
	// worthVacuum is how many bytes must be free in a file without incremental
	// vacuum before it is rebuilt.
	worthVacuum = 64 << 10
)

// Shrink implements store.File. Files that keep a map of their pages' owners,
// as ours do, give pages back in small transactions. Others, as KohakuVault
// makes them, are rebuilt by one VACUUM in place, and keep such a map from then
// on. The file is never exchanged for another: all who have it open go on.
func (s *Store) Shrink(ctx context.Context, o store.ShrinkOptions) error {
	ctx, done, err := s.beginLong(ctx)
	if err != nil {
		return err
	}
	defer done()
	if s.opts.ReadOnly {
		return fmt.Errorf("%w: the vault was opened for reading only", store.ErrReadOnly)
	}
	err = s.explain(s.shrink(ctx, o))
	if s.closing.Err() != nil && ctx.Err() != nil {
		err = store.ErrClosed
	}
	return err
}

func (s *Store) shrink(ctx context.Context, o store.ShrinkOptions) error {
	// For the estimates that read the file, and so that it can become shorter.
	if _, err := s.Checkpoint(ctx, store.CheckpointPassive); err != nil {
		return err
	}
	sparse, err := s.sparseTables(ctx)
	if err != nil {
		return err
	}
	p, err := s.pages(ctx)
	if err != nil {
		return err
	}
	if p.vacuum == vacuumNone {
		// The map costs a page for every so many.
		gain := p.free - p.all*5/p.size
		if len(sparse) > 0 || gain*p.size > worthVacuum {
			err = s.vacuum(ctx, p, o)
		}
	} else {
		for _, t := range sparse {
			if err := s.repack(ctx, t); err != nil {
				return err
			}
		}
		err = s.giveBack(ctx, o)
	}
	if err != nil {
		return err
	}
	return s.cutLog(ctx)
}

// pages is how the pages of the file are used.
type pages struct {
	size, all, free int64
	vacuum          int64
}

// maxReindex and maxReindexTable are the sizes in bytes up to which an index, and
// the table that it is over, are read to write the index anew, which keeps other
// writers out all the time: for less than a second, with these. Larger ones are
// left as they are; their holes are used again by keys that are near. They are
// variables for tests.
var maxReindex, maxReindexTable = int64(32 << 20), int64(256 << 20)

// vacuumNone is the auto_vacuum of a file whose pages have no map.
const vacuumNone = 0

func (s *Store) pages(ctx context.Context) (p pages, err error) {
	err = s.inSnapshot(ctx, func(r *reader) (err error) {
		p, err = r.c.pages()
		return err
	})
	return p, err
}

// inSnapshot calls fn with a snapshot that does not end before it returns.
func (s *Store) inSnapshot(ctx context.Context, fn func(r *reader) error) error {
	opened, err := s.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer opened.Close()
	r := &opened.(*snapshot).reader
	if err := r.enter(ctx); err != nil {
		return err
	}
	defer r.leave()
	return fn(r)
}

func (c *conn) pages() (p pages, err error) {
	for _, q := range []struct {
		sql string
		to  *int64
	}{{`PRAGMA page_size`, &p.size}, {`PRAGMA page_count`, &p.all}, {`PRAGMA freelist_count`, &p.free}, {`PRAGMA auto_vacuum`, &p.vacuum}} {
		if *q.to, err = c.integer(q.sql); err != nil {
			return p, err
		}
	}
	return p, nil
}

// giveBack gives free pages back to the file system, from the end of the file.
// What lies there moves to free pages before.
func (s *Store) giveBack(ctx context.Context, o store.ShrinkOptions) error {
	for given := int64(0); ; {
		left, size := int64(0), int64(0)
		err := s.Update(ctx, func(w store.Tx) error {
			t := w.(*tx)
			before, err := t.c.pages()
			if err != nil || before.free == 0 {
				return err
			}
			n := max(1, min(before.free, shrinkBytes/before.size))
			if err := t.c.blobs.close(); err != nil {
				return err
			}
			if err := t.within(ctx, func() error { return t.c.exec(fmt.Sprintf(`PRAGMA incremental_vacuum(%d)`, n)) }); err != nil {
				return err
			}
			after, err := t.c.pages()
			size, left = after.size, after.free
			if left >= before.free {
				left = 0 // whatever that is, it does not go on like this
			}
			given += before.free - after.free
			return err
		})
		if err != nil {
			return err
		}
		if o.Progress != nil && given > 0 {
			o.Progress(given*size, (given+left)*size)
		}
		if left == 0 {
			return nil
		}
	}
}

// vacuum rebuilds the file in place. It writes the content twice: into a
// temporary file, and from there into the log.
func (s *Store) vacuum(ctx context.Context, p pages, o store.ShrinkOptions) error {
	live := (p.all - p.free) * p.size
	if err := s.checkSpace(live); err != nil {
		return err
	}
	if o.Progress != nil {
		o.Progress(0, live)
	}
	start := time.Now()
	err := s.inTurn(ctx, func() (c *conn, err error) {
		if c, err = s.writerConn(ctx); err != nil {
			return nil, err
		}
		err = c.exec(`PRAGMA auto_vacuum = INCREMENTAL`)
		if err == nil {
			err = s.vacuumNow(ctx, c, start)
		}
		if err == nil {
			err = s.look(c, 0)
		}
		return c, err
	})
	if err != nil {
		return err
	}
	if o.Progress != nil {
		o.Progress(live, live)
	}
	return nil
}

// vacuumNow is VACUUM, for whoever has the turn.
func (s *Store) vacuumNow(ctx context.Context, c *conn, start time.Time) (err error) {
	defer func() {
		c.version = 0 // rows have other numbers now
		if e := c.exec(`PRAGMA temp_store = MEMORY`); e != nil && c.broken == nil {
			c.broken = e
		}
		if err == nil {
			err = c.broken
		}
	}()
	if err := s.look(c, 0); err != nil {
		return err
	}
	if err := c.blobs.forget(); err != nil {
		return err
	}
	if err := c.exec(`PRAGMA temp_store = FILE`); err != nil {
		return err
	}
	return s.patiently(ctx, start, func() error {
		return c.within(ctx, func() error { return c.exec(`VACUUM`) })
	})
}

// rebuild is vacuumNow after a commit, which is done whatever becomes of this. A
// check finds the pages that stay.
func (s *Store) rebuild(ctx context.Context, c *conn) {
	if err := s.vacuumNow(ctx, c, time.Now()); err != nil {
		s.opts.Log.Tell(slog.LevelWarn, report.RebuildFailed, slog.Any("error", s.explain(err)))
	}
}

// checkSpace refuses to write the content of the file twice where there is no
// room for that.
func (s *Store) checkSpace(live int64) error {
	temp := filepath.Join(os.TempDir(), "columnvault")
	here, there := live, live
	if sameDisk(filepath.Dir(s.path), filepath.Dir(temp)) {
		here, there = 2*live, 0
	}
	for path, need := range map[string]int64{s.path: here, temp: there} {
		free, _, known := s.space(path)
		if known && free < uint64(need) {
			return fmt.Errorf("%w: %w: to rebuild the file takes %d free bytes in %s for a while, and there are %d",
				store.ErrUnavailable, syscall.ENOSPC, need, filepath.Dir(path), free)
		}
	}
	return nil
}

// sparseTables returns the tables of pairs that would take much less room if
// they were written anew.
func (s *Store) sparseTables(ctx context.Context) (found []sparseTable, err error) {
	err = s.inSnapshot(ctx, func(r *reader) error {
		tables, err := r.c.pairTables()
		if err != nil {
			return err
		}
		p, err := r.c.pages()
		if err != nil {
			return err
		}
		f, err := os.Open(s.path)
		if err != nil {
			return unavailable(err)
		}
		defer f.Close()
		for _, t := range tables {
			_, plain, err := r.declared(t.name)
			if err != nil {
				return err
			}
			if !plain {
				continue
			}
			var rows, keys int64
			t.rows, rows = btree.Sparse(ctx, f, p.size, p.all, t.root)
			t.keys, keys = btree.Sparse(ctx, f, p.size, p.all, t.indexRoot)
			t.keys = t.keys && keys <= maxReindex && rows <= maxReindexTable
			if t.rows || t.keys {
				found = append(found, t)
			}
		}
		return ctx.Err()
	})
	return found, err
}
