package viewer

import (
	"context"
	"math"
	"strings"

	"columnvault"
	"columnvault/internal/values"
	"columnvault/scan"
)

// quantiled is how long a column may be whose quartiles are found: that reads it
// several times in one snapshot.
const quantiled = 1 << 25

// columnDetails is what the page says of a column that is open.
type columnDetails struct {
	listedColumn
	// Missing and NaN count elements.
	Missing int `json:"missing"`
	NaN     int `json:"nan"`
	// Facts are values such as the smallest and the median.
	Facts []fact `json:"facts"`
}

type fact struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// column reads all of a column.
func (h *handler) column(ctx context.Context, p *params) (any, error) {
	name := p.name("column")
	if p.err != nil {
		return nil, p.err
	}
	var d columnDetails
	var c opened
	err := h.v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) (err error) {
		c, err = open(ctx, tx, name)
		return err
	})
	if err != nil {
		return nil, err
	}
	_, field := split(name)
	d.listedColumn = list(columnvault.ColumnInfo{Name: name, DType: c.DType(), Meaning: c.meaning, Len: c.n}, field)
	d.Facts = []fact{}
	switch kind := kindOf(c.spec, c.meaning); {
	case c.isNumber() && c.n <= quantiled:
		err = h.describe(ctx, c, &d)
	case c.isNumber():
		err = h.describeLong(ctx, c, &d)
	case isOrdered(kind) || c.meaning.Null:
		err = h.describeOthers(ctx, c, &d)
	}
	return d, err
}

// describe says what numbers are like.
func (h *handler) describe(ctx context.Context, c opened, d *columnDetails) error {
	free, err := h.v.Column(ctx, c.Name())
	if err != nil {
		return err
	}
	s, err := scan.DescribeAny(ctx, free, columnvault.Begin, columnvault.End)
	if err != nil {
		return err
	}
	d.Len, d.Missing, d.NaN = s.Len, s.Missing, s.NaN
	if s.Count == 0 {
		return nil
	}
	all := []*any{&s.Min, &s.Quarter, &s.Median, &s.ThreeQuarters, &s.Max}
	if c.meaning.IsTime() {
		values.NewMoment(c.meaning).Show(all...)
	}
	for i, name := range []string{"smallest", "quarter", "median", "three quarters", "largest"} {
		d.Facts = append(d.Facts, fact{name, show(c.spec, c.meaning, *all[i], cellRoom).Text})
	}
	if !c.meaning.IsTime() {
		d.Facts = append(d.Facts, fact{"mean", string(values.AppendFloat(nil, s.Mean, 64))})
	}
	return nil
}

// describeLong is describe without quartiles, in parts.
func (h *handler) describeLong(ctx context.Context, c opened, d *columnDetails) error {
	low, high, mean, count, at := math.Inf(1), math.Inf(-1), 0.0, 0, 0
	err := h.inParts(ctx, []string{c.Name()}, func(ctx context.Context, columns []opened, sources []scan.Source[float64]) (bool, error) {
		end := min(at+stretch, columns[0].n)
		found, err := scan.Stretches(ctx, sources[0], []int{at, max(at, end)})
		if err != nil {
			return false, err
		}
		if f := found[0]; f.Count > 0 {
			count += f.Count
			low, high = min(low, f.Min), max(high, f.Max)
			mean += (f.Mean - mean) * float64(f.Count) / float64(count)
		}
		at, d.Len = end, columns[0].n
		return end < columns[0].n, nil
	})
	d.Missing = d.Len - count
	if err != nil || count == 0 {
		return err
	}
	text := func(f float64) string { return string(values.AppendFloat(nil, f, 64)) }
	if c.meaning.IsTime() {
		moment := values.NewMoment(c.meaning)
		text = func(f float64) string {
			return strings.Trim(string(moment.AppendStored(nil, int64(math.Round(f/c.unit())))), `"`)
		}
	}
	d.Facts = append(d.Facts, fact{"smallest", text(low)}, fact{"largest", text(high)})
	if !c.meaning.IsTime() {
		d.Facts = append(d.Facts, fact{"mean", text(mean)})
	}
	return nil
}

