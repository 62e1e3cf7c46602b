// Package layout is the arithmetic of the file format: where an element lies,
// how large a chunk is made, and what an index entry means.
//
// A column is a sequence of chunks. A chunk has a number, a capacity and, in
// the data half of a variable-size column, a count of used bytes. Elements of
// one size are addressed by arithmetic alone (see Fixed); elements of varying
// size are found through entries of twelve bytes (see Entry), which are
// themselves elements of one size.
//
// Nothing here performs I/O, and every number may come from a file that
// somebody else wrote, so the functions check instead of trusting.
package layout

import "fmt"

// MaxChunk is the largest bound that the chunks of a new column may have: index
// entries hold offsets as signed 32-bit numbers, and SQLite ends a row before
// that. Columns of others may have larger bounds.
const MaxChunk = 1 << 30

// MaxCapacity is the largest capacity, in bytes, that a chunk is given,
// whatever its bounds: SQLite assembles rows in memory, more than one copy of
// each.
const MaxCapacity = 400 << 20

// maxPosition is the largest byte position in a column. A chunk may end behind
// it, and that is still a number.
const maxPosition = 1<<62 - 1

// MaxElement is the largest element in bytes.
const MaxElement = 128 << 20

// Bounds are the smallest and the largest capacity, in bytes, that a column's
// chunks are made with.
type Bounds struct {
	Min, Max int64
}

// Align rounds the bounds of a new column for elements of the given size, so
// that no element crosses a chunk: the minimum up, the maximum down. Size 1
// leaves them alone.
func (b Bounds) Align(size int64) (Bounds, error) {
	if b.Max > MaxChunk {
		return Bounds{}, fmt.Errorf("a maximum of %d bytes for a chunk: the limit is %d", b.Max, MaxChunk)
	}
	return b.align(size)
}

func (b Bounds) align(size int64) (Bounds, error) {
	if size < 1 {
		return Bounds{}, fmt.Errorf("an element of %d bytes has no place in a chunk", size)
	}
	if b.Min < 1 || b.Min > b.Max {
		return Bounds{}, fmt.Errorf("chunk bounds %d to %d: want 1 <= minimum <= maximum", b.Min, b.Max)
	}
	least, most := (b.Min-1)/size+1, b.Max/size // in elements
	if least > most {
		return Bounds{}, fmt.Errorf("chunk bounds %d to %d leave no multiple of the element size %d", b.Min, b.Max, size)
	}
	return Bounds{Min: least * size, Max: most * size}, nil
}

// Capacity is that of a new chunk for need bytes: the smallest Min doubled as
// often as it takes, at most Max and at most MaxCapacity.
func (b Bounds) Capacity(need int64) int64 { return b.Grown(b.Min, need) }

// Grown is the capacity of a chunk that must come to hold need bytes: its
// capacity doubled as often as it takes, at most Max and at most MaxCapacity.
func (b Bounds) Grown(capacity, need int64) int64 {
	most := min(b.Max, MaxCapacity)
	for capacity < need && capacity < most {
		capacity *= 2
	}
	return min(capacity, most)
}

// Fixed addresses the elements of a column whose elements all have Size bytes.
// Every chunk but the last is exactly Max bytes long, Max being a multiple of
// Size.
type Fixed struct {
	Size int64
	Bounds
}

// NewFixed checks what a catalogue row says. Any maximum that chunks may have
// somewhere will do: it is what positions are divided by.
func NewFixed(size int64, b Bounds) (Fixed, error) {
	aligned, err := b.align(size)
	if err != nil {
		return Fixed{}, err
	}
	return Fixed{Size: size, Bounds: aligned}, nil
}

// CheckLength reports a length that no column of this shape can have: byte
// positions and the ends of chunks would not be numbers.
func (f Fixed) CheckLength(n int64) error {
	if n < 0 || n > maxPosition/f.Size {
		return fmt.Errorf("a length of %d elements of %d bytes is impossible", n, f.Size)
	}
	return nil
}

// Locate gives the chunk and the offset inside it of the byte at position pos
// of the column.
func (f Fixed) Locate(pos int64) (chunk, offset int64) {
	return pos / f.Max, pos % f.Max
}

// Chunks is the number of chunks that n elements take.
func (f Fixed) Chunks(n int64) int64 {
	pos := n * f.Size
	chunks := pos / f.Max
	if pos%f.Max != 0 {
		chunks++
	}
	return chunks
}

// Piece is the part of a byte range that lies in one chunk.
type Piece struct {
	Chunk, Offset int64
	Len           int64
}

// Pieces calls yield for each chunk that the range of n bytes at pos touches,
// in order. It is an iterator function.
func (f Fixed) Pieces(pos, n int64) func(yield func(Piece) bool) {
	return func(yield func(Piece) bool) {
		for n > 0 {
			chunk, offset := f.Locate(pos)
			take := min(n, f.Max-offset)
			if !yield(Piece{Chunk: chunk, Offset: offset, Len: take}) {
				return
			}
			pos, n = pos+take, n-take
		}
	}
}
