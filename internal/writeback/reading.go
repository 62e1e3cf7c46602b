package writeback

import (
	"maps"
	"slices"

	"columnvault/internal/catalog"
)

// Reading is what a reader sees of the buffer: what was held at the moment of
// its snapshot. It keeps flushes from committing until [Reading.Done] or
// [Reading.TakeAll], so call one of them as soon as the snapshot is open and
// what is needed has been taken. The zero value sees nothing.
type Reading struct {
	b    *Buffer
	open bool
	// all holds everything, once it has been taken.
	columns map[catalog.ID]Part
	tables  map[string]PairMap
}

// Read begins a reading. Open the snapshot after it.
//
// Where nothing is or can be held the reading sees nothing, whatever comes: a
// cache may be enabled, and something held, between the snapshot and the moment
// that it is taken, and the snapshot would lack what was written directly before
// that.
func (b *Buffer) Read() Reading {
	if !b.holds.Load() && !b.cached.Load() {
		return Reading{}
	}
	b.gate.RLock()
	return Reading{b: b, open: true}
}

// Done lets flushes go on. What has not been taken is not seen.
func (r *Reading) Done() {
	if r.open {
		r.open = false
		r.b.gate.RUnlock()
	}
}

// Column returns what is held for a column.
func (r *Reading) Column(id catalog.ID) (Part, bool) {
	if !r.open {
		p, ok := r.columns[id]
		return p, ok
	}
	if !r.b.Holds() {
		return Part{}, false
	}
	r.b.mu.Lock()
	defer r.b.mu.Unlock()
	held := r.b.rows[id]
	if held == nil {
		return Part{}, false
	}
	held.lent = true
	return held.part(), true
}

// Table returns what is held for a key-value table.
func (r *Reading) Table(name string) PairMap {
	if !r.open {
		return r.tables[name]
	}
	if !r.b.Holds() {
		return PairMap{}
	}
	r.b.mu.Lock()
	defer r.b.mu.Unlock()
	if t := r.b.tables[name]; t != nil && t.pairs.Len() > 0 {
		return t.lend().PairMap
	}
	return PairMap{}
}

// Tables are the names of the tables that pairs are held for.
func (r *Reading) Tables() []string {
	r.TakeAll()
	return slices.Collect(maps.Keys(r.tables))
}

// TakeAll takes everything and lets flushes go on.
func (r *Reading) TakeAll() {
	if r.open && r.b.Holds() {
		r.takeAll()
	}
	r.Done()
}

func (r *Reading) takeAll() {
	b := r.b
	b.mu.Lock()
	defer b.mu.Unlock()
	r.columns = make(map[catalog.ID]Part, len(b.rows))
	for id, held := range b.rows {
		held.lent = true
		r.columns[id] = held.part()
	}
	r.tables = map[string]PairMap{}
	for name, t := range b.tables {
		if t.pairs.Len() > 0 {
			r.tables[name] = t.lend().PairMap
		}
	}
}
