package btree

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/ncruces/go-sqlite3"
)

// fieldRows is how many rows TestField has, at these rowids.
const fieldRows = 300

func fieldRow(i int) int64 { return int64(i)*int64(i)*7 - 1000 }

// fieldBytes are those of a row: few, or up to some MB.
func fieldBytes(r *rand.Rand) []byte {
	data := make([]byte, r.IntN(1<<(4+r.IntN(18))))
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	return data
}

// makeFields makes a database of rows, in part where others were before, and returns
// its path, the root of the table, and what is in its rows.
func makeFields(t testing.TB, pageSize int) (path string, root int64, want map[int64][]byte) {
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	path = filepath.Join(t.TempDir(), "fields.db")
	db, err := sqlite3.Open(path)
	check(err)
	check(db.Exec(fmt.Sprintf(`PRAGMA page_size = %d; PRAGMA auto_vacuum = %d; PRAGMA journal_mode = MEMORY; BEGIN;
		CREATE TABLE t (id INTEGER PRIMARY KEY, f REAL, name TEXT, data BLOB NOT NULL, after INTEGER)`, pageSize, pageSize/512%3)))
	put, _, err := db.Prepare(`INSERT OR REPLACE INTO t VALUES (?, ?, ?, ?, ?)`)
	check(err)
	r := rand.New(rand.NewPCG(uint64(pageSize), 1))
	want = map[int64][]byte{}
	for round := range 2 {
		for i := range fieldRows {
			if round == 1 && r.IntN(3) > 0 {
				continue
			}
			id, data := fieldRow(i), fieldBytes(r)
			check(put.BindInt64(1, id))
			check(put.BindFloat(2, float64(i)/3))
			check(put.BindText(3, fmt.Sprintf("%*d", i%90, i)))
			check(put.BindBlob(4, data))
			check(put.BindInt64(5, int64(i)<<(i%50)))
			check(put.Exec())
			want[id] = data
		}
	}
	check(put.Close())
	check(db.Exec(`COMMIT`))
	st, _, err := db.Prepare(`SELECT rootpage FROM sqlite_schema WHERE name = 't'`)
	check(err)
	st.Step()
	root = st.ColumnInt64(0)
	check(st.Close())
	check(db.Close())
	return path, root, want
}

// TestField reads what SQLite has written, wherever it is found.
func TestField(t *testing.T) {
	ctx := t.Context()
	for _, pageSize := range []int{512, 4096, 8192, 65536} {
		path, root, want := makeFields(t, pageSize)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f := &File{R: bytes.NewReader(data), PageSize: int64(pageSize), Pages: int64(len(data) / pageSize)}
		r := rand.New(rand.NewPCG(uint64(pageSize), 2))
		var d Field
		chains := 0
		for id, want := range want {
			if !d.Find(f, root, id, 3) {
				if len(want) >= pageSize {
					t.Fatalf("pages of %d: row %d, of %d bytes, is not found", pageSize, id, len(want))
				}
				continue
			}
			chains++
			if d.Size != int64(len(want)) {
				t.Fatalf("pages of %d: row %d has %d bytes, not %d", pageSize, id, d.Size, len(want))
			}
			next := 0
			for k := range 20 {
				from := r.IntN(len(want) + 1)
				if k%2 == 0 {
					from = next
				}
				got := make([]byte, r.IntN(len(want)-from+1))
				if next = from + len(got); !d.Read(ctx, got, int64(from)) || !bytes.Equal(got, want[from:next]) {
					t.Fatalf("pages of %d: row %d, of %d bytes, is read wrongly from %d to %d", pageSize, id, len(want), from, next)
				}
			}
			for _, span := range [][2]int64{{0, d.Size + 1}, {d.Size, 1}, {d.Size + 1, 0}, {-1, 1}} {
				if d.Read(ctx, make([]byte, span[1]), span[0]) {
					t.Fatalf("%d bytes at %d of %d are read", span[1], span[0], d.Size)
				}
			}
		}
		if chains < 50 {
			t.Errorf("pages of %d: only %d rows have a chain", pageSize, chains)
		}
		if _, there := want[7]; there || d.Find(f, root, 7, 3) || d.Find(f, root, fieldRow(fieldRows), 3) || d.Find(f, root, -1001, 3) {
			t.Error("a row that does not exist is found")
		}
		if d.Find(f, root, fieldRow(200), 4) || d.Find(f, root, fieldRow(200), 5) || d.Find(f, 0, fieldRow(200), 3) {
			t.Error("what is no field of bytes is found")
		}
		ended, end := context.WithCancel(ctx)
		end()
		for id, want := range want {
			if len(want) > 2*pageSize && (!d.Find(f, root, id, 3) || d.Read(ended, make([]byte, len(want)), 0)) {
				t.Fatal("a read goes on after its ctx has ended")
			}
		}
	}
}

