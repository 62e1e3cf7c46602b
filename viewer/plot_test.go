package viewer_test

import (
	"database/sql"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"columnvault/dtype"
	"columnvault/internal/vaulttest"
	"columnvault/viewer"
)

// plotted is an answer of api/plot; null is nil.
type plotted struct {
	Length, From, To, Step int
	Exact                  bool
	X                      []float64
	Series                 []struct{ Y, Low, High []*float64 }
}

// point is what a part of a plot has to be.
type point struct {
	sum, low, high float64
	n              int
}

func (p *point) add(v *float64) {
	if v == nil {
		return
	}
	if p.n == 0 {
		p.low, p.high = *v, *v
	}
	p.sum, p.low, p.high, p.n = p.sum+*v, min(p.low, *v), max(p.high, *v), p.n+1
}

// wantPoint compares a part with the point of a plot at i.
func wantPoint(t *testing.T, what string, p plotted, i int, want point) {
	t.Helper()
	s := p.Series[0]
	if want.n == 0 {
		if s.Y[i] != nil || s.Low[i] != nil || s.High[i] != nil {
			t.Fatalf("%s: part %d is %v, want none", what, i, *s.Y[i])
		}
		return
	}
	if math.Abs(*s.Y[i]-want.sum/float64(want.n)) > 1e-9 || *s.Low[i] != want.low || *s.High[i] != want.high {
		t.Fatalf("%s: part %d is %v, %v to %v, want %+v", what, i, *s.Y[i], *s.Low[i], *s.High[i], want)
	}
}

// TestPlots compares plots with what is computed from all elements.
func TestPlots(t *testing.T) {
	v := vaulttest.Open(t)
	h := viewer.Handler(v, viewer.Options{})
	r := rand.New(rand.NewPCG(5, 6))
	for _, n := range []int{1, 2, 19, 20, 21, 1000, 40_001} {
		values, nulls := make([]*float64, n), make([]sql.Null[float64], n)
		for i := range values {
			if r.IntN(4) > 0 {
				nulls[i] = sql.Null[float64]{V: math.Round(r.NormFloat64() * 1000), Valid: true}
				values[i] = &nulls[i].V
			}
		}
		name := fmt.Sprint("y", n)
		vaulttest.Create(t, v, name, dtype.Nullable(dtype.Float64), nulls...)
		for range 8 {
			from, width := r.IntN(n), 1+r.IntN(30)
			to := from + 1 + r.IntN(n-from)
			what := fmt.Sprintf("%d to %d of %d, %d wide", from, to, n, width)
			p := answer[plotted](t, h, "/api/plot"+q("column", name, "from", fmt.Sprint(from), "to", fmt.Sprint(to), "width", fmt.Sprint(width)))
			if p.Length != n || p.From != from || p.To != to || p.Exact != (to-from <= 2*width) || len(p.X) > 2*width+1 {
				t.Fatalf("%s: %d points of %d, %d to %d, exact %v", what, len(p.X), p.Length, p.From, p.To, p.Exact)
			}
			for i, x := range p.X {
				if p.Exact {
					if got, want := p.Series[0].Y[i], values[from+i]; x != float64(from+i) || (got == nil) != (want == nil) || got != nil && *got != *want {
						t.Fatalf("%s: element %v differs", what, x)
					}
					continue
				}
				end := to
				if i+1 < len(p.X) {
					end = int(p.X[i+1])
				}
				var want point
				for _, v := range values[int(x):end] {
					want.add(v)
				}
				wantPoint(t, what, p, i, want)
			}
		}
	}
}

