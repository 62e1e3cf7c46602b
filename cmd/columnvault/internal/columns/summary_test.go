package columns

import (
	"math"
	"testing"

	"columnvault/exchange"
)

func TestTally(t *testing.T) {
	nan := math.NaN()
	some := &exchange.Vector[float64]{Values: []float64{nan, 3, -1, nan, nan, 4}}
	tally := NewTally(some)
	tally.Add(some)
	s := tally.Summary()
	if s.Min != -1.0 || s.Max != 4.0 || s.Mean != 2 || len(s.Trend) != 6 {
		t.Errorf("got %+v", s)
	}
	none := &exchange.Vector[float64]{Values: []float64{nan}}
	tally = NewTally(none)
	tally.Add(none)
	if s := tally.Summary(); s.Min != nil || s.HasNumbers() {
		t.Errorf("of NaN alone: got %+v", s)
	}
	large := &exchange.Vector[int64]{Values: []int64{math.MaxInt64, 0, math.MinInt64}, Missing: []bool{false, true, false}}
	exact := NewTally(large)
	exact.Add(large)
	if s := exact.Summary(); s.Min != int64(math.MinInt64) || s.Max != int64(math.MaxInt64) || s.Mean != 0 {
		t.Errorf("got %+v", s)
	}
}

// TestTrend checks that stretches are equal, whatever the length is, and that
// they are of values in order.
func TestTrend(t *testing.T) {
	for _, rows := range []int{0, 1, 2, 23, 24, 25, 100, 3071, 3072, 3073, 10_000, 100_000} {
		var trend trend
		for i := range rows {
			trend.add(float64(i))
		}
		means := trend.means()
		if len(means) != min(rows, trendWidth) || len(trend.sums) > trendBins {
			t.Fatalf("%d rows make %d stretches of %d bins", rows, len(means), len(trend.sums))
		}
		for i, mean := range means {
			// The middle of the stretch, give or take two bins if they are
			// more than a row.
			want := float64(i*rows/len(means)+(i+1)*rows/len(means)-1) / 2
			if math.Abs(mean-want) > float64(2*(trend.step-1)) {
				t.Errorf("%d rows: stretch %d has the mean %v, want about %v", rows, i, mean, want)
			}
		}
	}
}
