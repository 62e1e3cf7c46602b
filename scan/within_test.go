package scan_test

import (
	"context"
	"math"
	"slices"
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

// TestWithin compares what conditions find in native columns, which pass over runs
// by their bounds, with what is there, after edits of all kinds.
func TestWithin(t *testing.T) {
	v := vaulttest.Open(t)
	rapid.Check(t, func(t *rapid.T) {
		o := &columnvault.ColumnOptions{Layout: columnvault.Native, MaxChunk: 64, Compression: rapid.SampledFrom([]columnvault.Compression{columnvault.Uncompressed, columnvault.Zstd}).Draw(t, "compression")}
		c := vaulttest.CreateWith(t, v, "x", dtype.Float64, o)
		defer func() { vaulttest.Must(t, v.Drop(t.Context(), "x")) }()
		number := rapid.OneOf(rapid.Map(rapid.IntRange(-50, 50), func(n int) float64 { return float64(n) }),
			rapid.SampledFrom([]float64{math.NaN(), math.Copysign(0, -1), math.Inf(1), math.Inf(-1)}))
		var model []float64
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			some := rapid.SliceOfN(number, 0, 30).Draw(t, "values")
			slices.Sort(some)
			i := rapid.IntRange(0, len(model)).Draw(t, "i")
			switch rapid.IntRange(0, 3).Draw(t, "op") {
			case 0:
				vaulttest.Must(t, c.Append(t.Context(), some...))
				model = append(model, some...)
			case 1:
				vaulttest.Must(t, c.Insert(t.Context(), i, some...))
				model = slices.Insert(model, i, some...)
			case 2:
				some = some[:min(len(some), len(model)-i)]
				vaulttest.Must(t, c.SetSlice(t.Context(), i, i+len(some), some))
				copy(model[i:], some)
			case 3:
				j := min(len(model), i+len(some))
				vaulttest.Must(t, c.Delete(t.Context(), i, j))
				model = slices.Delete(model, i, j)
			}
		}
		low, high := number.Draw(t, "low"), number.Draw(t, "high")
		var want []int
		count := 0
		for i, x := range model {
			if x >= low && x <= high {
				want = append(want, i)
			}
			if x >= low && x < high {
				count++
			}
		}
		got, err := scan.Where(t.Context(), scan.Of(c), scan.Between(low, high))
		if !slices.Equal(got, want) || err != nil {
			t.Fatalf("Where from %v to %v: %v, want %v, %v", low, high, got, want, err)
		}
		if n, err := scan.CountRange(t.Context(), scan.Of(c), low, high); n != count || err != nil {
			t.Fatalf("CountRange from %v to %v: %d, want %d, %v", low, high, n, count, err)
		}
	})
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
	counted("a range of 1 %", 8*n/30, func() (int, error) { return scan.CountRange(ctx, scan.Of(c), 50_050, 51_050) }, 1000)
}
