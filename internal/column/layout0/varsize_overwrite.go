package layout0

import (
	"bytes"
	"context"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

func (c *VarSize) Overwrite(ctx context.Context, tx store.Tx, i int64, b column.Elements) (err error) {
	n := int64(len(b.Ends))
	if err := column.CheckRange(i, i+n, c.Len()); err != nil {
		return err
	}
	if err := c.checkBatch(b); err != nil {
		return err
	}
	defer column.AbortOn(tx, &err)
	c.forget()
	for k := 0; k < len(b.Ends); {
		done, err := c.overwriteRun(ctx, tx, i+int64(k), b, k)
		if err != nil {
			return err
		}
		k += done
	}
	return nil
}

// overwriteRun replaces the elements from i on, as far as they lie in one
// chunk, by those of the batch from k on. It returns how many.
func (c *VarSize) overwriteRun(ctx context.Context, tx store.Tx, i int64, b column.Elements, k int) (int, error) {
	most := int(min(int64(len(b.Ends)-k), c.window))
	// One entry more than are replaced tells where the room ends, and one before
	// them what else lies in the chunk.
	low := max(0, i-1)
	entries, err := c.entries(ctx, tx, low, min(c.Len(), i+int64(most)+1))
	if err != nil {
		return 0, err
	}
	before := entries[:(i-low)*EntrySize]
	entries = entries[len(before):]
	first := entries.At(0)
	n := 1
	for n < most && entries.At(n).Chunk == first.Chunk {
		n++
	}
	chunk, err := c.chunkOf(ctx, tx, first, i)
	if err != nil {
		return 0, err
	}
	if split, err := c.splitOversized(ctx, tx, chunk, i, entries); split || err != nil {
		return 0, err
	}
	limit, toEnd := int64(entries.At(n-1).End), false
	single := isSingle(before, entries, chunk.Used)
	// The last element of a chunk goes on to end where it did, unless it is
	// the only one: see extent.fills.
	if n == entries.Len() || single {
		limit = max(limit, chunk.Capacity) // nothing lies after the last element
	} else if next := entries.At(n); next.Chunk == first.Chunk {
		limit = int64(next.Start)
	} else {
		toEnd = entries.At(n-1).Start > 0
	}
	old := entries[:n*EntrySize]
	// A chunk that one large element had for itself goes with that element.
	outgrown := chunk.Capacity > c.bounds.Max && int64(b.Size(k)) <= c.bounds.Max
	if changed := refit(old, limit, toEnd, b, k); changed != nil && !outgrown {
		return n, c.overwriteInPlace(ctx, tx, i, chunk, old, changed, b, k, single)
	}
	if n == 1 && len(b.Ends) == 1 {
		if done, err := c.moveOut(ctx, tx, i, chunk, before, entries, b.Data); done || err != nil {
			return n, err
		}
	}
	x, err := c.runOf(ctx, tx, chunk, i, entries)
	if err != nil {
		return 0, err
	}
	return n, c.splice(ctx, tx, x, i, i+int64(n), b.Part(k, k+n))
}

// refit finds places for new elements in the room of the old ones, which ends
// at limit: each at the place of its predecessor, else all back to back. toEnd
// says that the last one should end where the room does. The result is nil if
// they need more, or if the old entries cannot be trusted.
func refit(old entryList, limit int64, toEnd bool, b column.Elements, k int) entryList {
	n := old.Len()
	if x := extentOf(old); x.disordered || int64(x.end) > limit {
		return nil
	}
	fits := true
	changed := make(entryList, 0, len(old))
	for q := range n {
		e, room := old.At(q), limit
		if q+1 < n {
			room = int64(old.At(q + 1).Start)
		}
		end := int64(e.Start) + int64(b.Size(k+q))
		if end > room {
			fits = false
			break
		}
		e.End = int32(end)
		changed = e.Append(changed)
	}
	if !fits {
		start := int64(old.At(0).Start)
		if int64(b.Ends[k+n-1]-b.Start(k)) > limit-start {
			return nil
		}
		changed = appendEntries(changed[:0], int64(old.At(0).Chunk), start, b, k, k+n)
	}
	if toEnd {
		e := changed.At(n - 1)
		e.Start, e.End = e.Start+int32(limit)-e.End, int32(limit)
		changed = e.Append(changed[:(n-1)*EntrySize])
	}
	return changed
}

// overwriteInPlace writes the elements of the batch from k on to the places
// that the new entries say. single is isSingle of the old ones.
func (c *VarSize) overwriteInPlace(ctx context.Context, tx store.Tx, i int64, chunk store.Chunk, old, changed entryList, b column.Elements, k int, single bool) error {
	var spans []store.Span
	end := int64(-1)
	for q := range changed.Len() {
		e, data := changed.At(q), b.Data[b.Start(k+q):b.Ends[k+q]]
		if last := len(spans) - 1; int64(e.Start) == end {
			spans[last].Data = spans[last].Data[:len(spans[last].Data)+len(data)] // they follow each other in the batch too
		} else {
			spans = append(spans, store.Span{Chunk: chunk.Number, Offset: int64(e.Start), Data: data})
		}
		end = int64(e.End)
	}
	if err := tx.WriteAt(ctx, c.id, spans); err != nil {
		return err
	}
	// A small chunk that one element has for itself goes on to say so.
	if end > chunk.Used || single && end < chunk.Used && chunk.Capacity <= strayFrom {
		if err := tx.SetChunk(ctx, c.id, store.Chunk{Number: chunk.Number, Used: end}); err != nil {
			return err
		}
	}
	if bytes.Equal(old, changed) {
		return nil
	}
	return c.index.Overwrite(ctx, tx, i, column.Elements{Data: changed})
}
