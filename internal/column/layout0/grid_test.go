package layout0

import (
	"math"
	"slices"
	"testing"

	"columnvault/internal/store"
)

func TestAlign(t *testing.T) {
	for _, test := range []struct {
		b    Bounds
		size int64
		want Bounds
	}{
		{Bounds{100, 1000}, 8, Bounds{104, 1000}},
		{Bounds{131072, 16777216}, 12, Bounds{131076, 16777212}},
		{Bounds{131072, 16777216}, 1, Bounds{131072, 16777216}},
		{Bounds{1, 13}, 13, Bounds{13, 13}},
	} {
		if got, err := test.b.align(test.size); got != test.want || err != nil {
			t.Errorf("%+v aligned to %d: %+v, %v, want %+v", test.b, test.size, got, err, test.want)
		}
	}
	for _, test := range []struct {
		b    Bounds
		size int64
	}{{Bounds{5, 7}, 8}, {Bounds{9, 15}, 8}, {Bounds{0, 8}, 8}, {Bounds{8, 4}, 1}, {Bounds{8, 8}, 0}, {Bounds{8, 8}, -1},
		{Bounds{4096, 1 << 20}, math.MaxInt64}, {Bounds{8, 8}, math.MaxInt64}, {Bounds{math.MinInt64, 8}, 8}} {
		if got, err := test.b.align(test.size); err == nil {
			t.Errorf("%+v aligned to %d: %+v, want an error", test.b, test.size, got)
		}
	}
}

// TestGrowthIsThatOfKohakuVault replays what 0.8.6 was seen to do with i64
// columns of bounds 104 and 1000.
func TestGrowthIsThatOfKohakuVault(t *testing.T) {
	b := Bounds{104, 1000}
	if got := b.capacity(8); got != 104 {
		t.Errorf("first element: %d", got)
	}
	if got := b.grown(104, 14*8); got != 208 {
		t.Errorf("14th element: %d", got)
	}
	if got := b.capacity(60 * 8); got != 832 {
		t.Errorf("60 elements at once: %d", got)
	}
	if got := b.capacity(130 * 8); got != 1000 {
		t.Errorf("130 elements at once: %d", got)
	}
	if got := b.capacity(130*8 - 1000); got != 104 {
		t.Errorf("what is left of 130 elements: %d", got)
	}
	if got := b.grown(104, 400); got != 416 {
		t.Errorf("four times as much: %d", got)
	}
	if got := b.grown(208, 900); got != 1000 {
		t.Errorf("more than the double: %d", got)
	}
}

// TestLargeBounds takes the maxima of files that have a chunk for everything.
func TestLargeBounds(t *testing.T) {
	for _, test := range []struct {
		size, min, max, need, capacity int64
	}{
		{8, 131072, 1 << 31, 100, 131072},
		{8, 131072, math.MaxInt64, 100_000_000, 134217728},
		{12, 131072, 1 << 40, 300_000_000, maxCapacity},
		{12, 131072, 1 << 40, maxCapacity + 1, maxCapacity},
		{1, 1 << 40, math.MaxInt64, 1, firstChunk},
		{12, 1 << 40, math.MaxInt64, firstChunk + 8, firstChunk + 8},
		{math.MaxInt64, math.MaxInt64, math.MaxInt64, 1, firstChunk},
	} {
		b := Bounds{test.min, test.max}
		if _, err := FixedRow("x", "bytes", test.size, b, store.Caps{MaxChunk: math.MaxInt64}); err == nil {
			t.Errorf("%+v is taken for a new column", b)
		}
		at, err := newGrid(test.size, b)
		if err != nil || at.Max != test.max/test.size*test.size {
			t.Fatalf("%+v for elements of %d bytes: %+v, %v", b, test.size, at, err)
		}
		if got := at.capacity(test.need); got != test.capacity {
			t.Errorf("%+v: a chunk for %d bytes gets %d, want %d", at, test.need, got, test.capacity)
		}
		if at.checkLength(0) != nil {
			t.Errorf("%+v: an empty column is impossible", at)
		}
	}
}

