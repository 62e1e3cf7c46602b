package layout0

import (
	"bytes"
	"context"
	"slices"

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
	// One entry more than are replaced: it tells where the room ends.
	entries, err := c.entries(ctx, tx, i, min(c.Len(), i+int64(most)+1))
	if err != nil {
		return 0, err
	}
	first := entries.At(0)
	n := 1
	for n < most && entries.At(n).Chunk == first.Chunk {
		n++
	}
	chunk, err := c.chunkOf(ctx, tx, first, i)
	if err != nil {
		return 0, err
	}
	if split, err := c.splitOversized(ctx, tx, chunk, i); split || err != nil {
		return 0, err
	}
	limit := int64(entries.At(n - 1).End)
	if n == entries.Len() {
		limit = max(limit, chunk.Capacity) // nothing lies behind the last element
	} else if next := entries.At(n); next.Chunk == first.Chunk {
		limit = int64(next.Start)
	}
	old := entries[:n*entrySize]
	// A chunk that one large element had for itself goes with that element.
	outgrown := chunk.Capacity > c.bounds.Max && int64(b.Size(k)) <= c.bounds.Max
	if changed := refit(old, limit, b, k); changed != nil && !outgrown {
		return n, c.overwriteInPlace(ctx, tx, i, chunk, old, changed, b, k)
	}
	x, err := c.runAt(ctx, tx, i)
	if err != nil {
		return 0, err
	}
	return n, c.splice(ctx, tx, x, i, i+int64(n), b.Part(k, k+n))
}

// refit finds places for new elements in the room of the old ones, which ends
// at limit: each at the place of its predecessor, else all back to back. It
// returns nil if they need more, or if the old entryList cannot be trusted.
func refit(old entryList, limit int64, b column.Elements, k int) entryList {
	n := old.Len()
	if x := extentOf(old); x.disordered || int64(x.end) > limit {
		return nil
	}
	fits := true
	changed := make([]byte, 0, len(old))
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
	if fits {
		return changed
	}
	start := int64(old.At(0).Start)
	if int64(b.Ends[k+n-1]-b.Start(k)) > limit-start {
		return nil
	}
	return appendEntries(changed[:0], int64(old.At(0).Chunk), start, b, k, k+n)
}

// overwriteInPlace writes the elements of the batch from k on to the places
// that the new entries say.
func (c *VarSize) overwriteInPlace(ctx context.Context, tx store.Tx, i int64, chunk store.Chunk, old, changed entryList, b column.Elements, k int) error {
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
	if end > chunk.Used {
		if err := tx.SetChunk(ctx, c.id, store.Chunk{Number: chunk.Number, Used: end}); err != nil {
			return err
		}
	}
	if bytes.Equal(old, changed) {
		return nil
	}
	return c.index.Overwrite(ctx, tx, i, column.Elements{Data: changed})
}

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
	if done, err := c.insertBehind(ctx, tx, i, b); done || err != nil {
		return err
	}
	x, err := c.runAt(ctx, tx, i)
	if err != nil {
		return err
	}
	split, err := c.splitOversized(ctx, tx, x.chunk, i)
	if err != nil {
		return err
	}
	if split {
		if x, err = c.runAt(ctx, tx, i); err != nil {
			return err
		}
	}
	return c.splice(ctx, tx, x, i, i, b)
}

