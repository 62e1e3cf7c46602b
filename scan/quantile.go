package scan

import (
	"context"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"columnvault"
	"columnvault/dtype"
)

// Quantiles returns, for each q from 0 to 1, the smallest element that is not
// less than a share q of all elements: 0.5 gives the median, 0 the smallest and
// 1 the largest. So the results are elements and exact, whatever the number of
// elements is. Without any it is a [columnvault.ErrNotFound].
//
// The column is read two to five times, and as often again for each 16 quantiles
// after the first. That takes at most 10 MB of memory.
func Quantiles[T dtype.Element](ctx context.Context, s Source[T], q ...float64) (values []T, err error) {
	for _, q := range q {
		if !(q >= 0 && q <= 1) {
			return nil, s.fail("quantiles", -1, fmt.Errorf("%w: the quantile %v is not between 0 and 1", columnvault.ErrInvalidArgument, q))
		}
	}
	err = s.reader.view(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		s := s.in(tx)
		e, err := extentOf(ctx, s, true, math.MaxInt)
		if err != nil {
			return err
		}
		if e.count == 0 {
			return s.none("quantiles")
		}
		values, err = quantiles(ctx, s, e, q)
		return err
	})
	return values, err
}

// selected is the most elements that are sorted in memory.
const selected = 1 << 17

// cellBits is the logarithm of the number of parts that a cell is split into,
// cellsAtOnce how many cells are split in one reading.
const (
	cellBits    = 16
	cellsAtOnce = 16
)

// cell is a range of keys in which the elements of some ranks lie: those that
// differ from base in less than 1<<bits.
type cell struct {
	base   uint64
	bits   int
	before int // elements below the cell
	count  int // elements in it
	counts []int
	keys   []uint64
}

// quantiles is Quantiles in a transaction, of a source with this extent, which is
// counted and not empty.
func quantiles[T dtype.Element](ctx context.Context, s Source[T], e extent[T], q []float64) ([]T, error) {
	all := e.count
	low, high := cellKey(e.low), cellKey(e.high)
	if isFloat[T]() {
		// The zeros are equal, and have different keys here.
		if e.low == 0 {
			low = cellKey(T(math.Copysign(0, -1)))
		}
		if e.high == 0 {
			high = cellKey(T(0))
		}
	}
	ranks := make([]int, len(q))
	for i, q := range q {
		ranks[i] = min(max(int(math.Ceil(q*float64(all)))-1, 0), all-1)
	}
	wanted := slices.Clone(ranks)
	slices.Sort(wanted)
	whole := cell{base: low, bits: bits.Len64(high - low), count: all}
	found := map[int]T{}
	for part := range slices.Chunk(slices.Compact(wanted), cellsAtOnce) {
		if err := narrow(ctx, s, part, []cell{whole}, found); err != nil {
			return nil, err
		}
	}
	values := make([]T, len(q))
	for i, rank := range ranks {
		var ok bool
		if values[i], ok = found[rank]; !ok {
			return nil, s.fail("quantiles", -1, fmt.Errorf("%w: elements are outside of the bounds that their column gives them", columnvault.ErrCorrupt))
		}
	}
	return values, nil
}

// narrow finds the elements of these ranks, which lie in the cells. Each reading
// splits cells, or sorts what is in them.
func narrow[T dtype.Element](ctx context.Context, s Source[T], ranks []int, cells []cell, found map[int]T) error {
	for len(cells) > 0 {
		count := 0
		for i := range cells {
			count += cells[i].count
		}
		if count <= selected {
			return pick(ctx, s, ranks, cells, found)
		}
		for i := range cells {
			cells[i].counts = make([]int, 1<<min(cellBits, cells[i].bits))
		}
		err := eachKeys(ctx, s, func(keys []uint64) {
			for i := range cells {
				c := &cells[i]
				counts, shift := c.counts, max(0, c.bits-cellBits)
				for _, key := range keys {
					if at := (key - c.base) >> shift; at < uint64(len(counts)) {
						counts[at]++
					}
				}
			}
		})
		if err != nil {
			return err
		}
		cells = split(ranks, cells, found)
	}
	return nil
}

// split returns the parts of cells in which elements of the ranks lie. Those of
// which nothing else can be in their part are found.
func split[T dtype.Element](ranks []int, cells []cell, found map[int]T) (parts []cell) {
	for _, c := range cells {
		shift, before := max(0, c.bits-cellBits), c.before
		for at, count := range c.counts {
			part := cell{base: c.base + uint64(at)<<shift, bits: shift, before: before, count: count}
			wanted := part.of(ranks)
			if shift > 0 && len(wanted) > 0 {
				parts = append(parts, part)
			} else {
				for _, rank := range wanted {
					found[rank] = elementOf[T](part.base)
				}
			}
			before += count
		}
	}
	return parts
}

// of returns which of the ranks, which ascend, are in the cell.
func (c *cell) of(ranks []int) []int {
	from, _ := slices.BinarySearch(ranks, c.before)
	to, _ := slices.BinarySearch(ranks, c.before+c.count)
	return ranks[from:to]
}

// pick sorts what is in the cells.
func pick[T dtype.Element](ctx context.Context, s Source[T], ranks []int, cells []cell, found map[int]T) error {
	err := eachKeys(ctx, s, func(keys []uint64) {
		for i := range cells {
			c := &cells[i]
			for _, key := range keys {
				if (key-c.base)>>c.bits == 0 {
					c.keys = append(c.keys, key)
				}
			}
		}
	})
	if err != nil {
		return err
	}
	for i := range cells {
		c := &cells[i]
		slices.Sort(c.keys)
		for _, rank := range c.of(ranks) {
			if at := rank - c.before; at < len(c.keys) {
				found[rank] = elementOf[T](c.keys[at])
			}
		}
	}
	return nil
}

// eachKeys calls fn with the keys of the elements that are there, block by
// block.
func eachKeys[T dtype.Element](ctx context.Context, s Source[T], fn func(keys []uint64)) error {
	buf := make([]uint64, blockLen)
	return s.each(ctx, func(b block[T]) error {
		values := b.present()
		keys := sized(buf, len(values))
		n := 0
		switch {
		case isFloat[T]():
			for _, v := range values {
				keys[n] = cellKey(v)
				n += one(v == v)
			}
		default:
			for i, v := range values {
				keys[i] = cellKey(v)
			}
			n = len(values)
		}
		fn(keys[:n])
		return nil
	})
}

// cellKey returns the key of an element. Keys are ordered as the elements are.
func cellKey[T dtype.Element](v T) uint64 {
	switch {
	case isFloat[T]():
		f := math.Float64bits(float64(v))
		return f ^ (uint64(int64(f)>>63) | 1<<63)
	case T(0)-1 < 0:
		return uint64(int64(v)) ^ 1<<63
	}
	return uint64(v)
}

// elementOf returns the element of a key.
func elementOf[T dtype.Element](key uint64) T {
	switch {
	case isFloat[T]():
		return T(math.Float64frombits(key ^ (^uint64(int64(key)>>63) | 1<<63)))
	case T(0)-1 < 0:
		return T(int64(key ^ 1<<63))
	}
	return T(key)
}
