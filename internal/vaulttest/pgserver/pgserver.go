// Package pgserver gives tests a PostgreSQL server: the one that the variable
// COLUMNVAULT_PG_DSN names, or one of their own in a temporary directory, if
// the machine has the programs.
package pgserver

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Env is the variable that names a server for tests.
const Env = "COLUMNVAULT_PG_DSN"

// Long tells whether tests that break things are to do so for long: by the
// variable COLUMNVAULT_PG_LONG.
func Long() bool { return os.Getenv("COLUMNVAULT_PG_LONG") != "" }

// Server is a PostgreSQL server that Start has started.
type Server struct {
	// DSN leads to a database on it.
	DSN  string
	dir  string
	port int
	stop func()
	kill func()
}

// shared is the server of this process.
var shared struct {
	sync.Mutex
	server *Server
	err    error
}

// Main runs the tests of a package that uses [DSN], and stops the server after
// them. It is for TestMain.
func Main(m *testing.M) {
	code := m.Run()
	if s := shared.server; s != nil {
		s.Stop()
	}
	os.Exit(code)
}

// DSN leads to a schema of the test's own, which does not exist yet and is
// dropped after it. Without a server the test is skipped.
func DSN(t testing.TB) string {
	t.Helper()
	base := os.Getenv(Env)
	if base == "" {
		shared.Lock()
		defer shared.Unlock()
		if shared.server == nil && shared.err == nil {
			shared.server, shared.err = Start()
		}
		if shared.err != nil {
			t.Skipf("no PostgreSQL server: %v; %s may name one", shared.err, Env)
		}
		base = shared.server.DSN
	}
	name := "test_" + strings.ToLower(rand.Text())
	t.Cleanup(func() {
		if err := Drop(base, name); err != nil {
			t.Error(err)
		}
	})
	dsn, err := InSchema(base, name)
	if err != nil {
		t.Fatal(err)
	}
	return dsn
}

// Own is DSN for a package without [Main]: a server that it starts ends with the
// test.
func Own(t testing.TB) string {
	t.Helper()
	if os.Getenv(Env) != "" {
		return DSN(t)
	}
	server, err := Start()
	if err != nil {
		t.Skipf("no PostgreSQL server: %v; %s may name one", err, Env)
	}
	t.Cleanup(server.Stop)
	dsn, err := InSchema(server.DSN, "test")
	if err != nil {
		t.Fatal(err)
	}
	return dsn
}

// InSchema is the DSN with a schema.
func InSchema(dsn, schema string) (string, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return "", fmt.Errorf("%s is not a URL: %w", Env, err)
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// Drop removes a schema and everything in it.
func Drop(dsn, schema string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := pgx.Connect(ctx, dsn)
	if err == nil {
		_, err = c.Exec(ctx, `DROP SCHEMA IF EXISTS `+pgx.Identifier{schema}.Sanitize()+` CASCADE`)
		err = cmp.Or(err, c.Close(ctx))
	}
	if err != nil {
		return fmt.Errorf("dropping the schema of a test: %w", err)
	}
	return nil
}

// Stop stops the server and removes its files.
func (s *Server) Stop() {
	s.stop()
	os.RemoveAll(s.dir)
}

// Kill ends the server at once, as a crash does. Restart starts it again.
func (s *Server) Kill() { s.kill() }

// Exec runs statements in a schema without the library's knowledge.
func Exec(t testing.TB, dsn, statements string) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), dsn)
	if err == nil {
		_, err = c.Exec(t.Context(), statements)
		err = cmp.Or(err, c.Close(t.Context()))
	}
	if err != nil {
		t.Fatal(err)
	}
}
