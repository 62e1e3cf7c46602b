package conformance_test

import (
	"fmt"
	"math"
	"testing"

	"columnvault"
	"columnvault/internal/vaulttest"
)

// What went wrong in the key-value table of KohakuVault 0.8.6; see
// defects_columns_test.go.

// TestNumbersUnderKeysComeBack: numbers came back as others, because eight
// packed bytes do not say whether they are an integer or a float. Those that
// the reader would guess wrongly are stored as msgpack here.
func TestNumbersUnderKeysComeBack(t *testing.T) {
	ctx := t.Context()
	kv := vaulttest.Open(t).KV()
	key := []byte("number")
	for _, value := range []any{int64(1e12), int64(1 << 62), int64(-1e15), 0.0, math.Copysign(0, -1), 5e-324, true, false,
		int64(math.MaxInt64), int64(math.MinInt64), int64(1e12 - 1), int64(-1e12 + 1), uint64(math.MaxUint64), 1.0, 1e12, 0.1, math.Inf(1), math.Inf(-1), math.MaxFloat64} {
		vaulttest.Must(t, kv.PutValue(ctx, key, value))
		got, err := columnvault.GetValue[any](ctx, kv, key)
		vaulttest.Must(t, err)
		if f, ok := value.(float64); ok && math.Signbit(f) != math.Signbit(got.(float64)) || got != value {
			t.Errorf("%T %v comes back as %T %v", value, value, got, got)
		}
	}
	vaulttest.Must(t, kv.PutValue(ctx, key, math.NaN()))
	if got, err := columnvault.GetValue[any](ctx, kv, key); err != nil || !math.IsNaN(got.(float64)) {
		t.Errorf("NaN comes back as %v, %v", got, err)
	}
}

// TestKeysAndClearReachEveryKey: keys and clear stopped after 10,000 keys, and
// said nothing.
func TestKeysAndClearReachEveryKey(t *testing.T) {
	ctx := t.Context()
	kv := vaulttest.Open(t).KV()
	const n = 10_050
	pairs := vaulttest.Sequence(n, func(i int) columnvault.Pair { return columnvault.Pair{Key: fmt.Appendf(nil, "%05d", i)} })
	vaulttest.Must(t, kv.PutMany(ctx, pairs...))
	keys := vaulttest.Collect(t, kv.Keys(ctx, nil))
	vaulttest.WantValues(t, "keys", keys, vaulttest.Sequence(n, func(i int) []byte { return pairs[i].Key }))
	vaulttest.Must(t, kv.Clear(ctx))
	vaulttest.WantPairs(t, kv)
}

// TestCachedKeysAreFoundAndDeleted: a key in the cache could not be found or
// deleted, and was written anyway.
func TestCachedKeysAreFoundAndDeleted(t *testing.T) {
	ctx := t.Context()
	p := vaulttest.OpenPair(t, nil)
	kv := p.V.KV()
	vaulttest.Must(t, p.V.EnableCache(ctx, nil))
	vaulttest.Put(t, kv, "key", "value")
	vaulttest.WantPairs(t, kv, "key", "value")
	vaulttest.WantPairs(t, p.Other.KV()) // it is still in the cache
	vaulttest.WantDelete(t, kv, "key", true)
	vaulttest.WantPairs(t, kv)
	flushAll(t, p.V)
	vaulttest.Must(t, p.V.DisableCache(ctx))
	vaulttest.WantPairs(t, kv)
	vaulttest.WantPairs(t, p.Other.KV())
}

// TestPrefixFindsKeysThatGoOnWithFF: a search by prefix missed the keys that go
// on with FF.
func TestPrefixFindsKeysThatGoOnWithFF(t *testing.T) {
	ctx := t.Context()
	kv := vaulttest.Open(t).KV()
	keys := []string{"p", "p\x00", "p\xff", "p\xff\x01", "p\xff\xff", "p\xff\xff\xff", "p\xfe", "q", "\xfe", "\xff", "\xff\x00", "\xff\xff"}
	for _, key := range keys {
		vaulttest.Put(t, kv, key, "")
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
		got := vaulttest.Collect(t, kv.Keys(ctx, columnvault.Prefix(prefix)))
		vaulttest.WantValues(t, fmt.Sprintf("prefix %q", prefix), got, vaulttest.Sequence(len(want), func(i int) []byte { return []byte(want[i]) }))
	}
}

// TestBytesThatLookLikeAHeaderComeBack: bytes that begin as a header does could
// be stored and not read.
func TestBytesThatLookLikeAHeaderComeBack(t *testing.T) {
	ctx := t.Context()
	kv := vaulttest.Open(t).KV()
	for _, value := range []string{
		"\x89K", "\x89K\x01", "\x89K\x01\x00\x00\x00\x00\x00V", "\x89K\x01\x00\x00\x00\x00\x00VK", "\x89K0123456789",
		"\x89K\x01\x06\x00\x00\x00\x00VKtext", "\x89K\x02\x06\x00\x00\x00\x00VKtext", "\x89K\x01\x01\x00\x00\x00\x00VK",
		"\x89K\x01\x00\x00\x00\x00\x00VK\x89K\x01\x00\x00\x00\x00\x00VK",
	} {
		vaulttest.Put(t, kv, "key", value)
		vaulttest.WantPairs(t, kv, "key", value)
		got, err := columnvault.GetValue[[]byte](ctx, kv, []byte("key"))
		vaulttest.Must(t, err)
		if string(got) != value {
			t.Errorf("GetValue of %q gives %q", value, got)
		}
		info, err := kv.Stat(ctx, []byte("key"))
		vaulttest.Must(t, err)
		if want := (columnvault.ValueInfo{Encoding: columnvault.EncodingRaw, Size: int64(len(value))}); info != want {
			t.Errorf("Stat of %q gives %v, want %v", value, info, want)
		}
	}
}
