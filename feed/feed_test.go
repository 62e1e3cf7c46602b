package feed_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/iceberg-go"
	icebergio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"

	"columnvault"
	"columnvault/dtype"
	"columnvault/exchange"
	"columnvault/feed"
	"columnvault/internal/formattest"
	"columnvault/internal/vaulttest"
)

// load opens the table in a directory as a reader does that knows nothing of us:
// by version-hint.text.
func load(t *testing.T, dir string) *table.Table {
	t.Helper()
	hint, err := os.ReadFile(filepath.Join(dir, "metadata", "version-hint.text"))
	vaulttest.Must(t, err)
	name := filepath.Join(dir, "metadata", fmt.Sprintf("v%s.metadata.json", hint))
	tbl, err := table.NewFromLocation(t.Context(), table.Identifier{"a", "b"}, name, icebergio.LoadFSFunc(nil, name), nil)
	vaulttest.Must(t, err)
	return tbl
}

// dataFiles are the names of the files that the current snapshot has, in order.
func dataFiles(t *testing.T, tbl *table.Table) (names []string) {
	t.Helper()
	tasks, err := tbl.Scan().PlanFiles(t.Context())
	vaulttest.Must(t, err)
	for _, task := range tasks {
		names = append(names, filepath.Base(task.File.FilePath()))
	}
	slices.Sort(names)
	return names
}

func run(t *testing.T, v *columnvault.Vault, names []string, dir string, o *feed.Options) *feed.Result {
	t.Helper()
	r, err := feed.Iceberg(t.Context(), v, names, dir, o)
	if err != nil {
		t.Fatalf("%v (%s)", err, hintOf(err))
	}
	return r
}

func hintOf(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return "no hint"
}

// grow adds rows of the specimen to a vault.
func grow(t *testing.T, v *columnvault.Vault, list []kind, from, to int) {
	t.Helper()
	columns := columnsOf(list)
	for i := range columns {
		value := columns[i].Value
		columns[i].Value = func(row int) any { return value(from + row) }
	}
	_, err := exchange.Import(t.Context(), v, formattest.Source(columns, to-from), &exchange.ImportOptions{Append: from > 0})
	vaulttest.Must(t, err)
}

// TestAllTypes feeds all dtypes in three runs. The table has the types that the
// documents promise, and all values.
func TestAllTypes(t *testing.T) {
	v, list, dir := vaulttest.Open(t), kinds(), filepath.Join(t.TempDir(), "table")
	var before []string
	rows := 0
	for _, next := range []int{7, 8, 2000} {
		grow(t, v, list, rows, next)
		r := run(t, v, nil, dir, &feed.Options{Floor: true})
		if r.Rows != next || r.Added != next-rows || r.Files != 1 || r.Overwritten {
			t.Fatalf("the run did %+v", r)
		}
		rows = next
		tbl := load(t, dir)
		if n := len(tbl.Metadata().Snapshots()); r.Snapshot != tbl.CurrentSnapshot().SnapshotID || tbl.CurrentSnapshot().Summary.Properties["columnvault.rows"] != fmt.Sprint(rows) {
			t.Errorf("of %d snapshots the current one is %v", n, tbl.CurrentSnapshot())
		}
		files := dataFiles(t, tbl)
		if slices.ContainsFunc(before, func(name string) bool { return !slices.Contains(files, name) }) || len(files) != len(before)+1 {
			t.Errorf("the table has the files %q, and had %q before", files, before)
		}
		before = files
		wantRows(t, tbl, list, rows)
	}
	for i, f := range load(t, dir).Schema().Fields() {
		k := list[i]
		if f.Name != k.Name || shown(f.Type) != k.ice || f.Required != k.required || !strings.HasPrefix(f.Doc, k.Type) {
			t.Errorf("%s is %s, required %v, %q; want %s, %v", f.Name, shown(f.Type), f.Required, f.Doc, k.ice, k.required)
		}
	}
}

// shown is a type without numbers of fields.
func shown(t iceberg.Type) string {
	switch t := t.(type) {
	case *iceberg.ListType:
		return "list<" + shown(t.Element) + ">"
	case *iceberg.StructType:
		return fmt.Sprintf("struct<shape: %s, values: %s>", shown(t.FieldList[0].Type), shown(t.FieldList[1].Type))
	}
	return t.String()
}

