package scan

import (
	"context"
	"fmt"
	"slices"

	"columnvault"
	"columnvault/dtype"
)

// Description is what [Describe] says of numbers.
type Description[T any] struct {
	Len     int // elements, of whatever kind
	Missing int // of them
	NaN     int // of them
	// Of the Count others: if there are none, the rest is zero.
	Count                     int
	Min, Quarter, Median, Max T
	ThreeQuarters             T
	Mean                      float64
}

// Describe says what numbers are like. Quarter, Median and ThreeQuarters are the
// [Quantiles] 0.25, 0.5 and 0.75, at the cost of two to five readings.
func Describe[T dtype.Element](ctx context.Context, s Source[T]) (d Description[T], err error) {
	err = s.reader.view(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		d, err = describe(ctx, s.in(tx))
		return err
	})
	return d, err
}

func describe[T dtype.Element](ctx context.Context, s Source[T]) (Description[T], error) {
	type part struct {
		all, present int
		sum          adder[T]
		ends         extremes[T]
	}
	var d Description[T]
	parts, err := collect(ctx, s, func(p *part, b block[T]) {
		if p.all == 0 {
			p.ends = newExtremes[T]()
		}
		p.all += len(b.values)
		values := b.present()
		p.present += len(values)
		p.sum.add(values)
		p.ends.add(values)
	})
	if err != nil {
		return d, err
	}
	sum, ends, present := adder[T]{}, newExtremes[T](), 0
	for i := range parts {
		p := &parts[i]
		d.Len, present = d.Len+p.all, present+p.present
		sum.merge(&p.sum)
		ends.merge(p.ends)
	}
	d.Missing, d.NaN, d.Count = d.Len-present, present-sum.count, sum.count
	if d.Count == 0 {
		return d, nil
	}
	d.Min, d.Max, d.Mean = ends.low, ends.high, sum.sum()/float64(sum.count)
	q, err := quantiles(ctx, s, extent[T]{extremes: ends, count: sum.count}, []float64{0.25, 0.5, 0.75})
	if err == nil {
		d.Quarter, d.Median, d.ThreeQuarters = q[0], q[1], q[2]
	}
	return d, err
}

// Stretch is what [Stretches] says of the elements from position From up to, not
// including, To.
type Stretch[T any] struct {
	From, To int
	Count    int // of elements that are neither missing nor NaN
	// Of these: if there are none, the rest is zero.
	Min, Max T
	Mean     float64
}

// Stretches says what neighboring elements are like, in one reading: those
// between each two neighbors of bounds, which are positions in the column,
// counted from the start, that do not descend. The slice of the source is not looked at.
// A graph of a long column is drawn from it.
func Stretches[T dtype.Element](ctx context.Context, s Source[T], bounds []int) ([]Stretch[T], error) {
	if len(bounds) < 2 {
		return nil, nil
	}
	if bounds[0] < 0 || !slices.IsSorted(bounds) {
		return nil, s.fail("stretches", -1, fmt.Errorf("%w: the bounds are negative or descend", columnvault.ErrInvalidArgument))
	}
	all := make([]Stretch[T], len(bounds)-1)
	at := 0 // the stretch
	sum, ends := adder[T]{}, newExtremes[T]()
	finish := func() {
		t := &all[at]
		t.From, t.To, t.Count = bounds[at], bounds[at+1], sum.count
		if sum.count > 0 {
			t.Min, t.Max, t.Mean = ends.low, ends.high, sum.sum()/float64(sum.count)
		}
		at++
		sum, ends = adder[T]{}, newExtremes[T]()
	}
	err := s.Slice(bounds[0], bounds[len(bounds)-1]).each(ctx, func(b block[T]) error {
		for len(b.values) > 0 {
			for bounds[at+1] <= b.start {
				finish()
			}
			part := b.cut(min(len(b.values), bounds[at+1]-b.start))
			values := part.present()
			sum.add(values)
			ends.add(values)
		}
		return nil
	})
	for at < len(all) {
		finish()
	}
	return all, err
}

// cut takes the first n elements off the block.
func (b *block[T]) cut(n int) block[T] {
	part := block[T]{start: b.start, values: b.values[:n]}
	if b.valid != nil {
		part.valid, b.valid = b.valid[:n], b.valid[n:]
	}
	b.start, b.values = b.start+n, b.values[n:]
	return part
}
