package query_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"columnvault"
	"columnvault/dtype"
	"columnvault/query"
)

func open(tb testing.TB, v *columnvault.Vault, o *query.Options) *sql.DB {
	tb.Helper()
	db, err := query.Open(tb.Context(), v, o)
	check(tb, err)
	tb.Cleanup(func() { check(tb, db.Close()) })
	return db
}

func want(tb testing.TB, db *sql.DB, text string, lines ...string) {
	tb.Helper()
	if got := texts(tb, db, text); !slices.Equal(got, lines) {
		tb.Errorf("%s:\ngot  %q\nwant %q", text, got, lines)
	}
}

func some[T any](v T) sql.Null[T] { return sql.Null[T]{V: v, Valid: true} }

// TestValues: what the elements of each kind are in SQL.
func TestValues(t *testing.T) {
	v := newVault(t)
	at := time.Date(2026, 7, 31, 12, 0, 0, 250_000_000, time.UTC)
	fill(t, v, "b.bool", dtype.Bool, []bool{true, false})
	fill(t, v, "b.i8", dtype.Int8, []int8{-128, 127})
	fill(t, v, "b.i16", dtype.Int16, []int16{-300, 300})
	fill(t, v, "b.i32", dtype.Int32, []int32{math.MinInt32, math.MaxInt32})
	fill(t, v, "b.i64", dtype.Int64, []int64{math.MinInt64, math.MaxInt64})
	fill(t, v, "b.u8", dtype.Uint8, []uint8{0, 255})
	fill(t, v, "b.u16", dtype.Uint16, []uint16{0, 65535})
	fill(t, v, "b.u32", dtype.Uint32, []uint32{0, math.MaxUint32})
	fill(t, v, "b.u64", dtype.Uint64, []uint64{5, 1 << 63})
	fill(t, v, "b.f16", dtype.Float16, []float32{0.5, -2})
	fill(t, v, "b.f32", dtype.Float32, []float32{0.25, 1e30})
	fill(t, v, "b.f64", dtype.Float64, []float64{0.1, math.NaN()})
	fill(t, v, "b.str", dtype.String, []string{"", "é\x00z"})
	fill(t, v, "b.utf16", dtype.Text(dtype.UTF16LE), []string{"ab", "ß"})
	fill(t, v, "b.str8", dtype.FixedText(8, dtype.UTF8), []string{"one", "two"})
	fill(t, v, "b.bytes", dtype.Bytes, [][]byte{{}, {0, 255}})
	fill(t, v, "b.bytes2", dtype.FixedBytes(2), [][]byte{{1}, {2, 3}})
	fill(t, v, "b.vec", dtype.Vector[float32](2), [][]float32{{1, 2.5}, {-1, float32(math.Inf(1))}})
	fill(t, v, "b.u8vec", dtype.Vector[uint8](3), [][]uint8{{1, 2, 3}, {4, 5, 6}})
	fill(t, v, "b.tensor", dtype.Tensors[int64](), []dtype.Tensor[int64]{{Shape: []int{2, 2}, Data: []int64{1, 2, 3, 4}}, {Shape: []int{0}}})
	fill(t, v, "b.msgpack", dtype.MsgPack[any](), []any{map[string]any{"a": []any{1, "<x>"}}, nil})
	fill(t, v, "b.cbor", dtype.CBOR[any](), []any{"text", 2.5})
	fill(t, v, "b.time", dtype.Timestamp(dtype.Millisecond, "Europe/Berlin"), []time.Time{at, at.Truncate(time.Hour)})
	fill(t, v, "b.date", dtype.Date, []time.Time{at.Truncate(24 * time.Hour), time.Date(1969, 12, 31, 0, 0, 0, 0, time.UTC)})
	fill(t, v, "b.nulli", dtype.Nullable(dtype.Int64), []sql.Null[int64]{some(int64(7)), {}})
	fill(t, v, "b.nullt", dtype.Nullable(dtype.String), []sql.Null[string]{{}, some("x")})
	fill(t, v, "b.nulltime", dtype.Nullable(dtype.Timestamp(dtype.Nanosecond, "")), []sql.Null[time.Time]{{}, some(at)})
	fill(t, v, "b.nullbool", dtype.Nullable(dtype.Bool), []sql.Null[bool]{some(true), {}})
	db := open(t, v, nil)
	for _, c := range []struct{ name, first, second, kinds string }{
		{"bool", "1", "0", "integer"},
		{"i8", "-128", "127", "integer"},
		{"i16", "-300", "300", "integer"},
		{"i32", "-2147483648", "2147483647", "integer"},
		{"i64", "-9223372036854775808", "9223372036854775807", "integer"},
		{"u8", "0", "255", "integer"},
		{"u16", "0", "65535", "integer"},
		{"u32", "0", "4294967295", "integer"},
		{"u64", "5", "9.223372036854775807e+18", "integer real"},
		{"f16", "0.5", "-2", "real"},
		{"f32", "0.25", fmt.Sprint(float64(float32(1e30))), "real"},
		{"f64", "0.1", "NULL", "real null"},
		{"str", "", "é\x00z", "text"},
		{"utf16", "ab", "ß", "text"},
		{"str8", "one", "two", "text"},
		{"bytes", "x''", "x'00ff'", "blob"},
		{"bytes2", "x'0100'", "x'0203'", "blob"},
		{"vec", "[1.0,2.5]", "[-1.0,null]", "text"},
		{"u8vec", "[1,2,3]", "[4,5,6]", "text"},
		{"tensor", "[[1,2],[3,4]]", "[]", "text"},
		{"msgpack", `{"a":[1,"<x>"]}`, "NULL", "text null"},
		{"cbor", `"text"`, "2.5", "text real"},
		{"time", "2026-07-31 12:00:00.25", "2026-07-31 12:00:00", "text"},
		{"date", "2026-07-31", "1969-12-31", "text"},
		{"nulli", "7", "NULL", "integer null"},
		{"nullt", "NULL", "x", "null text"},
		{"nulltime", "NULL", "2026-07-31 12:00:00.25", "null text"},
		{"nullbool", "1", "NULL", "integer null"},
	} {
		if c.name == "u64" {
			c.second = fmt.Sprint(float64(1 << 63))
		}
		want(t, db, `SELECT `+c.name+` FROM b`, c.first, c.second)
		want(t, db, `SELECT `+c.name+` FROM b ORDER BY position DESC`, c.second, c.first)
		kinds := texts(t, db, `SELECT typeof(`+c.name+`) FROM b ORDER BY position`)
		if got := strings.Join(slices.Compact(kinds), " "); got != c.kinds {
			t.Errorf("%s is of type %s, want %s", c.name, got, c.kinds)
		}
	}
	numbers := open(t, v, &query.Options{NumericTimes: true})
	want(t, numbers, `SELECT time, date, nulltime FROM b`,
		fmt.Sprintf("%d|%d|NULL", at.UnixMilli(), at.Unix()/86400), fmt.Sprintf("%d|-1|%d", at.Truncate(time.Hour).UnixMilli(), at.UnixNano()))
}

