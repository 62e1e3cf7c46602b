package sqlite

import (
	"context"
	"errors"
	"math"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3/vfs"

	"columnvault/internal/report"
	"columnvault/internal/store"
)

// heldMoves is a store whose log cannot be moved until release is called. moving
// is closed when somebody has begun.
func heldMoves(t *testing.T, opts Options) (s *Store, moving <-chan struct{}, release func()) {
	t.Helper()
	fs := &hookFS{VFSFilename: vfs.Find("").(vfs.VFSFilename)}
	opts.VFS, opts.PageSize = "moves-"+t.Name(), 512
	vfs.Register(opts.VFS, fs)
	s = openStore(t, opts)
	check(t, appendRow(t.Context(), s, "a"))
	begun, end := make(chan struct{}), make(chan struct{})
	first := sync.OnceFunc(func() { close(begun) })
	hook := func() { first(); <-end }
	fs.move.Store(&hook)
	release = sync.OnceFunc(func() { close(end) })
	t.Cleanup(release) // before the store is closed
	return s, begun, release
}

// TestCommitsDoNotMoveTheLog: commits go on while the log that they have made
// long is being moved, until it is twice as long.
func TestCommitsDoNotMoveTheLog(t *testing.T) {
	s, moving, release := heldMoves(t, Options{BusyTimeout: time.Hour})
	fill(t, s, checkpointPages+64)
	<-moving
	fill(t, s, checkpointPages/2)
	if n := s.Stats().Checkpoints; n != 0 {
		t.Errorf("%d checkpoints have ended that cannot", n)
	}
	release()
	for s.Stats().Checkpoints == 0 {
		time.Sleep(time.Millisecond)
	}
	// A commit that began with the move holds back what came shortly before.
	if st := s.Stats(); st.CheckpointPages < checkpointPages/2 || st.CheckpointPages > int64(s.writer.logPages) {
		t.Errorf("of a log of %d pages %d are counted as moved", s.writer.logPages, st.CheckpointPages)
	}
}

// TestLongLogWaitsForItsMove: what makes the log twice as long waits for the move
// that is under way, and for no longer than its time.
func TestLongLogWaitsForItsMove(t *testing.T) {
	s, moving, release := heldMoves(t, Options{BusyTimeout: 20 * time.Millisecond})
	fill(t, s, checkpointPages+64)
	<-moving
	fill(t, s, checkpointPages) // the move does not end meanwhile
	s.opts.BusyTimeout = time.Hour
	s.writer.checkpointAt = 0
	full := make(chan struct{})
	go func() {
		defer close(full)
		fill(t, s, 64)
	}()
	release()
	<-full
	fill(t, s, 64) // begins the log anew
	if n := s.writer.logPages; n > 1000 {
		t.Errorf("the log has %d pages", n)
	}
}

// TestDrainEndsWithItsCtx: a commit that has to drain the log returns when its
// ctx is done, as what it is, and the log is drained before the next one.
func TestDrainEndsWithItsCtx(t *testing.T) {
	s, moving, release := heldMoves(t, Options{BusyTimeout: time.Hour})
	s.writer.checkpointAt = math.MaxInt // nobody moves the log behind the commits
	fill(t, s, 2*checkpointPages)
	s.writer.checkpointAt = 0
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- appendRow(ctx, s, "b") }()
	<-moving
	cancel()
	select {
	case err := <-ended:
		check(t, err)
	case <-time.After(time.Minute):
		t.Error("a commit waits for the disk that moves the log, although its ctx is done")
	}
	if n := s.Stats().Checkpoints; n != 0 {
		t.Errorf("%d checkpoints have ended that cannot", n)
	}
	release()
	check(t, appendRow(t.Context(), s, "c"))
	if s.Stats().Checkpoints == 0 {
		t.Error("the log was not drained before the next commit")
	}
	check(t, readRow(t.Context(), s))
}

// TestCloseWaitsForTheMove: Close ends what goes on behind commits, and a move
// that has no vault any more is no failure.
func TestCloseWaitsForTheMove(t *testing.T) {
	m := &messages{}
	s, moving, release := heldMoves(t, Options{Log: logTo(m)})
	fill(t, s, checkpointPages+64)
	<-moving
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	<-s.closing.Done()
	select {
	case <-closed:
		t.Error("Close did not wait")
	default:
	}
	release()
	check(t, <-closed)
	if len(m.all) > 0 {
		t.Errorf("the operator was told %q", m.all)
	}
	if _, err := os.Stat(s.path + "-wal"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the log is still there: %v", err)
	}
}

// TestMoveLooksAtTheFile: the log of a file that has another name by now is not
// moved into whatever has its name.
func TestMoveLooksAtTheFile(t *testing.T) {
	m := &messages{}
	s := openStore(t, Options{Log: logTo(m)})
	put(t, s, 100_000)
	check(t, os.Rename(s.path, s.path+".old"))
	check(t, os.WriteFile(s.path, nil, 0o600))
	s.moveBehind()
	s.awaitBehind(t.Context(), time.Hour)
	if err := s.whole(); !errors.Is(err, store.ErrReplaced) {
		t.Error(err)
	}
	if told := m.saying(report.FileReplaced); len(told) != 1 {
		t.Errorf("the operator was told %q", m.all)
	}
	if info, err := os.Stat(s.path); err != nil || info.Size() > 0 {
		t.Error("the other file was written to", err)
	}
}

// TestMovesBesideEverything is for the race detector: a writer, a reader and
// checkpoints beside moves behind commits.
func TestMovesBesideEverything(t *testing.T) {
	s := openStore(t, Options{PageSize: 512, BusyTimeout: time.Minute})
	check(t, appendRow(t.Context(), s, "a"))
	ctx, cancel := context.WithCancel(t.Context())
	var others sync.WaitGroup
	repeat := func(fn func() error) {
		others.Go(func() {
			for ctx.Err() == nil {
				if err := fn(); err != nil && ctx.Err() == nil {
					t.Error(err)
					return
				}
			}
		})
	}
	repeat(func() error { time.Sleep(100 * time.Microsecond); return readRow(ctx, s) })
	repeat(func() error {
		s.moveBehind()
		s.awaitBehind(ctx, time.Millisecond)
		return nil
	})
	repeat(func() error {
		_, err := s.Checkpoint(ctx, store.CheckpointPassive)
		time.Sleep(5 * time.Millisecond)
		return err
	})
	repeat(func() error { s.Stats(); time.Sleep(time.Millisecond); return nil })
	fill(t, s, 10_000)
	cancel()
	others.Wait()
	snap, err := s.Snapshot(t.Context())
	check(t, err)
	defer snap.Close()
	found, err := snap.Verify(t.Context(), false)
	check(t, err)
	for _, f := range found {
		if f.Kind != store.FoundOrphan { // fill writes to a column that is not there
			t.Error(f)
		}
	}
}
