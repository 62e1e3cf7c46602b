package btree

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
)

// leaf makes a leaf of a table with so many cells of 100 bytes.
func leaf(cells int) []byte {
	page := make([]byte, 512)
	page[0] = leafTable
	binary.BigEndian.PutUint16(page[3:], uint16(cells))
	for k := range cells {
		at := 512 - 100*(k+1)
		binary.BigEndian.PutUint16(page[8+2*k:], uint16(at))
		page[at], page[at+1] = 98, 1 // the size of the payload, and the row
	}
	return page
}

// TestSparse has 40 leaves below a page, with as many cells on each.
func TestSparse(t *testing.T) {
	for cells, want := range map[int]bool{1: true, 2: true, 4: false} {
		file := make([]byte, 512)
		root := make([]byte, 512)
		root[0] = interiorTable
		binary.BigEndian.PutUint16(root[3:], 39)
		binary.BigEndian.PutUint32(root[8:], 3)
		for k := range 39 {
			at := 512 - 5*(k+1)
			binary.BigEndian.PutUint16(root[12+2*k:], uint16(at))
			binary.BigEndian.PutUint32(root[at:], uint32(4+k))
		}
		file = append(file, root...)
		for range 40 {
			file = append(file, leaf(cells)...)
		}
		if got, _ := Sparse(t.Context(), bytes.NewReader(file), 512, int64(len(file)/512), 2); got != want {
			t.Errorf("a tree with %d cells on a leaf, of which 4 fit: sparse is %t", cells, got)
		}
	}
}

// FuzzSparse reads pages of anything: it ends, and says something.
func FuzzSparse(f *testing.F) {
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "testdata", "v0", "fixed_basic.db"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(append(make([]byte, 512), leaf(4)...), byte(0), byte(2))
	for root := range byte(10) {
		f.Add(data[:min(len(data), 16<<10)], byte(3), root)
	}
	f.Fuzz(func(t *testing.T, data []byte, shift, root byte) {
		size := int64(512) << (shift % 8)
		Sparse(t.Context(), bytes.NewReader(data), size, int64(len(data))/size, int64(root))
	})
}
