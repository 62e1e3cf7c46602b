package encoding

import (
	"encoding/binary"
	"fmt"
)

// Fixed decodes values of one size, as they lie in memory: little-endian
// numbers, or bytes.
type Fixed interface {
	// Read fills dst, which has room for a whole number of values.
	Read(dst []byte) error
}

// Plain is PLAIN, in which values follow each other.
type Plain struct{ b []byte }

// NewPlain returns the decoder of values that lie in b.
func NewPlain(b []byte) *Plain { return &Plain{b} }

// Read fills dst.
func (d *Plain) Read(dst []byte) error {
	if len(dst) > len(d.b) {
		return ErrShort
	}
	d.b = d.b[copy(dst, d.b):]
	return nil
}

// Split is BYTE_STREAM_SPLIT: first the first bytes of all values, then the
// second ones.
type Split struct {
	b           []byte
	size, count int
	next        int
}

// NewSplit returns the decoder of the values in b, each of size bytes.
func NewSplit(b []byte, size int) (*Split, error) {
	if size <= 0 || len(b)%size != 0 {
		return nil, ErrSyntax
	}
	return &Split{b: b, size: size, count: len(b) / size}, nil
}

// Read fills dst.
func (d *Split) Read(dst []byte) error {
	n := len(dst) / d.size
	if n > d.count-d.next {
		return ErrShort
	}
	for k := range d.size {
		stream := d.b[k*d.count+d.next : k*d.count+d.next+n]
		for i, c := range stream {
			dst[i*d.size+k] = c
		}
	}
	d.next += n
	return nil
}

// Integers is DELTA_BINARY_PACKED as numbers of 4 or 8 bytes.
type Integers struct {
	delta *Delta
	size  int
	some  [256]int64
}

// NewIntegers returns the decoder of numbers of size bytes, at most so many.
func NewIntegers(b []byte, size, most int) (*Integers, error) {
	d, err := NewDelta(b, most)
	return &Integers{delta: d, size: size}, err
}

// Read fills dst.
func (d *Integers) Read(dst []byte) error {
	for len(dst) > 0 {
		part := d.some[:min(len(d.some), len(dst)/d.size)]
		if err := d.delta.Read(part); err != nil {
			return err
		}
		for i, v := range part {
			if d.size == 4 {
				binary.LittleEndian.PutUint32(dst[4*i:], uint32(v))
			} else {
				binary.LittleEndian.PutUint64(dst[8*i:], uint64(v))
			}
		}
		dst = dst[len(part)*d.size:]
	}
	return nil
}

// Indexed is RLE_DICTIONARY: positions in a list of values.
type Indexed struct {
	positions *RLE
	values    []byte
	size      int
	some      [256]uint32
}

// NewIndexed returns the decoder of positions in b, which are of values of size
// bytes.
func NewIndexed(b, values []byte, size int) (*Indexed, error) {
	p, err := newPositions(b)
	return &Indexed{positions: p, values: values, size: size}, err
}

// newPositions returns the decoder of positions in a dictionary, whose width is
// in the first byte.
func newPositions(b []byte) (*RLE, error) {
	if len(b) == 0 {
		return NewRLE(nil, 0)
	}
	return NewRLE(b[1:], int(b[0]))
}

// Read fills dst.
func (d *Indexed) Read(dst []byte) error {
	count := uint32(len(d.values) / d.size)
	for len(dst) > 0 {
		part := d.some[:min(len(d.some), len(dst)/d.size)]
		if err := d.positions.Read(part); err != nil {
			return err
		}
		for i, p := range part {
			if p >= count {
				return outside(p, count)
			}
			at := int(p) * d.size
			copy(dst[i*d.size:(i+1)*d.size], d.values[at:at+d.size])
		}
		dst = dst[len(part)*d.size:]
	}
	return nil
}

func outside(p, count uint32) error {
	return fmt.Errorf("%w: position %d in a dictionary of %d values", ErrSyntax, p, count)
}

// Bools decodes booleans, packed into bits.
type Bools struct {
	b   []byte
	bit int
}

// NewBools returns the decoder of the booleans in b.
func NewBools(b []byte) *Bools { return &Bools{b: b} }

// Read sets dst to values that are 0 or 1.
func (d *Bools) Read(dst []uint32) error {
	if len(dst) > 8*len(d.b)-d.bit {
		return ErrShort
	}
	for i := range dst {
		dst[i] = uint32(d.b[d.bit>>3]>>(d.bit&7)) & 1
		d.bit++
	}
	return nil
}

// Strings decodes values that vary in size.
type Strings interface {
	// Read appends up to n values to dst, and fewer if they are together longer
	// than limit; one at least. They lie in memory that does not change.
	Read(dst [][]byte, n, limit int) ([][]byte, error)
}

// PlainStrings is PLAIN: a length before each value.
type PlainStrings struct{ b []byte }

// NewPlainStrings returns the decoder of the values in b.
func NewPlainStrings(b []byte) *PlainStrings { return &PlainStrings{b} }

