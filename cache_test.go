package columnvault_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"columnvault"
	"columnvault/dtype"
)

// TestCacheVisibility: for everyone in the vault the pending elements are part
// of the column, in every way of reading; in another vault they are not until
// the flush.
func TestCacheVisibility(t *testing.T) {
	for _, buffer := range []int{1, 40, 0} {
		t.Run(fmt.Sprintf("fixed, buffer %d", buffer), func(t *testing.T) {
			testVisibility(t, buffer, dtype.Int64, span(0, 20))
		})
		t.Run(fmt.Sprintf("varsize, buffer %d", buffer), func(t *testing.T) {
			testVisibility(t, buffer, dtype.String, sequence(20, func(i int) string { return strings.Repeat(fmt.Sprint(i), 1+i%4) }))
		})
	}
}

func testVisibility[T any](t *testing.T, buffer int, typ dtype.Type[T], all []T) {
	ctx := t.Context()
	for stored := range 4 { // on disk, the rest is pending
		stored *= 6
		p := openPair(t, &columnvault.Options{ReadBytes: buffer})
		c := createWith(t, p.v, "values", typ, chunks(16, 32), all[:stored]...)
		must(t, c.EnableCache(ctx, nil))
		must(t, c.Append(ctx, all[stored:]...))

		onDisk(t, p, c, typ, all[:stored]...)
		for _, c := range []*columnvault.Column[T]{c, lookup(t, p.v, "values", typ)} {
			wantAllReads(t, p.v, c, all)
			must(t, p.v.View(ctx, func(_ context.Context, tx *columnvault.Tx) error {
				wantAllReads(t, tx, c.In(tx), all)
				return nil
			}))
		}
		wantFlushed(t, p.v, len(all)-stored)
		onDisk(t, p, c, typ, all...)
		wantAllReads(t, p.v, c, all)
		wantSound(t, p.v)
	}
}

// wantAllReads reads the column, whose elements are all different, in every
// way that there is.
func wantAllReads[T any](t *testing.T, in interface {
	Columns(ctx context.Context) ([]columnvault.ColumnInfo, error)
	Column(ctx context.Context, name string) (*columnvault.Column[any], error)
}, c *columnvault.Column[T], want []T) {
	t.Helper()
	ctx := t.Context()
	n := len(want)
	wantColumn(t, c, want...)
	backwards := slices.Clone(want)
	slices.Reverse(backwards)
	wantValues(t, "Backward", collect(t, c.Backward(ctx)), backwards)
	var chunked []T
	for chunk, err := range c.Runs(ctx) {
		must(t, err)
		chunked = append(chunked, chunk.Values...)
	}
	wantValues(t, "Chunks", chunked, want)
	for i := range want {
		wantAt(t, c, i, want[i])
		wantAt(t, c, i-n, want[i])
		wantSlice(t, c, i, i+2, want[i:min(i+2, n)]...)
		at, err := c.Index(ctx, want[i])
		must(t, err)
		count, err := c.Count(ctx, want[i])
		must(t, err)
		if at != i || count != 1 {
			t.Errorf("element %d is found %d times, first at %d", i, count, at)
		}
	}
	_, err := c.At(ctx, n)
	wantErr(t, "At behind the end", err, columnvault.ErrOutOfRange)
	taken, err := c.Take(ctx, []int{n - 1, 0, -1, n / 2})
	must(t, err)
	wantValues(t, "Take", taken, []T{want[n-1], want[0], want[n-1], want[n/2]})
	reversed, err := c.SliceStep(ctx, end, begin, -1)
	must(t, err)
	wantValues(t, "SliceStep", reversed, backwards)
	into := make([]T, n)
	read, err := c.Read(ctx, into, 0)
	must(t, err)
	wantValues(t, "Read", into[:read], want)
	s, err := c.Stat(ctx)
	must(t, err)
	if s.Elements != n {
		t.Errorf("Stat counts %d elements, want %d", s.Elements, n)
	}
	infos, err := in.Columns(ctx)
	must(t, err)
	if len(infos) != 1 || infos[0].Len != n {
		t.Errorf("Columns gives %+v, want one column of %d elements", infos, n)
	}
	dynamic, err := in.Column(ctx, c.Name())
	must(t, err)
	wantColumn(t, dynamic, sequence(n, func(i int) any { return want[i] })...)
}

