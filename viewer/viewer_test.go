package viewer_test

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
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

var update = flag.Bool("update", false, "write the golden files anew")

// get asks a handler.
func get(t testing.TB, h http.Handler, target string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
	return w
}

// answer asks a handler for JSON.
func answer[T any](t testing.TB, h http.Handler, target string) (v T) {
	t.Helper()
	w := get(t, h, target)
	if w.Code != http.StatusOK {
		t.Fatalf("%s: status %d, %s", target, w.Code, w.Body)
	}
	vaulttest.Must(t, json.Unmarshal(w.Body.Bytes(), &v))
	return v
}

func q(pairs ...string) string {
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Add(pairs[i], pairs[i+1])
	}
	return "?" + values.Encode()
}

func key(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

var begin = time.Date(2026, 7, 31, 12, 0, 0, 0, time.UTC)

// some makes a vault with columns of every kind, and keys.
func some(t *testing.T) *columnvault.Vault {
	v := vaulttest.Open(t)
	ctx := t.Context()
	const n = 10
	at := func(i int) time.Time { return begin.Add(time.Duration(i) * time.Minute) }
	vaulttest.Create(t, v, "log.time", dtype.Timestamp(dtype.Microsecond, "Europe/Berlin"), vaulttest.Sequence(n, at)...)
	vaulttest.Create(t, v, "log.day", dtype.Date, vaulttest.Sequence(n, func(i int) time.Time { return at(i * 1440).Truncate(24 * time.Hour) })...)
	vaulttest.Create(t, v, "log.value", dtype.Nullable(dtype.Float64), vaulttest.Sequence(n, func(i int) sql.Null[float64] {
		return sql.Null[float64]{V: float64(i*i) / 4, Valid: i != 3}
	})...)
	vaulttest.Create(t, v, "log.large", dtype.Int64, vaulttest.Sequence(n, func(i int) int64 { return math.MaxInt64 - int64(i) })...)
	vaulttest.Create(t, v, "log.ok", dtype.Bool, vaulttest.Sequence(n, func(i int) bool { return i%3 == 0 })...)
	vaulttest.Create(t, v, "log.text", dtype.String, vaulttest.Sequence(n, func(i int) string { return fmt.Sprintf("line %d", i) })...)
	vaulttest.Create(t, v, "f16", dtype.Float16, 0.5, float32(math.NaN()), float32(math.Inf(1)))
	vaulttest.Create(t, v, "bytes", dtype.Bytes, []byte{}, []byte{0, 255}, vaulttest.Bytes(1, 500))
	vaulttest.Create(t, v, "long", dtype.String, strings.Repeat("ä", 300))
	vaulttest.Create(t, v, "vector", dtype.Vector[float32](3), []float32{1, 2.5, -3}, []float32{0, 0, float32(math.Inf(-1))})
	vaulttest.Create(t, v, "tensor", dtype.Tensors[int64](), dtype.Tensor[int64]{Shape: []int{2, 2}, Data: []int64{1, 2, 3, 4}}, dtype.Tensor[int64]{Shape: []int{0}})
	vaulttest.Create(t, v, "tree", dtype.MsgPack[any](), any(map[string]any{"a": []any{int64(1), "<b>"}, "n": uint64(math.MaxUint64)}), nil)
	vaulttest.Create(t, v, "empty", dtype.Int32)
	kv := v.KV()
	vaulttest.Must(t, kv.PutValue(ctx, []byte("number"), 5))
	vaulttest.Must(t, kv.PutValue(ctx, []byte("text"), "two\nlines"))
	vaulttest.Must(t, kv.PutValue(ctx, []byte("object"), map[string]any{"a": 1.5, "b": []any{true, nil}}))
	vaulttest.Must(t, kv.PutValue(ctx, []byte("vector"), []float64{1, 2, 3}))
	vaulttest.Must(t, kv.Put(ctx, []byte("\xff\x00raw"), []byte{0, 1, 2, 0xff}))
	vaulttest.Must(t, kv.Put(ctx, []byte("html"), []byte("<script>alert(1)</script>")))
	vaulttest.Must(t, kv.Put(ctx, []byte("png"), []byte("\x89PNG\r\n\x1a\n0000")))
	vaulttest.Must(t, v.KVTable("other").Put(ctx, []byte("one"), []byte("1")))
	return v
}

// TestAnswers compares answers with golden files.
func TestAnswers(t *testing.T) {
	h := viewer.Handler(some(t), viewer.Options{})
	for name, target := range map[string]string{
		"overview":       "/api/overview",
		"summaries":      "/api/summaries" + q("column", "log.time", "column", "log.value", "column", "log.text", "column", "log.ok", "column", "tree", "column", "bytes", "column", "missing", "column", "empty", "column", "f16", "column", "log.large"),
		"column_time":    "/api/column" + q("column", "log.time"),
		"column_day":     "/api/column" + q("column", "log.day"),
		"column_value":   "/api/column" + q("column", "log.value"),
		"column_large":   "/api/column" + q("column", "log.large"),
		"column_text":    "/api/column" + q("column", "log.text"),
		"column_f16":     "/api/column" + q("column", "f16"),
		"column_empty":   "/api/column" + q("column", "empty"),
		"histogram":      "/api/histogram" + q("column", "log.value", "bins", "4"),
		"histogram_time": "/api/histogram" + q("column", "log.time", "bins", "2", "from", "2", "to", "6"),
		"histogram_none": "/api/histogram" + q("column", "empty"),
		"plot":           "/api/plot" + q("column", "log.value", "column", "log.large"),
		"plot_steps":     "/api/plot" + q("column", "log.value", "width", "3"),
		"plot_part":      "/api/plot" + q("column", "log.value", "from", "2", "to", "5"),
		"plot_times":     "/api/plot" + q("column", "log.day"),
		"plot_over":      "/api/plot" + q("column", "log.value", "x", "log.time"),
		"plot_over_part": "/api/plot" + q("column", "log.value", "x", "log.time", "low", fmt.Sprint(begin.Unix()+119), "high", fmt.Sprint(begin.Unix()+241)),
		"plot_over_bins": "/api/plot" + q("column", "log.large", "column", "log.value", "x", "log.time", "width", "3"),
		"plot_empty":     "/api/plot" + q("column", "empty"),
		"plot_nan":       "/api/plot" + q("column", "f16"),
		"rows":           "/api/rows" + q("column", "log.time", "column", "log.day", "column", "log.value", "column", "log.large", "column", "log.ok", "column", "log.text", "from", "2", "count", "3"),
		"rows_others":    "/api/rows" + q("column", "f16", "column", "bytes", "column", "long", "column", "vector", "column", "tensor", "column", "tree", "column", "missing"),
		"rows_after":     "/api/rows" + q("column", "f16", "from", "99"),
		"element_text":   "/api/element" + q("column", "long", "position", "0"),
		"element_bytes":  "/api/element" + q("column", "bytes", "position", "1"),
		"element_vector": "/api/element" + q("column", "vector", "position", "0"),
		"element_tensor": "/api/element" + q("column", "tensor", "position", "0"),
		"element_tree":   "/api/element" + q("column", "tree", "position", "0"),
		"find":           "/api/find" + q("column", "log.value", "value", "4"),
		"find_least":     "/api/find" + q("column", "log.value", "value", "4", "op", "ge", "from", "5"),
		"find_large":     "/api/find" + q("column", "log.large", "value", "9223372036854775803"),
		"find_missing":   "/api/find" + q("column", "log.value", "value", "null"),
		"find_time":      "/api/find" + q("column", "log.time", "value", "2026-07-31T14:05:00", "op", "ge"),
		"find_text":      "/api/find" + q("column", "log.text", "value", "e 7"),
		"find_nothing":   "/api/find" + q("column", "tree", "value", "zebra"),
		"storage":        "/api/storage" + q("column", "log.value", "column", "missing"),
		"keys":           "/api/keys" + q("table", "kv"),
		"keys_prefix":    "/api/keys" + q("table", "kv", "prefix", "t", "count", "1"),
		"keys_after":     "/api/keys" + q("table", "kv", "after", key("number"), "count", "2"),
		"key_number":     "/api/key" + q("table", "kv", "key", key("number")),
		"key_text":       "/api/key" + q("table", "kv", "key", key("text")),
		"key_object":     "/api/key" + q("table", "kv", "key", key("object")),
		"key_vector":     "/api/key" + q("table", "kv", "key", key("vector")),
		"key_raw":        "/api/key" + q("table", "kv", "key", key("\xff\x00raw")),
		"key_html":       "/api/key" + q("table", "kv", "key", key("html")),
		"key_png":        "/api/key" + q("table", "kv", "key", key("png")),
		"tables":         "/api/tables",
		"sql":            "/api/sql" + q("statement", "SELECT position, value, text, NULL AS no, x'00ff' AS raw FROM log WHERE value > 1 LIMIT 2"),
		"sql_cut":        "/api/sql" + q("statement", "SELECT position FROM log", "count", "2"),
	} {
		t.Run(name, func(t *testing.T) {
			w := get(t, h, target)
			if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" {
				t.Fatalf("status %d, %s", w.Code, w.Body)
			}
			wantGolden(t, name, w.Body.Bytes())
		})
	}
}

func wantGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	var v any
	d := json.NewDecoder(strings.NewReader(string(got)))
	d.UseNumber()
	vaulttest.Must(t, d.Decode(&v))
	text, err := json.MarshalIndent(v, "", "\t")
	vaulttest.Must(t, err)
	text = append(text, '\n')
	file := filepath.Join("testdata", "answers", name+".json")
	if *update {
		vaulttest.Must(t, os.MkdirAll(filepath.Dir(file), 0o777))
		vaulttest.Must(t, os.WriteFile(file, text, 0o666))
	}
	want, err := os.ReadFile(file)
	vaulttest.Must(t, err)
	if string(text) != string(want) {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
}

// TestEndsAreKnown has the smallest and the largest of long columns at positions that
// no sample has: those of native columns are known, and those of others that are read.
func TestEndsAreKnown(t *testing.T) {
	const n, low, high = 20_000, 7, 12_345
	v := vaulttest.Open(t)
	h := viewer.Handler(v, viewer.Options{})
	native := &columnvault.ColumnOptions{Layout: columnvault.Native}
	numbers := vaulttest.Sequence(n, func(i int) int64 { return int64(1000 + i%10) })
	numbers[low], numbers[high] = -5, 1<<60+1
	moment := func(i int) time.Time { return begin.Add(time.Duration(numbers[i]%1_000_000) * time.Hour) }
	vaulttest.CreateWith(t, v, "numbers", dtype.Int64, native, numbers...)
	vaulttest.CreateWith(t, v, "floats", dtype.Float64, native, vaulttest.Sequence(n, func(i int) float64 { return float64(numbers[i]) / 2 })...)
	vaulttest.CreateWith(t, v, "times", dtype.Timestamp(dtype.Second, ""), native, vaulttest.Sequence(n, moment)...)
	vaulttest.CreateWith(t, v, "missing", dtype.Nullable(dtype.Uint8), native, vaulttest.Sequence(n, func(i int) sql.Null[uint8] {
		return sql.Null[uint8]{V: map[int64]uint8{-5: 1, 1<<60 + 1: 254}[numbers[i]] | 64, Valid: i%100 > 0}
	})...)
	vaulttest.CreateWith(t, v, "texts", dtype.String, native, vaulttest.Sequence(2*n, func(i int) string { return fmt.Sprintf("%020d", numbers[i%n]+5) })...)
	vaulttest.CreateWith(t, v, "words", dtype.FixedText(8, dtype.UTF8), native, vaulttest.Sequence(n, func(i int) string {
		return map[int64]string{-5: "a", 1<<60 + 1: "zzzz"}[numbers[i]] + "m"
	})...)
	vaulttest.Create(t, v, "layout 0", dtype.Int64, slices.Repeat(numbers, 7)...) // more than are read
	vaulttest.Create(t, v, "short", dtype.Int64, numbers...)
	type summary struct {
		Column, Min, Max string
		Exact, Ends      bool
		Looked           int
	}
	want := []summary{
		{"numbers", "-5", "1152921504606846977", false, true, 4096},
		{"floats", "-2.5", "5.764607523034235e+17", false, true, 4096},
		{"times", moment(low).Format(time.RFC3339), moment(high).Format(time.RFC3339), false, true, 4096},
		{"missing", "64", "254", false, true, 4096},
		{"words", "am", "zzzzm", false, true, 4096},
		{"texts", "00000000000000001005", "00000000000000001014", false, false, 4096}, // all begin alike
		{"layout 0", "1000", "1009", false, false, 4096},
		{"short", "-5", "1152921504606846977", false, true, 4096},
	}
	got := answer[[]summary](t, h, "/api/summaries"+q("column", "numbers", "column", "floats", "column", "times", "column", "missing", "column", "words", "column", "texts", "column", "layout 0", "column", "short"))
	vaulttest.WantValues(t, "summaries", got, want)
}

