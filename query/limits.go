package query

import (
	"context"
	"slices"

	"github.com/ncruces/go-sqlite3"
)

// maxSQL is the longest statement, in bytes.
const maxSQL = 1 << 20

// limits are bounds for whatever a statement could make large, after
// https://sqlite.org/security.html. Long patterns take LIKE a time that no ctx
// ends.
var limits = map[sqlite3.LimitCategory]int{
	sqlite3.LIMIT_SQL_LENGTH:          16 << 20, // our declarations of many long names are longer than maxSQL
	sqlite3.LIMIT_COLUMN:              maxColumns,
	sqlite3.LIMIT_EXPR_DEPTH:          1000,
	sqlite3.LIMIT_COMPOUND_SELECT:     100,
	sqlite3.LIMIT_VDBE_OP:             1 << 20,
	sqlite3.LIMIT_FUNCTION_ARG:        100,
	sqlite3.LIMIT_ATTACHED:            0,
	sqlite3.LIMIT_LIKE_PATTERN_LENGTH: 200,
	sqlite3.LIMIT_VARIABLE_NUMBER:     1000,
	sqlite3.LIMIT_TRIGGER_DEPTH:       1,
	sqlite3.LIMIT_WORKER_THREADS:      0,
}

// settings are those of the connections to files, with foreign SQL in mind.
var settings = map[sqlite3.DBConfig]bool{
	sqlite3.DBCONFIG_DEFENSIVE:      true,
	sqlite3.DBCONFIG_TRUSTED_SCHEMA: false,
	sqlite3.DBCONFIG_ENABLE_TRIGGER: false,
	sqlite3.DBCONFIG_ENABLE_VIEW:    false,
	// A column in double quotes that is missing must not count as text.
	sqlite3.DBCONFIG_DQS_DML: false,
}

// openEngine opens an empty database in memory that can only be read.
func openEngine(ctx context.Context, memory int64) (_ *sqlite3.Conn, err error) {
	db, err := sqlite3.OpenContext(sqlite3.WithMaxMemory(ctx, memory), ":memory:")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			db.Close()
		}
	}()
	db.SetInterrupt(ctx)
	for option, on := range settings {
		if _, err := db.Config(option, on); err != nil {
			return nil, err
		}
	}
	// What is sorted must not go to files, which have no bound.
	if err := db.Exec(`PRAGMA temp_store=MEMORY; PRAGMA query_only=ON`); err != nil {
		return nil, err
	}
	for limit, n := range limits {
		db.Limit(limit, n)
	}
	db.Limit(sqlite3.LIMIT_LENGTH, int(min(memory/4, 1_000_000_000)))
	return db, db.SetAuthorizer(authorize)
}

// pragmas are those that tell something and change nothing.
var pragmas = []string{"table_info", "table_xinfo", "table_list", "function_list", "module_list", "collation_list",
	"database_list", "pragma_list", "compile_options"}

// authorize allows reading. What it does not know it refuses.
func authorize(action sqlite3.AuthorizerActionCode, name3rd, name4th, schema, inner string) sqlite3.AuthorizerReturnCode {
	switch action {
	case sqlite3.AUTH_SELECT, sqlite3.AUTH_READ, sqlite3.AUTH_RECURSIVE:
		return sqlite3.AUTH_OK
	case sqlite3.AUTH_FUNCTION:
		if fold(name4th) != "load_extension" {
			return sqlite3.AUTH_OK
		}
	case sqlite3.AUTH_PRAGMA:
		if slices.Contains(pragmas, fold(name3rd)) {
			return sqlite3.AUTH_OK
		}
	}
	return sqlite3.AUTH_DENY
}
