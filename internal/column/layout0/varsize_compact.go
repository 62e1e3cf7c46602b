package layout0

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

const (
	// smallShare is the share of the largest chunk up to which two neighboring
	// chunks are put together.
	smallShare = 4
	// mergeGain is about how many bytes it saves to put two chunks together:
	// their last pages are half empty, and each has a row and two index entries.
	mergeGain = 4 << 10
	// maxRuns is how many stretches of neighboring elements a chunk may be in
	// on average. What is in more disorder is left alone, because it takes too
	// much memory to tell what is wasted.
	maxRuns = 4
)

// surveyed is what the elements of a column say of one of its chunks.
type surveyed struct {
	store.Chunk
	live, elements, end int64
	runs                int
	anew                bool
}

// surveyedRun is a stretch of neighboring elements in one chunk.
type surveyedRun struct {
	chunk          *surveyed
	from, to, live int64
}

// Waste reads the whole index.
func (c *VarSize) Waste(ctx context.Context, r store.Reader) ([]column.Waste, error) {
	found, err := c.index.Waste(ctx, r)
	if err != nil {
		return nil, err
	}
	for k := range found {
		found[k].Index = true
	}
	chunks := map[int64]*surveyed{}
	var order []*surveyed
	for chunk, err := range r.Chunks(ctx, c.id, 0, maxChunkNumber+1) {
		if err != nil {
			return nil, err
		}
		s := &surveyed{Chunk: chunk}
		chunks[chunk.Number] = s
		order = append(order, s)
	}
	runs, err := c.surveyRuns(ctx, r, chunks)
	if err != nil {
		return nil, err
	}
	data, err := c.dataWaste(ctx, r, order, runs)
	return append(data, found...), err
}

// surveyRuns fills the chunks in, and returns the runs, nil if they are too
// many.
func (c *VarSize) surveyRuns(ctx context.Context, r store.Reader, chunks map[int64]*surveyed) (runs []surveyedRun, err error) {
	var bad error
	most := maxRuns*len(chunks) + 1024
	last := int64(-1)
	scanned := c.eachEntry(ctx, r, func(i int64, e entry) {
		s := chunks[int64(e.Chunk)]
		if err := e.Check(); bad == nil && err != nil {
			bad = fmt.Errorf("%w: element %d: %w", store.ErrCorrupt, i, err)
		} else if bad == nil && s == nil {
			bad = fmt.Errorf("%w: element %d lies in chunk %d, which does not exist", store.ErrCorrupt, i, e.Chunk)
		}
		if bad != nil {
			return
		}
		if s.Number != last {
			last = s.Number
			s.runs++
			if len(runs) <= most {
				runs = append(runs, surveyedRun{chunk: s, from: i})
			}
		}
		s.live += e.Len()
		s.elements++
		s.end = max(s.end, int64(e.End))
		runs[len(runs)-1].live += e.Len()
		runs[len(runs)-1].to = i + 1
	})
	if scanned != nil || bad != nil {
		return nil, cmp.Or(scanned, bad)
	}
	if len(runs) > most {
		return nil, nil
	}
	return runs, nil
}

// dataWaste chooses the chunks to be stored anew, and puts their elements into
// stretches.
func (c *VarSize) dataWaste(ctx context.Context, r store.Reader, chunks []*surveyed, runs []surveyedRun) ([]column.Waste, error) {
	var loose looseChunks
	total := int64(0)
	counted := true // that bytes_used covers the elements everywhere
	for _, s := range chunks {
		if s.elements == 0 {
			total += loose.add(s.Chunk)
			continue
		}
		counted = counted && s.end <= s.Used
		long, err := isOverlong(ctx, r, c.id, s.Chunk)
		if err != nil {
			return nil, err
		}
		waste := s.Capacity - s.live
		if long {
			waste += overlong
		}
		if s.anew = long || column.Wasteful(waste, max(1, s.live)); s.anew {
			total += waste
		}
	}
	for k := 1; k < len(runs); k++ {
		a, b := runs[k-1].chunk, runs[k].chunk
		if a.runs == 1 && b.runs == 1 && max(a.live, b.live) <= c.bounds.Max/smallShare && a.elements+b.elements <= crowd {
			a.anew, b.anew = true, true
			total += mergeGain
		}
		if k > 1 && a.runs == 1 && a.elements == 1 && runs[k-2].chunk == b { // a stray goes back
			a.anew, b.anew = true, true
			total += mergeGain
		}
	}
	if !column.Worthwhile(total) {
		return nil, nil
	}
	var found []column.Waste
	open := false // whether the next run can go on with the last part
	for _, x := range runs {
		if !x.chunk.anew {
			open = false
			continue
		}
		if last := len(found) - 1; open && found[last].Bytes+x.live <= column.WasteBytes && x.to-found[last].From <= maxRead {
			found[last].To = x.to
			found[last].Bytes += x.live
		} else {
			found = append(found, column.Waste{From: x.from, To: x.to, Bytes: x.live})
		}
		open = true
	}
	if !counted {
		// 0.8.6 appends to the chunk with the highest number, and would write
		// over elements if that became one whose count is too low.
		return found, nil
	}
	return append(loose.waste, found...), nil
}

