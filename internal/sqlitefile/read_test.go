package sqlitefile_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"columnvault/internal/sqlitefile"
	"columnvault/internal/vaulttest"
)

// pageSizes are all that SQLite has.
var pageSizes = []int{512, 1024, 2048, 4096, 8192, 16384, 32768, 65536}

// table is a database with one table of rows of all sizes.
func makeTable(t *testing.T, pageSize int, more ...string) (path string, rows [][]byte) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "table.db")
	db, err := sqlite3.Open(path)
	vaulttest.Must(t, err)
	defer func() { vaulttest.Must(t, db.Close()) }()
	vaulttest.ExecRaw(t, db, append([]string{fmt.Sprintf(`PRAGMA page_size = %d`, pageSize)}, more...)...)
	vaulttest.ExecRaw(t, db, `CREATE TABLE t (k INTEGER PRIMARY KEY, v BLOB NOT NULL, n INTEGER NOT NULL, x TEXT)`, `BEGIN`)
	random := rand.New(rand.NewPCG(1, uint64(pageSize)))
	st, _, err := db.Prepare(`INSERT INTO t (v, n, x) VALUES (?, ?, 'tail')`)
	vaulttest.Must(t, err)
	for i := range 400 {
		v := make([]byte, random.IntN(1<<random.IntN(15)))
		for k := range v {
			v[k] = byte(random.Uint32())
		}
		vaulttest.Must(t, st.BindBlob(1, v))
		vaulttest.Must(t, st.BindInt64(2, int64(i)<<(i%50)*int64(1-i%2*2)))
		vaulttest.Must(t, st.Exec())
		rows = append(rows, v)
	}
	vaulttest.Must(t, st.Close())
	vaulttest.ExecRaw(t, db, `COMMIT`)
	return path, rows
}

func openFile(t *testing.T, data, log []byte) *sqlitefile.File {
	t.Helper()
	f, err := sqlitefile.Open(source(data), source(log))
	vaulttest.Must(t, err)
	return f
}

func source(data []byte) sqlitefile.Source {
	return sqlitefile.Source{ReaderAt: bytes.NewReader(data), Size: int64(len(data))}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	vaulttest.Must(t, err)
	return data
}

// rootOf reads the schema and returns the root of a table.
func rootOf(t *testing.T, f *sqlitefile.File, name string) (root uint32) {
	t.Helper()
	for _, page := range f.Tree(1).Pages {
		f.Rows(page, func(r *sqlitefile.Row) bool {
			if text, _ := r.Text(1, 100); text == name {
				n, _ := r.Int(3)
				root = uint32(n)
			}
			return true
		})
	}
	return root
}

// read returns the rows of a tree by rowid, those that can be read whole.
func read(t *testing.T, f *sqlitefile.File, trees ...sqlitefile.Tree) map[int64][]byte {
	t.Helper()
	got := map[int64][]byte{}
	for _, tree := range trees {
		for _, page := range tree.Pages {
			f.Rows(page, func(r *sqlitefile.Row) bool {
				v, ok := r.Bytes(1, 1<<30)
				if !ok {
					return true
				}
				i := r.RowID - 1
				if n, ok := r.Int(2); !ok || n != i<<(i%50)*(1-i%2*2) {
					t.Errorf("row %d: the number after the BLOB is %d (%v)", r.RowID, n, ok)
				}
				if x, ok := r.Text(3, 10); x != "tail" {
					t.Errorf("row %d: the text at the end is %q (%v)", r.RowID, x, ok)
				}
				got[r.RowID] = v
				return true
			})
		}
	}
	return got
}

func wantRows(t *testing.T, got map[int64][]byte, rows [][]byte) {
	t.Helper()
	if len(got) != len(rows) {
		t.Errorf("%d rows, want %d", len(got), len(rows))
	}
	for i, want := range rows {
		if !bytes.Equal(got[int64(i+1)], want) {
			t.Fatalf("row %d differs", i+1)
		}
	}
}

// TestReadsWhatSQLiteWrites reads every page size, with and without a pointer
// map, from the file, from the log, and without the header.
func TestReadsWhatSQLiteWrites(t *testing.T) {
	for _, size := range pageSizes {
		for _, vacuum := range []string{`PRAGMA auto_vacuum = NONE`, `PRAGMA auto_vacuum = INCREMENTAL`} {
			t.Run(fmt.Sprint(size, vacuum[20:]), func(t *testing.T) {
				path, rows := makeTable(t, size, vacuum)
				data := readFile(t, path)
				f := openFile(t, data, nil)
				wantRows(t, read(t, f, f.Tree(rootOf(t, f, "t"))), rows)
				if c := f.Counts(); c != (sqlitefile.Counts{}) {
					t.Errorf("a sound file has %+v", c)
				}
				if left := f.Orphans(); len(left) > 0 {
					t.Errorf("a sound file has orphans: %+v", left)
				}
				clear(data[:100])
				f = openFile(t, data, nil)
				wantRows(t, read(t, f, f.Tree(rootOf(t, f, "t"))), rows)
				clear(data[:min(size, 4096)])
				f = openFile(t, data, nil)
				if f.PageSize() != size {
					t.Fatalf("without the first page, pages seem to have %d bytes, want %d", f.PageSize(), size)
				}
				wantRows(t, read(t, f, f.Orphans()...), rows)
			})
		}
	}
}
