package salvage_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/sqlitefile"
	"columnvault/internal/vaulttest"
	"columnvault/salvage"
)

// rounds is how many cases the campaign tries of each kind.
func rounds(t *testing.T) int {
	if text := os.Getenv("COLUMNVAULT_SALVAGE_ROUNDS"); text != "" {
		n, err := strconv.Atoi(text)
		must(t, err)
		return n
	}
	return 1
}

// outcome is what came of one damaged file.
type outcome struct {
	report *salvage.Report
	// elements and pairs are how many were saved as they were, lost how many the
	// report says are missing, and changed those that are reported as read and
	// are not what they were.
	elements, pairs int
	lost, changed   int
	// refused says that SQLite would not have opened the file, or read all of it.
	refused bool
	// nothing says that nothing looked like a page.
	nothing bool
	// differ are the bytes of values that have changed, for checks of how.
	differ []pairOf
}

type pairOf struct{ want, got []byte }

// salvaged saves a damaged file and compares what was saved with the original.
// Every element that is not reported as missing must be there.
func salvaged(t *testing.T, original contents, data, log []byte) (o outcome) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "damaged.db")
	must(t, os.WriteFile(path, data, 0o666))
	if log != nil {
		must(t, os.WriteFile(path+"-wal", log, 0o666))
	}
	target := filepath.Join(dir, "saved.db")
	r, err := salvage.File(t.Context(), path, target, salvage.Options{})
	if errors.Is(err, columnvault.ErrNotVault) {
		o.nothing = true
		return o
	}
	must(t, err)
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, data) {
		t.Errorf("the damaged file has changed (%v)", err)
	}
	o.report = r
	saved := contentsOf(t, target, append([]string{"recovered", "recovered_2", "recovered_3"}, tables...)...)
	for k := range r.Columns {
		c := &r.Columns[k]
		want, known := original.columns[c.Name]
		name := c.Name
		if c.Saved != "" {
			name = c.Saved
		}
		got, there := saved.columns[name]
		o.lost += int(c.Lost())
		if !known || c.Remark != "" {
			continue
		}
		if !there {
			if c.Read > 0 {
				t.Errorf("column %q of %d elements is not there", c.Name, c.Read)
			}
			continue
		}
		if len(got) != int(c.Read+c.Filled) {
			t.Errorf("column %q has %d elements, and the report says %d and %d filled in", c.Name, len(got), c.Read, c.Filled)
		}
		missing, lost := 0, int64(0)
		for i := range got {
			for missing < len(c.Missing) && int64(i) >= c.Missing[missing].To {
				missing++
			}
			if missing < len(c.Missing) && int64(i) >= c.Missing[missing].From {
				lost++
				missing := c.Name == "times" && bytes.Equal(got[i], []byte{7: 0x80})
				value := got[i]
				if c.Name == "vec" { // in layout 1 the type byte is not stored
					value = value[1:]
				}
				if !missing && len(bytes.Trim(value, "\x00")) > 0 {
					t.Errorf("column %q: the missing element %d was filled with %x", c.Name, i, got[i])
				}
				continue
			}
			if i >= len(want) || !bytes.Equal(got[i], want[i]) {
				o.changed++
				if i < len(want) {
					o.differ = append(o.differ, pairOf{want[i], got[i]})
				}
				continue
			}
			o.elements++
		}
		if lost != c.Filled {
			t.Errorf("column %q: %d elements lie in missing ranges, and %d were filled in", c.Name, lost, c.Filled)
		}
	}
	for name, pairs := range saved.tables {
		for key, got := range pairs {
			found := false
			for _, table := range original.tables {
				want, ok := table[key]
				found = found || ok && bytes.Equal(want, got)
			}
			if want, ok := original.tables[name][key]; !found {
				o.changed++
				if ok {
					o.differ = append(o.differ, pairOf{want, got})
				}
				continue
			}
			o.pairs++
		}
	}
	for k := range r.Tables {
		o.lost += int(r.Tables[k].Lost)
	}
	o.refused = refused(target+".copy", data, log)
	return o
}

// refused tells whether the library itself cannot read all of a file.
func refused(path string, data, log []byte) bool {
	if os.WriteFile(path, data, 0o666) != nil || log != nil && os.WriteFile(path+"-wal", log, 0o666) != nil {
		return true
	}
	defer os.Remove(path)
	v, err := columnvault.Open(context.Background(), path, nil)
	if err != nil {
		return true
	}
	defer v.Close()
	for p, err := range v.Check(context.Background(), columnvault.CheckOptions{Full: true}) {
		if err != nil || p.Severity == columnvault.SeverityDamage {
			return true
		}
	}
	return false
}

