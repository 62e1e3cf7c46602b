package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/copying"
	"columnvault/internal/store/postgres"
	"columnvault/internal/store/sqlite"
	"columnvault/internal/vaulttest"
	"columnvault/internal/vaulttest/pgserver"
)

// cutting breaks the connection at one byte after another of what an operation
// sends, and of what the server answers. Between two cuts the operation has a
// connection that works.
func cutting(t *testing.T, p *pgserver.Proxy, step int64, op func()) (cuts int) {
	t.Helper()
	for range 4 {
		op()
	}
	_, up, down := p.During(op)
	if up < 100 || down < 20 {
		t.Fatalf("the operation sends %d bytes and gets %d", up, down)
	}
	if pgserver.Long() {
		step = 1
	}
	for _, way := range []struct {
		bytes int64
		cut   func(int64)
	}{{up, p.CutAfter}, {down, p.CutAnswerAfter}} {
		for at := int64(0); at < way.bytes; at += step {
			op()
			way.cut(at)
			op()
			way.cut(-1)
			cuts++
		}
	}
	return cuts
}

// TestCutCommits: every append is done once, whatever breaks. The end of a commit
// is found out, also where several appends share it, where caches are flushed,
// and where columns and keys are written together.
func TestCutCommits(t *testing.T) {
	ctx := t.Context()
	p := pgserver.NewProxy(t, pgserver.DSN(t))
	v := vaulttest.OpenAt(t, p.DSN, nil)
	for _, test := range []struct {
		name string
		step int64
		// add appends n and what follows it to the column, and returns how many
		// elements that is.
		add func(c, beside *columnvault.Column[int64], n int64) (int64, error)
	}{
		{"append", 11, func(c, _ *columnvault.Column[int64], n int64) (int64, error) { return 1, c.Append(ctx, n) }},
		{"group", 41, func(c, _ *columnvault.Column[int64], n int64) (int64, error) {
			var wg sync.WaitGroup
			var failed [8]error
			for i := range failed {
				wg.Go(func() { failed[i] = c.Append(ctx, n+int64(i)) })
			}
			wg.Wait()
			return int64(len(failed)), errors.Join(failed[:]...)
		}},
		{"flush", 41, func(c, beside *columnvault.Column[int64], n int64) (int64, error) {
			return 2, v.Cached(ctx, nil, func() error { return errors.Join(c.Append(ctx, n, n+1), beside.Append(ctx, n, n+1)) })
		}},
		{"batch", 41, func(c, beside *columnvault.Column[int64], n int64) (int64, error) {
			return 2, v.Batch(ctx, func(b *columnvault.Batch) error {
				return errors.Join(c.AppendTo(b, n, n+1), beside.AppendTo(b, n, n+1), v.KV().PutTo(b, fmt.Append(nil, n), nil))
			})
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := vaulttest.Create(t, v, test.name, dtype.Int64)
			beside := vaulttest.Create(t, v, test.name+", beside", dtype.Int64)
			n, calls := int64(0), 0
			cuts := cutting(t, p, test.step, func() {
				more, err := test.add(c, beside, n)
				if err != nil {
					t.Fatalf("from %d on: %v", n, err)
				}
				n += more
				calls++
			})
			got, err := c.Slice(ctx, 0, int(n)+1)
			vaulttest.Must(t, err)
			slices.Sort(got) // those of a group come in any order
			if !slices.Equal(got, vaulttest.Span(0, int(n))) {
				t.Errorf("%d elements, and not each of %d once", len(got), n)
			}
			switch test.name {
			case "batch":
				if keys, err := v.KV().Len(ctx); keys != calls || err != nil {
					t.Errorf("%d keys, %v, want %d", keys, err, calls)
				}
				fallthrough
			case "flush":
				vaulttest.WantColumn(t, beside, got...)
			}
			t.Logf("%d cuts, %d elements, each of them once", cuts, n)
		})
	}
}

// TestCutCopy breaks the connection again and again while a vault is copied.
func TestCutCopy(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "from.db")
	v := vaulttest.OpenAt(t, path, nil)
	vaulttest.Create(t, v, "a", dtype.Int64, vaulttest.Span(0, 20_000)...)
	vaulttest.Create(t, v, "words", dtype.String, "one", "two", "three")
	for n := range 100 {
		vaulttest.Must(t, v.KV().Put(ctx, fmt.Append(nil, n), make([]byte, n)))
	}
	vaulttest.Must(t, v.Close())
	from, err := sqlite.Open(ctx, path, sqlite.Options{ReadOnly: true})
	vaulttest.Must(t, err)
	defer from.Close()
	run := func(p *pgserver.Proxy, dsn string) error {
		to, err := postgres.Open(ctx, dsn, postgres.Options{})
		if err != nil {
			return err
		}
		defer to.Close()
		_, err = copying.Copy(ctx, from, to, copying.Options{Verify: true})
		return err
	}
	first := pgserver.NewProxy(t, pgserver.DSN(t))
	_, up, _ := first.During(func() { vaulttest.Must(t, run(first, first.DSN)) })
	cuts, again := 0, 0
	for at := up / 9; at < up; at += up / 9 {
		p := pgserver.NewProxy(t, pgserver.DSN(t))
		p.CutAfter(at)
		// What only reads may fail; then the same call goes on.
		if err := run(p, p.DSN); err != nil {
			again++
			if !errors.Is(err, columnvault.ErrUnavailable) {
				t.Errorf("a copy that is cut: %v", err)
			}
			vaulttest.Must(t, run(p, p.DSN))
		}
		cuts++
	}
	t.Logf("%d cuts, %d copies were begun again, and all of them are equal", cuts, again)
}

