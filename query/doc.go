// Package query asks a vault questions in SQL.
//
//	db, err := query.Open(ctx, v, nil)
//	rows, err := db.QueryContext(ctx, `SELECT weather, avg(temp_max) FROM columns GROUP BY weather`)
//
// The engine is SQLite, on a database in memory that is empty but for virtual
// tables: columns that have a prefix in common are one, columns without a prefix
// are the table columns, and every key-value table is one as well. [Tables]
// lists them; docs/query.md has the rules for their names and values.
//
// # What a statement sees
//
// A statement reads one snapshot of the vault, which begins with it and ends
// with its rows, so close the rows soon; [columnvault.Vault.Snapshot] says what
// an open one costs. The statements of one [sql.Tx] share a snapshot. Only the
// columns are read that a statement uses, in runs, and only as far as it gets.
//
// # What a statement may do
//
// Read, and nothing else: an authorizer refuses all that changes something,
// opens files or loads code. A statement ends with its ctx, also in the middle.
// Its memory is bounded by [Options.MaxMemory]; more than that is an [ErrLimit].
// Time is bounded by the ctx alone.
package query
