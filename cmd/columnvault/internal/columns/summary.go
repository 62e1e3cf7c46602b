package columns

import (
	"context"
	"math"

	"columnvault"
	"columnvault/dtype"
)

// Summary is what the values of a column are like.
type Summary struct {
	// Min and Max are of the Go type of the column, nil if there are no
	// values. For text they are the first and the last in byte order.
	Min, Max any
	// Mean, NaN and Trend are of numbers: the mean of those that are not NaN,
	// the count of those that are, and the means of equal stretches.
	Mean  float64
	NaN   int
	Trend []float64
	// Missing is how many values are missing.
	Missing int
}

// HasNumbers tells whether there are numbers to speak of.
func (s Summary) HasNumbers() bool { return len(s.Trend) > 0 && s.Min != nil }

// Summarize reads all numbers of a column.
func Summarize[T dtype.Element](ctx context.Context, in columnvault.Scope, name string, t dtype.Type[T]) (Summary, error) {
	col, err := columnvault.Lookup(ctx, in, name, t)
	if err != nil {
		return Summary{}, err
	}
	rows, err := col.Len(ctx)
	if err != nil {
		return Summary{}, err
	}
	tally := numbers[T]{trend: newTrend(rows)}
	for run, err := range col.Runs(ctx) {
		if err != nil {
			return Summary{}, err
		}
		for _, v := range run.Values {
			tally.Add(v)
		}
	}
	return tally.Summary(), nil
}

// SummarizeNullable is Summarize for a column of which numbers may be missing.
func SummarizeNullable[T dtype.Element](ctx context.Context, in columnvault.Scope, name string, t dtype.Type[T]) (Summary, error) {
	col, err := columnvault.Lookup(ctx, in, name, dtype.Nullable(t))
	if err != nil {
		return Summary{}, err
	}
	rows, err := col.Len(ctx)
	if err != nil {
		return Summary{}, err
	}
	tally, missing := numbers[T]{trend: newTrend(rows)}, 0
	for run, err := range col.Runs(ctx) {
		if err != nil {
			return Summary{}, err
		}
		for _, v := range run.Values {
			if !v.Valid {
				missing++
				tally.trend.add(math.NaN())
				continue
			}
			tally.Add(v.V)
		}
	}
	s := tally.Summary()
	s.Missing = missing
	return s, nil
}

// Tally collects the summary of values.
type Tally[T any] interface {
	Add(v T)
	Summary() Summary
}

// numbers is the tally of numbers.
type numbers[T dtype.Element] struct {
	min, max T
	sum      float64
	count    int // without NaN
	nan      int
	trend    trend
}

// NewNumbers returns the tally for this many numbers.
func NewNumbers[T dtype.Element](rows int) Tally[T] { return &numbers[T]{trend: newTrend(rows)} }

func (t *numbers[T]) Add(v T) {
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

func (t *numbers[T]) Summary() Summary {
	s := Summary{NaN: t.nan, Trend: t.trend.means()}
	if t.count > 0 {
		s.Min, s.Max, s.Mean = t.min, t.max, t.sum/float64(t.count)
	}
	return s
}

// Texts is the tally of text.
type Texts struct {
	min, max string
	any      bool
}

// Add adds a text.
func (t *Texts) Add(v string) {
	if !t.any {
		t.min, t.max, t.any = v, v, true
	}
	t.min, t.max = min(t.min, v), max(t.max, v)
}

// Summary returns the first and the last text, if there are any.
func (t *Texts) Summary() Summary {
	if !t.any {
		return Summary{}
	}
	return Summary{Min: t.min, Max: t.max}
}

// None is the tally of values that have no order.
type None struct{}

// Add does nothing.
func (None) Add(any) {}

// Summary is empty.
func (None) Summary() Summary { return Summary{} }

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
