package main

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestSparkline(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		values []float64
		want   string
	}{
		{nil, ""},
		{[]float64{5}, "▁"},
		{[]float64{2, 2, 2}, "▁▁▁"},
		{[]float64{0, 1, 2, 3, 4, 5, 6, 7}, "▁▂▃▄▅▆▇█"},
		{[]float64{1, nan, 0}, "█ ▁"},
		{[]float64{nan, nan}, "  "},
		{[]float64{0, inf, 1, -inf}, "▁██▁"},
		{[]float64{-math.MaxFloat64, 0, math.MaxFloat64}, "▁▅█"},
	} {
		if got := sparkline(c.values); got != c.want {
			t.Errorf("%v: got %q, want %q", c.values, got, c.want)
		}
	}
}

func TestTally(t *testing.T) {
	nan := math.NaN()
	tally := newTally[float64](6)
	for _, v := range []float64{nan, 3, -1, nan, nan, 4} {
		tally.add(v)
	}
	s := tally.summary()
	if s.min != -1.0 || s.max != 4.0 || s.mean != 2 || s.nan != 3 || len(s.trend) != 6 {
		t.Errorf("got %+v", s)
	}
	tally = newTally[float64](1)
	tally.add(nan)
	if s := tally.summary(); s.min != nil || s.hasNumbers() {
		t.Errorf("of NaN alone: got %+v", s)
	}
	exact := newTally[int64](2)
	exact.add(math.MaxInt64)
	exact.add(math.MinInt64)
	if s := exact.summary(); s.min != int64(math.MinInt64) || s.max != int64(math.MaxInt64) {
		t.Errorf("got %+v", s)
	}
}

// TestTrend checks that stretches are equal, whatever the length is, and that
// more values than announced do no harm.
func TestTrend(t *testing.T) {
	for rows := range 200 {
		trend := newTrend(rows)
		for range rows {
			trend.add(1)
		}
		if len(trend.means()) != min(rows, trendWidth) {
			t.Fatalf("%d rows make %d stretches", rows, len(trend.means()))
		}
		if rows > 0 && slices.Max(trend.counts)-slices.Min(trend.counts) > 1 {
			t.Fatalf("%d rows are split into %v", rows, trend.counts)
		}
		trend.add(1)
	}
}

func TestTable(t *testing.T) {
	for color, want := range map[bool]string{
		false: "name     n  trend\né       10  ▁\nlonger\n",
		true:  "\x1b[1mname\x1b[0m     \x1b[1mn\x1b[0m  \x1b[1mtrend\x1b[0m\né       10  \x1b[36m▁\x1b[0m\nlonger\n",
	} {
		table := table{columns: []tableColumn{{header: "name"}, {header: "n", right: true}, {header: "trend", color: cyan}}}
		table.add("é", "10", "▁")
		table.add("longer", "", "")
		var b strings.Builder
		if err := table.write(&b, color); err != nil || b.String() != want {
			t.Errorf("got\n%q\nwant\n%q (%v)", b.String(), want, err)
		}
	}
}

// TestTableInParts prints a table in two parts, of which the second is wider,
// and a cell that is too wide to align others with it.
func TestTableInParts(t *testing.T) {
	table := table{columns: []tableColumn{{header: "name"}, {header: "n", right: true}}}
	var b strings.Builder
	wide := strings.Repeat("x", maxWidth+1)
	for _, row := range [][]string{{"a", "1"}, {"longer", "22"}, {wide, "3"}, {"b", "4"}} {
		table.add(row...)
		if row[1] == "3" {
			continue
		}
		if err := table.write(&b, false); err != nil {
			t.Fatal(err)
		}
	}
	want := "name  n\na     1\nlonger  22\n" + wide + "   3\nb        4\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

func TestShow(t *testing.T) {
	for mean, want := range map[float64]string{
		0: "0", 16.43908: "16.4391", 1e6 + 0.25: "1000000", 1e300: "1e+300", math.Inf(-1): "-Infinity", 0.00001: "1e-05",
	} {
		if got := showMean(summary{min: 0.0, mean: mean, trend: []float64{1}}); got != want {
			t.Errorf("%v: got %s, want %s", mean, got, want)
		}
	}
	for n, want := range map[int64]string{
		1: "1 byte", 10239: "10239 bytes", 10240: "10240 bytes (10.0 KiB)", 1 << 30: "1073741824 bytes (1024.0 MiB)",
		1 << 40: "1099511627776 bytes (1024.0 GiB)",
	} {
		if got := showBytes(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}
