package postgres_test

import (
	"fmt"
	"os"
	"testing"

	"columnvault/internal/store"
	"columnvault/internal/store/postgres"
	"columnvault/internal/store/storetest"
	"columnvault/internal/vaulttest/pgserver"
)

func TestMain(m *testing.M) {
	if dsn := os.Getenv(appenderDSN); dsn != "" {
		if err := appender(dsn, os.Getenv(appenderColumn)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// open opens an empty vault.
func open(t *testing.T) store.Store {
	t.Helper()
	return openAt(t, pgserver.DSN(t), postgres.Options{})
}

func openAt(t *testing.T, dsn string, o postgres.Options) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), dsn, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) { storetest.Run(t, open) }