// TestRefusals: what is not for the handler, or makes no sense, is refused with a
// reason.
func TestRefusals(t *testing.T) {
	h := viewer.Handler(some(t), viewer.Options{})
	for target, status := range map[string]int{
		"/api/nothing":                         404,
		"/assets":                              404,
		"/assets/../x":                         404,
		"/api/overview?":                       200,
		"/api/column":                          400,
		"/api/column" + q("column", "missing"): 404,
		"/api/column" + q("column", "a", "column", "b"):                  400,
		"/api/column" + q("column", strings.Repeat("a", 5000)):           400,
		"/api/column" + q("column", "base64:YQ"):                         400, // which is a
		"/api/column" + q("column", "base64:_x"):                         400,
		"/api/rows" + q("column", "base64:*"):                            400,
		"/api/plot" + q("column", "log.value", "x", "base64:YQ"):         400,
		"/api/column?column=%ff":                                         400,
		"/api/column?column=%zz":                                         400,
		"/api/plot" + q("column", "log.text"):                            400,
		"/api/plot" + q("column", "log.value", "width", "5000"):          400,
		"/api/plot" + q("column", "log.value", "width", "0"):             400,
		"/api/plot" + q("column", "log.value", "from", "-1"):             400,
		"/api/plot" + q("column", "log.value", "low", "NaN"):             400,
		"/api/plot" + q("column", "log.value", "x", "log.text"):          400,
		"/api/plot?" + strings.Repeat("column=log.value&", 9):            400,
		"/api/rows?" + strings.Repeat("column=f16&", 65):                 400,
		"/api/rows" + q("column", "f16", "count", "501"):                 400,
		"/api/element" + q("column", "f16", "position", "3"):             404,
		"/api/histogram" + q("column", "f16", "bins", "1001"):            400,
		"/api/find" + q("column", "log.value", "value", "x"):             400,
		"/api/find" + q("column", "log.value", "value", "1", "op", "lt"): 400,
		"/api/keys" + q("table", "nothing"):                              404,
		"/api/keys" + q("table", "col_meta"):                             404,
		"/api/key" + q("table", "kv", "key", "*"):                        400,
		"/api/key" + q("table", "kv", "key", key("nothing")):             404,
		"/api/sql": 400,
		"/api/sql" + q("statement", "DROP TABLE log"):            400,
		"/api/sql" + q("statement", "SELECT * FROM nosuch"):      404,
		"/api/sql" + q("statement", strings.Repeat(" ", 17<<10)): 400,
		"/api/check?full=2": 400,
		"/content/key" + q("table", "kv", "key", key("text"), "download", "x"): 400,
		"/api/overview?" + strings.Repeat("x", 70_000):                         414,
	} {
		w := get(t, h, target)
		if w.Code != status {
			t.Errorf("%.90s: status %d, want %d: %.200s", target, w.Code, status, w.Body)
		}
		var failure struct{ Error string }
		if status != 200 && (json.Unmarshal(w.Body.Bytes(), &failure) != nil || failure.Error == "") {
			t.Errorf("%.90s: no reason in %.200s", target, w.Body)
		}
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "PATCH"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, "/api/overview", nil))
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: status %d", method, w.Code)
		}
	}
	r := httptest.NewRequest("GET", "/api/overview", nil)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	r.Header.Set("Sec-Fetch-Mode", "cors")
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != http.StatusForbidden {
		t.Errorf("another site gets status %d", w.Code)
	}
}

