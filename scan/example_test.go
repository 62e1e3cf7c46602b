package scan_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"columnvault"
	"columnvault/dtype"
	"columnvault/scan"
)

// station makes a vault with an hour of measurements, one a minute: the times in
// microseconds, the temperatures, and the names of the sensors.
func station() (v *columnvault.Vault, done func()) {
	dir, err := os.MkdirTemp("", "columnvault-")
	must(err)
	v, err = columnvault.Open(context.Background(), filepath.Join(dir, "station.db"), nil)
	must(err)
	ctx := context.Background()
	times, err := columnvault.Create(ctx, v, "time", dtype.Timestamp(dtype.Microsecond, ""), nil)
	must(err)
	temps, err := columnvault.Create(ctx, v, "temp", dtype.Float64, nil)
	must(err)
	sensors, err := columnvault.Create(ctx, v, "sensor", dtype.String, nil)
	must(err)
	for i := range 60 {
		must(times.Append(ctx, noon.Add(time.Duration(i)*time.Minute)))
		must(temps.Append(ctx, 20+float64(i%10)/2))
		must(sensors.Append(ctx, []string{"roof", "yard"}[i%2]))
	}
	return v, func() {
		v.Close()
		os.RemoveAll(dir)
	}
}

var noon = time.Date(2026, 7, 31, 12, 0, 0, 0, time.UTC)

