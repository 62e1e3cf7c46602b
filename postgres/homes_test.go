package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
	"columnvault/internal/vaulttest/pgserver"
)

// apart opens a vault in which homes are apart, with a column of numbers, one of
// text and a key-value table in each of three.
func apart(t *testing.T, dsn string) (v *columnvault.Vault, numbers []*columnvault.Column[int64], words []*columnvault.Column[string], tables []*columnvault.KV) {
	t.Helper()
	v = vaulttest.OpenAt(t, dsn, nil)
	for home := range 3 {
		o := &columnvault.ColumnOptions{Home: home}
		n, err := columnvault.Create(t.Context(), v, fmt.Sprint("numbers", home), dtype.Int64, o)
		vaulttest.Must(t, err)
		w, err := columnvault.Create(t.Context(), v, fmt.Sprint("words", home), dtype.String, o)
		vaulttest.Must(t, err)
		kv, err := v.EnsureKV(t.Context(), fmt.Sprint("Table", home), &columnvault.KVOptions{Home: home})
		vaulttest.Must(t, err)
		numbers, words, tables = append(numbers, n), append(words, w), append(tables, kv)
	}
	return v, numbers, words, tables
}

// TestCrossHome: what would change two homes is refused, and everything else
// works as in one.
func TestCrossHome(t *testing.T) {
	ctx := t.Context()
	v, numbers, words, tables := apart(t, pgserver.DSN(t)+"&homes=apart")
	infos, err := v.Columns(ctx)
	vaulttest.Must(t, err)
	if len(infos) != 6 || infos[4].Home != 2 || infos[5].Home != 2 {
		t.Errorf("%+v", infos)
	}
	both := func(first, second int) error {
		return v.Update(ctx, func(_ context.Context, tx *columnvault.Tx) error {
			if err := numbers[first].In(tx).Append(ctx, 1); err != nil {
				return err
			}
			return errors.Join(words[second].In(tx).Append(ctx, "one"), tables[second].In(tx).Put(ctx, []byte("key"), nil))
		})
	}
	vaulttest.Must(t, both(1, 1))
	err = both(1, 2)
	vaulttest.WantErr(t, "a transaction over two homes", err, columnvault.ErrCrossHome)
	var e *columnvault.Error
	if !errors.As(err, &e) || !strings.Contains(e.Hint(), "Home") {
		t.Errorf("%v has no hint", err)
	}
	batch := func(second int) error {
		return v.Batch(ctx, func(b *columnvault.Batch) error {
			return errors.Join(numbers[1].AppendTo(b, 2), words[second].AppendTo(b, "two"), tables[second].PutTo(b, []byte("other"), nil))
		})
	}
	for _, cached := range []bool{false, true} {
		if cached {
			vaulttest.Must(t, v.EnableCache(ctx, nil))
		}
		vaulttest.WantErr(t, "a batch over two homes", batch(2), columnvault.ErrCrossHome)
		vaulttest.Must(t, batch(1))
	}
	vaulttest.Must(t, v.DisableCache(ctx))
	vaulttest.WantColumn(t, numbers[1], 1, 2, 2)
	vaulttest.WantColumn(t, words[1], "one", "two", "two")
	vaulttest.WantColumn(t, words[2])
	if n, err := tables[2].Len(ctx); n != 0 || err != nil {
		t.Error(n, err)
	}
	_, err = columnvault.Create(ctx, v, "far", dtype.Int64, &columnvault.ColumnOptions{Home: 1 << 15})
	vaulttest.WantErr(t, "a home that there is not", err, columnvault.ErrInvalidArgument)
	_, err = v.EnsureKV(ctx, "table1", nil)
	vaulttest.WantErr(t, "a table in another home", err, columnvault.ErrExists)
}

// TestCachedHomes: caches hold what belongs to several homes, and write each in a
// transaction of its own, in the order of the calls as far as one can tell.
func TestCachedHomes(t *testing.T) {
	ctx := t.Context()
	v, numbers, words, tables := apart(t, pgserver.DSN(t)+"&homes=apart")
	vaulttest.Must(t, v.EnableCache(ctx, nil))
	fill := func() {
		for home := range 3 {
			vaulttest.Must(t, numbers[home].Append(ctx, int64(home)))
			vaulttest.Must(t, words[home].Append(ctx, "word"))
			vaulttest.Must(t, tables[home].Put(ctx, []byte("key"), []byte{byte(home)}))
		}
	}
	before := v.Stats().Commits
	fill()
	if n, err := v.Flush(ctx); n != 9 || err != nil {
		t.Errorf("%d elements and pairs, %v", n, err)
	}
	if n := v.Stats().Commits - before; n != 3 {
		t.Errorf("%d commits for three homes", n)
	}
	// A transaction finds what was held for any home in the file.
	fill()
	vaulttest.Must(t, v.Update(ctx, func(_ context.Context, tx *columnvault.Tx) error {
		n, err := numbers[0].In(tx).Len(ctx)
		if n != 2 {
			t.Errorf("%d elements", n)
		}
		return errors.Join(err, numbers[2].In(tx).Append(ctx, 7))
	}))
	vaulttest.WantColumn(t, numbers[2], 2, 2, 7)
	fill()
	resume := v.PauseFlush()
	vaulttest.WantErr(t, "while flushing is paused", v.Update(ctx, func(_ context.Context, tx *columnvault.Tx) error {
		return numbers[2].In(tx).Append(ctx, 8)
	}), columnvault.ErrFlushPaused)
	resume()
	vaulttest.Must(t, v.Close())
}

// TestWritersOfHomes has goroutines append to columns of three homes at the same
// time, through caches and not, beside transactions that need what is held.
func TestWritersOfHomes(t *testing.T) {
	ctx := t.Context()
	dsn := pgserver.DSN(t) + "&homes=apart"
	v, numbers, words, _ := apart(t, dsn)
	const each = 20
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			for n := range each {
				var err error
				switch home := i % 3; {
				case i < 3:
					err = numbers[home].Append(ctx, int64(n))
				case n%5 == 4:
					err = v.Update(ctx, func(_ context.Context, tx *columnvault.Tx) error {
						return words[home].In(tx).Append(ctx, fmt.Sprint(n))
					})
				case n%2 == 0:
					err = words[home].Cached(ctx, nil, func() error { return words[home].Append(ctx, fmt.Sprint(n)) })
				default:
					err = words[home].Append(ctx, fmt.Sprint(n))
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	var texts []string
	for n := range each {
		texts = append(texts, fmt.Sprint(n))
	}
	vaulttest.Must(t, v.Close())
	v = vaulttest.OpenAt(t, dsn, nil)
	for home := range 3 {
		vaulttest.WantColumn(t, vaulttest.Lookup(t, v, fmt.Sprint("numbers", home), dtype.Int64), vaulttest.Span(0, each)...)
		vaulttest.WantColumn(t, vaulttest.Lookup(t, v, fmt.Sprint("words", home), dtype.String), texts...)
	}
}
