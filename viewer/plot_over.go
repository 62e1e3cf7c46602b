package viewer

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"

	"columnvault"
	"columnvault/scan"
)

// plotOver plots columns over another one, whose elements need not ascend: where
// they do, less has to be read.
func (h *handler) plotOver(ctx context.Context, a asked) (*plot, error) {
	var out plot
	var p pairs
	begun, ranged := false, false
	err := h.inParts(ctx, append(a.x, a.columns...), func(ctx context.Context, columns []opened, sources []scan.Source[float64]) (bool, error) {
		switch {
		case !begun:
			begun = true
			out.begin(a, columns)
			p = newPairs(a, len(sources)-1)
			err := p.narrow(ctx, &out, sources[0])
			ranged = p.low == p.low && p.high == p.high
			p.at = out.From
			return out.From < out.To, err
		case !ranged:
			more, err := p.extend(ctx, out.To, sources[0])
			if !more {
				ranged, p.at = true, out.From
			}
			return true, err
		}
		return p.read(ctx, out.To, sources)
	})
	if err == nil {
		p.put(&out)
	}
	return &out, err
}

// begin says what is plotted: columns[0] is X.
func (out *plot) begin(a asked, columns []opened) {
	out.Time = columns[0].meaning.IsTime()
	out.Length = min(columns[0].n, rowsOf(columns[1:]))
	out.From, out.To = min(a.from, out.Length), min(a.to, out.Length)
	out.To = max(out.From, out.To)
	for _, c := range columns[1:] {
		out.Series = append(out.Series, series{Column: address(c.Name()), Time: c.meaning.IsTime(), Y: floats{}})
	}
}

// pairs puts the elements of columns together by what another has at the same
// position: in equal parts of that, and as they are as long as there are few.
type pairs struct {
	at        int // the next position
	low, high float64
	bins      []int32 // the part of each position that is being read, -1 for none

	parts  []int // how many positions each has
	series []parts
	few    [][]float64 // a position: X, and the others
	most   int         // of few
	many   bool        // there are more than few
}

// parts is what a column is like in each part.
type parts struct {
	sum, low, high floats
	count          []int
}

func newPairs(a asked, columns int) pairs {
	p := pairs{low: a.low, high: a.high, parts: make([]int, a.width), most: 2 * a.width, series: make([]parts, columns)}
	for i := range p.series {
		p.series[i] = parts{make(floats, a.width), slices.Repeat(floats{math.Inf(1)}, a.width), slices.Repeat(floats{math.Inf(-1)}, a.width), make([]int, a.width)}
	}
	return p
}

// narrow finds out which positions matter, and the range of X, if X ascends.
func (p *pairs) narrow(ctx context.Context, out *plot, x scan.Source[float64]) error {
	err := scan.CheckSorted(ctx, x.Slice(out.From, out.To))
	if errors.Is(err, columnvault.ErrInvalidArgument) {
		return nil // it does not
	}
	if err != nil || out.From == out.To {
		return err
	}
	// One more at either side, so that lines leave the picture.
	from, to := out.From, out.To
	if p.low == p.low {
		at, err := scan.SearchSorted(ctx, x.Slice(from, to), p.low, scan.Left)
		if err != nil {
			return err
		}
		out.From = max(from, at-1)
	}
	if p.high == p.high {
		at, err := scan.SearchSorted(ctx, x.Slice(out.From, to), p.high, scan.Right)
		if err != nil {
			return err
		}
		out.To = min(to, at+1)
	}
	first, err := collect(ctx, x, out.From, min(out.From+1, out.To))
	if err != nil || len(first) == 0 {
		return err
	}
	last, err := collect(ctx, x, out.To-1, out.To)
	if err != nil {
		return err
	}
	if p.low != p.low {
		p.low = first[0]
	}
	if p.high != p.high {
		p.high = last[0]
	}
	// The neighbors outside belong to the first and the last part.
	p.low, p.high = min(p.low, max(first[0], p.low-(p.high-p.low))), max(p.high, min(last[0], p.high+(p.high-p.low)))
	return nil
}

