package columnvault

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"columnvault/dtype"
	"columnvault/internal/catalog"
	"columnvault/internal/store"
	"columnvault/internal/store/sqlite"
	"columnvault/internal/store/storetest"
	"columnvault/internal/writeback"
)

// gatedStore is a store whose Update calls before first.
type gatedStore struct {
	store.Store
	before func()
}

func (s *gatedStore) Update(ctx context.Context, fn func(store.Tx) error) error {
	if s.before != nil {
		s.before()
	}
	return s.Store.Update(ctx, fn)
}

// TestUpdateBesideTheFirstCache: a writer that looked for caches before there
// was one, and writes when there is, does not overtake what was appended to it.
func TestUpdateBesideTheFirstCache(t *testing.T) {
	ctx := t.Context()
	s, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "test.db"), sqlite.Options{})
	check(t, err)
	g := &gatedStore{Store: s}
	v := newVault("test.db", g, &Options{})
	t.Cleanup(func() { check(t, v.Close()) })
	c, err := Create(ctx, v, "values", dtype.Int64, nil)
	check(t, err)
	waiting, goOn := make(chan struct{}), make(chan struct{})
	var first atomic.Bool
	g.before = func() {
		if first.CompareAndSwap(false, true) {
			close(waiting)
			<-goOn
		}
	}
	var writer sync.WaitGroup
	writer.Go(func() {
		err := v.Update(ctx, func(ctx context.Context, tx *Tx) error {
			n, err := c.In(tx).Len(ctx)
			if n != 1 {
				t.Errorf("the transaction sees %d elements, and 1 was acknowledged", n)
			}
			return errors.Join(err, c.In(tx).Append(ctx, 2))
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-waiting
	check(t, c.EnableCache(ctx, nil))
	check(t, c.Append(ctx, 1))
	close(goOn)
	writer.Wait()
	if got, err := c.Slice(ctx, Begin, End); fmt.Sprint(got) != "[1 2]" || err != nil {
		t.Errorf("the column has %v, %v", got, err)
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestCacheBooks: whatever is done with caches, what they count agrees with
// what they hold, and nothing is lost.
func TestCacheBooks(t *testing.T) {
	for seed := range uint64(20) {
		b := &books{T: t, rand: rand.New(rand.NewPCG(seed, 1)), pairs: map[string]bool{}}
		b.open()
		for range 300 {
			b.step()
			b.balance()
		}
		b.close()
	}
}

// books is a vault with three columns and a table, and what they should hold.
type books struct {
	*testing.T
	rand    *rand.Rand
	v       *Vault
	columns [3]*Column[string]
	want    [3][]string
	pairs   map[string]bool
	n       int
}

func (b *books) open() {
	v, err := Open(b.Context(), filepath.Join(b.TempDir(), "test.db"), nil)
	check(b.T, err)
	b.v = v
	for i := range b.columns {
		b.columns[i], err = Create(b.Context(), v, fmt.Sprint("column ", i), dtype.String, nil)
		check(b.T, err)
	}
}

// text is a new text of some length.
func (b *books) text() string {
	b.n++
	return fmt.Sprint(b.n, "-------------------"[:b.rand.IntN(18)])
}

func (b *books) step() {
	ctx, i := b.Context(), b.rand.IntN(3)
	c := b.columns[i]
	var err error
	switch b.rand.IntN(12) {
	case 0, 1, 2:
		b.want[i] = append(b.want[i], b.text())
		err = c.Append(ctx, b.want[i][len(b.want[i])-1])
	case 3:
		err = c.EnableCache(ctx, &CacheOptions{CapBytes: 1 + b.rand.IntN(400)})
	case 4:
		err = c.DisableCache(ctx)
	case 5:
		err = b.v.EnableCache(ctx, &CacheOptions{CapBytes: 1 + b.rand.IntN(800)})
	case 6:
		err = b.v.DisableCache(ctx)
	case 7:
		key := fmt.Sprint(b.rand.IntN(30))
		b.pairs[key] = true
		err = b.v.KV().Put(ctx, []byte(key), make([]byte, b.rand.IntN(50)))
	case 8:
		_, err = b.v.Flush(ctx)
	case 9:
		first, last := b.text(), b.text()
		b.want[0], b.want[2], b.pairs[first] = append(b.want[0], first), append(b.want[2], last), true
		err = b.v.Batch(ctx, func(batch *Batch) error {
			return errors.Join(b.columns[0].AppendTo(batch, first), b.columns[2].AppendTo(batch, last), b.v.KV().PutTo(batch, []byte(first), nil))
		})
	case 10:
		var n int
		if n, err = c.Len(ctx); n != len(b.want[i]) {
			b.Errorf("%s has %d elements, want %d", c.Name(), n, len(b.want[i]))
		}
	case 11:
		if len(b.want[i]) > 0 {
			b.want[i][0] = b.text()
			err = c.Set(ctx, 0, b.want[i][0])
		}
	}
	check(b.T, err)
}

// balance compares the counters with what is held.
func (b *books) balance() { check(b.T, b.v.pending.Audit()) }

func (b *books) close() {
	_, err := b.v.Flush(b.Context())
	check(b.T, err)
	for i, c := range b.columns {
		got, err := c.Slice(b.Context(), Begin, End)
		check(b.T, err)
		if fmt.Sprint(got) != fmt.Sprint(b.want[i]) {
			b.Errorf("%s has %q, want %q", c.Name(), got, b.want[i])
		}
	}
	if n, err := b.v.KV().Len(b.Context()); n != len(b.pairs) || err != nil {
		b.Errorf("%d pairs, %v, want %d", n, err, len(b.pairs))
	}
	check(b.T, b.v.Close())
}

// openCached opens a new vault with a cache.
func openCached(t *testing.T) (*Vault, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.db")
	v, err := Open(t.Context(), path, nil)
	check(t, err)
	t.Cleanup(func() {
		v.DiscardPending()
		check(t, v.Close())
	})
	check(t, v.EnableCache(t.Context(), nil))
	return v, path
}

// needsFile skips a test that is about SQLite files where the tests run over a
// server; see vaulttest.Main.
func needsFile(t *testing.T) {
	if os.Getenv("COLUMNVAULT_PG_DSN") != "" {
		t.Skip("it is about a SQLite file, and COLUMNVAULT_PG_DSN is set")
	}
}

// TestPairsUnderANameThatIsNoTable: pairs that no table can take are refused at
// once, and keep nothing else from being written.
func TestPairsUnderANameThatIsNoTable(t *testing.T) {
	needsFile(t)
	for _, name := range []string{"columnvault_chunks", "col_meta_name_idx", "json_each", "pragma_table_list", "sqlite_schema"} {
		t.Run(name, func(t *testing.T) {
			v, _ := openCached(t)
			c, err := Create(t.Context(), v, "values", dtype.Int64, nil)
			check(t, err)
			check(t, c.Append(t.Context(), 1, 2))
			if err := v.KVTable(name).Put(t.Context(), []byte("k"), nil); !errors.Is(err, ErrInvalidArgument) {
				t.Errorf("Put: %v", err)
			}
			if n, err := v.Flush(t.Context()); n != 2 || err != nil {
				t.Errorf("Flush writes %d, %v", n, err)
			}
		})
	}
}

// TestPairsOfATableWithRules: pairs for a table that may refuse them are not
// held, so that the caller of Put hears of it.
func TestPairsOfATableWithRules(t *testing.T) {
	needsFile(t)
	v, path := openCached(t)
	db, err := sqlite3.Open(path)
	check(t, err)
	check(t, db.Exec(`CREATE TABLE names (key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL CHECK (length(value) < 3))`))
	check(t, db.Close())
	names := v.KVTable("names")
	if err := names.Put(t.Context(), []byte("k"), []byte("long")); err == nil {
		t.Error("a pair that the table refuses is acknowledged")
	}
	check(t, names.Put(t.Context(), []byte("k"), []byte("ok")))
	if n, err := v.Flush(t.Context()); n != 0 || err != nil {
		t.Errorf("Flush writes %d, %v", n, err)
	}
}

// TestRenameInsideCached: the cache that Cached has enabled ends with it also
// under the new name of the column.
func TestRenameInsideCached(t *testing.T) {
	ctx := t.Context()
	v, err := Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), nil)
	check(t, err)
	defer v.Close()
	a, err := Create(ctx, v, "a", dtype.Int64, nil)
	check(t, err)
	check(t, a.Cached(ctx, nil, func() error {
		return errors.Join(a.Append(ctx, 1), v.Rename(ctx, "a", "b"))
	}))
	b, err := Lookup(ctx, v, "b", dtype.Int64)
	check(t, err)
	check(t, b.Append(ctx, 2, 3))
	if v.pending.Holds() {
		t.Error("an append after Cached has returned is held")
	}
}

// TestAppendAfterDropThatBeganBefore: an append that looked the column up
// before it was dropped is not acknowledged after that.
func TestAppendAfterDropThatBeganBefore(t *testing.T) {
	ctx := t.Context()
	v, _ := openCached(t)
	c, err := Create(ctx, v, "values", dtype.Int64, nil)
	check(t, err)
	generation := v.pending.Generation()
	check(t, v.Drop(ctx, "values"))
	// As the append would, with what it found before the drop.
	check(t, c.h.held.Bind(writeback.Target{ID: catalog.ID{Data: 1}, DType: "i64", ElemSize: 8}, generation))
	if err := c.Append(ctx, 1); !errors.Is(err, ErrNotFound) {
		t.Errorf("Append: %v", err)
	}
	if v.pending.Holds() {
		t.Error("an element is held for a column that is gone")
	}
}

// TestLargeAppendThenDrop: what was too large for the cache was written at
// once, and leaves no trace in it that a later append could take for the
// column.
func TestLargeAppendThenDrop(t *testing.T) {
	ctx := t.Context()
	v, _ := openCached(t)
	c, err := Create(ctx, v, "values", dtype.Int64, nil)
	check(t, err)
	check(t, c.EnableCache(ctx, &CacheOptions{CapBytes: 200}))
	check(t, c.Append(ctx, make([]int64, 1000)...))
	check(t, v.Drop(ctx, "values"))
	if err := c.Append(ctx, 1, 2); !errors.Is(err, ErrNotFound) {
		t.Errorf("Append: %v", err)
	}
}

// TestReadsDoNotPayForWhatIsHeld: a read takes what is held for its own column,
// whatever is held for others.
func TestReadsDoNotPayForWhatIsHeld(t *testing.T) {
	ctx := t.Context()
	v, _ := openCached(t)
	columns := make([]*Column[int64], 300)
	check(t, v.Update(ctx, func(ctx context.Context, tx *Tx) error {
		for i := range columns {
			if _, err := Create(ctx, tx, fmt.Sprint(i), dtype.Int64, nil); err != nil {
				return err
			}
		}
		return nil
	}))
	for i := range columns {
		var err error
		columns[i], err = Lookup(ctx, v, fmt.Sprint(i), dtype.Int64)
		check(t, err)
	}
	at := func() float64 {
		return testing.AllocsPerRun(50, func() {
			_, err := columns[0].At(ctx, 0)
			check(t, err)
		})
	}
	check(t, columns[0].Append(ctx, 1))
	one := at()
	for _, c := range columns {
		check(t, c.Append(ctx, 1))
	}
	for i := range 10_000 {
		check(t, v.KV().Put(ctx, fmt.Append(nil, i), nil))
	}
	if all := at(); all > one+1 {
		t.Errorf("At makes %v allocations beside 300 columns with held elements, and %v beside one", all, one)
	}
	keys := testing.AllocsPerRun(5, func() {
		for _, err := range v.KV().Keys(ctx, &Range{Limit: 1}) {
			check(t, err)
		}
	})
	if keys > 200 {
		t.Errorf("the first of 10,000 held keys takes %v allocations", keys)
	}
}

// TestBatchKeepsLittleMemory: the memory of a batch with many pairs is not kept
// for the next.
func TestBatchKeepsLittleMemory(t *testing.T) {
	v, _ := openCached(t)
	b := &Batch{v: v, collection: new(collection)}
	for i := range 10_000 {
		check(t, v.KV().PutTo(b, fmt.Append(nil, i), nil))
	}
	if b.collection.kept() {
		t.Errorf("room for %d pairs is kept", cap(b.Pairs))
	}
}

// TestUnknownOutcomeOfAFlush: what a commit with an unknown outcome may have
// stored is given up and reported, and not written again.
func TestUnknownOutcomeOfAFlush(t *testing.T) {
	ctx := t.Context()
	s := &hooked{Store: storetest.NewMemory()}
	v := newVault("memory", s, &Options{})
	c, err := Create(ctx, v, "values", dtype.Int64, nil)
	check(t, err)
	check(t, v.EnableCache(ctx, nil))
	check(t, c.Append(ctx, 1, 2))
	check(t, v.KV().Put(ctx, []byte("k"), nil))
	s.update = func(ctx context.Context, fn func(store.Tx) error) error {
		err := s.Store.Update(ctx, func(tx store.Tx) error { return fn(noHook{tx}) })
		return errors.Join(err, ErrUnknownCommit)
	}
	if _, err := v.Flush(ctx); !errors.Is(err, ErrUnknownCommit) {
		t.Errorf("Flush: %v", err)
	}
	s.update = nil
	if n, err := v.Flush(ctx); n != 0 || err != nil {
		t.Errorf("the next Flush writes %d, %v", n, err)
	}
	if n, err := c.Len(ctx); n != 2 || err != nil {
		t.Errorf("%d elements, %v, want 2", n, err)
	}
	check(t, v.Close())
}

// TestUnknownOutcomeAfterTheHook: an engine that hears of the commit and loses
// its way after that makes nothing go twice out of memory. What was added during
// the flush stays held.
func TestUnknownOutcomeAfterTheHook(t *testing.T) {
	ctx := t.Context()
	s := &hooked{Store: storetest.NewMemory()}
	v := newVault("memory", s, &Options{})
	c, err := Create(ctx, v, "values", dtype.Int64, nil)
	check(t, err)
	check(t, v.EnableCache(ctx, nil))
	check(t, c.Append(ctx, 1, 2))
	s.update = func(ctx context.Context, fn func(store.Tx) error) error {
		err := s.Store.Update(ctx, func(tx store.Tx) error { return errors.Join(fn(tx), c.Append(t.Context(), 3)) })
		return errors.Join(err, ErrUnknownCommit)
	}
	if _, err := v.Flush(ctx); !errors.Is(err, ErrUnknownCommit) {
		t.Errorf("Flush: %v", err)
	}
	s.update = nil
	check(t, v.pending.Audit())
	if n, err := v.Flush(ctx); n != 1 || err != nil {
		t.Errorf("the next Flush writes %d, %v", n, err)
	}
	if got, err := c.Slice(ctx, Begin, End); fmt.Sprint(got) != "[1 2 3]" || err != nil {
		t.Errorf("the column has %v, %v", got, err)
	}
}

// noHook loses what is to be done after the commit, as an engine does that
// does not hear of it.
type noHook struct{ store.Tx }

func (noHook) OnCommit(func()) {}

// TestUnknownOutcomeIsCounted: a flush whose outcome is not known has failed, and
// an append without a cache is no flush.
func TestUnknownOutcomeIsCounted(t *testing.T) {
	ctx := t.Context()
	v := newVault("memory", storetest.Lossy(storetest.NewMemory(), 2), &Options{})
	c, err := Create(ctx, v, "a", dtype.Int64, nil)
	check(t, err)
	if err := c.Append(ctx, 1); !errors.Is(err, ErrUnknownCommit) {
		t.Fatal(err)
	}
	if st := v.Stats(); st.FlushesFailed != 0 {
		t.Errorf("without a cache: %+v", st)
	}
	check(t, v.EnableCache(ctx, nil))
	check(t, c.Append(ctx, 2))
	if _, err := v.Flush(ctx); !errors.Is(err, ErrUnknownCommit) {
		t.Fatal(err)
	}
	if st := v.Stats(); st.FlushesFailed != 1 || st.Held != 0 {
		t.Errorf("with a cache: %+v", st)
	}
}

// TestCacheComesDuringRead: a reading that began before there was a cache does
// not see what the cache holds by the time that it looks. Its snapshot may lack
// what was written before that.
func TestCacheComesDuringRead(t *testing.T) {
	needsFile(t)
	ctx := t.Context()
	v, err := Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), nil)
	check(t, err)
	defer v.Close()
	c, err := Create(ctx, v, "late", dtype.Int64, nil)
	check(t, err)
	err = v.read(ctx, func(tx *Tx) error {
		if err := c.Append(context.Background(), 1); err != nil { // after the snapshot
			return err
		}
		if err := c.EnableCache(ctx, nil); err != nil {
			return err
		}
		if err := c.Append(context.Background(), 2); err != nil {
			return err
		}
		o, err := tx.open(ctx, &c.h.names)
		if err == nil && o.Len() != 0 {
			t.Errorf("%d elements, want none", o.Len())
		}
		return err
	})
	check(t, err)
	if n, err := c.Len(ctx); n != 2 || err != nil {
		t.Errorf("%d elements after it, %v", n, err)
	}
}

// TestCacheComesDuringWrite: nothing is held while a transaction writes that
// began when there was no cache. It would come after what that writes, and
// readers would see it before.
func TestCacheComesDuringWrite(t *testing.T) {
	ctx := t.Context()
	v, err := Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), nil)
	check(t, err)
	defer v.Close()
	c, err := Create(ctx, v, "late", dtype.Int64, nil)
	check(t, err)
	f := v.pending.Begin(false)
	check(t, f.Take())
	check(t, c.EnableCache(ctx, nil))
	check(t, c.Append(ctx, 1))
	if n, _ := v.pending.Held(); n != 0 {
		t.Errorf("%d elements are held beside a transaction that does not wait for readers", n)
	}
	if err := f.Take(); !errors.Is(err, writeback.ErrTurn) {
		t.Errorf("the transaction runs again beside the cache: %v", err)
	}
	f.End()
	check(t, c.Append(ctx, 2))
	if n, _ := v.pending.Held(); n != 1 {
		t.Errorf("%d elements are held after it, want 1", n)
	}
	if got, err := c.Slice(ctx, Begin, End); !slices.Equal(got, []int64{1, 2}) || err != nil {
		t.Errorf("%v, %v", got, err)
	}
}
