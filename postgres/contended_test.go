package postgres_test

import (
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
	"columnvault/internal/vaulttest/pgserver"
)

// TestContended: two vaults that append to one column in turn soon stop to go on
// with what they remember of it, which would cost each append a trip in vain.
func TestContended(t *testing.T) {
	ctx := t.Context()
	p := pgserver.NewProxy(t, pgserver.DSN(t))
	var columns []*columnvault.Column[int64]
	for range 2 {
		c, err := columnvault.Ensure(ctx, vaulttest.OpenAt(t, p.DSN, nil), "a", dtype.Int64, nil)
		vaulttest.Must(t, err)
		columns = append(columns, c)
	}
	n := 0
	add := func() {
		vaulttest.Must(t, columns[n%2].Append(ctx, int64(n)))
		n++
	}
	for range 10 {
		add()
	}
	const times = 100
	trips, _, _ := p.During(func() {
		for range times {
			add()
		}
	})
	// Two where the lock comes first. In vain it is four: the attempt, its end,
	// and the two.
	if trips > 3*times {
		t.Errorf("%d appends take %d trips", times, trips)
	}
	t.Logf("%d appends take %d trips", times, trips)
	vaulttest.WantColumn(t, columns[0], vaulttest.Span(0, n)...)
}