// TestCacheStat: Stat measures elements that are pending as it does others.
func TestCacheStat(t *testing.T) {
	ctx := t.Context()
	v := open(t)
	c := create(t, v, "texts", dtype.String, "12345", "1")
	must(t, c.EnableCache(ctx, nil))
	must(t, c.Append(ctx, "", "1234567890"))
	s, err := c.Stat(ctx)
	must(t, err)
	if s.Elements != 4 || s.Live != 16 || s.Smallest != 0 || s.Largest != 10 || s.Mean != 4 {
		t.Errorf("Stat with pending elements: %+v", s)
	}
}

// TestCacheOwnership: the cache copies what it is given, and gives out copies.
func TestCacheOwnership(t *testing.T) {
	ctx := t.Context()
	p := openPair(t, nil)
	must(t, p.v.EnableCache(ctx, nil))
	numbers, raw, vectors := create(t, p.v, "numbers", dtype.Int64), create(t, p.v, "raw", dtype.Bytes), create(t, p.v, "vectors", dtype.Vector[float32](2))
	given := []int64{1, 2}
	bytes, vector := []byte("ab"), []float32{1, 2}
	must(t, numbers.Append(ctx, given...))
	must(t, raw.Append(ctx, bytes))
	must(t, vectors.Append(ctx, vector))
	given[0], bytes[0], vector[0] = 99, 'x', 99
	for range 2 {
		got, err := numbers.Slice(ctx, begin, end)
		must(t, err)
		wantValues(t, "numbers", got, []int64{1, 2})
		one, err := raw.At(ctx, 0)
		must(t, err)
		wantValues(t, "raw", one, []byte("ab"))
		row, err := vectors.At(ctx, 0)
		must(t, err)
		wantValues(t, "vectors", row, []float32{1, 2})
		got[0], one[0], row[0] = 99, 'x', 99
	}
	wantFlushed(t, p.v, 4)
	onDisk(t, p, numbers, dtype.Int64, 1, 2)
	onDisk(t, p, raw, dtype.Bytes, []byte("ab"))
	onDisk(t, p, vectors, dtype.Vector[float32](2), []float32{1, 2})
}

// TestCacheViewIsOneMoment: a View keeps the pending elements of its moment,
// whatever becomes of them.
func TestCacheViewIsOneMoment(t *testing.T) {
	ctx := t.Context()
	for name, change := range map[string]step{
		"append":  func(s scene) error { return s.c.Append(s.ctx, 9) },
		"flush":   func(s scene) error { return lastOf(s.v.Flush(s.ctx)) },
		"discard": func(s scene) error { s.c.DiscardPending(); return nil },
		"reverse": func(s scene) error { return s.c.Reverse(s.ctx) },
		"disable": func(s scene) error { return s.c.DisableCache(s.ctx) },
		"drop":    func(s scene) error { return s.v.Drop(s.ctx, "values") },
	} {
		for _, readBefore := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, read before: %v", name, readBefore), func(t *testing.T) {
				p := openPair(t, nil)
				c, other := create(t, p.v, "values", dtype.Int64, 1, 2), create(t, p.v, "other", dtype.Int64)
				must(t, p.v.EnableCache(ctx, nil))
				must(t, c.Append(ctx, 3, 4))
				must(t, p.v.View(ctx, func(_ context.Context, tx *columnvault.Tx) error {
					if readBefore {
						wantColumn(t, c.In(tx), 1, 2, 3, 4)
					}
					must(t, change(scene{ctx, p.v, c}))
					must(t, other.Append(ctx, span(100, 120)...)) // may take memory that is free now
					flushAll(t, p.v)
					must(t, other.Append(ctx, span(100, 120)...))
					wantColumn(t, c.In(tx), 1, 2, 3, 4)
					wantColumn(t, other.In(tx))
					return nil
				}))
			})
		}
	}
}

