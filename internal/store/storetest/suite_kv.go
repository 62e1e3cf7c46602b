package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"columnvault/internal/store"
)

const table = `a "table" of its own`

func testPairs(t *testing.T, s store.Store) {
	ctx := t.Context()
	snap := snapshot(t, s)
	_, err := snap.Get(ctx, table, []byte("a"))
	wantErr(t, "Get without a table", err, store.ErrNotFound)
	if n, err := snap.Count(ctx, table); n != 0 || err != nil {
		t.Errorf("Count without a table: %d, %v", n, err)
	}
	for p, err := range snap.Scan(ctx, table, store.KeyRange{}) {
		t.Errorf("Scan without a table: %v, %v", p, err)
	}
	update(t, s, func(tx store.Tx) error {
		if there, err := tx.Delete(ctx, table, []byte("a")); there || err != nil {
			t.Errorf("Delete without a table: %v, %v", there, err)
		}
		return errors.Join(
			tx.Clear(ctx, table),
			tx.Put(ctx, table, []byte("a"), []byte("one")),
			tx.Put(ctx, table, nil, []byte("of the empty key")),
			tx.Put(ctx, table, []byte{0, 0xff}, nil),
			tx.Put(ctx, table, []byte("a"), []byte("two")),
			tx.Put(ctx, "kv", []byte("a"), []byte("elsewhere")))
	})
	_, err = snap.Get(ctx, table, []byte("a"))
	wantErr(t, "Get in an older snapshot", err, store.ErrNotFound)

	snap = snapshot(t, s)
	for key, want := range map[string]string{"a": "two", "": "of the empty key", "\x00\xff": ""} {
		got, err := snap.Get(ctx, table, []byte(key))
		if string(got) != want || got == nil || err != nil {
			t.Errorf("Get(%q): %q, %v, want %q", key, got, err, want)
		}
		if n, err := snap.Size(ctx, table, []byte(key)); n != int64(len(want)) || err != nil {
			t.Errorf("Size(%q): %d, %v", key, n, err)
		}
	}
	if n, err := snap.Count(ctx, table); n != 3 || err != nil {
		t.Errorf("Count: %d, %v", n, err)
	}
	_, err = snap.Size(ctx, table, []byte("b"))
	wantErr(t, "Size of no key", err, store.ErrNotFound)

	update(t, s, func(tx store.Tx) error {
		there, err := tx.Delete(ctx, table, []byte("a"))
		if again, _ := tx.Delete(ctx, table, []byte("a")); !there || again {
			t.Errorf("Delete twice: %v, %v", there, again)
		}
		_, e := tx.Get(ctx, table, []byte("a"))
		wantErr(t, "Get of a deleted key", e, store.ErrNotFound)
		return err
	})
	update(t, s, func(tx store.Tx) error { return tx.Clear(ctx, table) })
	if n, err := snapshot(t, s).Count(ctx, table); n != 0 || err != nil {
		t.Errorf("Count after Clear: %d, %v", n, err)
	}
	if got, err := snapshot(t, s).Get(ctx, "kv", []byte("a")); string(got) != "elsewhere" || err != nil {
		t.Errorf("the other table: %q, %v", got, err)
	}
}

func testKinds(t *testing.T, s store.Store) {
	ctx := t.Context()
	want := func(r store.Reader, table string, want store.TableKind) {
		t.Helper()
		if got, err := r.Table(ctx, table); got.Kind != want || got.Name != table || err != nil {
			t.Errorf("kind of the table %q: %v, %v, want %v", table, got, err, want)
		}
	}
	old := snapshot(t, s)
	for _, table := range []string{table, "kv", "100%", "%s", "'", "ä"} {
		want(old, table, store.TableNone)
		update(t, s, func(tx store.Tx) error {
			want(tx, table, store.TableNone)
			if err := tx.Put(ctx, table, []byte("a"), []byte("b")); err != nil {
				return err
			}
			want(tx, table, store.TablePlain)
			return nil
		})
		want(snapshot(t, s), table, store.TablePlain)
		want(old, table, store.TableNone)
	}
	// A name that no engine can use is refused, or is simply not there.
	for _, table := range []string{"a\x00b", "\xff"} {
		for _, fn := range []func(r store.Reader) error{
			func(r store.Reader) error { _, err := r.Table(ctx, table); return err },
			func(r store.Reader) error { _, err := r.Get(ctx, table, []byte("a")); return err },
		} {
			if err := fn(old); err != nil && !errors.Is(err, store.ErrInvalidArgument) && !errors.Is(err, store.ErrNotFound) {
				t.Errorf("the table %q: %v", table, err)
			}
		}
	}
}

