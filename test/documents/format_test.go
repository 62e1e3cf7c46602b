package documents_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/store"
	"columnvault/internal/vaulttest"
)

// formatDoc is docs/format.md as far as it can be checked: the rows of its
// tables by the first line of these, and its blocks of SQL.
type formatDoc struct {
	tables map[string][][]string
	sql    []string
}

func readFormatDoc(t *testing.T) formatDoc {
	t.Helper()
	text := vaulttest.ReadFile(t, "docs", "format.md")
	doc := formatDoc{tables: map[string][][]string{}}
	header := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		switch {
		case !strings.HasPrefix(line, "|"):
			header = ""
		case header == "":
			header = line
		case !strings.HasPrefix(line, "|---"):
			doc.tables[header] = append(doc.tables[header], cellsOf(line))
		}
	}
	for _, block := range regexp.MustCompile("(?s)```sql\n(.*?)\n```").FindAllSubmatch(text, -1) {
		doc.sql = append(doc.sql, string(block[1]))
	}
	return doc
}

// cellsOf returns the cells of a row, without the marks of code.
func cellsOf(line string) []string {
	cells := strings.Split(strings.Trim(line, "|"), "|")
	for i, cell := range cells {
		cell = strings.TrimSpace(cell)
		if inner, ok := strings.CutPrefix(cell, "`"); ok {
			cell = strings.TrimSuffix(inner, "`")
		}
		cells[i] = cell
	}
	return cells
}

// table returns the rows of all tables with this first line.
func (d formatDoc) table(t *testing.T, columns ...string) [][]string {
	t.Helper()
	rows := d.tables["| "+strings.Join(columns, " | ")+" |"]
	if len(rows) == 0 {
		t.Fatalf("docs/format.md has no table of %v", columns)
	}
	for _, row := range rows {
		if len(row) != len(columns) {
			t.Fatalf("docs/format.md: the row %q has %d cells and not %d", row, len(row), len(columns))
		}
	}
	return rows
}

// parseHex reads bytes as docs/format.md writes them.
func parseHex(t *testing.T, text string) []byte {
	t.Helper()
	if text == "none" {
		return nil
	}
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatalf("docs/format.md: %q: %v", text, err)
	}
	return b
}

// parseJSON reads a value of a table.
func parseJSON(t *testing.T, text string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var value any
	err := d.Decode(&value)
	if err == nil && !d.More() {
		return value
	}
	f, err := strconv.ParseFloat(text, 64) // +Inf and the like
	if err != nil {
		t.Fatalf("docs/format.md: %q is no value", text)
	}
	return f
}

func parseDType(t *testing.T, text string) dtype.Type[any] {
	t.Helper()
	typ, err := dtype.Parse(text)
	if err != nil {
		t.Fatalf("docs/format.md: %v", err)
	}
	return typ
}

// storedAs is what a value of a table becomes in a column.
func storedAs(t *testing.T, typ dtype.Type[any], value string) []byte {
	t.Helper()
	b, err := typ.Append(nil, parseJSON(t, value))
	if err != nil {
		t.Errorf("docs/format.md: %v %s: %v", typ, value, err)
	}
	return b
}

// TestFormatLayouts checks the numbers and names of the layouts.
func TestFormatLayouts(t *testing.T) {
	layouts := map[string]store.Layout{"LayoutV0": store.LayoutV0, "LayoutV1": store.LayoutV1, "LayoutNative": store.LayoutNative}
	for _, row := range readFormatDoc(t).table(t, "layout", "name", "columns of", "in this document") {
		if number, known := layouts[row[1]]; !known || row[0] != fmt.Sprint(number) {
			t.Errorf("docs/format.md: layout %s has the name %s, which is %d", row[0], row[1], number)
		}
		delete(layouts, row[1])
	}
	for name := range layouts {
		t.Errorf("docs/format.md does not name %s", name)
	}
}

