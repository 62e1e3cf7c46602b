package postgres_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"columnvault/internal/column"
	"columnvault/internal/column/layout0"
	"columnvault/internal/store"
	"columnvault/internal/store/postgres"
	"columnvault/internal/vaulttest/pgserver"
)

// What an appender process is told.
const (
	appenderDSN    = "COLUMNVAULT_APPENDER"
	appenderColumn = "COLUMNVAULT_APPENDER_COLUMN"
	appenderLocks  = "COLUMNVAULT_APPENDER_LOCKS"
)

const (
	appenders = 8
	// appends is how many each of them does while it is measured.
	appends = 500
)

// BenchmarkContended has eight processes append to one column, as the engine
// does it and with the lock first, and tells the appends a second of both. The
// two take turns, because what else the machine does changes.
func BenchmarkContended(b *testing.B) {
	dsn := pgserver.DSN(b)
	s, err := postgres.Open(b.Context(), dsn, postgres.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	var took [2]time.Duration
	round := 0
	for b.Loop() {
		for k := range 2 {
			first := (round + k) % 2
			took[first] += contend(b, s, dsn, fmt.Sprint("round ", round, k), first == 1)
		}
		round++
	}
	for k, unit := range []string{"appends/s", "locks-first/s"} {
		b.ReportMetric(float64(round*appenders*appends)/took[k].Seconds(), unit)
	}
}

// contend starts processes that append to a new column, and returns how long they
// take together once all are ready.
func contend(b *testing.B, s *postgres.Store, dsn, name string, locks bool) time.Duration {
	var id store.ColumnID
	err := s.Update(b.Context(), func(tx store.Tx) error {
		row, err := layout0.FixedRow(name, "i64", 8, layout0.Bounds{Min: s.Caps().MinChunk, Max: s.Caps().ChunkSize}, s.Caps())
		if err == nil {
			row, err = tx.CreateColumn(b.Context(), row)
		}
		id = row.ID
		return err
	})
	must := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	must(err)
	var starts []io.Closer
	var ends []*bufio.Reader
	var commands []*exec.Cmd
	for range appenders {
		cmd := exec.CommandContext(b.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), appenderDSN+"="+dsn, appenderColumn+"="+name)
		if locks {
			cmd.Env = append(cmd.Env, appenderLocks+"=1")
		}
		cmd.Stderr = os.Stderr
		in, err := cmd.StdinPipe()
		must(err)
		out, err := cmd.StdoutPipe()
		must(err)
		must(cmd.Start())
		starts, ends, commands = append(starts, in), append(ends, bufio.NewReader(out)), append(commands, cmd)
	}
	line := func(want string) {
		for _, r := range ends {
			if got, err := r.ReadString('\n'); err != nil || strings.TrimSpace(got) != want {
				b.Fatalf("%q, %v, want %q", got, err, want)
			}
		}
	}
	line("ready")
	start := time.Now()
	for _, in := range starts {
		must(in.Close())
	}
	line("done")
	took := time.Since(start)
	for _, cmd := range commands {
		must(cmd.Wait())
	}
	snap, err := s.Snapshot(b.Context())
	must(err)
	defer snap.Close()
	rows, err := snap.LookupID(b.Context(), id)
	if want := int64(appenders * (warm + appends)); err != nil || len(rows) != 1 || rows[0].Length != want {
		b.Fatalf("%+v, %v, want a length of %d", rows, err, want)
	}
	return took
}

// warm is how many appends a process does before it is measured: statements are
// prepared, and all have noticed each other.
const warm = 20

// appender is a process of BenchmarkContended.
func appender(dsn, name string) error {
	ctx := context.Background()
	s, err := postgres.Open(ctx, dsn, postgres.Options{BusyTimeout: time.Minute})
	if err != nil {
		return err
	}
	defer s.Close()
	add := func(times int) error {
		for i := range times {
			err := s.Update(ctx, func(tx store.Tx) error {
				rows, err := tx.Lookup(ctx, name)
				if err != nil || len(rows) != 1 {
					return errors.Join(err, fmt.Errorf("%d columns", len(rows)))
				}
				if os.Getenv(appenderLocks) != "" {
					postgres.LockFirst(s, rows[0].ID)
				}
				c, err := layout0.OpenFixed(rows[0], s.Caps().Window)
				if err != nil {
					return err
				}
				return c.Append(ctx, tx, column.Elements{Data: binary.LittleEndian.AppendUint64(nil, uint64(i))})
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
	if err := add(warm); err != nil {
		return err
	}
	fmt.Println("ready")
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	if err := add(appends); err != nil {
		return err
	}
	fmt.Println("done")
	return nil
}
