package layout0

import (
	"context"
	"fmt"

	"columnvault/internal/store"
)

// stride is the distance between the numbers of new chunks. A chunk that is
// split, or has strays, takes a number from the gap after it, so that the end of
// the column keeps the highest number, which is where 0.8.6 appends. Numbers go
// up to maxChunkNumber, so a column is full after 2^25 chunks that were appended.
const stride = 64

// numberAfter is the number of a chunk that comes after all others.
func numberAfter(last int64) (int64, error) {
	if last > maxChunkNumber-stride {
		return 0, fmt.Errorf("%w: the numbers of chunks are used up at %d", store.ErrTooLarge, last)
	}
	return last + stride, nil
}

// numbers hands out numbers for the parts of a chunk that is split.
type numbers struct {
	id store.ColumnID
	// next is the next number to try in the gap after the chunk, which ends
	// before gapEnd. taken says which of the numbers from there on down are in
	// use.
	next, gapEnd int64
	taken        [stride]bool
	// highest is the highest number known to be in use; complete says that
	// there is none above it.
	highest  int64
	complete bool
}

// newNumbers looks at the gap after the chunk of the run.
func (c *VarSize) newNumbers(ctx context.Context, tx store.Tx, x run) (*numbers, error) {
	n := &numbers{id: c.id, next: x.chunk.Number + 1, gapEnd: x.chunk.Number + stride}
	if x.to == c.Len() {
		n.next = n.gapEnd // the end of the column gets the highest numbers
		return n, nil
	}
	for chunk, err := range tx.Chunks(ctx, c.id, n.next, n.gapEnd+1) {
		if err != nil {
			return nil, err
		}
		n.taken[n.gapEnd-chunk.Number] = true
		n.highest = chunk.Number
	}
	return n, nil
}

// take returns an unused number: one in the gap as long as there is a chunk
// after it, or else one after all others.
func (n *numbers) take(ctx context.Context, tx store.Tx) (int64, error) {
	for n.next < n.gapEnd {
		number := n.next
		n.next++
		if n.taken[n.gapEnd-number] {
			continue
		}
		if number > n.highest {
			if err := n.findHighest(ctx, tx); err != nil {
				return 0, err
			}
		}
		if number > n.highest {
			n.next = n.gapEnd
			break
		}
		return number, nil
	}
	if err := n.findHighest(ctx, tx); err != nil {
		return 0, err
	}
	number, err := numberAfter(n.highest)
	n.highest = number
	return number, err
}

// findHighest looks the highest number up, once.
func (n *numbers) findHighest(ctx context.Context, tx store.Tx) error {
	if n.complete {
		return nil
	}
	last, err := tx.LastChunk(ctx, n.id)
	n.highest, n.complete = last.Number, err == nil
	return err
}
