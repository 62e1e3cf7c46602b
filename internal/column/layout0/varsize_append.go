package layout0

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// looked is the number of elements at the end of a column that must ascend in
// their chunk before more are added to it.
const looked = 16

// tail is the chunk with the highest number.
type tail struct {
	store.Chunk
	// end is where the next element goes.
	end int64
	// count is how many elements have come into the chunk, or crowd if it had
	// as many before.
	count int
	// open says that the chunk holds the last element, or will hold the next,
	// and may take more. Capacity 0 is that of a chunk still to be created.
	open bool
}

func (c *VarSize) Append(ctx context.Context, tx store.Tx, b column.Elements) (err error) {
	if err := c.checkBatch(b); err != nil || len(b.Ends) == 0 {
		return err
	}
	defer column.AbortOn(tx, &err)
	c.ahead.reset()
	if err := c.findTail(ctx, tx); err != nil {
		return err
	}
	entries := make([]byte, 0, len(b.Ends)*EntrySize)
	for next := 0; next < len(b.Ends); {
		n := c.tail.room(c.bounds, b, next)
		if n == 0 {
			if err := c.nextTail(ctx, tx); err != nil {
				return err
			}
			continue
		}
		entries = appendEntries(entries, c.tail.Number, c.tail.end, b, next, next+n)
		full := next+n < len(b.Ends)
		if err := c.fillTail(ctx, tx, b.Data[b.Start(next):b.Ends[next+n-1]], full); err != nil {
			return err
		}
		next += n
		c.tail.count += n
	}
	return c.index.Append(ctx, tx, column.Elements{Data: entries})
}

// checkBatch refuses what can never be stored.
func (c *VarSize) checkBatch(b column.Elements) error {
	for k := range b.Ends {
		if n := b.Size(k); n > column.MaxElement {
			return fmt.Errorf("%w: element %d of the call has %d bytes, and the limit is %d",
				store.ErrTooLarge, k, n, column.MaxElement)
		}
	}
	return c.index.checkRoom(int64(len(b.Ends)))
}

// appendEntries appends the entries of elements that lie back to back from
// pos on in the chunk.
func appendEntries(dst []byte, chunk, pos int64, b column.Elements, from, to int) []byte {
	for k := from; k < to; k++ {
		end := pos + int64(b.Size(k))
		dst = entry{Chunk: int32(chunk), Start: int32(pos), End: int32(end)}.Append(dst)
		pos = end
	}
	return dst
}

// ending has room for what findTail reads.
type ending [(looked + 2) * EntrySize]byte

var endings = sync.Pool{New: func() any { return new(ending) }}

// Ending asks for the entries that findTail needs.
func (c *VarSize) Ending() store.ColumnSpans {
	if c.tail == nil && c.Len() > 0 {
		c.asked = c.askEnding()
		return store.ColumnSpans{Column: c.index.id, Spans: c.index.spans}
	}
	return store.ColumnSpans{}
}

// askEnding makes the spans of the entries of the last elements, at most looked,
// and of crowds before the end.
func (c *VarSize) askEnding() *ending {
	buf, n := endings.Get().(*ending), c.Len()
	c.askAround(buf[:], max(0, n-looked), n, n)
	return buf
}

