package columnvault_test

import (
	"context"
	"database/sql"
	"flag"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"columnvault"
	"columnvault/dtype"
)

var benchPage = flag.Int("page", 0, "the `size` of pages in the vaults of benchmarks; 0 is the default")

func openBench(b *testing.B, o *columnvault.Options) *columnvault.Vault {
	b.Helper()
	if o == nil {
		o = &columnvault.Options{}
	}
	o.PageSize = *benchPage
	v, err := columnvault.Open(filepath.Join(b.TempDir(), "bench.db"), o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { v.Close() })
	return v
}

func numbers(n int) []int64 {
	values := make([]int64, n)
	for i := range values {
		values[i] = rand.Int64()
	}
	return values
}

const million = 1_000_000

func BenchmarkAppendBulk(b *testing.B) {
	ctx := context.Background()
	values := numbers(10 * million)
	b.SetBytes(int64(len(values) * 8))
	for b.Loop() {
		b.StopTimer()
		v := openBench(b, nil)
		c, err := columnvault.Create(ctx, v, "x", dtype.Int64, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if err := c.Append(ctx, values...); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		v.Close()
		b.StartTimer()
	}
}

func filled(b *testing.B, o *columnvault.Options) (*columnvault.Vault, *columnvault.Column[int64]) {
	b.Helper()
	ctx := context.Background()
	v := openBench(b, o)
	c, err := columnvault.Create(ctx, v, "x", dtype.Int64, nil)
	if err != nil {
		b.Fatal(err)
	}
	if err := c.Append(ctx, numbers(10*million)...); err != nil {
		b.Fatal(err)
	}
	return v, c
}

func BenchmarkReadAll(b *testing.B) {
	ctx := context.Background()
	_, c := filled(b, nil)
	into := make([]int64, 10*million)
	b.SetBytes(int64(len(into) * 8))
	b.ReportAllocs()
	for b.Loop() {
		if n, err := c.Read(ctx, into, 0); n != len(into) || err != nil {
			b.Fatal(n, err)
		}
	}
}

// BenchmarkReadNullable reads the columns of BenchmarkReadAll, of which an eighth
// is missing, and times.
func BenchmarkReadNullable(b *testing.B) {
	b.Run("i64", func(b *testing.B) {
		benchNullable(b, dtype.Int64, func(i int) int64 { return int64(i) })
	})
	b.Run("f64", func(b *testing.B) {
		benchNullable(b, dtype.Float64, func(i int) float64 { return float64(i) })
	})
	b.Run("time", func(b *testing.B) {
		benchNullable(b, dtype.Timestamp(dtype.Microsecond, ""), func(i int) time.Time { return time.UnixMicro(int64(i)) })
	})
}

func benchNullable[T any](b *testing.B, t dtype.Type[T], value func(i int) T) {
	ctx := context.Background()
	c, err := columnvault.Create(ctx, openBench(b, nil), "x", dtype.Nullable(t), nil)
	if err != nil {
		b.Fatal(err)
	}
	values := make([]sql.Null[T], 10*million)
	for i := range values {
		values[i] = sql.Null[T]{V: value(i), Valid: rand.IntN(8) > 0}
	}
	if err := c.Append(ctx, values...); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(values) * 8))
	b.ReportAllocs()
	for b.Loop() {
		if n, err := c.Read(ctx, values, 0); n != len(values) || err != nil {
			b.Fatal(n, err)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	v, _ := filled(b, nil)
	for name, o := range map[string]columnvault.CheckOptions{"quick": {}, "full": {Full: true}, "digest": {Digest: true}} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(10 * million * 8)
			b.ReportAllocs()
			for b.Loop() {
				for f, err := range v.Check(context.Background(), o) {
					if f.Severity > columnvault.SeverityNote || err != nil {
						b.Fatal(f.Text, err)
					}
				}
			}
		})
	}
}

func BenchmarkAtInView(b *testing.B) {
	for name, cache := range map[string]int{"cached": 128 << 20, "default": 0} {
		b.Run(name, func(b *testing.B) {
			v, c := filled(b, &columnvault.Options{PageCacheBytes: cache})
			b.ReportAllocs()
			v.View(context.Background(), func(ctx context.Context, tx *columnvault.Tx) error {
				in := c.In(tx)
				into := make([]int64, 10*million)
				in.Read(ctx, into, 0)
				for b.Loop() {
					if _, err := in.At(ctx, rand.IntN(10*million)); err != nil {
						b.Fatal(err)
					}
				}
				return nil
			})
		})
	}
}

func BenchmarkSliceInView(b *testing.B) {
	v, c := filled(b, nil)
	v.View(context.Background(), func(ctx context.Context, tx *columnvault.Tx) error {
		in := c.In(tx)
		for b.Loop() {
			i := rand.IntN(10*million - 100)
			if _, err := in.Slice(ctx, i, i+100); err != nil {
				b.Fatal(err)
			}
		}
		return nil
	})
}

func BenchmarkSlice(b *testing.B) {
	ctx := context.Background()
	_, c := filled(b, nil)
	b.ReportAllocs()
	for b.Loop() {
		i := rand.IntN(10*million - 100)
		if _, err := c.Slice(ctx, i, i+100); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendOne(b *testing.B) {
	ctx := context.Background()
	v := openBench(b, nil)
	c, err := columnvault.Create(ctx, v, "x", dtype.Int64, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Append(ctx, 42); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkInsertFront(b *testing.B) {
	ctx := context.Background()
	_, c := filled(b, nil)
	b.SetBytes(80 * million)
	for b.Loop() {
		if err := c.Insert(ctx, 0, 42); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAt(b *testing.B) {
	ctx := context.Background()
	_, c := filled(b, &columnvault.Options{PageCacheBytes: 128 << 20})
	if _, err := c.Slice(ctx, columnvault.Begin, columnvault.End); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.At(ctx, rand.IntN(10*million)); err != nil {
			b.Fatal(err)
		}
	}
}
