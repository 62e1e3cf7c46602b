package parquet_test

import (
	"bytes"
	"slices"
	"testing"

	pq "github.com/parquet-go/parquet-go"

	"columnvault/exchange"
	"columnvault/exchange/parquet"
	"columnvault/internal/formattest"
	"columnvault/internal/vaulttest"
)

// TestFieldID numbers the fields of all kinds of columns. What is read stays what
// it is without numbers.
func TestFieldID(t *testing.T) {
	v := formattest.Specimen(t, formattest.Columns(), 50)
	var asked []string
	var out bytes.Buffer
	w := parquet.NewWriter(&out, &parquet.WriterOptions{FieldID: func(path string) int {
		asked = append(asked, path)
		return len(asked) - 1
	}})
	_, err := exchange.Export(t.Context(), v, nil, w, nil)
	vaulttest.Must(t, err)
	f, err := pq.OpenFile(bytes.NewReader(out.Bytes()), int64(out.Len()))
	vaulttest.Must(t, err)
	seen := map[string]int{}
	for _, c := range f.Root().Columns() {
		note(seen, "", c)
	}
	for i, path := range asked {
		if seen[path] != i {
			t.Errorf("%s has the number %d, want %d", path, seen[path], i)
		}
	}
	for _, path := range []string{"i64", "vec.list.element", "free.shape", "free.values.list.element"} {
		if !slices.Contains(asked, path) {
			t.Errorf("nobody asked for the number of %s", path)
		}
	}
	if len(seen) != len(asked) {
		t.Errorf("there are %d fields, and %d were asked for", len(seen), len(asked))
	}
	formattest.WantSame(t, formattest.Import(t, parquet.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()), nil), nil), v)
}

func note(seen map[string]int, prefix string, c *pq.Column) {
	seen[prefix+c.Name()] = c.ID()
	for _, inner := range c.Columns() {
		note(seen, prefix+c.Name()+".", inner)
	}
}