// TestFormatDTypes checks what docs/format.md says of the names of dtypes.
func TestFormatDTypes(t *testing.T) {
	doc := readFormatDoc(t)
	for _, row := range doc.table(t, "spelling", "canonical", "bytes of an element") {
		size := "vary"
		spec, err := dtype.ParseSpec(row[0])
		if spec.ElemSize() > 0 {
			size = strconv.Itoa(spec.ElemSize())
		}
		if err != nil || spec.String() != row[1] || size != row[2] {
			t.Errorf("docs/format.md: %q is %v of %s bytes, %v; the text says %s of %s", row[0], spec, size, err, row[1], row[2])
		}
	}
	for _, row := range doc.table(t, "not a dtype", "because") {
		if spec, err := dtype.ParseSpec(row[0]); err == nil {
			t.Errorf("docs/format.md: %q is a dtype: %v", row[0], spec)
		}
	}
}

// TestFormatElements checks the bytes that docs/format.md gives for values.
func TestFormatElements(t *testing.T) {
	doc := readFormatDoc(t)
	for _, row := range doc.table(t, "dtype", "value", "bytes") {
		typ, want := parseDType(t, row[0]), parseHex(t, row[2])
		if got := storedAs(t, typ, row[1]); !bytes.Equal(got, want) {
			t.Errorf("docs/format.md: %s %s is stored as % x, the text says % x", row[0], row[1], got, want)
		}
		value, err := typ.Decode(want)
		if err != nil {
			t.Errorf("docs/format.md: %s: % x does not decode: %v", row[0], want, err)
			continue
		}
		if back, err := typ.Append(nil, value); err != nil || !bytes.Equal(back, want) {
			t.Errorf("docs/format.md: %s: % x is read as %v and then stored as % x, %v", row[0], want, value, back, err)
		}
	}
	for _, row := range doc.table(t, "dtype", "stored bytes", "read as") {
		typ := parseDType(t, row[0])
		value, err := typ.Decode(parseHex(t, row[1]))
		if err != nil {
			t.Errorf("docs/format.md: %s: %s does not decode: %v", row[0], row[1], err)
			continue
		}
		got, err := typ.Append(nil, value)
		if want := storedAs(t, typ, row[2]); err != nil || !bytes.Equal(got, want) {
			t.Errorf("docs/format.md: %s: %s is read as %#v, the text says %s; %v", row[0], row[1], value, row[2], err)
		}
	}
	for _, row := range doc.table(t, "dtype", "refused bytes", "because") {
		if value, err := parseDType(t, row[0]).Decode(parseHex(t, row[1])); err == nil {
			t.Errorf("docs/format.md: %s: %s is read as %#v", row[0], row[1], value)
		}
	}
	for _, row := range doc.table(t, "type byte", "elements") {
		kind, ok := dtype.VectorElem(parseHex(t, row[0]))
		if !ok || kind.String() != row[1] {
			t.Errorf("docs/format.md: the type byte %s stands for %v", row[0], kind)
		}
	}
}

// TestFormatMeanings compares what is said of missing elements with the codecs.
func TestFormatMeanings(t *testing.T) {
	doc := readFormatDoc(t)
	for _, row := range doc.table(t, "nullable dtype", "bytes of a missing element", "also missing", "in 0.8.6") {
		typ := dtype.Meaning{Null: true}.Type(parseDType(t, row[0]).Spec())
		stored, err := typ.Append(nil, nil)
		if want := parseHex(t, row[1]); err != nil || !bytes.Equal(stored, want) {
			t.Errorf("a missing element of %s is stored as %x, %v, want %x", row[0], stored, err, want)
		}
		for _, cell := range row[1:3] {
			if cell == "none" {
				continue
			}
			if v, err := typ.Decode(parseHex(t, cell)); v != nil || err != nil {
				t.Errorf("%s: %s is read as %v, %v", row[0], cell, v, err)
			}
		}
	}
	for _, row := range doc.table(t, "word", "of", "says that") {
		word := strings.Replace(row[0], "NAME", "Etc/UTC time=s", 1)
		if m, err := dtype.ParseMeaning(word); err != nil || m.Check(dtype.Int64.Spec()) != nil {
			t.Errorf("%s is %v, %v", row[0], m, err)
		}
	}
}