// TestCacheViewBetweenCommits: while a column is written in turn by Updates and
// through its cache, every View sees what was acknowledged up to one moment:
// never an element without the one before it.
func TestCacheViewBetweenCommits(t *testing.T) {
	const rounds = 300
	ctx := t.Context()
	v := openAt(t, filepath.Join(t.TempDir(), "test.db"), patient)
	c, beside := create(t, v, "values", dtype.Int64), create(t, v, "beside", dtype.Int64)
	must(t, v.EnableCache(ctx, nil))
	var done sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		done.Go(func() {
			for seen := 0; ; {
				values, err := c.Slice(ctx, begin, end)
				if err != nil || len(values) < seen || !slices.Equal(values, span(0, len(values))) {
					t.Errorf("after %d elements, a reader sees %v, %v", seen, values, err)
					return
				}
				seen = len(values)
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	for i := 0; i < 2*rounds && !t.Failed(); i += 2 {
		flushAll(t, v)
		must(t, v.Update(ctx, func(txCtx context.Context, tx *columnvault.Tx) error {
			must(t, beside.Append(soon(t), int64(i))) // not in the transaction: it becomes pending meanwhile
			return c.In(tx).Append(txCtx, int64(i))
		}))
		must(t, c.Append(ctx, int64(i+1)))
	}
	close(stop)
	done.Wait()
	wantColumn(t, c, span(0, 2*rounds)...)
}

// scene is what a step of a test acts on.
type scene struct {
	ctx context.Context
	v   *columnvault.Vault
	c   *columnvault.Column[int64]
}

// lastOf is the error of a call that gives a value too.
func lastOf[T any](_ T, err error) error { return err }

// step is one call, and its error.
type step func(s scene) error

// uncached is every operation that the cache of a column does not take, on a
// column of 0, 1, 2 on disk and 3, 4 pending, and what becomes of the column.
var uncached = map[string]struct {
	do   step
	want []int64
}{
	"Set":            {func(s scene) error { return s.c.Set(s.ctx, 3, 9) }, []int64{0, 1, 2, 9, 4}},
	"SetSlice":       {func(s scene) error { return s.c.SetSlice(s.ctx, 2, 4, []int64{8, 9}) }, []int64{0, 1, 8, 9, 4}},
	"Insert":         {func(s scene) error { return s.c.Insert(s.ctx, 0, 9) }, []int64{9, 0, 1, 2, 3, 4}},
	"Insert behind":  {func(s scene) error { return s.c.Insert(s.ctx, end, 9) }, []int64{0, 1, 2, 3, 4, 9}},
	"Delete":         {func(s scene) error { return s.c.Delete(s.ctx, 0, 1) }, []int64{1, 2, 3, 4}},
	"Delete pending": {func(s scene) error { return s.c.Delete(s.ctx, 2, 4) }, []int64{0, 1, 4}},
	"Truncate":       {func(s scene) error { return s.c.Truncate(s.ctx, 4) }, []int64{0, 1, 2, 3}},
	"Clear":          {func(s scene) error { return s.c.Clear(s.ctx) }, nil},
	"Pop":            {func(s scene) error { return lastOf(s.c.Pop(s.ctx, -1)) }, []int64{0, 1, 2, 3}},
	"Remove":         {func(s scene) error { return s.c.Remove(s.ctx, 3) }, []int64{0, 1, 2, 4}},
	"Reverse":        {func(s scene) error { return s.c.Reverse(s.ctx) }, []int64{4, 3, 2, 1, 0}},
	"AppendSeq":      {func(s scene) error { return s.c.AppendSeq(s.ctx, slices.Values(span(5, 7))) }, []int64{0, 1, 2, 3, 4, 5, 6}},
	"Update": {func(s scene) error {
		return s.v.Update(s.ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			if n, err := s.c.In(tx).Len(ctx); n != 5 || err != nil {
				return fmt.Errorf("an Update sees %d elements, want 5: %w", n, err)
			}
			return s.c.In(tx).Append(ctx, 5)
		})
	}, []int64{0, 1, 2, 3, 4, 5}},
	"Create":         {func(s scene) error { return lastOf(columnvault.Create(s.ctx, s.v, "new", dtype.Int64, nil)) }, []int64{0, 1, 2, 3, 4}},
	"Ensure":         {func(s scene) error { return lastOf(columnvault.Ensure(s.ctx, s.v, "new", dtype.Int64, nil)) }, []int64{0, 1, 2, 3, 4}},
	"Rename another": {func(s scene) error { return s.v.Rename(s.ctx, "spare", "renamed") }, []int64{0, 1, 2, 3, 4}},
	"Drop another":   {func(s scene) error { return s.v.Drop(s.ctx, "spare") }, []int64{0, 1, 2, 3, 4}},
}

// pendingPair is a vault with a column as uncached says, and another beside it
// that has the pending elements "a" and "b".
func pendingPair(t *testing.T, o *columnvault.Options) (p pair, c *columnvault.Column[int64], beside *columnvault.Column[string]) {
	t.Helper()
	p = openPair(t, o)
	c, beside = create(t, p.v, "values", dtype.Int64, 0, 1, 2), create(t, p.v, "beside", dtype.String)
	create(t, p.v, "spare", dtype.Int64)
	must(t, p.v.EnableCache(t.Context(), nil))
	must(t, c.Append(t.Context(), 3))
	must(t, beside.Append(t.Context(), "a"))
	must(t, c.Append(t.Context(), 4))
	must(t, beside.Append(t.Context(), "b"))
	return p, c, beside
}

// TestCacheOrder: whatever writes to the vault first writes all that is
// pending, so the order on disk is that in which calls returned.
func TestCacheOrder(t *testing.T) {
	ctx := t.Context()
	for name, op := range uncached {
		t.Run(name, func(t *testing.T) {
			p, c, beside := pendingPair(t, nil)
			must(t, op.do(scene{ctx, p.v, c}))
			wantColumn(t, c, op.want...)
			onDisk(t, p, c, dtype.Int64, op.want...)
			onDisk(t, p, beside, dtype.String, "a", "b")
			must(t, c.Append(ctx, 100)) // the cache is still on
			onDisk(t, p, c, dtype.Int64, op.want...)
			wantColumn(t, c, append(slices.Clone(op.want), 100)...)
			must(t, p.v.Close())
			onDisk(t, p, c, dtype.Int64, append(slices.Clone(op.want), 100)...)
			wantSound(t, p.other)
		})
	}
	t.Run("Rename", func(t *testing.T) {
		p, c, _ := pendingPair(t, nil)
		must(t, p.v.Rename(ctx, "values", "renamed"))
		wantColumn(t, lookup(t, p.other, "renamed", dtype.Int64), span(0, 5)...)
		wantErr(t, "the old name", c.Append(ctx, 5), columnvault.ErrNotFound)
		wantFlushed(t, p.v, 0)
	})
}

// TestCacheRollback: pending elements that were written by a transaction that
// is undone stay pending.
func TestCacheRollback(t *testing.T) {
	ctx := t.Context()
	// appendIn appends to the column in an Update, and ends it in its way.
	appendIn := func(s scene, end func() error) error {
		return s.v.Update(s.ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			if err := s.c.In(tx).Append(ctx, 9); err != nil {
				return err
			}
			return end()
		})
	}
	for name, undo := range map[string]struct {
		do   step
		want error
	}{
		"error":   {func(s scene) error { return appendIn(s, func() error { return errOwn }) }, errOwn},
		"refused": {func(s scene) error { return s.c.Set(s.ctx, 5, 9) }, columnvault.ErrOutOfRange},
		"panic": {func(s scene) (err error) {
			defer func() { err, _ = recover().(error) }()
			return appendIn(s, func() error { panic(errOwn) })
		}, errOwn},
		"cancelled": {func(s scene) error {
			var cancel func()
			s.ctx, cancel = context.WithCancel(s.ctx)
			return appendIn(s, func() error { cancel(); return nil })
		}, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			p, c, beside := pendingPair(t, nil)
			if err := undo.do(scene{ctx, p.v, c}); !errors.Is(err, undo.want) {
				t.Errorf("it ends with %v, want %v", err, undo.want)
			}
			wantColumn(t, c, 0, 1, 2, 3, 4)
			onDisk(t, p, c, dtype.Int64, 0, 1, 2)
			onDisk(t, p, beside, dtype.String)
			must(t, c.Append(ctx, 5))
			wantFlushed(t, p.v, 5)
			onDisk(t, p, c, dtype.Int64, span(0, 6)...)
			onDisk(t, p, beside, dtype.String, "a", "b")
		})
	}
}

