package columnvault_test

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
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
			b.SetBytes(int64(100 * million))
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
			b.SetBytes(int64(100 * million))
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
		b.ReportMetric(float64(million)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
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
		b.ReportMetric(float64(million)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
	})
}

var benchLen = flag.Int("len", million, "the `number` of elements in the columns of benchmarks over layouts")

// benchLayouts are those that can be written.
var benchLayouts = []benchLayout{
	{"0", columnvault.ColumnOptions{}},
	{"native", columnvault.ColumnOptions{Layout: columnvault.Native}},
	{"zstd", columnvault.ColumnOptions{Layout: columnvault.Native, Compression: columnvault.Zstd}},
}

// readOnly is the layout of KohakuVault 1.x.
var readOnly = benchLayout{name: "1"}

type benchLayout struct {
	name string
	o    columnvault.ColumnOptions
}

// overLayouts runs a benchmark on columns of -len elements in each layout that
// can be written.
func overLayouts[T any](b *testing.B, typ dtype.Type[T], make func(n int) []T, run func(b *testing.B, v *columnvault.Vault, c *columnvault.Column[T])) {
	inLayouts(b, benchLayouts, typ, make, run)
}

// overAllLayouts is overLayouts for benchmarks that read.
func overAllLayouts[T any](b *testing.B, typ dtype.Type[T], make func(n int) []T, run func(b *testing.B, v *columnvault.Vault, c *columnvault.Column[T])) {
	inLayouts(b, append(slices.Clone(benchLayouts), readOnly), typ, make, run)
}

