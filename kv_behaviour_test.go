package columnvault_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"testing"

	"columnvault"
	"columnvault/dtype"
)

// What test_basic, test_kv_headers, test_auto_pack and test_cache_advanced of
// KohakuVault 0.8.6 require of its key-value table, without its pickles.

// put stores text under a key that is text.
func put(t tester, kv *columnvault.KV, key, value string) {
	t.Helper()
	must(t, kv.Put(t.Context(), columnvault.Key(key), []byte(value)))
}

// pairsOf makes pairs of keys and values in turn.
func pairsOf(texts ...string) []columnvault.Pair {
	return sequence(len(texts)/2, func(i int) columnvault.Pair {
		return columnvault.Pair{Key: []byte(texts[2*i]), Value: []byte(texts[2*i+1])}
	})
}

// wantGet requires the value of a key.
func wantGet(t tester, kv *columnvault.KV, key, want string) {
	t.Helper()
	got, err := kv.Get(t.Context(), columnvault.Key(key))
	must(t, err)
	if string(got) != want {
		t.Fatalf("%s[%q] is %q, want %q", kv.Name(), key, got, want)
	}
}

// wantPairs requires these pairs and no others, by every way to read them.
func wantPairs(t tester, kv *columnvault.KV, texts ...string) {
	t.Helper()
	ctx := t.Context()
	want := pairsOf(texts...)
	wantValues(t, "pairs", collect(t, kv.All(ctx, nil)), want)
	wantValues(t, "keys", collect(t, kv.Keys(ctx, nil)), sequence(len(want), func(i int) []byte { return want[i].Key }))
	wantValues(t, "values", collect(t, kv.Values(ctx, nil)), sequence(len(want), func(i int) []byte { return want[i].Value }))
	n, err := kv.Len(ctx)
	must(t, err)
	if n != len(want) {
		t.Fatalf("Len says %d, and there are %d keys", n, len(want))
	}
	for _, p := range want {
		wantGet(t, kv, string(p.Key), string(p.Value))
		has, err := kv.Has(ctx, p.Key)
		must(t, err)
		if !has {
			t.Fatalf("there is no key %q", p.Key)
		}
	}
}

// wantDelete requires that Delete tells whether the key was there.
func wantDelete(t tester, kv *columnvault.KV, key string, want bool) {
	t.Helper()
	there, err := kv.Delete(t.Context(), columnvault.Key(key))
	must(t, err)
	if there != want {
		t.Fatalf("Delete of %q says %v, want %v", key, there, want)
	}
}

// wantKey requires that the error names the key.
func wantKey(t *testing.T, err error, key string) {
	t.Helper()
	var e *columnvault.Error
	if !errors.As(err, &e) || string(e.Key) != key || e.Column != "kv" {
		t.Errorf("the error %v does not name the key %q", err, key)
	}
}

