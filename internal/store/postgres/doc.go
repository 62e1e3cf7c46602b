// Package postgres is the storage engine on a PostgreSQL server: a vault is a
// schema of a database.
//
// The server is far away, so the engine counts trips. Statements are collected
// and sent together, and their answers are waited for once. What others may
// have changed is not asked for first, but checked in the same trip:
//
//   - Each column has a revision, which every transaction that changes it
//     raises, and the catalog has a version. The engine remembers rows of the
//     catalog with their revision (known.go).
//   - A Read goes on with what it remembers, and each trip compares. If it does
//     not hold any more, the read begins again (snapshot.go).
//   - A transaction does the same: the first trip that it needs locks the
//     columns, but only at the remembered revision; otherwise it runs again and
//     locks first (tx.go). A column that was found changed is not gone on with
//     for a second, because where several write, locking first is faster.
//
// Who reads the chunks of a column one after the other gets those that come next
// in the same trip (ahead.go).
//
// Isolation is by locks under READ COMMITTED: of the rows of columns and of
// key-value tables that a transaction has looked at, until its end. What it has
// found absent is covered by the version of the catalog, which is compared
// after the last lock. That makes transactions serializable, with nothing that
// works on one server alone.
//
// Each transaction that writes leaves a token (settle.go), by which a commit
// whose answer was lost is found out about.
package postgres
