package scan

import (
	"context"
	"fmt"
	"math"

	"columnvault"
	"columnvault/dtype"
)

// Bin is a part of a histogram: the elements that are at least From and less
// than To, and in the last bin those that equal To, too.
type Bin struct {
	From, To float64
	Count    int
}

// maxBins is the most bins of a histogram.
const maxBins = 1 << 16

// Histogram counts the elements in equal parts of the range from the smallest to
// the largest, of which it makes 1 to 65,536. Infinities count in the first and the
// last bin, and do not widen the range. There are no bins if there are no
// elements but these. The column is read twice, or once after a [MinMax] that finds
// no infinity.
//
// Integers beyond 2^53 are rounded, so those next to an edge may count on its
// other side.
func Histogram[T dtype.Element](ctx context.Context, s Source[T], bins int) (all []Bin, err error) {
	if bins < 1 || bins > maxBins {
		return nil, s.fail("histogram", -1, fmt.Errorf("%w: %d bins, and not 1 to %d", columnvault.ErrInvalidArgument, bins, maxBins))
	}
	err = s.reader.view(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		all, err = histogram(ctx, s.in(tx), bins)
		return err
	})
	return all, err
}

func histogram[T dtype.Element](ctx context.Context, s Source[T], bins int) ([]Bin, error) {
	low, high, err := finite(ctx, s)
	if err != nil || low > high {
		return nil, err
	}
	// Halves, because the difference of two floats may be infinite.
	half := high/2 - low/2
	last := float64(bins - 1)
	counts := make([]int, bins)
	err = s.each(ctx, func(b block[T]) error {
		for _, v := range b.present() {
			f := float64(v)
			if f != f {
				continue
			}
			at := 0.0
			if half > 0 {
				at = (f/2 - low/2) / half * float64(bins)
			}
			counts[int(min(max(at, 0), last))]++
		}
		return nil
	})
	all := make([]Bin, bins)
	edge := func(i int) float64 { return 2 * (low/2 + half*(float64(i)/float64(bins))) }
	for i := range all {
		all[i] = Bin{edge(i), edge(i + 1), counts[i]}
	}
	all[0].From, all[bins-1].To = low, high
	return all, err
}

// finite returns the smallest and the largest element that are not infinite. If
// there are none, the smallest is larger.
func finite[T dtype.Element](ctx context.Context, s Source[T]) (low, high float64, err error) {
	e, err := extentOf(ctx, s, false, math.MaxInt)
	low, high = float64(e.low), float64(e.high)
	if err == nil && e.any && low-low == 0 && high-high == 0 {
		return low, high, nil
	}
	low, high = math.Inf(1), math.Inf(-1)
	if err != nil || !e.any {
		return low, high, err
	}
	err = s.each(ctx, func(b block[T]) error {
		for _, v := range b.present() {
			if f := float64(v); f-f == 0 { // neither NaN nor infinite
				low, high = min(low, f), max(high, f)
			}
		}
		return nil
	})
	return low, high, err
}
