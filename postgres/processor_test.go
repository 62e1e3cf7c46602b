package postgres_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"columnvault/internal/vaulttest"
)

// processor is the time of a processor that this process and the backends of a
// server have taken, by what Linux tells of processes, so that it hardly counts
// what else the machine does. A server elsewhere has taken none that can be seen.
type processor struct {
	plain *pgx.Conn
}

// taken is the time so far, of the client and of the server.
func (p processor) taken(b *testing.B) (client, server time.Duration) {
	rows, err := p.plain.Query(b.Context(), `SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'`)
	vaulttest.Must(b, err)
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	vaulttest.Must(b, err)
	for _, pid := range pids {
		server += schedstat(fmt.Sprint("/proc/", pid, "/schedstat"))
	}
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return 0, server
	}
	for _, t := range threads {
		client += schedstat("/proc/self/task/" + t.Name() + "/schedstat")
	}
	return client, server
}

// schedstat is the time that a process or a thread has taken, 0 if nobody knows.
func schedstat(path string) time.Duration {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), " ")
	ns, _ := strconv.ParseInt(first, 10, 64)
	return time.Duration(ns)
}
