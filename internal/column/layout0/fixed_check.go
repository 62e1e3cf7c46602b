package layout0

import (
	"context"
	"fmt"
	"math"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// Check looks whether the column keeps the rules of the format for fixed
// columns. It reads a byte or two of every chunk. The error is that of the storage.
func (c *Fixed) Check(ctx context.Context, r store.Reader) ([]column.Problem, error) {
	var p column.Problems
	err := c.check(ctx, r, &p)
	return p.All(), err
}

func (c *Fixed) check(ctx context.Context, r store.Reader, p *column.Problems) error {
	next, inUse := int64(0), c.at.chunks(c.length)
	for chunk, err := range r.Chunks(ctx, c.id, math.MinInt64, math.MaxInt64) {
		if err != nil {
			return err
		}
		c.checkMissing(p, next, min(chunk.Number, inUse))
		next = max(next, chunk.Number+1)
		c.checkChunk(p, chunk, inUse)
		need := int64(0)
		if chunk.Number >= 0 && chunk.Number < inUse {
			need = min(c.at.Max, c.length*c.at.Size-chunk.Number*c.at.Max)
		}
		if err := checkBytes(ctx, r, c.id, p, chunk, need); err != nil {
			return err
		}
	}
	c.checkMissing(p, next, inUse)
	return nil
}

// checkMissing reports the chunks from up to, not including, to.
func (c *Fixed) checkMissing(p *column.Problems, from, to int64) {
	are := fmt.Sprintf("chunk %d is", from)
	switch {
	case from >= to:
		return
	case from < to-1:
		are = fmt.Sprintf("chunks %d to %d are", from, to-1)
	}
	p.Damage("%s missing: %d elements of %d bytes lie in the chunks before %d", are, c.length, c.at.Size, c.at.chunks(c.length))
}

func (c *Fixed) checkChunk(p *column.Problems, chunk store.Chunk, inUse int64) {
	end := c.length * c.at.Size
	switch {
	case chunk.Number < 0:
		p.Hazard("chunk %d has a negative number", chunk.Number)
	case chunk.Number > inUse || chunk.Number*c.at.Max > end:
		p.Hazard("chunk %d lies wholly past the %d bytes of the column: 0.8.6 cannot append any more", chunk.Number, end)
	case chunk.Capacity > c.at.Max:
		p.Hazard("chunk %d has a capacity of %d, above the maximum of %d", chunk.Number, chunk.Capacity, c.at.Max)
	case chunk.Number < inUse-1 && chunk.Capacity != c.at.Max:
		p.Hazard("chunk %d is not the last and has a capacity of %d instead of %d", chunk.Number, chunk.Capacity, c.at.Max)
	case chunk.Number == inUse-1 && chunk.Capacity < end-chunk.Number*c.at.Max:
		p.Damage("chunk %d has a capacity of %d, and %d bytes of the column lie in it", chunk.Number, chunk.Capacity, end-chunk.Number*c.at.Max)
	}
	if chunk.Used != 0 {
		p.Hazard("chunk %d of a fixed column says that %d bytes are used; the rule is 0", chunk.Number, chunk.Used)
	}
}
