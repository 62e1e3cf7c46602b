package layout0

import (
	"context"
	"fmt"
	"math"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// Check looks whether the column keeps the rules of the format for fixed
// columns. It asks every chunk how many bytes it has.
func (c *Fixed) Check(ctx context.Context, r store.Reader, found column.Report) error {
	next, inUse := int64(0), c.at.chunks(c.length)
	for chunk, err := range r.Chunks(ctx, c.id, math.MinInt64, math.MaxInt64) {
		if err != nil {
			return err
		}
		c.checkMissing(found, next, min(chunk.Number, inUse))
		next = max(next, chunk.Number+1)
		c.checkChunk(found, chunk, inUse)
		need := int64(0)
		if chunk.Number >= 0 && chunk.Number < inUse {
			need = min(c.at.Max, c.length*c.at.Size-chunk.Number*c.at.Max)
		}
		if err := checkBytes(ctx, r, c.id, found, chunk, need); err != nil {
			return err
		}
	}
	c.checkMissing(found, next, inUse)
	return nil
}

// elements are those in the chunks from up to, not including, to.
func (c *Fixed) elements(from, to int64) (i, j int64) {
	per := c.at.Max / c.at.Size
	return min(from*per, c.length), min(to*per, c.length)
}

// checkMissing reports the chunks from up to, not including, to.
func (c *Fixed) checkMissing(found column.Report, from, to int64) {
	are := fmt.Sprintf("chunk %d is", from)
	switch {
	case from >= to:
		return
	case from < to-1:
		are = fmt.Sprintf("chunks %d to %d are", from, to-1)
	}
	p := column.Problem{Kind: column.ProblemMissing, Chunk: from}
	p.From, p.To = c.elements(from, min(to, c.at.chunks(c.length)))
	p.Bytes = (p.To - p.From) * c.at.Size
	found.Damage(p, "%s missing: %d elements of %d bytes lie in the chunks before %d", are, c.length, c.at.Size, c.at.chunks(c.length))
}

func (c *Fixed) checkChunk(found column.Report, chunk store.Chunk, inUse int64) {
	end := c.length * c.at.Size
	size := column.Problem{Kind: column.ProblemSize, Chunk: chunk.Number, Bytes: chunk.Capacity}
	stray := column.Problem{Kind: column.ProblemStray, Chunk: chunk.Number, Bytes: chunk.Capacity}
	switch {
	case chunk.Number < 0:
		found.Hazard(stray, "chunk %d has a negative number", chunk.Number)
	case chunk.Number > inUse || chunk.Number*c.at.Max > end:
		found.Hazard(stray, "chunk %d lies wholly past the %d bytes of the column: 0.8.6 cannot append any more", chunk.Number, end)
	case chunk.Capacity > c.at.Max:
		found.Hazard(size, "chunk %d has a capacity of %d, above the maximum of %d", chunk.Number, chunk.Capacity, c.at.Max)
	case chunk.Number < inUse-1 && chunk.Capacity != c.at.Max:
		found.Hazard(size, "chunk %d is not the last and has a capacity of %d instead of %d", chunk.Number, chunk.Capacity, c.at.Max)
	case chunk.Number == inUse-1 && chunk.Capacity < end-chunk.Number*c.at.Max:
		size.From, size.To = c.elements(chunk.Number, inUse)
		found.Damage(size, "chunk %d has a capacity of %d, and %d bytes of the column lie in it", chunk.Number, chunk.Capacity, end-chunk.Number*c.at.Max)
	}
	if chunk.Used != 0 {
		found.Hazard(column.Problem{Kind: column.ProblemUsed, Chunk: chunk.Number, Bytes: chunk.Used},
			"chunk %d of a fixed column says that %d bytes are used; the rule is 0", chunk.Number, chunk.Used)
	}
}
