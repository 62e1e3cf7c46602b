package catalog_test

import (
	"errors"
	"path/filepath"
	"testing"

	"columnvault/dtype"
	"columnvault/internal/catalog"
	"columnvault/internal/store"
	"columnvault/internal/store/sqlite"
	"columnvault/internal/store/storetest"
)

// vault is an engine, and another handle of what it stores.
type vault struct {
	t        *testing.T
	s, other store.Store
}

// vaults runs a test on every engine.
func vaults(t *testing.T, test func(t *testing.T, v *vault)) {
	t.Run("memory", func(t *testing.T) {
		s := storetest.NewMemory()
		test(t, &vault{t: t, s: s, other: s})
	})
	t.Run("sqlite", func(t *testing.T) {
		v := &vault{t: t}
		path := filepath.Join(t.TempDir(), "test.db")
		for _, s := range []*store.Store{&v.s, &v.other} {
			opened, err := sqlite.Open(t.Context(), path, sqlite.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { opened.Close() })
			*s = opened
		}
		test(t, v)
	})
}

// change runs fn in a transaction of the other handle.
func (v *vault) change(fn func(tx store.Tx) error) {
	v.t.Helper()
	if err := v.other.Update(v.t.Context(), fn); err != nil {
		v.t.Fatal(err)
	}
}

func (v *vault) create(name string, spec dtype.Spec) (id catalog.ID) {
	v.t.Helper()
	v.change(func(tx store.Tx) error {
		e, err := catalog.Create(v.t.Context(), tx, name, spec, catalog.Options{}, v.s.Caps())
		id = e.ID()
		return err
	})
	return id
}

// byName and byID find a column, in a transaction and in a read.
func (v *vault) byName(name string) (catalog.Entry, error) {
	return v.find(func(r store.Reader) (catalog.Entry, error) {
		names := catalog.NamesOf(name)
		return catalog.Find(v.t.Context(), r, &names)
	})
}

func (v *vault) byID(id catalog.ID) (catalog.Entry, error) {
	return v.find(func(r store.Reader) (catalog.Entry, error) { return catalog.FindID(v.t.Context(), r, id) })
}

func (v *vault) find(look func(r store.Reader) (catalog.Entry, error)) (e catalog.Entry, err error) {
	v.t.Helper()
	err = v.s.Update(v.t.Context(), func(tx store.Tx) error {
		e, err = look(tx)
		return err
	})
	var read catalog.Entry
	readErr := storetest.Read(v.t.Context(), v.s, func(r store.Reader) error {
		var err error
		read, err = look(r)
		return err
	})
	if read != e || (readErr == nil) != (err == nil) {
		v.t.Errorf("a read finds %+v, %v, and a transaction %+v, %v", read, readErr, e, err)
	}
	return e, err
}

// drop and rename go by the name.
func (v *vault) drop(name string) {
	v.t.Helper()
	v.changeEntry(name, func(tx store.Tx, e catalog.Entry) error { return catalog.Drop(v.t.Context(), tx, e) })
}

func (v *vault) rename(name, to string) {
	v.t.Helper()
	v.changeEntry(name, func(tx store.Tx, e catalog.Entry) error { return catalog.Rename(v.t.Context(), tx, e, to) })
}

func (v *vault) changeEntry(name string, fn func(tx store.Tx, e catalog.Entry) error) {
	v.t.Helper()
	v.change(func(tx store.Tx) error {
		names := catalog.NamesOf(name)
		e, err := catalog.Find(v.t.Context(), tx, &names)
		if err != nil {
			return err
		}
		return fn(tx, e)
	})
}

// TestFindIDFollowsTheColumn renames, drops and replaces columns by another
// handle.
func TestFindIDFollowsTheColumn(t *testing.T) {
	for _, spec := range []dtype.Spec{dtype.Int64.Spec(), dtype.String.Spec()} {
		t.Run(spec.String(), func(t *testing.T) {
			vaults(t, func(t *testing.T, v *vault) {
				id := v.create("first", spec)
				if _, err := v.byID(id); err != nil { // the handle has seen it now
					t.Fatal(err)
				}
				v.rename("first", "second")
				successor := v.create("first", spec)
				e, err := v.byID(id)
				if err != nil || e.Name != "second" || e.ID() != id || e.DType != spec.String() {
					t.Fatalf("after a rename: %+v, %v", e, err)
				}
				if named, err := v.byName("second"); err != nil || named != e {
					t.Errorf("by name: %+v, %v, and by ID %+v", named, err, e)
				}
				if e, err := v.byID(successor); err != nil || e.Name != "first" || successor == id {
					t.Errorf("the successor: %+v, %v", e, err)
				}
				v.drop("second")
				v.rename("first", "second")
				if e, err := v.byID(id); !errors.Is(err, store.ErrNotFound) {
					t.Errorf("after a drop: %+v, %v", e, err)
				}
				if e, err := v.byName("second"); err != nil || e.ID() != successor {
					t.Errorf("the successor by name: %+v, %v", e, err)
				}
			})
		})
	}
}

// TestFindIDOfWhatIsNoColumn takes rows apart that form a column, and others
// together.
func TestFindIDOfWhatIsNoColumn(t *testing.T) {
	ctx := t.Context()
	for name, change := range map[string]func(tx store.Tx, text catalog.ID) error{
		"data gone":     func(tx store.Tx, text catalog.ID) error { return tx.DropColumn(ctx, text.Data) },
		"index gone":    func(tx store.Tx, text catalog.ID) error { return tx.DropColumn(ctx, text.Index) },
		"data renamed":  func(tx store.Tx, text catalog.ID) error { return tx.RenameColumn(ctx, text.Data, "other_data") },
		"index renamed": func(tx store.Tx, text catalog.ID) error { return tx.RenameColumn(ctx, text.Index, "other_idx") },
		"suffixes gone": func(tx store.Tx, text catalog.ID) error {
			return errors.Join(tx.RenameColumn(ctx, text.Data, "text"), tx.RenameColumn(ctx, text.Index, "more text"))
		},
		"halves changed over": func(tx store.Tx, text catalog.ID) error {
			return errors.Join(tx.RenameColumn(ctx, text.Data, "x"), tx.RenameColumn(ctx, text.Index, "text_data"), tx.RenameColumn(ctx, text.Data, "text_idx"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			vaults(t, func(t *testing.T, v *vault) {
				text, number := v.create("text", dtype.String.Spec()), v.create("number", dtype.Int64.Spec())
				v.change(func(tx store.Tx) error { return change(tx, text) })
				if e, err := v.byID(text); !errors.Is(err, store.ErrNotFound) {
					t.Errorf("%+v, %v", e, err)
				}
				if e, err := v.byID(number); err != nil || e.Name != "number" {
					t.Errorf("the other column: %+v, %v", e, err)
				}
			})
		})
	}
	vaults(t, func(t *testing.T, v *vault) {
		text, number := v.create("text", dtype.String.Spec()), v.create("number", dtype.Int64.Spec())
		for _, id := range []catalog.ID{
			{}, {Index: text.Index}, {Data: text.Data}, {Data: text.Index}, {Data: text.Index, Index: text.Data},
			{Data: number.Data, Index: text.Index}, {Data: text.Data, Index: number.Data}, {Data: number.Data, Index: number.Data},
		} {
			if e, err := v.byID(id); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%+v: %+v, %v", id, e, err)
			}
		}
	})
}
