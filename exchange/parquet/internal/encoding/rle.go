// Package encoding holds the encodings of values and levels in Parquet pages. It
// is arithmetic over bytes. Decoders give as many values as they are asked for,
// and take memory for no others, whatever the bytes claim.
package encoding

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

var (
	// ErrShort is returned if the bytes end before the values do.
	ErrShort = errors.New("the values end early")
	// ErrSyntax is returned for bytes that are not of the encoding.
	ErrSyntax = errors.New("the values are damaged")
)

// RLE decodes runs and bit-packed groups of integers of up to 32 bits: levels,
// positions in dictionaries, and booleans.
type RLE struct {
	b     []byte
	width int
	// run is how many values there still are of value, and packed how many that
	// begin at bit of group.
	run, packed int
	value       uint32
	group       []byte
	bit         int
}

// NewRLE returns the decoder of values of width bits.
func NewRLE(b []byte, width int) (*RLE, error) {
	if width < 0 || width > 32 {
		return nil, ErrSyntax
	}
	return &RLE{b: b, width: width}, nil
}

// Read fills dst.
func (d *RLE) Read(dst []uint32) error {
	for len(dst) > 0 {
		switch {
		case d.run > 0:
			n := min(d.run, len(dst))
			for i := range dst[:n] {
				dst[i] = d.value
			}
			d.run, dst = d.run-n, dst[n:]
		case d.packed > 0:
			n := min(d.packed, len(dst))
			d.unpack(dst[:n])
			d.packed, dst = d.packed-n, dst[n:]
		default:
			if err := d.next(); err != nil {
				return err
			}
		}
	}
	return nil
}

// AllEqual tells whether the next n values are of one run, and which; it then
// takes them.
func (d *RLE) AllEqual(n int) (value uint32, ok bool, err error) {
	for d.run == 0 && d.packed == 0 {
		if err := d.next(); err != nil {
			return 0, false, err
		}
	}
	if d.run < n {
		return 0, false, nil
	}
	d.run -= n
	return d.value, true, nil
}

// next reads the head of a run or of groups.
func (d *RLE) next() error {
	head, n := binary.Uvarint(d.b)
	if n <= 0 {
		return ErrShort
	}
	d.b = d.b[n:]
	if head>>1 > 1<<40 {
		return ErrSyntax
	}
	count := int(head >> 1)
	if head&1 == 0 || d.width == 0 {
		size := (d.width + 7) / 8
		if size > len(d.b) {
			return ErrShort
		}
		var raw [4]byte
		copy(raw[:], d.b[:size])
		d.b = d.b[size:]
		d.run, d.value = count, binary.LittleEndian.Uint32(raw[:])
		if head&1 == 1 {
			d.run *= 8
		}
		return nil
	}
	// Some writers leave out the end of the last group.
	size := min(count*d.width, len(d.b))
	d.packed = min(count*8, size*8/d.width)
	d.group, d.b, d.bit = d.b[:size], d.b[size:], 0
	return nil
}

func (d *RLE) unpack(dst []uint32) {
	for i := range dst {
		dst[i] = uint32(bitsAt(d.group, d.bit, d.width))
		d.bit += d.width
	}
}

// bitsAt returns the bits of a number that begins at bit. They must be there.
func bitsAt(b []byte, bit, width int) uint64 {
	at, shift := bit>>3, bit&7
	var v uint64
	if at+8 <= len(b) {
		v = binary.LittleEndian.Uint64(b[at:]) >> shift
	} else {
		var raw [8]byte
		copy(raw[:], b[at:])
		v = binary.LittleEndian.Uint64(raw[:]) >> shift
	}
	if over := shift + width - 64; over > 0 {
		v |= uint64(b[at+8]) << (64 - shift)
	}
	if width == 64 {
		return v
	}
	return v & (1<<width - 1)
}

// Width is how many bits numbers up to n need.
func Width(n int) int { return bits.Len(uint(n)) }

// AppendRLE appends values, all of them at most 2^width-1, as runs where eight
// or more are equal, and as groups of bits elsewhere.
func AppendRLE(dst []byte, values []uint8, width int) []byte {
	for len(values) > 0 {
		run := runLen(values)
		if run >= 8 || run == len(values) {
			dst = binary.AppendUvarint(dst, uint64(run)<<1)
			dst = append(dst, values[0])
			values = values[run:]
			continue
		}
		n := packedLen(values)
		groups := (n + 7) / 8
		dst = binary.AppendUvarint(dst, uint64(groups)<<1|1)
		dst = appendPacked(dst, values[:n], groups, width)
		values = values[n:]
	}
	return dst
}

func runLen(values []uint8) int {
	for i, v := range values {
		if v != values[0] {
			return i
		}
	}
	return len(values)
}

// packedLen is how many values go into groups of eight: up to where a run is
// worth its head, or all.
func packedLen(values []uint8) int {
	for n := 8; n < len(values); n += 8 {
		if runLen(values[n:]) >= 8 {
			return n
		}
	}
	return len(values)
}

func appendPacked(dst []byte, values []uint8, groups, width int) []byte {
	start := len(dst)
	dst = append(dst, make([]byte, groups*width)...)
	bit := 0
	for _, v := range values {
		at := start + bit>>3
		wide := uint16(v) << (bit & 7)
		dst[at] |= byte(wide)
		if wide > 0xff {
			dst[at+1] |= byte(wide >> 8)
		}
		bit += width
	}
	return dst
}
