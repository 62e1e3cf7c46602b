package conformance_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// wantLenKV requires the number of keys.
func wantLenKV(t vaulttest.TB, kv *columnvault.KV, want int) {
	t.Helper()
	n, err := kv.Len(t.Context())
	vaulttest.Must(t, err)
	if n != want {
		t.Fatalf("%s has %d keys, want %d", kv.Name(), n, want)
	}
}

// putNumbers stores the texts of the numbers from up to, not including, to.
func putNumbers(t vaulttest.TB, kv *columnvault.KV, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		vaulttest.Put(t, kv, fmt.Sprintf("%04d", i), fmt.Sprint(i))
	}
}

// TestKVCacheAdvanced is test_cache_advanced of KohakuVault, line by line. In
// each case the pairs are wanted on disk. Where that has locks and a daemon,
// there are PauseFlush and FlushInterval here, for pairs and columns together.
func TestKVCacheAdvanced(t *testing.T) {
	ctx := t.Context()
	large := strings.Repeat("x", 2000)
	t.Run("value above the cap is stored directly", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		vaulttest.Must(t, p.V.EnableCache(ctx, vaulttest.CacheOf(1024, 512)))
		vaulttest.Put(t, p.V.KV(), "small", "held")
		vaulttest.WantPairs(t, p.Other.KV())
		vaulttest.Put(t, p.V.KV(), "large", large)
		vaulttest.WantPairs(t, p.Other.KV(), "large", large, "small", "held")
	})
	t.Run("overflow of the cap flushes first", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		vaulttest.Must(t, p.V.EnableCache(ctx, vaulttest.CacheOf(2200, 2200)))
		vaulttest.Put(t, p.V.KV(), "first", large)
		vaulttest.WantPairs(t, p.Other.KV())
		vaulttest.Put(t, p.V.KV(), "second", large)
		vaulttest.WantPairs(t, p.Other.KV(), "first", large)
		vaulttest.WantPairs(t, p.V.KV(), "first", large, "second", large)
	})
	t.Run("threshold flush", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		vaulttest.Must(t, p.V.EnableCache(ctx, vaulttest.CacheOf(1<<20, 1000)))
		putNumbers(t, p.V.KV(), 0, 100)
		wantLenKV(t, p.V.KV(), 100)
		if n, err := p.Other.KV().Len(ctx); n == 0 || n == 100 || err != nil {
			t.Errorf("%d of 100 keys are on disk, %v, want some by the threshold and the rest held", n, err)
		}
	})
	t.Run("context flushes", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		vaulttest.Must(t, p.V.Cached(ctx, nil, func() error {
			putNumbers(t, p.V.KV(), 0, 20)
			vaulttest.WantPairs(t, p.Other.KV())
			return nil
		}))
		wantLenKV(t, p.Other.KV(), 20)
		vaulttest.Put(t, p.V.KV(), "after", "not cached")
		vaulttest.WantGet(t, p.Other.KV(), "after", "not cached")
	})
	t.Run("context with exception flushes", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		err := p.V.Cached(ctx, nil, func() error {
			putNumbers(t, p.V.KV(), 0, 20)
			return vaulttest.ErrOwn
		})
		if !errors.Is(err, vaulttest.ErrOwn) {
			t.Errorf("Cached returns %v", err)
		}
		wantLenKV(t, p.Other.KV(), 20)
	})
	t.Run("disable flushes", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		vaulttest.Must(t, p.V.EnableCache(ctx, nil))
		putNumbers(t, p.V.KV(), 0, 20)
		vaulttest.Must(t, p.V.DisableCache(ctx))
		wantLenKV(t, p.Other.KV(), 20)
		vaulttest.Must(t, p.V.DisableCache(ctx))
	})
	t.Run("manual flush in the context, and several", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		vaulttest.Must(t, p.V.Cached(ctx, nil, func() error {
			for i := range 5 {
				putNumbers(t, p.V.KV(), 10*i, 10*i+10)
				wantFlushed(t, p.V, 10)
				wantLenKV(t, p.Other.KV(), 10*i+10)
			}
			return nil
		}))
	})
	t.Run("interval", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		vaulttest.Must(t, p.V.EnableCache(ctx, &columnvault.CacheOptions{FlushInterval: time.Millisecond}))
		for i := range 3 { // it goes on flushing
			vaulttest.Put(t, p.V.KV(), fmt.Sprint(i), "value")
			vaulttest.Eventually(t, "the pair is on disk", func() bool {
				has, err := p.Other.KV().Has(ctx, []byte(fmt.Sprint(i)))
				vaulttest.Must(t, err)
				return has
			})
		}
	})
	t.Run("hold", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		vaulttest.Must(t, p.V.EnableCache(ctx, &columnvault.CacheOptions{FlushInterval: time.Millisecond}))
		release := p.V.PauseFlush()
		putNumbers(t, p.V.KV(), 0, 5)
		_, err := p.V.Flush(ctx)
		vaulttest.WantErr(t, "Flush on hold", err, columnvault.ErrFlushPaused)
		wantLenKV(t, p.Other.KV(), 0)
		wantLenKV(t, p.V.KV(), 5)
		release()
		vaulttest.Eventually(t, "the pairs are on disk", func() bool {
			n, err := p.Other.KV().Len(ctx)
			vaulttest.Must(t, err)
			return n == 5
		})
	})
	t.Run("large and small mixed", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		vaulttest.Must(t, p.V.EnableCache(ctx, vaulttest.CacheOf(1024, 512)))
		var want []string
		for i := range 40 {
			want = append(want, fmt.Sprintf("%04d", i), large[:i*i%1500])
			vaulttest.Put(t, p.V.KV(), want[2*i], want[2*i+1])
		}
		vaulttest.WantPairs(t, p.V.KV(), want...)
		vaulttest.Must(t, p.V.Close())
		vaulttest.WantPairs(t, p.Other.KV(), want...)
	})
	t.Run("nested contexts", func(t *testing.T) {
		p := vaulttest.OpenPair(t, nil)
		vaulttest.Must(t, p.V.Cached(ctx, nil, func() error {
			putNumbers(t, p.V.KV(), 0, 10)
			vaulttest.Must(t, p.V.Cached(ctx, vaulttest.CacheOf(1000, 1000), func() error {
				putNumbers(t, p.V.KV(), 10, 15)
				return nil
			}))
			wantLenKV(t, p.Other.KV(), 15)
			putNumbers(t, p.V.KV(), 15, 20)
			wantLenKV(t, p.Other.KV(), 15)
			return nil
		}))
		wantLenKV(t, p.Other.KV(), 20)
	})
}

