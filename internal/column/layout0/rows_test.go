package layout0

import (
	"errors"
	"testing"

	"columnvault/internal/store"
)

func TestNewRows(t *testing.T) {
	caps := store.Caps{MinChunk: 4096, ChunkSize: 1 << 20, MaxChunk: 900 << 20}
	for _, test := range []struct {
		size       int64
		b          Bounds
		data, rest Bounds // of the index, where there is one
	}{
		{8, Bounds{}, Bounds{4096, 1 << 20}, Bounds{}},
		{12, Bounds{}, Bounds{4104, 1048572}, Bounds{}},
		{3 << 20, Bounds{}, Bounds{3 << 20, 3 << 20}, Bounds{}},
		{8, Bounds{Min: 4 << 20}, Bounds{4 << 20, 4 << 20}, Bounds{}},
		{8, Bounds{Max: 1000}, Bounds{1000, 1000}, Bounds{}},
		{0, Bounds{}, Bounds{4096, 524280}, Bounds{4104, 524280}},
		{0, Bounds{16, 512}, Bounds{16, 504}, Bounds{24, 504}},
		{0, Bounds{510, 512}, Bounds{504, 504}, Bounds{504, 504}},
	} {
		var data, index store.Row
		var err error
		if test.size > 0 {
			data, err = FixedRow("x", "bytes", test.size, test.b, caps)
		} else {
			data, index, err = VarSizeRows("x_data", "x_idx", "bytes", test.b, caps)
		}
		if got := (Bounds{data.MinChunk, data.MaxChunk}); err != nil || got != test.data {
			t.Errorf("elements of %d bytes in %+v: %+v, %v, want %+v", test.size, test.b, got, err, test.data)
		}
		if got := (Bounds{index.MinChunk, index.MaxChunk}); got != test.rest || IsIndex(index) != (test.size == 0) {
			t.Errorf("the index of elements in %+v: %+v, want %+v", test.b, got, test.rest)
		}
	}
	for _, b := range []Bounds{{8, caps.MaxChunk + 1}, {4, 7}, {-1, 8}, {9, 8}} {
		if row, err := FixedRow("x", "bytes", 8, b, caps); !errors.Is(err, store.ErrInvalidArgument) {
			t.Errorf("%+v gives the row %+v, %v", b, row, err)
		}
	}
}