// TestAuthorize: who may not see the vault learns the same from every address.
func TestAuthorize(t *testing.T) {
	h := viewer.Handler(some(t), viewer.Options{Authorize: func(r *http.Request) bool { return r.Header.Get("Pass") == "yes" }})
	first := ""
	for _, target := range []string{"/", "/assets/main.js", "/api/overview", "/api/column?column=log.value", "/api/column?column=nothing", "/nothing", "/api/live"} {
		w := get(t, h, target)
		first = strings.TrimSpace(w.Body.String())
		if w.Code != http.StatusForbidden || first != `{"error":"this is not for everybody"}` {
			t.Errorf("%s: status %d, %s", target, w.Code, w.Body)
		}
	}
	r := httptest.NewRequest("GET", "/api/overview", nil)
	r.Header.Set("Pass", "yes")
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != http.StatusOK {
		t.Errorf("who may see the vault gets status %d", w.Code)
	}
}

// TestHead: HEAD is GET without a body, and every answer has the headers that
// keep it from being more than what it is.
func TestHead(t *testing.T) {
	h := viewer.Handler(some(t), viewer.Options{Title: "A & <B>"})
	for _, target := range []string{"", "/", "/assets/main.js", "/assets/uplot/LICENSE", "/api/overview", "/api/column?column=nothing", "/api/live", "/api/check",
		"/content/key" + q("table", "kv", "key", key("png")), "/content/element" + q("column", "log.text"), "/content/sql.csv" + q("statement", "SELECT 1")} {
		r := httptest.NewRequest("HEAD", "/", nil)
		r.URL, _ = url.Parse(target)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		header := w.Header()
		if w.Body.Len() > 0 || w.Code != 200 && !strings.Contains(target, "nothing") {
			t.Errorf("%s: status %d, body %.100s", target, w.Code, w.Body)
		}
		policy := header.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; ") || strings.Contains(policy, "unsafe") || header.Get("X-Content-Type-Options") != "nosniff" || header.Get("Content-Type") == "" ||
			strings.HasPrefix(target, "/content/") && policy != "default-src 'none'; sandbox" {
			t.Errorf("%s: headers %v", target, header)
		}
	}
	page := get(t, h, "/").Body.String()
	if !strings.Contains(page, "<title>A &amp; &lt;B&gt;</title>") {
		t.Errorf("the title is not escaped in %s", page)
	}
	if strings.Contains(page, "<script>") || strings.Contains(page, "style=") || strings.Contains(page, "http") {
		t.Errorf("the page has inline parts, or addresses: %s", page)
	}
	r := httptest.NewRequest("GET", "/assets/main.js", nil)
	r.Header.Set("If-None-Match", get(t, h, "/assets/main.js").Header().Get("ETag"))
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != http.StatusNotModified {
		t.Errorf("a file that the browser has gets status %d", w.Code)
	}
}

