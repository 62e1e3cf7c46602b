// Package engine opens the storage engine of a vault.
package engine

import (
	"context"

	"columnvault/internal/store"
	"columnvault/internal/store/sqlite"
)

// Layout is that of new columns for which nobody asks for one. It is a variable so
// that tests can run over every layout.
var Layout = store.LayoutV0

// Open opens the engine of the vault at path. It is a variable so that tests can
// open vaults over other engines.
var Open = func(ctx context.Context, path string, o sqlite.Options) (store.Store, error) {
	return sqlite.Open(ctx, path, o)
}
