package postgres_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"columnvault/internal/store"
	"columnvault/internal/store/postgres"
	"columnvault/internal/store/storetest"
	"columnvault/internal/vaulttest/pgserver"
)

// sharded starts a router and three shards.
func sharded(t *testing.T) (servers *pgserver.Sharded, vault func(t *testing.T, schema string) (dsn string)) {
	t.Helper()
	pgserver.Needed(t)
	servers, err := pgserver.StartSharded(3)
	if err != nil {
		t.Skipf("no servers can be started: %v", err)
	}
	t.Cleanup(servers.Stop)
	script, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "sharding.sql"))
	if err != nil {
		t.Fatal(err)
	}
	return servers, func(t *testing.T, schema string) string {
		t.Helper()
		dsn, err := servers.Vault(schema, string(script), func(dsn string) error {
			s, err := postgres.Open(t.Context(), dsn, postgres.Options{})
			if err == nil {
				err = s.Close()
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return dsn
	}
}

// TestSharded runs the suite over a router and three shards, and kills one of
// them: what is on the others goes on, as far as it is known where it is.
func TestSharded(t *testing.T) {
	ctx := t.Context()
	servers, vault := sharded(t)
	n := 0
	storetest.Run(t, func(t *testing.T) store.Store {
		n++
		return openAt(t, vault(t, fmt.Sprint("suite", n)), postgres.Options{})
	})
	s := openAt(t, vault(t, "down"), postgres.Options{Settling: 100e6})
	defer s.Close()
	if s.Caps().CrossHome {
		t.Fatal("a vault on several servers takes transactions over several homes")
	}
	ids, tables := homes(t, s)
	change := func(home int) error {
		return s.Update(ctx, func(tx store.Tx) error {
			rows, err := tx.Lookup(ctx, fmt.Sprint("column ", home))
			if err != nil {
				return err
			}
			return errors.Join(tx.SetLength(ctx, ids[home], rows[0].Length+1), tx.Put(ctx, tables[home], []byte("key"), []byte("new")))
		})
	}
	for home := range 3 {
		if err := change(home); err != nil {
			t.Fatal(err)
		}
	}
	servers.Shards[1].Kill()
	if err := change(1); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("on the shard that is down: %v", err)
	}
	for _, home := range []int{0, 2} {
		for range 10 { // more often than the server makes plans for
			if err := change(home); err != nil {
				t.Errorf("home %d: %v", home, err)
			}
		}
		snap, err := s.Snapshot(ctx)
		if err != nil {
			t.Fatal(err)
		}
		value, err := snap.Get(ctx, tables[home], []byte("key"))
		if string(value) != "new" || err != nil {
			t.Errorf("%q, %v", value, err)
		}
		rows, err := snap.LookupID(ctx, ids[home])
		if err != nil || len(rows) != 1 || rows[0].Length != 11 {
			t.Errorf("%+v, %v", rows, err)
		}
		snap.Close()
	}
	if err := servers.Shards[1].Restart(); err != nil {
		t.Fatal(err)
	}
	if err := change(1); err != nil {
		t.Errorf("on the shard that was down: %v", err)
	}
}