func TestKVBasic(t *testing.T) {
	ctx := t.Context()
	t.Run("put, get, contains, delete", func(t *testing.T) {
		kv := open(t).KV()
		put(t, kv, "key", "value")
		wantPairs(t, kv, "key", "value")
		put(t, kv, "key", "another")
		wantPairs(t, kv, "key", "another")
		wantDelete(t, kv, "key", true)
		wantPairs(t, kv)
	})
	t.Run("dict interface", func(t *testing.T) {
		kv := open(t).KV()
		wantPairs(t, kv)
		must(t, kv.PutMany(ctx, pairsOf("b", "2", "a", "1", "c", "3")...))
		wantPairs(t, kv, "a", "1", "b", "2", "c", "3")
		must(t, kv.Clear(ctx))
		wantPairs(t, kv)
		must(t, kv.Clear(ctx))
	})
	t.Run("missing key", func(t *testing.T) {
		kv := open(t).KV()
		for _, stored := range []string{"no table", "no key"} {
			_, err := kv.Get(ctx, []byte("missing"))
			wantErrText(t, stored, err, columnvault.ErrNotFound, "missing", "no such key")
			wantKey(t, err, "missing")
			values, err := kv.GetMany(ctx, []byte("missing"), []byte("key"))
			must(t, err)
			if values[0] != nil || (values[1] != nil) != (stored == "no key") {
				t.Errorf("%s: GetMany gives %q", stored, values)
			}
			put(t, kv, "key", "")
		}
	})
	// With a default the original's get gives that, and setdefault stores it.
	t.Run("default", func(t *testing.T) {
		kv := open(t).KV()
		for range 2 {
			value, err := kv.SetDefault(ctx, []byte("key"), []byte("first"))
			must(t, err)
			if string(value) != "first" {
				t.Errorf("SetDefault gives %q", value)
			}
		}
		value, err := kv.SetDefault(ctx, []byte("key"), []byte("second"))
		must(t, err)
		if string(value) != "first" {
			t.Errorf("SetDefault of a key that exists gives %q", value)
		}
		wantPairs(t, kv, "key", "first")
	})
	// The original's pop gives None for a key that does not exist.
	t.Run("pop", func(t *testing.T) {
		kv := open(t).KV()
		put(t, kv, "key", "value")
		value, err := kv.Pop(ctx, []byte("key"))
		must(t, err)
		if string(value) != "value" {
			t.Errorf("Pop gives %q", value)
		}
		_, err = kv.Pop(ctx, []byte("key"))
		wantErr(t, "Pop of a key that is gone", err, columnvault.ErrNotFound)
		wantKey(t, err, "key")
		wantPairs(t, kv)
	})
	t.Run("context manager", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "test.db")
		v := openAt(t, path, nil)
		put(t, v.KV(), "key", "value")
		must(t, v.Close())
		wantErr(t, "Put after Close", v.KV().Put(ctx, []byte("key"), nil), columnvault.ErrClosed)
		_, err := v.KV().Get(ctx, []byte("key"))
		wantErr(t, "Get after Close", err, columnvault.ErrClosed)
		wantPairs(t, openAt(t, path, nil).KV(), "key", "value")
	})
	t.Run("cache flush", func(t *testing.T) {
		p := openPair(t, nil)
		kv := p.v.KV()
		must(t, p.v.EnableCache(ctx, nil))
		for i := range 10 {
			put(t, kv, fmt.Sprint("key", i), fmt.Sprint(i))
		}
		wantPairs(t, p.other.KV())
		wantFlushed(t, p.v, 10)
		wantFlushed(t, p.v, 0)
		wantValues(t, "pairs on disk", collect(t, p.other.KV().All(ctx, nil)), collect(t, kv.All(ctx, nil)))
		wantGet(t, p.other.KV(), "key7", "7")
	})
	t.Run("binary keys", func(t *testing.T) {
		kv := open(t).KV()
		keys := []string{"", "\x00", "\x00\x01", "a\x00b", "\xff", "\xff\xfe"}
		var want []string
		for i, key := range keys {
			put(t, kv, key, fmt.Sprint(i))
			want = append(want, key, fmt.Sprint(i))
		}
		must(t, kv.Put(ctx, nil, []byte("nil is the empty key")))
		want[1] = "nil is the empty key"
		wantPairs(t, kv, want...)
	})
	// Where del of a missing key raises KeyError, Delete says false.
	t.Run("delete", func(t *testing.T) {
		kv := open(t).KV()
		wantDelete(t, kv, "key", false)
		put(t, kv, "key", "value")
		wantDelete(t, kv, "key", true)
		wantDelete(t, kv, "key", false)
	})
}

