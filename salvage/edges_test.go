package salvage_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
	"columnvault/salvage"
)

// changed is a vault that statements have changed behind the library's back.
func changed(t *testing.T, statements ...string) string {
	t.Helper()
	path := build(t, 4096)
	vaulttest.ExecSQL(t, path, append([]string{`PRAGMA foreign_keys = off`}, statements...)...)
	return path
}

func columnOf(t *testing.T, r *salvage.Report, name string) salvage.Column {
	t.Helper()
	for _, c := range r.Columns {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("the report has no column %q:\n%s", name, r)
	return salvage.Column{}
}

func TestDropHoles(t *testing.T) {
	path := changed(t, `DELETE FROM col_chunks WHERE chunk_idx = 3 AND col_id = (SELECT col_id FROM col_meta WHERE name = 'i64')`,
		`DELETE FROM col_chunks WHERE chunk_idx = 128 AND col_id = (SELECT col_id FROM col_meta WHERE name = 'text_data')`)
	whole := contentsOf(t, build(t, 4096), tables...)
	filled, target := save(t, path, salvage.Options{})
	c := columnOf(t, filled, "i64")
	if want := []salvage.Range{{From: 1875, To: 2500, Reason: "chunk 3 is missing"}}; !slices.Equal(c.Missing, want) || c.Filled != 625 {
		t.Errorf("missing %v, want %v", c.Missing, want)
	}
	got := contentsOf(t, target, tables...)
	want := slices.Clone(whole.columns["i64"])
	for i := 1875; i < 2500; i++ {
		want[i] = make([]byte, 8)
	}
	vaulttest.WantValues(t, "filled", got.columns["i64"], want)

	dropped, target := save(t, path, salvage.Options{Holes: salvage.Drop})
	got = contentsOf(t, target, tables...)
	for _, name := range []string{"i64", "text"} {
		c := columnOf(t, dropped, name)
		if c.Filled != 0 || c.Lost() == 0 || dropped.Complete() {
			t.Errorf("%+v", c)
		}
		var want [][]byte
		for i, value := range whole.columns[name] {
			if !slices.ContainsFunc(c.Missing, func(r salvage.Range) bool { return r.From <= int64(i) && int64(i) < r.To }) {
				want = append(want, value)
			}
		}
		vaulttest.WantValues(t, name, got.columns[name], want)
	}
}

// TestLostRowsOfTheCatalog saves the bytes of columns of which a row is lost.
func TestLostRowsOfTheCatalog(t *testing.T) {
	whole := contentsOf(t, build(t, 4096), tables...)
	back := func(elements [][]byte) []byte { return bytes.Join(elements, nil) }
	for _, c := range []struct {
		statement, name, want string
		prefix                bool
	}{
		{`DELETE FROM col_meta WHERE name = 'i64'`, "recovered/1", "i64", true},
		{`DELETE FROM col_meta WHERE name = 'text_idx'`, "text (data)", "text", false},
		{`DELETE FROM col_chunks WHERE col_id = (SELECT col_id FROM col_meta WHERE name = 'text_idx')`, "text (data)", "text", false},
		{`DELETE FROM col_meta WHERE name = 'text_data'`, "text", "text", false},
	} {
		r, target := save(t, changed(t, c.statement), salvage.Options{})
		if r.Complete() {
			t.Errorf("%s: all is well", c.statement)
		}
		got := back(contentsOf(t, target).columns[c.name])
		if want := back(whole.columns[c.want]); !bytes.HasPrefix(got, want) || !c.prefix && len(got) > len(want)+10_000 {
			t.Errorf("%s: the %d bytes of %q are not those of %q:\n%s", c.statement, len(got), c.name, c.want, r)
		}
	}
}

// TestLiesOfTheCatalog: what the catalog says wrongly costs no more than the
// file is worth, and what is beside it is saved.
func TestLiesOfTheCatalog(t *testing.T) {
	whole := contentsOf(t, build(t, 4096), tables...)
	for _, lie := range []string{
		`UPDATE col_meta SET length = 1 << 60`,
		`UPDATE col_meta SET length = -5 WHERE name = 'large'`,
		`UPDATE col_meta SET length = 'many' WHERE name = 'large'`,
		`UPDATE col_meta SET max_chunk_bytes = 0`,
		`UPDATE col_meta SET max_chunk_bytes = 9223372036854775807`,
		`UPDATE col_meta SET elem_size = 0`,
		`UPDATE col_meta SET elem_size = 3 WHERE name = 'large'`,
		`UPDATE col_meta SET min_chunk_bytes = -1`,
		`UPDATE col_meta SET name = '' WHERE name = 'large'`,
		`UPDATE col_meta SET name = 'text_idx/' || name`,
		`UPDATE col_meta SET dtype = 'i128' WHERE name = 'large'`,
		`UPDATE col_meta SET dtype = 'zstd:str' WHERE name = 'text_data'`,
		`UPDATE col_chunks SET chunk_idx = chunk_idx + (1 << 45) WHERE chunk_idx > 0`,
		`UPDATE col_chunks SET chunk_idx = -1 WHERE col_id = 1 AND chunk_idx = 3`,
		`UPDATE col_chunks SET data = CAST(data AS TEXT)`,
		`UPDATE col_chunks SET data = x''`,
		`UPDATE col_chunks SET actual_size = 1 << 50, bytes_used = 1 << 50`,
		`UPDATE col_chunks SET data = randomblob(length(data)) WHERE col_id = (SELECT col_id FROM col_meta WHERE name = 'text_idx')`,
		`INSERT INTO col_meta (name, dtype, elem_size, length, chunk_bytes, max_chunk_bytes)
			WITH RECURSIVE k(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE n < 300)
			SELECT 'lie ' || n, 'i64', 8, 4000000 + n, 64, 8000 FROM k`,
	} {
		path := changed(t, lie)
		r, target := save(t, path, salvage.Options{})
		info, err := os.Stat(target)
		must(t, err)
		if info.Size() > 100<<20 {
			t.Errorf("%s: the new file has %d bytes", lie, info.Size())
		}
		got := contentsOf(t, target, tables...)
		if !reflect.DeepEqual(got.tables, whole.tables) {
			t.Errorf("%s: the pairs differ", lie)
		}
		if strings.Contains(lie, "'large'") {
			name := "large"
			if c := columnOf(t, r, map[bool]string{true: "", false: "large"}[strings.Contains(lie, "name = ''")]); c.Saved != "" {
				name = c.Saved
			}
			vaulttest.WantValues(t, lie, got.columns[name][:20_000], whole.columns["large"])
			if n := len(got.columns["text"]); n != 3000 {
				t.Errorf("%s: column text has %d elements", lie, n)
			}
		}
		v, err := columnvault.Open(t.Context(), target, nil)
		must(t, err)
		// What lies have put in the wrong place need not decode.
		for _, f := range vaulttest.Found(t, v, columnvault.CheckOptions{}) {
			t.Errorf("%s: check: %s", lie, f.Text)
		}
		must(t, v.Close())
	}
}

// TestEntriesThatShare: entries of which many say the same bytes do not fill the
// disk.
func TestEntriesThatShare(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shared.db")
	v, err := columnvault.Open(t.Context(), path, nil)
	must(t, err)
	c := vaulttest.CreateWith(t, v, "b", dtype.Bytes, nil, vaulttest.Blobs(1, 300_000)...)
	must(t, c.Append(t.Context(), make([][]byte, 20_000)...))
	must(t, v.Close())
	entry := binary.LittleEndian.AppendUint32(make([]byte, 8), 300_000)
	vaulttest.ExecSQL(t, path, fmt.Sprintf(`UPDATE col_chunks SET data = CAST(replace(hex(zeroblob(20001)), '00', '%x') AS BLOB)
		WHERE col_id = (SELECT col_id FROM col_meta WHERE name = 'b_idx')`, entry))
	vaulttest.ExecSQL(t, path, fmt.Sprintf(`UPDATE col_chunks SET data = x'%x' WHERE col_id = (SELECT col_id FROM col_meta WHERE name = 'b_idx')`, bytes.Repeat(entry, 20_001)))
	r, target := save(t, path, salvage.Options{})
	info, err := os.Stat(target)
	must(t, err)
	if info.Size() > 150<<20 || columnOf(t, r, "b").Lost() < 19_000 {
		t.Errorf("the new file has %d bytes:\n%s", info.Size(), r)
	}
}

// TestPlaceOfAChunk: a chunk whose own row says another number goes where the
// indexes say.
func TestPlaceOfAChunk(t *testing.T) {
	path := build(t, 4096)
	whole := contentsOf(t, path, tables...)
	data, err := os.ReadFile(path)
	must(t, err)
	first := binary.LittleEndian.AppendUint64([]byte{3}, 1_001_875) // chunk 3, and its first element
	if !bytes.Contains(data, first) {
		t.Fatal("the row of the chunk was not found")
	}
	data = bytes.ReplaceAll(data, first, append([]byte{4}, first[1:]...)) // also in pages that are free
	must(t, os.WriteFile(path, data, 0o666))
	r, target := save(t, path, salvage.Options{})
	if got := contentsOf(t, target, tables...); !reflect.DeepEqual(got, whole) {
		t.Errorf("the contents differ:\n%s", r)
	}
	if !strings.Contains(r.String(), "note: a chunk says that it is chunk 4 of column 1, and the index that it is chunk 3") {
		t.Errorf("there is no note:\n%s", r)
	}
}

// TestLargeValues: values that are not in memory as a whole, and one that is cut
// short, of which the key is reported.
func TestLargeValues(t *testing.T) {
	path := filepath.Join(t.TempDir(), "large.db")
	v, err := columnvault.Open(t.Context(), path, nil)
	must(t, err)
	vaulttest.Create(t, v, "b", dtype.Bytes, vaulttest.Blobs(3, 5<<20)...)
	for _, key := range []string{"a", "b", "c"} {
		must(t, v.KV().Put(t.Context(), []byte(key), bytes.Repeat([]byte(key), 3<<20)))
	}
	must(t, v.Close())
	whole := contentsOf(t, path, "kv")
	r, target := save(t, path, salvage.Options{})
	if !r.Complete() || !reflect.DeepEqual(contentsOf(t, target, "kv"), whole) {
		t.Errorf("the contents differ:\n%s", r)
	}
	data, err := os.ReadFile(path)
	must(t, err)
	at := bytes.Index(data, bytes.Repeat([]byte("b"), 8<<10-4)) / (8 << 10) * (8 << 10)
	clear(data[at : at+8<<10])
	must(t, os.WriteFile(path, data, 0o666))
	r, target = save(t, path, salvage.Options{})
	if len(r.Tables) != 1 || r.Tables[0].Lost != 1 || len(r.Tables[0].LostKeys) != 1 || string(r.Tables[0].LostKeys[0]) != "b" {
		t.Errorf("want the key b:\n%s", r)
	}
	delete(whole.tables["kv"], "b")
	if !reflect.DeepEqual(contentsOf(t, target, "kv"), whole) {
		t.Errorf("the contents differ:\n%s", r)
	}
}

// TestWhatElseIsThere: rows of kohakuvault_meta are saved, and tables that are
// not those of a vault are named.
func TestWhatElseIsThere(t *testing.T) {
	path := changed(t, `INSERT INTO kohakuvault_meta VALUES ('kv_features', 'headers_v1'), ('schema_version', '7') ON CONFLICT DO NOTHING`,
		`CREATE TABLE foreigner (a, b)`, `INSERT INTO foreigner VALUES (1, zeroblob(100000))`, `CREATE VIEW looks AS SELECT 1`)
	r, target := save(t, path, salvage.Options{})
	if want := []string{"foreigner"}; !slices.Equal(r.NotRead, want) || r.Complete() {
		t.Errorf("not read: %q, want %q", r.NotRead, want)
	}
	if r.Pages.Unattributed > 0 {
		t.Errorf("pages: %+v", r.Pages)
	}
	rows := vaulttest.QuerySQL(t, target, `SELECT key, value FROM kohakuvault_meta ORDER BY key`)
	if want := []string{"kv_features headers_v1", "schema_version 2"}; !slices.Equal(rows, want) {
		t.Errorf("kohakuvault_meta has %q, want %q", rows, want)
	}
	path = vaulttest.CopyGolden(t, "v1", "with_kv.db")
	vaulttest.ExecSQL(t, path, `UPDATE kvault_col_format SET version = 2`)
	later, target := save(t, path, salvage.Options{})
	if !slices.Contains(later.NotRead, "kvault_col_columns") || len(contentsOf(t, target, "kv").tables["kv"]) == 0 {
		t.Errorf("of a file with another version of layout 1:\n%s", later)
	}
}

// TestFilesWithoutAMap: without auto_vacuum a file has no pointer map, as those
// of KohakuVault. A lost page ends its chain; all else is as with a map.
func TestFilesWithoutAMap(t *testing.T) {
	path := build(t, 4096)
	vaulttest.ExecSQL(t, path, `PRAGMA journal_mode = DELETE`, `PRAGMA auto_vacuum = NONE`, `VACUUM`, `PRAGMA journal_mode = WAL`)
	original := contentsOf(t, path, tables...)
	data, err := os.ReadFile(path)
	must(t, err)
	elements, pairs := original.total()
	inner := 0
	for at := 0; at < len(data); at += 4096 {
		damaged := bytes.Clone(data)
		start := at
		if at == 0 {
			start = 100
		}
		kind := data[start]
		clear(damaged[at : at+4096])
		if kind != 2 && kind != 5 && at != 0 {
			continue
		}
		inner++
		o := salvaged(t, original, damaged, nil)
		if o.elements != elements || o.pairs != pairs {
			t.Errorf("page %d (%d): %d of %d elements, %d of %d pairs\n%s", at/4096+1, kind, o.elements, elements, o.pairs, pairs, o.report)
		}
	}
	if inner < 4 {
		t.Errorf("only %d pages lead to others", inner)
	}
	// A page in the middle of a chain.
	damaged := bytes.Clone(data)
	middle := bytes.Index(data, binary.LittleEndian.AppendUint64(nil, math.Float64bits(math.Sqrt(5000)))) / 4096 * 4096
	clear(damaged[middle : middle+4096])
	o := salvaged(t, original, damaged, nil)
	c := columnOf(t, o.report, "large")
	if len(c.Missing) != 2 || c.Missing[1].To != 12_500 || o.changed > 0 || o.elements+int(c.Lost()) != elements {
		t.Errorf("%d changed:\n%s", o.changed, o.report)
	}
}

func TestUTF16(t *testing.T) {
	for _, encoding := range []string{"UTF-16le", "UTF-16be"} {
		path := filepath.Join(t.TempDir(), "wide.db")
		must(t, os.WriteFile(path, nil, 0o666))
		vaulttest.ExecSQL(t, path, `PRAGMA encoding = "`+encoding+`"`, `CREATE TABLE kv (key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL)`)
		v, err := columnvault.Open(t.Context(), path, nil)
		must(t, err)
		vaulttest.Create(t, v, "größe", dtype.Int64, vaulttest.Span(0, 10)...)
		vaulttest.Put(t, v.KV(), "key", "value")
		must(t, v.Close())
		r, target := save(t, path, salvage.Options{})
		if !r.Complete() || !reflect.DeepEqual(contentsOf(t, target, "kv"), contentsOf(t, path, "kv")) {
			t.Errorf("%s: the contents differ:\n%s", encoding, r)
		}
	}
}
