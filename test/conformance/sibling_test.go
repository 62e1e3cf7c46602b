package conformance_test

import (
	"context"
	"sync"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// TestSibling reads one state on several goroutines, what caches hold too, whatever
// is written meanwhile; and gets no sibling where there can be none.
func TestSibling(t *testing.T) {
	ctx := t.Context()
	const n = 100_000
	v := vaulttest.Open(t)
	c := vaulttest.Create(t, v, "c", dtype.Int64, make([]int64, n)...)
	vaulttest.Must(t, c.EnableCache(ctx, vaulttest.CacheOf(1<<20, 1<<20)))
	vaulttest.Must(t, c.Append(ctx, 1, 2, 3))
	tx, err := v.Snapshot(ctx)
	vaulttest.Must(t, err)
	defer tx.Close()
	var all []*columnvault.Tx
	for range 3 {
		sibling, err := tx.Sibling(ctx)
		vaulttest.Must(t, err)
		if sibling == nil {
			t.Skip("whether others have written is not known on this machine")
		}
		defer sibling.Close()
		all = append(all, sibling)
	}
	vaulttest.Must(t, c.DisableCache(ctx))
	vaulttest.Must(t, c.Set(ctx, 5, 99))
	vaulttest.Must(t, c.Append(ctx, 4))
	var readers sync.WaitGroup
	for _, in := range append(all, tx) {
		readers.Go(func() {
			got, err := c.In(in).Slice(ctx, columnvault.Begin, columnvault.End)
			if err != nil || len(got) != n+3 || got[5] != 0 || got[n+2] != 3 {
				t.Errorf("%d elements: %v", len(got), err)
			}
		})
	}
	readers.Wait()
	if late, err := tx.Sibling(ctx); late != nil || err != nil {
		t.Errorf("a sibling in a state that is not the newest any more: %v", err)
	}
	vaulttest.Must(t, all[0].Close())
	_, err = c.In(all[0]).Len(ctx)
	vaulttest.WantErr(t, "a closed sibling", err, columnvault.ErrClosed)
	if n, err := c.In(all[1]).Len(ctx); n != 100_003 || err != nil {
		t.Errorf("another has %d elements: %v", n, err)
	}
	vaulttest.Must(t, v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		if sibling, err := tx.Sibling(ctx); sibling != nil || err != nil {
			t.Errorf("a sibling of a transaction that writes: %v", err)
		}
		return nil
	}))
	vaulttest.Must(t, tx.Close())
	_, err = tx.Sibling(ctx)
	vaulttest.WantErr(t, "a sibling of a closed transaction", err, columnvault.ErrClosed)
}