// TestCacheOptions: options that make no sense are refused, and leave the cache
// as it was.
func TestCacheOptions(t *testing.T) {
	ctx := t.Context()
	p := openPair(t, nil)
	c := create(t, p.v, "values", dtype.Int64)
	must(t, c.EnableCache(ctx, nil))
	must(t, c.Append(ctx, 1))
	for name, o := range map[string]columnvault.CacheOptions{
		"negative cap":       {CapBytes: -1},
		"negative threshold": {FlushThreshold: -1},
		"negative interval":  {FlushInterval: -1},
	} {
		for _, on := range []cacheScope{p.v, c} {
			wantErr(t, name, on.EnableCache(ctx, &o), columnvault.ErrInvalidArgument)
			err := on.Cached(ctx, &o, func() error { t.Error("the function runs"); return nil })
			wantErr(t, name, err, columnvault.ErrInvalidArgument)
		}
	}
	must(t, c.Append(ctx, 2))
	wantColumn(t, c, 1, 2)
	onDisk(t, p, c, dtype.Int64)
}

// TestCacheScopes: columns that are opened or made later join the cache of the
// vault, a cache of their own goes before it, and all handles share it.
func TestCacheScopes(t *testing.T) {
	ctx := t.Context()
	p := openPair(t, nil)
	own := create(t, p.v, "own", dtype.Int64)
	must(t, own.EnableCache(ctx, cacheOf(8, 8)))
	must(t, p.v.EnableCache(ctx, nil))
	later := create(t, p.v, "later", dtype.Int64)
	create(t, p.other, "opened", dtype.Int64)
	opened := lookup(t, p.v, "opened", dtype.Int64)
	must(t, later.Append(ctx, 1))
	must(t, opened.Append(ctx, 2))
	must(t, lookup(t, p.v, "opened", dtype.Int64).Append(ctx, 3))
	wantColumn(t, opened, 2, 3)
	onDisk(t, p, later, dtype.Int64)
	onDisk(t, p, opened, dtype.Int64)
	must(t, lookup(t, p.v, "own", dtype.Int64).Append(ctx, 4))
	onDisk(t, p, later, dtype.Int64)
	must(t, own.Append(ctx, 5)) // its cap of 8 bytes is reached, and a flush writes all
	onDisk(t, p, later, dtype.Int64, 1)
	onDisk(t, p, opened, dtype.Int64, 2, 3)
	onDisk(t, p, own, dtype.Int64, 4)

	must(t, own.DisableCache(ctx)) // what is left is the cache of the vault
	must(t, own.Append(ctx, 6, 7))
	onDisk(t, p, own, dtype.Int64, 4, 5)
	must(t, p.v.DisableCache(ctx))
	must(t, own.Append(ctx, 8))
	onDisk(t, p, own, dtype.Int64, 4, 5, 6, 7, 8)
}

