//go:build linux || darwin

package conformance_test

import (
	"os"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// TestReplacedFile: rows that a cache could not write to the file any more are
// reported, and stay with their column.
func TestReplacedFile(t *testing.T) {
	ctx := t.Context()
	path := t.TempDir() + "/vault.db"
	v, err := columnvault.Open(t.Context(), path, nil)
	vaulttest.Must(t, err)
	c := vaulttest.Create(t, v, "values", dtype.Int64, 1)
	vaulttest.Must(t, c.EnableCache(ctx, nil))
	vaulttest.Must(t, c.Append(ctx, 2, 3))
	vaulttest.Must(t, os.Remove(path))
	_, err = v.Flush(ctx)
	vaulttest.WantErrText(t, "Flush", err, columnvault.ErrReplaced, "vault.db was deleted or moved away")
	vaulttest.WantErr(t, "Close with rows that cannot be written", v.Close(), columnvault.ErrReplaced)
	if n := c.DiscardPending(); n != 2 {
		t.Errorf("%d rows were pending, not 2", n)
	}
	vaulttest.WantErr(t, "Close", v.Close(), columnvault.ErrReplaced)
	vaulttest.WantErr(t, "the next Close", v.Close(), columnvault.ErrClosed)
}
