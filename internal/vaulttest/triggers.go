package vaulttest

import (
	"testing"

	"columnvault/internal/store/sqlite"
)

// WithTriggers lets the triggers in vaults run that the test opens: it makes
// writes fail with them.
func WithTriggers(t *testing.T) {
	sqlite.TestingTriggers.Store(true)
	t.Cleanup(func() { sqlite.TestingTriggers.Store(false) })
}