// TestCacheRefuses: a value that no column takes is refused when it is
// appended, not when it is flushed.
func TestCacheRefuses(t *testing.T) {
	ctx := t.Context()
	p := openPair(t, nil)
	must(t, p.v.EnableCache(ctx, nil))
	texts, docs := create(t, p.v, "texts", dtype.Text(dtype.ASCII)), create(t, p.v, "docs", dtype.FixedMsgPack[any](4))
	must(t, texts.Append(ctx, "a"))
	wantErr(t, "text that is not ASCII", texts.Append(ctx, "b", "ö"), columnvault.ErrInvalidArgument)
	wantErr(t, "too long for its dtype", docs.Append(ctx, "long text"), columnvault.ErrInvalidArgument)
	must(t, texts.Append(ctx, "c"))
	dynamic, err := p.v.Column(ctx, "texts")
	must(t, err)
	wantErr(t, "a number", dynamic.Append(ctx, 1), columnvault.ErrInvalidArgument)
	must(t, dynamic.Append(ctx, "d"))
	wantFlushed(t, p.v, 3)
	onDisk(t, p, texts, dtype.Text(dtype.ASCII), "a", "c", "d")
}

// TestCacheReadOnly: a vault that can never write does not take anything into
// a cache.
func TestCacheReadOnly(t *testing.T) {
	ctx := t.Context()
	p := openPair(t, nil)
	create(t, p.v, "values", dtype.Int64, 1)
	r := openAt(t, p.path, &columnvault.Options{ReadOnly: true})
	c := lookup(t, r, "values", dtype.Int64)
	if err := r.EnableCache(ctx, nil); err != nil {
		wantErr(t, "EnableCache", err, columnvault.ErrReadOnly)
	}
	wantErr(t, "Append", c.Append(ctx, 2), columnvault.ErrReadOnly)
	must(t, r.Close())
}

