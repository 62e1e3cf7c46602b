package parquet

import (
	"errors"
	"fmt"

	"github.com/parquet-go/parquet-go/format"

	"columnvault/internal/excerpt"
)

// node is a column of the schema, or a group of them.
type node struct {
	element
	children []*node
	// def and rep are the levels at which there is a value of it, and one more
	// of a list.
	def, rep int
	leaf     int // number of the column of values, -1 for a group
	leaves   []int
}

// maxNodes and maxDepth bound the columns of a schema, and groups inside each
// other.
const (
	maxNodes = 1 << 20
	maxDepth = 64
)

var errSchema = errors.New("the schema is damaged")

// newTree puts the elements of a schema into a tree.
func newTree(elements []format.SchemaElement) (root *node, leaves []*node, err error) {
	if len(elements) == 0 || len(elements) > maxNodes {
		return nil, nil, errSchema
	}
	rest := elements
	var build func(parent *node, depth int) (*node, error)
	build = func(parent *node, depth int) (*node, error) {
		if len(rest) == 0 || depth > maxDepth {
			return nil, errSchema
		}
		n := &node{element: newElement(&rest[0]), leaf: -1}
		rest = rest[1:]
		if parent != nil {
			n.def, n.rep = parent.def, parent.rep
			switch n.repetition {
			case required:
			case optional:
				n.def++
			case repeated:
				n.def++
				n.rep++
			default:
				return nil, errSchema
			}
		}
		if n.physical >= 0 && parent != nil {
			if n.children != nil || n.element.children > 0 || n.physical > format.FixedLenByteArray {
				return nil, errSchema
			}
			if n.physical == format.FixedLenByteArray && (n.size <= 0 || n.size > maxValue) {
				return nil, errSchema
			}
			n.leaf = len(leaves)
			n.leaves = []int{n.leaf}
			leaves = append(leaves, n)
			return n, nil
		}
		if n.element.children < 0 || n.element.children > len(rest) {
			return nil, errSchema
		}
		for range n.element.children {
			child, err := build(n, depth+1)
			if err != nil {
				return nil, err
			}
			n.children = append(n.children, child)
			n.leaves = append(n.leaves, child.leaves...)
		}
		return n, nil
	}
	root, err = build(nil, 0)
	if err == nil && len(rest) > 0 {
		err = errSchema
	}
	return root, leaves, err
}

// maxValue is the largest value of a fixed size in bytes.
const maxValue = 128 << 20

// listElement returns the elements of a list: of a group with a repeated group
// that has one column, as the format has it, or of older forms.
func (n *node) listElement() (*node, bool) {
	if n.repetition == repeated || n.logical != listGroup || len(n.children) != 1 || n.children[0].repetition != repeated {
		return nil, false
	}
	middle := n.children[0]
	if middle.leaf >= 0 || len(middle.children) != 1 || middle.name == "array" || middle.name == n.name+"_tuple" {
		return nil, false
	}
	if middle.logical == listGroup || middle.children[0].repetition == repeated {
		return nil, false
	}
	return middle.children[0], true
}

// mapEntry returns the keys and the values of a map.
func (n *node) mapEntry() (key, value *node, ok bool) {
	if n.repetition == repeated || n.logical != mapGroup || len(n.children) != 1 {
		return nil, nil, false
	}
	entry := n.children[0]
	if entry.repetition != repeated || len(entry.children) != 2 || entry.children[0].repetition == repeated {
		return nil, nil, false
	}
	return entry.children[0], entry.children[1], true
}

// describe says what a column is, for an error.
func (n *node) describe() string {
	if n.leaf < 0 {
		return "group " + excerpt.Quote(n.name, excerpt.Name)
	}
	return fmt.Sprintf("column %s of %v", excerpt.Quote(n.name, excerpt.Name), n.physical)
}
