// Package engine opens the storage engine of a vault: that on a SQLite file, or
// one that was registered for the scheme of an address.
package engine

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"

	"columnvault/internal/store"
	"columnvault/internal/store/sqlite"
)

// Layout is that of new columns for which nobody asks for one. It is a variable so
// that tests can run over every layout.
var Layout = store.LayoutV0

// Open opens the engine of the vault at path. It is a variable so that tests can
// open vaults over other engines.
var Open = func(ctx context.Context, path string, o sqlite.Options) (store.Store, error) {
	scheme, ok := Scheme(path)
	if !ok {
		return sqlite.Open(ctx, path, o)
	}
	open, ok := registered.Load(scheme)
	if !ok {
		return nil, fmt.Errorf("%w: addresses that begin with %s:// need the import of %q", store.ErrInvalidArgument, scheme, packages[scheme])
	}
	return open.(Opener)(ctx, path, o)
}

// Opener opens a vault at an address. It refuses options that make no sense
// there.
type Opener func(ctx context.Context, address string, o sqlite.Options) (store.Store, error)

// registered are the Openers by scheme.
var registered sync.Map

// packages are those that register a scheme. Everything else with a colon in it
// is a path.
var packages = map[string]string{"postgres": "columnvault/postgres", "postgresql": "columnvault/postgres"}

// Register makes Open use an engine for the addresses with a scheme.
func Register(scheme string, open Opener) { registered.Store(scheme, open) }

// Scheme tells whether a path is the address of a vault that is no file.
func Scheme(path string) (scheme string, ok bool) {
	scheme, _, ok = strings.Cut(path, "://")
	return scheme, ok && packages[scheme] != ""
}

// Shown is the path, or the address without its password, for messages.
func Shown(path string) string {
	scheme, ok := Scheme(path)
	if !ok {
		return path
	}
	u, err := url.Parse(path)
	if err != nil {
		return scheme + "://"
	}
	q := u.Query()
	if q.Has("password") {
		q.Set("password", "xxxxx")
		u.RawQuery = q.Encode()
	}
	return u.Redacted()
}
