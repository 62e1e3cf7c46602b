package exchange_test

import (
	"context"
	"errors"
	"testing"

	"columnvault/exchange"
)

// endless is a source without an end, and without columns. It says when it is
// asked for a batch.
type endless struct {
	exchange.Source
	asked chan struct{}
}

func (s *endless) Begin(context.Context, map[string]exchange.Field) ([]exchange.Field, error) {
	return nil, nil
}

func (s *endless) Next(context.Context, *exchange.Batch) error {
	select {
	case s.asked <- struct{}{}:
	default:
	}
	return nil
}

func (s *endless) Progress() (done, total int64) { return 0, -1 }

// TestReadAheadEndsWithItsContext: who waits for a batch hears of it when the
// ctx ends while the source waits for room.
func TestReadAheadEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	src := &endless{asked: make(chan struct{}, 2)}
	_, err := exchange.Import(ctx, open(t), src, &exchange.ImportOptions{Progress: func(done, total int64) {
		if ctx.Err() == nil { // the first batch is written, and the second has been read
			<-src.asked
			<-src.asked
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
