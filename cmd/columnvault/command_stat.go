package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/spf13/cobra"

	"columnvault"
	"columnvault/cmd/columnvault/internal/columns"
	"columnvault/cmd/columnvault/internal/term"
	"columnvault/internal/excerpt"
	"columnvault/internal/values"
	"columnvault/scan"
)

// columnStat is a column in stat --json.
type columnStat struct {
	Name          string  `json:"name"`
	DType         string  `json:"dtype"`
	Meaning       string  `json:"meaning,omitempty"`
	Elements      int     `json:"elements"`
	LiveBytes     int64   `json:"live_bytes"`
	DeadBytes     int64   `json:"dead_bytes"`
	SlackBytes    int64   `json:"slack_bytes"`
	CapacityBytes int64   `json:"capacity_bytes"`
	Chunks        int     `json:"chunks"`
	SmallestBytes int64   `json:"smallest_bytes"`
	LargestBytes  int64   `json:"largest_bytes"`
	MeanBytes     float64 `json:"mean_bytes"`
	Codec         string  `json:"codec,omitempty"`
	Ratio         float64 `json:"ratio,omitempty"`
}

// valueStat is a column of numbers in stat --json with a name.
type valueStat struct {
	columnStat
	NaN     int             `json:"nan"`
	Missing int             `json:"missing,omitempty"`
	Min     json.RawMessage `json:"min"`
	Max     json.RawMessage `json:"max"`
	Mean    json.RawMessage `json:"mean"`
}

// vaultStat is stat --json without a name.
type vaultStat struct {
	File     string       `json:"file"`
	Bytes    int64        `json:"bytes"`
	Free     int64        `json:"free_bytes"`
	WALBytes int64        `json:"wal_bytes"`
	Columns  []columnStat `json:"columns"`
}

func newStatCommand(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "stat DB [NAME] [--json]",
		Short: "Measure a column, or all of them",
		Long: `Measure a column: the bytes that its elements take (live), that lie unused
between and after them (dead), of these the ones that are kept at the ends of
chunks for more (slack), and that all its chunks have (capacity); the sizes of
its elements; and of numbers and times the smallest and the largest, of numbers
their mean (without NaN) and how they went, as the means of equal stretches.
Without NAME a line for every column, the size of the file, what of it nothing
takes, which "compact" gives back, and the size of the write-ahead log; these are
0 in the JSON of a vault on a server.

--json prints one object. More fields may come; these stay:
  name, dtype                                text
  meaning                                    text, if there is one
  elements, chunks                           integers
  live_bytes, dead_bytes, slack_bytes, capacity_bytes  integers
  smallest_bytes, largest_bytes, mean_bytes  of an element
  codec, ratio                               of a native column that is compressed:
                                             zstd, and live by capacity; without
                                             NAME alone
and for a column of numbers or times
  nan                                        how many are NaN
  missing                                    how many are, if any
  min, max, mean                             numbers, "Infinity", "-Infinity",
                                             times or dates, or null if there
                                             are none; times have no mean
Without NAME it is {"file", "bytes", "free_bytes", "wal_bytes", "columns":
[...]}, bytes being the size of the file, free_bytes what of it nothing takes,
and wal_bytes the size of the write-ahead log beside it.
Columns that can only be listed, or whose type is unknown, are left out.`,
		Example: `  columnvault stat weather.db
  columnvault stat weather.db temp
  columnvault stat weather.db temp --json | jq .mean`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runStat(cmd.Context(), a, args[0], args[1:], asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// runStat measures the column of names, or all if it is empty.
func runStat(ctx context.Context, a *app, db string, names []string, asJSON bool) error {
	return reading(ctx, db, func(v *columnvault.Vault) error {
		return v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			if len(names) == 0 {
				return a.statAll(ctx, v, tx, asJSON)
			}
			return a.statColumn(ctx, tx, names[0], asJSON)
		})
	})
}

