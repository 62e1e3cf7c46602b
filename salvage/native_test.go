package salvage_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
	"columnvault/salvage"
)

// compressions are those of native columns.
var compressions = []columnvault.Compression{columnvault.Uncompressed, columnvault.Zstd}

// buildNative is build with native columns. Each has several runs, if it is not
// very small.
func buildNative(t testing.TB, pageSize int, c columnvault.Compression) string {
	t.Helper()
	return buildWith(t, pageSize, columnvault.ColumnOptions{Layout: columnvault.Native, Compression: c})
}

// TestNativeColumns requires that native columns stay what they are, and that all
// of them is there.
func TestNativeColumns(t *testing.T) {
	for _, compression := range compressions {
		path := buildNative(t, 4096, compression)
		v := vaulttest.OpenAt(t, path, nil)
		col, err := v.Column(t.Context(), "text")
		must(t, err)
		must(t, col.Insert(t.Context(), 1500, "inserted", "")) // splits a run
		must(t, col.Append(t.Context(), "beside the last run"))
		_, err = v.KV().Delete(t.Context(), []byte("key 1"))
		must(t, err)
		col, err = v.Column(t.Context(), "i64")
		must(t, err)
		must(t, col.Delete(t.Context(), 0, 700))
		must(t, col.Append(t.Context(), int64(77)))
		want, err := v.Columns(t.Context())
		must(t, err)
		must(t, v.Close())
		r, target := save(t, path, salvage.Options{})
		if !r.Complete() {
			t.Errorf("not complete:\n%s", r)
		}
		if want, got := contentsOf(t, path, tables...), contentsOf(t, target, tables...); !reflect.DeepEqual(want, got) {
			t.Error("the new vault differs")
		}
		wantColumns(t, target, want)
	}
}

// TestOnePageOfNativeLost loses one page at a time of a file of native columns.
// What does not lie in it must be there, unless it has rows of runs or is a part of
// a frame.
func TestOnePageOfNativeLost(t *testing.T) {
	const pageSize = 4096
	for _, compression := range compressions {
		path := buildNative(t, pageSize, compression)
		original := contentsOf(t, path, tables...)
		data, err := os.ReadFile(path)
		must(t, err)
		elements, pairs := original.total()
		r := rand.New(rand.NewPCG(1, 2))
		pages, tried := choosePages(data, pageSize, 2*rounds(t), r)
		turns := map[string]int{}
		for _, p := range pages {
			kind := p.kind
			turns[kind]++
			how := []string{"zeros", "noise"}[turns[kind]%2]
			name := fmt.Sprintf("%v: page %d (%s) lost to %s", compression, p.number, kind, how)
			o := salvaged(t, original, p.without(data, pageSize, how, r), nil)
			if kind == "index leaf" || kind == "index inner" || kind == "overflow" && compression == columnvault.Zstd {
				kind = "leaf" // more than the page has may be missing, but nothing wrong
			}
			wantOnePageLost(t, name, kind, how, o, elements+pairs, pageSize)
		}
		if tried["leaf"] < 2 || tried["overflow"] < 2 {
			t.Errorf("the pages are %v", tried)
		}
	}
}

// frames makes a vault with a column of numbers and one of texts, which are
// compressed in runs of several frames, and these in several pages.
func frames(t *testing.T) (path string, original contents) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "frames.db")
	v := vaulttest.OpenAt(t, path, nil)
	r := rand.New(rand.NewPCG(3, 4))
	o := &columnvault.ColumnOptions{Layout: columnvault.Native, Compression: columnvault.Zstd, MaxChunk: 500_000}
	vaulttest.CreateWith(t, v, "n", dtype.Int64, o, vaulttest.Sequence(200_000, func(i int) int64 { return int64(i)*1e6 + r.Int64N(1<<22) })...)
	vaulttest.CreateWith(t, v, "text", dtype.String, o, vaulttest.Sequence(80_000, func(i int) string { return fmt.Sprint(i, " ", r.Uint32(), " ", i) })...)
	must(t, v.Close())
	return path, contentsOf(t, path)
}

