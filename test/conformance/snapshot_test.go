package conformance_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// TestSnapshotTooOld: a View that outlives its age while others write ends with
// an error that says so; one beside which nobody writes goes on.
func TestSnapshotTooOld(t *testing.T) {
	ctx := t.Context()
	p := vaulttest.OpenPair(t, &columnvault.Options{MaxSnapshotAge: time.Millisecond})
	c := vaulttest.Create(t, p.V, "values", dtype.Int64, 1, 2, 3)
	other := vaulttest.Lookup(t, p.Other, "values", dtype.Int64)
	readUntilError := func(in *columnvault.Column[int64]) error {
		for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			if _, err := in.At(ctx, 0); err != nil {
				return err
			}
		}
		return errors.New("it can be read without end")
	}
	for name, write := range map[string]func() error{
		"this vault writes":    func() error { return c.Append(ctx, 4) },
		"another vault writes": func() error { return other.Append(ctx, 4) },
	} {
		t.Run(name, func(t *testing.T) {
			vaulttest.Must(t, p.V.View(ctx, func(_ context.Context, tx *columnvault.Tx) error {
				vaulttest.Must(t, write())
				err := readUntilError(c.In(tx))
				vaulttest.WantErrText(t, "a read in an old View", err, columnvault.ErrSnapshotTooOld, "1ms")
				var e *columnvault.Error
				if !errors.As(err, &e) || e.Hint() == "" {
					t.Errorf("the error %v has no hint", err)
				}
				return nil
			}))
		})
	}
	t.Run("a loop", func(t *testing.T) {
		err := vaulttest.LoopOver(c.Values(ctx), func(int) bool {
			vaulttest.Must(t, other.Append(ctx, 4))
			time.Sleep(2 * time.Millisecond)
			return true
		})
		if err != nil { // the column is short, and may have been read before
			vaulttest.WantErr(t, "an old loop", err, columnvault.ErrSnapshotTooOld)
		}
	})
	t.Run("nobody writes", func(t *testing.T) {
		vaulttest.Must(t, p.V.View(ctx, func(_ context.Context, tx *columnvault.Tx) error {
			time.Sleep(100 * time.Millisecond) // time for the janitor to err
			_, err := c.In(tx).At(ctx, 0)
			return err
		}))
	})
	vaulttest.Must(t, c.Append(ctx, 5)) // the vault is as good as before
	vaulttest.WantAt(t, c, -1, 5)
}

// TestNegativeAgeNeverEndsAView: a negative age never ends a View.
func TestNegativeAgeNeverEndsAView(t *testing.T) {
	ctx := t.Context()
	p := vaulttest.OpenPair(t, &columnvault.Options{MaxSnapshotAge: -1})
	c := vaulttest.Create(t, p.V, "values", dtype.Int64, 1)
	vaulttest.Must(t, p.V.View(ctx, func(_ context.Context, tx *columnvault.Tx) error {
		vaulttest.Must(t, c.Append(ctx, 2))
		time.Sleep(100 * time.Millisecond) // time for the janitor to err
		vaulttest.WantColumn(t, c.In(tx), 1)
		return nil
	}))
}

// TestLogStaysBounded: an idle View keeps the log from being emptied only until
// it is too old.
func TestLogStaysBounded(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.OpenAt(t, filepath.Join(t.TempDir(), "test.db"), &columnvault.Options{MaxSnapshotAge: time.Millisecond})
	c := vaulttest.Create(t, v, "values", dtype.Int64, 1)
	block := make([]int64, 1<<17) // 1 MiB
	vaulttest.Must(t, v.View(ctx, func(_ context.Context, tx *columnvault.Tx) error {
		vaulttest.WantAt(t, c.In(tx), 0, 1)
		for i := range 150 {
			vaulttest.Must(t, c.Append(ctx, block...))
			if i == 0 {
				vaulttest.Eventually(t, "the View ends", func() bool { return errors.Is(vaulttest.ErrOf(c.In(tx).At(ctx, 0)), columnvault.ErrSnapshotTooOld) })
			}
		}
		return nil
	}))
	s, err := v.FileSizes()
	vaulttest.Must(t, err)
	if s.Log > 100<<20 || s.Main < 60<<20 {
		t.Errorf("after 150 MiB the file has %d MiB and its log %d MiB", s.Main>>20, s.Log>>20)
	}
}

// TestRestedReaderSeesLaterWrites: a reader that has rested sees what has been
// written since by any writer.
func TestRestedReaderSeesLaterWrites(t *testing.T) {
	ctx := t.Context()
	p := vaulttest.OpenPair(t, nil)
	c := vaulttest.Create(t, p.V, "values", dtype.Int64, 0)
	beside := vaulttest.Lookup(t, p.Other, "values", dtype.Int64)
	for i := range 200 {
		vaulttest.WantAt(t, c, 0, int64(i))
		vaulttest.WantAt(t, beside, 0, int64(i))
		if i%2 == 0 {
			vaulttest.Must(t, c.Set(ctx, 0, int64(i+1)))
		} else {
			vaulttest.Must(t, beside.Set(ctx, 0, int64(i+1)))
		}
		if i%50 == 49 {
			time.Sleep(50 * time.Millisecond) // the resting snapshots end
		}
		if i%30 == 0 {
			_, err := p.Other.Checkpoint(ctx, columnvault.CheckpointTruncate)
			vaulttest.Must(t, err)
		}
	}
}

