package layout0

import (
	"bytes"
	"context"
	"slices"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// splice replaces the elements from i up to j of the run by those of the
// batch, of which there are at least as many, and lays the run out anew.
func (c *VarSize) splice(ctx context.Context, tx store.Tx, x run, i, j int64, b column.Elements) error {
	alone := false
	if x.chunk.Capacity > c.bounds.Max && i == j {
		// An element that has its chunk for itself keeps it, and the new ones
		// get chunks of their own beside it.
		x = run{chunk: x.chunk, from: i, to: i}
	} else {
		err := c.checkOverlap(ctx, tx, x)
		if err == nil {
			alone, err = c.alone(ctx, tx, x)
		}
		if err != nil {
			return err
		}
	}
	stay, first := x.entries, x.from
	if i < j {
		stay = slices.Concat(x.part(x.from, i), x.part(j, x.to))
		first = -1
	}
	var old column.Elements
	if err := c.readEntries(ctx, tx, &old, first, stay); err != nil {
		return err
	}
	if err := c.dropStrays(ctx, tx, x); err != nil {
		return err
	}
	k := int(i - x.from) // those before the new ones
	var entries []byte
	var err error
	total := int64(len(old.Data) + len(b.Data))
	if alone && total <= c.bounds.Max && len(old.Ends)+len(b.Ends) <= crowd {
		entries, err = c.layInPlace(ctx, tx, x, old, k, b)
	} else {
		entries, err = c.layPieces(ctx, tx, x, alone, old, k, b)
	}
	if err != nil {
		return err
	}
	return c.spliceIndex(ctx, tx, x, entries)
}

// layInPlace writes the chunk of the run anew, with the new elements before
// element k of the old ones. Half of what stays free lies after the elements
// that came in: the next one to come or to grow there finds room without
// moving others.
func (c *VarSize) layInPlace(ctx context.Context, tx store.Tx, x run, old column.Elements, k int, b column.Elements) ([]byte, error) {
	total := int64(len(old.Data) + len(b.Data))
	chunk := x.chunk
	// A capacity far above the need is not kept: it may be damaged.
	need := total + total/8
	if chunk.Capacity < need || chunk.Capacity > min(c.bounds.Max, max(trusted, 2*need)) {
		chunk.Capacity = c.bounds.capacity(need)
	}
	gap := int64(0)
	if k < len(old.Ends) {
		gap = (chunk.Capacity - total) / 2
	}
	split := int64(old.Start(k))
	after := split + int64(len(b.Data)) + gap // where the rest of the old ones goes
	data := make([]byte, total+gap)
	copy(data, old.Data[:split])
	copy(data[split:], b.Data)
	copy(data[after:], old.Data[split:])
	entries := make([]byte, 0, (len(old.Ends)+len(b.Ends))*EntrySize)
	entries = appendEntries(entries, chunk.Number, 0, old, 0, k)
	entries = appendEntries(entries, chunk.Number, split, b, 0, len(b.Ends))
	entries = appendEntries(entries, chunk.Number, after, old, k, len(old.Ends))
	chunk.Used = int64(len(data))
	return entries, tx.PutChunk(ctx, c.id, chunk, data)
}

// layPieces stores the run in several chunks, with the new elements before
// element k of the old ones. When it is not much more than what one can hold
// it is cut into even parts, so that all have room; otherwise the new elements
// fill chunks of their own. The old chunk goes if it held nothing else.
func (c *VarSize) layPieces(ctx context.Context, tx store.Tx, x run, alone bool, old column.Elements, k int, b column.Elements) ([]byte, error) {
	fresh, err := c.newNumbers(ctx, tx, x)
	if err != nil {
		return nil, err
	}
	var parts []column.Elements
	target, count := c.bounds.Max, crowd
	if total := int64(len(old.Data) + len(b.Data)); total <= 2*c.bounds.Max {
		all := insert(old, k, b)
		parts = []column.Elements{all}
		target = max(1, (total+1)/2)
		pieces := (len(all.Ends) + crowd - 1) / crowd
		count = (len(all.Ends) + pieces - 1) / pieces
	} else {
		parts = []column.Elements{old.Part(0, k), b, old.Part(k, len(old.Ends))}
	}
	entries := make([]byte, 0, (len(old.Ends)+len(b.Ends))*EntrySize)
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

// insert is the old elements with the new ones before element k.
func insert(old column.Elements, k int, b column.Elements) column.Elements {
	start := old.Start(k)
	ends := make([]int, 0, len(old.Ends)+len(b.Ends))
	ends = append(ends, old.Ends[:k]...)
	for _, end := range b.Ends {
		ends = append(ends, start+end)
	}
	for _, end := range old.Ends[k:] {
		ends = append(ends, len(b.Data)+end)
	}
	return column.Elements{Data: slices.Concat(old.Data[:start], b.Data, old.Data[start:]), Ends: ends}
}

// spliceIndex gives the run its new entries: at least as many as it had.
func (c *VarSize) spliceIndex(ctx context.Context, tx store.Tx, x run, entries []byte) error {
	same := 0
	for same < len(x.entries) && bytes.Equal(entries[same:same+EntrySize], x.entries[same:same+EntrySize]) {
		same += EntrySize
	}
	kept := entries[same:len(x.entries)]
	if err := c.index.Overwrite(ctx, tx, x.from+int64(same/EntrySize), column.Elements{Data: kept}); err != nil {
		return err
	}
	return c.index.Insert(ctx, tx, x.to, column.Elements{Data: entries[len(x.entries):]})
}