func inLayouts[T any](b *testing.B, layouts []benchLayout, typ dtype.Type[T], make func(n int) []T, run func(b *testing.B, v *columnvault.Vault, c *columnvault.Column[T])) {
	for _, layout := range layouts {
		b.Run("layout="+layout.name, func(b *testing.B) {
			v := openBench(b, nil)
			c, err := columnvault.Create(b.Context(), v, "x", typ, &layout.o)
			for n := *benchLen; n > 0 && err == nil; n -= million {
				err = c.Append(b.Context(), make(min(n, million))...)
			}
			must(b, err)
			if layout.name == readOnly.name {
				_, err = v.Migrate(b.Context(), columnvault.MigrateOptions{Columns: []string{"x"}, To: 1})
				must(b, err)
			}
			_, err = v.Checkpoint(b.Context(), columnvault.CheckpointTruncate) // else it goes on beside what is measured
			must(b, err)
			b.ReportAllocs()
			defer vaulttest.Meter(b)()
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

// BenchmarkLayoutDelete deletes the first million, or the first tenth, and appends as
// much while the clock stands.
func BenchmarkLayoutDelete(b *testing.B) {
	overLayouts(b, dtype.Int64, times, func(b *testing.B, _ *columnvault.Vault, c *columnvault.Column[int64]) {
		some := min(*benchLen/10, million)
		more := times(some)
		used := time.Duration(0)
		for b.Loop() {
			before := vaulttest.ProcessorTime()
			must(b, c.Delete(b.Context(), 0, some))
			used += vaulttest.ProcessorTime() - before
			b.StopTimer()
			must(b, c.Append(b.Context(), more...))
			b.StartTimer()
		}
		b.ReportMetric(float64(used)/float64(b.N), "delete-cpu-ns/op")
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
		b.SetBytes(int64(8 * million))
		for b.Loop() {
			must(b, c.Append(b.Context(), more...))
		}
	})
}

func BenchmarkLayoutReadAll(b *testing.B) {
	overAllLayouts(b, dtype.Int64, times, func(b *testing.B, _ *columnvault.Vault, c *columnvault.Column[int64]) {
		into := make([]int64, *benchLen)
		b.SetBytes(8 * int64(len(into)))
		for b.Loop() {
			_, err := c.Read(b.Context(), into, 0)
			must(b, err)
		}
	})
}

func BenchmarkLayoutAt(b *testing.B) {
	overAllLayouts(b, dtype.Int64, times, func(b *testing.B, _ *columnvault.Vault, c *columnvault.Column[int64]) {
		for b.Loop() {
			_, err := c.At(b.Context(), rand.IntN(*benchLen))
			must(b, err)
		}
	})
}

func BenchmarkLayoutAtInView(b *testing.B) {
	overAllLayouts(b, dtype.Int64, times, func(b *testing.B, v *columnvault.Vault, c *columnvault.Column[int64]) {
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
	overAllLayouts(b, dtype.Int64, times, func(b *testing.B, _ *columnvault.Vault, c *columnvault.Column[int64]) {
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
			must(b, c.Set(b.Context(), at, 1_700_000_000_000+int64(at%million)*1000+rand.Int64N(50))) // as it was
		}
	})
}

// BenchmarkLayoutText reads texts of 16 and of 100 bytes, sets them, and inserts
// one, but not in layout 1.
func BenchmarkLayoutText(b *testing.B) {
	for _, size := range []int{16, 100} {
		more := strings.Repeat("x", size-16)
		texts := func(n int) []string {
			values := words(n)
			for i := range values {
				values[i] += more
			}
			return values
		}
		b.Run(fmt.Sprintf("%d bytes", size), func(b *testing.B) {
			overAllLayouts(b, dtype.String, texts, func(b *testing.B, v *columnvault.Vault, c *columnvault.Column[string]) {
				benchText(b, v, c, size, "a new word, 16 b"+more)
			})
		})
	}
}

func benchText(b *testing.B, v *columnvault.Vault, c *columnvault.Column[string], size int, text string) {
	ctx := b.Context()
	sizes, err := v.FileSizes()
	must(b, err)
	fileBytes := float64(sizes.Main+sizes.Log) / float64(size**benchLen)
	each := func(name string, call func() error) {
		b.Run(name, func(b *testing.B) {
			defer vaulttest.Meter(b)()
			for b.Loop() {
				must(b, call())
			}
		})
	}
	each("at", func() error {
		_, err := c.At(ctx, rand.IntN(*benchLen))
		return err
	})
	b.Run("read all", func(b *testing.B) {
		b.SetBytes(int64(size) * int64(*benchLen))
		defer vaulttest.Meter(b)()
		for b.Loop() {
			for _, err := range c.Values(ctx) {
				must(b, err)
			}
		}
		b.ReportMetric(fileBytes, "file-bytes/byte")
	})
	each("slice", func() error {
		at := rand.IntN(*benchLen - 100)
		_, err := c.Slice(ctx, at, at+100)
		return err
	})
	if strings.HasSuffix(b.Name(), "layout="+readOnly.name) {
		return
	}
	each("set equal", func() error { return c.Set(ctx, rand.IntN(*benchLen), text) })
	each("set larger", func() error { return c.Set(ctx, rand.IntN(*benchLen), text+" and longer than it was") })
	each("insert", func() error { return c.Insert(ctx, rand.IntN(*benchLen), text) })
}

// BenchmarkLayoutRow writes one row in a transaction of its own, by the driver
// alone: what AppendOne and Text have to be compared with.
func BenchmarkLayoutRow(b *testing.B) {
	db := vaulttest.RawConn(b, filepath.Join(b.TempDir(), "rows.db"))
	must(b, db.Exec(fmt.Sprintf(`PRAGMA page_size = %d; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -16000;
		PRAGMA wal_autocheckpoint = 4000; CREATE TABLE numbers (x INTEGER); CREATE TABLE texts (x TEXT);
		WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT INTO texts SELECT printf('%%0100d', i) FROM n`,
		cmp.Or(*benchPage, 8192), *benchLen)))
	b.Run("append one", func(b *testing.B) {
		st, _, err := db.Prepare(`INSERT INTO numbers VALUES (?)`)
		must(b, err)
		defer st.Close()
		defer vaulttest.Meter(b)()
		for b.Loop() {
			must(b, st.BindInt64(1, 7))
			must(b, st.Exec())
		}
	})
	b.Run("set of 100 bytes", func(b *testing.B) {
		st, _, err := db.Prepare(`UPDATE texts SET x = ? WHERE rowid = ?`)
		must(b, err)
		defer st.Close()
		text := strings.Repeat("x", 100)
		defer vaulttest.Meter(b)()
		for b.Loop() {
			must(b, st.BindText(1, text))
			must(b, st.BindInt64(2, 1+rand.Int64N(int64(*benchLen))))
			must(b, st.Exec())
		}
	})
}

// must ends the benchmark with an error. Helper takes longer than to read an
// element, so it is called for errors alone.
func must(b *testing.B, err error) {
	if err != nil {
		b.Helper()
		b.Fatal(err)
	}
}

// BenchmarkTableTexts appends a thousand rows of texts a call, as a table and, to
// compare, by hand.
func BenchmarkTableTexts(b *testing.B) {
	texts := vaulttest.Sequence(1000, func(i int) string { return fmt.Sprintf("text %06d", i) })
	benchTexts(b, texts, func(s string) struct{ A string } { return struct{ A string }{s} }, "A")
	benchTexts(b, texts, func(s string) struct{ A, B, C, D string } { return struct{ A, B, C, D string }{s, s, s, s} }, "A", "B", "C", "D")
	type eight struct{ A, B, C, D, E, F, G, H string }
	benchTexts(b, texts, func(s string) eight { return eight{s, s, s, s, s, s, s, s} }, "A", "B", "C", "D", "E", "F", "G", "H")
}

func benchTexts[T any](b *testing.B, texts []string, row func(s string) T, fields ...string) {
	rows := vaulttest.Sequence(len(texts), func(i int) T { return row(texts[i]) })
	run := func(name string, do func(ctx context.Context, v *columnvault.Vault, table *columnvault.Table[T]) error) {
		b.Run(fmt.Sprint(len(fields), "/", name), func(b *testing.B) {
			v := openBench(b, nil)
			table, err := columnvault.EnsureTable[T](b.Context(), v, "t", nil)
			must(b, err)
			b.ReportAllocs()
			defer vaulttest.Meter(b)()
			for b.Loop() {
				must(b, do(b.Context(), v, table))
			}
		})
	}
	run("table", func(ctx context.Context, _ *columnvault.Vault, table *columnvault.Table[T]) error {
		return table.Append(ctx, rows...)
	})
	run("by hand", func(ctx context.Context, v *columnvault.Vault, _ *columnvault.Table[T]) error {
		return v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			for _, field := range fields {
				c, err := columnvault.Lookup(ctx, tx, "t."+field, dtype.String)
				if err != nil {
					return err
				}
				if err := c.In(tx).Append(ctx, texts...); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// BenchmarkTextRead reads 10^6 short texts, as a fresh process does once and then
// again: Slice takes new memory, and Read the same.
func BenchmarkTextRead(b *testing.B) {
	ctx := context.Background()
	values := make([]string, million)
	for i := range values {
		values[i] = fmt.Sprintf("text %011d", i)
	}
	for _, layout := range []int{columnvault.Layout0, columnvault.Native} {
		v := openBench(b, nil)
		c, err := columnvault.Create(ctx, v, "x", dtype.String, &columnvault.ColumnOptions{Layout: layout})
		if err == nil {
			err = c.Append(ctx, values...)
		}
		if err != nil {
			b.Fatal(err)
		}
		into := make([]string, million)
		for name, read := range map[string]func() (int, error){
			"Read":  func() (int, error) { return c.Read(ctx, into, 0) },
			"Slice": func() (int, error) { s, err := c.Slice(ctx, columnvault.Begin, columnvault.End); return len(s), err },
		} {
			b.Run(fmt.Sprintf("layout=%d/%s", max(0, layout), name), func(b *testing.B) {
				b.SetBytes(int64(16 * million))
				b.ReportAllocs()
				for b.Loop() {
					if n, err := read(); n != million || err != nil {
						b.Fatal(n, err)
					}
				}
			})
		}
	}
}