// TestFormatTables compares the SQL of docs/format.md with that in a new vault
// and in one that KohakuVault wrote.
func TestFormatTables(t *testing.T) {
	doc := readFormatDoc(t)
	path := filepath.Join(t.TempDir(), "vault.db")
	v, err := columnvault.Open(t.Context(), path, nil)
	vaulttest.Must(t, err)
	vaulttest.Must(t, v.KV().Put(t.Context(), nil, nil))
	vaulttest.Must(t, v.Close())
	const query = `SELECT sql || ';;' FROM sqlite_schema WHERE sql IS NOT NULL`
	isAlter := func(sql string) bool { return strings.HasPrefix(sql, "ALTER") }
	isLayout1 := func(sql string) bool { return strings.Contains(sql, "kvault_col_") }
	others := func(sql string) bool { return !isLayout1(sql) || isNative(sql) }
	layout1 := slices.DeleteFunc(slices.Sorted(slices.Values(doc.sql)), others)
	want := slices.DeleteFunc(slices.Sorted(slices.Values(doc.sql)), func(sql string) bool { return isAlter(sql) || isLayout1(sql) || isNative(sql) })
	statements := func(path string) []string {
		all := strings.Split(strings.Join(vaulttest.QuerySQL(t, path, query), "\n"), ";;")
		for i, sql := range all {
			all[i] = strings.Replace(strings.TrimPrefix(sql, "\n"), `"kv"`, "kv", 1)
		}
		return slices.Sorted(slices.Values(all[:len(all)-1]))
	}
	vaulttest.WantValues(t, "the SQL of a new vault", statements(path), want)
	vaulttest.ExecSQL(t, path, doc.sql[slices.IndexFunc(doc.sql, isAlter)])
	altered := statements(path)
	path = filepath.Join(t.TempDir(), "meanings.db")
	v = vaulttest.OpenAt(t, path, nil)
	vaulttest.Create(t, v, "day", dtype.Date)
	vaulttest.Must(t, v.KV().Put(t.Context(), nil, nil))
	vaulttest.Must(t, v.Close())
	vaulttest.WantValues(t, "the SQL of a vault with a meaning", statements(path), altered)
	vaulttest.WantValues(t, "the SQL of layout 1 in a file of KohakuVault", slices.DeleteFunc(statements(vaulttest.CopyGolden(t, "v1", "many.db")), others), layout1)
	path = filepath.Join(t.TempDir(), "migrated.db")
	v = vaulttest.OpenAt(t, path, nil)
	vaulttest.Create(t, v, "n", dtype.Int64, 1)
	vaulttest.Must(t, vaulttest.ErrOf(v.Migrate(t.Context(), columnvault.MigrateOptions{To: 1})))
	vaulttest.Must(t, v.Close())
	vaulttest.WantValues(t, "the SQL of layout 1 in a vault", slices.DeleteFunc(statements(path), others), layout1)
	want = slices.DeleteFunc(want, func(sql string) bool { return strings.Contains(sql, "columnvault_chunks") })
	vaulttest.WantValues(t, "the SQL of a file of KohakuVault", statements(vaulttest.CopyGolden(t, "v0", "shared_with_kv.db")), want)
}

// TestFormatExample makes the columns that docs/format.md takes apart.
func TestFormatExample(t *testing.T) {
	doc := readFormatDoc(t)
	path := filepath.Join(t.TempDir(), "vault.db")
	v, err := columnvault.Open(t.Context(), path, nil)
	vaulttest.Must(t, err)
	vaulttest.CreateWith(t, v, "n", dtype.Int64, vaulttest.Chunks(64, 240), 1, 2, 3)
	vaulttest.CreateWith(t, v, "s", dtype.String, vaulttest.Chunks(64, 240), "one", "", "three")
	vaulttest.Must(t, v.Close())

	columns := []string{"col_id", "name", "dtype", "elem_size", "length", "chunk_bytes", "min_chunk_bytes", "max_chunk_bytes"}
	wantRows(t, doc.table(t, columns...), vaulttest.QuerySQL(t, path, "SELECT "+strings.Join(columns, ", ")+" FROM col_meta ORDER BY col_id"))

	rows := doc.table(t, "col_id", "chunk_idx", "data, and zeros after it", "actual_size", "bytes_used")
	for i, row := range rows {
		size, err := strconv.Atoi(row[3])
		vaulttest.Must(t, err)
		data := make([]byte, size)
		copy(data, parseHex(t, row[2]))
		rows[i][2] = fmt.Sprintf("%X", data)
	}
	wantRows(t, rows, vaulttest.QuerySQL(t, path, "SELECT col_id, chunk_idx, hex(data), actual_size, bytes_used FROM col_chunks ORDER BY col_id"))
}

