// Package postgres lets [columnvault.Open] open vaults on a PostgreSQL server.
// Import it for that alone:
//
//	import _ "columnvault/postgres"
//
//	v, err := columnvault.Open(ctx, "postgres://user@host/database?search_path=lab", nil)
//
// The address is a URL as PostgreSQL's own programs take it, with the scheme
// postgres or postgresql. A vault is a schema: that which search_path names, or
// else the default one of the user. Open creates the schema and the tables if
// they are not there. A password may stand in the address, in PGPASSWORD or in
// the file of PGPASSFILE; errors and logs leave it out.
//
// All of the API works as over a file, with the differences that
// docs/cluster.md lists. In short:
//
//   - Options that are about files (AddToDatabase, FullSync, PageSize, PageCacheBytes
//     and MapBytes) are refused with [columnvault.ErrInvalidArgument]. Whether a
//     commit waits for the disk is up to the server's synchronous_commit.
//   - Checkpoint, FileSizes, Backup and Compact give [columnvault.ErrUnsupported].
//   - A key has at most 2,048 bytes, a value 1 GiB.
//   - A store takes at most 50 connections, one for each View and loop that is
//     open and one for writing; pool_max_conns in the address is another number.
//   - A View ends with [columnvault.ErrSnapshotTooOld] after
//     Options.MaxSnapshotAge, also if nobody has written.
//
// A commit whose answer is lost, because a connection or the server broke, is
// looked for until its outcome is certain, for up to 30 seconds. Only after that
// an operation fails with [columnvault.ErrUnknownCommit].
package postgres

import (
	"context"
	"fmt"

	_ "columnvault" // for the links above
	"columnvault/internal/engine"
	"columnvault/internal/store"
	"columnvault/internal/store/postgres"
	"columnvault/internal/store/sqlite"
)

func init() {
	engine.Register("postgres", open)
	engine.Register("postgresql", open)
}

// open refuses what is about files.
func open(ctx context.Context, address string, o sqlite.Options) (store.Store, error) {
	for name, set := range map[string]bool{
		"AddToDatabase": o.AddToDatabase, "FullSync": o.FullSync, "PageSize": o.PageSize != 0, "PageCacheBytes": o.PageCacheBytes != 0,
		"MapBytes": o.MapBytes != 0,
	} {
		if set {
			return nil, fmt.Errorf("%w: Options.%s is for files, and the vault is on a PostgreSQL server", store.ErrInvalidArgument, name)
		}
	}
	s, err := postgres.Open(ctx, address, postgres.Options{ReadOnly: o.ReadOnly, BusyTimeout: o.BusyTimeout, MaxSnapshotAge: o.MaxSnapshotAge, Log: o.Log})
	if err != nil {
		return nil, err
	}
	return s, nil
}
