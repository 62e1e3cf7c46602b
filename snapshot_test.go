package columnvault_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"columnvault"
	"columnvault/dtype"
)

// TestSnapshotTooOld: a View that outlives its age while others write ends with
// an error that says so; one beside which nobody writes goes on.
func TestSnapshotTooOld(t *testing.T) {
	ctx := t.Context()
	p := openPair(t, &columnvault.Options{MaxSnapshotAge: time.Millisecond})
	c := create(t, p.v, "values", dtype.Int64, 1, 2, 3)
	other := lookup(t, p.other, "values", dtype.Int64)
	readUntilError := func(in *columnvault.Column[int64]) error {
		for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			if _, err := in.At(ctx, 0); err != nil {
				return err
			}
		}
		return errors.New("it can be read for ever")
	}
	for name, write := range map[string]func() error{
		"this vault writes":    func() error { return c.Append(ctx, 4) },
		"another vault writes": func() error { return other.Append(ctx, 4) },
	} {
		t.Run(name, func(t *testing.T) {
			must(t, p.v.View(ctx, func(_ context.Context, tx *columnvault.Tx) error {
				must(t, write())
				err := readUntilError(c.In(tx))
				wantErrText(t, "a read in an old View", err, columnvault.ErrSnapshotTooOld, "1ms")
				var e *columnvault.Error
				if !errors.As(err, &e) || e.Hint() == "" {
					t.Errorf("the error %v has no hint", err)
				}
				return nil
			}))
		})
	}
	t.Run("a loop", func(t *testing.T) {
		err := loopOver(c.Values(ctx), func(int) bool {
			must(t, other.Append(ctx, 4))
			time.Sleep(2 * time.Millisecond)
			return true
		})
		if err != nil { // the column is short, and may have been read before
			wantErr(t, "an old loop", err, columnvault.ErrSnapshotTooOld)
		}
	})
	t.Run("nobody writes", func(t *testing.T) {
		must(t, p.v.View(ctx, func(_ context.Context, tx *columnvault.Tx) error {
			time.Sleep(100 * time.Millisecond) // time for the janitor to err
			_, err := c.In(tx).At(ctx, 0)
			return err
		}))
	})
	must(t, c.Append(ctx, 5)) // the vault is as good as before
	wantAt(t, c, -1, 5)
}

// TestSnapshotForEver: a negative age never ends a View.
func TestSnapshotForEver(t *testing.T) {
	ctx := t.Context()
	p := openPair(t, &columnvault.Options{MaxSnapshotAge: -1})
	c := create(t, p.v, "values", dtype.Int64, 1)
	must(t, p.v.View(ctx, func(_ context.Context, tx *columnvault.Tx) error {
		must(t, c.Append(ctx, 2))
		time.Sleep(100 * time.Millisecond) // time for the janitor to err
		wantColumn(t, c.In(tx), 1)
		return nil
	}))
}

// TestLogStaysBounded: an idle View keeps the log from being emptied only until
// it is too old.
func TestLogStaysBounded(t *testing.T) {
	ctx := t.Context()
	v := openAt(t, filepath.Join(t.TempDir(), "test.db"), &columnvault.Options{MaxSnapshotAge: time.Millisecond})
	c := create(t, v, "values", dtype.Int64, 1)
	block := make([]int64, 1<<17) // 1 MiB
	must(t, v.View(ctx, func(_ context.Context, tx *columnvault.Tx) error {
		wantAt(t, c.In(tx), 0, 1)
		for i := range 150 {
			must(t, c.Append(ctx, block...))
			if i == 0 {
				eventually(t, "the View ends", func() bool { return errors.Is(lastOf(c.In(tx).At(ctx, 0)), columnvault.ErrSnapshotTooOld) })
			}
		}
		return nil
	}))
	s, err := v.FileSizes()
	must(t, err)
	if s.Log > 100<<20 || s.Main < 60<<20 {
		t.Errorf("after 150 MiB the file has %d MiB and its log %d MiB", s.Main>>20, s.Log>>20)
	}
}

