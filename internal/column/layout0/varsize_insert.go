package layout0

import (
	"context"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

func (c *VarSize) Insert(ctx context.Context, tx store.Tx, i int64, b column.Elements) (err error) {
	if err := column.CheckRange(i, i, c.Len()); err != nil {
		return err
	}
	if i == c.Len() {
		return c.Append(ctx, tx, b)
	}
	if err := c.checkBatch(b); err != nil || len(b.Ends) == 0 {
		return err
	}
	defer column.AbortOn(tx, &err)
	c.forget()
	low := max(0, i-1)
	entries, crowds, err := c.around(ctx, tx, nil, low, i+1, i)
	if err != nil {
		return err
	}
	// The chunk of the element before position i, and then that of the element
	// there, which often is the same.
	chunk, err := c.chunkOf(ctx, tx, entries.At(0), low)
	if err != nil {
		return err
	}
	if i > 0 {
		if done, err := c.insertAtStray(ctx, tx, i, b, entries); done || err != nil {
			return err
		}
		if done, err := c.insertAfter(ctx, tx, i, b, entries, crowds, chunk); done || err != nil {
			return err
		}
		entries = entries[EntrySize:]
		if next := entries.At(0); int64(next.Chunk) != chunk.Number {
			if chunk, err = c.chunkOf(ctx, tx, next, i); err != nil {
				return err
			}
		}
	}
	split, err := c.splitOversized(ctx, tx, chunk, i, entries)
	if err != nil {
		return err
	}
	if split {
		if entries, err = c.entries(ctx, tx, i, i+1); err != nil {
			return err
		}
		if chunk, err = c.chunkOf(ctx, tx, entries.At(0), i); err != nil {
			return err
		}
	}
	x, err := c.runOf(ctx, tx, chunk, i, entries)
	if err != nil {
		return err
	}
	return c.splice(ctx, tx, x, i, i, b)
}

// insertAtStray puts the elements before or after a stray by laying the run
// around it out anew. In the chunk of the stray they would be strays too, and
// runs with many are hard to make out. entries are those of the elements before
// and at position i.
func (c *VarSize) insertAtStray(ctx context.Context, tx store.Tx, i int64, b column.Elements, entries entryList) (bool, error) {
	before, after := entries.At(0), entries.At(1)
	if before.Chunk == after.Chunk || before.Start != 0 && after.Start != 0 {
		return false, nil
	}
	for k, e := range []entry{before, after} {
		chunk, err := c.chunkOf(ctx, tx, e, i-1+int64(k))
		if err != nil {
			return false, err
		}
		if chunk.Capacity > c.bounds.Max {
			continue
		}
		x, err := c.runOf(ctx, tx, chunk, i-1+int64(k), entries[k*EntrySize:])
		if err != nil {
			return false, err
		}
		if x.from < i && i < x.to {
			return true, c.splice(ctx, tx, x, i, i, b)
		}
	}
	return false, nil
}

// insertAfter puts the elements after the one before position i if there is
// room in its chunk, so that nothing else has to move. entries are that of this
// element and that of the element at i.
func (c *VarSize) insertAfter(ctx context.Context, tx store.Tx, i int64, b column.Elements, entries entryList, crowds crowds, chunk store.Chunk) (bool, error) {
	if chunk.Capacity > c.bounds.Max || len(b.Ends) > crowd || crowds.in(chunk.Number) {
		return false, nil
	}
	before, after := entries.At(0), entries.At(1)
	n, end := int64(len(b.Data)), int64(before.End)
	hole := before.Chunk == after.Chunk && n <= int64(after.Start)-end
	room := before.Chunk != after.Chunk && end == chunk.Used && n <= c.bounds.Max-end
	if before.Check() != nil || !hole && !room {
		return false, nil
	}
	var err error
	if hole {
		err = tx.WriteAt(ctx, c.id, []store.Span{{Chunk: chunk.Number, Offset: end, Data: b.Data}})
	} else {
		c.tail = &tail{Chunk: chunk, end: end}
		err = c.fillTail(ctx, tx, b.Data, true)
		c.tail = nil
	}
	if err != nil {
		return false, err
	}
	added := appendEntries(nil, chunk.Number, end, b, 0, len(b.Ends))
	return true, c.index.Insert(ctx, tx, i, column.Elements{Data: added})
}