// TestBrokenView: what is read in a View whose connection breaks is an error that
// says so, because only the caller could begin again.
func TestBrokenView(t *testing.T) {
	p := pgserver.NewProxy(t, pgserver.DSN(t))
	v := vaulttest.OpenAt(t, p.DSN, nil)
	c := vaulttest.Create(t, v, "a", dtype.Int64, 1, 2, 3)
	vaulttest.Must(t, vaulttest.ErrOf(c.At(t.Context(), 0))) // the connection has been used before
	err := v.View(t.Context(), func(ctx context.Context, tx *columnvault.Tx) error {
		vaulttest.Must(t, vaulttest.ErrOf(c.In(tx).At(ctx, 0)))
		p.Break()
		return vaulttest.ErrOf(c.In(tx).At(ctx, 1))
	})
	vaulttest.WantErr(t, "a read after the connection broke", err, columnvault.ErrUnavailable)
	vaulttest.Must(t, vaulttest.ErrOf(c.At(t.Context(), 1)))
}

// TestBrokenRead: a connection that breaks in the middle of a long answer. A call
// outside of a View begins again, and in a View only the caller could.
func TestBrokenRead(t *testing.T) {
	p := pgserver.NewProxy(t, pgserver.DSN(t))
	v := vaulttest.OpenAt(t, p.DSN, nil)
	want := vaulttest.Span(0, 1<<20)
	c := vaulttest.Create(t, v, "a", dtype.Int64, want...)
	into := make([]int64, len(want))
	p.CutAnswerAfter(3 << 20)
	if n, err := c.Read(t.Context(), into, 0); err != nil || !slices.Equal(into[:n], want) {
		t.Errorf("%d elements after the connection broke, %v, or others", n, err)
	}
	err := v.View(t.Context(), func(ctx context.Context, tx *columnvault.Tx) error {
		vaulttest.Must(t, vaulttest.ErrOf(c.In(tx).At(ctx, 0)))
		p.CutAnswerAfter(3 << 20)
		n, err := c.In(tx).Read(ctx, into, 0)
		if n > 0 {
			t.Errorf("%d elements with an error", n)
		}
		return err
	})
	vaulttest.WantErr(t, "a read whose connection broke", err, columnvault.ErrUnavailable)
	vaulttest.WantColumn(t, c, want...)
}

// TestEndedRead: the ctx ends a long answer, and what is left of it does not come.
func TestEndedRead(t *testing.T) {
	p := pgserver.NewProxy(t, pgserver.DSN(t))
	v := vaulttest.OpenAt(t, p.DSN, nil)
	const size = 32 << 20
	c := vaulttest.Create(t, v, "a", dtype.Uint8, make([]byte, size)...)
	into := make([]byte, size)
	p.Delay(5 * time.Millisecond) // for each 32 KiB: the whole would take 5 s
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, _, received := p.During(func() {
		vaulttest.WantErr(t, "a read that is ended", vaulttest.ErrOf(c.Read(ctx, into, 0)), context.DeadlineExceeded)
	})
	if received > size/2 {
		t.Errorf("%d of %d bytes came", received, size)
	}
	p.Delay(0)
	vaulttest.Must(t, vaulttest.ErrOf(c.Read(t.Context(), into, 0)))
}

// TestOutcome asks for the outcome of a commit when the server is back.
func TestOutcome(t *testing.T) {
	ctx := t.Context()
	file := vaulttest.OpenAt(t, filepath.Join(t.TempDir(), "a.db"), nil)
	_, err := file.Outcome(ctx, columnvault.ErrUnknownCommit)
	vaulttest.WantErr(t, "the outcome in a file", err, columnvault.ErrUnsupported)
	if !pgserver.Long() {
		t.Skip("it takes a minute, until a vault stops looking for an outcome itself; COLUMNVAULT_PG_LONG=1 runs it")
	}
	p := pgserver.NewProxy(t, pgserver.DSN(t))
	v := vaulttest.OpenAt(t, p.DSN, nil)
	c := vaulttest.Create(t, v, "a", dtype.Int64)
	for n := range int64(4) {
		vaulttest.Must(t, c.Append(ctx, n))
	}
	_, up, down := p.During(func() { vaulttest.Must(t, c.Append(ctx, 4)) })
	n := int64(5)
	for _, committed := range []bool{true, false} {
		p.Refuse()
		if committed {
			p.CutAnswerAfter(down - 1)
		} else {
			p.CutAfter(up - 1)
		}
		err := c.Append(ctx, n)
		vaulttest.WantErr(t, "an append without an answer", err, columnvault.ErrUnknownCommit)
		_, failed := v.Outcome(ctx, err)
		vaulttest.WantErr(t, "the outcome while the server is away", failed, columnvault.ErrUnknownCommit)
		p.Accept()
		there, failed := v.Outcome(ctx, err)
		if there != committed || failed != nil {
			t.Errorf("Outcome: %v, %v, want %v", there, failed, committed)
		}
		if committed {
			n++
		}
		vaulttest.Must(t, c.Append(ctx, n))
		n++
	}
	vaulttest.WantColumn(t, c, vaulttest.Span(0, int(n))...)
}
