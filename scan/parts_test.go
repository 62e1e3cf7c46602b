package scan_test

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"sync"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
	"columnvault/scan"
)

// partsLen is the length of some parts and a bit.
const partsLen = 1_500_001

// inParts is what scans say of a column of floats, one of nullable numbers, one of
// vectors and one that a function of the test makes.
func inParts(ctx context.Context, t *testing.T, v *columnvault.Vault) []any {
	t.Helper()
	floats := vaulttest.Lookup(t, v, "floats", dtype.Float32)
	nulls := vaulttest.Lookup(t, v, "nulls", dtype.Nullable(dtype.Int8))
	vectors := vaulttest.Lookup(t, v, "vectors", dtype.Vector[float32](2))
	var all []any
	add := func(result any, err error) {
		t.Helper()
		vaulttest.Must(t, err)
		all = append(all, result)
	}
	calls := 0
	mapped := scan.Map(scan.Of(floats), func(f float32) float64 { calls++; return float64(f) + 1 })
	for _, part := range [][2]int{{columnvault.Begin, columnvault.End}, {17, -5}, {300_000, 300_001}, {5, 5}} {
		i, j := part[0], part[1]
		sum, err := scan.Sum[float64](ctx, scan.Of(floats).Slice(i, j))
		add(sum, err)
		about, err := scan.Describe(ctx, scan.Of(floats).Slice(i, j))
		add(about, err)
		integer, err := scan.Sum[int64](ctx, scan.OfNull(nulls).Slice(i, j))
		add(integer, err)
		counts, err := scan.Describe(ctx, scan.OfNull(nulls).Slice(i, j))
		add(counts, err)
		sum, err = scan.Sum[float64](ctx, mapped.Slice(i, j))
		add(sum, err)
	}
	for _, metric := range []scan.Metric{scan.L2, scan.Cosine, scan.Dot} {
		found, err := scan.Nearest(ctx, vectors, []float32{1, 2}, 500, metric)
		add(found, err)
	}
	add(calls, nil)
	return all
}

// TestParts: it makes no difference how many goroutines read, to the last bit, nor
// whether anybody but the first can.
func TestParts(t *testing.T) {
	ctx, v := t.Context(), vaulttest.Open(t)
	r := rand.New(rand.NewPCG(1, 2))
	floats := vaulttest.Sequence(partsLen, func(int) float32 { return float32(r.NormFloat64() * math.Exp(float64(r.IntN(40)))) })
	floats[700_000] = float32(math.NaN())
	nulls := vaulttest.Sequence(partsLen, func(int) sql.Null[int8] { return sql.Null[int8]{V: int8(r.IntN(100)), Valid: true} })
	for range 1000 {
		nulls[r.IntN(partsLen)] = sql.Null[int8]{}
	}
	vectors := vaulttest.Sequence(partsLen/2, func(int) []float32 { return []float32{float32(r.IntN(30)), float32(r.IntN(30))} })
	vaulttest.Create(t, v, "floats", dtype.Float32, floats...)
	vaulttest.Create(t, v, "nulls", dtype.Nullable(dtype.Int8), nulls...)
	vaulttest.Create(t, v, "vectors", dtype.Vector[float32](2), vectors...)

	before := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(before)
	alone := inParts(ctx, t, v)
	runtime.GOMAXPROCS(8)
	for range 3 {
		together := inParts(ctx, t, v)
		for i := range alone {
			if !reflect.DeepEqual(alone[i], together[i]) {
				t.Errorf("result %d: %v, and %v by one alone", i, together[i], alone[i])
			}
		}
	}
	total := 0.0
	for _, f := range floats {
		if f == f {
			total += float64(f)
		}
	}
	if sum := alone[0].(float64); math.Abs(sum-total) > 1e-9*math.Abs(total)+1e6 {
		t.Errorf("the sum is %v, and not about %v", sum, total)
	}
	// Equally near rows are found in order.
	for _, found := range alone[len(alone)-4 : len(alone)-1] {
		found := found.([]scan.Neighbor)
		for i := 1; i < len(found); i++ {
			if a, b := found[i-1], found[i]; a.Score == b.Score && a.Position >= b.Position {
				t.Fatalf("row %d before row %d, which is as near", a.Position, b.Position)
			}
		}
	}

	// In a state that others have left behind there are no siblings.
	vaulttest.Must(t, v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		c := vaulttest.Lookup(t, v, "floats", dtype.Float32).In(tx)
		if _, err := c.At(ctx, 0); err != nil {
			return err
		}
		vaulttest.Must(t, vaulttest.Lookup(t, v, "floats", dtype.Float32).Append(t.Context(), 1e30))
		sum, err := scan.Sum[float64](ctx, scan.Of(c))
		if sum != alone[0] {
			t.Errorf("the sum of the state before is %v, and not %v", sum, alone[0])
		}
		return err
	}))
}

// TestPartsEnd: the first error ends all of them, and so does the end of the ctx.
func TestPartsEnd(t *testing.T) {
	v := vaulttest.Open(t)
	before := runtime.GOMAXPROCS(4)
	defer runtime.GOMAXPROCS(before)
	c := vaulttest.Create(t, v, "bools", dtype.Nullable(dtype.Int8), make([]sql.Null[int8], partsLen)...)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := scan.Sum[int64](ctx, scan.OfNull(c)); !errors.Is(err, context.Canceled) {
		t.Errorf("a sum whose ctx has ended: %v", err)
	}
	vaulttest.Must(t, v.View(t.Context(), func(ctx context.Context, tx *columnvault.Tx) error {
		ctx = &ending{Context: ctx, ended: make(chan struct{})}
		_, err := scan.Sum[int64](ctx, scan.OfNull(c.In(tx)))
		var e *columnvault.Error
		if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &e) {
			t.Errorf("a sum whose ctx ends: %v", err)
		}
		return nil
	}))
	if sum, err := scan.Sum[int64](t.Context(), scan.OfNull(c)); sum != 0 || err != nil {
		t.Errorf("the sum of nothing is %d: %v", sum, err)
	}
	goroutines := runtime.NumGoroutine()
	for range 20 {
		if _, err := scan.Sum[int64](t.Context(), scan.OfNull(c)); err != nil {
			t.Fatal(err)
		}
	}
	if n := runtime.NumGoroutine(); n > goroutines+2 {
		t.Errorf("%d goroutines, and %d before", n, goroutines)
	}
}

// ending is a ctx that ends when somebody waits for its end, as readers of parts do.
type ending struct {
	context.Context
	ended chan struct{}
	once  sync.Once
}

func (c *ending) Done() <-chan struct{} {
	c.once.Do(func() { close(c.ended) })
	return c.ended
}

func (c *ending) Err() error {
	select {
	case <-c.ended:
		return context.DeadlineExceeded
	default:
		return nil
	}
}
