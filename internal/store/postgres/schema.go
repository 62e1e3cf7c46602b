package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"columnvault/internal/store"
)

// format is the version of the schema below.
const format = 1

// schema makes a vault. Names are bytes: what is not UTF-8, or has a NUL in it,
// is a name like others. Chunks are stored as they are, so that a part of one
// can be read without the rest; bytes after those that are stored, up to the
// capacity, are zeros. Pairs whose value is large have its bytes in chunks too,
// under an ID of their own.
var schema = []string{
	`CREATE SEQUENCE IF NOT EXISTS columnvault_versions`,
	`CREATE TABLE IF NOT EXISTS columnvault_columns (
		col_id bigint PRIMARY KEY, name bytea NOT NULL, layout bigint NOT NULL, dtype bytea NOT NULL, attrs bytea NOT NULL,
		elem_size bigint NOT NULL, length bigint NOT NULL, min_chunk bigint NOT NULL, max_chunk bigint NOT NULL,
		rev bigint NOT NULL) WITH (fillfactor = 50)`,
	`CREATE UNIQUE INDEX IF NOT EXISTS columnvault_names ON columnvault_columns (name, (layout = 1))`,
	`CREATE TABLE IF NOT EXISTS columnvault_chunks (
		col_id bigint, chunk_idx bigint, capacity bigint NOT NULL, used bigint NOT NULL, meta bytea NOT NULL, data bytea NOT NULL,
		PRIMARY KEY (col_id, chunk_idx)) WITH (autovacuum_vacuum_scale_factor = 0.02, toast.autovacuum_vacuum_scale_factor = 0.02)`,
	`ALTER TABLE columnvault_chunks ALTER data SET STORAGE EXTERNAL`,
	`CREATE TABLE IF NOT EXISTS columnvault_tables (
		tbl_id bigint PRIMARY KEY, name bytea NOT NULL UNIQUE, rev bigint NOT NULL) WITH (fillfactor = 50)`,
	`CREATE TABLE IF NOT EXISTS columnvault_pairs (
		tbl_id bigint, key bytea, size bigint NOT NULL, value bytea, blob bigint,
		PRIMARY KEY (tbl_id, key))`,
	`CREATE TABLE IF NOT EXISTS columnvault_commits (
		token bytea PRIMARY KEY, lost boolean NOT NULL DEFAULT false, at timestamptz NOT NULL DEFAULT now())`,
	// The last, because whoever sees it takes the rest to be there.
	`CREATE TABLE IF NOT EXISTS columnvault_vault (one int PRIMARY KEY, format bigint NOT NULL, catalog bigint NOT NULL)`,
	`INSERT INTO columnvault_vault VALUES (1, 1, nextval('columnvault_versions')) ON CONFLICT DO NOTHING`,
}

// prepare makes a vault of the schema that the connection is in, unless it is
// one.
func (s *Store) prepare(ctx context.Context, c *conn) error {
	var there bool
	err := c.pg.QueryRow(ctx, `SELECT to_regclass('columnvault_vault') IS NOT NULL`).Scan(&there)
	if err != nil {
		return explain(ctx, err)
	}
	if !there {
		if s.opts.ReadOnly {
			return fmt.Errorf("%w: the schema holds no vault, and read-only creates none", store.ErrNotFound)
		}
		if err := s.create(ctx, c); err != nil {
			return explain(ctx, err)
		}
	}
	var found int64
	var sharded bool
	if err := c.pg.QueryRow(ctx, `SELECT format, `+shardedSQL+` FROM columnvault_vault`).Scan(&found, &sharded); err != nil {
		return explain(ctx, err)
	}
	s.apart = s.apart || sharded
	if found != format {
		return fmt.Errorf("%w: the tables have the format %d, and this version knows %d", store.ErrNotVault, found, format)
	}
	return nil
}

// create makes the schema, if there is none of the name, and its tables. Others
// may be at the same: then one of the two has to look again.
func (s *Store) create(ctx context.Context, c *conn) error {
	for attempt := 0; ; attempt++ {
		err := pgx.BeginFunc(ctx, c.pg, func(tx pgx.Tx) error {
			var path *string
			if err := tx.QueryRow(ctx, `SELECT current_schema()::text`).Scan(&path); err != nil {
				return err
			}
			if path == nil {
				var first string
				if err := tx.QueryRow(ctx, `SELECT (parse_ident(trim(split_part(current_setting('search_path'), ',', 1))))[1]`).Scan(&first); err != nil {
					return err
				}
				if _, err := tx.Exec(ctx, `CREATE SCHEMA IF NOT EXISTS `+pgx.Identifier{first}.Sanitize()); err != nil {
					return err
				}
			}
			// IDs begin with the time, so that a vault that was dropped and made
			// anew does not give again what somebody still remembers.
			ids := fmt.Sprintf(`CREATE SEQUENCE IF NOT EXISTS columnvault_ids START %d`, time.Now().UnixMilli())
			for _, statement := range append([]string{ids}, schema...) {
				if _, err := tx.Exec(ctx, statement); err != nil {
					return err
				}
			}
			return nil
		})
		var refused *pgconn.PgError
		if attempt == 10 || !errors.As(err, &refused) || !raced[refused.Code] {
			return err
		}
	}
}

// raced are the SQLSTATEs of what somebody else has just created.
var raced = map[string]bool{"23505": true, "42P06": true, "42P07": true, "40001": true, "40P01": true, "XX000": true}