func wantRows(t *testing.T, doc [][]string, file []string) {
	t.Helper()
	vaulttest.WantValues(t, "rows of docs/format.md and of a file", vaulttest.Sequence(len(doc), func(i int) string { return strings.Join(doc[i], " ") }), file)
}

// TestFormatGrowth makes chunks grow as docs/format.md says.
func TestFormatGrowth(t *testing.T) {
	for _, row := range readFormatDoc(t).table(t, "elements", "appended", "capacities of the chunks") {
		n, err := strconv.Atoi(row[0])
		vaulttest.Must(t, err)
		path := filepath.Join(t.TempDir(), "vault.db")
		v, err := columnvault.Open(t.Context(), path, nil)
		vaulttest.Must(t, err)
		c := vaulttest.CreateWith(t, v, "c", dtype.Int64, vaulttest.Chunks(104, 1000))
		if row[1] == "at once" {
			vaulttest.Must(t, c.Append(t.Context(), make([]int64, n)...))
		} else {
			vaulttest.AppendEach(t, c, make([]int64, n))
		}
		vaulttest.Must(t, v.Close())
		got := vaulttest.QuerySQL(t, path, "SELECT actual_size FROM col_chunks ORDER BY chunk_idx")
		if got := strings.Join(got, ", "); got != row[2] {
			t.Errorf("docs/format.md: %d elements appended %s take chunks of %s, the text says %s", n, row[1], got, row[2])
		}
	}
}

// parseKV reads a value of a table of key-value pairs: JSON, bytes, or a vector
// after the type of its numbers.
func parseKV(t *testing.T, text string) any {
	t.Helper()
	if b, ok := strings.CutPrefix(text, "bytes "); ok {
		return parseHex(t, b)
	}
	if elem, numbers, ok := strings.Cut(text, " "); ok && strings.ContainsAny(elem[:1], "fiu") {
		typ := parseDType(t, fmt.Sprintf("vec:%s:%d", elem, len(parseJSON(t, numbers).([]any))))
		value, err := typ.Decode(storedAs(t, typ, numbers))
		vaulttest.Must(t, err)
		return value
	}
	value := parseJSON(t, text)
	if number, ok := value.(json.Number); ok {
		if i, err := number.Int64(); err == nil {
			return i
		}
		f, err := number.Float64()
		vaulttest.Must(t, err)
		return f
	}
	return value
}

// TestFormatValues checks the stored forms of values under keys.
func TestFormatValues(t *testing.T) {
	doc := readFormatDoc(t)
	path := filepath.Join(t.TempDir(), "vault.db")
	v, err := columnvault.Open(t.Context(), path, nil)
	vaulttest.Must(t, err)
	encodings := map[string]columnvault.ValueEncoding{}
	for _, row := range doc.table(t, "number", "encoding", "payload") {
		n, err := strconv.ParseUint(row[0], 10, 8)
		vaulttest.Must(t, err)
		if e := columnvault.ValueEncoding(n); e.String() != row[1] {
			t.Errorf("docs/format.md: the encoding %d is %v", n, e)
		}
		encodings[row[1]] = columnvault.ValueEncoding(n)
	}
	var want []string
	for i, row := range doc.table(t, "encoding", "value", "stored") {
		e, known := encodings[row[0]]
		if !known {
			t.Fatalf("docs/format.md: there is no encoding %s", row[0])
		}
		vaulttest.Must(t, v.KV().PutValueAs(t.Context(), fmt.Appendf(nil, "%04d", i), e, parseKV(t, row[1])))
		want = append(want, fmt.Sprintf("%X", parseHex(t, row[2])))
	}
	key := []byte("by itself")
	for _, row := range doc.table(t, "value", "encoding by itself") {
		vaulttest.Must(t, v.KVTable("other").PutValue(t.Context(), key, parseKV(t, row[0])))
		if info, err := v.KVTable("other").Stat(t.Context(), key); err != nil || info.Encoding.String() != row[1] {
			t.Errorf("docs/format.md: %s is stored as %v, the text says %s; %v", row[0], info.Encoding, row[1], err)
		}
	}
	vaulttest.Must(t, v.Close())
	vaulttest.WantValues(t, "the values of docs/format.md", vaulttest.QuerySQL(t, path, "SELECT hex(value) FROM kv ORDER BY key"), want)
}

