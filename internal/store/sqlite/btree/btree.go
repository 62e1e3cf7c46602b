// Package btree looks at the trees of a SQLite file without SQLite, which does
// not tell how full their pages are, and reads long fields page by page. It knows
// https://sqlite.org/fileformat.html and believes nothing that it reads.
package btree

import (
	"context"
	"encoding/binary"
	"io"
)

// Big is the payload in bytes from which on a cell does not count: most of it
// lies on pages of its own.
const Big = 128 << 10

// Sparse estimates whether a tree of a file of so many pages would take much
// less room if its cells lay page after page: a table after many deletions, say.
// The file may be changing meanwhile, and the log may hold newer pages; so it is
// an estimate. Leaves with nothing but big cells do not count. bytes are those of
// the leaves that do.
func Sparse(ctx context.Context, f io.ReaderAt, pageSize, pages, root int64) (sparse bool, bytes int64) {
	w := treeWalk{f: f, page: make([]byte, pageSize), left: pages}
	w.walk(ctx, root, 0)
	return w.leaves > w.packed+w.packed/8+8, w.leaves * pageSize
}

// treeWalk counts the leaves of a tree, and how many they would be.
type treeWalk struct {
	f    io.ReaderAt
	page []byte
	// left is how many pages may still be read.
	left int64
	// leaves are those there are. packed are full, and used is what has been
	// put on the next.
	leaves, packed, used int64
}

// The kinds of pages, and how deep a tree can be.
const (
	interiorIndex = 2
	interiorTable = 5
	leafIndex     = 10
	leafTable     = 13
	maxDepth      = 20
)

// walk visits the tree below a page.
func (w *treeWalk) walk(ctx context.Context, number int64, depth int) {
	size := int64(len(w.page))
	if number < 2 || depth > maxDepth || w.left <= 0 || ctx.Err() != nil {
		return
	}
	w.left--
	if _, err := w.f.ReadAt(w.page, (number-1)*size); err != nil {
		return
	}
	cells := int64(binary.BigEndian.Uint16(w.page[3:]))
	switch kind := w.page[0]; kind {
	case leafIndex, leafTable:
		var moved bool
		var sizes []int64
		for k := range min(cells, (size-8)/2) {
			payload, n := w.cell(kind, int64(binary.BigEndian.Uint16(w.page[8+2*k:])))
			moved = moved || payload < Big
			sizes = append(sizes, min(n, size-8))
		}
		if !moved {
			return
		}
		w.leaves++
		for _, n := range sizes {
			w.add(n)
		}
	case interiorIndex, interiorTable:
		var children []int64
		for k := range min(cells, (size-12)/2) {
			if at := int64(binary.BigEndian.Uint16(w.page[12+2*k:])); at+4 <= size {
				children = append(children, int64(binary.BigEndian.Uint32(w.page[at:])))
			}
		}
		children = append(children, int64(binary.BigEndian.Uint32(w.page[8:])))
		for _, child := range children {
			w.walk(ctx, child, depth+1)
		}
	}
}

// add puts a cell of n bytes on the last of the packed leaves.
func (w *treeWalk) add(n int64) {
	room := int64(len(w.page)) - 8
	if n += 2; w.used+n > room {
		w.packed++
		w.used = 0
	}
	w.used += n
}

// cell returns the size of the payload of the cell at an offset, and how many
// bytes it takes on the leaf.
func (w *treeWalk) cell(kind byte, at int64) (payload uint64, size int64) {
	payload, n := varint(w.page, at)
	head := n
	if kind == leafTable {
		_, n = varint(w.page, at+head)
		head += n
	}
	local := localSize(kind, int64(len(w.page)), payload)
	if uint64(local) == payload {
		return payload, max(4, head+local)
	}
	return payload, head + local + 4
}

// localSize is how many bytes of a payload are on a leaf of so many bytes.
func localSize(kind byte, page int64, payload uint64) int64 {
	most := page - 35
	if kind != leafTable {
		most = (page-12)*64/255 - 23
	}
	if payload <= uint64(most) {
		return int64(payload)
	}
	least := (page-12)*32/255 - 23
	local := least + int64((payload-uint64(least))%uint64(page-4))
	if local > most {
		local = least
	}
	return local
}

// varint reads a number as SQLite writes it, and how many bytes it takes. Behind
// the end of p there are none.
func varint(p []byte, at int64) (v uint64, n int64) {
	for n = 1; n <= 9 && at+n <= int64(len(p)); n++ {
		b := p[at+n-1]
		if n == 9 {
			return v<<8 | uint64(b), n
		}
		v = v<<7 | uint64(b&0x7f)
		if b < 0x80 {
			break
		}
	}
	return v, n
}
