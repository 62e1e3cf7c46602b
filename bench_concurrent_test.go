package columnvault_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"columnvault"
	"columnvault/dtype"
)

// BenchmarkAppendConcurrent appends single values without a cache.
func BenchmarkAppendConcurrent(b *testing.B) {
	for _, test := range []struct{ goroutines, columns int }{{1, 1}, {8, 1}, {8, 8}} {
		b.Run(fmt.Sprintf("%d on %d", test.goroutines, test.columns), func(b *testing.B) {
			ctx := context.Background()
			v := openBench(b, nil)
			var columns []*columnvault.Column[int64]
			for i := range test.columns {
				c, err := columnvault.Create(ctx, v, fmt.Sprint("x", i), dtype.Int64, nil)
				if err != nil {
					b.Fatal(err)
				}
				columns = append(columns, c)
			}
			b.ResetTimer()
			var wg sync.WaitGroup
			for g := range test.goroutines {
				wg.Go(func() {
					c := columns[g%len(columns)]
					for i := g; i < b.N; i += test.goroutines {
						if err := c.Append(ctx, int64(i)); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
		})
	}
}

// BenchmarkTableConcurrent appends single rows of ten fields without a cache.
func BenchmarkTableConcurrent(b *testing.B) {
	for _, goroutines := range []int{1, 8} {
		b.Run(fmt.Sprint(goroutines), func(b *testing.B) {
			ctx := context.Background()
			v := openBench(b, nil)
			table, err := columnvault.EnsureTable[benchTrip](ctx, v, "trips", nil)
			if err != nil {
				b.Fatal(err)
			}
			rows := benchTrips(1000)
			b.ResetTimer()
			var wg sync.WaitGroup
			for g := range goroutines {
				wg.Go(func() {
					for i := g; i < b.N; i += goroutines {
						if err := table.Append(ctx, rows[i%len(rows)]); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
		})
	}
}

// BenchmarkAppendCached appends single values to a cache. What flushes cost is
// not counted; BenchmarkFlush has that.
func BenchmarkAppendCached(b *testing.B) {
	b.Run("i64", func(b *testing.B) { appendCached(b, dtype.Int64, 42) })
	b.Run("100 bytes", func(b *testing.B) { appendCached(b, dtype.Bytes, make([]byte, 100)) })
}

func appendCached[T any](b *testing.B, typ dtype.Type[T], value T) {
	ctx := context.Background()
	v, c := cachedColumn(b, typ)
	b.ReportAllocs()
	for i := 0; i < b.N; i++ {
		if err := c.Append(ctx, value); err != nil {
			b.Fatal(err)
		}
		if i%cachedRows == cachedRows-1 {
			b.StopTimer()
			if _, err := v.Flush(ctx); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
		}
	}
}

// cachedRows stay below the threshold of the default cache.
const cachedRows = 100_000

func cachedColumn[T any](b *testing.B, typ dtype.Type[T]) (*columnvault.Vault, *columnvault.Column[T]) {
	b.Helper()
	v := openBench(b, nil)
	c, err := columnvault.Create(context.Background(), v, "x", typ, nil)
	if err == nil {
		err = c.EnableCache(context.Background(), nil)
	}
	if err != nil {
		b.Fatal(err)
	}
	return v, c
}

// BenchmarkFlush flushes 10 MB of values of 100 bytes.
func BenchmarkFlush(b *testing.B) {
	ctx := context.Background()
	v, c := cachedColumn(b, dtype.Bytes)
	value := make([]byte, 100)
	b.SetBytes(100 * cachedRows)
	for b.Loop() {
		b.StopTimer()
		for range cachedRows {
			if err := c.Append(ctx, value); err != nil {
				b.Fatal(err)
			}
		}
		b.StartTimer()
		if _, err := v.Flush(ctx); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLock is the least that a call which many goroutines may make at the
// same time costs.
func BenchmarkLock(b *testing.B) {
	var mu sync.Mutex
	calls := 0
	for b.Loop() {
		mu.Lock()
		calls++
		mu.Unlock()
	}
}

// BenchmarkBatch adds rows of four columns, one by one, through the cache of
// the vault.
func BenchmarkBatch(b *testing.B) {
	ctx := context.Background()
	v := openBench(b, nil)
	ids, err := columnvault.Create(ctx, v, "ids", dtype.Int64, nil)
	if err != nil {
		b.Fatal(err)
	}
	times, err := columnvault.Create(ctx, v, "times", dtype.Int64, nil)
	if err != nil {
		b.Fatal(err)
	}
	values, err := columnvault.Create(ctx, v, "values", dtype.Float64, nil)
	if err != nil {
		b.Fatal(err)
	}
	labels, err := columnvault.Create(ctx, v, "labels", dtype.String, nil)
	if err != nil {
		b.Fatal(err)
	}
	if err := v.EnableCache(ctx, nil); err != nil {
		b.Fatal(err)
	}
	for _, batched := range []bool{false, true} {
		b.Run(fmt.Sprintf("batch=%v", batched), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; i < b.N; i++ {
				var err error
				if batched {
					err = v.Batch(ctx, func(b *columnvault.Batch) error {
						return errors.Join(ids.AppendTo(b, int64(i)), times.AppendTo(b, int64(i)), values.AppendTo(b, float64(i)), labels.AppendTo(b, "label"))
					})
				} else {
					err = errors.Join(ids.Append(ctx, int64(i)), times.Append(ctx, int64(i)), values.Append(ctx, float64(i)), labels.Append(ctx, "label"))
				}
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(4*float64(b.N)/b.Elapsed().Seconds()/1e6, "Melements/s")
		})
	}
}
