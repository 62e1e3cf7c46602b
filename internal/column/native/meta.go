package native

import (
	"encoding/binary"
	"fmt"
	"slices"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// Codec is how the bytes of runs are stored. The numbers are those in the file.
type Codec uint8

const (
	// Raw stores elements as they are.
	Raw Codec = 0
	// Zstd stores frames, each compressed for itself.
	Zstd Codec = 1
	// broken is the codec of a run whose Meta says nothing possible.
	broken Codec = 255
)

const (
	metaVersion = 1
	// headSize is the size in bytes of Meta without a tail, tailed that of one
	// with a tail, however few elements are in it: a row that keeps its size is
	// overwritten in place.
	headSize = 32
	tailed   = 960
	// maxTailed is the largest element, in bytes, that goes to the tail.
	maxTailed = 256
	// endSize is the size of the end of an element that varies in size, lenSize
	// that of its length in the tail.
	endSize = 4
	lenSize = 2
	// maxRows and maxBytes are more than any run has.
	maxRows  = 1 << 31
	maxBytes = 1 << 31
)

// The bits of the byte of flags.
const (
	hasBounds = 1
	hasNoGain = 2
)

// run is what is known of a chunk.
type run struct {
	number int64
	// first is the position of the first element.
	first, rows int64
	capacity    int64
	meta
}

// meta is what stands in the Meta of a chunk.
type meta struct {
	// codec is how the bytes are stored, seal how those of full runs of the
	// column are to be.
	codec, seal Codec
	// bounded says that no element is below lo or above hi, by their keys.
	bounded bool
	lo, hi  uint64
	// incompressible says that the run was to be compressed, and that this was not
	// worth it.
	incompressible bool
	// skip is how many elements lie before the first that counts, tail how many
	// of the rows lie in the Meta.
	skip, tail int64
	// bytes is where the bytes of elements that vary in size end, and how many
	// bytes a compressed run has before it is. In the file other runs have it
	// too, which tells that their numbers go together.
	bytes int64
	// long says that the row has the size of one with a tail.
	long bool
}

// end is the position after the last element.
func (x *run) end() int64 { return x.first + x.rows }

// stored is how many of the elements lie in the bytes.
func (x *run) stored() int64 { return x.rows - x.tail }

// need is how many bytes the elements take in the chunk, with those before them
// that do not count; size is that of each, 0 where it varies.
func (x *run) need(size int64) int64 {
	n := x.skip + x.stored()
	if size > 0 {
		return n * size
	}
	return x.bytes + n*endSize
}

// encode is the Meta of the run, with the elements of its tail; size is that of
// each, 0 where it varies.
func (x *run) encode(tail *column.Elements, size int64) []byte {
	bytes := x.bytes
	if size > 0 && x.codec == Raw {
		bytes = x.need(size)
	}
	n := headSize
	if x.long {
		n = tailed
	}
	p := make([]byte, n)
	p[0], p[1], p[2] = metaVersion, byte(x.codec), byte(x.seal)
	if x.bounded {
		p[3] = hasBounds
	}
	if x.incompressible {
		p[3] |= hasNoGain
	}
	binary.LittleEndian.PutUint32(p[4:], uint32(x.skip))
	binary.LittleEndian.PutUint32(p[8:], uint32(bytes))
	binary.LittleEndian.PutUint32(p[12:], uint32(x.tail))
	binary.LittleEndian.PutUint64(p[16:], x.lo)
	binary.LittleEndian.PutUint64(p[24:], x.hi)
	if x.tail == 0 {
		return p
	}
	rest := p[headSize:headSize]
	if tail.Ends == nil {
		copy(p[headSize:], tail.Data)
		return p
	}
	for k := range tail.Ends {
		element := tail.At(0, k)
		rest = append(binary.LittleEndian.AppendUint16(rest, uint16(len(element))), element...)
	}
	return p
}

// runOf reads what is known of a chunk. Its numbers are such that what they say
// fits into the capacity; where they are not, the run is broken, and keeps its
// rows so that the others stay where they are.
func runOf(c store.Chunk, size int64) (run, error) {
	x := run{number: c.Number, rows: c.Used, capacity: c.Capacity}
	p := c.Meta
	fits := x.rows >= 0 && x.rows < maxRows && x.capacity >= 0 && x.capacity < maxBytes
	if !fits {
		x.rows, x.capacity = min(max(x.rows, 0), maxRows), min(max(x.capacity, 0), maxBytes)
	}
	if fits = fits && len(p) >= headSize && p[0] == metaVersion && p[1] <= byte(Zstd) && p[2] <= byte(Zstd); fits {
		x.codec, x.seal, x.bounded = Codec(p[1]), Codec(p[2]), p[3]&hasBounds != 0
		x.incompressible = p[3]&hasNoGain != 0
		x.skip = int64(binary.LittleEndian.Uint32(p[4:]))
		x.bytes = int64(binary.LittleEndian.Uint32(p[8:]))
		x.tail = int64(binary.LittleEndian.Uint32(p[12:]))
		x.lo, x.hi = binary.LittleEndian.Uint64(p[16:]), binary.LittleEndian.Uint64(p[24:])
		x.long = len(p) == tailed
		fits = x.tail <= x.rows
	}
	if fits && size > 0 {
		fits = x.skip+x.rows < maxBytes/size
	}
	if fits && x.codec == Raw {
		fits = x.need(size) <= x.capacity && (size == 0 || x.need(size) == x.bytes)
		if size > 0 {
			x.bytes = 0
		}
	} else if fits && size > 0 {
		fits = x.need(size) <= x.bytes
	}
	if !fits {
		x.meta = meta{codec: broken}
		return x, fmt.Errorf("%w: run %d of %d elements in %d bytes says impossible things of itself", store.ErrCorrupt, c.Number, c.Used, c.Capacity)
	}
	return x, nil
}

// tailOf reads the elements that lie in the Meta.
func tailOf(x *run, p []byte, size int64) (column.Elements, error) {
	var e column.Elements
	if x.tail == 0 {
		return e, nil
	}
	p = p[headSize:]
	if size > 0 {
		if x.tail > int64(len(p))/size {
			return e, fmt.Errorf("%w: %d elements cannot lie in the %d bytes beside run %d", store.ErrCorrupt, x.tail, len(p), x.number)
		}
		e.Data = slices.Clone(p[:x.tail*size])
		return e, nil
	}
	e.Ends = make([]int, 0, min(x.tail, int64(len(p))/lenSize))
	for range x.tail {
		if len(p) < lenSize {
			return e, fmt.Errorf("%w: the elements beside run %d end early", store.ErrCorrupt, x.number)
		}
		n := int(binary.LittleEndian.Uint16(p))
		if p = p[lenSize:]; n > len(p) {
			return e, fmt.Errorf("%w: an element of %d bytes beside run %d ends outside of it", store.ErrCorrupt, n, x.number)
		}
		e.Data = append(e.Data, p[:n]...)
		e.Ends = append(e.Ends, len(e.Data))
		p = p[n:]
	}
	return e, nil
}
