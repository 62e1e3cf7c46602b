package scan_test

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/store"
	"columnvault/internal/store/sqlite"
	"columnvault/internal/store/storetest"
	"columnvault/internal/vaulttest"
	"columnvault/scan"
)

// TestBounds compares what is found by the bounds of native columns with plain
// loops, after edits of all kinds, and that of columns without bounds too.
func TestBounds(t *testing.T) {
	v := vaulttest.Open(t)
	small := rapid.IntRange(-50, 50)
	t.Run("i64", func(t *testing.T) {
		boundsOf(t, v, dtype.Int64, rapid.Map(small, func(n int) int64 { return int64(n) }), numbersWithin)
	})
	t.Run("any i64", func(t *testing.T) { boundsOf(t, v, dtype.Int64, rapid.Int64(), numbersWithin) })
	t.Run("i8", func(t *testing.T) { boundsOf(t, v, dtype.Int8, rapid.Int8(), numbersWithin) })
	t.Run("u16", func(t *testing.T) { boundsOf(t, v, dtype.Uint16, rapid.Uint16(), numbersWithin) })
	t.Run("u64", func(t *testing.T) { boundsOf(t, v, dtype.Uint64, rapid.Uint64(), numbersWithin) })
	t.Run("f16", func(t *testing.T) {
		boundsOf(t, v, dtype.Float16, rapid.Map(small, func(n int) float32 { return float32(n) }), numbersWithin)
	})
	t.Run("f32", func(t *testing.T) { boundsOf(t, v, dtype.Float32, rapid.Float32(), numbersWithin) })
	special := rapid.SampledFrom([]float64{math.NaN(), math.Copysign(0, -1), 0, math.Inf(1), math.Inf(-1)})
	few := rapid.Map(small, func(n int) float64 { return float64(n) })
	t.Run("f64", func(t *testing.T) { boundsOf(t, v, dtype.Float64, rapid.OneOf(few, few, few, special), numbersWithin) })
	letters := rapid.StringOfN(rapid.SampledFrom([]rune("\x00abé")), 0, 12, -1)
	t.Run("text", func(t *testing.T) { boundsOf(t, v, dtype.String, letters, nil) })
	t.Run("long text", func(t *testing.T) {
		boundsOf(t, v, dtype.String, rapid.Map(letters, func(s string) string { return "the same" + s }), nil)
	})
	latin := dtype.Text(dtype.Latin1)
	t.Run("Latin-1", func(t *testing.T) { boundsOf(t, v, latin, letters, nil) })
	t.Run("text of one size", func(t *testing.T) {
		boundsOf(t, v, dtype.FixedText(24, dtype.UTF8), rapid.Map(letters, func(s string) string { return strings.ReplaceAll(s, "\x00", "0") }), nil)
	})
	t.Run("UTF-16", func(t *testing.T) { boundsOf(t, v, dtype.Text(dtype.UTF16LE), letters, nil) })
}

// boundsOf compares functions with loops over elements, of which some are missing
// in a column that is nullable. More compares what numbers have beside.
func boundsOf[T cmp.Ordered](t *testing.T, v *columnvault.Vault, typ dtype.Type[T], value *rapid.Generator[T], more func(t *rapid.T, ctx context.Context, s scan.Source[T], present []T)) {
	ctx := t.Context()
	vaulttest.Must(t, typ.Err())
	layouts := []*columnvault.ColumnOptions{
		{Layout: columnvault.Native, MaxChunk: 64},
		{Layout: columnvault.Native, MaxChunk: 64, Compression: columnvault.Zstd},
		vaulttest.Chunks(96, 96),
	}
	rapid.Check(t, func(t *rapid.T) {
		o := rapid.SampledFrom(layouts).Draw(t, "layout")
		null := dtype.Nullable(typ)
		nullable := null.Err() == nil && rapid.Bool().Draw(t, "nullable")
		if rapid.Bool().Draw(t, "cached") {
			vaulttest.Must(t, v.EnableCache(ctx, vaulttest.CacheOf(1<<20, 1<<20)))
		}
		defer func() {
			vaulttest.Must(t, v.DisableCache(ctx))
			vaulttest.Must(t, v.Drop(ctx, "x"))
		}()
		var model []sql.Null[T]
		one := rapid.Custom(func(t *rapid.T) sql.Null[T] {
			n := sql.Null[T]{V: value.Draw(t, "value"), Valid: true}
			if nullable {
				if _, err := null.Append(nil, n); err != nil || rapid.IntRange(0, 3).Draw(t, "missing") == 0 {
					return sql.Null[T]{}
				}
			}
			return n
		})
		identity := func(n sql.Null[T]) sql.Null[T] { return n }
		held := func(n sql.Null[T]) T { return n.V }
		var check func(ctx context.Context, tx *columnvault.Tx)
		if nullable {
			c := vaulttest.CreateWith(t, v, "x", null, o)
			editRandomly(t, ctx, c, one, &model, identity)
			check = func(ctx context.Context, tx *columnvault.Tx) {
				if tx != nil {
					c = c.In(tx)
					editRandomly(t, ctx, c, one, &model, identity)
				}
				compareWithin(t, ctx, c, scan.OfNull(c), model, one, more)
			}
		} else {
			c := vaulttest.CreateWith(t, v, "x", typ, o)
			editRandomly(t, ctx, c, one, &model, held)
			check = func(ctx context.Context, tx *columnvault.Tx) {
				if tx != nil {
					c = c.In(tx)
					editRandomly(t, ctx, c, one, &model, held)
				}
				compareWithin(t, ctx, c, scan.Of(c), model, one, more)
			}
		}
		if rapid.Bool().Draw(t, "update") { // what the transaction has changed is not committed
			vaulttest.Must(t, v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error { check(ctx, tx); return nil }))
		} else {
			check(ctx, nil)
		}
		vaulttest.WantSound(t, v)
	})
}

