package exchange_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

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

// BenchmarkFormats writes ten million integers to a file, reads them without a
// vault, and imports them. copy is that of the largest of these files.
func BenchmarkFormats(b *testing.B) {
	ctx := b.Context()
	v := benchVault(b)
	last := ""
	for _, f := range benchFormats {
		path := filepath.Join(b.TempDir(), "file")
		last = path
		b.Run("export/"+f.name, func(b *testing.B) {
			b.SetBytes(8 * benchRows)
			for b.Loop() {
				if err := exportFile(ctx, v, path, f.writer); err != nil {
					b.Fatal(err)
				}
			}
		})
		open := func(b *testing.B) exchange.Source {
			file, err := os.Open(path)
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { file.Close() })
			info, err := file.Stat()
			if err != nil {
				b.Fatal(err)
			}
			return f.reader(file, info.Size())
		}
		b.Run("read/"+f.name, func(b *testing.B) {
			b.SetBytes(8 * benchRows)
			for b.Loop() {
				if _, err := exchange.Detect(ctx, open(b), nil); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("import/"+f.name, func(b *testing.B) {
			b.SetBytes(8 * benchRows)
			for b.Loop() {
				to, err := columnvault.Open(b.Context(), filepath.Join(b.TempDir(), "to.db"), nil)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := exchange.Import(ctx, to, open(b), nil); err != nil {
					b.Fatal(err)
				}
				if err := to.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("copy", func(b *testing.B) {
		b.SetBytes(8 * benchRows)
		for b.Loop() {
			from, err := os.Open(last)
			if err != nil {
				b.Fatal(err)
			}
			to, err := os.Create(last + ".copy")
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.Copy(struct{ io.Writer }{to}, struct{ io.Reader }{from}); err != nil {
				b.Fatal(err)
			}
			from.Close()
			if err := to.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