func wantRows(t *testing.T, tbl *table.Table, list []kind, rows int) {
	t.Helper()
	got := scanned(t, tbl)
	for _, k := range list {
		values := got[k.Name]
		if len(values) != rows {
			t.Errorf("%s has %d rows, want %d", k.Name, len(values), rows)
			continue
		}
		// The files of a scan come in any order.
		have, want := map[string]int{}, map[string]int{}
		for i := range rows {
			have[fmt.Sprint(values[i])]++
			want[fmt.Sprint(k.plain(i))]++
		}
		for text, n := range want {
			if have[text] != n {
				t.Errorf("%s has %s %d times, want %d", k.Name, text, have[text], n)
				break
			}
		}
	}
}

// numbers returns a vault with the column n of 0, 1, 2 ... and beside it text.
func numbers(t *testing.T, rows int) *columnvault.Vault {
	t.Helper()
	v := vaulttest.Open(t)
	vaulttest.Create(t, v, "n", dtype.Int64)
	vaulttest.Create(t, v, "s", dtype.String)
	count(t, v, rows)
	return v
}

func count(t *testing.T, v *columnvault.Vault, to int) {
	t.Helper()
	vaulttest.Must(t, countTo(t.Context(), v, to))
}

// countTo appends what is missing up to a number.
func countTo(ctx context.Context, v *columnvault.Vault, to int) error {
	return v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		n, err := columnvault.Lookup(ctx, tx, "n", dtype.Int64)
		if err != nil {
			return err
		}
		s, err := columnvault.Lookup(ctx, tx, "s", dtype.String)
		if err != nil {
			return err
		}
		from, err := n.Len(ctx)
		if err != nil {
			return err
		}
		var ns []int64
		var texts []string
		for i := from; i < to; i++ {
			ns, texts = append(ns, int64(i)), append(texts, fmt.Sprint("text ", i))
		}
		return errors.Join(n.Append(ctx, ns...), s.Append(ctx, texts...))
	})
}

// wantNumbers checks that the table has 0, 1, 2 ... once each, with the text.
func wantNumbers(t *testing.T, dir string, rows int) {
	t.Helper()
	got := scanned(t, load(t, dir))
	if len(got["n"]) != rows {
		t.Fatalf("the table has %d rows, want %d", len(got["n"]), rows)
	}
	seen := make([]bool, rows)
	for i, v := range got["n"] {
		n := int(v.(int64))
		if n < 0 || n >= rows || seen[n] || got["s"][i] != fmt.Sprint("stext ", n) {
			t.Fatalf("the table has %d twice, or beside %v", n, got["s"][i])
		}
		seen[n] = true
	}
}

// TestRunWithoutNews makes no commit.
func TestRunWithoutNews(t *testing.T) {
	v, dir := numbers(t, 0), filepath.Join(t.TempDir(), "table")
	if r := run(t, v, nil, dir, nil); *r != (feed.Result{}) {
		t.Errorf("a run over empty columns did %+v", r)
	}
	wantNumbers(t, dir, 0)
	count(t, v, 10)
	first := run(t, v, nil, dir, nil)
	again := run(t, v, nil, dir, nil)
	if again.Added != 0 || again.Rows != 10 || again.Snapshot != first.Snapshot {
		t.Errorf("a run without news did %+v after %+v", again, first)
	}
	wantNumbers(t, dir, 10)
}