// TestCacheCancelled: a call with a ctx that has ended is not taken; a flush
// that its ctx ends keeps everything.
func TestCacheCancelled(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	p, c, _ := pendingPair(t, patient)
	wantErr(t, "Append", c.Append(cancelled, 9), context.Canceled)
	_, err := p.v.Flush(cancelled)
	wantErr(t, "Flush", err, context.Canceled)
	wantErr(t, "DisableCache", c.DisableCache(cancelled), context.Canceled)
	release := blockWriters(t, p.path)
	short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err = p.v.Flush(short)
	wantErr(t, "Flush that waits", err, context.DeadlineExceeded)
	release()
	wantColumn(t, c, span(0, 5)...)
	onDisk(t, p, c, dtype.Int64, 0, 1, 2)

	// What the function of Cached has appended was acknowledged.
	ctx, cancel := context.WithCancel(t.Context())
	must(t, p.v.Cached(ctx, nil, func() error {
		must(t, c.Append(ctx, 5))
		cancel()
		return nil
	}))
	onDisk(t, p, c, dtype.Int64, span(0, 6)...)
}

// TestCacheNested: with the ctx of a transaction, everything that could wait
// for that transaction fails at once.
func TestCacheNested(t *testing.T) {
	for _, inside := range []string{"View", "Update", "Update behind pending elements"} {
		for name, do := range map[string]step{
			"Append":              func(s scene) error { return s.c.Append(s.ctx, 9) },
			"Flush":               func(s scene) error { return lastOf(s.v.Flush(s.ctx)) },
			"EnableCache":         func(s scene) error { return s.v.EnableCache(s.ctx, nil) },
			"DisableCache":        func(s scene) error { return s.v.DisableCache(s.ctx) },
			"Cached":              func(s scene) error { return s.v.Cached(s.ctx, nil, func() error { return nil }) },
			"Column.EnableCache":  func(s scene) error { return s.c.EnableCache(s.ctx, nil) },
			"Column.DisableCache": func(s scene) error { return s.c.DisableCache(s.ctx) },
			"Column.Cached":       func(s scene) error { return s.c.Cached(s.ctx, nil, func() error { return nil }) },
			"Batch": func(s scene) error {
				return s.v.Batch(s.ctx, func(b *columnvault.Batch) error { return s.c.AppendTo(b, 9) })
			},
		} {
			t.Run(inside+"/"+name, func(t *testing.T) {
				v := openAt(t, filepath.Join(t.TempDir(), "test.db"), impatient)
				c := create(t, v, "values", dtype.Int64, 1)
				must(t, c.EnableCache(t.Context(), nil))
				if inside != "Update" {
					must(t, c.Append(t.Context(), 2))
				}
				run := v.Update
				if inside == "View" {
					run = v.View
				}
				must(t, run(soon(t), func(ctx context.Context, _ *columnvault.Tx) error {
					wantErr(t, name, do(scene{ctx, v, c}), columnvault.ErrNested)
					return nil
				}))
				flushAll(t, v)
			})
		}
	}
	t.Run("a column of a transaction has no cache", func(t *testing.T) {
		v := open(t)
		c := create(t, v, "values", dtype.Int64, 1)
		must(t, v.Update(soon(t), func(ctx context.Context, tx *columnvault.Tx) error {
			if c.In(tx).EnableCache(ctx, nil) == nil || c.In(tx).DisableCache(ctx) == nil {
				t.Error("the cache of a column is changed through In")
			}
			return nil
		}))
	})
}