// TestFreshness: a reader that has rested sees what has been written since, by
// whomever.
func TestFreshness(t *testing.T) {
	ctx := t.Context()
	p := openPair(t, nil)
	c := create(t, p.v, "values", dtype.Int64, 0)
	beside := lookup(t, p.other, "values", dtype.Int64)
	for i := range 200 {
		wantAt(t, c, 0, int64(i))
		wantAt(t, beside, 0, int64(i))
		if i%2 == 0 {
			must(t, c.Set(ctx, 0, int64(i+1)))
		} else {
			must(t, beside.Set(ctx, 0, int64(i+1)))
		}
		if i%50 == 49 {
			time.Sleep(50 * time.Millisecond) // the resting snapshots end
		}
		if i%30 == 0 {
			_, err := p.other.Checkpoint(ctx, columnvault.CheckpointTruncate)
			must(t, err)
		}
	}
}

// TestCheckpoint: what every mode does to the log, alone and beside a reader.
func TestCheckpoint(t *testing.T) {
	ctx := t.Context()
	p := openPair(t, impatient)
	c := create(t, p.v, "values", dtype.Int64)
	for _, mode := range []columnvault.CheckpointMode{columnvault.CheckpointPassive, columnvault.CheckpointFull, columnvault.CheckpointRestart, columnvault.CheckpointTruncate} {
		must(t, c.Append(ctx, 1))
		done, err := p.v.Checkpoint(ctx, mode)
		must(t, err)
		if done.Busy || done.Log != done.Moved {
			t.Errorf("mode %v moves %+v", mode, done)
		}
	}
	sizes, err := p.v.FileSizes()
	must(t, err)
	if sizes.Log != 0 || sizes.Main == 0 {
		t.Errorf("after a truncating checkpoint the files have %+v bytes", sizes)
	}

	must(t, p.other.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		wantLen(t, lookup(t, tx, "values", dtype.Int64), 4)
		must(t, c.Append(t.Context(), 2))
		for mode, busy := range map[columnvault.CheckpointMode]bool{columnvault.CheckpointPassive: false, columnvault.CheckpointTruncate: true} {
			done, err := p.v.Checkpoint(t.Context(), mode)
			must(t, err)
			if done.Busy != busy || done.Log == 0 {
				t.Errorf("beside a reader, mode %v gives %+v", mode, done)
			}
		}
		return nil
	}))
	onDisk(t, p, c, dtype.Int64, 1, 1, 1, 1, 2)

	must(t, p.v.Update(ctx, func(txCtx context.Context, _ *columnvault.Tx) error {
		_, err := p.v.Checkpoint(txCtx, columnvault.CheckpointFull)
		wantErr(t, "Checkpoint with the ctx of a transaction", err, columnvault.ErrNested)
		return nil
	}))
	r := openAt(t, p.path, &columnvault.Options{ReadOnly: true})
	_, err = r.Checkpoint(ctx, columnvault.CheckpointPassive)
	wantErr(t, "Checkpoint of a vault for reading", err, columnvault.ErrReadOnly)
	must(t, p.v.Close())
	_, err = p.v.Checkpoint(ctx, columnvault.CheckpointPassive)
	wantErr(t, "Checkpoint of a closed vault", err, columnvault.ErrClosed)
}

// TestFirstSnapshotIsNotTooOld: also a new connection knows that nobody has
// written.
func TestFirstSnapshotIsNotTooOld(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "test.db")
	create(t, openAt(t, path, nil), "values", dtype.Int64, 1)
	v := openAt(t, path, &columnvault.Options{MaxSnapshotAge: time.Millisecond})
	must(t, v.View(ctx, func(_ context.Context, tx *columnvault.Tx) error {
		c := lookup(t, tx, "values", dtype.Int64)
		time.Sleep(100 * time.Millisecond) // time for the janitor to err
		_, err := c.At(ctx, 0)
		return err
	}))
}

// TestLogUnderReaders: the log stays bounded beside readers that leave it no
// moment without one.
func TestLogUnderReaders(t *testing.T) {
	ctx := t.Context()
	v := open(t)
	block := make([]int64, 1<<16) // 512 KiB
	c := create(t, v, "values", dtype.Int64, block...)
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := c.Slice(ctx, 0, 10_000); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 300 {
		must(t, c.Append(ctx, block...))
	}
	close(stop)
	readers.Wait()
	if s, err := v.FileSizes(); s.Log > 120<<20 || err != nil {
		t.Errorf("after 150 MiB the log has %d MiB, %v", s.Log>>20, err)
	}
}

// TestCheckpointMode: a mode that does not exist is refused.
func TestCheckpointMode(t *testing.T) {
	_, err := open(t).Checkpoint(t.Context(), columnvault.CheckpointMode(77))
	wantErr(t, "mode 77", err, columnvault.ErrInvalidArgument)
}