// TestTimesInOrder: texts of times compare as the times do, with each other,
// with what SQLite's functions give and with times of Go.
func TestTimesInOrder(t *testing.T) {
	v := newVault(t)
	at := time.Date(2026, 7, 31, 0, 0, 0, 0, time.UTC)
	times := []time.Time{at.Add(-time.Microsecond), at, at.Add(250 * time.Millisecond), at.Add(500 * time.Millisecond), at.Add(time.Second)}
	fill(t, v, "at", dtype.Timestamp(dtype.Microsecond, ""), times)
	db := open(t, v, nil)
	want(t, db, `SELECT position FROM columns ORDER BY at`, "0", "1", "2", "3", "4")
	want(t, db, `SELECT count(*) FROM columns WHERE at >= '2026-07-31'`, "4")
	want(t, db, `SELECT count(*) FROM columns WHERE at >= datetime('2026-07-31')`, "4")
	want(t, db, `SELECT count(*) FROM columns WHERE date(at) = '2026-07-30'`, "1")
	for i, tm := range times {
		if got := texts(t, db, `SELECT position FROM columns WHERE at = ?`, tm); !slices.Equal(got, []string{strconv.Itoa(i)}) {
			t.Errorf("%v is at %v, want %d", tm, got, i)
		}
	}
}