// TestPlotsOver: over another column, whether that ascends or not.
func TestPlotsOver(t *testing.T) {
	v := vaulttest.Open(t)
	h := viewer.Handler(v, viewer.Options{})
	r := rand.New(rand.NewPCG(7, 8))
	for _, sorted := range []bool{true, false} {
		for _, n := range []int{1, 15, 1000, 30_000} {
			x, y := make([]int64, n), make([]int32, n)
			for i := range x {
				x[i], y[i] = r.Int64N(1_000_000)-500_000, int32(r.IntN(2000)-1000)
			}
			if sorted {
				slices.Sort(x)
			}
			suffix := fmt.Sprint(n, sorted)
			vaulttest.Create(t, v, "x"+suffix, dtype.Int64, x...)
			vaulttest.Create(t, v, "y"+suffix, dtype.Int32, y...)
			for _, part := range []bool{false, true} {
				const width = 10
				low, high := slices.Min(x), slices.Max(x)
				query := []string{"column", "y" + suffix, "x", "x" + suffix, "width", fmt.Sprint(width)}
				if part {
					low, high = -200_000, 100_000
					query = append(query, "low", fmt.Sprint(low), "high", fmt.Sprint(high))
				}
				p := answer[plotted](t, h, "/api/plot"+q(query...))
				what := fmt.Sprintf("%d sorted %v, part %v", n, sorted, part)
				if !slices.IsSorted(p.X) {
					t.Fatalf("%s: X does not ascend", what)
				}
				inside := 0
				for _, v := range x {
					if v >= low && v <= high {
						inside++
					}
				}
				if p.Exact != (inside <= 2*width) && !(sorted && part && inside > 2*width-2) {
					t.Fatalf("%s: %d are inside, and exact is %v", what, inside, p.Exact)
				}
				if p.Exact {
					continue
				}
				// However X is divided, each element belongs to one part.
				var all point
				for i := range p.X {
					s := p.Series[0]
					all.low, all.high = min(all.low, *s.Low[i]), max(all.high, *s.High[i])
				}
				var want point
				for i, v := range x {
					if v >= low && v <= high {
						f := float64(y[i])
						want.add(&f)
					}
				}
				// Of an X that ascends, a neighbor at either side is there too.
				if all.low > want.low || all.high < want.high || len(p.X) > width {
					t.Fatalf("%s: from %v to %v in %d parts, want %v to %v", what, all.low, all.high, len(p.X), want.low, want.high)
				}
			}
		}
	}
}

// TestSample: a summary of a column that is not short is of 4,096 positions spread
// over it, the first and the last among them, and says so; the column itself is
// exact.
func TestSample(t *testing.T) {
	v := vaulttest.Open(t)
	h := viewer.Handler(v, viewer.Options{})
	type summary struct {
		Len, Looked, Missing int
		Exact                bool
		Min, Max             string
	}
	for _, n := range []int{4096, 4097, 50_000} {
		name := fmt.Sprint("y", n)
		vaulttest.Create(t, v, name, dtype.Nullable(dtype.Int64), vaulttest.Sequence(n, func(i int) sql.Null[int64] {
			return sql.Null[int64]{V: int64(i), Valid: i%2 == 0 || i == n-1}
		})...)
		s := answer[[]summary](t, h, "/api/summaries"+q("column", name))[0]
		if s.Len != n || s.Looked != 4096 || s.Exact != (n <= 4096) || s.Min != "0" || s.Max != fmt.Sprint(n-1) || s.Missing < 1800 || s.Missing > 2300 {
			t.Errorf("of %d elements the summary is %+v", n, s)
		}
		if d := answer[struct{ Missing int }](t, h, "/api/column"+q("column", name)); d.Missing != (n-1)/2 {
			t.Errorf("of %d elements %d are missing", n, d.Missing)
		}
	}
}

// TestExtremeRanges: a range may be as small as floats are, or as large.
func TestExtremeRanges(t *testing.T) {
	v := vaulttest.Open(t)
	h := viewer.Handler(v, viewer.Options{})
	for name, x := range map[string][]float64{
		"tiny": {0, 5e-324, 1e-323, 1.5e-323}, "large": {-math.MaxFloat64, 0, math.MaxFloat64, 1}, "equal": {7, 7, 7, 7}, "none": {math.NaN(), math.NaN(), math.NaN(), math.NaN()},
		"infinite": {math.Inf(-1), 1, 2, math.Inf(1)},
	} {
		vaulttest.Create(t, v, name, dtype.Float64, slices.Repeat(x, 100)...)
		for _, target := range []string{"/api/plot" + q("column", name, "width", "3"), "/api/plot" + q("column", name, "x", name, "width", "3"), "/api/histogram" + q("column", name, "bins", "3"), "/api/summaries" + q("column", name), "/api/column" + q("column", name)} {
			answer[any](t, h, target)
		}
	}
}

