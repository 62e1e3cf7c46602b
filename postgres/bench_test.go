package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
	"columnvault/internal/vaulttest/pgserver"
)

// places are where the vaults of benchmarks are.
var places = []struct {
	name string
	path func(b *testing.B) string
}{
	{"file", func(b *testing.B) string { return filepath.Join(b.TempDir(), "bench.db") }},
	{"server", func(b *testing.B) string { return pgserver.DSN(b) }},
}

func openBench(b *testing.B, path string) *columnvault.Vault {
	v, err := columnvault.Open(b.Context(), path, nil)
	vaulttest.Must(b, err)
	b.Cleanup(func() { v.Close() })
	return v
}

// BenchmarkOperations has the calls whose trips TestTrips counts, over a file and
// over a server.
func BenchmarkOperations(b *testing.B) {
	for _, place := range places {
		b.Run(place.name, func(b *testing.B) {
			for _, op := range operations(b, openBench(b, place.path(b))) {
				b.Run(op.name, func(b *testing.B) {
					for b.Loop() {
						vaulttest.Must(b, op.run())
					}
				})
			}
		})
	}
}

// BenchmarkLatency has the same calls over a server that is far away, by a proxy,
// and tells for how many times the answer to the shortest question they wait. The
// longer the way, the less it matters what else the machine does.
func BenchmarkLatency(b *testing.B) {
	for _, latency := range []time.Duration{time.Millisecond, 20 * time.Millisecond} {
		b.Run(latency.String(), func(b *testing.B) {
			ctx := b.Context()
			p := pgserver.NewProxy(b, pgserver.DSN(b))
			ops := operations(b, openBench(b, p.DSN))
			plain, err := pgx.Connect(ctx, p.DSN)
			vaulttest.Must(b, err)
			defer plain.Close(ctx)
			p.Delay(latency / 2)
			shortest := func() error { return vaulttest.ErrOf(plain.Exec(ctx, `SELECT 1`)) }
			vaulttest.Must(b, shortest())
			const times = 50
			start := time.Now()
			for range times {
				vaulttest.Must(b, shortest())
			}
			unit := time.Since(start) / times
			for _, op := range ops {
				b.Run(op.name, func(b *testing.B) {
					for range 3 {
						vaulttest.Must(b, op.run()) // statements are prepared, and rows found
					}
					for b.Loop() {
						vaulttest.Must(b, op.run())
					}
					b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(unit), "times")
				})
			}
		})
	}
}

// operation is a call that is measured.
type operation struct {
	name string
	run  func() error
}

// operations are calls on a new vault.
func operations(b *testing.B, v *columnvault.Vault) []operation {
	ctx := b.Context()
	c, err := columnvault.Create(ctx, v, "a", dtype.Int64, nil)
	vaulttest.Must(b, err)
	vaulttest.Must(b, c.Append(ctx, vaulttest.Span(0, 100_000)...))
	other, err := columnvault.Create(ctx, v, "b", dtype.Int64, nil)
	vaulttest.Must(b, err)
	words, err := columnvault.Create(ctx, v, "words", dtype.String, nil)
	vaulttest.Must(b, err)
	vaulttest.Must(b, words.Append(ctx, make([]string, 1000)...))
	kv, key := v.KV(), []byte("key")
	vaulttest.Must(b, kv.Put(ctx, key, make([]byte, 100)))
	thousand := vaulttest.Span(0, 1000)
	var some []int
	for i := range 100 {
		some = append(some, i*999)
	}
	return []operation{
		{"At", func() error { return vaulttest.ErrOf(c.At(ctx, 77_777)) }},
		{"Slice100", func() error { return vaulttest.ErrOf(c.Slice(ctx, 500, 600)) }},
		{"Take100", func() error { return vaulttest.ErrOf(c.Take(ctx, some)) }},
		{"Len", func() error { return vaulttest.ErrOf(c.Len(ctx)) }},
		{"Set", func() error { return c.Set(ctx, 5, 5) }},
		{"Append1", func() error { return c.Append(ctx, 1) }},
		{"Append1000", func() error { return other.Append(ctx, thousand...) }},
		{"Update2x10", func() error {
			return v.Update(ctx, func(_ context.Context, tx *columnvault.Tx) error {
				return errors.Join(c.In(tx).Append(ctx, thousand[:10]...), other.In(tx).Append(ctx, thousand[:10]...))
			})
		}},
		{"TextAt", func() error { return vaulttest.ErrOf(words.At(ctx, 500)) }},
		{"TextAppend1", func() error { return words.Append(ctx, "a word") }},
		{"Put100", func() error { return kv.Put(ctx, key, make([]byte, 100)) }},
		{"Get", func() error { return vaulttest.ErrOf(kv.Get(ctx, key)) }},
	}
}

