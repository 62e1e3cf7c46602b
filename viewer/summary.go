package viewer

import (
	"cmp"
	"context"
	"math"
	"time"

	"columnvault"
	"columnvault/internal/values"
	"columnvault/scan"
)

// sample is how many elements a summary looks at. A column that is not longer is
// read whole.
const sample = 4096

// sparkWidth is the most points of the small graph in a summary.
const sparkWidth = 48

// measured is how long a column of elements of varying size may be whose size is
// measured for a summary: that reads 12 bytes for each.
const measured = 1 << 20

// summary is what the elements of a column are like.
type summary struct {
	Column string `json:"column"` // its address
	Len    int    `json:"len"`
	// Exact says that all elements have been looked at, and otherwise Looked is
	// how many.
	Exact  bool `json:"exact"`
	Looked int  `json:"looked"`
	// Missing is how many of them are missing, or NaN.
	Missing int `json:"missing"`
	// Ends says that Min and Max are those of all elements also where not all
	// have been looked at.
	Ends bool   `json:"ends,omitempty"`
	Min  string `json:"min,omitempty"`
	Max  string `json:"max,omitempty"`
	Mean string `json:"mean,omitempty"`
	// Spark are the means of neighbors among them.
	Spark floats `json:"spark,omitempty"`
	// Bytes is the size of all elements, -1 if it has not been measured.
	Bytes int64  `json:"bytes"`
	Error string `json:"error,omitempty"`
}

func (h *handler) summaries(ctx context.Context, p *params) (any, error) {
	names := p.names("column")
	if p.err != nil {
		return nil, p.err
	}
	all := make([]summary, len(names))
	for i, name := range names {
		err := h.v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) (err error) {
			all[i], err = summarize(ctx, tx, name)
			return err
		})
		if ctx.Err() != nil || isGone(err) {
			return nil, cmp.Or(ctx.Err(), err)
		}
		if err != nil {
			// What is wrong with one column is no matter of the others.
			out := reply{path: h.v.Path()}
			all[i] = summary{Column: address(name), Bytes: -1, Error: out.describe(err).Error}
		}
	}
	return all, nil
}

func summarize(ctx context.Context, tx *columnvault.Tx, name string) (s summary, err error) {
	c, err := open(ctx, tx, name)
	if err != nil {
		return s, err
	}
	s = summary{Column: address(name), Len: c.n, Exact: c.n <= sample, Looked: min(c.n, sample), Bytes: -1}
	if s.Bytes, err = c.size(ctx); err != nil {
		return s, err
	}
	ordered := isOrdered(kindOf(c.spec, c.meaning))
	if !ordered && !c.meaning.Null || c.n == 0 {
		return s, nil // there is nothing to say of them
	}
	t := tally{ordered: ordered, spark: make(floats, min(sparkWidth, s.Looked)), counts: make([]int, min(sparkWidth, s.Looked)), of: s.Looked}
	if s.Exact {
		for run, err := range c.RunsInto(ctx, nil, 0, c.n) {
			if err != nil {
				return s, err
			}
			t.add(run.Values)
		}
	} else {
		group := 256
		if c.spec.ElemSize() == 0 {
			group = 1 // because elements may be large
		}
		for at := 0; at < sample; at += group {
			positions := make([]int, group)
			for k := range positions {
				positions[k] = evenly(at+k, sample, c.n)
			}
			list, err := c.Take(ctx, positions)
			if err != nil {
				return s, err
			}
			t.add(list)
		}
	}
	s.Missing = t.missing
	if !s.Exact {
		if s.Ends, err = c.ends(ctx, &t); err != nil {
			return s, err
		}
	}
	if t.low != nil {
		s.Min, s.Max = show(c.spec, c.meaning, t.low, cellRoom).Text, show(c.spec, c.meaning, t.high, cellRoom).Text
	}
	if t.numbers > 0 {
		s.Spark = t.means()
		if !c.meaning.IsTime() {
			s.Mean = string(values.AppendFloat(nil, t.sum/float64(t.numbers), 64))
		}
	}
	return s, nil
}

