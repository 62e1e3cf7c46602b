package conformance_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// record is two columns and a table that are filled together.
type record struct {
	vaulttest.Pair
	numbers *columnvault.Column[int64]
	texts   *columnvault.Column[string]
}

func openRecord(t *testing.T, o *columnvault.CacheOptions) record {
	t.Helper()
	p := vaulttest.OpenPair(t, nil)
	r := record{p, vaulttest.Create(t, p.V, "numbers", dtype.Int64), vaulttest.Create(t, p.V, "texts", dtype.String)}
	if o != nil {
		vaulttest.Must(t, p.V.EnableCache(t.Context(), o))
	}
	return r
}

// add adds record n, and then does what after does.
func (r record) add(ctx context.Context, n int, after func() error) error {
	return r.V.Batch(ctx, func(b *columnvault.Batch) error {
		return errors.Join(
			r.numbers.AppendTo(b, int64(n)),
			r.texts.AppendTo(b, fmt.Sprint("text ", n)),
			r.V.KV().PutTo(b, fmt.Append(nil, n), fmt.Append(nil, "value ", n)),
			after())
	})
}

func nothing() error { return nil }

// want requires n records here, and m of them on disk.
func (r record) want(t *testing.T, n, m int) {
	t.Helper()
	text := func(i int) string { return fmt.Sprint("text ", i) }
	vaulttest.WantColumn(t, r.numbers, vaulttest.Span(0, n)...)
	vaulttest.WantColumn(t, r.texts, vaulttest.Sequence(n, text)...)
	vaulttest.WantOnDisk(t, r.Pair, r.numbers, dtype.Int64, vaulttest.Span(0, m)...)
	vaulttest.WantOnDisk(t, r.Pair, r.texts, dtype.String, vaulttest.Sequence(m, text)...)
	for kv, n := range map[*columnvault.KV]int{r.V.KV(): n, r.Other.KV(): m} {
		got, err := kv.Len(t.Context())
		vaulttest.Must(t, err)
		if got != n {
			t.Errorf("%d pairs, want %d", got, n)
		}
		for i := range n {
			value, err := kv.Get(t.Context(), fmt.Append(nil, i))
			vaulttest.Must(t, err)
			if want := fmt.Append(nil, "value ", i); !bytes.Equal(value, want) {
				t.Errorf("the value of %d is %q, want %q", i, value, want)
			}
		}
	}
}

func TestBatch(t *testing.T) {
	ctx := t.Context()
	t.Run("cached", func(t *testing.T) {
		r := openRecord(t, vaulttest.CacheOf(0, 0))
		for i := range 50 {
			vaulttest.Must(t, r.add(ctx, i, nothing))
		}
		r.want(t, 50, 0)
		flushAll(t, r.V)
		r.want(t, 50, 50)
		vaulttest.WantSound(t, r.V)
	})
	t.Run("not cached", func(t *testing.T) {
		r := openRecord(t, nil)
		for i := range 5 {
			vaulttest.Must(t, r.add(ctx, i, nothing))
			r.want(t, i+1, i+1)
		}
	})
	t.Run("one column cached alone", func(t *testing.T) {
		r := openRecord(t, nil)
		vaulttest.Must(t, r.numbers.EnableCache(ctx, nil))
		vaulttest.Must(t, r.numbers.Append(ctx, 0))
		vaulttest.Must(t, r.texts.Append(ctx, "text 0"))
		vaulttest.Must(t, r.V.KV().Put(ctx, []byte("0"), []byte("value 0")))
		vaulttest.Must(t, r.add(ctx, 1, nothing)) // as a whole, after what is held
		r.want(t, 2, 2)
	})
	t.Run("pairs without a cache of the vault", func(t *testing.T) {
		r := openRecord(t, nil)
		vaulttest.Must(t, r.numbers.EnableCache(ctx, nil))
		vaulttest.Must(t, r.texts.EnableCache(ctx, nil))
		vaulttest.Must(t, r.add(ctx, 0, nothing))
		r.want(t, 1, 1)
	})
	t.Run("several appends to a column", func(t *testing.T) {
		r := openRecord(t, vaulttest.CacheOf(0, 0))
		vaulttest.Must(t, r.V.Batch(ctx, func(b *columnvault.Batch) error {
			vaulttest.Must(t, r.numbers.AppendTo(b, 0, 1))
			vaulttest.Must(t, r.numbers.AppendTo(b))
			vaulttest.Must(t, r.numbers.AppendTo(b, 2))
			vaulttest.WantColumn(t, r.numbers) // not before the function has ended
			return nil
		}))
		vaulttest.WantColumn(t, r.numbers, 0, 1, 2)
	})
	t.Run("the last put of a key counts", func(t *testing.T) {
		for _, o := range []*columnvault.CacheOptions{nil, {}} {
			r := openRecord(t, o)
			vaulttest.Must(t, r.V.Batch(ctx, func(b *columnvault.Batch) error {
				return errors.Join(r.V.KV().PutTo(b, []byte("k"), []byte("1")), r.V.KV().PutTo(b, []byte("k"), []byte("2")))
			}))
			value, err := r.V.KV().Get(ctx, []byte("k"))
			if string(value) != "2" || err != nil {
				t.Errorf("got %q, %v", value, err)
			}
		}
	})
	t.Run("nothing", func(t *testing.T) {
		r := openRecord(t, vaulttest.CacheOf(0, 0))
		vaulttest.Must(t, r.V.Batch(ctx, func(*columnvault.Batch) error { return nil }))
		r.want(t, 0, 0)
	})
}