// total counts the elements and the pairs of a vault.
func (c contents) total() (elements, pairs int) {
	for _, column := range c.columns {
		elements += len(column)
	}
	for _, table := range c.tables {
		pairs += len(table)
	}
	return elements, pairs
}

// pageKinds tells what each page of a whole file with a pointer map is, by the
// format and without the reader under test.
func pageKinds(data []byte, pageSize int) []string {
	kinds := []string{"", "first"}
	per := pageSize/5 + 1
	for n := 2; n <= len(data)/pageSize; n++ {
		m := (n-2)/per*per + 2
		if n == m {
			kinds = append(kinds, "map")
			continue
		}
		page := data[(n-1)*pageSize:]
		switch data[(m-1)*pageSize+5*(n-m-1)] {
		case 1, 5:
			kinds = append(kinds, map[byte]string{2: "index inner", 5: "table inner", 10: "index leaf", 13: "leaf"}[page[0]])
		case 2:
			kinds = append(kinds, "free")
		case 3, 4:
			kinds = append(kinds, "overflow")
		}
	}
	return kinds
}

// page is a page of a file, by its number from 1 on.
type page struct {
	number int
	kind   string
}

// choosePages chooses pages by chance, so many of each kind at most, and counts them
// by kind.
func choosePages(data []byte, pageSize, most int, r *rand.Rand) (pages []page, tried map[string]int) {
	kinds := pageKinds(data, pageSize)
	tried = map[string]int{}
	for _, k := range r.Perm(len(kinds) - 1) {
		if kind := kinds[k+1]; tried[kind] < most {
			tried[kind]++
			pages = append(pages, page{k + 1, kind})
		}
	}
	return pages, tried
}

// without is a file that has lost the page.
func (p page) without(data []byte, pageSize int, how string, r *rand.Rand) []byte {
	damaged := bytes.Clone(data)
	spoil(damaged[(p.number-1)*pageSize:p.number*pageSize], how, r)
	return damaged
}

// TestOnePageLost loses one page at a time. What does not lie in it must be
// there: all, if the page is one that only leads to others or that an index has;
// all but its bytes, if it is one of a chain.
func TestOnePageLost(t *testing.T) {
	pageSizes := []int{4096, 512, 8192}
	if testing.Short() {
		pageSizes = pageSizes[:1]
	}
	for _, pageSize := range pageSizes {
		path := build(t, pageSize)
		original := contentsOf(t, path, tables...)
		data, err := os.ReadFile(path)
		must(t, err)
		elements, pairs := original.total()
		r := rand.New(rand.NewPCG(1, 2))
		pages, tried := choosePages(data, pageSize, rounds(t), r)
		for _, p := range pages {
			for _, how := range []string{"zeros", "noise"} {
				name := fmt.Sprintf("%d: page %d (%s) lost to %s", pageSize, p.number, p.kind, how)
				o := salvaged(t, original, p.without(data, pageSize, how, r), nil)
				if o.nothing {
					t.Errorf("%s: nothing was found", name)
					continue
				}
				wantOnePageLost(t, name, p.kind, how, o, elements+pairs, pageSize)
				switch p.kind {
				case "overflow":
					wantHole(t, name, o.report, pageSize)
				case "leaf":
					wantOthers(t, name, original, o.report, data, pageSize, p.number)
				}
				if t.Failed() {
					return
				}
			}
		}
		t.Logf("%d: %v", pageSize, tried)
	}
}

// wantOnePageLost wants what was saved of a file of all these elements and pairs,
// without one page of this kind, to be right, and no more to be missing than the
// page can hold.
func wantOnePageLost(t *testing.T, name, kind, how string, o outcome, all, pageSize int) {
	t.Helper()
	for _, d := range o.differ {
		if how != "zeros" || !onlyZeroed(d.want, d.got) {
			t.Errorf("%s: %x was read as %x", name, d.want, d.got)
		}
	}
	gone := all - o.elements - o.pairs - o.changed
	switch kind {
	case "first", "map", "free", "index inner", "index leaf", "table inner":
		if gone > 0 || o.changed > 0 {
			t.Errorf("%s: %d elements and pairs are missing, %d changed:\n%s", name, gone, o.changed, o.report)
		}
	case "overflow":
		// The page holds parts of elements of one column, of entries of
		// one index, or of one pair.
		if gone > pageSize+1 {
			t.Errorf("%s: %d elements and pairs are missing", name, gone)
		}
	}
}

