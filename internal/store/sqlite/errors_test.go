package sqlite

import (
	"errors"
	"path/filepath"
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

// TestOverQuota: so does one of a user who has no share of the disk left.
func TestOverQuota(t *testing.T) {
	s := openStore(t, Options{})
	s.space = func(string) (uint64, bool, bool) { return 1 << 30, true, true }
	for _, over := range []bool{false, true} {
		s.overQuota = func(string) bool { return over }
		err := s.Update(t.Context(), func(store.Tx) error { return wrap(sqlite3.IOERR_WRITE) })
		if !errors.Is(err, sqlite3.IOERR_WRITE) || errors.Is(err, syscall.EDQUOT) != over {
			t.Errorf("over quota %v: %v", over, err)
		}
	}
	if overQuota(s.path) {
		t.Error("there is no quota")
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(s.path), ".columnvault-*")); len(left) > 0 || err != nil {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
