package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/ncruces/go-sqlite3"

	"columnvault/internal/store"
)

var _ store.Logger = (*Store)(nil)

// Checkpoint implements store.Logger.
func (s *Store) Checkpoint(ctx context.Context, mode store.CheckpointMode) (store.Checkpoint, error) {
	if s.opts.ReadOnly {
		return store.Checkpoint{}, fmt.Errorf("%w: the vault was opened for reading only", store.ErrReadOnly)
	}
	if err := s.takeTurn(ctx); err != nil {
		return store.Checkpoint{}, err
	}
	defer func() { s.turn <- struct{}{} }()
	c, err := s.writerConn(ctx)
	if err != nil {
		return store.Checkpoint{}, err
	}
	var done store.Checkpoint
	err = s.patiently(ctx, func() error {
		s.dropIdle() // our own resting readers must not be in the way
		done, err = c.checkpoint(mode)
		if mode == store.CheckpointPassive && errors.Is(err, store.ErrBusy) {
			return nil // it does what it can
		}
		return err
	})
	if errors.Is(err, store.ErrBusy) {
		done.Busy, err = true, nil
	}
	return done, err
}

var checkpointModes = map[store.CheckpointMode]sqlite3.CheckpointMode{
	store.CheckpointPassive:  sqlite3.CHECKPOINT_PASSIVE,
	store.CheckpointFull:     sqlite3.CHECKPOINT_FULL,
	store.CheckpointRestart:  sqlite3.CHECKPOINT_RESTART,
	store.CheckpointTruncate: sqlite3.CHECKPOINT_TRUNCATE,
}

// checkpoint moves the write-ahead log into the file, as far as that goes
// without waiting.
func (c *conn) checkpoint(mode store.CheckpointMode) (done store.Checkpoint, err error) {
	defer c.guard(&err)
	if c.broken != nil {
		return done, c.broken
	}
	done.Log, done.Moved, err = c.db.WALCheckpoint("main", checkpointModes[mode])
	return done, wrap(err)
}

// Sizes implements store.Logger.
func (s *Store) Sizes() (main, log int64, err error) {
	info, err := os.Stat(s.path)
	if err != nil {
		return 0, 0, fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	}
	if wal, err := os.Stat(s.path + "-wal"); err == nil {
		log = wal.Size()
	}
	return info.Size(), log, nil
}
