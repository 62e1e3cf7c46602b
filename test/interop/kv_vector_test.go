package interop

import (
	"fmt"
	"path/filepath"
	"testing"

	"columnvault"
	"columnvault/dtype"
)

// TestKVShortVectors: KohakuVault reads vectors of every element type and of
// any length as what was put. The shortest are lists of Python, because packed
// it would take them for text, bytes or numbers.
func TestKVShortVectors(t *testing.T) {
	p := startPython(t)
	path := filepath.Join(t.TempDir(), "test.db")
	theyReadVectors[int8](t, p, path, "int8")
	theyReadVectors[int16](t, p, path, "int16")
	theyReadVectors[int32](t, p, path, "int32")
	theyReadVectors[int64](t, p, path, "int64")
	theyReadVectors[uint16](t, p, path, "uint16")
	theyReadVectors[uint32](t, p, path, "uint32")
	theyReadVectors[uint64](t, p, path, "uint64")
	theyReadVectors[float32](t, p, path, "float32")
	theyReadVectors[float64](t, p, path, "float64")
}

func theyReadVectors[E dtype.Element](t *testing.T, p *python, path, name string) {
	t.Helper()
	for n := range 9 {
		v := make([]E, n)
		list := make([]any, n)
		for i := range v {
			v[i] = E(65 + i)
			list[i] = 65 + i
		}
		vault, err := columnvault.Open(t.Context(), path, nil)
		if err != nil {
			t.Fatal(err)
		}
		err = vault.KV().PutValue(t.Context(), []byte("key"), v)
		info, statErr := vault.KV().Stat(t.Context(), []byte("key"))
		if closeErr := vault.Close(); err != nil || statErr != nil || closeErr != nil {
			t.Fatal(err, statErr, closeErr)
		}
		kind := "array " + name
		if info.Encoding == columnvault.EncodingMsgPack {
			kind = "model"
		}
		p.wantRead(t, path, fmt.Sprintf("%T %v", v, v), []any{kind, list})
	}
}
