package columnvault_test

import (
	"fmt"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"columnvault"
	"columnvault/dtype"
)

// crashAfter makes the statement fail that would be the n-th to write to the
// tables of the vault, with all it has done so far undone by nobody but the
// library: the state on disk is that of a process that ends there.
func crashAfter(t *testing.T, db *sqlite3.Conn, n int) {
	t.Helper()
	execRaw(t, db, `CREATE TABLE IF NOT EXISTS crash (n INTEGER)`, `DELETE FROM crash`, fmt.Sprintf(`INSERT INTO crash VALUES (%d)`, n))
	for _, table := range []string{"col_meta", "col_chunks"} {
		for _, event := range []string{"INSERT", "UPDATE", "DELETE"} {
			execRaw(t, db, fmt.Sprintf(`CREATE TRIGGER IF NOT EXISTS crash_%s_%s BEFORE %[2]s ON %[1]s BEGIN
				UPDATE crash SET n = n - 1;
				SELECT RAISE(ABORT, 'crash') FROM crash WHERE n < 0;
			END`, table, event))
		}
	}
}

// everyCrash runs a write of c again and again, each time failing one statement
// later, until it gets through, which is after that many failures at least.
// Every failure must leave all elements as they were.
func everyCrash[T any](t *testing.T, p pair, c *columnvault.Column[T], typ dtype.Type[T], failures int, write func() error) {
	t.Helper()
	db := rawConn(t, p.path)
	before, err := c.Slice(t.Context(), begin, end)
	must(t, err)
	stat, err := c.Stat(t.Context())
	must(t, err)
	for n := 0; ; n++ {
		crashAfter(t, db, n)
		if err := write(); err == nil {
			if n < failures {
				t.Errorf("%d statements of the write fail, want %d at least", n, failures)
			}
			break
		} else {
			wantErrText(t, "the write", err, columnvault.ErrUnavailable, "crash")
		}
		wantColumn(t, c, before...)
		onDisk(t, p, c, typ, before...)
		if s, err := c.Stat(t.Context()); err != nil || s != stat {
			t.Errorf("after a crash Stat gives %+v, %v, before it %+v", s, err, stat)
		}
		wantSound(t, p.v)
	}
	crashAfter(t, db, 1_000_000)
}

// TestDefect01: rows of a failed flush were lost, and the length still counted
// them.
func TestDefect01(t *testing.T) {
	ctx := t.Context()
	p := openPair(t, impatient)
	c := create(t, p.v, "values", dtype.Int64, 1, 2, 3)
	must(t, c.EnableCache(ctx, nil))
	must(t, c.Append(ctx, span(100, 200)...))
	release := blockWriters(t, p.path)
	_, err := p.v.Flush(ctx)
	wantErr(t, "Flush", err, columnvault.ErrBusy)
	release()
	wantFlushed(t, p.v, 100)
	onDisk(t, p, c, dtype.Int64, append([]int64{1, 2, 3}, span(100, 200)...)...)
}

// TestDefect02: a crash between the data and the index of an update that makes
// an element larger left neighbours with foreign bytes.
func TestDefect02(t *testing.T) {
	withTriggers(t)
	ctx := t.Context()
	p := openPair(t, nil)
	values := [][]byte{[]byte("aaaa"), []byte("bbbb"), []byte("cccc")}
	c := createWith(t, p.v, "values", dtype.Bytes, chunks(12, 12), values...)
	set := func(i int, value string, failures int) {
		everyCrash(t, p, c, dtype.Bytes, failures, func() error { return c.Set(ctx, i, []byte(value)) })
		values[i] = []byte(value)
		wantColumn(t, c, values...)
	}
	set(0, "LONGER!!", 2)
	set(1, "longer than any chunk", 2)
	set(2, "x", 0) // in place, which no statement does
	wantSound(t, p.v)
}