// Read appends values.
func (d *PlainStrings) Read(dst [][]byte, n, limit int) ([][]byte, error) {
	for size := 0; n > 0 && size <= limit; n-- {
		if len(d.b) < 4 {
			return dst, ErrShort
		}
		length := uint64(binary.LittleEndian.Uint32(d.b))
		if length > uint64(len(d.b)-4) {
			return dst, ErrShort
		}
		end := 4 + int(length)
		dst = append(dst, d.b[4:end:end])
		d.b = d.b[end:]
		size += int(length)
	}
	return dst, nil
}

// IndexedStrings is RLE_DICTIONARY of values that vary in size.
type IndexedStrings struct {
	positions *RLE
	values    [][]byte
	one       [1]uint32
}

// NewIndexedStrings returns the decoder of positions in b.
func NewIndexedStrings(b []byte, values [][]byte) (*IndexedStrings, error) {
	p, err := newPositions(b)
	return &IndexedStrings{positions: p, values: values}, err
}

// Read appends values.
func (d *IndexedStrings) Read(dst [][]byte, n, limit int) ([][]byte, error) {
	for size := 0; n > 0 && size <= limit; n-- {
		if err := d.positions.Read(d.one[:]); err != nil {
			return dst, err
		}
		if d.one[0] >= uint32(len(d.values)) {
			return dst, outside(d.one[0], uint32(len(d.values)))
		}
		v := d.values[d.one[0]]
		dst = append(dst, v)
		size += len(v)
	}
	return dst, nil
}

// LengthStrings is DELTA_LENGTH_BYTE_ARRAY: all lengths, then all values.
type LengthStrings struct {
	lengths *Delta
	b       []byte
	one     [1]int64
}

// NewLengthStrings returns the decoder of the values in b, at most so many.
func NewLengthStrings(b []byte, most int) (*LengthStrings, error) {
	lengths, err := NewDelta(b, most)
	if err != nil {
		return nil, err
	}
	rest, err := lengths.rest()
	return &LengthStrings{lengths: lengths, b: rest}, err
}

// Read appends values.
func (d *LengthStrings) Read(dst [][]byte, n, limit int) ([][]byte, error) {
	for size := 0; n > 0 && size <= limit; n-- {
		v, err := d.next()
		if err != nil {
			return dst, err
		}
		dst = append(dst, v)
		size += len(v)
	}
	return dst, nil
}

func (d *LengthStrings) next() ([]byte, error) {
	if err := d.lengths.Read(d.one[:]); err != nil {
		return nil, err
	}
	n := d.one[0]
	if n < 0 || n > int64(len(d.b)) {
		return nil, ErrShort
	}
	v := d.b[:n:n]
	d.b = d.b[n:]
	return v, nil
}

// PrefixStrings is DELTA_BYTE_ARRAY: of each value how much it shares with the
// one before, and the rest.
type PrefixStrings struct {
	prefixes *Delta
	suffixes *LengthStrings
	last     []byte
	made     int
	one      [1]int64
}

// NewPrefixStrings returns the decoder of the values in b, at most so many.
func NewPrefixStrings(b []byte, most int) (*PrefixStrings, error) {
	prefixes, err := NewDelta(b, most)
	if err != nil {
		return nil, err
	}
	rest, err := prefixes.rest()
	if err != nil {
		return nil, err
	}
	suffixes, err := NewLengthStrings(rest, most)
	return &PrefixStrings{prefixes: prefixes, suffixes: suffixes}, err
}

// maxMade bounds what the values of a page, which lie in memory of their own,
// take together: each may be longer than the one before.
const maxMade = 256 << 20

// Read appends values.
func (d *PrefixStrings) Read(dst [][]byte, n, limit int) ([][]byte, error) {
	for size := 0; n > 0 && size <= limit; n-- {
		v, err := d.next()
		if err != nil {
			return dst, err
		}
		dst = append(dst, v)
		size += len(v)
	}
	return dst, nil
}

func (d *PrefixStrings) next() ([]byte, error) {
	if err := d.prefixes.Read(d.one[:]); err != nil {
		return nil, err
	}
	shared := d.one[0]
	suffix, err := d.suffixes.next()
	if err != nil {
		return nil, err
	}
	if shared < 0 || shared > int64(len(d.last)) {
		return nil, ErrSyntax
	}
	if d.made += int(shared) + len(suffix); d.made > maxMade {
		return nil, fmt.Errorf("%w: they take more than %d MiB", ErrSyntax, maxMade>>20)
	}
	v := make([]byte, 0, int(shared)+len(suffix))
	d.last = append(append(v, d.last[:shared]...), suffix...)
	return d.last, nil
}

// PrefixFixed is DELTA_BYTE_ARRAY of values of one size.
type PrefixFixed struct {
	values *PrefixStrings
	size   int
}

// NewPrefixFixed returns the decoder of the values in b, at most so many, each
// of size bytes.
func NewPrefixFixed(b []byte, size, most int) (*PrefixFixed, error) {
	v, err := NewPrefixStrings(b, most)
	return &PrefixFixed{v, size}, err
}

// Read fills dst.
func (d *PrefixFixed) Read(dst []byte) error {
	for ; len(dst) > 0; dst = dst[d.size:] {
		v, err := d.values.next()
		if err != nil {
			return err
		}
		if len(v) != d.size {
			return ErrSyntax
		}
		copy(dst, v)
	}
	return nil
}
