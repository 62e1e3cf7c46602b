package column

import (
	"context"
	"errors"
	"fmt"

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

// maxProblems is how many problems of a column are kept: one damaged chunk may
// show in a million elements.
const maxProblems = 100

// problems collects what a check finds. Its methods take a format and what
// goes into it.
type problems struct {
	found []Problem
	more  int
}

func (p *problems) add(damage bool, format string, args []any) {
	if len(p.found) == maxProblems {
		p.more++
		return
	}
	p.found = append(p.found, Problem{Damage: damage, Text: fmt.Sprintf(format, args...)})
}

func (p *problems) damage(format string, args ...any) { p.add(true, format, args) }
func (p *problems) hazard(format string, args ...any) { p.add(false, format, args) }

// all is what was found, with a last line for what was left out.
func (p *problems) all() []Problem {
	if p.more > 0 {
		p.found = append(p.found, Problem{Text: fmt.Sprintf("and %d problems more", p.more)})
	}
	return p.found
}

// Check looks whether the column keeps the rules of the format for fixed
// columns. It reads a byte or two of every chunk. The error is that of the storage.
func (c *Fixed) Check(ctx context.Context, r store.Reader) ([]Problem, error) {
	var p problems
	next, inUse := int64(0), c.at.Chunks(c.length)
	for chunk, err := range r.Chunks(ctx, c.id) {
		if err != nil {
			return nil, err
		}
		for ; next < min(chunk.Number, inUse); next++ {
			c.missing(&p, next, inUse)
		}
		next = max(next, chunk.Number+1)
		c.checkChunk(&p, chunk, inUse)
		need := int64(0)
		if chunk.Number >= 0 && chunk.Number < inUse {
			need = min(c.at.Max, c.length*c.at.Size-chunk.Number*c.at.Max)
		}
		if err := checkBytes(ctx, r, c.id, &p, chunk, need); err != nil {
			return nil, err
		}
	}
	for ; next < inUse; next++ {
		c.missing(&p, next, inUse)
	}
	return p.all(), nil
}

func (c *Fixed) missing(p *problems, number, inUse int64) {
	p.damage("chunk %d is missing: %d elements of %d bytes lie in the chunks before %d", number, c.length, c.at.Size, inUse)
}

func (c *Fixed) checkChunk(p *problems, chunk store.Chunk, inUse int64) {
	end := c.length * c.at.Size
	start := chunk.Number * c.at.Max
	switch {
	case chunk.Number < 0:
		p.hazard("chunk %d has a negative number", chunk.Number)
	case chunk.Number > inUse || start > end:
		p.hazard("chunk %d lies wholly past the %d bytes of the column: 0.8.6 cannot append any more", chunk.Number, end)
	case chunk.Capacity > c.at.Max:
		p.hazard("chunk %d has a capacity of %d, above the maximum of %d", chunk.Number, chunk.Capacity, c.at.Max)
	case chunk.Number < inUse-1 && chunk.Capacity != c.at.Max:
		p.hazard("chunk %d is not the last and has a capacity of %d instead of %d", chunk.Number, chunk.Capacity, c.at.Max)
	case chunk.Number == inUse-1 && chunk.Capacity < end-start:
		p.damage("chunk %d has a capacity of %d, and %d bytes of the column lie in it", chunk.Number, chunk.Capacity, end-start)
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
		var last [1]byte
		err := r.ReadAt(ctx, id, []store.Span{{Chunk: chunk.Number, Offset: n - 1, Data: last[:]}})
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