// BenchmarkBulk compares a column of 32 MiB with COPY and SELECT of the same
// bytes, in rows of the same size, and with a row for each element.
func BenchmarkBulk(b *testing.B) {
	const size = 32 << 20
	ctx := b.Context()
	dsn := pgserver.DSN(b)
	v := openBench(b, dsn)
	values := vaulttest.Span(0, size/8)
	c, err := columnvault.Create(ctx, v, "a", dtype.Int64, nil)
	vaulttest.Must(b, err)
	plain, err := pgx.Connect(ctx, dsn)
	vaulttest.Must(b, err)
	defer plain.Close(ctx)
	exec := func(b *testing.B, sql string) {
		_, err := plain.Exec(ctx, sql)
		vaulttest.Must(b, err)
	}
	exec(b, `CREATE TABLE blocks (n bigint PRIMARY KEY, data bytea)`)
	exec(b, `ALTER TABLE blocks ALTER data SET STORAGE EXTERNAL`)
	exec(b, `CREATE TABLE elements (n bigint PRIMARY KEY, value bigint)`)
	cpu := processor{plain}
	run := func(name string, before, fn func(b *testing.B)) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(size)
			var client, server time.Duration
			for b.Loop() {
				b.StopTimer()
				before(b)
				client0, server0 := cpu.taken(b)
				b.StartTimer()
				fn(b)
				b.StopTimer()
				client1, server1 := cpu.taken(b)
				client, server = client+client1-client0, server+server1-server0
				b.StartTimer()
			}
			b.ReportMetric(client.Seconds()*1000/float64(b.N), "client-ms/op")
			b.ReportMetric(server.Seconds()*1000/float64(b.N), "server-ms/op")
		})
	}
	filled := func(b *testing.B) {
		if n, err := c.Len(ctx); n < len(values) {
			vaulttest.Must(b, errors.Join(err, c.Append(ctx, values...)))
		}
	}
	run("Append", func(b *testing.B) {
		vaulttest.Must(b, c.Clear(ctx))
		exec(b, `TRUNCATE columnvault_chunks`) // of which nothing counts: as for COPY, no dead rows are left to autovacuum
	}, func(b *testing.B) { vaulttest.Must(b, c.Append(ctx, values...)) })
	read := func(b *testing.B) { vaulttest.Must(b, vaulttest.ErrOf(c.Slice(ctx, 0, len(values)))) }
	run("Read", filled, read)
	block := make([]byte, 64<<10)
	fill := func(b *testing.B) {
		_, err := plain.CopyFrom(ctx, pgx.Identifier{"blocks"}, []string{"n", "data"}, pgx.CopyFromSlice(size/len(block), func(i int) ([]any, error) { return []any{int64(i), block}, nil }))
		vaulttest.Must(b, err)
	}
	run("COPY", func(b *testing.B) { exec(b, `TRUNCATE blocks`) }, fill)
	exec(b, `TRUNCATE blocks`)
	fill(b)
	selected := func(b *testing.B) {
		rows, err := plain.Query(ctx, `SELECT data FROM blocks ORDER BY n`)
		vaulttest.Must(b, err)
		all, n := make([]byte, size), 0 // new memory, as Slice returns
		for rows.Next() {
			n += copy(all[n:], rows.RawValues()[0])
		}
		vaulttest.Must(b, rows.Err())
		if n != size {
			b.Fatal(n, io.ErrUnexpectedEOF)
		}
	}
	run("SELECT", func(*testing.B) {}, selected)
	// In turns, so that whatever else the machine does is the same for both.
	b.Run("ReadAndSELECT", func(b *testing.B) {
		filled(b)
		both := [2]func(b *testing.B){read, selected}
		var took [2][]time.Duration
		for turn := 0; b.Loop(); turn++ {
			for k := range both {
				k = (k + turn) % 2
				start := time.Now()
				both[k](b)
				took[k] = append(took[k], time.Since(start))
			}
		}
		for k, unit := range []string{"read-ms", "select-ms"} {
			slices.Sort(took[k])
			b.ReportMetric(took[k][len(took[k])/2].Seconds()*1000, unit)
		}
	})
	run("COPYElements", func(b *testing.B) { exec(b, `TRUNCATE elements`) }, func(b *testing.B) {
		_, err := plain.CopyFrom(ctx, pgx.Identifier{"elements"}, []string{"n", "value"}, pgx.CopyFromSlice(len(values), func(i int) ([]any, error) { return []any{int64(i), values[i]}, nil }))
		vaulttest.Must(b, err)
	})
	run("SELECTElements", func(*testing.B) {}, func(b *testing.B) {
		rows, err := plain.Query(ctx, `SELECT value FROM elements ORDER BY n`)
		vaulttest.Must(b, err)
		all, err := pgx.AppendRows(make([]int64, 0, len(values)), rows, pgx.RowTo[int64])
		vaulttest.Must(b, err)
		if len(all) != len(values) {
			b.Fatal(len(all))
		}
	})
}

// BenchmarkWriters has eight vaults append at the same time: to columns of their
// own, and to one.
func BenchmarkWriters(b *testing.B) {
	for _, shared := range []bool{false, true} {
		b.Run(fmt.Sprintf("shared=%v", shared), func(b *testing.B) {
			ctx, dsn := b.Context(), pgserver.DSN(b)
			var columns []*columnvault.Column[int64]
			for i := range 8 {
				name := "shared"
				if !shared {
					name = fmt.Sprint("own", i)
				}
				c, err := columnvault.Ensure(ctx, openBench(b, dsn), name, dtype.Int64, nil)
				vaulttest.Must(b, err)
				columns = append(columns, c)
			}
			for b.Loop() { // a round of all
				var wg sync.WaitGroup
				for _, c := range columns {
					wg.Go(func() {
						for range 20 {
							if err := c.Append(ctx, 1); err != nil {
								b.Error(err)
							}
						}
					})
				}
				wg.Wait()
			}
			b.ReportMetric(float64(b.N*8*20)/b.Elapsed().Seconds(), "appends/s")
		})
	}
}
