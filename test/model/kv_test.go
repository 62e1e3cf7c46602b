package model_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"columnvault"
	"columnvault/internal/vaulttest"
)

// kvModel is a key-value table and the Go map that it should equal.
type kvModel struct {
	path  string
	v     *columnvault.Vault
	pairs map[string]string
}

// TestKVModel does the same to a key-value table and to a Go map, with and
// without a cache, inside transactions and outside, through a second handle
// and after opening the file again. Every answer must be that of the map.
func TestKVModel(t *testing.T) {
	dir := t.TempDir()
	checks := 0
	rapid.Check(t, func(rt *rapid.T) {
		checks++
		m := &kvModel{path: filepath.Join(dir, fmt.Sprint(checks)), pairs: map[string]string{}}
		m.open(rt)
		defer func() { vaulttest.Must(rt, m.v.Close()) }()
		rt.Repeat(map[string]func(*rapid.T){
			"change":   func(rt *rapid.T) { m.change(rt, m.v.KV()) },
			"update":   m.update,
			"view":     m.view,
			"cache":    m.cache,
			"reopen":   m.reopen,
			"other":    m.other,
			"keys":     func(rt *rapid.T) { m.wantKeys(rt, m.v.KV()) },
			"ranges":   func(rt *rapid.T) { m.wantRange(rt, m.v.KV()) },
			"together": func(rt *rapid.T) { m.wantAll(rt, m.v.KV()) },
		})
		m.wantAll(rt, m.v.KV())
	})
}

func (m *kvModel) open(rt *rapid.T) {
	var err error
	m.v, err = columnvault.Open(rt.Context(), m.path, nil)
	vaulttest.Must(rt, err)
}

// drawKey draws keys of which many begin as others do, or end in 00 or FF.
func drawKey(rt *rapid.T, label string) string {
	return string(rapid.SliceOfN(rapid.SampledFrom([]byte("\x00a\xfe\xff")), 0, 3).Draw(rt, label))
}

func drawValue(rt *rapid.T) string {
	return rapid.SampledFrom([]string{"", "v", "\x89K", "\x89K0123456789", "\x89K\x01\x00\x00\x00\x00\x00VK", "\x89K\x01\x00\x00\x00\x00\x00VKraw",
		strings.Repeat("0123456789", 50)}).Draw(rt, "value") + rapid.StringN(0, 3, 3).Draw(rt, "rest")
}

func drawPairs(rt *rapid.T) (texts []string) {
	for range rapid.IntRange(0, 6).Draw(rt, "pairs") {
		texts = append(texts, drawKey(rt, "key"), drawValue(rt))
	}
	return texts
}

// change makes one change to the table and to the map.
func (m *kvModel) change(rt *rapid.T, kv *columnvault.KV) {
	ctx := rt.Context()
	key := drawKey(rt, "key")
	old, had := m.pairs[key]
	switch op := rapid.SampledFrom([]string{"put", "put", "put many", "put from", "delete", "pop", "set default", "clear"}).Draw(rt, "op"); op {
	case "put":
		m.pairs[key] = drawValue(rt)
		vaulttest.Put(rt, kv, key, m.pairs[key])
	case "put from":
		m.pairs[key] = drawValue(rt)
		vaulttest.Must(rt, kv.PutFrom(ctx, []byte(key), int64(len(m.pairs[key])), strings.NewReader(m.pairs[key])))
	case "put many":
		texts := drawPairs(rt)
		vaulttest.Must(rt, kv.PutMany(ctx, vaulttest.PairsOf(texts...)...))
		for i := 0; i < len(texts); i += 2 {
			m.pairs[texts[i]] = texts[i+1]
		}
	case "delete":
		vaulttest.WantDelete(rt, kv, key, had)
		delete(m.pairs, key)
	case "pop":
		got, err := kv.Pop(ctx, []byte(key))
		wantFoundValue(rt, op, got, err, old, had)
		delete(m.pairs, key)
	case "set default":
		value := drawValue(rt)
		got, err := kv.SetDefault(ctx, []byte(key), []byte(value))
		if !had {
			old, m.pairs[key] = value, value
		}
		wantFoundValue(rt, op, got, err, old, true)
	case "clear":
		if rapid.IntRange(0, 3).Draw(rt, "really") == 0 {
			vaulttest.Must(rt, kv.Clear(ctx))
			clear(m.pairs)
		}
	}
}

// wantFoundValue requires the value, or ErrNotFound.
func wantFoundValue(rt *rapid.T, op string, got []byte, err error, want string, has bool) {
	rt.Helper()
	if !has {
		if !errors.Is(err, columnvault.ErrNotFound) || got != nil {
			rt.Fatalf("%s of no key: %q, %v", op, got, err)
		}
		return
	}
	if err != nil || string(got) != want || got == nil {
		rt.Fatalf("%s: %q, %v, want %q", op, got, err, want)
	}
}

