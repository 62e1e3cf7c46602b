package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/cmd/columnvault/internal/columns"
	"columnvault/cmd/columnvault/internal/term"
	"columnvault/internal/hint"
	"columnvault/internal/values"
	"columnvault/scan"
)

type plotOptions struct {
	last, by      string
	width, height int
	asJSON        bool
}

// plotted is a stretch in plot --json.
type plotted struct {
	From  int             `json:"from"`
	To    int             `json:"to"`
	Time  json.RawMessage `json:"time,omitempty"`
	Count int             `json:"count"`
	Min   json.RawMessage `json:"min"`
	Max   json.RawMessage `json:"max"`
	Mean  json.RawMessage `json:"mean"`
}

func newPlotCommand(a *app) *cobra.Command {
	var o plotOptions
	cmd := &cobra.Command{
		Use:   "plot DB NAME [--last AGE] [--by NAME] [--width N] [--height N] [--json]",
		Short: "Draw a column of numbers",
		Long: `Draw a column of numbers: from left to right equal stretches of positions, each
from the smallest to the largest of its elements. So no spike is lost, however
long the column is.

With --by they are equal stretches of time, of that column of times or dates,
which must ascend. --last draws only what comes less than an AGE before its last
element: a number and s, m, h, d or w (days have 24 hours). Without --by it takes
the one column of times beside NAME: with the same prefix up to the last point.

--json prints an object for each stretch, one a line:
  from, to        positions
  time            when it begins, with --by or --last
  count           of elements that are not missing or NaN
  min, max, mean  of these, null if there are none`,
		Example: `  columnvault plot weather.db temp
  columnvault plot weather.db temp --by time_hour --last 30d
  columnvault plot metrics.db cpu.load --last 1h`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("width") && o.width < 1 || o.height < 1 || o.width > 10_000 || o.height > 1000 {
				return usagef("--width is from 1 to 10000, and --height from 1 to 1000")
			}
			if o.width == 0 {
				o.width = a.plotWidth(o.asJSON)
			}
			return runPlot(cmd.Context(), a, args[0], args[1], &o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.last, "last", "", "only the last `AGE`, such as 1h or 30d")
	f.StringVar(&o.by, "by", "", "the `NAME` of the column of times")
	f.IntVar(&o.width, "width", 0, "draw `N` stretches; by default as many as fit on the terminal, else 72")
	f.IntVar(&o.height, "height", 16, "draw them `N` lines high")
	f.BoolVar(&o.asJSON, "json", false, "print JSON, an object a line")
	return cmd
}

// plotWidth is the number of stretches if nobody says how many.
func (a *app) plotWidth(asJSON bool) int {
	const label = 14 // characters of the widest label: -1.23457e+06, a blank and a line
	if a.width == 0 || asJSON {
		return 72
	}
	return max(a.width-label, 20)
}

func runPlot(ctx context.Context, a *app, db, name string, o *plotOptions) error {
	return reading(ctx, db, func(v *columnvault.Vault) error {
		return v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			col, err := columns.Open(ctx, tx, name)
			if err != nil {
				return err
			}
			floats, err := scan.Float64s(col)
			if err != nil {
				return hint.Add(err, "describe says what a column of other elements holds")
			}
			n, err := col.Len(ctx)
			if err != nil {
				return err
			}
			times, bounds, err := plotBounds(ctx, tx, name, n, o)
			if err != nil {
				return err
			}
			stretches, err := scan.Stretches(ctx, floats, bounds)
			if err != nil {
				return err
			}
			p := plot{stretches: stretches, times: times}
			if len(stretches) > 0 && times != nil {
				if p.first, err = times.at(ctx, bounds[0]); err != nil {
					return err
				}
				if p.last, err = times.at(ctx, bounds[len(bounds)-1]-1); err != nil {
					return err
				}
			}
			if o.asJSON {
				return p.printObjects(a)
			}
			return p.print(a, o.height)
		})
	})
}

