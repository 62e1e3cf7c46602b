package conformance_test

import (
	"context"
	"fmt"
	"path/filepath"
	"reflect"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// What test_basic, test_kv_headers, test_auto_pack and test_cache_advanced of
// KohakuVault 0.8.6 require of its key-value table, without its pickles.

func TestKVBasic(t *testing.T) {
	ctx := t.Context()
	t.Run("put, get, contains, delete", func(t *testing.T) {
		kv := vaulttest.Open(t).KV()
		vaulttest.Put(t, kv, "key", "value")
		vaulttest.WantPairs(t, kv, "key", "value")
		vaulttest.Put(t, kv, "key", "another")
		vaulttest.WantPairs(t, kv, "key", "another")
		vaulttest.WantDelete(t, kv, "key", true)
		vaulttest.WantPairs(t, kv)
	})
	t.Run("dict interface", func(t *testing.T) {
		kv := vaulttest.Open(t).KV()
		vaulttest.WantPairs(t, kv)
		vaulttest.Must(t, kv.PutMany(ctx, vaulttest.PairsOf("b", "2", "a", "1", "c", "3")...))
		vaulttest.WantPairs(t, kv, "a", "1", "b", "2", "c", "3")
		vaulttest.Must(t, kv.Clear(ctx))
		vaulttest.WantPairs(t, kv)
		vaulttest.Must(t, kv.Clear(ctx))
	})
	t.Run("missing key", func(t *testing.T) {
		kv := vaulttest.Open(t).KV()
		for _, stored := range []string{"no table", "no key"} {
			_, err := kv.Get(ctx, []byte("missing"))
			vaulttest.WantErrText(t, stored, err, columnvault.ErrNotFound, "missing")
			vaulttest.WantKey(t, err, "missing")
			values, err := kv.GetMany(ctx, []byte("missing"), []byte("key"))
			vaulttest.Must(t, err)
			if values[0] != nil || (values[1] != nil) != (stored == "no key") {
				t.Errorf("%s: GetMany gives %q", stored, values)
			}
			vaulttest.Put(t, kv, "key", "")
		}
	})
	// With a default the original's get gives that, and setdefault stores it.
	t.Run("default", func(t *testing.T) {
		kv := vaulttest.Open(t).KV()
		for range 2 {
			value, err := kv.SetDefault(ctx, []byte("key"), []byte("first"))
			vaulttest.Must(t, err)
			if string(value) != "first" {
				t.Errorf("SetDefault gives %q", value)
			}
		}
		value, err := kv.SetDefault(ctx, []byte("key"), []byte("second"))
		vaulttest.Must(t, err)
		if string(value) != "first" {
			t.Errorf("SetDefault of a key that exists gives %q", value)
		}
		vaulttest.WantPairs(t, kv, "key", "first")
	})
	// The original's pop gives None for a key that does not exist.
	t.Run("pop", func(t *testing.T) {
		kv := vaulttest.Open(t).KV()
		vaulttest.Put(t, kv, "key", "value")
		value, err := kv.Pop(ctx, []byte("key"))
		vaulttest.Must(t, err)
		if string(value) != "value" {
			t.Errorf("Pop gives %q", value)
		}
		_, err = kv.Pop(ctx, []byte("key"))
		vaulttest.WantErr(t, "Pop of a key that is gone", err, columnvault.ErrNotFound)
		vaulttest.WantKey(t, err, "key")
		vaulttest.WantPairs(t, kv)
	})
	t.Run("context manager", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "test.db")
		v := vaulttest.OpenAt(t, path, nil)
		vaulttest.Put(t, v.KV(), "key", "value")
		vaulttest.Must(t, v.Close())
		vaulttest.WantErr(t, "Put after Close", v.KV().Put(ctx, []byte("key"), nil), columnvault.ErrClosed)
		_, err := v.KV().Get(ctx, []byte("key"))
		vaulttest.WantErr(t, "Get after Close", err, columnvault.ErrClosed)
		vaulttest.WantPairs(t, vaulttest.OpenAt(t, path, nil).KV(), "key", "value")
	})
	t.Run("cache flush", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		kv := p.V.KV()
		vaulttest.Must(t, p.V.EnableCache(ctx, nil))
		for i := range 10 {
			vaulttest.Put(t, kv, fmt.Sprint("key", i), fmt.Sprint(i))
		}
		vaulttest.WantPairs(t, p.Other.KV())
		wantFlushed(t, p.V, 10)
		wantFlushed(t, p.V, 0)
		vaulttest.WantValues(t, "pairs on disk", vaulttest.Collect(t, p.Other.KV().All(ctx, nil)), vaulttest.Collect(t, kv.All(ctx, nil)))
		vaulttest.WantGet(t, p.Other.KV(), "key7", "7")
	})
	t.Run("binary keys", func(t *testing.T) {
		kv := vaulttest.Open(t).KV()
		keys := []string{"", "\x00", "\x00\x01", "a\x00b", "\xff", "\xff\xfe"}
		var want []string
		for i, key := range keys {
			vaulttest.Put(t, kv, key, fmt.Sprint(i))
			want = append(want, key, fmt.Sprint(i))
		}
		vaulttest.Must(t, kv.Put(ctx, nil, []byte("nil is the empty key")))
		want[1] = "nil is the empty key"
		vaulttest.WantPairs(t, kv, want...)
	})
	// Where del of a missing key raises KeyError, Delete says false.
	t.Run("delete", func(t *testing.T) {
		kv := vaulttest.Open(t).KV()
		vaulttest.WantDelete(t, kv, "key", false)
		vaulttest.Put(t, kv, "key", "value")
		vaulttest.WantDelete(t, kv, "key", true)
		vaulttest.WantDelete(t, kv, "key", false)
	})
}