func testRanges(t *testing.T, s store.Store) {
	ctx := t.Context()
	var keys []string
	update(t, s, func(tx store.Tx) error {
		for i := range 3000 { // more than an engine may read at once
			key := fmt.Sprintf("%05d", i)
			keys = append(keys, key)
			if err := tx.Put(ctx, table, []byte(key), bytes.Repeat([]byte("v"), i)); err != nil {
				return err
			}
		}
		return nil
	})
	snap := snapshot(t, s)
	for _, test := range []struct {
		from, to  string
		low, high int
	}{
		{"", "", 0, 3000},
		{"00100", "", 100, 3000},
		{"", "00100", 0, 100},
		{"00100", "02500", 100, 2500},
		{"00100", "00100", 0, 0},
		{"001005", "00102", 101, 102},
		{"x", "", 0, 0},
	} {
		for _, reverse := range []bool{false, true} {
			r := store.KeyRange{Reverse: reverse, KeysOnly: reverse}
			if test.from != "" {
				r.From = []byte(test.from)
			}
			if test.to != "" {
				r.To = []byte(test.to)
			}
			var got []string
			for p, err := range snap.Scan(ctx, table, r) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, string(p.Key))
				if want := len(keys) - len(keys[slices.Index(keys, string(p.Key)):]); !reverse && len(p.Value) != want {
					t.Errorf("the value of %s has %d bytes, want %d", p.Key, len(p.Value), want)
				}
			}
			want := slices.Clone(keys[test.low:test.high])
			if reverse {
				slices.Reverse(want)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%q to %q, reverse %v: %d keys, want %d", test.from, test.to, reverse, len(got), len(want))
			}
		}
	}
	n := 0
	for p, err := range snap.Scan(ctx, table, store.KeyRange{}) {
		if err != nil {
			t.Fatal(err)
		}
		if _, err := snap.Get(ctx, table, p.Key); err != nil { // the body may use the reader
			t.Fatal(err)
		}
		if n++; n == 5 {
			break
		}
	}
}

func testLargeValues(t *testing.T, s store.Store) {
	ctx := t.Context()
	big := bytes.Repeat([]byte("0123456789abcdef"), 60_000)
	key := []byte("big")
	update(t, s, func(tx store.Tx) error {
		if err := tx.Put(ctx, table, key, []byte("old")); err != nil {
			return err
		}
		if err := tx.PutZero(ctx, table, key, int64(len(big))); err != nil {
			return err
		}
		for at := 0; at < len(big); at += 100_000 {
			if err := tx.PutAt(ctx, table, key, big[at:min(at+100_000, len(big))], int64(at)); err != nil {
				return err
			}
		}
		wantErr(t, "PutAt past the end", tx.PutAt(ctx, table, key, []byte("x"), int64(len(big))), store.ErrCorrupt)
		wantErr(t, "PutAt of no key", tx.PutAt(ctx, table, []byte("none"), []byte("x"), 0), store.ErrNotFound)
		wantErr(t, "a size below 0", tx.PutZero(ctx, table, key, -1), store.ErrTooLarge)
		wantErr(t, "a size above all", tx.PutZero(ctx, table, key, s.Caps().MaxValue+1), store.ErrTooLarge)
		return nil
	})
	snap := snapshot(t, s)
	for _, offset := range []int{0, 1, 100_000, len(big) - 7} {
		p := make([]byte, min(250_000, len(big)-offset))
		if err := snap.GetAt(ctx, table, key, p, int64(offset)); err != nil || !bytes.Equal(p, big[offset:offset+len(p)]) {
			t.Errorf("%d bytes at %d differ, %v", len(p), offset, err)
		}
	}
	wantErr(t, "GetAt past the end", snap.GetAt(ctx, table, key, make([]byte, 8), int64(len(big)-7)), store.ErrCorrupt)
	wantErr(t, "GetAt before the start", snap.GetAt(ctx, table, key, make([]byte, 8), -1), store.ErrCorrupt)
	wantErr(t, "GetAt of no key", snap.GetAt(ctx, table, []byte("none"), make([]byte, 8), 0), store.ErrNotFound)
	if got, err := snap.Get(ctx, table, key); !bytes.Equal(got, big) || err != nil {
		t.Errorf("Get: %d bytes, %v", len(got), err)
	}
}
