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
	count int
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
	var buf block[T]
	read := func(b columnvault.Bounds) error {
		if most -= b.To - b.From; most < 0 {
			return errMost
		}
		return s.between(ctx, &buf, b.From, b.To, add)
	}
	if err := read(lowest); err != nil {
		return e, err
	}
	if highest.From != lowest.From {
		if err := read(highest); err != nil {
			return e, err
		}
	}
	var rest []columnvault.Bounds
	low, lower := e.lower(s)
	high, higher := e.higher(s)
	for b, err := range s.reader.bounds(ctx, from, to) {
		if err != nil {
			return e, err
		}
		matters := lower && b.Low <= low || higher && b.High >= high
		if matters && b.Known && enough(b) && b.From != lowest.From && b.From != highest.From {
			rest = append(rest, b)
		}
	}
	slices.SortFunc(rest, func(a, b columnvault.Bounds) int { return cmp.Compare(a.Low, b.Low) })
	for i, b := range rest {
		if low, some := e.lower(s); !some || b.Low > low {
			break
		}
		if err := read(b); err != nil {
			return e, err
		}
		rest[i].Known = false // which says now that it has been read
	}
	slices.SortFunc(rest, func(a, b columnvault.Bounds) int { return cmp.Compare(b.High, a.High) })
	for _, b := range rest {
		if high, some := e.higher(s); !some || b.High < high {
			break
		}
		if b.Known {
			if err := read(b); err != nil {
				return e, err
			}
		}
	}
	return e, nil
}

// lower returns the highest key of elements that may be smaller than all so far,
// and whether there can be any.
func (e *extent[T]) lower(s Source[T]) (key uint64, some bool) {
	key, ok := s.reader.key(e.low)
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
	key, ok := s.reader.key(e.high)
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
