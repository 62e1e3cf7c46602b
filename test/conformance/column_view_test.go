package conformance_test

import (
	"context"
	"errors"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// TestColumnView wants one snapshot of a column of a vault, and the transaction
// of a column that is part of one.
func TestColumnView(t *testing.T) {
	ctx := t.Context()
	p := vaulttest.OpenPair(t, nil)
	c := vaulttest.Create(t, p.V, "c", dtype.Int64, 1)
	other := vaulttest.Lookup(t, p.Other, "c", dtype.Int64)
	own := errors.New("of the function")
	err := c.View(ctx, func(inner context.Context, tx *columnvault.Tx) error {
		vaulttest.WantLen(t, c.In(tx), 1)
		vaulttest.Must(t, other.Append(ctx, 2))
		vaulttest.WantLen(t, c.In(tx), 1)
		_, err := c.Len(inner)
		vaulttest.WantErr(t, "beside the transaction", err, columnvault.ErrNested)
		return own
	})
	if err != own {
		t.Errorf("got %v, want the error of the function as it is", err)
	}
	vaulttest.WantLen(t, c, 2)
	vaulttest.Must(t, p.V.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		part := c.In(tx)
		vaulttest.Must(t, part.Append(ctx, 3))
		return part.View(ctx, func(ctx context.Context, inner *columnvault.Tx) error {
			if inner != tx {
				t.Error("a View of its own inside of an Update")
			}
			vaulttest.WantLen(t, c.In(inner), 3)
			return nil
		})
	}))
}
