package postgres

import (
	"maps"
	"sync"
	"time"

	"columnvault/internal/store"
)

const (
	// mostKnown is how many names and rows are remembered.
	mostKnown = 10_000
	// pause is for how long a column that was found changed by others is looked
	// up before it is used. Each time that it is found changed again at the first
	// attempt after that, it is twice as long, up to longestPause: the slower the
	// server, the longer others keep changing it.
	pause        = time.Second
	longestPause = time.Minute
)

// paused is something that was found changed by others.
type paused struct {
	until  time.Time
	length time.Duration
}

// entry is a row of the catalog at a revision.
type entry struct {
	row store.Row
	rev int64
	// last is the last chunk, if that is known and there is one.
	last      store.Chunk
	lastKnown bool
	hasChunks bool
}

// known is what a store remembers of the catalog. None of it counts before a
// trip has found the same revisions and the same version.
type known struct {
	mu sync.Mutex
	// version is that of the catalog which names are from.
	version uint64
	// names lead to the IDs of columns; 0 is a name that no column has.
	names map[string]store.ColumnID
	rows  map[store.ColumnID]entry
	// tables are the homes of key-value tables that exist. None ever ends.
	tables map[string]int64
	// paused says until when columns and tables (by their name) are not gone on
	// with.
	paused map[any]paused
}

func newKnown() *known {
	return &known{names: map[string]store.ColumnID{}, rows: map[store.ColumnID]entry{}, tables: map[string]int64{}, paused: map[any]paused{}}
}

// byName returns the column that has a name, or an entry without an ID if none
// has, as of a version of the catalog.
func (k *known) byName(name string) (e entry, version uint64, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	id, ok := k.names[name]
	if !ok || id == 0 {
		return entry{}, k.version, ok
	}
	e, ok = k.rows[id]
	return e, k.version, ok && !k.isPaused(id)
}

func (k *known) byID(id store.ColumnID) (entry, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	e, ok := k.rows[id]
	return e, ok && !k.isPaused(id)
}

// catalog is the version that names are of, 0 if it is not known.
func (k *known) catalog() uint64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.version
}

func (k *known) isPaused(what any) bool {
	p, ok := k.paused[what]
	return ok && time.Now().Before(p.until)
}

// worked takes note of columns that were used as they are remembered: others
// have stopped to change those whose pause is over.
func (k *known) worked(rows map[store.ColumnID]entry) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.paused) == 0 {
		return
	}
	for id := range rows {
		if _, ok := k.paused[id]; ok && !k.isPaused(id) {
			delete(k.paused, id)
		}
	}
}

// contended tells whether a column or a table was found changed a moment ago.
func (k *known) contended(what any) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.isPaused(what)
}

// changed takes note of something that others have changed.
func (k *known) changed(what any) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if id, ok := what.(store.ColumnID); ok {
		delete(k.rows, id)
	}
	if len(k.paused) > mostKnown {
		clear(k.paused)
	}
	length := pause
	if p, again := k.paused[what]; again {
		length = min(2*p.length, longestPause)
	}
	k.paused[what] = paused{time.Now().Add(length), length}
}

// moved forgets the names if the catalog has another version.
func (k *known) moved(version uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.moveTo(version)
}

// moveTo tells whether version is not older than what is remembered.
func (k *known) moveTo(version uint64) bool {
	if version > k.version {
		clear(k.names)
		clear(k.rows)
		k.version = version
	}
	return version == k.version
}

// remember adds what was found, or written, as of a version of the catalog.
func (k *known) remember(version uint64, names map[string]store.ColumnID, rows map[store.ColumnID]entry) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.moveTo(version) {
		return
	}
	if len(k.names)+len(k.rows)+len(names)+len(rows) > mostKnown {
		clear(k.names)
		clear(k.rows)
	}
	maps.Copy(k.names, names)
	for id, e := range rows {
		old, ok := k.rows[id]
		switch {
		case ok && old.rev > e.rev:
		case ok && old.rev == e.rev && old.lastKnown && !e.lastKnown:
		default:
			k.rows[id] = e
		}
	}
}

// table returns the home of a key-value table that is known to exist.
func (k *known) table(name string) (home int64, exists bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	home, exists = k.tables[name]
	return home, exists
}

func (k *known) addTable(name string, home int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.tables) > mostKnown {
		clear(k.tables)
	}
	k.tables[name] = home
}

// forget drops everything but the pauses.
func (k *known) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.names)
	clear(k.rows)
	k.version = 0
}
