// Package column gives chunks the semantics of a list.
//
// A [Column] works on encoded [Elements], knows no dtypes, and reaches storage
// only through package store. How elements lie in chunks is its layout; each
// layout has a package of its own below this one. What all layouts share is
// here: searching, reversing, and elements that are still in memory.
//
// Positions are absolute: negative ones and Python's slice bounds are resolved
// before. A column belongs to one snapshot or transaction.
package column
