package writeback

import (
	"fmt"
	"slices"

	"columnvault/internal/catalog"
	"columnvault/internal/column"
	"columnvault/internal/excerpt"
	"columnvault/internal/store"
)

// Column is the buffer's side of a column's name: the cache that was enabled
// for it, and what is held for the column that has the name.
type Column struct {
	b    *Buffer
	name string
	own  slot
	// bound is the column that had the name when it was last looked up, nil
	// when it has to be looked up before something is held.
	bound *rows
	// spare is memory of elements that have been written.
	spare column.Elements
}

// Target is a column as it was found in the file.
type Target struct {
	ID catalog.ID
	// DType is canonical; ElemSize is the size of an element in bytes, 0 if it
	// varies.
	DType    string
	ElemSize int
	// Home is where the column is: see store.Row.
	Home int64
}

// rows are the elements held for one column. What is in the slices does not
// change; elements are added at the end and given up at the front.
type rows struct {
	Target
	column.Elements
	// of is the name that the column had when it was last looked up. Its cache
	// is the one that the elements count for.
	of    *Column
	count int
	// lent says that a reader or a flush has the memory.
	lent bool
	// stuck is why the last flush could not write them.
	stuck error
}

// cache is the one that the column's elements count for, nil if there is none.
func (c *Column) cache() *Cache {
	if c.own.top != nil {
		return c.own.top
	}
	return c.b.whole.top
}

// Cached tells whether the column has a cache.
func (c *Column) Cached() bool {
	c.b.mu.Lock()
	defer c.b.mu.Unlock()
	return c.cache() != nil
}

// size is the memory that elements take, in bytes.
func size(e column.Elements) int { return len(e.Data) + 8*len(e.Ends) }

func (r *rows) size() int { return size(r.Elements) }

// Append holds count elements, if there is room in the cache. It copies them.
func (c *Column) Append(dtype string, e column.Elements, count int) (Verdict, error) {
	b := c.b
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return Refused, store.ErrClosed
	}
	k := c.cache()
	if k == nil {
		return Refused, nil
	}
	if err := b.report(); err != nil {
		return Refused, err
	}
	if !c.takes(dtype) {
		return CheckFirst, nil
	}
	if c.bound.stuck != nil {
		return Refused, c.bound.stuck
	}
	verdict, err := b.room(k, size(e))
	if verdict == Held {
		c.add(k, e, count)
	}
	return verdict, err
}

// takes tells whether the column is known and holds elements of this dtype.
func (c *Column) takes(dtype string) bool { return c.bound != nil && c.bound.DType == dtype }

// leastGrowth and mostGrowth are by how many bytes the memory for what is held
// grows: it doubles in between.
const (
	leastGrowth = 512
	mostGrowth  = 16 << 20
)

// add holds elements of the column that is bound.
func (c *Column) add(k *Cache, e column.Elements, count int) {
	r, b := c.bound, c.b
	if r.count == 0 {
		b.rows[r.ID] = r
	}
	start := len(r.Data)
	if free := cap(r.Data) - start; free < len(e.Data) {
		// The runtime would add a quarter, and copy everything four times.
		r.Data = slices.Grow(r.Data, max(len(e.Data), min(start, mostGrowth), leastGrowth))
	}
	r.Data = append(r.Data, e.Data...)
	if start == 0 {
		r.Ends = append(r.Ends, e.Ends...)
	} else {
		for _, end := range e.Ends {
			r.Ends = append(r.Ends, start+end)
		}
	}
	r.count += count
	b.note(k, size(e), count)
}

// Bind notes which column has the name. The generation is that of a moment
// before the column was looked up; if it has changed since, nothing is bound
// and the caller looks again.
func (c *Column) Bind(t Target, generation uint64) error {
	c.b.mu.Lock()
	defer c.b.mu.Unlock()
	if generation != c.b.generation {
		return nil
	}
	r := c.b.rows[t.ID]
	switch {
	case r == nil:
		r = &rows{Target: t, of: c, Elements: c.spare}
		c.spare = column.Elements{}
	case r.DType != t.DType:
		return fmt.Errorf("%w: elements of %s are held for the column, which now is of %s", store.ErrInvalidArgument,
			excerpt.Line(r.DType, excerpt.Name), excerpt.Line(t.DType, excerpt.Name))
	case r.of != c:
		c.b.follow(r, c)
	}
	c.bound = r
	return nil
}

// follow notes that a column has another name than when elements were first
// held for it.
func (b *Buffer) follow(r *rows, to *Column) {
	if r.of.bound == r {
		r.of.bound = nil
	}
	r.of = to
	b.recount()
}

// unbind makes the next addition look the column up again, and keeps the memory
// for it unless somebody else has it.
func (r *rows) unbind() {
	if r.of.bound != r {
		return
	}
	r.of.bound = nil
	if !r.lent {
		r.of.spare = column.Elements{Data: r.Data[:0], Ends: r.Ends[:0]}
	}
}

// stuckError is the error of a call that needs what could not be written.
func stuckError(why error, count int, what string) error {
	return fmt.Errorf("%w; %d %s are held for it, and DiscardPending gives them up", why, count, what)
}

// drop gives up the first elements, those of the part. The memory is used
// again, unless a reader has it.
func (b *Buffer) drop(r *rows, p Part) {
	b.gone(r.of.cache(), size(p.Elements), p.Count)
	if r.count -= p.Count; r.count == 0 {
		delete(b.rows, r.ID)
		r.unbind()
		return
	}
	rest := r.Elements
	rest.Data, rest.Ends = rest.Data[len(p.Data):], rest.Ends[min(len(p.Ends), len(rest.Ends)):]
	into := column.Elements{Data: r.Data[:0], Ends: r.Ends[:0]}
	if r.lent {
		into, r.lent = column.Elements{}, false
	}
	into.Data = append(into.Data, rest.Data...)
	for _, end := range rest.Ends {
		into.Ends = append(into.Ends, end-len(p.Data))
	}
	r.Elements = into
}

// discard gives up everything that is held for a column.
func (b *Buffer) discard(r *rows) int {
	r.lent = true // perhaps to a flush
	n := r.count
	b.drop(r, Part{Elements: r.Elements, Count: n})
	return n
}

// Discard gives up what is held for the column of this name, and returns how
// many elements that were. A flush under way writes all of them or none.
func (c *Column) Discard() (elements int) {
	c.b.mu.Lock()
	defer c.b.mu.Unlock()
	return c.b.discardColumn(c)
}

func (b *Buffer) discardColumn(c *Column) (elements int) {
	for _, r := range b.rows {
		if r.of == c {
			elements += b.discard(r)
		}
	}
	return elements
}
