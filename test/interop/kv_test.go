package interop

import (
	"encoding/hex"
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"columnvault"
	"columnvault/dtype"
)

// TestKVTurns lets this project and KohakuVault work on one key-value table in
// turn, and after every step both must read what a map holds.
func TestKVTurns(t *testing.T) {
	p := startPython(t)
	dir := t.TempDir()
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		m := &kvTurns{p: p, t: t, path: filepath.Join(dir, fmt.Sprint(round, ".db")), pairs: map[string]any{}}
		rt.Repeat(map[string]func(*rapid.T){"put": m.put, "delete": m.delete, "": m.check})
	})
}

type kvTurns struct {
	p    *python
	t    *testing.T
	path string
	// pairs is what the table should hold: []byte, string, int64, float64,
	// []float32 or map[string]any.
	pairs map[string]any
}

// pairValues are values that both write and both read. What the others are is
// in TestKVTheyReadOurs and TestKVWeReadTheirs.
var pairValues = rapid.OneOf(
	rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 30), func(p []byte) any { return p }),
	rapid.Map(rapid.SampledFrom([]string{"", "\x89", "\x89K\x01", "\x89PNG and so on", "\xff\xd8\xff\xe0 and so on"}), func(s string) any { return []byte(s) }),
	rapid.Map(rapid.StringN(0, 20, -1), func(s string) any { return s }),
	rapid.Map(rapid.Int64Range(-1e12+1, 1e12-1), func(i int64) any { return i }),
	rapid.Map(rapid.Float64Range(1e-6, 1e6), func(f float64) any { return f }),
	rapid.Map(rapid.SliceOfN(rapid.Float32Range(-100, 100), 1, 12), func(v []float32) any { return v }),
	rapid.Map(rapid.SliceOfN(rapid.Int64(), 0, 5), func(list []int64) any {
		return map[string]any{"list": anys(list), "text": "é", "none": nil, "yes": true}
	}),
).Filter(func(v any) bool {
	p, ok := v.([]byte)
	return !ok || len(p) < 10 || p[0] != 0x89 || p[1] != 0x4b
})

// drawPairKey draws keys of which many begin as others do.
func (m *kvTurns) drawPairKey(rt *rapid.T) string {
	return string(rapid.SliceOfN(rapid.SampledFrom([]byte("\x00a\xff")), 0, 3).Draw(rt, "key"))
}

func (m *kvTurns) python(rt *rapid.T, op string, values ...any) []any {
	rt.Helper()
	answer, err := m.p.do(request{Op: op, Path: m.path, Values: values})
	if err != nil {
		rt.Fatalf("%s %v: %v", op, values, err)
	}
	return answer
}

// ours runs fn on the table, opened anew.
func (m *kvTurns) ours(rt *rapid.T, fn func(kv *columnvault.KV) error) {
	rt.Helper()
	v, err := columnvault.Open(rt.Context(), m.path, nil)
	if err != nil {
		rt.Fatal(err)
	}
	defer v.Close()
	if err := fn(v.KV()); err != nil {
		rt.Fatal(err)
	}
}

func (m *kvTurns) put(rt *rapid.T) {
	key, value := m.drawPairKey(rt), pairValues.Draw(rt, "value")
	if rapid.Bool().Draw(rt, "KohakuVault's turn") {
		m.python(rt, "kvput", hex.EncodeToString([]byte(key)), tagged(value))
	} else {
		m.ours(rt, func(kv *columnvault.KV) error { return kv.PutValue(m.t.Context(), []byte(key), value) })
	}
	m.pairs[key] = value
}

func (m *kvTurns) delete(rt *rapid.T) {
	key := m.drawPairKey(rt)
	_, want := m.pairs[key]
	var there bool
	if rapid.Bool().Draw(rt, "KohakuVault's turn") {
		there = m.python(rt, "kvdelete", hex.EncodeToString([]byte(key)))[0].(bool)
	} else {
		m.ours(rt, func(kv *columnvault.KV) (err error) {
			there, err = kv.Delete(m.t.Context(), []byte(key))
			return err
		})
	}
	if there != want {
		rt.Fatalf("delete says %v, want %v", there, want)
	}
	delete(m.pairs, key)
}

