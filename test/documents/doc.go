// Package documents holds the tests that compare the documents with the code:
// the README, the description of the file format, and the layers of packages.
package documents
