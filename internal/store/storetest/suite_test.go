package storetest_test

import (
	"testing"

	"columnvault/internal/store"
	"columnvault/internal/store/storetest"
)

func TestMemory(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Store { return storetest.NewMemory() })
}
