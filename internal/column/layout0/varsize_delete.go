package layout0

import (
	"context"
	"maps"
	"math"
	"slices"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// Delete moves index entries only. What the elements leave is a hole, until the
// last element of a chunk goes: then the chunk goes with it.
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
	extents, err := c.extents(ctx, tx, i, j)
	if err != nil {
		return err
	}
	if err := c.dropEmptied(ctx, tx, extents, i, j); err != nil {
		return err
	}
	return c.index.Delete(ctx, tx, i, j)
}

// extents returns what the elements from i up to j take up in each chunk in
// which none of their two neighbors lies: those stay, and their chunks with
// them.
func (c *VarSize) extents(ctx context.Context, r store.Reader, i, j int64) (map[int32]extent, error) {
	extents := map[int32]extent{}
	var neighbors []int32
	high := min(c.Len(), j+1)
	for from := max(0, i-1); from < high; {
		entries, err := c.entries(ctx, r, from, min(high, from+c.window))
		if err != nil {
			return nil, err
		}
		for k := range entries.Len() {
			e, at := entries.At(k), from+int64(k)
			if at < i || at >= j {
				neighbors = append(neighbors, e.Chunk)
				continue
			}
			x, ok := extents[e.Chunk]
			if !ok {
				x.start = -1
			}
			x.add(e)
			extents[e.Chunk] = x
		}
		from += int64(entries.Len())
	}
	for _, chunk := range neighbors {
		delete(extents, chunk)
	}
	return extents, nil
}

// dropEmptied drops those of the chunks in which only elements from i up to j
// lie.
func (c *VarSize) dropEmptied(ctx context.Context, tx store.Tx, extents map[int32]extent, i, j int64) error {
	if len(extents) == 0 {
		return nil
	}
	numbers := slices.Sorted(maps.Keys(extents))
	low, high := int64(numbers[0]), int64(numbers[len(numbers)-1])
	var there []int64
	doubtful := map[int32]bool{}
	for chunk, err := range tx.Chunks(ctx, c.id, low, high+1) {
		if err != nil {
			return err
		}
		there = append(there, chunk.Number)
		number := int32(chunk.Number)
		if x, ok := extents[number]; ok && !x.fills(chunk.Used, i == 0, j == c.Len()) {
			doubtful[number] = true
			delete(extents, number)
		}
	}
	if err := c.dropReferenced(ctx, tx, doubtful, i, j); err != nil {
		return err
	}
	for number := range doubtful {
		extents[number] = extent{}
	}
	// Chunks that follow each other go together.
	for k := 0; k < len(there); k++ {
		from := k
		for k < len(there) {
			if _, ok := extents[int32(there[k])]; !ok {
				break
			}
			k++
		}
		if k == from {
			continue
		}
		if err := tx.DropChunks(ctx, c.id, there[from], there[k-1]+1); err != nil {
			return err
		}
	}
	return nil
}
