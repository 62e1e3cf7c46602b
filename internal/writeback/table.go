package writeback

import (
	"bytes"

	"github.com/tidwall/btree"

	"columnvault/internal/store"
)

// table is the pairs held for a key-value table.
type table struct {
	name string
	// home is that of the table in the file.
	home  int64
	pairs btree.Map[string, held]
	// bytes is what the pairs take in memory, about.
	bytes int
	// seq counts additions.
	seq uint64
	// checked says that the table in the file is known; refuses, that pairs for
	// it are not to be held.
	checked, refuses bool
	// stuck is why the last flush could not write them.
	stuck error
}

// held is the value of a pair, and when it was added.
type held struct {
	value []byte
	seq   uint64
}

// pairOverhead is what a pair takes in memory beside its bytes, about.
const pairOverhead = 64

// PairBytes is what a pair counts for in a cache.
func PairBytes(p store.Pair) int { return len(p.Key) + len(p.Value) + pairOverhead }

func (b *Buffer) table(name string) *table {
	t := b.tables[name]
	if t == nil {
		t = &table{name: name}
		b.tables[name] = t
	}
	return t
}

// Put holds pairs for a table, if the vault has a cache with room for all of
// them. It copies them.
func (b *Buffer) Put(name string, pairs []store.Pair) (Verdict, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return Refused, store.ErrClosed
	}
	k := b.whole.top
	if k == nil {
		return Refused, nil
	}
	if err := b.report(); err != nil {
		return Refused, err
	}
	t := b.table(name)
	if verdict, err := t.ready(); verdict != Held {
		return verdict, err
	}
	need := 0
	for _, p := range pairs {
		need += PairBytes(p)
	}
	verdict, err := b.room(k, need)
	if verdict == Held {
		for _, p := range pairs {
			b.put(t, p)
		}
	}
	return verdict, err
}

// ready tells whether pairs may be held for the table, as far as it is
// concerned.
func (t *table) ready() (Verdict, error) {
	switch {
	case t.stuck != nil:
		return Refused, t.stuck
	case !t.checked:
		return CheckFirst, nil
	case t.refuses:
		return Refused, nil
	}
	return Held, nil
}

// Admit notes the home of a table of the file, and whether pairs may be held for
// it. That is looked up before the first pairs after each flush: what is
// acknowledged should have a place to go.
func (b *Buffer) Admit(name string, home int64, may bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.table(name)
	t.home, t.checked, t.refuses = home, true, !may
}

func (b *Buffer) put(t *table, p store.Pair) {
	t.seq++
	old, had := t.pairs.Set(string(p.Key), held{value: append([]byte{}, p.Value...), seq: t.seq})
	n, count := PairBytes(p), 1
	if had {
		n, count = len(p.Value)-len(old.value), 0
	}
	t.bytes += n
	b.note(b.whole.top, n, count)
}

// lend returns the pairs as they are now. Later changes do not show in it.
func (t *table) lend() Pairs {
	return Pairs{Table: t.name, PairMap: PairMap{t.pairs.Copy()}, table: t, seq: t.seq}
}

// dropPairs gives up pairs that have been written, but not those that have
// replaced them since.
func (b *Buffer) dropPairs(p Pairs) {
	t := p.table
	if b.tables[p.Table] != t {
		return // discarded meanwhile
	}
	var rest btree.Map[string, held]
	bytes := 0
	if t.seq != p.seq {
		t.pairs.Scan(func(key string, h held) bool {
			if h.seq > p.seq {
				rest.Load(key, h)
				bytes += len(key) + len(h.value) + pairOverhead
			}
			return true
		})
	}
	b.gone(b.whole.top, t.bytes-bytes, t.pairs.Len()-rest.Len())
	t.pairs, t.bytes = rest, bytes
	t.stuck, t.checked = nil, rest.Len() > 0
}

// DiscardPairs gives up what is held for a table, and returns how many pairs
// that were. A flush under way writes all of them or none.
func (b *Buffer) DiscardPairs(name string) (pairs int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.discardPairs(name)
}

func (b *Buffer) discardPairs(name string) (pairs int) {
	t := b.tables[name]
	if t == nil {
		return 0
	}
	pairs = t.pairs.Len()
	b.gone(b.whole.top, t.bytes, pairs)
	delete(b.tables, name)
	return pairs
}

// Discard gives up what is held for the columns and tables with these names, or
// for all if there are none, and returns how many elements and pairs that were.
func (b *Buffer) Discard(names ...string) (count int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(names) == 0 {
		for name := range b.tables {
			count += b.discardPairs(name)
		}
		for _, r := range b.rows {
			count += b.discard(r)
		}
		return count
	}
	for _, name := range names {
		count += b.discardPairs(name)
		if c := b.columns[name]; c != nil {
			count += b.discardColumn(c)
		}
	}
	return count
}

// PairMap is pairs in the order of their keys. The zero value is empty.
type PairMap struct{ pairs *btree.Map[string, held] }

// Len is the number of pairs.
func (m PairMap) Len() int {
	if m.pairs == nil {
		return 0
	}
	return m.pairs.Len()
}

// Get returns the value of a key, which must not be changed.
func (m PairMap) Get(key []byte) ([]byte, bool) {
	if m.pairs == nil {
		return nil, false
	}
	h, ok := m.pairs.Get(string(key))
	return h.value, ok
}

// Scan yields the pairs of a range. The values must not be changed.
func (m PairMap) Scan(r store.KeyRange) func(yield func(store.Pair) bool) {
	return func(yield func(store.Pair) bool) {
		if m.pairs == nil {
			return
		}
		visit := func(key string, h held) bool {
			p := store.Pair{Key: []byte(key)}
			switch {
			case r.From != nil && bytes.Compare(p.Key, r.From) < 0:
				return !r.Reverse // before the range
			case r.To != nil && bytes.Compare(p.Key, r.To) >= 0:
				return r.Reverse // after it
			}
			if !r.KeysOnly {
				p.Value = h.value
			}
			return yield(p)
		}
		switch {
		case r.Reverse && r.To != nil:
			m.pairs.Descend(string(r.To), visit)
		case r.Reverse:
			m.pairs.Reverse(visit)
		default:
			m.pairs.Ascend(string(r.From), visit)
		}
	}
}
