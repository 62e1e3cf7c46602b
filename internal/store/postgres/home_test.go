package postgres_test

import (
	"errors"
	"fmt"
	"testing"

	"columnvault/internal/store"
	"columnvault/internal/store/postgres"
	"columnvault/internal/store/storetest"
	"columnvault/internal/vaulttest/pgserver"
)

// TestApart holds the engine to the contract with statements that say which homes
// they are about, and with lookups that find out.
func TestApart(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store {
		return openAt(t, pgserver.DSN(t), postgres.Options{Apart: true})
	})
}

// homes creates a column and a table in each of three homes.
func homes(t *testing.T, s *postgres.Store) (ids []store.ColumnID, tables []string) {
	t.Helper()
	ctx := t.Context()
	for home := range int64(3) {
		table := fmt.Sprint("table ", home)
		err := s.Update(ctx, func(tx store.Tx) error {
			c, err := tx.CreateColumn(ctx, store.Row{Name: fmt.Sprint("column ", home), Home: home, DType: "i64", ElemSize: 8, MinChunk: 64, MaxChunk: 64})
			if err != nil {
				return err
			}
			if c.Home != home {
				t.Errorf("a column is created in the home %d, and not %d", c.Home, home)
			}
			ids, tables = append(ids, c.ID), append(tables, table)
			if err := tx.CreateTable(ctx, table, home); err != nil {
				return err
			}
			// What the transaction has created is found in it, wherever it is.
			if err := tx.Put(ctx, table, []byte("key"), []byte("value")); err != nil {
				return err
			}
			value, err := tx.Get(ctx, table, []byte("key"))
			if string(value) != "value" {
				t.Errorf("%q, %v", value, err)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return ids, tables
}

// TestCrossHome changes two homes in a transaction.
func TestCrossHome(t *testing.T) {
	ctx, dsn := t.Context(), pgserver.DSN(t)
	p := pgserver.NewProxy(t, dsn+"&homes=apart")
	s := openAt(t, p.DSN, postgres.Options{})
	defer s.Close()
	ids, tables := homes(t, s)
	for name, second := range map[string]func(tx store.Tx) error{
		"CreateColumn": func(tx store.Tx) error {
			_, err := tx.CreateColumn(ctx, store.Row{Name: "other", Home: 2, DType: "i64", ElemSize: 8})
			return err
		},
		"CreateTable":  func(tx store.Tx) error { return tx.CreateTable(ctx, "other", 2) },
		"RenameColumn": func(tx store.Tx) error { return tx.RenameColumn(ctx, ids[2], "other") },
		"DropColumn":   func(tx store.Tx) error { return tx.DropColumn(ctx, ids[2]) },
		"SetAttrs":     func(tx store.Tx) error { return tx.SetAttrs(ctx, ids[2], "other") },
		"SetLength":    func(tx store.Tx) error { return tx.SetLength(ctx, ids[2], 7) },
		"PutChunk":     func(tx store.Tx) error { return tx.PutChunk(ctx, ids[2], store.Chunk{Capacity: 8}, nil) },
		"WriteAt":      func(tx store.Tx) error { return tx.WriteAt(ctx, ids[2], nil) },
		"DropChunks":   func(tx store.Tx) error { return tx.DropChunks(ctx, ids[2], 0, 9) },
		"Put":          func(tx store.Tx) error { return tx.Put(ctx, tables[2], []byte("key"), nil) },
		"Put, large":   func(tx store.Tx) error { return tx.Put(ctx, tables[2], []byte("key"), make([]byte, 1<<20)) },
		"PutAt":        func(tx store.Tx) error { return tx.PutAt(ctx, tables[2], []byte("key"), []byte("x"), 0) },
		"Delete":       func(tx store.Tx) error { _, err := tx.Delete(ctx, tables[2], []byte("key")); return err },
		"Clear":        func(tx store.Tx) error { return tx.Clear(ctx, tables[2]) },
	} {
		n := int64(0)
		err := s.Update(ctx, func(tx store.Tx) error {
			n++
			if err := tx.SetLength(ctx, ids[1], n); err != nil {
				return err
			}
			if err := second(tx); !errors.Is(err, store.ErrCrossHome) || !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("%s in another home: %v", name, err)
			}
			// To read there is allowed, and so is to go on here.
			if rows, err := tx.LookupID(ctx, ids[0]); err != nil || len(rows) != 1 {
				t.Errorf("%v, %v", rows, err)
			}
			return tx.Put(ctx, tables[1], []byte("other"), []byte(name))
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What is known to be in two homes is refused without a word to the server.
	trips, _, _ := p.During(func() {
		err := s.Update(ctx, func(tx store.Tx) error {
			return errors.Join(tx.SetLength(ctx, ids[0], 1), tx.SetLength(ctx, ids[1], 1))
		})
		if !errors.Is(err, store.ErrCrossHome) {
			t.Error(err)
		}
	})
	if trips != 0 {
		t.Errorf("a refused transaction takes %d trips", trips)
	}
	snap, err := s.Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	rows, err := snap.Columns(ctx)
	if err != nil || len(rows) != 3 || rows[0].Length != 0 || rows[1].Length != 1 || rows[2].Length != 0 || rows[2].Home != 2 || rows[2].Name != "column 2" {
		t.Errorf("%+v, %v", rows, err)
	}
	all, err := snap.Tables(ctx)
	if err != nil || len(all) != 3 || all[2] != (store.Table{Name: "table 2", Kind: store.TablePlain, Home: 2}) {
		t.Errorf("%+v, %v", all, err)
	}
	if value, err := snap.Get(ctx, tables[2], []byte("key")); string(value) != "value" || err != nil {
		t.Errorf("%q, %v", value, err)
	}
}

// TestHomesTogether changes two homes that are not apart.
func TestHomesTogether(t *testing.T) {
	ctx := t.Context()
	s := openAt(t, pgserver.DSN(t), postgres.Options{})
	defer s.Close()
	ids, tables := homes(t, s)
	err := s.Update(ctx, func(tx store.Tx) error {
		return errors.Join(tx.SetLength(ctx, ids[1], 1), tx.SetLength(ctx, ids[2], 1), tx.Put(ctx, tables[0], nil, nil))
	})
	if err != nil || !s.Caps().CrossHome {
		t.Error(err)
	}
	for home, want := range map[int64]error{1: store.ErrExists, -1: store.ErrInvalidArgument, store.MaxHome + 1: store.ErrInvalidArgument, 2: nil} {
		err := s.Update(ctx, func(tx store.Tx) error { return tx.CreateTable(ctx, tables[2], home) })
		if !errors.Is(err, want) {
			t.Errorf("the home %d: %v, want %v", home, err, want)
		}
	}
	if _, err := postgres.Open(ctx, pgserver.DSN(t)+"&homes=together", postgres.Options{}); !errors.Is(err, store.ErrInvalidArgument) {
		t.Errorf("Open: %v", err)
	}
}
