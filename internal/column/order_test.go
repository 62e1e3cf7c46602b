package column_test

import (
	"encoding/binary"
	"math"
	"testing"

	"columnvault/internal/column"
)

// TestKeys compares the order of keys with that of numbers.
func TestKeys(t *testing.T) {
	floats := []float64{math.Inf(-1), -math.MaxFloat64, -1, -math.SmallestNonzeroFloat64, 0, math.SmallestNonzeroFloat64, 1, math.Inf(1)}
	last := uint64(0)
	for k, x := range floats {
		var p [8]byte
		binary.LittleEndian.PutUint64(p[:], math.Float64bits(x))
		key, ok := column.Float.Key(p[:])
		if !ok || k > 0 && key <= last {
			t.Errorf("%v has the key %d, after %d", x, key, last)
		}
		last = key
	}
	last = 0
	for k, n := range []int64{-128, -1, 0, 1, 127} {
		key, ok := column.Signed.Key([]byte{byte(n)})
		if !ok || k > 0 && key <= last {
			t.Errorf("%d has the key %d, after %d", n, key, last)
		}
		last = key
	}
	if _, ok := column.Float.Key([]byte{0, 0, 0, 0, 0, 0, 0xf8, 0x7f}); ok {
		t.Error("NaN has a key")
	}
}
