package vaulttest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"columnvault/internal/engine"
	"columnvault/internal/store"
	"columnvault/internal/store/postgres"
	"columnvault/internal/store/sqlite"
	"columnvault/internal/vaulttest/pgserver"
)

// schemas are those that take the places of files on the server that
// [pgserver.Env] names. Their names begin with run, so that each run of the
// tests finds none.
var schemas struct {
	sync.Mutex
	run  string
	made map[string]bool
}

// onServer opens a vault on that server, in a schema for the path.
func onServer(ctx context.Context, path string, o sqlite.Options) (store.Store, error) {
	schemas.Lock()
	if schemas.made == nil {
		schemas.run, schemas.made = "run_"+strings.ToLower(rand.Text()[:12]), map[string]bool{}
	}
	name := fmt.Sprintf("%s_%x", schemas.run, sha256.Sum256([]byte(path)))[:40]
	schemas.made[name] = true
	schemas.Unlock()
	dsn, err := pgserver.InSchema(os.Getenv(pgserver.Env), name)
	if err != nil {
		return nil, err
	}
	s, err := postgres.Open(ctx, dsn, postgres.Options{ReadOnly: o.ReadOnly, BusyTimeout: o.BusyTimeout, MaxSnapshotAge: o.MaxSnapshotAge, Log: o.Log})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// dropSchemas removes the vaults that onServer has made.
func dropSchemas() error {
	schemas.Lock()
	defer schemas.Unlock()
	for name := range schemas.made {
		if err := pgserver.Drop(os.Getenv(pgserver.Env), name); err != nil {
			return err
		}
	}
	clear(schemas.made)
	return nil
}

// Main runs the tests of a package, over the server that [pgserver.Env] names
// if it names one. It is for TestMain.
func Main(m *testing.M) {
	if os.Getenv(pgserver.Env) != "" {
		engine.Open = onServer
	}
	code := m.Run()
	if err := dropSchemas(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// NeedsFile skips a test that is about SQLite files where [Main] has put a
// server in their place.
func NeedsFile(t testing.TB) {
	t.Helper()
	if os.Getenv(pgserver.Env) != "" {
		t.Skipf("it is about a SQLite file, and %s is set", pgserver.Env)
	}
}