// deadlines keeps what a handler does with the deadline of its connection.
type deadlines struct {
	*httptest.ResponseRecorder
	last  time.Time
	calls int
}

func (d *deadlines) SetWriteDeadline(t time.Time) error {
	d.last, d.calls = t, d.calls+1
	return nil
}

// TestDeadline: a browser has a deadline, and the next request of its connection,
// which may be for another handler, does not find that.
func TestDeadline(t *testing.T) {
	h := viewer.Handler(some(t), viewer.Options{})
	for _, target := range []string{"/", "/api/overview", "/nothing", "/assets/main.js"} {
		w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
		h.ServeHTTP(w, httptest.NewRequest("GET", target, nil))
		if w.calls < 2 || !w.last.IsZero() || !w.Flushed {
			t.Errorf("%s: the deadline is set %d times, and %v at the end", target, w.calls, w.last)
		}
	}
}

// TestMounted: the handler works below any path.
func TestMounted(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle("/deep/vault/", http.StripPrefix("/deep/vault", viewer.Handler(some(t), viewer.Options{NoSQL: true})))
	for target, status := range map[string]int{"/deep/vault/": 200, "/deep/vault/assets/main.js": 200, "/deep/vault/api/overview": 200, "/deep/vault/api/sql?statement=SELECT+1": 404,
		"/deep/vault/api/tables": 404, "/deep/vault/content/sql.csv?statement=SELECT+1": 404} {
		if w := get(t, mux, target); w.Code != status {
			t.Errorf("%s: status %d, want %d", target, w.Code, status)
		}
	}
	if page := get(t, mux, "/deep/vault/").Body.String(); strings.Contains(page, "#/sql") || strings.Contains(page, `="/`) {
		t.Errorf("the page has SQL, or absolute links: %s", page)
	}
}