// TestBatchTakenWhole: a batch that fails leaves nothing, cached or not.
func TestBatchTakenWhole(t *testing.T) {
	ctx := t.Context()
	for name, o := range map[string]*columnvault.CacheOptions{"cached": {}, "not cached": nil} {
		t.Run(name, func(t *testing.T) {
			r := openRecord(t, o)
			gone := vaulttest.Create(t, r.V, "gone", dtype.Int64)
			vaulttest.Must(t, r.add(ctx, 0, nothing))
			if err := r.add(ctx, 1, func() error { return vaulttest.ErrOwn }); !errors.Is(err, vaulttest.ErrOwn) {
				t.Errorf("Batch returns %v, want the error of its function", err)
			}
			func() {
				defer func() {
					if p := recover(); p != vaulttest.ErrOwn {
						t.Errorf("Batch lets the panic %v through", p)
					}
				}()
				r.add(ctx, 1, func() error { panic(vaulttest.ErrOwn) })
			}()
			flushAll(t, r.V)
			vaulttest.Must(t, r.Other.Drop(ctx, "gone"))
			err := r.V.Batch(ctx, func(b *columnvault.Batch) error {
				return errors.Join(r.numbers.AppendTo(b, 1), gone.AppendTo(b, 1))
			})
			vaulttest.WantErrText(t, "a batch with a column that is gone", err, columnvault.ErrNotFound, `"gone"`)
			canceled, cancel := context.WithCancel(ctx)
			vaulttest.WantErr(t, "a canceled batch", r.add(canceled, 1, func() error { cancel(); return nil }), context.Canceled)
			r.want(t, 1, 1)
			vaulttest.Must(t, r.add(ctx, 1, nothing))
			r.want(t, 2, 1+boolInt(o == nil))
		})
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TestBatchRefusedValue: a value that does not fit is an error of AppendTo, and
// the batch goes on without it.
func TestBatchRefusedValue(t *testing.T) {
	ctx := t.Context()
	p := vaulttest.OpenPair(t, nil)
	c := vaulttest.Create(t, p.V, "texts", dtype.FixedText(3, dtype.ASCII))
	vaulttest.Must(t, p.V.EnableCache(ctx, nil))
	vaulttest.Must(t, p.V.Batch(ctx, func(b *columnvault.Batch) error {
		vaulttest.Must(t, c.AppendTo(b, "a"))
		vaulttest.WantErr(t, "a long text", c.AppendTo(b, "b", "long"), columnvault.ErrInvalidArgument)
		vaulttest.WantErr(t, "a table that cannot be", p.V.KVTable("col_meta").PutTo(b, nil, nil), columnvault.ErrInvalidArgument)
		return c.AppendTo(b, "c")
	}))
	vaulttest.WantColumn(t, c, "a", "c")
}

// TestBatchRefusesForeignRows: what cannot be a part of a batch is refused.
func TestBatchRefusesForeignRows(t *testing.T) {
	ctx := t.Context()
	r, foreign := openRecord(t, nil), openRecord(t, nil)
	var ended *columnvault.Batch
	vaulttest.Must(t, r.V.Batch(ctx, func(b *columnvault.Batch) error {
		ended = b
		vaulttest.WantErr(t, "a column of another vault", foreign.numbers.AppendTo(b, 1), columnvault.ErrInvalidArgument)
		vaulttest.WantErr(t, "a table of another vault", foreign.V.KV().PutTo(b, nil, nil), columnvault.ErrInvalidArgument)
		return nil
	}))
	vaulttest.WantErr(t, "AppendTo an ended batch", r.numbers.AppendTo(ended, 1), columnvault.ErrClosed)
	vaulttest.WantErr(t, "PutTo an ended batch", r.V.KV().PutTo(ended, nil, nil), columnvault.ErrClosed)
	vaulttest.Must(t, r.V.Update(ctx, func(_ context.Context, tx *columnvault.Tx) error {
		vaulttest.WantErr(t, "a column of a transaction", r.V.Batch(ctx, func(b *columnvault.Batch) error {
			return r.numbers.In(tx).AppendTo(b, 1)
		}), columnvault.ErrInvalidArgument)
		return nil
	}))
	r.want(t, 0, 0)
	foreign.want(t, 0, 0)
}

// TestBatchLimits: a batch that the cache cannot hold is written at once, in
// order; under a hold it is refused when the cache is full, as a whole.
func TestBatchLimits(t *testing.T) {
	ctx := t.Context()
	r := openRecord(t, vaulttest.CacheOf(1000, 1000))
	vaulttest.Must(t, r.add(ctx, 0, nothing))
	vaulttest.Must(t, r.add(ctx, 1, nothing))
	r.want(t, 2, 0)
	long := strings.Repeat("long", 500)
	vaulttest.Must(t, r.V.Batch(ctx, func(b *columnvault.Batch) error {
		return errors.Join(r.numbers.AppendTo(b, 2), r.texts.AppendTo(b, long))
	}))
	vaulttest.WantOnDisk(t, r.Pair, r.numbers, dtype.Int64, 0, 1, 2)
	vaulttest.WantOnDisk(t, r.Pair, r.texts, dtype.String, "text 0", "text 1", long)

	release := r.V.PauseFlush()
	n := 0
	for ; n < 100; n++ {
		if err := r.add(ctx, n, nothing); err != nil {
			vaulttest.WantErr(t, "a batch for a full cache", err, columnvault.ErrCacheFull)
			break
		}
	}
	if n == 0 || n == 100 {
		t.Errorf("%d batches are taken under a hold", n)
	}
	vaulttest.WantLen(t, r.numbers, 3+n)
	vaulttest.WantLen(t, r.texts, 3+n)
	vaulttest.WantOnDisk(t, r.Pair, r.numbers, dtype.Int64, 0, 1, 2)
	release()
	vaulttest.Must(t, r.add(ctx, n, nothing))
	if a, b := vaulttest.LenOnDisk(t, r.Pair, "numbers"), vaulttest.LenOnDisk(t, r.Pair, "texts"); a != 3+n || b != 3+n {
		t.Errorf("%d and %d elements are on disk, want %d", a, b, 3+n)
	}
}

// TestBatchNeverSplit: whatever flushes, and whenever somebody looks, columns
// that are filled through batches have equal lengths, here and on disk.
func TestBatchNeverSplit(t *testing.T) {
	const writers, each = 4, 200
	ctx := t.Context()
	p := vaulttest.OpenPair(t, nil)
	numbers, texts := vaulttest.Create(t, p.V, "numbers", dtype.Int64), vaulttest.Create(t, p.V, "texts", dtype.String)
	vaulttest.Must(t, p.V.EnableCache(ctx, vaulttest.CacheOf(4000, 1000)))
	var writing, looking sync.WaitGroup
	stop := make(chan struct{})
	for w := range writers {
		writing.Go(func() {
			for i := range each {
				err := p.V.Batch(ctx, func(b *columnvault.Batch) error {
					n := w*each + i
					return errors.Join(numbers.AppendTo(b, int64(n)), texts.AppendTo(b, fmt.Sprint(n)), p.V.KV().PutTo(b, fmt.Append(nil, n), nil))
				})
				if err != nil {
					t.Error(err)
					return
				}
				if i%20 == w {
					if _, err := p.V.Flush(ctx); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	for _, v := range []*columnvault.Vault{p.V, p.Other} {
		numbers, texts := vaulttest.Lookup(t, v, "numbers", dtype.Int64), vaulttest.Lookup(t, v, "texts", dtype.String)
		looking.Go(func() {
			for {
				err := v.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
					a, errA := numbers.In(tx).Slice(ctx, columnvault.Begin, columnvault.End)
					b, errB := texts.In(tx).Slice(ctx, columnvault.Begin, columnvault.End)
					n, errN := v.KV().In(tx).Len(ctx)
					if err := errors.Join(errA, errB, errN); err != nil {
						return err
					}
					if len(a) != len(b) || len(a) != n {
						t.Errorf("a batch is split: %d numbers, %d texts, %d pairs", len(a), len(b), n)
					}
					for i := range min(len(a), len(b)) {
						if fmt.Sprint(a[i]) != b[i] {
							t.Errorf("at %d, %d is beside %q", i, a[i], b[i])
							break
						}
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	writing.Wait()
	close(stop)
	looking.Wait()
	vaulttest.Must(t, p.V.Close())
	got, err := vaulttest.Lookup(t, p.Other, "numbers", dtype.Int64).Slice(ctx, columnvault.Begin, columnvault.End)
	vaulttest.Must(t, err)
	slices.Sort(got)
	vaulttest.WantValues(t, "all numbers", got, vaulttest.Span(0, writers*each))
}

// TestBatchForeignTable: pairs for a table that is none of ours are refused
// when they are given, not when they are flushed.
func TestBatchForeignTable(t *testing.T) {
	ctx := t.Context()
	r := openRecord(t, vaulttest.CacheOf(0, 0))
	vaulttest.ExecRaw(t, vaulttest.RawConn(t, r.Path), `CREATE TABLE notes (id INTEGER, text TEXT)`)
	err := r.V.Batch(ctx, func(b *columnvault.Batch) error {
		return errors.Join(r.numbers.AppendTo(b, 0), r.V.KVTable("notes").PutTo(b, []byte("k"), nil))
	})
	vaulttest.WantErrText(t, "a batch with pairs for a foreign table", err, columnvault.ErrInvalidArgument, "notes")
	vaulttest.Must(t, r.add(ctx, 0, nothing))
	flushAll(t, r.V)
	r.want(t, 1, 1)
}