// insertBehind puts the elements behind the one before position i if there is
// room, so that nothing else has to move.
func (c *VarSize) insertBehind(ctx context.Context, tx store.Tx, i int64, b column.Elements) (bool, error) {
	if i == 0 {
		return false, nil
	}
	entries, err := c.entries(ctx, tx, i-1, i+1)
	if err != nil {
		return false, err
	}
	before, behind := entries.At(0), entries.At(1)
	chunk, err := c.chunkOf(ctx, tx, before, i-1)
	if err != nil || chunk.Capacity > c.bounds.Max {
		return false, err
	}
	n, end := int64(len(b.Data)), int64(before.End)
	hole := before.Chunk == behind.Chunk && n <= int64(behind.Start)-end
	room := before.Chunk != behind.Chunk && end == chunk.Used && n <= c.bounds.Max-end
	if before.Check() != nil || !hole && !room || len(b.Ends) > crowd {
		return false, nil
	}
	if crowded, err := c.crowded(ctx, tx, i, chunk.Number); crowded || err != nil {
		return false, err
	}
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

// splice replaces the elements from i up to j of the run by those of the
// batch, of which there are at least as many, and lays the run out anew.
func (c *VarSize) splice(ctx context.Context, tx store.Tx, x run, i, j int64, b column.Elements) error {
	if err := c.checkOverlap(ctx, tx, x); err != nil {
		return err
	}
	alone, err := c.alone(ctx, tx, x)
	if err != nil {
		return err
	}
	var before, behind column.Elements
	if x.chunk.Capacity > c.bounds.Max {
		// An element that has its chunk for itself: either it goes, or the new
		// ones get chunks of their own beside it.
		if i == j {
			alone = false
			x = run{chunk: x.chunk, from: i, to: i}
		}
	} else {
		if err := c.readEntries(ctx, tx, &before, x.from, x.part(x.from, i)); err != nil {
			return err
		}
		if err := c.readEntries(ctx, tx, &behind, j, x.part(j, x.to)); err != nil {
			return err
		}
	}
	var entries []byte
	total := int64(len(before.Data) + len(b.Data) + len(behind.Data))
	if total <= c.bounds.Max && len(before.Ends)+len(b.Ends)+len(behind.Ends) <= crowd && alone {
		entries, err = c.layInPlace(ctx, tx, x, before, b, behind)
	} else {
		entries, err = c.layPieces(ctx, tx, x, alone, before, b, behind)
	}
	if err != nil {
		return err
	}
	return c.spliceIndex(ctx, tx, x, entries)
}

// layInPlace writes the chunk of the run anew. Half of what stays free lies
// behind the elements that came in: the next one to come or to grow there
// finds room without moving others.
func (c *VarSize) layInPlace(ctx context.Context, tx store.Tx, x run, before, b, behind column.Elements) ([]byte, error) {
	total := int64(len(before.Data) + len(b.Data) + len(behind.Data))
	chunk := x.chunk
	// A capacity far above the need is not kept: it may be damaged.
	need := total + total/8
	if chunk.Capacity < need || chunk.Capacity > min(c.bounds.Max, max(trusted, 2*need)) {
		chunk.Capacity = c.bounds.capacity(need)
	}
	gap := (chunk.Capacity - total) / 2
	data := slices.Concat(before.Data, b.Data)
	middle := int64(len(data))
	entries := appendEntries(nil, chunk.Number, 0, before, 0, len(before.Ends))
	entries = appendEntries(entries, chunk.Number, int64(len(before.Data)), b, 0, len(b.Ends))
	if len(behind.Ends) > 0 {
		entries = appendEntries(entries, chunk.Number, middle+gap, behind, 0, len(behind.Ends))
		data = append(slices.Grow(data, int(gap)+len(behind.Data))[:middle+gap], behind.Data...)
		clear(data[middle : middle+gap])
	}
	chunk.Used = int64(len(data))
	return entries, tx.PutChunk(ctx, c.id, chunk, data)
}

// layPieces stores the run in several chunks. When it is not much more than
// what one can hold it is cut into even parts, so that all have room;
// otherwise the new elements fill chunks of their own. The old chunk goes if
// it held nothing else.
func (c *VarSize) layPieces(ctx context.Context, tx store.Tx, x run, alone bool, before, b, behind column.Elements) ([]byte, error) {
	fresh, err := c.newNumbers(ctx, tx, x)
	if err != nil {
		return nil, err
	}
	parts := []column.Elements{before, b, behind}
	target, count := c.bounds.Max, crowd
	if total := int64(len(before.Data) + len(b.Data) + len(behind.Data)); total <= 2*c.bounds.Max {
		all := concat(before, b, behind)
		parts = []column.Elements{all}
		target = max(1, (total+1)/2)
		pieces := (len(all.Ends) + crowd - 1) / crowd
		count = (len(all.Ends) + pieces - 1) / pieces
	}
	var entries []byte
	for _, part := range parts {
		if entries, err = c.putPieces(ctx, tx, fresh, part, target, count, entries); err != nil {
			return nil, err
		}
	}
	if !alone {
		return entries, nil
	}
	return entries, tx.DropChunks(ctx, c.id, x.chunk.Number, x.chunk.Number+1)
}

// spliceIndex gives the run its new entries: at least as many as it had.
func (c *VarSize) spliceIndex(ctx context.Context, tx store.Tx, x run, entries []byte) error {
	same := 0
	for same < len(x.entries) && bytes.Equal(entries[same:same+entrySize], x.entries[same:same+entrySize]) {
		same += entrySize
	}
	kept := entries[same:len(x.entries)]
	if err := c.index.Overwrite(ctx, tx, x.from+int64(same/entrySize), column.Elements{Data: kept}); err != nil {
		return err
	}
	return c.index.Insert(ctx, tx, x.to, column.Elements{Data: entries[len(x.entries):]})
}

// concat is several elements in one.
func concat(batches ...column.Elements) (all column.Elements) {
	for _, b := range batches {
		start := len(all.Data)
		all.Data = append(all.Data, b.Data...)
		for _, end := range b.Ends {
			all.Ends = append(all.Ends, start+end)
		}
	}
	return all
}
