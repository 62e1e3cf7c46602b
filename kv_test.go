package columnvault_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"columnvault"
)

// goldenPairs is what expected.json says of the pairs of a file, by the key in
// hexadecimal.
func goldenPairs(t *testing.T, folder, file string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", folder, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Files map[string]struct{ KV map[string]struct{ Get any } }
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&golden); err != nil {
		t.Fatal(err)
	}
	pairs := map[string]any{}
	for key, pair := range golden.Files[file].KV {
		pairs[key] = pair.Get
	}
	return pairs
}

// better are the values that ours reads as what they are, and KohakuVault not.
var better = map[string]any{
	// An empty vector of f64, which there is text of six control characters.
	"vec empty": array{elem: "float64", shape: "[0]"},
	// Bytes that begin as a header does and have none: an error there.
	"looks like header": []byte("\x89K0123456789"),
}

// TestGoldenPairs reads every pair that KohakuVault has written.
func TestGoldenPairs(t *testing.T) {
	for folder, file := range map[string]string{"v0": "shared_with_kv.db", "v1": "with_kv.db"} {
		v := openAt(t, copyFixture(t, folder, file), &columnvault.Options{ReadOnly: true})
		kv := v.KV()
		golden := goldenPairs(t, folder, file)
		if n, err := kv.Len(t.Context()); n != len(golden) || err != nil {
			t.Errorf("%s: %d keys, %v, want %d", file, n, err, len(golden))
		}
		for name, want := range golden {
			key, err := hex.DecodeString(name)
			if err != nil {
				t.Fatal(err)
			}
			got, err := columnvault.GetValue[any](t.Context(), kv, key)
			info, statErr := kv.Stat(t.Context(), key)
			if statErr != nil {
				t.Errorf("Stat(%q): %v", key, statErr)
			}
			if info.Encoding == columnvault.EncodingPickle {
				if _, ok := got.([]byte); !ok || !errors.Is(err, columnvault.ErrUnsupportedEncoding) {
					t.Errorf("%q: a pickle is read as %v, %v", key, got, err)
				}
				continue
			}
			w, ok := better[string(key)]
			if !ok {
				w = fromGolden(t, want)
			}
			if err != nil {
				t.Errorf("%q: %v", key, err)
			} else if g := comparable(got, nil); !reflect.DeepEqual(g, w) {
				t.Errorf("%q (%v): got %#v, want %#v", key, info, g, w)
			}
		}
	}
}
