package layout0

import (
	"context"
	"errors"
	"maps"
	"math"
	"slices"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// scan calls visit for every element's entry. It reads the index window by
// window.
func (c *VarSize) scan(ctx context.Context, r store.Reader, visit func(i int64, e entry)) error {
	var b column.Elements
	for i := int64(0); i < c.Len(); {
		b.Reset()
		next, err := c.index.Read(ctx, r, &b, i, c.Len(), c.window*entrySize)
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
	err := c.scan(ctx, r, func(_ int64, e entry) {
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
	for chunk, err := range r.Chunks(ctx, c.id, math.MinInt64, math.MaxInt64) {
		if err != nil {
			return column.Stat{}, err
		}
		s.Chunks++
		s.Capacity += chunk.Capacity
	}
	s.DeadBytes = max(0, s.Capacity-s.LiveBytes)
	return s, nil
}

// Check looks whether the column keeps the rules of the format for
// variable-size columns. It reads the whole index and a byte or two of every
// chunk.
func (c *VarSize) Check(ctx context.Context, r store.Reader) ([]column.Problem, error) {
	p := column.Problems{Part: "index: "}
	if err := c.index.check(ctx, r, &p); err != nil {
		return nil, err
	}
	p.Part = ""
	if c.maximum != c.index.at.Max || c.maximum%entrySize != 0 {
		p.Hazard("the chunks of the data have a maximum of %d bytes and those of the index one of %d: 0.8.6 updates elements from position %d on wrongly",
			c.maximum, c.index.at.Max, min(c.maximum, c.index.at.Max)/entrySize)
	}
	chunks := map[int32]*checkedChunk{}
	for chunk, err := range r.Chunks(ctx, c.id, math.MinInt64, math.MaxInt64) {
		if err != nil {
			return nil, err
		}
		if chunk.Number < 0 || chunk.Number > maxChunkNumber {
			p.Hazard("data chunk %d has a number that no index entry can have", chunk.Number)
			continue
		}
		chunks[int32(chunk.Number)] = &checkedChunk{Chunk: chunk}
	}
	err := c.scan(ctx, r, func(i int64, e entry) { checkElement(&p, chunks, i, e) })
	if errors.Is(err, store.ErrCorrupt) {
		p.Damage("the index cannot be read to its end: %v", err)
		return p.All(), nil
	}
	if err != nil {
		return nil, err
	}
	for _, number := range slices.Sorted(maps.Keys(chunks)) {
		chunk := chunks[number]
		c.checkDataChunk(&p, chunk)
		if err := checkBytes(ctx, r, c.id, &p, chunk.Chunk, chunk.end); err != nil {
			return nil, err
		}
	}
	return p.All(), nil
}

// checkedChunk is a chunk and what its elements say of it.
type checkedChunk struct {
	store.Chunk
	elements, largest, end int64
}

func checkElement(p *column.Problems, chunks map[int32]*checkedChunk, i int64, e entry) {
	if err := e.Check(); err != nil {
		p.Damage("element %d: %v", i, err)
		return
	}
	chunk := chunks[e.Chunk]
	if chunk == nil {
		p.Damage("element %d lies in chunk %d, which does not exist", i, e.Chunk)
		return
	}
	if end := int64(e.End); end > max(chunk.Capacity, chunk.Used) {
		p.Damage("element %d ends at %d of chunk %d, which has %d bytes", i, end, e.Chunk, chunk.Capacity)
	} else if end > chunk.Used {
		p.Hazard("element %d ends at %d of chunk %d, in which only %d bytes count as used", i, end, e.Chunk, chunk.Used)
	}
	if int64(e.Start) < chunk.end && e.Len() > 0 {
		p.Damage("element %d starts at %d of chunk %d, before the end %d of an element before it", i, e.Start, e.Chunk, chunk.end)
	}
	chunk.elements++
	chunk.largest = max(chunk.largest, e.Len())
	chunk.end = max(chunk.end, int64(e.End))
}

func (c *VarSize) checkDataChunk(p *column.Problems, chunk *checkedChunk) {
	switch {
	case chunk.elements == 0:
		p.Hazard("no element lies in data chunk %d: its %d bytes are wasted", chunk.Number, chunk.Capacity)
	case chunk.Capacity > c.maximum && (chunk.elements > 1 || chunk.largest <= c.maximum):
		p.Hazard("data chunk %d has a capacity of %d, above the maximum of %d: 0.8.6 may destroy it when it updates an element",
			chunk.Number, chunk.Capacity, c.maximum)
	}
	if chunk.Used > chunk.Capacity {
		p.Hazard("data chunk %d has a capacity of %d, and %d bytes count as used", chunk.Number, chunk.Capacity, chunk.Used)
	}
}