// editRandomly changes a column and its model alike. Some of the elements may then
// be held by a cache.
func editRandomly[E, T any](t *rapid.T, ctx context.Context, c *columnvault.Column[E], one *rapid.Generator[sql.Null[T]], model *[]sql.Null[T], stored func(sql.Null[T]) E) {
	for range rapid.IntRange(1, 10).Draw(t, "steps") {
		some := rapid.SliceOfN(one, 0, 30).Draw(t, "values")
		i := rapid.IntRange(0, len(*model)).Draw(t, "i")
		encoded := func() []E {
			return vaulttest.Sequence(len(some), func(k int) E { return stored(some[k]) })
		}
		switch rapid.SampledFrom([]string{"append", "append one", "insert", "set", "delete"}).Draw(t, "op") {
		case "append":
			vaulttest.Must(t, c.Append(ctx, encoded()...))
			*model = append(*model, some...)
		case "append one":
			some = some[:min(1, len(some))]
			vaulttest.Must(t, c.Append(ctx, encoded()...))
			*model = append(*model, some...)
		case "insert":
			vaulttest.Must(t, c.Insert(ctx, i, encoded()...))
			*model = slices.Insert(*model, i, some...)
		case "set":
			some = some[:min(len(some), len(*model)-i)]
			vaulttest.Must(t, c.SetSlice(ctx, i, i+len(some), encoded()))
			copy((*model)[i:], some)
		case "delete":
			j := min(len(*model), i+len(some))
			vaulttest.Must(t, c.Delete(ctx, i, j))
			*model = slices.Delete(*model, i, j)
		}
	}
}

// compareWithin compares what scan finds in a part of a column with its model.
func compareWithin[E any, T cmp.Ordered](t *rapid.T, ctx context.Context, c *columnvault.Column[E], s scan.Source[T], model []sql.Null[T], one *rapid.Generator[sql.Null[T]], more func(t *rapid.T, ctx context.Context, s scan.Source[T], present []T)) {
	i := rapid.IntRange(0, len(model)).Draw(t, "from")
	j := rapid.IntRange(i, len(model)).Draw(t, "to")
	low, high := one.Draw(t, "low").V, one.Draw(t, "high").V
	s = s.Slice(i, j)
	var present, between []T
	var where []int
	count, at := 0, i
	for k, n := range model[i:j] {
		if !n.Valid || n.V != n.V {
			continue
		}
		present = append(present, n.V)
		if n.V >= low && n.V < high {
			count++
		}
		if n.V >= low && n.V <= high {
			where, between = append(where, i+k), append(between, n.V)
		}
	}
	least, most, err := scan.MinMax(ctx, s)
	if len(present) == 0 {
		if !errors.Is(err, columnvault.ErrNotFound) {
			t.Fatalf("MinMax of nothing: %v to %v, %v", least, most, err)
		}
	} else if least != slices.Min(present) || most != slices.Max(present) || err != nil {
		t.Fatalf("MinMax: %v to %v, want %v to %v, %v", least, most, slices.Min(present), slices.Max(present), err)
	}
	if n, err := scan.Count(ctx, s); n != len(present) || err != nil {
		t.Fatalf("Count: %d, want %d, %v", n, len(present), err)
	}
	if got, err := scan.Where(ctx, s, scan.Between(low, high)); !slices.Equal(got, where) || err != nil {
		t.Fatalf("Where from %v to %v: %v, want %v, %v", low, high, got, where, err)
	}
	if got, err := scan.Filter(ctx, s, scan.Between(low, high)); !slices.Equal(got, between) || err != nil {
		t.Fatalf("Filter from %v to %v: %v, want %v, %v", low, high, got, between, err)
	}
	if n, err := scan.CountWhere(ctx, s, scan.Between(low, high)); n != len(where) || err != nil {
		t.Fatalf("CountWhere from %v to %v: %d, want %d, %v", low, high, n, len(where), err)
	}
	if n, err := scan.CountRange(ctx, s, low, high); n != count || err != nil {
		t.Fatalf("CountRange from %v to %v: %d, want %d, %v", low, high, n, count, err)
	}
	if more != nil {
		more(t, ctx, s, present)
	}
	// The bounds hold, and leave nothing out.
	for b, err := range c.Bounds(ctx, i, j) {
		vaulttest.Must(t, err)
		if b.From != at || b.To <= b.From {
			t.Fatalf("after %d there are bounds from %d to %d", at, b.From, b.To)
		}
		at = b.To
		part, err := c.Slice(ctx, b.From, b.To)
		vaulttest.Must(t, err)
		for _, value := range part {
			if key, ok := c.Key(value); b.Known && (!ok || key < b.Low || key > b.High) {
				t.Fatalf("%v has the key %d, %v, and not one from %d to %d", value, key, ok, b.Low, b.High)
			}
		}
	}
	if at != j {
		t.Fatalf("bounds end at %d of %d", at, j)
	}
}