// TestKVReadsFindPendingPairs: everything that reads finds what is held, and
// what is held hides what is in the file.
func TestKVReadsFindPendingPairs(t *testing.T) {
	ctx := t.Context()
	p := vaulttest.OpenPair(t, nil)
	kv := p.V.KV()
	vaulttest.Put(t, kv, "b", "old")
	vaulttest.Put(t, kv, "d", "old")
	vaulttest.Must(t, p.V.EnableCache(ctx, nil))
	vaulttest.Must(t, kv.PutMany(ctx, vaulttest.PairsOf("a", header, "b", "new", "c", "")...))
	vaulttest.Must(t, kv.PutValue(ctx, []byte("e"), "text"))
	const e = "\x89K\x01\x06\x00\x00\x00\x00VKtext"
	vaulttest.WantPairs(t, kv, "a", header, "b", "new", "c", "", "d", "old", "e", e)
	vaulttest.WantPairs(t, p.Other.KV(), "b", "old", "d", "old")

	values, err := kv.GetMany(ctx, []byte("b"), []byte("x"), []byte("c"), []byte("d"))
	vaulttest.Must(t, err)
	vaulttest.WantValues(t, "GetMany", values, [][]byte{[]byte("new"), nil, {}, []byte("old")})
	text, err := columnvault.GetValue[string](ctx, kv, []byte("e"))
	if text != "text" || err != nil {
		t.Errorf("GetValue: %q, %v", text, err)
	}
	for key, want := range map[string]columnvault.ValueInfo{"a": {Size: 10}, "b": {Size: 3}, "c": {}, "e": {Encoding: columnvault.EncodingText, Size: 4}} {
		if info, err := kv.Stat(ctx, []byte(key)); info != want || err != nil {
			t.Errorf("Stat of %q: %v, %v, want %v", key, info, err, want)
		}
	}
	path := filepath.Join(t.TempDir(), "file")
	vaulttest.Must(t, kv.GetToFile(ctx, []byte("a"), path))
	if content, err := os.ReadFile(path); string(content) != header || err != nil {
		t.Errorf("GetToFile: %q, %v", content, err)
	}
	for name, test := range map[string]struct {
		r    columnvault.Range
		want string
	}{
		"from":    {columnvault.Range{From: []byte("b")}, "b c d e"},
		"to":      {columnvault.Range{To: []byte("c")}, "a b"},
		"reverse": {columnvault.Range{Reverse: true, Limit: 3}, "e d c"},
		"limit":   {columnvault.Range{Limit: 2}, "a b"},
		"prefix":  {columnvault.Range{Prefix: []byte("c")}, "c"},
		"none":    {columnvault.Range{From: []byte("c"), To: []byte("c")}, ""},
	} {
		keys := vaulttest.Collect(t, kv.Keys(ctx, &test.r))
		if got := string(bytes.Join(keys, []byte(" "))); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}

	// A caller that changes what it put, or got, changes nothing else.
	mine := []byte("mine")
	vaulttest.Must(t, kv.Put(ctx, []byte("b"), mine))
	copy(mine, "####")
	got, err := kv.Get(ctx, []byte("b"))
	vaulttest.Must(t, err)
	copy(got, "####")
	for pair, err := range kv.All(ctx, nil) {
		vaulttest.Must(t, err)
		for i := range pair.Value {
			pair.Value[i] = '#'
		}
	}
	vaulttest.WantGet(t, kv, "b", "mine")
	flushAll(t, p.V)
	vaulttest.WantPairs(t, p.Other.KV(), "a", header, "b", "mine", "c", "", "d", "old", "e", e)
}

