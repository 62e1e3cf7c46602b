package layout0

import (
	"context"
	"maps"
	"math"
	"slices"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// eachEntry calls visit for every element's entry. It reads the index window by
// window.
func (c *VarSize) eachEntry(ctx context.Context, r store.Reader, visit func(i int64, e entry)) error {
	var b column.Elements
	for i := int64(0); i < c.Len(); {
		b.Reset()
		next, err := c.index.Read(ctx, r, &b, i, c.Len(), c.window*EntrySize)
		if err != nil {
			return err
		}
		entries := entryList(b.Data)
		for k := range entries.Len() {
			visit(i+int64(k), entries.At(k))
		}
		i = next
	}
	return nil
}

// Stat reads the whole index.
func (c *VarSize) Stat(ctx context.Context, r store.Reader) (column.Stat, error) {
	s := column.Stat{Elements: c.Len(), Smallest: math.MaxInt64}
	chunks := map[int64]*checkedChunk{}
	for chunk, err := range r.Chunks(ctx, c.id, math.MinInt64, math.MaxInt64) {
		if err != nil {
			return column.Stat{}, err
		}
		s.Chunks++
		s.Capacity += chunk.Capacity
		chunks[chunk.Number] = &checkedChunk{Chunk: chunk}
	}
	var in *checkedChunk // the chunk of the last element
	err := c.eachEntry(ctx, r, func(_ int64, e entry) {
		if in == nil || int64(e.Chunk) != in.Number {
			in = chunks[int64(e.Chunk)]
		}
		if in != nil {
			in.end = max(in.end, int64(e.End))
		}
		n := max(0, e.Len())
		s.LiveBytes += n
		s.Smallest, s.Largest = min(s.Smallest, n), max(s.Largest, n)
	})
	if err != nil {
		return column.Stat{}, err
	}
	if s.Elements == 0 {
		s.Smallest = 0
	}
	s.DeadBytes = max(0, s.Capacity-s.LiveBytes)
	for _, chunk := range chunks {
		s.Slack += max(0, chunk.Capacity-chunk.end)
	}
	return s, nil
}

// Check looks whether the column keeps the rules of the format for
// variable-size columns. It reads the whole index, and asks every chunk how
// many bytes it has.
func (c *VarSize) Check(ctx context.Context, r store.Reader, found column.Report) error {
	said := false
	err := c.index.Check(ctx, r, func(p column.Problem) {
		p.Index, p.Text = true, "index: "+p.Text
		said = said || p.Damage
		found(p)
	})
	if err != nil {
		return err
	}
	if c.maximum != c.index.at.Max || c.maximum%EntrySize != 0 {
		found.Hazard(column.Problem{Kind: column.ProblemBounds},
			"the chunks of the data have a maximum of %d bytes and those of the index one of %d: 0.8.6 updates elements from position %d on wrongly",
			c.maximum, c.index.at.Max, min(c.maximum, c.index.at.Max)/EntrySize)
	}
	chunks := map[int32]*checkedChunk{}
	for chunk, err := range r.Chunks(ctx, c.id, math.MinInt64, math.MaxInt64) {
		if err != nil {
			return err
		}
		if chunk.Number < 0 || chunk.Number > maxChunkNumber {
			found.Hazard(column.Problem{Kind: column.ProblemStray, Chunk: chunk.Number, Bytes: chunk.Capacity},
				"data chunk %d has a number that no index entry can have", chunk.Number)
			continue
		}
		chunks[int32(chunk.Number)] = &checkedChunk{Chunk: chunk}
	}
	if err := c.checkIndex(ctx, r, found, chunks, said); err != nil {
		return err
	}
	for _, number := range slices.Sorted(maps.Keys(chunks)) {
		chunk := chunks[number]
		c.checkDataChunk(found, chunk)
		if err := checkBytes(ctx, r, c.id, found, chunk.Chunk, chunk.end); err != nil {
			return err
		}
	}
	return nil
}

// checkIndex looks at every entry of the index that can be read, and reports
// the others, unless it has been said why.
func (c *VarSize) checkIndex(ctx context.Context, r store.Reader, found column.Report, chunks map[int32]*checkedChunk, said bool) error {
	visit := func(i int64, e *column.Elements) error {
		entries := entryList(e.Data)
		for k := range entries.Len() {
			checkElement(found, chunks, i+int64(k), entries.At(k))
		}
		return nil
	}
	lost := func(i, j int64, why error) error {
		if said {
			return nil
		}
		found.Damage(column.Problem{Kind: column.ProblemEntry, Index: true, From: i, To: j}, "the index entries of elements %d to %d cannot be read: %v", i, j-1, why)
		return nil
	}
	return c.index.Walk(ctx, r, c.window*EntrySize, visit, lost)
}

// checkedChunk is a chunk and what its elements say of it.
type checkedChunk struct {
	store.Chunk
	elements, largest, end int64
}

func checkElement(found column.Report, chunks map[int32]*checkedChunk, i int64, e entry) {
	p := column.Problem{Kind: column.ProblemEntry, From: i, To: i + 1, Bytes: max(0, e.Len())}
	if err := e.Check(); err != nil {
		p.Bytes = 0
		found.Damage(p, "element %d: %v", i, err)
		return
	}
	chunk := chunks[e.Chunk]
	if chunk == nil {
		found.Damage(p, "element %d lies in chunk %d, which does not exist", i, e.Chunk)
		return
	}
	if end := int64(e.End); end > max(chunk.Capacity, chunk.Used) {
		found.Damage(p, "element %d ends at %d of chunk %d, which has %d bytes", i, end, e.Chunk, chunk.Capacity)
	} else if end > chunk.Used {
		p.Kind, p.Chunk = column.ProblemUsed, chunk.Number
		found.Hazard(p, "element %d ends at %d of chunk %d, in which only %d bytes count as used", i, end, e.Chunk, chunk.Used)
	}
	if int64(e.Start) < chunk.end && e.Len() > 0 {
		p.Kind = column.ProblemOrder
		found.Damage(p, "element %d starts at %d of chunk %d, before the end %d of an element before it", i, e.Start, e.Chunk, chunk.end)
	}
	chunk.elements++
	chunk.largest = max(chunk.largest, e.Len())
	chunk.end = max(chunk.end, int64(e.End))
}

func (c *VarSize) checkDataChunk(found column.Report, chunk *checkedChunk) {
	p := column.Problem{Chunk: chunk.Number, Bytes: chunk.Capacity}
	switch {
	case chunk.elements == 0:
		p.Kind = column.ProblemStray
		found.Hazard(p, "no element lies in data chunk %d: its %d bytes are wasted", chunk.Number, chunk.Capacity)
	case chunk.Capacity > c.maximum && (chunk.elements > 1 || chunk.largest <= c.maximum):
		p.Kind = column.ProblemSize
		found.Hazard(p, "data chunk %d has a capacity of %d, above the maximum of %d: 0.8.6 may destroy it when it updates an element",
			chunk.Number, chunk.Capacity, c.maximum)
	}
	if chunk.Used > chunk.Capacity {
		p.Kind = column.ProblemUsed
		found.Hazard(p, "data chunk %d has a capacity of %d, and %d bytes count as used", chunk.Number, chunk.Capacity, chunk.Used)
	}
}