func (a *app) statAll(ctx context.Context, v *columnvault.Vault, tx *columnvault.Tx, asJSON bool) error {
	infos, err := tx.Columns(ctx)
	if err != nil {
		return err
	}
	sizes, err := v.FileSizes()
	onServer := errors.Is(err, columnvault.ErrUnsupported) // where there are no files to measure
	if err != nil && !onServer {
		return err
	}
	all := vaultStat{File: v.Path(), Bytes: sizes.Main, Free: sizes.Free, WALBytes: sizes.Log, Columns: []columnStat{}}
	t := a.table(term.Left("column"), term.Left("type"), term.Right("length"), term.Right("live"), term.Right("dead"),
		term.Right("slack"), term.Right("capacity"), term.Right("chunks"), term.Right("element"), term.Left(""))
	for _, info := range infos {
		if why := columns.Remark(info); why != "" {
			t.Add(excerpt.Printable(info.Name), showType(info.DType, info.Meaning), strconv.Itoa(info.Len), "", "", "", "", "", "", why)
			continue
		}
		s, err := measure(ctx, tx, info.Name)
		if err != nil {
			return err
		}
		all.Columns = append(all.Columns, s)
		t.Add(excerpt.Printable(s.Name), showType(s.DType, info.Meaning), strconv.Itoa(s.Elements), showInt(s.LiveBytes), showInt(s.DeadBytes),
			showInt(s.SlackBytes), showInt(s.CapacityBytes), strconv.Itoa(s.Chunks), strconv.FormatFloat(s.MeanBytes, 'g', 4, 64), layoutNote(info, &all.Columns[len(all.Columns)-1]))
	}
	if asJSON {
		return a.printJSON(all)
	}
	if err := t.Write(a.out); err != nil || onServer {
		return err
	}
	fmt.Fprintf(a.out, "\n%s: %s", all.File, term.Bytes(all.Bytes))
	if all.Free > 0 {
		fmt.Fprintf(a.out, ", of which %s are free", term.Bytes(all.Free))
	}
	if all.WALBytes > 0 {
		fmt.Fprintf(a.out, ", and %s of write-ahead log", term.Bytes(all.WALBytes))
	}
	_, err = fmt.Fprintln(a.out)
	return err
}

func (a *app) statColumn(ctx context.Context, tx *columnvault.Tx, name string, asJSON bool) error {
	col, err := columns.Open(ctx, tx, name)
	if err != nil {
		return err
	}
	s, err := measure(ctx, tx, name)
	if err != nil {
		return err
	}
	spec, m := columns.Spec(col), col.Meaning()
	var d scan.Description[any]
	var trend []float64
	if values.IsNumber(spec.Kind) {
		if d, trend, err = describeColumn(ctx, col); err != nil {
			return err
		}
	}
	if asJSON && values.IsNumber(spec.Kind) {
		out := describedAs(col, d, trend)
		return a.printJSON(valueStat{s, d.NaN, d.Missing, out.Min, out.Max, out.Mean})
	}
	if asJSON {
		return a.printJSON(s)
	}
	line := func(what, value string) { fmt.Fprintf(a.out, "%-9s %s\n", what, value) }
	line("column", excerpt.Printable(s.Name))
	line("type", showType(s.DType, m))
	line("length", strconv.Itoa(s.Elements))
	line("live", term.Bytes(s.LiveBytes))
	line("dead", term.Bytes(s.DeadBytes))
	line("slack", term.Bytes(s.SlackBytes))
	line("capacity", term.Bytes(s.CapacityBytes)+" in "+term.Plural(s.Chunks, "chunk"))
	if s.SmallestBytes == s.LargestBytes {
		line("element", term.Bytes(s.LargestBytes))
	} else {
		line("element", fmt.Sprintf("%d to %d bytes, %.4g on average", s.SmallestBytes, s.LargestBytes, s.MeanBytes))
	}
	if d.NaN > 0 {
		line("nan", strconv.Itoa(d.NaN))
	}
	if d.Missing > 0 {
		line("missing", strconv.Itoa(d.Missing))
	}
	if d.Count > 0 {
		sum := columns.Summary{Min: d.Min, Mean: d.Mean, Trend: trend}
		line("min", showValue(spec, m, d.Min))
		line("max", showValue(spec, m, d.Max))
		if !m.IsTime() {
			line("mean", showMean(sum))
		}
		line("trend", showTrend(sum))
	}
	return nil
}

// layoutNote says how a native column is stored, and what that saves.
func layoutNote(info columnvault.ColumnInfo, s *columnStat) string {
	if info.Layout != columnvault.Native {
		return ""
	}
	if s.Codec = codecOf(info); s.Codec == "" || s.CapacityBytes == 0 {
		return columns.Note(info)
	}
	s.Ratio = math.Round(100*float64(s.LiveBytes)/float64(s.CapacityBytes)) / 100
	return fmt.Sprintf("(native, %s, %.3gx)", s.Codec, s.Ratio)
}

func measure(ctx context.Context, tx *columnvault.Tx, name string) (columnStat, error) {
	col, err := columns.Open(ctx, tx, name)
	if err != nil {
		return columnStat{}, err
	}
	s, err := col.Stat(ctx)
	return columnStat{
		Name: name, DType: col.DType(), Meaning: col.Meaning().String(), Elements: s.Elements,
		LiveBytes: s.Live, DeadBytes: s.Dead, SlackBytes: s.Slack, CapacityBytes: s.Capacity, Chunks: s.Chunks,
		SmallestBytes: s.Smallest, LargestBytes: s.Largest, MeanBytes: s.Mean,
	}, err
}
