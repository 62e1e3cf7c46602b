package layout1

import (
	"context"
	"fmt"

	"columnvault/internal/column"
	"columnvault/internal/store"
)

const (
	// trusted is the number of bytes of memory that are taken on the word of a
	// length or an offset alone, before the blocks have been asked.
	trusted = 4 << 20
	// maxPosition is the largest byte position in a column of fixed size.
	maxPosition = 1<<62 - 1
	// offsetSize is the number of bytes of an offset.
	offsetSize = 8
	// rowShare is the number of bytes of a block for which it has room for an
	// element that varies in size.
	rowShare = 16
)

// errReadOnly refuses a change.
var errReadOnly = fmt.Errorf("%w: a column of KohakuVault 1.x can be read and not changed", column.ErrLayout)

// Refuse is the error of every change to a column of this layout.
func Refuse() error { return errReadOnly }

// readOnly is the part of a column that would change it.
type readOnly struct{}

func (readOnly) Ending() store.ColumnSpans                               { return store.ColumnSpans{} }
func (readOnly) Append(context.Context, store.Tx, column.Elements) error { return errReadOnly }

func (readOnly) Insert(context.Context, store.Tx, int64, column.Elements) error { return errReadOnly }

func (readOnly) Overwrite(context.Context, store.Tx, int64, column.Elements) error {
	return errReadOnly
}

func (readOnly) Delete(context.Context, store.Tx, int64, int64) error { return errReadOnly }

// Waste finds none: nothing here could give it back.
func (readOnly) Waste(context.Context, store.Reader) ([]column.Waste, error) { return nil, nil }

func (readOnly) Compact(context.Context, store.Tx, column.Waste) (int64, error) {
	return 0, errReadOnly
}

// Form is how elements are read, where that is not as they are stored. Both
// forms are of one size, or both vary.
type Form struct {
	// Size is the size of an element as it is read, and Stored that as it is
	// stored; both are 0 where it varies.
	Size, Stored int64
	// Read appends to dst what the stored bytes are read as. An error says why
	// they are not what they should be.
	Read func(dst, stored []byte) ([]byte, error)
	// Store appends to dst what an element that is read so is stored as, which
	// never fails for what Read gives. It is nil where nothing is stored so.
	Store func(dst, element []byte) []byte
}

// read appends to e what n stored bytes at once are read as: count elements of
// one size, or those that end at ends.
func (f *Form) read(e *column.Elements, stored []byte, size int64, ends []int64) (err error) {
	if ends == nil {
		for ; len(stored) > 0; stored = stored[size:] {
			if e.Data, err = f.Read(e.Data, stored[:size]); err != nil {
				return fmt.Errorf("%w: %w", store.ErrCorrupt, err)
			}
		}
		return nil
	}
	start := int64(0)
	for _, end := range ends {
		if e.Data, err = f.Read(e.Data, stored[start:end]); err != nil {
			return fmt.Errorf("%w: %w", store.ErrCorrupt, err)
		}
		e.Ends = append(e.Ends, len(e.Data))
		start = end
	}
	return nil
}

// block is a chunk of this layout.
type block struct {
	store.Block
	number, used int64
	// payload is the capacity in bytes for elements; after it come the offsets.
	payload int64
}

// end is the position after the last element.
func (b *block) end() int64 { return b.First + b.Rows }

func (b *block) has(i int64) bool { return i >= b.First && i < b.end() }

// blockOf reads what is known of a chunk. Its numbers are such that sums of them
// are numbers.
func blockOf(c store.Chunk, withOffsets bool) (block, error) {
	meta, err := store.ParseBlock(c.Meta)
	if err != nil {
		return block{}, err
	}
	b := block{Block: meta, number: c.Number, used: c.Used, payload: c.Capacity}
	if withOffsets {
		b.payload -= meta.Offsets()
	}
	const most = 1 << 56
	if b.First < 0 || b.Rows < 0 || b.payload < 0 || b.First > most || b.Rows > most || b.payload > most {
		return block{}, fmt.Errorf("%w: block %d says that it has %d elements from %d on, in %d bytes", store.ErrCorrupt, c.Number, b.Rows, b.First, b.payload)
	}
	return b, nil
}
