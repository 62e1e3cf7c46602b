// Package column gives chunks the semantics of a list. It works on encoded
// elements, knows no dtypes, and reaches storage only through package store.
//
// A Fixed column holds elements of one size; a VarSize column holds elements
// of any size, found through an index that is itself a Fixed column. Both have
// the same methods. Positions are absolute here: whoever accepts negative ones
// or Python's slice bounds resolves them first.
//
// A value of these types belongs to one snapshot or transaction. The methods
// that write check everything that can be checked before they write; a failure
// after that aborts the transaction.
package column
