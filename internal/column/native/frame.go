package native

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"

	"columnvault/internal/store"
)

// frameBytes is how many bytes of elements a frame has, before it is compressed:
// what is decoded for one element.
const frameBytes = 64 << 10

// The forms of frames: what was done to the bytes before zstd.
const (
	// formStored: nothing, and no zstd either.
	formStored = 0
	// formPlain: nothing.
	formPlain = 1
	// formNarrow: numbers, less the least of them, in as many bytes as the
	// largest then needs. Before them stand that number of bytes and the least.
	formNarrow = 2
	// formDelta: the differences of numbers, less the least of them; first the
	// lowest bytes of all of them, then the next, as many as the largest needs.
	// Before them stand that number of bytes, the first number and the least
	// difference.
	formDelta = 3
)

// narrowHead and deltaHead are the sizes in bytes of what stands before narrow
// numbers and before differences.
const (
	narrowHead = 9
	deltaHead  = 17
)

var (
	encoders = sync.OnceValue(func() *zstd.Encoder {
		e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(frameBytes), zstd.WithLowerEncoderMem(true))
		if err != nil {
			panic(err) // the options are constants
		}
		return e
	})
	decoders = sync.OnceValue(func() *zstd.Decoder {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(2*frameBytes), zstd.WithDecoderMaxWindow(2*frameBytes), zstd.WithDecoderLowmem(true))
		if err != nil {
			panic(err)
		}
		return d
	})
)

// coder makes and reads frames, in memory that it uses again.
type coder struct {
	work, packed, best []byte
}

// encode appends the frame of some bytes: numbers of width bytes, or 0 for
// anything else. It takes the smallest form.
func (c *coder) encode(dst, raw []byte, width int) []byte {
	c.best = append(c.best[:0], formStored)
	c.best = append(c.best, raw...)
	try := func(form byte, p []byte) {
		c.packed = encoders().EncodeAll(p, append(c.packed[:0], form))
		if len(c.packed) < len(c.best) {
			c.best, c.packed = c.packed, c.best
		}
	}
	if width == 0 {
		try(formPlain, raw)
	} else {
		c.work = narrow(c.work[:0], raw, width)
		try(formNarrow, c.work)
		c.work = deltas(c.work[:0], raw, width)
		try(formDelta, c.work)
	}
	return append(dst, c.best...)
}

// decode fills raw from its frame.
func (c *coder) decode(raw, frame []byte, width int) error {
	if len(frame) == 0 {
		return fmt.Errorf("%w: a frame without bytes", store.ErrCorrupt)
	}
	form, p := frame[0], frame[1:]
	if form != formStored {
		var err error
		into := c.work[:0]
		if form == formPlain {
			into = raw[:0]
		}
		if p, err = decoders().DecodeAll(p, into); err != nil {
			return fmt.Errorf("%w: a frame cannot be decompressed: %w", store.ErrCorrupt, err)
		}
		if form != formPlain {
			c.work = p
		}
	}
	ok := false
	switch {
	case form == formStored, form == formPlain:
		ok = len(p) == len(raw)
		copy(raw, p)
	case form == formNarrow && width > 0:
		ok = widenNumbers(raw, p, width)
	case form == formDelta && width > 0:
		ok = sums(raw, p, width)
	}
	if !ok {
		return fmt.Errorf("%w: a frame of form %d has not the %d bytes that it should have", store.ErrCorrupt, form, len(raw))
	}
	return nil
}

// number is a number of width bytes, with its sign.
func number(p []byte, width int) int64 {
	switch width {
	case 1:
		return int64(int8(p[0]))
	case 2:
		return int64(int16(binary.LittleEndian.Uint16(p)))
	case 4:
		return int64(int32(binary.LittleEndian.Uint32(p)))
	}
	return int64(binary.LittleEndian.Uint64(p))
}

// putNumber is the reverse of number.
func putNumber(p []byte, width int, n int64) {
	switch width {
	case 1:
		p[0] = byte(n)
	case 2:
		binary.LittleEndian.PutUint16(p, uint16(n))
	case 4:
		binary.LittleEndian.PutUint32(p, uint32(n))
	default:
		binary.LittleEndian.PutUint64(p, uint64(n))
	}
}

