// Package sqlitefile reads SQLite files that SQLite itself refuses, because
// pages of them are lost or hold something else. It follows the published
// description of the format, https://sqlite.org/fileformat.html, and believes
// nothing of what it reads:
//
//   - Every page number, count and size is compared with the file. A page is in
//     one tree at most, so trees and chains that point at themselves end.
//   - It takes memory for the page numbers of trees and chains, 8 bytes a page
//     at worst, and for one row at a time; the bytes of a row are read in parts.
//   - What cannot be read is a hole with a place and a reason, never an error
//     that ends the reading of the rest.
//
// Trees are followed from the schema. Pages that no readable tree leads to are
// looked for one by one (see [File.Orphans]). Where the file has a pointer map,
// which tells the parent of each page, it says to which table such a page
// belongs, and how the chain of a row goes on after a page that is lost.
//
// Committed pages in the write-ahead log stand for those in the file, as for
// SQLite. Nothing is ever written.
package sqlitefile
