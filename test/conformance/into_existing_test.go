package conformance_test

import (
	"path/filepath"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// foreign makes a database of another program.
func foreign(t *testing.T, statements ...string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "foreign.db")
	db, err := sqlite3.Open(path)
	vaulttest.Must(t, err)
	vaulttest.ExecRaw(t, db, append([]string{`CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)`,
		`INSERT INTO notes VALUES (1, 'mine')`}, statements...)...)
	vaulttest.Must(t, db.Close())
	return path
}

// TestAddToDatabase: a vault goes into the database of another program when
// that is asked for, and not otherwise.
func TestAddToDatabase(t *testing.T) {
	path := foreign(t)
	const all = `SELECT name FROM sqlite_schema`
	_, err := columnvault.Open(t.Context(), path, nil)
	vaulttest.WantErrText(t, "Open", err, columnvault.ErrNotVault, "another program")
	vaulttest.WantValues(t, "schema after a refusal", vaulttest.QuerySQL(t, path, all), []string{"notes"})
	vaulttest.WantValues(t, "journal after a refusal", vaulttest.QuerySQL(t, path, `PRAGMA journal_mode`), []string{"delete"})

	v, err := columnvault.Open(t.Context(), path, &columnvault.Options{AddToDatabase: true})
	vaulttest.Must(t, err)
	vaulttest.Create(t, v, "numbers", dtype.Int64, 1, 2, 3)
	vaulttest.WantSound(t, v)
	vaulttest.Must(t, v.Close())
	vaulttest.WantValues(t, "the table", vaulttest.QuerySQL(t, path, `SELECT id, text FROM notes`), []string{"1 mine"})
	vaulttest.WantValues(t, "journal", vaulttest.QuerySQL(t, path, `PRAGMA journal_mode`), []string{"wal"})

	v = vaulttest.OpenAt(t, path, nil) // a vault from now on
	vaulttest.WantNames(t, v, "numbers")
}

// TestAddToDatabaseClash: a name that the vault needs and that means something
// else is refused, and the file stays as it is.
func TestAddToDatabaseClash(t *testing.T) {
	for _, clash := range []string{
		`CREATE TABLE col_meta (id INTEGER PRIMARY KEY, color TEXT)`,
		`CREATE TABLE Col_Chunks (id INTEGER PRIMARY KEY)`,
		`CREATE TABLE columnvault_runs (id INTEGER PRIMARY KEY)`,
		`CREATE INDEX columnvault_chunks ON notes (text)`,
		`CREATE VIEW kohakuvault_meta AS SELECT id AS key, text AS value FROM notes`,
	} {
		path := foreign(t, clash)
		const all = `SELECT name FROM sqlite_schema`
		before := vaulttest.QuerySQL(t, path, all)
		for _, add := range []bool{false, true} {
			_, err := columnvault.Open(t.Context(), path, &columnvault.Options{AddToDatabase: add})
			vaulttest.WantErr(t, clash, err, columnvault.ErrNotVault)
		}
		vaulttest.WantValues(t, clash, vaulttest.QuerySQL(t, path, all), before)
		vaulttest.WantValues(t, clash, vaulttest.QuerySQL(t, path, `PRAGMA journal_mode`), []string{"delete"})
	}
}