// TestKVChangesFollowPendingPairs: everything that changes comes behind what is held.
func TestKVChangesFollowPendingPairs(t *testing.T) {
	ctx := t.Context()
	for name, test := range map[string]struct {
		change func(v *columnvault.Vault, kv *columnvault.KV) error
		want   []string
	}{
		"Delete": {func(v *columnvault.Vault, kv *columnvault.KV) error {
			there, err := kv.Delete(ctx, []byte("held"))
			if err == nil && !there {
				t.Error("Delete does not find the key")
			}
			return err
		}, []string{"both", "new", "stored", "1"}},
		"Pop": {func(v *columnvault.Vault, kv *columnvault.KV) error {
			value, err := kv.Pop(ctx, []byte("both"))
			if err == nil && string(value) != "new" {
				t.Errorf("Pop gives %q", value)
			}
			return err
		}, []string{"held", "2", "stored", "1"}},
		"SetDefault": {func(v *columnvault.Vault, kv *columnvault.KV) error {
			value, err := kv.SetDefault(ctx, []byte("held"), []byte("default"))
			if err == nil && string(value) != "2" {
				t.Errorf("SetDefault gives %q", value)
			}
			return err
		}, []string{"both", "new", "held", "2", "stored", "1"}},
		"PutFrom": {func(v *columnvault.Vault, kv *columnvault.KV) error {
			return kv.PutFrom(ctx, []byte("held"), 3, strings.NewReader("abc"))
		}, []string{"both", "new", "held", "abc", "stored", "1"}},
		"Clear": {func(v *columnvault.Vault, kv *columnvault.KV) error { return kv.Clear(ctx) }, nil},
		"Update": {func(v *columnvault.Vault, kv *columnvault.KV) error {
			return v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
				in := kv.In(tx)
				if _, err := in.Has(ctx, []byte("both")); err != nil {
					return err
				}
				vaulttest.WantPairs(t, in, "both", "new", "held", "2", "stored", "1")
				vaulttest.Put(t, in, "both", "newest")
				vaulttest.WantDelete(t, in, "held", true)
				return nil
			})
		}, []string{"both", "newest", "stored", "1"}},
		"another column": {func(v *columnvault.Vault, kv *columnvault.KV) error {
			return v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
				return vaulttest.ErrOf(columnvault.Ensure(ctx, tx, "values", dtype.Int64, nil))
			})
		}, []string{"both", "new", "held", "2", "stored", "1"}},
		"Close": {func(v *columnvault.Vault, kv *columnvault.KV) error { return v.Close() }, []string{"both", "new", "held", "2", "stored", "1"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := vaulttest.OpenPair(t, nil)
			kv := p.V.KV()
			vaulttest.Must(t, kv.PutMany(ctx, vaulttest.PairsOf("both", "old", "stored", "1")...))
			vaulttest.Must(t, p.V.EnableCache(ctx, nil))
			vaulttest.Must(t, kv.PutMany(ctx, vaulttest.PairsOf("both", "new", "held", "2")...))
			// While flushing is paused only what does not need the table can be
			// done, and nothing is lost by trying.
			release := p.V.PauseFlush()
			want := columnvault.ErrFlushPaused
			if name == "another column" {
				want = nil
			}
			vaulttest.WantErr(t, name, test.change(p.V, kv), want)
			vaulttest.WantPairs(t, p.Other.KV(), "both", "old", "stored", "1")
			vaulttest.WantPairs(t, kv, "both", "new", "held", "2", "stored", "1")
			release()
			vaulttest.Must(t, test.change(p.V, kv))
			vaulttest.WantPairs(t, p.Other.KV(), test.want...)
			if name != "Close" {
				vaulttest.WantPairs(t, kv, test.want...)
				flushAll(t, p.V)
				vaulttest.WantPairs(t, p.Other.KV(), test.want...)
			}
		})
	}
}

