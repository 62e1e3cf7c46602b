package columnvault_test

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// TestMain runs the tests and benchmarks over a server if one is named.
func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() {
		for _, n := range []*int{&million, benchElements, benchLen} {
			*n /= 50
		}
		benchSize /= 50
	}
	vaulttest.Main(m)
}

var (
	benchPage     = flag.Int("page", 0, "the `size` of pages in the vaults of benchmarks; 0 is the default")
	benchElements = flag.Int("elements", 10*million, "how many `elements` the column of BenchmarkCheck has")
)

func openBench(b *testing.B, o *columnvault.Options) *columnvault.Vault {
	b.Helper()
	if o == nil {
		o = &columnvault.Options{}
	}
	o.PageSize = *benchPage
	v, err := columnvault.Open(b.Context(), filepath.Join(b.TempDir(), "bench.db"), o)
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

// million is what its name says, but for -short, where the benchmarks only have
// to run.
var million = 1_000_000

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

// BenchmarkCheck checks a column and does in turn what that is measured by, so
// that both meet the same machine: a quick check beside SQLite's quick_check, a
// full one and one with digests beside Read in a View, which a check may beat,
// because it uses two processors. What counts are times/base, and cpu/base, the
// same in time of the processors.
func BenchmarkCheck(b *testing.B) {
	ctx := context.Background()
	v := openBench(b, nil)
	c, err := columnvault.Create(ctx, v, "x", dtype.Int64, nil)
	noError(b, err)
	into := numbers(min(million, *benchElements))
	for n := 0; n < *benchElements; n += len(into) {
		noError(b, c.Append(ctx, into[:min(len(into), *benchElements-n)]...))
	}
	_, err = v.Checkpoint(ctx, columnvault.CheckpointTruncate)
	noError(b, err)
	quickCheck := func() {
		db, err := sqlite3.Open(v.Path())
		noError(b, err)
		noError(b, errors.Join(db.Exec(`PRAGMA quick_check`), db.Close()))
	}
	read := func() {
		noError(b, v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			for n := 0; n < *benchElements; n += len(into) {
				if _, err := c.In(tx).Read(ctx, into, n); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	for name, o := range map[string]struct {
		columnvault.CheckOptions
		base func()
	}{
		"quick":  {columnvault.CheckOptions{}, quickCheck},
		"full":   {columnvault.CheckOptions{Full: true}, read},
		"digest": {columnvault.CheckOptions{Digest: true}, read},
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(*benchElements) * 8)
			b.ReportAllocs()
			var times, cpu, baseTimes, baseCPU time.Duration
			for b.Loop() {
				start, used := time.Now(), vaulttest.ProcessorTime()
				for f, err := range v.Check(ctx, o.CheckOptions) {
					if f.Severity > columnvault.SeverityNote || err != nil {
						b.Fatal(f.Text, err)
					}
				}
				times, cpu = times+time.Since(start), cpu+vaulttest.ProcessorTime()-used
				b.StopTimer()
				start, used = time.Now(), vaulttest.ProcessorTime()
				o.base()
				baseTimes, baseCPU = baseTimes+time.Since(start), baseCPU+vaulttest.ProcessorTime()-used
				b.StartTimer()
			}
			b.ReportMetric(float64(times)/float64(baseTimes), "times/base")
			b.ReportMetric(float64(cpu)/float64(baseCPU), "cpu/base")
		})
	}
}

// BenchmarkBackup makes a backup and a copy of the same file in turn, so that both
// meet the same disk. The number that counts is copy/backup, the speed of the
// backup, its check included, in parts of that of the copy with a sync.
func BenchmarkBackup(b *testing.B) {
	v, c := filled(b, nil)
	noError(b, c.Append(context.Background(), numbers(20*million)...))
	_, err := v.Checkpoint(context.Background(), columnvault.CheckpointTruncate)
	noError(b, err)
	sizes, err := v.FileSizes()
	noError(b, err)
	b.SetBytes(sizes.Main)
	to := filepath.Join(b.TempDir(), "copy.db")
	var copying, backing time.Duration
	for b.Loop() {
		start := time.Now()
		noError(b, copySynced(v.Path(), to))
		copying += time.Since(start)
		noError(b, os.Remove(to))
		start = time.Now()
		noError(b, v.Backup(context.Background(), to, columnvault.BackupOptions{}))
		backing += time.Since(start)
		noError(b, os.Remove(to))
	}
	b.ReportMetric(float64(copying)/float64(backing), "copy/backup")
	b.ReportMetric(backing.Seconds()/float64(b.N), "s/backup")
}

func noError(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// copySynced copies a file as cp does, and waits for the disk.
func copySynced(from, to string) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.CopyBuffer(struct{ io.Writer }{dst}, struct{ io.Reader }{src}, make([]byte, 256<<10))
	return errors.Join(err, dst.Sync(), dst.Close())
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
	b.SetBytes(int64(80 * million))
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

// benchTrip is a row of ten fields, as benchmarks of tables write them.
type benchTrip struct {
	When       time.Time
	From, To   int32
	Meters     float64
	Seconds    float64
	Passengers uint8
	Cash       bool
	Tip        sql.Null[float64]
	Stars      sql.Null[int]
	Note       string
}

func benchTrips(n int) []benchTrip {
	rows := make([]benchTrip, n)
	for i := range rows {
		rows[i] = benchTrip{When: time.Unix(int64(i), 0).UTC(), From: int32(i), To: int32(i + 1), Meters: float64(i), Seconds: 1, Passengers: 2,
			Tip: sql.Null[float64]{V: 1, Valid: i%2 == 0}, Stars: sql.Null[int]{V: 5, Valid: i%3 == 0}, Note: "a note"}
	}
	return rows
}

// BenchmarkTableAppend appends a thousand rows a call, as a table and, to
// compare, by hand to the same columns in one transaction.
func BenchmarkTableAppend(b *testing.B) {
	ctx := context.Background()
	rows := benchTrips(1000)
	b.Run("table", func(b *testing.B) {
		v := openBench(b, nil)
		table, err := columnvault.EnsureTable[benchTrip](ctx, v, "trips", nil)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		defer vaulttest.Meter(b)()
		for b.Loop() {
			if err := table.Append(ctx, rows...); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("by hand", func(b *testing.B) {
		v := openBench(b, nil)
		if _, err := columnvault.EnsureTable[benchTrip](ctx, v, "trips", nil); err != nil {
			b.Fatal(err)
		}
		adders := []func(*columnvault.Tx) error{
			adder(b, v, "When", dtype.Timestamp(dtype.Microsecond, ""), rows, func(r benchTrip) time.Time { return r.When }),
			adder(b, v, "From", dtype.Int32, rows, func(r benchTrip) int32 { return r.From }),
			adder(b, v, "To", dtype.Int32, rows, func(r benchTrip) int32 { return r.To }),
			adder(b, v, "Meters", dtype.Float64, rows, func(r benchTrip) float64 { return r.Meters }),
			adder(b, v, "Seconds", dtype.Float64, rows, func(r benchTrip) float64 { return r.Seconds }),
			adder(b, v, "Passengers", dtype.Uint8, rows, func(r benchTrip) uint8 { return r.Passengers }),
			adder(b, v, "Cash", dtype.Bool, rows, func(r benchTrip) bool { return r.Cash }),
			adder(b, v, "Tip", dtype.Nullable(dtype.Float64), rows, func(r benchTrip) sql.Null[float64] { return r.Tip }),
			adder(b, v, "Stars", dtype.Nullable(dtype.Int64), rows, func(r benchTrip) sql.Null[int64] {
				return sql.Null[int64]{V: int64(r.Stars.V), Valid: r.Stars.Valid}
			}),
			adder(b, v, "Note", dtype.String, rows, func(r benchTrip) string { return r.Note }),
		}
		b.ReportAllocs()
		defer vaulttest.Meter(b)()
		for b.Loop() {
			err := v.Update(ctx, func(_ context.Context, tx *columnvault.Tx) error {
				for _, add := range adders {
					if err := add(tx); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

// adder appends a field of the rows to its column. The values are there already.
func adder[T any](b *testing.B, v *columnvault.Vault, name string, t dtype.Type[T], rows []benchTrip, field func(benchTrip) T) func(*columnvault.Tx) error {
	b.Helper()
	c, err := columnvault.Lookup(context.Background(), v, "trips."+name, t)
	if err != nil {
		b.Fatal(err)
	}
	values := make([]T, len(rows))
	for i, r := range rows {
		values[i] = field(r)
	}
	return func(tx *columnvault.Tx) error { return c.In(tx).Append(context.Background(), values...) }
}

// BenchmarkTableCached appends single rows of ten fields through caches.
func BenchmarkTableCached(b *testing.B) {
	ctx := context.Background()
	v := openBench(b, nil)
	table, err := columnvault.EnsureTable[benchTrip](ctx, v, "trips", nil)
	if err == nil {
		err = table.EnableCache(ctx, nil)
	}
	if err != nil {
		b.Fatal(err)
	}
	rows := benchTrips(1000)
	b.ReportAllocs()
	defer vaulttest.Meter(b)()
	i := 0
	for b.Loop() {
		if err := table.Append(ctx, rows[i%len(rows)]); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

// BenchmarkTableRead reads a hundred thousand rows of ten fields a call.
func BenchmarkTableRead(b *testing.B) {
	ctx := context.Background()
	v := openBench(b, nil)
	table, err := columnvault.EnsureTable[benchTrip](ctx, v, "trips", nil)
	if err == nil {
		err = table.Append(ctx, benchTrips(100_000)...)
	}
	if err != nil {
		b.Fatal(err)
	}
	into := make([]benchTrip, 100_000)
	b.ReportAllocs()
	for b.Loop() {
		if n, err := table.Read(ctx, into, 0); n != len(into) || err != nil {
			b.Fatal(n, err)
		}
	}
}

// BenchmarkTableAt reads single rows of ten fields.
func BenchmarkTableAt(b *testing.B) {
	ctx := context.Background()
	v := openBench(b, nil)
	table, err := columnvault.EnsureTable[benchTrip](ctx, v, "trips", nil)
	if err == nil {
		err = table.Append(ctx, benchTrips(100_000)...)
	}
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, err := table.At(ctx, i); err != nil {
			b.Fatal(err)
		}
		i = (i + 7919) % 100_000
	}
}