// known is how many elements are read to know the smallest and the largest of all.
const known = 1 << 17

// ends makes the extremes of a tally those of the whole column, and tells whether
// that is done: it is where the column has few, or bounds that lead to few.
func (c opened) ends(ctx context.Context, t *tally) (bool, error) {
	most := known
	switch kindOf(c.spec, c.meaning) {
	case "text":
		most = 8 * sample // because elements may be large
	case "number", "time":
	default:
		return false, nil
	}
	low, high, ok, err := scan.MinMaxAny(ctx, c.Column, columnvault.Begin, columnvault.End, most)
	if err != nil || !ok {
		return false, err
	}
	if t.low, t.high = low, high; low != nil && c.meaning.IsTime() {
		values.NewMoment(c.meaning).Show(&t.low, &t.high)
	}
	return true, nil
}

// isOrdered tells whether elements of a kind can be compared.
func isOrdered(kind string) bool {
	return kind == "number" || kind == "time" || kind == "bool" || kind == "text"
}

// evenly is the i-th of so many positions that are spread over n, the first and
// the last among them.
func evenly(i, of, n int) int {
	return int(math.Round(float64(i) * float64(n-1) / float64(of-1)))
}

// size is what all elements take, -1 if measuring that would take long.
func (c opened) size(ctx context.Context) (int64, error) {
	if size := c.spec.ElemSize(); size > 0 {
		return int64(size) * int64(c.n), nil
	}
	if c.n > measured {
		return -1, nil
	}
	stat, err := c.Stat(ctx)
	return stat.Live, err
}

// tally collects what elements are like.
type tally struct {
	ordered    bool // elements can be compared
	looked, of int
	missing    int
	low, high  any
	sum        float64
	numbers    int
	spark      floats
	counts     []int
}

func (t *tally) add(list []any) {
	for _, v := range list {
		at := t.looked * len(t.spark) / t.of
		t.looked++
		f, isNumber := numberOf(v)
		if v == nil || f != f {
			t.missing++
			continue
		}
		if !t.ordered {
			continue
		}
		if isNumber && f-f == 0 {
			t.sum += f
			t.numbers++
			t.spark[at] += f
			t.counts[at]++
		}
		if t.low == nil {
			t.low, t.high = v, v
		}
		switch {
		case compare(v, t.low) < 0:
			t.low = v
		case compare(v, t.high) > 0:
			t.high = v
		}
	}
}

func (t *tally) means() floats {
	for i, n := range t.counts {
		t.spark[i] /= float64(n) // NaN where there are none
	}
	return t.spark
}

// numberOf is an element as a number, if it is one. Times count in seconds.
func numberOf(v any) (f float64, ok bool) {
	switch v := v.(type) {
	case int8:
		return float64(v), true
	case int16:
		return float64(v), true
	case int32:
		return float64(v), true
	case int64:
		return float64(v), true
	case uint8:
		return float64(v), true
	case uint16:
		return float64(v), true
	case uint32:
		return float64(v), true
	case uint64:
		return float64(v), true
	case float32:
		return float64(v), true
	case float64:
		return v, true
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case time.Time:
		return float64(v.Unix()) + float64(v.Nanosecond())/1e9, true
	}
	return 0, false
}

// compare orders two elements of one column.
func compare(a, b any) int {
	switch a := a.(type) {
	case int64:
		return cmp.Compare(a, b.(int64))
	case uint64:
		return cmp.Compare(a, b.(uint64))
	case string:
		return cmp.Compare(a, b.(string))
	case time.Time:
		return a.Compare(b.(time.Time))
	}
	x, _ := numberOf(a)
	y, _ := numberOf(b)
	return cmp.Compare(x, y)
}