// hostile are names that would do something if they were more than text.
var hostile = []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, "a'b`c${alert(1)}", "../../etc/passwd", "a/b?c=d&e#f%00%2f", "line\nbreak\t\u2028", "\u202egnp.exe", "__proto__", "constructor.prototype", " ", ".", "..", "{{.}}", "ünïcödé 🚀", strings.Repeat("w", 255)}

// TestHostileNames: columns and keys with such names are reached, and their
// answers are JSON in which the names are what they are.
func TestHostileNames(t *testing.T) {
	v := vaulttest.Open(t)
	for _, name := range hostile {
		vaulttest.Create(t, v, name, dtype.Int64, 1, 2, 3)
		vaulttest.Must(t, v.KV().Put(t.Context(), []byte(name), []byte(name)))
	}
	h := viewer.Handler(v, viewer.Options{})
	for _, name := range hostile {
		for _, target := range []string{"/api/summaries", "/api/column", "/api/histogram", "/api/plot", "/api/rows", "/api/element", "/api/find", "/api/storage", "/content/element"} {
			target += q("column", name)
			if strings.HasPrefix(target, "/api/find") {
				target += "&value=2"
			}
			if w := get(t, h, target); w.Code != 200 || w.Header().Get("Content-Type") == "text/html" {
				t.Errorf("%s: status %d, %s", target, w.Code, w.Body)
			}
		}
		p := answer[struct{ Series []struct{ Column string } }](t, h, "/api/plot"+q("column", name))
		if p.Series[0].Column != name {
			t.Errorf("the column %q is called %q", name, p.Series[0].Column)
		}
		w := get(t, h, "/content/key"+q("table", "kv", "key", key(name)))
		if w.Body.String() != name || w.Header().Get("Content-Type") != "text/plain; charset=utf-8" || w.Header().Get("Content-Security-Policy") != "default-src 'none'; sandbox" {
			t.Errorf("the value of %q: %v, %s", name, w.Header(), w.Body)
		}
		w = get(t, h, "/content/element"+q("column", name))
		if d := w.Header().Get("Content-Disposition"); !strings.HasPrefix(d, "attachment; filename") || strings.ContainsAny(d, "/\n<>") && !strings.Contains(d, "%") {
			t.Errorf("%q is saved as %s", name, d)
		}
	}
}

// TestContent: what is served out of the vault is a picture, text, or to be
// saved, by what is in it.
func TestContent(t *testing.T) {
	v := vaulttest.Open(t)
	large := vaulttest.Bytes(1, 9<<20)
	for name, c := range map[string]struct{ value, contentType string }{
		"png":   {"\x89PNG\r\n\x1a\n....", "image/png"},
		"jpeg":  {"\xff\xd8\xff\xe0....", "image/jpeg"},
		"gif":   {"GIF89a....", "image/gif"},
		"webp":  {"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"},
		"avif":  {"\x00\x00\x00\x20ftypavif....", "image/avif"},
		"svg":   {`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`, "text/plain; charset=utf-8"},
		"html":  {"<!doctype html><script>alert(1)</script>", "text/plain; charset=utf-8"},
		"pdf":   {"%PDF-1.7\x00", "application/octet-stream"},
		"empty": {"", "application/octet-stream"},
		"cut":   {strings.Repeat("ä", 4000), "text/plain; charset=utf-8"},
		"large": {"\x00" + string(large), "application/octet-stream"},
	} {
		vaulttest.Must(t, v.KV().Put(t.Context(), []byte(name), []byte(c.value)))
		h := viewer.Handler(v, viewer.Options{})
		w := get(t, h, "/content/key"+q("table", "kv", "key", key(name)))
		header := w.Header()
		if w.Body.String() != c.value || header.Get("Content-Type") != c.contentType || header.Get("Content-Security-Policy") != "default-src 'none'; sandbox" || header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v, %d bytes", name, header, w.Body.Len())
		}
		if saved := header.Get("Content-Disposition") != ""; saved != (c.contentType == "application/octet-stream") {
			t.Errorf("%s: saved is %v", name, saved)
		}
		w = get(t, h, "/content/key"+q("table", "kv", "key", key(name), "download", "1"))
		if d := w.Header().Get("Content-Disposition"); d != "attachment; filename="+name || w.Header().Get("Content-Type") != "application/octet-stream" || w.Body.String() != c.value {
			t.Errorf("%s: saved with %v", name, w.Header())
		}
	}
	if open := v.Stats().SnapshotsOpen; open != 0 {
		t.Errorf("%d snapshots are open", open)
	}
}