// TestEdits edits rows that the table has. That is refused, or replaces the
// table.
func TestEdits(t *testing.T) {
	const rows = 70_000 // more than a block
	edits := map[string]func(t *testing.T, v *columnvault.Vault){
		"a value": func(t *testing.T, v *columnvault.Vault) {
			vaulttest.Must(t, vaulttest.Lookup(t, v, "n", dtype.Int64).Set(t.Context(), 5, -1))
		},
		"the last value": func(t *testing.T, v *columnvault.Vault) {
			vaulttest.Must(t, vaulttest.Lookup(t, v, "s", dtype.String).Set(t.Context(), rows-1, "other"))
		},
		"a boundary between texts": func(t *testing.T, v *columnvault.Vault) {
			s := vaulttest.Lookup(t, v, "s", dtype.String)
			vaulttest.Must(t, s.Set(t.Context(), 10, "text 10t"))
			vaulttest.Must(t, s.Set(t.Context(), 11, "ext 11"))
		},
		"a row less": func(t *testing.T, v *columnvault.Vault) {
			vaulttest.Must(t, vaulttest.Lookup(t, v, "n", dtype.Int64).Delete(t.Context(), 0, 1))
			vaulttest.Must(t, vaulttest.Lookup(t, v, "s", dtype.String).Delete(t.Context(), 0, 1))
		},
		"no rows": func(t *testing.T, v *columnvault.Vault) {
			vaulttest.Must(t, vaulttest.Lookup(t, v, "n", dtype.Int64).Clear(t.Context()))
			vaulttest.Must(t, vaulttest.Lookup(t, v, "s", dtype.String).Clear(t.Context()))
		},
	}
	for name, edit := range edits {
		t.Run(name, func(t *testing.T) {
			v, dir := numbers(t, rows), filepath.Join(t.TempDir(), "table")
			run(t, v, nil, dir, nil)
			edit(t, v)
			_, err := feed.Iceberg(t.Context(), v, nil, dir, nil)
			if !errors.Is(err, feed.ErrEdited) || !strings.Contains(hintOf(err), "Overwrite") {
				t.Fatalf("the edit gives %v, %q", err, hintOf(err))
			}
			wantNumbers(t, dir, rows)

			r := run(t, v, nil, dir, &feed.Options{Overwrite: true})
			want := vaulttest.Lookup(t, v, "n", dtype.Int64)
			n, err := want.Len(t.Context())
			vaulttest.Must(t, err)
			if !r.Overwritten || r.Rows != n || r.Added != n {
				t.Errorf("the overwrite did %+v", r)
			}
			all, err := want.Slice(t.Context(), 0, columnvault.End)
			vaulttest.Must(t, err)
			var got []int64
			for _, x := range scanned(t, load(t, dir))["n"] {
				got = append(got, x.(int64))
			}
			slices.Sort(got)
			slices.Sort(all)
			if !slices.Equal(got, all) {
				t.Errorf("after the overwrite the table has %d rows, want %d", len(got), len(all))
			}
			if r := run(t, v, nil, dir, nil); r.Added != 0 {
				t.Errorf("the run after that did %+v", r)
			}
		})
	}
}

// TestRecent reads and compares the last block only, at each place where a block
// ends.
func TestRecent(t *testing.T) {
	const block = 65536
	for _, rows := range []int{1, block - 1, block, block + 1, 2 * block} {
		v, dir := numbers(t, rows), filepath.Join(t.TempDir(), "table")
		read := int64(0)
		o := &feed.Options{Recent: true, Progress: func(_, total int64) { read = total }}
		run(t, v, nil, dir, o)
		count(t, v, rows+10)
		if r := run(t, v, nil, dir, o); r.Rows != rows+10 || r.Added != 10 {
			t.Errorf("after %d rows a run did %+v", rows, r)
		}
		if read > block+10 {
			t.Errorf("after %d rows a run read %d", rows, read)
		}
		wantNumbers(t, dir, rows+10)
		run(t, v, nil, dir, nil) // all rows have the digest too
		n := vaulttest.Lookup(t, v, "n", dtype.Int64)
		vaulttest.Must(t, n.Set(t.Context(), rows+9, -1))
		if _, err := feed.Iceberg(t.Context(), v, nil, dir, o); !errors.Is(err, feed.ErrEdited) {
			t.Errorf("after %d rows an edit of the last gives %v", rows, err)
		}
		vaulttest.Must(t, n.Set(t.Context(), rows+9, int64(rows+9)))
		vaulttest.Must(t, n.Truncate(t.Context(), 0))
		vaulttest.Must(t, vaulttest.Lookup(t, v, "s", dtype.String).Truncate(t.Context(), 0))
		if _, err := feed.Iceberg(t.Context(), v, nil, dir, o); !errors.Is(err, feed.ErrEdited) {
			t.Errorf("after %d rows, columns without any give %v", rows, err)
		}
	}
}

// TestBounds asks for ranges: the bounds of the files must not leave rows out.
func TestBounds(t *testing.T) {
	v, dir := numbers(t, 0), filepath.Join(t.TempDir(), "table")
	for i := range 5 {
		count(t, v, (i+1)*1000)
		run(t, v, nil, dir, nil)
	}
	tbl := load(t, dir)
	filter := iceberg.NewAnd(iceberg.GreaterThanEqual(iceberg.Reference("n"), int64(1990)), iceberg.LessThan(iceberg.Reference("n"), int64(2010)))
	tasks, err := tbl.Scan(table.WithRowFilter(filter)).PlanFiles(t.Context())
	vaulttest.Must(t, err)
	if rows := scanned(t, tbl, table.WithRowFilter(filter))["n"]; len(rows) != 20 || len(tasks) != 2 {
		t.Errorf("a range of 20 rows in two files of five is %d rows of %d files", len(rows), len(tasks))
	}
	text := iceberg.EqualTo(iceberg.Reference("s"), "text 4321")
	if rows := scanned(t, tbl, table.WithRowFilter(text))["n"]; len(rows) != 1 || rows[0] != int64(4321) {
		t.Errorf("a search for text finds %v", rows)
	}
}

