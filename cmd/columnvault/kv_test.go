package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"pgregory.net/rapid"

	"columnvault"
	"columnvault/dtype"
)

// TestShowKey checks that what is printed for a key is the key of no other, on
// the command line and in JSON.
func TestShowKey(t *testing.T) {
	text := rapid.Custom(func(t *rapid.T) []byte { return []byte(rapid.String().Draw(t, "text")) })
	nested := rapid.Custom(func(t *rapid.T) []byte { return appendBytes(nil, text.Draw(t, "nested")) })
	keys := rapid.OneOf(text, rapid.SliceOf(rapid.Byte()), nested, rapid.Just([]byte(`{"$base64":true,"encoded":"!"}`)))
	rapid.Check(t, func(t *rapid.T) {
		key := keys.Draw(t, "key")
		shown := showKey(key)
		if back, err := parseKey(&cobra.Command{}, shown); err != nil || !bytes.Equal(back, key) {
			t.Fatalf("%q is shown as %s, which is the key %q (%v)", key, shown, back, err)
		}
		if printable(shown) != shown || strings.TrimSpace(shown) != shown || shown == "" {
			t.Fatalf("%q is shown as %q", key, shown)
		}
		var s string
		back, isBytes, err := decodeBytes(appendKey(nil, key))
		if !isBytes {
			err = json.Unmarshal(appendKey(nil, key), &s)
			back = []byte(s)
		}
		if err != nil || !bytes.Equal(back, key) {
			t.Fatalf("%q is %s in JSON, which is the key %q (%v)", key, appendKey(nil, key), back, err)
		}
	})
}

func TestParseStored(t *testing.T) {
	for text, want := range map[string]any{
		"5": int64(5), " -5 ": int64(-5), "-0": int64(0), "9223372036854775808": uint64(1 << 63),
		"5.0": 5.0, "-2.5": -2.5, "1e3": 1000.0, "-0.0": math.Copysign(0, -1),
		"Infinity": math.Inf(1), "-inf": math.Inf(-1), `"Infinity"`: "Infinity", "infinite": "infinite",
		"": "", "hello": "hello", " two  words": " two  words", `"5"`: "5", `"é\n"`: "é\n", "007": "007",
		"true": true, "null": nil, "[]": []any{}, "{}": map[string]any{},
		`{"$base64":true,"encoded":"AP8="}`:       []byte{0, 255},
		`{"$base64":true,"encoded":""}`:           []byte{},
		`{"$base64":false,"encoded":"AP8="}`:      map[string]any{"$base64": false, "encoded": "AP8="},
		`{"$base64":true,"encoded":"!","size":1}`: map[string]any{"$base64": true, "encoded": "!", "size": json.Number("1")},
	} {
		got, err := parseStored([]byte(text))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %T %v (%v), want %T %v", text, got, got, err, want, want)
		}
	}
	if f, err := parseStored([]byte(" nan")); err != nil || f.(float64) == f.(float64) {
		t.Errorf("NaN: got %v, %v", f, err)
	}
	for _, text := range []string{"18446744073709551616", "-9223372036854775809", "1e400", `{"a"`, `"a`, "\xff", `{"$base64":true,"encoded":"!"}`} {
		if got, err := parseStored([]byte(text)); err == nil {
			t.Errorf("%q: got %v and no error", text, got)
		}
	}
}

// TestPrintTensors prints tensors of every element type that GetValue returns.
func TestPrintTensors(t *testing.T) {
	for name, want := range map[string]string{
		"i8": "[-1,2]", "i16": "[-1,2]", "i32": "[-1,2]", "i64": "[-1,2]",
		"u8": "[1,2]", "u16": "[1,2]", "u32": "[1,2]", "u64": "[1,2]",
		"f32": "[0.1,2.0]", "f64": `[0.1,"NaN"]`,
	} {
		spec, err := dtype.ParseSpec("vec:" + name)
		if err != nil {
			t.Fatal(err)
		}
		v, err := newParser(spec).parse([]byte(want))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(appendStored(nil, v)); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

// TestLongKeyList lists more keys than are aligned at once.
func TestLongKeyList(t *testing.T) {
	db := filepath.Join(t.TempDir(), "a.db")
	v, err := columnvault.Open(db, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	var pairs []columnvault.Pair
	var table, lines strings.Builder
	table.WriteString("key       size  encoding\n")
	for i := range 2*listRows + 1 {
		key := fmt.Sprintf("key %04d", i)
		pairs = append(pairs, columnvault.Pair{Key: columnvault.Key(key), Value: make([]byte, i%100)})
		fmt.Fprintf(&table, "%s  %4d  raw\n", key, i%100)
		fmt.Fprintf(&lines, `{"key":"%s","size":%d,"encoding":"raw"}`+"\n", key, i%100)
	}
	if err := v.KV().PutMany(t.Context(), pairs...); err != nil {
		t.Fatal(err)
	}
	if got := columnvaultCommand(t, "kv", "ls", db); got != table.String() {
		t.Errorf("got\n%.300s", got)
	}
	if got := columnvaultCommand(t, "kv", "ls", db, "--json"); got != lines.String() {
		t.Errorf("got\n%.300s", got)
	}
}

// TestStreamLarge stores and writes more than is in memory at once.
func TestStreamLarge(t *testing.T) {
	db := filepath.Join(t.TempDir(), "a.db")
	value := make([]byte, 3*copyPiece+1)
	for i := range value {
		value[i] = byte(i * i >> 8)
	}
	var out, stderr bytes.Buffer
	if code := run(t.Context(), []string{"kv", "put", db, "x"}, bytes.NewReader(value), &out, &stderr); code != exitOK {
		t.Fatal(stderr.String())
	}
	if got := columnvaultCommand(t, "kv", "cat", db, "x"); got != string(value) {
		t.Errorf("%d bytes come back as %d others", len(value), len(got))
	}
	if got := columnvaultCommand(t, "kv", "cat", db, "x", "--range", "-300000:-1"); got != string(value[len(value)-300000:len(value)-1]) {
		t.Errorf("the range has %d other bytes", len(got))
	}
}
