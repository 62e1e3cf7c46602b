package conformance_test

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// damaged makes a vault, changes the file without its knowledge, and opens it
// again.
func damaged(t *testing.T, fill func(v *columnvault.Vault), sql ...string) *columnvault.Vault {
	t.Helper()
	path := filepath.Join(t.TempDir(), "vault.db")
	v, err := columnvault.Open(t.Context(), path, nil)
	vaulttest.Must(t, err)
	fill(v)
	vaulttest.Must(t, v.Close())
	vaulttest.ExecSQL(t, path, sql...)
	v, err = columnvault.Open(t.Context(), path, nil)
	vaulttest.Must(t, err)
	t.Cleanup(func() { v.Close() })
	return v
}

// wantFinding requires that Check finds this, as bad as this, in few words.
func wantFinding(t *testing.T, v *columnvault.Vault, severity columnvault.Severity, text string) {
	t.Helper()
	found := vaulttest.Found(t, v, columnvault.CheckOptions{})
	if !slices.ContainsFunc(found, func(f columnvault.Finding) bool { return f.Severity == severity && strings.Contains(f.Text, text) }) {
		t.Errorf("check does not say %q as %v: %+v", text, severity, found)
	}
	kinds := map[columnvault.FindingKind]int{}
	for _, f := range found {
		if kinds[f.Kind]++; kinds[f.Kind] > 51 {
			t.Fatalf("check has more than 51 findings of the kind %s", f.Kind)
		}
	}
}

