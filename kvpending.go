package columnvault

import (
	"context"
	"errors"
	"maps"
	"slices"
)

// pendingTable is the pending pairs of a key-value table: layers, of which the
// later hides the earlier. Only the last one changes, and not even that once
// somebody reads or writes it.
type pendingTable struct {
	layers []layer
	lent   bool
	// checked says that the table in the file can take pairs.
	checked bool
}

type layer struct {
	pairs map[string][]byte
	bytes int
}

// pairOverhead is what a pair takes in memory beside its bytes, about.
const pairOverhead = 64

// putCached makes pairs pending, if the vault has a cache that can hold them.
func (p *pending) putCached(ctx context.Context, table string, pairs []Pair) (bool, error) {
	return p.hold(ctx,
		func() (admission, error) { return p.holdPairs(table, pairs) },
		func() error {
			return p.v.view(ctx, func(tx *Tx) error { return p.checkTable(ctx, tx, table) })
		})
}

// checkTable looks whether the file has something else under the name of the
// table. It is done for the first pairs after a flush: what is acknowledged
// should have a place to go.
func (p *pending) checkTable(ctx context.Context, tx *Tx, table string) error {
	if _, err := tx.r.Size(ctx, table, nil); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.table(table).checked = true
	return nil
}

// table returns the pending pairs of the table, which may be none.
func (p *pending) table(name string) *pendingTable {
	t := p.tables[name]
	if t == nil {
		t = &pendingTable{}
		p.tables[name] = t
	}
	return t
}

func (p *pending) holdPairs(table string, pairs []Pair) (admission, error) {
	if p.whole == nil {
		return uncached, nil
	}
	if err := p.report(); err != nil {
		return uncached, err
	}
	if !p.table(table).checked {
		return checkFirst, nil
	}
	need := 0
	for _, pair := range pairs {
		need += pairSize(pair.Key, pair.Value)
	}
	next, err := p.admit(p.whole, need)
	if next == admitted {
		for _, pair := range pairs {
			p.putPair(table, pair)
		}
	}
	return next, err
}

func pairSize(key, value []byte) int { return len(key) + len(value) + pairOverhead }

// putPair makes a pair pending.
func (p *pending) putPair(table string, pair Pair) {
	t := p.table(table)
	if t.lent || len(t.layers) == 0 {
		t.layers = append(t.layers, layer{pairs: map[string][]byte{}})
		t.lent = false
		if p.writers == 0 { // who writes counts on the layers that it has taken
			p.gone(t.merge())
		}
	}
	top := &t.layers[len(t.layers)-1]
	bytes, count := pairSize(pair.Key, pair.Value), 1
	if old, had := top.pairs[string(pair.Key)]; had {
		bytes, count = len(pair.Value)-len(old), 0
	}
	top.pairs[string(pair.Key)] = append([]byte{}, pair.Value...)
	top.bytes += bytes
	p.note(p.whole, bytes, count)
}

// merge keeps the layers few: two that lie below the last and are of similar
// size become one. Each pair is copied a number of times that grows with the
// logarithm of the pairs. It returns how many pairs were hidden and are gone.
func (t *pendingTable) merge() (hidden int) {
	for n := len(t.layers); n >= 3 && 2*len(t.layers[n-2].pairs) >= len(t.layers[n-3].pairs); n = len(t.layers) {
		lower, upper := t.layers[n-3], t.layers[n-2]
		both := layer{pairs: maps.Clone(lower.pairs), bytes: lower.bytes + upper.bytes}
		maps.Copy(both.pairs, upper.pairs)
		hidden += len(lower.pairs) + len(upper.pairs) - len(both.pairs)
		t.layers = append(t.layers[:n-3:n-3], both, t.layers[n-1])
	}
	return hidden
}

// heldKV is the pending pairs of all tables as they were at one moment.
type heldKV map[string][]layer

// lookup returns the value that is held for a key.
func (h heldKV) lookup(table string, key []byte) ([]byte, bool) {
	layers := h[table]
	for i := len(layers) - 1; i >= 0; i-- {
		if value, ok := layers[i].pairs[string(key)]; ok {
			return value, true
		}
	}
	return nil, false
}

// keys returns the keys that are held.
func (h heldKV) keys(table string) map[string]bool {
	keys := map[string]bool{}
	for _, layer := range h[table] {
		for key := range layer.pairs {
			keys[key] = true
		}
	}
	return keys
}

// lendKV returns the pending pairs, which do not change any more.
func (p *pending) lendKV() heldKV {
	if len(p.tables) == 0 {
		return nil
	}
	held := heldKV{}
	for name, t := range p.tables {
		if len(t.layers) > 0 {
			held[name] = slices.Clip(t.layers)
			t.lent = true
		}
	}
	return held
}

// write stores the pairs in the order of their keys, which is the order in
// which the tables grow best.
func (h heldKV) write(ctx context.Context, tx *Tx) (pairs int, err error) {
	for table := range h {
		for _, key := range slices.Sorted(maps.Keys(h.keys(table))) {
			value, _ := h.lookup(table, []byte(key))
			if err := tx.w.Put(ctx, table, []byte(key), value); err != nil {
				return pairs, fail("flush", table, -1, err)
			}
			pairs++
		}
	}
	return pairs, nil
}

// dropKV gives up pairs that have been written.
func (p *pending) dropKV(h heldKV) {
	for table, written := range h {
		t := p.tables[table]
		for _, layer := range written {
			p.gone(len(layer.pairs))
			if p.whole != nil {
				p.whole.bytes -= layer.bytes
			}
		}
		t.layers = slices.Clone(t.layers[len(written):])
		t.checked = len(t.layers) > 0
	}
}
