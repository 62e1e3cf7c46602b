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
	// frameSlots is how many frames stay decoded.
	frameSlots = 8
)

// codec reads compressed runs, and keeps frames that it has decoded.
type codec struct {
	coder
	// number is the run whose sizes are known; at are where its frames begin.
	number int64
	known  bool
	data   int
	ends   int64
	at     []int64
	slots  []frame
	victim int
	raw    []byte
}

// frame is a frame that is decoded.
type frame struct {
	run   int64
	index int
	bytes []byte
}

// reset forgets what is known of runs, which have changed.
func (d *codec) reset() {
	d.known = false
	d.slots = d.slots[:0]
	d.victim = 0
}

// width is the size of the numbers that elements are, 0 for what is none.
func (c *Column) width() int {
	switch c.size {
	case 1, 2, 4, 8:
		return int(c.size)
	}
	return 0
}

// frameSize is how many bytes of elements lie in a frame: whole elements, where
// they have one size.
func (c *Column) frameSize() int64 {
	if c.size > 0 {
		return max(1, frameBytes/c.size) * c.size
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
			frames = c.codec.encode(frames, part, width)
			sizes = binary.LittleEndian.AppendUint32(sizes, uint32(len(frames)-before))
		}
		return n
	}
	ofData := cut(e.Data, c.frameSize(), c.width())
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
		return c.store(ctx, tx, x, e)
	}
	c.codec.reset()
	x.codec, x.skip, x.capacity, x.bytes = Zstd, 0, int64(len(packed)), int64(len(e.Data))
	return tx.PutChunk(ctx, c.row.ID, store.Chunk{Number: x.number, Capacity: x.capacity, Used: x.rows, Meta: x.encode(nil, c.size)}, packed)
}

// sealLast compresses the last run, behind which another comes.
func (c *Column) sealLast(ctx context.Context, tx store.Tx) error {
	x := &c.last
	if c.seal == Raw || x.codec != Raw || x.rows == 0 {
		return nil
	}
	var e column.Elements
	if err := c.elements(ctx, tx, x, 0, x.rows, &e); err != nil {
		return err
	}
	if packed := c.sealed(&e); packed == nil {
		return nil
	}
	c.lastChanged = false
	return c.storeSealed(ctx, tx, x, e)
}

// open learns where the frames of a run are.
func (c *Column) openSealed(ctx context.Context, r store.Reader, x *run) error {
	d := &c.codec
	if d.known && d.number == x.number {
		return nil
	}
	d.known = false
	var head [sealHead]byte
	if err := c.readChunk(ctx, r, x, head[:], 0); err != nil {
		return err
	}
	n, ofData, ends := int64(binary.LittleEndian.Uint32(head[:])), int64(binary.LittleEndian.Uint32(head[4:])), int64(binary.LittleEndian.Uint32(head[8:]))
	step := c.frameSize()
	rows := x.skip + x.stored()
	wanted := int64(0)
	if c.size == 0 {
		wanted = ends
	}
	if n > maxFrames || n*sizeBytes > x.capacity-sealHead || ofData != (x.bytes+step-1)/step || n != ofData+(wanted*endSize+frameBytes-1)/frameBytes || c.size == 0 && ends < rows {
		return corrupt("run %d has %d frames, %d of them of elements, for %d elements in %d bytes", x.number, n, ofData, rows, x.bytes)
	}
	sizes := make([]byte, n*sizeBytes)
	if err := c.readChunk(ctx, r, x, sizes, sealHead); err != nil {
		return err
	}
	d.at = append(d.at[:0], sealHead+n*sizeBytes)
	for k := range n {
		end := d.at[k] + int64(binary.LittleEndian.Uint32(sizes[k*sizeBytes:]))
		if end > x.capacity {
			return corrupt("frame %d of run %d ends at %d of %d bytes", k, x.number, end, x.capacity)
		}
		d.at = append(d.at, end)
	}
	d.number, d.known, d.data, d.ends = x.number, true, int(ofData), ends
	return nil
}

func (c *Column) readChunk(ctx context.Context, r store.Reader, x *run, p []byte, offset int64) error {
	span := [1]store.Span{{Chunk: x.number, Offset: offset, Data: p}}
	return r.ReadAt(ctx, c.row.ID, span[:])
}

// decoded is frame k of a run, which has size bytes. It is good until the next
// call.
func (c *Column) decoded(ctx context.Context, r store.Reader, x *run, k int, size int64, width int, into []byte) ([]byte, error) {
	d := &c.codec
	for _, f := range d.slots {
		if f.run == x.number && f.index == k && int64(len(f.bytes)) == size {
			return f.bytes, nil
		}
	}
	n := d.at[k+1] - d.at[k]
	d.raw = slices.Grow(d.raw[:0], int(n))[:n]
	if err := c.readChunk(ctx, r, x, d.raw, d.at[k]); err != nil {
		return nil, err
	}
	if into != nil {
		return into, d.decode(into, d.raw, width)
	}
	if len(d.slots) < frameSlots {
		d.slots = append(d.slots, frame{})
		d.victim = len(d.slots) - 1
	} else {
		d.victim = (d.victim + 1) % frameSlots
	}
	f := &d.slots[d.victim]
	p := f.bytes
	*f = frame{}
	if int64(cap(p)) < size {
		p = make([]byte, size, max(size, min(frameBytes, size)))
	}
	p = p[:size]
	if err := d.decode(p, d.raw, width); err != nil {
		return nil, err
	}
	*f = frame{run: x.number, index: k, bytes: p}
	return p, nil
}

// fill fills p with bytes of the elements of a compressed run, from offset on.
func (c *Column) fill(ctx context.Context, r store.Reader, x *run, offset int64, p []byte) error {
	if x.codec == broken {
		return errBroken(x)
	}
	if err := c.openSealed(ctx, r, x); err != nil {
		return err
	}
	return c.frames(ctx, r, x, 0, x.bytes, c.frameSize(), c.width(), offset, p)
}

// fillEnds fills p with ends, from that of element from on.
func (c *Column) fillEnds(ctx context.Context, r store.Reader, x *run, from int64, p []byte) error {
	if err := c.openSealed(ctx, r, x); err != nil {
		return err
	}
	return c.frames(ctx, r, x, c.codec.data, c.codec.ends*endSize, frameBytes, endSize, from*endSize, p)
}

// frames fills p from frames of step bytes, the first of which is frame number
// first of the run, and of which there are size bytes.
func (c *Column) frames(ctx context.Context, r store.Reader, x *run, first int, size, step int64, width int, offset int64, p []byte) error {
	if offset < 0 || offset > size || int64(len(p)) > size-offset {
		return corrupt("run %d has %d bytes, not %d at %d", x.number, size, len(p), offset)
	}
	for len(p) > 0 {
		k, from := offset/step, offset%step
		whole := min(step, size-k*step)
		n := min(int64(len(p)), whole-from)
		var into []byte
		if n == whole {
			into = p[:n]
		}
		got, err := c.decoded(ctx, r, x, first+int(k), whole, width, into)
		if err != nil {
			return err
		}
		copy(p[:n], got[from:])
		p, offset = p[n:], offset+n
	}
	return nil
}
