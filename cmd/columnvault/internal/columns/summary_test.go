package columns

import (
	"math"
	"slices"
	"testing"
)

func TestTally(t *testing.T) {
	nan := math.NaN()
	tally := NewNumbers[float64](6)
	for _, v := range []float64{nan, 3, -1, nan, nan, 4} {
		tally.Add(v)
	}
	s := tally.Summary()
	if s.Min != -1.0 || s.Max != 4.0 || s.Mean != 2 || s.NaN != 3 || len(s.Trend) != 6 {
		t.Errorf("got %+v", s)
	}
	tally = NewNumbers[float64](1)
	tally.Add(nan)
	if s := tally.Summary(); s.Min != nil || s.HasNumbers() {
		t.Errorf("of NaN alone: got %+v", s)
	}
	exact := NewNumbers[int64](2)
	exact.Add(math.MaxInt64)
	exact.Add(math.MinInt64)
	if s := exact.Summary(); s.Min != int64(math.MinInt64) || s.Max != int64(math.MaxInt64) {
		t.Errorf("got %+v", s)
	}
}

// TestTrend checks that stretches are equal, whatever the length is, and that
// more values than announced do no harm.
func TestTrend(t *testing.T) {
	for rows := range 200 {
		trend := newTrend(rows)
		for range rows {
			trend.add(1)
		}
		if len(trend.means()) != min(rows, trendWidth) {
			t.Fatalf("%d rows make %d stretches", rows, len(trend.means()))
		}
		if rows > 0 && slices.Max(trend.counts)-slices.Min(trend.counts) > 1 {
			t.Fatalf("%d rows are split into %v", rows, trend.counts)
		}
		trend.add(1)
	}
}