// TestKVTables: tables are apart from each other and from the columns, whatever
// they are called, except for the names that have a meaning.
func TestKVTables(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	names := []string{"kv", `a "quoted" name`, "it's", "with space", "select", "kvault", "col_meta2", "日本", "x; DROP TABLE kv"}
	for i, name := range names {
		vaulttest.Put(t, v.KVTable(name), "key", fmt.Sprint(i))
	}
	for i, name := range names {
		vaulttest.WantPairs(t, v.KVTable(name), "key", fmt.Sprint(i))
	}
	// SQLite takes capital letters for small ones, but for those of A to Z only.
	vaulttest.Put(t, v.KVTable("Files"), "a", "1")
	vaulttest.WantPairs(t, v.KVTable("fILES"), "a", "1")
	vaulttest.Put(t, v.KVTable("É"), "a", "1")
	vaulttest.WantPairs(t, v.KVTable("é"))
	vaulttest.WantNames(t, v)

	vaulttest.Create(t, v, "numbers", dtype.Int64, 1)
	for _, name := range []string{"", "a\x00b", "col_meta", "COL_CHUNKS", "kohakuvault_meta", "sqlite_master", "SQLite_x", "kvault_col_data"} {
		kv := v.KVTable(name)
		vaulttest.WantErr(t, name, kv.Put(ctx, []byte("key"), nil), columnvault.ErrInvalidArgument)
		vaulttest.WantErr(t, name, vaulttest.ErrOf(kv.Get(ctx, []byte("key"))), columnvault.ErrInvalidArgument)
		vaulttest.WantErr(t, name, vaulttest.ErrOf(kv.Delete(ctx, []byte("key"))), columnvault.ErrInvalidArgument)
		vaulttest.WantErr(t, name, vaulttest.ErrOf(kv.OpenBlob(ctx, []byte("key"))), columnvault.ErrInvalidArgument)
		vaulttest.WantErr(t, name, vaulttest.LoopErr(kv.All(ctx, nil)), columnvault.ErrInvalidArgument)
		vaulttest.WantErr(t, name, kv.Clear(ctx), columnvault.ErrInvalidArgument)
	}
	vaulttest.WantSound(t, v)
}

