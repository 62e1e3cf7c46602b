package scan_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
	"columnvault/scan"
)

const benchLen = 10_000_000

func openBench(b *testing.B) *columnvault.Vault {
	v, err := columnvault.Open(b.Context(), filepath.Join(b.TempDir(), "bench.db"), nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { v.Close() })
	return v
}

// BenchmarkScan compares the functions with Read into one buffer.
func BenchmarkScan(b *testing.B) {
	b.Run("i64", func(b *testing.B) { benchScan(b, dtype.Int64, func() int64 { return rand.Int64() >> 20 }) })
	b.Run("f64", func(b *testing.B) { benchScan(b, dtype.Float64, rand.Float64) })
}

func benchScan[T dtype.Element](b *testing.B, t dtype.Type[T], value func() T) {
	ctx := context.Background()
	v := openBench(b)
	c, err := columnvault.Create(ctx, v, "x", t, nil)
	check(b, err)
	k, err := columnvault.Create(ctx, v, "k", dtype.Int64, nil)
	check(b, err)
	values, keys := make([]T, benchLen), make([]int64, benchLen)
	for i := range values {
		values[i], keys[i] = value(), rand.Int64N(1000)
	}
	check(b, c.Append(ctx, values...))
	check(b, k.Append(ctx, keys...))
	s := scan.Of(c)
	low, high, err := scan.MinMax(ctx, s)
	check(b, err)
	top := scan.AtLeast(T(float64(high) - (float64(high)-float64(low))/100))
	for _, run := range []struct {
		name string
		size int
		fn   func() error
	}{
		{"Read", 8, func() error { _, err := c.Read(ctx, values, 0); return err }},
		{"Sum", 8, func() error { _, err := scan.Sum[float64](ctx, s); return err }},
		{"MinMax", 8, func() error { _, _, err := scan.MinMax(ctx, s); return err }},
		{"Where", 8, func() error { _, err := scan.Where(ctx, s, top); return err }},
		{"Histogram", 8, func() error { _, err := scan.Histogram(ctx, s, 100); return err }},
		{"Median", 8, func() error { _, err := scan.Quantiles(ctx, s, 0.5); return err }},
		{"Describe", 8, func() error { _, err := scan.Describe(ctx, s); return err }},
		{"GroupBy", 16, func() error { _, err := scan.GroupBy[float64](ctx, scan.Of(k), s); return err }},
	} {
		b.Run(run.name, func(b *testing.B) {
			b.SetBytes(int64(benchLen * run.size))
			b.ReportAllocs()
			defer vaulttest.Meter(b)()
			for b.Loop() {
				check(b, run.fn())
			}
		})
	}
}

// BenchmarkNearest compares with ReadFlat into one buffer.
func BenchmarkNearest(b *testing.B) {
	const rows, row = 100_000, 384
	ctx := context.Background()
	c, err := columnvault.Create(ctx, openBench(b), "x", dtype.Vector[float32](row), nil)
	check(b, err)
	flat := make([]float32, rows*row)
	for i := range flat {
		flat[i] = rand.Float32()
	}
	check(b, columnvault.AppendFlat(ctx, c, flat))
	query := flat[:row:row]
	b.Run("Read", func(b *testing.B) {
		b.SetBytes(rows * row * 4)
		into := make([]float32, rows*row)
		for b.Loop() {
			_, err := columnvault.ReadFlat(ctx, c, into, 0)
			check(b, err)
		}
	})
	for _, metric := range []scan.Metric{scan.L2, scan.Cosine, scan.Dot} {
		b.Run(fmt.Sprint("metric", int(metric)), func(b *testing.B) {
			b.SetBytes(rows * row * 4)
			b.ReportAllocs()
			for b.Loop() {
				_, err := scan.Nearest(ctx, c, query, 10, metric)
				check(b, err)
			}
		})
	}
}

func check(tb testing.TB, err error) {
	if err != nil {
		tb.Fatal(err)
	}
}

// BenchmarkSorted counts elements of a range in ascending times, a hundredth of them
// and all, and searches.
func BenchmarkSorted(b *testing.B) {
	for _, layout := range []int{columnvault.Layout0, columnvault.Native} {
		v := openBench(b)
		c, err := columnvault.Create(b.Context(), v, "x", dtype.Int64, &columnvault.ColumnOptions{Layout: layout})
		check(b, err)
		check(b, c.Append(b.Context(), vaulttest.Span(0, benchLen)...))
		for name, from := range map[string]int64{"1 %": benchLen / 100 * 99, "all": 0} {
			b.Run(fmt.Sprintf("layout=%d/%s", max(0, layout), name), func(b *testing.B) {
				defer vaulttest.Meter(b)()
				for b.Loop() {
					n, err := scan.CountRange(b.Context(), scan.Of(c), from, benchLen)
					check(b, err)
					if int64(n) != benchLen-from {
						b.Fatal(n)
					}
				}
			})
		}
		b.Run(fmt.Sprintf("layout=%d/search", max(0, layout)), func(b *testing.B) {
			defer vaulttest.Meter(b)()
			for b.Loop() {
				_, err := scan.SearchSorted(b.Context(), scan.Of(c), rand.Int64N(benchLen), scan.Left)
				check(b, err)
			}
		})
	}
}

// BenchmarkBounds asks native columns, whose runs have bounds, of numbers that
// ascend and of random ones.
func BenchmarkBounds(b *testing.B) {
	ctx := b.Context()
	v := openBench(b)
	random := rand.New(rand.NewPCG(1, 2))
	for name, value := range map[string]func(i int) int64{
		"ascending": func(i int) int64 { return int64(i) },
		"random":    func(int) int64 { return random.Int64N(1000) },
	} {
		c, err := columnvault.Create(ctx, v, name, dtype.Int64, &columnvault.ColumnOptions{Layout: columnvault.Native})
		check(b, err)
		check(b, c.Append(ctx, vaulttest.Sequence(benchLen, value)...))
		s := scan.Of(c)
		for _, run := range []struct {
			name string
			fn   func() error
		}{
			{"MinMax", func() error { _, _, err := scan.MinMax(ctx, s); return err }},
			{"Count", func() error { _, err := scan.Count(ctx, s); return err }},
			{"CountRange", func() error { _, err := scan.CountRange(ctx, s, 200, benchLen/2); return err }},
			{"Histogram", func() error { _, err := scan.Histogram(ctx, s, 50); return err }},
			{"Median", func() error { _, err := scan.Quantiles(ctx, s, 0.5); return err }},
			{"Describe", func() error { _, err := scan.Describe(ctx, s); return err }},
		} {
			b.Run(name+"/"+run.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					check(b, run.fn())
				}
			})
		}
	}
}
