package postgres_test

import (
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
	"columnvault/internal/vaulttest/pgserver"
)

// TestNative: native columns can be created on a server too.
func TestNative(t *testing.T) {
	ctx := t.Context()
	p := pgserver.NewProxy(t, pgserver.DSN(t))
	v := vaulttest.OpenAt(t, p.DSN, nil)
	const n = 8 << 20 / 8
	c, err := columnvault.Create(ctx, v, "numbers", dtype.Int64, &columnvault.ColumnOptions{Layout: columnvault.Native})
	vaulttest.Must(t, err)
	vaulttest.Must(t, c.Append(ctx, vaulttest.Span(0, n)...))
	vaulttest.Must(t, c.Insert(ctx, n/2, -1))
	want := append(append(vaulttest.Span(0, n/2), -1), vaulttest.Span(n/2, n)...)
	vaulttest.WantColumn(t, c, want...)
	// The runs are listed with the column. Whether they have their bytes is asked
	// once, and then they come together.
	if trips, _, _ := p.During(func() { vaulttest.Must(t, vaulttest.ErrOf(c.Slice(ctx, 0, n+1))) }); trips > 2 {
		t.Errorf("%d elements take %d trips", n+1, trips)
	} else {
		t.Logf("%d elements: %d trips", n+1, trips)
	}
}
