package sqlite

import (
	"bytes"
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"columnvault/internal/store"
)

// overlapping reads with two readers in turn, each of which begins before the
// other has ended, until stop is called. There is never a moment without one.
func overlapping(t *testing.T, s *Store, each time.Duration) (stop func()) {
	t.Helper()
	done := make(chan struct{})
	var readers sync.WaitGroup
	for i := range 2 {
		snap, err := s.Snapshot(t.Context())
		check(t, err)
		readers.Go(func() {
			timer := time.NewTimer(each * time.Duration(i+1) / 2)
			for {
				select {
				case <-done:
					snap.Close()
					return
				case <-timer.C:
				}
				timer.Reset(each)
				next, err := s.Snapshot(context.Background())
				snap.Close()
				if err != nil {
					t.Error(err)
					return
				}
				snap = next
			}
		})
	}
	return func() { close(done); readers.Wait() }
}

// fill writes so many pages of 512 bytes to the log, in commits of 64 pages
// each, and returns the longest that the log has been.
func fill(t *testing.T, s *Store, pages int) (longest int) {
	t.Helper()
	for i := 0; i < pages; i += 64 {
		// SQLite leaves pages alone that stay as they are.
		data := bytes.Repeat([]byte{byte(i >> 6), byte(i >> 14)}, 32*512)
		check(t, s.Update(t.Context(), func(tx store.Tx) error {
			return tx.PutChunk(t.Context(), 1, store.Chunk{Capacity: int64(len(data))}, data)
		}))
		longest = max(longest, s.writer.logPages)
	}
	return longest
}

// TestLogBesideLongReaders: also readers that stay for longer than a commit
// waits at first do not make the log grow without bound.
func TestLogBesideLongReaders(t *testing.T) {
	s := openStore(t, Options{PageSize: 512})
	check(t, appendRow(t.Context(), s, "a"))
	defer overlapping(t, s, 150*time.Millisecond)()
	if n := fill(t, s, 60_000); n > 26_000 {
		t.Errorf("after 60,000 pages the log has had %d", n)
	}
}

// TestDrainEnds: a reader that does not end keeps a commit waiting for
// BusyTimeout at most, and not every commit.
func TestDrainEnds(t *testing.T) {
	s := openStore(t, Options{PageSize: 512, BusyTimeout: 20 * time.Millisecond})
	check(t, appendRow(t.Context(), s, "a"))
	snap, err := s.Snapshot(t.Context())
	check(t, err)
	defer snap.Close()
	waits, last := 0, 0
	for range 40 {
		fill(t, s, 1000)
		if s.writer.checkpointAt != last {
			waits, last = waits+1, s.writer.checkpointAt
		}
	}
	if waits > 14 {
		t.Errorf("40,000 pages were waited for %d times", waits)
	}
	// A ctx that is done ends the wait, and the commit counts.
	s.opts.BusyTimeout = time.Hour
	s.writer.checkpointAt = 0
	ctx, cancel := context.WithCancel(t.Context())
	check(t, s.Update(ctx, func(tx store.Tx) error {
		tx.OnCommit(cancel)
		return tx.SetLength(ctx, 1, 7)
	}))
}

// TestLogAfterALargeCommit: the commit that makes the log long cuts it, and
// not the next one.
func TestLogAfterALargeCommit(t *testing.T) {
	s := openStore(t, Options{})
	check(t, appendRow(t.Context(), s, "a"))
	data := make([]byte, 1<<20)
	check(t, s.Update(t.Context(), func(tx store.Tx) error {
		for i := range int64(walLimit>>20 + 8) {
			if err := tx.PutChunk(t.Context(), 1, store.Chunk{Number: i, Capacity: 1 << 20}, data); err != nil {
				return err
			}
		}
		return nil
	}))
	info, err := os.Stat(s.path + "-wal")
	check(t, err)
	if info.Size() > 0 {
		t.Errorf("the log has %d bytes", info.Size())
	}
}
