// Package vaulttest is what the tests of several packages share: vaults to work
// on, requirements of what they hold, SQL on their files, and the project's
// golden files.
//
// The functions end the test, or mark it as failed, when what they require does
// not hold. Those whose name begins with Want require something.
package vaulttest

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"columnvault"
)

// TB is a *testing.T or a *rapid.T.
type TB interface {
	rapid.TB
	Context() context.Context
}

// ErrOwn is an error that a test hands to the library and wants back.
var ErrOwn = errors.New("an error of the caller's own")

// Must ends the test on an error.
func Must(t TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ErrOf drops the value that a call returned beside its error.
func ErrOf[T any](_ T, err error) error { return err }

// Impatient returns options of a vault that soon gives up waiting for others.
func Impatient() *columnvault.Options {
	return &columnvault.Options{BusyTimeout: 20 * time.Millisecond}
}

// Patient returns options of a vault that waits for longer than a test takes.
func Patient() *columnvault.Options {
	return &columnvault.Options{BusyTimeout: 5 * time.Minute}
}

// Open opens a vault in a new file.
func Open(t *testing.T) *columnvault.Vault {
	t.Helper()
	return OpenAt(t, filepath.Join(t.TempDir(), "test.db"), nil)
}

// OpenAt opens a vault that the end of the test closes.
func OpenAt(t *testing.T, path string, o *columnvault.Options) *columnvault.Vault {
	t.Helper()
	v, err := columnvault.Open(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	return v
}

// Pair is a file that is open twice: V is the vault under test, and Other shows
// what is on disk.
type Pair struct {
	Path     string
	V, Other *columnvault.Vault
}

// OpenPair opens a new file twice, V with these options.
func OpenPair(t *testing.T, o *columnvault.Options) Pair {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.db")
	return Pair{path, OpenAt(t, path, o), OpenAt(t, path, nil)}
}

// Eventually waits until something is so. What takes longer than its deadline
// never happens.
func Eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never: " + what)
		}
	}
}

// Soon is a ctx for calls that must not wait without end.
func Soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// WantErr requires an error of this kind, and of the library's type.
func WantErr(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got error %v, want one that is %v", what, got, want)
	}
	var e *columnvault.Error
	if got != nil && !errors.As(got, &e) {
		t.Errorf("%s: error %v is not a *columnvault.Error", what, got)
	}
}

// Meter measures from now on until what it returns is called, and reports the
// time of the processors that an operation of the benchmark takes: beside others,
// wall time says little.
func Meter(b *testing.B) (done func()) {
	before := ProcessorTime()
	return func() { b.ReportMetric(float64(ProcessorTime()-before)/float64(b.N), "cpu-ns/op") }
}