// TestKVCacheWithColumns: pairs and elements that were held together are
// written together, or not at all.
func TestKVCacheWithColumns(t *testing.T) {
	vaulttest.WithTriggers(t)
	ctx := t.Context()
	for name, trigger := range map[string]string{
		"the pairs fail":    `CREATE TRIGGER crash BEFORE INSERT ON kv WHEN new.key = x'62' BEGIN SELECT RAISE(ABORT, 'crash'); END`,
		"the elements fail": `CREATE TRIGGER crash BEFORE UPDATE OF length ON col_meta BEGIN SELECT RAISE(ABORT, 'crash'); END`,
	} {
		t.Run(name, func(t *testing.T) {
			p := vaulttest.OpenPair(t, nil)
			kv := p.V.KV()
			c := vaulttest.Create(t, p.V, "values", dtype.Int64, 0)
			vaulttest.Put(t, kv, "a", "old")
			vaulttest.Must(t, p.V.EnableCache(ctx, nil))
			vaulttest.Must(t, c.Append(ctx, 1, 2))
			vaulttest.Must(t, kv.PutMany(ctx, vaulttest.PairsOf("a", "new", "b", "2", "c", "3")...))
			db := vaulttest.RawConn(t, p.Path)
			vaulttest.ExecRaw(t, db, trigger)
			for range 2 {
				n, err := p.V.Flush(ctx)
				vaulttest.WantErr(t, "Flush", err, columnvault.ErrUnavailable)
				if n != 0 {
					t.Errorf("the flush that failed reports %d", n)
				}
				vaulttest.WantPairs(t, p.Other.KV(), "a", "old")
				vaulttest.WantOnDisk(t, p, c, dtype.Int64, 0)
				vaulttest.WantPairs(t, kv, "a", "new", "b", "2", "c", "3")
				vaulttest.WantColumn(t, c, 0, 1, 2)
			}
			vaulttest.ExecRaw(t, db, `DROP TRIGGER crash`)
			vaulttest.Put(t, kv, "b", "later")
			flushAll(t, p.V)
			vaulttest.WantPairs(t, p.Other.KV(), "a", "new", "b", "later", "c", "3")
			vaulttest.WantOnDisk(t, p, c, dtype.Int64, 0, 1, 2)
			wantFlushed(t, p.V, 0)
		})
	}
}

