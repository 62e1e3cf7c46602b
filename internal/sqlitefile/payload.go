package sqlitefile

import "encoding/binary"

// payload is the bytes of a row: some in the page of its cell, the rest in a
// chain of pages.
type payload struct {
	f         *File
	size      int64
	page      uint32
	at, local int
	more      uint32
	chain     []run // once it was followed
	followed  bool
	// headless says that what lay in the page is lost.
	headless bool
}

// run is pages that follow each other in the file and in a chain. From page 0 on
// they are those that cannot be read.
type run struct {
	page, pages uint32
	lost        uint32 // the page that is lost, if the run is one that is known
}

// Hole is bytes that cannot be read, from From up to To.
type Hole struct {
	From, To int64
	// Page is the page that they lay in, 0 where that is not known because the
	// chain is broken before it.
	Page uint32
}

// room is how many bytes a page of a chain has beside the number of the next.
func (b *payload) room() int64 { return int64(b.f.usable - 4) }

// walk reads a range into p, unless that is nil, with zeros for what cannot be
// read, and returns the holes.
func (b *payload) walk(p []byte, from, to int64) (holes []Hole) {
	hole := func(from, to int64, page uint32) {
		if p != nil {
			clear(p[:to-from])
		}
		if k := len(holes) - 1; k >= 0 && holes[k].To == from && holes[k].Page == page {
			holes[k].To = to
			return
		}
		holes = append(holes, Hole{from, to, page})
	}
	if n := min(to, int64(b.local)) - from; n > 0 {
		if data, err := b.f.Page(b.page); err != nil || b.headless {
			b.f.spoil(b.page)
			hole(from, from+n, b.page)
		} else if p != nil {
			copy(p[:n], data[b.at+int(from):])
		}
		p, from = rest(p, n), from+n
	}
	if from >= to {
		return holes
	}
	b.follow()
	at := int64(b.local) // where the run begins
	for _, r := range b.chain {
		end := at + int64(r.pages)*b.room()
		for from < min(end, to) {
			k := (from - at) / b.room()
			n := min(to, at+(k+1)*b.room()) - from
			if r.page == 0 {
				n = min(end, to) - from
				hole(from, from+n, r.lost)
			} else if p != nil {
				page := r.page + uint32(k)
				if data, err := b.f.Page(page); err != nil {
					b.f.spoil(page)
					hole(from, from+n, page)
				} else {
					copy(p[:n], data[4+(from-at)%b.room():])
				}
			}
			p, from = rest(p, n), from+n
		}
		at = end
		if from >= to {
			break
		}
	}
	return holes
}

func rest(p []byte, n int64) []byte {
	if p == nil {
		return nil
	}
	return p[n:]
}

// follow finds the pages of the chain.
//
// A page whose pointer leads nowhere, although there is more to come, is not
// what was written, so its bytes are not believed either; the same holds of the
// last page if its pointer is not 0. Where the file has a pointer map, every
// step is compared with it, and where a page is lost the map knows the next.
func (b *payload) follow() {
	if b.followed {
		return
	}
	b.followed = true
	left := b.size - int64(b.local)
	pages := uint32((left + b.room() - 1) / b.room())
	before, kind := b.page, ownerCell
	next := b.more
	for pages > 0 {
		if next > b.f.pages && next <= b.f.declared {
			// The file has been cut, and the page before is as it was.
			b.add(run{pages: 1, lost: next})
			b.add(run{pages: pages - 1})
			return
		}
		if !b.f.confirmed(kind, before, next) {
			if after := b.f.follower(before); kind == ownerChain && after != 0 && !b.f.used.has(after) {
				b.spoilLast() // its pointer is not what was written
				next = after
			} else if !b.f.possible(next) {
				break
			}
		}
		b.f.used.set(next)
		b.add(run{page: next, pages: 1})
		pages--
		before, kind, next = next, ownerChain, 0
		data, err := b.f.Page(before)
		if err != nil {
			b.spoilLast()
			continue
		}
		next = binary.BigEndian.Uint32(data)
	}
	switch {
	case pages > 0:
		if kind == ownerChain {
			b.spoilLast()
		}
		b.add(run{pages: pages})
	case next != 0:
		b.spoilEnd()
	}
}

// confirmed tells whether the pointer map says of a page that it follows this
// one in a chain.
func (f *File) confirmed(kind byte, before, next uint32) bool {
	found, parent := f.owner(next)
	return found == kind && parent == before && !f.used.has(next)
}

// possible tells whether a page that the pointer map does not confirm can be the
// next of a chain: if the map says nothing of it, or something that is wrong by
// what the page that it names holds.
func (f *File) possible(next uint32) bool {
	if next < 2 || next > f.pages || f.used.has(next) {
		return false
	}
	switch found, parent := f.owner(next); found {
	case 0:
		return true
	case ownerChain:
		p, err := f.Page(parent)
		if err != nil {
			return false
		}
		other := binary.BigEndian.Uint32(p)
		found, before := f.owner(other)
		return other != next && found == ownerChain && before == parent
	case ownerCell:
		n, ok := f.node(parent)
		if !ok || !n.leaf() {
			return false
		}
		for k := range n.cells {
			if c, ok := f.cell(&n, n.at(k)); !ok || c.more == next {
				return false
			}
		}
		return true
	case ownerFree:
		return false
	default:
		_, node := f.node(next)
		return !node
	}
}

// add adds pages to the end of the chain.
func (b *payload) add(r run) {
	if r.pages == 0 {
		return
	}
	if k := len(b.chain) - 1; k >= 0 && r.page != 0 && b.chain[k].page != 0 && b.chain[k].page+b.chain[k].pages == r.page {
		b.chain[k].pages += r.pages
		return
	}
	b.chain = append(b.chain, r)
}

// spoilLast makes a hole of the last page of the chain.
func (b *payload) spoilLast() {
	k := len(b.chain) - 1
	last := &b.chain[k]
	if last.page == 0 {
		return
	}
	page := last.page + last.pages - 1
	b.f.spoil(page)
	if last.pages--; last.pages == 0 {
		b.chain = b.chain[:k]
	}
	b.chain = append(b.chain, run{pages: 1, lost: page})
}

// spoilEnd makes a hole of the end of a chain that goes on after it should. With
// a pointer map every step but the last is known to be right; without one, all
// after the last leap may belong to another chain.
func (b *payload) spoilEnd() {
	last := b.chain[len(b.chain)-1]
	if b.f.mapped || len(b.chain) == 1 || last.page == 0 {
		b.spoilLast()
		return
	}
	for k := range last.pages {
		b.f.spoil(last.page + k)
	}
	b.chain[len(b.chain)-1] = run{pages: last.pages}
}
