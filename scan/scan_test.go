package scan_test

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
	"columnvault/scan"
)

// lengths are those at the edges of blocks, of stretches and of unrolled loops.
var lengths = []int{0, 1, 3, 8, 129, 1000, 8193, 16385, 40_000}

// setting is a source with the elements that it should have, nil for those that
// are missing.
type setting[T any] struct {
	source scan.Source[T]
	want   []*T
	first  int // position of the first
}

// values are those that count.
func (s setting[T]) values() (values []T) {
	for _, p := range s.want {
		if p != nil && reflect.ValueOf(*p).Equal(reflect.ValueOf(*p)) {
			values = append(values, *p)
		}
	}
	return values
}

// settings calls fn with columns of all lengths: plain and nullable, whole and
// sliced, with elements that a cache holds, and inside of a transaction that has
// changed them.
func settings[T any](t *testing.T, typ dtype.Type[T], value func(r *rand.Rand) T, fn func(t *testing.T, ctx context.Context, s setting[T])) {
	v := vaulttest.Open(t)
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range lengths {
		values := vaulttest.Sequence(n, func(int) T { return value(r) })
		nulls := make([]sql.Null[T], n)
		plain, null := make([]*T, n), make([]*T, n)
		for i := range values {
			plain[i] = &values[i]
			if _, err := dtype.Nullable(typ).Append(nil, sql.Null[T]{V: values[i], Valid: true}); err == nil && r.IntN(3) > 0 {
				nulls[i] = sql.Null[T]{V: values[i], Valid: true}
				null[i] = &values[i]
			}
		}
		kinds(t, v, fmt.Sprintf("plain/%d", n), typ, values, plain, scan.Of, r, fn)
		kinds(t, v, fmt.Sprintf("null/%d", n), dtype.Nullable(typ), nulls, null, scan.OfNull, r, fn)
	}
}

func kinds[C, T any](t *testing.T, v *columnvault.Vault, name string, typ dtype.Type[C], values []C, want []*T, of func(*columnvault.Column[C]) scan.Source[T],
	r *rand.Rand, fn func(t *testing.T, ctx context.Context, s setting[T])) {
	n := len(values)
	i, j := 0, 0
	if n > 0 {
		i = r.IntN(n)
		j = i + r.IntN(n-i+1)
	}
	t.Run(name, func(t *testing.T) {
		ctx := t.Context()
		c := vaulttest.CreateWith(t, v, name, typ, vaulttest.Chunks(100, 30_000), values...)
		fn(t, ctx, setting[T]{of(c), want, 0})
		fn(t, ctx, setting[T]{of(c).Slice(i-n-1, j).Slice(i, j), want[i:j], i})
		held := vaulttest.CreateWith(t, v, name+"/held", typ, nil, values[:i]...)
		vaulttest.Must(t, held.EnableCache(ctx, vaulttest.CacheOf(1<<20, 1<<20)))
		vaulttest.Must(t, held.Append(ctx, values[i:]...))
		fn(t, ctx, setting[T]{of(held), want, 0})
		vaulttest.Must(t, held.DisableCache(ctx))
		vaulttest.Must(t, v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			part := c.In(tx)
			vaulttest.Must(t, part.Append(ctx, values...))
			fn(t, ctx, setting[T]{of(part), slices.Concat(want, want), 0})
			return nil
		}))
	})
}

func TestInt8(t *testing.T) {
	numbers(t, dtype.Int8, func(r *rand.Rand) int8 { return int8(r.Uint64()) })
}

func TestInt64(t *testing.T) {
	numbers(t, dtype.Int64, func(r *rand.Rand) int64 { return r.Int64() >> r.IntN(64) * (r.Int64N(3) - 1) })
}

func TestUint32(t *testing.T) { numbers(t, dtype.Uint32, (*rand.Rand).Uint32) }

func TestUint64(t *testing.T) {
	numbers(t, dtype.Uint64, func(r *rand.Rand) uint64 { return r.Uint64() >> r.IntN(64) })
}