// check lets both read the whole table.
func (m *kvTurns) check(rt *rapid.T) {
	theirs := m.python(rt, "kvlist")
	if len(theirs) != len(m.pairs) {
		rt.Fatalf("KohakuVault lists %d keys, want %d", len(theirs), len(m.pairs))
	}
	for _, pair := range theirs {
		pair := pair.([]any)
		key, err := hex.DecodeString(pair[0].(string))
		if err != nil {
			rt.Fatal(err)
		}
		want, has := m.pairs[string(key)]
		if g, w := canonical(rt, pair[1]), canonical(rt, tagged(want)); !has || g != w {
			rt.Fatalf("KohakuVault reads %s at %q, want %s", g, key, w)
		}
	}
	m.ours(rt, func(kv *columnvault.KV) error {
		n := 0
		for key, err := range kv.Keys(m.t.Context(), nil) {
			if err != nil {
				return err
			}
			got, err := columnvault.GetValue[any](m.t.Context(), kv, key)
			if err != nil {
				return err
			}
			want, has := m.pairs[string(key)]
			if g, w := canonical(rt, tagged(got)), canonical(rt, tagged(want)); !has || g != w {
				rt.Fatalf("columnvault reads %s at %q, want %s", g, key, w)
			}
			n++
		}
		if n != len(m.pairs) {
			rt.Fatalf("columnvault lists %d keys, want %d", n, len(m.pairs))
		}
		return nil
	})
}

// tagged is a value as agent.py sends and takes it.
func tagged(value any) []any {
	switch v := value.(type) {
	case bool:
		return []any{"bool", v}
	case []byte:
		return []any{"bytes", hex.EncodeToString(v)}
	case int64:
		return []any{"int", strconv.FormatInt(v, 10)}
	case uint64:
		return []any{"int", strconv.FormatUint(v, 10)}
	case float64:
		return []any{"float", fmt.Sprintf("%016x", math.Float64bits(v))}
	case string:
		return []any{"text", v}
	case []float32:
		return []any{"array float32", doubles(v)}
	case dtype.Tensor[float32]:
		// A vector that we have read is to be compared with one that was put.
		return []any{"array float32", doubles(v.Data)}
	}
	return []any{"model", value}
}

// put stores a value with KohakuVault, and get reads one.
func (p *python) put(t *testing.T, path, kind string, value any) {
	t.Helper()
	if _, err := p.do(request{Op: "kvput", Path: path, Values: []any{hex.EncodeToString([]byte("key")), []any{kind, value}}}); err != nil {
		t.Fatal(err)
	}
}

func (p *python) get(path string) (any, error) {
	values, err := p.do(request{Op: "kvget", Path: path, Values: []any{hex.EncodeToString([]byte("key"))}})
	if err != nil {
		return nil, err
	}
	return values[0], nil
}

