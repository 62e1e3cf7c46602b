package viewer_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
	"columnvault/viewer"
)

// A parameter is a name, one of several names, a number, a text, a key or a flag.
const (
	aName = iota
	names
	aCount
	aFloat
	aText
	aKey
	aFlag
)

// addresses are all that answer, with parameters that each takes.
var addresses = []struct {
	path  string
	kinds map[string]int
	good  url.Values
}{
	{"/api/overview", nil, nil},
	{"/api/summaries", map[string]int{"column": names}, url.Values{"column": {"log.value"}}},
	{"/api/column", map[string]int{"column": aName}, url.Values{"column": {"log.value"}}},
	{"/api/histogram", map[string]int{"column": aName, "bins": aCount, "from": aCount, "to": aCount}, url.Values{"column": {"log.value"}}},
	{"/api/plot", map[string]int{"column": names, "x": aName, "from": aCount, "to": aCount, "low": aFloat, "high": aFloat, "width": aCount}, url.Values{"column": {"log.value"}, "x": {"log.time"}}},
	{"/api/rows", map[string]int{"column": names, "from": aCount, "count": aCount}, url.Values{"column": {"log.value"}}},
	{"/api/element", map[string]int{"column": aName, "position": aCount}, url.Values{"column": {"log.text"}}},
	{"/api/find", map[string]int{"column": aName, "value": aText, "op": aText, "from": aCount}, url.Values{"column": {"log.text"}, "value": {"7"}}},
	{"/api/storage", map[string]int{"column": names}, url.Values{"column": {"log.value"}}},
	{"/api/file", nil, nil},
	{"/api/keys", map[string]int{"table": aName, "prefix": aText, "after": aKey, "count": aCount}, url.Values{"table": {"kv"}}},
	{"/api/key", map[string]int{"table": aName, "key": aKey}, url.Values{"table": {"kv"}, "key": {key("png")}}},
	{"/api/tables", nil, nil},
	{"/api/sql", map[string]int{"statement": aText, "count": aCount}, url.Values{"statement": {"SELECT 1"}}},
	{"/api/check", map[string]int{"full": aFlag}, nil},
	{"/content/element", map[string]int{"column": aName, "position": aCount}, url.Values{"column": {"log.text"}}},
	{"/content/key", map[string]int{"table": aName, "key": aKey, "download": aFlag}, url.Values{"table": {"kv"}, "key": {key("png")}}},
	{"/content/sql.csv", map[string]int{"statement": aText}, url.Values{"statement": {"SELECT 1"}}},
}