// TestPairs: a key-value table, whatever the encodings of its values.
func TestPairs(t *testing.T) {
	ctx := t.Context()
	v := newVault(t)
	kv := v.KV()
	check(t, kv.Put(ctx, []byte("raw"), []byte{1, 2}))
	check(t, kv.PutValue(ctx, []byte("number"), 42))
	check(t, kv.PutValue(ctx, []byte("text"), "hello"))
	check(t, kv.PutValue(ctx, []byte("map"), map[string]any{"name": "Seattle", "height": 47.5}))
	check(t, kv.PutValue(ctx, []byte("nothing"), nil))
	check(t, kv.PutValueAs(ctx, []byte("json"), columnvault.EncodingJSON, json.RawMessage(`{"n":123456789012345678901234567890}`)))
	check(t, kv.PutValue(ctx, []byte{0xff}, []float64{1, 2, 3}))
	db := open(t, v, nil)
	want(t, db, `SELECT key, value, typeof(key), typeof(value) FROM kv`,
		`json|{"n":123456789012345678901234567890}|text|text`,
		`map|{"height":47.5,"name":"Seattle"}|text|text`,
		`nothing|NULL|text|null`,
		`number|42|text|integer`,
		`raw|x'0102'|text|blob`,
		`text|"hello"|text|text`,
		`x'ff'|[1.0,2.0,3.0]|blob|text`)
	want(t, db, `SELECT value ->> '$.name' FROM kv WHERE key = 'map'`, "Seattle")
	want(t, db, `SELECT value ->> '$' FROM kv WHERE key = 'text'`, "hello")
	// Two cursors on one table, and one that begins again and again.
	want(t, db, `SELECT count(*) FROM kv a, kv b WHERE a.key <= b.key`, "28")
}

// TestVectorText: vectors are written as everywhere else, and a few bytes never
// make much text.
func TestVectorText(t *testing.T) {
	v := newVault(t)
	fill(t, v, "g.square", dtype.Vector[int16](2, 2), [][]int16{{1, 2, 3, 4}, {5, 6, 7, 8}})
	fill(t, v, "g.any", dtype.Tensors[float32](), []dtype.Tensor[float32]{
		{Shape: []int{2, 1}, Data: []float32{0.1, float32(math.NaN())}}, {Shape: []int{1 << 27, 0}}})
	db := open(t, v, nil)
	want(t, db, `SELECT square FROM g`, "[[1,2],[3,4]]", "[[5,6],[7,8]]")
	want(t, db, `SELECT "any" FROM g`, `[[0.1],[null]]`, `{"shape":[134217728,0]}`)
	want(t, db, `SELECT sum(e.value) FROM g, json_each(g.square, '$[0]') AS e`, "14")
}

// TestManyPairs: more keys than are read ahead.
func TestManyPairs(t *testing.T) {
	ctx := t.Context()
	v := newVault(t)
	const n = 2501
	check(t, v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		kv := v.KVTable("many").In(tx)
		for i := range n {
			if err := kv.PutValue(ctx, fmt.Appendf(nil, "%04d", i), i); err != nil {
				return err
			}
		}
		return nil
	}))
	db := open(t, v, nil)
	want(t, db, `SELECT count(*), count(DISTINCT key), sum(value), max(rowid) FROM many`, fmt.Sprintf("%d|%d|%d|%d", n, n, n*(n-1)/2, n-1))
}