// TestCheckpointModesOnTheLog: what every mode does to the log, alone and
// beside a reader.
func TestCheckpointModesOnTheLog(t *testing.T) {
	ctx := t.Context()
	p := vaulttest.OpenPair(t, vaulttest.Impatient())
	c := vaulttest.Create(t, p.V, "values", dtype.Int64)
	for _, mode := range []columnvault.CheckpointMode{columnvault.CheckpointPassive, columnvault.CheckpointFull, columnvault.CheckpointRestart, columnvault.CheckpointTruncate} {
		vaulttest.Must(t, c.Append(ctx, 1))
		done, err := p.V.Checkpoint(ctx, mode)
		vaulttest.Must(t, err)
		if done.Busy || done.Log != done.Moved {
			t.Errorf("mode %v moves %+v", mode, done)
		}
	}
	sizes, err := p.V.FileSizes()
	vaulttest.Must(t, err)
	if sizes.Log != 0 || sizes.Main == 0 {
		t.Errorf("after a truncating checkpoint the files have %+v bytes", sizes)
	}

	vaulttest.Must(t, p.Other.View(ctx, func(ctx context.Context, tx *columnvault.Tx) error {
		vaulttest.WantLen(t, vaulttest.Lookup(t, tx, "values", dtype.Int64), 4)
		vaulttest.Must(t, c.Append(t.Context(), 2))
		for mode, busy := range map[columnvault.CheckpointMode]bool{columnvault.CheckpointPassive: false, columnvault.CheckpointTruncate: true} {
			done, err := p.V.Checkpoint(t.Context(), mode)
			vaulttest.Must(t, err)
			if done.Busy != busy || done.Log == 0 {
				t.Errorf("beside a reader, mode %v gives %+v", mode, done)
			}
		}
		return nil
	}))
	vaulttest.WantOnDisk(t, p, c, dtype.Int64, 1, 1, 1, 1, 2)

	vaulttest.Must(t, p.V.Update(ctx, func(txCtx context.Context, _ *columnvault.Tx) error {
		_, err := p.V.Checkpoint(txCtx, columnvault.CheckpointFull)
		vaulttest.WantErr(t, "Checkpoint with the ctx of a transaction", err, columnvault.ErrNested)
		return nil
	}))
	r := vaulttest.OpenAt(t, p.Path, &columnvault.Options{ReadOnly: true})
	_, err = r.Checkpoint(ctx, columnvault.CheckpointPassive)
	vaulttest.WantErr(t, "Checkpoint of a vault for reading", err, columnvault.ErrReadOnly)
	vaulttest.Must(t, p.V.Close())
	_, err = p.V.Checkpoint(ctx, columnvault.CheckpointPassive)
	vaulttest.WantErr(t, "Checkpoint of a closed vault", err, columnvault.ErrClosed)
}

// TestFirstSnapshotIsNotTooOld: also a new connection knows that nobody has
// written.
func TestFirstSnapshotIsNotTooOld(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "test.db")
	vaulttest.Create(t, vaulttest.OpenAt(t, path, nil), "values", dtype.Int64, 1)
	v := vaulttest.OpenAt(t, path, &columnvault.Options{MaxSnapshotAge: time.Millisecond})
	vaulttest.Must(t, v.View(ctx, func(_ context.Context, tx *columnvault.Tx) error {
		c := vaulttest.Lookup(t, tx, "values", dtype.Int64)
		time.Sleep(100 * time.Millisecond) // time for the janitor to err
		_, err := c.At(ctx, 0)
		return err
	}))
}

// TestLogUnderReaders: the log stays bounded beside readers that leave it no
// moment without one.
func TestLogUnderReaders(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.Open(t)
	block := make([]int64, 1<<16) // 512 KiB
	c := vaulttest.Create(t, v, "values", dtype.Int64, block...)
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
	for range 500 {
		vaulttest.Must(t, c.Append(ctx, block...))
	}
	close(stop)
	readers.Wait()
	if s, err := v.FileSizes(); s.Log > 200<<20 || err != nil {
		t.Errorf("after 250 MiB the log has %d MiB, %v", s.Log>>20, err)
	}
}

// TestCheckpointMode: a mode that does not exist is refused.
func TestCheckpointMode(t *testing.T) {
	_, err := vaulttest.Open(t).Checkpoint(t.Context(), columnvault.CheckpointMode(77))
	vaulttest.WantErr(t, "mode 77", err, columnvault.ErrInvalidArgument)
}

// TestDataVersion: the number changes with every commit of this vault and of
// others, and at no other time.
func TestDataVersion(t *testing.T) {
	ctx := t.Context()
	p := vaulttest.OpenPair(t, nil)
	c := vaulttest.Create(t, p.V, "values", dtype.Int64, 1)
	other := vaulttest.Lookup(t, p.Other, "values", dtype.Int64)
	version := func() int64 {
		t.Helper()
		n, err := p.V.DataVersion(ctx)
		vaulttest.Must(t, err)
		return n
	}
	seen := map[int64]string{version(): "the beginning"}
	for _, write := range []struct {
		what string
		do   func() error
	}{
		{"an append", func() error { return c.Append(ctx, 2) }},
		{"an append of another", func() error { return other.Append(ctx, 3) }},
		{"an element that is set", func() error { return c.Set(ctx, 0, 4) }},
		{"a key", func() error { return p.Other.KV().Put(ctx, []byte("key"), nil) }},
		{"a column that is dropped", func() error { return p.V.Drop(ctx, "values") }},
	} {
		vaulttest.Must(t, write.do())
		n := version()
		if before, ok := seen[n]; ok {
			t.Errorf("after %s the version is that after %s", write.what, before)
		}
		seen[n] = write.what
		_, err := p.V.Columns(ctx)
		vaulttest.Must(t, err)
		if again := version(); again != n {
			t.Errorf("the version changes from %d to %d, and nobody has written", n, again)
		}
	}
	vaulttest.Must(t, p.V.Close())
	_, err := p.V.DataVersion(ctx)
	vaulttest.WantErr(t, "the version of a closed vault", err, columnvault.ErrClosed)
}
