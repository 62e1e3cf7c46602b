package columnvault_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"columnvault"
	"columnvault/internal/vaulttest"
)

// filledKV is a table of n pairs with values of 256 bytes.
func filledKV(b *testing.B, n int, o *columnvault.Options) (*columnvault.Vault, *columnvault.KV) {
	b.Helper()
	v := openBench(b, o)
	kv := v.KV()
	err := v.Update(b.Context(), func(ctx context.Context, tx *columnvault.Tx) error {
		return putNumbered(ctx, kv.In(tx), n, make([]byte, 256))
	})
	if err != nil {
		b.Fatal(err)
	}
	return v, kv
}

func putNumbered(ctx context.Context, kv *columnvault.KV, n int, value []byte) error {
	for i := range n {
		if err := kv.Put(ctx, vaulttest.Key(i), value); err != nil {
			return err
		}
	}
	return nil
}

const benchKeys = 100_000

// BenchmarkGet gets 256 bytes at random keys, of a table that the default cache
// does not hold and one that does.
func BenchmarkGet(b *testing.B) {
	get := func(b *testing.B, ctx context.Context, kv *columnvault.KV) {
		b.ReportAllocs()
		for b.Loop() {
			if value, err := kv.Get(ctx, vaulttest.Key(rand.IntN(benchKeys))); len(value) != 256 || err != nil {
				b.Fatal(len(value), err)
			}
		}
	}
	for _, o := range []*columnvault.Options{nil, {PageCacheBytes: 64 << 20}} {
		cache := "default"
		if o != nil {
			cache = "cached"
		}
		v, kv := filledKV(b, benchKeys, o)
		b.Run(cache+"/alone", func(b *testing.B) { get(b, b.Context(), kv) })
		b.Run(cache+"/in a View", func(b *testing.B) {
			err := v.View(b.Context(), func(ctx context.Context, tx *columnvault.Tx) error {
				get(b, ctx, kv.In(tx))
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		})
	}
}

// BenchmarkPut stores values of 256 bytes: each in a transaction of its own,
// 10,000 in one, and in a cache that is emptied beside the clock.
func BenchmarkPut(b *testing.B) {
	value := make([]byte, 256)
	b.Run("alone", func(b *testing.B) {
		kv := openBench(b, nil).KV()
		i := 0
		for b.Loop() {
			if err := kv.Put(b.Context(), vaulttest.Key(i), value); err != nil {
				b.Fatal(err)
			}
			i++
		}
	})
	b.Run("10000 in a transaction", func(b *testing.B) {
		v, kv := filledKV(b, 1, nil)
		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			if err := kv.Clear(b.Context()); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			err := v.Update(b.Context(), func(ctx context.Context, tx *columnvault.Tx) error {
				return putNumbered(ctx, kv.In(tx), 10_000, value)
			})
			if err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10_000, "ns/put")
	})
	b.Run("cached", func(b *testing.B) {
		v, kv := filledKV(b, 1, nil)
		if err := v.EnableCache(b.Context(), &columnvault.CacheOptions{CapBytes: 1 << 30, FlushThreshold: 1 << 30}); err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			if err := kv.Put(b.Context(), vaulttest.Key(i), value); err != nil {
				b.Fatal(err)
			}
			if i++; i%benchKeys == 0 {
				b.StopTimer()
				if _, err := v.Flush(b.Context()); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		}
	})
}

// benchSize is the size in bytes of a large value; the driver's benchmarks in
// internal/store/sqlite write as much.
var benchSize int64 = 900_000_000

// BenchmarkPutFrom streams 900 MB in.
func BenchmarkPutFrom(b *testing.B) {
	b.SetBytes(benchSize)
	for b.Loop() {
		b.StopTimer()
		v := openBench(b, nil)
		b.StartTimer()
		if err := v.KV().PutFrom(b.Context(), []byte("large"), benchSize, vaulttest.Endless{}); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := errors.Join(v.Close(), os.Remove(v.Path())); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// BenchmarkGetToFile streams 900 MB out, and copies a file of that size on the
// same disk, which is what it is to be compared with.
func BenchmarkGetToFile(b *testing.B) {
	v := openBench(b, nil)
	kv := v.KV()
	if err := kv.PutFrom(b.Context(), []byte("large"), benchSize, vaulttest.Endless{}); err != nil {
		b.Fatal(err)
	}
	out := func(b *testing.B, from string, write func(path string) error) {
		if err := settle(from); err != nil {
			b.Fatal(err)
		}
		path := filepath.Join(b.TempDir(), "out")
		b.SetBytes(benchSize)
		for b.Loop() {
			if err := write(path); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("value", func(b *testing.B) {
		out(b, v.Path(), func(path string) error { return kv.GetToFile(b.Context(), []byte("large"), path) })
	})
	b.Run("copy", func(b *testing.B) {
		from := filepath.Join(b.TempDir(), "in")
		if err := kv.GetToFile(b.Context(), []byte("large"), from); err != nil {
			b.Fatal(err)
		}
		out(b, from, func(path string) error { return copyFile(path, from) })
	})
}

// settle waits until the disk has what was written to a file, so that it is not
// still busy with that while something else is measured.
func settle(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// copyFile copies a file through memory: the kernel's own ways of copying are
// hidden from io.Copy.
func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(struct{ io.Writer }{out}, struct{ io.Reader }{in})
	return errors.Join(err, out.Close())
}

// BenchmarkKeys goes over all keys.
func BenchmarkKeys(b *testing.B) {
	_, kv := filledKV(b, benchKeys, nil)
	for b.Loop() {
		n := 0
		for _, err := range kv.Keys(b.Context(), nil) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != benchKeys {
			b.Fatal(fmt.Sprint(n, " keys"))
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchKeys, "ns/key")
}