// TestAgainstGo: statements give what a loop over the same data does, with runs
// of every length and in both directions.
func TestAgainstGo(t *testing.T) {
	v := newVault(t)
	const n = 10_007
	numbers, words := make([]int64, n), make([]string, n)
	sums := map[string]int64{}
	for i := range numbers {
		numbers[i], words[i] = int64(i*7919%1009)-500, fmt.Sprintf("w%d", i*31%17)
		sums[words[i]] += numbers[i]
	}
	fill(t, v, "t.n", dtype.Int64, numbers)
	fill(t, v, "t.w", dtype.String, words)
	db := open(t, v, nil)
	for _, step := range []int{1, 2, 3, 7, 100, 5000} {
		for _, order := range []string{"ASC", "DESC"} {
			var list []string
			for i := 0; i < n; i += step {
				list = append(list, fmt.Sprintf("%d|%d|%s", i, numbers[i], words[i]))
			}
			if order == "DESC" {
				slices.Reverse(list)
			}
			want(t, db, fmt.Sprintf(`SELECT position, n, w FROM t WHERE position %% %d = 0 ORDER BY position %s`, step, order), list...)
		}
	}
	var grouped []string
	for _, w := range slices.Sorted(func(yield func(string) bool) {
		for w := range sums {
			if !yield(w) {
				return
			}
		}
	}) {
		grouped = append(grouped, fmt.Sprintf("%s|%d", w, sums[w]))
	}
	want(t, db, `SELECT w, sum(n) FROM t GROUP BY w ORDER BY w`, grouped...)
	// A join by position in an order of its own jumps about in the inner table.
	want(t, db, `SELECT count(*) FROM t a JOIN t b ON b.position = (a.position * 7919) % 10007 WHERE a.n >= 0 AND b.w = 'w3'`,
		strconv.Itoa(countJoin(numbers, words)))
}

func countJoin(numbers []int64, words []string) (count int) {
	for i, n := range numbers {
		if n >= 0 && words[i*7919%len(words)] == "w3" {
			count++
		}
	}
	return count
}

// TestPositions: conditions on the key, in both orders and with OFFSET, of
// whatever type and however far out.
func TestPositions(t *testing.T) {
	v := newVault(t)
	const n = 50
	numbers := make([]int64, n)
	for i := range numbers {
		numbers[i] = int64(i)
	}
	fill(t, v, "t.n", dtype.Int64, numbers)
	db := open(t, v, nil)
	values := []string{"0", "7", "49", "50", "-1", "9223372036854775807", "-9223372036854775808", "7.0", "7.5", "'7'", "'x'", "NULL", "x'37'", "1e300"}
	for _, key := range []string{"position", "rowid"} {
		for _, op := range []string{"=", "<", "<=", ">", ">=", "IS", "<>"} {
			for _, value := range values {
				for _, rest := range []string{"", "ORDER BY position DESC", "LIMIT 3 OFFSET 2", "ORDER BY position DESC LIMIT 2 OFFSET 1"} {
					// n is the same number, but the engine has to look at each row.
					got := texts(t, db, fmt.Sprintf(`SELECT n FROM t WHERE %s %s %s %s`, key, op, value, rest))
					slow := texts(t, db, fmt.Sprintf(`SELECT n FROM t WHERE CAST(n AS INTEGER) %s %s %s`, op, value, rest))
					if !slices.Equal(got, slow) {
						t.Errorf("%s %s %s %s: got %v, want %v", key, op, value, rest, got, slow)
					}
				}
			}
		}
	}
	want(t, db, `SELECT n FROM t WHERE position BETWEEN 3 AND 5`, "3", "4", "5")
	want(t, db, `SELECT n FROM t WHERE position IN (40, 2, 99) ORDER BY position DESC`, "40", "2")
	want(t, db, `SELECT n FROM t LIMIT 2 OFFSET 30`, "30", "31")
	want(t, db, `SELECT n FROM t ORDER BY position DESC, n LIMIT 2 OFFSET 30`, "19", "18")
	want(t, db, `SELECT n FROM t WHERE n % 2 = 0 LIMIT 2 OFFSET 3`, "6", "8")
	want(t, db, `SELECT n FROM t LIMIT 2 OFFSET 100`)
	want(t, db, `SELECT n FROM t LIMIT 1 OFFSET -5`, "0")
	want(t, db, `SELECT DISTINCT n % 3 FROM t LIMIT 2 OFFSET 1`, "1", "2")
	want(t, db, `SELECT a.n, b.n FROM t a, t b LIMIT 2 OFFSET 51`, "1|1", "1|2")
	want(t, db, `SELECT n FROM t UNION ALL SELECT n FROM t LIMIT 2 OFFSET 49`, "49", "0")
	want(t, db, `SELECT n FROM (SELECT n FROM t LIMIT 5 OFFSET 3) WHERE n % 2 = 0`, "4", "6")
	want(t, db, `SELECT n FROM (SELECT n FROM t LIMIT 5 OFFSET 3) LIMIT 2 OFFSET 1`, "4", "5")
	want(t, db, `SELECT n, row_number() OVER (ORDER BY n) FROM t LIMIT 1 OFFSET 2`, "2|3")
	want(t, db, `SELECT count(*) FROM t LIMIT 1 OFFSET 1`)
	want(t, db, `SELECT n / 10 AS a, count(*) FROM t GROUP BY a ORDER BY a DESC LIMIT 1 OFFSET 1`, "3|10")
	want(t, db, `SELECT n FROM t ORDER BY n DESC LIMIT 1 OFFSET 1`, "48")
	want(t, db, `SELECT b.n FROM t a LEFT JOIN t b ON b.position = a.n + 48 WHERE a.n < 3`, "48", "49", "NULL")
	want(t, db, `SELECT max(position), min(rowid) FROM t`, "49|0")
	want(t, db, `SELECT (SELECT n FROM t b WHERE b.position > a.position LIMIT 1 OFFSET 1) FROM t a LIMIT 2`, "2", "3")
}

