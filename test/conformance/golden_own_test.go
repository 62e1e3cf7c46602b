package conformance_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

var writeOwn = flag.Bool("write-own", false, "write the files of testdata/own that are missing, with this version")

// ownColumn is a column of a file of testdata/own.
type ownColumn struct {
	dtype  string // and the words of a meaning
	values []any
}

// parse returns the codec of the column.
func (c ownColumn) parse(t *testing.T) dtype.Type[any] {
	t.Helper()
	name, words, _ := strings.Cut(c.dtype, " ")
	spec, err := dtype.ParseSpec(name)
	vaulttest.Must(t, err)
	m, err := dtype.ParseMeaning(words)
	vaulttest.Must(t, err)
	return m.Type(spec)
}

// own are the columns of the files of testdata/own, each of which the version
// wrote that brought what is in it.
var own = map[string][]ownColumn{"first.db": ownFirst, "meanings.db": ownMeanings}

var ownMeanings = []ownColumn{
	{"i64 time=s", []any{time.Unix(-1, 0).UTC(), time.Unix(253402300799, 0).UTC()}},
	{"i64 time=ms zone=UTC null", []any{nil, time.UnixMilli(1785499200123).UTC()}},
	{"i64 time=us zone=Europe/Berlin", []any{time.UnixMicro(1785499200123456)}},
	{"i64 time=ns null", []any{time.Unix(0, 1785499200123456789), nil}},
	{"i64 date", []any{time.Date(2026, 7, 31, 0, 0, 0, 0, time.UTC)}},
	{"i64 date null", []any{nil, time.Date(1969, 12, 31, 0, 0, 0, 0, time.UTC)}},
	{"bool null", []any{true, nil, false}},
	{"i8 null", []any{nil, -127}}, {"i16 null", []any{nil, 1}}, {"i32 null", []any{nil, 2}}, {"i64 null", []any{nil, 3}},
	{"u8 null", []any{nil, 254}}, {"u16 null", []any{nil, 0}}, {"u32 null", []any{nil, 1}}, {"u64 null", []any{nil, uint64(1<<64 - 2)}},
	{"f16 null", []any{nil, 0.5}}, {"f32 null", []any{nil, 1.5}}, {"f64 null", []any{nil, 0.1}},
	{"str:utf8 null", []any{nil, "", "é"}}, {"str:utf16le null", []any{nil, "wide"}}, {"str:latin1 null", []any{"é", nil}},
	{"msgpack null", []any{nil, map[string]any{"a": nil}}}, {"cbor null", []any{nil, []any{1}}}, {"msgpack:8 null", []any{nil, 1}},
}

var ownFirst = []ownColumn{
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

// TestFilesOfEarlierVersionsAreReadWhole: a file that an earlier version of this
// package wrote has the elements that it was given, keeps every rule of the
// format, and takes more.
func TestFilesOfEarlierVersionsAreReadWhole(t *testing.T) {
	for name, columns := range own {
		t.Run(name, func(t *testing.T) {
			path := vaulttest.File(t, "testdata", "own", name)
			if _, err := os.Stat(path); *writeOwn && errors.Is(err, fs.ErrNotExist) {
				writeOwnFile(t, path, columns)
			}
			testOwnFile(t, name, columns)
		})
	}
}

func testOwnFile(t *testing.T, name string, own []ownColumn) {
	ctx := t.Context()
	v := vaulttest.OpenAt(t, vaulttest.CopyGolden(t, "own", name), nil)
	vaulttest.WantSound(t, v)
	infos, err := v.Columns(ctx)
	vaulttest.Must(t, err)
	if len(infos) != len(own) {
		t.Errorf("%d columns are listed, want %d", len(infos), len(own))
	}
	for _, want := range own {
		typ := want.parse(t)
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
func writeOwnFile(t *testing.T, path string, own []ownColumn) {
	t.Helper()
	v := vaulttest.OpenAt(t, path, &columnvault.Options{PageSize: 512})
	for _, want := range own {
		vaulttest.CreateWith(t, v, "a column of "+want.dtype, want.parse(t), vaulttest.Chunks(48, 1008), want.values...)
	}
	for key, value := range ownPairs {
		vaulttest.Must(t, v.KV().PutValue(t.Context(), []byte(key), value))
	}
	vaulttest.Must(t, v.Close())
}