// plotBounds returns the bounds of the stretches of a column of n elements, and
// the times that they are bounds in, if there are some.
func plotBounds(ctx context.Context, tx *columnvault.Tx, name string, n int, o *plotOptions) (*timeColumn, []int, error) {
	if o.by == "" && o.last == "" {
		return nil, equalBounds(0, n, o.width), nil
	}
	var times *timeColumn
	var err error
	if o.by != "" {
		times, err = openTimes(ctx, tx, o.by)
	} else {
		times, err = findTimes(ctx, tx, name)
	}
	if err != nil {
		return nil, nil, err
	}
	n = min(n, times.length)
	if n == 0 {
		return times, nil, nil
	}
	last, err := times.at(ctx, n-1)
	if err != nil {
		return nil, nil, err
	}
	from := 0
	if o.last != "" {
		length, err := parseAge(o.last)
		if err != nil {
			return nil, nil, err
		}
		end, err := times.time(last)
		if err != nil {
			return nil, nil, err
		}
		begin, err := times.stored(end.Add(-length))
		if err != nil {
			return nil, nil, err
		}
		if from, err = scan.SearchSorted(ctx, times.numbers.Slice(0, n), begin, scan.Right); err != nil {
			return nil, nil, err
		}
	}
	if err := times.checkSorted(ctx, from, n); err != nil {
		return nil, nil, err
	}
	if from == n {
		return times, nil, nil
	}
	first, err := times.at(ctx, from)
	if err != nil {
		return nil, nil, err
	}
	bounds := make([]int, o.width+1)
	bounds[0], bounds[o.width] = from, n
	for i := 1; i < o.width; i++ {
		begin := first + int64(share(uint64(last-first), uint64(i), uint64(o.width)))
		if bounds[i], err = scan.SearchSorted(ctx, times.numbers.Slice(from, n), begin, scan.Left); err != nil {
			return nil, nil, err
		}
	}
	return times, bounds, nil
}

// plot is what is drawn.
type plot struct {
	stretches   []scan.Stretch[float64]
	times       *timeColumn // nil: positions
	first, last int64       // of the times
}

func (p *plot) print(a *app, height int) error {
	low, high := make([]float64, len(p.stretches)), make([]float64, len(p.stretches))
	for i, s := range p.stretches {
		low[i], high[i] = s.Min, s.Max
		if s.Count == 0 {
			low[i], high[i] = math.NaN(), math.NaN()
		}
	}
	lines, smallest, largest := term.Plot(low, high, height)
	if math.IsNaN(smallest) {
		_, err := fmt.Fprintln(a.out, "there is nothing to draw")
		return err
	}
	show := func(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
	labels := make([]string, height)
	labels[height-1], labels[0] = show(smallest), show(largest)
	width := max(len(labels[0]), len(labels[height-1]))
	for i, line := range lines {
		fmt.Fprintf(a.out, "%*s │%s\n", width, labels[i], strings.TrimRight(line, " "))
	}
	left, right := strconv.Itoa(p.stretches[0].From), strconv.Itoa(p.stretches[len(p.stretches)-1].To-1)
	if p.times != nil {
		left, right = p.times.show(p.first), p.times.show(p.last)
	}
	gap := strings.Repeat(" ", max(1, len(low)-len(left)-len(right)))
	_, err := fmt.Fprintf(a.out, "%*s └%s\n%*s  %s%s%s\n", width, "", strings.Repeat("─", len(low)), width, "", left, gap, right)
	return err
}

func (p *plot) printObjects(a *app) error {
	null := json.RawMessage("null")
	for i, s := range p.stretches {
		out := plotted{From: s.From, To: s.To, Count: s.Count, Min: null, Max: null, Mean: null}
		if s.Count > 0 {
			out.Min, out.Max, out.Mean = values.AppendFloat(nil, s.Min, 64), values.AppendFloat(nil, s.Max, 64), values.AppendFloat(nil, s.Mean, 64)
		}
		if p.times != nil {
			begin := p.first + int64(share(uint64(p.last-p.first), uint64(i), uint64(len(p.stretches))))
			out.Time = values.AppendString(nil, p.times.show(begin))
		}
		if err := a.printJSON(out); err != nil {
			return err
		}
	}
	return nil
}
