package postgres

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// TestPatches writes ranges at random, and puts them together again.
func TestPatches(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const size = 64
	for range 5000 {
		var ps patches
		want, written := make([]byte, size), make([]bool, size)
		for range r.IntN(20) {
			at := r.IntN(size)
			data := make([]byte, r.IntN(min(size-at, 12)+1))
			for i := range data {
				data[i] = byte(1 + r.IntN(255))
				written[at+i] = true
			}
			copy(want[at:], data)
			ps = ps.add(int64(at), data)
			clear(data) // the memory is the caller's
		}
		got, covered := make([]byte, size), 0
		end := int64(-1)
		for _, p := range ps {
			if p.at <= end || len(p.data) == 0 {
				t.Fatalf("a patch at %d after one that ends at %d", p.at, end)
			}
			end = p.end()
			copy(got[p.at:], p.data)
			covered += len(p.data)
		}
		for _, w := range written {
			if w {
				covered--
			}
		}
		if !bytes.Equal(got, want) || covered != 0 {
			t.Fatalf("%v, want %v", got, want)
		}
	}
}