// TestCacheTiny: a cache that can hold next to nothing is passed by.
func TestCacheTiny(t *testing.T) {
	for capBytes := 1; capBytes < 10; capBytes++ {
		p := openPair(t, nil)
		c := create(t, p.v, "values", dtype.Uint8)
		must(t, c.EnableCache(t.Context(), cacheOf(capBytes, 0)))
		for i := range 20 {
			must(t, c.Append(soon(t), uint8(i)))
		}
		wantLen(t, c, 20)
	}
}

// TestCachedOverlap: when all functions of overlapping Cached have ended, the
// cache that was there before is back, whichever ended first.
func TestCachedOverlap(t *testing.T) {
	ctx := t.Context()
	for _, firstEndsFirst := range []bool{true, false} {
		p := openPair(t, nil)
		c := create(t, p.v, "values", dtype.Int64)
		var calls sync.WaitGroup
		var ends [2]chan struct{}
		for i := range ends {
			ends[i] = make(chan struct{})
			began, ended := make(chan struct{}), ends[i]
			calls.Go(func() {
				if err := p.v.Cached(ctx, nil, func() error { close(began); <-ended; return nil }); err != nil {
					t.Error(err)
				}
			})
			<-began
		}
		if firstEndsFirst {
			close(ends[0])
			close(ends[1])
		} else {
			close(ends[1])
			close(ends[0])
		}
		calls.Wait()
		must(t, c.Append(ctx, 1))
		onDisk(t, p, c, dtype.Int64, 1)
	}
}

// TestCacheFollowsName: a rename takes the cache of a column along. A column
// that is dropped and made again is cached as before.
func TestCacheFollowsName(t *testing.T) {
	ctx := t.Context()
	p := openPair(t, nil)
	c := create(t, p.v, "values", dtype.Int64)
	must(t, c.EnableCache(ctx, nil))
	must(t, p.v.Rename(ctx, "values", "renamed"))
	renamed := lookup(t, p.v, "renamed", dtype.Int64)
	must(t, renamed.Append(ctx, 1))
	onDisk(t, p, renamed, dtype.Int64)
	must(t, p.v.Drop(ctx, "renamed"))
	for name, want := range map[string][]string{"values": {"a"}, "renamed": nil} {
		d := create(t, p.v, name, dtype.String)
		must(t, d.Append(ctx, "a"))
		onDisk(t, p, d, dtype.String, want...)
	}
}

// TestCacheBesideDropAndRename: what is appended through the cache while the
// column is being dropped goes with it; with a new name it stays.
func TestCacheBesideDropAndRename(t *testing.T) {
	ctx := t.Context()
	p := openPair(t, nil)
	dropped, renamed := create(t, p.v, "dropped", dtype.Int64), create(t, p.v, "renamed", dtype.Int64)
	must(t, p.v.EnableCache(ctx, nil))
	must(t, dropped.Append(ctx, 1))
	must(t, renamed.Append(ctx, 1))
	must(t, p.v.Update(ctx, func(txCtx context.Context, tx *columnvault.Tx) error {
		must(t, tx.Drop(txCtx, "dropped"))
		must(t, tx.Rename(txCtx, "renamed", "new"))
		must(t, dropped.Append(ctx, 2)) // as another goroutine would
		must(t, renamed.Append(ctx, 2))
		return nil
	}))
	wantColumn(t, lookup(t, p.v, "new", dtype.Int64), 1, 2)
	for _, c := range []*columnvault.Column[int64]{dropped, renamed} {
		wantErr(t, "Append under the old name", c.Append(ctx, 3), columnvault.ErrNotFound)
	}
	wantFlushed(t, p.v, 1)
	onDisk(t, p, lookup(t, p.v, "new", dtype.Int64), dtype.Int64, 1, 2)
	must(t, p.v.Close())
}

// TestLookupsLeaveNothing: names that were looked up in vain cost nothing
// later.
func TestLookupsLeaveNothing(t *testing.T) {
	ctx := t.Context()
	v := open(t)
	create(t, v, "values", dtype.Int64)
	before := liveBytes()
	for i := range 20_000 {
		_, err := columnvault.Lookup(ctx, v, fmt.Sprint("no such column ", i), dtype.Int64)
		wantErr(t, "Lookup", err, columnvault.ErrNotFound)
	}
	if grown := int64(liveBytes() - before); grown > 4<<20 {
		t.Errorf("20,000 lookups in vain keep %d bytes", grown)
	}
}
