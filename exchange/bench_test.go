package exchange_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"columnvault"
	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/exchange/arrow"
	"columnvault/exchange/npy"
	"columnvault/exchange/parquet"
)

// benchRows is how many integers the benchmarks move.
const benchRows = 10_000_000

// benchFormats are formats that are not text.
var benchFormats = []struct {
	name   string
	writer func(w io.Writer) exchange.Sink
	reader func(f *os.File, size int64) exchange.Source
}{
	{"parquet", func(w io.Writer) exchange.Sink { return parquet.NewWriter(w, nil) },
		func(f *os.File, size int64) exchange.Source { return parquet.NewReader(f, size, nil) }},
	{"parquet plain", func(w io.Writer) exchange.Sink { return parquet.NewWriter(w, &parquet.WriterOptions{Plain: true}) },
		func(f *os.File, size int64) exchange.Source { return parquet.NewReader(f, size, nil) }},
	{"arrow", func(w io.Writer) exchange.Sink { return arrow.NewWriter(w, nil) },
		func(f *os.File, size int64) exchange.Source { return arrow.NewReader(f, size, nil) }},
	{"npy", func(w io.Writer) exchange.Sink { return npy.NewWriter(w) },
		func(f *os.File, size int64) exchange.Source { return npy.NewReader(f, size, nil) }},
}

// benchVault returns a vault with ascending integers, as of a log.
func benchVault(b *testing.B) *columnvault.Vault {
	b.Helper()
	ctx := b.Context()
	v, err := columnvault.Open(b.Context(), filepath.Join(b.TempDir(), "bench.db"), nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { v.Close() })
	c, err := columnvault.Create(ctx, v, "n", dtype.Int64, nil)
	if err != nil {
		b.Fatal(err)
	}
	list := make([]int64, benchRows/10)
	x, seed := int64(0), uint64(1)
	for range 10 {
		for i := range list {
			seed = seed*6364136223846793005 + 1442695040888963407
			x += int64(seed >> 54)
			list[i] = x
		}
		if err := c.Append(ctx, list...); err != nil {
			b.Fatal(err)
		}
	}
	return v
}

func exportFile(ctx context.Context, v *columnvault.Vault, path string, sink func(io.Writer) exchange.Sink) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err := exchange.Export(ctx, v, nil, sink(f), nil); err != nil {
		return err
	}
	return f.Close()
}

// cpu reports the processor time of an operation, which says more than the time
// on the clock where other programs run.
func cpu(b *testing.B, run func()) {
	b.Helper()
	b.SetBytes(8 * benchRows)
	start := processorTime()
	for b.Loop() {
		run()
	}
	b.ReportMetric(float64(processorTime()-start)/1e6/float64(b.N), "cpu-ms/op")
}

// BenchmarkBeside sets each format beside what bounds it: Parquet beside the
// library alone, the rest beside the copy of a file, and all imports beside the
// vault's own append of what a batch of theirs has.
func BenchmarkBeside(b *testing.B) {
	ctx := b.Context()
	v := benchVault(b)
	path := filepath.Join(b.TempDir(), "file")
	try := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	c, err := columnvault.Lookup(ctx, v, "n", dtype.Int64)
	try(err)
	list, err := c.Slice(ctx, 0, columnvault.End)
	try(err)
	b.Run("append", func(b *testing.B) {
		cpu(b, func() {
			to, err := columnvault.Open(b.Context(), filepath.Join(b.TempDir(), "to.db"), nil)
			try(err)
			try(to.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
				c, err := columnvault.Create(ctx, tx, "n", dtype.Int64, nil)
				for at := 0; err == nil && at < len(list); at += 64 << 10 {
					err = c.Append(ctx, list[at:min(at+64<<10, len(list))]...)
				}
				return err
			}))
			try(to.Close())
		})
	})
	for _, f := range benchFormats {
		b.Run(f.name+"/export", func(b *testing.B) { cpu(b, func() { try(exportFile(ctx, v, path, f.writer)) }) })
		if strings.HasPrefix(f.name, "parquet") {
			b.Run(f.name+"/library writes", func(b *testing.B) { cpu(b, func() { try(writeAlone(path+".alone", list, f.name == "parquet plain")) }) })
			b.Run(f.name+"/library reads", func(b *testing.B) { cpu(b, func() { try(readAlone(path+".alone", len(list))) }) })
		} else {
			b.Run(f.name+"/copy", func(b *testing.B) { cpu(b, func() { try(copyFile(path, path+".copy")) }) })
		}
		source := func(b *testing.B) exchange.Source {
			file, err := os.Open(path)
			try(err)
			b.Cleanup(func() { file.Close() })
			info, err := file.Stat()
			try(err)
			return f.reader(file, info.Size())
		}
		b.Run(f.name+"/read", func(b *testing.B) {
			cpu(b, func() {
				_, err := exchange.Detect(ctx, source(b), nil)
				try(err)
			})
		})
		b.Run(f.name+"/import", func(b *testing.B) {
			cpu(b, func() {
				to, err := columnvault.Open(b.Context(), filepath.Join(b.TempDir(), "to.db"), nil)
				try(err)
				_, err = exchange.Import(ctx, to, source(b), nil)
				try(err)
				try(to.Close())
			})
		})
	}
}

// aloneRow is a row for the Parquet library by itself.
type aloneRow struct {
	N int64 `parquet:"n,plain"`
}

// writeAlone writes a file as the Parquet library does it from structs, with the
// row groups and the compression that ours have.
func writeAlone(path string, list []int64, plain bool) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	options := []pq.WriterOption{pq.PageBufferSize(1 << 20), pq.MaxRowsPerRowGroup(1 << 20), pq.DataPageVersion(1)}
	if !plain {
		options = append(options, pq.Compression(&zstd.Codec{Level: zstd.SpeedFastest}))
	}
	w := pq.NewGenericWriter[aloneRow](f, options...)
	rows := make([]aloneRow, 64<<10)
	for at := 0; at < len(list); at += len(rows) {
		n := min(len(rows), len(list)-at)
		for i := range n {
			rows[i].N = list[at+i]
		}
		if _, err := w.Write(rows[:n]); err != nil {
			return err
		}
	}
	return w.Close()
}

// readAlone reads such a file into structs.
func readAlone(path string, want int) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	r := pq.NewGenericReader[aloneRow](f)
	defer r.Close()
	rows, total := make([]aloneRow, 64<<10), 0
	for {
		n, err := r.Read(rows)
		total += n
		if errors.Is(err, io.EOF) && total == want {
			return nil
		}
		if err != nil {
			return fmt.Errorf("after %d rows: %w", total, err)
		}
	}
}

// copyFile copies through memory, as a program would that looks at the bytes.
func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	if _, err := io.CopyBuffer(struct{ io.Writer }{out}, struct{ io.Reader }{in}, make([]byte, 1<<20)); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}
