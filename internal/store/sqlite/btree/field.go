package btree

import (
	"context"
	"encoding/binary"
	"io"
	"sort"
)

// File is a SQLite file that does not change, without bytes reserved on its pages.
// It is not safe for concurrent use.
type File struct {
	R io.ReaderAt
	// PageSize is in bytes, Pages how many there are.
	PageSize, Pages int64
	// node is a page of a tree, chain pages of chains.
	node, chain []byte
}

// maxChain is how many bytes of chains are read at once: what comes from the
// file then is still in the processor's cache when it is copied.
const maxChain = 160 << 10

// Field is where a long field of a row is.
type Field struct {
	f *File
	// Size is that of the field in bytes.
	Size int64
	// start is where in the row the field begins.
	start int64
	// local is what of the row is on the leaf. The rest is on a chain of pages
	// that begins with first.
	local []byte
	first int64
	// at is a page of the chain that was reached, and index its number in it.
	at, index int64
	// stride is how many pages are expected to lie one after the other, as far as
	// they are read at once.
	stride int64
}

// Find makes d the field with this index of a row of a table, of which it knows the
// page with the root of its tree. It gives up, with false, if there is no such row,
// the field is not of bytes or text, or the row has no pages of its own, and where
// the file is not as it should be.
func (d *Field) Find(f *File, root, rowid int64, index int) bool {
	*d = Field{f: f, local: d.local[:0], stride: max(1, d.stride)}
	if int64(len(f.node)) != f.PageSize {
		f.node, f.chain = make([]byte, f.PageSize), nil
	}
	for range maxDepth {
		if !f.read(f.node, root) {
			return false
		}
		p := node(f.node)
		switch p[0] {
		case interiorTable:
			root = p.child(rowid)
		case leafTable:
			return d.parse(p, p.row(rowid), index)
		default:
			return false
		}
	}
	return false
}

// read fills b with what a page begins with.
func (f *File) read(b []byte, page int64) bool {
	if page < 1 || page > f.Pages {
		return false
	}
	n, _ := f.R.ReadAt(b, (page-1)*f.PageSize)
	return n == len(b)
}

// node is a page of the tree of a table.
type node []byte

// The offsets of cells are a list that begins here.
const (
	interiorList = 12
	leafList     = 8
)

// find returns the offset of the first cell whose rowid is not below that of a row,
// or 0 if there is none. The cells are in a list, and each has its rowid where rowid
// says.
func (p node) find(list int, row int64, rowid func(at int64) int64) (at int64) {
	cells := min(int(binary.BigEndian.Uint16(p[3:])), (len(p)-list)/2)
	offset := func(k int) int64 { return int64(binary.BigEndian.Uint16(p[list+2*k:])) }
	k := sort.Search(cells, func(k int) bool { return rowid(offset(k)) >= row })
	if k == cells {
		return 0
	}
	return offset(k)
}

// child is the page below an interior one that a row is on, or 0.
func (p node) child(row int64) int64 {
	at := p.find(interiorList, row, func(at int64) int64 {
		v, _ := varint(p, at+4)
		return int64(v)
	})
	switch {
	case at == 0:
		return int64(binary.BigEndian.Uint32(p[8:]))
	case at+4 > int64(len(p)):
		return 0
	}
	return int64(binary.BigEndian.Uint32(p[at:]))
}

// row is the offset of the cell of a row on a leaf, or 0.
func (p node) row(row int64) int64 {
	rowid := func(at int64) int64 {
		_, n := varint(p, at)
		v, _ := varint(p, at+n)
		return int64(v)
	}
	at := p.find(leafList, row, rowid)
	if at > 0 && rowid(at) != row {
		return 0
	}
	return at
}

// parse finds the field in the cell at an offset of a leaf.
func (d *Field) parse(p node, at int64, index int) bool {
	size := int64(len(p))
	if at == 0 {
		return false
	}
	payload, n := varint(p, at)
	at += n
	_, n = varint(p, at)
	at += n
	local := localSize(leafTable, size, payload)
	if payload > uint64(d.f.Pages*size) || local >= int64(payload) || at+local+4 > size {
		return false // a chain longer than the file would come to a page again, too
	}
	row := p[at : at+local]
	d.first = int64(binary.BigEndian.Uint32(p[at+local:]))
	// A row begins with the length of its list of types, and the list.
	end, at := varint(row, 0)
	if end > uint64(len(row)) {
		return false
	}
	list := row[:end]
	start := end
	for k := 0; at < int64(end); k++ {
		kind, n := varint(list, at)
		at += n
		length, ok := fieldSize(kind)
		if !ok || start+length > payload {
			return false
		}
		if k == index {
			d.start, d.Size = int64(start), int64(length)
			d.local, d.at = append(d.local, row...), d.first
			return kind >= 12
		}
		start += length
	}
	return false
}

// fieldSize is how many bytes a field of a type takes.
func fieldSize(kind uint64) (n uint64, ok bool) {
	switch {
	case kind >= 12:
		return (kind - 12) / 2, true
	case kind == 10 || kind == 11:
		return 0, false
	}
	return uint64([...]uint8{0, 1, 2, 3, 4, 6, 8, 8, 0, 0}[kind]), true
}

// Read fills p with what the field has from an offset on. It gives up, with false,
// where that is less than p takes, where the file is not as it should be, and when
// the ctx ends. What follows what was read last costs nothing to find; to get
// anywhere else, it reads a few bytes of each page of the chain before.
func (d *Field) Read(ctx context.Context, p []byte, offset int64) bool {
	if offset < 0 || offset > d.Size || int64(len(p)) > d.Size-offset {
		return false
	}
	offset += d.start
	if local := int64(len(d.local)); offset < local {
		n := copy(p, d.local[offset:])
		p, offset = p[n:], local
	}
	if len(p) == 0 {
		return true
	}
	each := d.f.PageSize - 4
	offset -= int64(len(d.local))
	index, within := offset/each, offset%each
	if index < d.index {
		d.at, d.index = d.first, 0
	}
	for d.index < index {
		var next [4]byte
		if ctx.Err() != nil || !d.f.read(next[:], d.at) {
			return false
		}
		d.at = int64(binary.BigEndian.Uint32(next[:]))
		d.index++
	}
	for len(p) > 0 {
		pages := min(d.stride, (within+int64(len(p))+each-1)/each, d.f.Pages-d.at+1)
		pages = max(1, pages)
		if int64(len(d.f.chain)) < pages*d.f.PageSize {
			d.f.chain = make([]byte, pages*d.f.PageSize)
		}
		chain := d.f.chain[:pages*d.f.PageSize]
		if ctx.Err() != nil || !d.f.read(chain, d.at) {
			return false
		}
		d.stride = min(2*d.stride, maxChain/d.f.PageSize)
		for k := range pages {
			page := chain[k*d.f.PageSize:][:d.f.PageSize]
			n := copy(p, page[4+within:])
			p = p[n:]
			if len(p) == 0 && 4+within+int64(n) < d.f.PageSize {
				return true // the rest of the page comes with the next call
			}
			within = 0
			next := int64(binary.BigEndian.Uint32(page))
			beside := next == d.at+1
			d.at = next
			d.index++
			if len(p) == 0 {
				return true
			}
			if !beside {
				d.stride = max(1, k)
				break
			}
		}
	}
	return true
}
