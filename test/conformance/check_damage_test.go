package conformance_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// smallVault makes a vault of pages of 512 bytes in which every index has an
// entry or two of its own pages, and returns its bytes.
func smallVault(t *testing.T) (path string, data []byte) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "vault.db")
	v, err := columnvault.Open(t.Context(), path, &columnvault.Options{PageSize: 512})
	vaulttest.Must(t, err)
	for i := range 3 {
		vaulttest.CreateWith(t, v, fmt.Sprint("numbers ", i), dtype.Int64, vaulttest.Chunks(64, 64), vaulttest.Sequence(60, func(i int) int64 { return int64(i) })...)
	}
	for i := range 30 {
		vaulttest.Put(t, v.KV(), fmt.Sprint("a key of some length ", i), "value")
	}
	vaulttest.Must(t, v.Close())
	data, err = os.ReadFile(path)
	vaulttest.Must(t, err)
	return path, data
}

// damageOf is the damage that Check finds, or that which keeps the vault from
// being read at all.
func damageOf(t *testing.T, path string) (damage []string) {
	t.Helper()
	v, err := columnvault.Open(t.Context(), path, &columnvault.Options{ReadOnly: true})
	if errors.Is(err, columnvault.ErrCorrupt) || errors.Is(err, columnvault.ErrNotVault) {
		return []string{err.Error()}
	}
	vaulttest.Must(t, err)
	defer v.Close()
	for _, f := range vaulttest.Found(t, v, columnvault.CheckOptions{}) {
		if f.Severity == columnvault.SeverityDamage {
			damage = append(damage, f.Text)
		}
	}
	return damage
}

// intact tells whether SQLite's own check finds nothing.
func intact(t *testing.T, path string) (ok bool) {
	t.Helper()
	vaulttest.WithSQL(t, path, func(db *sqlite3.Conn) {
		st, _, err := db.Prepare(`PRAGMA integrity_check(1)`)
		if err != nil {
			return
		}
		defer st.Close()
		ok = st.Step() && st.ColumnText(0) == "ok"
	})
	return ok
}

// TestCheckFindsFlippedBits flips bits in every index of a vault, one at a
// time. Check must not call a file sound of which SQLite says that it is not.
func TestCheckFindsFlippedBits(t *testing.T) {
	path, data := smallVault(t)
	flips, harmless := 0, 0
	for _, root := range vaulttest.QuerySQL(t, path, `SELECT rootpage FROM sqlite_schema WHERE type = 'index'`) {
		page, err := strconv.Atoi(root)
		vaulttest.Must(t, err)
		for i := 0; i < 512; i += 5 {
			if data[(page-1)*512+i] == 0 {
				continue // most likely the free space of the page
			}
			damaged := slices.Clone(data)
			damaged[(page-1)*512+i] ^= 1 << (i % 8)
			vaulttest.Must(t, os.WriteFile(path, damaged, 0o600))
			flips++
			if intact(t, path) {
				harmless++
			} else if len(damageOf(t, path)) == 0 {
				t.Errorf("a flipped bit in byte %d of page %d: check says sound", i, page)
			}
		}
	}
	if harmless > flips/2 {
		t.Errorf("%d of %d flipped bits change nothing that SQLite looks at", harmless, flips)
	}
}

// TestCheckComparesIndexes: a chunk that the index does not have is one that
// reads do not find, and one that only the index has cannot be read.
func TestCheckComparesIndexes(t *testing.T) {
	const (
		allow   = `PRAGMA writable_schema = ON`
		forget  = `DELETE FROM sqlite_schema WHERE name = 'columnvault_chunks'`
		columns = `col_id, chunk_idx, data, actual_size, bytes_used`
	)
	for _, test := range []struct {
		with, without []string // what happens while SQLite knows of the index, and while it does not
		text          string
	}{
		{
			[]string{`CREATE TABLE kept AS SELECT rowid AS id, * FROM col_chunks WHERE chunk_idx = 3`, `DELETE FROM col_chunks WHERE chunk_idx = 3`},
			[]string{`INSERT INTO col_chunks (rowid, ` + columns + `) SELECT id, ` + columns + ` FROM kept`, `DROP TABLE kept`},
			"missing from index columnvault_chunks: 3",
		}, {
			[]string{`INSERT INTO col_chunks (` + columns + `) VALUES (1, 9, zeroblob(64), 64, 0)`},
			[]string{`DELETE FROM col_chunks WHERE chunk_idx = 9`},
			"wrong # of entries in index columnvault_chunks",
		},
	} {
		path, _ := smallVault(t)
		remember := vaulttest.QuerySQL(t, path, `SELECT format('INSERT INTO sqlite_schema VALUES (%Q, %Q, %Q, %d, %Q)', type, name, tbl_name, rootpage, sql)
			FROM sqlite_schema WHERE name = 'columnvault_chunks'`)[0]
		vaulttest.ExecSQL(t, path, slices.Concat(test.with, []string{allow, forget})...)
		vaulttest.ExecSQL(t, path, slices.Concat(test.without, []string{allow, remember})...)
		if found := strings.Join(damageOf(t, path), "\n"); !strings.Contains(found, test.text) {
			t.Errorf("check does not say %q but %q", test.text, found)
		}
	}
}

// TestCheckReportsTriggers: what other programs run is said, and is no damage.
func TestCheckReportsTriggers(t *testing.T) {
	v := damaged(t, func(v *columnvault.Vault) { vaulttest.Put(t, v.KV(), "key", "value") },
		`CREATE TRIGGER surprise AFTER INSERT ON kv BEGIN DELETE FROM col_meta; END`)
	wantFinding(t, v, columnvault.SeverityHazard, `a trigger "surprise" on the table "kv"`)
}