// findTail finds out where the next element goes.
func (c *VarSize) findTail(ctx context.Context, tx store.Tx) error {
	if c.tail != nil {
		return nil
	}
	if c.Len() == 0 {
		// 0.8.6 leaves the chunks of a column that it clears.
		if err := tx.DropChunks(ctx, c.id, math.MinInt64, math.MaxInt64); err != nil {
			return err
		}
	}
	last, err := tx.LastChunk(ctx, c.id)
	if errors.Is(err, store.ErrNotFound) {
		c.tail = &tail{Chunk: store.Chunk{Number: -stride}}
		return nil
	}
	if err != nil {
		return err
	}
	n := c.Len()
	buf := c.asked
	c.asked = nil
	if buf == nil {
		buf = c.askEnding()
		err = tx.ReadAt(ctx, c.index.id, c.index.spans)
	}
	defer endings.Put(buf)
	if err != nil {
		return err
	}
	entries, crowds := c.seeAround(buf[:], max(0, n-looked), n, n)
	k := entries.Len() - 1
	e := entries.At(k)
	if err := e.Check(); err != nil {
		return fmt.Errorf("%w: element %d: %w", store.ErrCorrupt, n-1, err)
	}
	c.tail = &tail{Chunk: last, end: int64(e.End), open: int64(e.Chunk) == last.Number}
	if c.tail.open && last.Capacity > c.bounds.Max {
		split, err := c.splitOversized(ctx, tx, last, n-1, entries[k*EntrySize:])
		if err != nil {
			return err
		}
		if split {
			c.tail = nil
			return c.findTail(ctx, tx)
		}
		c.tail.open = false
	}
	for k > 0 && entries.At(k-1).Chunk == e.Chunk {
		k--
	}
	if extentOf(entries[k*EntrySize:]).disordered {
		c.tail.open = false // what comes after the last element may live
	}
	if crowds.in(last.Number) {
		c.tail.count = crowd
	}
	return nil
}

// room is how many elements of the batch, from next on, the chunk can take.
func (t *tail) room(bounds Bounds, b column.Elements, next int) int {
	if !t.open || t.Capacity > bounds.Max {
		return 0
	}
	if t.Capacity == 0 && int64(b.Size(next)) > bounds.Max {
		return 1 // an element larger than any chunk gets one for itself
	}
	limit := int64(b.Start(next)) + bounds.Max - t.end
	n, end := next, min(len(b.Ends), next+crowd-t.count)
	for n < end && int64(b.Ends[n]) <= limit {
		n++
	}
	return n - next
}

// fillTail writes data at the end of the tail chunk. full says that no more
// will come: then little room is added. Otherwise the count of used bytes runs
// ahead of the elements: changing it costs as much as reading the chunk.
func (c *VarSize) fillTail(ctx context.Context, tx store.Tx, data []byte, full bool) error {
	t := c.tail
	need := t.end + int64(len(data))
	grown := t.Chunk
	if t.Capacity == 0 || need > t.Capacity {
		grown.Capacity = max(c.bounds.capacity(need), need)
		if full {
			grown.Capacity = min(grown.Capacity, max(c.bounds.Min, need+need/8))
		}
	}
	if full {
		grown.Used = need
	} else if need > t.Used {
		grown.Used = min(grown.Capacity, need+grown.Capacity/8)
	}
	if err := c.rewriteTail(ctx, tx, grown, data); err != nil {
		return err
	}
	t.Chunk, t.end = grown, need
	return nil
}

// rewriteTail makes the tail chunk what grown says, with data at its end.
func (c *VarSize) rewriteTail(ctx context.Context, tx store.Tx, grown store.Chunk, data []byte) error {
	t := c.tail
	if grown.Capacity > t.Capacity {
		whole, err := front(ctx, tx, c.id, t.Number, t.end, data)
		if err != nil {
			return err
		}
		return tx.PutChunk(ctx, c.id, grown, whole)
	}
	if len(data) > 0 {
		if err := tx.WriteAt(ctx, c.id, []store.Span{{Chunk: t.Number, Offset: t.end, Data: data}}); err != nil {
			return err
		}
	}
	if grown.Used == t.Used {
		return nil
	}
	return tx.SetChunk(ctx, c.id, grown)
}

// nextTail goes on to a chunk after the last one, which is still to be created.
func (c *VarSize) nextTail(ctx context.Context, tx store.Tx) error {
	t := c.tail
	if t.open && t.Used > t.end {
		// Nothing more will come: let the count say what is used.
		if err := tx.SetChunk(ctx, c.id, store.Chunk{Number: t.Number, Used: t.end}); err != nil {
			return err
		}
	}
	number, err := numberAfter(t.Number)
	if err != nil {
		return err
	}
	*t = tail{Chunk: store.Chunk{Number: number}, open: true}
	return nil
}