// update makes several changes in one transaction, which happens or not.
func (m *kvModel) update(rt *rapid.T) {
	before := maps.Clone(m.pairs)
	n, undo := rapid.IntRange(0, 5).Draw(rt, "changes"), rapid.Bool().Draw(rt, "undo")
	err := m.v.Update(rt.Context(), func(ctx context.Context, tx *columnvault.Tx) error {
		kv := m.v.KV().In(tx)
		for range n {
			m.change(rt, kv)
			m.wantRange(rt, kv)
		}
		m.wantAll(rt, kv)
		if undo {
			return vaulttest.ErrOwn
		}
		return nil
	})
	if !undo {
		vaulttest.Must(rt, err)
		return
	}
	if err != vaulttest.ErrOwn {
		rt.Fatal(err)
	}
	m.pairs = before
}

// view reads in a View while the table changes.
func (m *kvModel) view(rt *rapid.T) {
	after := maps.Clone(m.pairs)
	vaulttest.Must(rt, m.v.View(rt.Context(), func(ctx context.Context, tx *columnvault.Tx) error {
		seen := kvModel{pairs: m.pairs}
		m.pairs = after
		for range rapid.IntRange(0, 4).Draw(rt, "changes") {
			m.change(rt, m.v.KV())
			seen.wantKeys(rt, m.v.KV().In(tx))
			seen.wantRange(rt, m.v.KV().In(tx))
		}
		seen.wantAll(rt, m.v.KV().In(tx))
		return nil
	}))
}

// cache gives the vault a cache, or takes it away, or writes what it holds.
func (m *kvModel) cache(rt *rapid.T) {
	ctx := rt.Context()
	switch rapid.SampledFrom([]string{"small", "large", "none", "flush"}).Draw(rt, "cache") {
	case "small":
		vaulttest.Must(rt, m.v.EnableCache(ctx, vaulttest.CacheOf(1000, 300)))
	case "large":
		vaulttest.Must(rt, m.v.EnableCache(ctx, nil))
	case "none":
		vaulttest.Must(rt, m.v.DisableCache(ctx))
	case "flush":
		_, err := m.v.Flush(ctx)
		vaulttest.Must(rt, err)
	}
}

func (m *kvModel) reopen(rt *rapid.T) {
	vaulttest.Must(rt, m.v.Close())
	m.open(rt)
}

// other reads and changes the table through another vault, after a flush.
func (m *kvModel) other(rt *rapid.T) {
	_, err := m.v.Flush(rt.Context())
	vaulttest.Must(rt, err)
	v, err := columnvault.Open(rt.Context(), m.path, nil)
	vaulttest.Must(rt, err)
	m.wantAll(rt, v.KV())
	for range rapid.IntRange(0, 2).Draw(rt, "changes") {
		m.change(rt, v.KV())
	}
	vaulttest.Must(rt, v.Close())
}

// wantKeys asks for single keys in every way.
func (m *kvModel) wantKeys(rt *rapid.T, kv *columnvault.KV) {
	rt.Helper()
	ctx := rt.Context()
	keys := [][]byte{[]byte(drawKey(rt, "first")), []byte(drawKey(rt, "second"))}
	values, err := kv.GetMany(ctx, keys...)
	vaulttest.Must(rt, err)
	for i, key := range keys {
		want, has := m.pairs[string(key)]
		got, err := kv.Get(ctx, key)
		wantFoundValue(rt, "Get", got, err, want, has)
		if (values[i] != nil) != has || string(values[i]) != want {
			rt.Fatalf("GetMany gives %q for %q, want %q, %v", values[i], key, want, has)
		}
		if found, err := kv.Has(ctx, key); found != has || err != nil {
			rt.Fatalf("Has(%q): %v, %v, want %v", key, found, err, has)
		}
		blob, err := kv.OpenBlob(ctx, key)
		if !has {
			wantFoundValue(rt, "OpenBlob", nil, err, "", false)
			continue
		}
		vaulttest.Must(rt, err)
		got, err = io.ReadAll(blob)
		wantFoundValue(rt, "reading the blob", got, errors.Join(err, blob.Close()), want, true)
		if blob.Size() != int64(len(want)) {
			rt.Fatalf("the blob has %d bytes, want %d", blob.Size(), len(want))
		}
	}
}

