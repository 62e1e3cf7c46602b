package main

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/cmd/columnvault/internal/columns"
	"columnvault/cmd/columnvault/internal/term"
	"columnvault/dtype"
	"columnvault/internal/excerpt"
	"columnvault/internal/values"
	"columnvault/scan"
)

// description is a column in describe --json.
type description struct {
	Name          string            `json:"name"`
	DType         string            `json:"dtype"`
	Meaning       string            `json:"meaning,omitempty"`
	Elements      int               `json:"elements"`
	Missing       int               `json:"missing"`
	NaN           int               `json:"nan"`
	Min           json.RawMessage   `json:"min"`
	Quarter       json.RawMessage   `json:"quarter"`
	Median        json.RawMessage   `json:"median"`
	ThreeQuarters json.RawMessage   `json:"three_quarters"`
	Max           json.RawMessage   `json:"max"`
	Mean          json.RawMessage   `json:"mean"`
	Trend         []json.RawMessage `json:"trend"`
}

func newDescribeCommand(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "describe DB [NAME...] [--json]",
		Short: "Say what columns hold: extremes, quantiles, means",
		Long: `Say what columns hold, all or those that are named, a line for each: how many
elements are missing or NaN, the smallest, the quartiles, the largest, the mean,
and how they went, as the means of equal stretches. The quartiles are elements
of the column and exact. Text has a first and a last element by its bytes, other
columns only a length. To read 100 million numbers takes some seconds. A terminal
that is too narrow gets the table cut, with … for what is left out.

--json prints an object a line. More fields may come; these stay:
  name, dtype                    text
  meaning                        text, if there is one
  elements, missing, nan         integers
  min, quarter, median, three_quarters, max, mean
                                 values, null where there are none
  trend                          the means of equal stretches`,
		Example: `  columnvault describe weather.db
  columnvault describe weather.db temp dewp
  columnvault describe weather.db temp --json | jq .median`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDescribe(cmd.Context(), a, args[0], args[1:], asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, an object a line")
	return cmd
}

func runDescribe(ctx context.Context, a *app, db string, names []string, asJSON bool) error {
	return reading(ctx, db, func(v *columnvault.Vault) error {
		return v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			r, err := openRows(ctx, tx, names)
			if err != nil {
				return err
			}
			t := a.table(term.Left("column"), term.Left("type"), term.Right("length"), term.Right("missing"), term.Right("min"), term.Right("25%"),
				term.Right("median"), term.Right("75%"), term.Right("max"), term.Right("mean"), term.Graph("trend"))
			t.Fit(a.width)
			for _, col := range r.columns {
				d, trend, err := describeColumn(ctx, col)
				if err != nil {
					return err
				}
				if asJSON {
					err = a.printJSON(describedAs(col, d, trend))
				} else {
					t.Add(describedCells(col, d, trend)...)
				}
				if err != nil {
					return err
				}
			}
			if asJSON {
				return nil
			}
			return t.Write(a.out)
		})
	})
}

// trendWidth is the number of stretches of a trend.
const trendWidth = 24

// describeColumn reads a column, whatever its elements are.
func describeColumn(ctx context.Context, col *columnvault.Column[any]) (d scan.Description[any], trend []float64, err error) {
	spec, m := columns.Spec(col), col.Meaning()
	if !values.IsNumber(spec.Kind) {
		d, err = describeOthers(ctx, col, spec, m)
		return d, nil, err
	}
	if d, err = scan.DescribeAny(ctx, col, columnvault.Begin, columnvault.End); err != nil {
		return d, nil, err
	}
	if m.IsTime() {
		values.NewMoment(m).Show(&d.Min, &d.Quarter, &d.Median, &d.ThreeQuarters, &d.Max)
	}
	floats, err := scan.Float64s(col)
	if err != nil {
		return d, nil, err
	}
	stretches, err := scan.Stretches(ctx, floats, equalBounds(0, d.Len, trendWidth))
	for _, s := range stretches {
		trend = append(trend, meanOf(s))
	}
	return d, trend, err
}

// describeOthers counts what is missing, and finds the first and the last text.
func describeOthers(ctx context.Context, col *columnvault.Column[any], spec dtype.Spec, m dtype.Meaning) (d scan.Description[any], err error) {
	d.Len, err = col.Len(ctx)
	if spec.Kind != dtype.KindText && !m.Null || err != nil {
		d.Count = d.Len
		return d, err
	}
	var least, most string
	texts := 0
	for run, err := range col.RunsInto(ctx, nil, columnvault.Begin, columnvault.End) {
		if err != nil {
			return d, err
		}
		for _, v := range run.Values {
			if v == nil {
				d.Missing++
			}
			if text, ok := v.(string); ok && spec.Kind == dtype.KindText {
				if texts++; texts == 1 {
					least, most = text, text
				}
				least, most = min(least, text), max(most, text)
			}
		}
	}
	d.Count = d.Len - d.Missing
	if texts > 0 {
		d.Min, d.Max = strings.Clone(least), strings.Clone(most)
	}
	return d, nil
}

func describedCells(col *columnvault.Column[any], d scan.Description[any], trend []float64) []string {
	spec, m := columns.Spec(col), col.Meaning()
	cells := []string{excerpt.Printable(col.Name()), showType(col.DType(), m), strconv.Itoa(d.Len), showCount(d.Missing + d.NaN)}
	for _, v := range []any{d.Min, d.Quarter, d.Median, d.ThreeQuarters, d.Max} {
		cells = append(cells, showValue(spec, m, v))
	}
	sum := columns.Summary{Min: d.Min, Mean: d.Mean, Trend: trend}
	mean := ""
	if !m.IsTime() {
		mean = showMean(sum)
	}
	return append(cells, mean, showTrend(sum))
}

func describedAs(col *columnvault.Column[any], d scan.Description[any], trend []float64) description {
	spec, m := columns.Spec(col), col.Meaning()
	out := description{Name: col.Name(), DType: col.DType(), Meaning: m.String(), Elements: d.Len, Missing: d.Missing, NaN: d.NaN,
		Min: jsonOf(spec, m, d.Min), Quarter: jsonOf(spec, m, d.Quarter), Median: jsonOf(spec, m, d.Median),
		ThreeQuarters: jsonOf(spec, m, d.ThreeQuarters), Max: jsonOf(spec, m, d.Max), Mean: json.RawMessage("null"), Trend: []json.RawMessage{}}
	if !m.IsTime() && d.Count > 0 && values.IsNumber(spec.Kind) {
		out.Mean = values.AppendFloat(nil, d.Mean, 64)
	}
	for _, v := range trend {
		out.Trend = append(out.Trend, values.AppendFloat(nil, v, 64))
	}
	return out
}
