package sqlite

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"columnvault/internal/store"
)

// TestEndsInTheMiddle: opening a file, a checkpoint, and the last step of Shrink
// return when their ctx is done, while SQLite waits for the disk, and leave
// everything as it should be.
func TestEndsInTheMiddle(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.db")
	s := openStoreAt(t, path, Options{VFS: "hooks"})
	check(t, appendRow(t.Context(), s, "a"))
	for _, c := range []struct {
		name string
		do   func(ctx context.Context) error
	}{
		{"checkpoint", func(ctx context.Context) error {
			_, err := s.Checkpoint(ctx, store.CheckpointTruncate)
			return err
		}},
		{"cut log", s.cutLog},
		{"open", func(ctx context.Context) error {
			_, err := Open(ctx, path, Options{VFS: "hooks"})
			return err
		}},
	} {
		check(t, appendRow(t.Context(), s, c.name)) // something to move
		files := hooks.open.Load()
		ctx, cancel := context.WithCancel(t.Context())
		disk := make(chan struct{})
		var once sync.Once
		hook := func() {
			once.Do(cancel)
			<-disk
		}
		hooks.write.Store(&hook)
		if c.name == "open" {
			hooks.read.Store(&hook)
		}
		err := c.do(ctx)
		hooks.write.Store(nil)
		hooks.read.Store(nil)
		close(disk)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", c.name, err)
		}
		for hooks.open.Load() != files {
			time.Sleep(time.Millisecond) // until what goes on has closed what it has opened
		}
		check(t, appendRow(t.Context(), s, c.name+" again"))
	}
	check(t, readRow(t.Context(), s))
	check(t, s.Close())
}

// TestLongReadEnds: the read of a large value, and of a large range of a chunk,
// ends between two pieces.
func TestLongReadEnds(t *testing.T) {
	s := openStore(t, Options{})
	const size = 20 << 20
	check(t, appendRow(t.Context(), s, "a"))
	check(t, s.Update(t.Context(), func(tx store.Tx) error {
		return errors.Join(tx.Put(t.Context(), "kv", []byte("large"), make([]byte, size)),
			tx.PutChunk(t.Context(), 1, store.Chunk{Number: 0, Capacity: size}, nil))
	}))
	snap, err := s.Snapshot(t.Context())
	check(t, err)
	defer snap.Close()
	for name, read := range map[string]func(ctx context.Context) error{
		"Get":    func(ctx context.Context) error { _, err := snap.Get(ctx, "kv", []byte("large")); return err },
		"GetAt":  func(ctx context.Context) error { return snap.GetAt(ctx, "kv", []byte("large"), make([]byte, size), 0) },
		"ReadAt": func(ctx context.Context) error { return snap.ReadAt(ctx, 1, []store.Span{{Data: make([]byte, size)}}) },
		"Scan": func(ctx context.Context) error {
			for _, err := range snap.Scan(ctx, "kv", store.KeyRange{}) {
				if err != nil {
					return err
				}
			}
			return nil
		},
	} {
		ctx := &tiredCtx{Context: t.Context()}
		ctx.left.Store(size/blobPiece - 40)
		if err := read(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		check(t, read(t.Context()))
	}
}