func TestFloat32(t *testing.T) {
	numbers(t, dtype.Float32, func(r *rand.Rand) float32 { return float32(float(r)) })
}

func TestFloat64(t *testing.T) { numbers(t, dtype.Float64, float) }

// float returns a number, seldom none.
func float(r *rand.Rand) float64 {
	switch r.IntN(50) {
	case 0:
		return math.NaN()
	case 1:
		return math.Copysign(0, -1)
	}
	return r.NormFloat64() * 1000
}

// wantRuns: runs are the elements in order, and NaN for those that are missing.
func wantRuns[T dtype.Element](t *testing.T, ctx context.Context, s setting[T]) {
	t.Helper()
	at := 0
	for run, err := range scan.Runs(ctx, scan.Map(s.source, func(v T) float64 { return float64(v) })) {
		vaulttest.Must(t, err)
		if run.Start != s.first+at {
			t.Fatalf("Runs: a run begins at %d, want %d", run.Start, s.first+at)
		}
		for _, got := range run.Values {
			want := math.NaN()
			if p := s.want[at]; p != nil {
				want = float64(*p)
			}
			if got != want && (got == got || want == want) {
				t.Fatalf("Runs: element %d is %v, want %v", s.first+at, got, want)
			}
			at++
		}
	}
	if at != len(s.want) {
		t.Fatalf("Runs: %d elements, want %d", at, len(s.want))
	}
}

// numbers compares every function with the plain computation.
func numbers[T dtype.Element](t *testing.T, typ dtype.Type[T], value func(r *rand.Rand) T) {
	settings(t, typ, value, wantNumbers)
}

func wantNumbers[T dtype.Element](t *testing.T, ctx context.Context, s setting[T]) {
	t.Helper()
	values := s.values()
	sorted := slices.Sorted(slices.Values(values))
	if n, err := scan.Count(ctx, s.source); n != len(values) || err != nil {
		t.Fatalf("Count: got %d, %v, want %d", n, err, len(values))
	}
	wantSums(t, ctx, s.source, values)
	wantRuns(t, ctx, s)
	low, high, err := scan.MinMax(ctx, s.source)
	if len(values) == 0 {
		vaulttest.WantErr(t, "MinMax", err, columnvault.ErrNotFound)
		_, err = scan.Quantiles(ctx, s.source, 0.5)
		vaulttest.WantErr(t, "Quantiles", err, columnvault.ErrNotFound)
		_, err = scan.Mean(ctx, s.source)
		vaulttest.WantErr(t, "Mean", err, columnvault.ErrNotFound)
	} else if low != sorted[0] || high != sorted[len(sorted)-1] || err != nil {
		t.Fatalf("MinMax: got %v, %v, %v", low, high, err)
	}
	wantConditions(t, ctx, s, sorted)
	wantQuantiles(t, ctx, s.source, sorted)
	wantHistogram(t, ctx, s.source, values)
	wantStretches(t, ctx, s)
	d, err := scan.Describe(ctx, s.source)
	vaulttest.Must(t, err)
	if d.Len != len(s.want) || d.Count != len(values) || d.Missing+d.NaN+d.Count != d.Len || len(values) > 0 && (d.Min != low || d.Max != high) {
		t.Fatalf("Describe: got %+v", d)
	}
}

