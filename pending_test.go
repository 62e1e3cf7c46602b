package columnvault

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"columnvault/dtype"
	"columnvault/internal/store"
	"columnvault/internal/store/sqlite"
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
	v, err := Open(filepath.Join(b.TempDir(), "test.db"), nil)
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
