package conformance_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// TestLargeAppend: a call that is encoded in pieces is as whole as another. A
// value that cannot be stored, behind many that have been written, undoes
// them, and the error has its number.
func TestLargeAppend(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	c := vaulttest.Create(t, v, "text", dtype.String, "first")
	values := vaulttest.Sequence(120_000, func(i int) string { return strings.Repeat("x", 50+i%100) })
	bad := slices.Clone(values)
	bad[110_000] = "\xff"
	err := c.Append(ctx, bad...)
	var element *dtype.ElementError
	if !errors.Is(err, dtype.ErrValue) || !errors.As(err, &element) || element.Index != 110_000 || !strings.Contains(err.Error(), "value 110000 of the call") {
		t.Errorf("a value that is not UTF-8: %v", err)
	}
	vaulttest.WantColumn(t, c, "first")
	vaulttest.Must(t, c.Append(ctx, values...))
	vaulttest.WantColumn(t, c, append([]string{"first"}, values...)...)
	vaulttest.WantSound(t, v)

	// In a transaction that goes on, nothing of the call is written.
	vaulttest.Must(t, c.Truncate(ctx, 1))
	vaulttest.Must(t, v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		if err := c.In(tx).Append(ctx, bad...); !errors.Is(err, dtype.ErrValue) {
			t.Errorf("in a transaction: %v", err)
		}
		return c.In(tx).Append(ctx, "last")
	}))
	vaulttest.WantColumn(t, c, "first", "last")

	// A cache holds what it has room for.
	vaulttest.Must(t, c.EnableCache(ctx, nil))
	commits := v.Stats().Commits
	vaulttest.Must(t, c.Append(ctx, values...))
	if n := v.Stats().Commits - commits; n != 0 {
		t.Errorf("%d commits of an append that the cache has room for", n)
	}
	_, err = v.Flush(ctx)
	vaulttest.Must(t, err)
	vaulttest.WantColumn(t, c, append([]string{"first", "last"}, values...)...)
}

// TestLargeAppendMemory: the encoded form of a large call is never in memory as
// a whole.
func TestLargeAppendMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("memory is not measured with -short")
	}
	v := vaulttest.Open(t)
	c := vaulttest.Create(t, v, "text", dtype.String)
	value := strings.Repeat("x", 1000)
	values := vaulttest.Sequence(100_000, func(int) string { return value }) // 100 MB
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	vaulttest.Must(t, c.Append(t.Context(), values...))
	runtime.ReadMemStats(&after)
	if taken := after.TotalAlloc - before.TotalAlloc; taken > 40<<20 {
		t.Errorf("an append of 100 MB takes %d MiB in all", taken>>20)
	}
}
