package postgres

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"columnvault/internal/store"
)

// late is a ctx whose time is over, and whose timer has not gone off.
type late struct{ context.Context }

func (late) Deadline() (time.Time, bool) { return time.Now(), true }

// TestTimersInAnyOrder: a connection that has waited until the deadline of a ctx
// says that, and not that there is no server.
func TestTimersInAnyOrder(t *testing.T) {
	if err := explain(late{t.Context()}, os.ErrDeadlineExceeded); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, store.ErrUnavailable) {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	if err := explain(ctx, os.ErrDeadlineExceeded); !errors.Is(err, store.ErrUnavailable) {
		t.Error(err)
	}
}
