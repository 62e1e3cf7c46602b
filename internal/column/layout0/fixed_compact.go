package layout0

import (
	"context"
	"errors"
	"math"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// overlong is how many bytes more than its capacity a chunk may have before it
// is stored anew for that.
const overlong = 4 << 10

// isOverlong tells whether a chunk has many bytes past its capacity: where
// 0.8.6 makes chunks larger, it often does so twice.
func isOverlong(ctx context.Context, r store.Reader, id store.ColumnID, chunk store.Chunk) (bool, error) {
	if chunk.Capacity < 0 || chunk.Capacity > math.MaxInt64-overlong {
		return false, nil
	}
	err := reaches(ctx, r, id, chunk.Number, chunk.Capacity+overlong)
	if errors.Is(err, store.ErrCorrupt) {
		return false, nil
	}
	return err == nil, err
}

// Waste looks at every chunk. All but the last have to have their capacity.
func (c *Fixed) Waste(ctx context.Context, r store.Reader) ([]column.Waste, error) {
	var found []column.Waste
	var loose looseChunks
	total := int64(0)
	inUse := c.at.chunks(c.length)
	for chunk, err := range r.Chunks(ctx, c.id, 0, math.MaxInt64) {
		if err != nil {
			return nil, err
		}
		if chunk.Number >= inUse {
			total += loose.add(chunk)
			continue
		}
		long, err := isOverlong(ctx, r, c.id, chunk)
		if err != nil {
			return nil, err
		}
		need := c.need(chunk.Number)
		waste := chunk.Capacity - need
		if long {
			waste += overlong
		}
		if chunk.Capacity >= need && (long || column.Wasteful(waste, need)) {
			total += waste
			per := c.at.Max / c.at.Size
			found = append(found, column.Waste{From: chunk.Number * per, To: min(c.length, (chunk.Number+1)*per), Bytes: need})
		}
	}
	if !column.Worthwhile(total) {
		return nil, nil
	}
	return append(loose.waste, found...), nil
}

// need is the capacity that a chunk has to have.
func (c *Fixed) need(number int64) int64 {
	return min(c.at.Max, c.length*c.at.Size-number*c.at.Max)
}

// Compact stores the chunks of the elements anew.
func (c *Fixed) Compact(ctx context.Context, tx store.Tx, w column.Waste) (written int64, err error) {
	defer column.AbortOn(tx, &err)
	c.last = nil
	inUse := c.at.chunks(c.length)
	for _, number := range w.Chunks {
		if number < inUse {
			continue
		}
		if err := tx.DropChunks(ctx, c.id, number, number+1); err != nil {
			return written, err
		}
	}
	to := min(w.To, c.length)
	if w.From >= to {
		return written, nil
	}
	for number := w.From * c.at.Size / c.at.Max; number < c.at.chunks(to); number++ {
		need := c.need(number)
		data, err := front(ctx, tx, c.id, number, need, nil)
		if err != nil {
			return written, err
		}
		if err := tx.PutChunk(ctx, c.id, store.Chunk{Number: number, Capacity: need}, data); err != nil {
			return written, err
		}
		written += need
	}
	return written, nil
}

// looseChunks are chunks in which nothing lies, in parts that are not too much
// for a transaction.
type looseChunks struct {
	waste []column.Waste
	bytes int64 // of the last part
}

// add adds a chunk and returns how many bytes it wastes.
func (l *looseChunks) add(chunk store.Chunk) int64 {
	if l.waste == nil || l.bytes >= column.WasteBytes {
		l.waste, l.bytes = append(l.waste, column.Waste{}), 0
	}
	last := &l.waste[len(l.waste)-1]
	last.Chunks = append(last.Chunks, chunk.Number)
	n := max(0, min(chunk.Capacity, maxCapacity))
	l.bytes += n
	return n
}
