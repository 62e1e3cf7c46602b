package scan_test

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
	"columnvault/scan"
)

func TestSumOverflow(t *testing.T) {
	v := vaulttest.Open(t)
	ctx := t.Context()
	c := vaulttest.Create(t, v, "i", dtype.Int64, math.MaxInt64, math.MaxInt64, math.MinInt64, math.MinInt64)
	if sum, err := scan.Sum[int64](ctx, scan.Of(c)); sum != -2 || err != nil {
		t.Errorf("a sum that only overflows on the way: got %d, %v", sum, err)
	}
	_, err := scan.Sum[int64](ctx, scan.Of(c).Slice(0, 2))
	vaulttest.WantErr(t, "twice the largest", err, columnvault.ErrOutOfRange)
	vaulttest.WantErrText(t, "twice the largest", err, columnvault.ErrOutOfRange, `sum "i"`, "1.84467e+19", "int64")
	if sum, err := scan.Sum[uint64](ctx, scan.Of(c).Slice(0, 2)); sum != math.MaxUint64-1 || err != nil {
		t.Errorf("the same as uint64: got %d, %v", sum, err)
	}
	_, err = scan.Sum[int64](ctx, scan.Of(c).Slice(2, 4))
	vaulttest.WantErr(t, "twice the smallest", err, columnvault.ErrOutOfRange)
	if sum, err := scan.Sum[float64](ctx, scan.Of(c).Slice(2, 4)); sum != -0x1p64 || err != nil {
		t.Errorf("as float64: got %v, %v", sum, err)
	}
	if mean, err := scan.Mean(ctx, scan.Of(c).Slice(2, 4)); mean != math.MinInt64 || err != nil {
		t.Errorf("Mean: got %v, %v", mean, err)
	}
	keys := vaulttest.Create(t, v, "k", dtype.Uint8, 1, 1, 2, 2)
	_, err = scan.GroupBy[int64](ctx, scan.Of(keys), scan.Of(c))
	vaulttest.WantErr(t, "GroupBy", err, columnvault.ErrOutOfRange)
	_, err = scan.GroupBy[uint64](ctx, scan.Of(keys).Slice(2, 4), scan.Of(c))
	vaulttest.WantErr(t, "GroupBy of negative numbers", err, columnvault.ErrOutOfRange)
	groups, err := scan.GroupBy[uint64](ctx, scan.Of(keys).Slice(0, 2), scan.Of(c))
	if len(groups) != 1 || groups[0].Sum != math.MaxUint64-1 || err != nil {
		t.Errorf("got %v, %v", groups, err)
	}
}

// TestPairwise adds what a plain loop gets wrong.
func TestPairwise(t *testing.T) {
	v := vaulttest.Open(t)
	n := 1 << 20
	c := vaulttest.Create(t, v, "f", dtype.Float32, vaulttest.Sequence(n, func(int) float32 { return 0.1 })...)
	want := float64(float32(0.1)) * float64(n)
	if sum, err := scan.Sum[float64](t.Context(), scan.Of(c)); sum != want || err != nil {
		t.Errorf("got %v, %v, want %v", sum, err, want)
	}
	d := vaulttest.Create(t, v, "d", dtype.Float64, 1, 1e100, 1, -1e100)
	groups, err := scan.GroupBy[float64](t.Context(), scan.Map(scan.Of(d), func(float64) int { return 0 }), scan.Of(d))
	if len(groups) != 1 || groups[0].Sum != 2 || err != nil {
		t.Errorf("got %v, %v, want a sum of 2", groups, err)
	}
}

