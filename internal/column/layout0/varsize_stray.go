package layout0

import (
	"context"
	"errors"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

const (
	// strayFrom is the number of used bytes up to which a chunk is laid out anew
	// when one of its elements outgrows its place. In a larger one that costs
	// more than a chunk for the element.
	strayFrom = 32 << 10
	// maxStrays is how many elements in a row may lie elsewhere inside a run.
	maxStrays = 64
)

// moveOut gives element i, which does not fit into its place any more, a chunk
// of its own: a stray, between others that stay where they are. before is the
// entry of the element before it, entries are its own and that of the element
// after it. The result is false where the run is
// better laid out anew: at its ends, which tell what else the chunk may hold
// (see extent.fills), beside another stray, in a small chunk, and when the gap
// in the numbers behind the chunk is used up. That gathers the strays again.
func (c *VarSize) moveOut(ctx context.Context, tx store.Tx, i int64, chunk store.Chunk, before, entries entryList, data []byte) (bool, error) {
	e := entries.At(0)
	if e.Check() != nil {
		return false, nil
	}
	number := chunk.Number
	if !isSingle(before, entries, chunk.Used) {
		if chunk.Used <= strayFrom || before.Len() == 0 || entries.Len() < 2 {
			return false, nil
		}
		p, q := before.At(0), entries.At(1)
		if p.Chunk != e.Chunk || q.Chunk != e.Chunk || p.Check() != nil || q.Check() != nil || p.End > e.Start || e.End > q.Start {
			return false, nil
		}
		var err error
		if number, err = c.strayNumber(ctx, tx, number); number < 0 || err != nil {
			return false, err
		}
	}
	n := int64(len(data))
	// A quarter of room, so that it can grow once more where it is.
	own := store.Chunk{Number: number, Capacity: max(1, n, min(n+n/4, c.bounds.Max)), Used: n}
	if err := tx.PutChunk(ctx, c.id, own, data); err != nil {
		return false, err
	}
	return true, c.index.Overwrite(ctx, tx, i, column.Elements{Data: entry{Chunk: int32(number), End: int32(n)}.Append(nil)})
}

// isSingle tells whether the first of the entries is that of an element that has
// its chunk for itself. before is the entry before it.
func isSingle(before, entries entryList, used int64) bool {
	e := entries.At(0)
	return e.Start == 0 && int64(e.End) == used &&
		(before.Len() == 0 || before.At(0).Chunk != e.Chunk) && (entries.Len() < 2 || entries.At(1).Chunk != e.Chunk)
}

// strayNumber returns a number for a stray of the chunk: from the gap behind it,
// or, as it must not become the highest one, at which 0.8.6 appends, from the
// gap before the last chunk. It returns -1 if there is none.
func (c *VarSize) strayNumber(ctx context.Context, r store.Reader, chunk int64) (int64, error) {
	last, err := r.LastChunk(ctx, c.id)
	if err != nil {
		return -1, err
	}
	from := chunk + 1
	if chunk >= last.Number {
		from = chunk - stride + 1
	}
	from = max(0, from)
	to := min(from+stride-1, last.Number)
	next := from
	for taken, err := range r.Chunks(ctx, c.id, from, to) {
		if err != nil {
			return -1, err
		}
		if taken.Number > next {
			break
		}
		next = taken.Number + 1
	}
	if next >= to {
		return -1, nil
	}
	return next, nil
}

// dropStrays drops the chunks of the run's strays, whose elements have been
// read to be stored elsewhere, as far as nothing else lies in them.
func (c *VarSize) dropStrays(ctx context.Context, tx store.Tx, x run) error {
	strays := extents{}
	for k := range x.entries.Len() {
		if e := x.entries.At(k); int64(e.Chunk) != x.chunk.Number {
			strays.add(e)
		}
	}
	doubtful := map[int32]bool{}
	for number, s := range strays {
		chunk, err := tx.Chunk(ctx, c.id, int64(number))
		if errors.Is(err, store.ErrNotFound) {
			continue // of elements without bytes, maybe: nothing was read from it
		}
		if err != nil {
			return err
		}
		if !s.fills(chunk.Used, false, false) {
			doubtful[number] = true
			continue
		}
		if err := tx.DropChunks(ctx, c.id, chunk.Number, chunk.Number+1); err != nil {
			return err
		}
	}
	if len(doubtful) == 0 {
		return nil
	}
	if err := c.dropReferenced(ctx, tx, doubtful, x.from, x.to); err != nil {
		return err
	}
	for number := range doubtful {
		if err := tx.DropChunks(ctx, c.id, int64(number), int64(number)+1); err != nil {
			return err
		}
	}
	return nil
}
