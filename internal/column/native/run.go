package native

import (
	"encoding/binary"
	"slices"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// Run is a run of which somebody has the bytes, or what is left of them, without
// a store. Its elements have numbers from 0 on.
type Run struct {
	x    run
	size int64
	tail column.Elements
}

// RunOf is the run of a chunk of a column whose elements have size bytes, 0 where
// that varies. With an error, which is [store.ErrCorrupt], nothing else is known
// than [Run.Rows].
func RunOf(chunk store.Chunk, size int64) (Run, error) {
	x, err := runOf(chunk, size)
	r := Run{x: x, size: size}
	if err == nil {
		r.tail, _ = tailOf(&x, chunk.Meta, size) // as far as it can be read
	}
	return r, err
}

// Rows is how many elements the run has. Those from [Run.Stored] on are the tail.
func (r *Run) Rows() int64   { return r.x.rows }
func (r *Run) Stored() int64 { return r.x.stored() }

// Tail is the first elements of the tail, all of them unless it is damaged.
func (r *Run) Tail() column.Elements { return r.tail }

// IsLast tells whether no run can be behind this one.
func (r *Run) IsLast() bool { return r.x.long }

// Codec is how the bytes of the run are stored, and Sealed how those of full runs
// of its column are.
func (r *Run) Codec() Codec  { return r.x.codec }
func (r *Run) Sealed() Codec { return r.x.seal }

// Skip is how many elements lie in the bytes before the first that counts.
func (r *Run) Skip() int64 { return r.x.skip }

// End is where the bytes of elements end, where these vary in size.
func (r *Run) End() int64 { return r.x.bytes }

// HasEmpty tells whether elements can be empty, where they vary in size.
func (r *Run) HasEmpty() bool { return !r.x.bounded || r.x.lo == 0 }

// EndsAt is where the ends of elements lie in a run that is not compressed, from
// that of number i up to that of number j; those that do not count are numbers
// too. The last comes first.
func (r *Run) EndsAt(i, j int64) (from, to int64) {
	return r.x.capacity - j*endSize, r.x.capacity - i*endSize
}

// ParseEnds appends the ends that lie in p.
func (r *Run) ParseEnds(dst []int64, p []byte) []int64 {
	old := len(dst)
	for ; len(p) >= endSize; p = p[endSize:] {
		dst = append(dst, int64(binary.LittleEndian.Uint32(p)))
	}
	if r.x.codec == Raw {
		slices.Reverse(dst[old:])
	}
	return dst
}

// Between is how many runs that were appended to a column have numbers between
// those of two runs of it: the ones that are missing or were deleted.
func Between(number, next int64) int64 {
	if next <= number {
		return 0
	}
	return int64((uint64(next) - uint64(number) - 1) / stride)
}

// EndsInFrame is how many ends lie in a frame.
const EndsInFrame = frameBytes / endSize

// Frames are the frames of a compressed run, which are decoded one by one.
type Frames struct {
	run  *Run
	head head
	// starts is where each frame begins, and where the last ends.
	starts []int64
	read   func(p []byte, offset int64) error
	coder  coder
	raw    []byte
}

// Frames reads what stands in front of the frames, by a function that fills p with
// bytes of the run. There are so many bytes. What is wrong with one frame is
// not in the way of the others.
func (r *Run) Frames(size int64, read func(p []byte, offset int64) error) (*Frames, error) {
	if r.x.codec != Zstd || r.size > frameBytes { // these never are, and could take much memory
		return nil, corrupt("run %d cannot be compressed", r.x.number)
	}
	if size = min(size, r.x.capacity); size < sealHead {
		return nil, corrupt("run %d has %d bytes", r.x.number, size)
	}
	h, err := readHead(&r.x, r.size, size, read)
	if err != nil {
		return nil, err
	}
	f := &Frames{run: r, head: h, read: read}
	n, at := h.number(0), int64(len(h))
	f.starts = append(make([]int64, 0, n+1), at)
	for k := range n {
		at += h.number(sealHead/sizeBytes + int(k))
		f.starts = append(f.starts, at)
	}
	return f, nil
}

// Step is how many bytes of elements lie in a frame, but for the last.
func (f *Frames) Step() int64 { return frameSize(f.run.size) }

// Elements appends the bytes of elements that lie in frame k.
func (f *Frames) Elements(dst []byte, k int64) ([]byte, error) {
	return f.frame(dst, 0, k, f.run.x.bytes, f.Step(), widthOf(f.run.size))
}

// Ends appends the ends that lie in frame k of those.
func (f *Frames) Ends(dst []byte, k int64) ([]byte, error) {
	return f.frame(dst, int64(f.head.ofData()), k, f.head.ends()*endSize, frameBytes, endSize)
}

// frame appends what lies in frame k after the first, of frames that have size
// bytes together, step in each.
func (f *Frames) frame(dst []byte, first, k, size, step int64, width int) ([]byte, error) {
	x := &f.run.x
	if k < 0 || k >= (size+step-1)/step || first+k+1 >= int64(len(f.starts)) {
		return dst, corrupt("run %d has no frame %d", x.number, k)
	}
	size = min(step, size-k*step)
	from, to := f.starts[first+k], f.starts[first+k+1]
	if to > x.capacity || to-from > frameBytes+1 { // no frame is larger than its bytes as they are
		return dst, corrupt("frame %d of run %d cannot lie from %d to %d", first+k, x.number, from, to)
	}
	f.raw = slices.Grow(f.raw[:0], int(to-from))[:to-from]
	if err := f.read(f.raw, from); err != nil {
		return dst, err
	}
	if len(f.raw) > 0 && f.raw[0] == formStored && f.starts[len(f.starts)-1] != x.capacity {
		// It has no checksum, and the sizes that say where it lies are wrong.
		return dst, corrupt("frame %d of run %d may lie elsewhere", first+k, x.number)
	}
	old := len(dst)
	dst = slices.Grow(dst, int(size))[:old+int(size)]
	if err := f.coder.decode(dst[old:], f.raw, width); err != nil {
		return dst[:old], err
	}
	return dst, nil
}
