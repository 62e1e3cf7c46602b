package vaulttest

import (
	"context"
	"os"
	"sync"
	"testing"

	"columnvault"
	"columnvault/internal/engine"
	"columnvault/internal/store"
	"columnvault/internal/store/sqlite"
	"columnvault/internal/store/storetest"
	"columnvault/internal/vaulttest/pgserver"
)

// Engine opens a storage engine, as [engine.Open] does.
type Engine func(ctx context.Context, path string, o sqlite.Options) (store.Store, error)

// Engines are those over which a vault must answer as over a SQLite file, as far
// as it is not about files.
//
// A PostgreSQL server is among them if [pgserver.Env] names one.
func Engines() map[string]Engine {
	engines := map[string]Engine{
		"memory":       memory,
		"rerun memory": wrapped(memory, storetest.Rerun),
		"rerun sqlite": wrapped(onSQLite, storetest.Rerun),
	}
	if os.Getenv(pgserver.Env) != "" {
		engines["postgres"] = onServer
	}
	return engines
}

// Conflict is an engine in memory where a call of each first run fails.
func Conflict() Engine { return wrapped(memory, storetest.Conflict) }

// Lossy is an engine in memory that loses the answer of every n-th commit.
func Lossy(n int64) Engine {
	return wrapped(memory, func(s store.Store) store.Store { return storetest.Lossy(s, n) })
}

// Use makes vaults use the engine until the end of the test.
func Use(t *testing.T, e Engine) {
	before := engine.Open
	engine.Open = e
	t.Cleanup(func() {
		engine.Open = before
		Must(t, dropSchemas())
	})
}

// OpenOver opens a vault over an engine. It must not run beside others that open
// vaults.
func OpenOver(e Engine, path string, o *columnvault.Options) (*columnvault.Vault, error) {
	before := engine.Open
	engine.Open = e
	defer func() { engine.Open = before }()
	return columnvault.Open(context.Background(), path, o)
}

// OpenOn opens a vault on a file system that was registered under a name, such
// as those of the packages below this one. All of the vault's connections use
// it, also later ones. As for [OpenOver], none may be opened beside it.
func OpenOn(fileSystem, path string, o *columnvault.Options) (*columnvault.Vault, error) {
	on := func(ctx context.Context, path string, o sqlite.Options) (store.Store, error) {
		o.VFS = fileSystem
		return sqlite.Open(ctx, path, o)
	}
	return OpenOver(on, path, o)
}

func onSQLite(ctx context.Context, path string, o sqlite.Options) (store.Store, error) {
	return sqlite.Open(ctx, path, o)
}

// memories are the engines in memory by the paths that they were opened with.
var memories sync.Map

// memory opens an engine in memory, again if it was open before.
func memory(_ context.Context, path string, _ sqlite.Options) (store.Store, error) {
	m, _ := memories.LoadOrStore(path, storetest.NewMemory())
	return m.(*storetest.Memory).Again(), nil
}

func wrapped(open Engine, wrap func(store.Store) store.Store) Engine {
	return func(ctx context.Context, path string, o sqlite.Options) (store.Store, error) {
		s, err := open(ctx, path, o)
		if err != nil {
			return nil, err
		}
		return wrap(s), nil
	}
}

// LayoutKey is the environment variable that makes new columns native, in all
// tests of a process and in the processes that these start: "native" or "0".
const LayoutKey = "COLUMNVAULT_LAYOUT"

func init() {
	if os.Getenv(LayoutKey) == "native" {
		engine.Layout = store.LayoutNative
	}
}

// UseNative makes new columns native until the end of the test.
func UseNative(t testing.TB) {
	before := engine.Layout
	engine.Layout = store.LayoutNative
	t.Cleanup(func() { engine.Layout = before })
}
