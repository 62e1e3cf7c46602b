package parquet

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"columnvault/dtype"
	"columnvault/exchange"
)

// nestedColumn is a column of groups, lists and maps, as values that msgpack
// holds.
type nestedColumn struct {
	root    *node
	cursors []*cursor // of the leaves
	byLeaf  map[int]*cursor
	held    []any
	size    int
}

// cursor is where a leaf is.
type cursor struct {
	kind       kind
	p          *pages
	reps, defs []byte
	values     []any
	at, n      int // of the next value, and of all that have been taken
}

// maxEntries bounds the values of one row.
const maxEntries = 16 << 20

var errEntries = fmt.Errorf("%w: a row has more than %d values in a column", dtype.ErrValue, maxEntries)

func newNested(root *node, leaves []*node, decimals Decimals) (*nestedColumn, error) {
	c := &nestedColumn{root: root, byLeaf: map[int]*cursor{}}
	for _, i := range root.leaves {
		k, err := kindOf(leaves[i], decimals)
		if err != nil {
			return nil, err
		}
		cur := &cursor{kind: k}
		c.cursors = append(c.cursors, cur)
		c.byLeaf[i] = cur
	}
	return c, nil
}

func (c *nestedColumn) field() exchange.Field { return plainField(dtype.MsgPack[any]().Spec()) }

func (c *nestedColumn) begin(p []*pages) {
	for i, cur := range c.cursors {
		*cur = cursor{kind: cur.kind, p: p[i], values: cur.values[:0]}
	}
	c.held = c.held[:0]
}

func (c *nestedColumn) fill(rows int) (int, error) {
	c.size = 0
	for len(c.held) < rows && c.size < fillBytes/64 {
		before := c.size
		v, err := c.value(c.root, &before)
		if err != nil {
			return 0, early(err)
		}
		c.size = before
		c.held = append(c.held, v)
	}
	return min(rows, len(c.held)), nil
}

func (c *nestedColumn) take(rows int, dst exchange.Column) error {
	v := dst.(*exchange.Vector[any])
	for _, value := range c.held[:rows] {
		if value == nil {
			v.AddMissing()
		} else {
			v.Add(value)
		}
	}
	rest := copy(c.held, c.held[rows:])
	clear(c.held[rest:])
	c.held = c.held[:rest]
	return nil
}

// first returns the cursor of the first leaf of a node.
func (c *nestedColumn) first(n *node) *cursor { return c.byLeaf[n.leaves[0]] }

// value reads a node: what repeats is a list.
func (c *nestedColumn) value(n *node, count *int) (any, error) {
	if len(n.leaves) == 0 {
		return map[string]any{}, nil // a group without columns
	}
	first := c.first(n)
	_, def, err := first.peek()
	if err != nil {
		return nil, err
	}
	if n.repetition == required || def >= n.def {
		if n.repetition != repeated {
			return c.body(n, count)
		}
		return c.repeated(n, count, c.body)
	}
	for _, i := range n.leaves {
		if err := c.byLeaf[i].drop(); err != nil {
			return nil, err
		}
	}
	if n.repetition == repeated {
		return []any{}, nil
	}
	return nil, nil
}

// repeated reads a node that repeats, of which there is one at least.
func (c *nestedColumn) repeated(n *node, count *int, read func(*node, *int) (any, error)) (any, error) {
	first := c.first(n)
	list := []any{}
	for {
		v, err := read(n, count)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		if *count++; *count > maxEntries {
			return nil, errEntries
		}
		rep, _, err := first.peek()
		if errors.Is(err, io.EOF) || err == nil && rep < n.rep {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// body reads a node that is there.
func (c *nestedColumn) body(n *node, count *int) (any, error) {
	if n.leaf >= 0 {
		*count++
		return c.byLeaf[n.leaf].take()
	}
	if element, ok := n.listElement(); ok {
		return c.inner(n.children[0], count, func(_ *node, count *int) (any, error) { return c.value(element, count) })
	}
	if key, value, ok := n.mapEntry(); ok {
		return c.mapping(n.children[0], key, value, count)
	}
	if n.logical == listGroup && len(n.children) == 1 {
		return c.value(n.children[0], count) // of the older forms
	}
	group := make(map[string]any, len(n.children))
	for _, child := range n.children {
		v, err := c.value(child, count)
		if err != nil {
			return nil, err
		}
		group[child.name] = v
	}
	return group, nil
}

// inner reads what repeats within a list or a map.
func (c *nestedColumn) inner(n *node, count *int, read func(*node, *int) (any, error)) (any, error) {
	_, def, err := c.first(n).peek()
	if err != nil {
		return nil, err
	}
	if def >= n.def {
		return c.repeated(n, count, read)
	}
	for _, i := range n.leaves {
		if err := c.byLeaf[i].drop(); err != nil {
			return nil, err
		}
	}
	return []any{}, nil
}

// mapping reads a map: with text as keys it is one, and else a list of pairs.
func (c *nestedColumn) mapping(entry, key, value *node, count *int) (any, error) {
	type pair = [2]any
	v, err := c.inner(entry, count, func(_ *node, count *int) (any, error) {
		k, err := c.value(key, count)
		if err != nil {
			return nil, err
		}
		v, err := c.value(value, count)
		return pair{k, v}, err
	})
	if err != nil {
		return nil, err
	}
	pairs := v.([]any)
	texts := make(map[string]any, len(pairs))
	for i, p := range pairs {
		p := p.(pair)
		pairs[i] = []any{p[0], p[1]}
		if k, ok := p[0].(string); ok {
			texts[k] = p[1]
		}
	}
	if len(texts) == len(pairs) {
		return texts, nil
	}
	return pairs, nil
}

// load makes sure that there is a value, or returns io.EOF.
func (c *cursor) load() error {
	if c.at < c.n {
		return nil
	}
	if err := c.p.more(); err != nil {
		return err
	}
	n := min(1<<10, c.p.n)
	present := n
	reps, defs := c.p.takeLevels(n)
	if defs != nil {
		present = bytes.Count(defs, []byte{byte(c.p.leaf.def)})
	}
	c.values, c.n, c.at = c.values[:0], n, 0
	c.reps, c.defs = reps, defs
	var err error
	c.values, err = c.kind.anys(c.p, present, c.values)
	return err
}

// peek returns the levels of the next value.
func (c *cursor) peek() (rep, def int, err error) {
	if err := c.load(); err != nil {
		return 0, 0, err
	}
	if c.reps != nil {
		rep = int(c.reps[c.at])
	}
	if c.defs != nil {
		def = int(c.defs[c.at])
	}
	return rep, def, nil
}

// drop goes past a value that is missing.
func (c *cursor) drop() error {
	_, def, err := c.peek()
	if err != nil {
		return err
	}
	if def == c.p.leaf.def {
		return errDamaged
	}
	c.at++
	return nil
}

// take returns the next value.
func (c *cursor) take() (any, error) {
	_, def, err := c.peek()
	if err != nil {
		return nil, err
	}
	if def != c.p.leaf.def || len(c.values) == 0 {
		return nil, errDamaged
	}
	v := c.values[0]
	c.values = c.values[1:]
	c.at++
	return v, nil
}
