package viewer_test

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"columnvault/dtype"
	"columnvault/internal/vaulttest"
	"columnvault/viewer"
)

// foreign are names that other programs give, and this one does not, and one that
// looks like the address of another.
var foreign = []string{"", "\xff", "\xfe", "a\x00b", "a.\xff", "\xff.a", "\xc3<script>", "\xed\xa0\x80", "base64:_w", "base64:", strings.Repeat("long", 500)}

// addressed is a name as the page has it.
func addressed(name string) string {
	if name == "" || strings.HasPrefix(name, "base64:") || strings.ToValidUTF8(name, "") != name {
		return "base64:" + base64.RawURLEncoding.EncodeToString([]byte(name))
	}
	return name
}

// TestForeignNames: columns and tables whose names are not text, empty or longer
// than ours are reached, each by an address of its own, which every answer has.
func TestForeignNames(t *testing.T) {
	v := vaulttest.Open(t)
	names := append([]string{"a"}, foreign...)
	for i := range names {
		vaulttest.Create(t, v, fmt.Sprintf("n%d", i), dtype.Int64, int64(i), int64(i), int64(i))
	}
	vaulttest.Must(t, v.KVTable("n0").Put(t.Context(), []byte("k"), []byte("v")))
	for i, name := range names {
		vaulttest.ExecSQL(t, v.Path(), fmt.Sprintf("UPDATE col_meta SET name = CAST(x'%x' AS TEXT) WHERE name = 'n%d'", name, i))
	}
	h := viewer.Handler(v, viewer.Options{})
	type named struct{ Column string }
	type columns struct{ Name, Field string }
	listed := map[string]bool{}
	for _, g := range answer[struct {
		Groups []struct {
			Name    string
			Columns []columns
		}
	}](t, h, "/api/overview").Groups {
		for _, c := range g.Columns {
			listed[c.Name] = true
			if c.Name == addressed("\xff.a") && (g.Name != addressed("\xff") || c.Field != "a") || c.Name == addressed("a.\xff") && (g.Name != "a" || c.Field != addressed("\xff")) {
				t.Errorf("%q is the column %q of the group %q", c.Name, c.Field, g.Name)
			}
		}
	}
	for i, name := range names {
		at := q("column", addressed(name))
		if !listed[addressed(name)] {
			t.Errorf("%q is not listed", name)
		}
		if c := answer[columns](t, h, "/api/column"+at); c.Name != addressed(name) {
			t.Errorf("%q is called %q", name, c.Name)
		}
		for _, target := range []string{"/api/summaries", "/api/storage"} {
			if got := answer[[]named](t, h, target+at); got[0].Column != addressed(name) {
				t.Errorf("%s: %q is called %q", target, name, got[0].Column)
			}
		}
		if got := answer[struct{ Columns []named }](t, h, "/api/rows"+at); got.Columns[0].Column != addressed(name) {
			t.Errorf("rows: %q is called %q", name, got.Columns[0].Column)
		}
		for _, target := range []string{at, at + "&x=" + url.QueryEscape(addressed(name))} {
			got := answer[struct {
				X      []float64
				Series []struct {
					Column string
					Y      []float64
				}
			}](t, h, "/api/plot"+target)
			if s := got.Series[0]; s.Column != addressed(name) || s.Y[0] != float64(i) {
				t.Errorf("plot: %q is called %q, and has %v", name, s.Column, s.Y)
			}
		}
		if got := answer[struct{ Text string }](t, h, "/api/element"+at); got.Text != fmt.Sprint(i) {
			t.Errorf("%q has the element %s, want %d", name, got.Text, i)
		}
		for _, target := range []string{"/api/histogram" + at, "/api/find" + at + "&value=1", "/content/element" + at} {
			if w := get(t, h, target); w.Code != 200 {
				t.Errorf("%s of %q: status %d, %s", target, name, w.Code, w.Body)
			}
		}
	}
}

// isTable tells whether a key-value table can have a name: SQLite ends names at
// the first NUL, and one without a name is not listed.
func isTable(name string) bool { return name != "" && !strings.ContainsRune(name, 0) }

// TestForeignTables: so are key-value tables.
func TestForeignTables(t *testing.T) {
	v := vaulttest.Open(t)
	for _, name := range foreign {
		if !isTable(name) {
			continue
		}
		vaulttest.ExecSQL(t, v.Path(), fmt.Sprintf("CREATE TABLE \"%s\" (key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL)", name), fmt.Sprintf("INSERT INTO \"%s\" VALUES (x'6b', x'%x')", name, "value of "+name))
	}
	h := viewer.Handler(v, viewer.Options{})
	listed := strings.Join(answer[struct{ Keys []string }](t, h, "/api/overview").Keys, "|") + "|"
	for _, name := range foreign {
		if !isTable(name) {
			continue
		}
		if !strings.Contains(listed, addressed(name)+"|") {
			t.Errorf("%q is not listed in %s", name, listed)
		}
		at := q("table", addressed(name))
		if got := answer[struct{ Keys []struct{ Text string } }](t, h, "/api/keys"+at); len(got.Keys) != 1 || got.Keys[0].Text != "k" {
			t.Errorf("%q has the keys %v", name, got.Keys)
		}
		if w := get(t, h, "/api/key"+at+"&key="+key("k")); w.Code != 200 {
			t.Errorf("the key of %q: status %d, %s", name, w.Code, w.Body)
		}
		if w := get(t, h, "/content/key"+at+"&key="+key("k")); w.Body.String() != "value of "+name {
			t.Errorf("the value of %q is %q", name, w.Body)
		}
	}
}
