// Package crash holds the tests in which several processes work on one
// vault: writers that are killed, writers beside each other, and writers beside
// programs that know nothing of this project but SQLite.
package crash