func TestInfinitiesAndNaN(t *testing.T) {
	v := vaulttest.Open(t)
	ctx := t.Context()
	inf, nan := math.Inf(1), math.NaN()
	c := vaulttest.Create(t, v, "f", dtype.Float64, nan, inf, 1, nan, 3, -inf)
	if low, high, err := scan.MinMax(ctx, scan.Of(c)); low != -inf || high != inf || err != nil {
		t.Errorf("MinMax: got %v, %v, %v", low, high, err)
	}
	if sum, err := scan.Sum[float64](ctx, scan.Of(c).Slice(0, 4)); sum != inf || err != nil {
		t.Errorf("Sum: got %v, %v", sum, err)
	}
	if sum, err := scan.Sum[float64](ctx, scan.Of(c)); sum == sum || err != nil {
		t.Errorf("Sum of both infinities: got %v, %v", sum, err)
	}
	if q, err := scan.Quantiles(ctx, scan.Of(c), 0, 0.5, 1); !slices.Equal(q, []float64{-inf, 1, inf}) || err != nil {
		t.Errorf("Quantiles: got %v, %v", q, err)
	}
	bins, err := scan.Histogram(ctx, scan.Of(c), 2)
	if want := []scan.Bin{{1, 2, 2}, {2, 3, 2}}; !slices.Equal(bins, want) || err != nil {
		t.Errorf("Histogram: got %v, %v, want %v", bins, err, want)
	}
	groups, err := scan.GroupBy[float64](ctx, scan.Of(c), scan.Of(c))
	if len(groups) != 4 || groups[0].Sum != -inf || groups[3].Sum != inf || err != nil {
		t.Errorf("GroupBy: got %v, %v", groups, err)
	}
	only := scan.Of(c).Slice(0, 1)
	if d, err := scan.Describe(ctx, only); d != (scan.Description[float64]{Len: 1, NaN: 1}) || err != nil {
		t.Errorf("Describe: got %+v, %v", d, err)
	}
	if bins, err := scan.Histogram(ctx, only, 2); len(bins) != 0 || err != nil {
		t.Errorf("Histogram of NaN: got %v, %v", bins, err)
	}
	wide := vaulttest.Create(t, v, "w", dtype.Float64, -math.MaxFloat64, 0, math.MaxFloat64)
	bins, err = scan.Histogram(ctx, scan.Of(wide), 3)
	if len(bins) != 3 || bins[0].Count != 1 || bins[1].Count != 1 || bins[2].Count != 1 || err != nil {
		t.Errorf("Histogram of a wide range: got %v, %v", bins, err)
	}
	vaulttest.WantErr(t, "no bins", vaulttest.ErrOf(scan.Histogram(ctx, scan.Of(wide), 0)), columnvault.ErrInvalidArgument)
	vaulttest.WantErr(t, "a quantile of NaN", vaulttest.ErrOf(scan.Quantiles(ctx, scan.Of(wide), nan)), columnvault.ErrInvalidArgument)
}

// TestQuantilesOfMany has more elements than are sorted in memory: spread over
// all integers, close together with some far away, and few different ones.
func TestQuantilesOfMany(t *testing.T) {
	v := vaulttest.Open(t)
	r := rand.New(rand.NewPCG(5, 6))
	for name, value := range map[string]func() int64{
		"spread": func() int64 { return int64(r.Uint64()) },
		"close":  func() int64 { return int64(math.Exp(r.NormFloat64()*8)) - 3 },
		"few":    func() int64 { return r.Int64N(3)<<40 + r.Int64N(2) },
		"one":    func() int64 { return -7 },
	} {
		values := vaulttest.Sequence(300_000, func(int) int64 { return value() })
		c := vaulttest.Create(t, v, name, dtype.Int64, values...)
		slices.Sort(values)
		wantQuantiles(t, t.Context(), scan.Of(c), values)
		floats := vaulttest.Sequence(len(values), func(i int) float64 { return float64(values[i]) / 1e9 })
		f := vaulttest.Create(t, v, name+".f", dtype.Float64, floats...)
		wantQuantiles(t, t.Context(), scan.Of(f), floats)
	}
}

