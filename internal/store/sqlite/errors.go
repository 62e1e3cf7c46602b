package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/ncruces/go-sqlite3"

	"columnvault/internal/store"
)

// wrap gives a driver's error the kind that the seam speaks of. Errors that
// are of the seam already pass through.
func wrap(err error) error {
	if err == nil {
		return nil
	}
	var code sqlite3.ErrorCode
	if !errors.As(err, &code) {
		return err
	}
	var kind error
	switch code {
	case sqlite3.INTERRUPT:
		return err // see conn.within
	case sqlite3.BUSY, sqlite3.LOCKED, sqlite3.PROTOCOL:
		kind = store.ErrBusy
	case sqlite3.READONLY:
		kind = store.ErrReadOnly
	case sqlite3.NOTADB:
		kind = store.ErrNotVault
	case sqlite3.CORRUPT, sqlite3.MISMATCH:
		kind = store.ErrCorrupt
	case sqlite3.TOOBIG:
		kind = store.ErrTooLarge
	case sqlite3.CONSTRAINT:
		kind = store.ErrUnavailable // a trigger, or a rule of somebody's own
		if errors.Is(err, sqlite3.CONSTRAINT_UNIQUE) || errors.Is(err, sqlite3.CONSTRAINT_PRIMARYKEY) {
			kind = store.ErrExists
		}
	case sqlite3.FULL, sqlite3.IOERR, sqlite3.CANTOPEN, sqlite3.PERM, sqlite3.NOMEM, sqlite3.NOLFS, sqlite3.AUTH:
		kind = store.ErrUnavailable
	case sqlite3.ABORT:
		kind = store.ErrTooLarge // more tables and indexes than connLimits allow
	default:
		// What is left is a table that is not what its name promises.
		kind = store.ErrCorrupt
	}
	return fmt.Errorf("%w: %w", kind, err)
}

// unavailable is an error of the system at a file.
func unavailable(err error) error { return fmt.Errorf("%w: %w", store.ErrUnavailable, err) }

// leastSpace is the free space in bytes below which an I/O error is taken for
// that of a full disk.
const leastSpace = 1 << 20

// explain adds to an error of the disk that the disk or the user's share of it
// is full, if it is. The driver has lost what the system said by the time that
// it returns an error.
func (s *Store) explain(err error) error { return s.explainAt(s.path, err) }

// explainAt is explain for the disk of the file at path.
func (s *Store) explainAt(path string, err error) error {
	if !errors.Is(err, sqlite3.IOERR) && !errors.Is(err, sqlite3.FULL) && !errors.Is(err, sqlite3.CANTOPEN) {
		return err
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return err
	}
	free, inodes, known := s.space(path)
	switch {
	case known && (free < leastSpace || !inodes):
		return fmt.Errorf("%w: %w (%d bytes are free)", err, syscall.ENOSPC, free)
	case s.overQuota(path):
		return fmt.Errorf("%w: %w", err, syscall.EDQUOT)
	}
	return err
}

// overQuota tells whether a file beside that at path could not be written for
// want of a share of the disk. There is no other way to ask that works for every
// file system.
func overQuota(path string) bool {
	f, err := os.CreateTemp(filepath.Dir(path), ".columnvault-")
	if err == nil {
		_, err = f.Write(make([]byte, leastSpace))
		f.Close()
		os.Remove(f.Name())
	}
	return errors.Is(err, syscall.EDQUOT)
}

// prepareError is wrap for a statement that SQLite has not accepted. If one of
// its tables is a view, SQLite says so, or that a table is missing that only
// the view uses.
func prepareError(sql string, err error) error {
	_, missing, found := strings.Cut(err.Error(), "no such table: ")
	foreign := found && !strings.Contains(sql, missing) && !strings.Contains(sql, sqlite3.QuoteIdentifier(missing))
	if foreign || strings.Contains(err.Error(), "access to view") {
		return fmt.Errorf("%w: a view is no table, and its code does not run here: %v", store.ErrInvalidArgument, err)
	}
	return wrap(err)
}

// noTable tells whether err says that a table does not exist.
func noTable(err error) bool {
	return err != nil && errors.Is(err, sqlite3.ERROR) && strings.Contains(err.Error(), "no such table")
}
