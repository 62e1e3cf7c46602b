// Package model holds the tests that run random calls against a vault and a
// simple model of it, a slice or a map, and compare what both answer.
package model
