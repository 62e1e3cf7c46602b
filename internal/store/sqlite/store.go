package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ncruces/go-sqlite3"

	"columnvault/internal/report"
	"columnvault/internal/store"
)

// Options configure a Store. The zero value of each field means its default.
type Options struct {
	// ReadOnly opens an existing file without writing to it.
	ReadOnly bool
	// AddToDatabase lets Open make a vault of a database of another program.
	AddToDatabase bool
	// PageSize is the page size in bytes of a new file.
	PageSize int
	// PageCacheBytes is the size of each connection's page cache.
	PageCacheBytes int64
	// MapBytes is how much of the file readers map: 0 for the default, negative
	// for nothing.
	MapBytes int64
	// BusyTimeout is how long a writer waits for others.
	BusyTimeout time.Duration
	// MaxSnapshotAge is how long a snapshot may be open while others write;
	// negative means for ever.
	MaxSnapshotAge time.Duration
	// FullSync makes every commit wait until the disk has it.
	FullSync bool
	// Log is told what an operator must know; nil is silent.
	Log *report.Log
	// VFS is the name of the file system to use, for tests.
	VFS string
}

const (
	defaultPageSize   = 8 << 10
	defaultCacheBytes = 16 << 20
	// DefaultBusyTimeout is what Options.BusyTimeout is unless it is set.
	DefaultBusyTimeout = 5 * time.Second
	defaultSnapshotAge = time.Minute

	// checkpointPages is the number of pages in the write-ahead log from which
	// on they are moved into the file, behind the commits that come then. With
	// twice as many, a commit makes the log begin anew, and waits for that.
	checkpointPages = 4000
	// drainTime is how long a commit waits for readers to leave a log that has
	// twice that length. Longer ones are waited for longer; see drain.
	drainTime = 100 * time.Millisecond
	// walLimit is the size in bytes that the write-ahead log is cut down to
	// after a checkpoint has emptied it.
	walLimit = 64 << 20
	// maxChunk is what the engine can assemble in its memory, in more than one
	// copy.
	maxChunk = 400 << 20
	// SQLite ends a row at 1,000,000,000 bytes, key and header included.
	maxValue = 1_000_000_000 - 64
)

// Store is a SQLite file. It implements store.Store.
type Store struct {
	path    string
	opts    Options
	mode    mode
	closing context.Context // done once Close has begun
	shut    context.CancelFunc

	// turn holds one token: whoever has it may use writer.
	turn   chan struct{}
	writer *conn

	// draining says that readers shall not stay in their snapshots, because
	// the log waits for them.
	draining atomic.Bool
	// copying is how many backups are being made.
	copying atomic.Int32
	// busy is what Close waits for: all who have a connection. The writer's is
	// closed after theirs, because of two that are closed at once neither is the
	// last to SQLite, and the log stays.
	busy sync.WaitGroup

	mu   sync.Mutex
	idle []*conn
	open map[*snapshot]struct{}
	// janitor says that the janitor is about to come.
	janitor bool
	// seen is how an immutable file looked the last time.
	seen os.FileInfo
	// watch is the connection of version.
	watch struct {
		sync.Mutex
		c *conn
	}
	// space is freeSpace, but in tests.
	space func(path string) (bytes uint64, inodes, known bool)
	// overQuota is the function of that name, but in tests.
	overQuota func(path string) bool
	// pageSize is that of the file, in bytes, once it has been opened for writing.
	pageSize atomic.Int64
	// file is the one that the store was opened with. lost says why the store
	// cannot be used any more.
	file fileID
	lost error

	counters counters
	// behind is closed when the log has been moved that is being moved behind
	// commits; else it is nil. s.mu guards it.
	behind chan struct{}
	// log is how far the log has been moved.
	log struct {
		sync.Mutex
		begun, moved int64 // how often it began anew; the pages of it that are in the file
	}
	// longLog is the size in bytes from which on the log is worth a report. It
	// belongs to whoever has the turn.
	longLog int64
}

var _ store.Store = (*Store)(nil)

// Open opens the file at path, and creates it unless that is forbidden. When ctx
// ends it returns at once; what SQLite is doing then comes to its end, and the
// file is closed.
func Open(ctx context.Context, path string, opts Options) (*Store, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if opts.PageSize == 0 {
		opts.PageSize = defaultPageSize
	}
	if opts.PageCacheBytes == 0 {
		opts.PageCacheBytes = defaultCacheBytes
	}
	if opts.BusyTimeout == 0 {
		opts.BusyTimeout = DefaultBusyTimeout
	}
	if opts.MaxSnapshotAge == 0 {
		opts.MaxSnapshotAge = defaultSnapshotAge
	}
	path, err := resolve(path)
	if err != nil {
		return nil, err
	}
	if err := checkPath(path); err != nil {
		return nil, err
	}
	found, err := inspect(path, opts.ReadOnly)
	if err == nil {
		err = inspectBeside(path)
	}
	if err != nil {
		return nil, err
	}
	if !found.exists && opts.ReadOnly {
		if _, err := os.Stat(path); err == nil {
			return nil, fmt.Errorf("%w: the file is empty", store.ErrNotVault)
		}
		return nil, fmt.Errorf("%w: there is no such file, and read-only creates none", store.ErrNotFound)
	}
	s := newStore(path, opts)
	err = detached(ctx, func() error { return s.start(ctx, found) }, func(err error) {
		if err == nil {
			s.Close()
		}
	})
	if err != nil {
		return nil, s.explain(err)
	}
	return s, nil
}

