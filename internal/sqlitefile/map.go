package sqlitefile

import "encoding/binary"

// The kinds of entries in a pointer map.
const (
	ownerRoot  byte = 1 // the root of a tree; no parent
	ownerFree  byte = 2 // a free page; no parent
	ownerCell  byte = 3 // the first overflow page of a cell; the parent has the cell
	ownerChain byte = 4 // another overflow page; the parent is the one before
	ownerNode  byte = 5 // a page of a tree; the parent is the page above
)

// mapOf is the page of the pointer map that has the entry of page n, 0 if none
// has: the map, the first page and the one of the locks have no entries.
func (f *File) mapOf(n uint32) uint32 {
	if n < 3 {
		return 0
	}
	per := uint32(f.usable/5 + 1)
	m := (n-2)/per*per + 2
	if m == f.lockPage() {
		m++
	}
	if m >= n || n == f.lockPage() {
		return 0
	}
	return m
}

// owner returns the entry of a page in the pointer map. Kind 0 means that there
// is none, or that it makes no sense.
func (f *File) owner(n uint32) (kind byte, parent uint32) {
	m := f.mapOf(n)
	if !f.mapped || m == 0 || n > f.pages {
		return 0, 0
	}
	p, err := f.Page(m)
	at := 5 * int(n-m-1)
	if err != nil || at+5 > f.usable {
		return 0, 0
	}
	kind, parent = p[at], binary.BigEndian.Uint32(p[at+1:])
	switch kind {
	case ownerRoot, ownerFree:
		if parent != 0 {
			return 0, 0
		}
	case ownerCell, ownerChain, ownerNode:
		if parent == 0 || parent > f.pages || parent == n {
			return 0, 0
		}
	default:
		return 0, 0
	}
	return kind, parent
}

// looksMapped tells whether the file has a pointer map, by the second page and
// not by the header, which may be lost.
func (f *File) looksMapped() bool {
	defer func(mapped bool) { f.mapped = mapped }(f.mapped)
	f.mapped = true
	good, n := 0, uint32(0)
	for ; n < uint32(f.usable/5) && n+3 <= f.pages; n++ {
		if kind, _ := f.owner(n + 3); kind != 0 {
			good++
		}
	}
	return good > 0 && good*10 >= int(n)*9
}

// markMaps keeps the pages of the pointer map out of the search for others.
func (f *File) markMaps() {
	if !f.mapped {
		return
	}
	per := uint32(f.usable/5 + 1)
	for m := uint64(2); m <= uint64(f.pages); m += uint64(per) {
		n := uint32(m)
		if n == f.lockPage() {
			n++
		}
		f.used.set(n)
	}
}

// follower is the page that the pointer map puts after page n in a chain, 0 if
// it names none or more than one.
func (f *File) follower(n uint32) uint32 {
	if !f.mapped {
		return 0
	}
	if f.followers == nil {
		const several = 1<<32 - 1
		f.followers = make([]uint32, int(f.pages)+1)
		for k := uint32(3); k <= f.pages; k++ {
			kind, parent := f.owner(k)
			switch {
			case kind != ownerChain:
			case f.followers[parent] != 0:
				f.followers[parent] = several
			default:
				f.followers[parent] = k
			}
		}
		for k, next := range f.followers {
			if next == several {
				f.followers[k] = 0
			}
		}
	}
	if int(n) >= len(f.followers) {
		return 0
	}
	return f.followers[n]
}
