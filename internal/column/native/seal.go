package native

import (
	"context"
	"encoding/binary"
	"slices"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// A compressed run begins with three numbers of four bytes: how many frames it
// has, how many of them are of the bytes of elements, and how many ends follow
// these in other frames, 0 where elements have one size. Then come the sizes of
// the frames, four bytes each, and the frames.
const (
	sealHead  = 12
	sizeBytes = 4
	// maxFrames bounds the frames of a run.
	maxFrames = 1 << 15
	// least compressed: a run that does not shrink by a tenth stays as it is.
	sealShare = 10
)

// codec reads compressed runs.
type codec struct {
	coder
	// own are the frames of a transaction that writes.
	own frames
	raw []byte
}

// coding is the codec of the column, from now on.
func (c *Column) coding() *codec {
	if c.codec == nil {
		c.codec = &codec{}
	}
	return c.codec
}

// reset forgets what is known of runs, which have changed.
func (d *codec) reset() {
	if d != nil {
		d.own.clear()
	}
}

// widthOf is the size of the numbers that elements of this size are, 0 for what
// is none.
func widthOf(size int64) int {
	switch size {
	case 1, 2, 4, 8:
		return int(size)
	}
	return 0
}

// frameSize is how many bytes of elements of this size lie in a frame: whole
// elements, where they have one size.
func frameSize(size int64) int64 {
	if size > 0 {
		return max(1, frameBytes/size) * size
	}
	return frameBytes
}

// sealed makes the bytes of a compressed run, nil if that is not worth it.
func (c *Column) sealed(e *column.Elements) []byte {
	size := c.sizeOf(e)
	if c.seal != Zstd || c.size > frameBytes || size == 0 || size > maxFrames/2*frameBytes {
		return nil
	}
	var sizes, frames []byte
	cut := func(p []byte, step int64, width int) (n int) {
		for ; len(p) > 0; n++ {
			part := p[:min(int64(len(p)), step)]
			p = p[len(part):]
			before := len(frames)
			frames = c.coding().encode(frames, part, width)
			sizes = binary.LittleEndian.AppendUint32(sizes, uint32(len(frames)-before))
		}
		return n
	}
	ofData := cut(e.Data, frameSize(c.size), widthOf(c.size))
	ends := make([]byte, 0, len(e.Ends)*endSize)
	for _, end := range e.Ends {
		ends = binary.LittleEndian.AppendUint32(ends, uint32(end))
	}
	ofEnds := cut(ends, frameBytes, endSize)
	if n := int64(sealHead + len(sizes) + len(frames)); n > size-size/sealShare {
		return nil
	}
	var head []byte
	for _, n := range []int{ofData + ofEnds, ofData, len(e.Ends)} {
		head = binary.LittleEndian.AppendUint32(head, uint32(n))
	}
	return slices.Concat(head, sizes, frames)
}

// storeSealed puts a run into a chunk, compressed if that is asked for and worth
// it.
func (c *Column) storeSealed(ctx context.Context, tx store.Tx, x *run, e column.Elements) error {
	packed := c.sealed(&e)
	if packed == nil {
		x.incompressible = c.seal != Raw
		return c.store(ctx, tx, x, e)
	}
	return c.putSealed(ctx, tx, x, &e, packed)
}

// putSealed puts a run into a chunk whose bytes have been made of the elements.
func (c *Column) putSealed(ctx context.Context, tx store.Tx, x *run, e *column.Elements, packed []byte) error {
	c.codec.reset()
	x.codec, x.skip, x.capacity, x.bytes = Zstd, 0, int64(len(packed)), int64(len(e.Data))
	return tx.PutChunk(ctx, c.row.ID, store.Chunk{Number: x.number, Capacity: x.capacity, Used: x.rows, Meta: x.encode(nil, c.size)}, packed)
}

// sealLast compresses the last run, behind which another comes.
func (c *Column) sealLast(ctx context.Context, tx store.Tx) error {
	x := &c.last
	if c.seal == Raw || x.codec != Raw || x.rows == 0 || x.incompressible {
		return nil
	}
	var e column.Elements
	if err := c.elements(ctx, tx, x, 0, x.rows, &e); err != nil {
		return err
	}
	packed := c.sealed(&e)
	if packed == nil {
		x.incompressible, c.lastChanged = true, true
		return nil
	}
	c.lastChanged = false
	return c.putSealed(ctx, tx, x, &e, packed)
}

// head is what stands in front of the frames of a run: three numbers, and the sizes
// of the frames.
type head []byte

func (h head) number(k int) int64 { return int64(binary.LittleEndian.Uint32(h[k*sizeBytes:])) }

// ofData is how many of the frames are of the bytes of elements, and ends how many
// ends the others have.
func (h head) ofData() int { return int(h.number(1)) }
func (h head) ends() int64 { return h.number(2) }

// frame is where frame k begins and ends.
func (h head) frame(k int) (from, to int64) {
	from = int64(len(h))
	for q := range k {
		from += h.number(sealHead/sizeBytes + q)
	}
	return from, from + h.number(sealHead/sizeBytes+k)
}

// check compares the three numbers with what is known of the run.
func (h head) check(x *run, size int64) error {
	n, ofData, ends := h.number(0), h.number(1), h.number(2)
	step := frameSize(size)
	rows := x.skip + x.stored()
	wanted := int64(0)
	if size == 0 {
		wanted = ends
	}
	if n > maxFrames || n*sizeBytes > x.capacity-sealHead || ofData != (x.bytes+step-1)/step || n != ofData+(wanted*endSize+frameBytes-1)/frameBytes || size == 0 && ends < rows {
		return corrupt("run %d has %d frames, %d of them of elements, for %d elements in %d bytes", x.number, n, ofData, rows, x.bytes)
	}
	return nil
}

// readHead reads what stands in front of the frames of a run, of whose bytes there
// are so many.
func readHead(x *run, size, bytes int64, read func(p []byte, offset int64) error) (head, error) {
	h := make(head, sealHead, sealHead+16*sizeBytes)
	if err := read(h, 0); err != nil {
		return nil, err
	}
	if err := h.check(x, size); err != nil {
		return nil, err
	}
	n := h.number(0)
	if n*sizeBytes > bytes-sealHead {
		return nil, corrupt("run %d has %d bytes, and %d frames", x.number, bytes, n)
	}
	h = append(h, make([]byte, n*sizeBytes)...)
	return h, read(h[sealHead:], sealHead)
}

// headOf is readHead for a run of the column, unless its head is kept.
func (c *Column) headOf(ctx context.Context, r store.Reader, x *run) (head, error) {
	keep, limit := c.kept(r)
	key := frameKey{c.row.ID, c.row.MinChunk, x.number, headIndex}
	if h := head(keep.get(key)); len(h) > 0 {
		return h, h.check(x, c.size)
	}
	h, err := readHead(x, c.size, x.capacity, func(p []byte, offset int64) error { return c.readChunk(ctx, r, x, p, offset) })
	if err != nil {
		return nil, err
	}
	end := int64(len(h))
	for k := range h.number(0) {
		if end += h.number(sealHead/sizeBytes + int(k)); end > x.capacity {
			return nil, corrupt("frame %d of run %d ends at %d of %d bytes", k, x.number, end, x.capacity)
		}
	}
	keep.put(key, h, limit)
	return h, nil
}

func (c *Column) readChunk(ctx context.Context, r store.Reader, x *run, p []byte, offset int64) error {
	span := [1]store.Span{{Chunk: x.number, Offset: offset, Data: p}}
	return r.ReadAt(ctx, c.row.ID, span[:])
}

// fill fills p with bytes of the elements of a compressed run, from offset on.
func (c *Column) fill(ctx context.Context, r store.Reader, x *run, offset int64, p []byte) error {
	if x.codec == broken {
		return errBroken(x)
	}
	return c.decoded(ctx, r, x, 0, x.bytes, frameSize(c.size), widthOf(c.size), offset, p)
}

// fillEnds fills p with ends, from that of element from on.
func (c *Column) fillEnds(ctx context.Context, r store.Reader, x *run, from int64, p []byte) error {
	h, err := c.headOf(ctx, r, x)
	if err != nil {
		return err
	}
	return c.decoded(ctx, r, x, h.ofData(), h.ends()*endSize, frameBytes, endSize, from*endSize, p)
}

// decoded fills p from frames of step bytes, the first of which is frame number
// first of the run, and of which there are size bytes.
func (c *Column) decoded(ctx context.Context, r store.Reader, x *run, first int, size, step int64, width int, offset int64, p []byte) error {
	if offset < 0 || offset > size || int64(len(p)) > size-offset {
		return corrupt("run %d has %d bytes, not %d at %d", x.number, size, len(p), offset)
	}
	for len(p) > 0 {
		k, from := offset/step, offset%step
		whole := min(step, size-k*step)
		n := min(int64(len(p)), whole-from)
		if err := c.decodedPart(ctx, r, x, first+int(k), whole, width, from, p[:n]); err != nil {
			return err
		}
		p, offset = p[n:], offset+n
	}
	return nil
}

// decodedPart fills p from frame k of a run, which has size bytes. A frame of which
// only a part is wanted is kept.
func (c *Column) decodedPart(ctx context.Context, r store.Reader, x *run, k int, size int64, width int, from int64, p []byte) error {
	keep, limit := c.kept(r)
	key := frameKey{c.row.ID, c.row.MinChunk, x.number, k}
	whole := keep.get(key)
	if int64(len(whole)) != size {
		h, err := c.headOf(ctx, r, x)
		if err != nil {
			return err
		}
		d := c.coding()
		at, end := h.frame(k)
		d.raw = slices.Grow(d.raw[:0], int(end-at))[:end-at]
		if err := c.readChunk(ctx, r, x, d.raw, at); err != nil {
			return err
		}
		if int64(len(p)) == size {
			return d.decode(p, d.raw, width)
		}
		whole = make([]byte, size)
		if err := d.decode(whole, d.raw, width); err != nil {
			return err
		}
		keep.put(key, whole, limit)
	}
	copy(p, whole[from:])
	return nil
}
