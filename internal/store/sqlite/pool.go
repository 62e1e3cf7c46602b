package sqlite

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"

	"columnvault/internal/store"
)

// A reading connection that is given back stays in its snapshot for a moment.
// If nobody has written by the time that the next reader comes, the snapshot
// is still the newest, and the reader finds everything in place: the
// transaction, the catalog, the BLOB handles. Whether somebody has written,
// in this process or another, the header of the WAL index tells (see
// walIndex). The janitor ends such snapshots soon, because the write-ahead log
// cannot be emptied behind them.

const (
	// idleReaders is the number of connections kept for the next reader,
	// however long that takes to come. Each has a page cache.
	idleReaders = 4
	// idleTime is how often the janitor looks. A snapshot that nobody has used
	// since it looked the last time is ended.
	idleTime = 20 * time.Millisecond
)

// busyReaders is the number of connections kept while readers keep coming. As
// many as can run at a time, else they would be opened and closed all the time.
var busyReaders = max(idleReaders, runtime.GOMAXPROCS(0))

// acquire returns a connection in a snapshot of the present state; release gives
// it back. Readers never wait for others to finish.
func (s *Store) acquire(ctx context.Context) (c *conn, err error) {
	if err := s.join(); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.busy.Done()
		}
	}()
	if s.mode == modeImmutable {
		if err := s.checkImmutable(); err != nil {
			return nil, err
		}
	}
	if c, err = s.takeIdle(); err != nil {
		return nil, err
	}
	if c != nil && c.current() {
		return c, nil
	}
	if c != nil && c.endSnapshot() != nil {
		// A transaction that has met damage cannot even be ended, and that is
		// no business of this reader.
		s.discard(c)
		c = nil
	}
	if c == nil {
		c, err = s.openReader(ctx)
	}
	fits := true
	if err == nil {
		fits, err = c.beginMapped()
	}
	if err == nil && !fits {
		s.discard(c)
		if c, err = s.openReader(ctx); err == nil {
			_, err = c.beginMapped()
		}
	}
	if err == nil {
		err = s.look(c, readerLooks)
	}
	if err != nil {
		if c != nil {
			s.discard(c)
		}
		return nil, err
	}
	return c, nil
}

// join makes Close wait until the caller calls busy.Done. It refuses where the
// store is closed or has lost its file.
func (s *Store) join() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.Err() != nil {
		return store.ErrClosed
	}
	if s.lost != nil {
		return s.lost
	}
	s.busy.Add(1)
	return nil
}

// takeIdle returns an idle connection, or nil if there is none.
func (s *Store) takeIdle() (*conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.Err() != nil {
		return nil, store.ErrClosed
	}
	n := len(s.idle)
	if s.lost != nil || n == 0 {
		return nil, s.lost
	}
	c := s.idle[n-1]
	s.idle = s.idle[:n-1]
	return c, nil
}

func (s *Store) takeAllIdle() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	idle := s.idle
	s.idle = nil
	return idle
}

// release keeps the connection for the next reader. One that failed is not used
// again.
func (s *Store) release(c *conn) {
	defer s.busy.Done()
	c.recent = true
	if !s.rest(c, busyReaders) {
		s.discard(c)
	}
}

// rest is keep for a connection in a snapshot, in which it stays if that can be told
// to be the newest.
func (s *Store) rest(c *conn, most int) bool {
	keep := c.broken == nil && !c.db.GetAutocommit()
	if keep && (!c.stamped || s.draining.Load()) {
		keep = c.endSnapshot() == nil
	}
	return keep && s.keep(c, most)
}

// keep puts the connection among the idle ones, up to so many.
func (s *Store) keep(c *conn, most int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.Err() != nil || s.lost != nil || len(s.idle) >= most {
		return false
	}
	s.idle = append(s.idle, c)
	s.wakeJanitor()
	return true
}