// TestDefect03: data and index of an append were written apart, so that a crash
// left bytes that no element owns.
func TestDefect03(t *testing.T) {
	withTriggers(t)
	ctx := t.Context()
	p := openPair(t, nil)
	value := make([]byte, 100)
	c := createWith(t, p.v, "values", dtype.Bytes, nil, value)
	everyCrash(t, p, c, dtype.Bytes, 1, func() error { return c.Append(ctx, value) })
	everyCrash(t, p, c, dtype.Bytes, 2, func() error { return c.Append(ctx, value, make([]byte, 10_000)) })
	wantColumn(t, c, value, value, value, make([]byte, 10_000))
	must(t, c.EnableCache(ctx, nil))
	must(t, c.Append(ctx, value))
	db := rawConn(t, p.path)
	crashAfter(t, db, 0)
	_, err := p.v.Flush(ctx)
	wantErr(t, "Flush", err, columnvault.ErrUnavailable)
	crashAfter(t, db, 1_000_000)
	wantFlushed(t, p.v, 1)
	onDisk(t, p, c, dtype.Bytes, value, value, value, make([]byte, 10_000), value)
	wantSound(t, p.v)
}

// TestDefect05: each of two handles appended where it believed the end to be,
// over what the other had written.
func TestDefect05(t *testing.T) {
	ctx := t.Context()
	for _, cached := range []bool{false, true} {
		for _, sameVault := range []bool{false, true} {
			t.Run(fmt.Sprintf("cached: %v, same vault: %v", cached, sameVault), func(t *testing.T) {
				p := openPair(t, nil)
				second := p.other
				if sameVault {
					second = p.v
				}
				one := create(t, p.v, "values", dtype.Int64)
				two := lookup(t, second, "values", dtype.Int64)
				if cached {
					must(t, p.v.EnableCache(ctx, nil))
					must(t, second.EnableCache(ctx, nil))
				}
				must(t, one.Append(ctx, 1, 2, 3))
				must(t, two.Append(ctx, 10, 11, 12))
				must(t, one.Append(ctx, 20, 21))
				flushAll(t, p.v)
				flushAll(t, second)
				want := []int64{1, 2, 3, 10, 11, 12, 20, 21}
				if cached && !sameVault { // the order of the flushes
					want = []int64{1, 2, 3, 20, 21, 10, 11, 12}
				}
				wantColumn(t, one, want...)
				wantColumn(t, two, want...)
				wantSound(t, p.v)
			})
		}
	}
}

// TestDefect11: a cache that held nothing but empty values counted as empty and
// was not written.
func TestDefect11(t *testing.T) {
	ctx := t.Context()
	for name, write := range map[string]func(v *columnvault.Vault, c *columnvault.Column[string]) error{
		"flush":   func(v *columnvault.Vault, _ *columnvault.Column[string]) error { return lastOf(v.Flush(ctx)) },
		"disable": func(_ *columnvault.Vault, c *columnvault.Column[string]) error { return c.DisableCache(ctx) },
		"update":  func(_ *columnvault.Vault, c *columnvault.Column[string]) error { return c.Reverse(ctx) },
	} {
		t.Run(name, func(t *testing.T) {
			p := openPair(t, nil)
			c := create(t, p.v, "texts", dtype.String)
			must(t, c.EnableCache(ctx, nil))
			appendEach(t, c, make([]string, 5))
			wantLen(t, c, 5)
			must(t, write(p.v, c))
			onDisk(t, p, c, dtype.String, make([]string, 5)...)
		})
	}
}

// TestDefect12: enabling a cache that was enabled dropped what it held.
func TestDefect12(t *testing.T) {
	ctx := t.Context()
	p := openPair(t, nil)
	c := create(t, p.v, "values", dtype.Int64)
	must(t, c.EnableCache(ctx, nil))
	must(t, c.Append(ctx, 1))
	must(t, c.EnableCache(ctx, cacheOf(100, 50)))
	onDisk(t, p, c, dtype.Int64, 1)
	must(t, c.Append(ctx, 2))
	must(t, p.v.EnableCache(ctx, nil))
	onDisk(t, p, c, dtype.Int64, 1, 2)
	must(t, c.Append(ctx, 3))
	must(t, c.DisableCache(ctx))
	onDisk(t, p, c, dtype.Int64, 1, 2, 3)
}

// TestDefect13: an element that the cache held read as 0 or as an old value.
func TestDefect13(t *testing.T) {
	ctx := t.Context()
	p := openPair(t, nil)
	c := create(t, p.v, "values", dtype.Int64, 7, 8)
	must(t, lastOf(c.Pop(ctx, -1))) // leaves an old value behind the end
	must(t, c.EnableCache(ctx, nil))
	must(t, c.Append(ctx, 5))
	wantAt(t, c, -1, 5)
	wantAt(t, c, 1, 5)
	wantColumn(t, c, 7, 5)
}