func TestSearchSorted(t *testing.T) {
	v := vaulttest.Open(t)
	ctx := t.Context()
	r := rand.New(rand.NewPCG(7, 8))
	for _, n := range []int{0, 1, 2, 100, 5000} {
		values := vaulttest.Sequence(n, func(int) int64 { return r.Int64N(1000) })
		slices.Sort(values)
		c := vaulttest.Create(t, v, fmt.Sprint("c", n), dtype.Timestamp(dtype.Microsecond, ""), vaulttest.Sequence(n, func(i int) time.Time { return time.UnixMicro(values[i]) })...)
		s := scan.Of(vaulttest.Lookup(t, v, c.Name(), dtype.Int64))
		vaulttest.Must(t, scan.CheckSorted(ctx, s))
		for value := int64(-1); value < 1002; value += 17 {
			left, _ := slices.BinarySearch(values, value)
			right, _ := slices.BinarySearch(values, value+1)
			if at, err := scan.SearchSorted(ctx, s, value, scan.Left); at != left || err != nil {
				t.Fatalf("%d on the left of %d: got %d, %v, want %d", value, n, at, err, left)
			}
			if at, err := scan.SearchSorted(ctx, s, value, scan.Right); at != right || err != nil {
				t.Fatalf("%d on the right of %d: got %d, %v, want %d", value, n, at, err, right)
			}
			if at, err := scan.SearchSorted(ctx, s.Slice(n/3, -n/4), value, scan.Left); at < n/3 || at > max(n/3, n-n/4) || err != nil {
				t.Fatalf("%d in a slice: got %d, %v", value, at, err)
			}
		}
	}
	down := vaulttest.Create(t, v, "down", dtype.Int8, 1, 2, 2, 1, 5)
	err := scan.CheckSorted(ctx, scan.Of(down))
	vaulttest.WantErr(t, "CheckSorted", err, columnvault.ErrInvalidArgument)
	vaulttest.WantIndex(t, err, 3)
	gaps := vaulttest.Create(t, v, "gaps", dtype.Nullable(dtype.Int8), sql.Null[int8]{V: 1, Valid: true}, sql.Null[int8]{}, sql.Null[int8]{V: 3, Valid: true})
	vaulttest.WantIndex(t, scan.CheckSorted(ctx, scan.OfNull(gaps)), 1)
	_, err = scan.SearchSorted(ctx, scan.OfNull(gaps), 2, scan.Left)
	vaulttest.WantIndex(t, err, 1)
	words := vaulttest.Create(t, v, "words", dtype.String, "a", "b", "b", "d")
	if at, err := scan.SearchSorted(ctx, scan.Of(words), "b", scan.Right); at != 3 || err != nil {
		t.Errorf("text: got %d, %v", at, err)
	}
}

func TestNearest(t *testing.T) {
	v := vaulttest.Open(t)
	nearest(t, v, "f32", func(r *rand.Rand) float32 { return float32(r.NormFloat64()) })
	nearest(t, v, "f64", (*rand.Rand).NormFloat64)
	nearest(t, v, "i8", func(r *rand.Rand) int8 { return int8(r.Uint32()) })
}

func nearest[E dtype.Element](t *testing.T, v *columnvault.Vault, name string, value func(r *rand.Rand) E) {
	ctx := t.Context()
	r := rand.New(rand.NewPCG(9, 10))
	for _, row := range []int{1, 3, 4, 37} {
		rows := vaulttest.Sequence(3000, func(int) []E { return vaulttest.Sequence(row, func(int) E { return value(r) }) })
		rows[100] = make([]E, row)
		rows[2000], rows[1000] = rows[10], rows[10]
		c := vaulttest.Create(t, v, fmt.Sprint(name, row), dtype.Vector[E](row), rows...)
		wantNearest(t, ctx, c, rows, rows[10])
		got, err := scan.Nearest(ctx, c, rows[10], 3, scan.L2)
		if err != nil || got[0].Position != 10 || got[1].Position != 1000 && row > 1 {
			t.Fatalf("equally near ones: got %v, %v", got, err)
		}
	}
}

