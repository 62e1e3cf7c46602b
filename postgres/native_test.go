package postgres_test

import (
	"iter"
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

// TestLoopTrips: who goes through a column in small parts waits for the server
// seldom, and not for each of them.
func TestLoopTrips(t *testing.T) {
	ctx := t.Context()
	p := pgserver.NewProxy(t, pgserver.DSN(t))
	v := vaulttest.OpenAt(t, p.DSN, nil)
	const n = 8 << 20 / 8
	numbers := vaulttest.Create(t, v, "numbers", dtype.Int64, vaulttest.Span(0, n)...)
	compressed, err := columnvault.Create(ctx, v, "compressed", dtype.Int64, &columnvault.ColumnOptions{Layout: columnvault.Native, Compression: columnvault.Zstd})
	vaulttest.Must(t, err)
	vaulttest.Must(t, compressed.Append(ctx, vaulttest.Span(0, n)...))
	words, err := columnvault.Create(ctx, v, "words", dtype.String, &columnvault.ColumnOptions{Layout: columnvault.Native})
	vaulttest.Must(t, err)
	vaulttest.Must(t, words.Append(ctx, make([]string, n)...))
	for _, test := range []struct {
		name string
		run  func() error
	}{
		{"RunsInto 128 KiB", func() error { return runs(numbers.RunsInto(ctx, make([]int64, 16<<10), 0, n)) }},
		{"RunsInto of a compressed column", func() error { return runs(compressed.RunsInto(ctx, nil, 0, n)) }},
		{"Slice of a compressed column", func() error { return vaulttest.ErrOf(compressed.Slice(ctx, 0, n)) }},
		{"Slice of a native text column", func() error { return vaulttest.ErrOf(words.Slice(ctx, 0, n)) }},
	} {
		least := 1000
		for range 4 { // of which the first prepare statements, and find rows
			trips, _, _ := p.During(func() { vaulttest.Must(t, test.run()) })
			least = min(least, trips)
		}
		if least > 10 {
			t.Errorf("%s takes %d trips", test.name, least)
		}
		t.Logf("%s: %d", test.name, least)
	}
}

// runs reads all runs.
func runs[T any](all iter.Seq2[columnvault.Run[T], error]) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}
