package conformance_test

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
	"columnvault/internal/vaulttest"
)

// TestCacheVisibility: for everyone in the vault the pending elements are part
// of the column, in every way of reading; in another vault they are not until
// the flush.
func TestCacheVisibility(t *testing.T) {
	for _, buffer := range []int{1, 40, 0} {
		t.Run(fmt.Sprintf("fixed, buffer %d", buffer), func(t *testing.T) {
			testVisibility(t, buffer, dtype.Int64, vaulttest.Span(0, 20))
		})
		t.Run(fmt.Sprintf("varsize, buffer %d", buffer), func(t *testing.T) {
			testVisibility(t, buffer, dtype.String, vaulttest.Sequence(20, func(i int) string { return strings.Repeat(fmt.Sprint(i), 1+i%4) }))
		})
	}
}

func testVisibility[T any](t *testing.T, buffer int, typ dtype.Type[T], all []T) {
	ctx := t.Context()
	for stored := range 4 { // on disk, the rest is pending
		stored *= 6
		p := vaulttest.OpenPair(t, &columnvault.Options{ReadBytes: buffer})
		c := vaulttest.CreateWith(t, p.V, "values", typ, vaulttest.Chunks(16, 32), all[:stored]...)
		vaulttest.Must(t, c.EnableCache(ctx, nil))
		vaulttest.Must(t, c.Append(ctx, all[stored:]...))

		vaulttest.WantOnDisk(t, p, c, typ, all[:stored]...)
		for _, c := range []*columnvault.Column[T]{c, vaulttest.Lookup(t, p.V, "values", typ)} {
			wantAllReads(t, p.V, c, all)
			vaulttest.Must(t, p.V.View(ctx, func(_ context.Context, tx *columnvault.Tx) error {
				wantAllReads(t, tx, c.In(tx), all)
				return nil
			}))
		}
		wantFlushed(t, p.V, len(all)-stored)
		vaulttest.WantOnDisk(t, p, c, typ, all...)
		wantAllReads(t, p.V, c, all)
		vaulttest.WantSound(t, p.V)
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
	vaulttest.WantColumn(t, c, want...)
	backwards := slices.Clone(want)
	slices.Reverse(backwards)
	vaulttest.WantValues(t, "Backward", vaulttest.Collect(t, c.Backward(ctx)), backwards)
	var chunked []T
	for chunk, err := range c.Runs(ctx) {
		vaulttest.Must(t, err)
		chunked = append(chunked, chunk.Values...)
	}
	vaulttest.WantValues(t, "Chunks", chunked, want)
	for i := range want {
		vaulttest.WantAt(t, c, i, want[i])
		vaulttest.WantAt(t, c, i-n, want[i])
		vaulttest.WantSlice(t, c, i, i+2, want[i:min(i+2, n)]...)
		at, err := c.Index(ctx, want[i])
		vaulttest.Must(t, err)
		count, err := c.Count(ctx, want[i])
		vaulttest.Must(t, err)
		if at != i || count != 1 {
			t.Errorf("element %d is found %d times, first at %d", i, count, at)
		}
	}
	_, err := c.At(ctx, n)
	vaulttest.WantErr(t, "At past the end", err, columnvault.ErrOutOfRange)
	taken, err := c.Take(ctx, []int{n - 1, 0, -1, n / 2})
	vaulttest.Must(t, err)
	vaulttest.WantValues(t, "Take", taken, []T{want[n-1], want[0], want[n-1], want[n/2]})
	reversed, err := c.SliceStep(ctx, columnvault.End, columnvault.Begin, -1)
	vaulttest.Must(t, err)
	vaulttest.WantValues(t, "SliceStep", reversed, backwards)
	into := make([]T, n)
	read, err := c.Read(ctx, into, 0)
	vaulttest.Must(t, err)
	vaulttest.WantValues(t, "Read", into[:read], want)
	s, err := c.Stat(ctx)
	vaulttest.Must(t, err)
	if s.Elements != n {
		t.Errorf("Stat counts %d elements, want %d", s.Elements, n)
	}
	infos, err := in.Columns(ctx)
	vaulttest.Must(t, err)
	if len(infos) != 1 || infos[0].Len != n {
		t.Errorf("Columns gives %+v, want one column of %d elements", infos, n)
	}
	dynamic, err := in.Column(ctx, c.Name())
	vaulttest.Must(t, err)
	vaulttest.WantColumn(t, dynamic, vaulttest.Sequence(n, func(i int) any { return want[i] })...)
}

// TestStatCountsPendingRows: Stat measures elements that are pending as it does
// others.
func TestStatCountsPendingRows(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	c := vaulttest.Create(t, v, "texts", dtype.String, "12345", "1")
	vaulttest.Must(t, c.EnableCache(ctx, nil))
	vaulttest.Must(t, c.Append(ctx, "", "1234567890"))
	s, err := c.Stat(ctx)
	vaulttest.Must(t, err)
	if s.Elements != 4 || s.Live != 16 || s.Smallest != 0 || s.Largest != 10 || s.Mean != 4 {
		t.Errorf("Stat with pending elements: %+v", s)
	}
}

// TestCacheCopiesValues: the cache copies what it is given, and gives out
// copies.
func TestCacheCopiesValues(t *testing.T) {
	ctx := t.Context()
	p := vaulttest.OpenPair(t, nil)
	vaulttest.Must(t, p.V.EnableCache(ctx, nil))
	numbers, raw, vectors := vaulttest.Create(t, p.V, "numbers", dtype.Int64), vaulttest.Create(t, p.V, "raw", dtype.Bytes), vaulttest.Create(t, p.V, "vectors", dtype.Vector[float32](2))
	given := []int64{1, 2}
	bytes, vector := []byte("ab"), []float32{1, 2}
	vaulttest.Must(t, numbers.Append(ctx, given...))
	vaulttest.Must(t, raw.Append(ctx, bytes))
	vaulttest.Must(t, vectors.Append(ctx, vector))
	given[0], bytes[0], vector[0] = 99, 'x', 99
	for range 2 {
		got, err := numbers.Slice(ctx, columnvault.Begin, columnvault.End)
		vaulttest.Must(t, err)
		vaulttest.WantValues(t, "numbers", got, []int64{1, 2})
		one, err := raw.At(ctx, 0)
		vaulttest.Must(t, err)
		vaulttest.WantValues(t, "raw", one, []byte("ab"))
		row, err := vectors.At(ctx, 0)
		vaulttest.Must(t, err)
		vaulttest.WantValues(t, "vectors", row, []float32{1, 2})
		got[0], one[0], row[0] = 99, 'x', 99
	}
	wantFlushed(t, p.V, 4)
	vaulttest.WantOnDisk(t, p, numbers, dtype.Int64, 1, 2)
	vaulttest.WantOnDisk(t, p, raw, dtype.Bytes, []byte("ab"))
	vaulttest.WantOnDisk(t, p, vectors, dtype.Vector[float32](2), []float32{1, 2})
}

// TestCacheViewIsOneMoment: a View keeps the pending elements of its moment,
// whatever becomes of them.
func TestCacheViewIsOneMoment(t *testing.T) {
	ctx := t.Context()
	for name, change := range map[string]step{
		"append":  func(s scene) error { return s.c.Append(s.ctx, 9) },
		"flush":   func(s scene) error { return vaulttest.ErrOf(s.v.Flush(s.ctx)) },
		"discard": func(s scene) error { s.c.DiscardPending(); return nil },
		"reverse": func(s scene) error { return s.c.Reverse(s.ctx) },
		"disable": func(s scene) error { return s.c.DisableCache(s.ctx) },
		"drop":    func(s scene) error { return s.v.Drop(s.ctx, "values") },
	} {
		for _, readBefore := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, read before: %v", name, readBefore), func(t *testing.T) {
				p := vaulttest.OpenPair(t, nil)
				c, other := vaulttest.Create(t, p.V, "values", dtype.Int64, 1, 2), vaulttest.Create(t, p.V, "other", dtype.Int64)
				vaulttest.Must(t, p.V.EnableCache(ctx, nil))
				vaulttest.Must(t, c.Append(ctx, 3, 4))
				vaulttest.Must(t, p.V.View(ctx, func(_ context.Context, tx *columnvault.Tx) error {
					if readBefore {
						vaulttest.WantColumn(t, c.In(tx), 1, 2, 3, 4)
					}
					vaulttest.Must(t, change(scene{ctx, p.V, c}))
					vaulttest.Must(t, other.Append(ctx, vaulttest.Span(100, 120)...)) // may take memory that is free now
					flushAll(t, p.V)
					vaulttest.Must(t, other.Append(ctx, vaulttest.Span(100, 120)...))
					vaulttest.WantColumn(t, c.In(tx), 1, 2, 3, 4)
					vaulttest.WantColumn(t, other.In(tx))
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
	v := vaulttest.OpenAt(t, filepath.Join(t.TempDir(), "test.db"), vaulttest.Patient())
	c, beside := vaulttest.Create(t, v, "values", dtype.Int64), vaulttest.Create(t, v, "beside", dtype.Int64)
	vaulttest.Must(t, v.EnableCache(ctx, nil))
	var done sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		done.Go(func() {
			for seen := 0; ; {
				values, err := c.Slice(ctx, columnvault.Begin, columnvault.End)
				if err != nil || len(values) < seen || !slices.Equal(values, vaulttest.Span(0, len(values))) {
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
		vaulttest.Must(t, v.Update(ctx, func(txCtx context.Context, tx *columnvault.Tx) error {
			vaulttest.Must(t, beside.Append(vaulttest.Soon(t), int64(i))) // not in the transaction: it becomes pending meanwhile
			return c.In(tx).Append(txCtx, int64(i))
		}))
		vaulttest.Must(t, c.Append(ctx, int64(i+1)))
	}
	close(stop)
	done.Wait()
	vaulttest.WantColumn(t, c, vaulttest.Span(0, 2*rounds)...)
}

// scene is what a step of a test acts on.
type scene struct {
	ctx context.Context
	v   *columnvault.Vault
	c   *columnvault.Column[int64]
}

// step is one call, and its error.
type step func(s scene) error

// uncached is every operation that the cache of a column does not take, on a
// column of 0, 1, 2 on disk and 3, 4 pending, and what becomes of the column.
var uncached = map[string]struct {
	do   step
	want []int64
}{
	"Set":               {func(s scene) error { return s.c.Set(s.ctx, 3, 9) }, []int64{0, 1, 2, 9, 4}},
	"SetSlice":          {func(s scene) error { return s.c.SetSlice(s.ctx, 2, 4, []int64{8, 9}) }, []int64{0, 1, 8, 9, 4}},
	"SetEach":           {func(s scene) error { return s.c.SetEach(s.ctx, []int{-1, 0}, []int64{8, 9}) }, []int64{9, 1, 2, 3, 8}},
	"Insert":            {func(s scene) error { return s.c.Insert(s.ctx, 0, 9) }, []int64{9, 0, 1, 2, 3, 4}},
	"Insert at the end": {func(s scene) error { return s.c.Insert(s.ctx, columnvault.End, 9) }, []int64{0, 1, 2, 3, 4, 9}},
	"Delete":            {func(s scene) error { return s.c.Delete(s.ctx, 0, 1) }, []int64{1, 2, 3, 4}},
	"Delete pending":    {func(s scene) error { return s.c.Delete(s.ctx, 2, 4) }, []int64{0, 1, 4}},
	"Truncate":          {func(s scene) error { return s.c.Truncate(s.ctx, 4) }, []int64{0, 1, 2, 3}},
	"Clear":             {func(s scene) error { return s.c.Clear(s.ctx) }, nil},
	"Pop":               {func(s scene) error { return vaulttest.ErrOf(s.c.Pop(s.ctx, -1)) }, []int64{0, 1, 2, 3}},
	"Remove":            {func(s scene) error { return s.c.Remove(s.ctx, 3) }, []int64{0, 1, 2, 4}},
	"Reverse":           {func(s scene) error { return s.c.Reverse(s.ctx) }, []int64{4, 3, 2, 1, 0}},
	"AppendSeq":         {func(s scene) error { return s.c.AppendSeq(s.ctx, slices.Values(vaulttest.Span(5, 7))) }, []int64{0, 1, 2, 3, 4, 5, 6}},
	"Update": {func(s scene) error {
		return s.v.Update(s.ctx, func(ctx context.Context, tx *columnvault.Tx) error {
			if n, err := s.c.In(tx).Len(ctx); n != 5 || err != nil {
				return fmt.Errorf("an Update sees %d elements, want 5: %w", n, err)
			}
			return s.c.In(tx).Append(ctx, 5)
		})
	}, []int64{0, 1, 2, 3, 4, 5}},
	"Create":         {func(s scene) error { return vaulttest.ErrOf(columnvault.Create(s.ctx, s.v, "new", dtype.Int64, nil)) }, []int64{0, 1, 2, 3, 4}},
	"Ensure":         {func(s scene) error { return vaulttest.ErrOf(columnvault.Ensure(s.ctx, s.v, "new", dtype.Int64, nil)) }, []int64{0, 1, 2, 3, 4}},
	"Rename another": {func(s scene) error { return s.v.Rename(s.ctx, "spare", "renamed") }, []int64{0, 1, 2, 3, 4}},
	"Drop another":   {func(s scene) error { return s.v.Drop(s.ctx, "spare") }, []int64{0, 1, 2, 3, 4}},
}

// pendingPair is a vault with a column as uncached says, and another beside it
// that has the pending elements "a" and "b".
func pendingPair(t *testing.T, o *columnvault.Options) (p vaulttest.Pair, c *columnvault.Column[int64], beside *columnvault.Column[string]) {
	t.Helper()
	p = vaulttest.OpenPair(t, o)
	c, beside = vaulttest.Create(t, p.V, "values", dtype.Int64, 0, 1, 2), vaulttest.Create(t, p.V, "beside", dtype.String)
	vaulttest.Create(t, p.V, "spare", dtype.Int64)
	vaulttest.Must(t, p.V.EnableCache(t.Context(), nil))
	vaulttest.Must(t, c.Append(t.Context(), 3))
	vaulttest.Must(t, beside.Append(t.Context(), "a"))
	vaulttest.Must(t, c.Append(t.Context(), 4))
	vaulttest.Must(t, beside.Append(t.Context(), "b"))
	return p, c, beside
}

// TestWritersFlushFirst: whatever writes to the vault first writes all that is
// pending, so the order on disk is that in which calls returned.
func TestWritersFlushFirst(t *testing.T) {
	ctx := t.Context()
	for name, op := range uncached {
		t.Run(name, func(t *testing.T) {
			p, c, beside := pendingPair(t, nil)
			vaulttest.Must(t, op.do(scene{ctx, p.V, c}))
			vaulttest.WantColumn(t, c, op.want...)
			vaulttest.WantOnDisk(t, p, c, dtype.Int64, op.want...)
			vaulttest.WantOnDisk(t, p, beside, dtype.String, "a", "b")
			vaulttest.Must(t, c.Append(ctx, 100)) // the cache is still on
			vaulttest.WantOnDisk(t, p, c, dtype.Int64, op.want...)
			vaulttest.WantColumn(t, c, append(slices.Clone(op.want), 100)...)
			vaulttest.Must(t, p.V.Close())
			vaulttest.WantOnDisk(t, p, c, dtype.Int64, append(slices.Clone(op.want), 100)...)
			vaulttest.WantSound(t, p.Other)
		})
	}
	t.Run("Rename", func(t *testing.T) {
		p, c, _ := pendingPair(t, nil)
		vaulttest.Must(t, p.V.Rename(ctx, "values", "renamed"))
		vaulttest.WantColumn(t, vaulttest.Lookup(t, p.Other, "renamed", dtype.Int64), vaulttest.Span(0, 5)...)
		vaulttest.WantErr(t, "the old name", c.Append(ctx, 5), columnvault.ErrNotFound)
		wantFlushed(t, p.V, 0)
	})
}

// TestUndoneUpdateKeepsPendingRows: pending elements that were written by a
// transaction that is undone stay pending.
func TestUndoneUpdateKeepsPendingRows(t *testing.T) {
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
		"error":   {func(s scene) error { return appendIn(s, func() error { return vaulttest.ErrOwn }) }, vaulttest.ErrOwn},
		"refused": {func(s scene) error { return s.c.Set(s.ctx, 5, 9) }, columnvault.ErrOutOfRange},
		"panic": {func(s scene) (err error) {
			defer func() { err, _ = recover().(error) }()
			return appendIn(s, func() error { panic(vaulttest.ErrOwn) })
		}, vaulttest.ErrOwn},
		"canceled": {func(s scene) error {
			var cancel func()
			s.ctx, cancel = context.WithCancel(s.ctx)
			return appendIn(s, func() error { cancel(); return nil })
		}, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			p, c, beside := pendingPair(t, nil)
			if err := undo.do(scene{ctx, p.V, c}); !errors.Is(err, undo.want) {
				t.Errorf("it ends with %v, want %v", err, undo.want)
			}
			vaulttest.WantColumn(t, c, 0, 1, 2, 3, 4)
			vaulttest.WantOnDisk(t, p, c, dtype.Int64, 0, 1, 2)
			vaulttest.WantOnDisk(t, p, beside, dtype.String)
			vaulttest.Must(t, c.Append(ctx, 5))
			wantFlushed(t, p.V, 5)
			vaulttest.WantOnDisk(t, p, c, dtype.Int64, vaulttest.Span(0, 6)...)
			vaulttest.WantOnDisk(t, p, beside, dtype.String, "a", "b")
		})
	}
}

// TestCacheOptionsWithoutSenseAreRefused: options that make no sense are
// refused, and leave the cache as it was.
func TestCacheOptionsWithoutSenseAreRefused(t *testing.T) {
	ctx := t.Context()
	p := vaulttest.OpenPair(t, nil)
	c := vaulttest.Create(t, p.V, "values", dtype.Int64)
	vaulttest.Must(t, c.EnableCache(ctx, nil))
	vaulttest.Must(t, c.Append(ctx, 1))
	for name, o := range map[string]columnvault.CacheOptions{
		"negative cap":       {CapBytes: -1},
		"negative threshold": {FlushThreshold: -1},
		"negative interval":  {FlushInterval: -1},
	} {
		for _, on := range []cacheScope{p.V, c} {
			vaulttest.WantErr(t, name, on.EnableCache(ctx, &o), columnvault.ErrInvalidArgument)
			err := on.Cached(ctx, &o, func() error { t.Error("the function runs"); return nil })
			vaulttest.WantErr(t, name, err, columnvault.ErrInvalidArgument)
		}
	}
	vaulttest.Must(t, c.Append(ctx, 2))
	vaulttest.WantColumn(t, c, 1, 2)
	vaulttest.WantOnDisk(t, p, c, dtype.Int64)
}

// TestCacheIsSharedByAllHandles: columns that are opened or made later join the
// cache of the vault, a cache of their own goes before it, and all handles
// share it.
func TestCacheIsSharedByAllHandles(t *testing.T) {
	ctx := t.Context()
	p := vaulttest.OpenPair(t, nil)
	own := vaulttest.Create(t, p.V, "own", dtype.Int64)
	vaulttest.Must(t, own.EnableCache(ctx, vaulttest.CacheOf(8, 8)))
	vaulttest.Must(t, p.V.EnableCache(ctx, nil))
	later := vaulttest.Create(t, p.V, "later", dtype.Int64)
	vaulttest.Create(t, p.Other, "opened", dtype.Int64)
	opened := vaulttest.Lookup(t, p.V, "opened", dtype.Int64)
	vaulttest.Must(t, later.Append(ctx, 1))
	vaulttest.Must(t, opened.Append(ctx, 2))
	vaulttest.Must(t, vaulttest.Lookup(t, p.V, "opened", dtype.Int64).Append(ctx, 3))
	vaulttest.WantColumn(t, opened, 2, 3)
	vaulttest.WantOnDisk(t, p, later, dtype.Int64)
	vaulttest.WantOnDisk(t, p, opened, dtype.Int64)
	vaulttest.Must(t, vaulttest.Lookup(t, p.V, "own", dtype.Int64).Append(ctx, 4))
	vaulttest.WantOnDisk(t, p, later, dtype.Int64)
	vaulttest.Must(t, own.Append(ctx, 5)) // its cap of 8 bytes is reached, and a flush writes all
	vaulttest.WantOnDisk(t, p, later, dtype.Int64, 1)
	vaulttest.WantOnDisk(t, p, opened, dtype.Int64, 2, 3)
	vaulttest.WantOnDisk(t, p, own, dtype.Int64, 4)

	vaulttest.Must(t, own.DisableCache(ctx)) // what is left is the cache of the vault
	vaulttest.Must(t, own.Append(ctx, 6, 7))
	vaulttest.WantOnDisk(t, p, own, dtype.Int64, 4, 5)
	vaulttest.Must(t, p.V.DisableCache(ctx))
	vaulttest.Must(t, own.Append(ctx, 8))
	vaulttest.WantOnDisk(t, p, own, dtype.Int64, 4, 5, 6, 7, 8)
}

// TestCachedValuesAreRefusedAtOnce: a value that no column takes is refused
// when it is appended, not when it is flushed.
func TestCachedValuesAreRefusedAtOnce(t *testing.T) {
	ctx := t.Context()
	p := vaulttest.OpenPair(t, nil)
	vaulttest.Must(t, p.V.EnableCache(ctx, nil))
	texts, docs := vaulttest.Create(t, p.V, "texts", dtype.Text(dtype.ASCII)), vaulttest.Create(t, p.V, "docs", dtype.FixedMsgPack[any](4))
	vaulttest.Must(t, texts.Append(ctx, "a"))
	vaulttest.WantErr(t, "text that is not ASCII", texts.Append(ctx, "b", "ö"), columnvault.ErrInvalidArgument)
	vaulttest.WantErr(t, "too long for its dtype", docs.Append(ctx, "long text"), columnvault.ErrInvalidArgument)
	vaulttest.Must(t, texts.Append(ctx, "c"))
	dynamic, err := p.V.Column(ctx, "texts")
	vaulttest.Must(t, err)
	vaulttest.WantErr(t, "a number", dynamic.Append(ctx, 1), columnvault.ErrInvalidArgument)
	vaulttest.Must(t, dynamic.Append(ctx, "d"))
	wantFlushed(t, p.V, 3)
	vaulttest.WantOnDisk(t, p, texts, dtype.Text(dtype.ASCII), "a", "c", "d")
}

// TestReadOnlyVaultTakesNoCache: a vault that can never write does not take
// anything into a cache.
func TestReadOnlyVaultTakesNoCache(t *testing.T) {
	ctx := t.Context()
	p := vaulttest.OpenPair(t, nil)
	vaulttest.Create(t, p.V, "values", dtype.Int64, 1)
	r := vaulttest.OpenAt(t, p.Path, &columnvault.Options{ReadOnly: true})
	c := vaulttest.Lookup(t, r, "values", dtype.Int64)
	if err := r.EnableCache(ctx, nil); err != nil {
		vaulttest.WantErr(t, "EnableCache", err, columnvault.ErrReadOnly)
	}
	vaulttest.WantErr(t, "Append", c.Append(ctx, 2), columnvault.ErrReadOnly)
	vaulttest.Must(t, r.Close())
}

// TestCanceledCallsTakeNothing: a call with a ctx that has ended is not taken;
// a flush that its ctx ends keeps everything.
func TestCanceledCallsTakeNothing(t *testing.T) {
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	p, c, _ := pendingPair(t, vaulttest.Patient())
	vaulttest.WantErr(t, "Append", c.Append(canceled, 9), context.Canceled)
	_, err := p.V.Flush(canceled)
	vaulttest.WantErr(t, "Flush", err, context.Canceled)
	vaulttest.WantErr(t, "DisableCache", c.DisableCache(canceled), context.Canceled)
	release := vaulttest.BlockWriters(t, p.Path)
	short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err = p.V.Flush(short)
	vaulttest.WantErr(t, "Flush that waits", err, context.DeadlineExceeded)
	release()
	vaulttest.WantColumn(t, c, vaulttest.Span(0, 5)...)
	vaulttest.WantOnDisk(t, p, c, dtype.Int64, 0, 1, 2)

	// What the function of Cached has appended was acknowledged.
	ctx, cancel := context.WithCancel(t.Context())
	vaulttest.Must(t, p.V.Cached(ctx, nil, func() error {
		vaulttest.Must(t, c.Append(ctx, 5))
		cancel()
		return nil
	}))
	vaulttest.WantOnDisk(t, p, c, dtype.Int64, vaulttest.Span(0, 6)...)
}

// TestCacheCallsInsideATransactionFailAtOnce: with the ctx of a transaction,
// everything that could wait for that transaction fails at once.
func TestCacheCallsInsideATransactionFailAtOnce(t *testing.T) {
	for _, inside := range []string{"View", "Update", "Update after pending elements"} {
		for name, do := range map[string]step{
			"Append":              func(s scene) error { return s.c.Append(s.ctx, 9) },
			"Flush":               func(s scene) error { return vaulttest.ErrOf(s.v.Flush(s.ctx)) },
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
				v := vaulttest.OpenAt(t, filepath.Join(t.TempDir(), "test.db"), vaulttest.Impatient())
				c := vaulttest.Create(t, v, "values", dtype.Int64, 1)
				vaulttest.Must(t, c.EnableCache(t.Context(), nil))
				if inside != "Update" {
					vaulttest.Must(t, c.Append(t.Context(), 2))
				}
				run := v.Update
				if inside == "View" {
					run = v.View
				}
				vaulttest.Must(t, run(vaulttest.Soon(t), func(ctx context.Context, _ *columnvault.Tx) error {
					vaulttest.WantErr(t, name, do(scene{ctx, v, c}), columnvault.ErrNested)
					return nil
				}))
				flushAll(t, v)
			})
		}
	}
	t.Run("a column of a transaction has no cache", func(t *testing.T) {
		v := vaulttest.Open(t)
		c := vaulttest.Create(t, v, "values", dtype.Int64, 1)
		vaulttest.Must(t, v.Update(vaulttest.Soon(t), func(ctx context.Context, tx *columnvault.Tx) error {
			if c.In(tx).EnableCache(ctx, nil) == nil || c.In(tx).DisableCache(ctx) == nil {
				t.Error("the cache of a column is changed through In")
			}
			return nil
		}))
	})
}

// TestTinyCacheIsBypassed: a cache that can hold next to nothing is passed by.
func TestTinyCacheIsBypassed(t *testing.T) {
	for capBytes := 1; capBytes < 10; capBytes++ {
		p := vaulttest.OpenPair(t, nil)
		c := vaulttest.Create(t, p.V, "values", dtype.Uint8)
		vaulttest.Must(t, c.EnableCache(t.Context(), vaulttest.CacheOf(capBytes, 0)))
		for i := range 20 {
			vaulttest.Must(t, c.Append(vaulttest.Soon(t), uint8(i)))
		}
		vaulttest.WantLen(t, c, 20)
	}
}

// TestOverlappingCachedRestoresTheCache: when all functions of overlapping
// Cached have ended, the cache that was there before is back, whichever ended
// first.
func TestOverlappingCachedRestoresTheCache(t *testing.T) {
	ctx := t.Context()
	for _, firstEndsFirst := range []bool{true, false} {
		p := vaulttest.OpenPair(t, nil)
		c := vaulttest.Create(t, p.V, "values", dtype.Int64)
		var calls sync.WaitGroup
		var ends [2]chan struct{}
		for i := range ends {
			ends[i] = make(chan struct{})
			began, ended := make(chan struct{}), ends[i]
			calls.Go(func() {
				if err := p.V.Cached(ctx, nil, func() error { close(began); <-ended; return nil }); err != nil {
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
		vaulttest.Must(t, c.Append(ctx, 1))
		vaulttest.WantOnDisk(t, p, c, dtype.Int64, 1)
	}
}

// TestCacheFollowsName: a rename takes the cache of a column along. A column
// that is dropped and made again is cached as before.
func TestCacheFollowsName(t *testing.T) {
	ctx := t.Context()
	p := vaulttest.OpenPair(t, nil)
	c := vaulttest.Create(t, p.V, "values", dtype.Int64)
	vaulttest.Must(t, c.EnableCache(ctx, nil))
	vaulttest.Must(t, p.V.Rename(ctx, "values", "renamed"))
	renamed := vaulttest.Lookup(t, p.V, "renamed", dtype.Int64)
	vaulttest.Must(t, renamed.Append(ctx, 1))
	vaulttest.WantOnDisk(t, p, renamed, dtype.Int64)
	vaulttest.Must(t, p.V.Drop(ctx, "renamed"))
	for name, want := range map[string][]string{"values": {"a"}, "renamed": nil} {
		d := vaulttest.Create(t, p.V, name, dtype.String)
		vaulttest.Must(t, d.Append(ctx, "a"))
		vaulttest.WantOnDisk(t, p, d, dtype.String, want...)
	}
}

// TestCacheBesideDropAndRename: what is appended through the cache while the
// column is being dropped goes with it; with a new name it stays.
func TestCacheBesideDropAndRename(t *testing.T) {
	ctx := t.Context()
	p := vaulttest.OpenPair(t, nil)
	dropped, renamed := vaulttest.Create(t, p.V, "dropped", dtype.Int64), vaulttest.Create(t, p.V, "renamed", dtype.Int64)
	vaulttest.Must(t, p.V.EnableCache(ctx, nil))
	vaulttest.Must(t, dropped.Append(ctx, 1))
	vaulttest.Must(t, renamed.Append(ctx, 1))
	vaulttest.Must(t, p.V.Update(ctx, func(txCtx context.Context, tx *columnvault.Tx) error {
		vaulttest.Must(t, tx.Drop(txCtx, "dropped"))
		vaulttest.Must(t, tx.Rename(txCtx, "renamed", "new"))
		vaulttest.Must(t, dropped.Append(ctx, 2)) // as another goroutine would
		vaulttest.Must(t, renamed.Append(ctx, 2))
		return nil
	}))
	vaulttest.WantColumn(t, vaulttest.Lookup(t, p.V, "new", dtype.Int64), 1, 2)
	for _, c := range []*columnvault.Column[int64]{dropped, renamed} {
		vaulttest.WantErr(t, "Append under the old name", c.Append(ctx, 3), columnvault.ErrNotFound)
	}
	wantFlushed(t, p.V, 1)
	vaulttest.WantOnDisk(t, p, vaulttest.Lookup(t, p.V, "new", dtype.Int64), dtype.Int64, 1, 2)
	vaulttest.Must(t, p.V.Close())
}

// TestLookupsInVainLeaveNothing: names that were looked up in vain cost nothing
// later.
func TestLookupsInVainLeaveNothing(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	vaulttest.Create(t, v, "values", dtype.Int64)
	before := liveBytes()
	for i := range 20_000 {
		_, err := columnvault.Lookup(ctx, v, fmt.Sprint("no such column ", i), dtype.Int64)
		vaulttest.WantErr(t, "Lookup", err, columnvault.ErrNotFound)
	}
	if grown := int64(liveBytes() - before); grown > 4<<20 {
		t.Errorf("20,000 lookups in vain keep %d bytes", grown)
	}
}
