// Package documents holds the tests that compare the documents with the code:
// the README, the description of the file format, the layers of packages, and
// how many files must be read to understand one.
package documents