// TestKVForeignTable: a table of somebody else's that has no pairs is refused
// and stays as it is.
func TestKVForeignTable(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "test.db")
	vaulttest.Must(t, vaulttest.OpenAt(t, path, nil).Close())
	vaulttest.ExecSQL(t, path, `CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)`, `INSERT INTO notes VALUES (1, 'mine')`)
	v := vaulttest.OpenAt(t, path, nil)
	for _, cached := range []bool{false, true} {
		if cached {
			vaulttest.Must(t, v.EnableCache(ctx, nil))
		}
		kv := v.KVTable("notes")
		const said = "not a key-value table"
		vaulttest.WantErrText(t, "Put", kv.Put(ctx, []byte("key"), []byte("value")), columnvault.ErrInvalidArgument, said)
		vaulttest.WantErrText(t, "PutFrom", kv.PutFrom(ctx, []byte("key"), 9, vaulttest.Endless{}), columnvault.ErrInvalidArgument, said)
		vaulttest.WantErrText(t, "Get", vaulttest.ErrOf(kv.Get(ctx, []byte("key"))), columnvault.ErrInvalidArgument, said)
		vaulttest.WantErrText(t, "Has", vaulttest.ErrOf(kv.Has(ctx, []byte("key"))), columnvault.ErrInvalidArgument, said)
		vaulttest.WantErrText(t, "Len", vaulttest.ErrOf(kv.Len(ctx)), columnvault.ErrInvalidArgument, said)
		vaulttest.WantErrText(t, "Delete", vaulttest.ErrOf(kv.Delete(ctx, []byte("key"))), columnvault.ErrInvalidArgument, said)
		vaulttest.WantErrText(t, "Clear", kv.Clear(ctx), columnvault.ErrInvalidArgument, said)
		vaulttest.WantErrText(t, "All", vaulttest.LoopErr(kv.All(ctx, nil)), columnvault.ErrInvalidArgument, said)
	}
	vaulttest.Must(t, v.Close())
	vaulttest.WantValues(t, "the table", vaulttest.QuerySQL(t, path, `SELECT id, text FROM notes`), []string{"1 mine"})
}

// TestKVTransactions: pairs change together with columns, or not at all.
func TestKVTransactions(t *testing.T) {
	ctx := t.Context()
	v, other := openTwo(t)
	kv := v.KV()
	ints := vaulttest.Create(t, v, "ints", dtype.Int64, 1)
	vaulttest.Put(t, kv, "key", "old")
	change := func(ctx context.Context, tx *columnvault.Tx) error {
		in := kv.In(tx)
		vaulttest.Put(t, in, "new", "value")
		vaulttest.Put(t, in, "key", "changed")
		vaulttest.Must(t, ints.In(tx).Append(ctx, 2))
		vaulttest.WantPairs(t, in, "key", "changed", "new", "value")
		vaulttest.WantDelete(t, in, "new", true)
		vaulttest.WantPairs(t, in, "key", "changed")
		vaulttest.WantPairs(t, other.KV(), "key", "old")
		return nil
	}
	err := v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		vaulttest.Must(t, change(ctx, tx))
		return vaulttest.ErrOwn
	})
	if err != vaulttest.ErrOwn {
		t.Errorf("Update returns %v", err)
	}
	vaulttest.WantPairs(t, other.KV(), "key", "old")
	vaulttest.WantColumn(t, ints, 1)
	var ended *columnvault.KV
	vaulttest.Must(t, v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		ended = kv.In(tx)
		vaulttest.WantErr(t, "Put beside the transaction", kv.Put(ctx, nil, nil), columnvault.ErrNested)
		vaulttest.WantErr(t, "Get beside the transaction", vaulttest.ErrOf(kv.Get(ctx, nil)), columnvault.ErrNested)
		vaulttest.WantErr(t, "OpenBlob beside the transaction", vaulttest.ErrOf(kv.OpenBlob(ctx, nil)), columnvault.ErrNested)
		vaulttest.WantErr(t, "Put through another vault", other.KV().In(tx).Put(ctx, nil, nil), columnvault.ErrInvalidArgument)
		return change(ctx, tx)
	}))
	vaulttest.WantPairs(t, other.KV(), "key", "changed")
	vaulttest.WantColumn(t, ints, 1, 2)
	vaulttest.WantErr(t, "Put after the transaction", ended.Put(ctx, nil, nil), columnvault.ErrClosed)
	vaulttest.WantErr(t, "Get after the transaction", vaulttest.ErrOf(ended.Get(ctx, []byte("key"))), columnvault.ErrClosed)
	vaulttest.WantErr(t, "OpenBlob after the transaction", vaulttest.ErrOf(ended.OpenBlob(ctx, []byte("key"))), columnvault.ErrClosed)

	vaulttest.Must(t, v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		in := kv.In(tx)
		vaulttest.Put(t, other.KV(), "key", "later")
		vaulttest.Put(t, other.KVTable("another"), "key", "later")
		vaulttest.WantPairs(t, in, "key", "changed")
		vaulttest.WantPairs(t, v.KVTable("another").In(tx))
		vaulttest.WantErr(t, "Put in a View", in.Put(ctx, nil, nil), columnvault.ErrReadOnly)
		vaulttest.WantErr(t, "PutFrom in a View", in.PutFrom(ctx, nil, 1, vaulttest.Endless{}), columnvault.ErrReadOnly)
		vaulttest.WantErr(t, "Clear in a View", in.Clear(ctx), columnvault.ErrReadOnly)
		return nil
	}))
	vaulttest.WantPairs(t, kv, "key", "later")
}

