package writeback

import "columnvault/internal/store"

// Batch is additions to several columns and tables that are held together or
// not at all, and that no flush writes in part.
type Batch struct {
	Parts []BatchPart
	Pairs []BatchPair
}

// BatchPart is elements for a column.
type BatchPart struct {
	Column *Column
	Part
}

// BatchPair is a pair for a table.
type BatchPair struct {
	Table string
	store.Pair
}

// Add holds all of the batch, if every column is cached, the vault is where
// there are pairs, and all of them have room.
func (b *Buffer) Add(batch *Batch) (Verdict, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return Refused, store.ErrClosed
	}
	if err := b.report(); err != nil {
		return Refused, err
	}
	if verdict, err := b.ready(batch); verdict != Held {
		return verdict, err
	}
	if b.apart && !batch.oneHome(b) {
		return Refused, store.ErrCrossHome
	}
	if verdict, err := b.roomFor(batch); verdict != Held {
		return verdict, err
	}
	for _, p := range batch.Parts {
		p.Column.add(p.Column.cache(), p.Elements, p.Count)
	}
	for _, p := range batch.Pairs {
		b.put(b.table(p.Table), p.Pair)
	}
	return Held, nil
}

// ready tells whether every column and table of the batch can be held for.
func (b *Buffer) ready(batch *Batch) (Verdict, error) {
	if len(batch.Pairs) > 0 && b.whole.top == nil {
		return Refused, nil
	}
	for _, p := range batch.Pairs {
		if verdict, err := b.table(p.Table).ready(); verdict != Held {
			return verdict, err
		}
	}
	for _, p := range batch.Parts {
		switch c := p.Column; {
		case c.cache() == nil:
			return Refused, nil
		case !c.takes(p.DType):
			return CheckFirst, nil
		case c.bound.stuck != nil:
			return Refused, c.bound.stuck
		}
	}
	return Held, nil
}

// oneHome tells whether all of a batch that is ready goes to one home.
func (batch *Batch) oneHome(b *Buffer) bool {
	home := int64(everywhere)
	same := func(other int64) bool {
		if home == everywhere {
			home = other
		}
		return home == other
	}
	for _, p := range batch.Parts {
		if !same(p.Column.bound.Home) {
			return false
		}
	}
	for _, p := range batch.Pairs {
		if !same(b.table(p.Table).home) {
			return false
		}
	}
	return true
}

// roomFor tells whether every cache has room for what the batch brings to it.
func (b *Buffer) roomFor(batch *Batch) (Verdict, error) {
	if len(batch.Pairs) > 0 {
		if verdict, err := b.room(b.whole.top, b.brings(batch, b.whole.top)); verdict != Held {
			return verdict, err
		}
	}
	for i, p := range batch.Parts {
		k := p.Column.cache()
		if i > 0 && k == batch.Parts[i-1].Column.cache() {
			continue // it has been asked
		}
		if verdict, err := b.room(k, b.brings(batch, k)); verdict != Held {
			return verdict, err
		}
	}
	return Held, nil
}

// brings is how many bytes the batch brings to a cache.
func (b *Buffer) brings(batch *Batch, k *Cache) (bytes int) {
	for _, p := range batch.Parts {
		if p.Column.cache() == k {
			bytes += size(p.Elements)
		}
	}
	if k == b.whole.top {
		for _, p := range batch.Pairs {
			bytes += PairBytes(p.Pair)
		}
	}
	return bytes
}

// DropLast takes the last elements of the part back; size is that of each, 0
// where it varies.
func (p *BatchPart) DropLast(size, count int) {
	p.Count -= count
	if size > 0 {
		p.Data = p.Data[:len(p.Data)-size*count]
		return
	}
	p.Ends = p.Ends[:len(p.Ends)-count]
	p.Data = p.Data[:p.Start(len(p.Ends))]
}
