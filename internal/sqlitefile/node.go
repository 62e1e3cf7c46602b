package sqlitefile

import "encoding/binary"

// The kinds of pages in trees.
const (
	indexInner byte = 2
	tableInner byte = 5
	indexLeaf  byte = 10
	tableLeaf  byte = 13
)

// node is the head of a page in a tree. Its bytes are those of [File.Page], and
// are valid as long.
type node struct {
	data  []byte
	start int
	kind  byte
	cells int
}

func (n *node) leaf() bool { return n.kind == tableLeaf || n.kind == indexLeaf }

func (n *node) index() bool { return n.kind == indexInner || n.kind == indexLeaf }

// pointers is where the offsets of the cells begin.
func (n *node) pointers() int {
	if n.leaf() {
		return n.start + 8
	}
	return n.start + 12
}

// right is the last child of an inner page.
func (n *node) right() uint32 { return binary.BigEndian.Uint32(n.data[n.start+8:]) }

// at is the offset of a cell.
func (n *node) at(k int) int { return int(binary.BigEndian.Uint16(n.data[n.pointers()+2*k:])) }

// parseNode reads the head of a page. It refuses a page of which most offsets
// point nowhere; single wrong ones are for those who read the cells.
func (f *File) parseNode(p []byte, start int) (n node, ok bool) {
	n = node{data: p, start: start, kind: p[start]}
	switch n.kind {
	case indexInner, tableInner, indexLeaf, tableLeaf:
	default:
		return n, false
	}
	n.cells = int(binary.BigEndian.Uint16(p[start+3:]))
	begin := n.pointers() + 2*n.cells
	if begin > f.usable {
		return n, false
	}
	wrong := 0
	for k := range n.cells {
		if at := n.at(k); at < begin || at > f.usable-2 {
			wrong++
		}
	}
	return n, wrong == 0 || wrong*2 < n.cells
}

// node reads the head of a page in a tree.
func (f *File) node(page uint32) (node, bool) {
	p, err := f.Page(page)
	if err != nil {
		return node{}, false
	}
	return f.parseNode(p, pageStart(page))
}

// looksFilled tells a page of a tree as SQLite fills them, from the end on, so
// that its size can be seen.
func (f *File) looksFilled(p []byte, start int) bool {
	n, ok := f.parseNode(p, start)
	if !ok {
		return false
	}
	content := int(binary.BigEndian.Uint16(p[start+5:]))
	if content == 0 {
		content = maxPage
	}
	if n.cells == 0 {
		return n.leaf() && content == f.usable
	}
	highest := 0
	for k := range n.cells {
		highest = max(highest, n.at(k))
	}
	c, ok := f.cell(&n, highest)
	return ok && max(c.end, highest+4) == f.usable && content <= highest
}

// cell is an entry of a page in a tree.
type cell struct {
	child uint32 // in inner pages
	rowID int64  // in the trees of tables
	size  int64  // of the payload
	// at is where the payload begins in the page, local how many bytes of it
	// lie there.
	at, local int
	// more is the first page of the rest.
	more uint32
	end  int
}

// cell reads the entry at this offset.
func (f *File) cell(n *node, at int) (c cell, ok bool) {
	if at < n.pointers()+2*n.cells || at > f.usable {
		return c, false
	}
	p := n.data[:f.usable]
	if !n.leaf() {
		if at+4 > len(p) {
			return c, false
		}
		c.child = binary.BigEndian.Uint32(p[at:])
		at += 4
	}
	if n.kind != tableInner {
		size, k := varint(p[at:])
		if k == 0 || size > 1<<31-1 {
			return c, false
		}
		c.size, at = int64(size), at+k
	}
	if !n.index() {
		id, k := varint(p[at:])
		if k == 0 {
			return c, false
		}
		c.rowID, at = int64(id), at+k
	}
	if n.kind == tableInner {
		c.end = at
		return c, true
	}
	c.at, c.local = at, f.localSize(c.size, n.index())
	c.end = at + c.local
	if int64(c.local) < c.size {
		if c.end+4 > len(p) {
			return c, false
		}
		c.more = binary.BigEndian.Uint32(p[c.end:])
		c.end += 4
	}
	return c, c.end <= len(p)
}

// localSize is how many bytes of a payload lie in the page of its cell.
func (f *File) localSize(size int64, index bool) int {
	most := f.usable - 35
	if index {
		most = (f.usable-12)*64/255 - 23
	}
	if size <= int64(most) {
		return int(size)
	}
	least := (f.usable-12)*32/255 - 23
	if n := least + int((size-int64(least))%int64(f.usable-4)); n <= most {
		return n
	}
	return least
}

// varint reads a number of one to nine bytes, and returns how many; 0 if they
// do not end.
func varint(p []byte) (v uint64, n int) {
	for n < len(p) && n < 8 {
		v = v<<7 | uint64(p[n]&0x7f)
		if n++; p[n-1] < 0x80 {
			return v, n
		}
	}
	if n == 8 && len(p) > 8 {
		return v<<8 | uint64(p[8]), 9
	}
	return 0, 0
}