// wantSums compares sums with exact ones.
func wantSums[T dtype.Element](t *testing.T, ctx context.Context, s scan.Source[T], values []T) {
	t.Helper()
	exact, size := new(big.Float).SetPrec(2000), 0.0
	for _, v := range values {
		exact.Add(exact, precise(v))
		size += math.Abs(float64(v))
	}
	want, _ := exact.Float64()
	got, err := scan.Sum[float64](ctx, s)
	if math.Abs(got-want) > size*1e-14 || err != nil {
		t.Fatalf("Sum: got %v, %v, want %v", got, err, want)
	}
	if len(values) > 0 {
		if mean, err := scan.Mean(ctx, s); math.Abs(mean-want/float64(len(values))) > size*1e-14 || err != nil {
			t.Fatalf("Mean: got %v, %v, want %v", mean, err, want/float64(len(values)))
		}
	}
	whole, err := scan.Sum[int64](ctx, s)
	natural, err2 := scan.Sum[uint64](ctx, s)
	if T(1)/2 != 0 {
		vaulttest.WantErr(t, "Sum[int64] of floats", err, columnvault.ErrInvalidArgument)
		vaulttest.WantErr(t, "Sum[uint64] of floats", err2, columnvault.ErrInvalidArgument)
		return
	}
	total, _ := exact.Int(nil)
	if total.IsInt64() && (err != nil || whole != total.Int64()) || !total.IsInt64() && !errors.Is(err, columnvault.ErrOutOfRange) {
		t.Fatalf("Sum[int64]: got %d, %v, want %v", whole, err, total)
	}
	if total.IsUint64() && (err2 != nil || natural != total.Uint64()) || !total.IsUint64() && !errors.Is(err2, columnvault.ErrOutOfRange) {
		t.Fatalf("Sum[uint64]: got %d, %v, want %v", natural, err2, total)
	}
}

// precise is v as it is.
func precise[T dtype.Element](v T) *big.Float {
	f := new(big.Float).SetPrec(2000)
	switch v := any(v).(type) {
	case int64:
		return f.SetInt64(v)
	case uint64:
		return f.SetUint64(v)
	}
	return f.SetFloat64(float64(v))
}

func wantConditions[T dtype.Element](t *testing.T, ctx context.Context, s setting[T], sorted []T) {
	t.Helper()
	var a, b T
	if len(sorted) > 0 {
		a, b = sorted[len(sorted)/3], sorted[len(sorted)/2]
	}
	low, high := smallestAndLargest[T]()
	for name, c := range map[string]struct {
		condition scan.Condition[T]
		holds     func(v T) bool
	}{
		"Between":     {scan.Between(a, b), func(v T) bool { return a <= v && v <= b }},
		"empty":       {scan.Between(high, low), func(T) bool { return false }},
		"Equal":       {scan.Equal(a), func(v T) bool { return v == a }},
		"AtLeast":     {scan.AtLeast(a), func(v T) bool { return v >= a }},
		"AtMost":      {scan.AtMost(a), func(v T) bool { return v <= a }},
		"Above":       {scan.Above(a), func(v T) bool { return v > a }},
		"Below":       {scan.Below(a), func(v T) bool { return v < a }},
		"Above all":   {scan.Above(high), func(v T) bool { return v > high }},
		"Below all":   {scan.Below(low), func(v T) bool { return v < low }},
		"Above least": {scan.Above(low), func(v T) bool { return v > low }},
		"Below most":  {scan.Below(high), func(v T) bool { return v < high }},
		"That":        {scan.That(func(v T) bool { return v != a && v == v }), func(v T) bool { return v != a && v == v }},
	} {
		var positions []int
		var values []T
		for i, p := range s.want {
			if p != nil && c.holds(*p) {
				positions, values = append(positions, s.first+i), append(values, *p)
			}
		}
		got, err := scan.Where(ctx, s.source, c.condition)
		if !slices.Equal(got, positions) || err != nil {
			t.Fatalf("Where %s: got %d positions, %v, want %d", name, len(got), err, len(positions))
		}
		found, err := scan.Filter(ctx, s.source, c.condition)
		if !slices.Equal(found, values) || err != nil {
			t.Fatalf("Filter %s: got %d values, %v, want %d", name, len(found), err, len(values))
		}
		if n, err := scan.CountWhere(ctx, s.source, c.condition); n != len(positions) || err != nil {
			t.Fatalf("CountWhere %s: got %d, %v, want %d", name, n, err, len(positions))
		}
	}
	n := 0
	for _, v := range s.values() {
		if a <= v && v < b {
			n++
		}
	}
	if got, err := scan.CountRange(ctx, s.source, a, b); got != n || err != nil {
		t.Fatalf("CountRange: got %d, %v, want %d", got, err, n)
	}
}

