package interop

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"columnvault"
)

// TestKVTheyReadOurJSON: KohakuVault reads JSON of this project as the same
// numbers, with the types they had.
func TestKVTheyReadOurJSON(t *testing.T) {
	p := startPython(t)
	path := filepath.Join(t.TempDir(), "test.db")
	for _, v := range []any{65504.0, 0.0, math.Copysign(0, -1), 1e16, 1e300, 5e-324, 0.1, int64(65504), int64(-5), uint64(math.MaxUint64), "é\x00\x1f😀</\"\\"} {
		vault, err := columnvault.Open(t.Context(), path, nil)
		if err != nil {
			t.Fatal(err)
		}
		err = vault.KV().PutValueAs(t.Context(), []byte("key"), columnvault.EncodingJSON, v)
		if closeErr := vault.Close(); err != nil || closeErr != nil {
			t.Fatal(err, closeErr)
		}
		p.wantRead(t, path, fmt.Sprintf("%T %v as JSON", v, v), tagged(v))
	}
}

// TestKVWeReadTheirJSON: JSON that KohakuVault writes and Go's own package does
// not read.
func TestKVWeReadTheirJSON(t *testing.T) {
	p := startPython(t)
	path := filepath.Join(t.TempDir(), "test.db")
	p.put(t, path, "json text", `[1.0, NaN, Infinity, -Infinity]`)
	if got := ourValue[[]float64](t, path); got[0] != 1 || !math.IsNaN(got[1]) || !math.IsInf(got[2], 1) || !math.IsInf(got[3], -1) {
		t.Errorf("read as %v", got)
	}
	for text, want := range map[string]string{`[18446744073709551616]`: "64 bits", `{"a": "x\ud800y"}`: "surrogate"} {
		p.put(t, path, "json text", text)
		v, err := columnvault.Open(t.Context(), path, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := columnvault.GetValue[any](t.Context(), v.KV(), []byte("key"))
		if closeErr := v.Close(); closeErr != nil {
			t.Fatal(closeErr)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is read as %v, %v", text, got, err)
		}
	}
}
