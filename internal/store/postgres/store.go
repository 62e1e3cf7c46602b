package postgres

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"columnvault/internal/report"
	"columnvault/internal/store"
)

// Options configure [Open].
type Options struct {
	// ReadOnly refuses writes, and a schema without a vault.
	ReadOnly bool
	// BusyTimeout is how long to wait for locks and connections; 0 means
	// [DefaultBusyTimeout].
	BusyTimeout time.Duration
	// MaxSnapshotAge is how long a snapshot may be open; 0 means
	// [DefaultSnapshotAge], below 0 without end.
	MaxSnapshotAge time.Duration
	// Settling is for how long the outcome of a commit is looked for whose answer
	// was lost; 0 means [DefaultSettling].
	Settling time.Duration
	// Apart has several homes never change together, as if they were on servers
	// of their own, which else is found out.
	Apart bool
	// Log is told what the caller of an operation does not hear; nil is silent.
	Log *report.Log
}

// What Options mean where they are 0.
const (
	DefaultBusyTimeout = 5 * time.Second
	DefaultSnapshotAge = time.Minute
	DefaultSettling    = 30 * time.Second
)

// Store is a vault in a schema of a PostgreSQL database.
type Store struct {
	opts  Options
	pool  *pool
	known *known
	// turn holds one token: whoever has it may write. Goroutines of one program
	// would only wait for each other on the server.
	turn chan struct{}
	// apart says that homes may be on different servers (home.go).
	apart  bool
	closed atomic.Bool
	// background are the ends of transactions that nobody waits for.
	background sync.WaitGroup

	mu        sync.Mutex
	snapshots map[*snapshot]struct{}

	commits, rollbacks, unknown, opens atomic.Int64
}

var (
	_ store.Store = (*Store)(nil)
	_ store.Meter = (*Store)(nil)

	_ store.Settler = (*Store)(nil)
)

// Open opens the vault in the schema that a DSN leads to, and creates it, and
// the schema, if there is none.
func Open(ctx context.Context, dsn string, opts Options) (*Store, error) {
	if opts.BusyTimeout == 0 {
		opts.BusyTimeout = DefaultBusyTimeout
	}
	if opts.MaxSnapshotAge == 0 {
		opts.MaxSnapshotAge = DefaultSnapshotAge
	}
	if opts.Settling == 0 {
		opts.Settling = DefaultSettling
	}
	p, err := newPool(dsn, opts)
	if err != nil {
		return nil, err
	}
	s := &Store{opts: opts, pool: p, known: newKnown(), apart: opts.Apart || p.apart, turn: make(chan struct{}, 1), snapshots: map[*snapshot]struct{}{}}
	s.turn <- struct{}{}
	p.broke = s.known.forget
	c, err := p.take(ctx)
	if err != nil {
		return nil, err
	}
	err = s.prepare(ctx, c)
	p.give(c)
	if err != nil {
		p.close()
		return nil, err
	}
	return s, nil
}

// Caps implements store.Store. Chunks begin as large as they get: bytes that
// were never written take no room.
func (s *Store) Caps() store.Caps {
	return store.Caps{MinChunk: 64 << 10, ChunkSize: 64 << 10, RunBytes: 64 << 10, MaxChunk: 64 << 20, MaxValue: largestValue, Window: window, CrossHome: !s.apart}
}

// takeTurn waits until no other goroutine writes.
func (s *Store) takeTurn(ctx context.Context) error {
	late := time.NewTimer(s.opts.BusyTimeout)
	defer late.Stop()
	select {
	case <-s.turn:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-late.C:
		return fmt.Errorf("%w: another goroutine writes", store.ErrBusy)
	}
}

// Close implements store.Store.
func (s *Store) Close() error {
	if s.closed.Load() {
		return store.ErrClosed
	}
	if err := s.takeTurn(context.Background()); err != nil {
		return err
	}
	if s.closed.Swap(true) {
		s.turn <- struct{}{}
		return store.ErrClosed
	}
	s.turn <- struct{}{}
	s.mu.Lock()
	for r := range s.snapshots {
		r.sever()
	}
	s.mu.Unlock()
	s.background.Wait()
	s.pool.close()
	return nil
}

func (s *Store) opened(r *snapshot) {
	s.opens.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.snapshots[r] = struct{}{}
}

func (s *Store) ended(r *snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.snapshots, r)
}

// Stats implements store.Meter.
func (s *Store) Stats() store.Stats {
	stats := store.Stats{Commits: s.commits.Load(), Rollbacks: s.rollbacks.Load(), Unknown: s.unknown.Load(), Snapshots: s.opens.Load()}
	s.mu.Lock()
	defer s.mu.Unlock()
	stats.SnapshotsOpen = int64(len(s.snapshots))
	for r := range s.snapshots {
		stats.OldestSnapshot = max(stats.OldestSnapshot, time.Since(r.since))
	}
	return stats
}
