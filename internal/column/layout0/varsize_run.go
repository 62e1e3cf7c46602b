package layout0

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// run is a stretch of neighboring elements in one chunk, as long as it goes.
// Between the first and the last of them there may be strays, which lie
// elsewhere: see moveOut.
type run struct {
	chunk    store.Chunk
	from, to int64
	entries  entryList // of these elements, strays among them
}

// runOf returns the run of element i, which lies in this chunk. known are its
// entry and those of elements after it.
func (c *VarSize) runOf(ctx context.Context, r store.Reader, chunk store.Chunk, i int64, known entryList) (run, error) {
	if err := known.At(0).Check(); err != nil {
		return run{}, fmt.Errorf("%w: element %d: %w", store.ErrCorrupt, i, err)
	}
	x := run{chunk: chunk, from: i, to: i + 1}
	for low, high := i, i+int64(known.Len()); ; {
		in := func(k int64) bool { return int64(known.At(int(k-low)).Chunk) == chunk.Number }
		for k := x.from - 1; k >= max(low, x.from-1-maxStrays); k-- {
			if in(k) {
				x.from = k
			}
		}
		for k := x.to; k < min(high, x.to+1+maxStrays); k++ {
			if in(k) {
				x.to = k + 1
			}
		}
		x.entries = known[(x.from-low)*EntrySize : (x.to-low)*EntrySize]
		below, above := x.from == low && low > 0, x.to == high && high < c.Len()
		if !below && !above {
			return x, nil
		}
		before, after := x.beyond()
		if below {
			low = max(0, low-before)
		}
		if above {
			high = min(c.Len(), high+after)
		}
		var err error
		if known, err = c.entries(ctx, r, low, high); err != nil {
			return run{}, err
		}
	}
}

// beyond guesses how many elements of the chunk lie before and after those of
// the run that are known: as many as have room there if they are as large. A
// guess that proves too low costs another read of the index, so it is a little
// high, and whatever the chunk looks like, reads grow by a share of what is
// known, and do not more than double it.
func (x *run) beyond() (before, after int64) {
	first, last := x.entries.At(0), x.entries.At(x.entries.Len()-1)
	n := int64(x.entries.Len())
	size := max(1, float64(last.End)-float64(first.Start)) / float64(n)
	guess := func(room float64) int64 {
		more := min(room/size, float64(crowd))
		return min(max(int64(more*9/8), n/4)+64, max(n, indexStep))
	}
	return guess(float64(first.Start)), guess(float64(x.chunk.Used) - float64(last.End))
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
	return r.entries[(i-r.from)*EntrySize : (j-r.from)*EntrySize]
}

// own returns the entries of the elements that lie in the chunk of the run, in
// order.
func (r run) own() iter.Seq[entry] {
	return func(yield func(entry) bool) {
		for k := range r.entries.Len() {
			if e := r.entries.At(k); int64(e.Chunk) == r.chunk.Number && !yield(e) {
				return
			}
		}
	}
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

// extents are what elements take up in each chunk.
type extents map[int32]extent

func (all extents) add(e entry) {
	x, ok := all[e.Chunk]
	if !ok {
		x.start = -1
	}
	x.add(e)
	all[e.Chunk] = x
}

// fills tells whether no other element can lie in the chunk. Elements ascend
// inside a chunk: others with lower positions would lie before these, others
// with higher positions between their end and the end of the used bytes.
// first and last say that there are no others with lower and higher positions.
//
// All changes see to it that this can be told of chunks with more than one
// element: where the first or last one shrinks or goes, what is left still
// begins at 0 and ends with the used bytes (see closeEnds and refit).
func (x extent) fills(used int64, first, last bool) bool {
	return !x.disordered && (first || x.start == 0) && (last || int64(x.end) >= used)
}

// alone tells whether the chunk of the run holds no other elements, so that
// it can be written anew or dropped. Where that cannot be told at once, which is
// so in files that others wrote, it searches the whole index.
func (c *VarSize) alone(ctx context.Context, r store.Reader, x run) (bool, error) {
	own := extent{start: -1}
	for e := range x.own() {
		own.add(e)
	}
	if own.fills(x.chunk.Used, x.from == 0, x.to == c.Len()) {
		return true, nil
	}
	maybe := map[int32]bool{int32(x.chunk.Number): true}
	err := c.dropReferenced(ctx, r, maybe, x.from, x.to)
	return len(maybe) > 0, err
}

// checkOverlap reports ErrCorrupt if the elements of the run have more bytes
// together than their chunk. Laid out anew, they would take much more room than
// before.
func (c *VarSize) checkOverlap(ctx context.Context, r store.Reader, x run) error {
	total := int64(0)
	for e := range x.own() {
		total += max(0, e.Len())
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
		next, err := c.index.Read(ctx, r, &b, from, to, c.window*EntrySize)
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