// TestKVTheyReadOurs: what KohakuVault reads of every kind of value that
// PutValue stores. It is the value, but for what its reader cannot know.
func TestKVTheyReadOurs(t *testing.T) {
	p := startPython(t)
	path := filepath.Join(t.TempDir(), "test.db")
	put := func(fn func(kv *columnvault.KV) error) {
		t.Helper()
		v, err := columnvault.Open(t.Context(), path, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer v.Close()
		if err := fn(v.KV()); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		value any
		want  []any
	}{
		{value: "text", want: []any{"text", "text"}},
		{value: "日本\x00", want: []any{"text", "日本\x00"}},
		{value: []byte("bytes"), want: []any{"bytes", "6279746573"}},
		{value: []byte{}, want: []any{"bytes", ""}},
		{value: []byte("\x89PNG is no header"), want: []any{"bytes", hex.EncodeToString([]byte("\x89PNG is no header"))}},
		{value: 42, want: []any{"int", "42"}},
		{value: int64(1e12), want: []any{"int", "1000000000000"}},
		{value: int64(-1e15), want: []any{"int", "-1000000000000000"}},
		{value: int64(1 << 62), want: []any{"int", "4611686018427387904"}},
		{value: int64(math.MinInt64), want: []any{"int", "-9223372036854775808"}},
		{value: uint64(math.MaxUint64), want: []any{"int", "18446744073709551615"}},
		{value: 0.0, want: tagged(0.0)},
		{value: math.Copysign(0, -1), want: tagged(math.Copysign(0, -1))},
		{value: 5e-324, want: tagged(5e-324)},
		{value: 95.5, want: tagged(95.5)},
		{value: 1e300, want: tagged(1e300)},
		{value: math.Inf(-1), want: tagged(math.Inf(-1))},
		{value: true, want: []any{"bool", true}},
		{value: nil, want: []any{"model", nil}},
		{value: []float32{1, 2.5}, want: []any{"array float32", []any{1, 2.5}}},
		{value: []int64{}, want: []any{"model", []any{}}},
		{value: []int16{7}, want: []any{"model", []any{7}}},
		{value: dtype.Tensor[uint8]{Shape: []int{2, 2}, Data: []uint8{1, 2, 3, 4}}, want: []any{"array uint8", []any{[]any{1, 2}, []any{3, 4}}}},
		{value: map[string]any{"a": []any{1, "é", nil, true, 0.5}}, want: []any{"model", map[string]any{"a": []any{1, "é", nil, true, 0.5}}}},
		{value: struct{ A, B int }{1, 2}, want: []any{"model", map[string]any{"A": 1, "B": 2}}},
		// Bytes that begin as a header does have one that says raw. Without it
		// KohakuVault refuses them, also those that it has written itself.
		{value: []byte("\x89K0123456789"), want: []any{"bytes", hex.EncodeToString([]byte("\x89K0123456789"))}},
		{value: []byte("\x89K\x01\x06\x00\x00\x00\x00VKtext"), want: []any{"bytes", hex.EncodeToString([]byte("\x89K\x01\x06\x00\x00\x00\x00VKtext"))}},
	} {
		put(func(kv *columnvault.KV) error { return kv.PutValue(t.Context(), []byte("key"), test.value) })
		p.wantRead(t, path, fmt.Sprintf("%T %v", test.value, test.value), test.want)
	}
	for e, value := range map[columnvault.ValueEncoding]any{
		columnvault.EncodingJSON:    map[string]any{"a": []any{1, "<é>", nil, true, 0.5}},
		columnvault.EncodingMsgPack: []any{map[string]any{"z": 1, "a": 2}},
		columnvault.EncodingCBOR:    map[string]any{"a": []any{1, "é", nil, true, 0.5}},
	} {
		put(func(kv *columnvault.KV) error { return kv.PutValueAs(t.Context(), []byte("key"), e, value) })
		p.wantRead(t, path, e.String(), []any{"model", value})
	}
	// Numbers that are packed anyway are read as others.
	for value, want := range map[any][]any{0.0: {"int", "0"}, int64(1 << 62): tagged(2.0)} {
		put(func(kv *columnvault.KV) error {
			return kv.PutValueAs(t.Context(), []byte("key"), columnvault.EncodingPacked, value)
		})
		p.wantRead(t, path, fmt.Sprintf("%T %v packed", value, value), want)
	}
	put(func(kv *columnvault.KV) error {
		const size = 1_000_000
		return kv.PutFrom(t.Context(), []byte("key"), size, strings.NewReader(strings.Repeat("x", size)))
	})
	p.wantRead(t, path, "a stream", []any{"bytes", strings.Repeat("78", 1_000_000)})
}

// wantRead requires what KohakuVault reads.
func (p *python) wantRead(t *testing.T, path, what string, want []any) {
	t.Helper()
	got, err := p.get(path)
	if err != nil {
		t.Errorf("%s: KohakuVault does not read it: %v", what, err)
	} else if g, w := canonical(t, got), canonical(t, want); g != w {
		t.Errorf("%s: KohakuVault reads %.200s, want %.200s", what, g, w)
	}
}

// TestKVWeReadTheirs: what this project reads of every kind of value that
// KohakuVault stores.
func TestKVWeReadTheirs(t *testing.T) {
	p := startPython(t)
	path := filepath.Join(t.TempDir(), "test.db")
	for _, test := range []struct {
		kind  string
		value any
		want  any
	}{
		{"text", "é", "é"},
		{"bytes", "00ff", []byte{0, 255}},
		// KohakuVault cannot read these itself.
		{"bytes", hex.EncodeToString([]byte("\x89K0123456789")), []byte("\x89K0123456789")},
		{"int", "42", int64(42)},
		{"int", "-999999999999", int64(-999_999_999_999)},
		{"float", tagged(95.5)[1], 95.5},
		{"float", tagged(math.Inf(1))[1], math.Inf(1)},
		{"int", "18446744073709551615", float64(1 << 64)}, // it packs what is above i64 as a float
		{"bool", true, int64(1)},                          // and booleans as integers
		{"array float32", []any{1, 2.5}, dtype.Tensor[float32]{Shape: []int{2}, Data: []float32{1, 2.5}}},
		{"array int64", []any{[]any{1, 2}, []any{3, 4}}, dtype.Tensor[int64]{Shape: []int{2, 2}, Data: []int64{1, 2, 3, 4}}},
		{"array int16", []any{}, dtype.Tensor[int16]{Shape: []int{0}, Data: []int16{}}},
		{"model", map[string]any{"a": []any{1, nil}}, map[string]any{"a": []any{int64(1), nil}}},
		{"json", map[string]any{"a": []any{1, "é", 0.5}}, map[string]any{"a": []any{int64(1), "é", 0.5}}},
		{"msgpack", []any{1, "é"}, []any{int64(1), "é"}},
		{"cbor", []any{1, "é", 0.5}, []any{int64(1), "é", 0.5}},
	} {
		p.put(t, path, test.kind, test.value)
		if got := ourValue[any](t, path); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s %v is read as %#v, want %#v", test.kind, test.value, got, test.want)
		}
	}
	// Eight packed bytes do not say what they are. GetValue[any] reads them as
	// KohakuVault does, which for these is something else; a type sets it right.
	p.put(t, path, "int", "1000000000000")
	p.wantRead(t, path, "10^12", tagged(math.Float64frombits(1e12)))
	wantOurs[any](t, path, math.Float64frombits(1e12))
	wantOurs(t, path, int64(1e12))
	p.put(t, path, "int", "4611686018427387904")
	p.wantRead(t, path, "2^62", tagged(2.0))
	wantOurs[any](t, path, 2.0)
	wantOurs(t, path, int64(1<<62))
	p.put(t, path, "float", tagged(0.0)[1])
	p.wantRead(t, path, "0.0", []any{"int", "0"})
	wantOurs[any](t, path, int64(0))
	wantOurs(t, path, 0.0)
	p.put(t, path, "array uint8", []any{1, 2})
	wantOurs(t, path, dtype.Tensor[uint8]{Shape: []int{2}, Data: []uint8{1, 2}})
	wantOurs(t, path, []uint8{1, 2})
	// A pickle is recognised, and its bytes can be had.
	p.put(t, path, "model", nil)
	v, err := columnvault.Open(t.Context(), path, &columnvault.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	pickle, err := columnvault.GetValue[[]byte](t.Context(), v.KV(), []byte("key"))
	if len(pickle) == 0 || err == nil || !strings.Contains(err.Error(), "pickle") {
		t.Errorf("a pickle is read as %q, %v", pickle, err)
	}
}

func ourValue[T any](t *testing.T, path string) T {
	t.Helper()
	v, err := columnvault.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	value, err := columnvault.GetValue[T](t.Context(), v.KV(), []byte("key"))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// wantOurs requires what this project reads as a T.
func wantOurs[T any](t *testing.T, path string, want T) {
	t.Helper()
	if got := ourValue[T](t, path); !reflect.DeepEqual(got, want) {
		t.Errorf("read as %v: %#v, want %#v", reflect.TypeFor[T](), got, want)
	}
}

// TestKVTheyCannotReadBytesThatLookLikeAHeader: KohakuVault does not read bytes
// back that begin as a header does, when it has stored them itself. Once stored
// here, it does.
func TestKVTheyCannotReadBytesThatLookLikeAHeader(t *testing.T) {
	p := startPython(t)
	path := filepath.Join(t.TempDir(), "test.db")
	value := "\x89K0123456789"
	p.put(t, path, "bytes", hex.EncodeToString([]byte(value)))
	if got, err := p.get(path); err == nil || !strings.Contains(err.Error(), "closing magic mismatch") {
		t.Errorf("KohakuVault reads its own bytes as %v, %v", got, err)
	}
	v, err := columnvault.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := v.KV().Get(t.Context(), []byte("key"))
	if err != nil || string(got) != value {
		t.Errorf("columnvault reads %q, %v", got, err)
	}
	if err := v.KV().Put(t.Context(), []byte("key"), got); err != nil {
		t.Error(err)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	p.wantRead(t, path, "bytes with the magic", []any{"bytes", hex.EncodeToString([]byte(value))})
}
