package catalog_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"columnvault/dtype"
	"columnvault/internal/catalog"
	"columnvault/internal/store"
	"columnvault/internal/store/storetest"
)

// TestChangesOfTheCatalogRunAgain has an engine whose calls fail in the first
// run of a transaction, each once: nothing may be left of that run, and no
// error of it may come out.
func TestChangesOfTheCatalogRunAgain(t *testing.T) {
	ctx := t.Context()
	s := storetest.Conflict(storetest.NewMemory())
	chunks := catalog.Options{MinChunk: 64, MaxChunk: 1024}
	for i := range 30 {
		name, fixed := fmt.Sprint("text ", i), fmt.Sprint("number ", i)
		if err := errors.Join(
			s.Update(ctx, func(tx store.Tx) error {
				if _, err := catalog.Create(ctx, tx, name, dtype.String.Spec(), chunks, s.Caps()); err != nil {
					return err
				}
				_, err := catalog.Create(ctx, tx, fixed, dtype.Int64.Spec(), chunks, s.Caps())
				return err
			}),
			s.Update(ctx, func(tx store.Tx) error {
				names := catalog.NamesOf(name)
				e, err := catalog.Find(ctx, tx, &names)
				if err != nil {
					return err
				}
				return catalog.Rename(ctx, tx, e, "renamed "+name)
			}),
			s.Update(ctx, func(tx store.Tx) error {
				names := catalog.NamesOf(fixed)
				e, err := catalog.Find(ctx, tx, &names)
				if err != nil {
					return err
				}
				return catalog.Drop(ctx, tx, e)
			}),
		); err != nil {
			t.Fatalf("round %d: %v", i, err)
		}
	}
	var got, want []string
	err := storetest.Read(ctx, s, func(r store.Reader) error {
		entries, err := catalog.List(ctx, r)
		got = nil
		for _, e := range entries {
			got = append(got, e.Name)
		}
		return err
	})
	for i := range 30 {
		want = append(want, fmt.Sprint("renamed text ", i))
	}
	if !slices.Equal(got, want) || err != nil {
		t.Errorf("columns %v, %v", got, err)
	}
}
