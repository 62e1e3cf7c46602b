package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

	"columnvault/internal/report"
	"columnvault/internal/store"
)

// pruning is how many commits pass before tokens that nobody needs any more are
// removed.
const pruning = 4096

// newToken is a token that no other transaction has. It begins with the home
// that the transaction changes, and then with the time, so that tokens are at
// one end of their index.
func newToken(home int64) []byte {
	return binary.BigEndian.AppendUint64(tokenAt(home, time.Now()), rand.Uint64())
}

// tokenAt is how tokens of a home and a time begin.
func tokenAt(home int64, at time.Time) []byte {
	token := binary.BigEndian.AppendUint16(nil, uint16(max(home, 0)))
	return binary.BigEndian.AppendUint64(token, uint64(at.UnixMilli()))
}

// kept is for how long tokens are kept for certain, and aging how long at most
// passes until somebody removes them by the clocks of two machines.
const (
	kept  = 24 * time.Hour
	aging = kept / 2
)

// unknownCommit is the error of a commit of which nobody knows, with its token.
type unknownCommit struct {
	token []byte
	err   error
}

func (e *unknownCommit) Error() string { return e.err.Error() }

func (e *unknownCommit) Unwrap() error { return e.err }

// Outcome implements store.Settler.
func (s *Store) Outcome(ctx context.Context, err error) (committed bool, failed error) {
	var unknown *unknownCommit
	if !errors.As(err, &unknown) {
		return false, fmt.Errorf("%w: the error is not that of a commit with an unknown outcome of this vault", store.ErrInvalidArgument)
	}
	if s.closed.Load() {
		return false, store.ErrClosed
	}
	made := time.UnixMilli(int64(binary.BigEndian.Uint64(unknown.token[2:])))
	if time.Since(made) > aging {
		return false, fmt.Errorf("%w: it was %v ago, and its token may be gone", store.ErrUnknownCommit, time.Since(made).Round(time.Second))
	}
	committed, err = s.look(ctx, unknown.token)
	if err != nil {
		return false, fmt.Errorf("%w: %w", store.ErrUnknownCommit, explain(ctx, err))
	}
	return committed, nil
}

// settle finds out whether the transaction with this token was committed. It
// leaves the token itself where that is missing: then the transaction, which
// may still be on its way, cannot be committed any more, because two rows
// cannot have one token. If the transaction is running, the server makes this
// wait for it.
func (s *Store) settle(token []byte) (committed bool, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), s.opts.Settling)
	defer cancel()
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		committed, err = s.look(ctx, token)
		if err == nil {
			return committed, nil
		}
		select {
		case <-ctx.Done():
			return false, err
		case <-time.After(wait):
		}
	}
}

// look is one attempt to settle.
func (s *Store) look(ctx context.Context, token []byte) (committed bool, err error) {
	c, err := s.pool.take(ctx)
	if err != nil {
		return false, err
	}
	defer s.pool.give(c)
	var t trip
	t.add(nil, `BEGIN ISOLATION LEVEL READ COMMITTED`)
	t.add(nil, `INSERT INTO columnvault_commits (token, lost) VALUES ($1, true) ON CONFLICT DO NOTHING`, token)
	lost, found := false, false
	t.add(func(rows pgx.Rows) error {
		found = true
		return rows.Scan(&lost)
	}, `SELECT lost FROM columnvault_commits WHERE token = $1`, token)
	t.add(nil, `COMMIT`)
	if err := c.send(ctx, &t); err != nil {
		return false, err
	}
	if !found {
		return false, errors.New("the token is gone")
	}
	return !lost, nil
}

// outcome settles a commit that ended in an error: nil if it was committed, an
// errConflict if it was not and can be repeated.
func (s *Store) outcome(ctx context.Context, token []byte, cause error) error {
	committed, err := s.settle(token)
	switch {
	case err != nil:
		s.unknown.Add(1)
		s.opts.Log.Tell(slog.LevelError, report.CommitUnknown, slog.Any("error", cause))
		return &unknownCommit{token, fmt.Errorf("%w: %w; and to ask for it: %w", store.ErrUnknownCommit, cause, err)}
	case committed:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return fmt.Errorf("%w: %w", errConflict, cause)
}

// addPrune adds the statement that removes the tokens of a home of which nobody
// can ask any more. It believes neither the clock of the client alone nor that
// of the server.
func (t *trip) addPrune(home int64) {
	first, yesterday := tokenAt(home, time.UnixMilli(0)), tokenAt(home, time.Now().Add(-kept))
	t.add(nil, fmt.Sprintf(`DELETE FROM columnvault_commits WHERE token >= '\x%x' AND token < '\x%x' AND at < now() - interval '1 day'`, first, yesterday))
}
