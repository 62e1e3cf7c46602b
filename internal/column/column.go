package column

import (
	"context"
	"fmt"
	"math"
	"slices"

	"columnvault/internal/store"
)

// Elements is a run of encoded elements that lie back to back in Data. Ends holds
// the end of each in Data where elements vary in size, and is nil where they
// do not.
type Elements struct {
	Data []byte
	Ends []int
}

// Reset empties the batch and keeps its memory.
func (b *Elements) Reset() { b.Data, b.Ends = b.Data[:0], b.Ends[:0] }

// NoLimit as the limit of a Read.
const NoLimit = math.MaxInt64

// trusted is the number of bytes of memory that are taken on the word of a
// length, an index entry or a capacity alone, before the chunks have been
// asked.
const trusted = 4 << 20

// reaches reports ErrCorrupt if the chunk has fewer than n bytes, whatever is
// said of it elsewhere.
func reaches(ctx context.Context, r store.Reader, id store.ColumnID, number, n int64) error {
	var last [1]byte
	return r.ReadAt(ctx, id, []store.Span{{Chunk: number, Offset: n - 1, Data: last[:]}})
}

// front returns the first n bytes of the chunk, with p behind them.
func front(ctx context.Context, r store.Reader, id store.ColumnID, number, n int64, p []byte) ([]byte, error) {
	if n == 0 {
		return p, nil
	}
	if n > trusted {
		if err := reaches(ctx, r, id, number, n); err != nil {
			return nil, err
		}
	}
	data := make([]byte, n+int64(len(p)))
	copy(data[n:], p)
	return data, r.ReadAt(ctx, id, []store.Span{{Chunk: number, Data: data[:n]}})
}

// Column is a list of encoded elements. Ranges are half-open and must lie
// within the length; ErrRange says that one does not.
type Column interface {
	// Len is the number of elements.
	Len() int64
	// Backed reports ErrCorrupt if the elements from i up to j cannot all be in
	// the file, so that no memory is taken for a length that is a lie.
	Backed(ctx context.Context, r store.Reader, i, j int64) error
	// Read appends the elements from i on, up to j, to the batch, and returns
	// the position behind the last. It stops early, after one element at
	// least, where the next would bring the bytes read past limit.
	Read(ctx context.Context, r store.Reader, b *Elements, i, j, limit int64) (int64, error)
	// Before is the lowest position from which Read reaches j within limit.
	Before(ctx context.Context, r store.Reader, j, limit int64) (int64, error)
	// Gather appends the elements at these positions, in this order.
	Gather(ctx context.Context, r store.Reader, b *Elements, at []int64) error

	// Append adds the elements at the end.
	Append(ctx context.Context, tx store.Tx, b Elements) error
	// Insert puts the elements before position i.
	Insert(ctx context.Context, tx store.Tx, i int64, b Elements) error
	// Overwrite replaces as many elements as the batch has, from i on.
	Overwrite(ctx context.Context, tx store.Tx, i int64, b Elements) error
	// Delete removes the elements from i up to j.
	Delete(ctx context.Context, tx store.Tx, i, j int64) error

	// Stat measures the column.
	Stat(ctx context.Context, r store.Reader) (Stat, error)
	// Check looks whether the column keeps the rules of the format.
	Check(ctx context.Context, r store.Reader) ([]Problem, error)

	// size is that of every element, 0 where it varies.
	size() int
}

// Stat is what a column takes.
type Stat struct {
	Elements int64
	// LiveBytes is the size of all elements, DeadBytes what lies between and
	// behind them unused in chunks that Capacity counts in full.
	LiveBytes, DeadBytes int64
	Capacity             int64
	Chunks               int64
	// Smallest, Largest are sizes of elements; both are 0 in an empty column.
	Smallest, Largest int64
}

func checkRange(i, j, length int64) error {
	if i < 0 || j < i || j > length {
		return fmt.Errorf("range %d to %d of a column of %d elements", i, j, length)
	}
	return nil
}

// abortOn makes the transaction fail as a whole if err is set when a method
// that has begun to write returns.
func abortOn(tx store.Tx, err *error) {
	if *err != nil {
		tx.Abort(*err)
	}
}

// extend makes the data longer by n bytes and returns these.
func (b *Elements) extend(n int64) []byte {
	old := len(b.Data)
	b.Data = slices.Grow(b.Data, int(n))[:old+int(n)]
	return b.Data[old:]
}

// count is the number of elements; size is that of each, 0 where it varies.
func (b *Elements) count(size int) int {
	if size > 0 {
		return len(b.Data) / size
	}
	return len(b.Ends)
}

// element is the bytes of element k.
func (b *Elements) element(size, k int) []byte {
	if size > 0 {
		return b.Data[k*size : (k+1)*size]
	}
	return b.Data[b.start(k):b.Ends[k]]
}

// start is where element k begins in Data.
func (b *Elements) start(k int) int {
	if k == 0 {
		return 0
	}
	return b.Ends[k-1]
}

// size is the number of bytes of element k.
func (b *Elements) size(k int) int { return b.Ends[k] - b.start(k) }

// part is the elements from i up to j, starting a batch of their own.
func (b *Elements) part(i, j int) Elements {
	start := b.start(i)
	p := Elements{Data: b.Data[start:], Ends: make([]int, j-i)}
	for k := range p.Ends {
		p.Ends[k] = b.Ends[i+k] - start
	}
	if j > i {
		p.Data = p.Data[:p.Ends[j-i-1]]
	} else {
		p.Data = nil
	}
	return p
}

// concat is the elements of several batches in one.
func concat(batches ...Elements) (all Elements) {
	for _, b := range batches {
		start := len(all.Data)
		all.Data = append(all.Data, b.Data...)
		for _, end := range b.Ends {
			all.Ends = append(all.Ends, start+end)
		}
	}
	return all
}

// piece is the end of a piece that begins with element from: about target
// bytes, at most limit unless the element alone has more, and at most count
// elements.
func (b *Elements) piece(from int, target, limit int64, count int) int {
	start := b.start(from)
	to, end := from+1, min(len(b.Ends), from+count)
	for to < end && int64(b.Ends[to-1]-start) < target && int64(b.Ends[to]-start) <= limit {
		to++
	}
	return to
}
