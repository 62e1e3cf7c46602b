package columnvault

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"columnvault/dtype"
)

// TestCloseWithoutRoomForTheLog: a vault is closed also if the disk does not
// let it move the log into the file, and holds everything when it is opened
// again. It takes no rows that it could not write any more.
func TestCloseWithoutRoomForTheLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.db")
	v := openFaulty(t, path)
	c, err := Create(t.Context(), v, "values", dtype.Int64, nil)
	if err == nil {
		err = c.EnableCache(t.Context(), nil)
	}
	if err == nil {
		err = c.Append(t.Context(), 1)
	}
	if err == nil {
		_, err = v.Flush(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	faulty.Arm(1, sqlite3.IOERR_WRITE)
	err = v.Close()
	faulty.Arm(0, nil)
	if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "the file is closed and nothing is lost") {
		t.Errorf("Close: %v", err)
	}
	if err := c.Append(t.Context(), 2); !errors.Is(err, ErrClosed) {
		t.Errorf("Append after Close: %v", err)
	}
	if err := v.Close(); !errors.Is(err, ErrClosed) {
		t.Errorf("the second Close: %v", err)
	}
	v = openFaulty(t, path)
	if got := contents(t, v); got != "values i64 [1]\n" {
		t.Errorf("the file holds %q", got)
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
}