// Compact stores the elements back to back in as few chunks as they need, under
// numbers that their chunks had.
func (c *VarSize) Compact(ctx context.Context, tx store.Tx, w column.Waste) (written int64, err error) {
	c.forget()
	if w.Index {
		return c.index.Compact(ctx, tx, w)
	}
	defer column.AbortOn(tx, &err)
	if err := c.dropLoose(ctx, tx, w.Chunks); err != nil {
		return 0, err
	}
	from, to := w.From, min(w.To, c.Len(), w.From+maxRead)
	if from >= to {
		return 0, nil
	}
	all, err := c.wholeRuns(ctx, tx, from, to)
	if err != nil {
		return 0, err
	}
	old := all.sources()
	var b column.Elements
	if err := c.readEntries(ctx, tx, &b, all.from, all.entries); err != nil {
		return 0, err
	}
	free, err := c.freed(ctx, tx, all, old)
	if err != nil {
		return 0, err
	}
	return c.layAnew(ctx, tx, all, free, b)
}

// dropLoose drops those of the chunks in which no element lies.
func (c *VarSize) dropLoose(ctx context.Context, tx store.Tx, numbers []int64) error {
	if len(numbers) == 0 {
		return nil
	}
	maybe := map[int32]bool{}
	for _, number := range numbers {
		maybe[int32(number)] = true
	}
	if err := c.dropReferenced(ctx, tx, maybe, 0, 0); err != nil {
		return err
	}
	for _, number := range numbers {
		if !maybe[int32(number)] {
			continue
		}
		if err := tx.DropChunks(ctx, c.id, number, number+1); err != nil {
			return err
		}
	}
	return nil
}

// wholeRuns returns the elements from i up to j together with those that share
// a chunk with the first and the last, as one run whose chunk is the last one.
// Where they have become too many bytes, it ends sooner.
func (c *VarSize) wholeRuns(ctx context.Context, r store.Reader, i, j int64) (run, error) {
	entries, err := c.entries(ctx, r, i, j)
	if err != nil {
		return run{}, err
	}
	n, _ := fitting(entries, max(column.WasteBytes, c.bounds.Max), true)
	j = i + int64(n)
	entries = entries[:n*EntrySize]
	first, err := c.runAt(ctx, r, i, entries)
	if err != nil {
		return run{}, err
	}
	last, err := c.runAt(ctx, r, j-1, entries[(n-1)*EntrySize:])
	if err != nil {
		return run{}, err
	}
	all := run{chunk: last.chunk, from: first.from, to: last.to}
	all.entries, err = c.entries(ctx, r, all.from, all.to)
	return all, err
}

func (c *VarSize) runAt(ctx context.Context, r store.Reader, i int64, known entryList) (run, error) {
	if err := known.At(0).Check(); err != nil {
		return run{}, fmt.Errorf("%w: element %d: %w", store.ErrCorrupt, i, err)
	}
	chunk, err := c.chunkOf(ctx, r, known.At(0), i)
	if err != nil {
		return run{}, err
	}
	return c.runOf(ctx, r, chunk, i, known)
}

// source is a chunk of the elements that are stored anew.
type source struct {
	extent
	first, last int64 // positions of its first element and after its last
}

// sources are the chunks of the elements of the run.
func (r run) sources() map[int32]source {
	found := map[int32]source{}
	for k := range r.entries.Len() {
		e, i := r.entries.At(k), r.from+int64(k)
		s, ok := found[e.Chunk]
		if !ok {
			s = source{extent: extent{start: -1}, first: i}
		}
		s.add(e)
		s.last = i + 1
		found[e.Chunk] = s
	}
	return found
}

// freed returns the numbers of the chunks in which no other elements lie, in
// ascending order.
func (c *VarSize) freed(ctx context.Context, tx store.Tx, all run, old map[int32]source) ([]int64, error) {
	var free []int64
	doubtful := map[int32]bool{}
	for number, s := range old {
		chunk, err := c.chunkOf(ctx, tx, entry{Chunk: number}, s.first)
		if err != nil {
			return nil, err
		}
		if s.fills(chunk.Used, s.first == 0, s.last == c.Len()) {
			free = append(free, chunk.Number)
		} else {
			doubtful[number] = true
		}
	}
	if err := c.dropReferenced(ctx, tx, doubtful, all.from, all.to); err != nil {
		return nil, err
	}
	for number := range doubtful {
		free = append(free, int64(number))
	}
	slices.Sort(free)
	return free, nil
}

// layAnew drops the chunks that become free and stores the elements under their
// numbers, the highest of these: at the end of the column one of them may be
// the highest of all, at which 0.8.6 appends.
func (c *VarSize) layAnew(ctx context.Context, tx store.Tx, all run, free []int64, b column.Elements) (written int64, err error) {
	var ends []int
	for from := 0; from < len(b.Ends); from = ends[len(ends)-1] {
		ends = append(ends, pieceEnd(&b, from, math.MaxInt64, c.bounds.Max, crowd))
	}
	numbers := free[max(0, len(free)-len(ends)):]
	if more := len(ends) - len(numbers); more > 0 {
		fresh, err := c.newNumbers(ctx, tx, all)
		if err != nil {
			return 0, err
		}
		for range more {
			number, err := fresh.take(ctx, tx)
			if err != nil {
				return 0, err
			}
			numbers = append(numbers, number)
		}
	}
	// First, so that their pages can be used at once and the file does not grow.
	for _, number := range free {
		if err := tx.DropChunks(ctx, c.id, number, number+1); err != nil {
			return 0, err
		}
	}
	entries := make([]byte, 0, len(all.entries))
	from := 0
	for k, to := range ends {
		data := b.Data[b.Start(from):b.Ends[to-1]]
		n := int64(len(data))
		if err := tx.PutChunk(ctx, c.id, store.Chunk{Number: numbers[k], Capacity: max(1, n), Used: n}, data); err != nil {
			return written, err
		}
		written += n
		entries = appendEntries(entries, numbers[k], 0, b, from, to)
		from = to
	}
	return written, c.index.Overwrite(ctx, tx, all.from, column.Elements{Data: entries})
}
