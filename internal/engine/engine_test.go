package engine_test

import (
	"strings"
	"testing"

	"columnvault"
	"columnvault/internal/engine"
	"columnvault/internal/vaulttest"
)

// TestWithoutImport opens an address in a program that lacks the package for it.
func TestWithoutImport(t *testing.T) {
	for _, address := range []string{"postgres://user:secret@host/db?search_path=lab", "postgresql://host/db"} {
		_, err := columnvault.Open(t.Context(), address, nil)
		vaulttest.WantErr(t, address, err, columnvault.ErrInvalidArgument)
		if text := err.Error(); !strings.Contains(text, `"columnvault/postgres"`) || strings.Contains(text, "secret") {
			t.Errorf("the error does not name the import, or names the password: %v", err)
		}
	}
}

func TestShown(t *testing.T) {
	for path, want := range map[string]string{
		"a.db":                                "a.db",
		"/tmp/odd://name":                     "/tmp/odd://name",
		"postgres://u:p@h/d":                  "postgres://u:xxxxx@h/d",
		"postgresql://u@h/d?password=p":       "postgresql://u@h/d?password=xxxxx",
		"postgres://u:p@[::1/d":               "postgres://",
		"postgres://u@h:5432/d?search_path=a": "postgres://u@h:5432/d?search_path=a",
	} {
		if got := engine.Shown(path); got != want {
			t.Errorf("%s is shown as %s, want %s", path, got, want)
		}
	}
}
