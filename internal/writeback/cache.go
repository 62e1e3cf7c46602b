package writeback

import "time"

// Bounds are those of a cache.
type Bounds struct {
	// Cap is what it holds at most, in bytes; Threshold how much it holds
	// before an addition writes it out.
	Cap, Threshold int
	// Interval is how long something is held at most, 0 for no limit.
	Interval time.Duration
	// OnError is told of the error of a flush that Interval has started.
	OnError func(error)
}

// Cache bounds what is held for one column or for the whole vault.
type Cache struct {
	Bounds
	bytes int
	// below is the cache that this one lies over and that comes back after it.
	below *Cache
	// at is where it lies, in force or below others. A rename of its column
	// moves it.
	at *slot
	// ended says that it is to go as soon as nothing lies over it.
	ended bool
	timer *time.Timer
}

// slot is where a cache can be in force: a column, or the vault.
type slot struct{ top *Cache }

func (k *Cache) stop() {
	if k.timer != nil {
		k.timer.Stop()
	}
}

// Enable puts a cache in force for the column in place of the one that is.
func (c *Column) Enable(o Bounds) { c.b.enable(&c.own, o, false) }

// Cover puts a cache in force for the column over the one that is, until
// [Buffer.Uncover].
func (c *Column) Cover(o Bounds) *Cache { return c.b.enable(&c.own, o, true) }

// Disable ends the cache of the column. What it held stays held.
func (c *Column) Disable() { c.b.disable(&c.own) }

// Enable puts a cache in force for the whole vault in place of the one that is.
func (b *Buffer) Enable(o Bounds) { b.enable(&b.whole, o, false) }

// Cover puts a cache in force for the whole vault over the one that is, until
// [Buffer.Uncover].
func (b *Buffer) Cover(o Bounds) *Cache { return b.enable(&b.whole, o, true) }

// Disable ends the cache of the whole vault. What it held stays held.
func (b *Buffer) Disable() { b.disable(&b.whole) }

func (b *Buffer) enable(at *slot, o Bounds, over bool) *Cache {
	b.mu.Lock()
	defer b.mu.Unlock()
	k := &Cache{Bounds: o, at: at}
	if over {
		k.below = at.top
	}
	b.enforce(at, k)
	return k
}

func (b *Buffer) disable(at *slot) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.enforce(at, nil)
}

// Uncover ends a cache that Cover has put in force, wherever it lies now, and
// brings back what lay below it. Caches that overlap may end in any order: one
// that others lie over goes when they have gone.
func (b *Buffer) Uncover(k *Cache) {
	b.mu.Lock()
	defer b.mu.Unlock()
	k.ended = true
	top := k.at.top
	for top != nil && top.ended {
		top = top.below
	}
	b.enforce(k.at, top)
}

// enforce puts a cache, or none, in force.
func (b *Buffer) enforce(at *slot, k *Cache) {
	if old := at.top; old != nil {
		old.stop()
		delete(b.caches, old)
	}
	if at.top = k; k != nil {
		b.caches[k] = struct{}{}
	}
	b.cached.Store(len(b.caches) > 0)
	b.recount()
}

// move takes the caches of one slot to another.
func (b *Buffer) move(from, to *slot) {
	top := from.top
	b.enforce(from, nil)
	for k := top; k != nil; k = k.below {
		k.at = to
	}
	b.enforce(to, top)
}

// recount adds up what the caches hold after one has changed.
func (b *Buffer) recount() {
	for k := range b.caches {
		k.bytes = 0
	}
	for _, r := range b.rows {
		if k := r.of.cache(); k != nil {
			k.bytes += r.size()
		}
	}
	if k := b.whole.top; k != nil {
		for _, t := range b.tables {
			k.bytes += t.bytes
		}
	}
	for k := range b.caches {
		b.arm(k)
	}
}
