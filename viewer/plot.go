package viewer

import (
	"context"
	"math"
	"slices"

	"columnvault"
	"columnvault/scan"
)

// The limits of plots.
const (
	defaultWidth = 800
	maxWidth     = 4096
	maxSeries    = 8
)

// stretch is how many elements are read in one snapshot: reading them takes some
// hundredths of a second, and the write-ahead log can be emptied in between.
const stretch = 1 << 22

// plot is one or several columns over positions, or over another column.
type plot struct {
	// Length is the number of rows that there are, and From and To are those
	// that are looked at.
	Length int `json:"length"`
	From   int `json:"from"`
	To     int `json:"to"`
	// Exact says that each point is an element. Otherwise it stands for
	// neighbors: those of Step positions, or of an equal part of X.
	Exact bool   `json:"exact"`
	Step  int    `json:"step,omitempty"`
	X     floats `json:"x"`
	// Time says that X is seconds since 1970 in UTC.
	Time   bool     `json:"time,omitempty"`
	Series []series `json:"series"`
}

// series is a column in a plot.
type series struct {
	Column string `json:"column"`
	// Time says that the numbers are seconds since 1970 in UTC.
	Time bool `json:"time,omitempty"`
	// Y are the elements, or the means of neighbors, of which Low is the smallest
	// and High the largest.
	Y    floats `json:"y"`
	Low  floats `json:"low,omitempty"`
	High floats `json:"high,omitempty"`
}

// asked is what a plot is asked for.
type asked struct {
	columns  []string
	x        []string // at most one
	from, to int
	// low and high bound X, NaN if they do not.
	low, high float64
	width     int
}

func (h *handler) plot(ctx context.Context, p *params) (any, error) {
	a := asked{columns: p.names("column"), x: p.optional("x"), from: p.position("from", 0), to: p.position("to", math.MaxInt),
		low: p.float("low"), high: p.float("high"), width: p.count("width", defaultWidth, 1, maxWidth)}
	if len(a.columns) > maxSeries {
		p.refuse("a plot has at most %d columns", maxSeries)
	}
	if p.err != nil {
		return nil, p.err
	}
	if len(a.x) > 0 {
		return h.plotOver(ctx, a)
	}
	return h.plotPositions(ctx, a)
}

// numbers opens columns that can be plotted.
func numbers(ctx context.Context, tx *columnvault.Tx, names []string) ([]opened, []scan.Source[float64], error) {
	columns, sources := make([]opened, len(names)), make([]scan.Source[float64], len(names))
	for i, name := range names {
		c, err := open(ctx, tx, name)
		if err == nil {
			sources[i], err = scan.Float64s(c.Column)
		}
		if err != nil {
			return nil, nil, err
		}
		if unit := c.unit(); unit != 1 {
			sources[i] = scan.Map(sources[i], func(v float64) float64 { return v * unit })
		}
		columns[i] = c
	}
	return columns, sources, nil
}

// rowsOf is the length of the longest column.
func rowsOf(columns []opened) (n int) {
	for _, c := range columns {
		n = max(n, c.n)
	}
	return n
}

// inParts calls fn with parts of the positions from from on, each in a View of
// its own, until fn says that it has no more to do.
func (h *handler) inParts(ctx context.Context, names []string, fn func(ctx context.Context, columns []opened, sources []scan.Source[float64]) (more bool, err error)) error {
	for more := true; more; {
		err := h.v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			columns, sources, err := numbers(ctx, tx, names)
			if err == nil {
				more, err = fn(ctx, columns, sources)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// plotPositions plots columns over the positions of their elements.
func (h *handler) plotPositions(ctx context.Context, a asked) (*plot, error) {
	var out plot
	var bounds []int
	at := 0 // the first of the bounds that have not been read
	err := h.inParts(ctx, a.columns, func(ctx context.Context, columns []opened, sources []scan.Source[float64]) (bool, error) {
		if out.Series == nil {
			out.Length = rowsOf(columns)
			out.From, out.To = min(a.from, out.Length), min(a.to, out.Length)
			out.To = max(out.From, out.To)
			out.Series = make([]series, len(columns))
			for i, c := range columns {
				out.Series[i] = series{Column: address(c.Name()), Time: c.meaning.IsTime(), Y: floats{}}
			}
			if out.To-out.From <= 2*a.width {
				out.Exact = true
				return false, out.points(ctx, sources)
			}
			bounds = out.steps(a.width)
		}
		parts := max(1, stretch/(out.Step*len(columns)))
		end := min(at+parts, len(bounds)-1)
		for i, s := range sources {
			// Within the column as it is now: it may have become shorter.
			part := slices.Clone(bounds[at : end+1])
			for k := range part {
				part[k] = min(part[k], columns[i].n)
			}
			found, err := scan.Stretches(ctx, s, part)
			if err != nil {
				return false, err
			}
			out.Series[i].add(found)
		}
		at = end
		return at < len(bounds)-1, nil
	})
	if err != nil {
		return nil, err
	}
	for _, b := range bounds[:max(0, len(bounds)-1)] {
		out.X = append(out.X, float64(b))
	}
	return &out, nil
}

// points takes the elements themselves.
func (out *plot) points(ctx context.Context, sources []scan.Source[float64]) error {
	out.X = make(floats, out.To-out.From)
	for i := range out.X {
		out.X[i] = float64(out.From + i)
	}
	for i, s := range sources {
		y, err := collect(ctx, s, out.From, out.To)
		if err != nil {
			return err
		}
		out.Series[i].Y = y
	}
	return nil
}

// collect reads elements, and puts NaN in the place of those that are not there.
func collect(ctx context.Context, s scan.Source[float64], from, to int) (floats, error) {
	list := slices.Repeat(floats{math.NaN()}, to-from)
	for run, err := range scan.Runs(ctx, s.Slice(from, to)) {
		if err != nil {
			return nil, err
		}
		copy(list[run.Start-from:], run.Values)
	}
	return list, nil
}

// steps are the bounds of equal stretches. They lie at multiples of their
// length, so that a graph that is moved or grows does not change its shape.
func (out *plot) steps(width int) (bounds []int) {
	out.Step = (out.To-out.From-1)/width + 1
	for b := out.From / out.Step * out.Step; b < out.To; b += out.Step {
		bounds = append(bounds, max(b, out.From))
	}
	return append(bounds, out.To)
}

// add adds what stretches are like.
func (s *series) add(found []scan.Stretch[float64]) {
	for _, f := range found {
		if f.Count == 0 {
			f.Mean, f.Min, f.Max = math.NaN(), math.NaN(), math.NaN()
		}
		s.Y, s.Low, s.High = append(s.Y, f.Mean), append(s.Low, f.Min), append(s.High, f.Max)
	}
}