// TestOddBounds asks for values that bounds have trouble with: beside NaN, longer
// than bounds are, and the largest there are.
func TestOddBounds(t *testing.T) {
	v, dir := vaulttest.Open(t), filepath.Join(t.TempDir(), "table")
	x := vaulttest.Create(t, v, "x", dtype.Float64)
	s := vaulttest.Create(t, v, "s", dtype.String)
	raw := vaulttest.Create(t, v, "raw", dtype.Bytes)
	long := strings.Repeat("é", 300)
	top := strings.Repeat("\U0010FFFF", 100)
	for _, file := range []struct {
		x float64
		s string
	}{{4, long + "b"}, {5, top + "y"}, {math.Copysign(0, -1), ""}} {
		vaulttest.Must(t, x.Append(t.Context(), math.NaN(), file.x, math.NaN()))
		vaulttest.Must(t, s.Append(t.Context(), "a", file.s, "b"))
		vaulttest.Must(t, raw.Append(t.Context(), []byte("\x00"), []byte(strings.Repeat("\xff", 40)+file.s), nil))
		run(t, v, nil, dir, nil)
	}
	tbl := load(t, dir)
	for name, filter := range map[string]iceberg.BooleanExpression{
		"x = 4":         iceberg.EqualTo(iceberg.Reference("x"), 4.0),
		"x = 5":         iceberg.EqualTo(iceberg.Reference("x"), 5.0),
		"x = 0":         iceberg.EqualTo(iceberg.Reference("x"), 0.0),
		"long text":     iceberg.EqualTo(iceberg.Reference("s"), long+"b"),
		"greatest text": iceberg.EqualTo(iceberg.Reference("s"), top+"y"),
		"bytes":         iceberg.EqualTo(iceberg.Reference("raw"), []byte(strings.Repeat("\xff", 40)+long+"b")),
	} {
		if rows := scanned(t, tbl, table.WithRowFilter(filter))["x"]; len(rows) != 1 {
			t.Errorf("%s is found in %d rows", name, len(rows))
		}
	}
}

// TestFileBytes bounds the size of data files.
func TestFileBytes(t *testing.T) {
	v, dir := numbers(t, 200_000), filepath.Join(t.TempDir(), "table")
	r := run(t, v, nil, dir, &feed.Options{FileBytes: 100 << 10})
	if r.Files < 3 || r.Added != 200_000 {
		t.Errorf("the run did %+v", r)
	}
	if n := len(dataFiles(t, load(t, dir))); n != r.Files {
		t.Errorf("the table has %d files of %d", n, r.Files)
	}
	wantNumbers(t, dir, 200_000)
}

// TestNoForm writes values that the table cannot hold. The row and the column are
// named, and nothing is left behind.
func TestNoForm(t *testing.T) {
	for name, fill := range map[string]func(v *columnvault.Vault){
		"u64": func(v *columnvault.Vault) { vaulttest.Create(t, v, "x", dtype.Uint64, 0, 1<<63) },
		"u64 in vectors": func(v *columnvault.Vault) {
			vaulttest.Create(t, v, "x", dtype.Vector[uint64](2), []uint64{1, 2}, []uint64{3, 1 << 63})
		},
		"seconds": func(v *columnvault.Vault) {
			grow(t, v, []kind{{Column: formattest.Column{Name: "x", Type: "i64", Meaning: "time=s", Value: func(i int) any { return int64(i) * 1e13 }}}}, 0, 2)
		},
		"nanoseconds": func(v *columnvault.Vault) {
			grow(t, v, []kind{{Column: formattest.Column{Name: "x", Type: "i64", Meaning: "time=ns", Value: func(i int) any { return int64(i) }}}}, 0, 2)
		},
		"dates": func(v *columnvault.Vault) {
			grow(t, v, []kind{{Column: formattest.Column{Name: "x", Type: "i64", Meaning: "date", Value: func(i int) any { return int64(i) << 40 }}}}, 0, 2)
		},
	} {
		v, dir := vaulttest.Open(t), filepath.Join(t.TempDir(), "table")
		fill(v)
		_, err := feed.Iceberg(t.Context(), v, nil, dir, nil)
		if !errors.Is(err, dtype.ErrValue) || !strings.Contains(err.Error(), `row 1, column "x"`) {
			t.Errorf("%s: the error is %v", name, err)
		}
		left, err := os.ReadDir(filepath.Join(dir, "data"))
		if len(left) > 0 || err != nil {
			t.Errorf("%s: the data files %v are left, %v", name, left, err)
		}
	}
}