// start opens the connections that the store begins with.
func (s *Store) start(ctx context.Context, found inspected) (err error) {
	switch {
	case s.opts.ReadOnly:
		return s.openReadOnly(ctx)
	case found.writable && found.log && s.openWhole(ctx):
		return nil
	}
	s.mode = modeCreate
	s.writer, err = s.openWriter(ctx)
	return err
}

// openWhole opens a file that is a vault already, and has a log, with a connection
// for reading, and leaves the one for writing to the first write. The result is
// false if there is anything to be done to the file, or wrong with it. The
// connection rests in its snapshot, for the first reader.
func (s *Store) openWhole(ctx context.Context) bool {
	s.mode = modeReadWrite
	makeBeside(s.path)
	c, err := s.connectReader(ctx)
	if err != nil {
		return false
	}
	complete := false
	if err = c.hold(); err == nil {
		_, err = c.beginMapped()
	}
	if err == nil {
		_, complete, err = identify(c)
	}
	if err == nil && c.wal && complete && s.look(c, 0) == nil && s.rest(c, idleReaders) {
		return true
	}
	c.close()
	return false
}

// newStore is a store that has not opened its file yet.
func newStore(path string, opts Options) *Store {
	s := &Store{path: path, opts: opts, turn: make(chan struct{}, 1), open: map[*snapshot]struct{}{}, space: freeSpace,
		overQuota: overQuota, longLog: walLimit}
	s.closing, s.shut = context.WithCancel(context.Background())
	s.turn <- struct{}{}
	return s
}

// resolve makes a path absolute and follows links, as SQLite does: the log lies
// beside the file and not beside a link to it.
func resolve(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real, nil
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return path, nil // SQLite will say what is wrong with it
	}
	return filepath.Join(dir, filepath.Base(path)), nil
}

// openWriter opens the writing connection and makes the file a vault.
func (s *Store) openWriter(ctx context.Context) (*conn, error) {
	var c *conn
	// Creating, switching the journal and closing take the whole file for a
	// moment, and another process may be doing that.
	err := s.patiently(ctx, time.Now(), func() (err error) {
		if c == nil {
			makeLog(s.path)
			c, err = openConn(ctx, uri(s.path, s.mode, gathering(s.opts.VFS)), s.pragmas(), maxMemory)
		}
		if err == nil {
			err = s.prepare(ctx, c)
		}
		return err
	})
	if err != nil {
		if c != nil {
			c.close()
		}
		return nil, err
	}
	c.path = s.path
	err = c.hold()
	if err == nil {
		err = s.look(c, 0)
	}
	if err == nil {
		err = c.gatherCommits()
	}
	if err == nil {
		c.pageSize, err = c.integer(`PRAGMA page_size`)
		s.pageSize.Store(c.pageSize)
	}
	if err == nil {
		s.countPages(c)
	}
	if err != nil {
		s.discard(c)
		return nil, err
	}
	// SQLite's own checkpoint is a part of COMMIT, which then fails if the
	// checkpoint does, although the transaction is committed.
	c.checkpointAt = checkpointPages
	c.db.WALHook(func(_ *sqlite3.Conn, _ string, pages int) error {
		if pages < c.logPages { // the log has begun anew
			c.checkpointAt, s.longLog = checkpointPages, walLimit
			s.logBegins()
		}
		c.logPages = pages
		return nil
	})
	return c, nil
}

func (s *Store) prepare(ctx context.Context, c *conn) error {
	blank, complete, err := identify(c)
	if errors.Is(err, errForeign) && s.opts.AddToDatabase {
		err = checkClashes(c)
	}
	if err != nil {
		return err
	}
	if blank {
		// Both take effect only before the first table is made.
		// Incremental vacuum makes SQLite keep a map of page owners, which is
		// also how it finds the middle of a chunk without reading what is
		// before it.
		if err := c.exec(fmt.Sprintf(`PRAGMA page_size = %d; PRAGMA auto_vacuum = INCREMENTAL`, s.opts.PageSize)); err != nil {
			return err
		}
	}
	makeBeside(s.path) // the file may have had no log
	if err := c.exec(`PRAGMA journal_mode = WAL`); err != nil {
		return err
	}
	if complete {
		return nil
	}
	return createTables(ctx, c)
}

