package postgres_test

import (
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
	"columnvault/internal/vaulttest/pgserver"
)

// TestCutCommits breaks the connection at one byte after another of what an
// append sends, and of what the server answers. Every append is done once:
// whatever the end of a commit was, it is found out.
func TestCutCommits(t *testing.T) {
	ctx := t.Context()
	p := pgserver.NewProxy(t, pgserver.DSN(t))
	v := vaulttest.OpenAt(t, p.DSN, nil)
	c, err := columnvault.Create(ctx, v, "a", dtype.Int64, nil)
	vaulttest.Must(t, err)
	n := int64(0)
	add := func() {
		t.Helper()
		if err := c.Append(ctx, n); err != nil {
			t.Fatalf("append %d: %v", n, err)
		}
		n++
	}
	for range 4 {
		add()
	}
	_, up, down := p.During(add)
	if up < 100 || down < 20 {
		t.Fatalf("an append sends %d bytes and gets %d", up, down)
	}
	step := int64(11)
	if pgserver.Long() {
		step = 1
	}
	cuts := 0
	for _, way := range []struct {
		bytes int64
		cut   func(int64)
	}{{up, p.CutAfter}, {down, p.CutAnswerAfter}} {
		for at := int64(0); at < way.bytes; at += step {
			add() // on a connection that works
			way.cut(at)
			add()
			way.cut(-1)
			cuts++
		}
	}
	vaulttest.WantColumn(t, c, vaulttest.Span(0, int(n))...)
	t.Logf("%d cuts, %d appends, each of them once; %d bytes go up and %d come down", cuts, n, up, down)
}