// TestKVTables: tables are apart from each other and from the columns, whatever
// they are called, except for the names that have a meaning.
func TestKVTables(t *testing.T) {
	ctx := t.Context()
	v := open(t)
	names := []string{"kv", `a "quoted" name`, "it's", "with space", "select", "kvault", "col_meta2", "日本", "x; DROP TABLE kv"}
	for i, name := range names {
		put(t, v.KVTable(name), "key", fmt.Sprint(i))
	}
	for i, name := range names {
		wantPairs(t, v.KVTable(name), "key", fmt.Sprint(i))
	}
	// SQLite takes capital letters for small ones, but for those of A to Z only.
	put(t, v.KVTable("Files"), "a", "1")
	wantPairs(t, v.KVTable("fILES"), "a", "1")
	put(t, v.KVTable("É"), "a", "1")
	wantPairs(t, v.KVTable("é"))
	wantNames(t, v)

	create(t, v, "numbers", dtype.Int64, 1)
	for _, name := range []string{"", "a\x00b", "col_meta", "COL_CHUNKS", "kohakuvault_meta", "sqlite_master", "SQLite_x", "kvault_col_data"} {
		kv := v.KVTable(name)
		wantErr(t, name, kv.Put(ctx, []byte("key"), nil), columnvault.ErrInvalidArgument)
		wantErr(t, name, second(kv.Get(ctx, []byte("key"))), columnvault.ErrInvalidArgument)
		wantErr(t, name, second(kv.Delete(ctx, []byte("key"))), columnvault.ErrInvalidArgument)
		wantErr(t, name, second(kv.OpenBlob(ctx, []byte("key"))), columnvault.ErrInvalidArgument)
		wantErr(t, name, loopErr(kv.All(ctx, nil)), columnvault.ErrInvalidArgument)
		wantErr(t, name, kv.Clear(ctx), columnvault.ErrInvalidArgument)
	}
	wantSound(t, v)
}

// TestKVForeignTable: a table of somebody else's that has no pairs is refused
// and stays as it is.
func TestKVForeignTable(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "test.db")
	must(t, openAt(t, path, nil).Close())
	execSQL(t, path, `CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)`, `INSERT INTO notes VALUES (1, 'mine')`)
	v := openAt(t, path, nil)
	for _, cached := range []bool{false, true} {
		if cached {
			must(t, v.EnableCache(ctx, nil))
		}
		kv := v.KVTable("notes")
		const said = "not a key-value table"
		wantErrText(t, "Put", kv.Put(ctx, []byte("key"), []byte("value")), columnvault.ErrInvalidArgument, said)
		wantErrText(t, "PutFrom", kv.PutFrom(ctx, []byte("key"), 9, pattern{}), columnvault.ErrInvalidArgument, said)
		wantErrText(t, "Get", second(kv.Get(ctx, []byte("key"))), columnvault.ErrInvalidArgument, said)
		wantErrText(t, "Has", second(kv.Has(ctx, []byte("key"))), columnvault.ErrInvalidArgument, said)
		wantErrText(t, "Len", second(kv.Len(ctx)), columnvault.ErrInvalidArgument, said)
		wantErrText(t, "Delete", second(kv.Delete(ctx, []byte("key"))), columnvault.ErrInvalidArgument, said)
		wantErrText(t, "Clear", kv.Clear(ctx), columnvault.ErrInvalidArgument, said)
		wantErrText(t, "All", loopErr(kv.All(ctx, nil)), columnvault.ErrInvalidArgument, said)
	}
	must(t, v.Close())
	wantValues(t, "the table", querySQL(t, path, `SELECT id, text FROM notes`), []string{"1 mine"})
}

// TestKVTransactions: pairs change together with columns, or not at all.
func TestKVTransactions(t *testing.T) {
	ctx := t.Context()
	v, other := openTwo(t)
	kv := v.KV()
	ints := create(t, v, "ints", dtype.Int64, 1)
	put(t, kv, "key", "old")
	change := func(ctx context.Context, tx *columnvault.Tx) error {
		in := kv.In(tx)
		put(t, in, "new", "value")
		put(t, in, "key", "changed")
		must(t, ints.In(tx).Append(ctx, 2))
		wantPairs(t, in, "key", "changed", "new", "value")
		wantDelete(t, in, "new", true)
		wantPairs(t, in, "key", "changed")
		wantPairs(t, other.KV(), "key", "old")
		return nil
	}
	err := v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		must(t, change(ctx, tx))
		return errRollback
	})
	if err != errRollback {
		t.Errorf("Update returns %v", err)
	}
	wantPairs(t, other.KV(), "key", "old")
	wantColumn(t, ints, 1)
	var ended *columnvault.KV
	must(t, v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		ended = kv.In(tx)
		wantErr(t, "Put beside the transaction", kv.Put(ctx, nil, nil), columnvault.ErrNested)
		wantErr(t, "Get beside the transaction", second(kv.Get(ctx, nil)), columnvault.ErrNested)
		wantErr(t, "OpenBlob beside the transaction", second(kv.OpenBlob(ctx, nil)), columnvault.ErrNested)
		wantErr(t, "Put through another vault", other.KV().In(tx).Put(ctx, nil, nil), columnvault.ErrInvalidArgument)
		return change(ctx, tx)
	}))
	wantPairs(t, other.KV(), "key", "changed")
	wantColumn(t, ints, 1, 2)
	wantErr(t, "Put after the transaction", ended.Put(ctx, nil, nil), columnvault.ErrClosed)
	wantErr(t, "Get after the transaction", second(ended.Get(ctx, []byte("key"))), columnvault.ErrClosed)
	wantErr(t, "OpenBlob after the transaction", second(ended.OpenBlob(ctx, []byte("key"))), columnvault.ErrClosed)

	must(t, v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		in := kv.In(tx)
		put(t, other.KV(), "key", "later")
		put(t, other.KVTable("another"), "key", "later")
		wantPairs(t, in, "key", "changed")
		wantPairs(t, v.KVTable("another").In(tx))
		wantErr(t, "Put in a View", in.Put(ctx, nil, nil), columnvault.ErrReadOnly)
		wantErr(t, "PutFrom in a View", in.PutFrom(ctx, nil, 1, pattern{}), columnvault.ErrReadOnly)
		wantErr(t, "Clear in a View", in.Clear(ctx), columnvault.ErrReadOnly)
		return nil
	}))
	wantPairs(t, kv, "key", "later")
}

