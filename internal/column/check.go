package column

import (
	"context"
	"errors"
	"fmt"
	"math"

	"columnvault/internal/store"
)

// Problem is a rule of the format that a column breaks.
type Problem struct {
	// Damage says that elements cannot be read, or not for certain as what
	// they were. Without it everything can be read, but KohakuVault 0.8.6 may
	// fail or destroy data when it goes on writing, or space is wasted.
	Damage bool
	// Text says which rule, and where.
	Text string
}

// maxProblems is how many problems of a column are kept of each kind: one
// damaged chunk may show in a million elements.
const maxProblems = 50

// problems collects what a check finds. Damage and hazards are counted apart,
// so that many of one kind do not hide the other. The methods take a format
// and what goes into it.
type problems struct {
	found            []Problem
	damages, hazards int
	// part is put before every text.
	part string
}

func (p *problems) damage(format string, args ...any) { p.add(true, &p.damages, format, args) }
func (p *problems) hazard(format string, args ...any) { p.add(false, &p.hazards, format, args) }

func (p *problems) add(damage bool, count *int, format string, args []any) {
	if *count++; *count <= maxProblems {
		p.found = append(p.found, Problem{Damage: damage, Text: p.part + fmt.Sprintf(format, args...)})
	}
}

// all is what was found, with a line for what was left out of each kind.
func (p *problems) all() []Problem {
	if more := p.damages - maxProblems; more > 0 {
		p.found = append(p.found, Problem{Damage: true, Text: fmt.Sprintf("and %d more places with damage", more)})
	}
	if more := p.hazards - maxProblems; more > 0 {
		p.found = append(p.found, Problem{Text: fmt.Sprintf("and %d more hazards", more)})
	}
	return p.found
}

// Check looks whether the column keeps the rules of the format for fixed
// columns. It reads a byte or two of every chunk. The error is that of the storage.
func (c *Fixed) Check(ctx context.Context, r store.Reader) ([]Problem, error) {
	var p problems
	err := c.check(ctx, r, &p)
	return p.all(), err
}

func (c *Fixed) check(ctx context.Context, r store.Reader, p *problems) error {
	next, inUse := int64(0), c.at.Chunks(c.length)
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
func (c *Fixed) checkMissing(p *problems, from, to int64) {
	are := fmt.Sprintf("chunk %d is", from)
	switch {
	case from >= to:
		return
	case from < to-1:
		are = fmt.Sprintf("chunks %d to %d are", from, to-1)
	}
	p.damage("%s missing: %d elements of %d bytes lie in the chunks before %d", are, c.length, c.at.Size, c.at.Chunks(c.length))
}

func (c *Fixed) checkChunk(p *problems, chunk store.Chunk, inUse int64) {
	end := c.length * c.at.Size
	switch {
	case chunk.Number < 0:
		p.hazard("chunk %d has a negative number", chunk.Number)
	case chunk.Number > inUse || chunk.Number*c.at.Max > end:
		p.hazard("chunk %d lies wholly past the %d bytes of the column: 0.8.6 cannot append any more", chunk.Number, end)
	case chunk.Capacity > c.at.Max:
		p.hazard("chunk %d has a capacity of %d, above the maximum of %d", chunk.Number, chunk.Capacity, c.at.Max)
	case chunk.Number < inUse-1 && chunk.Capacity != c.at.Max:
		p.hazard("chunk %d is not the last and has a capacity of %d instead of %d", chunk.Number, chunk.Capacity, c.at.Max)
	case chunk.Number == inUse-1 && chunk.Capacity < end-chunk.Number*c.at.Max:
		p.damage("chunk %d has a capacity of %d, and %d bytes of the column lie in it", chunk.Number, chunk.Capacity, end-chunk.Number*c.at.Max)
	}
	if chunk.Used != 0 {
		p.hazard("chunk %d of a fixed column says that %d bytes are used; the rule is 0", chunk.Number, chunk.Used)
	}
}

// checkBytes looks whether a chunk has the bytes that its elements need, and
// those that it says it has.
func checkBytes(ctx context.Context, r store.Reader, id store.ColumnID, p *problems, chunk store.Chunk, need int64) error {
	if chunk.Capacity <= 0 {
		p.hazard("chunk %d has a capacity of %d", chunk.Number, chunk.Capacity)
	}
	for _, n := range []int64{need, chunk.Capacity} {
		if n <= 0 {
			continue
		}
		err := reaches(ctx, r, id, chunk.Number, n)
		switch {
		case errors.Is(err, store.ErrCorrupt) && n == need:
			p.damage("chunk %d has fewer than the %d bytes in which elements lie: %v", chunk.Number, n, err)
			return nil
		case errors.Is(err, store.ErrCorrupt):
			p.hazard("chunk %d is shorter than its capacity of %d: %v", chunk.Number, n, err)
		case err != nil:
			return err
		}
	}
	return nil
}