// ask asks for an address, with a query as it is.
func ask(h http.Handler, method, path, query string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/", nil)
	r.URL = &url.URL{Path: path, RawQuery: query}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// TestHostileParameters gives every parameter of every address what it does not
// take. Each is refused, in few words, and none makes the server say that it is at
// fault.
func TestHostileParameters(t *testing.T) {
	h := viewer.Handler(some(t), viewer.Options{})
	numbers := []string{"-1", "-9223372036854775808", "9223372036854775808", "99999999999999999999999999", "1e3", "1.5", "NaN", "Inf", "0x10", " 1", "1 ", "1_0", "\u0661", "1\x00", strings.Repeat("1", 60_000)}
	bad := map[int][]string{
		aName:  {"", "base64:YQ", "base64:!", strings.Repeat("n", 5000)},
		names:  {"", "base64:YQ", "base64:!", strings.Repeat("n", 5000)},
		aCount: numbers,
		aFloat: {"NaN", "Inf", "-Inf", "1e999", "x", "1,5", " 1", "1\x00", strings.Repeat("1", 60_000)},
		aText:  {strings.Repeat("x", 17<<10)},
		aKey:   {"*", "a=", "a", "\x00", strings.Repeat("A", 40_000)},
		aFlag:  {"-1", "2", "true", "10", "NaN"},
	}
	for _, a := range addresses {
		if w := ask(h, "GET", a.path, a.good.Encode()); w.Code != http.StatusOK {
			t.Errorf("%s: status %d, %s", a.path, w.Code, w.Body)
		}
		for name, kind := range a.kinds {
			with := func(list ...string) string {
				q := url.Values{}
				for k, v := range a.good {
					q[k] = v
				}
				q[name] = list
				return q.Encode()
			}
			refused := []string{with("\xff"), with("a\xc3"), name + "=%zz", with(strings.Repeat("y", 1<<20))}
			if kind != names {
				refused = append(refused, with("0", "0"), with("", ""))
			}
			for _, value := range bad[kind] {
				if value == "" && name == "x" {
					continue // over positions
				}
				refused = append(refused, with(value))
			}
			for _, query := range refused {
				w := ask(h, "GET", a.path, query)
				var failure struct{ Error string }
				if err := json.Unmarshal(w.Body.Bytes(), &failure); w.Code != http.StatusBadRequest && w.Code != http.StatusRequestURITooLong || err != nil || failure.Error == "" || w.Body.Len() > 500 {
					t.Errorf("%s with %s=%.60q: status %d, %d bytes, %.300s", a.path, name, query, w.Code, w.Body.Len(), w.Body)
				}
			}
			if w := ask(h, "GET", a.path, with(slices.Repeat([]string{"log.value"}, 1000)...)); w.Code != http.StatusBadRequest {
				t.Errorf("%s with 1,000 times %s: status %d, %.200s", a.path, name, w.Code, w.Body)
			}
		}
		if w := ask(h, "GET", a.path, "x="+strings.Repeat("z", 1<<20)); w.Code != http.StatusRequestURITooLong {
			t.Errorf("%s with a query of 1 MiB: status %d", a.path, w.Code)
		}
	}
}

// TestExtremeParameters gives every number the largest and smallest that there
// are: that may find nothing, but the server is not at fault.
func TestExtremeParameters(t *testing.T) {
	h := viewer.Handler(some(t), viewer.Options{})
	extremes := map[int][]string{
		aCount: {"0", "1", fmt.Sprint(math.MaxInt), fmt.Sprint(math.MaxInt - 1)},
		aFloat: {"1.7976931348623157e308", "-1.7976931348623157e308", "5e-324", "-0"},
	}
	for _, a := range addresses {
		for name, kind := range a.kinds {
			for other, otherKind := range a.kinds {
				for _, value := range extremes[kind] {
					for _, otherValue := range append(extremes[otherKind], "") {
						q := maps.Clone(a.good)
						q.Set(name, value)
						if other != name && otherValue != "" {
							q.Set(other, otherValue)
						}
						w := ask(h, "GET", a.path, q.Encode())
						if w.Code != 200 && w.Code != 400 && w.Code != 404 || !json.Valid(w.Body.Bytes()) && strings.HasPrefix(a.path, "/api") {
							t.Errorf("%s?%s: status %d, %.200s", a.path, q.Encode(), w.Code, w.Body)
						}
					}
				}
			}
		}
	}
}

// TestHeads: HEAD is answered by every address, with what GET has but the body.
func TestHeads(t *testing.T) {
	h := viewer.Handler(some(t), viewer.Options{})
	for _, a := range addresses {
		for _, query := range []string{a.good.Encode(), "column=missing&table=missing&statement=x"} {
			head, get := ask(h, "HEAD", a.path, query), ask(h, "GET", a.path, query)
			if head.Code != get.Code || head.Body.Len() > 0 || head.Header().Get("Content-Type") != get.Header().Get("Content-Type") || head.Header().Get("Content-Length") != get.Header().Get("Content-Length") {
				t.Errorf("%s?%s: HEAD has status %d, %v and %d bytes, GET %d, %v", a.path, query, head.Code, head.Header(), head.Body.Len(), get.Code, get.Header())
			}
		}
		for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE", "get"} {
			if w := ask(h, method, a.path, a.good.Encode()); w.Code != http.StatusMethodNotAllowed {
				t.Errorf("%s %s: status %d", method, a.path, w.Code)
			}
		}
	}
}

