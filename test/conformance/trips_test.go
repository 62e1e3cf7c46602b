package conformance_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/store"
	"columnvault/internal/store/sqlite"
	"columnvault/internal/store/storetest"
	"columnvault/internal/vaulttest"
)

// TestTrips counts how often an operation waits for the storage engine: what it
// would cost with one that is far away.
func TestTrips(t *testing.T) {
	ctx := t.Context()
	counter := storetest.NewCounter(storetest.NewMemory())
	v, err := vaulttest.OpenOver(func(context.Context, string, sqlite.Options) (store.Store, error) { return counter, nil }, "memory", nil)
	vaulttest.Must(t, err)
	numbers, err := columnvault.Create(ctx, v, "numbers", dtype.Int64, nil)
	vaulttest.Must(t, err)
	texts, err := columnvault.Create(ctx, v, "texts", dtype.String, nil)
	vaulttest.Must(t, err)
	// Eight columns of fixed size, and two of variable size.
	type wide struct {
		A, B, C, D, E, F int64
		G                float64
		H                sql.Null[int64]
		S, T             string
	}
	rows, err := columnvault.EnsureTable[wide](ctx, v, "wide", nil)
	vaulttest.Must(t, err)
	vaulttest.Must(t, rows.Append(ctx, vaulttest.Sequence(1000, func(i int) wide { return wide{A: int64(i), S: "text", T: fmt.Sprint(i)} })...))
	vaulttest.Must(t, numbers.Append(ctx, make([]int64, 1000)...))
	many := make([]string, 20_000)
	for i := range many {
		many[i] = fmt.Sprintf("%0100d", i)
	}
	vaulttest.Must(t, texts.Append(ctx, many...))
	bytes := int64(len(many) * (100 + 12))
	windows := int(bytes/counter.Caps().Window) + 1
	const rowBytes = 1000 * (8*8 + 2*(4+12))
	for _, test := range []struct {
		name string
		most int
		do   func() error
	}{
		{"At", 1, func() error { _, err := numbers.At(ctx, 500); return err }},
		{"Slice", 1, func() error { _, err := numbers.Slice(ctx, 100, 200); return err }},
		{"Len", 1, func() error { _, err := numbers.Len(ctx); return err }},
		{"Append", 2, func() error { return numbers.Append(ctx, 1) }},
		{"Set", 2, func() error { return numbers.Set(ctx, 1, 2) }},
		{"Update of two appends", 2, func() error {
			return v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
				if err := numbers.In(tx).Append(ctx, 1); err != nil {
					return err
				}
				return numbers.In(tx).Append(ctx, 2)
			})
		}},
		{"At of text", 2, func() error { _, err := texts.At(ctx, 500); return err }},
		{"Append of text", 4, func() error { return texts.Append(ctx, "text") }},
		{"Slice of all text", 2 + 2*windows, func() error { _, err := texts.Slice(ctx, columnvault.Begin, columnvault.End); return err }},
		{"At of ten columns", 2, func() error { _, err := rows.At(ctx, 500); return err }},
		{"Slice of ten columns", 2, func() error { _, err := rows.Slice(ctx, 100, 200); return err }},
		{"Slice of all rows of ten columns", 2 + int(rowBytes/counter.Caps().Window), func() error { _, err := rows.Slice(ctx, columnvault.Begin, columnvault.End); return err }},
		{"Len of ten columns", 1, func() error { _, err := rows.Len(ctx); return err }},
		// The columns are looked up in one trip, and in one more it is seen where
		// those end that vary in size.
		{"Append to ten columns", 3, func() error { return rows.Append(ctx, wide{}) }},
		{"Update of two appends to ten columns", 3, func() error {
			return v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
				return errors.Join(rows.In(tx).Append(ctx, wide{}), rows.In(tx).Append(ctx, wide{}))
			})
		}},
		{"Set in ten columns", 2 + 2*2, func() error { return rows.Set(ctx, 7, wide{S: "text", T: "8"}) }},
		{"Get", 1, func() error { _, err := v.KV().Has(ctx, []byte("k")); return err }},
		{"Put", 1, func() error { return v.KV().Put(ctx, []byte("k"), nil) }},
	} {
		count, err := counter.During(test.do)
		vaulttest.Must(t, err)
		if count.Trips > test.most {
			t.Errorf("%s: %v; want at most %d trips", test.name, count, test.most)
		}
		t.Log(test.name, count.Trips, strings.TrimSpace(count.String()))
	} // What caches hold is written like that too.
	vaulttest.Must(t, rows.EnableCache(ctx, nil))
	vaulttest.Must(t, rows.Append(ctx, wide{}))
	count, err := counter.During(func() error { return vaulttest.ErrOf(rows.Flush(ctx)) })
	vaulttest.Must(t, err)
	if reads := count.Calls["ReadAll"] + count.Calls["ReadAt"]; reads != 1 {
		t.Errorf("Flush of ten columns: %v; want one call that reads", count)
	}
}