// TestNoPath: no answer has a path of the machine, whatever goes wrong.
func TestNoPath(t *testing.T) {
	v := some(t)
	h := viewer.Handler(v, viewer.Options{})
	dir := filepath.Dir(v.Path())
	targets := []string{"/", "/api/overview", "/api/file", "/api/column?column=nothing", "/api/tables", "/api/rows?column=f16&column=nothing", "/api/summaries?column=f16", "/api/storage?column=f16", "/api/keys?table=kv", "/api/check", "/api/live",
		"/api/sql" + q("statement", "ATTACH '"+v.Path()+"' AS x"), "/api/sql" + q("statement", "SELECT file FROM pragma_database_list"), "/api/sql" + q("statement", "PRAGMA database_list"), "/content/sql.csv" + q("statement", "SELECT * FROM pragma_database_list")}
	try := func(gone bool) {
		for _, target := range targets {
			w := httptest.NewRecorder()
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			if !strings.HasSuffix(target, "live") {
				ctx = t.Context()
			}
			h.ServeHTTP(w, httptest.NewRequest("GET", target, nil).WithContext(ctx))
			cancel()
			if strings.Contains(w.Body.String(), dir) || strings.Contains(w.Body.String(), filepath.Base(v.Path())) {
				t.Errorf("%s: %s", target, w.Body)
			}
			if gone && strings.HasPrefix(target, "/api") && target != "/api/check" && target != "/api/live" && (w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), `"gone":true`)) {
				t.Errorf("%s of a closed vault: status %d, %s", target, w.Code, w.Body)
			}
		}
	}
	try(false)
	vaulttest.Must(t, v.Close())
	try(true)
}