// wantNearest compares with the scores of all rows.
func wantNearest[E dtype.Element](t *testing.T, ctx context.Context, c *columnvault.Column[[]E], rows [][]E, query []E) {
	t.Helper()
	for _, metric := range []scan.Metric{scan.L2, scan.Cosine, scan.Dot} {
		scores := make([]float64, len(rows))
		order := make([]int, 0, len(rows))
		for i, v := range rows {
			var dot, square, squares, distance float64
			for k := range v {
				a, b := float64(v[k]), float64(query[k])
				dot, square, squares, distance = dot+a*b, square+a*a, squares+b*b, distance+(a-b)*(a-b)
			}
			scores[i] = []float64{math.Sqrt(distance), dot / math.Sqrt(square*squares), dot}[metric]
			if scores[i] == scores[i] {
				order = append(order, i)
			}
		}
		sign := 1.0
		if metric != scan.L2 {
			sign = -1
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(sign*scores[a], sign*scores[b]) })
		for _, k := range []int{0, 1, 10, 5000} {
			got, err := scan.Nearest(ctx, c, query, k, metric)
			if len(got) != min(k, len(order)) || err != nil {
				t.Fatalf("%s: got %d neighbors, %v, want %d", c.Name(), len(got), err, min(k, len(order)))
			}
			for i, n := range got {
				want := scores[order[i]]
				if d := math.Abs(n.Score - want); d > 1e-5*(1+math.Abs(want)) || math.Abs(n.Score-scores[n.Position]) > 1e-5*(1+math.Abs(want)) {
					t.Fatalf("%s, metric %d: neighbor %d is %+v, want %v", c.Name(), metric, i, n, want)
				}
			}
		}
	}
}

func TestNearestRefuses(t *testing.T) {
	v := vaulttest.Open(t)
	ctx := t.Context()
	c := vaulttest.Create(t, v, "c", dtype.Vector[float32](2), []float32{1, 2})
	free := vaulttest.Create(t, v, "free", dtype.Vector[float32](), []float32{1, 2})
	for name, err := range map[string]error{
		"a long query":   vaulttest.ErrOf(scan.Nearest(ctx, c, []float32{1, 2, 3}, 1, scan.L2)),
		"varying rows":   vaulttest.ErrOf(scan.Nearest(ctx, free, []float32{1, 2}, 1, scan.L2)),
		"negative k":     vaulttest.ErrOf(scan.Nearest(ctx, c, []float32{1, 2}, -1, scan.L2)),
		"another metric": vaulttest.ErrOf(scan.Nearest(ctx, c, []float32{1, 2}, 1, 9)),
	} {
		vaulttest.WantErr(t, name, err, columnvault.ErrInvalidArgument)
	}
}

func TestGroupByRefuses(t *testing.T) {
	v := vaulttest.Open(t)
	a := scan.Of(vaulttest.Create(t, v, "a", dtype.Int64, 1, 2))
	b := scan.Of(vaulttest.Create(t, v, "b", dtype.Int64, 1))
	f := scan.Of(vaulttest.Create(t, v, "f", dtype.Float32, 1, 2))
	for name, err := range map[string]error{
		"other lengths": vaulttest.ErrOf(scan.GroupBy[int64](t.Context(), a, b)),
		"a slice":       vaulttest.ErrOf(scan.GroupBy[int64](t.Context(), a, a.Slice(1, 2))),
		"floats":        vaulttest.ErrOf(scan.GroupBy[int64](t.Context(), a, f)),
	} {
		vaulttest.WantErr(t, name, err, columnvault.ErrInvalidArgument)
	}
}