// TestFrameLost loses a page in a frame: nothing is missing but its elements.
func TestFrameLost(t *testing.T) {
	path, original := frames(t)
	data, err := os.ReadFile(path)
	must(t, err)
	const pageSize = 8192
	lost := map[string]bool{}
	for at := 20; at*pageSize < len(data); at += 41 {
		damaged := bytes.Clone(data)
		spoil(damaged[at*pageSize:(at+1)*pageSize], "noise", rand.New(rand.NewPCG(1, uint64(at))))
		o := salvaged(t, original, damaged, nil)
		if o.changed > 0 || o.elements+o.lost != 280_000 {
			t.Errorf("page %d: %d elements, %d lost, %d changed:\n%s", at+1, o.elements, o.lost, o.changed, o.report)
		}
		for _, c := range o.report.Columns {
			if c.Lost() > 0 {
				lost[c.Name] = true
			}
			// A page has parts of two frames, or the beginning of a run.
			if c.Name == "n" && c.Lost() > 2*8192 && c.Lost() != 62_500 {
				t.Errorf("page %d: %v", at+1, c.Missing)
			}
		}
	}
	if !lost["n"] || !lost["text"] {
		t.Errorf("elements were lost of %v", lost)
	}
}

// TestRunsLost: bytes of runs that are lost leave a hole, and so do runs of which
// the row is lost.
func TestRunsLost(t *testing.T) {
	const of = `col_id = (SELECT col_id FROM columnvault_columns WHERE name = '%s') ORDER BY number LIMIT 1 OFFSET %d`
	for _, compression := range compressions {
		whole := contentsOf(t, buildNative(t, 4096, compression), tables...)
		for _, test := range []struct{ sql, name string }{
			{`DELETE FROM columnvault_bytes WHERE bytes_id = (SELECT bytes_id FROM columnvault_runs WHERE ` + of + `)`, "i64"},
			{`DELETE FROM columnvault_bytes WHERE bytes_id = (SELECT bytes_id FROM columnvault_runs WHERE ` + of + `)`, "text"},
			{`DELETE FROM columnvault_runs WHERE (col_id, number) IN (SELECT col_id, number FROM columnvault_runs WHERE ` + of + `)`, "i64"},
			{`UPDATE columnvault_runs SET meta = x'00' WHERE (col_id, number) IN (SELECT col_id, number FROM columnvault_runs WHERE ` + of + `)`, "text"},
			{`UPDATE columnvault_bytes SET data = substr(data, 1, 8) WHERE bytes_id = (SELECT bytes_id FROM columnvault_runs WHERE ` + of + `)`, "text"},
		} {
			path := buildNative(t, 4096, compression)
			statement := fmt.Sprintf(test.sql, test.name, 2)
			vaulttest.ExecSQL(t, path, statement)
			for _, holes := range []salvage.Holes{salvage.Fill, salvage.Drop} {
				r, target := save(t, path, salvage.Options{Holes: holes})
				c := columnOf(t, r, test.name)
				if c.Lost() == 0 || c.Lost() > 1000 || len(c.Missing) != 1 || c.Remark != "" {
					t.Errorf("%v, %s: %d missing\n%s", compression, statement, c.Lost(), r)
					continue
				}
				want := slices.Clone(whole.columns[test.name])
				gone := want[c.Missing[0].From:c.Missing[0].To]
				for k := range gone {
					gone[k] = make([]byte, map[string]int{"i64": 8}[test.name])
				}
				if holes == salvage.Drop {
					want = slices.Delete(want, int(c.Missing[0].From), int(c.Missing[0].To))
				}
				vaulttest.WantValues(t, statement, contentsOf(t, target).columns[test.name], want)
			}
		}
	}
}

// TestEndsOfZeros: where zeros stand for ends, elements are missing and none is
// empty or has the bytes of others.
func TestEndsOfZeros(t *testing.T) {
	path := buildNative(t, 4096, columnvault.Uncompressed)
	original := contentsOf(t, path, tables...)
	vaulttest.ExecSQL(t, path, `UPDATE columnvault_bytes SET data = CAST(substr(data, 1, length(data) - 100) || zeroblob(100) AS BLOB)
		WHERE bytes_id IN (SELECT bytes_id FROM columnvault_runs WHERE col_id = (SELECT col_id FROM columnvault_columns WHERE name = 'text'))`)
	data, err := os.ReadFile(path)
	must(t, err)
	o := salvaged(t, original, data, nil)
	c := columnOf(t, o.report, "text")
	if lost := c.Lost(); o.changed > 0 || lost < 25*int64(len(c.Missing)) || lost > 27*int64(len(c.Missing)) || len(c.Missing) < 5 {
		t.Errorf("%d changed:\n%s", o.changed, o.report)
	}
}