// extend finds the range of X.
func (p *pairs) extend(ctx context.Context, to int, x scan.Source[float64]) (more bool, err error) {
	end := min(p.at+stretch, to)
	found, err := scan.Stretches(ctx, x, []int{p.at, end})
	if err != nil {
		return false, err
	}
	if f := found[0]; f.Count > 0 {
		if !(p.low <= f.Min) {
			p.low = f.Min
		}
		if !(p.high >= f.Max) {
			p.high = f.Max
		}
	}
	p.at = end
	return end < to, nil
}

// pairStretch is how many positions are read in one snapshot.
const pairStretch = 1 << 20

// read takes the next positions.
func (p *pairs) read(ctx context.Context, to int, sources []scan.Source[float64]) (more bool, err error) {
	from, end := p.at, min(p.at+pairStretch, to)
	p.at = end
	x, err := collect(ctx, sources[0], from, end)
	if err != nil {
		return false, err
	}
	p.place(x)
	first := len(p.few)
	for i, x := range x {
		at := p.bins[i]
		if at < 0 {
			continue
		}
		p.parts[at]++
		if p.many = p.many || len(p.few) == p.most; !p.many {
			row := slices.Repeat([]float64{math.NaN()}, len(sources))
			row[0] = x
			p.few = append(p.few, row)
		}
	}
	for i, s := range sources[1:] {
		row := first
		c := &p.series[i]
		for run, err := range scan.Runs(ctx, s.Slice(from, end)) {
			if err != nil {
				return false, err
			}
			bins := p.bins[run.Start-from:]
			for k, y := range run.Values {
				at := bins[k]
				if at < 0 {
					continue
				}
				if !p.many {
					p.few[row][1+i] = y
					row++
				}
				if y != y {
					continue
				}
				c.sum[at] += y
				c.count[at]++
				if y < c.low[at] {
					c.low[at] = y
				}
				if y > c.high[at] {
					c.high[at] = y
				}
			}
		}
	}
	return end < to, nil
}

// place finds the part of each position.
func (p *pairs) place(x []float64) {
	p.bins = slices.Grow(p.bins[:0], len(x))[:len(x)]
	low, last := p.low/2, int32(len(p.parts)-1)
	scale := 0.0 // if all are equal
	if half := p.high/2 - low; half > 0 {
		scale = float64(len(p.parts)) / half
	}
	for i, x := range x {
		p.bins[i] = -1
		if x >= p.low && x <= p.high {
			p.bins[i] = min(max(int32((x/2-low)*scale), 0), last) // of a range that is tiny, the product may be NaN
		}
	}
}

// put makes the plot of what has been read.
func (p *pairs) put(out *plot) {
	out.X = floats{}
	if !p.many {
		out.Exact = true
		slices.SortStableFunc(p.few, func(a, b []float64) int { return cmp.Compare(a[0], b[0]) })
		for _, row := range p.few {
			out.X = append(out.X, row[0])
			for i, y := range row[1:] {
				out.Series[i].Y = append(out.Series[i].Y, y)
			}
		}
		return
	}
	step := (p.high/2 - p.low/2) / float64(len(p.parts)) * 2
	for k, n := range p.parts {
		if n == 0 {
			continue // lines go on over what has no rows
		}
		out.X = append(out.X, p.low+(float64(k)+0.5)*step)
		for i := range out.Series {
			s, c := &out.Series[i], &p.series[i]
			mean, low, high := math.NaN(), math.NaN(), math.NaN()
			if c.count[k] > 0 {
				mean, low, high = c.sum[k]/float64(c.count[k]), c.low[k], c.high[k]
			}
			s.Y, s.Low, s.High = append(s.Y, mean), append(s.Low, low), append(s.High, high)
		}
	}
}