// wakeJanitor starts the janitor if it is not about to come. The caller has
// s.mu.
func (s *Store) wakeJanitor() {
	if !s.janitor {
		s.janitor = true
		time.AfterFunc(idleTime, s.clean)
	}
}

// clean is the janitor: it ends idle snapshots that nobody uses, closes the
// connections that are too many for that, looks whether the others still have
// their files, and ends open snapshots that are too old.
func (s *Store) clean() {
	if s.join() != nil {
		return
	}
	defer s.busy.Done()
	s.mu.Lock()
	var unused []*conn
	used := s.idle[:0]
	kept := map[*conn][]held{}
	again := len(s.open) > 0
	for _, c := range s.idle {
		if !c.recent && (c.stamped || len(s.idle) > idleReaders) {
			unused = append(unused, c)
			continue
		}
		again = again || c.recent
		c.recent = false
		if c.stamped {
			kept[c] = c.files
		}
		used = append(used, c)
	}
	clear(s.idle[len(used):])
	s.idle = used
	var open []*snapshot
	for snap := range s.open {
		open = append(open, snap)
	}
	s.janitor = false
	if s.closing.Err() == nil && again {
		s.wakeJanitor()
	}
	s.mu.Unlock()
	for _, snap := range open {
		snap.endIfOld(s.opts.MaxSnapshotAge)
	}
	s.endSnapshots(unused, idleReaders)
	for c, files := range kept {
		for i := range files {
			if err := files[i].look(); err != nil {
				s.loseIdle(c, err)
				return
			}
		}
	}
}

// loseIdle is lose for a connection that was idle when the janitor came. If it is
// not any more, it may have been closed, and as the last one have taken the log
// with it.
func (s *Store) loseIdle(c *conn, why error) {
	s.mu.Lock()
	idle := slices.Contains(s.idle, c)
	s.mu.Unlock()
	if idle {
		s.lose(why)
	}
}

// endSnapshots keeps connections for the next readers, up to so many, but not
// in the snapshots that they are in.
func (s *Store) endSnapshots(conns []*conn, most int) {
	for _, c := range conns {
		if c.endSnapshot() != nil || !s.keep(c, most) {
			s.discard(c)
		}
	}
}

// beginSnapshot starts a reading transaction, and makes SQLite choose its
// snapshot now and not at the first read.
func (c *conn) beginSnapshot() error {
	if !c.wal && c.path != "" {
		if err := c.refresh(); err != nil { // makes SQLite open the files
			return err
		}
		if err := c.hold(); err != nil {
			return err
		}
	}
	c.aged, c.direct.looked = 0, false
	before, known := c.index.header()
	if err := c.run(`BEGIN`); err != nil {
		return err
	}
	if err := c.refresh(); err != nil {
		return err
	}
	c.stamp, c.stamped = c.index.header()
	c.stamped = c.stamped && known && c.stamp == before
	return nil
}

// current tells whether the snapshot that the connection is in is certain to
// be the newest.
func (c *conn) current() bool {
	if !c.stamped {
		return false
	}
	now, known := c.index.header()
	return known && now == c.stamp
}

// endSnapshot ends the transaction that the connection is in.
func (c *conn) endSnapshot() error {
	c.stamped = false
	err := c.blobs.close()
	if err == nil && c.broken == nil && !c.db.GetAutocommit() {
		err = c.run(`COMMIT`)
	}
	return err
}

// checkImmutable makes up for what SQLite does not do for a file that is said
// not to change: it looks whether the file has changed nevertheless.
func (s *Store) checkImmutable() error {
	info, err := os.Stat(s.path)
	if err != nil {
		return unavailable(err)
	}
	if hasWAL(s.path) {
		return fmt.Errorf("%w: another program has begun to write to the file", store.ErrNeedsRecovery)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen != nil && (s.seen.Size() != info.Size() || !s.seen.ModTime().Equal(info.ModTime())) {
		for _, c := range s.idle {
			c.close() // it would go on with the pages it has cached
		}
		s.idle = nil
	}
	s.seen = info
	return nil
}
