package layout0

import (
	"bytes"
	"context"
	"errors"
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
	d, err := c.survey(ctx, tx, i, j)
	if err != nil {
		return err
	}
	if err := c.dropEmptied(ctx, tx, &d); err != nil {
		return err
	}
	moved, err := c.closeEnds(ctx, tx, &d)
	if err != nil {
		return err
	}
	if moved == nil {
		return c.index.replace(ctx, tx, i, j, nil)
	}
	return c.index.replace(ctx, tx, i-1, j+1, moved)
}

// deletion is what there is where elements are deleted.
type deletion struct {
	i, j int64 // from where up to where
	// extents are what these elements take up in each chunk.
	extents extents
	// neighbors are the elements before and after them, as far as there are
	// any. These stay, and their chunks with them.
	neighbors entryList
	// used is what counts as used in the chunk of the neighbor before, once
	// that is looked up.
	used int64
}

// survey reads the entries of the elements from i up to j and of their
// neighbors.
func (c *VarSize) survey(ctx context.Context, r store.Reader, i, j int64) (deletion, error) {
	d := deletion{i: i, j: j, extents: extents{}, used: math.MaxInt64}
	high := min(c.Len(), j+1)
	for from := max(0, i-1); from < high; {
		entries, err := c.entries(ctx, r, from, min(high, from+c.window))
		if err != nil {
			return d, err
		}
		for k := range entries.Len() {
			e, at := entries.At(k), from+int64(k)
			if at < i || at >= j {
				d.neighbors = e.Append(d.neighbors)
				continue
			}
			d.extents.add(e)
		}
		from += int64(entries.Len())
	}
	return d, nil
}

// border tells whether the neighbors lie in two chunks, and which.
func (d *deletion) border() (before, after entry, ok bool) {
	if d.neighbors.Len() < 2 {
		return before, after, false
	}
	before, after = d.neighbors.At(0), d.neighbors.At(1)
	return before, after, before.Chunk != after.Chunk
}

// dropEmptied drops the chunks in which nothing else lies.
func (c *VarSize) dropEmptied(ctx context.Context, tx store.Tx, d *deletion) error {
	gone := maps.Clone(d.extents)
	for k := range d.neighbors.Len() {
		delete(gone, d.neighbors.At(k).Chunk)
	}
	numbers := slices.Collect(maps.Keys(gone))
	before, _, border := d.border()
	if _, cut := d.extents[before.Chunk]; cut && border {
		numbers = append(numbers, before.Chunk)
	}
	if len(numbers) == 0 {
		return nil
	}
	var there []int64
	doubtful := map[int32]bool{}
	for chunk, err := range tx.Chunks(ctx, c.id, int64(slices.Min(numbers)), int64(slices.Max(numbers))+1) {
		if err != nil {
			return err
		}
		there = append(there, chunk.Number)
		number := int32(chunk.Number)
		if border && number == before.Chunk {
			d.used = chunk.Used
		}
		if x, ok := gone[number]; ok && !x.fills(chunk.Used, d.i == 0, d.j == c.Len()) {
			doubtful[number] = true
			delete(gone, number)
		}
	}
	if err := c.dropReferenced(ctx, tx, doubtful, d.i, d.j); err != nil {
		return err
	}
	for number := range doubtful {
		gone[number] = extent{}
	}
	// Chunks that follow each other go together.
	for k := 0; k < len(there); k++ {
		from := k
		for k < len(there) {
			if _, ok := gone[int32(there[k])]; !ok {
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

// closeEnds lets the neighbors of the elements that go take the place of those
// that were the last or the first of their chunk. So it stays plain that the
// chunk holds nothing but its run (see extent.fills): without that, the next
// change would have to search the whole index. The result is the new entries of
// the neighbors, nil if they stay where they are.
func (c *VarSize) closeEnds(ctx context.Context, tx store.Tx, d *deletion) (entryList, error) {
	before, after, ok := d.border()
	if !ok {
		return nil, nil // at an end of the column it is plain
	}
	moved := [2]entry{before, after}
	if x, ok := d.extents[before.Chunk]; ok && before.Check() == nil && !x.disordered &&
		x.start >= before.End && int64(x.end) >= d.used {
		moved[0].Start, moved[0].End = x.end-(before.End-before.Start), x.end
	}
	if x, ok := d.extents[after.Chunk]; ok && after.Check() == nil && !x.disordered &&
		x.start == 0 && after.Start >= x.end {
		moved[1].Start, moved[1].End = 0, after.End-after.Start
	}
	var from, entries entryList
	var to []store.Span
	for k, e := range moved {
		old := d.neighbors.At(k)
		if e.Len() > c.Len()*EntrySize {
			e = old // to search the index is less work
		}
		if e != old && e.Len() > 0 {
			from = old.Append(from)
			to = append(to, store.Span{Chunk: int64(e.Chunk), Offset: int64(e.Start)})
		}
		entries = e.Append(entries)
	}
	if bytes.Equal(entries, d.neighbors) {
		return nil, nil
	}
	if len(to) == 0 {
		return entries, nil
	}
	var data column.Elements
	err := c.readEntries(ctx, tx, &data, -1, from)
	if errors.Is(err, store.ErrCorrupt) {
		return nil, nil // what is damaged already is better left alone
	}
	if err != nil {
		return nil, err
	}
	for k := range to {
		to[k].Data = data.At(0, k)
	}
	return entries, tx.WriteAt(ctx, c.id, to)
}
