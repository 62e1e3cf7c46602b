package postgres_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
	"columnvault/internal/vaulttest/pgserver"
)

// TestKilledServer kills the server again and again while eight vaults append,
// four to columns of their own and four to one. Every append that was
// acknowledged is there once and in its writer's order, and so is every other
// element that is there.
func TestKilledServer(t *testing.T) {
	server, err := pgserver.Start()
	if err != nil {
		t.Skipf("no server can be started, which could be killed: %v", err)
	}
	defer server.Stop()
	dsn, err := pgserver.InSchema(server.DSN, "killed")
	vaulttest.Must(t, err)
	kills := 2
	if pgserver.Long() {
		kills = 10
	}
	var stop atomic.Bool
	var wg sync.WaitGroup
	writers := make([]*killedWriter, 8)
	for i := range writers {
		w := &killedWriter{id: int64(i), column: fmt.Sprint("own ", i)}
		if i >= 4 {
			w.column = "shared"
		}
		writers[i] = w
		v := vaulttest.OpenAt(t, dsn, nil)
		c, err := columnvault.Ensure(t.Context(), v, w.column, dtype.Int64, nil)
		vaulttest.Must(t, err)
		wg.Go(func() { w.write(t, c, &stop) })
	}
	for range kills {
		time.Sleep(time.Second)
		server.Kill()
		time.Sleep(200 * time.Millisecond)
		vaulttest.Must(t, server.Restart())
	}
	time.Sleep(time.Second)
	stop.Store(true)
	wg.Wait()

	v := vaulttest.OpenAt(t, dsn, nil)
	acknowledged, unknown, failed := 0, 0, 0
	for _, w := range writers {
		acknowledged, unknown, failed = acknowledged+int(w.next), unknown+w.unknown, failed+w.failed
		next := int64(0)
		for value, err := range vaulttest.Lookup(t, v, w.column, dtype.Int64).Values(t.Context()) {
			vaulttest.Must(t, err)
			if value>>32 != w.id {
				continue
			}
			if value&(1<<32-1) != next {
				t.Fatalf("writer %d: element %d where %d should be", w.id, value&(1<<32-1), next)
			}
			next++
		}
		// The last may have been stored with an answer that never came.
		if next != w.next && !(w.unsettled && next == w.next+1) {
			t.Errorf("writer %d: %d elements are there, and %d were acknowledged", w.id, next, w.next)
		}
	}
	t.Logf("%d kills, %d elements acknowledged, %d appends failed, %d with an unknown outcome; each acknowledged element is there once", kills, acknowledged, failed, unknown)
}

// killedWriter appends numbers in order.
type killedWriter struct {
	id     int64
	column string
	// next is how many were acknowledged.
	next            int64
	failed, unknown int
	// unsettled says that it ended with an append of which nobody knows.
	unsettled bool
}

func (w *killedWriter) write(t *testing.T, c *columnvault.Column[int64], stop *atomic.Bool) {
	for !stop.Load() {
		err := c.Append(t.Context(), w.id<<32|w.next)
		switch {
		case err == nil:
			w.next++
		case errors.Is(err, columnvault.ErrUnknownCommit):
			w.unknown++
			w.unsettled = true
			return
		case errors.Is(err, columnvault.ErrUnavailable), errors.Is(err, columnvault.ErrBusy):
			w.failed++ // nothing was stored
			time.Sleep(10 * time.Millisecond)
		default:
			t.Errorf("writer %d: %v", w.id, err)
			return
		}
	}
}
