package conformance_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"columnvault"
	"columnvault/dtype"
	"columnvault/internal/vaulttest"
)

// digests are those of a vault, by the name of the column or table.
func digests(t *testing.T, v *columnvault.Vault) map[string]string {
	t.Helper()
	found := map[string]string{}
	for f, err := range v.Check(t.Context(), columnvault.CheckOptions{Digest: true}) {
		vaulttest.Must(t, err)
		if f.Kind == columnvault.FindingDigest {
			found[f.Column+f.Table] = string(f.Digest)
		}
	}
	return found
}

// sumOf is the digest that docs/format.md defines.
func sumOf(parts ...[]byte) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(p))))
		h.Write(p)
	}
	return string(h.Sum(nil))
}

// TestDigests: the digest of a column is that of its dtype and its elements, in
// whatever chunks they lie, and that of a table is that of its pairs.
func TestDigests(t *testing.T) {
	v := vaulttest.Open(t)
	texts := vaulttest.Sequence(500, func(i int) string { return strings.Repeat(fmt.Sprint(i), i%50) })
	for i, size := range []int{24, 4096, 1 << 20} {
		vaulttest.CreateWith(t, v, fmt.Sprint("n", i), dtype.Int64, vaulttest.Chunks(size, size), vaulttest.Span(0, 5000)...)
		c := vaulttest.CreateWith(t, v, fmt.Sprint("s", i), dtype.String, vaulttest.Chunks(size, size), texts...)
		vaulttest.Must(t, c.Insert(t.Context(), 100, strings.Repeat("long", 20000)))
	}
	vaulttest.CreateWith(t, v, "u", dtype.Uint64, nil, vaulttest.Sequence(5000, func(i int) uint64 { return uint64(i) })...)
	vaulttest.Put(t, v.KV(), "b", "2")
	vaulttest.Put(t, v.KV(), "a", strings.Repeat("1", 3<<20)) // more than is read at once
	found := digests(t, v)

	numbers := [][]byte{[]byte("i64")}
	for i := range 5000 {
		numbers = append(numbers, binary.LittleEndian.AppendUint64(nil, uint64(i)))
	}
	words := [][]byte{[]byte("str:utf8")}
	for _, s := range slices.Insert(slices.Clone(texts), 100, strings.Repeat("long", 20000)) {
		words = append(words, []byte(s))
	}
	for i := range 3 {
		if found[fmt.Sprint("n", i)] != sumOf(numbers...) || found[fmt.Sprint("s", i)] != sumOf(words...) {
			t.Errorf("the digests of the columns %d are others", i)
		}
	}
	if found["u"] == found["n0"] {
		t.Error("a column of u64 has the digest of one of i64")
	}
	if found["kv"] != sumOf([]byte("kv"), []byte("a"), bytes.Repeat([]byte("1"), 3<<20), []byte("b"), []byte("2")) {
		t.Error("the digest of the table is another")
	}
	vaulttest.Must(t, vaulttest.Lookup(t, v, "n1", dtype.Int64).Set(t.Context(), 4999, -1))
	if digests(t, v)["n1"] == found["n1"] {
		t.Error("the digest stays when an element changes")
	}
}

// TestCheckDecodes: only a full check looks at values, and it finds those that
// are not what they should be.
func TestCheckDecodes(t *testing.T) {
	v := vaulttest.OpenAt(t, brokenVault(t, `UPDATE col_chunks SET data = CAST(x'07' || substr(data, 2) AS BLOB) WHERE col_id = 4 AND chunk_idx = 1`), nil)
	if found := vaulttest.Found(t, v, columnvault.CheckOptions{}); len(found) > 0 {
		t.Errorf("a quick check finds %+v", found)
	}
	found := vaulttest.Found(t, v, columnvault.CheckOptions{Full: true})
	if len(found) != 1 || found[0].Kind != columnvault.FindingElement || found[0].Column != "b" || found[0].From != 16 || found[0].To != 17 || !found[0].Repairable {
		t.Errorf("a full check finds %+v", found)
	}
}

