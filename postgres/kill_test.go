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
	pgserver.Needed(t)
	server, err := pgserver.Start()
	if err != nil {
		t.Skipf("no server can be started, which could be killed: %v", err)
	}
	defer server.Stop()
	dsn, err := pgserver.InSchema(server.DSN, "killed")
	vaulttest.Must(t, err)
	killing(t, dsn, server)
}

// TestKilledShards does the same with a vault that a router divides over three
// shards: each of these in turn, and then the router.
func TestKilledShards(t *testing.T) {
	pgserver.Needed(t)
	servers, err := pgserver.StartSharded(3)
	if err != nil {
		t.Skipf("no servers can be started, which could be killed: %v", err)
	}
	defer servers.Stop()
	for name, killed := range map[string][]*pgserver.Server{"shard": servers.Shards, "router": {servers.Router}} {
		t.Run(name, func(t *testing.T) {
			dsn, err := servers.Vault(name, string(vaulttest.ReadFile(t, "docs", "sharding.sql")), func(dsn string) error {
				v, err := columnvault.Open(t.Context(), dsn, nil)
				if err == nil {
					err = v.Close()
				}
				return err
			})
			vaulttest.Must(t, err)
			killing(t, dsn, killed...)
		})
	}
}

// killing has eight vaults append to a vault, kills one server after another
// meanwhile, and looks what is there.
func killing(t *testing.T, dsn string, servers ...*pgserver.Server) {
	kills := 2
	if pgserver.Long() {
		kills = 10
	}
	var stop atomic.Bool
	var wg sync.WaitGroup
	writers := make([]*killedWriter, 8)
	for i := range writers {
		w := &killedWriter{id: int64(i), column: fmt.Sprint("own ", i)}
		o := &columnvault.ColumnOptions{Home: i % 3}
		if i >= 4 {
			w.column, o.Home = "shared", 1
		}
		writers[i] = w
		v := vaulttest.OpenAt(t, dsn, nil)
		c, err := columnvault.Ensure(t.Context(), v, w.column, dtype.Int64, o)
		vaulttest.Must(t, err)
		wg.Go(func() { w.write(t, c, &stop) })
	}
	down := 0
	for i := range kills {
		time.Sleep(time.Second)
		server := servers[i%len(servers)]
		server.Kill()
		before := acknowledged(writers)
		time.Sleep(200 * time.Millisecond)
		vaulttest.Must(t, server.Restart())
		down += acknowledged(writers) - before
	}
	time.Sleep(time.Second)
	stop.Store(true)
	wg.Wait()

	v := vaulttest.OpenAt(t, dsn, nil)
	unknown, failed := 0, 0
	for _, w := range writers {
		unknown, failed = unknown+w.unknown, failed+w.failed
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
		if there := w.next.Load(); next != there && !(w.unsettled && next == there+1) {
			t.Errorf("writer %d: %d elements are there, and %d were acknowledged", w.id, next, there)
		}
	}
	t.Logf("%d kills, %d elements acknowledged, %d of them while a server was down, %d appends failed, %d with an unknown outcome; each acknowledged element is there once",
		kills, acknowledged(writers), down, failed, unknown)
}

// acknowledged is how many elements were by now.
func acknowledged(writers []*killedWriter) (n int) {
	for _, w := range writers {
		n += int(w.next.Load())
	}
	return n
}

// killedWriter appends numbers in order.
type killedWriter struct {
	id     int64
	column string
	// next is how many were acknowledged.
	next            atomic.Int64
	failed, unknown int
	// unsettled says that it ended with an append of which nobody knows.
	unsettled bool
}

func (w *killedWriter) write(t *testing.T, c *columnvault.Column[int64], stop *atomic.Bool) {
	for !stop.Load() {
		err := c.Append(t.Context(), w.id<<32|w.next.Load())
		switch {
		case err == nil:
			w.next.Add(1)
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
