package dtype

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// Every benchmark handles the same number of values per operation and reports
// the time of one.
const benchValues = 1 << 16

func perValue(b *testing.B, bytes int) {
	b.SetBytes(int64(bytes))
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchValues, "ns/value")
	b.ReportMetric(0, "ns/op")
	b.ReportAllocs()
}

// benchType measures AppendAll and DecodeAll.
func benchType[T any](b *testing.B, typ Type[T], vs []T) {
	data, ends, err := typ.AppendAll(nil, nil, vs)
	if err != nil {
		b.Fatal(err)
	}
	b.Run(typ.String()+"/append", func(b *testing.B) {
		dst, dstEnds := make([]byte, 0, len(data)), make([]int, 0, len(ends))
		for b.Loop() {
			if _, _, err := typ.AppendAll(dst, dstEnds, vs); err != nil {
				b.Fatal(err)
			}
		}
		perValue(b, len(data))
	})
	b.Run(typ.String()+"/decode", func(b *testing.B) {
		dst := make([]T, len(vs))
		for b.Loop() {
			if err := typ.DecodeAll(dst, data, ends); err != nil {
				b.Fatal(err)
			}
		}
		perValue(b, len(data))
	})
}

func fill[T any](f func(i int) T) []T {
	vs := make([]T, benchValues)
	for i := range vs {
		vs[i] = f(i)
	}
	return vs
}

func BenchmarkNumbers(b *testing.B) {
	ints := fill(func(i int) int64 { return int64(i) * 1e9 })
	benchType(b, Int64, ints)
	benchType(b, Bool, fill(func(i int) bool { return i%3 == 0 }))
	benchType(b, Float16, fill(func(i int) float32 { return float32(i) / 2 }))
	b.Run("i64/Bytes", func(b *testing.B) {
		dst := make([]byte, 8*benchValues)
		for b.Loop() {
			copy(dst, Int64.Bytes(ints))
		}
		perValue(b, len(dst))
	})
	b.Run("i64/append one by one", func(b *testing.B) {
		dst := make([]byte, 0, 8*benchValues)
		for b.Loop() {
			dst = dst[:0]
			for _, v := range ints {
				dst, _ = Int64.Append(dst, v)
			}
		}
		perValue(b, len(dst))
	})
	b.Run("dynamic", func(b *testing.B) {
		benchType(b, Int64.Spec().Type(), fill(func(i int) any { return i }))
	})
}

func BenchmarkMeanings(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	gaps := fill(func(int) bool { return random.IntN(8) > 0 })
	benchType(b, Nullable(Int64), fill(func(i int) sql.Null[int64] { return sql.Null[int64]{V: int64(i), Valid: gaps[i]} }))
	benchType(b, Nullable(Float64), fill(func(i int) sql.Null[float64] { return sql.Null[float64]{V: float64(i), Valid: gaps[i]} }))
	benchType(b, Nullable(String), fill(func(i int) sql.Null[string] { return sql.Null[string]{V: "word", Valid: gaps[i]} }))
	at := time.Date(2026, 7, 31, 12, 0, 0, 0, time.UTC)
	benchType(b, Timestamp(Microsecond, "Europe/Berlin"), fill(func(i int) time.Time { return at.Add(time.Duration(i) * time.Second) }))
	benchType(b, Date, fill(func(i int) time.Time { return at.AddDate(0, 0, i%5000) }))
}

func BenchmarkText(b *testing.B) {
	words := fill(func(i int) string { return fmt.Sprintf("message number %d", i) })
	benchType(b, String, words)
	benchType(b, FixedText(32, UTF8), words)
	benchType(b, Text(UTF16LE), words)
	benchType(b, Text(Latin1), words)
	benchType(b, Bytes, fill(func(i int) []byte { return []byte(words[i]) }))
}

func BenchmarkStructs(b *testing.B) {
	records := fill(func(i int) record {
		return record{int64(i), float64(i) / 3, fmt.Sprintf("name-%d", i), i%2 == 0, []string{"web", "eu"}}
	})
	benchType(b, MsgPack[record](), records)
	benchType(b, CBOR[record](), records)
	benchType(b, FixedMsgPack[record](96), records)
	b.Run("dynamic", func(b *testing.B) {
		benchType(b, MsgPack[any](), fill(func(i int) any {
			r := records[i]
			return map[string]any{"id": r.ID, "f": r.F, "name": r.Name, "ok": r.OK, "tags": []any{"web", "eu"}}
		}))
	})
}

func BenchmarkVectors(b *testing.B) {
	const dims = 384
	random := rand.New(rand.NewPCG(1, 2))
	typ := Vector[float32](dims)
	flat := make([]float32, benchValues/16*dims)
	for i := range flat {
		flat[i] = random.Float32()
	}
	data, err := typ.AppendFlat(nil, flat)
	if err != nil {
		b.Fatal(err)
	}
	run := func(name string, f func() error) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := f(); err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(int64(len(data)))
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(benchValues/16), "ns/row")
			b.ReportMetric(0, "ns/op")
		})
	}
	rows := make([][]float32, benchValues/16)
	dst := make([]byte, 0, len(data))
	run("append flat", func() error { _, err := typ.AppendFlat(dst, flat); return err })
	run("decode flat", func() error { return typ.DecodeFlat(flat, data) })
	run("decode rows", func() error { return typ.DecodeAll(rows, data, nil) })
	run("append rows", func() error { _, _, err := typ.AppendAll(dst, nil, rows); return err })
	varied, ends, err := Vector[float32]().AppendAll(nil, nil, rows)
	if err != nil {
		b.Fatal(err)
	}
	run("decode variable rows", func() error { return Vector[float32]().DecodeAll(rows, varied, ends) })
	wide := make([]any, len(rows))
	for i := range rows {
		list := make([]any, dims)
		for j, x := range rows[i] {
			list[j] = float64(x)
		}
		wide[i] = list
	}
	run("append dynamic lists", func() error { _, _, err := typ.Spec().Type().AppendAll(dst, nil, wide); return err })
}
