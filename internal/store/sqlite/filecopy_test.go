package sqlite

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"columnvault/internal/store"
)

// allModes are the ways to make a checkpoint.
var allModes = []store.CheckpointMode{store.CheckpointPassive, store.CheckpointFull, store.CheckpointRestart, store.CheckpointTruncate}

// openBeside opens another store at the same file, which has nothing of the
// first but the file and does not wait for it.
func openBeside(t *testing.T, s *Store) *Store {
	t.Helper()
	return openStoreAt(t, s.path, Options{BusyTimeout: time.Millisecond})
}

// rewrite puts 40 pages of this byte into the chunk that fill also writes, and
// makes another chunk, so that the file grows too.
func rewrite(t *testing.T, s *Store, b byte) {
	t.Helper()
	data := bytes.Repeat([]byte{b}, 40*defaultPageSize)
	check(t, s.Update(t.Context(), func(tx store.Tx) error {
		if err := tx.PutChunk(t.Context(), 1, store.Chunk{Capacity: int64(len(data))}, data); err != nil {
			return err
		}
		return tx.PutChunk(t.Context(), 1, store.Chunk{Number: int64(b) + 1, Capacity: 4096}, data[:4096])
	}))
}

// TestFileCopy makes a backup from each state that a log can be in, and lets
// others write and make checkpoints of every kind between all of its steps. The
// copy is of the moment at which it began, byte by byte.
func TestFileCopy(t *testing.T) {
	for name, begin := range map[string]func(t *testing.T, s, other *Store){
		"nothing in the log": func(t *testing.T, s, _ *Store) {
			_, err := s.Checkpoint(t.Context(), store.CheckpointTruncate)
			check(t, err)
		},
		"all of the log in the file": func(t *testing.T, s, _ *Store) {
			_, err := s.Checkpoint(t.Context(), store.CheckpointPassive)
			check(t, err)
		},
		"a part of the log in the file": func(t *testing.T, s, other *Store) {
			_, err := s.Checkpoint(t.Context(), store.CheckpointPassive)
			check(t, err)
			rewrite(t, other, 2)
		},
		"nothing of the log in the file": func(*testing.T, *Store, *Store) {},
		"a writer in its transaction": func(t *testing.T, _, other *Store) {
			wrote, end := make(chan struct{}), make(chan struct{})
			go other.Update(context.Background(), func(tx store.Tx) error {
				err := tx.PutChunk(context.Background(), 1, store.Chunk{Number: 99, Capacity: 64}, make([]byte, 64))
				close(wrote)
				<-end
				return err
			})
			<-wrote
			time.AfterFunc(time.Millisecond, func() { close(end) })
		},
	} {
		for _, mode := range allModes {
			t.Run(fmt.Sprintf("%s/mode %d", name, mode), func(t *testing.T) {
				s := openStore(t, Options{})
				check(t, appendRow(t.Context(), s, "a"))
				rewrite(t, s, 1)
				other := openBeside(t, s)
				begin(t, s, other)
				c := readerOf(t, s)
				settled, err := s.settle(t.Context(), c)
				check(t, err)
				if !settled {
					t.Fatal("the file is not the snapshot")
				}
				file, err := c.snapshotFile()
				check(t, err)
				size := file.size()
				want, err := os.ReadFile(s.path)
				check(t, err)
				path := filepath.Join(t.TempDir(), "copy.db")
				check(t, os.WriteFile(path, nil, 0o600))
				steps := byte(0)
				check(t, c.copyFile(t.Context(), uri(path, modeReadWrite, ""), func(done, total int64) {
					steps++
					rewrite(t, other, 100+steps)
					_, err := other.Checkpoint(t.Context(), mode)
					check(t, err)
					rewrite(t, s, 200+steps)
					_, err = s.Checkpoint(t.Context(), store.CheckpointPassive)
					check(t, err)
					if now, err := os.ReadFile(s.path); err != nil || !bytes.Equal(now[:size], want[:size]) {
						t.Errorf("after %d bytes the file is not the snapshot any more: %v", done, err)
					}
				}))
				if steps == 0 {
					t.Error("no progress")
				}
				if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want[:size]) {
					t.Errorf("the copy is not the snapshot: %v", err)
				}
			})
		}
	}
}

// readerOf is a connection for reading.
func readerOf(t *testing.T, s *Store) *conn {
	t.Helper()
	c, err := s.openReader(t.Context())
	check(t, err)
	t.Cleanup(func() { s.discard(c) })
	check(t, c.beginSnapshot())
	if check(t, c.endSnapshot()); c.index == nil {
		t.Skip("the index of the log cannot be read here")
	}
	return c
}