func smallestAndLargest[T dtype.Element]() (low, high T) {
	if T(1)/2 != 0 {
		inf := math.Inf(1)
		return T(-inf), T(inf)
	}
	high = 1
	for high*2+1 > high {
		high = high*2 + 1
	}
	return high + 1, high // which wraps around
}

func wantQuantiles[T dtype.Element](t *testing.T, ctx context.Context, s scan.Source[T], sorted []T) {
	t.Helper()
	if len(sorted) == 0 {
		return
	}
	q := []float64{0.5, 0, 1, 0.25, 0.999, 0.5}
	for i := range 20 {
		q = append(q, float64(i)/20)
	}
	got, err := scan.Quantiles(ctx, s, q...)
	vaulttest.Must(t, err)
	for i, q := range q {
		want := sorted[min(max(int(math.Ceil(q*float64(len(sorted))))-1, 0), len(sorted)-1)]
		if got[i] != want {
			t.Fatalf("the quantile %v is %v, want %v", q, got[i], want)
		}
	}
}

func wantHistogram[T dtype.Element](t *testing.T, ctx context.Context, s scan.Source[T], values []T) {
	t.Helper()
	bins, err := scan.Histogram(ctx, s, 7)
	vaulttest.Must(t, err)
	count := 0
	for i, b := range bins {
		count += b.Count
		if i > 0 && b.From != bins[i-1].To {
			t.Fatalf("bins with a gap: %v", bins)
		}
		// Rounding may move those on an edge.
		about := (bins[len(bins)-1].To-bins[0].From)*1e-12 + math.Abs(b.To)*1e-15
		least, most := 0, 0
		for _, v := range values {
			if float64(v) < b.To-about {
				least++
			}
			if float64(v) <= b.To+about {
				most++
			}
		}
		if count < least || count > most {
			t.Fatalf("%d values up to the end of %+v, want %d to %d", count, b, least, most)
		}
	}
	if count != len(values) {
		t.Fatalf("Histogram counts %d values, want %d", count, len(values))
	}
}

func wantStretches[T dtype.Element](t *testing.T, ctx context.Context, s setting[T]) {
	t.Helper()
	n := len(s.want)
	bounds := []int{s.first, s.first + n/3, s.first + n/3, s.first + n/2, s.first + n}
	got, err := scan.Stretches(ctx, s.source, bounds)
	vaulttest.Must(t, err)
	for i, g := range got {
		values := setting[T]{want: s.want[bounds[i]-s.first : bounds[i+1]-s.first]}.values()
		if g.From != bounds[i] || g.To != bounds[i+1] || g.Count != len(values) {
			t.Fatalf("Stretches: got %+v, want %d values from %d to %d", g, len(values), bounds[i], bounds[i+1])
		}
		if len(values) > 0 && (g.Min != slices.Min(values) || g.Max != slices.Max(values)) {
			t.Fatalf("Stretches: got %+v, want %v to %v", g, slices.Min(values), slices.Max(values))
		}
	}
}

func TestText(t *testing.T) {
	value := func(r *rand.Rand) string { return fmt.Sprint("t", r.IntN(300)) }
	settings(t, dtype.String, value, func(t *testing.T, ctx context.Context, s setting[string]) {
		values := s.values()
		if len(values) == 0 {
			return
		}
		low, high, err := scan.MinMax(ctx, s.source)
		if low != slices.Min(values) || high != slices.Max(values) || err != nil {
			t.Fatalf("MinMax: got %q, %q, %v", low, high, err)
		}
		found, err := scan.Filter(ctx, s.source, scan.Between("t1", "t2"))
		want := slices.DeleteFunc(slices.Clone(values), func(v string) bool { return v < "t1" || v > "t2" })
		if !slices.Equal(found, want) || err != nil {
			t.Fatalf("Filter: got %d, %v, want %d", len(found), err, len(want))
		}
		if n, err := scan.Count(ctx, s.source); n != len(values) || err != nil {
			t.Fatalf("Count: got %d, %v", n, err)
		}
	})
}