// onlyZeroed tells whether a value differs only in bytes that are zero now. A
// page of zeros at the end of a chain looks like one that holds zeros.
func onlyZeroed(want, got []byte) bool {
	if len(want) != len(got) {
		return false
	}
	for k := range got {
		if got[k] != want[k] && got[k] != 0 {
			return false
		}
	}
	return true
}

func spoil(page []byte, how string, r *rand.Rand) {
	for k := range page {
		page[k] = 0
		if how == "noise" {
			page[k] = byte(r.Uint32())
		}
	}
}

// wantHole requires that what is missing of fixed columns are the elements of
// one page.
func wantHole(t *testing.T, name string, r *salvage.Report, pageSize int) {
	t.Helper()
	sizes := map[string]int64{"i64": 8, "f64": 8, "bool": 1, "str:20:utf8": 20, "vec:f32:16": 65}
	for k := range r.Columns {
		c := &r.Columns[k]
		size, fixed := sizes[c.DType]
		if fixed && c.Lost() > (int64(pageSize)-4)/size+2 || !fixed && c.Lost() > int64(pageSize) {
			t.Errorf("%s: %d elements of column %s are missing: %v", name, c.Lost(), c.Name, c.Missing)
		}
	}
}

// wantOthers requires that nothing is missing but what has a row in this page.
func wantOthers(t *testing.T, name string, original contents, r *salvage.Report, data []byte, pageSize, page int) {
	t.Helper()
	f, err := sqlitefile.Open(sqlitefile.Source{ReaderAt: bytes.NewReader(data), Size: int64(len(data))}, sqlitefile.Source{})
	must(t, err)
	rows, keys := 0, map[string]bool{}
	chunks := map[string]bool{}
	f.Rows(uint32(page), func(row *sqlitefile.Row) bool {
		rows++
		switch len(row.Fields) {
		case 2:
			key, _ := row.Bytes(0, 1<<20)
			keys[string(key[:min(len(key), 1024)])] = true // as it is reported
		case 8:
			if number, ok := row.Int(1); ok {
				chunks[fmt.Sprintf("chunk %d ", number)] = true
			}
		}
		return true
	})
	for k := range r.Tables {
		for _, key := range r.Tables[k].LostKeys {
			if !keys[string(key)] {
				t.Errorf("%s: the pair of %q does not lie in it and is lost", name, key)
			}
		}
		if int(r.Tables[k].Lost) > rows {
			t.Errorf("%s: %d pairs are lost, and it has %d rows", name, r.Tables[k].Lost, rows)
		}
	}
	for k := range r.Columns {
		for _, missing := range r.Columns[k].Missing {
			reason := strings.TrimPrefix(missing.Reason, "index: ") + " "
			if strings.HasPrefix(reason, "chunks ") {
				continue // several
			}
			ok := false
			for chunk := range chunks {
				ok = ok || strings.HasPrefix(reason, chunk)
			}
			if !ok && len(chunks) > 0 {
				t.Errorf("%s: column %s, elements %d to %d: %s", name, r.Columns[k].Name, missing.From, missing.To, missing.Reason)
			}
		}
	}
}