// TestFieldReadsMuch: a field that lies page after page is read in few calls, one
// window after the other, and one that does not is not read many times.
func TestFieldReadsMuch(t *testing.T) {
	const pageSize, pages = 4096, 1024
	chain := func(next func(k int) uint32) *countingReader {
		db := make([]byte, pageSize) // what SQLite makes of a row is what TestField has
		leaf := make([]byte, pageSize)
		const payload = pages * (pageSize - 4)
		row := bytes.Clone([]byte{4, 0, 0, 0})
		row = append(row[:1], putVarint(2*(payload-8)+12)...)
		row[0] = byte(len(row))
		leaf[0], leaf[4], leaf[8], leaf[9] = leafTable, 1, 8, 0
		cell := append(putVarint(payload), 1)
		cell = append(cell, row...)
		local := int(localSize(leafTable, pageSize, payload))
		cell = append(cell, make([]byte, local-len(row))...)
		cell = append(cell, 0, 0, 0, 3)
		copy(leaf[8<<8:], cell)
		db = append(db, leaf...)
		for k := range pages {
			page := make([]byte, pageSize)
			page[0], page[1], page[2], page[3] = byte(next(k)>>24), byte(next(k)>>16), byte(next(k)>>8), byte(next(k))
			db = append(db, page...)
		}
		return &countingReader{R: bytes.NewReader(db)}
	}
	for name, c := range map[string]struct {
		next         func(k int) uint32
		calls, bytes int
	}{
		"one after the other": {func(k int) uint32 { return uint32(k + 4) }, 2*pages/32 + 60, 2 * pages * pageSize},
		"backwards":           {func(k int) uint32 { return uint32((k+pages-1)%pages + 3) }, pages + 60, pages * pageSize * 5 / 4},
	} {
		r := chain(c.next)
		f := &File{R: r, PageSize: pageSize, Pages: pages + 2}
		var d Field
		if !d.Find(f, 2, 1, 0) {
			t.Fatal("there is no field")
		}
		if new(Field).Find(&File{R: r, PageSize: pageSize, Pages: pages / 2}, 2, 1, 0) {
			t.Error("a row is found that is longer than the file")
		}
		window := make([]byte, 100_000)
		for at := int64(0); at < d.Size; at += int64(len(window)) {
			window = window[:min(int64(len(window)), d.Size-at)]
			if !d.Read(t.Context(), window, at) {
				t.Fatalf("%s: no bytes at %d of %d", name, at, d.Size)
			}
		}
		if r.calls > c.calls || r.bytes > c.bytes {
			t.Errorf("%s: %d calls for %d bytes, of %d", name, r.calls, r.bytes, d.Size)
		}
	}
}

// putVarint is a number as SQLite writes it.
func putVarint(v uint64) (b []byte) {
	for ; ; v >>= 7 {
		more := byte(0)
		if len(b) > 0 {
			more = 0x80
		}
		b = append([]byte{byte(v&0x7f) | more}, b...)
		if v < 0x80 {
			return b
		}
	}
}

// countingReader counts what is read.
type countingReader struct {
	R            *bytes.Reader
	calls, bytes int
}

func (r *countingReader) ReadAt(p []byte, off int64) (int, error) {
	r.calls++
	r.bytes += len(p)
	return r.R.ReadAt(p, off)
}

// FuzzField looks for rows in pages of anything: it ends, and reads no more than a
// row says that it has.
func FuzzField(f *testing.F) {
	path, root, _ := makeFields(f, 512)
	data, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	for _, id := range []int64{fieldRow(0), fieldRow(17), fieldRow(100), fieldRow(299)} {
		f.Add(data[:min(len(data), 64<<10)], byte(0), byte(root), id, byte(3), uint32(0), uint32(2000))
	}
	f.Fuzz(func(t *testing.T, data []byte, shift, root byte, id int64, index byte, at, n uint32) {
		size := int64(512) << (shift % 8)
		file := &File{R: bytes.NewReader(data), PageSize: size, Pages: int64(len(data)) / size}
		var d Field
		into := make([]byte, n%(1<<20))
		if d.Find(file, int64(root), id, int(index)) && d.Read(t.Context(), into, int64(at)) && int64(at)+int64(len(into)) > d.Size {
			t.Fatal("more is read than the field has")
		}
	})
}