// numbersWithin compares what numbers have beside.
func numbersWithin[T dtype.Element](t *rapid.T, ctx context.Context, s scan.Source[T], present []T) {
	bound := rapid.SampledFrom(append(slices.Clone(present), 0)).Draw(t, "bound")
	for name, c := range map[string]struct {
		c     scan.Condition[T]
		holds func(T) bool
	}{
		"at least": {scan.AtLeast(bound), func(v T) bool { return v >= bound }}, "above": {scan.Above(bound), func(v T) bool { return v > bound }},
		"at most": {scan.AtMost(bound), func(v T) bool { return v <= bound }}, "below": {scan.Below(bound), func(v T) bool { return v < bound }},
	} {
		want := 0
		for _, v := range present {
			if c.holds(v) {
				want++
			}
		}
		if n, err := scan.CountWhere(ctx, s, c.c); n != want || err != nil {
			t.Fatalf("%s %v: %d, want %d, %v", name, bound, n, want, err)
		}
	}
	sorted := slices.Sorted(slices.Values(present))
	d, err := scan.Describe(ctx, s)
	if vaulttest.Must(t, err); d.Count != len(present) || len(present) > 0 && (d.Min != sorted[0] || d.Max != sorted[len(sorted)-1] || d.Median != sorted[(len(sorted)-1)/2]) {
		t.Fatalf("Describe says %+v of %v", d, sorted)
	}
	bins, err := scan.Histogram(ctx, s, 3)
	vaulttest.Must(t, err)
	n := 0
	for _, b := range bins {
		n += b.Count
	}
	finite := slices.DeleteFunc(sorted, func(v T) bool { return v-v != 0 })
	switch {
	case len(finite) == 0:
		if len(bins) > 0 {
			t.Fatalf("a histogram of nothing: %v", bins)
		}
	case n != len(present) || bins[0].From != float64(finite[0]) || bins[2].To != float64(finite[len(finite)-1]):
		t.Fatalf("a histogram of %d numbers from %v to %v: %v", len(present), finite[0], finite[len(finite)-1], bins)
	}
	if len(present) > 0 {
		q, err := scan.Quantiles(ctx, s, 0, 1)
		if vaulttest.Must(t, err); q[0] != slices.Min(present) || q[1] != slices.Max(present) {
			t.Fatalf("quantiles %v of %v", q, present)
		}
	}
}

// TestWithinSkips looks that most of a sorted column is passed over.
func TestWithinSkips(t *testing.T) {
	v := vaulttest.Open(t)
	o := &columnvault.ColumnOptions{Layout: columnvault.Native, MaxChunk: 800}
	c := vaulttest.CreateWith(t, v, "x", dtype.Int64, o, vaulttest.Span(0, 10_000)...)
	from, to, err := c.Within(t.Context(), columnvault.Begin, columnvault.End, 5000, 5010)
	if err != nil || from > 5000 || to <= 5010 || to-from > 200 {
		t.Errorf("elements from 5000 to 5010 are within %d to %d, %v", from, to, err)
	}
	if from, to, err = c.Within(t.Context(), to, columnvault.End, 5000, 5010); from != 10_000 || to != 10_000 || err != nil {
		t.Errorf("after them there are more from %d to %d, %v", from, to, err)
	}
}

