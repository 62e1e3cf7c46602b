package exchange_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/exchange"
)

// mostMemory is what an import or an export may take of the system, in bytes.
const mostMemory = 256 << 20

// peak is the most memory that the process had of the system.
type peak uint64

func (p *peak) look() {
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	*p = max(*p, peak(s.Sys-s.HeapReleased))
}

// TestMemoryOfFormats moves so much in each direction that it does not fit the
// bound twice.
func TestMemoryOfFormats(t *testing.T) {
	if testing.Short() {
		t.Skip("it moves 160 MiB through each format")
	}
	ctx := t.Context()
	from := open(t)
	n, err := columnvault.Create(ctx, from, "n", dtype.Vector[int64](8), nil)
	if err != nil {
		t.Fatal(err)
	}
	const rows, step = 5 << 19, 64 << 10
	list := make([][]int64, step)
	for i := range list {
		list[i] = make([]int64, 8)
	}
	for at := 0; at < rows; at += step {
		for i, v := range list {
			for k := range v {
				v[k] = int64(at+i) * 0x1e3779b97f4a7c15 >> k // does not compress
			}
		}
		if err := n.Append(ctx, list...); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range benchFormats {
		path := filepath.Join(t.TempDir(), "file")
		measure := func(what string, run func(look func(done, total int64)) error) {
			t.Helper()
			debug.FreeOSMemory()
			var p peak
			if err := run(func(int64, int64) { p.look() }); err != nil {
				t.Fatalf("%s %s: %v", what, f.name, err)
			}
			if p == 0 || p > mostMemory {
				t.Errorf("%s %s: %d MiB", what, f.name, p>>20)
			}
			t.Logf("%s %s: %d MiB", what, f.name, p>>20)
		}
		measure("export", func(look func(done, total int64)) error {
			file, err := os.Create(path)
			if err != nil {
				return err
			}
			defer file.Close()
			_, err = exchange.Export(ctx, from, nil, f.writer(file), &exchange.ExportOptions{Progress: look})
			return err
		})
		measure("import", func(look func(done, total int64)) error {
			file, err := os.Open(path)
			if err != nil {
				return err
			}
			defer file.Close()
			info, err := file.Stat()
			if err != nil {
				return err
			}
			if info.Size() < mostMemory/2 {
				return fmt.Errorf("the file has %d bytes, and proves nothing", info.Size())
			}
			to, err := columnvault.Open(t.Context(), filepath.Join(t.TempDir(), "to.db"), nil)
			if err != nil {
				return err
			}
			defer to.Close()
			_, err = exchange.Import(ctx, to, f.reader(file, info.Size()), &exchange.ImportOptions{Progress: look})
			return err
		})
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}