// TestCheckValues: values of pairs that are not what their headers say.
func TestCheckValues(t *testing.T) {
	v := vaulttest.Open(t)
	header := func(encoding byte, payload string) []byte {
		return append([]byte{0x89, 0x4b, 1, encoding, 0, 0, 0, 0, 0x56, 0x4b}, payload...)
	}
	long := strings.Repeat("é", 1<<20) // cut in the middle of a character
	for key, value := range map[string][]byte{
		"bad text": header(6, "\xff"), "bad long text": header(6, " "+long+"\xc3"), "bad JSON": header(3, "{"), "bad msgpack": header(4, "\xa5abc"), "bad cbor": header(5, "\x9f\x01"),
		"almost": append(header(0, ""), "x"...)[:9], "raw": []byte("\xff"), "text": header(6, long), "other text": header(6, " "+long), "JSON": header(3, "[NaN]"),
		"msgpack": header(4, "\xc0"), "pickle": header(1, "?"), "later": {0x89, 0x4b, 2, 6, 0, 0, 0, 0, 0x56, 0x4b}, "range": header(3, "1e999"),
	} {
		vaulttest.Must(t, v.Update(t.Context(), func(ctx context.Context, tx *columnvault.Tx) error {
			return v.KV().In(tx).Put(ctx, columnvault.Key(key), []byte("x"))
		}))
		vaulttest.Must(t, v.Close())
		vaulttest.ExecSQL(t, v.Path(), fmt.Sprintf(`UPDATE kv SET value = x'%x' WHERE key = CAST('%s' AS BLOB)`, value, key))
		v = vaulttest.OpenAt(t, v.Path(), nil)
	}
	var bad []string
	for _, f := range vaulttest.Found(t, v, columnvault.CheckOptions{Full: true}) {
		if f.Kind != columnvault.FindingValue || f.Severity != columnvault.SeverityDamage || f.Table != "kv" {
			t.Errorf("%+v", f)
		}
		_, text, _ := strings.Cut(f.Text, `"`)
		key, _, _ := strings.Cut(text, `"`)
		bad = append(bad, key)
	}
	slices.Sort(bad)
	vaulttest.WantValues(t, "keys of bad values", bad, []string{"bad JSON", "bad cbor", "bad long text", "bad msgpack", "bad text"})
	notes := vaulttest.Collect(t, v.Check(t.Context(), columnvault.CheckOptions{Full: true}))
	if last := notes[len(notes)-1]; last.Kind != columnvault.FindingUnread || !strings.HasSuffix(last.Text, ": 3") {
		t.Errorf("the last note is %+v, want three values that are not read", last)
	}
}

// TestCheckSaysWhatItHasNotRead ends with notes, also where nothing is wrong.
func TestCheckSaysWhatItHasNotRead(t *testing.T) {
	v := vaulttest.OpenAt(t, brokenVault(t, `UPDATE col_meta SET dtype = 'lz4:str' WHERE col_id = 2`), nil)
	for full, want := range map[bool]string{false: "were not decoded", true: "as lz4:str"} {
		found := vaulttest.Collect(t, v.Check(t.Context(), columnvault.CheckOptions{Full: full}))
		if len(found) != 1 || found[0].Kind != columnvault.FindingUnread || !strings.Contains(found[0].Text, want) {
			t.Errorf("full %v: %+v, want a note with %q", full, found, want)
		}
	}
}

