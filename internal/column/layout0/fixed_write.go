package layout0

import (
	"context"
	"errors"
	"fmt"
	"math"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// Ending has nothing to look at.
func (c *Fixed) Ending() store.ColumnSpans { return store.ColumnSpans{} }

func (c *Fixed) Append(ctx context.Context, tx store.Tx, b column.Elements) (err error) {
	n := int64(len(b.Data)) / c.at.Size
	if err := c.checkRoom(n); err != nil || n == 0 {
		return err
	}
	defer column.AbortOn(tx, &err)
	if err := c.extend(ctx, tx, b.Data); err != nil {
		return err
	}
	return c.setLength(ctx, tx, c.length+n)
}

func (c *Fixed) checkRoom(n int64) error {
	if n > math.MaxInt64-c.length {
		return fmt.Errorf("%w: %d elements more than %d", store.ErrTooLarge, n, c.length)
	}
	if err := c.at.checkLength(c.length + n); err != nil {
		return fmt.Errorf("%w: %w", store.ErrTooLarge, err)
	}
	return nil
}

// extend writes p after the last element, growing and adding chunks. It does
// not change the length. The capacities are those that 0.8.6 would choose.
func (c *Fixed) extend(ctx context.Context, tx store.Tx, p []byte) error {
	number, offset := c.at.locate(c.length * c.at.Size)
	last, err := c.lastChunk(ctx, tx, number, offset)
	if err != nil {
		return err
	}
	for {
		need := offset + int64(len(p))
		capacity := last.Capacity
		if capacity == 0 {
			capacity = c.at.capacity(need)
		} else if need > capacity {
			capacity = c.at.grown(capacity, need)
		}
		if capacity < min(need, c.at.Max) {
			return fmt.Errorf("%w: chunk %d would need more than %d bytes, because the column was created with a maximum of %d; copy it to one with smaller chunks",
				store.ErrTooLarge, last.Number, maxCapacity, c.at.Max)
		}
		part := p[:min(need, capacity)-offset]
		if capacity > last.Capacity {
			last.Capacity = capacity
			err = c.grow(ctx, tx, *last, offset, part)
		} else if len(part) > 0 {
			c.spans = append(c.spans[:0], store.Span{Chunk: last.Number, Offset: offset, Data: part})
			err = tx.WriteAt(ctx, c.id, c.spans)
		}
		if err != nil {
			c.last = nil
			return err
		}
		if need <= last.Capacity {
			return nil
		}
		p, offset = p[len(part):], 0
		*last = store.Chunk{Number: last.Number + 1}
	}
}

// lastChunk is the chunk in which the byte after the last element lies, at this
// offset; capacity 0 stands for one that has to be made. Chunks past it are left
// from a longer column and are removed: 0.8.6 leaves them, and cannot append
// any more while they exist.
func (c *Fixed) lastChunk(ctx context.Context, tx store.Tx, number, offset int64) (*store.Chunk, error) {
	if c.last != nil {
		if c.last.Number != number {
			*c.last = store.Chunk{Number: number} // the last one is full
		}
		return c.last, nil
	}
	last, err := tx.LastChunk(ctx, c.id)
	if err == nil && last.Number > number {
		if err := tx.DropChunks(ctx, c.id, number+1, math.MaxInt64); err != nil {
			return nil, err
		}
		last, err = tx.LastChunk(ctx, c.id)
	}
	if errors.Is(err, store.ErrNotFound) || err == nil && last.Number < number {
		last, err = store.Chunk{Number: number}, nil
	}
	if err != nil {
		return nil, err
	}
	if last.Capacity < offset || last.Capacity > c.at.Max {
		return nil, fmt.Errorf("%w: chunk %d has a capacity of %d, and %d bytes of the column lie in it",
			store.ErrCorrupt, number, last.Capacity, offset)
	}
	c.last = &last
	return c.last, nil
}

// grow gives the chunk its new capacity and adds p after the used bytes.
func (c *Fixed) grow(ctx context.Context, tx store.Tx, chunk store.Chunk, used int64, p []byte) error {
	data, err := front(ctx, tx, c.id, chunk.Number, used, p)
	if err != nil {
		return err
	}
	return tx.PutChunk(ctx, c.id, chunk, data)
}

func (c *Fixed) setLength(ctx context.Context, tx store.Tx, length int64) error {
	if err := tx.SetLength(ctx, c.id, length); err != nil {
		return err
	}
	c.length = length
	return nil
}

func (c *Fixed) Overwrite(ctx context.Context, tx store.Tx, i int64, b column.Elements) (err error) {
	if err := column.CheckRange(i, i+int64(len(b.Data))/c.at.Size, c.length); err != nil {
		return err
	}
	defer column.AbortOn(tx, &err)
	return c.writeBytes(ctx, tx, b.Data, i*c.at.Size)
}

// Insert moves everything from i on up by whole windows, from the end, so that
// each byte is read and written once and memory stays at a window and what
// comes in.
func (c *Fixed) Insert(ctx context.Context, tx store.Tx, i int64, b column.Elements) (err error) {
	n := int64(len(b.Data)) / c.at.Size
	if err := column.CheckRange(i, i, c.length); err != nil {
		return err
	}
	if err := c.checkRoom(n); err != nil || n == 0 {
		return err
	}
	defer column.AbortOn(tx, &err)
	start, end, shift := i*c.at.Size, c.length*c.at.Size, int64(len(b.Data))
	// The last window, of which some comes to lie after the present end. The
	// new elements go with it if they come to lie just before it.
	from := max(start, end-max(c.window, shift))
	last := make([]byte, shift+end-from)
	if err := c.readBytes(ctx, tx, last[shift:], from); err != nil {
		return err
	}
	to := from + shift
	if from == start {
		copy(last, b.Data)
		to = start
	} else {
		last = last[shift:]
	}
	if err := c.extend(ctx, tx, last[end-to:]); err != nil {
		return err
	}
	if err := c.writeBytes(ctx, tx, last[:end-to], to); err != nil {
		return err
	}
	if from > start {
		if err := c.moveUp(ctx, tx, start, from-start, shift, last); err != nil {
			return err
		}
		if err := c.writeBytes(ctx, tx, b.Data, start); err != nil {
			return err
		}
	}
	return c.setLength(ctx, tx, c.length+n)
}

// moveUp moves n bytes at pos by shift towards the end. The buffer has at least
// a window.
func (c *Fixed) moveUp(ctx context.Context, tx store.Tx, pos, n, shift int64, buf []byte) error {
	for n > 0 {
		part := buf[:min(n, c.window)]
		n -= int64(len(part))
		if err := c.readBytes(ctx, tx, part, pos+n); err != nil {
			return err
		}
		if err := c.writeBytes(ctx, tx, part, pos+n+shift); err != nil {
			return err
		}
	}
	return nil
}

// Delete also removes chunks after the end, which 0.8.6 leaves: from an empty
// column too.
func (c *Fixed) Delete(ctx context.Context, tx store.Tx, i, j int64) (err error) {
	if err := column.CheckRange(i, j, c.length); err != nil || i == j && c.length > 0 {
		return err
	}
	defer column.AbortOn(tx, &err)
	return c.replace(ctx, tx, i, j, nil)
}

// replace puts p, which is not longer than they are, in the place of the
// elements from i up to j.
func (c *Fixed) replace(ctx context.Context, tx store.Tx, i, j int64, p []byte) error {
	if err := c.moveDown(ctx, tx, i*c.at.Size, j*c.at.Size, p); err != nil {
		return err
	}
	length := c.length - (j - i) + int64(len(p))/c.at.Size
	first := c.at.chunks(length)
	if length == 0 {
		first = math.MinInt64 // so that the engine knows that there are none
	}
	if err := tx.DropChunks(ctx, c.id, first, math.MaxInt64); err != nil {
		return err
	}
	c.last = nil
	return c.setLength(ctx, tx, length)
}

// moveDown writes p at pos to, and then all bytes from pos from on.
func (c *Fixed) moveDown(ctx context.Context, tx store.Tx, to, from int64, p []byte) error {
	end := c.length * c.at.Size
	buf := make([]byte, int64(len(p))+min(end-from, c.window))
	for n := copy(buf, p); from < end || n > 0; n = 0 {
		part := buf[:int64(n)+min(end-from, c.window)]
		if err := c.readBytes(ctx, tx, part[n:], from); err != nil {
			return err
		}
		if err := c.writeBytes(ctx, tx, part, to); err != nil {
			return err
		}
		from, to = from+int64(len(part)-n), to+int64(len(part))
	}
	return nil
}

func (c *Fixed) writeBytes(ctx context.Context, tx store.Tx, p []byte, pos int64) error {
	if len(p) == 0 {
		return nil
	}
	return tx.WriteAt(ctx, c.id, c.split(p, pos))
}
