package layout0

import (
	"context"
	"errors"
	"fmt"
	"math"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// Fixed is a column whose elements have one size. The position of an element
// is arithmetic; see grid.
type Fixed struct {
	id     store.ColumnID
	at     grid
	length int64
	// window is the number of bytes that a move takes at once.
	window int64
	// last is the chunk that appends go to, once known in this transaction.
	last *store.Chunk
	// spans is reused from call to call.
	spans []store.Span
}

// OpenFixed opens the column of this catalog row. Where there is much to move,
// it takes window bytes at once.
func OpenFixed(row store.Row, window int64) (*Fixed, error) {
	at, err := newGrid(row.ElemSize, Bounds{Min: row.MinChunk, Max: row.MaxChunk})
	if err == nil {
		err = at.checkLength(row.Length)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", store.ErrCorrupt, err)
	}
	return &Fixed{id: row.ID, at: at, length: row.Length, window: max(1, window)}, nil
}

func (c *Fixed) Len() int64 { return c.length }

func (c *Fixed) Size() int { return int(c.at.Size) }

func (c *Fixed) Backed(ctx context.Context, r store.Reader, i, j int64) error {
	if err := column.CheckRange(i, j, c.length); err != nil || (j-i)*c.at.Size <= trusted {
		return err
	}
	return c.backed(ctx, r, i, j)
}

// backed asks every chunk of the elements from i up to j for its last byte.
func (c *Fixed) backed(ctx context.Context, r store.Reader, i, j int64) error {
	end := j * c.at.Size
	next, _ := c.at.locate(i * c.at.Size)
	c.spans = c.spans[:0]
	var last [1]byte
	for chunk, err := range r.Chunks(ctx, c.id, next, c.at.chunks(j)) {
		if err != nil {
			return err
		}
		if chunk.Number != next {
			break
		}
		c.spans = append(c.spans, store.Span{Chunk: next, Offset: min(c.at.Max, end-next*c.at.Max) - 1, Data: last[:]})
		next++
	}
	if next < c.at.chunks(j) {
		return fmt.Errorf("%w: chunk %d of the %d elements from %d to %d is missing", store.ErrCorrupt, next, j-i, i, j)
	}
	return r.ReadAt(ctx, c.id, c.spans)
}

// ReadInto fills p with the elements from i on.
func (c *Fixed) ReadInto(ctx context.Context, r store.Reader, p []byte, i int64) error {
	if err := column.CheckRange(i, i+int64(len(p))/c.at.Size, c.length); err != nil {
		return err
	}
	return c.readBytes(ctx, r, p, i*c.at.Size)
}

func (c *Fixed) readBytes(ctx context.Context, r store.Reader, p []byte, pos int64) error {
	if len(p) == 0 {
		return nil
	}
	return r.ReadAt(ctx, c.id, c.split(p, pos))
}

func (c *Fixed) writeBytes(ctx context.Context, tx store.Tx, p []byte, pos int64) error {
	if len(p) == 0 {
		return nil
	}
	return tx.WriteAt(ctx, c.id, c.split(p, pos))
}

// split cuts the bytes at pos along the chunks. The result is good until the
// next call.
func (c *Fixed) split(p []byte, pos int64) []store.Span {
	c.spans = c.spans[:0]
	c.addSpans(p, pos)
	return c.spans
}

// addSpans adds what split cuts to the spans.
func (c *Fixed) addSpans(p []byte, pos int64) {
	for piece := range c.at.pieces(pos, int64(len(p))) {
		c.spans = append(c.spans, store.Span{Chunk: piece.Chunk, Offset: piece.Offset, Data: p[:piece.Len]})
		p = p[piece.Len:]
	}
}

func (c *Fixed) Read(ctx context.Context, r store.Reader, b *column.Elements, i, j, limit int64) (int64, error) {
	if err := column.CheckRange(i, j, c.length); err != nil {
		return i, err
	}
	j = i + min(j-i, max(1, limit/c.at.Size))
	if err := c.Backed(ctx, r, i, j); err != nil {
		return i, err
	}
	p := b.Extend((j - i) * c.at.Size)
	return j, c.readBytes(ctx, r, p, i*c.at.Size)
}

func (c *Fixed) Before(_ context.Context, _ store.Reader, j, limit int64) (int64, error) {
	return max(0, j-max(1, limit/c.at.Size)), column.CheckRange(j, j, c.length)
}

func (c *Fixed) Gather(ctx context.Context, r store.Reader, b *column.Elements, at []int64) error {
	for _, i := range at {
		if err := column.CheckRange(i, i+1, c.length); err != nil {
			return err
		}
	}
	p := b.Extend(int64(len(at)) * c.at.Size)
	c.spans = c.spans[:0]
	for _, i := range at {
		chunk, offset := c.at.locate(i * c.at.Size)
		c.spans = append(c.spans, store.Span{Chunk: chunk, Offset: offset, Data: p[:c.at.Size]})
		p = p[c.at.Size:]
	}
	return r.ReadAt(ctx, c.id, c.spans)
}

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

// extend writes p behind the last element, growing and adding chunks. It does
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

// lastChunk is the chunk in which the byte behind the last element lies;
// capacity 0 stands for one that has to be made. Chunks that lie past it are
// left from a longer column and are removed: 0.8.6 leaves them, and cannot
// append any more while they exist.
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

// grow gives the chunk its new capacity and adds p behind the used bytes.
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
	if err := tx.DropChunks(ctx, c.id, c.at.chunks(length), math.MaxInt64); err != nil {
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

func (c *Fixed) Stat(ctx context.Context, r store.Reader) (column.Stat, error) {
	s := column.Stat{Elements: c.length, LiveBytes: c.length * c.at.Size}
	if c.length > 0 {
		s.Smallest, s.Largest = c.at.Size, c.at.Size
	}
	for chunk, err := range r.Chunks(ctx, c.id, math.MinInt64, math.MaxInt64) {
		if err != nil {
			return column.Stat{}, err
		}
		s.Chunks++
		s.Capacity += chunk.Capacity
	}
	s.DeadBytes = max(0, s.Capacity-s.LiveBytes) // chunks may be missing
	return s, nil
}
