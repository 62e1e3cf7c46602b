// Package columnvault keeps lists on disk: typed columns with the semantics of
// a list - append, insert, get, set, slice, delete, iterate - inside one SQLite
// file, interchangeable with the files of the Python package KohakuVault.
//
// # Words
//
// A [Vault] is an open file. A [Column] is a named list in it, of elements of
// one dtype (see package dtype): numbers, vectors, text, bytes, or values of
// the JSON model as msgpack or CBOR. A [Tx] is a transaction over all of them.
//
//	v, err := columnvault.Open("analytics.db", nil)
//	temps, err := columnvault.Ensure(ctx, v, "temps", dtype.Float64, nil)
//	err = temps.Append(ctx, 20.5, 21.0)
//	last, err := temps.At(ctx, -1)
//	week, err := temps.Slice(ctx, -7*24, columnvault.End)
//
// [Create], [Ensure] and [Lookup] are functions, because the Go type of a
// column follows from its dtype; [Vault.Column] opens a column whose dtype is
// only known from the file.
//
// # Transactions
//
// Every operation happens as a whole or not at all. [Vault.Update] makes one
// transaction of many operations, [Vault.View] one moment of many reads; a
// column takes part through [Column.In]. There is one writer at a time, in all
// processes together; writers wait for each other, for as long as
// Options.BusyTimeout allows, and readers wait for nobody, but where there is a
// cache for the moment of a commit.
//
// A ctx ends a wait, and an operation between two chunks, never in the middle
// of a write; what it interrupts is undone.
//
// # What is promised
//
// What an operation has returned without an error is in the file, and stays
// there when the process ends in any way; what a cache has taken is in memory
// until it is flushed (see CacheOptions). After a power failure the last
// commits may be missing, but never half of one, unless Options.FullSync is
// set. Errors are values of type [*Error] around the kinds that this package
// lists; bytes in a file never cause a panic.
package columnvault
