// Package layout0 holds columns in the layout of KohakuVault 0.x, which is the
// default: rows of col_meta, chunks in col_chunks.
//
// A column is a sequence of chunks. A chunk has a number, a capacity and, in
// the data half of a variable-size column, a count of used bytes. Elements of
// one size are addressed by arithmetic alone (see [Fixed] and grid). Elements
// of varying size are found through an index of entries of twelve bytes (see
// [VarSize] and entry), which is itself a column of elements of one size.
//
// Every number may come from a file that somebody else wrote, so the functions
// check instead of trusting. docs/format.md says what 0.8.6 does and needs.
package layout0
