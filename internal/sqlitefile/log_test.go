package sqlitefile_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"columnvault/internal/sqlitefile"
	"columnvault/internal/vaulttest"
)

// TestLogAsSQLiteReadsIt cuts a log everywhere, and changes bytes of it, and
// compares with the rows that SQLite then has.
func TestLogAsSQLiteReadsIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.db")
	vaulttest.Must(t, os.WriteFile(path, nil, 0o666))
	db := vaulttest.RawConn(t, path)
	vaulttest.ExecRaw(t, db, `PRAGMA page_size = 1024`, `PRAGMA journal_mode = WAL`, `PRAGMA wal_autocheckpoint = 0`,
		`CREATE TABLE t (k INTEGER PRIMARY KEY, v BLOB NOT NULL)`, `PRAGMA wal_checkpoint(TRUNCATE)`)
	for k := range 12 {
		vaulttest.ExecRaw(t, db, fmt.Sprintf(`INSERT INTO t (v) VALUES (zeroblob(%d))`, 100*k))
	}
	data, log := readFile(t, path), readFile(t, path+"-wal")
	check := func(what string, log []byte) {
		t.Helper()
		f := openFile(t, data, log)
		n := 0
		for _, page := range f.Tree(rootOf(t, f, "t")).Pages {
			f.Rows(page, func(*sqlitefile.Row) bool { n++; return true })
		}
		copied := filepath.Join(t.TempDir(), "copy.db")
		vaulttest.Must(t, os.WriteFile(copied, data, 0o666))
		vaulttest.Must(t, os.WriteFile(copied+"-wal", log, 0o666))
		if want := vaulttest.QuerySQL(t, copied, `SELECT count(*) FROM t`)[0]; fmt.Sprint(n) != want {
			t.Errorf("%s: %d rows, and SQLite has %s", what, n, want)
		}
	}
	check("whole", log)
	for cut := 0; cut < len(log); cut += 524 {
		check(fmt.Sprint("cut at ", cut), log[:cut])
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		changed := bytes.Clone(log)
		at := r.IntN(len(log))
		if r.IntN(2) == 0 {
			at = r.IntN(len(log)/1048)*1048 + 32 + r.IntN(24) // in the head of a frame
		}
		changed[at] ^= 1 << r.IntN(8)
		check(fmt.Sprint("a bit of byte ", at), changed)
	}
}