// TestPutManyStoresAllOrNothing: PutMany stores all of its pairs or none, in a
// transaction of its own and as a part of one whose function ignores the error.
func TestPutManyStoresAllOrNothing(t *testing.T) {
	vaulttest.WithTriggers(t)
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "test.db")
	v := vaulttest.OpenAt(t, path, nil)
	vaulttest.Put(t, v.KV(), "a", "old")
	vaulttest.Must(t, v.Close())
	vaulttest.ExecSQL(t, path, `CREATE TRIGGER no BEFORE INSERT ON kv WHEN new.key = x'63' BEGIN SELECT RAISE(ABORT, 'no'); END`)
	v = vaulttest.OpenAt(t, path, nil)
	kv := v.KV()
	pairs := vaulttest.PairsOf("a", "1", "b", "2", "c", "3", "d", "4")
	vaulttest.WantErr(t, "PutMany", kv.PutMany(ctx, pairs...), columnvault.ErrUnavailable)
	vaulttest.WantPairs(t, kv, "a", "old")
	err := v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		vaulttest.WantErr(t, "PutMany in a transaction", kv.In(tx).PutMany(ctx, pairs...), columnvault.ErrUnavailable)
		return nil
	})
	vaulttest.WantErr(t, "Update", err, columnvault.ErrUnavailable)
	vaulttest.WantPairs(t, kv, "a", "old")
	vaulttest.Must(t, kv.PutMany(ctx, append(pairs[:2], vaulttest.PairsOf("b", "last")...)...))
	vaulttest.WantPairs(t, kv, "a", "1", "b", "last")
	vaulttest.Must(t, kv.PutMany(ctx))
}

