//go:build linux || darwin

package columnvault_test

import (
	"os"
	"testing"

	"columnvault"
	"columnvault/dtype"
)

// TestReplacedFile: rows that a cache could not write to the file any more are
// reported, and stay with their column.
func TestReplacedFile(t *testing.T) {
	ctx := t.Context()
	path := t.TempDir() + "/vault.db"
	v, err := columnvault.Open(path, nil)
	must(t, err)
	c := create(t, v, "values", dtype.Int64, 1)
	must(t, c.EnableCache(ctx, nil))
	must(t, c.Append(ctx, 2, 3))
	must(t, os.Remove(path))
	_, err = v.Flush(ctx)
	wantErrText(t, "Flush", err, columnvault.ErrReplaced, "vault.db was deleted or moved away")
	wantErr(t, "Close with rows that cannot be written", v.Close(), columnvault.ErrReplaced)
	if n := c.DiscardPending(); n != 2 {
		t.Errorf("%d rows were pending, not 2", n)
	}
	wantErr(t, "Close", v.Close(), columnvault.ErrReplaced)
	wantErr(t, "the next Close", v.Close(), columnvault.ErrClosed)
}