func open[T any](v *columnvault.Vault, name string, t dtype.Type[T]) scan.Source[T] {
	c, err := columnvault.Lookup(context.Background(), v, name, t)
	must(err)
	return scan.Of(c)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func ExampleSum() {
	v, done := station()
	defer done()
	total, err := scan.Sum[float64](context.Background(), open(v, "temp", dtype.Float64))
	fmt.Println(total, err)
	// Output: 1335 <nil>
}

func ExampleMean() {
	v, done := station()
	defer done()
	lastTen := open(v, "temp", dtype.Float64).Slice(-10, columnvault.End)
	mean, err := scan.Mean(context.Background(), lastTen)
	fmt.Println(mean, err)
	// Output: 22.25 <nil>
}

func ExampleMinMax() {
	v, done := station()
	defer done()
	low, high, err := scan.MinMax(context.Background(), open(v, "temp", dtype.Float64))
	fmt.Println(low, high, err)
	// Output: 20 24.5 <nil>
}

func ExampleWhere() {
	v, done := station()
	defer done()
	hot, err := scan.Where(context.Background(), open(v, "temp", dtype.Float64), scan.Above(24.0))
	fmt.Println(hot, err)
	// Output: [9 19 29 39 49 59] <nil>
}

func ExampleFilter() {
	v, done := station()
	defer done()
	values, err := scan.Filter(context.Background(), open(v, "temp", dtype.Float64), scan.Between(20.5, 21))
	fmt.Println(values[:4], err)
	// Output: [20.5 21 20.5 21] <nil>
}

func ExampleHistogram() {
	v, done := station()
	defer done()
	bins, err := scan.Histogram(context.Background(), open(v, "temp", dtype.Float64), 3)
	must(err)
	for _, b := range bins {
		fmt.Printf("%.1f to %.1f: %d\n", b.From, b.To, b.Count)
	}
	// Output:
	// 20.0 to 21.5: 18
	// 21.5 to 23.0: 18
	// 23.0 to 24.5: 24
}

// The mean of each quarter of an hour, and of each sensor.
func ExampleGroupBy() {
	v, done := station()
	defer done()
	ctx := context.Background()
	temps := open(v, "temp", dtype.Float64)
	quarters := scan.Map(open(v, "time", dtype.Int64), func(us int64) int64 { return us / (15 * 60 * 1_000_000) })
	groups, err := scan.GroupBy[float64](ctx, quarters, temps)
	must(err)
	for _, g := range groups {
		at := time.Unix(g.Key*15*60, 0).UTC()
		fmt.Printf("%s %.2f\n", at.Format("15:04"), g.Sum/float64(g.Count))
	}
	sensors, err := scan.GroupBy[float64](ctx, open(v, "sensor", dtype.String), temps)
	must(err)
	for _, g := range sensors {
		fmt.Println(g.Key, g.Count, g.Min, g.Max)
	}
	// Output:
	// 12:00 21.83
	// 12:15 22.67
	// 12:30 21.83
	// 12:45 22.67
	// roof 30 20 24
	// yard 30 20.5 24.5
}

func ExampleQuantiles() {
	v, done := station()
	defer done()
	q, err := scan.Quantiles(context.Background(), open(v, "temp", dtype.Float64), 0.5, 0.9)
	fmt.Println(q, err)
	// Output: [22 24] <nil>
}

func ExampleDescribe() {
	v, done := station()
	defer done()
	d, err := scan.Describe(context.Background(), open(v, "temp", dtype.Float64))
	fmt.Println(d.Count, d.Missing, d.Min, d.Median, d.Max, d.Mean, err)
	// Output: 60 0 20 22 24.5 22.25 <nil>
}

// A graph of a long column needs one reading: the extremes of equal stretches.
func ExampleStretches() {
	v, done := station()
	defer done()
	all, err := scan.Stretches(context.Background(), open(v, "temp", dtype.Float64), []int{0, 5, 15, 60})
	must(err)
	for _, s := range all {
		fmt.Printf("%d to %d: %v to %v, mean %.2f\n", s.From, s.To, s.Min, s.Max, s.Mean)
	}
	// Output:
	// 0 to 5: 20 to 22, mean 21.00
	// 5 to 15: 20 to 24.5, mean 22.25
	// 15 to 60: 20 to 24.5, mean 22.39
}

// The last ten minutes: times ascend, so they begin at one position in all
// columns. The mean of what was measured then is read from the file, and
// nothing before it.
func ExampleSearchSorted() {
	v, done := station()
	defer done()
	ctx := context.Background()
	times := open(v, "time", dtype.Int64)
	from := noon.Add(50 * time.Minute).UnixMicro()
	at, err := scan.SearchSorted(ctx, times, from, scan.Left)
	must(err)
	mean, err := scan.Mean(ctx, open(v, "temp", dtype.Float64).Slice(at, columnvault.End))
	fmt.Println(at, mean, err)
	// Output: 50 22.25 <nil>
}

func ExampleNearest() {
	v, done := station()
	defer done()
	ctx := context.Background()
	c, err := columnvault.Create(ctx, v, "embedding", dtype.Vector[float32](2), nil)
	must(err)
	must(c.Append(ctx, []float32{1, 0}, []float32{0, 1}, []float32{2, 2}))
	found, err := scan.Nearest(ctx, c, []float32{1, 0.9}, 2, scan.Cosine)
	must(err)
	for _, n := range found {
		fmt.Printf("%d %.2f\n", n.Position, n.Score)
	}
	// Output:
	// 2 1.00
	// 0 0.74
}

// What a column holds that is only known by its name.
func ExampleDescribeAny() {
	v, done := station()
	defer done()
	ctx := context.Background()
	c, err := v.Column(ctx, "temp")
	must(err)
	d, err := scan.DescribeAny(ctx, c, -10, columnvault.End)
	fmt.Println(d.Count, d.Min, d.Max, err)
	// Output: 10 20 24.5 <nil>
}

// The same of a column of any length, if it is cheap: this one is read whole, and
// that is allowed up to 100 elements.
func ExampleMinMaxAny() {
	v, done := station()
	defer done()
	ctx := context.Background()
	c, err := v.Column(ctx, "sensor")
	must(err)
	low, high, ok, err := scan.MinMaxAny(ctx, c, columnvault.Begin, columnvault.End, 100)
	fmt.Println(low, high, ok, err)
	_, _, ok, err = scan.MinMaxAny(ctx, c, columnvault.Begin, columnvault.End, 10)
	fmt.Println(ok, err)
	// Output:
	// roof yard true <nil>
	// false <nil>
}
