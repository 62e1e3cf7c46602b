package scan

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"

	"columnvault"
	"columnvault/dtype"
)

// Group is what [GroupBy] says of the rows with one key.
type Group[K cmp.Ordered, V dtype.Element, S Total] struct {
	Key      K
	Count    int // of the values
	Sum      S
	Min, Max V
}

// MaxGroups is the most groups that [GroupBy] makes.
const MaxGroups = 1 << 22

// GroupBy puts the rows of two columns together by what the first holds, and
// computes over the second:
//
//	days := scan.Map(scan.Of(micros), func(us int64) int64 { return us / 86_400_000_000 })
//	groups, err := scan.GroupBy[float64](ctx, days, scan.Of(temps))
//
// The groups are in the order of their keys. Rows of which the key or the value
// is missing or NaN are skipped. Sums are those of [Sum], but that floats are
// added with compensation instead of pairwise.
//
// The slice of keys says which rows are read; values must not be sliced. Columns
// of different length are a [columnvault.ErrInvalidArgument], more than
// [MaxGroups] keys are a [columnvault.ErrTooLarge]. A group takes some 100 bytes.
func GroupBy[S Total, K cmp.Ordered, V dtype.Element](ctx context.Context, keys Source[K], values Source[V]) ([]Group[K, V, S], error) {
	if isFloat[V]() && !isFloat64[S]() {
		return nil, values.fail("group by", -1, errTotal)
	}
	if values.i != columnvault.Begin || values.j != columnvault.End {
		return nil, values.fail("group by", -1, fmt.Errorf("%w: slice the keys, and not the values", columnvault.ErrInvalidArgument))
	}
	var g *grouper[K, V]
	err := keys.reader.view(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		g = newGrouper[K, V]()
		return g.read(ctx, keys.in(tx), values.in(tx))
	})
	if err != nil {
		return nil, err
	}
	groups := make([]Group[K, V, S], len(g.keys)-1)
	for i := range groups {
		t := &g.tallies[i+1]
		sum, ok := tallyTotal[S](t)
		if !ok {
			return nil, values.fail("group by", -1, fmt.Errorf("%w: the sum of the group %.20v is more than %T holds", columnvault.ErrOutOfRange, g.keys[i+1], sum))
		}
		groups[i] = Group[K, V, S]{g.keys[i+1], t.count, sum, t.min, t.max}
	}
	slices.SortFunc(groups, func(a, b Group[K, V, S]) int { return cmp.Compare(a.Key, b.Key) })
	return slices.DeleteFunc(groups, func(g Group[K, V, S]) bool { return g.Count == 0 }), nil
}

// grouper collects groups. Group 0 takes the rows that are skipped, so that no
// branch is needed for them.
type grouper[K cmp.Ordered, V dtype.Element] struct {
	keys    []K
	tallies []tally[V]
	// slots find the groups of integers, and others those of other keys.
	slots  []slot
	shift  int
	factor uint64
	others map[K]int32
	group  []int32 // of the rows of a block
}

// slot is a place in a hash table with open addressing.
type slot struct {
	key   uint64
	group int32 // 0: empty
}

// tally is what is known of a group. a and b are the sum: of integers its lower
// and its upper half, of floats the bits of the sum and of what rounding has
// taken from it.
type tally[V dtype.Element] struct {
	count    int
	a, b     uint64
	min, max V
}

func newGrouper[K cmp.Ordered, V dtype.Element]() *grouper[K, V] {
	g := &grouper[K, V]{keys: make([]K, 1), tallies: make([]tally[V], 1), others: map[K]int32{}, group: make([]int32, blockLen)}
	g.resize(12)
	return g
}

// resize makes a table of 1<<log slots. The factor is random, so that no file
// can hold keys that all fall on one slot.
func (g *grouper[K, V]) resize(log int) {
	old := g.slots
	g.slots, g.shift, g.factor = make([]slot, 1<<log), 64-log, rand.Uint64()|1
	for _, s := range old {
		if s.group != 0 {
			*g.find(s.key) = s
		}
	}
}

// find returns the slot of a key, or the empty one where it belongs.
func (g *grouper[K, V]) find(key uint64) *slot {
	mask := uint64(len(g.slots) - 1)
	for h := key * g.factor >> g.shift; ; h++ {
		if s := &g.slots[h&mask]; s.key == key || s.group == 0 {
			return s
		}
	}
}

