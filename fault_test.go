package columnvault

import (
	"fmt"
	"strings"
	"testing"

	"columnvault/internal/store/sqlite"
	"columnvault/internal/vaulttest/faultfs"
)

// faulty is the file system under the vaults of the tests of closing, backups
// and Compact. test/crash lets every call fail during every operation.
var faulty = faultfs.Register("faulty")

// openFaulty opens a vault on the file system that can be made to fail. Its
// page cache is so small that transactions write before they commit.
func openFaulty(t *testing.T, path string) *Vault {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{VFS: "faulty", PageSize: 512, PageCacheBytes: 16 << 10})
	if err != nil {
		t.Fatal(err)
	}
	return newVault(path, s, &Options{})
}

// contents is what a vault holds, to be compared.
func contents(t *testing.T, v *Vault) string {
	t.Helper()
	var b strings.Builder
	infos, err := v.Columns(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, info := range infos {
		c, err := v.Column(t.Context(), info.Name)
		if err != nil {
			t.Fatal(err)
		}
		values, err := c.Slice(t.Context(), Begin, End)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %s %v\n", info.Name, info.DType, values)
	}
	for f, err := range v.Check(t.Context(), CheckOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		if f.Severity > SeverityNote {
			t.Errorf("check: %s: %s", f.Column, f.Text)
		}
	}
	return b.String()
}

func sequence(n int) []int64 {
	values := make([]int64, n)
	for i := range values {
		values[i] = int64(i)
	}
	return values
}
