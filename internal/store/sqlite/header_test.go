package sqlite

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"columnvault/internal/store"
)

// TestPowerLossWhileCreating: a power failure while a file is created may leave
// a size without content, and a journal that says that there was nothing.
func TestPowerLossWhileCreating(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.db")
	journal := make([]byte, 512)
	copy(journal, "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7")
	binary.BigEndian.PutUint32(journal[20:], 512) // of a sector
	binary.BigEndian.PutUint32(journal[24:], 512) // of a page
	check(t, os.WriteFile(path, make([]byte, 512), 0o666))
	check(t, os.WriteFile(path+"-journal", journal, 0o666))
	s := openStoreAt(t, path, Options{})
	check(t, appendRow(t.Context(), s, "first"))
}

// TestPowerLossWithJournal: in a file with a journal, such as KohakuVault's
// before it is opened for writing here, a power failure may leave the header of
// a commit whose pages are missing. The journal brings back what was.
func TestPowerLossWithJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.db")
	s := openStoreAt(t, path, Options{PageSize: 512})
	check(t, appendRow(t.Context(), s, "first"))
	check(t, s.Close())
	db, err := sqlite3.Open(path)
	check(t, err)
	defer db.Close()
	check(t, db.Exec(`PRAGMA journal_mode = DELETE; PRAGMA cache_size = 1`))
	before, err := os.ReadFile(path)
	check(t, err)
	check(t, db.Exec(`BEGIN; CREATE TABLE large (data); INSERT INTO large VALUES (zeroblob(50000)); DELETE FROM kohakuvault_meta`))
	journal, err := os.ReadFile(path + "-journal")
	check(t, err)
	check(t, db.Exec(`COMMIT`))
	after, err := os.ReadFile(path)
	check(t, err)
	check(t, db.Close())
	check(t, os.WriteFile(path, append(after[:512:512], before[512:]...), 0o666))
	check(t, os.WriteFile(path+"-journal", journal, 0o666))
	check(t, readRow(t.Context(), openStoreAt(t, path, Options{})))
}

// TestSizeThatWasOld: another process has moved its log into the file, and taken
// it away, after the size or the header was looked at.
func TestSizeThatWasOld(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.db")
	s := openStoreAt(t, path, Options{PageSize: 512})
	check(t, appendRow(t.Context(), s, "first"))
	check(t, s.Close())
	data, err := os.ReadFile(path)
	check(t, err)
	size := int64(len(data))
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	check(t, err)
	defer f.Close()
	head := func(pages uint32) []byte {
		head := bytes.Clone(data[:headerSize])
		binary.BigEndian.PutUint32(head[28:], pages)
		return head
	}
	check(t, inspectSize(path, f, head(uint32(size/512)), 512))
	check(t, inspectSize(path, f, head(uint32(size/512)+100), size))
	check(t, f.Truncate(size-512))
	if err := inspectSize(path, f, head(uint32(size/512)), size); err != nil {
		t.Errorf("as it was before: %v", err)
	}
	if err := inspectSize(path, f, head(uint32(size/512)), size-512); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("of a file that is cut short: %v", err)
	}
}
