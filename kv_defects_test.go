package columnvault_test

import (
	"fmt"
	"math"
	"testing"

	"columnvault"
)

// The defects of the key-value table of KohakuVault 0.8.6; see defects_test.go.

// TestDefect15: numbers came back as others, because eight packed bytes do not
// say whether they are an integer or a float. Those that the reader would guess
// wrongly are stored as msgpack here.
func TestDefect15(t *testing.T) {
	ctx := t.Context()
	kv := open(t).KV()
	key := []byte("number")
	for _, value := range []any{int64(1e12), int64(1 << 62), int64(-1e15), 0.0, math.Copysign(0, -1), 5e-324, true, false,
		int64(math.MaxInt64), int64(math.MinInt64), int64(1e12 - 1), int64(-1e12 + 1), uint64(math.MaxUint64), 1.0, 1e12, 0.1, math.Inf(1), math.Inf(-1), math.MaxFloat64} {
		must(t, kv.PutValue(ctx, key, value))
		got, err := columnvault.GetValue[any](ctx, kv, key)
		must(t, err)
		if f, ok := value.(float64); ok && math.Signbit(f) != math.Signbit(got.(float64)) || got != value {
			t.Errorf("%T %v comes back as %T %v", value, value, got, got)
		}
	}
	must(t, kv.PutValue(ctx, key, math.NaN()))
	if got, err := columnvault.GetValue[any](ctx, kv, key); err != nil || !math.IsNaN(got.(float64)) {
		t.Errorf("NaN comes back as %v, %v", got, err)
	}
}

// TestDefect16: keys and clear stopped after 10,000 keys, and said nothing.
func TestDefect16(t *testing.T) {
	ctx := t.Context()
	kv := open(t).KV()
	const n = 10_050
	pairs := sequence(n, func(i int) columnvault.Pair { return columnvault.Pair{Key: fmt.Appendf(nil, "%05d", i)} })
	must(t, kv.PutMany(ctx, pairs...))
	keys := collect(t, kv.Keys(ctx, nil))
	wantValues(t, "keys", keys, sequence(n, func(i int) []byte { return pairs[i].Key }))
	must(t, kv.Clear(ctx))
	wantPairs(t, kv)
}

// TestDefect17: a key in the cache could not be found or deleted, and was
// written all the same.
func TestDefect17(t *testing.T) {
	ctx := t.Context()
	p := openPair(t, nil)
	kv := p.v.KV()
	must(t, p.v.EnableCache(ctx, nil))
	put(t, kv, "key", "value")
	wantPairs(t, kv, "key", "value")
	wantPairs(t, p.other.KV()) // it is still in the cache
	wantDelete(t, kv, "key", true)
	wantPairs(t, kv)
	flushAll(t, p.v)
	must(t, p.v.DisableCache(ctx))
	wantPairs(t, kv)
	wantPairs(t, p.other.KV())
}

// TestDefect18: a search by prefix missed the keys that go on with FF.
func TestDefect18(t *testing.T) {
	ctx := t.Context()
	kv := open(t).KV()
	keys := []string{"p", "p\x00", "p\xff", "p\xff\x01", "p\xff\xff", "p\xff\xff\xff", "p\xfe", "q", "\xfe", "\xff", "\xff\x00", "\xff\xff"}
	for _, key := range keys {
		put(t, kv, key, "")
	}
	for prefix, want := range map[string][]string{
		"p":            {"p", "p\x00", "p\xfe", "p\xff", "p\xff\x01", "p\xff\xff", "p\xff\xff\xff"},
		"p\xfe":        {"p\xfe"},
		"\xfe":         {"\xfe"},
		"p\xff":        {"p\xff", "p\xff\x01", "p\xff\xff", "p\xff\xff\xff"},
		"p\xff\xff":    {"p\xff\xff", "p\xff\xff\xff"},
		"\xff":         {"\xff", "\xff\x00", "\xff\xff"},
		"\xff\xff":     {"\xff\xff"},
		"\xff\xff\xff": {},
		"r":            {},
	} {
		got := collect(t, kv.Keys(ctx, columnvault.Prefix(prefix)))
		wantValues(t, fmt.Sprintf("prefix %q", prefix), got, sequence(len(want), func(i int) []byte { return []byte(want[i]) }))
	}
}

// TestDefect19: bytes that begin as a header does could be stored and not read.
func TestDefect19(t *testing.T) {
	ctx := t.Context()
	kv := open(t).KV()
	for _, value := range []string{
		"\x89K", "\x89K\x01", "\x89K\x01\x00\x00\x00\x00\x00V", "\x89K\x01\x00\x00\x00\x00\x00VK", "\x89K0123456789",
		"\x89K\x01\x06\x00\x00\x00\x00VKtext", "\x89K\x02\x06\x00\x00\x00\x00VKtext", "\x89K\x01\x01\x00\x00\x00\x00VK",
		"\x89K\x01\x00\x00\x00\x00\x00VK\x89K\x01\x00\x00\x00\x00\x00VK",
	} {
		put(t, kv, "key", value)
		wantPairs(t, kv, "key", value)
		got, err := columnvault.GetValue[[]byte](ctx, kv, []byte("key"))
		must(t, err)
		if string(got) != value {
			t.Errorf("GetValue of %q gives %q", value, got)
		}
		info, err := kv.Stat(ctx, []byte("key"))
		must(t, err)
		if want := (columnvault.ValueInfo{Encoding: columnvault.EncodingRaw, Size: int64(len(value))}); info != want {
			t.Errorf("Stat of %q gives %v, want %v", value, info, want)
		}
	}
}
