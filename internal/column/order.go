package column

import (
	"encoding/binary"
	"math"
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

// Range is the smallest and the largest key, if all elements have keys; size is
// that of each, 0 where it varies.
func (o Order) Range(e *Elements, size int) (low, high uint64, ok bool) {
	if o == Signed && size == 8 {
		return signedRange(e.Data)
	}
	n := e.Count(size)
	if o == Unordered || n == 0 {
		return 0, 0, false
	}
	low = math.MaxUint64
	for k := range n {
		key, ok := o.Key(e.At(size, k))
		if !ok {
			return 0, 0, false
		}
		low, high = min(low, key), max(high, key)
	}
	return low, high, true
}

// signedRange is Range for integers of eight bytes.
func signedRange(p []byte) (low, high uint64, ok bool) {
	least, most := int64(math.MaxInt64), int64(math.MinInt64)
	for ; len(p) >= 8; p = p[8:] {
		n := int64(binary.LittleEndian.Uint64(p))
		least, most = min(least, n), max(most, n)
	}
	return uint64(least) ^ top, uint64(most) ^ top, least <= most
}
