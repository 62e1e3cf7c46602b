package sqlite

import (
	"errors"
	"strings"
	"syscall"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"columnvault/internal/store"
)

// TestFullDisk: an error of the disk says that the disk is full, if it is.
func TestFullDisk(t *testing.T) {
	s := openStore(t, Options{})
	for _, test := range []struct {
		free          uint64
		inodes, known bool
		full          bool
	}{
		{0, true, true, true},
		{1 << 30, false, true, true},
		{1 << 30, true, true, false},
		{0, false, false, false},
	} {
		s.space = func(string) (uint64, bool, bool) { return test.free, test.inodes, test.known }
		for _, code := range []error{sqlite3.IOERR_WRITE, sqlite3.FULL, sqlite3.CANTOPEN, sqlite3.CORRUPT} {
			err := s.Update(t.Context(), func(store.Tx) error { return wrap(code) })
			full := test.full && code != sqlite3.CORRUPT
			if !errors.Is(err, code) || errors.Is(err, syscall.ENOSPC) != full || strings.Contains(err.Error(), "no space left on device") != full {
				t.Errorf("%+v: %v becomes %v", test, code, err)
			}
		}
	}
}