// TestDamageCampaign damages whole files in many ways. Nothing may panic or
// take for ever, and what is reported as read must be what it was, but for
// damage that leaves no trace, which is counted.
func TestDamageCampaign(t *testing.T) {
	type result struct{ cases, refused, nothing, elements, pairs, lost, changed int }
	var names []string
	results := map[string]*result{}
	kinds := []struct {
		pageSize int
		mapped   bool
		layout   int
	}{{4096, true, 0}, {4096, true, 1}, {4096, false, 0}, {512, true, 0}, {32768, true, 0}, {1024, false, 1}, {4096, true, 2}}
	if testing.Short() {
		kinds = kinds[:2]
	}
	for _, kind := range kinds {
		pageSize := kind.pageSize
		path := ""
		switch kind.layout {
		case 0:
			path = build(t, pageSize)
		case 1:
			path = build(t, pageSize)
			toLayout1(t, path)
		case 2:
			path = buildNative(t, pageSize, columnvault.Zstd)
		}
		if !kind.mapped {
			vaulttest.ExecSQL(t, path, `PRAGMA journal_mode = DELETE`, `PRAGMA auto_vacuum = NONE`, `VACUUM`, `PRAGMA journal_mode = WAL`)
		}
		original := contentsOf(t, path, tables...)
		data, err := os.ReadFile(path)
		must(t, err)
		whole, log := withLog(t, path, pageSize)
		after := contentsOf(t, whole.path, tables...)
		for seed := range rounds(t) {
			r := rand.New(rand.NewPCG(uint64(seed), uint64(pageSize)))
			for _, way := range ways {
				damaged, damagedLog := bytes.Clone(data), []byte(nil)
				want := original
				if way.log {
					damaged, damagedLog, want = bytes.Clone(whole.data), bytes.Clone(log), after
				}
				damaged, damagedLog = way.damage(r, pageSize, damaged, damagedLog)
				o := salvaged(t, want, damaged, damagedLog)
				if results[way.name] == nil {
					results[way.name] = &result{}
					names = append(names, way.name)
				}
				sum := results[way.name]
				sum.cases++
				sum.nothing += one(o.nothing)
				if o.refused && o.elements+o.pairs > 0 {
					sum.refused++
				}
				sum.elements, sum.pairs, sum.lost, sum.changed = sum.elements+o.elements, sum.pairs+o.pairs, sum.lost+o.lost, sum.changed+o.changed
				if o.changed > 0 && way.certain {
					for _, d := range o.differ {
						if !onlyZeroed(d.want, d.got) {
							t.Errorf("%s, pages of %d, seed %d: %d values have changed, %x to %x", way.name, pageSize, seed, o.changed, d.want, d.got)
							break
						}
					}
				}
				elements, pairs := want.total()
				if way.all && (o.elements < elements || o.pairs < pairs) {
					t.Errorf("%s, pages of %d, seed %d: %d of %d elements and %d of %d pairs\n%s", way.name, pageSize, seed, o.elements, elements, o.pairs, pairs, o.report)
				}
				if o.nothing && way.name != "all noise" {
					t.Errorf("%s, pages of %d, seed %d: nothing was found", way.name, pageSize, seed)
				}
			}
		}
	}
	t.Logf("%-22s %5s %7s %8s %6s %8s %8s", "damage", "cases", "refused", "elements", "pairs", "missing", "changed")
	if r := results["header zeroed"]; r.refused < r.cases {
		t.Errorf("the library itself reads %d of %d files without a header", r.cases-r.refused, r.cases)
	}
	for _, name := range names {
		r := results[name]
		t.Logf("%-22s %5d %7d %8d %6d %8d %8d", name, r.cases, r.refused, r.elements, r.pairs, r.lost, r.changed)
	}
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// way is a way to damage a file.
type way struct {
	name string
	// log says that the file has a log beside it.
	log bool
	// all says that nothing may be missing, certain that nothing may be wrong but
	// where a page of zeros looks like one that was written.
	all, certain bool
	damage       func(r *rand.Rand, pageSize int, data, log []byte) ([]byte, []byte)
}

var ways = []way{
	{"header zeroed", false, true, true, func(r *rand.Rand, pageSize int, data, log []byte) ([]byte, []byte) {
		clear(data[:100])
		return data, log
	}},
	{"first page zeroed", false, true, true, func(r *rand.Rand, pageSize int, data, log []byte) ([]byte, []byte) {
		clear(data[:pageSize])
		return data, log
	}},
	{"first page noise", false, true, true, func(r *rand.Rand, pageSize int, data, log []byte) ([]byte, []byte) {
		spoil(data[:pageSize], "noise", r)
		return data, log
	}},
	{"pages zeroed", false, false, true, func(r *rand.Rand, pageSize int, data, log []byte) ([]byte, []byte) {
		return somePages(r, pageSize, data, "zeros"), log
	}},
	{"pages noise", false, false, true, func(r *rand.Rand, pageSize int, data, log []byte) ([]byte, []byte) {
		return somePages(r, pageSize, data, "noise"), log
	}},
	{"half of all zeroed", false, false, true, func(r *rand.Rand, pageSize int, data, log []byte) ([]byte, []byte) {
		for at := pageSize; at+pageSize <= len(data); at += pageSize {
			if r.IntN(2) == 0 {
				clear(data[at : at+pageSize])
			}
		}
		return data, log
	}},
	{"inner pages lost", false, true, true, func(r *rand.Rand, pageSize int, data, log []byte) ([]byte, []byte) {
		for at := pageSize; at < len(data); at += pageSize {
			if data[at] == 2 || data[at] == 5 { // no page of a chain begins so
				clear(data[at : at+pageSize])
			}
		}
		return data, log
	}},
	{"cut at a page", false, false, true, func(r *rand.Rand, pageSize int, data, log []byte) ([]byte, []byte) {
		return data[:(2+r.IntN(len(data)/pageSize-2))*pageSize], log
	}},
	{"cut in a page", false, false, true, func(r *rand.Rand, pageSize int, data, log []byte) ([]byte, []byte) {
		return data[:2*pageSize+r.IntN(len(data)-2*pageSize)], log
	}},
	{"beginning cut off", false, false, true, func(r *rand.Rand, pageSize int, data, log []byte) ([]byte, []byte) {
		clear(data[:len(data)/10])
		return data, log
	}},
	{"one bit", false, false, false, func(r *rand.Rand, pageSize int, data, log []byte) ([]byte, []byte) {
		data[r.IntN(len(data))] ^= 1 << r.IntN(8)
		return data, log
	}},
	{"100 bits", false, false, false, func(r *rand.Rand, pageSize int, data, log []byte) ([]byte, []byte) {
		for range 100 {
			data[r.IntN(len(data))] ^= 1 << r.IntN(8)
		}
		return data, log
	}},
	{"100 bytes of heads", false, false, false, func(r *rand.Rand, pageSize int, data, log []byte) ([]byte, []byte) {
		for range 100 {
			data[r.IntN(len(data)/pageSize)*pageSize+r.IntN(40)] = byte(r.Uint32())
		}
		return data, log
	}},
	{"log beside", true, true, true, func(r *rand.Rand, pageSize int, data, log []byte) ([]byte, []byte) {
		return data, log
	}},
	{"log torn", true, false, false, func(r *rand.Rand, pageSize int, data, log []byte) ([]byte, []byte) {
		return data, log[:r.IntN(len(log))]
	}},
	{"log, header zeroed", true, true, true, func(r *rand.Rand, pageSize int, data, log []byte) ([]byte, []byte) {
		clear(data[:100])
		return data, log
	}},
	{"log, pages of it lost", true, true, true, func(r *rand.Rand, pageSize int, data, log []byte) ([]byte, []byte) {
		for at := 32; at+24+pageSize <= len(log); at += 24 + pageSize {
			if n := int(binary.BigEndian.Uint32(log[at:])); n*pageSize <= len(data) {
				clear(data[(n-1)*pageSize : n*pageSize])
			}
		}
		return data, log
	}},
	{"all noise", false, false, false, func(r *rand.Rand, pageSize int, data, log []byte) ([]byte, []byte) {
		spoil(data, "noise", r)
		return data, log
	}},
}

func somePages(r *rand.Rand, pageSize int, data []byte, how string) []byte {
	for range 1 + r.IntN(6) {
		at := r.IntN(len(data)/pageSize) * pageSize
		spoil(data[at:at+pageSize], how, r)
	}
	return data
}

type fileCopy struct {
	path string
	data []byte
}

// withLog changes a copy of a vault and takes it with the log, as a crash leaves
// them.
func withLog(t *testing.T, path string, pageSize int) (fileCopy, []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	c := fileCopy{path: filepath.Join(t.TempDir(), "logged.db")}
	must(t, os.WriteFile(c.path, data, 0o666))
	v, err := columnvault.Open(t.Context(), c.path, nil)
	must(t, err)
	col, err := v.Column(t.Context(), "i64")
	must(t, err)
	values := make([]any, 2000)
	for i := range values {
		values[i] = int64(i) << 32
	}
	err = col.Append(t.Context(), values...)
	if errors.Is(err, columnvault.ErrReadOnly) { // it is in layout 1
		col, err = columnvault.Create(t.Context(), v, "logged", dtype.Int64.Spec().Type(), nil)
		must(t, err)
		err = col.Append(t.Context(), values...)
	}
	must(t, err)
	must(t, v.KV().Put(t.Context(), []byte("in the log"), []byte("value")))
	c.data, err = os.ReadFile(c.path)
	must(t, err)
	log, err := os.ReadFile(c.path + "-wal")
	must(t, err)
	must(t, v.Close())
	return c, log
}
