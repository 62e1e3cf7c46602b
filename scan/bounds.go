package scan

import (
	"cmp"
	"context"
	"math"
	"reflect"

	"columnvault"
)

// between calls fn with the elements from position from up to to, block by
// block, which may lie in the memory of b. The source is part of a transaction.
func (s Source[T]) between(ctx context.Context, b *block[T], from, to int, fn func(b block[T]) error) error {
	switch n := to - from; {
	case n <= 0:
		return nil
	case n > blockLen || !isNumber[T](): // others may be large
		return s.Slice(from, to).each(ctx, fn)
	default:
		if err := s.reader.read(ctx, b, from, n); err != nil {
			return err
		}
		return fn(*b)
	}
}

// unknown calls fn with the elements from position from up to to that are not in
// stretches of which enough is known, and whole with these, all in order. Enough
// is asked about stretches whose bounds are known.
func (s Source[T]) unknown(ctx context.Context, from, to int, enough func(b columnvault.Bounds) bool, whole func(b columnvault.Bounds), fn func(b block[T]) error) error {
	var buf block[T]
	for b, err := range s.reader.bounds(ctx, from, to) {
		if err != nil {
			return err
		}
		if !b.Known || !enough(b) {
			continue // it is read together with its neighbors
		}
		if err := s.between(ctx, &buf, from, b.From, fn); err != nil {
			return err
		}
		whole(b)
		from = b.To
	}
	return s.between(ctx, &buf, from, to, fn)
}

// interval is from one value to another, which belongs to it unless it is open.
type interval[T cmp.Ordered] struct {
	low, high T
	open      bool
}

// each calls fn with the blocks of elements that may lie in the interval. If whole
// is not nil, it is called for stretches of elements that all do, in place of fn
// and in order with it.
func (v interval[T]) each(ctx context.Context, s Source[T], whole func(b columnvault.Bounds), fn func(b block[T]) error) error {
	return s.reader.view(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		s := s.in(tx)
		at, end, err := s.span(ctx)
		if err != nil {
			return err
		}
		least, most, some := v.certain(s)
		enough := func(b columnvault.Bounds) bool {
			return some && whole != nil && b.Low >= least && b.High <= most && s.reader.complete(b)
		}
		for at < end {
			from, to, err := s.reader.within(ctx, at, end, v.low, v.high)
			if err != nil || from == to {
				return err
			}
			if err := s.unknown(ctx, from, to, enough, whole, fn); err != nil {
				return err
			}
			at = to
		}
		return nil
	})
}

// certain returns keys from and up to which elements certainly lie in the
// interval, and whether there are any.
func (v interval[T]) certain(s Source[T]) (least, most uint64, some bool) {
	least, ok := s.reader.key(v.low)
	most, known := s.reader.key(v.high)
	open := v.open
	if isText[T]() { // other texts have the same keys
		ok = ok && least < math.MaxUint64
		least++
		open = true
	}
	if open {
		known = known && most > 0
		most--
	}
	return least, most, ok && known
}

func isText[T any]() bool { return reflect.TypeFor[T]().Kind() == reflect.String }

func isNumber[T any]() bool {
	kind := reflect.TypeFor[T]().Kind()
	return kind >= reflect.Int && kind <= reflect.Float64
}