// TestGroupBy compares groups by numbers, text and a function of the key with a
// map.
func TestGroupBy(t *testing.T) {
	v := vaulttest.Open(t)
	r := rand.New(rand.NewPCG(3, 4))
	for _, n := range lengths {
		prices := vaulttest.Create(t, v, fmt.Sprint("prices", n), dtype.Nullable(dtype.Int32), vaulttest.Sequence(n, func(int) sql.Null[int32] {
			return sql.Null[int32]{V: int32(r.Uint32() | 1), Valid: r.IntN(5) > 0}
		})...)
		sizes := vaulttest.Create(t, v, fmt.Sprint("sizes", n), dtype.Float64, vaulttest.Sequence(n, func(int) float64 { return float(r) })...)
		keys := vaulttest.Create(t, v, fmt.Sprint("keys", n), dtype.Nullable(dtype.Int64), vaulttest.Sequence(n, func(int) sql.Null[int64] {
			return sql.Null[int64]{V: r.Int64N(5000) << 40, Valid: r.IntN(4) > 0}
		})...)
		texts := vaulttest.Create(t, v, fmt.Sprint("texts", n), dtype.String, vaulttest.Sequence(n, func(int) string { return fmt.Sprint(r.IntN(40)) })...)
		floats := vaulttest.Create(t, v, fmt.Sprint("floats", n), dtype.Float32, vaulttest.Sequence(n, func(int) float32 {
			return []float32{1, 0, -0.5, float32(math.NaN())}[r.IntN(4)]
		})...)
		wantGroups(t, scan.OfNull(keys), scan.OfNull(prices))
		wantGroups(t, scan.Of(texts), scan.Of(sizes))
		wantGroups(t, scan.Of(floats), scan.OfNull(prices))
		wantGroups(t, scan.Map(scan.OfNull(keys), func(k int64) string { return fmt.Sprint(k % 3) }), scan.Of(sizes))
		wantGroups(t, scan.OfNull(keys).Slice(n/3, n/2), scan.Of(sizes))
	}
}

func wantGroups[K cmp.Ordered, V dtype.Element](t *testing.T, keys scan.Source[K], values scan.Source[V]) {
	t.Helper()
	ctx := t.Context()
	want := map[K]*scan.Group[K, V, float64]{}
	rows := map[int]K{}
	for _, pair := range listed(t, keys) {
		if pair.value == pair.value {
			rows[pair.at] = pair.value
		}
	}
	for _, pair := range listed(t, values) {
		key, ok := rows[pair.at]
		if !ok || pair.value != pair.value {
			continue
		}
		g := want[key]
		if g == nil {
			g = &scan.Group[K, V, float64]{Key: key, Min: pair.value, Max: pair.value}
			want[key] = g
		}
		g.Count, g.Sum, g.Min, g.Max = g.Count+1, g.Sum+float64(pair.value), min(g.Min, pair.value), max(g.Max, pair.value)
	}
	got, err := scan.GroupBy[float64](ctx, keys, values)
	vaulttest.Must(t, err)
	if len(got) != len(want) || !slices.IsSortedFunc(got, func(a, b scan.Group[K, V, float64]) int { return cmp.Compare(a.Key, b.Key) }) {
		t.Fatalf("got %d groups, want %d", len(got), len(want))
	}
	for _, g := range got {
		w := want[g.Key]
		if w == nil || g.Count != w.Count || g.Min != w.Min || g.Max != w.Max || math.Abs(g.Sum-w.Sum) > 1e-6*(1+math.Abs(w.Sum)) {
			t.Fatalf("got %+v, want %+v", g, w)
		}
	}
}

type listedValue[T any] struct {
	at    int
	value T
}

// listed returns the elements of a source that are not missing.
func listed[T cmp.Ordered](t *testing.T, s scan.Source[T]) (all []listedValue[T]) {
	every := scan.That(func(T) bool { return true })
	positions, err := scan.Where(t.Context(), s, every)
	vaulttest.Must(t, err)
	values, err := scan.Filter(t.Context(), s, every)
	vaulttest.Must(t, err)
	for i, at := range positions {
		all = append(all, listedValue[T]{at, values[i]})
	}
	return all
}