// TestUneven: a table has as many rows as its shortest column.
func TestUneven(t *testing.T) {
	v := newVault(t)
	fill(t, v, "t.a", dtype.Int64, []int64{1, 2, 3})
	fill(t, v, "t.b", dtype.Int64, []int64{4, 5})
	fill(t, v, "even", dtype.Int64, []int64{4, 5})
	db := open(t, v, nil)
	want(t, db, `SELECT * FROM t`, "0|1|4", "1|2|5")
	want(t, db, `SELECT a FROM t ORDER BY position DESC`, "2", "1")
	want(t, db, `SELECT count(a) FROM t`, "2")
	tables, err := query.Tables(t.Context(), v)
	check(t, err)
	if got := fmt.Sprint(tables); got != "[{t [position a b] 2 true} {columns [position even] 2 false}]" {
		t.Errorf("the tables are %v", got)
	}
}

// TestWide: more columns than a table of SQLite can have.
func TestWide(t *testing.T) {
	ctx := t.Context()
	v := newVault(t)
	const n = 2100
	check(t, v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		for i := range n {
			col, err := columnvault.Create(ctx, tx, fmt.Sprintf("w.c%d", i), dtype.Int64, nil)
			if err != nil {
				return err
			}
			if err := col.Append(ctx, int64(i)); err != nil {
				return err
			}
		}
		return nil
	}))
	db := open(t, v, nil)
	want(t, db, `SELECT c0, c1998, c1999, c2099 FROM w JOIN w_2 USING (position)`, "0|1998|1999|2099")
}

// TestCatalogChanges: a statement sees the tables of its moment, prepared or not.
func TestCatalogChanges(t *testing.T) {
	ctx := t.Context()
	v := newVault(t)
	fill(t, v, "t.a", dtype.Int64, []int64{1})
	db := open(t, v, nil)
	prepared, err := db.Prepare(`SELECT * FROM t`)
	check(t, err)
	defer prepared.Close()
	columns := func() string {
		rows, err := prepared.Query()
		check(t, err)
		defer rows.Close()
		names, err := rows.Columns()
		check(t, err)
		return strings.Join(names, " ")
	}
	if got := columns(); got != "position a" {
		t.Errorf("the columns are %s", got)
	}
	fill(t, v, "t.b", dtype.String, []string{"x"})
	if got := columns(); got != "position a b" {
		t.Errorf("with another column they are %s", got)
	}
	want(t, db, `SELECT * FROM t`, "0|1|x")
	check(t, v.Rename(ctx, "t.b", "u.b"))
	want(t, db, `SELECT * FROM u`, "0|x")
	check(t, v.Drop(ctx, "t.a"))
	if _, err := prepared.Query(); !errors.Is(err, columnvault.ErrNotFound) {
		t.Errorf("without the table: %v", err)
	}
	fill(t, v, "t.a", dtype.Bool, []bool{true})
	want(t, db, `SELECT typeof(a), a FROM t`, "integer|1")
}

