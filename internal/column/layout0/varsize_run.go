package layout0

import (
	"context"
	"errors"
	"fmt"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// run is a stretch of neighbouring elements in one chunk, as long as it goes.
type run struct {
	chunk    store.Chunk
	from, to int64
	entries  entryList // of these elements
}

// runAt returns the run that element i belongs to.
func (c *VarSize) runAt(ctx context.Context, r store.Reader, i int64) (run, error) {
	e, err := c.entry(ctx, r, i)
	if err != nil {
		return run{}, err
	}
	found := run{from: i, to: i + 1}
	if found.chunk, err = c.chunkOf(ctx, r, e, i); err != nil {
		return run{}, err
	}
	for step := int64(256); found.from > 0; step = min(2*step, c.window) {
		low := max(0, found.from-step)
		entries, err := c.entries(ctx, r, low, found.from)
		if err != nil {
			return run{}, err
		}
		for k := entries.Len() - 1; k >= 0 && entries.At(k).Chunk == e.Chunk; k-- {
			found.from--
		}
		if found.from > low {
			break
		}
	}
	for step := int64(256); found.to < c.Len(); step = min(2*step, c.window) {
		high := min(c.Len(), found.to+step)
		entries, err := c.entries(ctx, r, found.to, high)
		if err != nil {
			return run{}, err
		}
		for k := 0; k < entries.Len() && entries.At(k).Chunk == e.Chunk; k++ {
			found.to++
		}
		if found.to < high {
			break
		}
	}
	found.entries, err = c.entries(ctx, r, found.from, found.to)
	return found, err
}

// chunkOf is the chunk of element i, which must exist.
func (c *VarSize) chunkOf(ctx context.Context, r store.Reader, e entry, i int64) (store.Chunk, error) {
	chunk, err := r.Chunk(ctx, c.id, int64(e.Chunk))
	if errors.Is(err, store.ErrNotFound) {
		err = fmt.Errorf("%w: element %d lies in chunk %d, which does not exist", store.ErrCorrupt, i, e.Chunk)
	}
	return chunk, err
}

// part is the entries of the elements at positions from i up to j of the run.
func (r run) part(i, j int64) entryList {
	return r.entries[(i-r.from)*entrySize : (j-r.from)*entrySize]
}

// extent is what elements of one chunk, added by ascending position, take up.
type extent struct {
	start, end int32
	// disordered says that they do not ascend in the chunk, or overlap.
	disordered bool
}

func extentOf(entries entryList) extent {
	x := extent{start: -1}
	for k := range entries.Len() {
		x.add(entries.At(k))
	}
	return x
}

func (x *extent) add(e entry) {
	if x.start < 0 {
		x.start = e.Start
	} else if e.Start < x.end {
		x.disordered = true
	}
	if e.Check() != nil {
		x.disordered = true
	}
	x.end = e.End
}

// fills tells whether no other element can lie in the chunk. Elements ascend
// inside a chunk: others with lower positions would lie before these, others
// with higher positions between their end and the end of the used bytes.
// first and last say that there are no others with lower and higher positions.
func (x extent) fills(used int64, first, last bool) bool {
	return !x.disordered && (first || x.start == 0) && (last || int64(x.end) >= used)
}

// alone tells whether the chunk of the run holds no other elements, so that
// it can be written anew or dropped. Where it is not certain at once, it
// searches the whole index.
func (c *VarSize) alone(ctx context.Context, r store.Reader, x run) (bool, error) {
	if extentOf(x.entries).fills(x.chunk.Used, x.from == 0, x.to == c.Len()) {
		return true, nil
	}
	maybe := map[int32]bool{int32(x.chunk.Number): true}
	err := c.dropReferenced(ctx, r, maybe, x.from, x.to)
	return len(maybe) > 0, err
}

// checkOverlap reports ErrCorrupt if the elements of the run have more bytes
// together than their chunk. Whoever lays such a run out anew would write the
// same bytes again and again.
func (c *VarSize) checkOverlap(ctx context.Context, r store.Reader, x run) error {
	total := int64(0)
	for k := range x.entries.Len() {
		total += max(0, x.entries.At(k).Len())
	}
	if total <= trusted {
		return nil
	}
	if err := reaches(ctx, r, c.id, x.chunk.Number, total); err != nil {
		return fmt.Errorf("the %d bytes of the elements from %d to %d do not fit into their chunk without overlapping: %w", total, x.from, x.to, err)
	}
	return nil
}

// dropReferenced removes from maybe every chunk in which an element outside of
// the range from i up to j lies. It reads the whole index.
func (c *VarSize) dropReferenced(ctx context.Context, r store.Reader, maybe map[int32]bool, i, j int64) error {
	var b column.Elements
	for from := int64(0); from < c.Len() && len(maybe) > 0; {
		if from >= i && from < j {
			from = j
			continue
		}
		to := c.Len()
		if from < i {
			to = i
		}
		b.Reset()
		next, err := c.index.Read(ctx, r, &b, from, to, c.window*entrySize)
		if err != nil {
			return err
		}
		entries := entryList(b.Data)
		last := int32(-1)
		for k := range entries.Len() {
			if chunk := entries.At(k).Chunk; chunk != last {
				delete(maybe, chunk)
				last = chunk
			}
		}
		from = next
	}
	return nil
}

// numbers hands out numbers for new chunks.
type numbers struct {
	c *VarSize
	// gap is the next number to try in the gap behind the chunk that is being
	// split, and gapEnd where the gap ends at the latest.
	gap, gapEnd int64
	// last is the highest number in use.
	last int64
}

func (c *VarSize) newNumbers(ctx context.Context, tx store.Tx, x run) (*numbers, error) {
	last, err := tx.LastChunk(ctx, c.id)
	n := &numbers{c: c, gap: x.chunk.Number + 1, last: last.Number}
	if x.to < c.Len() {
		n.gapEnd = min(x.chunk.Number+stride, last.Number)
	}
	return n, err
}

// next returns an unused number: behind all others for chunks at the end of
// the column, else one in the gap behind the chunk that is being split.
func (n *numbers) next(ctx context.Context, tx store.Tx) (int64, error) {
	for ; n.gap < n.gapEnd; n.gap++ {
		_, err := tx.Chunk(ctx, n.c.id, n.gap)
		if errors.Is(err, store.ErrNotFound) {
			n.gap++
			return n.gap - 1, nil
		}
		if err != nil {
			return 0, err
		}
	}
	var err error
	n.last, err = n.c.numberAfter(n.last)
	return n.last, err
}

// splitOversized replaces a chunk that is larger than the maximum, as 0.8.6
// makes them, by chunks that are not: 0.8.6 destroys such a chunk when it
// updates an element in it. A chunk that one element needs for itself stays;
// then the result is false. i is an element of the chunk.
func (c *VarSize) splitOversized(ctx context.Context, tx store.Tx, chunk store.Chunk, i int64) (bool, error) {
	if chunk.Capacity <= c.bounds.Max {
		return false, nil
	}
	x, err := c.runAt(ctx, tx, i)
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
		number, err := fresh.next(ctx, tx)
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
