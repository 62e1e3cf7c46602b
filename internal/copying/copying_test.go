package copying_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"columnvault/dtype"
	"columnvault/internal/catalog"
	"columnvault/internal/column"
	"columnvault/internal/copying"
	"columnvault/internal/store"
	"columnvault/internal/store/postgres"
	"columnvault/internal/store/sqlite"
	"columnvault/internal/store/storetest"
	"columnvault/internal/vaulttest"
	"columnvault/internal/vaulttest/pgserver"
)

// engines open empty vaults.
var engines = map[string]func(t *testing.T) store.Store{
	"memory": func(*testing.T) store.Store { return storetest.NewMemory() },
	"rerun":  func(*testing.T) store.Store { return storetest.Rerun(storetest.NewMemory()) },
	"sqlite": func(t *testing.T) store.Store {
		s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "a.db"), sqlite.Options{})
		vaulttest.Must(t, err)
		t.Cleanup(func() { s.Close() })
		return s
	},
	"postgres": func(t *testing.T) store.Store {
		s, err := postgres.Open(t.Context(), pgserver.DSN(t), postgres.Options{})
		vaulttest.Must(t, err)
		t.Cleanup(func() { s.Close() })
		return s
	},
}

// large is the size of a value that is copied in parts.
const large = 9<<20 + 5

// counts are how many numbers and words fill makes.
func counts() (numbers, words int) {
	if testing.Short() {
		return 10_000, 2_000
	}
	return 200_000, 50_000
}

// fill makes columns and pairs of many kinds.
func fill(t *testing.T, s store.Store) {
	ctx := t.Context()
	numbers, words := counts()
	for _, c := range []struct {
		name, dtype string
		meaning     string
		n           int
	}{{"numbers", "i64", "", numbers}, {"times", "i64", "time=us", 10}, {"words", "str", "", words}, {"ä b", "bytes", "", 3}, {"none", "f64", "", 0}} {
		spec, err := dtype.ParseSpec(c.dtype)
		vaulttest.Must(t, err)
		vaulttest.Must(t, s.Update(ctx, func(tx store.Tx) error {
			e, err := catalog.Create(ctx, tx, c.name, spec, catalog.Options{Meaning: dtype.Attrs(c.meaning).Meaning(spec)}, s.Caps())
			if err != nil {
				return err
			}
			col, err := e.Open(s.Caps())
			if err != nil {
				return err
			}
			var elements column.Elements
			for i := range c.n {
				if spec.ElemSize() > 0 {
					elements.Data = fmt.Appendf(elements.Data, "%08d", i)
				} else {
					elements.Data = append(elements.Data, bytes.Repeat([]byte{byte(i)}, i%37)...)
					elements.Ends = append(elements.Ends, len(elements.Data))
				}
			}
			return col.Append(ctx, tx, elements)
		}))
	}
	value := bytes.Repeat([]byte("0123456789abc"), large/13+1)[:large]
	vaulttest.Must(t, s.Update(ctx, func(tx store.Tx) error {
		for i := range 3000 {
			if err := tx.Put(ctx, "kv", fmt.Append(nil, i), value[:i]); err != nil {
				return err
			}
		}
		return errors.Join(tx.Put(ctx, "kv", nil, nil), tx.Put(ctx, "other", []byte("large"), value))
	}))
}

// TestCopy copies from each engine to each other, twice.
func TestCopy(t *testing.T) {
	for from, openFrom := range engines {
		for to, openTo := range engines {
			if from == to || testing.Short() && from != "sqlite" && to != "sqlite" {
				continue
			}
			t.Run(from+" to "+to, func(t *testing.T) {
				src, dst := openFrom(t), openTo(t)
				fill(t, src)
				numbers, words := counts()
				for round := range 2 {
					r, err := copying.Copy(t.Context(), src, dst, copying.Options{Verify: true})
					vaulttest.Must(t, err)
					if r.Columns != 5 || r.Kept != 5*round || r.Elements != int64(numbers+words+13) || r.Tables != 2 || r.Pairs != 3002 || len(r.Skipped) > 0 {
						t.Errorf("round %d: %+v", round, r)
					}
				}
				snap, err := dst.Snapshot(t.Context())
				vaulttest.Must(t, err)
				defer snap.Close()
				entries, err := catalog.List(t.Context(), snap)
				vaulttest.Must(t, err)
				for _, e := range entries {
					if e.Name == "times" && e.Attrs() != "time=us" {
						t.Errorf("the attrs of the times are %q", e.Attrs())
					}
				}
			})
		}
	}
}

// breaking fails an Update after some.
type breaking struct {
	store.Store
	left int
}

var errBroken = errors.New("broken off")

func (b *breaking) Update(ctx context.Context, fn func(store.Tx) error) error {
	if b.left--; b.left < 0 {
		return errBroken
	}
	return b.Store.Update(ctx, fn)
}

// TestCopyGoesOn breaks a copy off after one transaction after another, and
// calls it again.
func TestCopyGoesOn(t *testing.T) {
	src, dst := storetest.NewMemory(), storetest.NewMemory()
	fill(t, src)
	for left := 0; ; left++ {
		_, err := copying.Copy(t.Context(), src, &breaking{dst, left}, copying.Options{Verify: true})
		if err == nil {
			break
		}
		if !errors.Is(err, errBroken) {
			t.Fatal(err)
		}
	}
}

// TestCopyRefuses has other things under the names in the copy.
func TestCopyRefuses(t *testing.T) {
	src, dst := storetest.NewMemory(), storetest.NewMemory()
	fill(t, src)
	_, err := copying.Copy(t.Context(), src, dst, copying.Options{})
	vaulttest.Must(t, err)
	change := func(s store.Store, name string, p string) {
		vaulttest.Must(t, s.Update(t.Context(), func(tx store.Tx) error {
			rows, err := tx.Lookup(t.Context(), name)
			if err != nil {
				return err
			}
			return tx.WriteAt(t.Context(), rows[0].ID, []store.Span{{Data: []byte(p)}})
		}))
	}
	change(dst, "numbers", "x")
	if _, err = copying.Copy(t.Context(), src, dst, copying.Options{}); !errors.Is(err, store.ErrExists) {
		t.Errorf("another element: %v", err)
	}
	change(dst, "numbers", "0")
	vaulttest.Must(t, dst.Update(t.Context(), func(tx store.Tx) error { return tx.Put(t.Context(), "kv", []byte("more"), nil) }))
	if _, err = copying.Copy(t.Context(), src, dst, copying.Options{}); !errors.Is(err, store.ErrExists) {
		t.Errorf("another pair: %v", err)
	}
}
