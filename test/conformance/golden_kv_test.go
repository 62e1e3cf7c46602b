package conformance_test

import (
	"encoding/hex"
	"errors"
	"reflect"
	"testing"

	"columnvault"
	"columnvault/internal/vaulttest"
)

// better are the values that ours reads as what they are, and KohakuVault not.
var better = map[string]any{
	// An empty vector of f64, which there is text of six control characters.
	"vec empty": array{elem: "float64", shape: "[0]"},
	// Bytes that begin as a header does and have none: an error there.
	"looks like header": []byte("\x89K0123456789"),
}

// TestPairsOfKohakuVaultAreRead reads every pair that KohakuVault has written.
func TestPairsOfKohakuVaultAreRead(t *testing.T) {
	for folder, file := range map[string]string{"v0": "shared_with_kv.db", "v1": "with_kv.db"} {
		v := vaulttest.OpenAt(t, vaulttest.CopyGolden(t, folder, file), &columnvault.Options{ReadOnly: true})
		kv := v.KV()
		golden := vaulttest.ReadGolden(t, folder)[file].KV
		if n, err := kv.Len(t.Context()); n != len(golden) || err != nil {
			t.Errorf("%s: %d keys, %v, want %d", file, n, err, len(golden))
		}
		for name, pair := range golden {
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
				w = fromGolden(t, pair.Get)
			}
			if err != nil {
				t.Errorf("%q: %v", key, err)
			} else if g := comparable(got, nil); !reflect.DeepEqual(g, w) {
				t.Errorf("%q (%v): got %#v, want %#v", key, info, g, w)
			}
		}
	}
}
