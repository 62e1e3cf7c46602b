package conformance_test

import (
	"fmt"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// crashAfter makes the statement fail that would be the n-th to write to the
// tables of the vault, with all it has done so far undone by nobody but the
// library: the state on disk is that of a process that ends there.
func crashAfter(t *testing.T, db *sqlite3.Conn, n int) {
	t.Helper()
	vaulttest.ExecRaw(t, db, `CREATE TABLE IF NOT EXISTS crash (n INTEGER)`, `DELETE FROM crash`, fmt.Sprintf(`INSERT INTO crash VALUES (%d)`, n))
	for _, table := range []string{"col_meta", "col_chunks"} {
		for _, event := range []string{"INSERT", "UPDATE", "DELETE"} {
			vaulttest.ExecRaw(t, db, fmt.Sprintf(`CREATE TRIGGER IF NOT EXISTS crash_%s_%s BEFORE %[2]s ON %[1]s BEGIN
				UPDATE crash SET n = n - 1;
				SELECT RAISE(ABORT, 'crash') FROM crash WHERE n < 0;
			END`, table, event))
		}
	}
}

// everyCrash runs a write of c again and again, each time failing one statement
// later, until it gets through, which is after that many failures at least.
// Every failure must leave all elements as they were.
func everyCrash[T any](t *testing.T, p vaulttest.Pair, c *columnvault.Column[T], typ dtype.Type[T], failures int, write func() error) {
	t.Helper()
	db := vaulttest.RawConn(t, p.Path)
	before, err := c.Slice(t.Context(), columnvault.Begin, columnvault.End)
	vaulttest.Must(t, err)
	stat, err := c.Stat(t.Context())
	vaulttest.Must(t, err)
	for n := 0; ; n++ {
		crashAfter(t, db, n)
		if err := write(); err == nil {
			if n < failures {
				t.Errorf("%d statements of the write fail, want %d at least", n, failures)
			}
			break
		} else {
			vaulttest.WantErrText(t, "the write", err, columnvault.ErrUnavailable, "crash")
		}
		vaulttest.WantColumn(t, c, before...)
		vaulttest.WantOnDisk(t, p, c, typ, before...)
		if s, err := c.Stat(t.Context()); err != nil || s != stat {
			t.Errorf("after a crash Stat gives %+v, %v, before it %+v", s, err, stat)
		}
		vaulttest.WantSound(t, p.V)
	}
	crashAfter(t, db, 1_000_000)
}

// TestFailedFlushKeepsRows: rows of a failed flush were lost, and the length
// still counted them.
func TestFailedFlushKeepsRows(t *testing.T) {
	ctx := t.Context()
	p := vaulttest.OpenPair(t, vaulttest.Impatient())
	c := vaulttest.Create(t, p.V, "values", dtype.Int64, 1, 2, 3)
	vaulttest.Must(t, c.EnableCache(ctx, nil))
	vaulttest.Must(t, c.Append(ctx, vaulttest.Span(100, 200)...))
	release := vaulttest.BlockWriters(t, p.Path)
	_, err := p.V.Flush(ctx)
	vaulttest.WantErr(t, "Flush", err, columnvault.ErrBusy)
	release()
	wantFlushed(t, p.V, 100)
	vaulttest.WantOnDisk(t, p, c, dtype.Int64, append([]int64{1, 2, 3}, vaulttest.Span(100, 200)...)...)
}

// TestCrashInGrowingSetLeavesNeighbors: a crash between the data and the index
// of an update that makes an element larger left neighbors with foreign bytes.
func TestCrashInGrowingSetLeavesNeighbors(t *testing.T) {
	vaulttest.WithTriggers(t)
	ctx := t.Context()
	p := vaulttest.OpenPair(t, nil)
	values := [][]byte{[]byte("aaaa"), []byte("bbbb"), []byte("cccc")}
	c := vaulttest.CreateWith(t, p.V, "values", dtype.Bytes, vaulttest.Chunks(12, 12), values...)
	set := func(i int, value string, failures int) {
		everyCrash(t, p, c, dtype.Bytes, failures, func() error { return c.Set(ctx, i, []byte(value)) })
		values[i] = []byte(value)
		vaulttest.WantColumn(t, c, values...)
	}
	set(0, "LONGER!!", 2)
	set(1, "longer than any chunk", 2)
	set(2, "x", 0) // in place, which no statement does
	vaulttest.WantSound(t, p.V)
}

// TestCrashInAppendLeavesNoBytes: data and index of an append were written
// apart, so that a crash left bytes that no element owns.
func TestCrashInAppendLeavesNoBytes(t *testing.T) {
	vaulttest.WithTriggers(t)
	ctx := t.Context()
	p := vaulttest.OpenPair(t, nil)
	value := make([]byte, 100)
	c := vaulttest.CreateWith(t, p.V, "values", dtype.Bytes, nil, value)
	everyCrash(t, p, c, dtype.Bytes, 1, func() error { return c.Append(ctx, value) })
	everyCrash(t, p, c, dtype.Bytes, 2, func() error { return c.Append(ctx, value, make([]byte, 10_000)) })
	vaulttest.WantColumn(t, c, value, value, value, make([]byte, 10_000))
	vaulttest.Must(t, c.EnableCache(ctx, nil))
	vaulttest.Must(t, c.Append(ctx, value))
	db := vaulttest.RawConn(t, p.Path)
	crashAfter(t, db, 0)
	_, err := p.V.Flush(ctx)
	vaulttest.WantErr(t, "Flush", err, columnvault.ErrUnavailable)
	crashAfter(t, db, 1_000_000)
	wantFlushed(t, p.V, 1)
	vaulttest.WantOnDisk(t, p, c, dtype.Bytes, value, value, value, make([]byte, 10_000), value)
	vaulttest.WantSound(t, p.V)
}

// TestTwoHandlesAppendInTurn: each of two handles appended where it believed
// the end to be, over what the other had written.
func TestTwoHandlesAppendInTurn(t *testing.T) {
	ctx := t.Context()
	for _, cached := range []bool{false, true} {
		for _, sameVault := range []bool{false, true} {
			t.Run(fmt.Sprintf("cached: %v, same vault: %v", cached, sameVault), func(t *testing.T) {
				p := vaulttest.OpenPair(t, nil)
				second := p.Other
				if sameVault {
					second = p.V
				}
				one := vaulttest.Create(t, p.V, "values", dtype.Int64)
				two := vaulttest.Lookup(t, second, "values", dtype.Int64)
				if cached {
					vaulttest.Must(t, p.V.EnableCache(ctx, nil))
					vaulttest.Must(t, second.EnableCache(ctx, nil))
				}
				vaulttest.Must(t, one.Append(ctx, 1, 2, 3))
				vaulttest.Must(t, two.Append(ctx, 10, 11, 12))
				vaulttest.Must(t, one.Append(ctx, 20, 21))
				flushAll(t, p.V)
				flushAll(t, second)
				want := []int64{1, 2, 3, 10, 11, 12, 20, 21}
				if cached && !sameVault { // the order of the flushes
					want = []int64{1, 2, 3, 20, 21, 10, 11, 12}
				}
				vaulttest.WantColumn(t, one, want...)
				vaulttest.WantColumn(t, two, want...)
				vaulttest.WantSound(t, p.V)
			})
		}
	}
}

// TestCachedEmptyValuesAreWritten: a cache that held nothing but empty values
// counted as empty and was not written.
func TestCachedEmptyValuesAreWritten(t *testing.T) {
	ctx := t.Context()
	for name, write := range map[string]func(v *columnvault.Vault, c *columnvault.Column[string]) error{
		"flush":   func(v *columnvault.Vault, _ *columnvault.Column[string]) error { return vaulttest.ErrOf(v.Flush(ctx)) },
		"disable": func(_ *columnvault.Vault, c *columnvault.Column[string]) error { return c.DisableCache(ctx) },
		"update":  func(_ *columnvault.Vault, c *columnvault.Column[string]) error { return c.Reverse(ctx) },
	} {
		t.Run(name, func(t *testing.T) {
			p := vaulttest.OpenPair(t, nil)
			c := vaulttest.Create(t, p.V, "texts", dtype.String)
			vaulttest.Must(t, c.EnableCache(ctx, nil))
			vaulttest.AppendEach(t, c, make([]string, 5))
			vaulttest.WantLen(t, c, 5)
			vaulttest.Must(t, write(p.V, c))
			vaulttest.WantOnDisk(t, p, c, dtype.String, make([]string, 5)...)
		})
	}
}

// TestEnableCacheTwiceKeepsRows: enabling a cache that was enabled dropped what
// it held.
func TestEnableCacheTwiceKeepsRows(t *testing.T) {
	ctx := t.Context()
	p := vaulttest.OpenPair(t, nil)
	c := vaulttest.Create(t, p.V, "values", dtype.Int64)
	vaulttest.Must(t, c.EnableCache(ctx, nil))
	vaulttest.Must(t, c.Append(ctx, 1))
	vaulttest.Must(t, c.EnableCache(ctx, vaulttest.CacheOf(100, 50)))
	vaulttest.WantOnDisk(t, p, c, dtype.Int64, 1)
	vaulttest.Must(t, c.Append(ctx, 2))
	vaulttest.Must(t, p.V.EnableCache(ctx, nil))
	vaulttest.WantOnDisk(t, p, c, dtype.Int64, 1, 2)
	vaulttest.Must(t, c.Append(ctx, 3))
	vaulttest.Must(t, c.DisableCache(ctx))
	vaulttest.WantOnDisk(t, p, c, dtype.Int64, 1, 2, 3)
}

// TestCachedElementsAreRead: an element that the cache held read as 0 or as an
// old value.
func TestCachedElementsAreRead(t *testing.T) {
	ctx := t.Context()
	p := vaulttest.OpenPair(t, nil)
	c := vaulttest.Create(t, p.V, "values", dtype.Int64, 7, 8)
	vaulttest.Must(t, vaulttest.ErrOf(c.Pop(ctx, -1))) // leaves an old value past the end
	vaulttest.Must(t, c.EnableCache(ctx, nil))
	vaulttest.Must(t, c.Append(ctx, 5))
	vaulttest.WantAt(t, c, -1, 5)
	vaulttest.WantAt(t, c, 1, 5)
	vaulttest.WantColumn(t, c, 7, 5)
}
