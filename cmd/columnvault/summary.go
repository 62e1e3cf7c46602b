package main

import (
	"math"

	"columnvault/dtype"
)

// summary is what the values of a column are like.
type summary struct {
	// min and max are of the Go type of the column, nil if there are no
	// values. For text they are the first and the last in byte order.
	min, max any
	// mean, nan and trend are of numbers: the mean of those that are not NaN,
	// the count of those that are, and the means of equal stretches.
	mean  float64
	nan   int
	trend []float64
}

// hasNumbers tells whether there are numbers to speak of.
func (s summary) hasNumbers() bool { return len(s.trend) > 0 && s.min != nil }

// tally collects the summary of numbers.
type tally[T dtype.Element] struct {
	min, max T
	sum      float64
	count    int // without NaN
	nan      int
	trend    trend
}

// newTally makes a tally for this many numbers.
func newTally[T dtype.Element](rows int) *tally[T] { return &tally[T]{trend: newTrend(rows)} }

func (t *tally[T]) add(v T) {
	t.trend.add(float64(v))
	if v != v {
		t.nan++
		return
	}
	if t.count == 0 {
		t.min, t.max = v, v
	}
	t.min, t.max = min(t.min, v), max(t.max, v)
	t.sum += float64(v)
	t.count++
}

func (t *tally[T]) summary() summary {
	s := summary{nan: t.nan, trend: t.trend.means()}
	if t.count > 0 {
		s.min, s.max, s.mean = t.min, t.max, t.sum/float64(t.count)
	}
	return s
}

// textTally collects the summary of text.
type textTally struct {
	min, max string
	any      bool
}

func (t *textTally) add(v string) {
	if !t.any {
		t.min, t.max, t.any = v, v, true
	}
	t.min, t.max = min(t.min, v), max(t.max, v)
}

func (t *textTally) summary() summary {
	if !t.any {
		return summary{}
	}
	return summary{min: t.min, max: t.max}
}

// noTally is for values that have no order.
type noTally struct{}

func (noTally) add(any)          {}
func (noTally) summary() summary { return summary{} }

// trendWidth is the number of stretches of a trend.
const trendWidth = 24

// trend collects the means of equal stretches of a column, leaving out NaN.
type trend struct {
	rows, at int
	// stretch is the current one, which ends before position end.
	stretch, end int
	sums         []float64
	counts       []int
}

func newTrend(rows int) trend {
	width := min(trendWidth, rows)
	t := trend{rows: rows, sums: make([]float64, width), counts: make([]int, width)}
	t.end = t.endOf(0)
	return t
}

// endOf is the position after a stretch. The last one has no end, should there
// be more values than announced.
func (t *trend) endOf(stretch int) int {
	if stretch >= len(t.sums)-1 {
		return math.MaxInt
	}
	return (stretch + 1) * t.rows / len(t.sums)
}

func (t *trend) add(v float64) {
	if t.at++; t.at > t.end {
		t.stretch++
		t.end = t.endOf(t.stretch)
	}
	if v == v && len(t.sums) > 0 {
		t.sums[t.stretch] += v
		t.counts[t.stretch]++
	}
}

// means returns the mean of each stretch, NaN where there are no values.
func (t *trend) means() []float64 {
	means := make([]float64, len(t.sums))
	for i := range means {
		means[i] = t.sums[i] / float64(t.counts[i])
	}
	return means
}
