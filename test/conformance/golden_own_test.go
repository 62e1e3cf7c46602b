package conformance_test

import (
	"bytes"
	"flag"
	"fmt"
	"strings"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

var writeOwn = flag.Bool("write-own", false, "write testdata/own/first.db anew, with this version")

// own are the columns of testdata/own/first.db, which the first version wrote.
var own = []struct {
	dtype  string
	values []any
}{
	{"bool", []any{true, false}},
	{"i8", []any{-128, 127}}, {"i16", []any{-1 << 15, 1}}, {"i32", []any{-1 << 31, 2}}, {"i64", []any{-1 << 63, 3}},
	{"u8", []any{255}}, {"u16", []any{65535}}, {"u32", []any{4294967295}}, {"u64", []any{uint64(1<<64 - 1)}},
	{"f16", []any{0.5, -2.0}}, {"f32", []any{1.5, 0.0}}, {"f64", []any{0.1, 1e300}},
	{"str:utf8", []any{"", "é", strings.Repeat("long ", 400)}},
	{"str:8:utf8", []any{"eight", "é"}}, {"str:utf16le", []any{"wide", ""}}, {"str:latin1", []any{"é"}}, {"str:ascii", []any{"plain"}},
	{"bytes", []any{[]byte{}, []byte{0, 255}, bytes.Repeat([]byte{7}, 3000)}}, {"bytes:4", []any{[]byte("four")}},
	{"msgpack", []any{nil, map[string]any{"b": 1, "a": []any{"x", 2.5, true}}}}, {"msgpack:32", []any{map[string]any{"n": 1}}},
	{"cbor", []any{[]any{1, -1, "text"}, map[string]any{"a": nil}}}, {"cbor:32", []any{"fixed"}},
	{"vec:f32:3", []any{[]any{1, 2.5, -3}}}, {"vec:i16:2:2", []any{[]any{[]any{1, 2}, []any{3, 4}}}},
	{"vec:f64", []any{[]any{1.5}, []any{}}}, {"vec:u8", []any{[]any{1, 2, 255}}},
}

// ownPairs are its pairs, by key.
var ownPairs = map[string]any{"raw": []byte("bytes"), "text": "é", "number": int64(42), "map": map[string]any{"a": int64(1)}}

// TestFileOfTheFirstVersionIsReadWhole: a file that an earlier version of this
// package wrote has the elements that it was given, keeps every rule of the
// format, and takes more.
func TestFileOfTheFirstVersionIsReadWhole(t *testing.T) {
	ctx := t.Context()
	if *writeOwn {
		writeOwnFile(t, vaulttest.File(t, "testdata", "own", "first.db"))
	}
	v := vaulttest.OpenAt(t, vaulttest.CopyGolden(t, "own", "first.db"), nil)
	vaulttest.WantSound(t, v)
	infos, err := v.Columns(ctx)
	vaulttest.Must(t, err)
	if len(infos) != len(own) {
		t.Errorf("%d columns are listed, want %d", len(infos), len(own))
	}
	for _, want := range own {
		typ, err := dtype.Parse(want.dtype)
		vaulttest.Must(t, err)
		c := vaulttest.Lookup(t, v, "a column of "+want.dtype, typ)
		wantStoredForms(t, c, typ, want.values)
		vaulttest.Must(t, c.Append(ctx, want.values...))
		wantStoredForms(t, c, typ, append(want.values[:len(want.values):len(want.values)], want.values...))
	}
	for key, want := range ownPairs {
		got, err := columnvault.GetValue[any](ctx, v.KV(), []byte(key))
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("the value under %q is %v, %v, want %v", key, got, err, want)
		}
	}
	vaulttest.WantSound(t, v)
}

// wantStoredForms requires elements that are stored as these values are.
func wantStoredForms(t *testing.T, c *columnvault.Column[any], typ dtype.Type[any], values []any) {
	t.Helper()
	got, err := c.Slice(t.Context(), columnvault.Begin, columnvault.End)
	vaulttest.Must(t, err)
	form := func(values []any) [][]byte {
		return vaulttest.Sequence(len(values), func(i int) []byte {
			stored, err := typ.Append(nil, values[i])
			vaulttest.Must(t, err)
			return stored
		})
	}
	vaulttest.WantValues(t, c.Name(), form(got), form(values))
}

// writeOwnFile writes the columns and pairs to a file that does not exist.
func writeOwnFile(t *testing.T, path string) {
	t.Helper()
	v := vaulttest.OpenAt(t, path, &columnvault.Options{PageSize: 512})
	for _, want := range own {
		typ, err := dtype.Parse(want.dtype)
		vaulttest.Must(t, err)
		vaulttest.CreateWith(t, v, "a column of "+want.dtype, typ, vaulttest.Chunks(48, 1008), want.values...)
	}
	for key, value := range ownPairs {
		vaulttest.Must(t, v.KV().PutValue(t.Context(), []byte(key), value))
	}
	vaulttest.Must(t, v.Close())
}