// describeOthers counts what is missing, and finds the first and the last.
func (h *handler) describeOthers(ctx context.Context, c opened, d *columnDetails) error {
	const part = 1 << 17
	t := tally{ordered: isOrdered(kindOf(c.spec, c.meaning)), spark: make(floats, 1), counts: make([]int, 1), of: math.MaxInt}
	for at, n := 0, 1; at < n; at += part {
		err := h.v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			now, err := open(ctx, tx, c.Name())
			if err != nil {
				return err
			}
			n, d.Len = now.n, now.n
			for run, err := range now.RunsInto(ctx, nil, at, min(at+part, n)) {
				if err != nil {
					return err
				}
				t.add(run.Values)
			}
			return nil
		})
		if err != nil {
			return err
		}
		t.own()
	}
	d.Missing = t.missing
	if t.low == nil {
		return nil
	}
	names := []string{"smallest", "largest"}
	if d.Kind == "text" {
		names = []string{"first", "last"}
	}
	d.Facts = append(d.Facts, fact{names[0], show(c.spec, c.meaning, t.low, cellRoom).Text}, fact{names[1], show(c.spec, c.meaning, t.high, cellRoom).Text})
	if t.numbers > 0 {
		d.Facts = append(d.Facts, fact{"mean", string(values.AppendFloat(nil, t.sum/float64(t.numbers), 64))})
	}
	return nil
}

// own gives texts memory of their own: they lie among others.
func (t *tally) own() {
	for _, v := range []*any{&t.low, &t.high} {
		if text, ok := (*v).(string); ok {
			*v = strings.Clone(text)
		}
	}
}

// histogram counts numbers in equal parts of their range.
type histogram struct {
	// From and To are the range, in the unit of the axis.
	From   float `json:"from"`
	To     float `json:"to"`
	Counts []int `json:"counts"`
	Time   bool  `json:"time,omitempty"`
}

const maxBins = 1000

func (h *handler) histogram(ctx context.Context, p *params) (any, error) {
	name, bins := p.name("column"), p.count("bins", 60, 1, maxBins)
	from, to := p.position("from", 0), p.position("to", math.MaxInt)
	if p.err != nil {
		return nil, p.err
	}
	out := histogram{Counts: []int{}}
	low, high, at, ranged := math.Inf(1), math.Inf(-1), from, false
	err := h.inParts(ctx, []string{name}, func(ctx context.Context, columns []opened, sources []scan.Source[float64]) (bool, error) {
		out.Time = columns[0].meaning.IsTime()
		last := min(to, columns[0].n)
		at = min(at, last) // the column may have become shorter
		end := min(at+stretch, last)
		for run, err := range scan.Runs(ctx, sources[0].Slice(at, end)) {
			switch {
			case err != nil:
				return false, err
			case !ranged:
				for _, v := range run.Values {
					if v-v == 0 { // neither NaN nor infinite
						low, high = min(low, v), max(high, v)
					}
				}
			default:
				count(out.Counts, run.Values, low, high)
			}
		}
		at = end
		if end < last {
			return true, nil
		}
		if ranged || low > high {
			return false, nil
		}
		ranged, at, out.Counts = true, from, make([]int, bins)
		return true, nil
	})
	if ranged {
		out.From, out.To = float(low), float(high)
	}
	return out, err
}

// count counts numbers in equal parts of a range. What lies outside belongs to
// the first or the last.
func count(counts []int, list []float64, low, high float64) {
	half := high/2 - low/2 // the difference of two floats may be infinite
	last := float64(len(counts) - 1)
	for _, v := range list {
		if v != v {
			continue
		}
		at := 0.0
		if half > 0 {
			at = (v/2 - low/2) / half * float64(len(counts))
		}
		counts[int(min(max(at, 0), last))]++
	}
}