// TestKVCachedTablesAreApart: each table has its own pairs, and one is the same
// under all spellings that SQLite takes for it.
func TestKVCachedTablesAreApart(t *testing.T) {
	ctx := t.Context()
	p := vaulttest.OpenPair(t, nil)
	vaulttest.Must(t, p.V.EnableCache(ctx, nil))
	for i := range 20 {
		vaulttest.Put(t, p.V.KVTable([]string{"Files", "files", "FILES"}[i%3]), "key", fmt.Sprint(i))
		vaulttest.Put(t, p.V.KVTable("notes"), "key", fmt.Sprint(-i))
		vaulttest.WantPairs(t, p.V.KVTable("fileS"), "key", fmt.Sprint(i))
	}
	flushAll(t, p.V)
	vaulttest.WantPairs(t, p.Other.KVTable("files"), "key", "19")
	vaulttest.WantPairs(t, p.Other.KVTable("notes"), "key", "-19")
	vaulttest.WantPairs(t, p.Other.KV())
}

// TestKVFullCacheRefusesPairs: pairs that find no room are refused while
// flushing is on hold, and none of those that were taken is lost.
func TestKVFullCacheRefusesPairs(t *testing.T) {
	ctx := t.Context()
	p := vaulttest.OpenPair(t, nil)
	kv := p.V.KV()
	vaulttest.Must(t, p.V.EnableCache(ctx, vaulttest.CacheOf(1000, 100)))
	release := p.V.PauseFlush()
	n := 0
	var err error
	for ; err == nil && n < 100; n++ {
		err = kv.Put(ctx, fmt.Appendf(nil, "%04d", n), make([]byte, 100))
	}
	vaulttest.WantErrText(t, "Put", err, columnvault.ErrCacheFull, "of 1000 bytes are held")
	if n--; n < 4 || n > 9 {
		t.Errorf("a cache of 1000 bytes takes %d values of 100 bytes", n)
	}
	vaulttest.WantErr(t, "PutMany", kv.PutMany(ctx, vaulttest.PairsOf("a", strings.Repeat("x", 400), "b", strings.Repeat("x", 400))...), columnvault.ErrCacheFull)
	vaulttest.WantErr(t, "a value above the cap", kv.Put(ctx, []byte("large"), make([]byte, 2000)), columnvault.ErrFlushPaused)
	wantLenKV(t, kv, n)
	wantLenKV(t, p.Other.KV(), 0)
	release()
	vaulttest.Put(t, kv, "z", "")
	wantLenKV(t, p.Other.KV(), n)
	wantLenKV(t, kv, n+1)
}

// TestKVCacheTimerFails: of a flush that nobody waits for the hook and the next
// Put are told, once, and the pairs are kept.
func TestKVCacheTimerFails(t *testing.T) {
	ctx := t.Context()
	p := vaulttest.OpenPair(t, vaulttest.Impatient())
	kv := p.V.KV()
	told := make(chan error, 1000)
	vaulttest.Must(t, p.V.EnableCache(ctx, &columnvault.CacheOptions{FlushInterval: time.Millisecond, OnError: func(err error) { told <- err }}))
	release := vaulttest.BlockWriters(t, p.Path)
	vaulttest.Put(t, kv, "key", "value")
	vaulttest.WantErr(t, "the hook", <-told, columnvault.ErrBusy)
	vaulttest.Eventually(t, "Put is told", func() bool {
		err := kv.Put(ctx, []byte("other"), nil)
		return errors.Is(err, columnvault.ErrBusy)
	})
	vaulttest.WantGet(t, kv, "key", "value")
	release()
	vaulttest.Eventually(t, "the pair is on disk", func() bool {
		has, err := p.Other.KV().Has(ctx, []byte("key"))
		vaulttest.Must(t, err)
		return has
	})
}