// TestKVHeaders: headers are not switched on and off here. Bytes never get one,
// unless they begin as one does, and everything else always does.
func TestKVHeaders(t *testing.T) {
	ctx := t.Context()
	const stored = `SELECT hex(value) FROM kv ORDER BY key`
	t.Run("raw bytes get none", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "test.db")
		kv := vaulttest.OpenAt(t, path, nil).KV()
		vaulttest.Put(t, kv, "text", "plain")
		vaulttest.Must(t, kv.PutValue(ctx, []byte("value"), []byte("plain")))
		vaulttest.WantValues(t, "stored", vaulttest.QuerySQL(t, path, stored), []string{"706C61696E", "706C61696E"})
	})
	t.Run("JPEG magic stays raw", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "test.db")
		kv := vaulttest.OpenAt(t, path, nil).KV()
		for key, magic := range map[string]string{"jpeg": "\xff\xd8\xff\xe0\x00\x10JFIF\x00", "png": "\x89PNG\r\n\x1a\n\x00\x00\x00", "short": "\x89K\x01"} {
			vaulttest.Put(t, kv, key, magic)
			vaulttest.WantGet(t, kv, key, magic)
		}
		vaulttest.WantValues(t, "stored", vaulttest.QuerySQL(t, path, stored), []string{"FFD8FFE000104A46494600", "89504E470D0A1A0A000000", "894B01"})
	})
	// Values that were written before headers are read beside those after.
	t.Run("mixed", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "test.db")
		vaulttest.Must(t, vaulttest.OpenAt(t, path, nil).Close())
		vaulttest.ExecSQL(t, path, `CREATE TABLE kv (key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL)`, `INSERT INTO kv VALUES (CAST('old' AS BLOB), x'0102')`)
		kv := vaulttest.OpenAt(t, path, nil).KV()
		vaulttest.Must(t, kv.PutValue(ctx, []byte("new"), "text"))
		vaulttest.WantGet(t, kv, "old", "\x01\x02")
		got, err := columnvault.GetValue[string](ctx, kv, []byte("new"))
		vaulttest.Must(t, err)
		if got != "text" {
			t.Errorf("the new value is %q", got)
		}
		// Get gives what is stored, so a program without this package's values
		// can tell them by their header.
		vaulttest.WantGet(t, kv, "new", "\x89K\x01\x06\x00\x00\x00\x00VKtext")
	})
	// The original notes its version in kohakuvault_meta and adds that table to
	// a file of older code, which has only pairs.
	t.Run("a file of older code", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "test.db")
		vaulttest.Must(t, vaulttest.OpenAt(t, path, nil).Close())
		vaulttest.ExecSQL(t, path, `DROP TABLE kohakuvault_meta`, `DROP TABLE col_chunks`, `DROP TABLE col_meta`,
			`CREATE TABLE kv (key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL)`, `INSERT INTO kv VALUES (x'01', x'02')`)
		vaulttest.Must(t, vaulttest.OpenAt(t, path, &columnvault.Options{ReadOnly: true}).Close())
		v := vaulttest.OpenAt(t, path, nil)
		vaulttest.WantPairs(t, v.KV(), "\x01", "\x02")
		vaulttest.Must(t, v.KV().PutValue(ctx, []byte{2}, "text"))
		vaulttest.Create(t, v, "ints", dtype.Int64, 1)
		vaulttest.Must(t, v.Close())
		vaulttest.WantValues(t, "version", vaulttest.QuerySQL(t, path, `SELECT key, value FROM kohakuvault_meta`), []string{"schema_version 2"})
	})
	t.Run("the table is made as the original does", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "test.db")
		vaulttest.Put(t, vaulttest.OpenAt(t, path, nil).KV(), "key", "value")
		const schema = `SELECT replace(sql, '"', '') FROM sqlite_master WHERE name = 'kv'`
		vaulttest.WantValues(t, "schema", vaulttest.QuerySQL(t, path, schema), vaulttest.QuerySQL(t, vaulttest.CopyGolden(t, "v0", "shared_with_kv.db"), schema))
	})
}

// TestKVAutoPack: which encoding PutValue chooses is in TestValueEncodings.
// Packing is not switched off here: for bytes there are Put and Get.
func TestKVAutoPack(t *testing.T) {
	ctx := t.Context()
	kv := vaulttest.Open(t).KV()
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
		vaulttest.Must(t, err)
	}
	vaulttest.Put(t, kv, "from before", "raw")
	samples = append(samples, sample{key: "from before", value: []byte("raw")})
	for _, s := range samples {
		got, err := columnvault.GetValue[any](ctx, kv, []byte(s.key))
		vaulttest.Must(t, err)
		want := s.want
		if want == nil {
			want = s.value
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %#v is read as %#v, want %#v", s.key, s.value, got, want)
		}
	}
	_, err := columnvault.GetValue[any](ctx, kv, []byte("missing"))
	vaulttest.WantErr(t, "GetValue of no key", err, columnvault.ErrNotFound)
	vaulttest.WantKey(t, err, "missing")
}
