package scan

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"strings"

	"columnvault"
)

// extent is the smallest and the largest element, and how many there are if they
// have been counted.
type extent[T cmp.Ordered] struct {
	extremes[T]
	count           int
	lowKey, highKey memo[T]
}

// memo is the key of the value that it was asked for last.
type memo[T cmp.Ordered] struct {
	value  T
	key    uint64
	ok, is bool
}

func (m *memo[T]) of(s Source[T], value T) (uint64, bool) {
	if !m.is || m.value != value {
		m.value, m.is = value, true
		m.key, m.ok = s.reader.key(value)
	}
	return m.key, m.ok
}

// errMost is the error of an extent for which too many elements would be read.
var errMost = errors.New("too many elements to read")

// extentOf finds the extent of a source that is part of a transaction, and reads
// most elements at most. Of stretches whose bounds are known it reads the one with
// the lowest and the one with the highest. These may be wider than what is there,
// so it then reads those in which elements can still be smaller or larger, the
// most promising first.
func extentOf[T cmp.Ordered](ctx context.Context, s Source[T], counted bool, most int) (extent[T], error) {
	e := extent[T]{extremes: newExtremes[T]()}
	from, to, err := s.span(ctx)
	if err != nil {
		return e, err
	}
	enough := func(b columnvault.Bounds) bool { return !counted || s.reader.complete(b) }
	counting := counted
	add := func(b block[T]) error {
		values := b.present()
		if counting {
			e.count += countPresent(values)
		}
		e.add(values)
		return nil
	}
	if most < to-from {
		for b, err := range s.reader.bounds(ctx, from, to) {
			if err != nil {
				return e, err
			}
			if !b.Known || !enough(b) {
				most -= b.To - b.From
			}
		}
		if most < 0 {
			return e, errMost
		}
	}
	var lowest, highest columnvault.Bounds
	some := false
	whole := func(b columnvault.Bounds) {
		if !some || b.Low < lowest.Low {
			lowest = b
		}
		if !some || b.High > highest.High {
			highest = b
		}
		some = true
		if counted {
			e.count += b.To - b.From
		}
	}
	if err := s.unknown(ctx, from, to, enough, whole, add); err != nil || !some {
		return e, err
	}

	counting = false
	seen := map[int]bool{} // stretches that have been read to their ends
	var buf block[T]
	read := func(b columnvault.Bounds, open func(b columnvault.Bounds) bool) error {
		for at := b.From; at < b.To && !seen[b.From] && open(b); {
			end := min(b.To, at+seekLen)
			if most -= end - at; most < 0 {
				return errMost
			}
			if err := s.between(ctx, &buf, at, end, add); err != nil {
				return err
			}
			at = end
			seen[b.From] = at == b.To
		}
		return nil
	}
	seek := func(first columnvault.Bounds, open func(b columnvault.Bounds) bool, better func(a, b columnvault.Bounds) int) error {
		if err := read(first, open); err != nil {
			return err
		}
		var rest []columnvault.Bounds
		for b, err := range s.reader.bounds(ctx, from, to) {
			if err != nil {
				return err
			}
			if b.Known && enough(b) && !seen[b.From] && open(b) {
				rest = append(rest, b)
			}
		}
		slices.SortFunc(rest, better)
		for _, b := range rest {
			if err := read(b, open); err != nil {
				return err
			}
		}
		return nil
	}
	lower := func(b columnvault.Bounds) bool {
		low, some := e.lower(s)
		return some && b.Low <= low
	}
	if err := seek(lowest, lower, func(a, b columnvault.Bounds) int { return cmp.Compare(a.Low, b.Low) }); err != nil {
		return e, err
	}
	higher := func(b columnvault.Bounds) bool {
		high, some := e.higher(s)
		return some && b.High >= high
	}
	return e, seek(highest, higher, func(a, b columnvault.Bounds) int { return cmp.Compare(b.High, a.High) })
}

// seekLen is how many elements are read at once where the first of them may be
// enough.
const seekLen = 1 << 12

// lower returns the highest key of elements that may be smaller than all so far,
// and whether there can be any.
func (e *extent[T]) lower(s Source[T]) (key uint64, some bool) {
	key, ok := e.lowKey.of(s, e.low)
	switch {
	case !e.any || !ok:
		return math.MaxUint64, true
	case isText[T]() && !isShortest(e.low):
		return key, true
	}
	return key - 1, key > 0
}

// higher returns the lowest key of elements that may be larger than all so far,
// and whether there can be any.
func (e *extent[T]) higher(s Source[T]) (key uint64, some bool) {
	key, ok := e.highKey.of(s, e.high)
	switch {
	case !e.any || !ok:
		return 0, true
	case isText[T]():
		return key, true
	}
	return key + 1, key < math.MaxUint64
}

// isShortest tells whether no text that has the same key is smaller.
func isShortest[T cmp.Ordered](v T) bool {
	text, ok := any(v).(string)
	return ok && len(text) <= 8 && !strings.HasSuffix(text, "\x00")
}
