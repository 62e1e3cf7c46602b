package scan_test

import (
	"testing"

	"columnvault/internal/vaulttest"
)

func TestMain(m *testing.M) { vaulttest.Main(m) }
