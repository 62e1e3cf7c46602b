// Package layout1 holds columns in the layout of KohakuVault 1.x: they are read
// like any other, and can be written whole (see [Writer]) but not changed. Its
// own library stores a column anew for every edit, so there is nothing that an
// edit in place could gain; a column that is to be edited goes to another layout.
//
// A column is a sequence of blocks, each with a number, the position of its
// first element, a count of elements and room for so many. Elements of one size
// are addressed by arithmetic (see [Fixed]). Blocks of elements that vary in size
// carry a table of offsets, and are found by the positions of their first
// elements (see [VarSize]).
//
// Every number may come from a file that somebody else wrote, so the functions
// check instead of trusting. docs/format.md says what 1.1.0 does and needs.
package layout1
