package column

import (
	"context"
	"fmt"
	"math"

	"columnvault/internal/store"
)

// NoLimit is the limit of a [Column.Read] that goes on to the end of its range.
const NoLimit = math.MaxInt64

// MaxElement is the size, in bytes, of the largest element in any layout.
const MaxElement = 128 << 20

// ErrLayout is the error of a change to a column whose layout is only read.
var ErrLayout = fmt.Errorf("%w in its layout", store.ErrReadOnly)

// Column is a list of encoded elements in a snapshot or a transaction. Ranges
// are half-open and must lie within the length.
//
// The methods that write check everything that can be checked before they
// write; a failure after that aborts the transaction.
type Column interface {
	// Len is the number of elements.
	Len() int64
	// Size is the size of every element in bytes, 0 where it varies.
	Size() int

	// Backed reports ErrCorrupt if the elements from i up to j cannot all be in
	// the file, so that no memory is taken for a length that is a lie.
	Backed(ctx context.Context, r store.Reader, i, j int64) error
	// Read appends the elements from i on, up to j, to e, and returns the
	// position after the last. It stops early, after one element at least,
	// where the next would bring the bytes read past limit.
	Read(ctx context.Context, r store.Reader, e *Elements, i, j, limit int64) (int64, error)
	// Ahead and Spans are Read in two steps, in which several columns can be read
	// together. Ahead returns what has to be read first, to know where the
	// elements from i on, up to j, lie: nothing where that is arithmetic. Spans
	// then appends elements to e as Read does, and returns what they have to be
	// filled with. Both are good until the next call. If what Ahead returned
	// cannot be read, Spans must not be called; other methods may be.
	Ahead(i, j int64) store.ColumnSpans
	Spans(ctx context.Context, r store.Reader, e *Elements, i, j, limit int64) (int64, store.ColumnSpans, error)
	// Before is the lowest position from which Read reaches j within limit.
	Before(ctx context.Context, r store.Reader, j, limit int64) (int64, error)
	// Gather appends the elements at these positions, in this order.
	Gather(ctx context.Context, r store.Reader, e *Elements, at []int64) error

	// Ending is what Append has to read before it writes, so that it can be read of
	// several columns together: nothing where it needs nothing, or knows it. If it
	// cannot be read, the transaction must be undone.
	Ending() store.ColumnSpans
	// Append adds the elements at the end.
	Append(ctx context.Context, tx store.Tx, e Elements) error
	// Insert puts the elements before position i.
	Insert(ctx context.Context, tx store.Tx, i int64, e Elements) error
	// Overwrite replaces as many elements as e has, from i on.
	Overwrite(ctx context.Context, tx store.Tx, i int64, e Elements) error
	// Delete removes the elements from i up to j.
	Delete(ctx context.Context, tx store.Tx, i, j int64) error

	// Waste finds the parts of the column that take more room than they need,
	// in an order in which Compact can be called for them. There are none where
	// it is little.
	Waste(ctx context.Context, r store.Reader) ([]Waste, error)
	// Compact stores a part of the column anew, without bytes that are not used,
	// and returns how many bytes it has written. Others may have changed the
	// column since Waste; it then does what is still right.
	Compact(ctx context.Context, tx store.Tx, w Waste) (written int64, err error)

	// Stat measures the column.
	Stat(ctx context.Context, r store.Reader) (Stat, error)
	// Check looks whether the column keeps the rules of its layout. It does not
	// read the elements. The error is that of the storage.
	Check(ctx context.Context, r store.Reader, found Report) error
	// Walk reads all elements, some limit bytes at once, and goes on after those
	// that cannot be read: found gets those that can, in order, and lost the
	// ranges between them, with the reason. The elements belong to Walk. It
	// ends with the first error of either, or one of the storage as a whole.
	Walk(ctx context.Context, r store.Reader, limit int64, found func(i int64, e *Elements) error, lost func(i, j int64, why error) error) error
	// Extent is the number of elements up to the last one for which there are
	// bytes in the file, at most the length.
	Extent(ctx context.Context, r store.Reader) (int64, error)
}

// Stat is what a column takes.
type Stat struct {
	Elements int64
	// LiveBytes is the size of all elements, DeadBytes that of the unused bytes
	// between and after them in chunks, which Capacity counts in full.
	LiveBytes, DeadBytes int64
	Capacity             int64
	// Slack is the part of DeadBytes that lies after the last element of each
	// chunk.
	Slack  int64
	Chunks int64
	// Smallest and Largest are sizes of elements, 0 in an empty column.
	Smallest, Largest int64
}

// StatFixed is the Stat of a column of so many elements of size bytes.
func StatFixed(ctx context.Context, r store.Reader, id store.ColumnID, length, size int64) (Stat, error) {
	s := Stat{Elements: length, LiveBytes: length * size}
	if length > 0 {
		s.Smallest, s.Largest = size, size
	}
	for chunk, err := range r.Chunks(ctx, id, math.MinInt64, math.MaxInt64) {
		if err != nil {
			return Stat{}, err
		}
		s.Chunks++
		s.Capacity += chunk.Capacity
	}
	s.DeadBytes = max(0, s.Capacity-s.LiveBytes) // chunks may be missing
	s.Slack = s.DeadBytes
	return s, nil
}

// CheckRange refuses a range that does not lie within the length.
func CheckRange(i, j, length int64) error {
	if i < 0 || j < i || j > length {
		return fmt.Errorf("%w: range %d to %d of a column of %d elements", store.ErrInvalidArgument, i, j, length)
	}
	return nil
}

// AbortOn makes the transaction fail as a whole if err is set when a method
// that has begun to write returns.
func AbortOn(tx store.Tx, err *error) {
	if *err != nil {
		tx.Abort(*err)
	}
}
