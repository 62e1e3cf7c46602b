package native

import (
	"context"
	"encoding/binary"
	"math"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

// Order says which elements are smaller than which. It gives every element a
// key, a number that is not smaller for an element that is not smaller.
type Order uint8

const (
	// Unordered elements have no keys.
	Unordered Order = iota
	// Signed are integers of two's complement, Unsigned those without a sign.
	Signed
	Unsigned
	// Float are numbers of IEEE 754. NaN has no key.
	Float
	// Bytes are compared from the first byte on; the key is the first eight.
	Bytes
)

// top is the bit of the sign.
const top = 1 << 63

// Key is the key of an element, if it has one.
func (o Order) Key(p []byte) (uint64, bool) {
	if o == Bytes {
		var first [8]byte
		copy(first[:], p)
		return binary.BigEndian.Uint64(first[:]), true
	}
	if o == Unordered || len(p) != 1 && len(p) != 2 && len(p) != 4 && len(p) != 8 {
		return 0, false
	}
	var whole [8]byte
	copy(whole[8-len(p):], p) // the lowest bytes stay 0, which keeps the order
	bits := binary.LittleEndian.Uint64(whole[:])
	switch {
	case o == Signed:
		return bits ^ top, true
	case o == Unsigned:
		return bits, true
	case len(p) == 4 && !math.IsNaN(float64(math.Float32frombits(uint32(bits>>32)))), len(p) == 8 && !math.IsNaN(math.Float64frombits(bits)):
		return floatKey(bits), true
	}
	return 0, false
}

// floatKey is the key of a number that is not NaN. The zeros have one.
func floatKey(bits uint64) uint64 {
	switch {
	case bits == top:
		return top
	case bits&top != 0:
		return ^bits
	}
	return bits | top
}

// bounds are the smallest and the largest key, if all elements have keys.
func (o Order) bounds(e *column.Elements, size int64) (lo, hi uint64, ok bool) {
	if o == Signed && size == 8 {
		return signedBounds(e.Data)
	}
	n := e.Count(int(size))
	if o == Unordered || n == 0 {
		return 0, 0, false
	}
	lo = math.MaxUint64
	for k := range n {
		key, ok := o.Key(e.At(int(size), k))
		if !ok {
			return 0, 0, false
		}
		lo, hi = min(lo, key), max(hi, key)
	}
	return lo, hi, true
}

// signedBounds is bounds for integers of eight bytes.
func signedBounds(p []byte) (lo, hi uint64, ok bool) {
	least, most := int64(math.MaxInt64), int64(math.MinInt64)
	for ; len(p) >= 8; p = p[8:] {
		n := int64(binary.LittleEndian.Uint64(p))
		least, most = min(least, n), max(most, n)
	}
	return uint64(least) ^ top, uint64(most) ^ top, least <= most
}

// Within implements column.Bounded: it passes over runs by their bounds.
func (c *Column) Within(ctx context.Context, r store.Reader, i, j int64, low, high []byte) (from, to int64, err error) {
	lowest, ok := c.order.Key(low)
	highest, bounded := c.order.Key(high)
	if !ok || !bounded || i == j {
		return i, j, nil
	}
	if err := c.load(ctx, r); err != nil {
		return i, j, err
	}
	k, err := c.place(ctx, r, i)
	if err != nil {
		return i, j, err
	}
	out := func(x *run) bool { return x.bounded && (x.hi < lowest || x.lo > highest) }
	pass := func(at int64, skip bool) int64 { // the first position whose run is not passed
		for ; at < j && k < c.count() && out(c.run(k)) == skip; k++ {
			at = c.run(k).end()
		}
		return min(at, j)
	}
	from = pass(i, true)
	return from, pass(from, false), nil
}

// widen makes the bounds of a run hold for more elements, or for none if these
// have no keys. It tells whether that has changed them.
func (x *run) widen(o Order, e *column.Elements, size int64) (changed bool) {
	fresh := x.rows == 0
	if !x.bounded && !fresh || e.Count(int(size)) == 0 {
		return false
	}
	lo, hi, ok := o.bounds(e, size)
	before := x.meta
	switch {
	case !ok:
		x.bounded, x.lo, x.hi = false, 0, 0
	case fresh:
		x.bounded, x.lo, x.hi = true, lo, hi
	default:
		x.lo, x.hi = min(x.lo, lo), max(x.hi, hi)
	}
	return x.meta != before
}
