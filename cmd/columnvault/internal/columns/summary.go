package columns

import (
	"math"
	"strings"

	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/internal/values"
)

// Summary is what the values of a column are like.
type Summary struct {
	// Min and Max are of the Go type of the column, nil if there are no
	// values. For text they are the first and the last in byte order.
	Min, Max any
	// Mean and Trend are of numbers: the mean of those that are not NaN, and the
	// means of equal stretches.
	Mean  float64
	Trend []float64
}

// HasNumbers tells whether there are numbers to speak of.
func (s Summary) HasNumbers() bool { return len(s.Trend) > 0 && s.Min != nil }

// As is the summary of numbers that mean times or dates: its values are times,
// and there is no mean.
func (s Summary) As(m dtype.Meaning) Summary {
	if !m.IsTime() {
		return s
	}
	values.NewMoment(m).Show(&s.Min, &s.Max)
	s.Mean = math.NaN()
	return s
}

// Tally collects the summary of values. It leaves missing ones out.
type Tally interface {
	Add(c exchange.Column)
	Summary() Summary
}

// NewTally returns the tally for values such as those of a column.
func NewTally(c exchange.Column) Tally {
	switch c.(type) {
	case *exchange.Vector[int8]:
		return &numbers[int8]{}
	case *exchange.Vector[int16]:
		return &numbers[int16]{}
	case *exchange.Vector[int32]:
		return &numbers[int32]{}
	case *exchange.Vector[int64]:
		return &numbers[int64]{}
	case *exchange.Vector[uint8]:
		return &numbers[uint8]{}
	case *exchange.Vector[uint16]:
		return &numbers[uint16]{}
	case *exchange.Vector[uint32]:
		return &numbers[uint32]{}
	case *exchange.Vector[uint64]:
		return &numbers[uint64]{}
	case *exchange.Vector[float32]:
		return &numbers[float32]{}
	case *exchange.Vector[float64]:
		return &numbers[float64]{}
	case *exchange.Vector[string]:
		return &texts{}
	}
	return none{}
}

// numbers is the tally of numbers.
type numbers[T dtype.Element] struct {
	min, max T
	sum      float64
	count    int // without NaN
	trend    trend
}

// Add adds the numbers of a batch.
func (t *numbers[T]) Add(c exchange.Column) {
	v := c.(*exchange.Vector[T])
	t.add(v.Values, v.Missing)
}

func (t *numbers[T]) add(list []T, missing []bool) {
	for i, v := range list {
		if len(missing) > 0 && missing[i] {
			t.trend.add(math.NaN())
			continue
		}
		t.trend.add(float64(v))
		if v != v {
			continue
		}
		if t.count == 0 {
			t.min, t.max = v, v
		}
		t.min, t.max = min(t.min, v), max(t.max, v)
		t.sum += float64(v)
		t.count++
	}
}

// Summary is that of all numbers.
func (t *numbers[T]) Summary() Summary {
	s := Summary{Trend: t.trend.means()}
	if t.count > 0 {
		s.Min, s.Max, s.Mean = t.min, t.max, t.sum/float64(t.count)
	}
	return s
}

// texts is the tally of text.
type texts struct {
	min, max string
	any      bool
}

// Add adds the texts of a batch, whose memory they share.
func (t *texts) Add(c exchange.Column) {
	v := c.(*exchange.Vector[string])
	for i, s := range v.Values {
		switch {
		case v.IsMissing(i):
		case !t.any:
			t.min, t.max, t.any = s, s, true
		case s < t.min:
			t.min = s
		case s > t.max:
			t.max = s
		}
	}
	t.min, t.max = strings.Clone(t.min), strings.Clone(t.max)
}

// Summary returns the first and the last text, if there are any.
func (t *texts) Summary() Summary {
	if !t.any {
		return Summary{}
	}
	return Summary{Min: t.min, Max: t.max}
}

// none is the tally of values that have no order.
type none struct{}

func (none) Add(exchange.Column) {}

func (none) Summary() Summary { return Summary{} }

// trendWidth is the number of stretches of a trend, and trendBins that of the
// finer ones that it is made of.
const (
	trendWidth = 24
	trendBins  = 128 * trendWidth
)

// trend collects the means of equal stretches of a column whose length is not
// known, leaving out NaN. It keeps the sums of finer stretches, and makes one of
// two whenever there are too many.
type trend struct {
	rows   int
	step   int // rows of a bin
	left   int // rows that the last bin lacks
	sums   []float64
	counts []int
}

func (t *trend) add(v float64) {
	if t.left == 0 {
		t.grow()
	}
	t.rows++
	t.left--
	if v == v {
		t.sums[len(t.sums)-1] += v
		t.counts[len(t.counts)-1]++
	}
}

// grow begins a bin.
func (t *trend) grow() {
	if len(t.sums) == trendBins {
		for i := range trendBins / 2 {
			t.sums[i] = t.sums[2*i] + t.sums[2*i+1]
			t.counts[i] = t.counts[2*i] + t.counts[2*i+1]
		}
		t.sums, t.counts = t.sums[:trendBins/2], t.counts[:trendBins/2]
		t.step *= 2
	}
	t.step = max(t.step, 1)
	t.left = t.step
	t.sums, t.counts = append(t.sums, 0), append(t.counts, 0)
}

// means returns the mean of each stretch, NaN where there are no values.
func (t *trend) means() []float64 {
	means := make([]float64, min(trendWidth, t.rows))
	bin := 0
	for i := range means {
		sum, count := 0.0, 0
		for end := (i + 1) * t.rows / len(means); bin < len(t.sums) && bin*t.step < end; bin++ {
			sum += t.sums[bin]
			count += t.counts[bin]
		}
		means[i] = sum / float64(count)
	}
	return means
}
