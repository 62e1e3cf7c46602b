package conformance_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"

	"columnvault"
	"columnvault/dtype"
	. "columnvault/internal/vaulttest"
)

// TestRunsInto: the runs are the part that Slice gives, each in the memory of
// the caller.
func TestRunsInto(t *testing.T) {
	ctx := t.Context()
	v := OpenAt(t, t.TempDir()+"/runs.db", &columnvault.Options{ReadBytes: 256})
	var numbers []int64
	var texts []string
	for i := range 1000 {
		numbers = append(numbers, int64(i))
		texts = append(texts, fmt.Sprint("text ", i))
	}
	testRunsInto(t, Create(t, v, "numbers", dtype.Int64, numbers...), numbers)
	testRunsInto(t, Create(t, v, "texts", dtype.String, texts...), texts)

	held := Create(t, v, "held", dtype.Int64, numbers[:500]...)
	Must(t, held.EnableCache(ctx, nil))
	Must(t, held.Append(ctx, numbers[500:]...))
	testRunsInto(t, held, numbers)
}

func testRunsInto[T cmp.Ordered](t *testing.T, c *columnvault.Column[T], want []T) {
	t.Helper()
	for _, size := range []int{0, 1, 7, 5000} {
		buf := make([]T, size)
		for _, part := range [][2]int{{0, columnvault.End}, {10, 20}, {-5, columnvault.End}, {20, 10}, {-9999, 3}} {
			var got []T
			for run, err := range c.RunsInto(t.Context(), buf, part[0], part[1]) {
				Must(t, err)
				if size > 0 && &run.Values[0] != &buf[0] {
					t.Fatal("the run is not in the memory of the caller")
				}
				if run.Values[0] != want[run.Start] {
					t.Errorf("the run at %d begins with %v", run.Start, run.Values[0])
				}
				got = append(got, run.Values...)
			}
			slice, err := c.Slice(t.Context(), part[0], part[1])
			Must(t, err)
			if !slices.Equal(got, slice) {
				t.Errorf("with a buffer of %d the part %v has %d elements, want %d", size, part, len(got), len(slice))
			}
		}
	}
}

// TestSnapshotOfACaller: it shows one moment, with what was held then, until it
// is closed.
func TestSnapshotOfACaller(t *testing.T) {
	ctx := t.Context()
	v := Open(t)
	c := Create(t, v, "values", dtype.Int64, 1, 2)
	Must(t, c.EnableCache(ctx, nil))
	Must(t, c.Append(ctx, 3))
	tx, err := v.Snapshot(ctx)
	Must(t, err)
	_, err = v.Flush(ctx)
	Must(t, err)
	Must(t, c.Set(ctx, 0, 9))
	opened, err := tx.Column(ctx, "values")
	Must(t, err)
	numbers := columnvault.As(opened, dtype.Int64)
	got, err := numbers.Slice(ctx, 0, columnvault.End)
	Must(t, err)
	if !slices.Equal(got, []int64{1, 2, 3}) {
		t.Errorf("the snapshot has %v", got)
	}
	_, err = columnvault.As(opened, dtype.Float64).At(ctx, 0)
	WantErr(t, "another dtype", err, columnvault.ErrDType)
	Must(t, tx.Close())
	Must(t, tx.Close())
	_, err = numbers.At(ctx, 0)
	WantErr(t, "a read after Close", err, columnvault.ErrClosed)
	Must(t, v.View(ctx, func(_ context.Context, tx *columnvault.Tx) error {
		WantErr(t, "Close of a View", tx.Close(), columnvault.ErrInvalidArgument)
		return nil
	}))
	Must(t, v.Close())
	_, err = v.Snapshot(ctx)
	WantErr(t, "a snapshot of a closed vault", err, columnvault.ErrClosed)
}
