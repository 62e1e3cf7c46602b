package layout0

import "fmt"

// maxCapacity is the largest capacity, in bytes, that a chunk is given,
// whatever its bounds: SQLite assembles rows in memory, more than one copy of
// each.
const maxCapacity = 400 << 20

// firstChunk is the largest capacity, in bytes, that a chunk begins with where
// its elements need less: the minimum may come from a file that wants to fill
// the disk.
const firstChunk = 4 << 20

// maxPosition is the largest byte position in a column. A chunk may end after
// it, and that is still a number.
const maxPosition = 1<<62 - 1

// Bounds are the smallest and the largest capacity, in bytes, that a column's
// chunks are made with.
type Bounds struct {
	Min, Max int64
}

// align rounds the bounds for elements of the given size, so that no element
// crosses a chunk: the minimum up, the maximum down. Size 1 leaves them alone.
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

// capacity is that of a new chunk for need bytes: the smallest Min doubled as
// often as it takes, at most Max and at most maxCapacity. A Min above firstChunk
// is not believed.
func (b Bounds) capacity(need int64) int64 {
	return b.grown(min(b.Min, max(need, firstChunk)), need)
}

// grown is the capacity of a chunk that must come to hold need bytes: its
// capacity doubled as often as it takes, at most Max and at most maxCapacity.
func (b Bounds) grown(capacity, need int64) int64 {
	most := min(b.Max, maxCapacity)
	for capacity < need && capacity < most {
		capacity *= 2
	}
	return min(capacity, most)
}

// grid addresses the elements of a column whose elements all have Size bytes.
// Every chunk but the last is exactly Max bytes long, Max being a multiple of
// Size.
type grid struct {
	Size int64
	Bounds
}

// newGrid checks what a catalog row says. Any maximum that chunks may have
// somewhere will do: it is what positions are divided by.
func newGrid(size int64, b Bounds) (grid, error) {
	aligned, err := b.align(size)
	if err != nil {
		return grid{}, err
	}
	return grid{Size: size, Bounds: aligned}, nil
}

// checklength reports a length that no column of this shape can have: byte
// positions and the ends of chunks would not be numbers.
func (g grid) checkLength(n int64) error {
	if n < 0 || n > maxPosition/g.Size {
		return fmt.Errorf("a length of %d elements of %d bytes is impossible", n, g.Size)
	}
	return nil
}

// locate gives the chunk and the offset inside it of the byte at position pos
// of the column.
func (g grid) locate(pos int64) (chunk, offset int64) {
	return pos / g.Max, pos % g.Max
}

// chunks is the number of chunks that n elements take.
func (g grid) chunks(n int64) int64 {
	pos := n * g.Size
	chunks := pos / g.Max
	if pos%g.Max != 0 {
		chunks++
	}
	return chunks
}

// piece is the part of a byte range that lies in one chunk.
type piece struct {
	Chunk, Offset int64
	Len           int64
}

// pieces calls yield for each chunk that the range of n bytes at pos touches,
// in order. It is an iterator function.
func (g grid) pieces(pos, n int64) func(yield func(piece) bool) {
	return func(yield func(piece) bool) {
		for n > 0 {
			chunk, offset := g.locate(pos)
			take := min(n, g.Max-offset)
			if !yield(piece{Chunk: chunk, Offset: offset, Len: take}) {
				return
			}
			pos, n = pos+take, n-take
		}
	}
}