// narrow appends the form of that name.
func narrow(dst, raw []byte, width int) []byte {
	least, most := number(raw, width), number(raw, width)
	for at := width; at < len(raw); at += width {
		n := number(raw[at:], width)
		least, most = min(least, n), max(most, n)
	}
	size := 8
	switch span := uint64(most) - uint64(least); {
	case span < 1<<8:
		size = 1
	case span < 1<<16:
		size = 2
	case span < 1<<32:
		size = 4
	}
	dst = binary.LittleEndian.AppendUint64(append(dst, byte(size)), uint64(least))
	var one [8]byte
	for at := 0; at < len(raw); at += width {
		putNumber(one[:], 8, number(raw[at:], width)-least)
		dst = append(dst, one[:size]...)
	}
	return dst
}

// widenNumbers is the reverse of narrow.
func widenNumbers(raw, p []byte, width int) bool {
	if len(p) < narrowHead || len(raw)%width > 0 {
		return false
	}
	size, least := int(p[0]), binary.LittleEndian.Uint64(p[1:])
	p = p[narrowHead:]
	n := len(raw) / width
	if len(p) != n*size {
		return false
	}
	switch size {
	case 1:
		each(raw, width, n, func(k int) uint64 { return least + uint64(p[k]) })
	case 2:
		each(raw, width, n, func(k int) uint64 { return least + uint64(binary.LittleEndian.Uint16(p[2*k:])) })
	case 4:
		each(raw, width, n, func(k int) uint64 { return least + uint64(binary.LittleEndian.Uint32(p[4*k:])) })
	case 8:
		each(raw, width, n, func(k int) uint64 { return least + binary.LittleEndian.Uint64(p[8*k:]) })
	default:
		return false
	}
	return true
}

// each puts n numbers of width bytes.
func each(raw []byte, width, n int, value func(k int) uint64) {
	if width == 8 {
		for k := range n {
			binary.LittleEndian.PutUint64(raw[8*k:], value(k))
		}
		return
	}
	for k := range n {
		putNumber(raw[k*width:], width, int64(value(k)))
	}
}

// deltas appends the form of that name.
func deltas(dst, raw []byte, width int) []byte {
	n := len(raw)/width - 1
	first := number(raw, width)
	least, most := int64(math.MaxInt64), int64(math.MinInt64)
	each := func(found func(k int, d int64)) {
		before := first
		for k := range n {
			value := number(raw[(k+1)*width:], width)
			found(k, signed(value-before, width)) // within the width, around its ends
			before = value
		}
	}
	each(func(_ int, d int64) { least, most = min(least, d), max(most, d) })
	planes := 0
	if n > 0 {
		planes = (bits.Len64(uint64(most)-uint64(least)) + 7) / 8
	}
	dst = binary.LittleEndian.AppendUint64(append(dst, byte(planes)), uint64(first))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(least))
	old := len(dst)
	dst = slices.Grow(dst, planes*n)[:old+planes*n]
	into := dst[old:]
	each(func(k int, d int64) {
		z := uint64(d) - uint64(least)
		for plane := range planes {
			into[plane*n+k] = byte(z >> (8 * plane))
		}
	})
	return dst
}

// signed is a number cut to width bytes, with their sign.
func signed(n int64, width int) int64 {
	shift := 64 - 8*width
	return n << shift >> shift
}

// sums is the reverse of deltas.
func sums(raw, p []byte, width int) bool {
	if len(p) < deltaHead || len(raw) < width || len(raw)%width > 0 {
		return false
	}
	planes, value, least := int(p[0]), binary.LittleEndian.Uint64(p[1:]), binary.LittleEndian.Uint64(p[9:])
	p = p[deltaHead:]
	n := len(raw)/width - 1
	if planes > 8 || len(p) != n*planes {
		return false
	}
	putNumber(raw, width, int64(value))
	raw = raw[width:]
	switch planes {
	case 0:
		each(raw, width, n, func(int) uint64 { value += least; return value })
	case 1:
		each(raw, width, n, func(k int) uint64 { value += least + uint64(p[k]); return value })
	case 2:
		low, high := p[:n], p[n:]
		each(raw, width, n, func(k int) uint64 {
			value += least + (uint64(low[k]) | uint64(high[k])<<8)
			return value
		})
	default:
		each(raw, width, n, func(k int) uint64 {
			value += least
			for plane := range planes {
				value += uint64(p[plane*n+k]) << (8 * plane)
			}
			return value
		})
	}
	return true
}