func FuzzBounds(f *testing.F) {
	f.Add(int64(104), int64(1000), int64(8), int64(500))
	f.Add(int64(1), int64(maxChunk), int64(12), int64(math.MaxInt64))
	f.Add(int64(4096), int64(1<<20), int64(math.MaxInt64), int64(1))
	f.Add(int64(1<<61), int64(math.MaxInt64), int64(math.MaxInt64-1), int64(math.MaxInt64))
	f.Add(int64(3), int64(math.MaxInt64), int64(8), int64(1<<62))
	f.Fuzz(func(t *testing.T, least, most, size, need int64) {
		b, err := Bounds{least, most}.align(size)
		if err != nil {
			return
		}
		if b.Min%size != 0 || b.Max%size != 0 || b.Min > b.Max || b.Min < least || b.Max > most {
			t.Fatalf("%d..%d aligned to %d: %+v", least, most, size, b)
		}
		need = max(1, need)
		end := min(b.Max, maxCapacity)
		c := b.capacity(need)
		if c < min(b.Min, end, firstChunk) || c > end || c < need && c != end {
			t.Fatalf("%+v: a chunk for %d bytes gets %d", b, need, c)
		}
		for _, old := range []int64{1, c, least, most} {
			if g := b.grown(old, need); g < min(old, end) || g > end || g < need && g != end {
				t.Fatalf("%+v: a chunk of %d grows to %d for %d bytes", b, old, g, need)
			}
		}
	})
}

func FuzzFixed(f *testing.F) {
	f.Add(int64(8), int64(16), int64(512), int64(1000), int64(5000))
	f.Add(int64(12), int64(131072), int64(16777216), int64(1), int64(math.MaxInt64))
	f.Add(int64(math.MaxInt64), int64(4096), int64(1<<20), int64(0), int64(1))
	f.Add(int64(8), int64(131072), int64(math.MaxInt64), int64(5), int64(1<<59-1))
	f.Add(int64(1), int64(1), int64(1<<62), int64(0), int64(1<<62-1))
	f.Add(int64(1<<62), int64(1), int64(math.MaxInt64), int64(0), int64(1))
	f.Fuzz(func(t *testing.T, size, least, most, i, n int64) {
		at, err := newGrid(size, Bounds{least, most})
		if err != nil || at.checkLength(n) != nil || i < 0 || i > n {
			return
		}
		chunk, offset := at.locate(i * size)
		if chunk*at.Max+offset != i*size || offset < 0 || offset+size > at.Max {
			t.Fatalf("element %d of %d bytes lies at %d of chunk %d, whose maximum is %d", i, size, offset, chunk, at.Max)
		}
		// The end of the last chunk is a number: nothing below overflows.
		if chunks := at.chunks(n); chunks*at.Max < n*size || (chunks-1)*at.Max >= n*size && chunks > 0 {
			t.Fatalf("%d elements of %d bytes take %d chunks of %d", n, size, chunks, at.Max)
		}
		if (n-i)*size/at.Max > 1000 {
			return
		}
		pos := i * size
		for p := range at.pieces(pos, (n-i)*size) {
			if p.Chunk*at.Max+p.Offset != pos || p.Len < 1 || p.Offset+p.Len > at.Max {
				t.Fatalf("piece %+v at %d", p, pos)
			}
			pos += p.Len
		}
		if pos != n*size {
			t.Fatalf("the pieces end at %d, want %d", pos, n*size)
		}
	})
}

func FuzzEntry(f *testing.F) {
	f.Add(make([]byte, EntrySize))
	f.Add(slices.Repeat([]byte{0xff}, EntrySize))
	f.Fuzz(func(t *testing.T, p []byte) {
		if len(p) < EntrySize {
			return
		}
		e := entryList(p).At(0)
		if got := e.Append(nil); !slices.Equal(got, p[:EntrySize]) {
			t.Fatalf("%x comes back as %x", p[:EntrySize], got)
		}
		if e.Check() == nil && (e.Len() < 0 || e.Start < 0 || e.Chunk < 0) {
			t.Fatalf("%+v passes for an entry", e)
		}
	})
}
