package salvage_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
	"columnvault/salvage"
)

// largeChunks makes a vault with pages of 8 KiB and one chunk in each column, of
// these sizes, which are multiples of 8, and a column of texts. A chunk whose
// rest ends inside of a page has a size of 8188 times a number and some 450.
func largeChunks(t *testing.T, sizes ...int) (path string, original contents) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "whole.db")
	v := vaulttest.OpenAt(t, path, nil)
	for k, size := range sizes {
		vaulttest.CreateWith(t, v, fmt.Sprint("c", k), dtype.Int64, &columnvault.ColumnOptions{MinChunk: size, MaxChunk: size},
			vaulttest.Span(k*100_000, k*100_000+size/8)...)
	}
	vaulttest.Create(t, v, "text", dtype.String, vaulttest.Sequence(400, func(i int) string { return strings.Repeat(fmt.Sprint(i, " "), 100) })...)
	must(t, v.KV().Put(t.Context(), []byte("large"), vaulttest.Bytes(1, 100_000)))
	must(t, v.Close())
	return path, contentsOf(t, path, "kv")
}

// loseRows spoils all pages with rows of chunks.
func loseRows(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	lost := 0
	for _, page := range vaulttest.QuerySQL(t, path, `SELECT rootpage FROM sqlite_schema WHERE name = 'col_chunks'`) {
		n := 0
		fmt.Sscan(page, &n)
		root := data[(n-1)*8192 : n*8192]
		if root[0] == 13 {
			clear(root)
			lost++
			continue
		}
		cells := int(root[3])<<8 | int(root[4])
		children := []byte(root[8:12])
		for k := range cells {
			at := int(root[12+2*k])<<8 | int(root[13+2*k])
			children = append(children, root[at:at+4]...)
		}
		for child := range slices.Chunk(children, 4) {
			n := int(child[0])<<24 | int(child[1])<<16 | int(child[2])<<8 | int(child[3])
			clear(data[(n-1)*8192 : n*8192])
			lost++
		}
	}
	if lost == 0 {
		t.Fatal("there are no pages with rows of chunks")
	}
	return data
}

// TestLostRows loses every row of chunks. Of chunks that differ in size all is
// there but their first bytes.
func TestLostRows(t *testing.T) {
	var sizes []int
	for n := range 12 {
		sizes = append(sizes, 8188*(5+n)+452-(8188*(5+n)+452)%8)
	}
	path, original := largeChunks(t, sizes...)
	for _, mapped := range []bool{true, false} {
		if !mapped {
			vaulttest.ExecSQL(t, path, `PRAGMA journal_mode = DELETE`, `PRAGMA auto_vacuum = NONE`, `VACUUM`, `PRAGMA journal_mode = WAL`)
		}
		o := salvaged(t, original, loseRows(t, path), nil)
		if o.changed > 0 || o.report.Complete() {
			t.Errorf("with a map %t, %d elements have changed\n%s", mapped, o.changed, o.report)
		}
		for k, size := range sizes {
			c := columnOf(t, o.report, fmt.Sprint("c", k))
			if want := int64(1003/8 + 2); c.Lost() > want || len(c.Missing) != 1 || c.Missing[0].From != 0 || !strings.HasPrefix(c.Missing[0].Reason, "chunk 0 has lost its row") {
				t.Errorf("with a map %t, %d elements of a chunk of %d bytes are missing, want at most %d: %v", mapped, c.Lost(), size, want, c.Missing)
			}
		}
	}
}

// TestLostRowsThatAreAlike: chunks of the same size cannot be told apart, so
// their elements are missing, and their bytes are saved as they are. So are those
// of chunks whose beginning may have been longer.
func TestLostRowsThatAreAlike(t *testing.T) {
	alike := 8188*9 + 452 - (8188*9+452)%8
	full := 8188*14 - 3000 + (8188*14-3000)%8
	path, original := largeChunks(t, 8, alike, alike, full)
	data := loseRows(t, path)
	o := salvaged(t, original, data, nil)
	if o.changed > 0 {
		t.Errorf("%d elements have changed\n%s", o.changed, o.report)
	}
	for _, name := range []string{"c1", "c2", "c3"} {
		c := columnOf(t, o.report, name)
		if want := []salvage.Range{{From: 0, To: c.Expected, Reason: "chunk 0 is missing"}}; !slices.Equal(c.Missing, want) {
			t.Errorf("column %s: %v, want %v", name, c.Missing, want)
		}
	}
	damaged := filepath.Join(t.TempDir(), "damaged.db")
	must(t, os.WriteFile(damaged, data, 0o666))
	r, target := save(t, damaged, salvage.Options{})
	if c := columnOf(t, r, "recovered/chains"); c.Expected < 3 || c.Lost() > 0 {
		t.Errorf("the chains: %+v", c)
	}
	rests := contentsOf(t, target).columns["recovered/chains"]
	for _, name := range []string{"c1", "c2", "c3"} {
		all := bytes.Join(original.columns[name], nil)
		end := all[len(all)-20_000:]
		if !slices.ContainsFunc(rests, func(rest []byte) bool { return bytes.Contains(rest, end) }) {
			t.Errorf("the end of column %s was not saved", name)
		}
	}
	for _, want := range []string{"is the end of one of chunk 0 of column 2, chunk 0 of column 3", "is the end of chunk 0 of column 4"} {
		if !strings.Contains(r.String(), want) {
			t.Errorf("the report does not say that an element %s:\n%s", want, r)
		}
	}
}

// TestLostRowsWithoutAnIndex: where the indexes over the chunks are damaged too,
// there may be chunks of which nobody knows.
func TestLostRowsWithoutAnIndex(t *testing.T) {
	path, original := largeChunks(t, 8188*9+452-(8188*9+452)%8, 8188*12+452-(8188*12+452)%8)
	data := loseRows(t, path)
	for _, page := range vaulttest.QuerySQL(t, path, `SELECT rootpage FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'col_chunks'`) {
		n := 0
		fmt.Sscan(page, &n)
		clear(data[(n-1)*8192 : n*8192])
	}
	o := salvaged(t, original, data, nil)
	for _, name := range []string{"c0", "c1"} {
		if c := columnOf(t, o.report, name); c.Read > 0 {
			t.Errorf("%d elements of column %s were read", c.Read, name)
		}
	}
}