// TestSortedReadsLittle counts what a search and a range read of a sorted column
// whose runs have bounds.
func TestSortedReadsLittle(t *testing.T) {
	ctx := t.Context()
	const n = 100_000
	counter := storetest.NewCounter(storetest.NewMemory())
	v, err := vaulttest.OpenOver(func(context.Context, string, sqlite.Options) (store.Store, error) { return counter, nil }, "memory", nil)
	vaulttest.Must(t, err)
	o := &columnvault.ColumnOptions{Layout: columnvault.Native, MaxChunk: 800}
	c := vaulttest.CreateWith(t, v, "x", dtype.Int64, o, vaulttest.Span(0, n)...)
	counted := func(name string, bytes int64, fn func() (int, error), want int) {
		t.Helper()
		counts, err := counter.During(func() error {
			got, err := fn()
			if got != want {
				t.Errorf("%s gives %d, want %d", name, got, want)
			}
			return err
		})
		vaulttest.Must(t, err)
		if counts.BytesRead > bytes {
			t.Errorf("%s reads %d bytes, more than %d", name, counts.BytesRead, bytes)
		}
	}
	for _, value := range []int64{0, 1, 99, 100, 12_345, n - 1} {
		counted("a search", 8*8, func() (int, error) { return scan.SearchSorted(ctx, scan.Of(c), value, scan.Left) }, int(value))
		counted("a search", 8*8, func() (int, error) { return scan.SearchSorted(ctx, scan.Of(c), value, scan.Right) }, int(value)+1)
	}
	counted("a search beyond", 8*20, func() (int, error) { return scan.SearchSorted(ctx, scan.Of(c), n+5, scan.Left) }, n)
	counted("a range of 1 %", 2*800, func() (int, error) { return scan.CountRange(ctx, scan.Of(c), 50_050, 51_050) }, 1000)
	counted("a range of 99 %", 2*800, func() (int, error) { return scan.CountWhere(ctx, scan.Of(c), scan.AtLeast[int64](1050)) }, n-1050)
	counted("positions of 99 %", 2*800, func() (int, error) {
		at, err := scan.Where(ctx, scan.Of(c), scan.AtMost[int64](n-1050))
		return len(at), err
	}, n-1049)
	counted("all", 0, func() (int, error) { return scan.Count(ctx, scan.Of(c)) }, n)
	most := func() (int, error) {
		low, high, err := scan.MinMax(ctx, scan.Of(c))
		return int(high - low), err
	}
	counted("the extremes", 2*800, most, n-1)
	counted("the extremes of a part", 2*800, func() (int, error) {
		low, high, err := scan.MinMax(ctx, scan.Of(c).Slice(1050, n-1050))
		return int(high - low), err
	}, n-2101)

	// Bounds that have become too wide cost the runs in question.
	vaulttest.Must(t, c.Set(ctx, n/2, -5))
	counted("a new extreme", 2*800, most, n+4)
	vaulttest.Must(t, c.Set(ctx, n/2, n/2))
	counted("an extreme that is gone", 3*800, most, n-1)
	vaulttest.Must(t, c.Delete(ctx, 0, 50))
	counted("a front that is gone", 3*800, most, n-51)
	counted("what is left", 0, func() (int, error) { return scan.Count(ctx, scan.Of(c)) }, n-50)
}

// TestSearchForExtremesEnds has bounds that are all too wide: each run is read once.
func TestSearchForExtremesEnds(t *testing.T) {
	const n, per = 1000, 10
	counter := storetest.NewCounter(storetest.NewMemory())
	v, err := vaulttest.OpenOver(func(context.Context, string, sqlite.Options) (store.Store, error) { return counter, nil }, "memory", nil)
	vaulttest.Must(t, err)
	o := &columnvault.ColumnOptions{Layout: columnvault.Native, MaxChunk: 8 * per}
	c := vaulttest.CreateWith(t, v, "x", dtype.Int64, o, vaulttest.Span(0, n)...)
	for i := 0; i < n; i += per {
		vaulttest.Must(t, c.Set(t.Context(), i, -n))
		vaulttest.Must(t, c.Set(t.Context(), i+1, 2*n))
		vaulttest.Must(t, c.SetSlice(t.Context(), i, i+2, []int64{int64(i), int64(i) + 1}))
	}
	counts, err := counter.During(func() error {
		low, high, err := scan.MinMax(t.Context(), scan.Of(c))
		if low != 0 || high != n-1 {
			t.Errorf("from %d to %d", low, high)
		}
		return err
	})
	if vaulttest.Must(t, err); counts.BytesRead != 8*n {
		t.Errorf("%d bytes were read of %d", counts.BytesRead, 8*n)
	}
}
