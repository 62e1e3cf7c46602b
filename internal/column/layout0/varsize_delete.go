package layout0

import (
	"context"
	"errors"
	"maps"
	"math"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// Delete moves index entries only. What the elements leave behind is a hole,
// until the last element of a chunk goes: then the chunk goes with it.
func (c *VarSize) Delete(ctx context.Context, tx store.Tx, i, j int64) (err error) {
	if err := column.CheckRange(i, j, c.Len()); err != nil || i == j && c.Len() > 0 {
		return err
	}
	defer column.AbortOn(tx, &err)
	c.forget()
	if i == 0 && j == c.Len() {
		if err := tx.DropChunks(ctx, c.id, math.MinInt64, math.MaxInt64); err != nil {
			return err
		}
		return c.index.Delete(ctx, tx, i, j)
	}
	emptied, err := c.emptiedBy(ctx, tx, i, j)
	if err != nil {
		return err
	}
	for number := range emptied {
		if err := tx.DropChunks(ctx, c.id, int64(number), int64(number)+1); err != nil {
			return err
		}
	}
	return c.index.Delete(ctx, tx, i, j)
}

// emptiedBy returns the chunks in which only elements from i up to j lie.
func (c *VarSize) emptiedBy(ctx context.Context, r store.Reader, i, j int64) (map[int32]bool, error) {
	extents := map[int32]extent{}
	for from := i; from < j; {
		entries, err := c.entries(ctx, r, from, min(j, from+c.window))
		if err != nil {
			return nil, err
		}
		for k := range entries.Len() {
			e := entries.At(k)
			x, ok := extents[e.Chunk]
			if !ok {
				x.start = -1
			}
			x.add(e)
			extents[e.Chunk] = x
		}
		from += int64(entries.Len())
	}
	// The neighbours of the range stay, and their chunks with them.
	for _, k := range []int64{i - 1, j} {
		if k < 0 || k >= c.Len() {
			continue
		}
		entries, err := c.entries(ctx, r, k, k+1)
		if err != nil {
			return nil, err
		}
		delete(extents, entries.At(0).Chunk)
	}
	emptied, doubtful := map[int32]bool{}, map[int32]bool{}
	for number, x := range extents {
		chunk, err := r.Chunk(ctx, c.id, int64(number))
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if x.fills(chunk.Used, i == 0, j == c.Len()) {
			emptied[number] = true
		} else {
			doubtful[number] = true
		}
	}
	if err := c.dropReferenced(ctx, r, doubtful, i, j); err != nil {
		return nil, err
	}
	maps.Copy(emptied, doubtful)
	return emptied, nil
}