// TestKVCachedViewIsOneMoment: a View shows the pairs of its moment, whatever
// is put and flushed meanwhile.
func TestKVCachedViewIsOneMoment(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	kv := v.KV()
	vaulttest.Put(t, kv, "a", "stored")
	vaulttest.Must(t, v.EnableCache(ctx, nil))
	vaulttest.Put(t, kv, "b", "1")
	vaulttest.Must(t, v.View(ctx, func(_ context.Context, tx *columnvault.Tx) error {
		want := []string{"a", "stored", "b", "1"}
		vaulttest.Put(t, kv, "b", "2")
		vaulttest.Put(t, kv, "c", "2")
		vaulttest.WantPairs(t, kv.In(tx), want...)
		vaulttest.Must(t, v.View(ctx, func(_ context.Context, inner *columnvault.Tx) error {
			vaulttest.Put(t, kv, "a", "3")
			flushAll(t, v)
			vaulttest.Put(t, kv, "b", "4")
			vaulttest.WantDelete(t, kv, "c", true)
			vaulttest.Put(t, kv, "d", "5")
			vaulttest.WantPairs(t, kv.In(inner), "a", "stored", "b", "2", "c", "2")
			vaulttest.WantPairs(t, kv.In(tx), want...)
			return nil
		}))
		vaulttest.Must(t, kv.Clear(ctx))
		vaulttest.Put(t, kv, "e", "6")
		vaulttest.WantPairs(t, kv.In(tx), want...)
		return nil
	}))
	vaulttest.WantPairs(t, kv, "e", "6")
}

// TestKVCacheLayersStayBounded: putting and reading in turn, which sets a new
// layer of pairs on the others each time, takes no more memory than there are
// pairs, and Views that are still open keep what they saw.
func TestKVCacheLayersStayBounded(t *testing.T) {
	const rounds, keys = 20_000, 10
	ctx := t.Context()
	v := vaulttest.Open(t)
	kv := v.KV()
	vaulttest.Must(t, v.EnableCache(ctx, vaulttest.CacheOf(1<<30, 1<<30)))
	value := func(i int) string { return fmt.Sprintf("%01000d", i) }
	seen := map[int]*columnvault.Blob{} // each holds a View
	before := liveBytes()
	for i := range rounds {
		key := fmt.Sprint(i % keys)
		vaulttest.Put(t, kv, key, value(i))
		if i%5000 == 7 {
			seen[i] = openBlob(t, kv, key)
		}
		vaulttest.WantGet(t, kv, key, value(i))
		if other := (i + 1) % keys; i >= keys {
			vaulttest.WantGet(t, kv, fmt.Sprint(other), value(i+1-keys))
		}
	}
	if grown := liveBytes() - before; grown > 2<<20 {
		t.Errorf("%d pairs of 1000 bytes take %d bytes of memory after %d puts", keys, grown, rounds)
	}
	wantLenKV(t, kv, keys)
	for i, b := range seen {
		p := make([]byte, 1000)
		if _, err := b.ReadAt(p, 0); string(p) != value(i) || err != nil {
			t.Errorf("the View of round %d reads %.1000s, %v", i, p, err)
		}
	}
	flushAll(t, v)
	for i := rounds - keys; i < rounds; i++ {
		vaulttest.WantGet(t, kv, fmt.Sprint(i%keys), value(i))
	}
	wantLenKV(t, kv, keys)
}