// TestFileThatGetsShorter: a commit after the snapshot has made the database
// shorter, and a checkpoint moves all frames of the snapshot but those behind the
// new end.
func TestFileThatGetsShorter(t *testing.T) {
	s := openStore(t, Options{})
	check(t, appendRow(t.Context(), s, "a"))
	other := openBeside(t, s)
	rewrite(t, s, 1)
	_, err := s.Checkpoint(t.Context(), store.CheckpointTruncate)
	check(t, err)
	for i, size := range []int{40 * defaultPageSize, 0, 4096} { // what is there, in the same pages
		if size > 0 {
			check(t, s.Update(t.Context(), func(tx store.Tx) error {
				return tx.PutChunk(t.Context(), 1, store.Chunk{Number: int64(i), Capacity: int64(size)}, bytes.Repeat([]byte{7}, size))
			}))
		}
	}
	c := readerOf(t, s)
	check(t, c.beginSnapshot())
	check(t, other.Update(t.Context(), func(tx store.Tx) error { return tx.DropColumn(t.Context(), 1) }))
	check(t, other.giveBack(t.Context(), store.ShrinkOptions{}))
	_, err = other.Checkpoint(t.Context(), store.CheckpointPassive)
	check(t, err)
	if settled, err := c.settled(); settled || err != nil {
		t.Errorf("the file is said to be the snapshot (%v)", err)
	}
	check(t, c.endSnapshot())
	if settled, err := s.settle(t.Context(), c); !settled || err != nil {
		t.Errorf("the file is not said to be the next snapshot (%v)", err)
	}
}

// TestNoFileCopy: where the log cannot be put into the file, the file is not
// the snapshot, and the backup goes page by page.
func TestNoFileCopy(t *testing.T) {
	for name, hinder := range map[string]func(t *testing.T, s *Store) *Store{
		"an older reader": func(t *testing.T, s *Store) *Store {
			snap, err := s.Snapshot(t.Context())
			check(t, err)
			t.Cleanup(func() { snap.Close() })
			rewrite(t, s, 2)
			return s
		},
		"an older reader elsewhere": func(t *testing.T, s *Store) *Store {
			snap, err := openBeside(t, s).Snapshot(t.Context())
			check(t, err)
			t.Cleanup(func() { snap.Close() })
			rewrite(t, s, 2)
			return s
		},
		"read only": func(t *testing.T, s *Store) *Store { return openStoreAt(t, s.path, Options{ReadOnly: true}) },
		"no index":  func(t *testing.T, s *Store) *Store { return s },
	} {
		t.Run(name, func(t *testing.T) {
			s := openStore(t, Options{})
			check(t, appendRow(t.Context(), s, "a"))
			rewrite(t, s, 1)
			from := hinder(t, s)
			c := readerOf(t, from)
			if name == "no index" {
				c.index.close()
				c.index = nil
			}
			if settled, err := from.settle(t.Context(), c); settled || err != nil {
				t.Errorf("the file is said to be the snapshot (%t, %v)", settled, err)
			}
			path := filepath.Join(t.TempDir(), "copy.db")
			check(t, from.Backup(t.Context(), path, store.BackupOptions{}))
			copied := openStoreAt(t, path, Options{})
			check(t, readRow(t.Context(), copied))
		})
	}
}

// TestFileCopyEndsWithCtx ends a backup while it waits for the log to be moved,
// and one in its middle.
func TestFileCopyEndsWithCtx(t *testing.T) {
	s := openStore(t, Options{})
	check(t, appendRow(t.Context(), s, "a"))
	rewrite(t, s, 1)
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	err := s.Backup(ctx, filepath.Join(dir, "copy.db"), store.BackupOptions{Progress: func(int64, int64) { cancel() }})
	if err != context.Canceled {
		t.Errorf("a backup whose ctx ends: %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("it has left %v, %v", left, err)
	}
}

// BenchmarkFileCopy copies a file of some 240 MB in both ways, without the check.
func BenchmarkFileCopy(b *testing.B) {
	ctx := context.Background()
	s, err := Open(ctx, filepath.Join(b.TempDir(), "vault.db"), Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	data := make([]byte, 1<<20)
	err = appendRow(ctx, s, "a")
	for i := 0; i < 240 && err == nil; i++ {
		err = s.Update(ctx, func(tx store.Tx) error {
			return tx.PutChunk(ctx, 1, store.Chunk{Number: int64(i), Capacity: int64(len(data))}, data)
		})
	}
	if err != nil {
		b.Fatal(err)
	}
	for name, stamped := range map[string]bool{"file": true, "pages": false} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(240 << 20)
			path := filepath.Join(b.TempDir(), "copy.db")
			for b.Loop() {
				c, err := s.openReader(ctx)
				if err != nil {
					b.Fatal(err)
				}
				settled, err := s.settle(ctx, c)
				if err == nil {
					err = os.WriteFile(path, nil, 0o600)
				}
				if err != nil || !settled {
					b.Fatal(settled, err)
				}
				copying := c.backup
				if stamped {
					copying = c.copyFile
				}
				if err := copying(ctx, uri(path, modeReadWrite, ""), nil); err != nil {
					b.Fatal(err)
				}
				s.discard(c)
			}
		})
	}
}
