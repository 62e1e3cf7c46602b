package sqlite_test

import (
	"path/filepath"
	"testing"

	"columnvault/internal/store"
	"columnvault/internal/store/sqlite"
	"columnvault/internal/store/storetest"
)

func open(t *testing.T) store.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "a b?c#d%.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConformance(t *testing.T) {
	storetest.Run(t, open)
}

func TestConformanceWhereAllRunsTwice(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return storetest.Rerun(open(t)) })
}
