package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
	"columnvault/internal/vaulttest/pgserver"
)

// TestTrips counts for how many answers each operation waits when nobody else
// changes what it is about.
func TestTrips(t *testing.T) {
	ctx := t.Context()
	p := pgserver.NewProxy(t, pgserver.DSN(t))
	v := vaulttest.OpenAt(t, p.DSN, nil)
	a := vaulttest.Create(t, v, "a", dtype.Int64, vaulttest.Span(0, 20_000)...)
	b := vaulttest.Create(t, v, "b", dtype.Float64, 1)
	// Numbers come in one trip, however many. Beyond 4 MiB the chunks are listed
	// first, so that no memory is taken for what is not there.
	const elements = 8 << 20 / 8
	long := vaulttest.Create(t, v, "long", dtype.Int64, vaulttest.Span(0, elements)...)
	into := make([]int64, elements)
	words := vaulttest.Create(t, v, "words", dtype.String, "one", "two", "three")
	type note struct {
		At                       int64
		From, To, Subject, About string
	}
	notes, err := columnvault.EnsureTable[note](ctx, v, "notes", nil)
	vaulttest.Must(t, err)
	vaulttest.Must(t, notes.Append(ctx, note{}))
	kv := v.KV()
	key := []byte("key")
	vaulttest.Must(t, kv.Put(ctx, key, []byte("value")))
	var some []int
	for i := range 100 {
		some = append(some, i*199)
	}
	for _, test := range []struct {
		name string
		want int
		run  func() error
	}{
		{"At", 1, func() error { return vaulttest.ErrOf(a.At(ctx, 17_000)) }},
		{"Slice of 100", 1, func() error { return vaulttest.ErrOf(a.Slice(ctx, 100, 200)) }},
		{"Slice of 8 MiB", 2, func() error { return vaulttest.ErrOf(long.Slice(ctx, 0, elements)) }},
		{"Read of 8 MiB", 1, func() error { return vaulttest.ErrOf(long.Read(ctx, into, 0)) }},
		{"Take of 100", 1, func() error { return vaulttest.ErrOf(a.Take(ctx, some)) }},
		{"Len", 1, func() error { return vaulttest.ErrOf(a.Len(ctx)) }},
		{"Set", 1, func() error { return a.Set(ctx, 5, 5) }},
		{"Append of 1", 1, func() error { return a.Append(ctx, 1) }},
		{"Append of 1000", 1, func() error { return a.Append(ctx, vaulttest.Span(0, 1000)...) }},
		{"Update of two columns, 10 each", 1, func() error {
			return v.Update(ctx, func(_ context.Context, tx *columnvault.Tx) error {
				for n := range int64(10) {
					if err := errors.Join(a.In(tx).Append(ctx, n), b.In(tx).Append(ctx, float64(n))); err != nil {
						return err
					}
				}
				return nil
			})
		}},
		{"text At", 2, func() error { return vaulttest.ErrOf(words.At(ctx, 1)) }},
		{"text Append of 1", 2, func() error { return words.Append(ctx, "four") }},
		{"Append of a row with four texts", 2, func() error { return notes.Append(ctx, note{1, "a", "b", "c", "d"}) }},
		{"kv Put", 1, func() error { return kv.Put(ctx, key, []byte("other")) }},
		{"kv Get", 1, func() error { return vaulttest.ErrOf(kv.Get(ctx, key)) }},
		{"kv Delete of what is not there", 2, func() error { return vaulttest.ErrOf(kv.Delete(ctx, []byte("none"))) }},
		// The last ends the transaction, and is not waited for.
		{"View of two", 4, func() error {
			return v.View(ctx, func(_ context.Context, tx *columnvault.Tx) error {
				return errors.Join(vaulttest.ErrOf(a.In(tx).Len(ctx)), vaulttest.ErrOf(kv.In(tx).Get(ctx, key)))
			})
		}},
	} {
		for range 3 { // statements are prepared, and rows found
			vaulttest.Must(t, test.run())
		}
		least := 1000
		for range 3 {
			trips, _, _ := p.During(func() { vaulttest.Must(t, test.run()) })
			least = min(least, trips)
		}
		if least > test.want {
			t.Errorf("%s takes %d trips, want %d", test.name, least, test.want)
		}
		t.Logf("%s: %d", test.name, least)
	}
}

// TestChangedByOthers: what a vault remembers of a column that others change
// costs trips and never an element.
func TestChangedByOthers(t *testing.T) {
	ctx, dsn := t.Context(), pgserver.DSN(t)
	var vaults []*columnvault.Vault
	var columns []*columnvault.Column[int64]
	for range 3 {
		v := vaulttest.OpenAt(t, dsn, nil)
		c, err := columnvault.Ensure(ctx, v, "a", dtype.Int64, nil)
		vaulttest.Must(t, err)
		vaults, columns = append(vaults, v), append(columns, c)
	}
	want := []int64{}
	for n := range int64(60) {
		c := columns[n%3]
		switch {
		case n%20 == 19:
			vaulttest.Must(t, c.Clear(ctx))
			want = want[:0]
		case n%7 == 6:
			vaulttest.Must(t, c.Insert(ctx, 0, n))
			want = append([]int64{n}, want...)
		case n == 30:
			vaulttest.Must(t, vaults[0].Rename(ctx, "a", "b"))
			vaulttest.WantErr(t, "the old name", c.Append(ctx, 1), columnvault.ErrNotFound)
			vaulttest.Must(t, vaults[1].Rename(ctx, "b", "a"))
		default:
			vaulttest.Must(t, c.Append(ctx, n))
			want = append(want, n)
		}
		for i, c := range columns {
			if got, err := c.Slice(ctx, 0, len(want)); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("step %d, vault %d: %v, %v, want %v", n, i, got, err, want)
			}
			if length, err := c.Len(ctx); length != len(want) || err != nil {
				t.Fatalf("step %d, vault %d: %d elements, %v, want %d", n, i, length, err, len(want))
			}
		}
	}
}