// TestAny compares what is known of columns by their names alone.
func TestAny(t *testing.T) {
	v := vaulttest.Open(t)
	ctx := t.Context()
	vaulttest.Create(t, v, "i8", dtype.Int8, 100, 100, -3)
	vaulttest.Create(t, v, "u64", dtype.Uint64, math.MaxUint64)
	vaulttest.Create(t, v, "f16", dtype.Float16, 0.5, 1)
	vaulttest.Create(t, v, "null", dtype.Nullable(dtype.Int32), sql.Null[int32]{V: 4, Valid: true}, sql.Null[int32]{})
	vaulttest.Create(t, v, "time", dtype.Timestamp(dtype.Second, ""), time.Unix(5, 0), time.Unix(7, 0))
	vaulttest.Create(t, v, "text", dtype.String, "no number")
	for name, want := range map[string]struct {
		sum any
		d   scan.Description[any]
	}{
		"i8":   {int64(197), scan.Description[any]{Len: 3, Count: 3, Min: int8(-3), Quarter: int8(-3), Median: int8(100), ThreeQuarters: int8(100), Max: int8(100), Mean: 197.0 / 3}},
		"u64":  {uint64(math.MaxUint64), scan.Description[any]{Len: 1, Count: 1, Min: uint64(math.MaxUint64), Quarter: uint64(math.MaxUint64), Median: uint64(math.MaxUint64), ThreeQuarters: uint64(math.MaxUint64), Max: uint64(math.MaxUint64), Mean: 0x1p64}},
		"f16":  {1.5, scan.Description[any]{Len: 2, Count: 2, Min: float32(0.5), Quarter: float32(0.5), Median: float32(0.5), ThreeQuarters: float32(1), Max: float32(1), Mean: 0.75}},
		"null": {int64(4), scan.Description[any]{Len: 2, Missing: 1, Count: 1, Min: int32(4), Quarter: int32(4), Median: int32(4), ThreeQuarters: int32(4), Max: int32(4), Mean: 4}},
		"time": {nil, scan.Description[any]{Len: 2, Count: 2, Min: int64(5), Quarter: int64(5), Median: int64(5), ThreeQuarters: int64(7), Max: int64(7), Mean: 6}},
	} {
		c, err := v.Column(ctx, name)
		vaulttest.Must(t, err)
		sum, err := scan.SumAny(ctx, c, columnvault.Begin, columnvault.End)
		if sum != want.sum || want.sum == nil && !errors.Is(err, columnvault.ErrDType) {
			t.Errorf("%s: the sum is %v, %v, want %v", name, sum, err, want.sum)
		}
		if d, err := scan.DescribeAny(ctx, c, columnvault.Begin, columnvault.End); d != want.d || err != nil {
			t.Errorf("%s: got %+v, %v, want %+v", name, d, err, want.d)
		}
		f, err := scan.Float64s(c)
		vaulttest.Must(t, err)
		if mean, err := scan.Mean(ctx, f); mean != want.d.Mean || err != nil {
			t.Errorf("%s: the mean is %v, %v, want %v", name, mean, err, want.d.Mean)
		}
	}
	c, err := v.Column(ctx, "text")
	vaulttest.Must(t, err)
	vaulttest.WantErr(t, "text", vaulttest.ErrOf(scan.DescribeAny(ctx, c, 0, 1)), columnvault.ErrDType)
	vaulttest.WantErr(t, "text", vaulttest.ErrOf(scan.SumAny(ctx, c, 0, 1)), columnvault.ErrDType)
	vaulttest.WantErr(t, "text", vaulttest.ErrOf(scan.Float64s(c)), columnvault.ErrDType)
}