// TestSQL: statements end with the time limit, and CSV is whole.
func TestSQL(t *testing.T) {
	h := viewer.Handler(some(t), viewer.Options{Timeout: 50 * time.Millisecond})
	w := get(t, h, "/api/sql"+q("statement", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT sum(i) FROM n"))
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "takes too long") {
		t.Errorf("an endless statement: status %d, %s", w.Code, w.Body)
	}
	h = viewer.Handler(some(t), viewer.Options{})
	w = get(t, h, "/content/sql.csv"+q("statement", `SELECT position, value, 'a,"b' AS t, x'00ff' AS raw FROM log WHERE position BETWEEN 2 AND 3`))
	if want := "position,value,t,raw\n2,1,\"a,\"\"b\",00ff\n3,,\"a,\"\"b\",00ff\n"; w.Body.String() != want || w.Header().Get("Content-Disposition") != "attachment; filename=result.csv" {
		t.Errorf("CSV is %q, %v, want %q", w.Body, w.Header(), want)
	}
	w = get(t, h, "/content/sql.csv"+q("statement", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 10000000) SELECT hex(randomblob(100000)) FROM n"))
	if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "too large") {
		t.Errorf("a result that is too large: status %d, %.200s", w.Code, w.Body)
	}
}

// TestGoneBrowser: a request whose browser has gone ends.
func TestGoneBrowser(t *testing.T) {
	v := some(t)
	h := viewer.Handler(v, viewer.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, target := range []string{"/api/overview", "/api/plot" + q("column", "log.value"), "/api/sql" + q("statement", "SELECT 1"), "/api/live", "/api/check"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", target, nil).WithContext(ctx))
		if strings.HasPrefix(target, "/api/live") || strings.HasPrefix(target, "/api/check") {
			continue // they have begun
		}
		if w.Code == http.StatusOK {
			t.Errorf("%s is answered", target)
		}
	}
	// What looks for changes has one for a moment.
	vaulttest.Eventually(t, "no snapshot is open", func() bool { return v.Stats().SnapshotsOpen == 0 })
}

// TestTurns: no more answers than Options.Concurrent are computed at a time.
func TestTurns(t *testing.T) {
	h := viewer.Handler(some(t), viewer.Options{Concurrent: 1})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		endless := "/api/sql" + q("statement", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT sum(i) FROM n")
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", endless, nil).WithContext(ctx))
	}()
	vaulttest.Eventually(t, "another answer waits", func() bool {
		short, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		defer cancel()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/api/overview", nil).WithContext(short))
		return w.Code != http.StatusOK && errors.Is(short.Err(), context.DeadlineExceeded)
	})
	cancel()
	<-done
	if w := get(t, h, "/api/overview"); w.Code != http.StatusOK {
		t.Errorf("afterwards the status is %d", w.Code)
	}
}

// TestCheck: a check tells what it finds, and there is one at a time.
func TestCheck(t *testing.T) {
	h := viewer.Handler(some(t), viewer.Options{})
	for _, target := range []string{"/api/check", "/api/check?full=1"} {
		w := get(t, h, target)
		events := strings.Split(strings.TrimSpace(w.Body.String()), "\n\n")
		if last := events[len(events)-1]; last != "event: end\ndata: {\"findings\":0}" || w.Header().Get("Content-Type") != "text/event-stream" {
			t.Errorf("%s ends with %s", target, last)
		}
	}
}

// FuzzQuery: no query makes the handler panic, or say that it is at fault.
func FuzzQuery(f *testing.F) {
	var paths []string
	for _, p := range []string{"overview", "summaries", "column", "histogram", "plot", "rows", "element", "find", "storage", "keys", "key", "tables", "sql"} {
		paths = append(paths, "/api/"+p)
	}
	paths = append(paths, "/content/element", "/content/key", "/content/sql.csv")
	f.Add(0, "")
	f.Add(4, "column=log.value&x=log.time&width=3&low=1&high=2")
	f.Add(4, "column=log.value&from=3&to=2")
	f.Add(5, "column=f16&from=9223372036854775807&count=500")
	f.Add(6, "column=tree&position=9223372036854775807")
	f.Add(7, "column=log.text&value=x&from=9223372036854775807")
	f.Add(7, "column=log.time&value=1785499200000000")
	f.Add(7, "column=log.time&value=2026-07-31T12:00:00")
	f.Add(7, "column=log.value&value=1&from=9223372036854775807")
	f.Add(9, "table=kv&prefix=%ff&after=_w")
	f.Add(12, "statement=SELECT+1,%00")
	f.Add(3, "column=log.value&from=9223372036854775807")
	v := fuzzed(f)
	f.Fuzz(func(t *testing.T, path int, query string) {
		h := viewer.Handler(v, viewer.Options{Timeout: time.Second})
		r := httptest.NewRequest("GET", "/", nil)
		r.URL = &url.URL{Path: paths[uint(path)%uint(len(paths))], RawQuery: query}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code == http.StatusInternalServerError {
			t.Errorf("%s?%s: %s", r.URL.Path, query, w.Body)
		}
	})
}

// fuzzed is a small vault that lasts as long as the fuzzing.
func fuzzed(f *testing.F) *columnvault.Vault {
	v, err := columnvault.Open(f.Context(), filepath.Join(f.TempDir(), "fuzz.db"), nil)
	vaulttest.Must(f, err)
	f.Cleanup(func() { v.Close() })
	vaulttest.Create(f, v, "log.time", dtype.Timestamp(dtype.Microsecond, ""), begin, begin.Add(time.Second))
	vaulttest.Create(f, v, "log.value", dtype.Float64, 1, 2, math.NaN())
	vaulttest.Create(f, v, "log.text", dtype.String, "a", "b")
	vaulttest.Create(f, v, "f16", dtype.Float16, 1, 2)
	vaulttest.Create(f, v, "tree", dtype.MsgPack[any](), any("x"))
	vaulttest.Must(f, v.KV().Put(f.Context(), []byte("k"), []byte("v")))
	return v
}
