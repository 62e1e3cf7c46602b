package sqlite

import (
	"context"
	"encoding/binary"
	"errors"
	"sync/atomic"
	"testing"

	"columnvault/internal/store"
)

// tiredCtx is done once it has been asked so many times, whatever the time.
type tiredCtx struct {
	context.Context
	left atomic.Int64
}

func (c *tiredCtx) Err() error {
	if c.left.Add(-1) < 0 {
		return context.DeadlineExceeded
	}
	return nil
}

// Done says that there is an end, which nobody waits for here.
func (c *tiredCtx) Done() <-chan struct{} { return make(chan struct{}) }

// busyStore has 20,000 pairs, a column of 20,000 chunks, and as many columns.
func busyStore(t *testing.T) *Store {
	t.Helper()
	ctx := t.Context()
	s := openStore(t, Options{})
	check(t, appendRow(ctx, s, "a"))
	check(t, s.Update(ctx, func(tx store.Tx) error {
		for i := range int64(20_000) {
			err := errors.Join(
				tx.Put(ctx, "kv", binary.BigEndian.AppendUint64(nil, uint64(i)), []byte("value")),
				tx.PutChunk(ctx, 1, store.Chunk{Number: i, Capacity: 8}, nil))
			if err != nil {
				return err
			}
		}
		return tx.(interface{ exec(string) error }).exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000)
			INSERT INTO col_meta (name, dtype, elem_size, length, chunk_bytes) SELECT 'c' || i, 'i64', 8, 0, 64 FROM n`)
	}))
	return s
}

func (t *tx) exec(sql string) error { return t.c.exec(sql) }

// TestLongReadsEnd: what reads much ends when its ctx is done, in the middle,
// and the snapshot can be used afterwards.
func TestLongReadsEnd(t *testing.T) {
	s := busyStore(t)
	snap, err := s.Snapshot(t.Context())
	check(t, err)
	defer snap.Close()
	for name, read := range map[string]func(ctx context.Context) error{
		"Count":   func(ctx context.Context) error { _, err := snap.Count(ctx, "kv"); return err },
		"Columns": func(ctx context.Context) error { _, err := snap.Columns(ctx); return err },
		"Scan": func(ctx context.Context) (err error) {
			for _, err = range snap.Scan(ctx, "kv", store.KeyRange{}) {
			}
			return err
		},
		"Chunks": func(ctx context.Context) (err error) {
			for _, err = range snap.Chunks(ctx, 1, 0, 1<<40) {
			}
			return err
		},
		"Verify": func(ctx context.Context) error { _, err := snap.Verify(ctx, true); return err },
	} {
		ctx := &tiredCtx{Context: t.Context()}
		ctx.left.Store(5)
		if err := read(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		if err := read(t.Context()); err != nil {
			t.Errorf("%s afterwards: %v", name, err)
		}
	}
}

// TestLongWritesEnd: what changes much ends when its ctx is done, and is undone
// with its whole transaction, also where the function ignores the error.
func TestLongWritesEnd(t *testing.T) {
	s := busyStore(t)
	before := clearAtOnce
	defer func() { clearAtOnce = before }()
	clearAtOnce = 0 // as in a large file
	for name, write := range map[string]func(ctx context.Context, tx store.Tx) error{
		"DropColumn": func(ctx context.Context, tx store.Tx) error { return tx.DropColumn(ctx, 1) },
		"Clear":      func(ctx context.Context, tx store.Tx) error { return tx.Clear(ctx, "kv") },
		"DropChunks": func(ctx context.Context, tx store.Tx) error { return tx.DropChunks(ctx, 1, 0, 1<<40) },
	} {
		err := s.Update(t.Context(), func(tx store.Tx) error {
			check(t, tx.Put(t.Context(), "kv", []byte(name), nil))
			ctx := &tiredCtx{Context: t.Context()}
			ctx.left.Store(5)
			if err := write(ctx, tx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %v", name, err)
			}
			return nil
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the transaction of %s: %v", name, err)
		}
		snap, err := s.Snapshot(t.Context())
		check(t, err)
		if _, err := snap.Size(t.Context(), "kv", []byte(name)); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("what was put before %s is there: %v", name, err)
		}
		if n, err := snap.Count(t.Context(), "kv"); n < 20_000 || err != nil {
			t.Errorf("after %s there are %d pairs, %v", name, n, err)
		}
		if last, err := snap.LastChunk(t.Context(), 1); err != nil || last.Number != 19_999 {
			t.Errorf("after %s the last chunk is %v, %v", name, last, err)
		}
		check(t, snap.Close())
		check(t, s.Update(t.Context(), func(tx store.Tx) error { return tx.Put(t.Context(), "kv", []byte("next"), nil) }))
	}
}
