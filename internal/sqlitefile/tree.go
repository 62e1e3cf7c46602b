package sqlitefile

import (
	"cmp"
	"math"
	"slices"
)

// maxDepth is how deep a tree can be. SQLite's own limit is 20.
const maxDepth = 40

// Tree is the pages of one tree that hold rows and can be read.
type Tree struct {
	Root uint32
	// Index tells the tree of an index, or of a table without rowids, whose rows
	// lie in all of its pages, from that of a table.
	Index bool
	// Pages are in the order of the rows, as far as that is known.
	Pages []uint32
	// Lost is the number of pages that should be there and cannot be used.
	Lost int
	// Gaps are the pages of a table's tree that are among them and are known.
	Gaps []Gap
}

// Gap is a page that cannot be used, and the rowids that lie in it or below it:
// those above From, up to To.
type Gap struct {
	Page     uint32
	From, To int64
}

// Everything is the gap of a tree of which nothing is left.
var Everything = Gap{From: math.MinInt64, To: math.MaxInt64}

// branch is a page that a tree leads to, and which rowids can be in it.
type branch struct {
	page     uint32
	from, to int64
	depth    int
}

// Tree follows a tree from its root. A page that another tree has is not taken
// again.
func (f *File) Tree(root uint32) Tree {
	t := Tree{Root: root}
	n, ok := f.node(root)
	if !ok || f.used.has(root) {
		f.spoil(root)
		t.Lost, t.Gaps = 1, []Gap{{root, Everything.From, Everything.To}}
		return t
	}
	t.Index = n.index()
	stack := []branch{{root, math.MinInt64, math.MaxInt64, 0}}
	for len(stack) > 0 {
		b := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		n, ok := f.node(b.page)
		if !ok || f.used.has(b.page) || n.index() != t.Index || b.depth > maxDepth || !f.inRange(&n, b) {
			f.spoil(b.page)
			t.Lost++
			if !t.Index {
				t.Gaps = append(t.Gaps, Gap{b.page, b.from, b.to})
			}
			continue
		}
		f.used.set(b.page)
		if n.leaf() || t.Index {
			t.Pages = append(t.Pages, b.page)
		}
		if !n.leaf() {
			children, lost := f.children(&n, b)
			t.Lost += lost
			slices.Reverse(children)
			stack = append(stack, children...)
		}
	}
	return t
}

// children are the pages below an inner page, and how many of them its damage
// hides.
func (f *File) children(n *node, b branch) (children []branch, lost int) {
	from := b.from
	for k := range n.cells {
		c, ok := f.cell(n, n.at(k))
		if !ok {
			lost++
			continue
		}
		to := b.to
		if !n.index() {
			to = c.rowID
		}
		children = append(children, branch{c.child, from, to, b.depth + 1})
		from = to
	}
	if n.index() {
		from = b.from
	}
	return append(children, branch{n.right(), from, b.to, b.depth + 1}), lost
}

// inRange tells whether the rowids of a page are those that its parent says, but
// for a few that may be damaged.
func (f *File) inRange(n *node, b branch) bool {
	if n.index() {
		return true
	}
	wrong := 0
	for k := range n.cells {
		if c, ok := f.cell(n, n.at(k)); ok && (c.rowID < b.from || c.rowID > b.to) {
			wrong++
		}
	}
	return wrong*2 <= n.cells
}

// Orphans finds the trees that nothing has led to: pages that look like those of
// trees, and belong neither to a tree that was followed before nor to the free
// pages. Where pages above others are lost too, a tree comes in parts. Root is
// the topmost page that is left.
func (f *File) Orphans() []Tree {
	below := newBitmap(f.pages) // pages that one of these leads to
	var found []branch
	for k := uint32(1); k <= f.pages; k++ {
		if f.used.has(k) {
			continue
		}
		if kind, _ := f.owner(k); kind == ownerCell || kind == ownerChain {
			continue
		}
		n, ok := f.node(k)
		if !ok || n.cells == 0 {
			continue
		}
		found = append(found, branch{page: k})
		if n.leaf() {
			continue
		}
		children, _ := f.children(&n, branch{})
		for _, child := range children {
			if child.page <= f.pages && child.page != k {
				below.set(child.page)
			}
		}
	}
	// Those that nothing leads to come first, then what a circle leaves.
	slices.SortStableFunc(found, func(a, b branch) int {
		return cmp.Compare(toInt(below.has(a.page)), toInt(below.has(b.page)))
	})
	var trees []Tree
	for _, b := range found {
		if f.used.has(b.page) {
			continue
		}
		if t := f.Tree(b.page); len(t.Pages) > 0 {
			trees = append(trees, t)
		}
	}
	return trees
}

func toInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Above returns the pages above a page according to the pointer map, from the
// nearest up to the root of the tree. It ends early where the map does not know.
func (f *File) Above(page uint32) (pages []uint32) {
	for range maxDepth {
		kind, parent := f.owner(page)
		if kind != ownerNode {
			break
		}
		pages = append(pages, parent)
		page = parent
	}
	return pages
}

// IsRoot tells whether a page is the root of a tree according to the pointer
// map.
func (f *File) IsRoot(page uint32) bool {
	kind, _ := f.owner(page)
	return kind == ownerRoot
}
