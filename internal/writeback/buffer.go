package writeback

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"columnvault/internal/catalog"
)

var (
	// ErrFlushPaused is returned when something would have to be written while
	// flushing is paused.
	ErrFlushPaused = errors.New("flushing is paused")
	// ErrCacheFull is returned when a cache has no room and may not be flushed.
	ErrCacheFull = errors.New("cache full")
)

// Buffer is what a vault has accepted and not yet written. It is safe for
// concurrent use.
type Buffer struct {
	// flush writes everything that is held. It returns how much it wrote, even
	// with an error, which is then about what it could not write.
	flush func(ctx context.Context) (written int, err error)
	// apart says that a transaction writes to one home alone.
	apart bool

	// turn belongs to the flush that writes what is held, from the moment it
	// takes it until it has left memory.
	turn chan struct{}
	// gate is shut by a flush from before its commit until what it wrote has
	// left memory.
	gate sync.RWMutex
	// holds says that something is held, cached that there is a cache, for a
	// look without the lock.
	holds, cached atomic.Bool

	mu sync.Mutex
	// columns are the names that have been opened.
	columns map[string]*Column
	// rows are the columns that elements are held for.
	rows   map[catalog.ID]*rows
	tables map[string]*table
	// count is the number of elements and pairs that are held, bytes what they
	// take in memory, about.
	count, bytes int
	// generation changes whenever a column of this vault gets another name or
	// goes: what was looked up before may no longer be true.
	generation uint64
	// whole is where the cache of the vault lies.
	whole slot
	// caches holds those that are in force.
	caches map[*Cache]struct{}
	pauses int
	// writers counts the flushes under way: nobody else need start one.
	writers int
	// blind counts those of them that have begun to write while nothing was or
	// could be held: they do not shut the gate. Until they have ended, nothing is
	// held: it would come after what they write, and readers see it before.
	blind int
	// failed is the error of a flush that nobody waited for, until somebody is
	// told or a flush succeeds.
	failed error
	closed bool
}

// New returns an empty buffer. flush is called, without any lock, when a cache
// is full or holds something for too long; see [Buffer.Begin] for what it does,
// and [Buffer.BeginHome] for vaults in which homes are apart.
func New(apart bool, flush func(ctx context.Context) (written int, err error)) *Buffer {
	return &Buffer{
		flush:   flush,
		apart:   apart,
		turn:    make(chan struct{}, 1),
		columns: map[string]*Column{},
		rows:    map[catalog.ID]*rows{},
		tables:  map[string]*table{},
		caches:  map[*Cache]struct{}{},
	}
}

// Column returns the buffer's side of a column's name. It is the same for every
// handle of the column.
func (b *Buffer) Column(name string) *Column {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.column(name)
}

func (b *Buffer) column(name string) *Column {
	c := b.columns[name]
	if c == nil {
		c = &Column{b: b, name: name}
		b.columns[name] = c
	}
	return c
}

// Holds tells whether anything is held.
func (b *Buffer) Holds() bool { return b.holds.Load() }

// Held returns how many elements and pairs are held, and the bytes that they
// take in memory, about.
func (b *Buffer) Held() (count, bytes int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.count, b.bytes
}

// Names returns the columns and tables that something is held for, in order.
func (b *Buffer) Names() (names []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.rows {
		names = append(names, r.of.name)
	}
	for _, t := range b.tables {
		if t.pairs.Len() > 0 {
			names = append(names, t.name)
		}
	}
	slices.Sort(names)
	return names
}

// Homes returns the homes that something is held for, in order.
func (b *Buffer) Homes() (homes []int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.rows {
		homes = append(homes, r.Home)
	}
	for _, t := range b.tables {
		if t.pairs.Len() > 0 {
			homes = append(homes, t.home)
		}
	}
	slices.Sort(homes)
	return slices.Compact(homes)
}

// active tells whether something is held or may be, because there is a cache.
func (b *Buffer) active() bool { return b.cached.Load() || b.holds.Load() }

// Pause keeps everything that is held from being written until resume is
// called. Pauses nest, and a resume may be called twice.
func (b *Buffer) Pause() (resume func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pauses++
	return sync.OnceFunc(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.pauses--
	})
}

// SetClosed ends, or begins again, the acceptance of elements and pairs.
func (b *Buffer) SetClosed(closed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = closed
	for k := range b.caches {
		if closed {
			k.stop()
		} else {
			b.arm(k)
		}
	}
}

// Generation is a number that changes whenever this vault renames or drops a
// column. Take it before looking a column up that is then passed to
// [Column.Bind].
func (b *Buffer) Generation() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.generation
}

