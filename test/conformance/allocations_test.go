package conformance_test

import (
	"context"
	"database/sql"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// TestAllocationsOfSingleCalls bounds what the smallest calls allocate, which is
// most of what they cost beside the engine.
func TestAllocationsOfSingleCalls(t *testing.T) {
	if testing.Short() {
		t.Skip("counts allocations, and the race detector empties pools at random")
	}
	ctx := t.Context()
	v := vaulttest.Open(t)
	numbers, err := columnvault.Create(ctx, v, "numbers", dtype.Int64, nil)
	vaulttest.Must(t, err)
	texts, err := columnvault.Create(ctx, v, "texts", dtype.String, nil)
	vaulttest.Must(t, err)
	vaulttest.Must(t, numbers.Append(ctx, make([]int64, 1000)...))
	vaulttest.Must(t, texts.Append(ctx, "a", "b"))
	native := vaulttest.CreateWith(t, v, "native", dtype.Int64, &columnvault.ColumnOptions{Layout: columnvault.Native, MaxChunk: 1024}, make([]int64, 1000)...)
	want := func(what string, most float64, do func(ctx context.Context) error) {
		t.Helper()
		if n := testing.AllocsPerRun(100, func() { vaulttest.Must(t, do(ctx)) }); n > most {
			t.Errorf("%s makes %v allocations, want at most %v", what, n, most)
		}
	}
	want("At", 5, func(ctx context.Context) error { return vaulttest.ErrOf(numbers.At(ctx, 500)) })
	want("Slice", 6, func(ctx context.Context) error { return vaulttest.ErrOf(numbers.Slice(ctx, 500, 600)) })
	want("At of text", 9, func(ctx context.Context) error { return vaulttest.ErrOf(texts.At(ctx, 1)) })
	want("At, native", 6, func(ctx context.Context) error { return vaulttest.ErrOf(native.At(ctx, 500)) })
	nativeTexts := vaulttest.CreateWith(t, v, "native texts", dtype.String, &columnvault.ColumnOptions{Layout: columnvault.Native}, "a", "b", "c")
	want("At of text, native", 11, func(ctx context.Context) error { return vaulttest.ErrOf(nativeTexts.At(ctx, 1)) })
	want("Slice, native", 7, func(ctx context.Context) error { return vaulttest.ErrOf(native.Slice(ctx, 520, 620)) })
	want("Append", 24, func(ctx context.Context) error { return numbers.Append(ctx, 1) })
	want("Append of text", 36, func(ctx context.Context) error { return texts.Append(ctx, "text") })
	// What a table allocates depends on its columns, and not on the rows.
	type row struct {
		ID   int64
		Text string
		Gap  sql.Null[float64]
	}
	table, err := columnvault.EnsureTable[row](ctx, v, "rows", nil)
	vaulttest.Must(t, err)
	rows := make([]row, 2000)
	want("Append of 1,000 rows", 120, func(ctx context.Context) error { return table.Append(ctx, rows[:1000]...) })
	want("Read of 2,000 rows", 45, func(ctx context.Context) error { return vaulttest.ErrOf(table.Read(ctx, rows, 0)) })
	vaulttest.Must(t, table.EnableCache(ctx, nil))
	want("Append of a row to a cache", 5, func(ctx context.Context) error { return table.Append(ctx, rows[0]) })
	err = v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		in := numbers.In(tx)
		want("At in a View", 1, func(context.Context) error { return vaulttest.ErrOf(in.At(ctx, 500)) })
		want("Slice in a View", 2, func(context.Context) error { return vaulttest.ErrOf(in.Slice(ctx, 500, 600)) })
		want("At in a View, native", 1, func(context.Context) error { return vaulttest.ErrOf(native.In(tx).At(ctx, 500)) })
		into := make([]int64, 100)
		want("Read in a View", 1, func(context.Context) error { return vaulttest.ErrOf(in.Read(ctx, into, 500)) })
		want("At of text in a View", 1, func(context.Context) error { return vaulttest.ErrOf(texts.In(tx).At(ctx, 1)) })
		return nil
	})
	vaulttest.Must(t, err)
}
