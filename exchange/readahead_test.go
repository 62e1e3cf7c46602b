package exchange

import (
	"context"
	"errors"
	"testing"
)

// endless is a source without an end.
type endless struct{ Source }

func (endless) Next(context.Context, *Batch) error { return nil }

func (endless) Progress() (done, total int64) { return 0, -1 }

// TestReadAheadEndsWithItsContext: who waits for a batch hears of it when the
// ctx ends while the source waits for room.
func TestReadAheadEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	a := readAhead(ctx, endless{}, nil)
	if _, err := a.next(); err != nil {
		t.Fatal(err)
	}
	cancel()
	a.ended.Wait()
	var err error
	for range 3 { // one or two batches may be ready
		if _, err = a.next(); err != nil {
			break
		}
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	a.stop()
}