// wantRange asks for a range of keys.
func (m *kvModel) wantRange(rt *rapid.T, kv *columnvault.KV) {
	rt.Helper()
	ctx := rt.Context()
	r := &columnvault.Range{Reverse: rapid.Bool().Draw(rt, "reverse"), Limit: rapid.IntRange(0, 4).Draw(rt, "limit")}
	for _, bound := range []*[]byte{&r.Prefix, &r.From, &r.To} {
		if rapid.Bool().Draw(rt, "bounded") {
			*bound = []byte(drawKey(rt, "bound"))
		}
	}
	var want []columnvault.Pair
	for _, key := range slices.Sorted(maps.Keys(m.pairs)) {
		k := []byte(key)
		if bytes.HasPrefix(k, r.Prefix) && bytes.Compare(k, r.From) >= 0 && (r.To == nil || bytes.Compare(k, r.To) < 0) {
			want = append(want, columnvault.Pair{Key: k, Value: []byte(m.pairs[key])})
		}
	}
	if r.Reverse {
		slices.Reverse(want)
	}
	if r.Limit > 0 {
		want = want[:min(r.Limit, len(want))]
	}
	what := fmt.Sprintf("%+v", *r)
	vaulttest.WantValues(rt, what, vaulttest.Collect(rt, kv.All(ctx, r)), want)
	vaulttest.WantValues(rt, what, vaulttest.Collect(rt, kv.Keys(ctx, r)), vaulttest.Sequence(len(want), func(i int) []byte { return want[i].Key }))
	vaulttest.WantValues(rt, what, vaulttest.Collect(rt, kv.Values(ctx, r)), vaulttest.Sequence(len(want), func(i int) []byte { return want[i].Value }))
}

// wantAll requires the whole table.
func (m *kvModel) wantAll(rt *rapid.T, kv *columnvault.KV) {
	rt.Helper()
	var texts []string
	for _, key := range slices.Sorted(maps.Keys(m.pairs)) {
		texts = append(texts, key, m.pairs[key])
	}
	vaulttest.WantPairs(rt, kv, texts...)
}

// TestKVLongRanges goes over more pairs than are read at once, with some of
// them held in the cache, and changes the table from inside the loop.
func TestKVLongRanges(t *testing.T) {
	ctx := t.Context()
	const n = 3000
	key := func(i int) []byte { return fmt.Appendf(nil, "%04d", i) }
	value := func(i int) []byte { return bytes.Repeat([]byte{byte(i)}, i%1500) }
	for _, held := range []int{0, 1, 2, 700} {
		v := vaulttest.Open(t)
		kv := v.KV()
		all := vaulttest.Sequence(n, func(i int) columnvault.Pair { return columnvault.Pair{Key: key(i), Value: value(i)} })
		var stored, cached []columnvault.Pair
		for i, p := range all {
			if held > 0 && i*held%n < held {
				cached = append(cached, p)
				p.Value = []byte("old")
			}
			if held == 0 || i%2 == 0 || i*held%n >= held {
				stored = append(stored, p)
			}
		}
		vaulttest.Must(t, kv.PutMany(ctx, stored...))
		vaulttest.Must(t, v.EnableCache(ctx, nil))
		vaulttest.Must(t, kv.PutMany(ctx, cached...))
		vaulttest.WantValues(t, "pairs", vaulttest.Collect(t, kv.All(ctx, nil)), all)
		backwards := slices.Clone(all)
		slices.Reverse(backwards)
		vaulttest.WantValues(t, "pairs backwards", vaulttest.Collect(t, kv.All(ctx, &columnvault.Range{Reverse: true})), backwards)
		if count, err := kv.Len(ctx); count != n || err != nil {
			t.Errorf("Len: %d, %v", count, err)
		}
		got := 0
		for k, err := range kv.Keys(ctx, nil) { // one moment, whatever the body does
			vaulttest.Must(t, err)
			if !bytes.Equal(k, key(got)) {
				t.Fatalf("key %d is %q", got, k)
			}
			vaulttest.Must(t, kv.Put(ctx, key(n+got), nil))
			vaulttest.WantDelete(t, kv, string(k), true)
			got++
		}
		if count, err := kv.Len(ctx); got != n || count != n || err != nil {
			t.Errorf("%d keys, and after the loop %d, %v", got, count, err)
		}
	}
}

// TestKVLoopInTransaction: a loop may remove the keys that it comes to.
func TestKVLoopInTransaction(t *testing.T) {
	const n = 2500
	v := vaulttest.Open(t)
	kv := v.KV()
	vaulttest.Must(t, kv.PutMany(t.Context(), vaulttest.Sequence(n, func(i int) columnvault.Pair { return columnvault.Pair{Key: vaulttest.Key(i)} })...))
	vaulttest.Must(t, v.Update(t.Context(), func(ctx context.Context, tx *columnvault.Tx) error {
		in := kv.In(tx)
		i := 0
		for key, err := range in.Keys(ctx, nil) {
			vaulttest.Must(t, err)
			if !bytes.Equal(key, vaulttest.Key(i)) {
				t.Fatalf("key %d is %x", i, key)
			}
			if i%3 != 0 {
				vaulttest.WantDelete(t, in, string(key), true)
			}
			i++
		}
		if i != n {
			t.Errorf("the loop gave %d keys", i)
		}
		return nil
	}))
	want := vaulttest.Sequence((n+2)/3, func(i int) []byte { return vaulttest.Key(3 * i) })
	vaulttest.WantValues(t, "keys", vaulttest.Collect(t, kv.Keys(t.Context(), nil)), want)
}
