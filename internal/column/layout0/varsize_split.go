package layout0

import (
	"context"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// splitOversized replaces a chunk that is larger than the maximum, as 0.8.6
// makes them, by chunks that are not: 0.8.6 destroys such a chunk when it
// updates an element in it. A chunk that one element needs for itself stays;
// then the result is false. i is an element of the chunk, and known are its
// entry and those of elements after it.
func (c *VarSize) splitOversized(ctx context.Context, tx store.Tx, chunk store.Chunk, i int64, known entryList) (bool, error) {
	if chunk.Capacity <= c.bounds.Max {
		return false, nil
	}
	x, err := c.runOf(ctx, tx, chunk, i, known)
	if err != nil {
		return false, err
	}
	if x.to-x.from == 1 && x.entries.At(0).Len() > c.bounds.Max {
		return false, nil
	}
	if err := c.checkOverlap(ctx, tx, x); err != nil {
		return false, err
	}
	alone, err := c.alone(ctx, tx, x)
	if err != nil {
		return false, err
	}
	fresh, err := c.newNumbers(ctx, tx, x)
	if err != nil {
		return false, err
	}
	for from := x.from; from < x.to; {
		var b column.Elements
		n, _ := fitting(x.part(from, x.to), c.bounds.Max, true)
		to := from + int64(n)
		if err := c.readEntries(ctx, tx, &b, from, x.part(from, to)); err != nil {
			return false, err
		}
		entries, err := c.putPieces(ctx, tx, fresh, b, c.bounds.Max, crowd, nil)
		if err != nil {
			return false, err
		}
		if err := c.index.Overwrite(ctx, tx, from, column.Elements{Data: entries}); err != nil {
			return false, err
		}
		from = to
	}
	if err := c.dropStrays(ctx, tx, x); err != nil {
		return false, err
	}
	if !alone {
		return true, nil
	}
	return true, tx.DropChunks(ctx, c.id, chunk.Number, chunk.Number+1)
}

// putPieces stores the elements of the batch in new chunks, each of about
// target bytes and of at most count elements, and appends their entries.
func (c *VarSize) putPieces(ctx context.Context, tx store.Tx, fresh *numbers, b column.Elements, target int64, count int, entries []byte) ([]byte, error) {
	for from := 0; from < len(b.Ends); {
		to := pieceEnd(&b, from, target, c.bounds.Max, count)
		number, err := fresh.take(ctx, tx)
		if err != nil {
			return nil, err
		}
		data := b.Data[b.Start(from):b.Ends[to-1]]
		n := int64(len(data))
		chunk := store.Chunk{Number: number, Capacity: max(c.bounds.capacity(n), n), Used: n}
		if err := tx.PutChunk(ctx, c.id, chunk, data); err != nil {
			return nil, err
		}
		entries = appendEntries(entries, number, 0, b, from, to)
		from = to
	}
	return entries, nil
}

// pieceEnd is the end of a piece that begins with element from: about target
// bytes, at most limit unless the element alone has more, and at most count
// elements.
func pieceEnd(b *column.Elements, from int, target, limit int64, count int) int {
	start := b.Start(from)
	to, end := from+1, min(len(b.Ends), from+count)
	for to < end && int64(b.Ends[to-1]-start) < target && int64(b.Ends[to]-start) <= limit {
		to++
	}
	return to
}
