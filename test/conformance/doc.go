// Package conformance holds the tests of what a vault promises, by its exported
// functions alone: columns, key-value tables, transactions, caches, damaged
// files, and the files that KohakuVault has written.
//
// What the test suites of KohakuVault 0.8.6 require is in behavior_*_test.go,
// and what went wrong in it, and must not here, in defects_*_test.go.
package conformance