// TestKVManyAreOne: PutMany stores all of its pairs or none, in a transaction
// of its own and as a part of one whose function ignores the error.
func TestKVManyAreOne(t *testing.T) {
	withTriggers(t)
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "test.db")
	v := openAt(t, path, nil)
	put(t, v.KV(), "a", "old")
	must(t, v.Close())
	execSQL(t, path, `CREATE TRIGGER no BEFORE INSERT ON kv WHEN new.key = x'63' BEGIN SELECT RAISE(ABORT, 'no'); END`)
	v = openAt(t, path, nil)
	kv := v.KV()
	pairs := pairsOf("a", "1", "b", "2", "c", "3", "d", "4")
	wantErr(t, "PutMany", kv.PutMany(ctx, pairs...), columnvault.ErrUnavailable)
	wantPairs(t, kv, "a", "old")
	err := v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		wantErr(t, "PutMany in a transaction", kv.In(tx).PutMany(ctx, pairs...), columnvault.ErrUnavailable)
		return nil
	})
	wantErr(t, "Update", err, columnvault.ErrUnavailable)
	wantPairs(t, kv, "a", "old")
	must(t, kv.PutMany(ctx, append(pairs[:2], pairsOf("b", "last")...)...))
	wantPairs(t, kv, "a", "1", "b", "last")
	must(t, kv.PutMany(ctx))
}