// memoryOf is how many bytes of memory fn takes, given back or not.
func memoryOf(fn func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	fn()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// wantRefused requires that an operation finds the damage before it takes much
// memory.
func wantRefused(t *testing.T, what string, fn func() error) {
	t.Helper()
	var err error
	n := memoryOf(func() { err = fn() })
	vaulttest.WantErr(t, what, err, columnvault.ErrCorrupt)
	if n > 64<<20 {
		t.Errorf("%s takes %d MiB of memory", what, n>>20)
	}
}

func TestCheckFindsDamageBehindHazards(t *testing.T) {
	v := damaged(t, func(v *columnvault.Vault) {
		vaulttest.CreateWith(t, v, "a", dtype.Int64, vaulttest.Chunks(16, 16), vaulttest.Sequence(400, func(i int) int64 { return int64(i) })...)
	}, `UPDATE col_chunks SET bytes_used = 1`, `DELETE FROM col_chunks WHERE chunk_idx = 180`)
	wantFinding(t, v, columnvault.SeverityDamage, "chunk 180 is missing")
	wantFinding(t, v, columnvault.SeverityHazard, "and 149 more of this kind")
}

func TestCheckFindsHazardsBehindDamage(t *testing.T) {
	v := damaged(t, func(v *columnvault.Vault) {
		vaulttest.CreateWith(t, v, "a", dtype.String, vaulttest.Chunks(24, 24), vaulttest.Sequence(3000, func(i int) string { return "ab" })...)
	}, `UPDATE col_chunks SET bytes_used = 1 WHERE col_id = 2`, `DELETE FROM col_chunks WHERE col_id = 1`)
	wantFinding(t, v, columnvault.SeverityDamage, "and 2950 more of this kind")
	wantFinding(t, v, columnvault.SeverityHazard, "index: chunk 49 of a fixed column")
	wantFinding(t, v, columnvault.SeverityHazard, "and 1450 more of this kind")
}

func TestLengthFarBeyondTheChunks(t *testing.T) {
	fixed := damaged(t, func(v *columnvault.Vault) { vaulttest.CreateWith(t, v, "a", dtype.Int64, nil, 1, 2, 3) },
		`UPDATE col_meta SET length = 1 << 58`)
	wantFinding(t, fixed, columnvault.SeverityDamage, "chunks 1 to 2199023255551 are missing")
	varSize := damaged(t, func(v *columnvault.Vault) { vaulttest.CreateWith(t, v, "a", dtype.String, nil, "one", "two") },
		`UPDATE col_meta SET length = 1 << 58 WHERE name = 'a_idx'`)
	wantFinding(t, varSize, columnvault.SeverityDamage, "index: chunks 1 to ")
	for _, v := range []*columnvault.Vault{fixed, varSize} {
		c, err := v.Column(t.Context(), "a")
		vaulttest.Must(t, err)
		for what, fn := range map[string]func() error{
			"slice":  func() error { _, err := c.Slice(t.Context(), columnvault.Begin, columnvault.End); return err },
			"at":     func() error { _, err := c.At(t.Context(), -1); return err },
			"delete": func() error { return c.Delete(t.Context(), 0, 1) },
		} {
			wantRefused(t, what, fn)
		}
	}
}

func TestElementSizeBeyondAnyChunk(t *testing.T) {
	v := damaged(t, func(v *columnvault.Vault) { vaulttest.CreateWith(t, v, "a", dtype.Int64, nil, 1, 2, 3) },
		`UPDATE col_meta SET elem_size = 9223372036854775807, length = 1`)
	wantFinding(t, v, columnvault.SeverityDamage, "leave no multiple of the element size")
	_, err := columnvault.Lookup(t.Context(), v, "a", dtype.Int64)
	vaulttest.WantErr(t, "lookup", err, columnvault.ErrCorrupt)
}

// TestCapacityThatIsNotThere has a chunk of 4 KiB that says it has a gigabyte,
// and an element as large.
func TestCapacityThatIsNotThere(t *testing.T) {
	v := damaged(t, func(v *columnvault.Vault) {
		vaulttest.CreateWith(t, v, "a", dtype.Bytes, vaulttest.Chunks(4096, 300<<20), []byte("abc"), []byte("def"))
	}, `UPDATE col_chunks SET actual_size = 300000000, bytes_used = 300000000 WHERE col_id = 1`,
		`UPDATE col_chunks SET data = CAST(substr(data, 1, 12) || x'00000000' || x'03000000' || x'0000e011' AS BLOB) || zeroblob(4072) WHERE col_id = 2`)
	c := vaulttest.Lookup(t, v, "a", dtype.Bytes)
	wantRefused(t, "at", func() error { _, err := c.At(t.Context(), 1); return err })
	wantRefused(t, "append", func() error { return c.Append(t.Context(), make([]byte, 3<<20)) })
	wantRefused(t, "set", func() error { return c.Set(t.Context(), 0, []byte("more than there was")) })
	vaulttest.WantAt(t, c, 0, []byte("abc"))
}

// TestSmallChunkThatSaysItIsLarge lays such a chunk out anew: what it says of
// itself is not made true.
func TestSmallChunkThatSaysItIsLarge(t *testing.T) {
	v := damaged(t, func(v *columnvault.Vault) {
		vaulttest.CreateWith(t, v, "a", dtype.String, vaulttest.Chunks(4096, 300<<20), "one", "two", "three")
	}, `UPDATE col_chunks SET actual_size = 300000000 WHERE col_id = 1`)
	c := vaulttest.Lookup(t, v, "a", dtype.String)
	vaulttest.Must(t, c.Set(t.Context(), 0, "longer"))
	vaulttest.WantColumn(t, c, "longer", "two", "three")
	vaulttest.WantSound(t, v)
	if s := vaulttest.WantChunks(t, c, 1); s.Capacity != 4096 {
		t.Errorf("the chunk of three words has %d bytes", s.Capacity)
	}
}

// TestLengthThatOneChunkCouldHold has a length that one chunk could hold, if it
// were as large as it may become.
func TestLengthThatOneChunkCouldHold(t *testing.T) {
	v := damaged(t, func(v *columnvault.Vault) {
		vaulttest.CreateWith(t, v, "a", dtype.Int64, vaulttest.Chunks(4096, 400<<20), 1, 2, 3)
	}, `UPDATE col_meta SET length = 1 << 25`, `UPDATE col_chunks SET actual_size = 1 << 28`)
	c := vaulttest.Lookup(t, v, "a", dtype.Int64)
	wantRefused(t, "slice", func() error { _, err := c.Slice(t.Context(), columnvault.Begin, columnvault.End); return err })
	wantRefused(t, "append", func() error { return c.Append(t.Context(), 4) })
}

// TestIndexEntriesOfTheSameBytesAreRefused has 400 elements in one place.
func TestIndexEntriesOfTheSameBytesAreRefused(t *testing.T) {
	const n, size = 400, 500_000
	var entry []byte
	for _, x := range []uint32{0, 0, size} {
		entry = binary.LittleEndian.AppendUint32(entry, x)
	}
	all := slices.Repeat(entry, n)
	for _, most := range []int{524280, 480000} { // the chunk is above the second
		v := damaged(t, func(v *columnvault.Vault) {
			c := vaulttest.CreateWith(t, v, "a", dtype.Bytes, vaulttest.Chunks(4096, 524280), make([]byte, size))
			vaulttest.Must(t, c.Append(t.Context(), slices.Repeat([][]byte{{}}, n-1)...))
		}, fmt.Sprintf(`UPDATE col_chunks SET data = CAST(x'%x' || substr(data, %d) AS BLOB) WHERE col_id = 2`, all, len(all)+1),
			fmt.Sprintf(`UPDATE col_meta SET max_chunk_bytes = %d WHERE col_id = 1`, most))
		c := vaulttest.Lookup(t, v, "a", dtype.Bytes)
		wantRefused(t, "set", func() error { return c.Set(t.Context(), n/2, make([]byte, size+1)) })
		wantRefused(t, "insert", func() error { return c.Insert(t.Context(), n/2, make([]byte, size+1)) })
	}
}

// TestClearRemovesStaleChunks has the chunks that KohakuVault leaves when it
// clears a column: it cannot append to one of fixed size until somebody removes
// them.
func TestClearRemovesStaleChunks(t *testing.T) {
	v := damaged(t, func(v *columnvault.Vault) {
		vaulttest.CreateWith(t, v, "n", dtype.Int64, vaulttest.Chunks(16, 16), 1, 2, 3)
		vaulttest.CreateWith(t, v, "s", dtype.String, vaulttest.Chunks(24, 24), "one", "two", "three")
	}, `UPDATE col_meta SET length = 0`)
	wantFinding(t, v, columnvault.SeverityHazard, "wholly past")
	vaulttest.Must(t, vaulttest.Lookup(t, v, "n", dtype.Int64).Clear(t.Context()))
	vaulttest.Must(t, vaulttest.Lookup(t, v, "s", dtype.String).Clear(t.Context()))
	vaulttest.WantSound(t, v)
	vaulttest.WantChunks(t, vaulttest.Lookup(t, v, "s", dtype.String), 0)
}

// TestValueThatIsNoBlob: a flipped bit in the header of a row makes a number of
// a value, which SQLite would turn into digits.
func TestValueThatIsNoBlob(t *testing.T) {
	v := damaged(t, func(v *columnvault.Vault) {
		vaulttest.Put(t, v.KV(), "hit", "value")
		vaulttest.Put(t, v.KV(), "other", "value")
	}, `UPDATE kv SET value = 7 WHERE key = CAST('hit' AS BLOB)`)
	ctx := t.Context()
	vaulttest.WantErr(t, "get", vaulttest.ErrOf(v.KV().Get(ctx, []byte("hit"))), columnvault.ErrCorrupt)
	vaulttest.WantErr(t, "all", vaulttest.LoopErr(v.KV().All(ctx, nil)), columnvault.ErrCorrupt)
	vaulttest.WantErr(t, "blob", vaulttest.ErrOf(v.KV().OpenBlob(ctx, []byte("hit"))), columnvault.ErrCorrupt)
	vaulttest.WantGet(t, v.KV(), "other", "value")
}
