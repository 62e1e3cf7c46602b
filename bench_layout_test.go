package columnvault_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"

	"columnvault"
	"columnvault/dtype"
)

var benchLen = flag.Int("len", million, "the `number` of elements in the columns of benchmarks over layouts")

// overLayouts runs a benchmark on columns of -len elements in each layout.
func overLayouts[T any](b *testing.B, typ dtype.Type[T], make func(n int) []T, run func(b *testing.B, v *columnvault.Vault, c *columnvault.Column[T])) {
	for _, layout := range []struct {
		name string
		o    columnvault.ColumnOptions
	}{
		{"0", columnvault.ColumnOptions{}},
		{"native", columnvault.ColumnOptions{Layout: columnvault.Native}},
		{"zstd", columnvault.ColumnOptions{Layout: columnvault.Native, Compression: columnvault.Zstd}},
	} {
		b.Run("layout="+layout.name, func(b *testing.B) {
			v := openBench(b, nil)
			c, err := columnvault.Create(b.Context(), v, "x", typ, &layout.o)
			for n := *benchLen; n > 0 && err == nil; n -= million {
				err = c.Append(b.Context(), make(min(n, million))...)
			}
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			run(b, v, c)
		})
	}
}

// times are ascending, with small differences.
func times(n int) []int64 {
	values := make([]int64, n)
	for i := range values {
		values[i] = 1_700_000_000_000 + int64(i)*1000 + rand.Int64N(50)
	}
	return values
}

// words are texts of 16 bytes.
func words(n int) []string {
	values := make([]string, n)
	for i := range values {
		values[i] = fmt.Sprintf("word %011d", rand.IntN(n))
	}
	return values
}

func BenchmarkLayoutInsertMiddle(b *testing.B) {
	overLayouts(b, dtype.Int64, times, func(b *testing.B, _ *columnvault.Vault, c *columnvault.Column[int64]) {
		for b.Loop() {
			must(b, c.Insert(b.Context(), rand.IntN(*benchLen), 7))
		}
	})
}

func BenchmarkLayoutInsertFront(b *testing.B) {
	overLayouts(b, dtype.Int64, times, func(b *testing.B, _ *columnvault.Vault, c *columnvault.Column[int64]) {
		for b.Loop() {
			must(b, c.Insert(b.Context(), 0, 7))
		}
	})
}

// BenchmarkLayoutQueue appends 1,000 elements and deletes the first 1,000.
func BenchmarkLayoutQueue(b *testing.B) {
	overLayouts(b, dtype.Int64, times, func(b *testing.B, _ *columnvault.Vault, c *columnvault.Column[int64]) {
		more := times(1000)
		for b.Loop() {
			must(b, c.Append(b.Context(), more...))
			must(b, c.Delete(b.Context(), 0, 1000))
		}
	})
}

func BenchmarkLayoutAppendOne(b *testing.B) {
	overLayouts(b, dtype.Int64, times, func(b *testing.B, _ *columnvault.Vault, c *columnvault.Column[int64]) {
		for b.Loop() {
			must(b, c.Append(b.Context(), 7))
		}
	})
}

func BenchmarkLayoutAppendBulk(b *testing.B) {
	overLayouts(b, dtype.Int64, func(int) []int64 { return nil }, func(b *testing.B, _ *columnvault.Vault, c *columnvault.Column[int64]) {
		more := times(million)
		b.SetBytes(8 * million)
		for b.Loop() {
			must(b, c.Append(b.Context(), more...))
		}
	})
}

func BenchmarkLayoutReadAll(b *testing.B) {
	overLayouts(b, dtype.Int64, times, func(b *testing.B, _ *columnvault.Vault, c *columnvault.Column[int64]) {
		into := make([]int64, *benchLen)
		b.SetBytes(8 * int64(len(into)))
		for b.Loop() {
			_, err := c.Read(b.Context(), into, 0)
			must(b, err)
		}
	})
}

func BenchmarkLayoutAt(b *testing.B) {
	overLayouts(b, dtype.Int64, times, func(b *testing.B, _ *columnvault.Vault, c *columnvault.Column[int64]) {
		for b.Loop() {
			_, err := c.At(b.Context(), rand.IntN(*benchLen))
			must(b, err)
		}
	})
}

func BenchmarkLayoutAtInView(b *testing.B) {
	overLayouts(b, dtype.Int64, times, func(b *testing.B, v *columnvault.Vault, c *columnvault.Column[int64]) {
		must(b, v.View(b.Context(), func(ctx context.Context, tx *columnvault.Tx) error {
			in := c.In(tx)
			for b.Loop() {
				if _, err := in.At(ctx, rand.IntN(*benchLen)); err != nil {
					return err
				}
			}
			return nil
		}))
	})
}

func BenchmarkLayoutSlice(b *testing.B) {
	overLayouts(b, dtype.Int64, times, func(b *testing.B, _ *columnvault.Vault, c *columnvault.Column[int64]) {
		for b.Loop() {
			at := rand.IntN(*benchLen - 100)
			_, err := c.Slice(b.Context(), at, at+100)
			must(b, err)
		}
	})
}

func BenchmarkLayoutSet(b *testing.B) {
	overLayouts(b, dtype.Int64, times, func(b *testing.B, _ *columnvault.Vault, c *columnvault.Column[int64]) {
		for b.Loop() {
			at := rand.IntN(*benchLen)
			must(b, c.Set(b.Context(), at, 1_700_000_000_000+int64(at)))
		}
	})
}

// BenchmarkLayoutText sets a larger text, inserts one and reads one.
func BenchmarkLayoutText(b *testing.B) {
	overLayouts(b, dtype.String, words, func(b *testing.B, v *columnvault.Vault, c *columnvault.Column[string]) {
		sizes, err := v.FileSizes()
		must(b, err)
		bytes := float64(sizes.Main+sizes.Log) / float64(16**benchLen)
		b.Run("set larger", func(b *testing.B) {
			for b.Loop() {
				must(b, c.Set(b.Context(), rand.IntN(*benchLen), "a word that is longer than it was"))
			}
		})
		b.Run("insert", func(b *testing.B) {
			for b.Loop() {
				must(b, c.Insert(b.Context(), rand.IntN(*benchLen), "a new word, 16 b"))
			}
		})
		b.Run("at", func(b *testing.B) {
			for b.Loop() {
				_, err := c.At(b.Context(), rand.IntN(*benchLen))
				must(b, err)
			}
		})
		b.Run("read all", func(b *testing.B) {
			b.SetBytes(16 * int64(*benchLen))
			for b.Loop() {
				for _, err := range c.Values(b.Context()) {
					must(b, err)
				}
			}
			b.ReportMetric(bytes, "file-bytes/byte")
		})
	})
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}
