package crash

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"math/bits"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"columnvault"
	"columnvault/internal/vaulttest"
)

// specimen is a sound vault, of which copies are damaged in many ways.
type specimen struct {
	main, log []byte
	contents  string
	columns   []string
	parts     map[string]string
	// rows are what plain SQLite reads of it; see readRows.
	rows map[string]string
}

func newSpecimen(t *testing.T, path string) *specimen {
	t.Helper()
	s := &specimen{}
	var err error
	s.main, err = os.ReadFile(path)
	vaulttest.Must(t, err)
	if log, err := os.ReadFile(path + "-wal"); err == nil {
		s.log = log
	}
	v := vaulttest.OpenAt(t, copyVault(t, path, t.TempDir()), nil)
	s.contents = wantContents(t, v)
	infos, err := v.Columns(t.Context())
	vaulttest.Must(t, err)
	for _, info := range infos {
		s.columns = append(s.columns, info.Name)
	}
	s.parts, _, err = s.read(t.Context(), v)
	vaulttest.Must(t, err)
	s.rows, err = readRows(copyVault(t, path, t.TempDir()))
	vaulttest.Must(t, err)
	return s
}

// read reads the columns and tables of a vault, each by itself.
func (s *specimen) read(ctx context.Context, v *columnvault.Vault) (parts map[string]string, failed map[string]error, err error) {
	err = v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		parts, failed = vaulttest.Parts(ctx, v, tx, s.columns, tables)
		return nil
	})
	return parts, failed, err
}

// structured tells whether a page is one of a B-tree, or has the header of the
// file: all others are data of large rows, and the map of what pages are.
func (s *specimen) structured(page int) bool {
	kind := s.main[page*damagePage]
	return page == 0 || kind == 2 || kind == 5 || kind == 10 || kind == 13
}

// write writes a damaged vault into a new folder.
func (s *specimen) write(t *testing.T, main, log []byte) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "test.db")
	vaulttest.Must(t, os.WriteFile(path, main, 0o666))
	if log != nil {
		vaulttest.Must(t, os.WriteFile(path+"-wal", log, 0o666))
	}
	return path
}

// examine reads a damaged vault and counts what comes of it. It returns whether
// that is as it should be.
func (s *specimen) examine(t *testing.T, what string, main, log []byte) bool {
	t.Helper()
	path := s.write(t, main, log)
	defer os.RemoveAll(filepath.Dir(path))
	outcome, err := s.outcome(t.Context(), path)
	count(partDamage, what+": "+outcome, 1)
	if err != nil {
		t.Errorf("%s: %s: %v", what, outcome, err)
	}
	return err == nil
}

// outcome says what comes of reading a damaged vault, and whether that is
// wrong.
func (s *specimen) outcome(ctx context.Context, path string) (outcome string, err error) {
	v, err := columnvault.Open(ctx, path, nil)
	if err != nil {
		return "refused when it is opened", nil
	}
	defer v.Close()
	parts, failed, err := s.read(ctx, v)
	var wrong []string
	for name, want := range s.parts {
		if failed[name] == nil && parts[name] != want {
			wrong = append(wrong, name)
		}
	}
	found, e := vaulttest.Findings(ctx, v, columnvault.CheckOptions{Full: true})
	finding := e != nil || len(found) > 0
	switch {
	case err != nil:
		return "nothing can be read, and an error says so", nil
	case len(wrong) == 0 && len(failed) > 0:
		return "reads that give an error, or the right value", nil
	case len(wrong) == 0 && finding:
		return "all values right, and a finding", nil
	case len(wrong) == 0:
		return "all values right, and no finding", nil
	case finding:
		return "a wrong value, and a finding", nil
	}
	rows, err := readRows(path)
	if err != nil {
		return "a wrong value and no finding", fmt.Errorf("%q are wrong, and SQLite says %w", wrong, err)
	}
	where, explained := s.difference(rows)
	if !explained {
		return "a wrong value and no finding", fmt.Errorf("%q are wrong: %s", wrong, where)
	}
	return "a wrong value and no finding, because what was hit is said nowhere else: " + where, nil
}

// readRows reads the tables of a vault with plain SQLite: the values, in hex, by
// table, row and column.
func readRows(path string) (rows map[string]string, err error) {
	db, err := sqlite3.Open(path)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	rows = map[string]string{}
	for _, table := range append([]string{"col_meta", "col_chunks", "columnvault_columns", "columnvault_runs", "columnvault_bytes"}, tables...) {
		key := "rowid"
		if table == "columnvault_runs" {
			key = "bytes_id"
		}
		st, _, err := db.Prepare(`SELECT ` + key + `, * FROM ` + table)
		if err != nil {
			if strings.Contains(err.Error(), "no such table") {
				continue
			}
			return nil, err
		}
		for st.Step() {
			for i := range st.ColumnCount() {
				value := st.ColumnRawBlob(i)
				if st.ColumnType(i) == sqlite3.INTEGER {
					value = binary.BigEndian.AppendUint64(nil, uint64(st.ColumnInt64(i)))
				}
				rows[fmt.Sprintf("%s %d %s", table, st.ColumnInt64(0), st.ColumnName(i))] = hex.EncodeToString(value)
			}
		}
		if err := st.Close(); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// difference says in which value of which table a vault differs from the sound
// one. That is explained if it is one value alone, and one bit of it.
func (s *specimen) difference(rows map[string]string) (where string, explained bool) {
	var cells []string
	for cell := range maps.Keys(s.rows) {
		if rows[cell] != s.rows[cell] {
			cells = append(cells, cell)
		}
	}
	if len(cells) != 1 || len(rows) != len(s.rows) {
		return fmt.Sprintf("%d values differ, %q among them", len(cells), cells[:min(5, len(cells))]), false
	}
	table, rest, _ := strings.Cut(cells[0], " ")
	row, column, _ := strings.Cut(rest, " ")
	switch {
	case strings.HasPrefix(table, "columnvault_"):
		where = table + "." + column
	case table != "col_meta" && table != "col_chunks":
		where = "the " + column + " of a pair"
	case column != "data":
		where = table + "." + column
	default:
		where = "the bytes of elements"
		id := s.rows["col_chunks "+row+" col_id"]
		for cell, value := range s.rows {
			if owner, ok := strings.CutSuffix(cell, " col_id"); ok && strings.HasPrefix(cell, "col_meta ") && value == id {
				if name, _ := hex.DecodeString(s.rows[owner+" name"]); strings.HasSuffix(string(name), "_idx") {
					where = "the entries of an index"
				}
			}
		}
	}
	before, _ := hex.DecodeString(s.rows[cells[0]])
	after, _ := hex.DecodeString(rows[cells[0]])
	if len(before) != len(after) {
		// A row has a header with the sizes of its values, which SQLite does
		// not compare with the size of the row.
		return where + ", of which the end is missing", column == "value" && bytes.HasPrefix(before, after)
	}
	changed := 0
	for i := range before {
		changed += bits.OnesCount8(before[i] ^ after[i])
	}
	if changed != 1 {
		return fmt.Sprintf("%s, %x instead of %x", where, after, before), false
	}
	return where, true
}
