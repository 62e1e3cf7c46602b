// Package columnvault keeps lists on disk: typed columns that append, insert,
// get, set, slice, delete and iterate as lists do, inside one SQLite file that
// the Python package KohakuVault reads and writes too.
//
//	v, err := columnvault.Open(ctx, "analytics.db", nil)
//	temps, err := columnvault.Ensure(ctx, v, "temps", dtype.Float64, nil)
//	err = temps.Append(ctx, 20.5, 21.0)
//	last, err := temps.At(ctx, -1)
//	week, err := temps.Slice(ctx, -7*24, columnvault.End)
//
// # What a vault is
//
// A [Vault] is an open file. A [Column] is a named list in it, of elements of
// one dtype: numbers, vectors, text, bytes, or values of the JSON model as
// msgpack or CBOR. Package [columnvault/dtype] has the dtypes. A [KV] is a
// table of values under keys, in the same file. A [Tx] is a transaction over
// all of them.
//
// [Create], [Ensure] and [Lookup] are functions, because the Go type of a
// column follows from its dtype. [Vault.Column] opens a column whose dtype only
// the file knows. A [Table] is the fields of a Go struct as columns of equal
// length, see [EnsureTable].
//
// Positions mean what they mean in Python: negative ones count from the end,
// and the bounds of slices are moved into the column.
//
// # Transactions
//
// Every operation is one transaction: it happens as a whole or not at all.
// [Vault.Update] makes one transaction of many operations, and [Vault.View]
// shows one moment to many reads. A column takes part through [Column.In], a
// table through [KV.In].
//
// There is one writer at a time, over all processes. Writers wait for each
// other for up to [Options.BusyTimeout]. Readers never wait, except in a
// process that uses a write-back cache: there a read may wait for the moment
// of a commit.
//
// When a ctx ends, so does a wait, or an operation that is under way. What the
// operation had written is undone.
//
// # What is promised
//
// When an operation has returned without an error, what it wrote is in the
// file, and stays there however the process ends. After a power failure the
// most recent commits may be missing, unless [Options.FullSync] is set. A
// commit is never half there.
//
// What a write-back cache has taken is in memory until it is flushed, and is
// lost if the process is killed; [CacheOptions] bounds how much that can be.
//
// Errors are values of type [*Error] around the kinds that this package lists.
// Bytes in a file never cause a panic.
//
// # Compatibility
//
// The file format is that of KohakuVault 0.8.6; docs/format.md describes it to
// the byte. A file that this package writes today may expect this:
//
//   - KohakuVault 0.8.6 reads it, appends to it and updates it, except for the
//     dtypes that it does not have: bool, f16, f32, and the integers other than
//     i64. docs/format.md lists what it does that endangers data.
//   - Every later version of this package reads it and writes to it as it is,
//     without a step of conversion. Should columns ever be stored in another
//     way, those that exist stay as they are.
//
// In turn, this package takes the files of KohakuVault 0.8.6 as they are. It
// leaves alone what it does not know: other tables and rows of metadata. The
// columns of KohakuVault 1.x it reads and does not change; [Vault.Migrate]
// brings columns from one of the two to the other.
//
// The Go API may change until version 1.
package columnvault