// TestRunsLostAnywhere: where nothing says for certain where elements are missing,
// the report says that, and all others are there.
func TestRunsLostAnywhere(t *testing.T) {
	whole := contentsOf(t, buildNative(t, 4096, columnvault.Zstd), tables...)
	const lose = `DELETE FROM columnvault_runs WHERE (col_id, number) IN (SELECT col_id, %s FROM columnvault_runs GROUP BY col_id HAVING count(*) > 2)`
	for _, which := range []string{"max(number)", "1 << 36"} {
		path := buildNative(t, 4096, columnvault.Zstd)
		vaulttest.ExecSQL(t, path, fmt.Sprintf(lose, which))
		r, target := save(t, path, salvage.Options{Holes: salvage.Drop})
		got := contentsOf(t, target).columns
		for _, name := range []string{"text", "any", "i64"} {
			c := columnOf(t, r, name)
			if sure := name == "i64" && which == "1 << 36"; (c.Remark == "") != sure {
				t.Errorf("%s: the remark is %q:\n%s", which, c.Remark, r)
			}
			all, k := whole.columns[name], 0
			for _, value := range got[name] {
				for k < len(all) && !bytes.Equal(all[k], value) {
					k++
				}
			}
			if k == len(all) || len(got[name]) < len(all)/2 || len(got[name]) == len(all) {
				t.Errorf("%s: %d elements of %s", which, len(got[name]), name)
			}
		}
		if columnOf(t, r, "recovered/runs").Read == 0 {
			t.Errorf("the bytes of the runs are not saved:\n%s", r)
		}
	}
}

// TestLiesOfNative: rows that say impossible things, or are not there.
func TestLiesOfNative(t *testing.T) {
	for k, test := range []struct {
		sql, column string
		read        int64
	}{
		{`DELETE FROM columnvault_columns WHERE name = 'i64'`, "recovered/native/1", 8},
		{`DELETE FROM columnvault_runs`, "recovered/runs", -1},
		{`DELETE FROM columnvault_runs`, "i64", 0},
		{`DELETE FROM columnvault_bytes`, "text", 0},
		{`UPDATE columnvault_columns SET length = 1 << 60`, "i64", 5000},
		{`UPDATE columnvault_columns SET length = 1 << 60`, "text", 3000},
		{`UPDATE columnvault_columns SET length = 0`, "text", 3000},
		{`UPDATE columnvault_columns SET length = -1`, "text", 3000},
		{`UPDATE columnvault_columns SET elem_size = 1 << 40`, "i64", 5000},
		{`UPDATE columnvault_columns SET elem_size = 0`, "i64", 5000},
		{`UPDATE columnvault_columns SET run_bytes = 1`, "text", 3000},
		{`UPDATE columnvault_columns SET dtype = 'later'`, "i64", 5000},
		{`UPDATE columnvault_columns SET name = '' WHERE name = 'i64'`, "", 5000},
		{`UPDATE columnvault_runs SET used = 1 << 60`, "i64", 0},
		{`UPDATE columnvault_runs SET used = used + 1`, "i64", -1},
		{`UPDATE columnvault_runs SET used = -1`, "i64", 0},
		{`UPDATE columnvault_runs SET capacity = 1 << 40`, "text", 0},
		{`UPDATE columnvault_runs SET capacity = 1 << 30`, "i64", -1},
		{`UPDATE columnvault_runs SET meta = x''`, "i64", 0},
		{`UPDATE columnvault_runs SET meta = CAST(randomblob(32) AS BLOB)`, "i64", 0},
		{`UPDATE columnvault_runs SET bytes_id = 1`, "i64", -1},
		{`UPDATE columnvault_runs SET number = number + (1 << 60)`, "text", -1},
		{`UPDATE columnvault_bytes SET data = x''`, "text", 0},
		{`UPDATE columnvault_bytes SET data = zeroblob(length(data))`, "i64", -1},
		{`UPDATE columnvault_bytes SET data = randomblob(length(data))`, "text", -1},
	} {
		compression := compressions[k%2]
		path := buildNative(t, 4096, compression)
		whole := contentsOf(t, path, tables...)
		vaulttest.ExecSQL(t, path, test.sql)
		r, target := save(t, path, salvage.Options{})
		if c := columnOf(t, r, test.column); test.read >= 0 && c.Read != test.read {
			t.Errorf("%v: %s: %d elements, want %d of:\n%s", compression, test.sql, c.Read, test.read, r)
		}
		info, err := os.Stat(target)
		must(t, err)
		if info.Size() > 100<<20 {
			t.Errorf("%v: %s: the new file has %d bytes", compression, test.sql, info.Size())
		}
		if got := contentsOf(t, target, tables...); !reflect.DeepEqual(got.tables, whole.tables) {
			t.Errorf("%v: %s: the pairs differ", compression, test.sql)
		}
	}
}
