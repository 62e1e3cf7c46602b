package encoding

import "encoding/binary"

// Delta decodes DELTA_BINARY_PACKED: integers as differences, in blocks.
type Delta struct {
	b     []byte
	at    int
	left  int // values to come
	value int64
	begun bool

	perMini int
	min     int64
	widths  []byte // of the miniblocks of the block that follow
	mini    []byte // the bits of the current one
	miniN   int    // values to come in it
	minis   int
	bit     int
	width   int
}

// NewDelta returns the decoder of the integers that b begins with, which are at
// most so many.
func NewDelta(b []byte, most int) (*Delta, error) {
	d := &Delta{b: b}
	block, minis, count := d.uvarint(), d.uvarint(), d.uvarint()
	first, ok := d.varint()
	if !ok || minis == 0 || minis > 1<<16 || block > 1<<24 || block%minis != 0 || block/minis%8 != 0 || count > uint64(most) {
		return nil, ErrSyntax
	}
	d.perMini, d.minis, d.left, d.value = int(block/minis), int(minis), int(count), first
	if d.perMini == 0 {
		return nil, ErrSyntax
	}
	return d, nil
}

func (d *Delta) uvarint() uint64 {
	v, n := binary.Uvarint(d.b[d.at:])
	if n <= 0 {
		return 1 << 63
	}
	d.at += n
	return v
}

func (d *Delta) varint() (int64, bool) {
	v, n := binary.Varint(d.b[d.at:])
	if n <= 0 {
		return 0, false
	}
	d.at += n
	return v, true
}

// Len is how many values there still are.
func (d *Delta) Len() int { return d.left }

// Read fills dst.
func (d *Delta) Read(dst []int64) error {
	if len(dst) > d.left {
		return ErrShort
	}
	d.left -= len(dst)
	if len(dst) > 0 && !d.begun {
		d.begun = true
		dst[0], dst = d.value, dst[1:]
	}
	for len(dst) > 0 {
		if d.miniN == 0 {
			if err := d.nextMini(); err != nil {
				return err
			}
		}
		n := min(d.miniN, len(dst))
		for i := range dst[:n] {
			d.value += d.min
			if d.width > 0 {
				d.value += int64(bitsAt(d.mini, d.bit, d.width))
				d.bit += d.width
			}
			dst[i] = d.value
		}
		d.miniN, dst = d.miniN-n, dst[n:]
	}
	return nil
}

func (d *Delta) nextMini() error {
	if len(d.widths) == 0 {
		var ok bool
		if d.min, ok = d.varint(); !ok || d.minis > len(d.b)-d.at {
			return ErrShort
		}
		d.widths, d.at = d.b[d.at:d.at+d.minis], d.at+d.minis
	}
	d.width, d.widths = int(d.widths[0]), d.widths[1:]
	if d.width > 64 {
		return ErrSyntax
	}
	size := d.perMini / 8 * d.width
	if size > len(d.b)-d.at {
		return ErrShort
	}
	d.mini, d.at, d.bit, d.miniN = d.b[d.at:d.at+size], d.at+size, 0, d.perMini
	return nil
}

// rest reads all values and returns the bytes after them.
func (d Delta) rest() ([]byte, error) {
	var some [256]int64
	for d.left > 0 {
		if err := d.Read(some[:min(len(some), d.left)]); err != nil {
			return nil, err
		}
	}
	return d.b[d.at:], nil
}