// TestFormatDifferences requires that docs/format.md lists the same differences
// from KohakuVault as the test in package dtype that finds them.
func TestFormatDifferences(t *testing.T) {
	var listed []string
	for _, row := range readFormatDoc(t).table(t, "case", "what happens here", "because") {
		listed = append(listed, row[1]+": "+row[0])
	}
	file, err := parser.ParseFile(token.NewFileSet(), vaulttest.File(t, "dtype", "golden_test.go"), nil, 0)
	vaulttest.Must(t, err)
	found := differencesIn(t, file)
	slices.Sort(listed)
	slices.Sort(found)
	vaulttest.WantValues(t, "the differences of docs/format.md and of dtype/golden_test.go", listed, found)
}

// differencesIn returns the cases in the map of differences, each after what
// is done with it.
func differencesIn(t *testing.T, file *ast.File) (found []string) {
	t.Helper()
	var list *ast.CompositeLit
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && spec.Names[0].Name == "differences" {
			list = spec.Values[0].(*ast.CompositeLit)
		}
		return list == nil
	})
	if list == nil {
		t.Fatal("dtype/golden_test.go has no list of differences")
	}
	text := func(e ast.Expr) string {
		s, err := strconv.Unquote(e.(*ast.BasicLit).Value)
		vaulttest.Must(t, err)
		return s
	}
	for _, entry := range list.Elts {
		pair := entry.(*ast.KeyValueExpr)
		done, _, _ := strings.Cut(text(pair.Key), ",")
		for _, name := range pair.Value.(*ast.CompositeLit).Elts {
			found = append(found, done+": "+text(name))
		}
	}
	return found
}

// breaks says for each rule of docs/format.md how to break it, in a vault of a
// fixed column of three chunks, 1, and a variable-size one of three, 2 and 3,
// and a word of what Check has to say.
var breaks = map[string]struct{ sql, word string }{
	"elem_size is that of the dtype": {`UPDATE col_meta SET dtype = 'i32' WHERE col_id = 1`, "size of 8"},
	"the bounds are possible: 1 ≤ minimum ≤ maximum, with a multiple of the element size between them": {
		`UPDATE col_meta SET max_chunk_bytes = 7, min_chunk_bytes = 7 WHERE col_id = 1`, "bounds"},
	"the length is possible":                                 {`UPDATE col_meta SET length = -1 WHERE col_id = 1`, "length"},
	"both rows of a pair exist":                              {`DELETE FROM col_meta WHERE col_id = 3`, "half"},
	"every chunk belongs to a column":                        {`PRAGMA foreign_keys = OFF; INSERT INTO col_chunks (col_id, chunk_idx, data, actual_size) VALUES (99, 0, x'00', 1)`, "belong to no column"},
	"the chunks 0, 1, 2 ... that the length needs all exist": {`DELETE FROM col_chunks WHERE col_id = 1 AND chunk_idx = 1`, "missing"},
	"the last of them has the capacity for its elements":     {`UPDATE col_chunks SET actual_size = 8 WHERE col_id = 1 AND chunk_idx = 2`, "capacity of 8"},
	"all before it have exactly the capacity M":              {`UPDATE col_chunks SET actual_size = 992 WHERE col_id = 1 AND chunk_idx = 0`, "not the last"},
	"no chunk has more than M":                               {`UPDATE col_chunks SET actual_size = 1001, data = CAST(data || zeroblob(1000) AS BLOB) WHERE col_id = 1 AND chunk_idx = 2`, "above the maximum"},
	"no chunk lies wholly past the end, or has a negative number": {
		`INSERT INTO col_chunks (col_id, chunk_idx, data, actual_size) VALUES (1, 3, zeroblob(104), 104), (1, -1, zeroblob(104), 104)`, "wholly past"},
	"bytes_used is 0": {`UPDATE col_chunks SET bytes_used = 8 WHERE col_id = 1 AND chunk_idx = 2`, "the rule is 0"},
	"every entry has 0 ≤ chunk, 0 ≤ start ≤ end":             {`UPDATE col_chunks SET data = CAST(x'ffffffff' || substr(data, 5) AS BLOB) WHERE col_id = 3`, "points nowhere"},
	"the chunk of every element exists":                      {`DELETE FROM col_chunks WHERE col_id = 2 AND chunk_idx = 64`, "does not exist"},
	"every element ends within its chunk":                    {`UPDATE col_chunks SET actual_size = 10, bytes_used = 10 WHERE col_id = 2 AND chunk_idx = 0`, "which has 10 bytes"},
	"elements ascend inside a chunk and do not overlap":      {`UPDATE col_chunks SET data = CAST(substr(data, 13, 12) || substr(data, 1, 12) || substr(data, 25) AS BLOB) WHERE col_id = 3`, "before the end"},
	"every element ends at or before bytes_used":             {`UPDATE col_chunks SET bytes_used = 10 WHERE col_id = 2 AND chunk_idx = 0`, "count as used"},
	"bytes_used ≤ actual_size":                               {`UPDATE col_chunks SET bytes_used = 1000 WHERE col_id = 2 AND chunk_idx = 0`, "1000 bytes count as used"},
	"the maximum is that of the index, and a multiple of 12": {`UPDATE col_meta SET max_chunk_bytes = 128 WHERE col_id = 2`, "updates elements"},
	"no chunk is above the maximum, but for a single large element": {
		`UPDATE col_chunks SET actual_size = 130, data = CAST(data || zeroblob(120) AS BLOB) WHERE col_id = 2 AND chunk_idx = 0`, "above the maximum"},
	"every chunk holds an element":             {`INSERT INTO col_chunks (col_id, chunk_idx, data, actual_size) VALUES (2, 5, zeroblob(72), 72)`, "wasted"},
	"the number of a chunk is 0 to 2^31-1":     {`INSERT INTO col_chunks (col_id, chunk_idx, data, actual_size) VALUES (2, 2147483648, zeroblob(72), 72)`, "no index entry"},
	"the capacity is above 0":                  {`INSERT INTO col_chunks (col_id, chunk_idx, data, actual_size) VALUES (2, 5, x'', 0)`, "capacity of 0"},
	"data has the bytes in which elements lie": {`UPDATE col_chunks SET data = substr(data, 1, 50) WHERE chunk_idx = 0`, "fewer than the"},
	"data has at least actual_size bytes":      {`UPDATE col_chunks SET data = substr(data, 1, 60) WHERE col_id = 2 AND chunk_idx = 128`, "shorter"},
}

