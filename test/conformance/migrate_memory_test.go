package conformance_test

import (
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// TestMemoryOfMigrate brings columns that are larger than the bound to the other
// layout and back.
func TestMemoryOfMigrate(t *testing.T) {
	if testing.Short() {
		t.Skip("it copies columns of 112 MiB")
	}
	const bound = 96 << 20
	ctx := t.Context()
	v := vaulttest.OpenAt(t, t.TempDir()+"/large.db", nil)
	numbers := vaulttest.Create(t, v, "numbers", dtype.Int64)
	texts := vaulttest.Create(t, v, "texts", dtype.String)
	list, words := make([]int64, 1<<20), make([]string, 64<<10)
	for i := range words {
		words[i] = strings.Repeat("x", 100+i%56)
	}
	for range 14 {
		vaulttest.Must(t, numbers.Append(ctx, list...))
		vaulttest.Must(t, texts.Append(ctx, words...))
	}
	for _, to := range []int{1, 0} {
		debug.FreeOSMemory()
		had, most, looks := taken(), uint64(0), 0
		names, err := v.Migrate(ctx, columnvault.MigrateOptions{To: to, Progress: func(int64, int64) {
			if looks++; looks%16 == 0 {
				most = max(most, taken())
			}
		}})
		vaulttest.Must(t, err)
		if len(names) != 2 || most == 0 {
			t.Fatalf("to layout %d: %v, looked %d times", to, names, looks)
		}
		if most > had+bound {
			t.Errorf("to layout %d: it took %d MiB", to, (most-had)>>20)
		}
		t.Logf("to layout %d: %d MiB beside %d", to, (max(most, had)-had)>>20, had>>20)
	}
}

// taken is the memory that the process has of the system.
func taken() uint64 {
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.Sys - s.HeapReleased
}