// liveBytes is the memory in use.
func liveBytes() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// TestKVCacheConcurrent: with writers, readers and flushes beside each other,
// every reader sees the values of a key in the order in which they were put,
// and pairs that were put together always together.
func TestKVCacheConcurrent(t *testing.T) {
	const rounds, putters = 3000, 3
	ctx := t.Context()
	p := vaulttest.OpenPair(t, vaulttest.Patient())
	kv := p.V.KV()
	vaulttest.Must(t, p.V.EnableCache(ctx, vaulttest.CacheOf(64<<10, 2<<10)))
	number := func(value []byte) int {
		n, err := strconv.Atoi(string(value))
		if err != nil && value != nil {
			t.Error(err)
		}
		return n
	}
	done := make(chan struct{})
	var putting, reading sync.WaitGroup
	for g := range putters {
		putting.Go(func() {
			one, two, gone := fmt.Appendf(nil, "%d one", g), fmt.Appendf(nil, "%d two", g), fmt.Appendf(nil, "%d gone", g)
			for i := 1; i <= rounds; i++ {
				value := fmt.Append(nil, i)
				err := errors.Join(
					kv.PutMany(ctx, columnvault.Pair{Key: one, Value: value}, columnvault.Pair{Key: two, Value: value}),
					kv.Put(ctx, gone, value))
				if i%20 == 0 {
					there, e := kv.Delete(ctx, gone)
					if err = errors.Join(err, e); !there {
						t.Error("the key that was put is not there")
					}
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 2 {
		reading.Go(func() {
			last := make([]int, putters)
			for {
				select {
				case <-done:
					return
				default:
				}
				for g := range putters {
					values, err := kv.GetMany(ctx, fmt.Appendf(nil, "%d one", g), fmt.Appendf(nil, "%d two", g))
					if err != nil {
						t.Error(err)
						return
					}
					one, two := number(values[0]), number(values[1])
					if one != two || one < last[g] {
						t.Errorf("%d and %d after %d", one, two, last[g])
						return
					}
					last[g] = one
				}
				n := 0
				for _, err := range kv.Keys(ctx, &columnvault.Range{To: []byte("9")}) {
					if err != nil {
						t.Error(err)
						return
					}
					n++
				}
				if n > 3*putters {
					t.Errorf("%d keys", n)
				}
			}
		})
	}
	reading.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			if _, err := p.V.Flush(ctx); err != nil {
				t.Error(err)
				return
			}
		}
	})
	putting.Wait()
	close(done)
	reading.Wait()
	flushAll(t, p.V)
	var want []string
	for g := range putters {
		want = append(want, fmt.Sprintf("%d one", g), fmt.Sprint(rounds), fmt.Sprintf("%d two", g), fmt.Sprint(rounds))
	}
	vaulttest.WantPairs(t, p.Other.KV(), want...)
}

// TestTablesAreListed: also those that nothing but held pairs is for, and what a
// transaction has made.
func TestTablesAreListed(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	want := func(in interface {
		Tables(ctx context.Context) ([]string, error)
	}, names ...string) {
		t.Helper()
		if got, err := in.Tables(ctx); !slices.Equal(got, names) || err != nil {
			t.Errorf("the tables are %q, %v, want %q", got, err, names)
		}
	}
	want(v)
	vaulttest.Put(t, v.KVTable("Stored"), "key", "value")
	vaulttest.Must(t, v.EnableCache(ctx, nil))
	vaulttest.Put(t, v.KVTable("held"), "key", "value")
	vaulttest.Put(t, v.KVTable("stored"), "another", "value")
	want(v, "held", "stored")
	vaulttest.Must(t, v.View(ctx, func(_ context.Context, tx *columnvault.Tx) error { want(tx, "held", "stored"); return nil }))
	vaulttest.Must(t, v.Update(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		err := v.KVTable("new").In(tx).Put(ctx, []byte("key"), nil)
		want(tx, "held", "new", "stored")
		return err
	}))
	want(v, "held", "new", "stored")
}
