package vaulttest

import (
	"errors"
	"testing"

	"columnvault"
)

// Put stores text under a key that is text.
func Put(t TB, kv *columnvault.KV, key, value string) {
	t.Helper()
	Must(t, kv.Put(t.Context(), columnvault.Key(key), []byte(value)))
}

// PairsOf makes pairs of keys and values in turn.
func PairsOf(texts ...string) []columnvault.Pair {
	return Sequence(len(texts)/2, func(i int) columnvault.Pair {
		return columnvault.Pair{Key: []byte(texts[2*i]), Value: []byte(texts[2*i+1])}
	})
}

// WantGet requires the value of a key.
func WantGet(t TB, kv *columnvault.KV, key, want string) {
	t.Helper()
	got, err := kv.Get(t.Context(), columnvault.Key(key))
	Must(t, err)
	if string(got) != want {
		t.Fatalf("%s[%q] is %q, want %q", kv.Name(), key, got, want)
	}
}

// WantPairs requires these pairs and no others, by every way to read them.
func WantPairs(t TB, kv *columnvault.KV, texts ...string) {
	t.Helper()
	ctx := t.Context()
	want := PairsOf(texts...)
	WantValues(t, "pairs", Collect(t, kv.All(ctx, nil)), want)
	WantValues(t, "keys", Collect(t, kv.Keys(ctx, nil)), Sequence(len(want), func(i int) []byte { return want[i].Key }))
	WantValues(t, "values", Collect(t, kv.Values(ctx, nil)), Sequence(len(want), func(i int) []byte { return want[i].Value }))
	n, err := kv.Len(ctx)
	Must(t, err)
	if n != len(want) {
		t.Fatalf("Len says %d, and there are %d keys", n, len(want))
	}
	for _, p := range want {
		WantGet(t, kv, string(p.Key), string(p.Value))
		has, err := kv.Has(ctx, p.Key)
		Must(t, err)
		if !has {
			t.Fatalf("there is no key %q", p.Key)
		}
	}
}

// WantDelete requires that Delete tells whether the key was there.
func WantDelete(t TB, kv *columnvault.KV, key string, want bool) {
	t.Helper()
	there, err := kv.Delete(t.Context(), columnvault.Key(key))
	Must(t, err)
	if there != want {
		t.Fatalf("Delete of %q says %v, want %v", key, there, want)
	}
}

// WantKey requires that the error names the key.
func WantKey(t *testing.T, err error, key string) {
	t.Helper()
	var e *columnvault.Error
	if !errors.As(err, &e) || string(e.Key) != key || e.Column != "kv" {
		t.Errorf("the error %v does not name the key %q", err, key)
	}
}