// openReadOnly finds the way in which the file can be read: beside a writer if
// the disk lets SQLite keep its lock files, else as a file that nobody writes.
func (s *Store) openReadOnly(ctx context.Context) error {
	s.mode = modeReadOnly
	err := s.patiently(ctx, time.Now(), func() error { return s.tryReader(ctx) })
	if !errors.Is(err, store.ErrUnavailable) && !errors.Is(err, store.ErrReadOnly) {
		return err
	}
	if hasWAL(s.path) {
		return fmt.Errorf("%w: a write-ahead log is left beside the file and cannot be read here; open the vault once for writing, where that is possible: %w",
			store.ErrNeedsRecovery, err)
	}
	s.mode = modeImmutable
	return s.tryReader(ctx)
}

func (s *Store) tryReader(ctx context.Context) error {
	c, err := s.openReader(ctx)
	if err != nil {
		return err
	}
	blank, _, err := identify(c)
	if err == nil && blank {
		err = fmt.Errorf("%w: it is an empty database", store.ErrNotVault)
	}
	if err == nil {
		err = c.hold()
	}
	if err == nil {
		err = s.look(c, 0)
	}
	if err != nil || !s.keep(c, idleReaders) {
		c.close()
	}
	return err
}

// openReader opens a connection for reading.
func (s *Store) openReader(ctx context.Context) (*conn, error) {
	if s.mode != modeImmutable {
		makeLog(s.path)
	}
	return s.connectReader(ctx)
}

// connectReader is openReader where the files beside the database have been made.
func (s *Store) connectReader(ctx context.Context) (*conn, error) {
	m := s.mode
	if m == modeCreate {
		m = modeReadWrite
	}
	most := s.mostMapped()
	c, err := openConn(ctx, uri(s.path, m, s.opts.VFS), s.pragmas()+`; PRAGMA query_only = ON`, maxMemory+most)
	if err != nil {
		return nil, err
	}
	c.mapping.most = most
	if s.mode != modeImmutable {
		c.path = s.path
	}
	return c, nil
}

func (s *Store) pragmas() string {
	sync := "NORMAL"
	if s.opts.FullSync {
		// On macOS a sync alone leaves the bytes in the cache of the disk.
		sync = "FULL; PRAGMA fullfsync = ON"
	}
	return fmt.Sprintf(`PRAGMA synchronous = %s; PRAGMA checkpoint_fullfsync = ON; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;
		PRAGMA cache_size = -%d; PRAGMA journal_size_limit = %d`, sync, s.opts.PageCacheBytes>>10, walLimit)
}

// Close implements store.Store. It waits for the running transaction, ends
// snapshots, and moves what the write-ahead log holds into the file, as far as
// that goes without waiting for other processes.
func (s *Store) Close() error {
	if err := s.takeTurn(context.Background()); err != nil {
		return err
	}
	// The turn is not given back: there is no next.
	s.mu.Lock()
	s.shut()
	open := s.open
	s.open = map[*snapshot]struct{}{}
	s.mu.Unlock()
	for snap := range open {
		snap.end(store.ErrClosed)
	}
	s.busy.Wait()
	s.watch.Lock()
	if s.watch.c != nil {
		s.discard(s.watch.c)
	}
	s.watch.Unlock()
	if s.writer != nil {
		s.look(s.writer, 0)
	}
	idle := s.takeAllIdle()
	for _, c := range idle {
		s.look(c, 0) // all of them first: the last to be closed takes the log with it
	}
	for _, c := range idle {
		s.discard(c)
	}
	if s.writer == nil {
		return s.whole()
	}
	defer s.discard(s.writer)
	if err := s.whole(); err != nil {
		return err
	}
	// SQLite does all of this by itself for the last connection to a file.
	done, err := s.checkpoint(s.writer, store.CheckpointPassive)
	if err == nil {
		done, err = s.checkpoint(s.writer, store.CheckpointTruncate)
	}
	s.countCheckpoint(done, err)
	if err == nil || errors.Is(err, store.ErrBusy) {
		return nil
	}
	return fmt.Errorf("the file is closed and nothing is lost, but the write-ahead log stays beside it until the next time that it is opened: %w", s.explain(err))
}

// dropIdle closes the connections that wait for the next reader.
func (s *Store) dropIdle() {
	for _, c := range s.takeAllIdle() {
		s.discard(c)
	}
}

// Caps implements store.Store.
func (s *Store) Caps() store.Caps {
	return store.Caps{MinChunk: 4 << 10, ChunkSize: 1 << 20, RunBytes: runBytes(cmp.Or(s.pageSize.Load(), defaultPageSize)), MaxChunk: maxChunk, MaxValue: maxValue, Window: 1 << 20, CrossHome: true}
}

// patiently repeats try while others hold what it needs. It waits in Go, so
// that ctx ends the wait, and until BusyTimeout has passed since start.
func (s *Store) patiently(ctx context.Context, start time.Time, try func() error) error {
	const longest = 5 * time.Millisecond
	delay := 50 * time.Microsecond
	for {
		err := try()
		if !errors.Is(err, store.ErrBusy) {
			return err
		}
		waited := time.Since(start)
		if waited >= s.opts.BusyTimeout {
			return fmt.Errorf("%w after %v: another process is writing", err, waited.Round(time.Millisecond))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.closing.Done():
			return store.ErrClosed
		case <-time.After(delay):
		}
		delay = min(2*delay, longest)
	}
}
