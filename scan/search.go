package scan

import (
	"cmp"
	"context"
	"fmt"

	"columnvault"
)

// CheckSorted looks whether the elements ascend, as [SearchSorted] needs; equal
// neighbors do. The first that does not, or is missing or NaN, is a
// [columnvault.ErrInvalidArgument] with its position.
func CheckSorted[T cmp.Ordered](ctx context.Context, s Source[T]) error {
	var last T
	first := true
	return s.each(ctx, func(b block[T]) error {
		for i, v := range b.values {
			if b.valid != nil && !b.valid[i] || v != v {
				return s.unsorted("check order", b.start+i, "is missing")
			}
			if v < last && !first {
				return s.unsorted("check order", b.start+i, "is less than the one before it")
			}
			last, first = v, false
		}
		return nil
	})
}

// unsorted is the error of an element that does not ascend.
func (s Source[T]) unsorted(op string, at int, why string) error {
	return s.fail(op, at, fmt.Errorf("%w: the elements do not ascend: this one %s", columnvault.ErrInvalidArgument, why))
}

// Side says which of the places that a value has among equal elements is meant.
type Side int

const (
	// Left is before the elements that equal the value.
	Left Side = iota
	// Right is after them.
	Right
)

// SearchSorted returns the position at which a value belongs in a column whose
// elements ascend: with [Left] that of the first element that is not less than
// it, with [Right] that of the first that is larger, and the end of the slice if
// there is none. The last hour of a log, with times in microseconds, is what
// comes from here on:
//
//	at, err := scan.SearchSorted(ctx, scan.Of(micros), now.Add(-time.Hour).UnixMicro(), scan.Left)
//
// It reads some 20 elements of a million. Of a native column it looks at the bounds
// of the runs first, and then reads in one of them. Whether they ascend is not
// looked at ([CheckSorted] does): if not, the result is some position. An element
// that is missing or NaN, where it looks, is a [columnvault.ErrInvalidArgument].
func SearchSorted[T cmp.Ordered](ctx context.Context, s Source[T], value T, side Side) (at int, err error) {
	err = s.reader.view(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		at, err = searchSorted(ctx, s.in(tx), value, side)
		return err
	})
	return at, err
}

func searchSorted[T cmp.Ordered](ctx context.Context, s Source[T], value T, side Side) (int, error) {
	from, to, err := s.span(ctx)
	if err != nil {
		return 0, err
	}
	// Where runs have bounds, those between which the value lies are neighbors.
	// There are none if it lies between two runs.
	if some, end, err := s.reader.within(ctx, from, to, value, value); err != nil {
		return 0, err
	} else if some < end {
		from, to = some, end
	}
	var b block[T]
	for from < to && err == nil {
		middle := from + (to-from)/2
		if err := s.reader.read(ctx, &b, middle, 1); err != nil {
			return 0, err
		}
		v := b.values[0]
		switch {
		case b.valid != nil && !b.valid[0] || v != v:
			return 0, s.unsorted("search", middle, "is missing")
		case v < value || side == Right && v == value:
			from = middle + 1
		default:
			to = middle
		}
	}
	return from, err
}