// TestFormatRules breaks each rule of docs/format.md and requires that Check
// reports what the text says.
func TestFormatRules(t *testing.T) {
	broken := 0
	for _, row := range readFormatDoc(t).table(t, "rule", "if it is broken") {
		rule := strings.ReplaceAll(row[0], "`", "")
		if strings.HasPrefix(rule, "**") {
			continue // the title of a group
		}
		b, known := breaks[rule]
		if !known {
			t.Errorf("docs/format.md: no way to break the rule %q", rule)
			continue
		}
		broken++
		path := filepath.Join(t.TempDir(), "vault.db")
		v, err := columnvault.Open(t.Context(), path, nil)
		vaulttest.Must(t, err)
		vaulttest.CreateWith(t, v, "n", dtype.Int64, vaulttest.Chunks(104, 1000), make([]int64, 300)...)
		vaulttest.CreateWith(t, v, "s", dtype.String, vaulttest.Chunks(72, 120), vaulttest.Sequence(10, func(i int) string { return fmt.Sprintf("%030d", i) })...)
		vaulttest.WantSound(t, v)
		vaulttest.Must(t, v.Close())
		vaulttest.ExecSQL(t, path, b.sql)
		if v, err = columnvault.Open(t.Context(), path, &columnvault.Options{ReadOnly: true}); err != nil {
			t.Fatal(err)
		}
		found := vaulttest.Found(t, v, columnvault.CheckOptions{})
		vaulttest.Must(t, v.Close())
		severity := columnvault.SeverityHazard
		if strings.HasPrefix(row[1], "damage") {
			severity = columnvault.SeverityDamage
		}
		if !slices.ContainsFunc(found, func(f columnvault.Finding) bool { return f.Severity == severity && strings.Contains(f.Text, b.word) }) ||
			slices.ContainsFunc(found, func(f columnvault.Finding) bool { return f.Severity > severity }) {
			t.Errorf("docs/format.md: breaking %q is said to be %s, and Check finds %+v", rule, row[1], found)
		}
	}
	if broken != len(breaks) {
		t.Errorf("docs/format.md has %d of the %d rules", broken, len(breaks))
	}
}
