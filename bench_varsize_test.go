package columnvault_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"columnvault"
	"columnvault/dtype"
)

var chunkSizes = []int{0, 262_140, 524_280, 1_048_572}

func blobs(n, size int) [][]byte {
	values := make([][]byte, n)
	data := make([]byte, n*size)
	for i := range data {
		data[i] = byte(rand.Uint32())
	}
	for i := range values {
		values[i] = data[i*size : (i+1)*size]
	}
	return values
}

func newBytes(b *testing.B, v *columnvault.Vault, max int) *columnvault.Column[[]byte] {
	b.Helper()
	c, err := columnvault.Create(context.Background(), v, "x", dtype.Bytes, &columnvault.ColumnOptions{MaxChunk: max})
	if err != nil {
		b.Fatal(err)
	}
	return c
}

func BenchmarkVarAppendBulk(b *testing.B) {
	ctx := context.Background()
	values := blobs(million, 100)
	for _, max := range chunkSizes {
		b.Run(fmt.Sprint(max), func(b *testing.B) {
			b.SetBytes(100 * million)
			for b.Loop() {
				b.StopTimer()
				v := openBench(b, nil)
				c := newBytes(b, v, max)
				b.StartTimer()
				if err := c.Append(ctx, values...); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				v.Close()
				b.StartTimer()
			}
		})
	}
}

func BenchmarkVarAppendStrings(b *testing.B) {
	ctx := context.Background()
	values := make([]string, 200_000)
	for i := range values {
		values[i] = fmt.Sprint("label ", i%1000)
	}
	for b.Loop() {
		b.StopTimer()
		v := openBench(b, nil)
		c, err := columnvault.Create(ctx, v, "x", dtype.String, nil)
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
	b.ReportMetric(float64(len(values))*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mvalues/s")
}

func filledBytes(b *testing.B, max int) (*columnvault.Vault, *columnvault.Column[[]byte]) {
	b.Helper()
	v := openBench(b, nil)
	c := newBytes(b, v, max)
	if err := c.Append(context.Background(), blobs(million, 100)...); err != nil {
		b.Fatal(err)
	}
	return v, c
}

func BenchmarkVarReadAll(b *testing.B) {
	for _, max := range chunkSizes {
		b.Run(fmt.Sprint(max), func(b *testing.B) {
			_, c := filledBytes(b, max)
			b.SetBytes(100 * million)
			b.ReportAllocs()
			for b.Loop() {
				n := 0
				for chunk, err := range c.Runs(context.Background()) {
					if err != nil {
						b.Fatal(err)
					}
					n += len(chunk.Values)
				}
				if n != million {
					b.Fatal(n)
				}
			}
		})
	}
}

func BenchmarkVarAtInView(b *testing.B) {
	for _, max := range chunkSizes {
		b.Run(fmt.Sprint(max), func(b *testing.B) {
			v, c := filledBytes(b, max)
			b.ReportAllocs()
			v.View(context.Background(), func(ctx context.Context, tx *columnvault.Tx) error {
				in := c.In(tx)
				for b.Loop() {
					if _, err := in.At(ctx, rand.IntN(million)); err != nil {
						b.Fatal(err)
					}
				}
				return nil
			})
		})
	}
}

func BenchmarkVarAt(b *testing.B) {
	_, c := filledBytes(b, 0)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.At(context.Background(), rand.IntN(million)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVarSet(b *testing.B) {
	for _, max := range chunkSizes {
		for _, size := range []int{100, 110} {
			b.Run(fmt.Sprintf("%d/%d bytes", max, size), func(b *testing.B) {
				_, c := filledBytes(b, max)
				value := make([]byte, size)
				for b.Loop() {
					if err := c.Set(context.Background(), rand.IntN(million), value); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		b.Run(fmt.Sprintf("%d/into a hole", max), func(b *testing.B) {
			_, c := filledBytes(b, max)
			ctx := context.Background()
			small, large := make([]byte, 90), make([]byte, 98)
			i := 0
			for b.Loop() {
				b.StopTimer()
				i = rand.IntN(million)
				if err := c.Set(ctx, i, small); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				if err := c.Set(ctx, i, large); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkVarAppendOne(b *testing.B) {
	v := openBench(b, nil)
	c := newBytes(b, v, 0)
	value := make([]byte, 100)
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Append(context.Background(), value); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVarInsertMiddle(b *testing.B) {
	for _, max := range chunkSizes {
		b.Run(fmt.Sprint(max), func(b *testing.B) {
			_, c := filledBytes(b, max)
			value := make([]byte, 100)
			for b.Loop() {
				if err := c.Insert(context.Background(), million/2, value); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkVarDeleteMiddle(b *testing.B) {
	_, c := filledBytes(b, 0)
	for b.Loop() {
		if err := c.Delete(context.Background(), million/2, million/2+1); err != nil {
			b.Fatal(err)
		}
	}
}

type event struct {
	ID    int64   `json:"id"`
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	OK    bool    `json:"ok"`
	Level int     `json:"level"`
}

func BenchmarkMsgPack(b *testing.B) {
	ctx := context.Background()
	events := make([]event, million)
	for i := range events {
		events[i] = event{ID: int64(i), Name: fmt.Sprint("event ", i%100), Value: float64(i) / 3, OK: i%2 == 0, Level: i % 5}
	}
	b.Run("append", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			v := openBench(b, nil)
			c, err := columnvault.Create(ctx, v, "x", dtype.MsgPack[event](), nil)
			if err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			if err := c.Append(ctx, events...); err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			v.Close()
			b.StartTimer()
		}
		b.ReportMetric(million*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
	})
	b.Run("read", func(b *testing.B) {
		v := openBench(b, nil)
		c, err := columnvault.Create(ctx, v, "x", dtype.MsgPack[event](), nil)
		if err != nil {
			b.Fatal(err)
		}
		if err := c.Append(ctx, events...); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			n := 0
			for _, err := range c.Values(ctx) {
				if err != nil {
					b.Fatal(err)
				}
				n++
			}
			if n != million {
				b.Fatal(n)
			}
		}
		b.ReportMetric(million*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
	})
}
