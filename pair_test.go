package columnvault_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"columnvault"
	"columnvault/dtype"
)

// pair is a file that is open twice: v is the vault under test, and other shows
// what is on disk.
type pair struct {
	path     string
	v, other *columnvault.Vault
}

func openPair(t *testing.T, o *columnvault.Options) pair {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.db")
	return pair{path, openAt(t, path, o), openAt(t, path, nil)}
}

// impatient are the options of a vault that soon gives up waiting for others.
var impatient = &columnvault.Options{BusyTimeout: 20 * time.Millisecond}

// patient are those of one that waits for longer than a test takes.
var patient = &columnvault.Options{BusyTimeout: 5 * time.Minute}

// onDisk requires the elements that other processes see.
func onDisk[T any](t tester, p pair, c *columnvault.Column[T], typ dtype.Type[T], want ...T) {
	t.Helper()
	wantColumn(t, lookup(t, p.other, c.Name(), typ), want...)
}

// lenOnDisk is the number of elements that other processes see.
func lenOnDisk(t tester, p pair, name string) int {
	t.Helper()
	c, err := p.other.Column(t.Context(), name)
	must(t, err)
	n, err := c.Len(t.Context())
	must(t, err)
	return n
}

// rawConn is a connection to the file that knows nothing of vaults.
func rawConn(t *testing.T, path string) *sqlite3.Conn {
	t.Helper()
	db, err := sqlite3.Open(path)
	must(t, err)
	t.Cleanup(func() { db.Close() })
	must(t, db.BusyTimeout(time.Minute))
	return db
}

func execRaw(t *testing.T, db *sqlite3.Conn, statements ...string) {
	t.Helper()
	for _, sql := range statements {
		if err := db.Exec(sql); err != nil {
			t.Fatalf("%v: %s", err, sql)
		}
	}
}

// blockWriters takes the write lock of the file, as another process would,
// until release is called.
func blockWriters(t *testing.T, path string) (release func()) {
	t.Helper()
	db := rawConn(t, path)
	execRaw(t, db, `BEGIN IMMEDIATE`)
	return func() {
		t.Helper()
		execRaw(t, db, `ROLLBACK`)
	}
}

// eventually waits until something is so. What takes longer than its deadline
// never happens.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never: " + what)
		}
	}
}

// soon is a ctx for what must not wait for ever.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// span is the numbers from up to, not including, to.
func span(from, to int) []int64 {
	return sequence(to-from, func(i int) int64 { return int64(from + i) })
}

// messages is n texts of different lengths, the first of them empty.
func messages(n int) []string {
	return sequence(n, func(i int) string { return strings.Repeat(fmt.Sprint(i, " "), i%7) })
}

// cacheOf is options for a cache that nothing but its size makes flush.
func cacheOf(capBytes, threshold int) *columnvault.CacheOptions {
	return &columnvault.CacheOptions{CapBytes: capBytes, FlushThreshold: threshold}
}

var errOwn = errors.New("an error of the caller's own")
