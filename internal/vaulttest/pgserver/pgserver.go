// Package pgserver gives tests the PostgreSQL server that the variable
// COLUMNVAULT_PG_DSN names, and starts servers in temporary directories if the
// machine has the programs.
package pgserver

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"strings"
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

// Needed skips a test where [Env] names no server.
func Needed(t testing.TB) {
	t.Helper()
	if os.Getenv(Env) == "" {
		t.Skipf("no PostgreSQL server: %s names none; go run ./internal/tools/pgserver go test ... starts one", Env)
	}
}

// DSN leads to a schema of the test's own, which does not exist yet and is
// dropped after it. Without a server the test is skipped.
func DSN(t testing.TB) string {
	t.Helper()
	Needed(t)
	base := os.Getenv(Env)
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