// TestShortViews: a plot of many elements is read in several snapshots, so that
// the log can be emptied in between, and none stays open.
func TestShortViews(t *testing.T) {
	v := vaulttest.Open(t)
	const n = 9 << 20
	vaulttest.Create(t, v, "bytes", dtype.Uint8, make([]uint8, n)...)
	h := viewer.Handler(v, viewer.Options{})
	for target, least := range map[string]int64{"/api/plot" + q("column", "bytes"): 3, "/api/histogram" + q("column", "bytes"): 6, "/api/plot" + q("column", "bytes", "x", "bytes"): 9} {
		before := v.Stats().Snapshots
		answer[any](t, h, target)
		after := v.Stats()
		if opened := after.Snapshots - before; opened < least || after.SnapshotsOpen != 0 {
			t.Errorf("%s opens %d snapshots, want %d at least, and %d stay open", target, opened, least, after.SnapshotsOpen)
		}
	}
}

// TestHistogram: every number counts once.
func TestHistogram(t *testing.T) {
	v := vaulttest.Open(t)
	h := viewer.Handler(v, viewer.Options{})
	r := rand.New(rand.NewPCG(9, 1))
	values := vaulttest.Sequence(50_000, func(int) float32 { return float32(r.NormFloat64()) })
	values[17], values[18] = float32(math.NaN()), float32(math.Inf(1))
	vaulttest.Create(t, v, "y", dtype.Float32, values...)
	type bins struct {
		From, To float64
		Counts   []int
	}
	got := answer[bins](t, h, "/api/histogram"+q("column", "y", "bins", "20"))
	want := make([]int, 20)
	for _, v := range values {
		if f := float64(v); f == f {
			want[int(min(max((f-got.From)/(got.To-got.From)*20, 0), 19))]++
		}
	}
	sum := 0
	for i, n := range got.Counts {
		sum += n
		if d := n - want[i]; d < -2 || d > 2 { // those at an edge
			t.Errorf("bin %d has %d, want %d", i, n, want[i])
		}
	}
	if sum != len(values)-1 {
		t.Errorf("%d count, want %d", sum, len(values)-1)
	}
}

// BenchmarkPlot draws 10^7 integers, whole and zoomed in.
func BenchmarkPlot(b *testing.B) {
	v := openBench(b)
	const n = 10_000_000
	c := vaulttest.Create(b, v, "y", dtype.Int64)
	for i := 0; i < n; i += 1_000_000 {
		vaulttest.Must(b, c.Append(b.Context(), vaulttest.Span(i, i+1_000_000)...))
	}
	h := viewer.Handler(v, viewer.Options{})
	for name, target := range map[string]string{"whole": "/api/plot?column=y", "zoomed": "/api/plot?column=y&from=5000000&to=5100000", "over": "/api/plot?column=y&x=y"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if w := get(b, h, target); w.Code != 200 {
					b.Fatal(w.Body)
				}
			}
		})
	}
}

// BenchmarkOverview lists 1,000 columns.
func BenchmarkOverview(b *testing.B) {
	v := openBench(b)
	for i := range 1000 {
		vaulttest.Create(b, v, fmt.Sprintf("group%d.column%d", i/50, i), dtype.Int64, int64(i))
	}
	h := viewer.Handler(v, viewer.Options{})
	for b.Loop() {
		get(b, h, "/")
		if w := get(b, h, "/api/overview"); w.Code != 200 {
			b.Fatal(w.Body)
		}
	}
}