// TestCheckReportsProgress up to a total, and ends with its ctx and its loop.
func TestCheckReportsProgress(t *testing.T) {
	v := vaulttest.Open(t)
	vaulttest.CreateWith(t, v, "n", dtype.Int64, nil, vaulttest.Span(0, 500_000)...)
	for _, full := range []bool{false, true} {
		last, calls := int64(-1), 0
		vaulttest.Collect(t, v.Check(t.Context(), columnvault.CheckOptions{Full: full, Progress: func(done, total int64) {
			if done < last || done > total {
				t.Errorf("progress goes from %d to %d of %d", last, done, total)
			}
			last, calls = done, calls+1
			if done == total {
				last = -2 // the end
			}
		}}))
		if last != -2 || full && calls < 5 {
			t.Errorf("progress ends after %d calls without the total", calls)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := vaulttest.LoopErr(v.Check(ctx, columnvault.CheckOptions{Full: true, Progress: func(done, _ int64) {
		if done > 4<<20 {
			cancel()
		}
	}}))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("after its ctx is canceled: %v", err)
	}
	for range v.Check(t.Context(), columnvault.CheckOptions{}) {
		break
	}
	vaulttest.WantSound(t, v)
}

// TestCheckTakesLittleMemory: numbers are not made values, and a value is not
// loaded whole where pieces do.
func TestCheckTakesLittleMemory(t *testing.T) {
	v := vaulttest.OpenAt(t, vaulttest.Open(t).Path(), &columnvault.Options{ReadBytes: 64 << 10})
	vaulttest.CreateWith(t, v, "n", dtype.Int64, nil, vaulttest.Span(0, 1_000_000)...)
	vaulttest.CreateWith(t, v, "s", dtype.String, nil, vaulttest.Sequence(100_000, func(i int) string { return "text" })...)
	vaulttest.Must(t, v.KV().PutFrom(t.Context(), columnvault.Key("large"), 64<<20, vaulttest.Endless{}))
	n := memoryOf(func() { vaulttest.WantSound(t, v) })
	if n > 24<<20 {
		t.Errorf("a check of 8 MB of numbers, 100,000 texts and a value of 64 MB takes %d KiB of memory", n>>10)
	}
}

// TestCheckOfElementsInOnePlace ends where the entries of an index lead to more
// bytes than there are.
func TestCheckOfElementsInOnePlace(t *testing.T) {
	entry := []byte{0, 0, 0, 0, 0, 0, 0, 0, 0xf0, 0, 0, 0}
	v := damaged(t, func(v *columnvault.Vault) {
		vaulttest.CreateWith(t, v, "a", dtype.Bytes, vaulttest.Chunks(240, 240000), slices.Repeat([][]byte{make([]byte, 2)}, 20000)...)
	}, fmt.Sprintf(`UPDATE col_chunks SET data = CAST(x'%x' AS BLOB) WHERE col_id = 2 AND chunk_idx = 0`, slices.Repeat(entry, 20000)))
	n := 0
	found := vaulttest.Collect(t, v.Check(t.Context(), columnvault.CheckOptions{Full: true, Progress: func(done, _ int64) { n++ }}))
	if !slices.ContainsFunc(found, func(f columnvault.Finding) bool {
		return f.Kind == columnvault.FindingUnreadable && strings.Contains(f.Text, "were not read to the end")
	}) {
		t.Errorf("check does not say that elements are in one place: %+v", found[len(found)-1])
	}
	if plan := planOf(t, v, columnvault.RepairOptions{Replace: true}); len(plan.Steps) > 0 {
		t.Errorf("a repair would write more than there is: %v", plan)
	}
}

// TestDigestOfTheDocument is the example in docs/format.md.
func TestDigestOfTheDocument(t *testing.T) {
	text := string(vaulttest.ReadFile(t, "docs", "format.md"))
	_, text, _ = strings.Cut(text, "is the SHA-256 of these bytes:\n\n")
	text, _, _ = strings.Cut(text, "\n\n")
	b, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
	vaulttest.Must(t, err)
	v := vaulttest.Open(t)
	vaulttest.CreateWith(t, v, "a", dtype.Uint8, nil, 1, 2)
	if sum := sha256.Sum256(b); digests(t, v)["a"] != string(sum[:]) {
		t.Errorf("the digest is not that of % x", b)
	}
}
