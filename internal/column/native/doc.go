// Package native holds columns in a layout of our own, in which an edit costs
// what a chunk costs, wherever it is and however long the column.
//
// A column is a sequence of runs, each of them a chunk: some elements that follow
// each other, with room for more. The Meta of a chunk says how many of its bytes
// mean something, and between which values the elements are. No run says at which
// position it begins, so an edit changes the runs it touches and no other; a
// position is found in a [Directory], the sums over all runs before the last. It
// is kept from transaction to transaction as long as the catalog has the same
// number for the structure of the column, which every change to these runs makes
// another. The last elements may lie in the Meta of the last run (see tail), so that
// an append that is a transaction of its own changes one row.
//
// Every number may come from a file that somebody else wrote, so the functions
// check instead of trusting. docs/format.md has the format.
package native