// TestHeldElements: what is in a cache is in the tables.
func TestHeldElements(t *testing.T) {
	v := newVault(t)
	fill(t, v, "n", dtype.Int64, []int64{1})
	col, err := columnvault.Lookup(t.Context(), v, "n", dtype.Int64)
	check(t, err)
	check(t, col.EnableCache(t.Context(), nil))
	check(t, col.Append(t.Context(), 2, 3))
	want(t, open(t, v, nil), `SELECT n FROM columns`, "1", "2", "3")
}

// TestTransaction: the statements of a transaction see one moment.
func TestTransaction(t *testing.T) {
	v := newVault(t)
	fill(t, v, "n", dtype.Int64, []int64{1})
	db := open(t, v, nil)
	tx, err := db.Begin()
	check(t, err)
	fill(t, v, "n", dtype.Int64, []int64{2})
	fill(t, v, "m", dtype.Int64, []int64{2})
	var n int
	check(t, tx.QueryRow(`SELECT count(*) FROM columns`).Scan(&n))
	if n != 1 {
		t.Errorf("%d elements in the transaction", n)
	}
	// Two open results on one connection.
	a, err := tx.Query(`SELECT n FROM columns`)
	check(t, err)
	b, err := tx.Query(`SELECT n FROM columns`)
	check(t, err)
	if !a.Next() || !b.Next() || a.Next() || b.Next() {
		t.Error("the results are not of one row")
	}
	check(t, errors.Join(a.Close(), b.Close(), tx.Commit()))
	want(t, db, `SELECT n, m FROM columns`, "1|2")
	want(t, db, `SELECT count(*) FROM columns`, "1")
}

// TestArguments: parameters of both sorts.
func TestArguments(t *testing.T) {
	v := newVault(t)
	fill(t, v, "n", dtype.Int64, []int64{1, 2, 3})
	db := open(t, v, nil)
	for _, test := range []struct {
		text string
		args []any
		want string
	}{
		{`SELECT ?, ?, ?, ?`, []any{1, 2.5, "x", nil}, "1|2.5|x|NULL"},
		{`SELECT ?2, ?1, ?`, []any{true, []byte{1}, "z"}, "x'01'|1|z"},
		{`SELECT sum(n) FROM columns WHERE n > :low AND n < @high`, []any{sql.Named("low", 1), sql.Named("high", 3)}, "2"},
	} {
		if got := texts(t, db, test.text, test.args...); !slices.Equal(got, []string{test.want}) {
			t.Errorf("%s: got %v", test.text, got)
		}
	}
	for _, test := range []struct {
		text string
		args []any
	}{{`SELECT ?`, nil}, {`SELECT ?`, []any{1, 2}}, {`SELECT :a`, []any{sql.Named("b", 1)}}} {
		if _, err := tryTexts(t, db, test.text, test.args...); !errors.Is(err, columnvault.ErrInvalidArgument) {
			t.Errorf("%s with %v: %v", test.text, test.args, err)
		}
	}
}

// TestFieldsError: a statement that fails in its middle says so, and a loop that
// ends early closes the rows.
func TestFieldsError(t *testing.T) {
	v := newVault(t)
	fill(t, v, "t.n", dtype.Int64, []int64{1, 2, math.MaxInt64})
	db, err := query.Open(t.Context(), v, nil)
	check(t, err)
	defer db.Close()
	db.SetMaxOpenConns(1) // rows that stay open keep it
	var got []any
	for range 2 {
		rows, err := db.Query(`SELECT abs(-n - 1) FROM t`)
		check(t, err)
		got = nil
		var failed error
		for fields, err := range query.Fields(rows) {
			if failed = err; err == nil {
				got = append(got, fields[0])
			}
		}
		if len(got) != 2 || failed == nil {
			t.Errorf("got %v, %v, want two rows and an error", got, failed)
		}
	}
	rows, err := db.Query(`SELECT n FROM t`)
	check(t, err)
	for range query.Fields(rows) {
		break
	}
	check(t, db.Ping())
}