// Verdict is what has to happen before something can be held.
type Verdict int

const (
	// Held: it is held now.
	Held Verdict = iota
	// Refused: there is no cache, or it is more than the cache can hold. It has
	// to be written at once.
	Refused
	// CheckFirst: it is not known whether the column or table can take it. Look
	// it up and call [Column.Bind] or [Buffer.Admit].
	CheckFirst
	// FlushFirst: the cache is full. Call [Buffer.MakeRoom].
	FlushFirst
)

// room tells whether n more bytes may be held in a cache. Nobody waits for a
// flush that somebody else has begun, as long as there is room.
func (b *Buffer) room(k *Cache, n int) (Verdict, error) {
	switch {
	case n > k.Cap || b.blind > 0:
		return Refused, nil
	case k.bytes+n <= k.Cap && (k.bytes < k.Threshold || b.pauses > 0 || b.writers > 0):
		return Held, nil
	case b.pauses > 0:
		return FlushFirst, fmt.Errorf("%w: %d of %d bytes are held, and flushing is paused", ErrCacheFull, k.bytes, k.Cap)
	}
	return FlushFirst, nil
}

// MakeRoom writes what is held. If some of it cannot be written, that is an
// error only if nothing else could be.
func (b *Buffer) MakeRoom(ctx context.Context) error {
	written, err := b.flush(ctx)
	if written > 0 {
		return nil
	}
	return err
}

// report returns the error of a flush that nobody waited for, once.
func (b *Buffer) report() error {
	err := b.failed
	b.failed = nil
	if err != nil {
		err = fmt.Errorf("an earlier flush failed, and what it should have written is still held: %w", err)
	}
	return err
}

// note counts what was added to a cache, which may be nil.
func (b *Buffer) note(k *Cache, bytes, count int) {
	if b.count == 0 && count > 0 {
		b.holds.Store(true)
	}
	b.count += count
	b.bytes += bytes
	if k == nil {
		return
	}
	first := k.bytes == 0
	if k.bytes += bytes; first {
		b.arm(k)
	}
}

// gone counts what has left memory.
func (b *Buffer) gone(k *Cache, bytes, count int) {
	b.bytes -= bytes
	if b.count -= count; b.count == 0 {
		b.holds.Store(false)
	}
	if k != nil {
		k.bytes -= bytes
	}
}

// flushOld writes what a cache has held for too long. Nobody waits for it, so
// its error goes to the hook and to the next call that adds something. While
// flushing is paused nothing has failed; it is tried again.
func (b *Buffer) flushOld(k *Cache) {
	if !b.Holds() {
		return
	}
	_, err := b.flush(context.Background())
	if err != nil && b.tryAgain(k, err) && k.OnError != nil {
		k.OnError(err)
	}
}

// tryAgain sets the timer of a cache after its flush has failed, and tells
// whether that is worth a report.
func (b *Buffer) tryAgain(k *Cache, err error) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, inForce := b.caches[k]; !inForce || b.closed {
		return false
	}
	b.arm(k)
	if errors.Is(err, ErrFlushPaused) {
		return false
	}
	b.failed = err
	return true
}

// arm sets the timer of a cache that holds something, and stops that of one
// that does not.
func (b *Buffer) arm(k *Cache) {
	switch {
	case k.Interval == 0:
	case k.bytes == 0:
		k.stop()
	case k.timer == nil:
		k.timer = time.AfterFunc(k.Interval, func() { b.flushOld(k) })
	default:
		k.timer.Reset(k.Interval)
	}
}

// Audit compares what the buffer counts with what it holds. Tests call it.
func (b *Buffer) Audit() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	count, bytes, uses := 0, 0, map[*Cache]int{}
	for _, r := range b.rows {
		count += r.count
		bytes += r.size()
		uses[r.of.cache()] += r.size()
	}
	for _, t := range b.tables {
		count += t.pairs.Len()
		bytes += t.bytes
		uses[b.whole.top] += t.bytes
	}
	if bytes != b.bytes {
		return fmt.Errorf("%d bytes are held, counted are %d", bytes, b.bytes)
	}
	if count != b.count || (count > 0) != b.Holds() {
		return fmt.Errorf("%d elements and pairs are held, counted are %d, holds: %v", count, b.count, b.Holds())
	}
	for k := range b.caches {
		if k.bytes != uses[k] {
			return fmt.Errorf("a cache counts %d bytes and holds %d", k.bytes, uses[k])
		}
	}
	return nil
}