// TestKVHeaders: headers are not switched on and off here. Bytes never get one,
// unless they begin as one does, and everything else always does.
func TestKVHeaders(t *testing.T) {
	ctx := t.Context()
	const stored = `SELECT hex(value) FROM kv ORDER BY key`
	t.Run("raw bytes get none", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "test.db")
		kv := openAt(t, path, nil).KV()
		put(t, kv, "text", "plain")
		must(t, kv.PutValue(ctx, []byte("value"), []byte("plain")))
		wantValues(t, "stored", querySQL(t, path, stored), []string{"706C61696E", "706C61696E"})
	})
	t.Run("JPEG magic stays raw", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "test.db")
		kv := openAt(t, path, nil).KV()
		for key, magic := range map[string]string{"jpeg": "\xff\xd8\xff\xe0\x00\x10JFIF\x00", "png": "\x89PNG\r\n\x1a\n\x00\x00\x00", "short": "\x89K\x01"} {
			put(t, kv, key, magic)
			wantGet(t, kv, key, magic)
		}
		wantValues(t, "stored", querySQL(t, path, stored), []string{"FFD8FFE000104A46494600", "89504E470D0A1A0A000000", "894B01"})
	})
	// Values that were written before headers are read beside those after.
	t.Run("mixed", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "test.db")
		must(t, openAt(t, path, nil).Close())
		execSQL(t, path, `CREATE TABLE kv (key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL)`, `INSERT INTO kv VALUES (CAST('old' AS BLOB), x'0102')`)
		kv := openAt(t, path, nil).KV()
		must(t, kv.PutValue(ctx, []byte("new"), "text"))
		wantGet(t, kv, "old", "\x01\x02")
		got, err := columnvault.GetValue[string](ctx, kv, []byte("new"))
		must(t, err)
		if got != "text" {
			t.Errorf("the new value is %q", got)
		}
		// Get gives what is stored, so a program without this package's values
		// can tell them by their header.
		wantGet(t, kv, "new", "\x89K\x01\x06\x00\x00\x00\x00VKtext")
	})
	// The original notes its version in kohakuvault_meta and adds that table to
	// a file of older code, which has only pairs.
	t.Run("a file of older code", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "test.db")
		must(t, openAt(t, path, nil).Close())
		execSQL(t, path, `DROP TABLE kohakuvault_meta`, `DROP TABLE col_chunks`, `DROP TABLE col_meta`,
			`CREATE TABLE kv (key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL)`, `INSERT INTO kv VALUES (x'01', x'02')`)
		must(t, openAt(t, path, &columnvault.Options{ReadOnly: true}).Close())
		v := openAt(t, path, nil)
		wantPairs(t, v.KV(), "\x01", "\x02")
		must(t, v.KV().PutValue(ctx, []byte{2}, "text"))
		create(t, v, "ints", dtype.Int64, 1)
		must(t, v.Close())
		wantValues(t, "version", querySQL(t, path, `SELECT key, value FROM kohakuvault_meta`), []string{"schema_version 2"})
	})
	t.Run("the table is made as the original does", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "test.db")
		put(t, openAt(t, path, nil).KV(), "key", "value")
		const schema = `SELECT replace(sql, '"', '') FROM sqlite_master WHERE name = 'kv'`
		wantValues(t, "schema", querySQL(t, path, schema), querySQL(t, copyFixture(t, "v0", "shared_with_kv.db"), schema))
	})
}

// TestKVAutoPack: which encoding PutValue chooses is in TestValueEncodings.
// Packing is not switched off here: who wants bytes has Put and Get.
func TestKVAutoPack(t *testing.T) {
	ctx := t.Context()
	kv := open(t).KV()
	type sample struct {
		key   string
		value any
		// wrapped is the encoding asked for, as the original's wrappers do.
		wrapped columnvault.ValueEncoding
		// want is what is read back, if not the value.
		want any
	}
	samples := []sample{
		{key: "float32 array", value: []float32{1, 2.5}, want: dtype.Tensor[float32]{Shape: []int{2}, Data: []float32{1, 2.5}}},
		{key: "dict", value: map[string]any{"a": int64(1)}},
		{key: "list", value: []any{int64(1), "two", nil, true}},
		{key: "int", value: 42, want: int64(42)},
		{key: "float", value: 95.5},
		{key: "str", value: "héllo"},
		{key: "bytes", value: []byte("raw")},
		{key: "MsgPack wrapper", value: map[string]any{"a": "b"}, wrapped: columnvault.EncodingMsgPack},
		{key: "Json wrapper", value: map[string]any{"a": "b"}, wrapped: columnvault.EncodingJSON},
		{key: "nested", value: map[string]any{"list": []any{map[string]any{"deep": []any{1.5}}}}},
	}
	for _, s := range samples {
		var err error
		if s.wrapped != columnvault.EncodingRaw {
			err = kv.PutValueAs(ctx, []byte(s.key), s.wrapped, s.value)
		} else {
			err = kv.PutValue(ctx, []byte(s.key), s.value)
		}
		must(t, err)
	}
	put(t, kv, "from before", "raw")
	samples = append(samples, sample{key: "from before", value: []byte("raw")})
	for _, s := range samples {
		got, err := columnvault.GetValue[any](ctx, kv, []byte(s.key))
		must(t, err)
		want := s.want
		if want == nil {
			want = s.value
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %#v is read as %#v, want %#v", s.key, s.value, got, want)
		}
	}
	_, err := columnvault.GetValue[any](ctx, kv, []byte("missing"))
	wantErr(t, "GetValue of no key", err, columnvault.ErrNotFound)
	wantKey(t, err, "missing")
}