// TestHostileStatements: SQL that would run for ever, take all memory, write or
// reach other files is refused or ends.
func TestHostileStatements(t *testing.T) {
	v := some(t)
	h := viewer.Handler(v, viewer.Options{Timeout: 300 * time.Millisecond, MaxMemory: 16 << 20})
	const endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) "
	for _, statement := range []string{
		endless + "SELECT count(*) FROM n",
		endless + "SELECT max(a.i) FROM n AS a, n AS b",
		endless + "SELECT i FROM n WHERE i < 0",
		endless + "SELECT i FROM n ORDER BY i DESC",
		endless + "SELECT group_concat(i) FROM n",
		"SELECT zeroblob(1000000000)", "SELECT hex(zeroblob(500000000))", "SELECT printf('%1000000000d', 1)",
		"SELECT count(*) FROM log a, log b, log c, log d, log e, log f, log g, log h, log i, log j, log k",
		"ATTACH '/etc/passwd' AS p", "ATTACH ':memory:' AS m", "VACUUM INTO '/tmp/stolen.db'", "DETACH main",
		"SELECT load_extension('x')", "SELECT readfile('/etc/passwd')", "SELECT writefile('/tmp/x', 'y')",
		"INSERT INTO log (value) VALUES (1)", "UPDATE log SET value = 1", "DELETE FROM log", "CREATE TABLE x (y)", "CREATE TEMP TABLE x (y)", "DROP TABLE log",
		"PRAGMA journal_mode = DELETE", "PRAGMA writable_schema = 1", "BEGIN", "SELECT 1; DELETE FROM log", "", " ", ";", "-- no more", "\x00",
	} {
		for _, path := range []string{"/api/sql", "/content/sql.csv"} {
			w := ask(h, "GET", path, url.Values{"statement": {statement}}.Encode())
			var failure struct{ Error string }
			if err := json.Unmarshal(w.Body.Bytes(), &failure); w.Code == http.StatusOK || w.Code == http.StatusInternalServerError || err != nil || failure.Error == "" {
				t.Errorf("%s of %q: status %d, %.200s", path, statement, w.Code, w.Body)
			}
		}
	}
	w := ask(viewer.Handler(v, viewer.Options{}), "GET", "/api/sql", url.Values{"statement": {"SELECT a.value, b.value, c.text FROM log a, log b, log c, log d, log e, log f, log g, log h, log i"}}.Encode())
	var result struct {
		Rows [][]any
		Cut  bool
	}
	if json.Unmarshal(w.Body.Bytes(), &result); len(result.Rows) != 1000 || !result.Cut {
		t.Errorf("of 10^9 rows there are %d, cut %v: status %d", len(result.Rows), result.Cut, w.Code)
	}
	if open := v.Stats().SnapshotsOpen; open != 0 {
		t.Errorf("%d snapshots are open", open)
	}
}

// TestLongNames: names and keys that are too long to be asked for are not listed
// but counted, and so are names beyond a number of bytes.
func TestLongNames(t *testing.T) {
	vaulttest.NeedsFile(t)
	path := filepath.Join(t.TempDir(), "long.db")
	v := vaulttest.OpenAt(t, path, nil)
	const many = 1100
	vaulttest.Must(t, v.Update(t.Context(), func(_ context.Context, tx *columnvault.Tx) error {
		for i := range many {
			vaulttest.Create(t, tx, fmt.Sprintf("name%04d", i), dtype.Int64)
		}
		return nil
	}))
	vaulttest.Create(t, v, "short", dtype.Int64, 1)
	vaulttest.Put(t, v.KV(), "short", "value")
	vaulttest.Must(t, v.Close())
	const long = "hex(zeroblob(50000))"
	vaulttest.ExecSQL(t, path,
		"UPDATE col_meta SET name = name || "+long+" WHERE name LIKE 'name000_'",
		"UPDATE col_meta SET name = name || hex(zeroblob(2000)) WHERE name LIKE 'name____'",
		"UPDATE col_meta SET dtype = dtype || "+long+" WHERE name = 'short'",
		"INSERT INTO kv SELECT CAST(value || "+long+" AS BLOB), x'31' FROM json_each('[1,2,3]')",
		"INSERT INTO kv VALUES (CAST('z' AS BLOB), x'31')")
	v = vaulttest.OpenAt(t, path, nil)
	h := viewer.Handler(v, viewer.Options{})
	list := answer[struct {
		Groups []struct {
			Columns []struct{ Name, DType string }
		}
		More int
	}](t, h, "/api/overview")
	if columns := list.Groups[0].Columns; len(columns)+list.More != many+1 || list.More < 10 || len(columns) < 900 || columns[len(columns)-1].Name != "short" {
		t.Errorf("%d columns are listed, and %d are not", len(columns), list.More)
	} else if n := len(columns[len(columns)-1].DType); n > 1000 {
		t.Errorf("a type that nobody knows has %d bytes", n)
	}
	keys := answer[struct {
		Keys []struct{ Text string }
		Long int
	}](t, h, "/api/keys?table=kv&count=2")
	if len(keys.Keys) != 2 || keys.Keys[1].Text != "z" || keys.Long != 3 {
		t.Errorf("the keys are %v, and %d are not listed", keys.Keys, keys.Long)
	}
	for path, most := range map[string]int{"/api/overview": 12 << 20, "/api/tables": 6 << 20, "/api/keys?table=kv": 1000, "/api/check": 20 << 10} {
		if w := get(t, h, path); w.Code != http.StatusOK || w.Body.Len() > most {
			t.Errorf("%s: status %d, %d bytes", path, w.Code, w.Body.Len())
		}
	}
}