func (g *grouper[K, V]) read(ctx context.Context, keys Source[K], values Source[V]) error {
	rows, err := keys.reader.len(ctx)
	if err != nil {
		return err
	}
	n, err := values.reader.len(ctx)
	if err != nil {
		return err
	}
	if n != rows {
		return values.fail("group by", -1, fmt.Errorf("%w: %d values for %d keys", columnvault.ErrInvalidArgument, n, rows))
	}
	var b block[V]
	return keys.each(ctx, func(k block[K]) error {
		if err := values.reader.read(ctx, &b, k.start, len(k.values)); err != nil {
			return err
		}
		g.group = sized(g.group, len(k.values))
		g.index(k)
		if len(g.keys) > MaxGroups+1 {
			return keys.fail("group by", -1, fmt.Errorf("%w: more than %d different keys", columnvault.ErrTooLarge, MaxGroups))
		}
		for len(g.tallies) < len(g.keys) {
			g.tallies = append(g.tallies, tally[V]{min: largest[V](), max: smallest[V]()})
		}
		g.skip(k.valid)
		g.skip(b.valid)
		if isFloat[V]() {
			g.addFloats(b.values)
		} else {
			g.addIntegers(b.values)
		}
		return nil
	})
}

// skip moves rows that are not valid to group 0.
func (g *grouper[K, V]) skip(valid []bool) {
	for i, ok := range valid {
		g.group[i] &= -int32(one(ok))
	}
}

// index finds the groups of keys, and makes new ones. Keys that are missing
// have the value zero here; that group may stay empty.
func (g *grouper[K, V]) index(b block[K]) {
	switch keys := any(b.values).(type) {
	case []int8:
		indexIntegers(g, keys)
	case []int16:
		indexIntegers(g, keys)
	case []int32:
		indexIntegers(g, keys)
	case []int64:
		indexIntegers(g, keys)
	case []uint8:
		indexIntegers(g, keys)
	case []uint16:
		indexIntegers(g, keys)
	case []uint32:
		indexIntegers(g, keys)
	case []uint64:
		indexIntegers(g, keys)
	default:
		g.indexOthers(b.values)
	}
}

func indexIntegers[T dtype.Element, K cmp.Ordered, V dtype.Element](g *grouper[K, V], keys []T) {
	known := any(&g.keys).(*[]T)
	group := g.group[:len(keys)]
	var last T
	var lastGroup int32
	for i, key := range keys {
		if key != last || lastGroup == 0 {
			s := g.find(uint64(key))
			if s.group == 0 {
				*s = slot{uint64(key), int32(len(*known))}
				*known = append(*known, key)
			}
			last, lastGroup = key, s.group
			if 2*len(*known) > len(g.slots) {
				g.resize(65 - g.shift)
			}
		}
		group[i] = lastGroup
	}
}

func (g *grouper[K, V]) indexOthers(keys []K) {
	for i, key := range keys {
		at, ok := g.others[key]
		if !ok && key == key {
			if text, ok := any(key).(string); ok {
				key = any(strings.Clone(text)).(K) // it lies in the memory of the block
			}
			at = int32(len(g.keys))
			g.others[key] = at
			g.keys = append(g.keys, key)
		}
		g.group[i] = at
	}
}

func (g *grouper[K, V]) addIntegers(values []V) {
	group, tallies := g.group[:len(values)], g.tallies
	signed := V(0)-1 < 0
	for i, v := range values {
		t := &tallies[group[i]]
		var carry, high uint64
		if signed {
			high = uint64(int64(v) >> 63)
		}
		t.a, carry = bits.Add64(t.a, uint64(v), 0)
		t.b += high + carry
		t.count++
		t.min, t.max = min(t.min, v), max(t.max, v)
	}
}

// addFloats keeps what each addition rounds away, and adds it in the end.
func (g *grouper[K, V]) addFloats(values []V) {
	group, tallies := g.group[:len(values)], g.tallies
	for i, v := range values {
		t := &tallies[group[i]&-int32(one(v == v))]
		a, f := math.Float64frombits(t.a), float64(v)
		sum := a + f
		part := sum - a
		t.b = math.Float64bits(math.Float64frombits(t.b) + ((a - (sum - part)) + (f - part)))
		t.a = math.Float64bits(sum)
		t.count++
		if v < t.min {
			t.min = v
		}
		if v > t.max {
			t.max = v
		}
	}
}

// tallyTotal returns the sum of a group if S can hold it.
func tallyTotal[S Total, V dtype.Element](t *tally[V]) (S, bool) {
	if !isFloat[V]() {
		return totalOf[S](&adder[V]{lo: t.a, hi: t.b})
	}
	sum, lost := math.Float64frombits(t.a), math.Float64frombits(t.b)
	if !math.IsNaN(lost) { // of infinities nothing else is known
		sum += lost
	}
	return S(sum), true
}
