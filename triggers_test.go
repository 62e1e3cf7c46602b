package columnvault_test

import (
	"testing"

	"columnvault/internal/store/sqlite"
)

// withTriggers lets the triggers in vaults run that the test opens: it makes
// writes fail with them.
func withTriggers(t *testing.T) {
	sqlite.TestingTriggers.Store(true)
	t.Cleanup(func() { sqlite.TestingTriggers.Store(false) })
}