// TestCancel ends every function by its ctx.
func TestCancel(t *testing.T) {
	v := vaulttest.Open(t)
	ctx, cancel := context.WithCancel(t.Context())
	c := vaulttest.Create(t, v, "c", dtype.Int64, 1, 2, 3)
	rows := vaulttest.Create(t, v, "rows", dtype.Vector[int8](1), []int8{1})
	s := scan.Of(c)
	cancel()
	for name, err := range map[string]error{
		"Sum":          vaulttest.ErrOf(scan.Sum[int64](ctx, s)),
		"Count":        vaulttest.ErrOf(scan.Count(ctx, s)),
		"Where":        vaulttest.ErrOf(scan.Where(ctx, s, scan.Equal[int64](1))),
		"Quantiles":    vaulttest.ErrOf(scan.Quantiles(ctx, s, 0.5)),
		"GroupBy":      vaulttest.ErrOf(scan.GroupBy[int64](ctx, s, s)),
		"Describe":     vaulttest.ErrOf(scan.Describe(ctx, s)),
		"SearchSorted": vaulttest.ErrOf(scan.SearchSorted(ctx, s, 2, scan.Left)),
		"CheckSorted":  scan.CheckSorted(ctx, s),
		"Nearest":      vaulttest.ErrOf(scan.Nearest(ctx, rows, []int8{1}, 1, scan.Dot)),
	} {
		vaulttest.WantErr(t, name, err, context.Canceled)
	}
}

// TestAllocations counts them for columns of different length: none are for an
// element.
func TestAllocations(t *testing.T) {
	vaulttest.NeedsFile(t)
	v := vaulttest.Open(t)
	ctx := t.Context()
	allocations := func(n int) float64 {
		s := scan.Of(vaulttest.Create(t, v, fmt.Sprint("c", n), dtype.Int64, vaulttest.Span(0, n)...))
		keys := scan.Map(s, func(v int64) int64 { return v % 10 })
		return testing.AllocsPerRun(1, func() {
			vaulttest.Must(t, vaulttest.ErrOf(scan.Sum[int64](ctx, s)))
			vaulttest.Must(t, vaulttest.ErrOf(scan.Where(ctx, s, scan.Equal[int64](-1))))
			vaulttest.Must(t, vaulttest.ErrOf(scan.GroupBy[int64](ctx, keys, s)))
			vaulttest.Must(t, vaulttest.ErrOf(scan.Quantiles(ctx, s, 0.5)))
			vaulttest.Must(t, vaulttest.ErrOf(scan.Describe(ctx, s)))
		})
	}
	few, many := allocations(1000), allocations(400_000)
	if many > few+2000 {
		t.Errorf("%v allocations for 400,000 elements, %v for 1,000", many, few)
	}
}

// TestOneSnapshot writes from another vault while functions read that go through
// columns more than once, or through two.
func TestOneSnapshot(t *testing.T) {
	ctx := t.Context()
	for name, fn := range map[string]func(keys, values scan.Source[int64]) (int, error){
		"GroupBy": func(keys, values scan.Source[int64]) (int, error) {
			groups, err := scan.GroupBy[int64](ctx, keys, values)
			return len(groups), err
		},
		"Describe": func(keys, _ scan.Source[int64]) (int, error) {
			d, err := scan.Describe(ctx, keys)
			return int(d.Max) + 1, err
		},
		"Quantiles": func(keys, _ scan.Source[int64]) (int, error) {
			q, err := scan.Quantiles(ctx, keys, 1)
			return int(q[0]) + 1, err
		},
		"Histogram": func(keys, _ scan.Source[int64]) (int, error) {
			bins, err := scan.Histogram(ctx, keys, 1)
			return bins[0].Count, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := vaulttest.OpenPair(t, nil)
			k := vaulttest.Create(t, p.V, "k", dtype.Int64, vaulttest.Span(0, 10)...)
			v := vaulttest.Create(t, p.V, "v", dtype.Int64, vaulttest.Span(0, 10)...)
			other := vaulttest.Lookup(t, p.Other, "k", dtype.Int64)
			written := false
			keys := scan.Map(scan.Of(k), func(key int64) int64 {
				if !written {
					written = true
					vaulttest.Must(t, other.Append(ctx, 10, 11))
				}
				return key
			})
			if got, err := fn(keys, scan.Of(v)); got != 10 || err != nil {
				t.Errorf("got %d, %v, want the 10 elements of the beginning", got, err)
			}
		})
	}
}
